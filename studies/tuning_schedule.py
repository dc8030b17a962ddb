"""A temperature that falls, rises, or stays, each with as many trials, for the tuning chapter.

    python studies/tuning_schedule.py            # about two minutes on one core
    python studies/tuning_schedule.py --check    # repeat a slice of the record, write nothing

Five kinds: T fixed; falling along a line or in one step; rising along a line or in one step. Each
has three schedules and five rates to choose from, on validation, over seeds that serve nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

from common import data, judge, learn, teacher
from engine import Row, Study, by_seed, main, study

from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.distillation import TeacherOutputs, traditional
from distill_lib.metrics import accuracy
from distill_lib.models import MLP
from distill_lib.training import Objective, Outcome

TUNING_SEEDS = range(1000, 1002)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)  # wide: the linear students want more than 0.1
ENDS = (1, 4, 16)  # from any of these to any other, or staying there
SETTINGS = {"60 images": (60, "64-16-10"), "all images": (1197, "64-10")}
SHAPES: Mapping[str, Callable[[float], float]] = {  # the share of the way that is behind
    "linear": lambda done: done,
    "step": lambda done: float(done >= 0.5),
}
PAIRS = [(a, b) for a, b in product(ENDS, ENDS) if a != b]
SCHEDULES = [{"start": T, "end": T, "shape": "fixed"} for T in ENDS]
SCHEDULES += [{"start": a, "end": b, "shape": s} for s in SHAPES for a, b in PAIRS]


def temperature(done: float, start: float, end: float, shape: str) -> float:
    """T when this share of the training is over, 0 to 1."""
    return start if shape == "fixed" else start + (end - start) * SHAPES[shape](done)


def annealed(
    split: Split, outputs: TeacherOutputs, alpha: float, passes: float, *how: Any
) -> Objective:
    """`traditional` with a T that changes; `how` is start, end and shape."""

    def objective(scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        T = temperature(epoch / passes, *how)
        return traditional(split, outputs, T, alpha)(scores, index, epoch)

    return objective


def kind(start: float, end: float, shape: str) -> str:
    """Which of the kinds a schedule belongs to."""
    if shape == "fixed":
        return "fixed"
    return f"{'falling' if start > end else 'rising'}, {shape}"


def student_of(
    setting: str,
    start: float,
    end: float,
    shape: str,
    alpha: float,
    seed: int,
    steps: int,
    batch_size: int,
    rate: float,
) -> MLP:
    """A student of one schedule."""
    labels, student = SETTINGS[setting]
    split, (_, outputs) = data().with_few_labels(labels, seed).transfer.labelled, teacher()
    passes = steps / -(-len(split) // min(batch_size, len(split)))
    objective = annealed(split, outputs, alpha, passes, start, end, shape)
    plan: Any = {"rate": rate, "steps": steps, "batch_size": batch_size}
    return learn(student, split, objective, seed, **plan)[0]


def validated(**one: Any) -> Row:
    """Validation accuracy alone: enough to choose by."""
    split = data().validation
    return {"validation": accuracy(student_of(**one).logits(split.inputs), split.labels)}


def contents(every: Study) -> Row:
    """Choose the rate of every schedule, and of each kind the schedule; then all rows."""
    cases = [{"setting": setting, **one} for setting, one in product(SETTINGS, SCHEDULES)]
    pairs = every.chosen(cases, validated)
    best: dict[tuple[str, str], tuple[float, Row]] = {}
    for setting, trials in pairs:
        of = setting["setting"], kind(*(setting[n] for n in ("start", "end", "shape")))
        mean = max(trials["trials"].values())
        if mean > best.get(of, (0.0, {}))[0]:
            best[of] = mean, setting
    measures = every.runs([setting for setting, _ in pairs], every.seeds)
    return {
        "rows": [
            s | {"best": any(s is b for _, b in best.values())} | t | by_seed(rows)
            for (s, t), rows in zip(pairs, measures, strict=True)
        ],
    }


@study(
    fixed={"alpha": 0, "steps": 400, "batch_size": 32},
    rates=RATES,
    tuning=TUNING_SEEDS,
    content=contents,
)
def tuning_schedule(
    setting: str, start: float, end: float, shape: str, alpha: float, seed: int, **plan: Any
) -> Row:
    """One student of one schedule."""
    small = student_of(setting, start, end, shape, alpha, seed, **plan)
    found = judge(small, data(), teacher()[0].logits)
    return {n: found[n] for n in ("validation", "accuracy", "nll", "right")}


if __name__ == "__main__":
    main(__file__)
