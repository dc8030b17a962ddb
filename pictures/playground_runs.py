"""The playground's students: a choice of everything, its teacher, and one training.

The study of the playground and its live panel train with these; nothing here draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from distill_lib import (
    MLP,
    Adam,
    Dataset,
    History,
    Split,
    TeacherOutputs,
    WeightedTerms,
    cosine_decay,
    cosine_enhanced,
    digits,
    hard_labels,
    packed,
    report,
    step_by_step,
    synthetic,
    traditional,
    train,
)
from distill_lib import accuracy as share_right
from distill_lib.checks import (
    Array,
    check_positive,
    check_share,
    check_weights,
    check_whole,
)

ALONE, SELF = "labels alone", "self-distillation"
METHODS = (ALONE, "traditional", "step by step", "cosine-enhanced", SELF)
KNOWING, SAME, RANDOM = "all labels", "same labels", "random"
TEACHERS = (KNOWING, SAME, RANDOM)
DATA = ("digits", "clouds")
HIDDEN = {"digits": (128, 128), "clouds": (32,)}  # units of a teacher's hidden layers
TEACHER_STEPS = 600
BATCH = 32
OTHER = 500  # added to a seed, it is that of an earlier generation
MOST_STEPS, MOST_UNITS, MOST_SEEDS = 5000, 512, 50
AfterStep = Callable[[Any], None]


@dataclass(frozen=True)
class Choice:
    """All that a run of the playground depends on, but for its seed.

    Attributes:
        data: one of `DATA`.
        teacher: one of `TEACHERS`: it has seen all labels, all of them right; or the student's own
            labels alone, wrong ones included; or nothing at all.
        student: hidden units; 0 is a linear student.
        labels: how many labelled examples the student has.
        noise: the share of these labels that are wrong.
        unlabelled: whether the other examples, without labels, teach as well.
        method: one of `METHODS`. By self-distillation the teacher is another student of the same
            kind, which learned from the labels alone.
        T, alpha, beta: temperature, weight of the labels, weight of the rationale (the logits).
        rate, steps: of Adam with cosine decay, in batches of `BATCH`.
    """

    data: str = "digits"
    teacher: str = KNOWING
    student: int = 16
    labels: int = 30
    noise: float = 0.0
    unlabelled: bool = False
    method: str = "traditional"
    T: float = 4.0
    alpha: float = 0.0
    beta: float = 0.0
    rate: float = 0.03
    steps: int = 400

    def __post_init__(self) -> None:
        for name, value, known in (
            ("data", self.data, DATA),
            ("teacher", self.teacher, TEACHERS),
            ("method", self.method, METHODS),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
        whole = dataset(self.data)
        check_whole("student", self.student, 0, MOST_UNITS)
        check_whole("labels", self.labels, whole.n_classes, len(whole.transfer))
        check_share("noise", self.noise)
        check_positive("T", self.T)
        check_positive("rate", self.rate)
        check_whole("steps", self.steps, 1, MOST_STEPS)
        check_weights(alpha=self.alpha, beta=self.beta)

    def with_dials(self, **dials: float) -> Choice:
        """The same choice at another T, alpha, beta and rate."""
        return replace(self, **dials)  # type: ignore[arg-type]


@cache
def dataset(name: str) -> Dataset:
    """The digits, or four clouds of points that overlap."""
    return digits(np.float64) if name == "digits" else synthetic(1500, spread=1.2)


def given(choice: Choice, seed: int) -> Dataset:
    """What the seed's student gets: so many labels, this share of them wrong."""
    whole = dataset(choice.data).with_few_labels(choice.labels, seed)
    whole = whole.with_label_noise(choice.noise, seed)
    return whole if choice.unlabelled else replace(whole, transfer=whole.transfer.labelled)


_taught: dict[tuple[Any, ...], MLP] = {}


def teacher(
    choice: Choice, seed: int, steps: int = TEACHER_STEPS, after_step: AfterStep | None = None
) -> MLP:
    """The seed's teacher; trained once, however many students ask for it."""
    own = (choice.labels, choice.noise) if choice.teacher == SAME else ()
    key = (choice.teacher, choice.data, seed, steps, *own)
    if key in _taught:
        return _taught[key]
    whole = dataset(choice.data)
    sizes = (whole.train.inputs.shape[1], *HIDDEN[choice.data], whole.n_classes)
    model = MLP(sizes, seed=seed, dtype=np.float64)
    if choice.teacher != RANDOM:
        split = whole.train if choice.teacher == KNOWING else given(choice, seed).transfer.labelled
        plan: Any = {"batch_size": 64, "optimizer": Adam(0.003), "schedule": cosine_decay}
        train(
            model, split, hard_labels(split), steps=steps, seed=seed, after_step=after_step, **plan
        )
    while len(_taught) > 60:
        _taught.pop(next(iter(_taught)))
    _taught[key] = model.copy()
    return _taught[key]


def objective(choice: Choice, split: Split, outputs: TeacherOutputs | None) -> WeightedTerms:
    """What the student minimises; `outputs` are its teacher's, whoever that is."""
    if choice.method == ALONE or outputs is None:
        return hard_labels(split)
    if choice.method in ("traditional", SELF):
        return traditional(split, outputs, choice.T, choice.alpha)
    make = step_by_step if choice.method == "step by step" else cosine_enhanced
    return make(split, outputs, choice.T, choice.alpha, choice.beta)


def learn(
    choice: Choice,
    seed: int,
    *,
    batch_size: int = BATCH,
    look_every: int = 20,
    teacher_steps: int = TEACHER_STEPS,
    after_step: AfterStep | None = None,
    start: int | None = None,
) -> tuple[MLP, History]:
    """Train the seed's student; `start`, if it is another number, draws its first weights."""
    data = given(choice, seed)
    split, outputs = data.transfer, None
    plan: Any = {"batch_size": batch_size, "look_every": look_every, "after_step": after_step}
    if choice.method == SELF:
        before, _ = learn(replace(choice, method=ALONE), seed, start=seed + OTHER, **plan)
        outputs = TeacherOutputs.of(before, split)
    elif choice.method != ALONE:
        outputs = TeacherOutputs.of(teacher(choice, seed, teacher_steps, after_step), split)
    else:
        split = split.labelled
    start = seed if start is None else start
    hidden = (choice.student,) if choice.student else ()
    sizes = (split.inputs.shape[1], *hidden, data.n_classes)
    model = MLP(sizes, seed=start, dtype=np.float64)
    plan |= {"optimizer": Adam(choice.rate), "schedule": cosine_decay, "seed": start}
    goal = objective(choice, split, outputs)
    return model, train(model, split, goal, steps=choice.steps, validation=data.validation, **plan)


def judge(choice: Choice, model: MLP, of_teacher: MLP) -> dict[str, Any]:
    """What the student says on validation and on test, beside a teacher.

    "right", packed, is which test examples it has right; "answers" are its classes, a digit each.
    """
    data = dataset(choice.data)
    test, validation = data.test, data.validation
    assert test is not None  # these data sets have one
    logits, theirs = model.logits(test.inputs), of_teacher.logits(test.inputs)
    answers, answers_of_teacher = logits.argmax(axis=1), theirs.argmax(axis=1)
    return report(logits, test.labels, theirs) | {
        "validation": share_right(model.logits(validation.inputs), validation.labels),
        "right": packed(answers == test.labels),
        "teacher_accuracy": float(np.mean(answers_of_teacher == test.labels)),
        "answers": as_text(answers),
        "answers_of_teacher": as_text(answers_of_teacher),
    }


def as_text(classes: Array) -> str:
    """Classes, each below ten, as a text of digits."""
    return "".join(map(str, classes))


# --- What the grid on the page has tried ----------------------------------------------------------


def trials(method: str) -> list[dict[str, float]]:
    """Eight settings of a method's dials, as many for each, of which validation chooses one."""
    if method == ALONE:
        rates = np.geomspace(0.002, 0.2, 8)
        return [{"T": 1.0, "alpha": 1.0, "beta": 0.0, "rate": float(f"{r:.2g}")} for r in rates]
    half = 0.0 if method in ("traditional", SELF) else 0.5  # of what the labels leave
    return [
        {"T": T, "alpha": alpha, "beta": half * (1 - alpha), "rate": rate}
        for T in (4.0, 16.0)
        for alpha in (0.0, 0.5)
        for rate in (0.01, 0.04)
    ]
