"""What the exercises of chapter 3 expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

RNG = np.random.default_rng(0)
PAIRS = [  # accuracies of two methods on the same seeds, and Student's factor
    (RNG.normal(80, 2, 5), RNG.normal(78, 2, 5), 2.776),
    (RNG.normal(80, 2, 20), RNG.normal(79, 3, 20), 2.093),
    (np.array([81.0, 79.5]), np.array([80.0, 79.0]), 12.706),
]


def least_fidelity(answer):
    """The smallest fidelity of a teacher that is right on 0.97 and a student on 0.80."""
    mistakes = {
        "that is the share that both get right if they err independently": 0.97 * 0.80,
        "that is the largest, where the student is right only where the teacher is": 0.83,
        "the student may agree on less than it gets right": 0.80,
        "that is how far their accuracies are apart": 0.17,
    }
    hint = "On how many digits must both be right, at least?"
    check(answer, 0.77, hint, mistakes=mistakes, decimals=3)


def work(answer):
    """Multiply-adds of a network for MNIST."""
    mistakes = {
        "that counts the biases as well: those are the parameters": 785 * 300 + 301 * 10,
        "each multiply-add is counted twice, as a multiplication and an addition": 2 * 238200,
        "the second layer is missing": 784 * 300,
        "layers follow one another: add their work": 784 * 300 * 10,
    }
    hint = "Count each layer's inputs times its outputs, and add up."
    check(answer, 784 * 300 + 300 * 10, hint, mistakes=mistakes)


def paired(answer):
    """The mean difference and half the width of its interval."""

    def of(d, t, ddof=1):
        return np.array([d.mean(), t * d.std(ddof=ddof) / np.sqrt(len(d))])

    def separate(a, b, t):
        both = np.sqrt(of(a, t)[1] ** 2 + of(b, t)[1] ** 2)
        return np.array([a.mean() - b.mean(), both])

    mistakes = {
        "the spread is that of two separate means: subtract seed by seed first": separate,
        "the standard deviation divides by n: take ddof=1": lambda a, b, t: of(a - b, t, 0),
        "that is the baseline minus the values": lambda a, b, t: of(b - a, t),
        "the factor t is missing: that is the standard error": lambda a, b, t: of(a - b, 1),
        "the root of n is missing: that is the spread of one seed": lambda a, b, t: of(
            a - b, t * np.sqrt(len(a))
        ),
        "that is the whole width, not half of it": lambda a, b, t: of(a - b, 2 * t),
    }
    hint = (
        "Subtract seed by seed, then mean, and t times the standard deviation over the root of n."
    )
    check(answer, lambda a, b, t: of(a - b, t), hint, tries=PAIRS, mistakes=mistakes)
