"""What one chapter alone draws: in the book's look, with what it was given on it."""

import importlib
import inspect
import re
import subprocess
import sys
from functools import cache, partial
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from looks import check_looks, heads_forward, places, texts
from scipy import stats

from distill_lib import (
    Estimate,
    History,
    crossed_interval,
    digits,
    figures,
    interval,
    packed,
    paired_difference,
    recorded,
    soft_target_loss,
    unpacked,
)
from pictures import (
    ch02,
    ch03,
    ch04,
    ch05,
    ch06,
    ch07,
    ch08,
    ch09,
    ch10,
    ch11,
    ch12,
    ch12_traits,
    deployment,
    index,
    offline,
    playground,
    scale,
    tuning,
    your_own,
)
from pictures.rows import crossed_gain, gain, minus

SETTINGS = ("few labels", "clouds")
METHODS = ("alone", "smoothing", "traditional", "step by step", "cosine")
RNG = np.random.default_rng(0)
STUDENT, TEACHER = RNG.normal(0, 2, (40, 10)), RNG.normal(0, 4, (40, 10))
SPLIT = digits().test.take(np.arange(40))
GAIN = RNG.choice([-100.0, 0.0, 100.0], (20, 400))  # of one student over another
MIXED = np.random.default_rng(1).dirichlet(
    np.ones(10), (3, 40)
)  # targets of 40 digits in three passes
HISTORY = History([0, 20, 40], [2.3, 1.0, 0.5], {}, [0.1, 0.7, 0.8], [2.3, 1.1, 1.2])
WATCHES = {  # evidence of three watches, of which two fire
    "far": np.clip((np.arange(60) - 20) / 13, 0, 1),
    "unsure": np.clip((np.arange(60) - 20) / 30, 0, 1),
    "disagrees": np.zeros(60),
}
SHORT = History([0, 20], [2.3, 0.25], {}, [0.1, 0.9], [2.3, 0.3])


@cache
def contest() -> dict:
    """A record as the comparison's, of two settings and twelve seeds: random, with gains."""
    rng, table = np.random.default_rng(0), []
    regimes = [*ch07.REGIMES.values(), "all tuned" + ch07.SPEED]
    for setting, regime, (k, method) in product(SETTINGS, regimes, enumerate(METHODS)):
        right = rng.random((12, 40)) < 0.6 + 0.07 * k
        row = {"setting": setting, "regime": regime, "method": method, "fidelity": [0.8] * 12}
        row |= {"right": [packed(r) for r in right], "accuracy": right.mean(axis=1).tolist()}
        row |= {"steps": (10 * rng.integers(1, 9, 12) - 3 * k).tolist()}
        row |= {"teacher": [0.9, 1.0] * 6, "wrong_together": rng.uniform(0, 0.1, 12).tolist()}
        table.append(row)
    return {"rows": table}


@cache
def table_of_mnist() -> tuple[dict, dict]:
    """Invented students of three widths over T, of three seeds, and their teachers."""
    rng, table = np.random.default_rng(0), []
    for k, (student, T) in enumerate(product(ch12.WIDTHS.values(), (None, 1, 4, 20))):
        share = 0.01 + 0.002 * (k % 4) + 0.01 * (student == ch12.SMALL)
        right = [packed(rng.random(ch12.IMAGES) > share) for _ in range(3)]
        row = {"student": student, "T": T, "taught": 50 if T else 0, "right": right}
        table += [row] if (student, T) != (ch12.PARENT, 1) else []  # not all of them were run
    return ch12.taught({"rows": table}), table[0]


LOGITS = RNG.normal(0, 5, (2, 2, 10)).tolist()  # by seed and example
MISTAKES = {
    "images": [{"label": 3, "image": bytes([k] * 784).hex()} for k in (50, 200)],
    "rows": [
        {"student": ch12.PARENT, "T": T, "logits": LOGITS, "teacher_logits": LOGITS}
        for T in (None, 4)
    ],
}
ATTEMPTS = [
    {"student": ch12.PARENT, "attempt": a, "errors": e, "teacher_errors": [98, 98]}
    for a, e in (("as in the table", [128, 131]), ("moved images", [101, 104]))
]


@cache
def rows(record: str, *keys: str) -> dict:
    """The rows of a record by these of their entries."""
    table = {tuple(row[key] for key in keys): row for row in recorded(record)["rows"]}
    return table if len(keys) > 1 else {key: row for (key,), row in table.items()}


def grid() -> dict:
    return rows("traditional_grid", "T", "alpha")


def labels() -> dict:
    return rows("traditional_labels", "labels", "method")


def own_temperature() -> tuple[dict, dict]:
    """The rows of the students with a teacher, and that of the student alone."""
    table = rows("wrong_labels_own_temperature", "teacher_labels", "T")
    return {key: row for key, row in table.items() if key[1]}, table["none", 0]


def dials() -> dict:
    return rows("step_by_step_grid", "T", "alpha", "beta")


def tasks() -> dict:
    return rows("step_by_step_labels", "name", "labels", "method")


@cache
def ensembles() -> tuple[dict, dict]:
    """The rows of the ensembles, and the leads of two settings that share a scale."""
    table = ch08.by_case(recorded("ensembles"))
    return table, ch08.leads(table, ["300 right", "all right"])


def self_distilled() -> dict:
    return rows("self_distillation_wrong", "share", "method")


def traits() -> dict:
    """As the study of hidden traits has them: four seeds, random, with some digits read."""
    rng, table = np.random.default_rng(0), {}
    for outputs, (share, shared) in product((3, 100), ((0.1, "nothing"), (0.97, "everything"))):
        right = rng.random((4, 10_000)) < share
        row = {"right": [packed(r) for r in right], "of_teacher": [0.95, 0.96, 0.95, 0.94]}
        table[outputs, shared] = row | {"by_digit": rng.uniform(share - 0.1, share, (4, 10))}
    return table


@cache
def deep() -> dict:
    """The rows of the methods on features, in all settings."""
    return ch11.by_method(recorded("deep"), recorded("deep_more"))


def accuracies(student: str, lesson: str, labels: int) -> np.ndarray:
    return np.array([len(lesson), len(lesson) + 3.0]) + 40


def steps_at(setting: str, dials: str) -> dict:
    """Larger by far in one setting than in the other: its axis has longer labels."""
    scale = {"few labels": 90, "clouds": 1}[setting]
    return {m: {"steps": [1.0 * scale, 2.0 * scale, 2.5 * scale]} for m in METHODS[2:]}


def pulls(s, v, y, T, alpha, beta):
    return alpha * (y - s), beta * (v - s), (v - s) / T


PLACES = {"conv_1": np.arange(1.0, 129).reshape(2, 64), "conv_2": np.arange(1.0, 33).reshape(2, 16)}
SEVEN = np.abs(np.arange(7)[:, None] - np.arange(7))  # days apart
LESSONS = ["labels alone", "soft, same inputs", "soft T = 4, all inputs", "answers, all inputs"]
RATIOS = {name: [1, 2, 30] for name in ("multiply-adds", "time, one example", "time, batch")}
TIMES = {(name, n): 1.5 for name in ("64-10", "teacher") for n in (1, 256)}
DRAWN = {
    "index.overview": index.overview,
    "index.flow": lambda: index.flow(
        {"teacher": (0, 0, "teacher"), "student": (1, 0, "student")}, [("teacher", "student")]
    ),
    "ch03.costs": lambda: ch03.costs(RATIOS, TIMES),
    "ch03.draw_learning": lambda **at: ch03.draw_learning(
        {30: HISTORY, 1197: SHORT}, **{"labels": 30} | at
    ),
    "ch03.draw_seeds": lambda **at: ch03.draw_seeds(
        np.arange(70, 90.0), np.arange(69, 89.0), **{"seeds": 3, "first": 4} | at
    ),
    "ch03.draw_crossed": lambda **at: ch03.draw_crossed(GAIN, **{"seeds": 5, "digits": 100} | at),
    "ch03.baselines": lambda: ch03.baselines(
        {"one": [Estimate(70, 65, 75, 20)] * 3, "two": [Estimate(80, 79, 81, 20)] * 3},
        [10, 30, 100],
    ),
    "ch02.draw_targets": lambda **at: ch02.draw_targets(
        rows("controls_whose", "target", "labels", "student"),
        **{"labels": 30, "student": "64-10"} | at,
    ),
    "ch02.draw_noise": lambda **at: ch02.draw_noise(
        rows("gradients", "after", "teacher_of", "T"), **{"after": 30} | at
    ),
    "ch02.draw_teachers": lambda **at: ch02.draw_teachers(
        rows("teacher_size", "teacher", "seen", "student"),
        Estimate(78, 77, 79, 20),
        [30, 300, 1197],
        **{"student": "64-10"} | at,
    ),
    "ch02.draw_variance": lambda **at: ch02.draw_variance(
        lambda *_: (2.0, 1.0), **{"spread": 0.5} | at
    ),
    "ch02.draw_lessons": lambda **at: ch02.draw_lessons(
        accuracies, LESSONS, **{"labels": 30, "student": "64-10"} | at
    ),
    "ch02.draw_more_labels": lambda **at: ch02.draw_more_labels(
        accuracies, [30, 100], **{"student": "64-10"} | at
    ),
    "ch04.draw_pulls": lambda **at: ch04.draw_pulls(
        STUDENT[:1], TEACHER[:1], np.array([2]), **{"T": 4, "alpha": 0.5} | at
    ),
    "ch04.draw_never_shown": lambda **at: ch04.draw_never_shown(
        rows("never_shown", "digit", "student", "lesson", "T"), **{"digit": 3, "T": 4} | at
    ),
    "ch04.draw_divergence": lambda **at: ch04.draw_divergence(
        **{"teacher": 0.9, "student": 0.3} | at
    ),
    "ch04.draw_norms": lambda **at: ch04.draw_norms(
        lambda T: 1 / T, [1.0, 2.0, 4.0], **{"T": 2.0} | at
    ),
    "ch04.draw_limit": lambda **at: ch04.draw_limit(
        STUDENT, TEACHER, (STUDENT - TEACHER) / 10, **{"T": 8.0} | at
    ),
    "ch04.draw_grid": lambda **at: ch04.draw_grid(
        grid(),
        labels()[100, "alone"],
        labels()[1197, "teacher's answers"],
        **{"T": 4, "alpha": 0.5} | at,
    ),
    "ch04.grid_map": lambda: ch04.grid_map(grid()),
    "ch04.few_labels": lambda: ch04.few_labels(
        labels(), grid()[4, 0], labels()[1197, "teacher's answers"]
    ),
    "ch04.draw_own_temperature": lambda **at: ch04.draw_own_temperature(
        *own_temperature(), **{"T": 4} | at
    ),
    "ch04.draw_bug": lambda **at: ch04.draw_bug(
        rows("traditional_bug", "share", "alpha"),
        labels()[100, "alone"],
        **{"share": 0.5, "alpha": 0} | at,
    ),
    "ch05.draw_hidden": lambda **at: ch05.draw_hidden(
        SPLIT, STUDENT / 4, lambda z: z[:, :2], **{"digit": 1} | at
    ),
    "ch05.draw_pulls": lambda **at: ch05.draw_pulls(
        pulls, **{"T": 2, "alpha": 0.5, "beta": 0.3} | at
    ),
    "ch05.draw_dials": lambda **at: ch05.draw_dials(
        tasks()["odd or even", 50, "alone"], dials(), **{"T": 4, "alpha": 0.5, "beta": 0.3} | at
    ),
    "ch05.map_of_accuracy": lambda: ch05.map_of_accuracy(dials()),
    "ch05.draw_curve": lambda **at: ch05.draw_curve(
        dials(), **{"T": 4, "alpha": 0.5, "beta": 0.3} | at
    ),
    "ch05.draw_labels": lambda **at: ch05.draw_labels(
        tasks(), **{"task": "ten classes", "labels": 50} | at
    ),
    "ch05.draw_high": lambda **at: ch05.draw_high(rows("step_by_step_high", "T"), **{"T": 4} | at),
    "ch05.draw_sums": lambda **at: ch05.draw_sums(
        rows("step_by_step_addition", "examples", "method"), [1000, 4000], **{"examples": 4000} | at
    ),
    "ch06.draw_plane": lambda **at: ch06.draw_plane(
        lambda angle, length: TEACHER[0] + angle / 9, **{"angle": 30, "length": 1.5} | at
    ),
    "ch06.arrows_and_bars": lambda: ch06.arrows_and_bars(
        {"a": ((0, 0), (1, 1)), "b": ((1, 1), (0, 2))},
        {"loss": 0.5, "none": 0.0},
        limits=(-1, 2, -1, 2),
        ylim=(0.01, 10),
    ),
    "ch06.draw_scale": lambda **at: ch06.draw_scale(
        rows("cosine_scale", "rows", "spread", "method"), **{"spread": 1, "rows": 100} | at
    ),
    "ch06.draw_calibration": lambda **at: ch06.draw_calibration(
        STUDENT, SPLIT.labels, **{"T": 0.5} | at
    ),
    "ch06.draw_grid": lambda **at: ch06.draw_grid(
        rows("cosine_grid", "T", "alpha", "beta"), **{"T": 4} | at
    ),
    "ch06.draw_curriculum": lambda **at: ch06.draw_curriculum(
        rows("cosine_curriculum", "curriculum", "beta", "T"),
        **{"curriculum": 8, "beta": 0.6, "T": 4} | at,
    ),
    "ch06.factors": lambda: ch06.factors(rows("cosine_adaptive", "spread", "weights")),
    "ch06.draw_lab": lambda **at: ch06.draw_lab(
        lambda rationale, loss: ("student", {"cosine": HISTORY, "MSE": SHORT}[loss]),
        lambda student: 0.875,
        **{"rationale": "one number", "loss": "cosine"} | at,
    ),
    "ch07.draw_verdict": lambda **at: ch07.draw_verdict(
        ch07.answers(contest()),
        **{"against": "the rung below", "chosen": "all tuned"} | at,
    ),
    "ch07.draw_difference": lambda **at: ch07.draw_difference(
        ch07.by_case(contest()),
        **{"setting": "clouds", "measure": "steps", "chosen": "all tuned"} | at,
    ),
    "ch07.draw_faster": lambda **at: ch07.draw_faster(steps_at, ["one", "two"])(
        **{"setting": "clouds", "dials": "one"} | at
    ),
    "ch07.draw_article": lambda **at: ch07.draw_article(
        {(s, m): row for (s, regime, m), row in ch07.by_case(contest()).items()},
        **{"setting": "clouds", "measure": "accuracy"} | at,
    ),
    "ch07.draw_agreement": lambda **at: ch07.draw_agreement(
        ch07.by_case(contest()),
        **{"setting": "clouds", "where": ch07.WHERE[0], "chosen": "all tuned"} | at,
    ),
    "ch07.verdicts": lambda: ch07.verdicts(
        {"better?": [[("+2.0", 1), ("−1.0", -1), ("0.0", 0)]]}, ["r"], ["x", "y", "z"]
    ),
    "ch12.draw_table": lambda **at: ch12.draw_table(
        *table_of_mnist(), **{"width": "2 × 800", "T": 4} | at
    ),
    "ch12.draw_mistake": lambda **at: ch12.draw_mistake(MISTAKES, **{"example": 1, "T": 4} | at),
    "ch12.draw_bias": lambda **at: ch12.draw_bias(
        {"linear": STUDENT, "wide": TEACHER},
        5.5,
        SPLIT.labels,
        **{"student": "linear", "bias": 2} | at,
    ),
    "ch12.attempts": lambda: ch12.attempts(ATTEMPTS),
    "ch07.draw_dials": lambda **at: ch07.draw_dials(
        rows("comparison_weights", "method", "T", "alpha", "beta"),
        np.array([0.8, 0.9]),
        400,
        **{"T": 4.0, "alpha": 0.25, "beta": 0.25} | at,
    ),
    "ch08.draw_teachers": lambda **at: ch08.draw_teachers(
        *ensembles(),
        **{"setting": "300 right", "inputs": "more", "teachers": 10} | at,
    ),
    "ch08.draw_over_T": lambda **at: ch08.draw_over_T(
        ensembles()[0],
        rows("ensembles_over_T", "inputs", "teachers", "T"),
        **{"inputs": "more", "T": 4} | at,
    ),
    "ch08.draw_curves": lambda **at: ch08.draw_curves(
        rows("ensembles_share", "percent", "teacher"),
        recorded("ensembles_share")["step"],
        **{"percent": 3, "teacher": "all the data", "measure": "accuracy"} | at,
    ),
    "ch08.draw_shares": lambda **at: ch08.draw_shares(
        rows("ensembles_share", "percent", "teacher"), **{"percent": 3} | at
    ),
    "deployment.draw_asked": lambda **at: deployment.draw_asked(
        SPLIT.inputs, STUDENT, SPLIT.labels, {"a 0": 0, "a 3": 3}, **{"digit": "a 0", "T": 4} | at
    ),
    "deployment.draw_speed": lambda **at: deployment.draw_speed(
        recorded("deployment"),
        **{"pair": "digits", "engine": "NumPy", "asked": "one example"} | at,
    ),
    "deployment.draw_calls": lambda **at: deployment.draw_calls(
        {"teacher": [58, 66, 1083], "student": [37, 37, 64], "one hidden unit": [39, 38, 48]},
        [1, 4, 256],
        **{"rows": 1} | at,
    ),
    "deployment.draw_alarm": lambda **at: deployment.draw_alarm(
        {0: SPLIT.inputs[3], 90: SPLIT.inputs[4]},
        {0: dict.fromkeys(WATCHES, np.zeros(60)), 90: WATCHES},
        20,
        **{"angle": 90} | at,
    ),
    "deployment.draw_bits": lambda **at: deployment.draw_bits(
        rows("int8", "labels", "bits", "method"), **{"labels": 100, "bits": 3} | at
    ),
    "ch10.draw_target": lambda **at: ch10.draw_target(
        SPLIT,
        (SPLIT.labels + 1) % 10,
        {0.4: MIXED, 0.8: MIXED},
        {"a 6": 0, "a 2": 1},
        **{"digit": "a 6", "w": 0.8, "passes": 2} | at,
    ),
    "ch10.draw_beside": lambda **at: ch10.draw_beside(
        self_distilled(), **{"share": 0.3, "measure": "accuracy, points"} | at
    ),
    "ch10.draw_few": lambda **at: ch10.draw_few(
        rows("self_distillation_unlabelled", "labels", "method"),
        **{"labels": 30, "measure": "accuracy, points"} | at,
    ),
    "ch10.draw_noise": lambda **at: ch10.draw_noise(
        rows("self_distillation_views", "share", "noise", "method"),
        **{"share": 0.3, "noise": 0.3} | at,
    ),
    "ch10.draw_generations": lambda **at: ch10.draw_generations(
        rows("self_distillation_generations", "share"),
        {share: self_distilled()[share, "smoothing"] for share in (0, 0.3)},
        **{"share": 0.3, "generation": 1} | at,
    ),
}
DRAWN |= {
    "ch09.draw_decades": lambda **at: ch09.draw_decades(
        rows("weekday_encodings", "encoding"), **{"encoding": "digits"} | at
    ),
    "ch09.draw_off": lambda **at: ch09.draw_off(
        rows("weekday_encodings", "encoding"), **{"encoding": "modulo 28"} | at
    ),
    "ch09.draw_steps": lambda **at: ch09.draw_steps(
        rows("weekday_steps", "method", "dates"), **{"dates": 10000} | at
    ),
    "ch09.draw_soft_rule": lambda **at: ch09.draw_soft_rule(
        {"neighbours": np.minimum(SEVEN, 7 - SEVEN)}, **{"kind": "neighbours", "T": 1} | at
    ),
    "ch09.draw_soft": lambda **at: ch09.draw_soft(
        rows("weekday_soft", "kind", "T") | rows("weekday_turned", "kind", "T"), **{"T": 1} | at
    ),
    "ch09.draw_committee": lambda **at: ch09.draw_committee(
        rows("specialists", "case", "who", "number"), **{"helpers": 4} | at
    ),
    "ch12_traits.draw_shared": lambda **at: ch12_traits.draw_shared(
        traits(), **{"shared": "everything", "outputs": 3} | at
    ),
}
DRAWN |= {
    "ch11.draw_maps": lambda **at: ch11.draw_maps(
        SPLIT.inputs[:2],
        {"teacher": PLACES, "labels alone": PLACES, "attention": PLACES},
        {"a 0": 0, "a 3": 1},
        **{"digit": "a 0", "layer": "first"} | at,
    ),
    "ch11.draw_methods": lambda **at: ch11.draw_methods(
        deep(),
        **{"setting": "60 labels", "against": "labels alone", "measure": "accuracy"} | at,
    ),
    "ch11.draw_weight": lambda **at: ch11.draw_weight(
        rows("deep_weight", "method", "w"), **{"w": 1} | at
    ),
    "ch11.draw_curves": lambda **at: ch11.draw_curves(
        deep(),
        recorded("deep")["step"],
        **{"setting": "60 labels", "method": "soft targets", "measure": "accuracy, %"} | at,
    ),
    "ch11.draw_gap": lambda **at: ch11.draw_gap(
        ch11.by_teacher(recorded("deep_gap")), **{"filters": 16, "steps": "all"} | at
    ),
}
BRIDGE = recorded("bridge_torch")
DRAWN |= {
    "scale.draw_ways": lambda **at: scale.draw_ways(
        BRIDGE["loss"],
        {row["way"]: row for row in BRIDGE["rows"][1:]},
        **{"way": "PyTorch"} | at,
    ),
    "scale.draw_shards": lambda **at: scale.draw_shards(
        lambda rows: SPLIT.inputs[rows].mean(axis=0),
        **{"processes": 5, "batch": 13, "average": "plain"} | at,
    ),
    "scale.draw_settings": lambda **at: scale.draw_settings(**{"T": 4, "alpha": 0.1} | at),
    "scale.draw_bytes": lambda **at: scale.draw_bytes(**{"vocabulary": 128256, "kept": 12} | at),
    "scale.draw_pays": lambda **at: scale.draw_pays(
        **{"teacher": 70, "tokens": 0.5, "first": "exists"} | at
    ),
}
DRAWN |= {
    "offline.draw_work": lambda **at: offline.draw_work(
        84480, 4736, **{"students": 1, "passes": 16} | at
    ),
    "offline.draw_kept": lambda **at: offline.draw_kept(
        np.array([0.6, 0.3, 0.1]),
        {"drawn": lambda p, n, rng: rng.multinomial(n, p) / n, "all": lambda p, n, rng: p},
        **{"kind": "drawn", "n": 3, "stores": 1} | at,
    ),
    "offline.draw_cost": lambda **at: offline.draw_cost(
        offline.by_kept(recorded("sparse_storage"), stop=True),
        **{"measure": "KL", "keep": "top", "n": 3} | at,
    ),
    "offline.draw_view": lambda **at: offline.draw_view(
        lambda inputs: 9 * inputs[:, :10], *SPLIT.inputs[:2], **{"share": 0.8, "T": 4} | at
    ),
    "offline.draw_views": lambda **at: offline.draw_views(
        offline.by_way(recorded("offline_views")),
        **{"change": "mixed", "measure": "accuracy", "views": 1} | at,
    ),
}


@cache
def tried() -> dict:
    """The reports of the tables that were tried, by table and case."""
    return your_own.by_case(recorded("own_trials"))


DRAWN |= {
    "your_own.draw_verdicts": lambda **at: your_own.draw_verdicts(
        tried(), recorded("own_large"), **{"case": "few labels"} | at
    ),
    "your_own.draw_ways": lambda **at: your_own.draw_ways(
        tried(), **{"table": "wine", "case": "few labels"} | at
    ),
    "your_own.draw_reliability": lambda **at: your_own.draw_reliability(
        tried(), **{"table": "wine", "case": "few labels"} | at
    ),
    "your_own.draw_splits": lambda **at: your_own.draw_splits(
        recorded("own_trials_splits")["rows"][0], **{"split": 1} | at
    ),
}


@cache
def schedules() -> tuple[dict, dict]:
    """Schedules of T, and the fixed one of each setting."""
    record = recorded("tuning_schedule")
    fixed = {s: tuning.best_fixed(record, s) for s in ("60 images", "all images")}
    return tuning.by_schedule(record), fixed


DRAWN |= {
    "tuning.draw_search": lambda **at: tuning.draw_search(
        rows("tuning_search", "search"), [1, 3, 8, 16, 27], **{"search": "random", "trials": 8} | at
    ),
    "tuning.draw_slices": lambda **at: tuning.draw_slices(
        rows("tuning_search", "search"), 0, **{"search": "random", "trials": 8} | at
    ),
    "tuning.draw_teachers": lambda **at: tuning.draw_teachers(
        recorded("tuning_teachers")["teachers"],
        tuning.by_teacher(recorded("tuning_teachers")),
        **{"order_by": "accuracy", "T": "27"} | at,
    ),
    "tuning.draw_schedule": lambda **at: tuning.draw_schedule(
        *schedules(),
        **{"setting": "60 images", "start_T": 16, "end_T": 1, "shape": "linear"} | at,
    ),
}


@cache
def played() -> tuple[dict, dict]:
    """The playground's grid, and its dials."""
    grid, dials = (recorded(f"playground{name}") for name in ("", "_dials"))
    return playground.by_choice(grid), playground.by_dials(dials)


DRAWN |= {
    "playground.draw_methods": lambda **at: playground.draw_methods(
        played()[0], **{"data": "digits", "labels": 30, "noise": 0} | at
    ),
    "playground.draw_pairs": lambda **at: playground.draw_pairs(
        played()[0], **{"teacher": "all labels", "student": "linear"} | at
    ),
    "playground.draw_dials": lambda **at: playground.draw_dials(
        played()[1], **{"method": "traditional", "T": 4, "alpha": 0} | at
    ),
    "playground.draw_disagreements": lambda **at: playground.draw_disagreements(
        played()[0],
        digits().test,
        **{"labels": 30, "noise": 0, "method": "traditional"} | at,
    ),
    "playground.disagreements": lambda: playground.disagreements(
        SPLIT, np.append(SPLIT.labels[:-1], SPLIT.labels[-1] - 1), SPLIT.labels
    ),
}
MOVES = {  # by picture, where its sliders go from the start that stands above
    "tuning.draw_search": {"search": ["grid"], "trials": [27]},
    "tuning.draw_slices": {"search": ["Optuna"], "trials": [27]},
    "tuning.draw_teachers": {"order_by": ["NLL", "spread"], "T": ["1", "chosen"]},
    "tuning.draw_schedule": {
        "setting": ["all images"],
        "start_T": [1],
        "end_T": [16],
        "shape": ["step"],
    },
    "ch03.draw_learning": {"labels": [1197]},
    "ch03.draw_seeds": {"seeds": [1, 20], "first": [0]},
    "ch03.draw_crossed": {"seeds": [3, 20], "digits": [50, 400]},
    "ch02.draw_targets": {"labels": [100], "student": ["64-16-10"]},
    "ch02.draw_noise": {"after": [0, 600]},
    "ch02.draw_teachers": {"student": ["64-16-10"]},
    "ch02.draw_variance": {"spread": [2.0]},
    "ch02.draw_lessons": {"labels": [1197], "student": ["64-16-10"]},
    "ch02.draw_more_labels": {"student": ["64-16-10"]},
    "ch04.draw_pulls": {"T": [1, 16], "alpha": [0, 1.0]},
    "ch04.draw_never_shown": {"digit": [0], "T": [1, 16]},
    "ch04.draw_divergence": {"teacher": [0.5, 0.98], "student": [0.02, 0.98]},
    "ch04.draw_norms": {"T": [1.0, 4.0]},
    "ch04.draw_limit": {"T": [1.0, 128.0]},
    "ch04.draw_grid": {"T": [1, 16], "alpha": [0, 1]},
    "ch04.draw_own_temperature": {"T": [0.25, 8]},
    "ch04.draw_bug": {"share": [0, 1], "alpha": [0.5]},
    "ch05.draw_hidden": {"digit": [2]},
    "ch05.draw_pulls": {"T": [16], "alpha": [0], "beta": [0]},
    "ch05.draw_dials": {"T": [16], "alpha": [0], "beta": [0]},
    "ch05.draw_curve": {"T": [16], "alpha": [0], "beta": [0]},
    "ch05.draw_labels": {"task": ["odd or even"], "labels": [1197]},
    "ch05.draw_high": {"T": [1, 128]},
    "ch05.draw_sums": {"examples": [1000]},
    "ch06.draw_plane": {"angle": [0, 180], "length": [0.1, 2.0]},
    "ch06.draw_scale": {"spread": [2], "rows": [1197]},
    "ch06.draw_calibration": {"T": [0.02, 3.0]},
    "ch06.draw_grid": {"T": [16]},
    "ch06.draw_curriculum": {"curriculum": [0], "beta": [0.3], "T": [1]},
    "ch06.draw_lab": {"loss": ["MSE"], "rationale": ["ten scores"]},
    "ch07.draw_verdict": {"against": [*ch07.LADDERS][1:], "chosen": ["one rate for all"]},
    "ch07.draw_difference": {
        "setting": ["few labels"],
        "measure": ["accuracy"],
        "chosen": ["one rate for all"],
    },
    "ch07.draw_faster": {"setting": ["few labels"], "dials": ["two"]},
    "ch07.draw_article": {"setting": ["few labels"], "measure": ["steps"]},
    "ch07.draw_agreement": {
        "setting": ["few labels"],
        "where": [ch07.WHERE[1]],
        "chosen": ["one rate for all"],
    },
    "ch07.draw_dials": {"T": [1.0], "alpha": [0.0], "beta": [0.0]},
    "ch08.draw_teachers": {"setting": ["all right"], "inputs": ["same"], "teachers": [1]},
    "ch08.draw_over_T": {"inputs": ["same"], "T": [1, 8]},
    "ch08.draw_curves": {"percent": [100], "teacher": ["random"], "measure": ["loss"]},
    "ch08.draw_shares": {"percent": [100]},
    "deployment.draw_asked": {"digit": ["a 3"], "T": [1, 8]},
    "deployment.draw_speed": {
        "pair": ["large"],
        "engine": ["ONNX Runtime"],
        "asked": ["a batch of 256"],
    },
    "deployment.draw_calls": {"rows": [4, 256]},
    "deployment.draw_alarm": {"angle": [0]},
    "deployment.draw_bits": {"labels": [1197], "bits": [8, 2]},
    "ch10.draw_target": {"digit": ["a 2"], "w": [0.4], "passes": [0]},
    "ch10.draw_beside": {"share": [0, 0.45], "measure": ["NLL"]},
    "ch10.draw_few": {"labels": [300], "measure": ["NLL"]},
    "ch10.draw_noise": {"share": [0.45], "noise": [0.6]},
    "ch10.draw_generations": {"share": [0], "generation": [0, 4]},
    "ch09.draw_decades": {"encoding": ["three numbers"]},
    "ch09.draw_off": {"encoding": ["clock hands"]},
    "ch09.draw_steps": {"dates": [3000]},
    "ch09.draw_soft_rule": {"T": [0.25, 4]},
    "ch09.draw_soft": {"T": [0.5, 4]},
    "ch09.draw_committee": {"helpers": [1, 8]},
    "ch11.draw_maps": {"digit": ["a 3"], "layer": ["second"]},
    "ch11.draw_methods": {
        "setting": ["60 labels, all images", "300 labels"],
        "against": ["soft targets"],
        "measure": ["NLL"],
    },
    "ch11.draw_weight": {"w": [0.1, 100]},
    "ch11.draw_curves": {
        "setting": ["300 labels"],
        "method": ["attention"],
        "measure": ["loss (NLL)"],
    },
    "ch11.draw_gap": {"filters": [4, 64], "steps": ["a fifth"]},
    "scale.draw_ways": {"way": ["torchrun, two, one of them killed"]},
    "scale.draw_shards": {"processes": [2, 4], "batch": [32], "average": ["by share"]},
    "scale.draw_settings": {"T": [1, 20], "alpha": [0, 0.9]},
    "scale.draw_bytes": {"vocabulary": [1000, 262144], "kept": [4, 256]},
    "scale.draw_pays": {"teacher": [8, 405], "tokens": [0.9], "first": ["must be trained"]},
    "playground.draw_methods": {"data": ["clouds"], "labels": [300], "noise": [0.3]},
    "playground.draw_pairs": {
        "teacher": ["same labels", "random"],
        "student": ["16 units"],
    },
    "playground.draw_dials": {"method": ["self-distillation"], "T": [16], "alpha": [0.5]},
    "playground.draw_disagreements": {
        "labels": [300],
        "noise": [0.3],
        "method": ["labels alone"],
    },
    "ch12.draw_table": {"T": [1, 20], "width": ["2 × 300"]},
    "ch12.draw_mistake": {"T": [1, 20], "example": [2]},
    "ch12.draw_bias": {"student": ["wide"], "bias": [0, 8]},
    "ch12_traits.draw_shared": {"shared": ["nothing"], "outputs": [100]},
    "offline.draw_work": {"students": [20], "passes": [1, 256]},
    "offline.draw_kept": {"kind": ["all"], "n": [1, 8], "stores": [400]},
    "offline.draw_cost": {
        "measure": ["calibration error"],
        "keep": ["top, even tail", "drawn"],
        "n": [1, 50],
    },
    "offline.draw_view": {"share": [0, 1], "T": [1]},
    "offline.draw_views": {"change": ["moved"], "measure": ["fidelity"], "views": [16]},
    "your_own.draw_verdicts": {"case": ["few and shuffled", "all labels"]},
    "your_own.draw_ways": {"case": ["few and shuffled", "all labels"]},
    "your_own.draw_reliability": {"table": ["digits"], "case": ["all and folds"]},
    "your_own.draw_splits": {"split": [2, 6]},
}
MODULES = {
    path.stem: importlib.import_module(f"pictures.{path.stem}")
    for path in Path(ch02.__file__).parent.glob("*.py")
    if not path.stem.endswith("_exercises")
}


def functions(module: ModuleType) -> list[str]:
    """The names of a module's own public functions."""
    members = inspect.getmembers(module, inspect.isfunction)
    return [n for n, f in members if f.__module__ == module.__name__ and n[0] != "_"]


def figure(name: str):
    """The figure of a picture, without its description."""
    result = DRAWN[name]()
    return result[0] if isinstance(result, tuple) else result


def description(name: str) -> str:
    return DRAWN[name]()[1]


def test_every_picture_is_tried_here():
    """Of the functions here only these draw nothing: they judge, and write lines of tables."""
    chapter_7 = "by_case settings_of right gap p_value spread_ratio holm judged answers agreement"
    chapter_7 += " verdict_lines written arrival table_row speedy"
    chapter_8 = "by_case case single ahead lead leads kept kept_words table word_errors"
    others = {"rows", "claims", "shared", "exercises", "playground_runs", "playground_panel"}
    every = {f"{n}.{f}" for n, m in MODULES.items() if n not in others for f in functions(m)}
    judging = {f"ch07.{name}" for name in chapter_7.split()}
    judging |= {f"ch08.{name}" for name in chapter_8.split()}
    chapter_11 = "by_method difference table by_teacher"
    judging |= {f"ch11.{name}" for name in chapter_11.split()}
    chapter_10 = "chosen difference value beside generation_gain ahead_of table"
    judging |= {f"ch10.{name}" for name in chapter_10.split()}
    of_deployment = "error cost won_back added model_card on_a_page answers sized"
    judging |= {f"deployment.{name}" for name in of_deployment.split()}
    costs = "excerpt shares settings bytes_per_example different_ids written seconds_to_send"
    costs += " teacher_share when_a_teacher_pays must_save"
    judging |= {f"scale.{name}" for name in costs.split()}
    chapter_12 = "wrong errors more_errors of_whole_length unseen taught logits_of"
    chapter_12 += " shares_right unseen_table"
    judging |= {f"ch12.{name}" for name in chapter_12.split()}
    judging |= {f"offline.{name}" for name in ["work", "by_kept", "cost_table", "by_way", "ahead"]}
    judging |= {f"your_own.{name}" for name in ["by_case", "estimate", "verdict"]}
    of_tuning = "points by_teacher best_key student in_order rank_correlation teacher_table chosen"
    of_tuning += " of_chosen optimism search_gain by_schedule kind best_by_kind best_fixed"
    of_tuning += " temperature shares anyway picked"
    judging |= {f"tuning.{name}" for name in of_tuning.split()}
    of_playground = "measured by_choice by_dials limits_of in_numbers play"
    of_playground += " gains_table teachers_table dials_table"
    judging |= {f"playground.{name}" for name in of_playground.split()}
    assert every == set(DRAWN) | judging, "add the new pictures to DRAWN above"


ROOT = Path(ch02.__file__).parents[1]


@pytest.mark.parametrize("place", ["a chapter's kernel", "beside a clone, as in Colab"])
def test_pictures_are_found_where_the_library_is(place, tmp_path):
    """Where the library is installed in place, and where only the root is on the path."""
    code, folder = "import sys; ", ROOT / "chapters"
    if place != "a chapter's kernel":
        (tmp_path / "book").symlink_to(ROOT)
        folder = tmp_path
        paths = {str(ROOT), str(ROOT / "livefigures/src")}
        code += f"sys.path = [p for p in sys.path if p not in {paths}]; "
        code += "sys.path[:0] = ['book', 'book/livefigures/src']; "
    code += (
        "import distill_lib; from pictures import ch04; print(distill_lib.__file__, ch04.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    library, picture = (folder / file for file in done.stdout.split())
    root = ROOT if folder != tmp_path else tmp_path / "book"
    assert library.parents[1] == picture.parents[1] == root


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_looks_as_all_figures_of_the_book(name):
    check_looks(partial(figure, name))


@pytest.mark.parametrize("name", [n for n in DRAWN if ".draw_" in n or n == "ch03.costs"])
def test_a_picture_that_follows_a_slider_describes_itself_with_numbers(name):
    text = description(name)
    assert text.endswith(".") and any(c.isdigit() for c in text)
    assert not re.search(r"(?<!\w)-\d", text), "a hyphen for a minus"


def test_the_moves_of_every_picture_with_sliders_are_tried_here():
    assert set(MOVES) == {name for name in DRAWN if ".draw_" in name}


@pytest.mark.parametrize("name", MOVES)
def test_the_axes_keep_their_place_wherever_a_slider_goes(name):
    start = places(DRAWN[name]()[0])
    for slider, values in MOVES[name].items():
        for value in values:
            moved = places(DRAWN[name](**{slider: value})[0])
            np.testing.assert_allclose(moved, start, atol=0.1, err_msg=f"{slider}={value}, in px")


# what is on them


def test_verdicts_are_told_by_marks_as_well_as_by_colour():
    drawn = figure("ch07.verdicts")
    assert {"▲ +2.0", "▼ −1.0", "0.0", "better?", "r", "x", "y", "z"} <= set(texts(drawn))
    assert len({patch.get_facecolor()[:3] for patch in drawn.axes[0].patches}) == 3


@pytest.mark.parametrize(
    "panels, names",
    [
        ({"a": [[("+1", 1), ("+2", 1)]]}, ["r"]),
        ({"a": [[("+1", 1)]]}, ["r", "s"]),
    ],
)
def test_a_verdict_without_a_name_raises_value_error(panels, names):
    with pytest.raises(ValueError, match=r"rows and .* columns are named; got \("):
        ch07.verdicts(panels, names, ["x"])


def test_arrows_lead_from_their_start_to_their_end():
    plane, _ = figure("ch06.arrows_and_bars").axes
    assert [(arrow.xyann, arrow.xy) for arrow in plane.texts] == [
        ((0, 0), (1, 1)),
        ((1, 1), (0, 2)),
    ]
    assert all(heads_forward(arrow) for arrow in plane.texts)
    dashes = [arrow.arrow_patch.get_linestyle() for arrow in plane.texts]
    assert dashes == [*figures.DASHES[:2]], "arrows are told apart without colour"
    assert {"a", "b"} <= set(texts(plane.figure))


def test_bars_beside_arrows_are_as_high_as_their_values_and_say_them():
    _, side = figure("ch06.arrows_and_bars").axes
    assert [bar.get_height() for bar in side.patches] == [0.5, 0.01]  # 0 is below the axis
    assert [text.get_text() for text in side.texts] == ["0.5", "0"]
    assert [text.get_text() for text in side.get_xticklabels()] == ["loss", "none"]


@pytest.mark.parametrize("many", ["arrows", "bars"])
def test_fewer_colours_than_arrows_or_bars_raise_value_error(many):
    arrows = dict.fromkeys("abcdefg" if many == "arrows" else "a", ((0, 0), (1, 1)))
    values = dict.fromkeys("abcdefg" if many == "bars" else "a", 1)
    with pytest.raises(ValueError, match="7 to draw need as many colours; got 6: "):
        ch06.arrows_and_bars(arrows, values, limits=(0, 1, 0, 1), ylim=(0.1, 1))


def test_a_flow_leads_from_the_right_of_one_box_to_the_left_of_the_other():
    (axes,) = figure("index.flow").axes
    teacher, student = axes.patches
    *_, arrow = axes.texts
    assert arrow.xyann == (teacher.get_x() + teacher.get_width(), 0)
    assert arrow.xy == (student.get_x(), 0)
    assert arrow.xyann < arrow.xy and heads_forward(arrow)
    for box, text in ((teacher, axes.texts[0]), (student, axes.texts[1])):
        assert box.get_center() == pytest.approx(text.get_position())
    assert [text.get_text() for text in axes.texts] == ["teacher", "student", ""]


def test_a_description_says_the_numbers_of_its_row():
    row = grid()[4, 0.5]
    mean = interval(row["accuracy"]).scaled(100)
    assert f"At T = 4 and α = 0.5: {mean:.1f}% (rate {row['rate']:g})" in description(
        "ch04.draw_grid"
    )


@pytest.mark.parametrize(
    "steps, words",
    [
        ([30, 50, 70], "50 steps)"),
        ([30, 50, 400], "40 steps, 1 of 3 never at the target)"),
        ([400, 400, 400], "never at the target)"),
    ],
)
def test_steps_to_the_target_are_a_mean_over_the_runs_that_arrive(steps, words):
    row = {"accuracy": [0.8, 0.9, 0.9], "nll": [0.5, 0.5, 0.5], "steps": steps}
    dials = {(method, 1.0, 0.0, 0.5): row for method in ("step by step", "cosine")}
    _, text = ch07.draw_dials(dials, np.array([0.7, 0.8, 0.8]), 400, 1.0, 0.0, 0.5)
    assert text.count(f"(NLL 0.50, {words}") == 2


def test_a_gain_over_seeds_and_digits_has_the_mean_of_the_accuracies_and_a_wider_interval():
    own, alone = own_temperature()
    over_seeds, crossed = (of(own["stopped early", 0.5], alone) for of in (gain, crossed_gain))
    assert crossed.mean == pytest.approx(over_seeds.mean)
    assert crossed.high - crossed.low >= over_seeds.high - over_seeds.low


def test_a_digit_is_looked_for_by_controls_at_some_temperatures_only():
    draw = DRAWN["ch04.draw_never_shown"]
    assert "the controls" in draw(T=16)[1] and "the controls" not in draw(T=8)[1]
    assert "nan" not in draw(T=8)[1]


def test_the_divergence_is_zero_where_the_answers_agree_and_that_of_the_book_elsewhere():
    assert "is 0.00 nats, the other way round 0.00" in DRAWN["ch04.draw_divergence"](student=0.9)[1]
    logits = np.log([[0.3, 0.7]]), np.log([[0.9, 0.1]])
    value = soft_target_loss(*logits, 1.0).value
    assert f"is {value:.2f} nats" in DRAWN["ch04.draw_divergence"](student=0.3)[1]


def test_minus_signs_are_those_of_prose():
    assert minus("-1.0 points") == "−1.0 points"


# the judgements and tables of chapter 7

PAIR = ("a", "b")
CASES = {
    ("few labels", "one rate", name): {"steps": steps}
    for name, steps in {"a": [5, 5, 5, 5, 5, 9, 9], "b": [7, 6, 7, 8, 7, 7, 9]}.items()
}


def test_holm_multiplies_by_the_tests_that_are_left_and_keeps_the_order():
    np.testing.assert_allclose(ch07.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(ch07.holm([0.9, 0.6, 0.001]), [1.0, 1.0, 0.003])


def test_the_p_value_is_that_of_the_paired_t_test():
    x, y = RNG.normal(1, 1, 20), RNG.normal(0.5, 1, 20)
    expected = stats.ttest_rel(x, y).pvalue
    assert ch07.p_value(paired_difference(x, y)) == pytest.approx(expected)
    assert ch07.p_value(paired_difference(x, x)) == 1


def test_the_interval_of_a_spread_touches_1_where_its_p_value_is_5_percent():
    x, y = RNG.normal(0, 1, 30), RNG.normal(0, 1, 30)
    low, high = 0.2, 5.0
    for _ in range(60):  # the factor at which x is barely more spread than y
        middle = (low * high) ** 0.5
        low, high = (middle, high) if ch07.spread_ratio(middle * x, y)[0].low < 1 else (low, middle)
    ratio, p = ch07.spread_ratio(low * x, y)
    assert ratio.low == pytest.approx(1, abs=1e-6) and p == pytest.approx(0.05, abs=1e-6)
    assert ch07.spread_ratio(x, x) == (Estimate(1, 1, 1, 30), 1.0)


def test_accuracy_is_judged_over_seeds_and_examples():
    one, other = (ch07.by_case(contest())["clouds", "one rate", m] for m in ("cosine", "alone"))
    right = [unpacked(row["right"], 40).astype(float) for row in (one, other)]
    assert ch07.gap(one, other, "accuracy") == crossed_interval(right[0] - right[1]).scaled(100)


@pytest.mark.parametrize(
    "regime, chosen", [("all tuned", "all tuned, for speed"), ("one rate",) * 2]
)
def test_speed_is_judged_among_those_chosen_for_it_where_there_are_any(regime, chosen):
    cases = ch07.by_case(contest())
    found, p = ch07.judged(cases, ("clouds", regime, "cosine", "alone", "steps"))
    steps = (cases["clouds", chosen, m]["steps"] for m in ("cosine", "alone"))
    assert found == paired_difference(*steps) and p == ch07.p_value(found)
    assert ch07.speedy(cases, "clouds", regime) == chosen


def test_all_answers_are_corrected_together():
    answers = ch07.answers(contest())
    assert len(answers) == 2 * 3 * 7 * 3
    expected = ch07.holm([answer.p for answer in answers.values()])
    np.testing.assert_allclose([answer.adjusted for answer in answers.values()], expected)


@pytest.mark.parametrize(
    "question, mean, adjusted, sign",
    [
        ("accuracy", 2.0, 0.01, 1),
        ("accuracy", -2.0, 0.01, -1),
        ("accuracy", 2.0, 0.2, 0),
        ("accuracy", 0.9, 0.01, 0),  # sure, and less than a point
        ("steps", -20.0, 0.01, 1),
        ("steps", 9.0, 0.01, 0),  # sure, and less than from one look to the next
        ("spread", 0.5, 0.01, 1),
        ("spread", 1.5, 0.01, -1),
    ],
)
def test_an_answer_counts_if_it_is_sure_and_large_enough(question, mean, adjusted, sign):
    answer = ch07.Answer(Estimate(mean, mean - 1, mean + 1, 9), adjusted / 9, adjusted)
    assert answer.sign(question) == sign


def test_the_verdict_in_words_names_where_it_is_so_and_where_the_reverse():
    answers = {
        (setting, "one rate", *pair, question): ch07.Answer(
            Estimate({"few labels": 2.0, "clouds": -3.0}[setting], -4, 4, 9), 0.001, 0.2
        )
        for setting in SETTINGS
        for pair in ch07.PAIRS
        for question in ch07.ASKED
    }
    for place, answer in answers.items():
        if place[2:] == ("traditional", "alone", "accuracy"):
            answers[place] = answer._replace(adjusted=0.01)
    lines = [line.split(maxsplit=3) for line in ch07.verdict_lines(answers, "one rate")]
    assert lines[0] == ["a", "teacher,", "better?", "yes: few labels +2.0 ± 4.0"]
    assert " ".join(lines[1]) == "no: clouds -3.0 ± 4.0"
    assert all(" ".join(line).endswith("cannot be told anywhere") for line in lines[2:])


def test_arrival_counts_who_never_does_and_compares_where_both_do():
    assert ch07.arrival(CASES, 9, "few labels", "one rate", PAIR) == "    2/1|     -2 ± 1  (5)"


def test_arrival_says_no_difference_of_fewer_than_five():
    words = ch07.arrival(CASES, 7, "few labels", "one rate", PAIR).split()
    assert words == ["0/4|", "(3)"]


def test_a_row_of_the_table_stars_what_counts():
    answers, pair = ch07.answers(contest()), ("cosine", "alone")
    cases = ch07.by_case(contest())
    line = ch07.table_row(answers, cases, 400, "both", "clouds", "all tuned", pair)
    label, better, faster, *_, steadier = line.split("|")
    assert label.strip() == "both"
    signs = [answers["clouds", "all tuned", *pair, q].sign(q) for q in ch07.ASKED]
    stars = [cell.rstrip().endswith("*") for cell in (better, faster, steadier)]
    assert stars == [sign != 0 for sign in signs] and True in stars and False in stars


def test_agreement_is_parted_by_whether_the_teacher_is_right():
    row = {"teacher": [0.9, 1.0], "fidelity": [0.8, 0.7], "wrong_together": [0.05, 0.0]}
    np.testing.assert_allclose(ch07.agreement(row, ch07.WHERE[0]), [50])  # never errs in the other
    np.testing.assert_allclose(ch07.agreement(row, ch07.WHERE[1]), [100 * 0.75 / 0.9, 70])
