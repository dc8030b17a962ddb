"""The longer experiments of chapter 3, recorded in results/traditional_*.json.

    python studies/traditional.py                  # all: a quarter of an hour on one quiet core
    python studies/traditional.py grid mistakes    # some of them

One comparison rule for all: same first parameters, same order of the examples, same number of
steps, the same six learning rates tried for each method. The rate is chosen by the mean accuracy
on the validation split; the test split is only reported. Everything is float64, so that a run
elsewhere finds the same figures.
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
    digits,
    fidelity,
    hard_labels,
    record,
    report,
    soft_target_loss,
    softmax,
    sweep,
    traditional,
    train,
)
from distill_lib.data import make_dataset
from distill_lib.experiments import RESULTS, Row
from distill_lib.training import Objective

SEEDS = range(20)
RATES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
STEPS = 600
LABELS = 100
SMALL = "64-16-10"

# --- What the experiments share -----------------------------------------------------------------


@cache
def data() -> Dataset:
    """The digits, in float64."""
    return digits(np.float64)


def teach(split: Split, seed: int = 0, steps: int = 2000, **options: Any) -> MLP:
    """The book's teacher, trained on this split."""
    model = MLP((64, 256, 256, 10), seed=seed, dtype=np.float64)
    optimizer = Adam(0.003)
    train(
        model,
        split,
        hard_labels(split),
        steps=steps,
        batch_size=64,
        optimizer=optimizer,
        schedule=cosine_decay,
        seed=seed,
        **options,
    )
    return model


@cache
def teacher() -> tuple[MLP, TeacherOutputs]:
    """The teacher of chapter 2, and what it says of every input of the transfer set."""
    model = teach(data().train)
    return model, TeacherOutputs.of(model, data().transfer)


def study(
    split: Split, objective: Objective, rate: float, seed: int, student: str = SMALL, **options: Any
) -> tuple[MLP, Any]:
    """Train a student such as "64-16-10"; the same for every method but for the objective."""
    model = MLP([int(n) for n in student.split("-")], seed=seed, dtype=np.float64)
    optimizer = Adam(rate)
    history = train(
        model,
        split,
        objective,
        steps=STEPS,
        optimizer=optimizer,
        schedule=cosine_decay,
        seed=seed,
        **options,
    )
    return model, history


def judge(model: MLP, expert: MLP, own: Dataset | None = None, scale: float = 1.0) -> Row:
    """Validation accuracy, and every measure on test; `scale` multiplies the test logits first."""
    own = own or data()
    validation, test = own.validation, own.test
    logits = scale * model.logits(test.inputs)
    measures = report(logits, test.labels, expert.logits(test.inputs))
    found = accuracy(model.logits(validation.inputs), validation.labels)
    return {"validation": found} | measures


def pseudo_labels(split: Split, outputs: TeacherOutputs) -> WeightedTerms:
    """The control: the teacher's answers as if they were labels. More labels, no softness."""
    return hard_labels(replace(split, labels=outputs.at(split.index).argmax(axis=-1)))


def tuned(rows: Sequence[Row], settings: Sequence[str], also: Sequence[str] = ()) -> list[Row]:
    """Per setting: the rate with the best mean validation accuracy, and its measures by seed.

    For every rate, the means of validation accuracy ("trials") and of the measures in `also`.
    """
    groups: dict[tuple[Any, ...], dict[float, list[Row]]] = {}
    for row in rows:
        by_rate = groups.setdefault(tuple(row[name] for name in settings), {})
        by_rate.setdefault(row["rate"], []).append(row)
    chosen = []
    for setting, by_rate in groups.items():
        means = {
            name: {r: round(float(np.mean([x[name] for x in xs])), 6) for r, xs in by_rate.items()}
            for name in ("validation", *also)
        }
        rate = max(by_rate, key=means["validation"].__getitem__)
        measures = [n for n in by_rate[rate][0] if n not in (*settings, "rate", "seed")]
        by_seed = {n: [round(x[n], 6) for x in by_rate[rate]] for n in measures}
        trials = {"trials": means["validation"]} | {f"{n}_by_rate": means[n] for n in also}
        chosen.append(dict(zip(settings, setting, strict=True)) | {"rate": rate} | trials | by_seed)
    return chosen


def run_and_record(
    name: str,
    run: Callable[..., Row],
    *settings: dict[str, list[Any]],
    also: Sequence[str] = (),
    **notes: Any,
) -> None:
    """Sweep over groups of settings and the rates, tune, write `results/traditional_NAME.json`."""
    chosen = []
    for k, group in enumerate(settings):
        unfinished = RESULTS / f"traditional_{name}_{k}.unfinished.jsonl"
        rows = sweep(run, group | {"rate": RATES}, SEEDS, unfinished, jobs=JOBS)
        chosen += tuned(rows, list(group), also)
    content = {"steps": STEPS, "batch_size": 32, "rates_tried": RATES} | notes | {"rows": chosen}
    record(f"traditional_{name}", content, SEEDS, f"python studies/traditional.py {name}")


JOBS = int(os.environ.get("JOBS", "-1"))

# --- T × alpha, 100 labels, the teacher asked about every input ----------------------------------


def run_grid(T: float, alpha: float, rate: float, seed: int) -> Row:
    """One student of the grid."""
    expert, outputs = teacher()
    split = data().with_few_labels(LABELS, seed).transfer
    model, _ = study(split, traditional(split, outputs, T, alpha), rate, seed)
    return judge(model, expert)


def grid() -> None:
    """Test accuracy over temperature and weight."""
    settings = {"T": [1, 2, 4, 8, 16], "alpha": [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]}
    run_and_record("grid", run_grid, settings, labels=LABELS, student=SMALL)


# --- Few labels: what comes from softness, and what from more inputs -----------------------------


def run_labels(labels: int, method: str, T: float, rate: float, seed: int) -> Row:
    """One student with this many labels, by one of the methods; alpha is 0 (no label used)."""
    expert, outputs = teacher()
    split = data().with_few_labels(labels, seed).transfer.labelled
    objective = {
        "alone": lambda: hard_labels(split),
        "soft targets": lambda: traditional(split, outputs, T, 0.0),
        "teacher's answers": lambda: pseudo_labels(split, outputs),
    }[method]()
    model, _ = study(split, objective, rate, seed)
    return judge(model, expert)


def labels() -> None:
    """30 to 1,197 labelled digits and nothing else; and the teacher's answers on all inputs."""
    few = {"labels": [30, 100, 300, 1197], "method": ["alone", "soft targets"], "T": [4]}
    everything = {"labels": [1197], "method": ["teacher's answers"], "T": [4]}
    run_and_record("labels", run_labels, few, everything, student=SMALL)


# --- All labels: students that are too small ----------------------------------------------------


def run_capacity(student: str, T: float, rate: float, seed: int) -> Row:
    """One student with every label: alone (T is 0), or with soft targets only."""
    expert, outputs = teacher()
    split = data().transfer
    objective = hard_labels(split) if T == 0 else traditional(split, outputs, T, 0.0)
    model, _ = study(split, objective, rate, seed, student)
    return judge(model, expert)


def capacity() -> None:
    """Three sizes of student, five temperatures, all labels; T = 0 stands for hard labels."""
    settings = {"student": ["64-10", SMALL, "64-64-10"], "T": [0, 1, 2, 4, 8, 16]}
    run_and_record("capacity", run_capacity, settings)


# --- The same, with other digits in every split ---------------------------------------------------


@cache
def resplit(seed: int) -> tuple[Dataset, MLP]:
    """The digits dealt out anew, and a teacher of their training split."""
    whole = data()
    splits = (whole.train, whole.validation, whole.test)
    inputs = np.concatenate([split.inputs for split in splits])
    labels = np.concatenate([split.labels for split in splits])
    own = make_dataset("digits", inputs, labels, 10, (1197, 200, 400), seed)
    return own, teach(own.train, seed)


def run_resplit(student: str, T: float, rate: float, seed: int) -> Row:
    """As `run_capacity`, with this seed's own splits and teacher."""
    own, expert = resplit(seed)
    split = own.transfer
    objective = hard_labels(split)
    if T > 0:
        objective = traditional(split, TeacherOutputs.of(expert, split), T, 0.0)
    model, _ = study(split, objective, rate, seed, student)
    return judge(model, expert, own)


def other_digits() -> None:
    """Two students again, over draws of the splits: which digits are tested is luck as well."""
    settings = {"student": ["64-10", SMALL], "T": [0, 1, 2, 4, 8, 16]}
    run_and_record("other_digits", run_resplit, settings)


# --- Wrong labels -------------------------------------------------------------------------------

NOISE, EXAMPLES = 0.3, 300


@cache
def noisy(seed: int) -> Dataset:
    """300 examples, 30% of their transfer labels wrong; `train` keeps the clean ones."""
    return data().with_n_examples(EXAMPLES, seed).with_label_noise(NOISE, seed)


@cache
def noise_teacher(kind: str, seed: int) -> MLP:
    """A teacher that saw clean labels, the same wrong ones, or these but stopped early."""
    own = noisy(seed)
    split = own.train if kind == "clean" else own.transfer
    early = {"validation": own.validation, "patience": 5, "look_every": 10}
    return teach(split, seed, 1000, **(early if kind == "stopped early" else {}))


def run_noise(teacher_labels: str, alpha: float, rate: float, seed: int) -> Row:
    """One linear student on the 300 wrongly labelled examples."""
    split, expert = noisy(seed).transfer, noise_teacher(teacher_labels, seed)
    objective = traditional(split, TeacherOutputs.of(expert, split), 4, alpha)
    model, _ = study(split, objective, rate, seed, "64-10")
    test = data().test
    return judge(model, expert) | {
        "teacher": accuracy(expert.logits(test.inputs), test.labels),
        "fidelity_on_transfer": fidelity(model.logits(split.inputs), expert.logits(split.inputs)),
    }


def noise() -> None:
    """Three teachers, five weights, 30% of the labels wrong."""
    settings = {
        "teacher_labels": ["clean", "same wrong labels", "stopped early"],
        "alpha": [0, 0.25, 0.5, 0.75, 1],
    }
    also = ["accuracy", "fidelity_on_transfer"]
    run_and_record("noise", run_noise, settings, also=also, noise=NOISE, examples=EXAMPLES, T=4)


# --- Forgetting the temperature somewhere --------------------------------------------------------


def negative_loss(student: np.ndarray, taught: np.ndarray, T: float) -> Loss:
    """What a KL function that wants log-probabilities computes where it is given probabilities."""
    p, q = softmax(taught, T), softmax(student, T)
    overlap = np.sum(p * q, axis=-1, keepdims=True)
    value = T**2 * np.mean(np.sum(p * np.log(p), axis=-1) - overlap[:, 0])
    return Loss(float(value), -T * q * (p - overlap) / len(p))


def run_mistakes(where: str, rate: float, seed: int) -> Row:
    """One student with T = 4 and a log wherever they belong, but for one place; alpha is 0."""
    expert, outputs = teacher()
    split, T = data().transfer, 4.0
    right = traditional(split, outputs, T, 0.0)
    objective = {
        # Dividing the teacher's logits softens the teacher alone; multiplying undoes its T.
        "student forgets T": WeightedTerms(
            Term("soft", 1.0, lambda z, i: soft_target_loss(z, outputs.at(i) / T, 1.0))
        ),
        "teacher forgets T": WeightedTerms(
            Term("soft", 1.0, lambda z, i: soft_target_loss(z, outputs.at(i) * T, T))
        ),
        "softmax for log-softmax": WeightedTerms(
            Term("soft", 1.0, lambda z, i: negative_loss(z, outputs.at(i), T))
        ),
    }.get(where, right)
    model, _ = study(split, objective, rate, seed)
    return judge(model, expert, scale=1 / T if where == "T kept at inference" else 1.0)


def mistakes() -> None:
    """T = 4 forgotten in training by one of the two, or kept at inference; a log forgotten."""
    places = [
        "nothing forgotten",
        "T kept at inference",
        "student forgets T",
        "teacher forgets T",
        "softmax for log-softmax",
    ]
    run_and_record("mistakes", run_mistakes, {"where": places}, T=4, student=SMALL)


# --- Outputs beside the wrong examples -----------------------------------------------------------


def floor(logits: np.ndarray, share: float, T: float) -> float:
    """The soft loss of a student that knows everything but which rows were moved.

    Its best answer to x is then the mixture (1 - share) · p(x) + share · mean of all p. What
    remains is the divergence of the rows from that mixture.
    """
    p = softmax(logits, T)
    mixture = (1 - share) * p + share * p.mean(axis=0)
    self_information = np.sum(p * np.log(p), axis=1)
    own = self_information - np.sum(p * np.log(mixture), axis=1)
    moved = self_information.mean() - np.log(mixture) @ p.mean(axis=0)
    return float(T**2 * np.mean((1 - share) * own + share * moved))


def run_bug(share: float, alpha: float, seed: int) -> Row:
    """One student whose teacher's rows were partly handed round; its curves."""
    expert, outputs = teacher()
    split = data().with_few_labels(LABELS, seed).transfer
    wrong = outputs.misaligned(share, seed)
    objective = traditional(split, wrong, 4, alpha)
    options = {"validation": data().validation, "look_every": 30}
    model, history = study(split, objective, 0.03, seed, **options)
    everything = data().transfer
    return judge(model, expert) | {
        "step": history.step,
        "loss": [part.get("soft") for part in history.parts],
        "curve": history.accuracy,
        "teacher_at": accuracy(wrong.at(everything.index), everything.labels),
    }


def bug() -> None:
    """Shares of misaligned rows, without and with hard labels."""
    settings = {"share": [0, 0.25, 0.5, 0.75, 1], "alpha": [0, 0.5]}
    unfinished = RESULTS / "traditional_bug.unfinished.jsonl"
    rows = sweep(run_bug, settings, SEEDS, unfinished, jobs=JOBS)
    content = []
    for start in range(0, len(rows), len(SEEDS)):
        own = rows[start : start + len(SEEDS)]
        loss = np.mean([row["loss"][1:] for row in own], axis=0)
        content.append(
            {name: own[0][name] for name in ("share", "alpha", "step")}
            | {"floor": round(floor(teacher()[1].at(data().transfer.index), own[0]["share"], 4), 6)}
            | {"loss": [None, *(round(float(x), 6) for x in loss)]}
            | {"curve": np.mean([row["curve"] for row in own], axis=0).round(6).tolist()}
            | {n: [row[n] for row in own] for n in ("validation", "accuracy", "teacher_at")}
        )
    notes = {"steps": STEPS, "batch_size": 32, "rate": 0.03, "T": 4, "labels": LABELS}
    record("traditional_bug", notes | {"rows": content}, SEEDS, "python studies/traditional.py bug")


STUDIES = {f.__name__: f for f in (grid, labels, capacity, other_digits, noise, mistakes, bug)}


def main(names: Sequence[str]) -> None:
    """Run the studies of these names, or all."""
    if unknown := set(names) - set(STUDIES):
        raise ValueError(f"no studies called {sorted(unknown)}; there are {list(STUDIES)}")
    for name in names or STUDIES:
        STUDIES[name]()


if __name__ == "__main__":
    # By its name as a module, other processes find its functions, and keep their caches.
    from traditional import main as run_all

    run_all(sys.argv[1:])
