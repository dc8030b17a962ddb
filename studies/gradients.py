"""Do soft targets give gradients with less noise? For chapter 2; on the digits, over T.

    python studies/gradients.py            # a minute on one core
    python studies/gradients.py --check    # repeat a slice of the record, write nothing

A linear student, after so many steps on the labels, looks at every example of the transfer set:
each gives a gradient. Their variance, over the square of their mean, is what a step's noise is
measured by: it does not depend on the size of the loss, so that T may vary. T = 0 stands for the
labels. "cross-fitted" soft targets come from five teachers, each asked only about digits that it
was not trained on: those of one that has learned its digits by heart are labels in disguise.
"""

from __future__ import annotations

from functools import cache

from common import data, learn, teach, teacher
from engine import Row, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.distillation import hard_labels
from distill_lib.losses import softmax
from distill_lib.models import MLP

FOLDS = 5


@cache
def scores_of(teacher_of: str) -> Array:
    """The logits for the transfer set: of the chapter's teacher, or of those of the other folds."""
    whole = data().transfer
    if teacher_of == "all digits":
        return teacher()[1].at(whole.index)
    fold = np.random.default_rng(0).integers(FOLDS, size=len(whole))
    scores = np.empty((len(whole), 10))
    for k in range(FOLDS):
        model = teach(whole.take(np.flatnonzero(fold != k)), k + 1)
        scores[fold == k] = model.logits(whole.inputs[fold == k])
    return scores


@study(
    {"after": [0, 30, 100, 600], "teacher_of": ["all digits", "other digits"], "T": [0, 1, 4, 10]},
    fixed={"rate": 0.03, "batch_size": 32},
    allowed={"variance": 0.02, "noise": 5.0},
)
def gradients(
    after: int, teacher_of: str, T: float, rate: float, batch_size: int, seed: int
) -> Row:
    """The gradients' variance, added up over all weights, and that over their squared mean."""
    split = data().transfer
    student = MLP((64, 10), seed=seed, dtype=np.float64)
    if after:
        plan = {"rate": rate, "steps": after, "batch_size": batch_size}
        student, _ = learn("64-10", split, hard_labels(split), seed, **plan)
    logits = student.logits(split.inputs)
    target = softmax(scores_of(teacher_of), T) if T else np.eye(10)[split.labels]
    residual = softmax(logits, T or 1) - target
    x = np.c_[split.inputs, np.ones(len(split))]
    each = x[:, :, None] * residual[:, None, :]
    variance, mean = float(each.var(axis=0).sum()), each.mean(axis=0)
    return {"variance": variance, "noise": variance / float(np.sum(mean**2))}


if __name__ == "__main__":
    main(__file__)
