"""What closes the gap of chapter 7: the last regime taken apart, in the few-labels setting.

    python studies/comparison_apart.py            # some three minutes on two cores
    python studies/comparison_apart.py --check    # repeat a slice of the record, write nothing

From "own rate" to "all tuned" the comparison changes the optimiser, the schedule, T and the weights
at once. Here one of them changes at a time: traditional distillation gets T = 16 and keeps plain
gradient descent; or both methods get Adam with its schedule and keep T = 4. The weights stay
those of the article. The learning rate (its number among the comparison's 24) is chosen as there.

"weight_of_labels" asks whether the gap is the labels': both methods, with plain descent and with
Adam, T = 4, and less and less weight on the labels. What they leave is shared as in the article: of
step by step, three fifths go to the rationale.
"""

from __future__ import annotations

from engine import Row, main, study

from comparison import (
    BATCH,
    SEEDS,
    STEPS,
    TRIALS,
    TUNING_SEEDS,
    choices,
    data_of,
    final,
    run,
    untested,
)

CASES = {"plain descent, T = 16": ("own rate", 16.0), "Adam, T = 4": ("all tuned", 4.0)}


def judged(setting: str, regime: str, method: str, choice: Row, seed: int, **plan: int) -> Row:
    """All measures on test; of a tuning seed the validation accuracy, without a test split."""
    if seed not in TUNING_SEEDS:
        return final(setting, regime, method, choice, 2.0, seed, **plan)
    data = untested(data_of(setting))
    _, _, measures = run(data, setting, method, regime, choice, seed, 2.0, **plan)
    return {"validation": measures["validation"]}


@study(
    {"case": ["plain descent, T = 16"], "method": ["traditional"]},
    {"case": ["Adam, T = 4"], "method": ["traditional", "step by step"]},
    fixed={"setting": "few labels", "steps": STEPS, "batch_size": BATCH},
    rates=range(TRIALS),
    tuning=TUNING_SEEDS,
    seeds=SEEDS,
)
def comparison_apart(
    case: str, method: str, setting: str, rate: int, seed: int, **plan: int
) -> Row:
    """One training; of a tuning seed only the validation accuracy, without a test split."""
    regime, T = CASES[case]
    choice = choices(method, regime)[rate] | {"T": T, "alpha": 0.5, "beta": 0.3}
    return judged(setting, regime, method, choice, seed, **plan)


@study(
    {
        "regime": ["own rate", "all tuned"],
        "alpha": [0.0, 0.25, 0.5],
        "method": ["traditional", "step by step"],
    },
    fixed={"setting": "few labels", "T": 4.0, "steps": STEPS, "batch_size": BATCH},
    rates=range(TRIALS),
    tuning=TUNING_SEEDS,
    seeds=SEEDS,
)
def weight_of_labels(
    regime: str,
    alpha: float,
    method: str,
    setting: str,
    T: float,
    rate: int,
    seed: int,
    **plan: int,
) -> Row:
    """One training; of a tuning seed only the validation accuracy, without a test split."""
    choice = choices(method, regime)[rate] | {"T": T, "alpha": alpha, "beta": 0.6 * (1 - alpha)}
    return judged(setting, regime, method, choice, seed, **plan)


if __name__ == "__main__":
    main(__file__)
