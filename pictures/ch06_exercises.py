"""What the exercises of chapter 6 expect, and what typically goes wrong in them."""

import numpy as np

from distill_lib import rationale_cosine
from pictures.exercises import check

RNG = np.random.default_rng(6)
ROWS = [  # a batch, a batch of one, and rows of very different lengths
    (RNG.normal(size=(4, 10)), 5 * RNG.normal(size=(4, 10))),
    (np.array([[2.0, 0.0, 1.0]]), np.array([[0.0, 5.0, 1.0]])),
    (RNG.normal(size=(3, 5)) * [[0.1], [1.0], [100.0]], RNG.normal(size=(3, 5))),
]
SCORES = [
    (5 * RNG.normal(size=(4, 10)) + 3,),
    (np.array([[0.0, 1.0, 5.0]]),),
    (RNG.normal(size=(3, 10)) * [[0.01], [1.0], [300.0]],),
]


def _length(rows):
    return np.linalg.norm(rows, axis=-1, keepdims=True)


def cosine_gradient(answer):
    """The reader's cosine_gradient(s, t): of one minus the cosine with respect to s."""

    def right(s, t):
        return rationale_cosine(s, t).gradient

    def unit(s, t):
        return s / _length(s), t / _length(t)

    def teacher_long(s, t):
        a, b = unit(s, t)
        return (np.sum(a * b, axis=-1, keepdims=True) * a - t) / _length(s) / len(s)

    def no_projection(s, t):
        return -unit(s, t)[1] / _length(s) / len(s)

    def one_length(s, t):
        a, b = s / np.linalg.norm(s), t / np.linalg.norm(t)
        c = np.sum(a * b, axis=-1, keepdims=True)
        return (c * a - b) / np.linalg.norm(s) / len(s)

    def one_cosine(s, t):
        a, b = unit(s, t)
        return (np.sum(a * b) * a - b) / _length(s) / len(s)

    mistakes = {
        "the loss is a mean over the batch: divide by the number of examples": (
            lambda s, t: right(s, t) * len(s)
        ),
        "it is not divided by the length of s: a long row is hard to turn": (
            lambda s, t: right(s, t) * _length(s)
        ),
        "that is divided by the length of t as well, which is in its unit vector already": (
            lambda s, t: right(s, t) / _length(t)
        ),
        "the sign is turned: that is the gradient of the cosine, and the loss is 1 − cos": (
            lambda s, t: -right(s, t)
        ),
        "that is divided by the number of classes, too": (lambda s, t: right(s, t) / s.shape[-1]),
        "c times the student's unit vector is missing: without it this is not at right angles": (
            no_projection
        ),
        "the teacher's row is not brought to length 1": teacher_long,
        "that is one length for the whole batch: take it row by row, axis=1": one_length,
        "that is one cosine for the whole batch: sum over axis=1, keepdims=True": one_cosine,
    }
    hint = "Per row (c ŝ − t̂) / |s|, with keepdims=True for c and the lengths; then the mean."
    check(answer, right, hint, tries=ROWS, mistakes=mistakes)


def length_after(answer):
    """The length of a row of length 2 after a step of rate 1, 90° from the teacher's."""
    mistakes = {
        "the step is at right angles to the row, so it cannot leave the length as it is": 2.0,
        "the step is at right angles to the row: its length does not simply add": 2.5,
        "the step's length is sin θ divided by |s|": 5**0.5,
        "the step leads away from the foot of the perpendicular, not towards it": 3.75**0.5,
        "that is the square of the length": 4.25,
    }
    hint = "The gradient's length is sin θ / |s|. Then Pythagoras."
    check(answer, 4.25**0.5, hint, mistakes=mistakes, decimals=2)


def standardised(answer):
    """The reader's standardised(scores): each row of mean 0 and standard deviation 1."""

    def right(scores):
        centred = scores - scores.mean(axis=1, keepdims=True)
        return centred / scores.std(axis=1, keepdims=True)

    mistakes = {
        "that is each class's column: a row is one example": (
            lambda z: (z - z.mean(axis=0)) / np.where(z.std(axis=0) > 0, z.std(axis=0), 1)
        ),
        "that is one mean and one deviation for all: take them row by row, axis=1": (
            lambda z: (z - z.mean()) / z.std()
        ),
        "the rows are centred, and not yet divided by their deviations": (
            lambda z: z - z.mean(axis=1, keepdims=True)
        ),
        "the rows are divided, but not centred": lambda z: z / z.std(axis=1, keepdims=True),
        "that makes the length 1; the standard deviation is the root of the mean square": (
            lambda z: right(z) / np.sqrt(z.shape[1])
        ),
        "that divides by the variance: the deviation is its root": (
            lambda z: right(z) / z.std(axis=1, keepdims=True)
        ),
    }
    hint = "Subtract each row's mean, divide by each row's standard deviation, keepdims=True."
    check(answer, right, hint, tries=SCORES, mistakes=mistakes)
