"""Hints and maps of attention for small convolutional students of the digits, for chapter 11.

    python studies/deep.py            # all three; five minutes on one core
    python studies/deep.py weight     # one of them
    python studies/deep.py --check    # repeat a slice of the records, write nothing

A student of 4 and 8 filters, a teacher of 8 and 16 that has seen all labels. Each method gets as
many trials, on validation, over seeds that serve nothing else. Each seed draws its own labels,
teacher and student. Float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import product
from typing import Any

from common import data, judge
from engine import Row, Study, by_seed, main, study

import numpy as np
from ensembles import Looks, best, means_of_curves
from features import LearnedHint, attention, attention_map, behind_relu

from distill_lib.checks import Array
from distill_lib.convolution import AveragePool2d, Conv2d
from distill_lib.data import Dataset, Split
from distill_lib.distillation import (
    TeacherOutputs,
    Term,
    WeightedTerms,
    hard_label_loss,
    hard_labels,
    soft_targets,
)
from distill_lib.layers import Linear, ReLU
from distill_lib.losses import Loss
from distill_lib.metrics import accuracy
from distill_lib.models import MLP, Network
from distill_lib.training import Adam, cosine_decay, train

# --- Networks -------------------------------------------------------------------------------------


def filters_of(network: str) -> list[int]:
    """How many filters the two convolutions of a network such as "4-8" have."""
    return [int(n) for n in network.split("-")]


def convolutional(network: str, seed: int, side: int = 8, dtype: type = np.float64) -> Network:
    """Two convolutions, a pool of 2 x 2 behind each, and a linear layer for ten classes.

    The scores of a pool stand behind the ReLU, those of a convolution before it.
    """
    one, two = filters_of(network)
    half, quarter = side // 2, side // 4
    layers = [
        Conv2d((side, side, 1), one, name="conv_1"),
        ReLU(),
        AveragePool2d((side, side, one), name="pool_1"),
        Conv2d((half, half, one), two, name="conv_2"),
        ReLU(),
        AveragePool2d((half, half, two), name="pool_2"),
        Linear(quarter**2 * two, {"logits": 10}, gain=1.0),
    ]
    return Network(layers, seed, dtype)


def maps(scores: dict[str, Array], network: str) -> dict[str, Array]:
    """Each layer's map of attention, as if it were the square of a single channel.

    The map of that channel is the map of them all: so it is worked out once for each image.
    """
    one, two = filters_of(network)
    layers = {"conv_1": one, "pool_1": one, "conv_2": two}
    found = {n: attention_map(np.maximum(scores[n], 0), c) for n, c in layers.items()}
    return {f"map of {name}": np.sqrt(each) for name, each in found.items()}


@lru_cache(maxsize=8)
def taught(kind: str, seed: int, network: str, steps: int) -> tuple[Network, TeacherOutputs]:
    """The seed's teacher of this kind, and its scores for all images of the transfer set.

    "trained" is the convolutional one; "random" the same before its training; "another's" says of
    each image what the trained one says of some other; "MLP" has no places.
    """
    if kind == "another's":
        model, outputs = taught("trained", seed, network, steps)
        return model, outputs.misaligned(1.0, seed)
    start = 30_000 + seed  # far from every student's seed
    model: Network = convolutional(network, start)
    if kind == "MLP":
        model = MLP((64, 128, 128, 10), start, np.float64)
    if kind != "random":
        plan = {"steps": steps, "batch_size": 32, "schedule": cosine_decay, "seed": start}
        train(model, data().train, hard_labels(data().train), optimizer=Adam(0.03), **plan)
    model = model.copy()
    scores = model.scores(data().transfer.inputs)
    scores |= {} if kind == "MLP" else maps(scores, network)
    return model, TeacherOutputs(data().transfer.index, scores)


# --- Methods --------------------------------------------------------------------------------------

SETTINGS = {"60 labels": 60, "60 labels, all images": 60, "300 labels": 300}
METHODS = {  # what the logits learn from, what the layers do, whose features
    "labels alone": ("labels", "", ""),
    "even targets": ("even", "", ""),
    "soft targets": ("soft", "", ""),
    "hint": ("labels", "hint", "trained"),
    "attention": ("labels", "attention", "trained"),
    "soft and hint": ("soft", "hint", "trained"),
    "soft and attention": ("soft", "attention", "trained"),
    "random hint": ("labels", "hint", "random"),
    "random attention": ("labels", "attention", "random"),
    "another's hint": ("labels", "hint", "another's"),
    "soft, random hint": ("soft", "hint", "random"),
    "hint of an MLP": ("labels", "hint of an MLP", "MLP"),
    "hint, early from late": ("labels", "hint, early from late", "trained"),
    "attention, late from early": ("labels", "attention, late from early", "trained"),
    "hint, then labels": ("labels", "hint", "trained"),
    "random hint, then labels": ("labels", "hint", "random"),
}
LAYERS = {  # pairs of the student's layer and the teacher's
    "hint": [("pool_2", "pool_2")],
    "hint of an MLP": [("pool_2", "hidden_2")],
    "hint, early from late": [("pool_1", "pool_2")],
    "attention": [("conv_1", "conv_1"), ("conv_2", "conv_2")],
    "attention, late from early": [("conv_2", "pool_1")],
}
FIRST = [m for m in METHODS if ", then" not in m and m not in ("another's hint", "hint of an MLP")]
CASES = {"deep": [("60 labels", method) for method in FIRST]}
CASES["deep_more"] = [
    *(("60 labels", method) for method in ("another's hint", "hint of an MLP")),
    *(("60 labels, all images", method) for method in METHODS if ", then" in method),
    *(("60 labels, all images", method) for method in ("soft targets", "soft and hint")),
    *(("300 labels", method) for method in [*FIRST[:8], "soft, random hint"]),
]
RATES = (0.02, 0.05)
TRIALS = {
    "labels": [{"rate": rate} for rate in (0.01, 0.02, 0.03, 0.05)],
    "even": [{"weight": w, "rate": rate} for w, rate in product((0.2, 0.5), RATES)],
    "soft": [{"T": T, "rate": rate} for T, rate in product((2.0, 4.0), RATES)],
    "features": [{"weight": w, "rate": rate} for w, rate in product((1.0, 10.0), RATES)],
}


def trials_of(method: str) -> list[Row]:
    """What a method may choose from: as many for each."""
    base, feature, _ = METHODS[method]
    return TRIALS["features" if feature else base]


def given(setting: str, seed: int) -> Dataset:
    """The digits with this seed's labels."""
    return data().with_few_labels(SETTINGS[setting], seed)


class Named:
    """A teacher's outputs of one layer, whatever the layer is called that is to learn it."""

    def __init__(self, outputs: TeacherOutputs, name: str) -> None:
        self.outputs, self.name, self.index = outputs, name, outputs.index

    def at(self, index: Array, _: str = "") -> Array:
        """The rows of that layer."""
        return self.outputs.at(index, self.name)


def alike(features: Array, index: Array, outputs: TeacherOutputs, name: str, channels: int) -> Loss:
    """The loss of attention against a map that is worked out already."""
    return attention(features, outputs.at(index, f"map of {name}"), channels, 1)


def feature_terms(
    feature: str,
    outputs: TeacherOutputs,
    weight: float,
    student: Network,
    hint_rate: float,
    seed: int,
) -> list[Term]:
    """The terms on what student and teacher compute on the way; none for no feature."""
    terms = []
    for on, name in LAYERS[feature] if feature else ():
        if feature.startswith("hint"):
            named: Any = Named(outputs, name)
            loss: Any = LearnedHint(named, on, student.units[on], rate=hint_rate, seed=seed)
        else:
            places = outputs.at(outputs.index[:1], f"map of {name}").size
            channels = student.units[on] // places
            loss = behind_relu(partial(alike, outputs=outputs, name=name, channels=channels))
        terms.append(Term(f"{feature}, {on}", weight, loss, on))
    return terms


def base_terms(
    base: str, split: Split, outputs: TeacherOutputs, choice: Row, T: float
) -> list[Term]:
    """What the logits learn from: labels, labels and even targets, or a teacher's soft targets."""
    hard = hard_label_loss(split)
    if base == "labels":
        return [Term("hard", 1.0, hard)]
    if base == "even":  # label smoothing
        even = TeacherOutputs(split.index, {"logits": np.zeros((len(split), 10))})
        w = choice["weight"]
        return [Term("hard", 1 - w, hard), Term("even", w, soft_targets(even, 1.0))]
    return [Term("soft", 1.0, soft_targets(outputs, choice.get("T", T)))]


def student_of(
    setting: str,
    method: str,
    choice: Row,
    student: str,
    teacher: str,
    teacher_steps: int,
    steps: int,
    batch_size: int,
    T: float,
    hint_rate: float,
    seed: int,
    after_step: Callable[[Network], None] | None = None,
) -> tuple[Network, Network]:
    """A student of this method, and the trained teacher.

    A method with ", then" in its name spends the first half of its steps on the features alone, on
    all images; the second half is without them, on the labelled images where it needs labels.
    """
    base, feature, whose = METHODS[method]
    everything = given(setting, seed).transfer
    whole = setting.endswith("all images")
    model, outputs = taught("trained", seed, teacher, teacher_steps)
    theirs = taught(whose, seed, teacher, teacher_steps)[1] if whose else outputs
    small = convolutional(student, seed)
    weight = choice["weight"] if feature else 0.0
    more = feature_terms(feature, theirs, weight, small, hint_rate, seed)
    split = everything if whole and base == "soft" else everything.labelled
    terms = base_terms(base, split, outputs, choice, T)
    stages = [(split, terms + more, steps)]
    if ", then" in method:
        stages = [(everything, more, steps // 2), (split, terms, steps // 2)]
    plan: Any = {"batch_size": batch_size, "schedule": cosine_decay, "seed": seed}
    for images, objective, n in stages:
        rate, total = Adam(choice["rate"]), WeightedTerms(*objective)
        train(small, images, total, steps=n, optimizer=rate, after_step=after_step, **plan)
    return small, model


LOOK = 40


def validated(**one: Any) -> Row:
    """Validation accuracy alone: enough to choose by."""
    (small, _), split = student_of(**one), data().validation
    return {"validation": accuracy(small.logits(split.inputs), split.labels)}


def chosen_rows(
    every: Study,
    cases: Sequence[Row],
    validate: Callable[..., Row] = validated,
    summary: Callable[[Sequence[Row]], Row] = by_seed,
) -> list[Row]:
    """Choose each case's dials; then all rows."""
    trials = [trials_of(case["method"]) for case in cases]
    chosen = best(every, cases, "choice", trials, validate)
    rows = [case | {"choice": choice} for case, (choice, _) in zip(cases, chosen, strict=True)]
    measures = every.runs(rows, every.seeds)
    return [
        row | {"trials": means} | summary(of)
        for row, (_, means), of in zip(rows, chosen, measures, strict=True)
    ]


def contents(every: Study) -> Row:
    """All methods in all settings, and the steps of their curves."""
    cases = [{"setting": setting, "method": method} for setting, method in CASES[every.file]]
    looks = [1, *range(LOOK, every.fixed["steps"] + 1, LOOK)]
    return {"step": looks, "rows": chosen_rows(every, cases, summary=means_of_curves)}


PLAN = {
    "student": "4-8",
    "teacher": "8-16",
    "teacher_steps": 300,
    "steps": 200,
    "batch_size": 32,
    "T": 4.0,
    "hint_rate": 0.01,
}
TUNING_SEEDS = range(1000, 1002)


@study(name="deep", fixed=PLAN, tuning=TUNING_SEEDS, content=contents)
def deep(
    setting: str,
    method: str,
    choice: Row,
    student: str,
    teacher: str,
    teacher_steps: int,
    steps: int,
    batch_size: int,
    T: float,
    hint_rate: float,
    seed: int,
) -> Row:
    """A student of this method; `T` is of the soft targets beside features.

    "gap" is training minus test accuracy.
    """
    known = given(setting, seed).transfer.labelled
    looks = Looks(known, data().validation, LOOK)
    plan = {"steps": steps, "batch_size": batch_size, "T": T, "hint_rate": hint_rate}
    plan |= {"student": student, "teacher": teacher, "teacher_steps": teacher_steps}
    small, model = student_of(setting, method, choice, seed=seed, after_step=looks, **plan)
    found = judge(small, data(), model.logits)
    found["teacher_accuracy"] = accuracy(model.logits(data().test.inputs), data().test.labels)
    found["gap"] = looks.curves[-1][0] - found["accuracy"]
    names = ("validation", "accuracy", "nll", "fidelity", "right", "teacher_accuracy", "gap")
    return {n: found[n] for n in names} | {"curves": looks.curves}


@study(fixed=PLAN, tuning=TUNING_SEEDS, content=contents)
def more(setting: str, method: str, choice: Row, seed: int, **plan: Any) -> Row:
    """As `deep`, in other settings, and of other teachers."""
    return deep(setting, method, choice, seed=seed, **plan)


@study(
    {"method": ["hint"], "w": [0.0]},
    {"method": ["hint", "random hint", "attention"], "w": [0.1, 1.0, 10.0, 100.0]},
    fixed={n: v for n, v in PLAN.items() if n != "T"} | {"setting": "60 labels", "rate": 0.03},
)
def weight(method: str, w: float, setting: str, rate: float, seed: int, **plan: Any) -> Row:
    """All weights of the term on features, at one rate. Looked at, and not chosen from."""
    choice = {"weight": w, "rate": rate}
    # None of these methods has soft targets: their T is of no account.
    small, model = student_of(setting, method, choice, seed=seed, T=PLAN["T"], **plan)
    found = judge(small, data(), model.logits)
    return {n: found[n] for n in ("validation", "accuracy", "nll", "right")}


if __name__ == "__main__":
    main(__file__)
