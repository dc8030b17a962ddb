"""Teachers of five sizes, in full or stopped early, and their one student, for chapter 11.

    python studies/deep_gap.py            # a few minutes on one core
    python studies/deep_gap.py --check    # repeat a slice of the record, write nothing

All have all the labels; the student, of 4 and 8 filters, hears of them through its teacher alone.
Each teacher's rate, and rate and T of its student, are chosen on validation, over seeds that serve
nothing else. Float64.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

from common import data, judge
from engine import Row, Study, by_seed, main, study

import numpy as np
from deep import convolutional
from ensembles import best

from distill_lib.checks import Array
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.losses import entropy, softmax
from distill_lib.metrics import accuracy, calibration_error, negative_log_likelihood
from distill_lib.models import Network
from distill_lib.training import Adam, cosine_decay, train

SIZES = ("2-4", "4-8", "8-16", "16-32", "32-64")
LARGEST = SIZES[-1]
STOPS = (1.0, 0.5, 0.2)  # after which share of its steps the teacher is left
NONE = "none"  # no teacher: labels, or labels and even targets
TUNING_SEEDS = range(1000, 1002)
RATES = (0.02, 0.05)
TEACHER_RATES = [{"rate": rate} for rate in (0.01, 0.02, 0.03)]
TRIALS = {
    "taught": [{"T": T, "rate": rate} for T, rate in product((1.0, 4.0), RATES)],
    "labels": [{"rate": rate} for rate in (0.01, 0.02, 0.03, 0.05)],
    "even": [{"weight": w, "rate": rate} for w, rate in product((0.1, 0.3), RATES)],
    "random": [{"T": 4.0, "weight": w, "rate": rate} for w, rate in product((0.02, 0.1), RATES)],
}
CASES = [
    {"teacher": NONE, "stop": 1.0, "lesson": "labels"},
    {"teacher": NONE, "stop": 1.0, "lesson": "even"},
    {"teacher": LARGEST, "stop": 0.0, "lesson": "random"},
    *({"teacher": t, "stop": s, "lesson": "taught"} for s, t in product(STOPS, SIZES)),
]


@lru_cache(maxsize=2 * len(SIZES))
def stages(size: str, seed: int, steps: int, batch_size: int, rate: float) -> dict[float, Network]:
    """One training of a teacher, as it is at each of the `STOPS`, and before its first step."""
    start = 40_000 + seed  # far from every student's seed
    model, split = convolutional(size, start), data().train
    kept, at = {0.0: model.copy()}, {round(share * steps): share for share in STOPS}
    count = iter(range(1, steps + 1))

    def keep(now: Network) -> None:
        if (step := next(count)) in at:
            kept[at[step]] = now.copy()

    plan: Any = {"steps": steps, "batch_size": batch_size, "schedule": cosine_decay, "seed": start}
    train(model, split, hard_labels(split), optimizer=Adam(rate), after_step=keep, **plan)
    return kept


def outputs_of(lesson: str, model: Network | None, logits: Array) -> TeacherOutputs:
    """What the student hears: the teacher; or one untrained, spread as a trained one; or even."""
    split = data().transfer
    if model is None or lesson == "even":
        return TeacherOutputs(split.index, {"logits": np.zeros((len(split), 10))})
    scale = 5.0 / logits.std() if lesson == "random" else 1.0
    return TeacherOutputs(split.index, {"logits": scale * logits})


def student_of(
    teacher: str,
    stop: float,
    lesson: str,
    choice: Row,
    student: str,
    teacher_rate: float,
    steps: int,
    batch_size: int,
    seed: int,
) -> tuple[Network, Network | None]:
    """A student of one teacher, and the teacher, if there is one."""
    split, model = data().transfer, None
    logits = np.zeros((len(split), 10))
    if teacher != NONE:
        model = stages(teacher, seed, steps, batch_size, teacher_rate)[stop]
        logits = model.logits(split.inputs)
    outputs, objective = outputs_of(lesson, model, logits), hard_labels(split)
    if lesson == "even":  # label smoothing
        objective = traditional(split, outputs, 1.0, 1 - choice["weight"])
    elif lesson != "labels":
        labels = 1 - choice["weight"] if lesson == "random" else 0.0
        objective = traditional(split, outputs, choice["T"], labels)
    small = convolutional(student, seed)
    plan: Any = {"steps": steps, "batch_size": batch_size, "schedule": cosine_decay, "seed": seed}
    train(small, split, objective, optimizer=Adam(choice["rate"]), **plan)
    return small, model


def validated(**one: Any) -> Row:
    """Validation accuracy alone: enough to choose by."""
    (small, _), split = student_of(**one), data().validation
    return {"validation": accuracy(small.logits(split.inputs), split.labels)}


def teacher_validated(teacher: str, choice: Row, steps: int, batch_size: int, **rest: Any) -> Row:
    """Validation accuracy of a teacher in full."""
    model = stages(teacher, rest["seed"], steps, batch_size, choice["rate"])[1.0]
    split = data().validation
    return {"validation": accuracy(model.logits(split.inputs), split.labels)}


def contents(every: Study) -> Row:
    """Choose each teacher's rate, then the dials of each student; then all rows."""
    asked = [{"teacher": size} for size in SIZES]
    found = best(every, asked, "choice", [TEACHER_RATES] * len(SIZES), teacher_validated)
    rates = {size: one["rate"] for size, (one, _) in zip(SIZES, found, strict=True)}
    cases = [case | {"teacher_rate": rates.get(case["teacher"], 0.0)} for case in CASES]
    chosen = best(every, cases, "choice", [TRIALS[case["lesson"]] for case in CASES], validated)
    rows = [case | {"choice": choice} for case, (choice, _) in zip(cases, chosen, strict=True)]
    measures = every.runs(rows, every.seeds)
    return {
        "teacher_trials": dict(zip(SIZES, (means for _, means in found), strict=True)),
        "rows": [
            row | {"trials": means} | by_seed(of)
            for row, (_, means), of in zip(rows, chosen, measures, strict=True)
        ],
    }


PLAN = {"student": "4-8", "steps": 300, "batch_size": 32}


@study(name="deep_gap", fixed=PLAN, tuning=TUNING_SEEDS, content=contents)
def deep_gap(
    teacher: str,
    stop: float,
    lesson: str,
    choice: Row,
    teacher_rate: float,
    seed: int,
    **plan: Any,
) -> Row:
    """One student beside its teacher; "teacher_entropy" in nats, on the transfer set at T = 1.

    Without a teacher its measures are 0.
    """
    plan |= {"teacher_rate": teacher_rate, "seed": seed}
    small, model = student_of(teacher, stop, lesson, choice, **plan)
    test = data().test
    found = judge(small, data(), model and model.logits)
    theirs = dict.fromkeys(("accuracy", "nll", "ece", "entropy"), 0.0)
    if model is not None:
        logits = model.logits(test.inputs)
        theirs = {
            "accuracy": accuracy(logits, test.labels),
            "nll": negative_log_likelihood(logits, test.labels),
            "ece": calibration_error(logits, test.labels),
            "entropy": float(np.mean(entropy(softmax(model.logits(data().transfer.inputs))))),
        }
    measures = {n: found[n] for n in ("validation", "accuracy", "nll", "right")}
    measures["fidelity"] = found.get("fidelity", 0.0)
    return measures | {f"teacher_{name}": value for name, value in theirs.items()}


if __name__ == "__main__":
    main(__file__)
