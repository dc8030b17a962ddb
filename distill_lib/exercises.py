"""Checks that tell a reader how an exercise went, in a sentence."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def check(answer: ArrayLike, expected: ArrayLike, hint: str = "") -> None:
    """Print whether `answer` is the expected one to about six digits, and if not, what differs.

    Args:
        answer: the reader's number or array; `...` counts as not done yet.
        expected: the right one.
        hint: said where the answer is not right.
    """
    if answer is ... or answer is None:
        print("Over to you: put your answer in place of the dots.")
        return
    right = np.asarray(expected, float)
    try:
        yours = np.asarray(answer)
    except ValueError:  # rows of different lengths
        yours = np.asarray("")
    if yours.dtype.kind not in "biuf":
        print(f"Not yet: expected numbers, got {type(answer).__name__}. {hint}".rstrip())
        return
    if yours.shape != right.shape:
        difference = f"expected shape {right.shape}, yours is {yours.shape}"
    elif np.allclose(yours, right, rtol=1e-6, atol=1e-9):
        print("Right.")
        return
    else:
        worst = np.unravel_index(np.argmax(np.abs(yours - right)), right.shape)
        place = f" at {tuple(map(int, worst))}" if right.ndim else ""
        difference = f"the largest difference is {np.abs(yours - right)[worst]:.3g}{place}"
    print(f"Not yet: {difference}. {hint}".rstrip())
