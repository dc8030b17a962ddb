"""What the exercises on deployment expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

LAYERS = [
    (np.random.default_rng(k).normal(size=shape), np.random.default_rng(k).normal(size=shape[1]), T)
    for k, (shape, T) in enumerate([((5, 3), 2.0), ((16, 10), 1.3)])
]
SIZES = [(64, 16, 8), (16, 10, 8), (64, 16, 3), (784, 30, 4)]
STREAMS = [
    (np.array([False] * 12 + [True] * 3), 0.1, 0.3),
    (np.array([True, True, False, True, False]), 0.05, 0.4),
    (np.array([False] * 5), 0.1, 0.3),
]


def folded(answer):
    """The reader's folded(W, b, T): a last layer whose softmax at 1 is the former one at T."""
    mistakes = {
        "the bias is a part of the logits, too": lambda W, b, T: np.vstack([W / T, b]),
        "that makes the logits larger: a T above 1 should make them smaller": (
            lambda W, b, T: np.vstack([W * T, b * T])
        ),
        "T divides the logits once, not twice": lambda W, b, T: np.vstack([W / T**2, b / T**2]),
    }

    def stacked(function):
        return lambda W, b, T: np.vstack([*function(W, b, T)])

    given = answer if answer is ... or answer is None or not callable(answer) else _whole(answer)
    hint = "Logits are inputs @ W + b: divide both by T."
    expected = stacked(lambda W, b, T: (W / T, b / T))
    check(given, expected, hint, tries=LAYERS, mistakes=mistakes)


def _whole(function):
    """The pair as one array; nothing yet stays nothing."""

    def made(W, b, T):
        pair = function(W, b, T)
        return None if pair is None else np.vstack([*pair])

    return made


def n_bytes(answer):
    """The reader's n_bytes(n_inputs, n_units, bits): of a linear layer in so many bits."""

    def weights(n_inputs, n_units, bits):
        return np.ceil(n_inputs * n_units * bits / 8)

    mistakes = {
        "four bytes a column are missing: it has a bias and a scale": lambda i, u, b: (
            weights(i, u, b) + 4 * u
        ),
        "those are bits: eight of them are a byte": lambda i, u, b: i * u * b + 64 * u,
        "each column has a scale of its own, not each layer": (
            lambda i, u, b: weights(i, u, b) + 4 * u + 4
        ),
        "the columns belong to the units, not to the inputs": (
            lambda i, u, b: weights(i, u, b) + 8 * i
        ),
    }
    hint = "Weights in bits / 8 bytes; four bytes for each bias, and for each column's scale."
    check(
        answer,
        lambda n_inputs, n_units, bits: weights(n_inputs, n_units, bits) + 8 * n_units,
        hint,
        tries=SIZES,
        mistakes=mistakes,
    )


def evidence(answer):
    """The reader's evidence(odd, usual, unusual): its logarithm after the last example."""

    def after(odd, usual, unusual, floor=0.0, even=True):
        e = 0.0
        for one in odd:
            step = np.log((1 - unusual) / (1 - usual)) if even else 0.0
            e = max(floor, e) + (np.log(unusual / usual) if one else step)
        return e

    mistakes = {
        "it starts from 0 or more each time, or a long calm hides a change": (
            lambda odd, usual, unusual: after(odd, usual, unusual, floor=-np.inf)
        ),
        "an example that is not odd speaks, too: for the usual share": (
            lambda odd, usual, unusual: after(odd, usual, unusual, even=False)
        ),
        "the ratio is turned: odd examples speak for the unusual share": (
            lambda odd, usual, unusual: after(odd, unusual, usual)
        ),
    }
    hint = (
        "For each: e = max(0, e) + np.log(...), with one ratio for odd ones, another for the rest."
    )
    check(
        answer,
        lambda odd, usual, unusual: after(odd, usual, unusual),
        hint,
        tries=STREAMS,
        mistakes=mistakes,
    )
