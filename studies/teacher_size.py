"""How large must a teacher be, and how much must it have seen? For chapter 2.

    python studies/teacher_size.py            # about ten minutes on one core
    python studies/teacher_size.py --check    # repeat a slice of the record, write nothing

Teachers of four sizes, each trained on 30, 300 or all 1,197 labels, teach the two students of the
chapter: soft targets at T = 4 on all inputs, without labels. A student of its teacher's size is
among them: what is left of the gain when nothing is smaller?
"""

from __future__ import annotations

from functools import lru_cache

from common import data, judge, learn, teach
from engine import Row, main, study

from distill_lib.distillation import TeacherOutputs, traditional
from distill_lib.metrics import accuracy
from distill_lib.models import MLP

SIZES = ["64-10", "64-16-10", "64-64-10", "64-256-256-10"]
SEEN = [30, 300, 1197]


@lru_cache(maxsize=len(SIZES) * len(SEEN))  # those of one seed
def taught(size: str, seen: int, seed: int) -> tuple[MLP, TeacherOutputs]:
    """A teacher of this size and so many labels, and its outputs for every input."""
    split = data().with_few_labels(seen, seed).transfer.labelled
    model = teach(split, seed, sizes=[int(n) for n in size.split("-")])
    return model, TeacherOutputs.of(model, data().transfer)


@study(
    {"teacher": SIZES, "seen": SEEN, "student": ["64-10", "64-16-10"]},
    fixed={"T": 4, "steps": 600, "batch_size": 32},
    rates=[0.01, 0.03, 0.1],
    seeds=range(10),
)
def teacher_size(teacher: str, seen: int, student: str, T: float, seed: int, **plan: float) -> Row:
    """One student; "teacher_accuracy" is what its teacher gets right on test."""
    model, outputs = taught(teacher, seen, seed)
    split, test = data().transfer, data().test
    small, _ = learn(student, split, traditional(split, outputs, T, 0.0), seed, **plan)
    measures = judge(small, data(), model.logits)
    del measures["right"]  # its intervals are over seeds: students of the same teachers
    return measures | {"teacher_accuracy": accuracy(model.logits(test.inputs), test.labels)}


if __name__ == "__main__":
    main(__file__)
