"""The digit that a student is never shown, for chapter 4: each of the ten, five T, two students.

    python studies/never_shown.py            # about twenty minutes on one core
    python studies/never_shown.py --check    # repeat a slice of the record, write nothing

One digit is taken out of the transfer set; the chapter's teacher knows all ten. The student learns
from soft targets alone. Two controls: targets as sure as the teacher's, with the nine other classes
evened out; and a teacher that was never shown the digit either. The learning rate is chosen on the
validation digits *without* the missing one: whoever has none to show has none to validate on.
"""

from __future__ import annotations

from functools import cache

from common import data, evened, learn, teach, teacher
from engine import Row, main, study

import numpy as np

from distill_lib.data import Split
from distill_lib.distillation import TeacherOutputs, traditional
from distill_lib.metrics import accuracy
from distill_lib.models import MLP

DIGITS, TEMPERATURES = range(10), [1, 2, 4, 8, 16]
LINEAR, HIDDEN = "64-10", "64-16-10"


def without(split: Split, digit: int) -> Split:
    """The split without this digit's examples."""
    return split.take(np.flatnonzero(split.labels != digit))


@cache
def ignorant(digit: int) -> MLP:
    """A teacher trained without this digit."""
    return teach(without(data().train, digit))


def outputs_of(lesson: str, digit: int, split: Split, T: float) -> TeacherOutputs:
    """The soft targets of a lesson, as logits, for the examples of the split."""
    if lesson == "ignorant teacher":
        return TeacherOutputs.of(ignorant(digit), split)
    _, outputs = teacher()
    return outputs if lesson == "soft targets" else evened(outputs, split, T)


@study(
    {
        "digit": DIGITS,
        "student": [LINEAR, HIDDEN],
        "lesson": ["soft targets"],
        "T": TEMPERATURES,
    },
    {
        "digit": DIGITS,
        "student": [LINEAR],
        "lesson": ["evened", "ignorant teacher"],
        "T": [4, 16],
    },
    fixed={"steps": 600, "batch_size": 32},
    rates=[0.01, 0.03, 0.1, 0.3, 1.0],
    seeds=range(5),
    allowed={"accuracy": 2 / 400, "others": 2 / 360, "found": 4 / 160},
)
def never_shown(digit: int, student: str, lesson: str, T: float, seed: int, **plan: float) -> Row:
    """Is the missing digit found? "found": on all its examples that the student has not seen.

    These are those of the training and of the test split; "found_on_test" are the latter alone,
    which the teacher has not seen either. "claimed" is the share of all test answers that are the
    missing digit.
    """
    whole = data()
    split = without(whole.transfer, digit)
    objective = traditional(split, outputs_of(lesson, digit, split, T), T, 0.0)
    model, _ = learn(student, split, objective, seed, **plan)
    test, missing = whole.test, whole.train.take(np.flatnonzero(whole.train.labels == digit))
    answers = model.logits(test.inputs).argmax(axis=-1)
    on_test = answers[test.labels == digit] == digit
    on_train = model.logits(missing.inputs).argmax(axis=-1) == digit
    validation = without(whole.validation, digit)
    return {
        "validation": accuracy(model.logits(validation.inputs), validation.labels),
        "accuracy": float(np.mean(answers == test.labels)),
        "others": float(np.mean((answers == test.labels)[test.labels != digit])),
        "found": float(np.mean([*on_test, *on_train])),
        "found_on_test": float(np.mean(on_test)),
        "claimed": float(np.mean(answers == digit)),
    }


if __name__ == "__main__":
    main(__file__)
