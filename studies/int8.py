"""A small student in few bits: what rounding its weights costs, and what wins it back.

    python studies/int8.py            # about two minutes on one free core
    python studies/int8.py --check    # repeat a slice of the record

Each column of a matrix of weights (all that one unit sees) gets a scale of its own, and its weights
become whole numbers: -127 to 127 in 8 bits. Biases and units stay as they are. The student is
rounded at once, or goes on learning while it is rounded: from the labels, from the teacher's soft
targets, from those of the student it was before, or, as a control, from the teacher's answers as if
they were labels. With 32 bits nothing is rounded, and what is gained then is owed to more steps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from common import answers, data, judge, learn, teacher
from engine import Row, main, study

import numpy as np

from distill_lib.checks import Array, check_whole
from distill_lib.data import Split
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.models import MLP, Network
from distill_lib.training import SGD, Adam, Objective, cosine_decay, train

FLOAT = 32
"""So many bits are the weights as they were: nothing is rounded."""

TUNING_SEEDS = range(1000, 1005)
RATES = [0.001, 0.003, 0.01, 0.03, 0.1]
FIRST = {"first_steps": 600, "first_rate": 0.1}  # as the record of chapter 4 has it
PLAN = {"steps": 300, "batch_size": 32}


# --- Whole numbers --------------------------------------------------------------------------------


def quantised(weights: Array, bits: int, share: float | Array = 1.0) -> tuple[Array, Array]:
    """Whole numbers, shape of the weights, and a scale for each column: about their product.

    The largest whole number, 2^(bits - 1) - 1, is a column's largest weight without its sign, or
    this share of it: larger ones are cut. A column of zeros has the scale 0. ValueError for bits
    outside 2 .. 8. Jacob et al. 2018 (arXiv 1712.05877), section 2, without their zero point.
    """
    check_whole("bits", bits, least=2, most=8)
    most = 2 ** (bits - 1) - 1
    scale = share * np.abs(weights).max(axis=0) / most
    whole = np.rint(weights / np.where(scale > 0, scale, 1))
    return np.clip(whole, -most, most).astype(np.int8), scale


def dequantised(whole: Array, scale: Array) -> Array:
    """The weights that whole numbers and their scales stand for."""
    return whole * scale


def closest(weights: Array, bits: int) -> tuple[Array, Array]:
    """As `quantised`, with the share of each column that has the smallest squared error."""
    shares = np.linspace(0.3, 1, 36)
    errors = [((dequantised(*quantised(weights, bits, s)) - weights) ** 2).sum(0) for s in shares]
    return quantised(weights, bits, shares[np.argmin(errors, axis=0)])


def n_bytes(model: Network, bits: int) -> int:
    """Size of the parameters: weights in so many bits; biases, and scales if any, in 32."""
    total = 0
    for parameter in model.parameters.values():
        is_rounded = parameter.ndim == 2 and bits != FLOAT
        total += -(-parameter.size * bits // 8) if is_rounded else 4 * parameter.size
        total += 4 * parameter.shape[1] if is_rounded else 0
    return total


def round_weights(
    model: Network, bits: int, how: Callable[[Array, int], tuple[Array, Array]] = quantised
) -> None:
    """Round all weights of a model in place; its biases stay."""
    for parameter in model.parameters.values():
        if parameter.ndim == 2 and bits != FLOAT:
            parameter[:] = dequantised(*how(parameter, bits))


# --- Learning while rounded -----------------------------------------------------------------------


class StraightThrough:
    """An optimiser of weights that are only ever seen rounded.

    It keeps the weights before rounding. A gradient is taken at the rounded ones, and used on those
    as if nothing had been rounded: for rounding itself has a slope of 0 nearly everywhere, by which
    nothing could be learned. Bengio et al. 2013 (arXiv 1308.3432); Jacob et al. 2018, section 3.
    """

    def __init__(self, model: Network, bits: int, optimizer: SGD | Adam) -> None:
        self.model, self.bits, self.optimizer = model, bits, optimizer
        self.learning_rate = optimizer.learning_rate

    def start(self, vector: Array) -> None:
        """Keep the weights as they are, and round those of the model."""
        self.exact = vector.copy()
        self.optimizer.start(self.exact)
        round_weights(self.model, self.bits)

    def update(self, vector: Array, gradient: Array, scale: float) -> None:
        """A step of the weights before rounding; then the model's are these, rounded."""
        self.optimizer.update(self.exact, gradient, scale)
        vector[:] = self.exact
        round_weights(self.model, self.bits)


def fine_tune(
    model: MLP,
    bits: int,
    split: Split,
    objective: Objective,
    seed: int,
    *,
    rate: float,
    steps: int,
    batch_size: int,
) -> MLP:
    """A copy of the model that went on learning while its weights were rounded."""
    model = model.copy()
    optimizer = StraightThrough(model, bits, Adam(rate))
    plan = {"steps": steps, "batch_size": batch_size, "schedule": cosine_decay}
    train(model, split, objective, optimizer=optimizer, seed=seed, **plan)
    return model


# --- The study ------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def before(student: str, labels: int, T: float, alpha: float, seed: int, **first: float) -> MLP:
    """The student that is to be deployed, distilled as chapter 4 does it."""
    split = data().with_few_labels(labels, seed).transfer
    objective = traditional(split, teacher()[1], T, alpha)
    plan = {"steps": first["first_steps"], "rate": first["first_rate"]}
    return learn(student, split, objective, seed, batch_size=PLAN["batch_size"], **plan)[0]


def lesson(
    method: str, model: MLP, labels: int, T: float, alpha: float, seed: int
) -> tuple[Split, Objective]:
    """The examples and the objective of a rounded student; `model` is what it was before."""
    split = data().with_few_labels(labels, seed).transfer
    if method == "labels":
        return split.labelled, hard_labels(split.labelled)
    if method == "answers":
        return split, answers(split, teacher()[1])
    outputs = {"teacher": teacher()[1], "student": TeacherOutputs.of(model, split)}[method]
    return split, traditional(split, outputs, T, alpha)


@study(
    {"labels": [100, 1197], "bits": [8, 4, 3, 2, FLOAT], "method": ["rounded"]},
    {"labels": [100, 1197], "bits": [4, 3, 2], "method": ["closest"]},
    {
        "labels": [100, 1197],
        "bits": [8, 4, 3, 2, FLOAT],
        "method": ["labels", "teacher", "student"],
    },
    {"labels": [100], "bits": [4, 3, 2], "method": ["answers"]},
    rates=RATES,
    tuning=TUNING_SEEDS,
    fixed={"student": "64-16-10", "T": 4, "alpha": 0.1} | FIRST | PLAN,
)
def int8(
    labels: int,
    bits: int,
    method: str,
    student: str,
    T: float,
    alpha: float,
    first_steps: int,
    first_rate: float,
    seed: int,
    **plan: float,
) -> Row:
    """A student of few bits, rounded at once or while it goes on learning."""
    first = {"first_steps": first_steps, "first_rate": first_rate}
    model = before(student, labels, T, alpha, seed, **first)
    if method in ("rounded", "closest"):
        model = model.copy()
        round_weights(model, bits, closest if method == "closest" else quantised)
    else:
        split, objective = lesson(method, model, labels, T, alpha, seed)
        model = fine_tune(model, bits, split, objective, seed, **plan)
    if seed in TUNING_SEEDS:  # they see no test split
        answers = model.predict(data().validation.inputs)
        return {"validation": float(np.mean(answers == data().validation.labels))}
    return judge(model, data(), teacher()[0].logits) | {"bytes": n_bytes(model, bits)}


if __name__ == "__main__":
    main(__file__)
