"""How much of a teacher's answer must be kept? All of it, its top, or a few ids drawn from it.

    python studies/sparse_storage.py            # both; two minutes on one core
    python studies/sparse_storage.py --check    # repeat a slice of the records, write nothing

A made-up language: 100 words, some far more frequent than others, and contexts of 8 numbers. The
teacher knows how likely each word is in each context. A linear student learns from what was kept of
600 contexts and is judged on others, where the teacher itself is the truth: no labels, no luck.

Each seed draws the language, the contexts, and the ids that are kept: once, as in a store, for all
epochs. Each way of keeping gets the same trials of the learning rate, on seeds of their own, and
stops where the words of validation contexts, one each, are foretold best; or does not stop. In
`same_rate` nothing is chosen, and all go on to the end: what some have lost then is their noise or
their bias, learned whole.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from common import learn
from engine import Row, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.distillation import Term, WeightedTerms
from distill_lib.losses import Loss, log_softmax, softmax
from distill_lib.metrics import negative_log_likelihood

N_FEATURES, N_HIDDEN, N_VALIDATION, N_TEST = 8, 32, 300, 1000
BINS = 15
# Chosen among eight on seed 0, with all figures in view, so that an earlier trial is met: 20 draws
# are some 8.5 words, and learning from the whole answer leaves 0.046 nats.
ZIPF, SPREAD, GAIN = 1.4, 2.5, 0.75
EVENER = 0.5  # the power of the probabilities by which "drawn evener" draws


class Language(NamedTuple):
    """Contexts, and the teacher's logits for each: what is stored, validation, test."""

    stored: Split
    logits: Array
    validation: Split
    test: Array
    test_logits: Array


@cache
def language(vocabulary: int, contexts: int, seed: int) -> Language:
    """The k-th word's logit is -1.4 log k, as in Zipf's law, and a curved function of the context.

    The student has straight lines only: there is a divergence that no targets take from it.
    """
    rng = np.random.default_rng([seed, 2503])
    A = rng.normal(size=(N_FEATURES, N_HIDDEN)) / np.sqrt(N_FEATURES)
    B = rng.normal(size=(N_HIDDEN, vocabulary)) / np.sqrt(N_HIDDEN)
    x = rng.normal(size=(contexts + N_VALIDATION + N_TEST, N_FEATURES))
    logits = SPREAD * np.tanh(GAIN * x @ A) @ B / GAIN - ZIPF * np.log(1 + np.arange(vocabulary))
    words = (softmax(logits).cumsum(axis=1) < rng.random((len(x), 1))).sum(axis=1)
    words, ends = words.clip(max=vocabulary - 1), [contexts, contexts + N_VALIDATION]
    stored, validation = (
        Split(x[rows], words[rows], np.arange(len(x))[rows])
        for rows in (slice(ends[0]), slice(*ends))
    )
    return Language(stored, logits[: ends[0]], validation, x[ends[1] :], logits[ends[1] :])


# --- What is kept: targets for the student, shape (contexts, words), and bytes a context ----------


class Kept(NamedTuple):
    """Weights of the words as the student gets them, and what they cost.

    `ids` are how many words there are of a context, on average.
    """

    targets: Array
    bytes: float
    ids: float


def whole(logits: Array, dtype: type) -> Kept:
    """All logits, in this type."""
    kept = logits.astype(dtype)
    targets = softmax(kept.astype(np.float64))
    return Kept(targets, kept.nbytes / len(kept), logits.shape[1])


def top(p: Array, k: int, tail: bool) -> Kept:
    """The k likeliest words and their probabilities in half precision.

    The rest, whose sum is known, is spread over the other words (`tail`); or left out, and the k
    are divided by their sum.
    """
    ids = np.argsort(-p, axis=1, kind="stable")[:, :k]
    weights = np.take_along_axis(p, ids, axis=1).astype(np.float16)
    ids = ids.astype(np.min_scalar_type(p.shape[1] - 1))
    read = weights.astype(np.float64)
    total = read.sum(axis=1, keepdims=True)
    if tail and k < p.shape[1]:
        targets = np.repeat((1 - total).clip(0) / (p.shape[1] - k), p.shape[1], axis=1)
    else:
        targets, read = np.zeros_like(p), read / total
    np.put_along_axis(targets, ids.astype(int), read, axis=1)
    return Kept(targets, (ids.nbytes + weights.nbytes) / len(p), k)


def drawn(p: Array, n: int, rng: np.random.Generator, power: float = 1.0) -> Kept:
    """n words drawn from q, which is p^power made to sum to 1; each weighs p / q / n.

    Whatever the power, the mean weight of a word is its probability. At a power of 1 all draws
    weigh the same, and their counts, a byte each, are enough; else it is half precision. A byte
    says how many words a context has. Anshumann et al. 2025 (arXiv 2503.16870).
    """
    q = p**power
    q /= q.sum(axis=1, keepdims=True)
    counts = rng.multinomial(n, q)
    contexts, ids = np.nonzero(counts)
    weights = counts[contexts, ids] * (p / q)[contexts, ids] / n
    if power != 1:
        weights = weights.astype(np.float16)
    targets = np.zeros_like(p)
    targets[contexts, ids] = weights
    per_id = np.min_scalar_type(p.shape[1] - 1).itemsize + (1 if power == 1 else 2)
    return Kept(targets, 1 + per_id * len(ids) / len(p), len(ids) / len(p))


KINDS = {
    "all": lambda logits, n, rng: whole(logits, np.float32),
    "all, half precision": lambda logits, n, rng: whole(logits, np.float16),
    "top": lambda logits, n, rng: top(softmax(logits), n, tail=False),
    "top, even tail": lambda logits, n, rng: top(softmax(logits), n, tail=True),
    "drawn": lambda logits, n, rng: drawn(softmax(logits), n, rng),
    "drawn evener": lambda logits, n, rng: drawn(softmax(logits), n, rng, EVENER),
}

# --- Learning from it, and what comes of it -------------------------------------------------------


def weighted_cross_entropy(logits: Array, weights: Array) -> Loss:
    """Mean over the batch of -Σ weight · log p(word); the weights need not sum to 1."""
    log_p, total = log_softmax(logits), weights.sum(axis=1, keepdims=True)
    gradient = (np.exp(log_p) * total - weights) / len(logits)
    return Loss(float(-np.sum(weights * log_p) / len(logits)), gradient)


def expected_calibration(logits: Array, teacher_logits: Array) -> float:
    """Calibration error where the teacher is the truth: nothing is drawn.

    In each bin of confidence, the mean confidence less the mean probability, by the teacher, of the
    student's answer; the sizes of these, weighted by the examples in the bin.
    """
    p = softmax(logits)
    rows, answers = np.arange(len(p)), p.argmax(axis=1)
    gap = p[rows, answers] - softmax(teacher_logits)[rows, answers]
    bins = np.clip(np.ceil(p[rows, answers] * BINS).astype(int) - 1, 0, BINS - 1)
    return float(np.abs(np.bincount(bins, gap, BINS)).sum() / len(p))


LADDER = [1, 2, 3, 5, 8, 12, 20, 50]
CASE = {"vocabulary": 100, "contexts": 600, "steps": 400, "batch_size": 60}
ALLOWED = {"kl": 0.005, "calibration": 0.005, "accuracy": 0.005, "bytes": 0.1, "ids": 0.1}


@study(
    {"keep": ["all", "all, half precision"], "n": [100], "stop": [True]},
    {"keep": ["top", "top, even tail", "drawn"], "n": LADDER, "stop": [True]},
    {"keep": ["drawn evener"], "n": [5, 20, 50], "stop": [True]},
    {"keep": ["all"], "n": [100], "stop": [False]},
    {"keep": ["top"], "n": [3, 12, 50], "stop": [False]},
    {"keep": ["top, even tail"], "n": [12], "stop": [False]},
    {"keep": ["drawn"], "n": [1, 20], "stop": [False]},
    fixed=CASE,
    rates=[0.003, 0.01, 0.03, 0.1, 0.3],
    tuning=range(100, 103),
    allowed=ALLOWED,
)
def sparse_storage(
    keep: str, n: int, stop: bool, vocabulary: int, contexts: int, seed: int, **plan: float
) -> Row:
    """A linear student; n words are kept of each context, or drawn."""
    world = language(vocabulary, contexts, seed)
    kept = KINDS[keep](world.logits, n, np.random.default_rng([seed, n]))
    loss = Term("kept", 1.0, lambda z, index: weighted_cross_entropy(z, kept.targets[index]))
    looks = {"validation": world.validation, "patience": 3, "look_every": 20} if stop else {}
    shape = f"{N_FEATURES}-{vocabulary}"
    student, history = learn(shape, world.stored, WeightedTerms(loss), seed, **plan, **looks)
    logits, teacher = student.logits(world.test), softmax(world.test_logits)
    kl = np.sum(teacher * (log_softmax(world.test_logits) - log_softmax(logits)), axis=1)
    foretold = negative_log_likelihood(
        student.logits(world.validation.inputs), world.validation.labels
    )
    return {
        "validation": -foretold,
        "kl": float(kl.mean()),
        "calibration": expected_calibration(logits, world.test_logits),
        "accuracy": float(teacher[np.arange(len(logits)), logits.argmax(axis=1)].mean()),
        "bytes": kept.bytes,
        "ids": kept.ids,
        "steps_taken": history.best_step,
    }


@study(
    {"keep": ["all", "all, half precision"], "n": [100]},
    {"keep": ["top", "top, even tail", "drawn"], "n": [1, 3, 12, 20, 50]},
    fixed=CASE | {"rate": 0.1},
    allowed=ALLOWED,
)
def same_rate(keep: str, n: int, seed: int, **plan: float) -> Row:
    """The same at one rate for all, the best of the whole answer, and to the end."""
    return sparse_storage(keep, n, False, seed=seed, **plan)


if __name__ == "__main__":
    main(__file__)
