"""How much is a teacher worth to a student with few labels? For chapter 2.

    python studies/labels.py            # some ten minutes on two free cores
    python studies/labels.py --check    # repeat a slice of the record, write nothing

Each seed draws the labels that are kept, the first weights of teacher and student, and the order
of the examples. Every way of learning gets the same steps, and the same trials of the learning
rate; the rate is chosen on validation, as the best on average over the seeds.
"""

from __future__ import annotations

from functools import lru_cache

from common import SEEDS, TWO_DIGITS, answers, by_seed, data, judge, learn, main, runs, study, teach

import numpy as np

from distill_lib import MLP, Split, TeacherOutputs, accuracy, hard_labels, softmax, traditional
from distill_lib.experiments import Row

LABELS = [10, 20, 30, 50, 100, 300, 1197]
ALL, OWN = LABELS[-1], "teacher of the same labels"
RATES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
STUDENTS = ["64-10", "64-16-10"]
POOL = ["answers, all inputs", "soft T=1, all inputs", "soft T=4, all inputs"]  # no labels
FEW = ["alone", "soft T=4, same inputs", "evened T=4, same inputs", OWN]
LESSONS = [(lesson, None) for lesson in POOL] + [(lesson, n) for lesson in FEW for n in LABELS]
CASES = [{"student": s, "lesson": lesson, "labels": n} for s in STUDENTS for lesson, n in LESSONS]


def few(labels: int, seed: int) -> Split:
    """So many labelled examples, and no others."""
    return data().with_few_labels(labels, seed).transfer.labelled


@lru_cache(maxsize=len(LABELS))  # those of one seed
def teacher(labels: int, seed: int) -> tuple[MLP, TeacherOutputs]:
    """The book's teacher, trained on so many labels, and what it says of every input."""
    model = teach(few(labels, seed), seed)
    return model, TeacherOutputs.of(model, data().transfer)


def evened(outputs: TeacherOutputs, split: Split, T: float) -> TeacherOutputs:
    """As sure of its answer at T as the teacher, and without a preference among the others."""
    p = softmax(outputs.at(split.index), T)
    top = p.max(axis=-1, keepdims=True)
    flat = np.where(p == top, top, (1 - top) / (p.shape[-1] - 1))
    return TeacherOutputs(split.index, {"logits": T * np.log(flat)})


def recorded_rows(content: Row) -> list[Row]:
    """The record as rows."""
    found = [content["students"][case["student"]][case["lesson"]] for case in CASES]
    return [c | f.get(str(c["labels"]), f) for c, f in zip(CASES, found, strict=True)]


def content() -> Row:
    """Run everything, and choose each rate."""
    [rows] = runs(everything, [{}], SEEDS)
    students: Row = {student: {} for student in STUDENTS}
    for case in CASES:
        tried = {rate: by_seed([row[str(case | {"rate": rate})] for row in rows]) for rate in RATES}
        validation = {r: round(float(np.mean(tried[r].pop("validation"))), 4) for r in RATES}
        rate = max(RATES, key=validation.__getitem__)
        found = {"rate": rate, "validation": validation} | tried[rate]
        if case["labels"]:
            students[case["student"]].setdefault(case["lesson"], {})[case["labels"]] = found
        else:
            students[case["student"]][case["lesson"]] = found
    experts = [row["teacher"] for row in rows]
    return {"labels": LABELS, "rates": RATES, "teacher": experts, "students": students}


@study(
    content=content,
    rows=recorded_rows,
    allowed={"accuracy": TWO_DIGITS, "fidelity": TWO_DIGITS},
)
def labels(student: str, lesson: str, labels: int | None, rate: float, seed: int) -> Row:
    """One student; the weight of the labels is 0 where there are soft targets."""
    pool, own = data().transfer, few(labels or ALL, seed)
    expert, outputs = teacher(ALL, seed)
    split, objective = {
        "answers, all inputs": lambda: (pool, answers(pool, outputs)),
        "soft T=1, all inputs": lambda: (pool, traditional(pool, outputs, 1, 0)),
        "soft T=4, all inputs": lambda: (pool, traditional(pool, outputs, 4, 0)),
        "alone": lambda: (own, hard_labels(own)),
        "soft T=4, same inputs": lambda: (own, traditional(own, outputs, 4, 0)),
        "evened T=4, same inputs": lambda: (own, traditional(own, evened(outputs, own, 4), 4, 0)),
        OWN: lambda: (pool, traditional(pool, teacher(labels, seed)[1], 4, 0)),
    }[lesson]()
    model, _ = learn(student, split, objective, rate, seed)
    measures = judge(model, data(), expert.logits)
    return {measure: measures[measure] for measure in ("validation", "accuracy", "fidelity")}


def everything(seed: int) -> Row:
    """Both students in every way at every rate: a seed at a time, for the sake of its teachers."""
    expert, test = teacher(ALL, seed)[0], data().test
    tried = [case | {"rate": rate} for case in CASES for rate in RATES]
    reached = {"teacher": accuracy(expert.logits(test.inputs), test.labels)}
    return reached | {str(case): labels(**case, seed=seed) for case in tried}


if __name__ == "__main__":
    main(__file__)
