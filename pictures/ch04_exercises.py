"""What the exercises of chapter 4 expect, and what typically goes wrong in them."""

import numpy as np

from distill_lib import log_softmax, soft_target_loss
from pictures.exercises import check

RNG = np.random.default_rng(4)
TRIES = [  # two batches, a batch of one, and logits whose exponentials overflow or vanish
    (RNG.normal(size=(5, 4)), 3 * RNG.normal(size=(5, 4)), 3.0),
    (RNG.normal(size=(2, 10)), 5 * RNG.normal(size=(2, 10)), 5.0),
    (np.array([[0.5, -1.0, 2.0]]), np.array([[2.0, 1.0, -1.0]]), 2.0),
    (np.array([[0.0, 1500.0, -1500.0]]), np.array([[1000.0, 0.0, -1000.0]]), 2.0),
]


def _answers(z, v, T):
    """log p of the teacher and log q of the student, both at T."""
    return log_softmax(v, T), log_softmax(z, T)


def _value(term, power=2):
    """A mistaken loss: T to a power times the mean over the batch of a term of log p and log q."""
    return lambda z, v, T: T**power * np.mean(np.sum(term(*_answers(z, v, T)), axis=-1))


def _divergence(log_p, log_q):
    return np.exp(log_p) * (log_p - log_q)


def soft_loss(answer):
    """The reader's soft_loss(z, v, T)."""

    def right(z, v, T):
        return soft_target_loss(z, v, T).value

    def rounded(z, v, T):
        e, f = np.exp(v / T), np.exp(z / T)
        p, q = e / e.sum(axis=-1, keepdims=True), f / f.sum(axis=-1, keepdims=True)
        return T**2 * np.mean(np.sum(p * np.log(p / q), axis=-1))

    def over_classes(z, v, T):
        return T**2 * np.mean(_divergence(*_answers(z, v, T)))

    def summed(z, v, T):
        return len(z) * right(z, v, T)

    def per_example(z, v, T):
        return T**2 * np.sum(_divergence(*_answers(z, v, T)), axis=-1)

    mistakes = {
        "the factor T² is missing": _value(_divergence, power=0),
        "a factor T is there; it takes T²": _value(_divergence, power=1),
        "that is a mean over the classes as well: sum over them, average over the examples": (
            over_classes
        ),
        "that is the sum over the examples: take the mean": summed,
        "that is one number for each example: take their mean": per_example,
        "that is KL the wrong way round: the teacher's p stands before the logarithm": (
            _value(lambda log_p, log_q: _divergence(log_q, log_p))
        ),
        "softmax stands where log-softmax is meant: p · (log p − q) is no divergence": (
            _value(lambda log_p, log_q: np.exp(log_p) * (log_p - np.exp(log_q)))
        ),
        "that is the cross entropy: right to train with, but it never reaches 0": (
            _value(lambda log_p, log_q: -np.exp(log_p) * log_q)
        ),
        "the student's logits are not divided by T": (lambda z, v, T: right(z * T, v, T)),
        "large logits overflow, or a probability is rounded to 0: take log_softmax": rounded,
    }
    hint = "With log_p and log_q at T: sum p · (log_p − log_q) over the classes, then the mean, T²."
    check(answer, right, hint, tries=TRIES, mistakes=mistakes)


def soft_gradient(answer):
    """The reader's soft_gradient(z, v, T): of soft_loss with respect to z."""

    def right(z, v, T):
        return soft_target_loss(z, v, T).gradient

    mistakes = {
        "a factor T is missing: 1/T comes from inside the softmax, T² from before the sum": (
            lambda z, v, T: right(z, v, T) / T
        ),
        "T² is missing: without it q − p would be divided by T, with it multiplied": (
            lambda z, v, T: right(z, v, T) / T**2
        ),
        "a factor T too many: the derivative of z / T brings 1/T, which leaves T of T²": (
            lambda z, v, T: right(z, v, T) * T
        ),
        "the loss is a mean over the batch: divide by the number of examples": (
            lambda z, v, T: right(z, v, T) * len(z)
        ),
        "that is divided by the number of classes, too: they are summed": (
            lambda z, v, T: right(z, v, T) / z.shape[-1]
        ),
        "the sign is turned: the gradient points uphill, from p to q": (
            lambda z, v, T: -right(z, v, T)
        ),
        "both softmaxes are taken at T = 1": (
            lambda z, v, T: T * soft_target_loss(z, v, 1.0).gradient
        ),
        "the student's softmax is taken at T = 1, the teacher's at T": (
            lambda z, v, T: right(z * T, v, T)
        ),
    }
    hint = "What the student says minus what the teacher says, times T, over the batch's size."
    check(answer, right, hint, tries=TRIES[:3], mistakes=mistakes)


def alpha_of_colleague(answer):
    """0.3 · CE + 0.7 · KL at T = 4, averaged over 10 classes and without T², as our α."""
    mistakes = {
        "that is their weight: in our loss the soft term is much larger": 0.3,
        "that is the weight of the soft term": round(1 - 0.3 / (0.3 + 0.7 / 160), 6),
        "that takes account of T² alone; the mean over classes divides as well": (
            0.3 / (0.3 + 0.7 / 16)
        ),
        "that takes account of the mean over classes alone; T² is missing, too": (
            0.3 / (0.3 + 0.7 / 10)
        ),
        "that has a factor T where T² is missing": 0.3 / (0.3 + 0.7 / 40),
        "the two slips make their soft term smaller, not larger": 0.3 / (0.3 + 0.7 * 160),
    }
    hint = "By what is the colleague's soft term too small? Then scale the weights to sum to 1."
    check(answer, 0.3 / (0.3 + 0.7 / 160), hint, mistakes=mistakes, decimals=3)
