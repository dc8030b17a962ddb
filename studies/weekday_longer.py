"""The answer alone with three times the steps, for chapter 9: see `weekday_steps`.

    python studies/weekday_longer.py            # about two minutes on one core
    python studies/weekday_longer.py --check    # repeat a slice of the record, write nothing

As many trials of the rate as there, made again for these steps.
"""

from __future__ import annotations

from engine import Row, main, study

from weekday import LIKELY_ENOUGH
from weekday_steps import in_words


@study(
    {"dates": [10000]},
    fixed={"encoding": "a unit a year", "steps": 3000, "batch_size": 64},
    rates=[0.005, 0.01, 0.02, 0.04],
    name="weekday_longer",
    tuning=range(1000, 1002),
    allowed=LIKELY_ENOUGH,
)
def longer(dates: int, encoding: str, seed: int, **plan: float) -> Row:
    """The answer alone."""
    return in_words("answer alone", dates, encoding, 0.0, seed, **plan)


if __name__ == "__main__":
    main(__file__)
