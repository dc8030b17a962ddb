"""What the unit tests hold the library against, and the bad input that they feed it."""

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from distill_lib.data import make_dataset


def central_differences(
    function: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5
) -> np.ndarray:
    """Gradient of a scalar function at `x`, by moving one entry at a time and back again."""
    gradient = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        here = x[place]
        x[place] = here + h
        above = function(x)
        x[place] = here - h
        gradient[place] = (above - function(x)) / (2 * h)
        x[place] = here
    return gradient


# id, value, what the message must say of it
BAD_TEMPERATURES = [
    ("zero", 0, "got 0"),
    ("minus_one", -1.0, "got -1.0"),
    ("nan", np.nan, "got nan"),
    ("inf", np.inf, "got inf"),
    ("minus_inf", -np.inf, "got -inf"),
    ("text", "4", "got '4'"),
    ("none", None, "got None"),
    ("true", True, "got True"),
    ("complex", 1j, "got 1j"),
    ("array", np.array([1.0, 2.0]), "got array([1., 2.])"),
    ("array_of_one", np.array(2.0), "got array(2.)"),
    ("list", [2.0], "got [2.0]"),
]

BAD_SCORES = [
    ("nan", [[0.0, 1.0], [np.nan, 2.0]], "got nan at index (1, 0)"),
    ("inf", [[0.0, np.inf], [1.0, 2.0]], "got inf at index (0, 1)"),
    ("minus_inf", [[0.0, 1.0], [1.0, -np.inf]], "got -inf at index (1, 1)"),
    ("no_rows", np.empty((0, 2)), "must not be empty, got shape (0, 2)"),
    ("no_classes", np.empty((2, 0)), "must not be empty, got shape (2, 0)"),
    ("empty_list", [], "must not be empty, got shape (0,)"),
    ("scalar", 3.5, "got the scalar 3.5"),
    ("text", [["a", "b"]], "got dtype <U1"),
    ("bytes", [[b"a"]], "got dtype |S1"),
    ("ragged", [[0.0, 1.0], [2.0]], "got [[0.0, 1.0], [2.0]]"),
    ("boolean", [[True, False]], "got dtype bool"),
    ("complex", [[1j, 0]], "got dtype complex128"),
    ("none", None, "got dtype object"),
    ("dates", np.array(["2026-01-01"], "M8[D]"), "got dtype datetime64[D]"),
]

# for two examples of three classes
BAD_LABELS = [
    ("too_long", [0, 1, 2], "must have shape (2,), one per example, got (3,)"),
    ("too_short", [0], "must have shape (2,), one per example, got (1,)"),
    ("a_column", [[0], [1]], "must have shape (2,), one per example, got (2, 1)"),
    ("scalar", 1, "must have shape (2,), one per example, got ()"),
    ("too_large", [0, 3], "must lie in 0 .. 2, got 3 at index (1,)"),
    ("negative", [-1, 0], "must lie in 0 .. 2, got -1 at index (0,)"),
    ("float", [0.0, 1.0], "must be integers, got 0.0 (dtype float64): labels.astype(int)"),
    ("between", [0.0, 0.5], "must be integers, got 0.5 (dtype float64): each must be the number"),
    ("nan", [0, np.nan], "must be integers, got nan (dtype float64): each must be the number"),
    ("boolean", [True, False], "must be integers, got True (dtype bool): labels.astype(int)"),
    ("text", ["b", "a"], "got 'b' (dtype <U1): np.unique(labels, return_inverse=True)[1]"),
    ("one_hot", [[1, 0, 0], [0, 1, 0]], "got (2, 3); for one-hot rows, take labels.argmax(axis=1)"),
    ("empty", [], "must have shape (2,), one per example, got (0,)"),
    ("ragged", [[0], [1, 2]], "must have rows of equal length, got [[0], [1, 2]]"),
]

NOT_WHOLE = [0, -1, 2.0, 2.5, np.nan, np.inf, "3", None, True, [3]]
NOT_A_SHARE = [-0.001, 1.001, np.nan, np.inf, -np.inf, "0.5", None, True, 1j, [0.5]]
NOT_POSITIVE = [0, -0.1, np.nan, np.inf, "0.1", None, True, 1j, [0.1]]


def cases(table: list[tuple]) -> dict:
    """Arguments for `parametrize`: each row named by its first column."""
    return {"argvalues": [row[1:] for row in table], "ids": [row[0] for row in table]}


def real_mnist() -> Path | None:
    """The folder with the real files of MNIST: what DISTILL_MNIST names, or beside the project."""
    names = importlib.import_module("distill_lib.mnist").FILES
    beside = Path(__file__).resolve().parents[3] / "shared/data/mnist"
    places = (Path(os.environ.get("DISTILL_MNIST", "")), beside)
    return next((p.resolve() for p in places if all((p / n).exists() for n in names)), None)


def tiny_mnist(sizes=(500, 100, 100)):
    """Noisy pictures of MNIST's size: of each digit so many bright rows, in a place of its own."""
    n, rng = sum(sizes), np.random.default_rng(0)
    labels = np.arange(n) % 10
    pictures = rng.random((n, 28, 28)) * 0.3
    for picture, label in zip(pictures, labels, strict=True):
        picture[2 * label + 3 : 2 * label + 7, 6:22] += 0.7
    inputs = pictures.reshape(n, -1).astype(np.float32)
    return make_dataset("tiny", inputs, labels, 10, sizes, seed=0)
