"""What in a soft target teaches, and what a teacher must know: controls for chapters 2 to 4.

    python studies/controls.py            # both; about a quarter of an hour on one core
    python studies/controls.py whose      # one of them
    python studies/controls.py --check    # repeat a slice of the records, write nothing

The rule is that of `labels.py`: each seed draws the labels, the first weights of teacher and
student, and the order; every way gets the same steps and the same six learning rates, of which the
best mean accuracy on validation decides.
"""

from __future__ import annotations

from functools import cache

from common import data, evened, judge, learn, teach
from engine import Row, main, study

import numpy as np

from distill_lib.data import Split
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.losses import softmax
from distill_lib.models import MLP

RATES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
PLAN = {"steps": 600, "batch_size": 32}
STUDENTS = ["64-10", "64-16-10"]


@cache
def taught(seed: int) -> tuple[MLP, TeacherOutputs]:
    """The seed's teacher of all labels, and its outputs."""
    model = teach(data().train, seed)
    return model, TeacherOutputs.of(model, data().transfer)


# --- Whose soft target? ---------------------------------------------------------------------------


def class_means(outputs: TeacherOutputs, split: Split, T: float) -> TeacherOutputs:
    """For each example the mean soft target of its class: the look-alikes, not this image's."""
    pool = data().transfer
    p = softmax(outputs.at(pool.index), T)
    mean = np.array([p[pool.labels == digit].mean(axis=0) for digit in range(10)])
    return TeacherOutputs(split.index, {"logits": T * np.log(mean[split.labels])})


def of_another(outputs: TeacherOutputs, split: Split, seed: int) -> TeacherOutputs:
    """For each example the outputs for another image of its class, drawn from all."""
    pool, rng = data().transfer, np.random.default_rng(seed)
    others = [
        rng.choice(pool.index[(pool.labels == label) & (pool.index != index)])
        for label, index in zip(split.labels, split.index, strict=True)
    ]
    return TeacherOutputs(split.index, {"logits": outputs.at(np.array(others))})


@study(
    {
        "labels": [30, 100],
        "student": STUDENTS,
        "target": ["label", "own", "class mean", "another image's", "evened"],
    },
    fixed=PLAN | {"T": 4},
    rates=RATES,
)
def whose(target: str, labels: int, student: str, T: float, seed: int, **plan: float) -> Row:
    """The same labelled digits; the soft target is this image's, its class's, or another's."""
    split = data().with_few_labels(labels, seed).transfer.labelled
    model, outputs = taught(seed)
    given = {
        "class mean": lambda: class_means(outputs, split, T),
        "another image's": lambda: of_another(outputs, split, seed),
        "evened": lambda: evened(outputs, split, T),
    }.get(target, lambda: outputs)()
    objective = hard_labels(split) if target == "label" else traditional(split, given, T, 0.0)
    small, _ = learn(student, split, objective, seed, **plan)
    return judge(small, data(), model.logits)


# --- A teacher that knows nothing -----------------------------------------------------------------


def random_teacher(seed: int, spread: float) -> tuple[MLP, TeacherOutputs]:
    """A network like the teacher, untrained; its logits brought to the teacher's spread."""
    model = MLP((64, 256, 256, 10), seed=seed, dtype=np.float64)
    scores = model.logits(data().transfer.inputs)
    return model, TeacherOutputs(data().transfer.index, {"logits": scores * spread / scores.std()})


@study(
    {"labels": [30, 100], "teacher": ["none"], "alpha": [1]},
    {
        "labels": [30, 100],
        "teacher": ["trained", "random", "all alike"],
        "alpha": [0.1, 0.5, 0.9],
    },
    fixed=PLAN | {"student": "64-10", "T": 4},
    rates=RATES,
    seeds=range(10),
)
def random(
    teacher: str, labels: int, T: float, alpha: float, student: str, seed: int, **plan: float
) -> Row:
    """Labels beside a teacher that is trained, random, or says the same of every class.

    The last is label smoothing. All outputs are for the labelled digits alone.
    """
    split = data().with_few_labels(labels, seed).transfer.labelled
    model, outputs = taught(seed)
    if teacher == "random":
        spread = outputs.at(data().transfer.index).std()
        model, outputs = random_teacher(seed, spread)
    elif teacher == "all alike":
        outputs = TeacherOutputs(split.index, {"logits": np.zeros((len(split), 10))})
    objective = hard_labels(split) if teacher == "none" else traditional(split, outputs, T, alpha)
    small, _ = learn(student, split, objective, seed, **plan)
    return judge(small, data(), model.logits)


if __name__ == "__main__":
    main(__file__)
