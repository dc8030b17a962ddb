"""The dials of chapter 6: the few-labels setting over T, α and β, all else as in the comparison.

    python studies/comparison_weights.py     # about three minutes on two cores

Step by step and cosine-enhanced, each at the learning rate that the comparison chose for it, at
every T, α and β of a small grid; where β is 0 both are traditional distillation. Nothing is chosen
from this grid: it shows what the dials do. Recorded in results/comparison_weights.json.
"""

from __future__ import annotations

from functools import cache

from comparison import MEASURES, final  # first: it sets the number of threads

from distill_lib import record, recorded, sweep
from distill_lib.experiments import RESULTS, Row

SETTING = "few labels"
REGIME = "all tuned"
METHODS = ("step by step", "cosine")
SEEDS = range(20)
GRID = {
    "method": list(METHODS),
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


def dial(method: str, T: float, alpha: float, beta: float, seed: int) -> Row:
    """All measures of one training at these dials."""
    rate, target = chosen(method)
    choice = {"rate": rate, "T": T, "alpha": alpha, "beta": beta}
    return final(SETTING, REGIME, method, choice, target, seed)


def main() -> None:
    """Run the grid and record it."""
    rows = sweep(dial, GRID, SEEDS, RESULTS / "comparison_weights.unfinished.jsonl")
    table: dict[tuple, Row] = {}
    for row in rows:
        names = {name: row[name] for name in GRID}
        own = table.setdefault(tuple(names.values()), names | {m: [] for m in MEASURES})
        for measure in MEASURES:
            own[measure].append(row[measure])
    about = {"setting": SETTING, "regime": REGIME, "rows": [*table.values()]}
    print(record("comparison_weights", about, SEEDS, "python studies/comparison_weights.py"))


if __name__ == "__main__":
    # By its name as a module, other processes find its functions, and keep their caches.
    from comparison_weights import main as run_all

    run_all()
