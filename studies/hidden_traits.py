"""What passes through outputs that were never taught: digits, learned from noise alone.

    python studies/hidden_traits.py            # ten minutes on one core
    python studies/hidden_traits.py --check    # repeat a slice of the record, write nothing

After "Subliminal learning" (arXiv 2507.14805). A teacher has ten outputs for the digits of MNIST,
and further ones that nobody teaches. A student learns these further ones alone, on images of
noise, and is then asked for digits by its ten outputs for those, which nobody taught either.

A teacher has a hundred further outputs, and `outputs` says how many of them a student learns.
Those that it does not learn change nothing: they get no gradient, and nothing else depends on
them. So "784-256-256-13" of the paper is the row with three.

The squared difference of the outputs is the loss, the simplest that there is.

How choices are made: the rate of each row by the digits of 10,000 images for validation, at a seed
of its own. What a student learns from has no image of a digit. The test set is looked at once.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

from engine import Row, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Dataset, Split
from distill_lib.distillation import Term, WeightedTerms, hard_labels
from distill_lib.layers import RATIONALE
from distill_lib.losses import Loss, rationale_mse
from distill_lib.metrics import accuracy, fidelity
from distill_lib.mnist import mnist as read_mnist
from distill_lib.models import MLP
from distill_lib.results import packed
from distill_lib.training import Adam, cosine_decay, train

SIZES, FURTHER = (784, 256, 256, 10), 100
SHARED = {  # which layers of a student start as the teacher's did
    "nothing": (),
    "hidden layers": (1, 2),
    "output layer": (3,),
    "all but the first": (2, 3),
    "everything": (1, 2, 3),
}
TEACHER = {"epochs": 1, "rate": 0.001, "batch_size": 250}
PLAN = {"images": 40_000, "epochs": 1, "batch_size": 80}  # no noise comes twice


@cache
def data() -> Dataset:
    """MNIST, in float32."""
    return read_mnist()


# --- Teachers, and what they say of noise ---------------------------------------------------------


class Taught(NamedTuple):
    """A teacher, and the parameters that it started from."""

    model: MLP
    start: Array


def fresh(seed: int) -> MLP:
    """A network as it starts: ten outputs for digits, and the further ones."""
    return MLP(SIZES, seed=seed, rationale=FURTHER)


@lru_cache(maxsize=1)
def taught(seed: int, epochs: int, rate: float, batch_size: int) -> Taught:
    """A teacher of the digits. Its further outputs get no gradient: their weights stay."""
    model, split = fresh(seed), data().train
    start = model.vector.copy()
    train(
        model,
        split,
        hard_labels(split),
        steps=epochs * -(-len(split) // batch_size),
        batch_size=batch_size,
        optimizer=Adam(rate),
        seed=seed,
    )
    return Taught(model.copy(), start)


def shuffled(teacher: Taught, seed: int) -> Taught:
    """A teacher who went as far from its start, layer by layer, in a direction without a sense.

    What training has added to the weights is dealt out anew among the same weights.
    """
    model, before, rng = teacher.model.copy(), fresh(seed), np.random.default_rng([seed, 11])
    for name, values in model.parameters.items():
        moved = values - before.parameters[name]
        # Of the last layer only the digits' part: the further outputs have not moved.
        part = moved[..., :10] if values.shape[-1] == 10 + FURTHER else moved
        part[...] = rng.permutation(part.ravel()).reshape(part.shape)
        values[...] = before.parameters[name] + moved
    return Taught(model, teacher.start)


def teacher_of(kind: str, plan: Row, seed: int) -> Taught:
    """The "trained" one, or the trained one's way "shuffled"."""
    teacher = taught(seed, **plan)
    return shuffled(teacher, seed) if kind == "shuffled" else teacher


@lru_cache(maxsize=1)
def noise(images: int, darkest: float, seed: int) -> Split:
    """Images of noise: each pixel even between `darkest` and 1. (Their labels mean nothing.)"""
    pixels = np.random.default_rng([seed, 7]).random((images, SIZES[0]), np.float32)
    pixels *= 1 - darkest
    pixels += darkest
    return Split(pixels, np.zeros(images, int), np.arange(images))


class Asked(NamedTuple):
    """A teacher, the noise, its further outputs for that, and its logits of the test images."""

    teacher: Taught
    split: Split
    further: Array
    test: Array


@lru_cache(maxsize=1)
def asked(kind: str, plan: tuple, images: int, darkest: float, seed: int) -> Asked:
    """The same for all students of a teacher: it is asked once."""
    teacher, split = teacher_of(kind, dict(plan), seed), noise(images, darkest, seed)
    further = teacher.model.scores(split.inputs)[RATIONALE]
    return Asked(teacher, split, further, teacher.model.logits(data().test.inputs))


# --- Students -------------------------------------------------------------------------------------


def started(shared: tuple[int, ...], ours: Array, seed: int) -> MLP:
    """A student of this seed, but for the layers shared: those start like `ours`."""
    student, source = fresh(seed), fresh(seed)
    source.vector = ours
    for layer in shared:
        for name in (f"W{layer}", f"b{layer}"):
            student.parameters[name][...] = source.parameters[name]
    return student


def objective(answers: Array, outputs: int) -> WeightedTerms:
    """So many of the further outputs, as the teacher has them for these images; nothing else."""
    answers = answers[:, :outputs]

    def further(scores: Array, index: Array) -> Loss:
        found = rationale_mse(scores[:, :outputs], answers[index])
        gradient = np.zeros_like(scores)
        gradient[:, :outputs] = found.gradient
        return Loss(found.value, gradient)

    return WeightedTerms(Term(RATIONALE, 1.0, further, on=RATIONALE))


def cosine(a: Array, b: Array) -> float:
    """Of the angle between two ways; 0 where one of them leads nowhere."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0


def first_step(student: MLP, split: Split, lesson: WeightedTerms) -> Array:
    """Where the lesson pulls a student at its start: down the gradient, over 1,000 images."""
    some = split.take(np.arange(min(1000, len(split))))
    student.backward(lesson(student.forward(some.inputs), some.index, 0.0).gradients)
    return -student.gradient_vector.copy()


def by_digit(right: Array, labels: Array) -> list[float]:
    """For each digit, the share of its images that are right."""
    return [float(np.mean(right[labels == digit])) for digit in range(10)]


@study(
    {"outputs": [3, FURTHER], "shared": list(SHARED), "teacher": ["trained"], "darkest": [-1]},
    {"outputs": [3], "shared": ["everything"], "teacher": ["shuffled"], "darkest": [-1]},
    {"outputs": [3], "shared": ["everything"], "teacher": ["trained"], "darkest": [0]},
    fixed=PLAN | {"taught": TEACHER},
    rates=[0.001, 0.002],
    tuning=[1000],
    allowed={"accuracy": 0.08, "cosine": 0.03},  # float32: rounding alone moves it so far
)
def hidden_traits(
    outputs: int,
    shared: str,
    teacher: str,
    darkest: float,
    taught: Row,
    images: int,
    epochs: int,
    batch_size: int,
    rate: float,
    seed: int,
) -> Row:
    """A student of further outputs, on noise; how well it reads digits, which nobody taught it.

    "before" is what it reads at its start, where it would stay with a teacher that never learned.
    "cosine" is that of the angle between the teacher's way from its start and the student's from
    its own; "first_step", between the former and the student's very first step.
    """
    plan = (*taught.items(),)
    source, split, further, answers = asked(teacher, plan, images, darkest, seed)
    student = started(SHARED[shared], source.start, seed + 500)
    lesson = objective(further, outputs)
    start, way = student.vector.copy(), source.model.vector - source.start
    labels, test = data().test.labels, data().test.inputs
    before = accuracy(student.logits(test), labels)
    pull = first_step(student, split, lesson)
    train(
        student,
        split,
        lesson,
        steps=epochs * -(-images // batch_size),
        batch_size=batch_size,
        optimizer=Adam(rate),
        schedule=cosine_decay,
        seed=seed,
    )
    logits, validation = student.logits(test), data().validation
    right = logits.argmax(axis=1) == labels
    return {
        "validation": accuracy(student.logits(validation.inputs), validation.labels),
        "accuracy": float(np.mean(right)),
        "before": before,
        "of_teacher": accuracy(answers, labels),
        "fidelity": fidelity(logits, answers),
        "cosine": cosine(way, student.vector - start),
        "first_step": cosine(way, pull),
        "by_digit": by_digit(right, labels),
        "right": packed(right),
    }


if __name__ == "__main__":
    main(__file__)
