"""Softmax with a temperature, and every loss of the book with its gradient.

All functions take scores whose last axis is the classes (or the components of a rationale), with
any leading axes, and treat everything before the last axis as the batch. They compute in float64
whatever they are given and hand back the type that came in: a batch of scores is small beside the
matrix products that made it, so the accuracy costs nothing that can be measured.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from distill_lib import checks
from distill_lib.checks import Array


class Loss(NamedTuple):
    """A loss and how it changes: what every loss of this module returns.

    `value` is the mean over the batch. `gradient` is its derivative with respect to the student's
    scores, in their shape and type.
    """

    value: float
    gradient: Array


@np.errstate(over="ignore")  # -inf is right where it comes up: a probability of 0
def _exponents(logits: Array, T: float) -> Array:
    """(logits - max) / T in float64: at most 0, so that `exp` cannot overflow."""
    # Halving before the subtraction keeps the difference of two huge finite scores finite.
    half = logits.astype(np.float64) / 2
    return (half - half.max(axis=-1, keepdims=True)) / T * 2


def _log_softmax(logits: Array, T: float) -> Array:
    z = _exponents(logits, T)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


@np.errstate(over="ignore")  # as above, where float32 cannot hold the logarithm
def log_softmax(logits: ArrayLike, T: float = 1.0) -> Array:
    """log softmax(logits / T) along the last axis, without ever taking the log of a rounded 0.

    `logits` are any finite scores, shape (..., classes); T is above 0. Returns log-probabilities in
    nats, same shape; float32 in gives float32 out, likewise float64. ValueError for T or logits not
    as described. Derived in chapter 1, "Breaking it on purpose".
    """
    logits, T = checks.check_scores("logits", logits), checks.check_positive("T", T)
    return _log_softmax(logits, T).astype(logits.dtype)


def softmax(logits: ArrayLike, T: float = 1.0) -> Array:
    """Probabilities exp(logits / T) / sum exp(logits / T) along the last axis.

    `logits` are any finite scores, shape (..., classes). The temperature T is above 0: a large one
    evens the probabilities out, a small one sharpens them. They have the shape and float type of
    the logits and sum to 1 along the last axis. ValueError for other T or logits. Hinton, Vinyals &
    Dean 2015, section 2. Derived in chapter 1.
    """
    logits, T = checks.check_scores("logits", logits), checks.check_positive("T", T)
    exponentials = np.exp(_exponents(logits, T))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(logits.dtype)


def entropy(probabilities: ArrayLike) -> Array:
    """Entropy -sum p log p along the last axis, in nats; 0 log 0 counts as 0.

    The probabilities have shape (..., classes), each row at least 0 and summing to 1. Returns shape
    (...), same float type: from 0 (certain) to log(classes) (no idea). ValueError for an entry
    below 0, or a sum that is not 1. Chapter 1, "How much is left unsaid".
    """
    given = checks.check_probabilities("probabilities", probabilities)
    p = given.astype(np.float64)
    # "0 -" because a mere minus turns the 0 of a certain row into -0.
    return (0 - np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)).astype(given.dtype)


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> Loss:
    """Mean of -log softmax(logits)[label]: the loss of hard labels, in nats.

    `logits` are the student's scores, shape (..., classes), `labels` integers in 0 .. classes - 1,
    shape (...). Returns the mean over the batch, and its gradient (softmax - one-hot) / batch size.
    ValueError for logits or labels not as described. Derived in chapter 2, "What a label says".
    """
    logits = checks.check_scores("logits", logits)
    labels = checks.check_labels(labels, logits.shape[:-1], logits.shape[-1])
    log_p = _log_softmax(logits, 1.0)
    chosen = np.expand_dims(labels, -1)
    value = -np.take_along_axis(log_p, chosen, axis=-1).mean()
    gradient = np.exp(log_p)
    np.put_along_axis(gradient, chosen, np.take_along_axis(gradient, chosen, -1) - 1, axis=-1)
    return Loss(float(value), (gradient / labels.size).astype(logits.dtype))


def soft_target_loss(student_logits: ArrayLike, teacher_logits: ArrayLike, T: float) -> Loss:
    """T² · KL(softmax(teacher / T) ‖ softmax(student / T)), mean over the batch, in nats.

    The T² keeps the gradient's size when T changes: the gradient of the divergence itself shrinks
    as 1 / T². Summed over classes and averaged over examples (the `batchmean` of other libraries).

    Both logits have one shape (..., classes), nothing is broadcast, and T is above 0. The gradient
    is T · (softmax(student / T) - softmax(teacher / T)) / batch size. ValueError for T or the
    logits not as described, or shapes that differ. Hinton, Vinyals & Dean 2015, section 2. Derived
    in chapter 4.
    """
    student, teacher = checks.check_pair("logits", student_logits, teacher_logits)
    T = checks.check_positive("T", T)
    batch = student[..., 0].size
    log_p, log_q = _log_softmax(teacher, T), _log_softmax(student, T)
    p = np.exp(log_p)
    q = np.exp(log_q)
    # p log(p/q) has either sign, and where p and q are close (a large T) the sum would cancel to
    # nothing. Adding q - p, which sums to 0, makes every class's part at least 0.
    log_ratio = np.subtract(log_q, log_p, out=np.zeros_like(p), where=p > 0)
    near = (p > 0) & (np.abs(log_ratio) < 0.5)
    parts = q - p - p * log_ratio
    parts[near] = p[near] * (np.expm1(log_ratio[near]) - log_ratio[near])
    gradient = (T / batch) * (q - p)
    return Loss(float(T * (T * (parts.sum() / batch))), gradient.astype(student.dtype))


def rationale_mse(student_scores: ArrayLike, teacher_scores: ArrayLike) -> Loss:
    """Mean squared difference of two rationales, over the batch and the components.

    Both have shape (..., components); nothing is broadcast. The gradient is 2 (student - teacher) /
    number of scores. ValueError for scores not as described, or shapes that differ. Kim et al. 2021
    (arXiv 2105.08919) for class scores. Derived in chapter 5.
    """
    student, teacher = checks.check_pair("scores", student_scores, teacher_scores)
    difference = student.astype(np.float64) - teacher
    gradient = 2 * difference / difference.size
    return Loss(float(np.mean(difference**2)), gradient.astype(student.dtype))


def rationale_cosine(student_scores: ArrayLike, teacher_scores: ArrayLike) -> Loss:
    """1 - cosine of the angle between two rationales, row by row, mean over the batch.

    It compares directions and is blind to length: from 0 (same direction) to 2 (opposite). With a
    single component a direction is only a sign, and the gradient is exactly 0 (chapter 6).

    Both have shape (..., components), and no row may be all zeros. The gradient, at right angles to
    s, is (cosine · s/|s| - t/|t|) / |s| / batch size. ValueError for other scores or shapes, or a
    row of zeros, which has no direction. Derived in chapter 6.
    """
    student, teacher = checks.check_pair("scores", student_scores, teacher_scores)
    s, s_length = _directions("student_scores", student)
    t, _ = _directions("teacher_scores", teacher)
    batch = student[..., 0].size
    cosine = np.sum(s * t, axis=-1, keepdims=True)
    gradient = (cosine * s - t) / s_length / batch
    # 1 - cosine as half the squared distance of the unit vectors: no cancellation near 0.
    value = 0.5 * np.sum((s - t) ** 2) / batch
    return Loss(float(value), gradient.astype(student.dtype))


def consistency(scores: ArrayLike) -> Loss:
    """Mean squared difference between the scores of examples and of noisy copies of them.

    The student's scores have shape (2 · examples, components): the examples first, then their
    copies in the same order. The gradient pulls both halves towards each other. ValueError for
    scores not as described, or an odd number of rows. Chapter 6.
    """
    scores = checks.check_scores("scores", scores)
    if scores.ndim != 2 or len(scores) % 2:
        raise ValueError(f"scores must be two equal halves of rows, got shape {scores.shape}")
    clean, noisy = np.split(scores, 2)
    value, gradient = rationale_mse(noisy, clean)
    return Loss(value, np.concatenate([-gradient, gradient]))


def _directions(name: str, scores: Array) -> tuple[Array, Array]:
    """Unit vectors along the last axis in float64, and their lengths."""
    scores = scores.astype(np.float64)
    largest = np.abs(scores).max(axis=-1, keepdims=True)
    if (largest == 0).any():
        row = tuple(np.argwhere(largest[..., 0] == 0)[0].tolist())
        raise ValueError(f"{name} must not hold a row of zeros (no direction), got one at {row}")
    scaled = scores / largest  # so that squares neither overflow nor vanish
    length = np.sqrt(np.sum(scaled**2, axis=-1, keepdims=True))
    return scaled / length, length * largest
