"""The longer experiments of chapter 4, recorded in results/step_by_step_*.json.

    python studies/step_by_step.py              # all of them, about ten minutes on two cores
    python studies/step_by_step.py labels grid  # some of them

The rule is that of chapter 3: same first parameters, same order of the examples, same number of
steps, the same learning rates tried for each method, chosen by the mean accuracy on the validation
split. The test split is only reported. Everything is float64 but the additions.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # many small trainings: one thread each is fastest
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from distill_lib import (
    MLP,
    Adam,
    Dataset,
    Loss,
    Split,
    TeacherOutputs,
    Term,
    WeightedTerms,
    accuracy,
    cosine_decay,
    cross_entropy,
    digits,
    fidelity,
    hard_labels,
    record,
    step_by_step,
    sweep,
    traditional,
    train,
)
from distill_lib.distillation import hard_label_loss, soft_targets
from distill_lib.experiments import RESULTS, Row
from distill_lib.losses import Array
from distill_lib.training import Objective

SEEDS = range(20)
RATES = [0.01, 0.03, 0.1]
STEPS = 600
JOBS = int(os.environ.get("JOBS", "-1"))

# --- The two tasks, and one teacher for both ------------------------------------------------------


@cache
def teacher() -> MLP:
    """The book's teacher of ten classes."""
    split = digits(np.float64).train
    model = MLP((64, 256, 256, 10), seed=0, dtype=np.float64)
    options = {"steps": 2000, "batch_size": 64, "optimizer": Adam(0.003), "schedule": cosine_decay}
    train(model, split, hard_labels(split), **options)
    return model


def parity(logits: Array) -> Array:
    """Logits of even and odd, from those of ten digits: log of the sum of the exponentials."""
    return np.stack([np.logaddexp.reduce(logits[:, k::2], axis=1) for k in (0, 1)], axis=1)


def odd_even(split: Split) -> Split:
    """The same examples, labelled 0 where the digit is even, 1 where it is odd."""
    return replace(split, labels=split.labels % 2)


@cache
def task(name: str) -> tuple[Dataset, TeacherOutputs, Array]:
    """The data of a task, what the teacher says of the transfer set, and its test logits."""
    data = digits(np.float64)
    said = teacher().scores(data.transfer.inputs)
    test = teacher().logits(data.test.inputs)
    said["digit"] = said["logits"]
    if name == "odd or even":
        said["logits"], test = parity(said["digit"]), parity(test)
        parts = ("train", "transfer", "validation", "test")
        data = replace(data, n_classes=2, **{p: odd_even(getattr(data, p)) for p in parts})
    return data, TeacherOutputs(data.transfer.index, said), test


def student_for(name: str, seed: int, rationale: int = 0) -> MLP:
    """Ten linear scores and then odd or even; for ten classes, the student of chapter 3."""
    sizes = (64, 10, 2) if name == "odd or even" else (64, 16, 10)
    return MLP(sizes, seed=seed, dtype=np.float64, rationale=rationale)


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


def study(
    name: str, method: str, split: Split, rate: float, seed: int, T: float, a: float, b: float
) -> tuple[MLP, Any]:
    """Train one student; the same for every method but for the objective."""
    data, outputs, _ = task(name)
    model = student_for(name, seed, 256 if method == "hidden scores" else 0)
    history = train(
        model,
        split,
        objective(name, method, split, outputs, T, a, b),
        steps=STEPS,
        optimizer=Adam(rate),
        schedule=cosine_decay,
        validation=data.validation,
        look_every=50,
        seed=seed,
    )
    return model, history


def judge(name: str, model: MLP) -> Row:
    """Accuracy on validation and test, and the agreement with the teacher on test."""
    data, _, expert = task(name)
    found = model.logits(data.test.inputs)
    seen = model.logits(data.validation.inputs)
    return {
        "validation": accuracy(seen, data.validation.labels),
        "accuracy": accuracy(found, data.test.labels),
        "fidelity": fidelity(found, expert),
    }


def tuned(rows: Sequence[Row], settings: Sequence[str]) -> list[Row]:
    """Per setting: the rate with the best mean validation accuracy, and its measures by seed.

    Of curves, only the mean over seeds is kept.
    """
    groups: dict[tuple[Any, ...], dict[float, list[Row]]] = {}
    for row in rows:
        by_rate = groups.setdefault(tuple(row[name] for name in settings), {})
        by_rate.setdefault(row["rate"], []).append(row)
    chosen = []
    for setting, by_rate in groups.items():
        trials = {r: float(np.mean([x["validation"] for x in xs])) for r, xs in by_rate.items()}
        rate = max(trials, key=trials.__getitem__)
        best = by_rate[rate]
        by_seed = {n: [x[n] for x in best] for n in best[0] if n not in (*settings, "rate", "seed")}
        if "curve" in by_seed:
            by_seed["curve"] = np.mean(by_seed["curve"], axis=0)
        rounded = {n: np.round(values, 6).tolist() for n, values in by_seed.items()}
        trials = {r: round(t, 6) for r, t in trials.items()}
        setting = dict(zip(settings, setting, strict=True))
        chosen.append(setting | {"rate": rate, "trials": trials} | rounded)
    return chosen


def run_and_record(
    name: str,
    run: Callable[..., Row],
    *groups: dict[str, list[Any]],
    rates: Sequence[float] = RATES,
    steps: int = STEPS,
    batch_size: int = 32,
    **notes: Any,
) -> None:
    """Sweep over groups of settings and the rates, tune, write `results/step_by_step_NAME.json`."""
    chosen = []
    for k, settings in enumerate(groups):
        unfinished = RESULTS / f"step_by_step_{name}_{k}.unfinished.jsonl"
        rows = sweep(run, settings | {"rate": rates}, SEEDS, unfinished, jobs=JOBS)
        chosen += tuned(rows, list(settings))
    about = {"steps": steps, "batch_size": batch_size, "rates_tried": list(rates)} | notes
    command = f"python studies/step_by_step.py {name}"
    record(f"step_by_step_{name}", about | {"rows": chosen}, SEEDS, command)


# --- More labels ----------------------------------------------------------------------------------

FIXED = {"T": 4, "a": 0.5, "b": 0.3}


def run_labels(name: str, labels: int, method: str, rate: float, seed: int) -> Row:
    """One student that sees the labelled examples and nothing else."""
    split = task(name)[0].with_few_labels(labels, seed).transfer.labelled
    model, _ = study(name, method, split, rate, seed, **FIXED)
    return judge(name, model)


def labels() -> None:
    """Two tasks, four numbers of labels, at the weights of the popular article."""
    methods = ["alone", "traditional", "step by step"]
    settings = {"name": ["odd or even"], "labels": [20, 50, 200, 1197]}
    settings["method"] = [*methods, "digit in a word"]
    ten = settings | {"name": ["ten classes"], "method": methods}
    hidden = {"name": ["odd or even", "ten classes"], "labels": [50], "method": ["hidden scores"]}
    run_and_record("labels", run_labels, settings, ten, hidden, **FIXED)


# --- T, alpha and beta ----------------------------------------------------------------------------


def run_grid(T: float, alpha: float, beta: float, rate: float, seed: int) -> Row:
    """One student of odd or even, with 50 labelled digits and nothing else."""
    name = "odd or even"
    split = task(name)[0].with_few_labels(50, seed).transfer.labelled
    model, history = study(name, "step by step", split, rate, seed, T, alpha, beta)
    return judge(name, model) | {"curve": history.accuracy, "step": history.step}


def grid() -> None:
    """Test accuracy, fidelity and learning curve over temperature and both weights."""
    settings = {"T": [1, 2, 4, 8, 16], "alpha": [0, 0.25, 0.5], "beta": [0, 0.1, 0.3]}
    run_and_record("grid", run_grid, settings, rates=[0.03], labels=50)


# --- High temperatures, ten classes ---------------------------------------------------------------


@cache
def score_matcher(rate: float, seed: int) -> Array:
    """Test logits of a student taught by nothing but the MSE of class scores."""
    name = "ten classes"
    data = task(name)[0]
    model, _ = study(name, "step by step", data.transfer, rate, seed, 1, 0.0, 1.0)
    return model.logits(data.test.inputs)


def run_high(T: float, rate: float, seed: int) -> Row:
    """One student of soft targets only, beside the one of score matching (T is 0: itself)."""
    name = "ten classes"
    data = task(name)[0]
    a, b = 0.0, float(T == 0)
    model, _ = study(name, "step by step", data.transfer, rate, seed, T or 1, a, b)
    own, other = model.logits(data.test.inputs), score_matcher(rate, seed)
    own, other = (z - z.mean(axis=1, keepdims=True) for z in (own, other))
    apart = np.sqrt(np.mean((own - other) ** 2) / np.mean(other**2))
    return judge(name, model) | {"agree": fidelity(own, other), "apart": float(apart)}


def high() -> None:
    """Soft targets at eight temperatures beside score matching (T = 0), all inputs, no labels."""
    settings = {"T": [0, 1, 2, 4, 8, 16, 32, 64, 128]}
    run_and_record("high", run_high, settings, rates=[0.01, 0.03], student="64-16-10")


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


def run_addition(examples: int, method: str, rate: float, seed: int) -> Row:
    """One network that adds: taught answers alone, with the carries, or with others' carries."""
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


def addition() -> None:
    """Four numbers of examples; the answer alone, with its carries, with another's carries."""
    settings = {"examples": [1000, 2000, 4000, 8000], "method": ["answer alone", "with carries"]}
    control = {"examples": [4000], "method": ["others' carries"]}
    options = {"rates": [0.01, 0.03], "steps": 1000, "batch_size": 64}
    run_and_record("addition", run_addition, settings, control, **options)


STUDIES = {f.__name__: f for f in (labels, grid, high, addition)}


def main(names: Sequence[str]) -> None:
    """Run the studies of these names, or all."""
    if unknown := set(names) - set(STUDIES):
        raise ValueError(f"no studies called {sorted(unknown)}; there are {list(STUDIES)}")
    for name in names or STUDIES:
        STUDIES[name]()


if __name__ == "__main__":
    # By its name as a module, other processes find its functions, and keep their caches.
    from step_by_step import main as run_all

    run_all(sys.argv[1:])
