"""The founding paper's table on MNIST: a teacher, its students, and digits that they never saw.

    python studies/mnist.py             # all of it, an hour on two cores; goes on where it was
    python studies/mnist.py teachers    # the teachers alone; `mnist`: the students; `unseen`
    python studies/mnist.py --check     # repeat a slice of the records, write nothing

The files of MNIST are downloaded once, or read from the folder that DISTILL_MNIST names. Teachers,
half an hour of the whole, are kept in `studies/.unfinished/teachers_of_mnist` after that, too.

How choices are made: students learn from 50,000 images, with a teacher that saw no others, and the
10,000 that are left choose the learning rate of each setting, at a seed of its own. Then teachers
and students learn from all 60,000, and the test set is looked at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from inspect import getsource
from itertools import pairwise
from typing import Any
from uuid import uuid4

import engine
from engine import Row, Study, by_seed, main, rows_alone, study
from regularise import jitter, max_norm

import joblib
import numpy as np
from tqdm import tqdm

from distill_lib.checks import Array
from distill_lib.data import Dataset, Split
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.layers import Dropout, Layer, Linear, ReLU
from distill_lib.losses import soft_target_loss, softmax
from distill_lib.metrics import accuracy, fidelity, negative_log_likelihood
from distill_lib.mnist import mnist as read_mnist
from distill_lib.models import MLP, Network
from distill_lib.results import origin, packed
from distill_lib.training import SGD, Diverged, Objective, cosine_decay, train

TEACHER = {
    "width": 1200,
    "rate": 0.1,
    "batch_size": 100,
    "dropout_of_inputs": 0.0,
    "dropout": 0.25,
    "longest": 2.0,  # a unit's incoming weights, as a vector
    "pixels": 2,
}
EPOCHS = 50  # of a teacher's training
STUDENTS = ["784-800-800-10", "784-300-300-10", "784-30-30-10"]
SMALL = STUDENTS[-1]
PLAN = {"epochs": 20, "batch_size": 100}
SEEDS, TUNING = range(5), [1000]

# --- Data -----------------------------------------------------------------------------------------


@cache
def data() -> Dataset:
    """MNIST, in float32."""
    return read_mnist()


@cache
def images(validating: bool) -> Split:
    """What there is to learn from: all 60,000 images, or 50,000 if the others validate."""
    train, rest = data().train, data().validation
    if validating:
        return train
    names = ("inputs", "labels", "index")
    return Split(*(np.concatenate([getattr(s, name) for s in (train, rest)]) for name in names))


def only(split: Split, digits: str) -> Split:
    """The images of these digits, such as "78"."""
    return split.take(np.flatnonzero(np.isin(split.labels, [int(digit) for digit in digits])))


# --- Teachers -------------------------------------------------------------------------------------


def teach(
    split: Split,
    seed: int,
    *,
    epochs: int,
    width: int,
    rate: float,
    batch_size: int,
    dropout_of_inputs: float,
    dropout: float,
    longest: float,
    pixels: int,
) -> Network:
    """Two hidden layers with dropout and short weights, on images that are moved at each look."""
    layers: list[Layer] = [Dropout(dropout_of_inputs)]
    for k, (n, m) in enumerate(pairwise((split.inputs.shape[1], width, width)), start=1):
        layers += [Linear(n, {f"hidden_{k}": m}), ReLU(), Dropout(dropout)]
    model = Network([*layers, Linear(width, {"logits": 10}, gain=1.0)], seed=seed)
    train(
        model,
        split,
        hard_labels(split),
        steps=epochs * -(-len(split) // batch_size),
        batch_size=batch_size,
        optimizer=SGD(rate, 0.9),
        schedule=cosine_decay,
        augment=jitter(pixels),
        after_step=max_norm(longest),
        seed=seed,
    )
    return model


def teacher_of(plan: Row, epochs: int, validating: bool, seed: int) -> Network:
    """Train a teacher, or read it from disk, where it is kept under all that made it."""
    code = [origin(), getsource(teach), getsource(images), plan, epochs, validating, seed]
    path = engine.UNFINISHED / "teachers_of_mnist" / f"{joblib.hash(code)}.npz"
    if not path.exists():
        model = teach(images(validating), seed, epochs=epochs, **plan)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{uuid4().hex}.npz")  # so that an interruption leaves no part
        model.save(beside)
        beside.replace(path)
    return Network.load(path)


@lru_cache(maxsize=1)
def asked(plan: tuple, epochs: int, validating: bool, seed: int) -> tuple[Array, TeacherOutputs]:
    """A teacher's logits of the test images, and its outputs for those to learn from."""
    model = teacher_of(dict(plan), epochs, validating, seed)
    test = model.logits(data().test.inputs)
    outputs = model.logits(images(validating).inputs)  # alone: hidden scores would be 600 MB
    return test, TeacherOutputs(images(validating).index, {"logits": outputs})


def measures(logits: Array, teacher: Array | None = None) -> Row:
    """What is recorded of one network's answers to the test images, beside its teacher's."""
    labels = data().test.labels
    right = logits.argmax(axis=1) == labels
    row = {"errors": int(np.sum(~right)), "nll": negative_log_likelihood(logits, labels)}
    if teacher is not None:
        row["fidelity"] = fidelity(logits, teacher)
    return row | {"right": packed(right)}


def have_teachers(study: Study, report: Sequence[int]) -> None:
    """Train those teachers of a study that are not on disk: each once, and the longest first.

    Besides that of the choices, those of the seeds of the `report`.
    """
    epochs = sorted({setting["taught"] for setting in study.settings} - {0}, reverse=True)
    seeds = [(True, seed) for seed in TUNING] + [(False, seed) for seed in report]
    tasks = [(study.fixed["teacher"], taught, *one) for taught in epochs for one in seeds]
    parallel = joblib.Parallel(engine.JOBS, batch_size=1, return_as="generator_unordered")
    trained = parallel(joblib.delayed(teacher_of)(*task) for task in tasks)
    for _ in tqdm(trained, desc="teachers", total=len(tasks), unit="teacher", delay=1):
        pass


def taught_first(study: Study) -> Row:
    """What is recorded of the teachers, and what their plan was chosen by: errors on validation."""
    have_teachers(study, study.seeds)
    validation = data().validation
    errors = {}
    for taught in (setting["taught"] for setting in study.settings):
        model = teacher_of(study.fixed["teacher"], taught, True, TUNING[0])
        errors[taught] = int(np.sum(model.predict(validation.inputs) != validation.labels))
    return rows_alone(study) | {"validation_errors": errors}


@study(
    {"taught": [1, EPOCHS]},
    fixed={"teacher": TEACHER, "validating": False},
    seeds=SEEDS,
    content=taught_first,
    checked=lambda row: row["taught"] == 1,
    allowed={"errors": 60},  # float32, and one epoch: rounding alone moves it by so many
)
def teachers(taught: int, teacher: Row, validating: bool, seed: int) -> Row:
    """The teachers, `taught` epochs, and what the barely taught one of the checks can do."""
    model = teacher_of(teacher, taught, validating, seed)
    return measures(model.logits(data().test.inputs))


# --- Students -------------------------------------------------------------------------------------


def warmed_up(done: float) -> float:
    """Up to the full rate in the first tenth of the steps, then down along half a cosine.

    Soft targets at a high T pull hard at first: at once, the full rate leaves many students without
    a single unit that is not 0 for every image.
    """
    return min(1.0, 10 * done) * cosine_decay(done)


def learn(
    student: str,
    split: Split,
    objective: Objective,
    seed: int,
    *,
    rate: float,
    epochs: int,
    batch_size: int,
    **options: Any,
) -> MLP:
    """A student such as "784-300-300-10": momentum, one rate, and nothing that regularises.

    `options` are further ones of `train`, for the attempts of `mnist_closer`.
    """
    model = MLP([int(n) for n in student.split("-")], seed=seed)
    train(
        model,
        split,
        objective,
        steps=epochs * -(-len(split) // batch_size),
        batch_size=batch_size,
        optimizer=SGD(rate, 0.9),
        seed=seed,
        **({"schedule": warmed_up} | options),
    )
    return model


def chosen_on_validation(study: Study) -> Row:
    """Rates chosen on validation, of 50,000 images; the report, of 60,000."""
    have_teachers(study, study.seeds)
    pairs = study.chosen([setting | {"validating": True} for setting in study.settings])
    rows = study.runs([setting | {"validating": False} for setting, _ in pairs], study.seeds)
    return {
        "rows": [
            {**{n: v for n, v in setting.items() if n != "validating"}, **trials, **by_seed(row)}
            for (setting, trials), row in zip(pairs, rows, strict=True)
        ]
    }


@study(
    {"student": STUDENTS, "T": [None], "taught": [0]},
    {"student": STUDENTS[:1], "T": [4, 20], "taught": [EPOCHS]},
    {"student": STUDENTS[1:], "T": [1, 2, 4, 8, 20], "taught": [EPOCHS]},
    {"student": [SMALL], "T": [4], "taught": [1]},
    fixed=PLAN | {"teacher": TEACHER, "validating": False},
    rates=[0.03, 0.1],
    tuning=TUNING,
    seeds=SEEDS,
    content=chosen_on_validation,
    checked=lambda row: row["student"] == SMALL and row["taught"] < EPOCHS,
    allowed={"errors": 60},
)
def mnist(
    student: str,
    T: float | None,
    taught: int,
    teacher: Row,
    validating: bool,
    seed: int,
    **plan: float,
) -> Row:
    """A student of hard labels alone (T is None), or of soft targets alone."""
    split = images(validating)
    answers, objective = None, hard_labels(split)
    if T is not None:
        answers, outputs = asked((*teacher.items(),), taught, validating, seed)
        objective = traditional(split, outputs, T, 0.0)
    try:
        model = learn(student, split, objective, seed, **plan)
    except Diverged:
        if validating:
            return {"validation": 0.0}
        raise
    if validating:
        validation = data().validation
        return {"validation": accuracy(model.logits(validation.inputs), validation.labels)}
    return measures(model.logits(data().test.inputs), answers)


# --- Digits that were never shown -----------------------------------------------------------------


def bias_of(outputs: TeacherOutputs, split: Split) -> Array:
    """What to add to a student's logits so that all classes are as likely as one another.

    By the teacher's own probabilities, the mean over the images shown, a digit that is not among
    them is rare, and the student learned it so. Neither labels nor other images are looked at.
    """
    implied = softmax(outputs.at(split.index).astype(np.float64)).mean(axis=0)
    return -np.log(len(implied) * implied)


@study(
    {
        "shown": ["012456789", "78"],
        "T": [4],
        "student": ["784-800-800-10"],
        "taught": [EPOCHS],
    },
    {"shown": ["78"], "T": [4], "student": [SMALL], "taught": [1]},
    fixed=PLAN | {"teacher": TEACHER, "validating": False},
    rates=[0.03, 0.1],
    tuning=TUNING,
    seeds=SEEDS,
    content=chosen_on_validation,
    checked=lambda row: row["taught"] == 1,
    allowed={"errors": 600, "corrected_errors": 600},
)
def unseen(
    shown: str,
    T: float,
    student: str,
    taught: int,
    teacher: Row,
    validating: bool,
    seed: int,
    **plan: float,
) -> Row:
    """A student to whom some digits alone are shown, before and after `bias_of`.

    "unseen" and "corrected_unseen" are the shares right of the other digits. The rate is chosen on
    the digits shown: whoever has no others to show has none to validate on. Not by the accuracy
    there (of two digits, the smallest rate has the best one, and knows the least of the others),
    but by how close the student comes to the soft targets.
    """
    _, outputs = asked((*teacher.items(),), taught, validating, seed)
    split, test = only(images(validating), shown), data().test
    try:
        model = learn(student, split, traditional(split, outputs, T, 0.0), seed, **plan)
    except Diverged:
        if validating:
            return {"validation": -100.0}
        raise
    if validating:
        inputs = only(data().validation, shown).inputs
        answers = teacher_of(teacher, taught, validating, seed).logits(inputs)
        return {"validation": -soft_target_loss(model.logits(inputs), answers, T).value}
    bias, logits = bias_of(outputs, split), model.logits(test.inputs)
    others = ~np.isin(test.labels, [int(digit) for digit in shown])
    row: Row = {"bias": bias.round(4).tolist()}
    for name, corrected in (("", logits), ("corrected_", logits + bias)):
        right = corrected.argmax(axis=1) == test.labels
        row |= {f"{name}errors": int(np.sum(~right)), f"{name}right": packed(right)}
        row[f"{name}unseen"] = float(np.mean(right[others]))
    return row


if __name__ == "__main__":
    main(__file__)
