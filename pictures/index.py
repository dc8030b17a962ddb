"""The Welcome page: the way from an input to the two losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from distill_lib import figures

BOXES = {
    "input": (0, 1, "muted"),
    "teacher\n(fixed)": (1.15, 0, "teacher"),
    "student\n(learns)": (1.15, 1, "student"),
    "soft targets\nat T": (2.3, 0, "teacher"),
    "its answer\nat T, at 1": (2.3, 1, "student"),
    "hard label": (2.3, 2, "label"),
    "soft loss\n× (1 − α)": (3.45, 0.5, "ink"),
    "hard loss\n× α": (3.45, 1.5, "ink"),
}
ARROWS = [(0, 1), (0, 2), (1, 3), (2, 4), (3, 6), (4, 6), (4, 7), (5, 7)]


def overview() -> Figure:
    """The same input goes to teacher and student, and their answers and the label to the losses."""
    names = list(BOXES)
    return flow(BOXES, [(names[a], names[b]) for a, b in ARROWS])


def flow(
    boxes: Mapping[str, tuple[float, float, str]],
    arrows: Sequence[tuple[str, str]],
    *,
    height: float = 2.8,
) -> Figure:
    """Boxes of text with arrows between them: what goes where.

    Args:
        boxes: by text, the column and row of the centre (rows count from the top) and a colour.
        arrows: (text of the box it leaves, text of the box it reaches).
    """
    figure, (axes,) = figures.new(height=height)
    wide, high = 0.84, 0.62
    for text, (x, y, colour) in boxes.items():
        code = figures.COLOURS[colour]
        corner = (x - wide / 2, y - high / 2)
        looks = {"facecolor": to_rgba(code, 0.1), "edgecolor": code, "linewidth": 1.5}
        axes.add_patch(Rectangle(corner, wide, high, **looks))
        axes.text(x, y, text, ha="center", va="center", linespacing=1.3)
    for source, target in arrows:
        (x0, y0, colour), (x1, y1, _) = boxes[source], boxes[target]
        ends = {"xy": (x1 - wide / 2, y1), "xytext": (x0 + wide / 2, y0)}
        style = {"arrowstyle": "-|>", "color": figures.COLOURS[colour], "linewidth": 1.5}
        axes.annotate("", **ends, arrowprops=style | {"shrinkA": 0, "shrinkB": 0})
    columns, rows = [b[0] for b in boxes.values()], [b[1] for b in boxes.values()]
    axes.set(xlim=(min(columns) - 0.45, max(columns) + 0.45))
    axes.set(ylim=(max(rows) + 0.4, min(rows) - 0.4))
    axes.set_axis_off()
    return figure
