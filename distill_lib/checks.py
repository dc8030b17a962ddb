"""Every guard of the library, in one style: what was wrong, what was expected, the value.

Most take the name of an argument and its value. They raise a ValueError, or return the value in
the form that the library computes with. Nothing is clipped, guessed or silently cast: numbers that
a float cannot hold, masks and ragged rows are refused, not repaired.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def as_array(name: str, values: ArrayLike) -> Array:
    """An array; ValueError for a mask, which would be lost, or rows of different lengths."""
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(f"{name} must not be a masked array: the mask would be lost")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of equal length, got {values!r}") from error


def check_kind(name: str, value: object, kind: type, advice: str = "") -> None:
    """ValueError for an object of another class: where it comes in, not ten calls later."""
    if not isinstance(value, kind):
        got = f"{name} must be a {kind.__name__}, got {type(value).__name__}"
        raise ValueError(f"{got}: {advice}" if advice else got)


def check_scores(name: str, scores: ArrayLike) -> Array:
    """Scores as floats: integers become float64, floats keep their type.

    ValueError for others than real numbers, those that float64 cannot hold, a scalar, nothing, or
    what is not finite.
    """
    array = as_array(name, scores)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise ValueError(f"{name} must be real numbers of at most 64 bits, got dtype {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"{name} must have at least one axis, got the scalar {array}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if not np.isfinite(array).all():
        where = _first(~np.isfinite(array))
        advice = ": the logarithm of a probability of 0? TeacherOutputs.from_probabilities takes it"
        advice = advice if np.isneginf(array[where]) else ""
        raise ValueError(f"{name} must be finite, got {array[where]} at index {where}{advice}")
    if array.dtype.kind == "f":
        return array
    if (array > 2**53).any() or (array < -(2**53)).any():
        raise ValueError(f"{name} must lie within ±2**53 as integers: float64 would round them")
    return array.astype(np.float64)


def check_table(name: str, values: ArrayLike, columns: str | int) -> Array:
    """Scores of shape (examples, columns), as many if a number; ValueError as `check_scores`."""
    array = check_scores(name, values)
    if array.ndim != 2 or (not isinstance(columns, str) and array.shape[1] != columns):
        raise ValueError(f"{name} must have shape (examples, {columns}), got {array.shape}")
    return array


def check_probabilities(name: str, probabilities: ArrayLike) -> Array:
    """Rows along the last axis; ValueError for an entry below 0, or a sum that is not 1."""
    p = check_scores(name, probabilities)
    if (p < 0).any():
        raise ValueError(f"{name} must be at least 0, got {p.min()}")
    sums = np.atleast_1d(p.sum(axis=-1, dtype=np.float64))
    wrong = np.abs(sums - 1) > (1e-6 if p.dtype == np.float64 else 1e-3)
    if wrong.any():
        got = f"got a sum of {sums[wrong][0]}: divide each row by its sum"
        raise ValueError(f"{name} must sum to 1, {got}, if it was rounded")
    return p


def _first(where: Array) -> tuple[int, ...]:
    """The index of the first True, as plain numbers."""
    return tuple(int(i) for i in np.argwhere(where)[0])


def _number(value: object) -> float:
    """`value` as a float: nan for what is not one real number, such as an array, a text or True."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return np.nan
    try:
        return float(value)
    except OverflowError:  # a whole number too large for a float
        return np.inf


def check_positive(name: str, value: float) -> float:
    """A float; ValueError for what is no number, not finite, zero or negative."""
    if not 0 < _number(value) < np.inf:  # also refuses nan
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    return _number(value)


def check_not_negative(name: str, value: float) -> float:
    """A float; ValueError for what is no number, not finite, or negative."""
    if not 0 <= _number(value) < np.inf:
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")
    return _number(value)


def check_share(name: str, value: float, below_1: bool = False) -> None:
    """ValueError for anything but a number from 0 to 1, or just below 1."""
    if not 0 <= _number(value) <= 1 or (below_1 and value == 1):
        excluded = ", 1 excluded" if below_1 else ""
        raise ValueError(f"{name} must be a number in 0 .. 1{excluded}, got {value!r}")


def check_weights(**weights: float) -> None:
    """ValueError outside the simplex: each must be at least 0, together at most 1."""
    for name, weight in weights.items():
        check_share(name, weight)
    if sum(weights.values()) > 1 + 1e-12:
        raise ValueError(f"the weights must sum to at most 1, got {weights}")


def check_whole(name: str, value: int, least: int = 1, most: float = np.inf) -> None:
    """ValueError for anything but a whole number from `least` to `most`."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        bounds = f"of at least {least}" if most == np.inf else f"in {least} .. {most}"
        raise ValueError(f"{name} must be a whole number {bounds}, got {value!r}")


def check_dtype(dtype: type) -> None:
    """ValueError for anything but the two types that the book computes in."""
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be np.float32 or np.float64, got {dtype!r}")


def check_labels(labels: ArrayLike, shape: tuple[int, ...], n_classes: int) -> Array:
    """Hard labels, integers in 0 .. n_classes - 1; ValueError for others, or another shape."""
    return check_integers("labels", check_one_each("labels", labels, shape), 0, n_classes - 1)


def check_one_each(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Array:
    """An array of `shape`; ValueError for another, such as one-hot rows or a column."""
    array = as_array(name, values)
    if array.shape != shape:
        advice = ""
        if array.ndim == len(shape) + 1:
            advice = f"; for one-hot rows, take {name}.argmax(axis=1)"
            advice = f"; for a column, take {name}[:, 0]" if array.shape[-1] == 1 else advice
        got = f"{array.shape}{advice}"
        raise ValueError(f"{name} must have shape {shape}, one per example, got {got}")
    return array


def check_integers(name: str, array: Array, least: int, most: float = np.inf) -> Array:
    """Integers from `least` to `most`; ValueError names the first that is not, and what helps."""
    if array.dtype.kind not in "iu":
        wrong, advice = array.ravel(), f"np.unique({name}, return_inverse=True)[1] numbers them"
        if array.dtype.kind in "fb":
            advice = f"{name}.astype(int) makes them so"
            if (odd := wrong[wrong != np.floor(wrong)]).size:
                wrong, advice = odd, "each must be the number of a class"
        first = wrong[:1].tolist()[0] if wrong.size else "nothing"
        got = f"got {first!r} (dtype {array.dtype})"
        raise ValueError(f"{name} must be integers, {got}: {advice}")
    outside = (array < least) | (array > most)
    if outside.any():
        bounds = f"be at least {least}" if most == np.inf else f"lie in {least} .. {most}"
        got = f"{array[_first(outside)]} at index {_first(outside)}"
        raise ValueError(f"{name} must {bounds}, got {got}")
    return array


def check_index(index: ArrayLike) -> Array:
    """Examples' places in a data set, shape (examples,): whole numbers of at least 0.

    ValueError for others; a mask of True and False is none.
    """
    array = as_array("an index", index)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(f"an index must hold whole numbers along one axis, got {array!r}")
    return check_integers("an index", array, least=0)


def check_pair(what: str, student: ArrayLike, teacher: ArrayLike) -> tuple[Array, Array]:
    """Scores of student and teacher, one for one; ValueError for shapes that differ, or bad scores.

    NumPy would broadcast a batch of one over any batch; a misplaced teacher must not pass so.
    """
    student = check_scores(f"student_{what}", student)
    teacher = check_scores(f"teacher_{what}", teacher)
    if student.shape != teacher.shape:
        got = f"{teacher.shape} for the teacher and {student.shape} for the student"
        raise ValueError(f"teacher and student scores must have the same shape, got {got}")
    return student, teacher
