"""What the exercises of chapter 1 expect, and what typically goes wrong in them."""

import numpy as np

import distill_lib
from pictures.exercises import check

LOGITS = [  # one example, a batch, a batch of one with logits that overflow
    (np.array([1.0, 2.0, 3.0]), 5.0),
    (np.array([[1.0, 0.5, -1.0], [2.0, 0.0, 0.5], [0.0, 3.0, 1.0]]), 2.0),
    (np.array([[1000.0, 0.0, -1000.0]]), 1.0),
]


def softmax(answer):
    """The reader's softmax(z, T)."""

    def naive(z, T):
        e = np.exp(z / T)
        return e / e.sum(axis=-1, keepdims=True)

    def wrong_axis(z, T):
        e = np.exp((z - z.max(axis=0)) / T)
        return e / e.sum(axis=0)

    def over_all(z, T):
        e = np.exp((z - z.max()) / T)
        return e / e.sum()

    mistakes = {
        "large logits overflow: subtract the largest of each row first": naive,
        "that is softmax over the wrong axis: the classes are on the last": wrong_axis,
        "all rows together sum to 1: sum over the last axis, with keepdims=True": over_all,
        "T is forgotten": lambda z, T: distill_lib.softmax(z),
        "the logits are multiplied by T: divide them": lambda z, T: distill_lib.softmax(z * T),
    }
    hint = "Divide by T, subtract each row's largest, take exponentials, divide by their sum."
    check(answer, lambda z, T: distill_lib.softmax(z, T), hint, tries=LOGITS, mistakes=mistakes)


def twice_as_likely(answer):
    """The T at which a lead of 1 makes a class twice as likely."""
    mistakes = {
        "that is log 2, the lead that doubles the odds at T = 1: here the lead is 1": np.log(2),
        "that takes the logarithm to base 2, where the formula has e": 1.0,
        "a class that is twice as likely has odds of 2, not a probability of 2/3 each": 0.5,
    }
    hint = "Put 2 on the left of the formula for the odds."
    check(answer, 1 / np.log(2), hint, mistakes=mistakes, decimals=2)


def at_5(answer):
    """Probabilities at T = 5 from those at T = 1."""
    given = distill_lib.softmax([1.0, 2.0, 3.0])
    mistakes = {
        "they do not sum to 1 yet": given ** (1 / 5),
        "the fifth power cools the answer down, to T = 1/5": given**5 / np.sum(given**5),
        "that divides the probabilities, not the logits, by 5": given / 5,
        "that is softmax of the probabilities: they are not logits": distill_lib.softmax(given, 5),
    }
    hint = "Which power of p is dividing the logits by 5?"
    check(answer, distill_lib.softmax([1.0, 2.0, 3.0], T=5), hint, mistakes=mistakes, decimals=3)
