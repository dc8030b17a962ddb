"""What of a circle helps, for chapter 9: two further inventions of softness. See `weekday_soft`.

    python studies/weekday_turned.py            # about three minutes on one core
    python studies/weekday_turned.py --check    # repeat a slice of the record, write nothing

A circle of days has two properties: it is a ring, and its pattern is the same for every day, only
turned. Here each stands without the other. Dates, student, plan and trials are those of
`weekday_soft`.
"""

from __future__ import annotations

from engine import Row, main, study

import numpy as np
from weekday import DAYS, LIKELY_ENOUGH, judge, learn, some_dates, split_of

from distill_lib.checks import Array
from distill_lib.distillation import TeacherOutputs, traditional

TURNED = {"turned, no circle": [0, 1, 3, 2, 2, 3, 1], "turned, reversed": [0, 3, 2, 1, 1, 2, 3]}
"""How far a day is from the day 0, 1, … 6 later: of these two, no order of the week is a circle."""


def apart(kind: str, rng: np.random.Generator) -> Array:
    """How far each weekday is from each, shape (7, 7); the right one is 0.

    "shuffled circle": the days between them, round a week whose order is drawn by lot; again, if
    it happens to be an order in equal steps.
    """
    later = (np.arange(DAYS) - np.arange(DAYS)[:, None]) % DAYS
    if kind in TURNED:
        return np.array(TURNED[kind], float)[later]
    order = rng.permutation(DAYS)
    while len({*np.diff(order) % DAYS}) == 1:
        order = rng.permutation(DAYS)
    steps = np.abs(order[:, None] - order)  # `order`: the place of each day
    return np.minimum(steps, DAYS - steps).astype(float)


@study(
    {"kind": ["turned, no circle", "shuffled circle"], "T": [0.5, 1, 4]},
    {"kind": ["turned, reversed"], "T": [1]},
    fixed={"encoding": "modulo 28", "dates": 3000, "steps": 600, "batch_size": 64},
    rates=[0.01, 0.02],
    name="weekday_turned",
    tuning=range(1000, 1002),
    allowed=LIKELY_ENOUGH,
)
def turned(kind: str, T: float, encoding: str, dates: int, seed: int, **plan: float) -> Row:
    """The rule's answer, softened by such a distance at temperature T."""
    chosen, rng = some_dates(dates, seed)
    split = split_of(chosen, encoding)
    outputs = TeacherOutputs(split.index, {"logits": -apart(kind, rng)[split.labels]})
    model = learn(split, traditional(split, outputs, T, 0.0), seed, **plan)
    return judge(model, encoding, split)


if __name__ == "__main__":
    main(__file__)
