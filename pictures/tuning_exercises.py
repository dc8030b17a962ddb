"""What the exercises of the chapter on tuning expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

DRAWS = [
    tuple(np.random.default_rng(k).random(size=2) for k in range(2)),
    (np.array([0.0, 0.25, 0.5, 1.0]), np.array([1.0])),
]
SPANS = [(u, 1.0, 32.0) for u in DRAWS[0]] + [(DRAWS[1][0], 0.003, 0.3)]
SCHEDULES = [(np.linspace(0, 1, 5), 32.0, 1.0), (np.array([0.1, 0.9]), 8.0, 2.0)]
TABLES = [
    (np.array([[0.8, 0.9, 0.7], [0.6, 0.9, 0.9]]), np.array([[0.8, 0.7, 0.9], [0.6, 0.5, 0.8]])),
    tuple(np.random.default_rng(3).random((2, 4, 6))),
]


def log_uniform(answer):
    """The reader's draw(u, low, high): from shares of the way to values on a logarithmic scale."""
    mistakes = {
        "that is the straight line: half of the trials would be above the middle": (
            lambda u, low, high: low + (high - low) * u
        ),
        "that is the logarithm of the answer: take exp of it": (
            lambda u, low, high: np.log(low) + u * np.log(high / low)
        ),
        "u = 0 must give low, and u = 1 high: yours is turned": (
            lambda u, low, high: high * (low / high) ** u
        ),
    }

    def expected(u, low, high):
        return low * (high / low) ** u

    hint = "low times (high / low) to the power u."
    check(answer, expected, hint, tries=SPANS, mistakes=mistakes)


def halving(answer):
    """The reader's temperature(done, start, end): falling by equal factors."""
    mistakes = {
        "that falls by equal amounts; equal factors were asked for": (
            lambda done, start, end: start + (end - start) * done
        ),
        "it runs the other way: done = 0 must give the start": (
            lambda done, start, end: end * (start / end) ** done
        ),
        "the exponent is done itself: at done = 1 the end is reached": (
            lambda done, start, end: start * np.exp(-done)
        ),
    }

    def expected(done, start, end):
        return start * (end / start) ** done

    hint = "start times (end / start) to the power done."
    check(answer, expected, hint, tries=SCHEDULES, mistakes=mistakes)


def curse(answer):
    """The reader's optimism(validation, test), of arrays of shape (searches, trials)."""

    def less(usual, choose=lambda v, t: v.argmax(axis=1)):
        """Each winner's gap, less what is usual for its trial in the gaps of all searches."""

        def found(validation, test):
            gap = validation - test
            winners = enumerate(choose(validation, test))
            return np.mean([gap[k, best] - usual(gap, k, best) for k, best in winners])

        return found

    def others(gap, k, best):
        return np.mean(np.delete(gap[:, best], k))

    expected = less(others)
    mistakes = {
        "the two splits differ anyway: take off the difference of the same trial elsewhere": (
            less(lambda gap, k, best: 0)
        ),
        "you take off the mean over all trials, bad ones too: only the winner's trial counts": (
            less(lambda gap, k, best: np.mean(gap))
        ),
        "the winner is among those that you take off: leave its own search out": (
            less(lambda gap, k, best: np.mean(gap[:, best]))
        ),
        "you let test choose a winner of its own: it must be validation's": (
            less(others, choose=lambda v, t: t.argmax(axis=1))
        ),
        "the sign is turned: optimism is validation minus test": (lambda v, t: -expected(v, t)),
    }
    hint = "Each winner's validation minus test, less the mean of that trial's in other searches."
    check(answer, expected, hint, tries=TABLES, mistakes=mistakes)
