"""A generalist without helpers and with their steps, for chapter 9: see `specialists`.

    python studies/specialists_longer.py            # half a minute on one core
    python studies/specialists_longer.py --check    # repeat a slice of the record, write nothing

A generalist and four helpers take 600 steps each. Here it takes 3,000 itself, from the same start,
with a rate that is chosen again from as many.
"""

from __future__ import annotations

from engine import Row, main, study

from specialists import RATES, generalist, judged


@study(
    {"case": ["few units"]},
    fixed={"steps": 3000, "batch_size": 32},
    rates=RATES,
    name="specialists_longer",
    tuning=range(1000, 1003),
)
def longer(case: str, seed: int, **plan: float) -> Row:
    """The generalist of this seed, trained longer."""
    return judged(generalist(case, seed, 0, **plan))


if __name__ == "__main__":
    main(__file__)
