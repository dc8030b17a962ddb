"""What the studies share: data, teacher, student, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from engine import Row

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Dataset, Split, digits
from distill_lib.distillation import TeacherOutputs, WeightedTerms, hard_labels
from distill_lib.losses import softmax
from distill_lib.metrics import accuracy, report
from distill_lib.models import MLP
from distill_lib.results import packed
from distill_lib.training import Adam, History, Objective, cosine_decay, train

# --- Data, teacher, student -----------------------------------------------------------------------


@cache
def data() -> Dataset:
    """The digits, in float64, so that a run elsewhere finds the same figures."""
    return digits(np.float64)


def teach(
    split: Split,
    seed: int = 0,
    steps: int = 2000,
    sizes: Sequence[int] = (64, 256, 256, 10),
    **options: Any,
) -> MLP:
    """The book's teacher, trained on this split; or one of other sizes."""
    model = MLP(sizes, seed=seed, dtype=np.float64)
    plan = {"batch_size": 64, "optimizer": Adam(0.003), "schedule": cosine_decay}
    train(model, split, hard_labels(split), steps=steps, seed=seed, **plan, **options)
    return model.copy()  # without the work arrays of its training


@cache
def teacher() -> tuple[MLP, TeacherOutputs]:
    """The teacher of chapter 2, and its outputs for every input of the transfer set."""
    model = teach(data().train)
    return model, TeacherOutputs.of(model, data().transfer)


def learn(
    student: str,
    split: Split,
    objective: Objective,
    seed: int,
    *,
    rate: float,
    steps: int,
    batch_size: int,
    rationale: int = 0,
    **options: Any,
) -> tuple[MLP, History]:
    """Train a student such as "64-16-10"; the same for every method but for the objective.

    The studies hand on `rate`, `steps` and `batch_size` as their `plan`. Nothing of it has a
    default here: what is not said in the record is not done.
    """
    sizes = [int(n) for n in student.split("-")]
    model = MLP(sizes, seed=seed, dtype=np.float64, rationale=rationale)
    options |= {"steps": steps, "batch_size": batch_size, "schedule": cosine_decay, "seed": seed}
    return model, train(model, split, objective, optimizer=Adam(rate), **options)


def judge(
    student: MLP,
    data: Dataset,
    teacher: Callable[[Array], Array] | None = None,
    scale: float = 1.0,
) -> Row:
    """Validation accuracy, and every measure on the test split, beside a teacher's logits.

    "right", packed, is which test examples were: an interval can then cover those, too. `scale`
    multiplies the student's test logits first.
    """
    inputs, labels = data.test.inputs, data.test.labels
    logits = student.logits(inputs)
    measures = report(scale * logits, labels, teacher and teacher(inputs))
    measures["right"] = packed(logits.argmax(axis=-1) == labels)
    validation = student.logits(data.validation.inputs)
    return {"validation": accuracy(validation, data.validation.labels)} | measures


def answers(split: Split, outputs: TeacherOutputs) -> WeightedTerms:
    """The teacher's answers as if they were labels."""
    return hard_labels(replace(split, labels=outputs.at(split.index).argmax(axis=-1)))


def evened(outputs: TeacherOutputs, split: Split, T: float) -> TeacherOutputs:
    """As sure of its answer at T as the teacher, and without a preference among the others."""
    p = softmax(outputs.at(split.index), T)
    top = p.max(axis=-1, keepdims=True)
    flat = np.where(p == top, top, (1 - top) / (p.shape[-1] - 1))
    return TeacherOutputs(split.index, {"logits": T * np.log(flat)})


# --- Odd or even ----------------------------------------------------------------------------------


def odd_or_even(data: Dataset) -> Dataset:
    """The same examples, labelled 0 where the digit is even, 1 where it is odd."""
    splits = {name: getattr(data, name) for name in ("train", "transfer", "validation", "test")}
    halved = {n: s and replace(s, labels=s.labels % 2) for n, s in splits.items()}
    return replace(data, n_classes=2, **halved)


def parity(logits: Array) -> Array:
    """Logits of even and odd, from those of ten digits: log of the sum of the exponentials."""
    return np.stack([np.logaddexp.reduce(logits[:, k::2], axis=1) for k in (0, 1)], axis=1)
