"""How much is a teacher worth to a student with few labels? For chapter 2.

    python studies/labels.py            # some ten minutes on two free cores
    python studies/labels.py --check    # repeat a slice of the record, write nothing

Each seed draws the labels that are kept, the first weights of teacher and student, and the order
of the examples. Every way of learning gets the same steps, and the same trials of the learning
rate; the rate is chosen on validation, as the best on average over the seeds.
"""

from __future__ import annotations

from functools import lru_cache

from common import answers, data, evened, judge, learn, teach
from engine import Row, Study, main, study

from distill_lib import MLP, Split, TeacherOutputs, accuracy, hard_labels, traditional

LABELS = [10, 20, 30, 50, 100, 300, 1197]
ALL, SAME = LABELS[-1], "teacher of the same labels"
STUDENTS = ["64-10", "64-16-10"]
POOL = ["answers, all inputs", "soft T=1, all inputs", "soft T=4, all inputs"]  # no labels
FEW = ["alone", "soft T=4, same inputs", "evened T=4, same inputs", SAME]


def few(labels: int, seed: int) -> Split:
    """So many labelled examples, and no others."""
    return data().with_few_labels(labels, seed).transfer.labelled


@lru_cache(maxsize=len(LABELS))  # those of one seed
def teacher(labels: int, seed: int) -> tuple[MLP, TeacherOutputs]:
    """The book's teacher, trained on so many labels, and its outputs for every input."""
    model = teach(few(labels, seed), seed)
    return model, TeacherOutputs.of(model, data().transfer)


def nested(study: Study) -> Row:
    """The table by student, lesson and, where they matter, labels."""
    students: Row = {student: {} for student in STUDENTS}
    for row in study.table():
        place = students[row.pop("student")]
        lesson, labels, teacher = (row.pop(name) for name in ("lesson", "labels", "teacher"))
        row["validation"] = row.pop("trials")  # the mean by rate
        if labels:
            place.setdefault(lesson, {})[labels] = row
        else:
            place[lesson] = row
    return {"labels": LABELS, "teacher": teacher, "students": students}


def unnested(content: Row) -> list[Row]:
    """The table again; without the validation accuracy of each seed, which was not written."""
    rows = []
    for student, lessons in content["students"].items():
        for lesson, by_labels in lessons.items():
            of_pool = lesson in POOL
            for labels, row in ({None: by_labels} if of_pool else by_labels).items():
                setting = {"student": student, "lesson": lesson, "labels": labels and int(labels)}
                row = {**setting, **row}
                row["trials"] = row.pop("validation")
                rows.append(row)
    return rows


@study(
    # The student last: both learn from a teacher that is at hand.
    {"lesson": POOL, "labels": [None], "student": STUDENTS},
    {"lesson": FEW, "labels": LABELS, "student": STUDENTS},
    fixed={"steps": 600, "batch_size": 32},
    rates=[0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
    content=nested,
    rows=unnested,
)
def labels(lesson: str, labels: int | None, student: str, seed: int, **plan: float) -> Row:
    """One student; the weight of the labels is 0 where there are soft targets."""
    pool, labelled = data().transfer, few(labels or ALL, seed)
    model, outputs = teacher(ALL, seed)
    split, objective = {
        "answers, all inputs": lambda: (pool, answers(pool, outputs)),
        "soft T=1, all inputs": lambda: (pool, traditional(pool, outputs, 1, 0)),
        "soft T=4, all inputs": lambda: (pool, traditional(pool, outputs, 4, 0)),
        "alone": lambda: (labelled, hard_labels(labelled)),
        "soft T=4, same inputs": lambda: (labelled, traditional(labelled, outputs, 4, 0)),
        "evened T=4, same inputs": lambda: (
            labelled,
            traditional(labelled, evened(outputs, labelled, 4), 4, 0),
        ),
        SAME: lambda: (pool, traditional(pool, teacher(labels, seed)[1], 4, 0)),
    }[lesson]()
    small, _ = learn(student, split, objective, seed, **plan)
    measures = judge(small, data(), model.logits)
    measures["teacher"] = accuracy(model.logits(data().test.inputs), data().test.labels)
    kept = ("validation", "accuracy", "right", "fidelity", "teacher")
    return {name: measures[name] for name in kept}


if __name__ == "__main__":
    main(__file__)
