"""The longer experiments of chapter 5, recorded in results/cosine_*.json.

    python studies/cosine.py                   # all of them, about ten minutes on one core
    python studies/cosine.py scale committee   # some of them
    python studies/cosine.py --check           # repeat a slice of the records, write nothing

One rule for all: a linear student, 64-10, in float64; the same first parameters, the same order of
the examples and the same number of steps for every method, and the same five learning rates tried
for each. The rate is chosen by the mean accuracy on the validation split over three seeds that are
used for nothing else; the twenty seeds of the report then see the test split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial

from common import SEEDS, data, learn, main, study, teacher

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

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
from distill_lib.experiments import Row
from distill_lib.losses import (
    Array,
    Loss,
    consistency,
    cross_entropy,
    rationale_cosine,
    rationale_mse,
    soft_target_loss,
)
from distill_lib.metrics import accuracy, negative_log_likelihood, report
from distill_lib.models import MLP
from distill_lib.training import Adam, Outcome, train

TUNING_SEEDS = range(1000, 1003)
RATES = [0.01, 0.03, 0.1, 0.3, 1.0]
LABELS = 100

student = partial(learn, "64-10", steps=400)
tuned = partial(study, rates=RATES, tuning=TUNING_SEEDS, places=5, steps=400, batch_size=32)

# --- What the experiments share -----------------------------------------------------------------


@cache
def teacher_scores() -> Array:
    """What the teacher of chapter 2 says of every input of the transfer set."""
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
    found = {"validation": accuracy(logits, validation.labels)}
    if seed in TUNING_SEEDS:
        return found
    T, test = fitted_temperature(logits, validation.labels), data().test
    logits = model.logits(test.inputs)
    after = report(logits / T, test.labels)
    later = {"T": T, "nll": after["nll"], "calibration_error": after["calibration_error"]}
    return found | report(logits, test.labels) | {f"fitted_{k}": v for k, v in later.items()}


# --- Wrong scales, wrong rows, offsets ------------------------------------------------------------

RIVALS = [m for m in LOSSES if m != "centred cosine"]


@tuned({"rows": [100, 1197], "spread": [0, 0.5, 1, 1.5, 2], "method": RIVALS})
def scale(rows: int, spread: float, method: str, rate: float, seed: int) -> Row:
    """So many inputs; each row of the teacher's scores times a log-normal number of its own."""
    split = data().with_few_labels(rows, seed).transfer.labelled
    model, _ = student(split, match(method, wrong_scale(spread, seed)), rate, seed)
    return judge(model, seed)


@tuned({"fault": ["5% times 100", "20% swapped"], "method": RIVALS})
def corrupted(fault: str, method: str, rate: float, seed: int) -> Row:
    """5% of the rows a hundred times too large; 20% beside the wrong examples."""
    scores = teacher_scores().copy()
    if fault == "20% swapped":
        scores = bound(scores).misaligned(0.2, seed).at(data().transfer.index)
    else:  # a unit confused
        rows = np.random.default_rng(seed).choice(len(scores), len(scores) // 20, replace=False)
        scores[rows] *= 100
    model, _ = student(data().transfer, match(method, scores), rate, seed)
    return judge(model, seed)


OFFSET_RIVALS = ["MSE", "KL, T = 4", "cosine", "centred cosine"]


@tuned({"rows": [100, 1197], "offset": [0, 10, 30], "method": OFFSET_RIVALS})
def offset(rows: int, offset: float, method: str, rate: float, seed: int) -> Row:
    """A random number added to all ten scores of an example; the scores' own spread is about 9."""
    scores, split = teacher_scores(), data().with_few_labels(rows, seed).transfer.labelled
    shift = np.random.default_rng(seed).normal(0, 1, (len(scores), 1))
    model, _ = student(split, match(method, scores + offset * shift), rate, seed)
    return judge(model, seed)


# --- A committee ----------------------------------------------------------------------------------

LEARNED = 300


@lru_cache(maxsize=32)
def members(seed: int) -> dict[str, tuple[Array, Array]]:
    """By member: its scores of the transfer set and of the test split, each in its own unit."""
    known = data().with_few_labels(LEARNED, seed).transfer.labelled
    network = MLP((64, 64, 10), seed=seed, dtype=np.float64)
    train(network, known, hard_labels(known), steps=400, optimizer=Adam(0.01), seed=seed)
    margins = LinearSVC(random_state=seed, max_iter=5000).fit(known.inputs, known.labels)
    bayes = GaussianNB(var_smoothing=0.01).fit(known.inputs, known.labels)
    forest = RandomForestClassifier(random_state=seed).fit(known.inputs, known.labels)
    speak = {
        "network": network.logits,
        "SVM margins": margins.decision_function,
        "naive Bayes": bayes.predict_joint_log_proba,
        "forest": lambda x: np.log(np.maximum(forest.predict_proba(x), 1e-3)),
    }
    inputs = data().transfer.inputs, data().test.inputs
    return {name: tuple(map(ask, inputs)) for name, ask in speak.items()}


def agreed(seed: int, units: str, split: int) -> Array:
    """The mean of the members' scores, after bringing them to these units."""
    every = members(seed).values()
    bring = {
        "own units": lambda m: m[split],
        "centred": lambda m: centred(m[split]),
        "per teacher": lambda m: centred(m[split]) / centred(m[0]).std(),
        "per row": lambda m: standardised(m[split]),
    }[units]
    return np.mean([bring(member) for member in every], axis=0)


def told() -> Row:
    """By member: how far its scores spread, and its accuracy, for each seed."""
    every = [members(seed) for seed in SEEDS]
    return {
        name: {
            "spread": [round(float(centred(m[name][0]).std()), 3) for m in every],
            "accuracy": [accuracy(m[name][1], data().test.labels) for m in every],
        }
        for name in every[0]
    }


@tuned(
    {
        "units": ["own units", "centred", "per teacher", "per row"],
        "method": ["MSE", "KL, T = 4", "cosine"],
    },
    learned=LEARNED,
    members=told,
)
def committee(units: str, method: str, rate: float, seed: int) -> Row:
    """Four teachers of 300 labelled digits in four units, and two ways to one unit."""
    model, _ = student(data().transfer, match(method, agreed(seed, units, 0)), rate, seed)
    found = judge(model, seed)
    if seed in TUNING_SEEDS:
        return found
    return found | {"committee": accuracy(agreed(seed, units, 1), data().test.labels)}


# --- The whole objective: T, weights, curriculum --------------------------------------------------


def poor(seed: int, spread: float = 1) -> tuple[Split, TeacherOutputs]:
    """100 labels, and a teacher with wrong scales."""
    return data().with_few_labels(LABELS, seed).transfer, bound(wrong_scale(spread, seed))


@tuned({"T": [1, 4, 16], "alpha": [0, 0.2, 0.4], "beta": [0, 0.3, 0.6]}, labels=LABELS, spread=1)
def grid(T: float, alpha: float, beta: float, rate: float, seed: int) -> Row:
    """Test accuracy over temperature and both weights."""
    split, outputs = poor(seed)
    model, _ = student(split, cosine_enhanced(split, outputs, T, alpha, beta), rate, seed)
    return judge(model, seed)


@tuned(
    {"curriculum": [0, 2, 8], "beta": [0.3, 0.6], "T": [1, 4]}, labels=LABELS, spread=1, alpha=0.2
)
def curriculum(curriculum: float, beta: float, T: float, rate: float, seed: int) -> Row:
    """The rationale's weight from the start, or grown over 2 or 8 of the run's 10.5 epochs."""
    split, outputs = poor(seed)
    objective = cosine_enhanced(split, outputs, T, 0.2, beta, curriculum=curriculum)
    look = {"validation": data().validation, "look_every": 20}
    model, history = student(split, objective, rate, seed, **look)
    return judge(model, seed) | {"curve": history.accuracy}


# --- Adaptive weights -----------------------------------------------------------------------------


class Balanced:
    """alpha · hard + (1 - alpha) · (soft + w · cosine) / 2, where w equalises the two gradients.

    w is the ratio of the gradients' norms, soft to cosine, a mean that forgets with `memory`.
    """

    def __init__(
        self, hard: Term, soft: Term, reason: Term, alpha: float, memory: float = 0.9
    ) -> None:
        self.hard, self.soft, self.reason = hard, soft, reason
        self.alpha, self.memory, self.weights = alpha, memory, []

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        hard, soft, reason = (
            term.loss(scores["logits"], index) for term in (self.hard, self.soft, self.reason)
        )
        ratio = np.linalg.norm(soft.gradient) / max(np.linalg.norm(reason.gradient), 1e-12)
        last = self.weights[-1] if self.weights else ratio
        self.weights.append(float(self.memory * last + (1 - self.memory) * ratio))
        half = (1 - self.alpha) / 2
        total = half * (soft.gradient + self.weights[-1] * reason.gradient)
        value = half * (soft.value + self.weights[-1] * reason.value)
        if hard:  # None for a batch without a label
            total, value = total + self.alpha * hard.gradient, value + self.alpha * hard.value
        return Outcome(value, {"logits": total}, {"soft": soft.value, "rationale": reason.value})


@tuned(
    {"spread": [0, 1], "weights": ["no cosine", "fixed", "adaptive"]}, labels=LABELS, T=4, alpha=0.2
)
def adaptive(spread: float, weights: str, rate: float, seed: int) -> Row:
    """alpha is 0.2 and the rest shared evenly: by weight, or by gradient norm."""
    split, outputs = poor(seed, spread)
    hard = Term("hard", 0.2, hard_label_loss(split))
    soft = Term("soft", 0.4, soft_targets(outputs, 4.0))
    reason = Term("rationale", 0.4, lambda z, i: rationale_cosine(z, outputs.at(i)))
    balanced = Balanced(hard, soft, reason, 0.2)
    objective = {
        "fixed": WeightedTerms(hard, soft, reason),
        "no cosine": WeightedTerms(hard, soft),
        "adaptive": balanced,
    }[weights]
    model, _ = student(split, objective, rate, seed)
    return judge(model, seed) | {"factor": balanced.weights[::20]}


# --- Consistency under noise, and its control -----------------------------------------------------


@tuned(
    {"extra": ["nothing"], "noise": [0]},
    {"extra": ["consistency", "augmentation"], "noise": [0.04, 0.15, 0.3]},
    labels=LABELS,
    weight=0.25,
)
def steady(extra: str, noise: float, rate: float, seed: int) -> Row:
    """100 labelled digits, hard, soft and cosine, with or without noisy copies.

    The article's noise and two larger ones, as a consistency term and as plain augmentation.
    """
    split, outputs = data().with_few_labels(LABELS, seed).transfer.labelled, bound(teacher_scores())
    copies = extra == "augmentation"
    terms = [
        Term("hard", 0.2, hard_label_loss(split), copies=copies),
        Term("soft", 0.4, soft_targets(outputs, 4.0), copies=copies),
        Term("rationale", 0.4, lambda z, i: rationale_cosine(z, outputs.at(i)), "logits", copies),
    ]
    if extra == "consistency":
        terms.append(Term("steady", 0.25, lambda z, _: consistency(z), copies=True))
    objective = WeightedTerms(*terms, noise=0 if extra == "nothing" else noise)
    model, _ = student(split, objective, rate, seed)
    return judge(model, seed)


if __name__ == "__main__":
    main(__file__)
