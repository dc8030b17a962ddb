"""What the exercises of chapter 2 expect, and what typically goes wrong in them."""

import numpy as np

from distill_lib import cross_entropy, soft_target_loss, softmax
from pictures.exercises import check

Q, P = np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.6, 0.3])
LABEL, LUCK = np.array([0.0, 1.0, 0.0]), np.array([0.7, 0.2, 0.1])
RNG = np.random.default_rng(0)
STEPS = [  # one-hot rows, soft rows, a batch of one
    (RNG.normal(size=(4, 3)), RNG.normal(size=(5, 4)), np.eye(3)[[0, 2, 1, 1, 0]], 0.5),
    (RNG.normal(size=(4, 3)), RNG.normal(size=(5, 4)), RNG.dirichlet([1, 1, 1], 5), 0.1),
    (RNG.normal(size=(2, 4)), RNG.normal(size=(1, 2)), RNG.dirichlet([1, 1, 1, 1], 1), 1.0),
]


def with_label(answer):
    """The gradient with respect to the logits of a student that says Q, with the label."""
    mistakes = {
        "that is what the label says minus what the student says: the other way round": LABEL - Q,
        "that is minus one over the probability, the gradient with respect to q": -LABEL / Q,
        "only the label's logit has moved, but the others get a gradient too": [0, -0.5, 0],
        "that is with class 2: the classes are counted from 0": [0.2, 0.5, -0.7],
    }
    expected = cross_entropy(np.log(Q), 1).gradient
    check(answer, expected, "What does the label say of each class?", mistakes=mistakes)


def with_soft_target(answer):
    """The same with the teacher's soft target."""
    mistakes = {
        "that is what the teacher says minus what the student says: the other way round": P - Q,
        "that is each class's term of the KL divergence, not its gradient": P * np.log(P / Q),
        "that is minus the ratio p / q, the gradient with respect to q": -P / Q,
    }
    expected = soft_target_loss(np.log(Q), np.log(P), 1).gradient
    check(answer, expected, "What does the teacher say of each class?", mistakes=mistakes)


def luck(answer):
    """The variance that the draw of a label adds."""
    entropy = -np.sum(LUCK * np.log(LUCK))
    mistakes = {
        "that is how often the label is not the likeliest class": 1 - LUCK.max(),
        "that is the sum of the squares: how often two draws agree": np.sum(LUCK**2),
        "that is the entropy, in nats": entropy,
        "that is the entropy, in bits": entropy / np.log(2),
    }
    hint = "What is the variance of a number that is 1 with probability p, and else 0?"
    check(answer, 1 - np.sum(LUCK**2), hint, mistakes=mistakes, decimals=2)


def step(answer):
    """The reader's training step of a linear student."""

    def moved(W, x, targets, rate):
        return W - rate * x.T @ (softmax(x @ W) - targets) / len(x)

    mistakes = {
        "that goes up the hill: subtract the gradient": lambda W, x, t, rate: (
            2 * W - moved(W, x, t, rate)
        ),
        "the gradient is the sum over the examples, not their mean": lambda W, x, t, rate: moved(
            W, x, t, rate * len(x)
        ),
        "the learning rate is forgotten": lambda W, x, t, rate: moved(W, x, t, 1.0),
        "the logits take softmax's place: the student says softmax(x @ W)": lambda W, x, t, r: (
            W - r * x.T @ (x @ W - t) / len(x)
        ),
        "that is the mean over the classes as well": lambda W, x, t, rate: moved(
            W, x, t, rate / W.shape[1]
        ),
    }
    hint = "Forward, gradient, backward, update: see the loop by hand."
    check(answer, moved, hint, tries=STEPS, mistakes=mistakes)
