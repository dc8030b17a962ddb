"""What every figure of the book must be, whoever draws it."""

import re
import warnings
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from livefigures.svg import drawn
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import ArrowStyle
from matplotlib.text import Annotation, Text

from distill_lib.figures import COLOURS

TELEPHONE = 358  # px for a figure, of a page 390 px wide
# The labels in the menus of telephones have 10 px; below that, people zoom. Beside a caption of 16
# it is small, but a larger one would leave no room for what is drawn. (A tenth is for rounding.)
SMALLEST = 9.9


def texts(figure: Figure) -> list[str]:
    """All that is written on it."""
    return [t.get_text() for t in figure.findobj(Text) if t.get_text() and t.get_visible()]


def heads_forward(arrow: Annotation) -> bool:
    """Whether the arrow's head is at its end."""
    return isinstance(arrow.arrow_patch.get_arrowstyle(), ArrowStyle.CurveFilledB)


def check_looks(draw: Callable[[], Figure]) -> None:
    """Its caller's own, in the palette, the same each time, without a warning, and readable."""
    settings = dict(plt.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = draw(), draw()
        assert isinstance(first, Figure) and first is not second
        svg = drawn(first)
        assert svg == drawn(second), "another picture at the second call"
    assert plt.get_fignums() == [], "a figure was left open"
    assert dict(plt.rcParams) == settings, "matplotlib's settings were changed"
    check_colours(svg)
    check_apart(first)
    check_readable(first)


def check_apart(figure: Figure) -> None:
    """No two series of the same axes differ by their colour alone."""
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        named = [(label, without_colour(h)) for h, label in zip(handles, labels, strict=True)]
        lines = [(line.get_label(), without_colour(line)) for line in _drawn_lines(axes)]
        for series in (named, lines):
            shapes = [look for _, look in series]
            assert len(set(shapes)) == len(shapes), f"told apart by colour alone: {series}"


def _drawn_lines(axes: Axes) -> list[Line2D]:
    """Lines through three points or more: shorter ones are marks, or stand in a row with a name."""
    return [line for line in axes.lines if len(np.atleast_1d(line.get_xdata())) > 2]


def without_colour(series: Any) -> str:
    """What is seen of a line, of bars or of dots by somebody who sees no colours."""
    if isinstance(series, Line2D):
        dash = series.get_linestyle() and series._dash_pattern  # type: ignore[attr-defined]
        return f"dash {dash}, marker {series.get_marker()}"
    if isinstance(series, BarContainer):
        (bar, *_) = series.patches
        return f"opacity {bar.get_facecolor()[3]}, hatch {bar.get_hatch()}"
    if isinstance(series, PathCollection):
        (shape, *_) = series.get_paths()
        return f"shape {shape.vertices.round(3).tolist()}"
    raise TypeError(f"say here how {series!r} is told apart without colour")


def check_readable(figure: Figure) -> None:
    """On a telephone, too: text large enough, whole, and not over the label beside it."""
    smallest = min((t.get_fontsize() for t in figure.findobj(Text) if t.get_text()), default=99)
    width, height = figure.get_size_inches()
    assert smallest * TELEPHONE / (72 * width) >= SMALLEST, "text too small for a telephone"
    figure.draw_without_rendering()
    box, slack = figure.get_tightbbox(), 0.01
    assert box.x0 >= -slack and box.y0 >= -slack, "cut off on the left or below"
    assert box.x1 <= width + slack and box.y1 <= height + slack, "cut off on the right or above"
    for axes in figure.axes:
        for text in axes.texts:  # those for which the axes make no room, such as numbers above bars
            assert not text.get_text() or _inside(text, figure), f"cut off: {text.get_text()}"
        for axis, k in ((axes.xaxis, 0), (axes.yaxis, 1)):
            boxes = sorted((t.get_window_extent() for t in _shown(axis)), key=lambda b: b.min[k])
            for one, other in pairwise(boxes):
                assert one.max[k] < other.min[k], f"labels of the {axis.axis_name} axis overlap"


def _inside(text: Text, figure: Figure) -> bool:
    box = text.get_window_extent()
    return figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1


def _shown(axis: Axis) -> list[Text]:
    """The labels at the ticks between the limits."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    within = [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    return [label for label in within if label.get_text() and label.get_visible()]


def places(figure: Figure) -> np.ndarray:
    """Where its axes stand, in px of a page: left, bottom, width, height of each."""
    figure.draw_without_rendering()
    return np.array([axes.get_position().bounds for axes in figure.axes]) * np.tile(
        96 * figure.get_size_inches(), 2
    )


def check_colours(svg: str) -> None:
    """No colour but those of the palette, in lines and in images."""
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {*COLOURS.values(), "#000000"}
    for picture in re.findall(r'data:image/png;base64,([^"]+)', svg):
        pixels = plt.imread(BytesIO(b64decode(picture)), format="png")
        colours = {tuple(c) for c in np.round(pixels[pixels[..., 3] > 0.5][:, :3] * 255, -1)}
        palette = {tuple(int(code[i : i + 2], 16) for i in (1, 3, 5)) for code in COLOURS.values()}
        assert colours <= {tuple(np.round(np.array(c, float), -1)) for c in palette}
