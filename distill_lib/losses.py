"""Softmax with a temperature, and every loss of the book with its gradient.

All functions take scores whose last axis is the classes (or the components of a rationale), with
any leading axes, and treat everything before the last axis as the batch. They compute in float64
whatever they are given and hand back the type that came in: a batch of scores is small beside the
matrix products that made it, so the accuracy costs nothing that can be measured.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


class Loss(NamedTuple):
    """A loss and how it changes: what every loss of this module returns.

    `value` is the mean over the batch. `gradient` is its derivative with respect to the student's
    scores, in their shape and type.
    """

    value: float
    gradient: Array


def _array(name: str, values: ArrayLike) -> Array:
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(f"{name} must not be a masked array: the mask would be lost")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of equal length, got {values!r}") from error


def check_scores(name: str, scores: ArrayLike) -> Array:
    """Return `scores` as a float array, or say what is wrong with them.

    Integers become float64; floats keep their type.

    Raises:
        ValueError: not real numbers, numbers that float64 cannot hold, a scalar, empty, or not
            finite.
    """
    array = _array(name, scores)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise ValueError(f"{name} must be real numbers of at most 64 bits, got dtype {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"{name} must have at least one axis, got the scalar {array}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite, got {array[where]} at index {where}")
    if array.dtype.kind == "f":
        return array
    if (array > 2**53).any() or (array < -(2**53)).any():
        raise ValueError(f"{name} must lie within ±2**53 as integers: float64 would round them")
    return array.astype(np.float64)


def number(value: object) -> float:
    """`value` as a float: nan for what is not one real number, such as an array, a text or True."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return np.nan
    try:
        return float(value)
    except OverflowError:  # a whole number too large for a float
        return np.inf


def check_positive(name: str, value: float) -> float:
    """Return `value` as a float, or say what is wrong with it.

    Raises:
        ValueError: not a number, not finite, zero or negative.
    """
    if not 0 < number(value) < np.inf:  # also refuses nan
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    return number(value)


def check_share(name: str, value: float) -> None:
    """Refuse anything but a number from 0 to 1.

    Raises:
        ValueError: not a number, or outside 0 .. 1.
    """
    if not 0 <= number(value) <= 1:
        raise ValueError(f"{name} must be a number in 0 .. 1, got {value!r}")


def check_whole(name: str, value: int, least: int = 1, most: float = np.inf) -> None:
    """Refuse anything but a whole number from `least` to `most`.

    Raises:
        ValueError: not a whole number, or outside these bounds.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        bounds = f"of at least {least}" if most == np.inf else f"in {least} .. {most}"
        raise ValueError(f"{name} must be a whole number {bounds}, got {value!r}")


def check_dtype(dtype: type) -> None:
    """Refuse anything but the two types that the book computes in.

    Raises:
        ValueError: neither np.float32 nor np.float64.
    """
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be np.float32 or np.float64, got {dtype!r}")


def check_labels(labels: ArrayLike, shape: tuple[int, ...], n_classes: int) -> Array:
    """Return hard labels as an integer array of `shape`, or say what is wrong with them.

    Raises:
        ValueError: not integers, of another shape, or outside 0 .. n_classes - 1.
    """
    array = _array("labels", labels)
    if array.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, got dtype {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"labels must have shape {shape}, one per example, got {array.shape}")
    outside = (array < 0) | (array >= n_classes)
    if outside.any():
        raise ValueError(f"labels must lie in 0 .. {n_classes - 1}, got {array[outside][0]}")
    return array


def check_same_shape(student: Array, teacher: Array) -> None:
    """Refuse a teacher whose scores do not stand one for one beside the student's.

    NumPy would broadcast a batch of one over any batch; a misplaced teacher must not pass so.

    Raises:
        ValueError: shapes that differ.
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f"teacher and student scores must have the same shape, got {teacher.shape} "
            f"for the teacher and {student.shape} for the student"
        )


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

    Args:
        logits: scores, shape (..., classes); any finite values.
        T: temperature, above 0.

    Returns:
        Log-probabilities in nats, same shape; float32 in gives float32 out, likewise float64.

    Raises:
        ValueError: T or logits not as described.

    Derived in chapter 1, "Breaking it on purpose".
    """
    logits, T = check_scores("logits", logits), check_positive("T", T)
    return _log_softmax(logits, T).astype(logits.dtype)


def softmax(logits: ArrayLike, T: float = 1.0) -> Array:
    """Probabilities exp(logits / T) / sum exp(logits / T) along the last axis.

    Args:
        logits: scores, shape (..., classes); any finite values.
        T: temperature, above 0. Large T evens the probabilities out, small T sharpens them.

    Returns:
        Probabilities, same shape and float type as `logits`, summing to 1 along the last axis.

    Raises:
        ValueError: T or logits not as described.

    Hinton, Vinyals & Dean 2015, section 2. Derived in chapter 1.
    """
    logits, T = check_scores("logits", logits), check_positive("T", T)
    exponentials = np.exp(_exponents(logits, T))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(logits.dtype)


def entropy(probabilities: ArrayLike) -> Array:
    """Entropy -sum p log p along the last axis, in nats; 0 log 0 counts as 0.

    Args:
        probabilities: shape (..., classes), each row at least 0 and summing to 1.

    Returns:
        Shape (...), same float type: from 0 (certain) to log(classes) (no idea).

    Raises:
        ValueError: a negative entry, or a row whose sum is not 1 within rounding.

    Chapter 1, "How much is left unsaid".
    """
    given = check_scores("probabilities", probabilities)
    p = given.astype(np.float64)
    if (p < 0).any():
        raise ValueError(f"probabilities must be at least 0, got {p.min()}")
    sums = np.atleast_1d(p.sum(axis=-1))
    wrong = np.abs(sums - 1) > (1e-6 if given.dtype == np.float64 else 1e-3)
    if wrong.any():
        raise ValueError(f"probabilities must sum to 1, got a sum of {sums[wrong][0]}")
    # "0 -" because a mere minus turns the 0 of a certain row into -0.
    return (0 - np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)).astype(given.dtype)


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> Loss:
    """Mean of -log softmax(logits)[label]: the loss of hard labels, in nats.

    Args:
        logits: the student's scores, shape (..., classes).
        labels: integers in 0 .. classes - 1, shape (...).

    Returns:
        Loss: the mean over the batch, and its gradient (softmax - one-hot) / batch size.

    Raises:
        ValueError: logits or labels not as described.

    Derived in chapter 2, "What a label says".
    """
    logits = check_scores("logits", logits)
    labels = check_labels(labels, logits.shape[:-1], logits.shape[-1])
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

    Args:
        student_logits: shape (..., classes).
        teacher_logits: the same shape; nothing is broadcast.
        T: temperature, above 0, used for both.

    Returns:
        Loss: its gradient with respect to the student's logits is
        T · (softmax(student / T) - softmax(teacher / T)) / batch size.

    Raises:
        ValueError: T or the logits not as described, or shapes that differ.

    Hinton, Vinyals & Dean 2015, section 2. Derived in chapter 3.
    """
    student = check_scores("student_logits", student_logits)
    teacher = check_scores("teacher_logits", teacher_logits)
    check_same_shape(student, teacher)
    T = check_positive("T", T)
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

    Args:
        student_scores: shape (..., components).
        teacher_scores: the same shape; nothing is broadcast.

    Returns:
        Loss: its gradient is 2 (student - teacher) / number of scores.

    Raises:
        ValueError: scores not as described, or shapes that differ.

    Kim et al. 2021 (arXiv 2105.08919) for class scores. Derived in chapter 4.
    """
    student = check_scores("student_scores", student_scores)
    teacher = check_scores("teacher_scores", teacher_scores)
    check_same_shape(student, teacher)
    difference = student.astype(np.float64) - teacher
    gradient = 2 * difference / difference.size
    return Loss(float(np.mean(difference**2)), gradient.astype(student.dtype))


def rationale_cosine(student_scores: ArrayLike, teacher_scores: ArrayLike) -> Loss:
    """1 - cosine of the angle between two rationales, row by row, mean over the batch.

    It compares directions and is blind to length: from 0 (same direction) to 2 (opposite). With a
    single component a direction is only a sign, and the gradient is exactly 0 (chapter 5).

    Args:
        student_scores: shape (..., components); no row may be all zeros.
        teacher_scores: the same shape; no row may be all zeros.

    Returns:
        Loss: its gradient is (cosine · s/|s| - t/|t|) / |s| / batch size, at right angles to s.

    Raises:
        ValueError: scores not as described, shapes that differ, or a row of zeros, which has no
            direction.

    Derived in chapter 5.
    """
    student = check_scores("student_scores", student_scores)
    teacher = check_scores("teacher_scores", teacher_scores)
    check_same_shape(student, teacher)
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

    Args:
        scores: the student's, shape (2 · examples, components): the examples first, then their
            copies in the same order.

    Returns:
        Loss: its gradient pulls both halves towards each other.

    Raises:
        ValueError: scores not as described, or an odd number of rows.

    Chapter 5.
    """
    scores = check_scores("scores", scores)
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
        row = tuple(int(i) for i in np.argwhere(largest[..., 0] == 0)[0])
        raise ValueError(
            f"{name} must not hold a row of zeros (it has no direction), got one at {row}"
        )
    scaled = scores / largest  # so that squares neither overflow nor vanish
    length = np.sqrt(np.sum(scaled**2, axis=-1, keepdims=True))
    return scaled / length, length * largest
