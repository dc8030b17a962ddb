"""Hint, attention and soft targets with twice the steps of `deep.py`, for chapter 11.

    python studies/deep_longer.py            # a minute and a half on one core
    python studies/deep_longer.py --check    # repeat a slice of the record, write nothing

Was a method stopped early? Each takes 400 steps in place of 200, and its own choice again, from the
same trials over the same seeds for tuning.
"""

from __future__ import annotations

from typing import Any

from engine import Row, Study, main, study

from deep import PLAN, TUNING_SEEDS, chosen_rows, deep

METHODS = ["labels alone", "hint", "attention", "soft targets", "soft and hint"]


def contents(every: Study) -> Row:
    """Choose each method's dials; then all rows."""
    cases = [{"setting": "60 labels", "method": method} for method in METHODS]
    return {"rows": chosen_rows(every, cases)}


@study(name="deep_longer", fixed=PLAN | {"steps": 400}, tuning=TUNING_SEEDS, content=contents)
def longer(setting: str, method: str, choice: Row, seed: int, **plan: Any) -> Row:
    """As `deep`, without its curves."""
    found = deep(setting, method, choice, seed=seed, **plan)
    return {n: found[n] for n in ("validation", "accuracy", "nll", "right", "gap")}


if __name__ == "__main__":
    main(__file__)
