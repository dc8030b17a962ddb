"""What the exercises of chapter 12 expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

rng = np.random.default_rng(8)
PROBABILITIES = [(rng.dirichlet(np.full(k, 0.3), n),) for n, k in ((5, 10), (3, 2), (7, 4))]
WRONG = [tuple(rng.random((2, n)) < share) for n, share in ((60, 0.3), (400, 0.1), (90, 0.5))]


def seven_errors(answer):
    """The standard deviation by chance of 67 - 74 errors, of which 45 are in common."""
    first, second, both = 67, 74, 45
    mistakes = {
        "that would be right for two networks that share no error": np.sqrt(first + second),
        "that is the difference; asked is how far chance moves it": second - first,
        "that is a variance: take its root": first + second - 2 * both,
        "each shared error cancels twice, once for either network": np.sqrt(first + second - both),
        "shared errors are the ones that do not count": np.sqrt(both),
    }
    hint = "Only images that one network has wrong, and the other right, move the difference."
    check(answer, np.sqrt(first + second - 2 * both), hint, mistakes=mistakes, decimals=1)


def implied_bias(answer):
    """The reader's implied_bias(p), from the soft targets of a transfer set."""

    def expected(p):
        return -np.log(p.shape[1] * p.mean(axis=0))

    mistakes = {
        "the sign: what is rare among the soft targets must be raised": lambda p: -expected(p),
        "that is the mean of the logs: the prior is the mean of the probabilities": lambda p: (
            -np.log(p.shape[1] * p).mean(axis=0)
        ),
        "a class as likely as one in K needs no bias: the K is missing": lambda p: (
            -np.log(p.mean(axis=0))
        ),
        "that is a value for each example: a class is a column": lambda p: (
            -np.log(len(p) * p.mean(axis=1))
        ),
    }
    hint = "The prior of a class is the mean of its column; an even one is 1/K."
    check(answer, expected, hint, tries=PROBABILITIES, mistakes=mistakes)


def mended(answer):
    """The reader's mended(alone, distilled), from where two students are wrong."""
    mistakes = {
        "that counts what the distilled student newly has wrong": lambda a, d: np.sum(~a & d),
        "that is a share: count them": lambda a, d: np.mean(a & ~d),
        "that is the difference of the two counts: it hides what comes anew": lambda a, d: (
            a.sum() - d.sum()
        ),
        "that counts what both have wrong": lambda a, d: np.sum(a & d),
    }
    hint = "Wrong before, and not wrong after."
    check(answer, lambda a, d: np.sum(a & ~d), hint, tries=WRONG, mistakes=mistakes)
