"""What closes the gap between a student of MNIST and its teacher? Attempts, each with its figure.

    python studies/mnist_closer.py            # 45 minutes on two cores; goes on where it stopped
    python studies/mnist_closer.py --check    # repeat a slice of the record, write nothing

The student of `mnist`, 784-800-800-10 on soft targets at T = 4, with one thing changed at a time.
All of it on validation: teacher and students learn from 50,000 images, and what is counted are
errors among the other 10,000. The test set is not looked at, however many attempts there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mnist
from engine import Row, Study, main, rows_alone, study
from mnist import EPOCHS, PLAN, SMALL, STUDENTS, TEACHER, TUNING

import numpy as np

from distill_lib.checks import Array
from distill_lib.distillation import TeacherOutputs, traditional
from distill_lib.losses import soft_target_loss
from distill_lib.metrics import fidelity
from distill_lib.models import Network
from distill_lib.training import Average, Objective, Outcome, cosine_decay, jitter

ATTEMPTS: dict[str, Row] = {
    "as in the table": {},
    "a third of the rate": {"rate": 0.03},
    "no warm-up": {"schedule": cosine_decay},
    "three times the epochs": {"epochs": 60},
    "smaller steps, and more": {"batch_size": 20, "rate": 0.02},
    "averaged weights": {"decay": 0.99},
    "with hard labels": {"alpha": 0.1},
    "as wide as its teacher": {"student": "784-1200-1200-10"},
    "moved images": {"pixels": 2},
    "moved images, three times the epochs": {"pixels": 2, "epochs": 60},
}


class Asking:
    """An objective whose teacher is asked about the images as they were moved, at each step."""

    def __init__(self, teacher: Network, pixels: int, T: float) -> None:
        self.teacher, self.move, self.T = teacher, jitter(pixels), T
        self.answers = np.empty(0)

    def augment(self, inputs: Array, rng: np.random.Generator) -> Array:
        """For `train`, which asks for the loss of these very images next."""
        moved = self.move(inputs, rng)
        self.answers = self.teacher.logits(moved)
        return moved

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        value, gradient = soft_target_loss(scores["logits"], self.answers, self.T)
        return Outcome(value, {"logits": gradient}, {"soft": value})


def taught_first(study: Study) -> Row:
    """What is recorded of the attempts."""
    mnist.have_teachers(study, report=())
    return rows_alone(study)


@study(
    {"attempt": list(ATTEMPTS), "student": STUDENTS[:1], "taught": [EPOCHS]},
    {"attempt": ["averaged weights", "moved images"], "student": [SMALL], "taught": [1]},
    fixed=PLAN | {"T": 4, "rate": 0.1, "teacher": TEACHER, "teacher_seed": TUNING[0]},
    seeds=range(3),
    content=taught_first,
    checked=lambda row: row["taught"] == 1,
    allowed={"errors": 60},
)
def mnist_closer(
    attempt: str,
    student: str,
    taught: int,
    T: float,
    teacher: Row,
    teacher_seed: int,
    seed: int,
    **plan: float,
) -> Row:
    """One attempt: errors on validation of the student and of its teacher, and their agreement.

    "mended" are errors of the teacher that the student does not make.
    """
    changed: dict[str, Any] = {"student": student, **plan, **ATTEMPTS[attempt]}
    alpha, decay, pixels = (changed.pop(name, 0) for name in ("alpha", "decay", "pixels"))
    split, validation = mnist.images(True), mnist.data().validation
    model = mnist.teacher_of(teacher, taught, True, teacher_seed)
    if pixels:
        asking = Asking(model, pixels, T)
        objective: Objective = asking
        changed["augment"] = asking.augment
    else:
        outputs = TeacherOutputs(split.index, {"logits": model.logits(split.inputs)})
        objective = traditional(split, outputs, T, alpha)
    average = Average(decay, every=10)
    if decay:
        changed["after_step"] = average
    learned = mnist.learn(split=split, objective=objective, seed=seed, **changed)
    if decay:
        learned.vector = average.vector
    answers, logits = model.logits(validation.inputs), learned.logits(validation.inputs)
    wrong, teachers = (z.argmax(axis=1) != validation.labels for z in (logits, answers))
    return {
        "errors": int(np.sum(wrong)),
        "teacher_errors": int(np.sum(teachers)),
        "mended": int(np.sum(teachers & ~wrong)),
        "fidelity": fidelity(logits, answers),
    }


if __name__ == "__main__":
    main(__file__)
