"""What the exercises on your own table expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

TWICE = np.array([[1.0, 2], [3, 4], [1, 2], [5, 6], [3, 4], [1, 2], [5, 6], [7, 8]])
TABLES = [
    (TWICE, np.array([0, 0, 1, 1, 0, 2, 1, 2])),
    (TWICE[:, :1], np.array([0, 1, 1, 2, 2, 2, 2, 0])),
    (np.array([[1.0, 2], [2, 1], [1, 1]]), np.array([0, 1, 2])),
]
LAYERS = [
    (
        np.random.default_rng(k).normal(size=(n, units)),
        np.random.default_rng(k + 9).normal(size=units),
        np.random.default_rng(k + 18).normal(3, 2, n),
        np.random.default_rng(k + 27).uniform(0.5, 4, n),
    )
    for k, (n, units) in enumerate([(5, 3), (13, 16)])
]


def torn(answer):
    """The reader's torn(features, part): how many different rows lie in more than one part."""

    def parts_of(features, part):
        sides = {}
        for row, side in zip(features.tolist(), part.tolist(), strict=True):
            sides.setdefault(tuple(row), []).append(side)
        return sides.values()

    def right(features, part):
        return sum(len(set(sides)) > 1 for sides in parts_of(features, part))

    mistakes = {
        "equal rows within one part do no harm: count those that lie in two": (
            lambda features, part: sum(len(sides) > 1 for sides in parts_of(features, part))
        ),
        "each row counts once, however many copies it has": lambda features, part: sum(
            len(sides) for sides in parts_of(features, part) if len(set(sides)) > 1
        ),
        "a row in three parts is one row still": lambda features, part: sum(
            len(set(sides)) - 1 for sides in parts_of(features, part)
        ),
    }
    hint = "For each different row, the set of the parts that it is in; count those with two."
    check(answer, right, hint, tries=TABLES, mistakes=mistakes)


def raw(answer):
    """The reader's raw(W, b, mean, scale): a first layer that takes inputs as they are."""

    def stacked(function):
        return lambda W, b, mean, scale: np.vstack([*function(W, b, mean, scale)])

    def right(W, b, mean, scale):
        V = W / scale[:, None]
        return V, b - mean @ V

    mistakes = {
        "the bias must take the means off, too": lambda W, b, mean, scale: np.vstack(
            [W / scale[:, None], b]
        ),
        "the means are taken off before the division: use the new weights": (
            lambda W, b, mean, scale: np.vstack([W / scale[:, None], b - mean @ W])
        ),
        "the means come off: the bias gets smaller by them": lambda W, b, mean, scale: np.vstack(
            [W / scale[:, None], b + (mean / scale) @ W]
        ),
        "divide by the spread, as the inputs were": lambda W, b, mean, scale: np.vstack(
            [W * scale[:, None], b - (mean * scale) @ W]
        ),
    }
    given = answer
    if answer is not ... and answer is not None and callable(answer):
        given = _whole(answer)
    hint = "(x − mean) / scale @ W + b: sort it into x @ (…) and what does not depend on x."
    check(given, stacked(right), hint, tries=LAYERS, mistakes=mistakes)


def _whole(function):
    """The pair as one array; nothing yet stays nothing."""

    def made(W, b, mean, scale):
        pair = function(W, b, mean, scale)
        return None if pair is None else np.vstack([*pair])

    return made
