"""What closes the gap between a student of MNIST and its teacher? Attempts, each with its figure.

    python studies/mnist_closer.py            # an hour on two cores; goes on where it stopped
    python studies/mnist_closer.py test       # what closed it, once more, on the test set
    python studies/mnist_closer.py --check    # repeat a slice of the records, write nothing

The student of `mnist`, 784-800-800-10 on soft targets at T = 4, with one thing changed at a time.
All of it on validation: teacher and students learn from 50,000 images, and what is counted are
errors among the other 10,000. However many attempts there are, the test set is not looked at: that
is done once, with what was best, all 60,000 images and the teachers of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mnist
from engine import Row, Study, main, rows_alone, study
from mnist import EPOCHS, PLAN, SMALL, STUDENTS, TEACHER, TUNING, images
from regularise import Average, jitter

import numpy as np

from distill_lib.checks import Array
from distill_lib.distillation import TeacherOutputs, traditional
from distill_lib.losses import soft_target_loss
from distill_lib.metrics import fidelity
from distill_lib.models import MLP, Network
from distill_lib.training import Augment, Objective, Outcome

ATTEMPTS: dict[str, Row] = {
    "as in the table": {},
    "twice the rate": {"rate": 0.2},
    "smaller steps, and more": {"batch_size": 50, "rate": 0.05},
    "averaged weights": {"decay": 0.99},
    "with hard labels": {"alpha": 0.1},
    "as wide as its teacher": {"student": "784-1200-1200-10"},
    "mixed images": {"asked": "mixed"},
    "moved images": {"asked": "moved"},
    "labels alone": {"alpha": 1.0},
    "labels alone, twice the rate": {"alpha": 1.0, "rate": 0.2},
}
# What moved images do without the teacher's answer to each.
CONTROLS: dict[str, Row] = {
    "labels alone, moved images": {"alpha": 1.0, "augment": jitter(2)},
    "moved images, stored answers": {"augment": jitter(2)},
}
CLOSEST = ["moved images"]


def mixed(inputs: Array, rng: np.random.Generator) -> Array:
    """Each image fades into another one of its batch, all shares alike (arXiv 2106.05237)."""
    share = rng.random((len(inputs), 1), inputs.dtype)
    return share * inputs + (1 - share) * inputs[rng.permutation(len(inputs))]


CHANGED: dict[str, Augment] = {"mixed": mixed, "moved": jitter(2)}


class Asking:
    """An objective whose teacher is asked about the images as they were changed, at each step."""

    def __init__(self, teacher: Network, change: Augment, T: float) -> None:
        self.teacher, self.change, self.T = teacher, change, T
        self.answers = np.empty(0)

    def augment(self, inputs: Array, rng: np.random.Generator) -> Array:
        """For `train`, which asks for the loss of these very images next."""
        changed = self.change(inputs, rng)
        self.answers = self.teacher.logits(changed)
        return changed

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        value, gradient = soft_target_loss(scores["logits"], self.answers, self.T)
        return Outcome(value, {"logits": gradient}, {"soft": value})


def attempted(
    attempt: str,
    student: str,
    taught: int,
    T: float,
    teacher: Row,
    teacher_seed: int,
    validating: bool,
    seed: int,
    plan: Row,
) -> tuple[Network, MLP]:
    """The teacher, and the student of one attempt."""
    changed: dict[str, Any] = {"student": student, **plan, **(ATTEMPTS | CONTROLS)[attempt]}
    alpha, decay = changed.pop("alpha", 0.0), changed.pop("decay", 0.0)
    split, model = images(validating), mnist.teacher_of(teacher, taught, validating, teacher_seed)
    if name := changed.pop("asked", ""):
        asking = Asking(model, CHANGED[name], T)
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
    return model, learned


def taught_first(study: Study) -> Row:
    """What is recorded of the attempts."""
    mnist.have_teachers(study, report=() if "teacher_seed" in study.fixed else study.seeds)
    return rows_alone(study)


SHARED: Row = {
    "fixed": PLAN | {"T": 4, "rate": 0.1, "teacher": TEACHER, "teacher_seed": TUNING[0]},
    "seeds": range(2),
    "content": taught_first,
    # Asking a teacher at each step is slow: the study `test` has a row of that to repeat.
    "checked": lambda row: row["taught"] == 1 and row["attempt"] != "moved images",
    "allowed": {"errors": 60},
}


@study(
    {"attempt": list(CONTROLS), "student": STUDENTS[:1], "taught": [EPOCHS]},
    {"attempt": list(CONTROLS)[:1], "student": [SMALL], "taught": [1]},
    name="controls",
    **SHARED,
)
@study(
    {"attempt": list(ATTEMPTS), "student": STUDENTS[:1], "taught": [EPOCHS]},
    {"attempt": ["averaged weights", "moved images"], "student": [SMALL], "taught": [1]},
    **SHARED,
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
    options = (T, teacher, teacher_seed, True, seed, plan)
    model, learned = attempted(attempt, student, taught, *options)
    validation = mnist.data().validation
    answers, logits = model.logits(validation.inputs), learned.logits(validation.inputs)
    wrong, teachers = (z.argmax(axis=1) != validation.labels for z in (logits, answers))
    return {
        "errors": int(np.sum(wrong)),
        "teacher_errors": int(np.sum(teachers)),
        "mended": int(np.sum(teachers & ~wrong)),
        "fidelity": fidelity(logits, answers),
    }


@study(
    {"attempt": CLOSEST, "student": STUDENTS[:1], "taught": [EPOCHS]},
    {"attempt": CLOSEST[:1], "student": [SMALL], "taught": [1]},
    fixed=PLAN | {"T": 4, "rate": 0.1, "teacher": TEACHER},
    seeds=mnist.SEEDS,
    content=taught_first,
    checked=lambda row: row["taught"] == 1,
    allowed={"errors": 60},
)
def test(
    attempt: str, student: str, taught: int, T: float, teacher: Row, seed: int, **plan: float
) -> Row:
    """What was best on validation, from all images, beside the teachers of the table: test errors.

    `CLOSEST` is the attempt with the fewest errors on validation at the table's 20 epochs.
    """
    options = (T, teacher, seed, False, seed, plan)
    model, learned = attempted(attempt, student, taught, *options)
    inputs = mnist.data().test.inputs
    return mnist.measures(learned.logits(inputs), model.logits(inputs))


if __name__ == "__main__":
    main(__file__)
