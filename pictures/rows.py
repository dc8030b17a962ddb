"""What the figures of several chapters read from a row of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distill_lib import Estimate, interval, paired_difference

Row = Mapping[str, Any]


def percent(row: Row, measure: str = "accuracy") -> Estimate:
    """A measure over the row's seeds, in percent."""
    return interval(row[measure]).scaled(100)


def gain(row: Row, baseline: Row, measure: str = "accuracy") -> Estimate:
    """What a row has more than the baseline, seed by seed, in percentage points."""
    return paired_difference(row[measure], baseline[measure]).scaled(100)


def minus(text: str) -> str:
    """The text with a minus sign in place of each hyphen, as prose writes numbers below 0."""
    return text.replace("-", "−")
