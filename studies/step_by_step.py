"""The longer experiments of chapter 4, recorded in results/step_by_step_*.json.

    python studies/step_by_step.py              # all of them, about ten minutes on two cores
    python studies/step_by_step.py labels grid  # some of them
    python studies/step_by_step.py --check      # repeat a slice of the records, write nothing

The rule is that of chapter 3: same first parameters, same order of the examples, same number of
steps, the same learning rates tried for each method, chosen by the mean accuracy on the validation
split. The test split is only reported. Everything is float64 but the additions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from common import by_seed, data, judge, learn, main, odd_or_even, parity, study, teacher

import numpy as np

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
from distill_lib.experiments import Row
from distill_lib.losses import Array, Loss, cross_entropy
from distill_lib.metrics import fidelity
from distill_lib.models import MLP
from distill_lib.training import Adam, Objective, cosine_decay, train

tuned = partial(study, rates=[0.01, 0.03, 0.1], steps=600, batch_size=32)

# --- The two tasks, and one teacher for both ------------------------------------------------------


@cache
def task(name: str) -> tuple[Dataset, TeacherOutputs, Callable[[Array], Array]]:
    """The data of a task, what the teacher says of the transfer set, and a way to ask it more."""
    model, _ = teacher()
    said = model.scores(data().transfer.inputs)
    said["digit"] = said["logits"]
    if name != "odd or even":
        return data(), TeacherOutputs(data().transfer.index, said), model.logits
    said["logits"] = parity(said["digit"])
    outputs = TeacherOutputs(data().transfer.index, said)
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


def objective(
    name: str, method: str, split: Split, outputs: TeacherOutputs, T: float, a: float, b: float
) -> Objective:
    """The objective of a method on a task; `a` and `b` are alpha and beta."""
    on = "hidden_1" if name == "odd or even" else "logits"
    return {
        "alone": lambda: hard_labels(split),
        "traditional": lambda: traditional(split, outputs, T, a),
        "step by step": lambda: step_by_step(split, outputs, T, a, b, "digit", on),
        "digit in a word": lambda: named_digit(split, outputs, T, a, b, on),
        "hidden scores": lambda: step_by_step(split, outputs, T, a, b, "hidden_2", "rationale"),
    }[method]()


def taught(
    name: str, method: str, split: Split, rate: float, seed: int, T: float, a: float, b: float
) -> tuple[MLP, Any]:
    """One student: ten linear scores and then odd or even; for ten classes, that of chapter 3."""
    own, outputs, _ = task(name)
    student = "64-10-2" if name == "odd or even" else "64-16-10"
    options = {"rationale": 256} if method == "hidden scores" else {}
    look = {"validation": own.validation, "look_every": 50}
    aim = objective(name, method, split, outputs, T, a, b)
    return learn(student, split, aim, rate, seed, **look, **options)


def judged(name: str, model: MLP) -> Row:
    """Accuracy on validation and test, and the agreement with the teacher on test."""
    own, _, expert = task(name)
    measures = judge(model, own, expert)
    return {measure: measures[measure] for measure in ("validation", "accuracy", "fidelity")}


# --- More labels ----------------------------------------------------------------------------------

FIXED = {"T": 4, "a": 0.5, "b": 0.3}
METHODS = ["alone", "traditional", "step by step"]
NUMBERS = [20, 50, 200, 1197]


@tuned(
    {"name": ["odd or even"], "labels": NUMBERS, "method": [*METHODS, "digit in a word"]},
    {"name": ["ten classes"], "labels": NUMBERS, "method": METHODS},
    {"name": ["odd or even", "ten classes"], "labels": [50], "method": ["hidden scores"]},
    **FIXED,
)
def labels(name: str, labels: int, method: str, rate: float, seed: int) -> Row:
    """Two tasks, labelled digits and nothing else, at the weights of the popular article."""
    split = task(name)[0].with_few_labels(labels, seed).transfer.labelled
    model, _ = taught(name, method, split, rate, seed, **FIXED)
    return judged(name, model)


# --- T, alpha and beta ----------------------------------------------------------------------------


def mean_curve(rows: Sequence[Row]) -> Row:
    """What each seed gave; of the curves, the mean."""
    return by_seed(rows) | {"curve": np.mean([r["curve"] for r in rows], axis=0).round(6).tolist()}


@tuned(
    {"T": [1, 2, 4, 8, 16], "alpha": [0, 0.25, 0.5], "beta": [0, 0.1, 0.3]},
    rates=[0.03],
    summary=mean_curve,
    labels=50,
)
def grid(T: float, alpha: float, beta: float, rate: float, seed: int) -> Row:
    """Odd or even over temperature and both weights: 50 labelled digits and nothing else."""
    name = "odd or even"
    split = task(name)[0].with_few_labels(50, seed).transfer.labelled
    model, history = taught(name, "step by step", split, rate, seed, T, alpha, beta)
    return judged(name, model) | {"curve": history.accuracy, "step": history.step}


# --- High temperatures, ten classes ---------------------------------------------------------------


def soft_only(T: float, rate: float, seed: int) -> MLP:
    """A student of soft targets at T on all inputs, without labels; T = 0: of the class scores."""
    split, b = data().transfer, float(T == 0)
    return taught("ten classes", "step by step", split, rate, seed, T or 1, 0.0, b)[0]


@cache
def score_matcher(rate: float, seed: int) -> Array:
    """Test logits of a student taught by nothing but the MSE of class scores."""
    return soft_only(0, rate, seed).logits(data().test.inputs)


@tuned({"T": [0, 1, 2, 4, 8, 16, 32, 64, 128]}, rates=[0.01, 0.03], student="64-16-10")
def high(T: float, rate: float, seed: int) -> Row:
    """Soft targets at eight temperatures beside score matching (T = 0), which is itself a row."""
    model = soft_only(T, rate, seed)
    own, other = model.logits(data().test.inputs), score_matcher(rate, seed)
    own, other = (z - z.mean(axis=1, keepdims=True) for z in (own, other))
    apart = np.sqrt(np.mean((own - other) ** 2) / np.mean(other**2))
    return judged("ten classes", model) | {"agree": fidelity(own, other), "apart": float(apart)}


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
    digits_said = model.logits(inputs).reshape(*answer.shape, 10).argmax(axis=-1)
    return float(np.mean((digits_said == answer).all(axis=1)))


@tuned(
    {"examples": [1000, 2000, 4000, 8000], "method": ["answer alone", "with carries"]},
    {"examples": [4000], "method": ["others' carries"]},
    rates=[0.01, 0.03],
    steps=1000,
    batch_size=64,
    allowed={"accuracy": 0.03, "validation": 0.03},  # float32
)
def addition(examples: int, method: str, rate: float, seed: int) -> Row:
    """A network that adds: taught the answer alone, with its carries, with another's carries."""
    inputs, answer, carries = sums(examples + 2 * UNSEEN, seed)
    split = Split(inputs[:examples], np.zeros(examples, int), np.arange(examples))
    terms = [Term("answer", 1.0, of_digits(answer))]
    if method != "answer alone":
        told = carries if method == "with carries" else np.roll(carries[:examples], 1, axis=0)
        terms.append(Term("carries", 1.0, of_digits(told), "rationale"))
    model = MLP((60, 128, 128, 40), seed=seed, rationale=2 * PLACES)
    options = {"steps": 1000, "batch_size": 64, "schedule": cosine_decay, "seed": seed}
    train(model, split, WeightedTerms(*terms), optimizer=Adam(rate), **options)
    seen, unseen = slice(examples, examples + UNSEEN), slice(examples + UNSEEN, None)
    return {
        "train": all_right(model, split.inputs, answer[:examples]),
        "validation": all_right(model, inputs[seen], answer[seen]),
        "accuracy": all_right(model, inputs[unseen], answer[unseen]),
    }


if __name__ == "__main__":
    main(__file__)
