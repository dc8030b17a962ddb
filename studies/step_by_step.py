"""The longer experiments of chapter 5, recorded in results/step_by_step_*.json.

    python studies/step_by_step.py              # all of them, about ten minutes on two cores
    python studies/step_by_step.py labels grid  # some of them
    python studies/step_by_step.py --check      # repeat a slice of the records, write nothing

The rule is that of chapter 4: same first parameters, same order of the examples, same number of
steps, the same learning rates tried for each method, chosen by the mean accuracy on the validation
split. The test split is only reported. Everything is float64 but the additions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from common import data, judge, learn, odd_or_even, parity, teacher
from engine import Row, by_seed, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Dataset, Split
from distill_lib.distillation import (
    TeacherOutputs,
    Term,
    WeightedTerms,
    hard_label_loss,
    hard_labels,
    soft_targets,
    step_by_step,
    traditional,
)
from distill_lib.losses import Loss, cross_entropy
from distill_lib.metrics import fidelity
from distill_lib.models import MLP
from distill_lib.training import Adam, History, cosine_decay, train

PLAN = {"steps": 600, "batch_size": 32}

# --- The two tasks, and one teacher for both ------------------------------------------------------


@cache
def task(name: str) -> tuple[Dataset, TeacherOutputs, Callable[[Array], Array]]:
    """The data of a task, the teacher's outputs for the transfer set, and its logits elsewhere."""
    model, _ = teacher()
    scores = model.scores(data().transfer.inputs)
    scores["digit"] = scores["logits"]
    if name != "odd or even":
        return data(), TeacherOutputs(data().transfer.index, scores), model.logits
    scores["logits"] = parity(scores["digit"])
    outputs = TeacherOutputs(data().transfer.index, scores)
    return odd_or_even(data()), outputs, lambda inputs: parity(model.logits(inputs))


def named_digit(
    split: Split, outputs: TeacherOutputs, T: float, alpha: float, beta: float, on: str
) -> WeightedTerms:
    """The control: the rationale in one word, the teacher's digit as a hard label."""

    def loss(scores: Array, index: Array) -> Loss:
        return cross_entropy(scores, outputs.at(index, "digit").argmax(axis=-1))

    return WeightedTerms(
        Term("hard", alpha, hard_label_loss(split)),
        Term("rationale", beta, loss, on),
        Term("soft", 1 - alpha - beta, soft_targets(outputs, T)),
    )


STUDENTS = {"odd or even": "64-10-2", "ten classes": "64-16-10"}
"""Ten linear scores and then odd or even; for ten classes, the student of chapter 4."""


def distill(
    name: str, method: str, split: Split, T: float, alpha: float, beta: float, **options: Any
) -> tuple[MLP, History]:
    """A student of a task by a method; `options` as for `learn`."""
    whole, outputs, _ = task(name)
    on = "hidden_1" if name == "odd or even" else "logits"
    weights = (T, alpha, beta)
    objective = {
        "alone": lambda: hard_labels(split),
        "traditional": lambda: traditional(split, outputs, T, alpha),
        "step by step": lambda: step_by_step(split, outputs, *weights, "digit", on),
        "digit in a word": lambda: named_digit(split, outputs, *weights, on),
        "hidden scores": lambda: step_by_step(split, outputs, *weights, "hidden_2", "rationale"),
    }[method]()
    options = {"student": STUDENTS[name], "look_every": 50, **options}
    if method == "hidden scores":
        options["rationale"] = 256
    return learn(split=split, objective=objective, validation=whole.validation, **options)


def judge_task(name: str, model: MLP) -> Row:
    """Accuracy on validation and test, and the agreement with the teacher on test."""
    whole, _, teacher_logits = task(name)
    measures = judge(model, whole, teacher_logits)
    kept = ("validation", "accuracy", "fidelity", "right")
    return {measure: measures[measure] for measure in kept}


# --- More labels ----------------------------------------------------------------------------------

METHODS = ["alone", "traditional", "step by step"]
NUMBERS = [20, 50, 200, 1197]


@study(
    {"name": ["odd or even"], "labels": NUMBERS, "method": [*METHODS, "digit in a word"]},
    {"name": ["ten classes"], "labels": NUMBERS, "method": METHODS},
    {"name": ["odd or even", "ten classes"], "labels": [50], "method": ["hidden scores"]},
    fixed=PLAN | {"T": 4, "alpha": 0.5, "beta": 0.3},
    rates=[0.01, 0.03, 0.1],
)
def labels(
    name: str,
    labels: int,
    method: str,
    T: float,
    alpha: float,
    beta: float,
    seed: int,
    **plan: float,
) -> Row:
    """Two tasks, labelled digits and nothing else, at the weights of the popular article."""
    split = task(name)[0].with_few_labels(labels, seed).transfer.labelled
    model, _ = distill(name, method, split, T, alpha, beta, seed=seed, **plan)
    return judge_task(name, model)


# --- T, alpha and beta ----------------------------------------------------------------------------


def mean_curve(rows: Sequence[Row]) -> Row:
    """What each seed gave; of the curves, the mean."""
    return by_seed(rows) | {"curve": np.mean([r["curve"] for r in rows], axis=0).round(6).tolist()}


@study(
    {"T": [1, 2, 4, 8, 16], "alpha": [0, 0.25, 0.5], "beta": [0, 0.1, 0.3]},
    fixed=PLAN | {"labels": 50},
    rates=[0.03],
    summary=mean_curve,
)
def grid(T: float, alpha: float, beta: float, labels: int, seed: int, **plan: float) -> Row:
    """Odd or even over temperature and both weights: few labelled digits and nothing else."""
    name = "odd or even"
    split = task(name)[0].with_few_labels(labels, seed).transfer.labelled
    model, history = distill(name, "step by step", split, T, alpha, beta, seed=seed, **plan)
    return judge_task(name, model) | {"curve": history.accuracy, "step": history.step}


# --- High temperatures, ten classes ---------------------------------------------------------------


def soft_only(T: float, student: str, seed: int, **plan: float) -> MLP:
    """A student of soft targets at T on all inputs, without labels; T = 0: of the class scores."""
    options = {"T": T or 1, "alpha": 0, "beta": float(T == 0), "student": student, "seed": seed}
    return distill("ten classes", "step by step", data().transfer, **options, **plan)[0]


@cache
def score_matcher(student: str, seed: int, **plan: float) -> Array:
    """Test logits of a student that learned from nothing but the MSE of class scores."""
    return soft_only(0, student, seed, **plan).logits(data().test.inputs)


@study(
    {"T": [0, 1, 2, 4, 8, 16, 32, 64, 128]},
    fixed=PLAN | {"student": "64-16-10"},
    rates=[0.01, 0.03],
)
def high(T: float, student: str, seed: int, **plan: float) -> Row:
    """Soft targets at eight temperatures beside score matching (T = 0), which is itself a row."""
    model = soft_only(T, student, seed, **plan)
    soft, matched = model.logits(data().test.inputs), score_matcher(student, seed, **plan)
    soft, matched = (z - z.mean(axis=1, keepdims=True) for z in (soft, matched))
    apart = float(np.sqrt(np.mean((soft - matched) ** 2) / np.mean(matched**2)))
    return judge_task("ten classes", model) | {"agree": fidelity(soft, matched), "apart": apart}


# --- Addition, and its carries --------------------------------------------------------------------

PLACES, UNSEEN = 3, 1000


def sums(n: int, seed: int) -> tuple[Array, Array, Array]:
    """`n` different additions of two numbers of three digits.

    Returns:
        Inputs, the six digits one-hot, shape (n, 60); the digits of the answer, from the last to
        the first, (n, 4); and the carry out of each place, (n, 3).
    """
    size = 10**PLACES
    codes = np.random.default_rng(seed).choice(size**2, n, replace=False)
    a, b = np.divmod(codes[:, None], size)
    powers = 10 ** np.arange(PLACES + 1)
    written = np.concatenate([a // powers[:-1], b // powers[:-1]], axis=1) % 10
    answer = (a + b) // powers % 10
    carries = (a % powers[1:] + b % powers[1:]) // powers[1:]
    return np.eye(10)[written].reshape(n, -1), answer, carries


def of_digits(targets: Array) -> Callable[[Array, Array], Loss]:
    """Cross entropy of several digits, or carries, at once: the sum over them."""
    n_heads = targets.shape[1]

    def loss(scores: Array, index: Array) -> Loss:
        value, gradient = cross_entropy(scores.reshape(len(index), n_heads, -1), targets[index])
        return Loss(n_heads * value, n_heads * gradient.reshape(scores.shape))

    return loss


def all_right(model: MLP, inputs: Array, answer: Array) -> float:
    """Share of additions whose every digit is right."""
    predicted = model.logits(inputs).reshape(*answer.shape, 10).argmax(axis=-1)
    return float(np.mean((predicted == answer).all(axis=1)))


@study(
    {"examples": [1000, 2000, 4000, 8000], "method": ["answer alone", "with carries"]},
    {"examples": [4000], "method": ["others' carries"]},
    fixed={"steps": 1000, "batch_size": 64},
    rates=[0.01, 0.03],
)
def addition(examples: int, method: str, rate: float, seed: int, **plan: int) -> Row:
    """A network that adds: from the answer alone, with its carries, with another's carries."""
    inputs, answer, carries = sums(examples + 2 * UNSEEN, seed)
    split = Split(inputs[:examples], np.zeros(examples, int), np.arange(examples))
    terms = [Term("answer", 1.0, of_digits(answer))]
    if method != "answer alone":
        if method == "others' carries":
            carries = np.roll(carries[:examples], 1, axis=0)
        if method == "idle digits":  # true, and of the inputs, but of no use: is it odd?
            first_number = inputs[:, : 10 * PLACES].reshape(len(inputs), PLACES, 10)
            carries = first_number.argmax(axis=-1) % 2
        terms.append(Term("carries", 1.0, of_digits(carries), "rationale"))
    model = MLP((60, 128, 128, 40), seed=seed, rationale=2 * PLACES, dtype=np.float64)
    options = {"optimizer": Adam(rate), "schedule": cosine_decay, "seed": seed}
    train(model, split, WeightedTerms(*terms), **options, **plan)
    seen, unseen = slice(examples, examples + UNSEEN), slice(examples + UNSEEN, None)
    return {
        "train": all_right(model, split.inputs, answer[:examples]),
        "validation": all_right(model, inputs[seen], answer[seen]),
        "accuracy": all_right(model, inputs[unseen], answer[unseen]),
    }


@study(
    {
        "examples": [4000],
        "method": ["answer alone", "with carries", "idle digits", "others' carries"],
    },
    fixed={"steps": 1000, "batch_size": 64},
    rates=[0.01, 0.03],
    tuning=range(1000, 1005),
)
def idle(examples: int, method: str, rate: float, seed: int, **plan: int) -> Row:
    """A neutral control, which can be learned and does not help; rates from seeds of their own."""
    return addition(examples, method, rate, seed, **plan)


if __name__ == "__main__":
    main(__file__)
