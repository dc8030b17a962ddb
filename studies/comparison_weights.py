"""The dials of chapter 7: the few-labels setting over T, α and β, all else as in the comparison.

    python studies/comparison_weights.py            # about three minutes on two cores
    python studies/comparison_weights.py --check    # repeat a slice of the record, write nothing

Step by step and cosine-enhanced, each at the learning rate that the comparison chose for it, at
every T, α and β of a small grid; where β is 0 both are traditional distillation. Nothing is chosen
from this grid: it shows what the dials do. Recorded in results/comparison_weights.json.
"""

from __future__ import annotations

from engine import Row, main, study

from comparison import BATCH, STEPS, final

from distill_lib import recorded

CASE = {"setting": "few labels", "regime": "all tuned"}
GRID = {
    "method": ["step by step", "cosine"],
    "T": [1.0, 2.0, 4.0, 8.0],
    "alpha": [0.0, 0.25, 0.5],
    "beta": [0.0, 0.25, 0.5],
}


def compared() -> Row:
    """By method the learning rate that the comparison chose, and its target."""
    rows = {r["method"]: r for r in recorded("comparison")["rows"] if r.items() >= CASE.items()}
    return {
        "rates": {method: rows[method]["choice"]["rate"] for method in GRID["method"]},
        "target": rows["alone"]["target"],
    }


@study(GRID, fixed=CASE | compared() | {"steps": STEPS, "batch_size": BATCH})
def comparison_weights(
    method: str,
    T: float,
    alpha: float,
    beta: float,
    setting: str,
    regime: str,
    rates: dict[str, float],
    target: float,
    seed: int,
    **plan: int,
) -> Row:
    """All measures of one training at these dials."""
    choice = {"rate": rates[method], "T": T, "alpha": alpha, "beta": beta}
    return final(setting, regime, method, choice, target, seed, **plan)


if __name__ == "__main__":
    main(__file__)
