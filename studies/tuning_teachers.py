"""Which of eleven teachers has the best student, and what could have told? For the tuning chapter.

    python studies/tuning_teachers.py            # about four minutes on one core
    python studies/tuning_teachers.py --check    # repeat a slice of the record, write nothing

Each teacher teaches the same student from the images of 60 labelled digits, by soft targets alone,
at four temperatures; the random one once more beside the labels. The rate of each is chosen on
validation over seeds that serve nothing else; T is, too, in the chapter: the record keeps what that
takes ("trials").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from common import data, judge, learn
from engine import Row, Study, by_seed, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.losses import entropy, softmax
from distill_lib.metrics import accuracy, calibration_error, negative_log_likelihood
from distill_lib.models import MLP
from distill_lib.training import Adam, constant, cosine_decay, train

Scores = Callable[[Array], Array]  # from inputs to logits

STEPS = 600  # of a teacher
BASE = (64, 64, 10)
TUNING_SEEDS = range(1000, 1002)
RATES = (0.01, 0.03, 0.1)
TEMPERATURES = (1, 3, 9, 27)
TEACHERS = {  # what each has otherwise than the base
    "base": {},
    "small": {"sizes": (64, 8, 10)},
    "large": {"sizes": (64, 128, 10)},
    "stopped at 15%": {"stop": 90},
    "stopped at 5%": {"stop": 30},
    "trained long": {"steps": 4 * STEPS, "schedule": constant},
    "label smoothing": {"smooth": 0.1},
    "100 labels": {"labels": 100},
    "20% wrong labels": {"wrong": 0.2},
}
ALL = [*TEACHERS, "logits times 3", "random"]
NONE = "none"  # labels alone


def with_wrong(split: Split, share: float, seed: int) -> Split:
    """The split with this share of its labels replaced by another digit."""
    rng = np.random.default_rng([seed, 7])
    places = rng.choice(len(split), round(share * len(split)), replace=False)
    labels = split.labels.copy()
    labels[places] = (labels[places] + rng.integers(1, 10, len(places))) % 10
    return replace(split, labels=labels)


@lru_cache(maxsize=2 * len(ALL))
def trained(name: str, seed: int) -> MLP:
    """One of `TEACHERS`, trained; its seed is far from every student's."""
    how: dict[str, Any] = {"sizes": BASE, "steps": STEPS, "schedule": cosine_decay}
    how |= {"stop": 0, "smooth": 0.0, "labels": 0, "wrong": 0.0} | TEACHERS[name]
    start, split = 50_000 + seed, data().train
    if how["labels"]:
        split = data().with_few_labels(how["labels"], seed).transfer.labelled
    if how["wrong"]:
        split = with_wrong(split, how["wrong"], start)
    even = TeacherOutputs(split.index, {"logits": np.zeros((len(split), 10))})
    objective = hard_labels(split)
    if how["smooth"]:
        objective = traditional(split, even, 1.0, 1 - how["smooth"])
    model = MLP(how["sizes"], seed=start, dtype=np.float64)
    # One that is stopped early is that: its rate has not come down yet.
    schedule = how["schedule"] if not how["stop"] else lambda done: how["schedule"](done * share)
    steps = how["stop"] or how["steps"]
    share = steps / how["steps"]
    plan: Any = {"steps": steps, "batch_size": 64, "schedule": schedule, "seed": start}
    train(model, split, objective, optimizer=Adam(0.003), **plan)
    return model.copy()


def teacher_of(name: str, seed: int) -> Scores:
    """Its logits; those of the random one are brought to the base's spread."""
    if name == "logits times 3":
        base = trained("base", seed)
        return lambda inputs: 3 * base.logits(inputs)
    if name != "random":
        return trained(name, seed).logits
    untrained = MLP(BASE, seed=60_000 + seed, dtype=np.float64)
    inputs = data().transfer.inputs
    scale = trained("base", seed).logits(inputs).std() / untrained.logits(inputs).std()
    return lambda inputs: scale * untrained.logits(inputs)


def fitted(logits: Array, labels: Array) -> float:
    """The temperature at which these logits have the lowest NLL, of 81 from 0.1 to 10."""
    grid = np.logspace(-1, 1, 81)
    return float(min(grid, key=lambda T: negative_log_likelihood(logits / T, labels)))


def described(logits: Array, labels: Array) -> Row:
    """What can be said of a teacher without a student."""
    T = fitted(logits, labels)
    return {
        "teacher_accuracy": accuracy(logits, labels),
        "teacher_nll": negative_log_likelihood(logits, labels),
        "teacher_ece": calibration_error(logits, labels),
        "teacher_entropy": float(np.mean(entropy(softmax(logits)))),
        "teacher_spread": float(logits.std()),
        "teacher_T": T,
        "teacher_fitted_nll": negative_log_likelihood(logits / T, labels),
    }


def student_of(teacher: str, T: float, alpha: float, seed: int, **plan: Any) -> MLP:
    """A student of the images of the labelled digits."""
    plan, labels = dict(plan), plan["labels"]
    del plan["labels"]
    split = data().with_few_labels(labels, seed).transfer.labelled
    objective = hard_labels(split)
    if teacher != NONE:
        logits = teacher_of(teacher, seed)(split.inputs)
        outputs = TeacherOutputs(split.index, {"logits": logits})
        objective = traditional(split, outputs, T, alpha)
    small, _ = learn(plan.pop("student"), split, objective, seed, **plan)
    return small


def validated(**one: Any) -> Row:
    """Validation accuracy alone: enough to choose by."""
    split = data().validation
    return {"validation": accuracy(student_of(**one).logits(split.inputs), split.labels)}


def contents(every: Study) -> Row:
    """Choose the rate of each row; then a row for each, and the teachers on their own."""
    cases = [{"teacher": NONE, "T": 1, "alpha": 1}, {"teacher": "random", "T": 9, "alpha": 0.5}]
    cases += [{"teacher": name, "T": T, "alpha": 0} for name in ALL for T in TEMPERATURES]
    pairs = every.chosen(cases, validated)
    measures = every.runs([setting for setting, _ in pairs], every.seeds)
    teachers = every.runs([{"teacher": name} for name in ALL], every.seeds, alone)
    return {
        "teachers": dict(zip(ALL, map(by_seed, teachers), strict=True)),
        "rows": [
            setting | trials | by_seed(rows)
            for (setting, trials), rows in zip(pairs, measures, strict=True)
        ],
    }


def alone(teacher: str, seed: int, **plan: Any) -> Row:
    """A teacher on validation, and its accuracy on test."""
    scores, split, test = teacher_of(teacher, seed), data().validation, data().test
    found = described(scores(split.inputs), split.labels)
    return found | {"test_accuracy": accuracy(scores(test.inputs), test.labels)}


@study(
    fixed={"student": "64-16-10", "labels": 60, "steps": 400, "batch_size": 32},
    rates=RATES,
    tuning=TUNING_SEEDS,
    content=contents,
)
def tuning_teachers(teacher: str, T: float, alpha: float, seed: int, **plan: Any) -> Row:
    """One student of one teacher; without a teacher it has no fidelity."""
    small = student_of(teacher, T, alpha, seed, **plan)
    scores = None if teacher == NONE else teacher_of(teacher, seed)
    found = judge(small, data(), scores)
    return {n: found[n] for n in ("validation", "accuracy", "nll", "right")}


if __name__ == "__main__":
    main(__file__)
