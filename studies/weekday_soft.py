"""The weekday's rule with an invented softness, for chapter 9: see `weekday`.

    python studies/weekday_soft.py            # about three minutes on one core
    python studies/weekday_soft.py --check    # repeat a slice of the record, write nothing

A rule is certain: its answer has no soft targets at any temperature. Here it gets scores.
"""

from __future__ import annotations

from engine import Row, main, study

import numpy as np
from weekday import DAYS, LIKELY_ENOUGH, judge, learn, some_dates, split_of, units

from distill_lib.checks import Array
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.losses import softmax

# --- A soft rule ----------------------------------------------------------------------------------

KINDS = ["neighbours", "another circle", "fixed orders", "even"]


def distance(kind: str) -> Array:
    """How far each weekday is from each, by an invented scale, shape (7, 7); the right one is 0.

    "neighbours": the days between them, round the week. "another circle": the same, on a week in an
    order that skips two days each time. "even": all others are equally far, as the neighbours on
    average.
    """
    step = {"neighbours": 1, "another circle": 3, "even": 1}[kind]
    apart = (np.arange(DAYS)[:, None] - np.arange(DAYS)) * pow(step, -1, DAYS) % DAYS
    apart = np.minimum(apart, DAYS - apart).astype(float)
    return 2.0 * (apart > 0) if kind == "even" else apart


def scores_of(kind: str, days: Array, rng: np.random.Generator) -> Array:
    """The rule's scores: minus the distance of each weekday from the right one.

    "fixed orders": for each right day the others are 1, 1, 2, 2, 3 and 3 away in an order that is
    drawn once; "random": in one that is drawn for each date.
    """
    if kind in ("neighbours", "another circle", "even"):
        return -distance(kind)[days]
    rows = days if kind == "random" else np.arange(DAYS)
    others = np.array([rng.permutation([1, 1, 2, 2, 3, 3]) for _ in rows])
    scores = np.zeros((len(rows), DAYS))
    scores[units(rows, 0, DAYS - 1) == 0] = -others.ravel()
    return scores if kind == "random" else scores[days]


@study(
    {"kind": ["hard"], "T": [0]},
    {"kind": KINDS, "T": [0.5, 1, 4]},
    {"kind": ["random"], "T": [1]},
    fixed={"encoding": "modulo 28", "dates": 3000, "steps": 600, "batch_size": 64},
    rates=[0.01, 0.02],
    name="weekday_soft",
    tuning=range(1000, 1002),
    allowed=LIKELY_ENOUGH,
)
def soft(kind: str, T: float, encoding: str, dates: int, seed: int, **plan: float) -> Row:
    """The rule's answer as it is, or softened by an invented distance at temperature T.

    "sure" is what the soft targets give the right day.
    """
    chosen, rng = some_dates(dates, seed)
    split = split_of(chosen, encoding)
    if kind == "hard":
        model, sure = learn(split, hard_labels(split), seed, **plan), 1.0
    else:
        scores = scores_of(kind, split.labels, rng)
        outputs = TeacherOutputs(split.index, {"logits": scores})
        model = learn(split, traditional(split, outputs, T, 0.0), seed, **plan)
        sure = float(softmax(scores[:1], T).max())
    return judge(model, encoding, split) | {"sure": sure}


if __name__ == "__main__":
    main(__file__)
