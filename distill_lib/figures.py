"""Every figure that the chapters draw, in one style: a chapter calls one function, plots nothing.

Each function returns a matplotlib figure of its own, in the palette of `style`, which the pages
turn into the reader's light or dark colours. None goes through pyplot: there is no current figure
to leave open. The sentence that describes a figure is the chapter's to write. Each raises a
ValueError where the colours or the labels do not suffice: nothing is left out of a picture unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogFormatter, NullLocator
from numpy.typing import ArrayLike

from distill_lib.checks import Array
from distill_lib.statistics import Estimate
from distill_lib.style import COLOURS

CYCLE = ("teacher", "student", "label", "accent", "warn", "muted")
STYLE: Any = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.titlecolor": COLOURS["ink"],
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["grid"],
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.constrained_layout.use": True,
}


def new(width: float = 5.6, height: float = 3.4, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty figure (inches) in the book's style, and its axes from left to right."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        axes = figure.subplots(1, columns, squeeze=False)[0]
        return figure, list(axes)


def _colours(things: Collection, names: Sequence[str]) -> list[str]:
    """The code of a colour for each thing; any colours left over are for other frames."""
    if len(names) < len(things):
        raise ValueError(f"{len(things)} to draw need as many colours; got {len(names)}: {names!r}")
    if unknown := [name for name in names if name not in COLOURS]:
        raise ValueError(f"no colours of the palette: {unknown}; it has {[*COLOURS]}")
    return [COLOURS[name] for name in names][: len(things)]


def _legend(figure: Figure, axes: Axes) -> None:
    """Above the axes, always there: a legend that looks for the best place jumps between frames."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False)


class _PlainTicks(LogFormatter):
    """Writes 0.01, 1, 100 and 10⁻⁵ at the ticks of a logarithmic axis.

    Matplotlib's own 10^-2 is set as a formula, which takes three times as long to draw.
    """

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The text of a tick; nothing where matplotlib would write nothing."""
        if not super().__call__(x, pos):
            return ""
        power = round(np.log10(x), 6)
        if power % 1 or -4 < power < 5:
            return f"{x:g}"
        return "10" + f"{power:.0f}".translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _log(axes: Axes, which: str) -> None:
    """Make the "x" or the "y" axis logarithmic; its limits must be set already."""
    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    axis.set_major_formatter(_PlainTicks())
    axis.set_minor_formatter(_PlainTicks())
    low, high = axis.get_view_interval()
    if high >= 1000 * low:  # there, small ticks would only take time and ink
        axis.set_minor_locator(NullLocator())


def bars(
    series: Mapping[str, ArrayLike] | ArrayLike,
    names: Sequence[str],
    *,
    title: str = "",
    ylabel: str = "probability",
    ylim: tuple[float, float] = (0, 1),
    numbers: str = "",
    log_y: bool = False,
    colours: Sequence[str] = CYCLE,
) -> Figure:
    """Bars side by side: one group per name, one colour per series.

    Args:
        series: values of shape (names,), or several such by name (then with a legend).
        numbers: a format such as ".2f" to write above each bar.
        colours: names of palette colours, one per series.

    Raises:
        ValueError: values that are not one for each name; too few colours.
    """
    series = series if isinstance(series, Mapping) else {"": series}
    codes = _colours(series, colours)
    figure, (axes,) = new()
    width = 0.8 / len(series)
    for k, (label, values) in enumerate(series.items()):
        x = np.arange(len(names)) + (k - (len(series) - 1) / 2) * width
        values = np.asarray(values, float)
        if values.shape != x.shape:
            raise ValueError(f"expected a value for each of {names!r}; got shape {values.shape}")
        axes.bar(x, values, 0.92 * width, color=codes[k], label=label)
        for at, value in zip(x, values, strict=True) if numbers else ():
            axes.annotate(
                f"{value:{numbers}}", (at, value), (0, 3), textcoords="offset points", ha="center"
            )
    axes.set(xticks=range(len(names)), xticklabels=names, ylim=ylim, ylabel=ylabel, title=title)
    axes.grid(axis="x", visible=False)
    if log_y:
        _log(axes, "y")
    if len(series) > 1:
        _legend(figure, axes)
    return figure


def curves(
    x: Sequence[float] | Array,
    lines: Mapping[str, Array | Sequence[float] | Sequence[Estimate]],
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    ylim: tuple[float, float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    mark: float | None = None,
    colours: Sequence[str] = CYCLE,
) -> Figure:
    """Lines over x with a legend; a line of `Estimate`s gets its interval as a band.

    Args:
        lines: by name, values of shape (x,), or one `Estimate` for each x.
        mark: where to draw a vertical line: the slider's place on the x axis.
        colours: names of palette colours, one per line.
    """
    figure, (axes,) = new()
    _draw_lines(axes, x, lines, colours)
    if mark is not None:
        axes.axvline(mark, color=COLOURS["muted"], linestyle=":")
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if ylim is not None:
        axes.set_ylim(ylim)
    if log_y:
        _log(axes, "y")
    if log_x:
        _log(axes, "x")
        if len(x) <= 12:  # a short grid of values names itself; powers of ten would not
            axes.set_xticks(x, [f"{v:g}" for v in x], minor=False)
            axes.minorticks_off()
    if len(lines) > 1:
        _legend(figure, axes)
    return figure


def _draw_lines(
    axes: Axes,
    x: ArrayLike,
    lines: Mapping[str, Array | Sequence[float] | Sequence[Estimate]],
    colours: Sequence[str],
) -> None:
    codes = _colours(lines, colours)
    for (name, values), colour in zip(lines.items(), codes, strict=True):
        if estimates := [value for value in values if isinstance(value, Estimate)]:
            low, high = [e.low for e in estimates], [e.high for e in estimates]
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
            values = [e.mean for e in estimates]
        axes.plot(x, values, color=colour, label=name, linewidth=2)


def stacked_curves(
    x: ArrayLike,
    panels: Mapping[str, Mapping[str, Array | Sequence[float] | Sequence[Estimate]]],
    *,
    xlabel: str = "",
    ylims: Sequence[tuple[float, float] | None] = (),
    colours: Sequence[Sequence[str]] = (),
) -> Figure:
    """Lines over the same x in panels one above the other, such as a loss and an accuracy.

    Args:
        panels: by the label of the y axis, what `curves` takes as `lines`.
        ylims: of each panel, from the top.
        colours: for each panel, names of palette colours, one per line.

    Raises:
        ValueError: not as many limits or lists of colours as panels; too few colours.
    """
    ylims, colours = ylims or [None] * len(panels), colours or [CYCLE] * len(panels)
    if not len(ylims) == len(colours) == len(panels):
        raise ValueError(
            f"{len(panels)} panels need as many limits and lists of colours; got {len(ylims)} "
            f"and {len(colours)}"
        )
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 2.3 * len(panels)))
        every = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for k, (axes, (ylabel, lines)) in enumerate(zip(every, panels.items(), strict=True)):
        _draw_lines(axes, x, lines, colours[k])
        axes.set(ylabel=ylabel, ylim=ylims[k])
        if len(lines) > 1:
            axes.legend(loc="upper right", bbox_to_anchor=(1, 1.2), ncols=len(lines), frameon=False)
    every[-1].set_xlabel(xlabel)
    return figure


def estimates(
    rows: Mapping[str, Estimate],
    *,
    title: str = "",
    xlabel: str = "",
    xlim: tuple[float, float] | None = None,
    zero: bool = False,
    colours: Sequence[str] | None = None,
) -> Figure:
    """A dot with its 95% interval per row: what is better than what, at one look.

    Args:
        zero: draw the line at 0, for differences.
        colours: names of palette colours, one per row.
    """
    figure, (axes,) = new(height=1.2 + 0.38 * len(rows))
    codes = _colours(rows, colours or ["student"] * len(rows))
    for y, (e, colour) in enumerate(zip(rows.values(), codes, strict=True)):
        axes.plot([e.low, e.high], [y, y], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([e.mean], [y], "o", color=colour, markersize=8)
    if zero:
        axes.axvline(0, color=COLOURS["ink"], linewidth=1)
    axes.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    axes.set(xlabel=xlabel, title=title, xlim=xlim)
    axes.grid(axis="y", visible=False)
    return figure


def _squares(
    axes: Axes, shape: tuple[int, ...], rows: Sequence[str], columns: Sequence[str]
) -> None:
    """Make room for a square per row and column, named, row 0 at the top."""
    if shape != (len(rows), len(columns)):
        raise ValueError(f"{len(rows)} rows and {len(columns)} columns are named; got {shape}")
    axes.set(xticks=range(len(columns)), xticklabels=columns, xlim=(-0.5, len(columns) - 0.5))
    axes.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    axes.grid(visible=False)


def heatmap(
    values: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    limits: tuple[float, float] = (0, 1),
    numbers: str = "",
    mark: tuple[int, int] | None = None,
    colour: str = "teacher",
) -> Figure:
    """A grid of squares, the deeper in colour the larger the value, row 0 at the top.

    Args:
        values: shape (rows, columns); the square of a nan stays empty.
        limits: the values with no colour and with full colour; any outside are drawn at the end.
        numbers: a format such as ".2f" to write in each square.
        mark: (row, column) to frame.
    """
    values = np.asarray(values, float)
    figure, (axes,) = new(height=1.1 + 0.34 * len(rows))
    _squares(axes, values.shape, rows, columns)
    depth = np.clip((values - limits[0]) / (limits[1] - limits[0]), 0, 1)
    for (i, j), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        # Opacity, not a colour map: it reads the same on a light and on a dark page.
        axes.bar(j, 0.94, 0.94, i - 0.47, color=COLOURS[colour], alpha=0.06 + 0.74 * depth[i, j])
        if numbers:
            axes.text(j, i, f"{value:{numbers}}", ha="center", va="center", fontsize=10)
    if mark is not None:
        i, j = mark
        axes.bar(j, 1, 1, i - 0.5, fill=False, edgecolor=COLOURS["student"], linewidth=3)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    return figure


def verdicts(
    panels: Mapping[str, Sequence[Sequence[tuple[str, int]]]],
    rows: Sequence[str],
    columns: Sequence[str],
) -> Figure:
    """Tables of short texts, one above the other, each square coloured as a gain or a loss.

    Args:
        panels: by title, for each row and column a text and its sign: 1 for a gain (green, with
            an upward mark), -1 for a loss (red, with a downward mark), 0 for neither.
    """
    colours, marks = {1: "label", -1: "warn", 0: "muted"}, {1: "▲ ", -1: "▼ ", 0: ""}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 0.6 + len(panels) * (0.45 + 0.34 * len(rows))))
        every = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axes, (title, table) in zip(every, panels.items(), strict=True):
        _squares(axes, np.shape(table)[:2], rows, columns)
        for i, line in enumerate(table):
            for j, (text, sign) in enumerate(line):
                shade = 0.28 if sign else 0.08
                axes.bar(j, 0.92, 0.96, i - 0.46, color=COLOURS[colours[sign]], alpha=shade)
                axes.text(j, i, marks[sign] + text, ha="center", va="center", fontsize=10.5)
        axes.set_title(title, loc="left", fontsize=11)
        axes.tick_params(length=0, labelbottom=axes is every[-1])
        axes.tick_params(axis="x", labelsize=10.5)
        axes.spines[:].set_visible(False)
    return figure


def digit_images(inputs: ArrayLike, titles: Sequence[str]) -> Figure:
    """A row of 8 × 8 digits with a title each.

    Args:
        inputs: shape (digits, 64), from 0 to 1.
    """
    inputs = np.asarray(inputs, float)
    figure, axes = new(height=1.6 if len(inputs) > 4 else 2.2, columns=len(inputs))
    for ax, pixels, title in zip(axes, inputs, titles, strict=True):
        _draw_digit(ax, pixels)
        ax.set_title(title, fontsize=11)
    return figure


def digit_with_bars(
    pixels: ArrayLike, series: Mapping[str, ArrayLike] | ArrayLike, *, title: str = ""
) -> Figure:
    """A digit, and beside it ten probabilities (of one model, or of several by name)."""
    figure = bars(series, [str(k) for k in range(10)], title=title)
    (axes,) = figure.axes
    grid = figure.add_gridspec(1, 2, width_ratios=(1, 2.6))
    axes.set_subplotspec(grid[1])
    with matplotlib.rc_context(STYLE):
        _draw_digit(figure.add_subplot(grid[0]), np.asarray(pixels, float))
    return figure


def _draw_digit(axes: Axes, pixels: np.ndarray) -> None:
    """Ink by opacity, so that a digit shows on a light page and on a dark one."""
    image = np.empty((8, 8, 4))
    image[:] = to_rgba(COLOURS["muted"])
    image[..., 3] = pixels.reshape(8, 8)
    axes.imshow(image, interpolation="none")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def reliability(
    bins: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], *, title: str = ""
) -> Figure:
    """Accuracy against confidence, a dot per bin (its size by its examples), by model.

    Args:
        bins: by name, what `metrics.calibration_bins` returns.
    """
    figure, (axes,) = new(height=4.2)
    axes.plot([0, 1], [0, 1], color=COLOURS["muted"], linestyle=":", label="perfectly calibrated")
    codes = _colours(bins, CYCLE)
    for (name, (confidence, correct, count)), colour in zip(bins.items(), codes, strict=True):
        area = 8 + 300 * count / count.sum()
        axes.scatter(confidence, correct, area, color=colour, alpha=0.8, label=name)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02), title=title)
    _legend(figure, axes)
    return figure


def arrows_and_bars(
    arrows: Mapping[str, tuple[tuple[float, float], tuple[float, float]]],
    values: Mapping[str, float],
    *,
    limits: tuple[float, float, float, float],
    ylim: tuple[float, float],
    title: str = "",
    colours: Sequence[str] = CYCLE,
    bar_colours: Sequence[str] = CYCLE,
) -> Figure:
    """Arrows in a plane, and beside them bars on a logarithmic axis, with their values.

    Args:
        arrows: by name, where each starts and where it ends.
        values: by name; one too small for the axis is written but has no bar.
        limits: of the plane: left, right, bottom, top; both axes have the same unit.
        ylim: of the bars, both above 0.
        colours, bar_colours: names of palette colours, one per arrow and per bar.
    """
    figure, (plane, side) = new(height=3.6, columns=2)
    grid = plane.get_gridspec()
    assert grid is not None  # both axes stand in one
    grid.set_width_ratios([1.8, 1])
    codes = _colours(arrows, colours)
    for (name, (start, end)), colour in zip(arrows.items(), codes, strict=True):
        style = {"arrowstyle": "-|>", "color": colour, "linewidth": 2}
        plane.annotate("", end, start, arrowprops=style | {"shrinkA": 0, "shrinkB": 0})
        plane.plot([], [], color=colour, label=name, linewidth=2)  # for the legend
    plane.plot(0, 0, "o", color=COLOURS["ink"], markersize=4)
    plane.set(xlim=limits[:2], ylim=limits[2:], aspect="equal", title=title)
    plane.set(xticklabels=[], yticklabels=[])
    codes = _colours(values, bar_colours)
    for k, (value, colour) in enumerate(zip(values.values(), codes, strict=True)):
        height = max(value, ylim[0])
        side.bar(k, height, 0.7, color=colour)
        above: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 10}
        side.annotate(f"{value:.3g}", (k, min(height, ylim[1])), (0, 3), **above)
    side.set(xticks=range(len(values)), xticklabels=values, ylim=ylim, title="loss")
    side.grid(axis="x", visible=False)
    _log(side, "y")
    _legend(figure, plane)
    return figure


def flow(
    boxes: Mapping[str, tuple[float, float, str]],
    arrows: Sequence[tuple[str, str]],
    *,
    height: float = 3.0,
) -> Figure:
    """Boxes of text with arrows between them: what goes where.

    Args:
        boxes: by text, the column and row of the centre (rows count from the top) and a colour.
        arrows: (text of the box it leaves, text of the box it reaches).
    """
    figure, (axes,) = new(height=height)
    wide, high = 0.84, 0.62
    for text, (x, y, colour) in boxes.items():
        looks: dict[str, Any] = {
            "facecolor": to_rgba(COLOURS[colour], 0.1),
            "edgecolor": COLOURS[colour],
        }
        corner = (x - wide / 2, y - high / 2)
        axes.add_patch(Rectangle(corner, wide, high, linewidth=1.5, **looks))
        axes.text(x, y, text, ha="center", va="center", fontsize=10.5, linespacing=1.3)
    for source, target in arrows:
        (x0, y0, colour), (x1, y1, _) = boxes[source], boxes[target]
        ends: dict[str, Any] = {"xy": (x1 - wide / 2, y1), "xytext": (x0 + wide / 2, y0)}
        style = {"arrowstyle": "-|>", "color": COLOURS[colour], "linewidth": 1.5}
        axes.annotate("", **ends, arrowprops=style | {"shrinkA": 0, "shrinkB": 0})
    columns, rows = [b[0] for b in boxes.values()], [b[1] for b in boxes.values()]
    axes.set(xlim=(min(columns) - 0.45, max(columns) + 0.45))
    axes.set(ylim=(max(rows) + 0.4, min(rows) - 0.4))
    axes.set_axis_off()
    return figure
