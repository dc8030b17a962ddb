"""What the exercises of the chapter beyond one machine expect, and what typically goes wrong."""

from math import ceil, floor, log2

import numpy as np

from pictures.exercises import check

SHARDS = [
    (np.random.default_rng(k).normal(size=(len(sizes), 3)), np.array(sizes))
    for k, sizes in enumerate([(7, 6), (2, 2, 1), (1000, 10)])
]
STORES = [(262_144, 256), (128_256, 12), (1000, 5)]
TEACHERS = [(70e9, 1e9, 0.5), (8e9, 1.23e9, 0.75), (3.0, 1.0, 0.25)]


def whole_gradient(answer):
    """The reader's whole(gradients, sizes): the gradient of the mean over all examples."""
    mistakes = {
        "that is the plain average: a small shard's examples count more": (
            lambda gradients, sizes: gradients.mean(axis=0)
        ),
        "divide by the number of all examples": lambda gradients, sizes: sizes @ gradients,
        "divide by the number of all examples, not by that of the processes": (
            lambda gradients, sizes: sizes @ gradients / len(sizes)
        ),
        "each process counts by its number of examples, not by one over it": (
            lambda gradients, sizes: (1 / sizes) @ gradients / np.sum(1 / sizes)
        ),
    }

    def expected(gradients, sizes):
        return sizes @ gradients / sizes.sum()

    hint = "The mean of the gradients, each weighted by its share, sizes / sizes.sum()."
    check(answer, expected, hint, tries=SHARDS, mistakes=mistakes)


def bytes_of_top(answer):
    """The reader's top(vocabulary, k): bytes of k ids and a number of 16 bits for each."""

    def bits(vocabulary):
        return ceil(log2(vocabulary))

    mistakes = {
        "those are the numbers alone: nobody would know whose they are": (
            lambda vocabulary, k: ceil(k * 16 / 8)
        ),
        "those are bits": lambda vocabulary, k: k * (bits(vocabulary) + 16),
        "a vocabulary of 128,256 needs 17 bits: 16 name 65,536 ids": (
            lambda vocabulary, k: ceil(k * (floor(log2(vocabulary - 1)) + 16) / 8)
        ),
        "32 bits for an id are more than these vocabularies need": (
            lambda vocabulary, k: k * (32 + 16) / 8
        ),
        "round up at the end: half a byte takes a byte": (
            lambda vocabulary, k: k * (bits(vocabulary) + 16) // 8
        ),
    }

    def expected(vocabulary, k):
        return ceil(k * (bits(vocabulary) + 16) / 8)

    hint = "ceil(log2(vocabulary)) bits for an id and 16 for its number, k times, in bytes."
    check(answer, expected, hint, tries=STORES, mistakes=mistakes)


def students_needed(answer):
    """The reader's needed(teacher, student, tokens): from how many students stored outputs pay."""
    mistakes = {
        "a forward pass takes 2 operations for each parameter, not 6": (
            lambda teacher, student, tokens: teacher * tokens / (student * (1 - tokens))
        ),
        "a student saves the tokens that it does not need: 1 - tokens": (
            lambda teacher, student, tokens: teacher / (3 * student)
        ),
        "the teacher is asked about the tokens that are used, not about all": (
            lambda teacher, student, tokens: teacher / (3 * student * (1 - tokens))
        ),
    }

    def expected(teacher, student, tokens):
        return 2 * teacher * tokens / (6 * student * (1 - tokens))

    hint = "What the teacher costs, 2 · teacher · tokens, over what one student saves."
    check(answer, expected, hint, tries=TEACHERS, mistakes=mistakes)
