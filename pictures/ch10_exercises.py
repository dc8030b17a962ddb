"""What the exercises of chapter 10 expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

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
    """The reader's progressive_target(label, before, k, passes, last)."""

    def expected(label, before, k, passes, last):
        w = last * k / passes
        return (1 - w) * label + w * before

    def exchanged(label, before, k, passes, last):
        w = last * k / passes
        return w * label + (1 - w) * before

    def at_once(label, before, k, passes, last):
        return (1 - last) * label + last * before

    def to_one(label, before, k, passes, last):
        w = k / passes
        return (1 - w) * label + w * before

    def not_a_distribution(label, before, k, passes, last):
        return label + last * k / passes * before

    mistakes = {
        "label and answer have changed places": exchanged,
        "w grows with the passes: it is `last` only in the last one": at_once,
        "w grows to `last`, not to 1": to_one,
        "a target sums to 1: the label has to give up what the answer gets": not_a_distribution,
    }
    hint = "w is last · k / passes; the label gets 1 − w, the answer of the pass before gets w."
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
    """The reader's mutual_gradients(q_1, q_2, y, w), the gradients of two students side by side."""

    def expected(q_1, q_2, y, w):
        first, second = (1 - w) * y + w * q_2, (1 - w) * y + w * q_1
        return np.stack([q_1 - first, q_2 - second]) / len(y)

    def own(q_1, q_2, y, w):
        return np.stack([(1 - w) * (q_1 - y), (1 - w) * (q_2 - y)]) / len(y)

    def same(q_1, q_2, y, w):
        target = (1 - w) * y + w * q_2
        return np.stack([q_1 - target, q_2 - target]) / len(y)

    mistakes = {
        "each has its own answer in its target, and that pulls nowhere": own,
        "both have the same target: the second one's holds the answer of the first": same,
        "down, not up: it is the answer minus the target": lambda *at: -expected(*at),
    }
    hint = "Each: (its answer − its target) / examples; its target holds the other's answer."
    check(answer, expected, hint, tries=PAIR, mistakes=mistakes)
