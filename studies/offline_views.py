"""What is lost when a teacher's outputs are stored, and the student's images are changed?

    python studies/offline_views.py            # six minutes on one core
    python studies/offline_views.py --check    # repeat a slice of the record, write nothing

A *view* is an image as it is changed for a step: moved by a part of a pixel, or mixed with another
one of its batch. A teacher at hand can be asked about the very view (Beyer et al. 2022, arXiv
2106.05237). One whose outputs are stored has answered about the images themselves, or about so many
views of each that were drawn once. Every way gets the same 300 digits, the same steps and the same
trials of the learning rate, on seeds of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import isqrt

from common import data, judge, learn
from engine import Row, main, study

import numpy as np
from mnist_closer import Asking, mixed

from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.distillation import Aligned, TeacherOutputs, hard_labels, traditional
from distill_lib.losses import soft_target_loss, softmax
from distill_lib.models import MLP
from distill_lib.training import Adam, Augment, Objective, Outcome, cosine_decay, train

PIXELS = 1  # how far an image is moved at most, to each side
VIEWS = [1, 4, 16]


def moved(inputs: Array, rng: np.random.Generator) -> Array:
    """Square images, each moved down and right by parts of a pixel, up to `PIXELS`; 0 comes in.

    A pixel between two takes of each what is near: the move is a matrix from the left, and one from
    the right.
    """
    side = isqrt(inputs.shape[1])
    i, shifts = np.arange(side), rng.uniform(-PIXELS, PIXELS, (2, len(inputs), 1, 1))
    down, right = np.maximum(0, 1 - np.abs(i[:, None] - i - shifts))
    return (down @ inputs.reshape(-1, side, side) @ right.swapaxes(1, 2)).reshape(inputs.shape)


CHANGES: dict[str, Augment] = {"moved": moved, "mixed": mixed}


@cache
def teacher() -> MLP:
    """A teacher of all 1,197 digits, trained on moved images: it has seen such views."""
    split, model = data().train, MLP((64, 256, 10), seed=0, dtype=np.float64)
    plan = {"batch_size": 64, "optimizer": Adam(0.01), "schedule": cosine_decay}
    train(model, split, hard_labels(split), steps=2000, augment=moved, **plan)
    return model.copy()  # without the work arrays of its training


class MixedAlike:
    """An objective whose targets, probabilities at T, are mixed as the images of the batch are."""

    def __init__(self, targets: Aligned, T: float) -> None:
        self.targets, self.T, self.shares = targets, T, np.empty(0)

    def augment(self, inputs: Array, rng: np.random.Generator) -> Array:
        """For `train`. Mixing is a matrix: what it makes of the unit matrix."""
        self.shares = mixed(np.eye(len(inputs)), rng)
        return self.shares @ inputs

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        p = self.shares @ self.targets.at(index)
        logits = self.T * np.log(np.maximum(p, 1e-9))
        value, gradient = soft_target_loss(scores["logits"], logits, self.T)
        return Outcome(value, {"logits": gradient}, {"soft": value})


def drawn_once(split: Split, change: Augment, views: int, seed: int) -> Split:
    """So many views of each image, drawn once, as examples of their own."""
    rng = np.random.default_rng([seed, 2106])
    inputs = np.concatenate([change(split.inputs, rng) for _ in range(views)])
    return Split(inputs, np.tile(split.labels, views), np.arange(len(inputs)))


def lesson(
    change: str, way: str, split: Split, views: int, T: float, seed: int
) -> tuple[Split, Objective, Augment | None]:
    """What the student of one way learns from, by which objective, and how its images change."""
    if way == "stored views":
        split, change = drawn_once(split, CHANGES[change], views, seed), "none"
    outputs = TeacherOutputs.of(teacher(), split)
    if way == "same view":
        asking = Asking(teacher(), CHANGES[change], T)
        return split, asking, asking.augment
    if way == "mixed alike":
        p = Aligned(split.index, softmax(outputs.at(split.index), T))
        alike = MixedAlike(p, T)
        return split, alike, alike.augment
    if (way, change) == ("labels", "mixed"):  # as usual, the labels are mixed like the images
        alike = MixedAlike(Aligned(split.index, np.eye(10)[split.labels]), 1)
        return split, alike, alike.augment
    objective = hard_labels(split) if way == "labels" else traditional(split, outputs, T, 0)
    return split, objective, CHANGES.get(change)


@study(
    {"change": ["none"], "way": ["labels", "stored"], "views": [0]},
    {"change": list(CHANGES), "way": ["labels", "other view", "same view"], "views": [0]},
    {"change": ["mixed"], "way": ["mixed alike"], "views": [0]},
    {"change": list(CHANGES), "way": ["stored views"], "views": VIEWS},
    fixed={"digits": 300, "student": "64-64-10", "T": 4, "steps": 1200, "batch_size": 32},
    rates=[0.005, 0.01, 0.02, 0.04],
    tuning=range(100, 102),
)
def offline_views(
    change: str, way: str, views: int, digits: int, student: str, T: float, seed: int, **plan: float
) -> Row:
    """A student of the digits, taught in one of the ways; all the labels are for "labels" alone."""
    split = data().with_n_examples(digits, seed).transfer
    split, objective, augment = lesson(change, way, split, views, T, seed)
    learned, _ = learn(student, split, objective, seed, **plan, augment=augment)
    return judge(learned, data(), teacher().logits)


if __name__ == "__main__":
    main(__file__)
