"""What the exercises of chapter 11 expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

FEATURES = [
    (np.random.default_rng(k).normal(size=(examples, places * channels)), channels)
    for k, (examples, places, channels) in enumerate([(2, 4, 3), (3, 16, 8), (1, 4, 2)])
]
HINTS = [
    tuple(np.random.default_rng(k).normal(size=shape) for shape in (((n, i), (n, o), (i, o))))
    for k, (n, i, o) in enumerate([(4, 3, 5), (2, 3, 3)])
]
MAPS = [
    tuple(np.random.default_rng([k, j]).random((n, places)) for j in range(2))
    for k, (n, places) in enumerate([(3, 4), (2, 16)])
]


def _places(features, channels):
    return np.maximum(features, 0).reshape(len(features), -1, channels)


def attention_map(answer):
    """The reader's attention_map(features, channels)."""

    def other_order(features, channels):
        a = np.maximum(features, 0).reshape(len(features), channels, -1)
        return np.sum(a**2, axis=1)

    mistakes = {
        "the ReLU is missing: what is below 0 does not come through": lambda f, c: np.sum(
            f.reshape(len(f), -1, c) ** 2, axis=2
        ),
        "the squares are missing": lambda f, c: _places(f, c).sum(axis=2),
        "sum over the channels of a place, not over the places": lambda f, c: np.sum(
            _places(f, c) ** 2, axis=1
        ),
        "the channels of one place stand side by side: they are the last axis": other_order,
    }

    def expected(features, channels):
        return np.sum(_places(features, channels) ** 2, axis=2)

    hint = "reshape(len(features), -1, channels), squares, and a sum over the last axis."
    check(answer, expected, hint, tries=FEATURES, mistakes=mistakes)


def slope_of_map(answer):
    """The reader's slope(student, teacher, W): the gradient of a hint's loss for its map."""

    def error(student, teacher, W):
        return student @ W - teacher

    mistakes = {
        "the factor 2 of the square is missing": lambda s, t, W: s.T @ error(s, t, W) / t.size,
        "divide by the number of squares that the mean is over": (
            lambda s, t, W: 2 * s.T @ error(s, t, W)
        ),
        "the mean is over examples and features: divide by both": (
            lambda s, t, W: 2 * s.T @ error(s, t, W) / len(t)
        ),
        "the sign is turned: the error is what the map says minus what it should": (
            lambda s, t, W: -2 * s.T @ error(s, t, W) / t.size
        ),
    }

    def expected(student, teacher, W):
        return 2 * student.T @ error(student, teacher, W) / teacher.size

    hint = "2 / teacher.size times student.T @ (the error)."
    check(answer, expected, hint, tries=HINTS, mistakes=mistakes)


def by_cosine(answer):
    """The reader's distance(q, p) of two batches of maps, by their cosine."""

    def cosine(q, p):
        lengths = np.linalg.norm(q, axis=1) * np.linalg.norm(p, axis=1)
        return np.sum(q * p, axis=1) / lengths

    mistakes = {
        "that is the cosine: the loss is 0 where it is 1": lambda q, p: np.mean(cosine(q, p)),
        "a factor 2 is missing": lambda q, p: np.mean(1 - cosine(q, p)),
        "take the mean over the examples": lambda q, p: np.sum(2 - 2 * cosine(q, p)),
        "divide each map by its length first": lambda q, p: np.mean(np.sum((q - p) ** 2, axis=1)),
    }

    def expected(q, p):
        return np.mean(2 - 2 * cosine(q, p))

    hint = "Of two arrows of length 1 the squared distance is 2 - 2 cosine."
    check(answer, expected, hint, tries=MAPS, mistakes=mistakes)
