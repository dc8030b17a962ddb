"""Checks that tell a reader how an exercise went, in a sentence."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def check(
    answer: Any,
    expected: Any,
    hint: str = "",
    *,
    tries: Sequence[tuple[Any, ...]] = (),
    mistakes: Mapping[str, Any] | None = None,
    decimals: int | None = None,
) -> None:
    """Print whether `answer` is right, and if not, what happened.

    Args:
        answer: the reader's number, array or function; `...` counts as not done yet.
        expected: the right one, of the same kind.
        hint: said where nothing more precise is known.
        tries: for a function, the arguments that it is called with, a tuple for each call.
        mistakes: typical wrong answers, each under the words that name what happened, such as
            `{"a factor T is missing": wrong}`.  A function's mistake is named where the answer
            comes out as `wrong` does in every try.
        decimals: an answer rounded to so many, as the question asks, is right; six digits if None.

    ValueError where a function is expected, and there are no arguments to try it with.
    """
    if answer is ... or answer is None:
        print("Over to you: put your answer in place of the dots.")
        return
    if callable(expected) and not tries:
        raise ValueError("a function is tried with arguments: expected tries, got none")
    if callable(expected) != callable(answer):
        kinds = ["function" if callable(one) else "number or array" for one in (expected, answer)]
        print(f"Not yet: expected a {kinds[0]}, got a {kinds[1]}. {hint}".rstrip())
        return
    cases = list(tries) if callable(expected) else [()]
    yours = [_result(answer, case) for case in cases]
    if all(value is None and not fault for value, fault in yours):  # as it stood in the cell
        print("Over to you: put your code in place of the dots, and return the result.")
        return
    faults = []
    for (value, fault), case in zip(yours, cases, strict=True):
        fault = fault or _difference(value, _result(expected, case)[0], decimals)
        faults.append(fault and fault + _place(expected, case))
    if not any(faults):
        print("Right.")
        return
    for words, wrong in (mistakes or {}).items():
        theirs = [_result(wrong, case) for case in cases]
        pairs = zip(yours, theirs, strict=True)
        if not any(one[1] or _difference(one[0], other[0], decimals) for one, other in pairs):
            print(f"Not yet: {words}.")
            return
    print(f"Not yet: {next(filter(None, faults))}. {hint}".rstrip())


def _result(value: Any, case: tuple[Any, ...]) -> tuple[Any, str]:
    """A value as it is; of a function what it returns, and what went wrong in it."""
    if not callable(value):
        return value, ""
    mine = [a.copy() if isinstance(a, np.ndarray) else a for a in case]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = value(*mine)
    except Exception as error:
        return None, f"your function raised {type(error).__name__} ({error})"
    kept = all(np.array_equal(a, b) for a, b in zip(mine, case, strict=True))
    return result, "" if kept else "your function changes its input: let it work on a copy"


def _difference(yours: Any, expected: Any, decimals: int | None) -> str:
    """How an answer differs from the right one; empty if it does not."""
    right = np.asarray(expected, float)
    try:
        array = np.asarray(yours)
    except ValueError:  # rows of different lengths
        array = np.asarray("")
    if array.dtype.kind not in "biuf":
        return f"expected numbers, got {type(yours).__name__}"
    if array.shape != right.shape:
        return f"expected shape {right.shape}, yours is {array.shape}"
    relative, absolute = (1e-6, 1e-9) if decimals is None else (0, 0.5000001 * 10**-decimals)
    if np.allclose(array, right, relative, absolute, equal_nan=True):
        return ""
    if not np.isfinite(array).all():
        return "nan or infinity came out where a number is expected"
    ratio = np.sum(array * right) / np.sum(right * right) if right.any() else 0
    if right.size > 1 and ratio and np.allclose(array, ratio * right, 1e-6, absolute):
        return f"every number is {ratio:.3g} times what is expected"
    worst = np.unravel_index(np.argmax(np.abs(array - right)), right.shape)
    where = f" at {tuple(map(int, worst))}" if right.ndim else ""
    return f"the largest difference is {np.abs(array - right)[worst]:.3g}{where}"


def _place(function: Any, case: tuple[Any, ...]) -> str:
    """The arguments of a try in words: for z of shape (4, 3), T = 5."""
    named = zip(inspect.signature(function).parameters, case, strict=True) if case else ()
    words = [f"{n} of shape {np.shape(a)}" if np.ndim(a) else f"{n} = {a:g}" for n, a in named]
    return f", for {', '.join(words)}" if words else ""
