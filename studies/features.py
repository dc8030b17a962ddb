"""Losses on a teacher's features: hints through a learned map, and maps of attention.

Both compare what a student computes on the way with what its teacher does. They are functions of
the student's named scores, `"conv_1"` or `"hidden_1"`, which stand before the ReLU: the papers
compare what comes out of it, which is `behind_relu`. The studies of chapter 11 are built on these.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distill_lib.checks import Array, check_scores, check_whole
from distill_lib.distillation import TeacherOutputs
from distill_lib.losses import Loss, rationale_mse
from distill_lib.training import Adam

FeatureLoss = Callable[[Array, Array], Loss]
"""(student's scores, indices of their examples) -> loss: what a `Term` takes."""


def hint(student: Array, teacher: Array, W: Array) -> tuple[Loss, Array]:
    """Mean squared difference of student @ W and the teacher's features; also its gradient for W.

    They have shapes (examples, student's features), (examples, teacher's features) and (student's,
    teacher's). Whether the squares are summed or averaged is a matter of the term's weight; here it
    is their mean. ValueError for shapes that do not fit, or scores that are not finite. Romero et
    al. 2015, "FitNets" (arXiv 1412.6550).
    """
    student = check_scores("student_features", student)
    if student.ndim != 2 or W.ndim != 2 or student.shape[1] != len(W):
        raise ValueError(f"a map of {student.shape} features has as many rows, got {W.shape}")
    loss = rationale_mse(student @ W, teacher)
    return Loss(loss.value, loss.gradient @ W.T), student.T @ loss.gradient


class LearnedHint:
    """For a `Term`: `hint` with a map of its own, which takes a step of Adam at each call.

    The map begins as normal numbers of variance 1 / student's features, drawn from `seed`. It is no
    part of the student, and is done with when the student is. ValueError for sizes below 1.
    """

    def __init__(
        self,
        teacher: TeacherOutputs,
        name: str,
        n_features: int,
        *,
        rate: float,
        seed: int,
    ) -> None:
        check_whole("n_features", n_features)
        self.teacher, self.name, self.optimizer = teacher, name, Adam(rate)
        n_teacher = teacher.at(teacher.index[:1], name).shape[1]
        rng = np.random.default_rng([seed, 3])
        self.W = rng.normal(0, np.sqrt(1 / n_features), (n_features, n_teacher))
        self.optimizer.start(self.W)

    def __call__(self, features: Array, index: Array) -> Loss:
        loss, gradient = hint(features, self.teacher.at(index, self.name), self.W)
        self.optimizer.update(self.W, gradient, 1.0)
        return loss._replace(gradient=loss.gradient.astype(features.dtype))


def attention_map(features: Array, channels: int) -> Array:
    """How much happens at each place: the sum of the squares of its channels.

    From images as rows, (examples, places · channels), to (examples, places), float64. ValueError
    for features that are not finite, or not of so many channels.
    """
    check_whole("channels", channels)
    features = check_scores("features", features)
    if features.ndim != 2 or features.shape[1] % channels:
        expected = f"(examples, places · {channels})"
        raise ValueError(f"features must have shape {expected}, got {features.shape}")
    a = features.reshape(len(features), -1, channels).astype(np.float64)
    return np.einsum("npc,npc->np", a, a)


def attention(student: Array, teacher: Array, channels: int, teacher_channels: int) -> Loss:
    """Squared distance of the two maps of attention, each divided by its length; batch mean.

    It is twice one minus their cosine, from 0 to 2: maps have no negative numbers. A map of zeros
    stays one, at a distance of 1 to any other, and has no gradient. Student and teacher may differ
    in channels, not in places. ValueError for features not as described, or other places.
    Zagoruyko & Komodakis 2017 (arXiv 1612.03928).
    """
    q, p = attention_map(student, channels), attention_map(teacher, teacher_channels)
    if q.shape != p.shape:
        raise ValueError(f"maps must have the same examples and places, got {q.shape}, {p.shape}")
    (q, length), (p, _) = _directed(q), _directed(p)
    difference = (q - p) / len(q)
    value = len(q) * np.sum(difference**2)
    # Of a change of the map, only what is at right angles to it changes its direction.
    across = difference - q * np.sum(q * difference, axis=1, keepdims=True)
    by_place = 2 * np.divide(across, length, out=np.zeros_like(q), where=length > 0)
    a = student.reshape(*q.shape, channels)
    gradient = 2 * a * by_place[:, :, None]
    return Loss(float(value), gradient.reshape(student.shape).astype(student.dtype))


def behind_relu(loss: FeatureLoss) -> FeatureLoss:
    """The same loss of what a ReLU lets through of the scores."""

    def behind(scores: Array, index: Array) -> Loss:
        value, gradient = loss(np.maximum(scores, 0), index)
        return Loss(value, gradient * (scores > 0))

    return behind


def _directed(maps: Array) -> tuple[Array, Array]:
    """Each map divided by its length, if it has one, and the lengths."""
    length = np.sqrt(np.sum(maps**2, axis=1, keepdims=True))
    return np.divide(maps, length, out=np.zeros_like(maps), where=length > 0), length
