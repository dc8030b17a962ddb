"""The article's whole method, at its own values and beside its parts, in the settings of chapter 7.

    python studies/comparison_article.py            # about a quarter of an hour on one core
    python studies/comparison_article.py --check    # repeat a slice of the record, write nothing

The comparison tries the cosine alone. Here are all that the article adds: a cosine whose weight
grows over eight epochs (the curriculum), and the consistency of the student's logits under noise on
its inputs; each alone, and together, as it has them. T and all weights are the article's own. The
learning rate is chosen for each, on validation and on seeds that are used for nothing else. Adam,
for all: the article changed to it together with the loss. "noisy inputs" is the control of the
consistency: the cosine alone, and as much noise on the inputs that it learns from.
"""

from __future__ import annotations

from engine import Row, main, study

import numpy as np
from comparison import (
    BATCH,
    SEEDS,
    SETTINGS,
    STEPS,
    TUNING_SEEDS,
    Problem,
    data_of,
    problem,
    steps_to,
    untested,
)
from noisy import noisy_copies, steadied

from distill_lib import packed, recorded
from distill_lib.distillation import (
    cosine_enhanced,
    hard_labels,
    step_by_step,
    traditional,
)
from distill_lib.metrics import report
from distill_lib.models import MLP
from distill_lib.training import Adam, Augment, Objective, cosine_decay, train

VALUES = {"T": 2.0, "alpha": 0.5}
BETA, EPOCHS, CONSISTENCY, NOISE = 0.1, 8, 0.25, 0.04  # of the enhanced method
PARTS = {  # of the enhanced method: curriculum, weight of the consistency
    "cosine": (0, 0),
    "with curriculum": (EPOCHS, 0),
    "with consistency": (0, CONSISTENCY),
    "whole": (EPOCHS, CONSISTENCY),
}
METHODS = ["alone", "traditional", "step by step", *PARTS, "noisy inputs"]
RATES = np.geomspace(0.001, 0.3, 10).round(5).tolist()


def augmented(method: str, noise: float) -> Augment | None:
    """Noisy copies beside the inputs, noise on them, or neither."""
    if method == "noisy inputs":
        return lambda inputs, rng: noisy_copies(noise)(inputs, rng)[len(inputs) :]
    return noisy_copies(noise) if PARTS.get(method, (0, 0))[1] else None


def targets() -> dict[str, float]:
    """By setting, the validation accuracy to reach: where the student alone, all tuned, ends."""
    return {row["setting"]: row["target"] for row in recorded("comparison")["rows"]}


def objective_of(method: str, case: Problem, **values: float) -> Objective:
    """A method's objective at the article's own values, of which T and alpha are given."""
    split, rationale = case.data.transfer, {"rationale": case.rationale, "on": case.on}
    if method == "alone":
        return hard_labels(split)
    if method == "traditional":
        return traditional(split, case.teacher, **values)
    if method == "step by step":
        return step_by_step(split, case.teacher, beta=0.3, **values, **rationale)
    curriculum, weight = PARTS.get(method, PARTS["cosine"])
    more = {"beta": BETA, "curriculum": curriculum} | rationale
    objective = cosine_enhanced(split, case.teacher, **values, **more)
    return steadied(objective, weight) if weight else objective


@study(
    {"setting": SETTINGS, "method": METHODS},
    fixed={"steps": STEPS, "batch_size": BATCH, **VALUES, "noise": NOISE, "targets": targets()},
    rates=RATES,
    tuning=TUNING_SEEDS,
    seeds=SEEDS,
)
def comparison_article(
    setting: str,
    method: str,
    T: float,
    alpha: float,
    noise: float,
    targets: dict[str, float],
    rate: float,
    seed: int,
    **plan: int,
) -> Row:
    """One training; of a tuning seed only the validation accuracy, without a test split."""
    whole = data_of(setting)
    case = problem(untested(whole) if seed in TUNING_SEEDS else whole, setting, seed)
    student = MLP(case.sizes, seed=seed, dtype=np.float64)
    history = train(
        student,
        case.data.transfer,
        objective_of(method, case, T=T, alpha=alpha),
        optimizer=Adam(rate),
        schedule=cosine_decay,
        validation=case.data.validation,
        look_every=10,
        augment=augmented(method, noise),
        seed=seed,
        **plan,
    )
    measures = {"validation": history.accuracy[-1]}
    if seed in TUNING_SEEDS:
        return measures
    test = case.data.test
    measures["steps"] = steps_to(targets[setting], history, plan["steps"])
    logits = student.logits(test.inputs)
    measures["right"] = packed(logits.argmax(axis=-1) == test.labels)
    return measures | report(logits, test.labels, case.teacher_logits(test.inputs))


if __name__ == "__main__":
    main(__file__)
