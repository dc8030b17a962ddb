"""Is one method of chapter 7 faster, or its rate? Three methods, each at the dials of all three.

    python studies/comparison_equal.py            # about five minutes on one core
    python studies/comparison_equal.py --check    # repeat a slice of the record, write nothing

The comparison chooses rate, T and weights by accuracy, and then asks who arrives first: whoever got
the larger rate has an advantage that is not the method's. Here traditional, step by step and cosine
meet at the very same dials: those that the comparison chose for each of them, all tuned.
"""

from __future__ import annotations

from engine import Row, main, study

from comparison import BATCH, SEEDS, SETTINGS, STEPS, final

from distill_lib import recorded

REGIME = "all tuned"
METHODS = ["traditional", "step by step", "cosine"]


def compared() -> Row:
    """By setting, what the comparison chose for each method, and its target."""
    rows = [r for r in recorded("comparison")["rows"] if r["regime"] == REGIME]
    return {
        setting: {r["method"]: r["choice"] for r in rows if r["setting"] == setting}
        | {"target": next(r["target"] for r in rows if r["setting"] == setting)}
        for setting in SETTINGS
    }


@study(
    {"setting": SETTINGS, "dials_of": METHODS, "method": METHODS},
    fixed={"compared": compared(), "regime": REGIME, "steps": STEPS, "batch_size": BATCH},
    seeds=SEEDS,
)
def comparison_equal(
    setting: str, dials_of: str, method: str, compared: Row, regime: str, seed: int, **plan: int
) -> Row:
    """All measures of one training, at the dials that were chosen for this or another method."""
    choice, target = compared[setting][dials_of], compared[setting]["target"]
    return final(setting, regime, method, choice, target, seed, **plan)


if __name__ == "__main__":
    main(__file__)
