"""What the exercises of chapter 5 expect, and what typically goes wrong in them."""

import numpy as np

from distill_lib import rationale_mse
from pictures.exercises import check

RNG = np.random.default_rng(5)
ROWS = [  # a batch, a batch of one, and hidden scores, of which there are many
    (RNG.normal(size=(4, 10)), 5 * RNG.normal(size=(4, 10))),
    (np.array([[1.0, 0.0, 2.0]]), np.array([[3.0, -1.0, 0.5]])),
    (RNG.normal(size=(3, 256)), RNG.normal(size=(3, 256))),
]
TEN = [  # logits of ten classes; the last would overflow, were they exponentiated as they are
    (3 * RNG.normal(size=(5, 10)),),
    (5 * RNG.normal(size=(1, 10)),),
    (np.array([[1000.0, 0, 5, 0, 0, 999, 0, -1000, 0, 0]]),),
]


def mse_gradient(answer):
    """The reader's mse_gradient(r, u): of the rationale's MSE with respect to r."""

    def right(r, u):
        return rationale_mse(r, u).gradient

    mistakes = {
        "the loss is a mean over the components: divide by K": (
            lambda r, u: right(r, u) * r.shape[1]
        ),
        "the loss is a mean over the examples, too: divide by their number": (
            lambda r, u: right(r, u) * len(r)
        ),
        "that is the gradient of the sum: divide by K and by the number of examples": (
            lambda r, u: right(r, u) * r.size
        ),
        "the 2 of the square is missing": (lambda r, u: right(r, u) / 2),
        "the sign is turned: that is the pull, and the gradient points uphill": (
            lambda r, u: -right(r, u)
        ),
        "that is the loss of each example, not its gradient": (
            lambda r, u: np.mean((r - u) ** 2, axis=1)
        ),
        "that is the loss: the gradient has a number for each score": (
            lambda r, u: rationale_mse(r, u).value
        ),
    }
    hint = "2/K times the difference, and the mean over the examples divides by their number."
    check(answer, right, hint, tries=ROWS, mistakes=mistakes)


def share_of_rationale(answer):
    """The rationale's share of all pull at s = 0, v = 3, y = 1, α = 0.5, β = 0.3, T = 2."""

    lead = 1 / (1 + np.exp(-1.5)) - 0.5  # σ(v / T) − σ(s / T)

    def share(label=0.25, rationale=1.8, soft=0.4 * lead):
        return rationale / (label + rationale + soft)

    mistakes = {
        "that is its weight; its pull is the weight times how much there is to pull": 0.3,
        "the 2 of the square is missing": share(rationale=0.9),
        "the soft targets' weight is 1 − α − β: what is left, not 1 − α": share(soft=lead),
        "the soft targets' pull has a factor T, too": share(soft=0.2 * lead),
        "the soft targets' probabilities are taken at T, here 2": (
            share(soft=0.4 * (1 / (1 + np.exp(-3)) - 0.5))
        ),
        "that leaves the soft targets out": share(soft=0),
        "that leaves the label out": share(label=0),
    }
    hint = "Put the numbers into the three pulls, and divide the second by the sum of all."
    check(answer, share(), hint, mistakes=mistakes, decimals=2)


def small_or_large(answer):
    """The reader's small_or_large(ten): logits of "0 to 4" and of "5 to 9"."""

    def grouped(combine):
        return lambda ten: np.stack([combine(ten[:, :5]), combine(ten[:, 5:])], axis=1)

    def lead(part):
        return np.logaddexp.reduce(part, axis=1)

    def exponentiated(ten):
        return grouped(lambda part: np.log(np.exp(part).sum(axis=1)))(ten)

    mistakes = {
        "logits do not add up; their exponentials do": grouped(lambda part: part.sum(axis=1)),
        "that is the mean of the logits: add the exponentials, then take the logarithm": (
            grouped(lambda part: part.mean(axis=1))
        ),
        "that is the larger logit of each group: close, but four probabilities are lost": (
            grouped(lambda part: part.max(axis=1))
        ),
        "the two groups are exchanged: 0 to 4 comes first": (
            lambda ten: grouped(lead)(ten)[:, ::-1]
        ),
        "those are the groups of even and odd": (
            lambda ten: np.stack([lead(ten[:, ::2]), lead(ten[:, 1::2])], axis=1)
        ),
        "the classes are on the second axis: one row for each example": (
            lambda ten: grouped(lead)(ten).T
        ),
        "large logits overflow: np.logaddexp does without their exponentials": exponentiated,
    }
    hint = "As in parity: np.logaddexp.reduce over the columns of each group."
    check(answer, grouped(lead), hint, tries=TEN, mistakes=mistakes)
