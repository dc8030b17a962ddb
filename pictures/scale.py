"""What distillation costs beyond one machine: a teacher's outputs in bytes, and its passes.

Rules of thumb, not measurements. Operations for one token (or example) are 2 for each parameter in
a forward pass and 6 in a step of training (Kaplan et al. 2020, arXiv 2001.08361, section 2.1); how
much of a machine's speed either of them reaches differs, so that hours may say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, inf, log2
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from distill_lib.checks import check_positive, check_probabilities, check_whole

FORWARD, TRAINING = 2, 6
"""Operations for each parameter and token."""
COUNT_BITS = 7
"""For how often an id was drawn: with 17 bits of id (a vocabulary of 128,256), three bytes."""
PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "Llama 3.2": {  # its model card: 1B and 3B, with logits of 8B and 70B for part of the training
        "vocabulary": 128_256,
        "training_hours": 830_000,
        "logits_hours": 86_000,
    },
    "Gemma 3": {"vocabulary": 262_144, "kept": 256},  # arXiv 2503.19786
    "sparse logits": {"vocabulary": 128_256, "draws": 50, "ids": 12, "bytes": 36},  # 2503.16870
}


def bytes_per_example(vocabulary: int, kind: str, k: int = 0, bits: int = 16) -> int:
    """Bytes that a teacher's stored answer takes, for one example or one token of a text.

    Args:
        vocabulary: number of classes, or of tokens.
        kind: "label", the most likely id alone; "full", a number for every id; "top-k", the k most
            likely ids, each with a number; "sampled", k different ids, each with how often it was
            drawn, as `different_ids` has it.
        k: how many ids, for the last two.
        bits: of a number; 16 for float16.

    ValueError for another kind, or a k that is not in 1 .. vocabulary where it counts.
    """
    check_whole("vocabulary", vocabulary, least=2)
    id_bits = ceil(log2(vocabulary))
    each = {
        "label": id_bits,
        "full": bits,
        "top-k": id_bits + bits,
        "sampled": id_bits + COUNT_BITS,
    }
    if kind not in each:
        raise ValueError(f"kind must be one of {sorted(each)}, got {kind!r}")
    if kind in ("top-k", "sampled"):
        check_whole("k", k, most=vocabulary)
    entries = {"label": 1, "full": vocabulary}.get(kind, k)
    return ceil(entries * each[kind] / 8)


def different_ids(probabilities: ArrayLike, draws: int) -> float:
    """How many ids are drawn at least once, on average: the sum of 1 - (1 - p) to the draws.

    ValueError for what are no probabilities, shape (classes,), or draws below 1.
    """
    check_whole("draws", draws)
    p = check_probabilities("probabilities", probabilities).astype(np.float64)
    return float(np.sum(1 - (1 - p) ** draws))


def seconds_to_send(n_bytes: float, gigabits: float) -> float:
    """Through a network of so many gigabits a second, if nobody else uses it."""
    return 8 * n_bytes / (check_positive("gigabits", gigabits) * 1e9)


def teacher_share(
    teacher: float, student: float, students: int = 1, passes: int = 1, *, stored: bool = True
) -> float:
    """Share of all operations that are the teacher's forward passes.

    `teacher` and `student` are numbers of parameters, `passes` how often each student sees an
    example. With `stored` outputs the teacher is asked once about each, else at every turn, and
    then their number changes nothing. ValueError for numbers that are not above 0.
    """
    for name, value in (("teacher", teacher), ("student", student)):
        check_positive(name, value)
    turns = _turns(students, passes)
    asked = FORWARD * teacher * (1 if stored else turns)
    return asked / (asked + TRAINING * student * turns)


def _turns(students: int, passes: int) -> int:
    """How often an example is learned from; ValueError for numbers not whole, or below 1."""
    check_whole("students", students)
    check_whole("passes", passes)
    return students * passes


def when_a_teacher_pays(
    teacher: float, student: float, alone: float, distilled: float, teacher_tokens: float = 0
) -> float:
    """From how many students of one size on a teacher costs less than it saves; inf for never.

    Args:
        teacher, student: numbers of parameters.
        alone: tokens that a student trains on without a teacher.
        distilled: tokens to become as good with its stored outputs, which must be made for each.
        teacher_tokens: that the teacher has to be trained on first; 0 where it exists anyway.

    ValueError for parameters or tokens not above 0.
    """
    values = {"teacher": teacher, "student": student, "alone": alone, "distilled": distilled}
    for name, value in values.items():
        check_positive(name, value)
    once = FORWARD * teacher * distilled + TRAINING * teacher * teacher_tokens
    saved = TRAINING * student * (alone - distilled)
    return once / saved if saved > 0 else inf


def must_save(training_hours: float, logits_hours: float) -> float:
    """How much more training its students must cost without a teacher, for its hours to pay.

    A share: 0.1 says ten percent more. ValueError for hours not above 0.
    """
    return check_positive("logits_hours", logits_hours) / check_positive(
        "training_hours", training_hours
    )
