"""Does a patient student gain after all? For chapter 4: with every label, five times the steps.

    python studies/patience.py            # about ten minutes on one core
    python studies/patience.py --check    # repeat a slice of the record, write nothing

As `other_digits` of `traditional.py`, where nothing was left of a gain after 600 steps: each seed
deals the digits out anew and has a teacher of its own, so that an interval covers the digits, too.
"""

from __future__ import annotations

from common import judge, learn
from engine import Row, main, study

from traditional import SMALL, resplit

from distill_lib.distillation import TeacherOutputs, hard_labels, traditional


@study(
    {"student": ["64-10", SMALL], "T": [0, 4, 16], "steps": [600, 3000]},
    fixed={"batch_size": 32},
    rates=[0.003, 0.01, 0.03, 0.1],
    seeds=range(10),
)
def patience(student: str, T: float, steps: int, seed: int, **plan: float) -> Row:
    """Alone (T is 0) or with soft targets only, for some and for many steps."""
    dealt, model = resplit(seed)
    split = dealt.transfer
    objective = hard_labels(split)
    if T > 0:
        objective = traditional(split, TeacherOutputs.of(model, split), T, 0.0)
    small, _ = learn(student, split, objective, seed, steps=steps, **plan)
    measures = judge(small, dealt, model.logits)
    del measures["right"]  # each seed is tested on digits of its own
    return measures


if __name__ == "__main__":
    main(__file__)
