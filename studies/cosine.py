"""The longer experiments of chapter 6, recorded in results/cosine_*.json.

    python studies/cosine.py                   # all of them, about ten minutes on one core
    python studies/cosine.py scale committee   # some of them
    python studies/cosine.py --check           # repeat a slice of the records, write nothing

One rule for all: a linear student, 64-10, in float64; the same first parameters, the same order of
the examples and the same number of steps for every method, and the same five learning rates tried
for each. The rate is chosen by the mean accuracy on the validation split over three seeds that are
used for nothing else; the twenty seeds of the report then see the test split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache, partial

from common import data, learn, teacher
from engine import SEEDS, Row, Study, main, study

import numpy as np
from noisy import noisy_copies, on_copies, steadied
from scipy.optimize import minimize_scalar
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.distillation import (
    TeacherOutputs,
    Term,
    WeightedTerms,
    cosine_enhanced,
    hard_label_loss,
    hard_labels,
    soft_targets,
)
from distill_lib.losses import (
    Loss,
    cross_entropy,
    rationale_cosine,
    rationale_mse,
    soft_target_loss,
)
from distill_lib.metrics import accuracy, negative_log_likelihood, report
from distill_lib.models import MLP
from distill_lib.results import packed
from distill_lib.training import Adam, Outcome, train

TUNING_SEEDS = range(1000, 1003)
RATES = [0.01, 0.03, 0.1, 0.3, 1.0]
PLAN = {"steps": 400, "batch_size": 32}

student = partial(learn, "64-10")
tuned = partial(study, rates=RATES, tuning=TUNING_SEEDS, fixed=PLAN)

# --- What the experiments share -----------------------------------------------------------------


@cache
def teacher_scores() -> Array:
    """The logits of chapter 2's teacher for every input of the transfer set."""
    return teacher()[1].at(data().transfer.index)


def bound(scores: Array) -> TeacherOutputs:
    """Scores of the transfer set, bound to its examples."""
    return TeacherOutputs(data().transfer.index, {"logits": scores})


def wrong_scale(spread: float, seed: int) -> Array:
    """The teacher's scores, each row times a log-normal number of its own."""
    scores = teacher_scores()
    return scores * np.exp(np.random.default_rng(seed).normal(0, spread, (len(scores), 1)))


def centred(scores: Array) -> Array:
    """Each row less its mean: what softmax cannot tell from the row itself."""
    return scores - scores.mean(axis=-1, keepdims=True)


def standardised(scores: Array) -> Array:
    """Each row less its mean, divided by its standard deviation."""
    return centred(scores) / scores.std(axis=-1, keepdims=True)


def centred_cosine(student: Array, teacher: Array) -> Loss:
    """1 - cosine of the centred rows; centring is its own transpose, so it centres the gradient."""
    value, gradient = rationale_cosine(centred(student), centred(teacher))
    return Loss(value, centred(gradient))


LOSSES: dict[str, Callable[[Array, Array], Loss]] = {
    "MSE": rationale_mse,
    "KL, T = 1": lambda s, t: soft_target_loss(s, t, 1.0),
    "KL, T = 4": lambda s, t: soft_target_loss(s, t, 4.0),
    "cosine": rationale_cosine,
    "centred cosine": centred_cosine,
    "MSE, standardised": lambda s, t: rationale_mse(s, standardised(t)),
    "answers only": lambda s, t: cross_entropy(s, t.argmax(axis=-1)),
}


def match(method: str, scores: Array) -> WeightedTerms:
    """The student follows these scores, by one of the losses, and nothing else."""
    outputs = bound(scores)
    return WeightedTerms(Term(method, 1.0, lambda z, i: LOSSES[method](z, outputs.at(i))))


def fitted_temperature(logits: Array, labels: Array) -> float:
    """The temperature from 0.001 to 1000 with the lowest negative log-likelihood."""

    def nll(log_t: float) -> float:
        return negative_log_likelihood(logits / np.exp(log_t), labels)

    return float(np.exp(minimize_scalar(nll, bounds=(-6.9, 6.9), method="bounded").x))


def judge(model: MLP, seed: int) -> Row:
    """Validation accuracy; unless tuning, all measures on test, also at a fitted temperature."""
    validation = data().validation
    logits = model.logits(validation.inputs)
    measures = {"validation": accuracy(logits, validation.labels)}
    if seed in TUNING_SEEDS:
        return measures
    T, test = fitted_temperature(logits, validation.labels), data().test
    logits = model.logits(test.inputs)
    after = report(logits / T, test.labels)
    later = {"T": T, "nll": after["nll"], "calibration_error": after["calibration_error"]}
    measures |= report(logits, test.labels) | {f"fitted_{k}": v for k, v in later.items()}
    return measures | {"right": packed(logits.argmax(axis=-1) == test.labels)}


# --- Wrong scales, wrong rows, offsets ------------------------------------------------------------

RIVALS = [m for m in LOSSES if m != "centred cosine"]


@tuned({"rows": [100, 1197], "spread": [0, 0.5, 1, 1.5, 2], "method": RIVALS})
def scale(rows: int, spread: float, method: str, seed: int, **plan: float) -> Row:
    """So many inputs; each row of the teacher's scores times a log-normal number of its own."""
    split = data().with_few_labels(rows, seed).transfer.labelled
    model, _ = student(split, match(method, wrong_scale(spread, seed)), seed, **plan)
    return judge(model, seed)


@tuned({"rows": [100], "spread": [0, 1, 2], "T": [1, 2, 4, 8, 16]})
def softer(rows: int, spread: float, T: float, seed: int, **plan: float) -> Row:
    """The divergence on few inputs of wrong scale, over T: does a higher one help it?"""
    split = data().with_few_labels(rows, seed).transfer.labelled
    outputs = bound(wrong_scale(spread, seed))
    objective = WeightedTerms(Term("soft", 1.0, soft_targets(outputs, T)))
    model, _ = student(split, objective, seed, **plan)
    return judge(model, seed)


@tuned({"fault": ["5% times 100", "20% swapped"], "method": RIVALS})
def corrupted(fault: str, method: str, seed: int, **plan: float) -> Row:
    """5% of the rows a hundred times too large; 20% beside the wrong examples."""
    scores = teacher_scores().copy()
    if fault == "20% swapped":
        scores = bound(scores).misaligned(0.2, seed).at(data().transfer.index)
    else:  # a unit confused
        rows = np.random.default_rng(seed).choice(len(scores), len(scores) // 20, replace=False)
        scores[rows] *= 100
    model, _ = student(data().transfer, match(method, scores), seed, **plan)
    return judge(model, seed)


OFFSET_RIVALS = ["MSE", "KL, T = 4", "cosine", "centred cosine"]


@tuned({"rows": [100, 1197], "offset": [0, 10, 30], "method": OFFSET_RIVALS})
def offset(rows: int, offset: float, method: str, seed: int, **plan: float) -> Row:
    """A random number added to all ten scores of an example; the scores' own spread is about 9."""
    scores, split = teacher_scores(), data().with_few_labels(rows, seed).transfer.labelled
    shift = np.random.default_rng(seed).normal(0, 1, (len(scores), 1))
    model, _ = student(split, match(method, scores + offset * shift), seed, **plan)
    return judge(model, seed)


# --- A committee ----------------------------------------------------------------------------------

LEARNED = 300


@lru_cache(maxsize=32)
def members(learned: int, seed: int) -> dict[str, tuple[Array, Array]]:
    """By member: its scores of the transfer set and of the test split, each in its own unit.

    Each has learned from so many labelled digits.
    """
    known = data().with_few_labels(learned, seed).transfer.labelled
    network = MLP((64, 64, 10), seed=seed, dtype=np.float64)
    train(network, known, hard_labels(known), steps=400, optimizer=Adam(0.01), seed=seed)
    margins = LinearSVC(random_state=seed, max_iter=5000).fit(known.inputs, known.labels)
    bayes = GaussianNB(var_smoothing=0.01).fit(known.inputs, known.labels)
    forest = RandomForestClassifier(random_state=seed).fit(known.inputs, known.labels)
    scores = {
        "network": network.logits,
        "SVM margins": margins.decision_function,
        "naive Bayes": bayes.predict_joint_log_proba,
        "forest": lambda x: np.log(np.maximum(forest.predict_proba(x), 1e-3)),
    }
    inputs = data().transfer.inputs, data().test.inputs
    return {name: tuple(map(member, inputs)) for name, member in scores.items()}


def mean_scores(every: Iterable[tuple[Array, Array]], units: str, split: int) -> Array:
    """The mean of the members' scores, after bringing them to these units."""
    bring = {
        "own units": lambda m: m[split],
        "centred": lambda m: centred(m[split]),
        "per teacher": lambda m: centred(m[split]) / centred(m[0]).std(),
        "per row": lambda m: standardised(m[split]),
    }[units]
    return np.mean([bring(member) for member in every], axis=0)


def with_members(study: Study) -> Row:
    """By member how far its scores spread, and its accuracy, for each seed; and the table."""
    every = [members(LEARNED, seed) for seed in SEEDS]
    described = {
        name: {
            "spread": [round(float(centred(m[name][0]).std()), 3) for m in every],
            "accuracy": [accuracy(m[name][1], data().test.labels) for m in every],
        }
        for name in every[0]
    }
    return {"members": described, "rows": study.table()}


@tuned(
    {
        "units": ["own units", "centred", "per teacher", "per row"],
        "method": ["MSE", "KL, T = 4", "cosine"],
    },
    fixed=PLAN | {"learned": LEARNED},
    content=with_members,
)
def committee(units: str, method: str, learned: int, seed: int, **plan: float) -> Row:
    """Four teachers of few labelled digits in four units, and two ways to one unit."""
    every = members(learned, seed).values()
    objective = match(method, mean_scores(every, units, 0))
    model, _ = student(data().transfer, objective, seed, **plan)
    measures = judge(model, seed)
    if seed in TUNING_SEEDS:
        return measures
    return measures | {"committee": accuracy(mean_scores(every, units, 1), data().test.labels)}


# --- The whole objective: T, weights, curriculum --------------------------------------------------


POOR = {"labels": 100, "spread": 1}


def poor(labels: int, spread: float, seed: int) -> tuple[Split, TeacherOutputs]:
    """Few labels, and a teacher with wrong scales."""
    return data().with_few_labels(labels, seed).transfer, bound(wrong_scale(spread, seed))


@tuned({"T": [1, 4, 16], "alpha": [0, 0.2, 0.4], "beta": [0, 0.3, 0.6]}, fixed=PLAN | POOR)
def grid(
    T: float, alpha: float, beta: float, labels: int, spread: float, seed: int, **plan: float
) -> Row:
    """Test accuracy over temperature and both weights."""
    split, outputs = poor(labels, spread, seed)
    objective = cosine_enhanced(split, outputs, T, alpha, beta)
    model, _ = student(split, objective, seed, **plan)
    return judge(model, seed)


@tuned(
    {"curriculum": [0, 2, 8], "beta": [0.3, 0.6], "T": [1, 4]},
    fixed=PLAN | POOR | {"alpha": 0.2},
)
def curriculum(
    curriculum: float,
    beta: float,
    T: float,
    labels: int,
    spread: float,
    alpha: float,
    seed: int,
    **plan: float,
) -> Row:
    """The rationale's weight from the start, or grown over 2 or 8 of the run's 10.5 epochs."""
    split, outputs = poor(labels, spread, seed)
    objective = cosine_enhanced(split, outputs, T, alpha, beta, curriculum=curriculum)
    look = {"validation": data().validation, "look_every": 20}
    model, history = student(split, objective, seed, **plan, **look)
    return judge(model, seed) | {"curve": history.accuracy}


# --- Adaptive weights -----------------------------------------------------------------------------


class Balanced:
    """alpha · hard + (1 - alpha) · (soft + w · cosine) / 2, where w equalises the two gradients.

    w is the ratio of the gradients' norms, soft to cosine, a mean that forgets with `memory`.
    """

    def __init__(
        self, hard: Term, soft: Term, rationale: Term, alpha: float, memory: float = 0.9
    ) -> None:
        self.hard, self.soft, self.rationale = hard, soft, rationale
        self.alpha, self.memory, self.weights = alpha, memory, []

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        hard, soft, rationale = (
            term.loss(scores["logits"], index) for term in (self.hard, self.soft, self.rationale)
        )
        ratio = np.linalg.norm(soft.gradient) / max(np.linalg.norm(rationale.gradient), 1e-12)
        last = self.weights[-1] if self.weights else ratio
        self.weights.append(float(self.memory * last + (1 - self.memory) * ratio))
        half = (1 - self.alpha) / 2
        total = half * (soft.gradient + self.weights[-1] * rationale.gradient)
        value = half * (soft.value + self.weights[-1] * rationale.value)
        if hard:  # None for a batch without a label
            total, value = total + self.alpha * hard.gradient, value + self.alpha * hard.value
        return Outcome(value, {"logits": total}, {"soft": soft.value, "rationale": rationale.value})


@tuned(
    {"spread": [0, 1], "weights": ["no cosine", "fixed", "adaptive"]},
    fixed=PLAN | {"labels": 100, "T": 4, "alpha": 0.2},
)
def adaptive(
    spread: float, weights: str, labels: int, T: float, alpha: float, seed: int, **plan: float
) -> Row:
    """What alpha leaves is shared evenly: by weight, or by gradient norm."""
    split, outputs = poor(labels, spread, seed)
    hard = Term("hard", alpha, hard_label_loss(split))
    soft = Term("soft", (1 - alpha) / 2, soft_targets(outputs, T))
    rationale = Term("rationale", (1 - alpha) / 2, lambda z, i: rationale_cosine(z, outputs.at(i)))
    balanced = Balanced(hard, soft, rationale, alpha)
    objective = {
        "fixed": WeightedTerms(hard, soft, rationale),
        "no cosine": WeightedTerms(hard, soft),
        "adaptive": balanced,
    }[weights]
    model, _ = student(split, objective, seed, **plan)
    return judge(model, seed) | {"factor": balanced.weights[::20]}


# --- Consistency under noise, and its control -----------------------------------------------------


@tuned(
    {"extra": ["nothing"], "noise": [0]},
    {"extra": ["consistency", "augmentation"], "noise": [0.04, 0.15, 0.3]},
    fixed=PLAN | {"labels": 100, "weight": 0.25},
)
def steady(extra: str, noise: float, labels: int, weight: float, seed: int, **plan: float) -> Row:
    """Labelled digits alone, hard, soft and cosine, with or without noisy copies.

    The article's noise and two larger ones, as a consistency term and as plain augmentation.
    """
    split, outputs = data().with_few_labels(labels, seed).transfer.labelled, bound(teacher_scores())
    objective = WeightedTerms(
        Term("hard", 0.2, hard_label_loss(split)),
        Term("soft", 0.4, soft_targets(outputs, 4.0)),
        Term("rationale", 0.4, lambda z, i: rationale_cosine(z, outputs.at(i))),
    )
    objective = {
        "nothing": objective,
        "consistency": steadied(objective, weight),
        "augmentation": on_copies(objective),
    }[extra]
    augment = None if extra == "nothing" else noisy_copies(noise)
    model, _ = student(split, objective, seed, augment=augment, **plan)
    return judge(model, seed)


if __name__ == "__main__":
    main(__file__)
