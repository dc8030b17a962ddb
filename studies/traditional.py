"""The longer experiments of chapter 4, recorded in results/traditional_*.json.

    python studies/traditional.py                  # all: a quarter of an hour on one quiet core
    python studies/traditional.py grid mistakes    # some of them
    python studies/traditional.py --check          # repeat a slice of the records, write nothing

One comparison rule for all: same first parameters, same order of the examples, same number of
steps, the same six learning rates tried for each method. The rate is chosen by the mean accuracy
on the validation split; the test split is only reported. Everything is float64, so that a run
elsewhere finds the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from common import answers, data, judge, learn, teach, teacher
from engine import Row, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Dataset, Split, make_dataset
from distill_lib.distillation import TeacherOutputs, Term, WeightedTerms, hard_labels, traditional
from distill_lib.losses import Loss, soft_target_loss, softmax
from distill_lib.metrics import accuracy
from distill_lib.models import MLP
from distill_lib.training import Objective

RATES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
LABELS = 100
SMALL = "64-16-10"

PLAN = {"steps": 600, "batch_size": 32}

tuned = partial(study, rates=RATES)


def result(student: str, split: Split, objective: Objective, seed: int, **plan: float) -> Row:
    """Train a student, and judge it beside the book's teacher."""
    model, _ = learn(student, split, objective, seed, **plan)
    return judge(model, data(), teacher()[0].logits)


# --- T × alpha, 100 labels, the teacher asked about every input ----------------------------------


@tuned(
    {"T": [1, 2, 4, 8, 16], "alpha": [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]},
    fixed=PLAN | {"labels": LABELS, "student": SMALL},
)
def grid(T: float, alpha: float, labels: int, student: str, seed: int, **plan: float) -> Row:
    """Test accuracy over temperature and weight."""
    split = data().with_few_labels(labels, seed).transfer
    objective = traditional(split, teacher()[1], T, alpha)
    return result(student, split, objective, seed, **plan)


# --- Few labels: what comes from softness, and what from more inputs -----------------------------


@tuned(
    {"labels": [30, 100, 300, 1197], "method": ["alone", "soft targets"], "T": [4]},
    {"labels": [1197], "method": ["teacher's answers"], "T": [4]},
    fixed=PLAN | {"student": SMALL},
)
def labels(labels: int, method: str, T: float, student: str, seed: int, **plan: float) -> Row:
    """So many labelled digits and nothing else; or the teacher's answers. No label is mixed in."""
    _, outputs = teacher()
    split = data().with_few_labels(labels, seed).transfer.labelled
    objective = {
        "alone": lambda: hard_labels(split),
        "soft targets": lambda: traditional(split, outputs, T, 0.0),
        "teacher's answers": lambda: answers(split, outputs),  # more labels, no softness
    }[method]()
    return result(student, split, objective, seed, **plan)


# --- All labels: students that are too small ----------------------------------------------------


@tuned({"student": ["64-10", SMALL, "64-64-10"], "T": [0, 1, 2, 4, 8, 16]}, fixed=PLAN)
def capacity(student: str, T: float, seed: int, **plan: float) -> Row:
    """Three sizes of student, with every label: alone (T is 0), or with soft targets only."""
    split = data().transfer
    objective = hard_labels(split) if T == 0 else traditional(split, teacher()[1], T, 0.0)
    return result(student, split, objective, seed, **plan)


# --- The same, with other digits in every split ---------------------------------------------------


@cache
def resplit(seed: int) -> tuple[Dataset, MLP]:
    """The digits dealt out anew, and a teacher of their training split."""
    whole = data()
    splits = (whole.train, whole.validation, whole.test)
    inputs = np.concatenate([split.inputs for split in splits])
    labels = np.concatenate([split.labels for split in splits])
    dealt = make_dataset("digits", inputs, labels, 10, (1197, 200, 400), seed)
    return dealt, teach(dealt.train, seed)


@tuned({"student": ["64-10", SMALL], "T": [0, 1, 2, 4, 8, 16]}, fixed=PLAN)
def other_digits(student: str, T: float, seed: int, **plan: float) -> Row:
    """As `capacity`, over draws of the splits: which digits are tested is luck as well."""
    dealt, model = resplit(seed)
    split = dealt.transfer
    objective = hard_labels(split)
    if T > 0:
        objective = traditional(split, TeacherOutputs.of(model, split), T, 0.0)
    small, _ = learn(student, split, objective, seed, **plan)
    return judge(small, dealt, model.logits)


# --- Forgetting the temperature somewhere --------------------------------------------------------


def negative_loss(student: Array, teacher: Array, T: float) -> Loss:
    """What a KL function that wants log-probabilities computes where it is given probabilities."""
    p, q = softmax(teacher, T), softmax(student, T)
    overlap = np.sum(p * q, axis=-1, keepdims=True)
    value = T**2 * np.mean(np.sum(p * np.log(p), axis=-1) - overlap[:, 0])
    return Loss(float(value), -T * q * (p - overlap) / len(p))


PLACES = ["nothing forgotten", "T kept at inference", "student forgets T", "teacher forgets T"]
PLACES += ["softmax for log-softmax"]


@tuned({"where": PLACES}, fixed=PLAN | {"T": 4, "student": SMALL})
def mistakes(where: str, T: float, student: str, seed: int, **plan: float) -> Row:
    """T and a log wherever they belong, but for one place; alpha is 0."""
    model, outputs = teacher()
    split = data().transfer
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
    small, _ = learn(student, split, objective, seed, **plan)
    return judge(small, data(), model.logits, 1 / T if where == "T kept at inference" else 1.0)


# --- Outputs beside the wrong examples -----------------------------------------------------------


def floor(logits: Array, share: float, T: float) -> float:
    """The soft loss of a student that knows everything but which rows were moved.

    Its best answer to x is then the mixture (1 - share) · p(x) + share · mean of all p. What
    remains is the divergence of the rows from that mixture.
    """
    p = softmax(logits, T)
    mixture = (1 - share) * p + share * p.mean(axis=0)
    self_information = np.sum(p * np.log(p), axis=1)
    kept = self_information - np.sum(p * np.log(mixture), axis=1)
    moved = self_information.mean() - np.log(mixture) @ p.mean(axis=0)
    return float(T**2 * np.mean((1 - share) * kept + share * moved))


def curves(rows: Sequence[Row]) -> Row:
    """Of curves the mean over the seeds, of the rest what each seed gave."""
    loss = np.mean([row["loss"][1:] for row in rows], axis=0)
    return {
        "step": rows[0]["step"],
        "floor": round(rows[0]["floor"], 6),
        "loss": [None, *loss.round(6).tolist()],
        "curve": np.mean([row["curve"] for row in rows], axis=0).round(6).tolist(),
    } | {n: [row[n] for row in rows] for n in ("validation", "accuracy", "teacher_at")}


@study(
    {"share": [0, 0.25, 0.5, 0.75, 1], "alpha": [0, 0.5]},
    fixed=PLAN | {"rate": 0.03, "T": 4, "labels": LABELS},
    summary=curves,
)
def bug(share: float, alpha: float, T: float, labels: int, seed: int, **plan: float) -> Row:
    """Shares of misaligned rows, without and with hard labels; the student's curves."""
    model, outputs = teacher()
    split, everything = data().with_few_labels(labels, seed).transfer, data().transfer
    wrong = outputs.misaligned(share, seed)
    look = {"validation": data().validation, "look_every": 30}
    objective = traditional(split, wrong, T, alpha)
    student, history = learn(SMALL, split, objective, seed, **plan, **look)
    return judge(student, data(), model.logits) | {
        "step": history.step,
        "loss": [part.get("soft") for part in history.parts],
        "curve": history.accuracy,
        "floor": floor(outputs.at(everything.index), share, T),
        "teacher_at": accuracy(wrong.at(everything.index), everything.labels),
    }


if __name__ == "__main__":
    main(__file__)
