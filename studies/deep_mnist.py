"""The methods of `deep.py` on 300 images of MNIST, for chapter 11.

    python studies/deep_mnist.py            # some minutes on one core
    python studies/deep_mnist.py --check    # repeat a slice of the record, write nothing

The files of MNIST are downloaded once, or read from the folder that DISTILL_MNIST names. A teacher
has seen 10,000 labels, its student 300 images of those. Five seeds; choices are made at one of
their own, on the images for validation. Float32.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from engine import Row, Study, main, study

import numpy as np
from deep import METHODS, base_terms, chosen_rows, convolutional, feature_terms, maps

from distill_lib.data import Dataset, Split
from distill_lib.distillation import TeacherOutputs, WeightedTerms, hard_labels
from distill_lib.metrics import accuracy, negative_log_likelihood
from distill_lib.mnist import mnist
from distill_lib.models import Network
from distill_lib.results import packed
from distill_lib.training import Adam, cosine_decay, train

FIRST = [
    "labels alone",
    "even targets",
    "soft targets",
    "hint",
    "attention",
    "random hint",
    "soft and hint",
    "soft and attention",
]
PLAN = {
    "student": "4-8",
    "teacher": "8-16",
    "teacher_labels": 10_000,
    "teacher_steps": 400,
    "labels": 300,
    "steps": 200,
    "batch_size": 32,
    "T": 4.0,
    "hint_rate": 0.01,
}
SIDE = 28
FEWER = 2_000  # images that validate: there are more, and no choice needs them


@cache
def data() -> Dataset:
    """MNIST, in float32."""
    return mnist()


def shown(labels: int, teacher_labels: int, seed: int) -> tuple[Split, Split]:
    """The seed's images for teacher and student, who has some of the former."""
    rows = np.random.default_rng(seed).permutation(len(data().train))[:teacher_labels]
    theirs = data().train.take(rows)
    return theirs, theirs.take(np.arange(labels))


@lru_cache(maxsize=2)
def taught(
    whose: str, seed: int, teacher: str, labels: int, teacher_labels: int, steps: int
) -> tuple[Network, TeacherOutputs]:
    """The seed's teacher, trained or "random", and its scores for the student's images."""
    theirs, few = shown(labels, teacher_labels, seed)
    model = convolutional(teacher, 30_000 + seed, SIDE, np.float32)
    if whose != "random":
        plan: Any = {"steps": steps, "batch_size": 64, "schedule": cosine_decay, "seed": seed}
        train(model, theirs, hard_labels(theirs), optimizer=Adam(0.01), **plan)
    model = model.copy()
    scores = model.scores(few.inputs)
    return model, TeacherOutputs(few.index, scores | maps(scores, teacher))


@lru_cache(maxsize=2)
def hits_of_teacher(*of: Any) -> float:
    """Test accuracy of the seed's trained teacher: the same for all of its students."""
    test = data().test
    return accuracy(taught("trained", *of)[0].logits(test.inputs), test.labels)


def student_of(
    method: str,
    choice: Row,
    student: str,
    teacher: str,
    teacher_labels: int,
    teacher_steps: int,
    labels: int,
    steps: int,
    batch_size: int,
    T: float,
    hint_rate: float,
    seed: int,
) -> Network:
    """A student of this method."""
    base, feature, whose = METHODS[method]
    _, few = shown(labels, teacher_labels, seed)
    of = (seed, teacher, labels, teacher_labels, teacher_steps)
    outputs = taught("trained", *of)[1]
    small = convolutional(student, seed, SIDE, np.float32)
    terms = base_terms(base, few, outputs, choice, T)
    if feature:
        theirs = outputs if whose == "trained" else taught(whose, *of)[1]
        terms += feature_terms(feature, theirs, choice["weight"], small, hint_rate, seed)
    plan: Any = {"steps": steps, "batch_size": batch_size, "schedule": cosine_decay, "seed": seed}
    train(small, few, WeightedTerms(*terms), optimizer=Adam(choice["rate"]), **plan)
    return small


def validated(**one: Any) -> Row:
    """Accuracy on some of the images for validation: enough to choose by."""
    small = student_of(**one)
    split = data().validation
    return {"validation": accuracy(small.logits(split.inputs[:FEWER]), split.labels[:FEWER])}


def contents(every: Study) -> Row:
    """Choose each method's dials; then all rows."""
    cases = [{"method": method} for method in FIRST]
    return {"rows": chosen_rows(every, cases, validated)}


@study(
    name="deep_mnist",
    fixed=PLAN,
    seeds=range(5),
    tuning=[1000],
    content=contents,
    allowed={"accuracy": 0.01, "nll": 0.05},
)
def deep_mnist(method: str, choice: Row, seed: int, **plan: Any) -> Row:
    """A student of this method on the 10,000 test images."""
    small = student_of(method, choice, seed=seed, **plan)
    of = (plan[n] for n in ("teacher", "labels", "teacher_labels", "teacher_steps"))
    test = data().test
    logits = small.logits(test.inputs)
    return {
        "accuracy": accuracy(logits, test.labels),
        "nll": negative_log_likelihood(logits, test.labels),
        "teacher_accuracy": hits_of_teacher(seed, *of),
        "right": packed(logits.argmax(axis=-1) == test.labels),
    }


if __name__ == "__main__":
    main(__file__)
