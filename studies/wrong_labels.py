"""Wrong labels, for chapter 4: each teacher at its own T, and how long is long.

    python studies/wrong_labels.py            # both; about ten minutes on one core
    python studies/wrong_labels.py amount     # one of them
    python studies/wrong_labels.py --check    # repeat a slice of the records, write nothing

The logits of the three teachers are of very different size, so every T is tried for each of them.
"""

from __future__ import annotations

from functools import cache

from common import data, judge, learn, teach
from engine import Row, main, study

import numpy as np
from traditional import RATES

from distill_lib.data import Dataset
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.metrics import accuracy, fidelity
from distill_lib.models import MLP

KINDS = ["clean", "same wrong labels", "stopped early"]
CASE = {"noise": 0.3, "examples": 300, "batch_size": 32}


@cache
def noisy(examples: int, noise: float, seed: int) -> Dataset:
    """So many examples, a share of their transfer labels wrong; `train` keeps the clean ones."""
    return data().with_n_examples(examples, seed).with_label_noise(noise, seed)


@cache
def noise_teacher(kind: str, examples: int, noise: float, seed: int) -> MLP:
    """A teacher that saw clean labels, the same wrong ones, or these but stopped early."""
    whole = noisy(examples, noise, seed)
    split = whole.train if kind == "clean" else whole.transfer
    early = {"validation": whole.validation, "patience": 5, "look_every": 10}
    return teach(split, seed, 1000, **(early if kind == "stopped early" else {}))


@study(
    {"teacher_labels": ["none"], "T": [0]},
    {"teacher_labels": KINDS, "T": [0.25, 0.5, 1, 2, 4, 8]},
    fixed=CASE | {"steps": 600},
    rates=RATES,
)
def own_temperature(
    teacher_labels: str, T: float, noise: float, examples: int, seed: int, **plan: float
) -> Row:
    """A linear student, soft targets only, of three teachers at six T; or the labels alone."""
    split = noisy(examples, noise, seed).transfer
    test, teacher_logits, of_teacher = data().test, None, {}
    objective = hard_labels(split)
    if teacher_labels != "none":
        model = noise_teacher(teacher_labels, examples, noise, seed)
        outputs, teacher_logits = TeacherOutputs.of(model, split), model.logits
        objective = traditional(split, outputs, T, 0.0)
        of_teacher = {
            "teacher": accuracy(model.logits(test.inputs), test.labels),
            "teacher_spread": float(outputs.at(split.index).std()),
        }
    student, _ = learn("64-10", split, objective, seed, **plan)
    return judge(student, data(), teacher_logits) | of_teacher


@study(
    {"rate": [0.1], "steps": [60, 600]},
    {"rate": [0.01], "steps": [60, 600, 6000]},
    {"rate": [0.003], "steps": [600, 6000, 20000]},
    fixed=CASE,
)
def amount(rate: float, steps: int, noise: float, examples: int, batch_size: int, seed: int) -> Row:
    """The wrong labels alone, by small and large steps, few and many of them."""
    few = noisy(examples, noise, seed)
    plan = {"rate": rate, "steps": steps, "batch_size": batch_size}
    student, _ = learn("64-10", few.transfer, hard_labels(few.transfer), seed, **plan)
    answers = student.logits(few.transfer.inputs).argmax(axis=-1)
    wrong = few.transfer.labels != few.train.labels
    learned = answers[wrong] == few.transfer.labels[wrong]
    kept = {"wrong_labels_learned": float(np.mean(learned))}
    agrees = fidelity(np.eye(10)[answers], np.eye(10)[few.transfer.labels])
    return judge(student, data()) | kept | {"agrees_with_its_labels": agrees}


if __name__ == "__main__":
    main(__file__)
