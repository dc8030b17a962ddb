"""What the exercises of chapter 8 expect, and what typically goes wrong in them."""

import numpy as np

from distill_lib import softmax
from pictures.ch08 import word_errors
from pictures.exercises import check

SENTENCES = [
    (
        np.array(["please", "call", "me", "a", "taxi", "now"]),
        np.array(["please", "call", "a", "tax", "now", "now"]),
    ),
    (np.array(["one", "two"]), np.array(["one", "or", "two", "or", "more"])),
    (np.array(["the", "cat", "sat", "on", "the", "mat"]), np.array(["the", "cat", "sat"])),
]
PROBABILITIES = [
    (softmax(np.random.default_rng(k).normal(0, 3, (members, 4, 5))), T)
    for k, (members, T) in enumerate([(2, 3.0), (10, 5.0), (3, 1.0)])
]


def word_error_rate(answer):
    """The reader's wer(spoken, heard)."""

    def in_place(spoken, heard):
        n = min(len(spoken), len(heard))
        return (np.sum(spoken[:n] != heard[:n]) + abs(len(spoken) - len(heard))) / len(spoken)

    mistakes = {
        "that is how many errors there are: divide by the words that were spoken": word_errors,
        "divide by the words that were spoken, not by those that were heard": (
            lambda s, h: word_errors(s, h) / len(h)
        ),
        "that is the share without an error": lambda s, h: 1 - word_errors(s, h) / len(s),
        "one word left out moves all others: find the fewest changes first": in_place,
    }

    def expected(spoken, heard):
        return word_errors(spoken, heard) / len(spoken)

    hint = "Take ch08.word_errors, and divide by the number of words spoken."
    check(answer, expected, hint, tries=SENTENCES, mistakes=mistakes)


def share_kept(answer):
    """Of 58.9, 61.1 and 60.8: which share of the gain the single student keeps."""
    mistakes = {
        "that compares the accuracies: compare what both have over the baseline": 60.8 / 61.1,
        "that is the share that is lost": (61.1 - 60.8) / (61.1 - 58.9),
        "that is the other way round": (61.1 - 58.9) / (60.8 - 58.9),
        "those are points: divide by the ensemble's gain": 60.8 - 58.9,
    }
    hint = "(student - baseline) / (ensemble - baseline)."
    check(answer, (60.8 - 58.9) / (61.1 - 58.9), hint, mistakes=mistakes, decimals=2)


def ensemble_targets(answer):
    """The reader's targets(p, T)."""
    mistakes = {
        "T is missing": lambda p, T: p.mean(axis=0),
        "that softens each member, and then takes the mean: first the mean": (
            lambda p, T: softmax(np.log(p), T).mean(axis=0)
        ),
        "that is the mean of the logarithms: first the mean, then the logarithm": (
            lambda p, T: softmax(np.log(p).mean(axis=0), T)
        ),
        "probabilities are no logits: take their logarithm before the softmax": (
            lambda p, T: softmax(p.mean(axis=0), T)
        ),
        "the probabilities of an example must sum to 1": (
            lambda p, T: np.exp(np.log(p.mean(axis=0)) / T)
        ),
        "the first axis is the members, the second the examples": (
            lambda p, T: softmax(np.log(p.mean(axis=1)), T)
        ),
    }

    def expected(p, T):
        return softmax(np.log(p.mean(axis=0)), T)

    hint = "p.mean(axis=0) are the ensemble's probabilities; their logarithms are logits."
    check(answer, expected, hint, tries=PROBABILITIES, mistakes=mistakes)
