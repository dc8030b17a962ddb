"""How much is a teacher worth to a student with few labels? For chapter 2.

    python studies/labels.py      # some ten minutes on two free cores; goes on where it was stopped

Each seed draws the labels that are kept, the first weights of teacher and student, and the order
of the examples. Every way of learning gets the same steps, and the same trials of the learning
rate; the rate is chosen on validation, as the best on average over the seeds.
"""

import os
from itertools import product

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # many small runs, one a core

import numpy as np

from distill_lib import (
    MLP,
    Adam,
    LogisticRegression,
    TeacherOutputs,
    accuracy,
    cosine_decay,
    digits,
    fidelity,
    hard_labels,
    record,
    softmax,
    sweep,
    traditional,
    train,
)
from distill_lib.data import Split
from distill_lib.experiments import RESULTS

LABELS = [10, 20, 30, 50, 100, 300, 1197]
RATES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
SEEDS = range(20)
STUDENTS = {
    "64-10": lambda seed: LogisticRegression(64, 10, seed, np.float64),
    "64-16-10": lambda seed: MLP((64, 16, 10), seed, np.float64),
}


def teacher_for(split, seed):
    """The book's teacher, trained on the labels of this split."""
    teacher = MLP((64, 256, 256, 10), seed, np.float64)
    train(
        teacher,
        split,
        hard_labels(split),
        steps=2000,
        batch_size=64,
        optimizer=Adam(0.003),
        schedule=cosine_decay,
        seed=seed,
    )
    return teacher


def evened(outputs, split, T):
    """As sure of its answer at T as the teacher, and without a preference among the others."""
    p = softmax(outputs.at(split.index), T)
    top = p.max(axis=-1, keepdims=True)
    flat = np.where(p == top, top, (1 - top) / (p.shape[-1] - 1))
    return TeacherOutputs(split.index, {"logits": T * np.log(flat)})


def lessons(data, seed, outputs, teacher):
    """The ways of learning: name, number of labels, examples to train on, objective."""
    pool = data.transfer
    answers = Split(pool.inputs, teacher.logits(pool.inputs).argmax(axis=-1), pool.index)
    yield "answers, all inputs", None, pool, hard_labels(answers)
    for T in (1, 4):
        yield f"soft T={T}, all inputs", None, pool, traditional(pool, outputs, T, 0)
    for n in LABELS:
        few = data.with_few_labels(n, seed).transfer.labelled
        yield "alone", n, few, hard_labels(few)
        yield "soft T=4, same inputs", n, few, traditional(few, outputs, 4, 0)
        yield "evened T=4, same inputs", n, few, traditional(few, evened(outputs, few, 4), 4, 0)
        own = TeacherOutputs.of(teacher_for(few, seed), pool)
        yield "teacher of the same labels", n, pool, traditional(pool, own, 4, 0)


def run(seed):
    """Train both students in every way, at every rate: validation, test accuracy, fidelity."""
    data = digits(np.float64)
    teacher = teacher_for(data.train, seed)
    outputs = TeacherOutputs.of(teacher, data.transfer)
    teacher_test = teacher.logits(data.test.inputs)
    reached = {"teacher": accuracy(teacher_test, data.test.labels)}
    for lesson, n, split, objective in lessons(data, seed, outputs, teacher):
        for name, rate in product(STUDENTS, RATES):
            student = STUDENTS[name](seed)
            plan = {"steps": 600, "optimizer": Adam(rate), "schedule": cosine_decay, "seed": seed}
            train(student, split, objective, **plan)
            logits = student.logits(data.test.inputs)
            reached[f"{name} | {lesson} | {n} | {rate}"] = [
                accuracy(student.logits(data.validation.inputs), data.validation.labels),
                accuracy(logits, data.test.labels),
                fidelity(logits, teacher_test),
            ]
    return reached


def chosen(rows, setting):
    """The rate that is best on validation, what led to it, and what it gives on test."""
    tried = {rate: np.array([row[f"{setting} | {rate}"] for row in rows]) for rate in RATES}
    validation = {rate: round(float(values[:, 0].mean()), 4) for rate, values in tried.items()}
    rate = max(RATES, key=validation.get)
    accuracies, fidelities = tried[rate][:, 1:].round(6).T.tolist()
    content = {"rate": rate, "validation": validation}
    return content | {"accuracy": accuracies, "fidelity": fidelities}


def main():
    rows = sweep(run, {}, SEEDS, unfinished=RESULTS / "labels.unfinished.jsonl")
    settings = dict.fromkeys(name.rpartition(" | ")[0] for name in rows[0] if " | " in name)
    students = {name: {} for name in STUDENTS}
    for setting in settings:
        student, lesson, n = setting.split(" | ")
        content = chosen(rows, setting)
        if n == "None":  # it does not look at the labels
            students[student][lesson] = content
        else:
            students[student].setdefault(lesson, {})[n] = content
    content = {
        "labels": LABELS,
        "rates": RATES,
        "teacher": [row["teacher"] for row in rows],
        "students": students,
    }
    record("labels", content, SEEDS, "python studies/labels.py")


if __name__ == "__main__":
    main()
