"""What the figures of several chapters read from a row of a record, and how they keep still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from distill_lib import Estimate, crossed_interval, interval, paired_difference, unpacked

Row = Mapping[str, Any]

NOT_RUN = Estimate(np.nan, np.nan, np.nan, 0)
"""Where a line has no value: it is interrupted there."""


def percent(row: Row, measure: str = "accuracy") -> Estimate:
    """A measure over the row's seeds, in percent."""
    return interval(row[measure]).scaled(100)


def gain(row: Row, baseline: Row, measure: str = "accuracy") -> Estimate:
    """What a row has more than the baseline, seed by seed, in percentage points."""
    return paired_difference(row[measure], baseline[measure]).scaled(100)


def crossed_gain(row: Row, baseline: Row, digits: int = 400) -> Estimate:
    """As `gain`, with an interval that covers the test digits as well as the seeds.

    Both rows have, packed, which of so many digits were right.
    """
    first, second = (unpacked(r["right"], digits).astype(float) for r in (row, baseline))
    return crossed_interval(first - second).scaled(100)


def lay_out(figure: Figure, axis: Axis, widest: str) -> None:
    """Lay the figure out for good, with room for the widest label that any frame has on the axis.

    Where frames have other labels, axes that make room for their own would jump.
    """
    ticks, limits = (axis.get_major_locator(), axis.get_major_formatter()), axis.get_view_interval()
    axis.set_ticks(limits[1:], [widest])
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.set_layout_engine("none")
    axis.set_major_locator(ticks[0])
    axis.set_major_formatter(ticks[1])


def minus(text: str) -> str:
    """The text with a minus sign in place of each hyphen, as prose writes numbers below 0."""
    return text.replace("-", "−")
