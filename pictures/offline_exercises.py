"""What the exercises on offline distillation expect, and what typically goes wrong in them."""

import numpy as np

from distill_lib import softmax
from pictures.exercises import check

RNG = np.random.default_rng(0)
ANSWERS = [softmax(2 * RNG.normal(size=shape)) for shape in ((5, 8), (3, 20), (4, 6))]
TOPS = [(p, k) for p, k in zip(ANSWERS, (1, 5, 3), strict=True)]
DRAWN = [
    (RNG.multinomial(n, np.sqrt(p) / np.sqrt(p).sum(axis=1, keepdims=True)), p, q)
    for n, p in zip((4, 9, 50), ANSWERS, strict=True)
    for q in [np.sqrt(p) / np.sqrt(p).sum(axis=1, keepdims=True)]
]


def terabytes(answer):
    """A billion answers of 50,000 logits in half precision."""
    mistakes = {
        "half precision is two bytes a number": 1e9 * 50_000 / 1e12,
        "that is single precision, four bytes a number": 1e9 * 50_000 * 4 / 1e12,
        "half precision is 16 bits, and a byte has eight of them": 1e9 * 50_000 * 16 / 1e12,
        "those are gigabytes: a terabyte has 10**12 bytes": 1e9 * 50_000 * 2 / 1e9,
    }
    hint = "Answers times numbers in each times bytes of a number, divided by 10**12."
    check(answer, 1e9 * 50_000 * 2 / 1e12, hint, mistakes=mistakes, decimals=1)


def distance_of_top(answer):
    """The reader's distance(p, k) of the renormalised top k from p."""

    def told(p, k):
        ranked = np.sort(p, axis=1)
        ranked[:, : p.shape[1] - k] = 0
        return ranked / ranked.sum(axis=1, keepdims=True)

    def expected(p, k):
        return 1 - np.sort(p, axis=1)[:, -k:].sum(axis=1)

    mistakes = {
        "half of it: what is missing in one place is too much in another": (
            lambda p, k: 2 * expected(p, k)
        ),
        "that is what the top has, and the distance is what it lacks": (
            lambda p, k: 1 - expected(p, k)
        ),
        "those are the k least likely: np.sort puts the largest last": (
            lambda p, k: 1 - np.sort(p, axis=1)[:, :k].sum(axis=1)
        ),
        "the top must be divided by its sum": (lambda p, k: expected(p, k) / 2),
        "one number for each example, not their mean": lambda p, k: expected(p, k).mean(),
        "that is the largest difference: add them all up": (
            lambda p, k: np.abs(told(p, k) - np.sort(p, axis=1)).max(axis=1)
        ),
    }
    hint = "np.sort(p, axis=1)[:, -k:] are the k likeliest."
    check(answer, expected, hint, tries=TOPS, mistakes=mistakes)


def weights_of_draws(answer):
    """The reader's weights(counts, p, q) of words drawn from q."""

    def expected(counts, p, q):
        return counts * p / q / counts.sum(axis=1, keepdims=True)

    mistakes = {
        "divide by the number of draws": lambda counts, p, q: counts * p / q,
        "that is right for words drawn from p; these are drawn from q": (
            lambda counts, p, q: counts / counts.sum(axis=1, keepdims=True)
        ),
        "a word that q draws too often must weigh less: p / q, not q / p": (
            lambda counts, p, q: counts * q / p / counts.sum(axis=1, keepdims=True)
        ),
        "that makes each row sum to 1, and brings a bias back": (
            lambda counts, p, q: counts * p / q / (counts * p / q).sum(axis=1, keepdims=True)
        ),
        "a word that came twice counts twice": (
            lambda counts, p, q: (counts > 0) * p / q / counts.sum(axis=1, keepdims=True)
        ),
    }
    hint = "The mean of counts is n q: what must it be multiplied with, for p to come out?"
    check(answer, expected, hint, tries=DRAWN, mistakes=mistakes)
