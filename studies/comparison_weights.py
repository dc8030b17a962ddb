"""The dials of chapter 6: the few-labels setting over T, α and β, all else as in the comparison.

    python studies/comparison_weights.py            # about three minutes on two cores
    python studies/comparison_weights.py --check    # repeat a slice of the record, write nothing

Step by step and cosine-enhanced, each at the learning rate that the comparison chose for it, at
every T, α and β of a small grid; where β is 0 both are traditional distillation. Nothing is chosen
from this grid: it shows what the dials do. Recorded in results/comparison_weights.json.
"""

from __future__ import annotations

from functools import cache

from common import main, study

from comparison import final

from distill_lib import recorded
from distill_lib.experiments import Row

SETTING, REGIME = "few labels", "all tuned"
GRID = {
    "method": ["step by step", "cosine"],
    "T": [1.0, 2.0, 4.0, 8.0],
    "alpha": [0.0, 0.25, 0.5],
    "beta": [0.0, 0.25, 0.5],
}


@cache
def chosen(method: str) -> tuple[float, float]:
    """The learning rate that the comparison chose, and its target."""
    rows = recorded("comparison")["rows"]
    wanted = {"setting": SETTING, "regime": REGIME, "method": method}
    row = next(row for row in rows if row.items() >= wanted.items())
    return row["choice"]["rate"], row["target"]


@study(GRID, name="comparison_weights", setting=SETTING, regime=REGIME)
def dial(method: str, T: float, alpha: float, beta: float, seed: int) -> Row:
    """All measures of one training at these dials."""
    rate, target = chosen(method)
    choice = {"rate": rate, "T": T, "alpha": alpha, "beta": beta}
    return final(SETTING, REGIME, method, choice, target, seed)


if __name__ == "__main__":
    main(__file__)
