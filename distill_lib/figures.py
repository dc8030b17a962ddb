"""The plots that chapters share, in one style: a chapter calls one function, plots nothing.

Each function returns a matplotlib figure of its own, in the palette below, which the pages turn
into the reader's light or dark colours; pyplot has no part in it. Series are told apart without
colour as well: lines by dash and marker, bars by fill, dots by shape. The sentence that describes a
figure is the chapter's to write. Each raises a ValueError where the colours or the labels do not
suffice. Digits, squares and panels stand in the book's `pictures/`, made with the helpers here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, NullLocator
from numpy.typing import ArrayLike

from distill_lib.checks import Array
from distill_lib.statistics import Estimate
from livefigures import use_palette

Lines = Mapping[str, Array | Sequence[float] | Sequence[Estimate]]
# Light and dark; the third is for readers whose computer forces its own colours.
COLOURS = use_palette(
    {
        "ink": ("#1f2328", "#ced6dd", "CanvasText"),  # text, axes
        "muted": ("#6b7280", "#9ca4af", "CanvasText"),  # secondary text
        "grid": ("#d8dee4", "#3b434d", "GrayText"),
        "paper": ("#ffffff", "#14181e", "Canvas"),  # the background
        "teacher": ("#1f5fbf", "#6cb0ff", "LinkText"),
        "student": ("#c2410c", "#ff9a62", "CanvasText"),
        "label": ("#15803d", "#5fd08a"),
        "accent": ("#7c3aed", "#b79bff"),
        "warn": ("#b91c1c", "#ff8078"),
        "soft": ("#5f8fd6", "#5580bd", "GrayText"),
    }
)
CYCLE = ("teacher", "student", "label", "accent", "warn", "muted")
# What the first, second, … series has beside its colour: a dash, a marker, a fill and a hatch.
DASHES: Any = ("-", (0, (4, 1.6)), (0, (1, 1.3)), (0, (6, 1.5, 1, 1.5)), (0, (9, 3)), (0, (2, 3)))
MARKERS = "osD^vP"
FILLS = ((1.0, ""), (0.3, ""), (0.0, ""), (0.0, "////"), (0.0, "...."), (0.0, "xxxx"))
INKED = ("axes.labelcolor", "axes.titlecolor", "text.color", "xtick.color", "ytick.color")
STYLE: Any = {
    **dict.fromkeys(INKED, COLOURS["ink"]),
    **{"axes.edgecolor": COLOURS["muted"], "grid.color": COLOURS["grid"]},
    **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
    **dict.fromkeys(("axes.grid", "axes.axisbelow", "figure.constrained_layout.use"), True),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
    "axes.prop_cycle": cycler(color=[COLOURS[c] for c in CYCLE]) + cycler(linestyle=DASHES),
}
LEGEND: Any = {"frameon": False, "handlelength": 2.8}  # long enough to tell a dash by


def new(
    width: float = 5.0, height: float = 3.2, columns: int = 1, rows: int = 1
) -> tuple[Figure, list[Axes]]:
    """An empty figure (inches) in the book's style, and its axes, row by row from the left.

    On a telephone 390 px wide five inches, 360 points, get 358 px: matplotlib's 10 points, 10 px.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        every = figure.subplots(rows, columns, sharex="col", squeeze=False)
    for axes in every.flat:
        axes.locator_params(steps=[1, 2, 5, 10])  # not 2.5: it needs one more digit
    return figure, list(every.flat)


def colour_codes(things: Collection, names: Sequence[str]) -> list[str]:
    """The code of a colour for each thing; any colours left over are for other frames.

    ValueError for fewer names than things, or a name that the palette lacks.
    """
    if len(names) < len(things):
        raise ValueError(f"{len(things)} to draw need as many colours; got {len(names)}: {names!r}")
    if unknown := [name for name in names if name not in COLOURS]:
        raise ValueError(f"no colours of the palette: {unknown}; it has {[*COLOURS]}")
    return [COLOURS[name] for name in names][: len(things)]


def legend_above(figure: Figure, axes: Axes) -> None:
    """The names of two or more series, always there: one that looks for the best place jumps."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) < 2:
        return
    widths = [0.7 + 0.08 * len(label) for label in labels]  # inches, of a line and its letters
    room = figure.get_figwidth()
    columns = len(labels) if sum(widths) <= room else max(1, int(room / max(widths)))
    figure.legend(handles, labels, loc="outside upper left", ncols=columns, **LEGEND)


def fill(colour: str, k: int) -> dict[str, Any]:
    """How the surface of series `k` is filled; the first one needs no edge."""
    face, hatch = to_rgba(colour, FILLS[k][0]), FILLS[k][1]
    return {"facecolor": face, "edgecolor": colour, "hatch": hatch, "linewidth": 1.2 * (k > 0)}


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


def logarithmic(axes: Axes, which: str) -> None:
    """Make the "x" or the "y" axis logarithmic; its limits must be set already."""
    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    axis.set_major_formatter(_PlainTicks())
    axis.set_minor_formatter(_PlainTicks())
    low, high = axis.get_view_interval()
    if high >= 1000 * low:  # there, small ticks would only take time and ink
        axis.set_minor_locator(NullLocator())


def write_above(axes: Axes, text: str, place: tuple[float, float]) -> None:
    """Write above a place, such as the end of a bar; the axes do not move to make room for it."""
    style: Any = {"textcoords": "offset points", "ha": "center", "in_layout": False}
    axes.annotate(text, place, (0, 3), **style)


def bars(
    series: Mapping[str, ArrayLike] | ArrayLike,
    names: Sequence[str],
    *,
    title: str = "",
    ylabel: str = "probability",
    ylim: tuple[float, float] | None = None,
    numbers: str = "",
    log_y: bool = False,
    colours: Sequence[str] = CYCLE,
) -> Figure:
    """Bars side by side: one group per name, one colour and one fill per series.

    `series` are values of shape (names,), or several such by name (then with a legend); `ylim` is 0
    to 1 unless given, and a little more where `numbers`, a format such as ".2f", writes above each
    bar; `colours` are names of the palette, one per series. ValueError for values that are not one
    for each name, or too few colours.
    """
    series = series if isinstance(series, Mapping) else {"": series}
    codes = colour_codes(series, colours)
    figure, (axes,) = new()
    width = 0.8 / len(series)
    for k, (label, values) in enumerate(series.items()):
        x = np.arange(len(names)) + (k - (len(series) - 1) / 2) * width
        values = np.asarray(values, float)
        if values.shape != x.shape:
            raise ValueError(f"expected a value for each of {names!r}; got shape {values.shape}")
        axes.bar(x, values, 0.92 * width, label=label, **fill(codes[k], k))
        for place in zip(x, values, strict=True) if numbers else ():
            write_above(axes, f"{place[1]:{numbers}}", place)
    ylim = ylim or (0, 1.08 if numbers else 1)
    axes.set(xticks=range(len(names)), xticklabels=names, ylim=ylim, ylabel=ylabel, title=title)
    axes.grid(axis="x", visible=False)
    if log_y:
        logarithmic(axes, "y")
    legend_above(figure, axes)
    return figure


def curves(
    x: Sequence[float] | Array,
    lines: Lines,
    *,
    xlabel: str = "",
    ylabel: str = "",
    ylim: tuple[float, float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    mark: float | None = None,
    colours: Sequence[str] = CYCLE,
) -> Figure:
    """Lines over x with a legend; a line of `Estimate`s gets its interval as a band.

    `lines` are by name values of shape (x,), or one `Estimate` for each x; `mark` is where to draw
    a vertical line, the slider's place on the x axis; `colours` are names of the palette.
    """
    figure, (axes,) = new()
    draw_lines(axes, x, lines, colours)
    if mark is not None:
        axes.axvline(mark, color=COLOURS["muted"], linestyle=":")
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim)
    if log_y:
        logarithmic(axes, "y")
    if log_x:
        logarithmic(axes, "x")
        if len(x) <= 12:  # a short grid of values names itself; powers of ten would not
            axes.set_xticks(x, [f"{v:g}" for v in x], minor=False)
            axes.minorticks_off()
    legend_above(figure, axes)
    return figure


def draw_lines(axes: Axes, x: ArrayLike, lines: Lines, colours: Sequence[str]) -> None:
    """The next lines of these axes, each with its dash; an interval is a band."""
    codes = colour_codes(lines, colours)
    for k, (name, values) in enumerate(lines.items()):
        look: Any = {"color": codes[k], "linewidth": 2}  # the dash is the axes' next one
        if len(lines) > 1 and np.size(x) <= 8:  # more markers would hide the line
            look |= {"marker": MARKERS[k], "markersize": 7, "markeredgecolor": COLOURS["paper"]}
        if estimates := [value for value in values if isinstance(value, Estimate)]:
            low, high = [e.low for e in estimates], [e.high for e in estimates]
            axes.fill_between(x, low, high, color=codes[k], alpha=0.2, linewidth=0)
            values = [e.mean for e in estimates]
        axes.plot(x, values, label=name, **look)


def estimates(
    rows: Mapping[str, Estimate],
    *,
    xlabel: str = "",
    xlim: tuple[float, float] | None = None,
    zero: bool = False,
    colours: Sequence[str] | None = None,
) -> Figure:
    """A dot with its 95% interval per row: what is better than what, at one look.

    `zero` draws the line at 0, for differences; `colours` are names of the palette, one per row.
    """
    figure, (axes,) = new(height=1.1 + 0.36 * len(rows))
    codes = colour_codes(rows, colours or ["student"] * len(rows))
    for y, (e, colour) in enumerate(zip(rows.values(), codes, strict=True)):
        axes.plot([e.low, e.high], [y, y], "-", color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([e.mean], [y], "o", color=colour, markersize=8)
    if zero:
        axes.axvline(0, color=COLOURS["ink"], linewidth=1)
    axes.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    axes.set(xlabel=xlabel, xlim=xlim)
    axes.grid(axis="y", visible=False)
    return figure
