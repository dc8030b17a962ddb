"""The grid behind the playground's pages: every choice with each method's dials tuned.

    python studies/playground.py            # both; some seven minutes on one free core
    python studies/playground.py dials      # one of them
    python studies/playground.py --check    # repeat a slice of the records, write nothing

The students are those of the playground's live panel (`pictures/playground_runs.py`). Every method
gets eight trials of its dials; the best mean accuracy on validation decides, at seeds that are
used for nothing else. A seed draws the labels, the wrong ones, the teacher, the first weights and
the order. "dials" tries every T and alpha at one rate, and chooses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine import Row, by_seed, main, study

import numpy as np

from distill_lib.statistics import interval
from pictures.playground_runs import (
    BATCH,
    DATA,
    KNOWING,
    METHODS,
    SELF,
    TEACHER_STEPS,
    TEACHERS,
    Choice,
    judge,
    learn,
    teacher,
    trials,
)

TUNING_SEEDS = (1000, 1001)
FEW: dict[str, Any] = {"data": ["digits"], "labels": [300], "noise": [0.3]}
PLAN = {"steps": 300, "batch_size": BATCH, "teacher_steps": TEACHER_STEPS}
LOOK = 20  # steps from one look at validation to the next
KEPT = ("validation", "accuracy", "calibration_error", "fidelity", "teacher_accuracy", "right")


def of_one_seed(rows: Sequence[Row]) -> Row:
    """Measures by seed; of the answers, and of those of the teacher, the first seed's alone."""
    kept = [{n: v for n, v in row.items() if n in KEPT} for row in rows]
    answers = ("answers", "answers_of_teacher")
    return by_seed(kept) | {name: rows[0][name] for name in answers}


def with_curve(rows: Sequence[Row]) -> Row:
    """Measures by seed, and the mean learning curve with the ends of its interval, look by look."""
    kept = [{n: v for n, v in row.items() if n in KEPT} for row in rows]
    looks = zip(*(row["curve"] for row in rows), strict=True)
    return by_seed(kept) | {"curve": [np.round(interval(one)[:3], 5).tolist() for one in looks]}


def measured(choice: Choice, seed: int, batch_size: int, teacher_steps: int) -> Row:
    """One student, and its learning curve."""
    plan: Any = {"batch_size": batch_size, "teacher_steps": teacher_steps}
    model, history = learn(choice, seed, look_every=LOOK, **plan)
    row = judge(choice, model, teacher(choice, seed, teacher_steps))
    return row | {"curve": history.accuracy}


@study(
    {
        "data": [*DATA],
        "labels": [30, 300],
        "noise": [0.0, 0.3],
        "teacher": [KNOWING],
        "student": [16],
        "method": [*METHODS],
    },
    {**FEW, "teacher": [KNOWING], "student": [0], "method": [*METHODS]},
    # Without a teacher its rows would be the same again.
    {**FEW, "teacher": [*TEACHERS[1:]], "student": [0, 16], "method": [*METHODS[1:4]]},
    fixed=PLAN,
    rates=range(len(trials(SELF))),
    tuning=TUNING_SEEDS,
    summary=of_one_seed,
)
def playground(
    data: str,
    labels: int,
    noise: float,
    teacher: str,
    student: int,
    method: str,
    rate: int,
    steps: int,
    seed: int,
    **plan: int,
) -> Row:
    """One student; `rate` is the number of its method's trial."""
    choice = Choice(data, teacher, student, labels, noise, False, method, steps=steps)
    return measured(choice.with_dials(**trials(method)[rate]), seed, **plan)


@study(
    {"method": [METHODS[0]], "T": [1], "alpha": [1.0]},
    {"method": [*METHODS[1:]], "T": [1, 4, 16], "alpha": [0.0, 0.5]},
    fixed=PLAN | {"labels": 30, "student": 16, "rate": 0.03},
    summary=with_curve,
)
def dials(
    method: str,
    T: float,
    alpha: float,
    labels: int,
    student: int,
    rate: float,
    steps: int,
    seed: int,
    **plan: int,
) -> Row:
    """One student of few digits; where there is a rationale, it has half of what labels leave."""
    beta = (1 - alpha) / 2 if method in METHODS[2:4] else 0.0
    choice = Choice("digits", KNOWING, student, labels, 0.0, False, method, steps=steps)
    return measured(choice.with_dials(T=T, alpha=alpha, beta=beta, rate=rate), seed, **plan)


if __name__ == "__main__":
    main(__file__)
