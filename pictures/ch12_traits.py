"""Chapter 12, "What else passes": which digits a student reads that learned from noise alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from distill_lib import crossed_interval, figures, interval, unpacked
from pictures.rows import Row, minus, percent

Drawn = tuple[Figure, str]
TEST_IMAGES = 10_000


def draw_shared(rows: Mapping[tuple[int, str], Row], shared: str, outputs: int) -> Drawn:
    """How much of each digit is right, beside the teacher and beside a guess.

    Args:
        rows: of the study, by the number of outputs that were learned and by what was shared.
    """
    row = rows[outputs, shared]
    digits = [interval(values).scaled(100) for values in np.transpose(row["by_digit"])]
    figure = figures.bars(
        [digit.mean for digit in digits],
        [str(k) for k in range(10)],
        ylabel="of each digit right, %",
        ylim=(0, 112),
        colours=["student"],
    )
    (axes,), ink = figure.axes, figures.COLOURS["ink"]
    for x, digit in enumerate(digits):
        ends = max(0, digit.low), min(100, digit.high)
        axes.plot([x, x], ends, "-", color=ink, linewidth=1.2)
    teacher = percent(row, "of_teacher")
    for height, dash, name in ((teacher.mean, "--", "teacher"), (10, ":", "a guess")):
        axes.axhline(height, color=figures.COLOURS["teacher"], linestyle=dash)
        axes.annotate(name, (9.6, height), (0, 3), textcoords="offset points", color=ink)
    axes.set(xlabel="digit", yticks=range(0, 101, 20), xlim=(-0.55, 11.2))
    hits = crossed_interval(unpacked(row["right"], TEST_IMAGES).astype(float)).scaled(100)
    best, worst = (int(f([digit.mean for digit in digits])) for f in (np.argmax, np.argmin))
    text = f"Shared: {shared}; {outputs} untaught outputs learned. Right are {hits:.1f}% of the "
    text += f"test images, from {digits[worst].mean:.0f}% of the {worst}s to "
    text += f"{digits[best].mean:.0f}% of the {best}s; the teacher has {teacher.mean:.0f}%."
    return figure, minus(text)
