"""What the exercises of chapter 10 expect, and what typically goes wrong in them."""

import numpy as np

from distill_lib import check

LABELS = np.eye(4)[[0, 2]]
BEFORE = np.array([[0.1, 0.6, 0.2, 0.1], [0.25, 0.25, 0.4, 0.1]])
TARGETS = [(LABELS, BEFORE, 1, 40, 0.8), (LABELS, BEFORE, 30, 40, 0.8), (LABELS, BEFORE, 5, 5, 0.4)]
GAINS = [  # accuracies over seeds: of labels alone, of the control, of the method
    tuple(map(np.array, ([0.80, 0.82, 0.81], [0.82, 0.85, 0.82], [0.84, 0.85, 0.85]))),
    tuple(map(np.array, ([0.90, 0.86], [0.93, 0.88], [0.94, 0.86]))),
]
PAIR = [
    (np.array([[0.7, 0.2, 0.1]]), np.array([[0.5, 0.4, 0.1]]), np.array([[0.0, 1.0, 0.0]]), 0.5),
    (np.array([[0.2, 0.8], [0.9, 0.1]]), np.array([[0.6, 0.4], [0.3, 0.7]]), np.eye(2), 0.25),
]


def progressive_target(answer):
    """The reader's progressive_target(label, before, t, passes, last)."""

    def expected(label, before, t, passes, last):
        a = last * t / passes
        return (1 - a) * label + a * before

    def exchanged(label, before, t, passes, last):
        a = last * t / passes
        return a * label + (1 - a) * before

    def at_once(label, before, t, passes, last):
        return (1 - last) * label + last * before

    def to_one(label, before, t, passes, last):
        a = t / passes
        return (1 - a) * label + a * before

    def not_a_distribution(label, before, t, passes, last):
        return label + last * t / passes * before

    mistakes = {
        "label and answer have changed places": exchanged,
        "α grows with the passes: it is `last` only in the last one": at_once,
        "α grows to `last`, not to 1": to_one,
        "a target sums to 1: the label has to give up what the answer gets": not_a_distribution,
    }
    hint = "α is last · t / passes; the label gets 1 − α, the answer of the pass before gets α."
    check(answer, expected, hint, tries=TARGETS, mistakes=mistakes)


def controls_share(answer):
    """The reader's controls_share(alone, control, method)."""

    def expected(alone, control, method):
        return np.mean(control - alone) / np.mean(method - alone)

    mistakes = {
        "that is the share which is the method's own": lambda a, c, m: (
            np.mean(m - c) / np.mean(m - a)
        ),
        "take the gains over labels alone, not the accuracies": lambda a, c, m: (
            np.mean(c) / np.mean(m)
        ),
        "that is upside down": lambda a, c, m: np.mean(m - a) / np.mean(c - a),
        "first the means, then one ratio: a ratio for each seed is at the mercy of small gains": (
            lambda a, c, m: np.mean((c - a) / (m - a))
        ),
    }
    hint = "The mean gain of the control over labels alone, divided by the mean gain of the method."
    check(answer, expected, hint, tries=GAINS, mistakes=mistakes)


def mutual_gradients(answer):
    """The reader's mutual_gradients(p, q, y, w), the gradients of two students side by side."""

    def expected(p, q, y, w):
        first, second = (1 - w) * y + w * q, (1 - w) * y + w * p
        return np.stack([p - first, q - second]) / len(p)

    def own(p, q, y, w):
        return np.stack([(1 - w) * (p - y), (1 - w) * (q - y)]) / len(p)

    def same(p, q, y, w):
        target = (1 - w) * y + w * q
        return np.stack([p - target, q - target]) / len(p)

    mistakes = {
        "each has its own answer in its target, and that pulls nowhere": own,
        "both have the same target: the second one's holds the answer of the first": same,
        "down, not up: it is the answer minus the target": lambda *at: -expected(*at),
    }
    hint = "Each: (its answer − its target) / examples; its target holds the other's answer."
    check(answer, expected, hint, tries=PAIR, mistakes=mistakes)
