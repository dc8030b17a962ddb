"""Figures of a few chapters, made from the general ones of `distill_lib.figures`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from distill_lib import figures


def stacked_curves(
    x: ArrayLike,
    panels: Mapping[str, figures.Lines],
    *,
    xlabel: str = "",
    ylims: Sequence[tuple[float, float] | None] = (),
    colours: Sequence[Sequence[str]] = (),
) -> Figure:
    """Lines over the same x in panels one above the other, such as a loss and an accuracy.

    Args:
        panels: by the label of the y axis, what `figures.curves` takes as `lines`.
        ylims: of each panel, from the top.
        colours: for each panel, names of palette colours, one per line.

    Raises:
        ValueError: not as many limits or lists of colours as panels; too few colours.
    """
    ylims, colours = ylims or [None] * len(panels), colours or [figures.CYCLE] * len(panels)
    if not len(ylims) == len(colours) == len(panels):
        needs = f"{len(panels)} panels need as many limits and lists of colours"
        raise ValueError(f"{needs}; got {len(ylims)} and {len(colours)}")
    figure, every = figures.new(height=2.15 * len(panels), rows=len(panels))
    for k, (axes, (ylabel, lines)) in enumerate(zip(every, panels.items(), strict=True)):
        figures.draw_lines(axes, x, lines, colours[k])
        axes.set(ylabel=ylabel, ylim=ylims[k])
        if len(lines) > 1:
            axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=3, **figures.LEGEND)
    every[-1].set_xlabel(xlabel)
    return figure


def squares(
    axes: Axes, shape: tuple[int, ...], rows: Sequence[str], columns: Sequence[str]
) -> None:
    """Make room for a square per row and column, named, row 0 at the top.

    Raises:
        ValueError: a shape that is not (rows, columns).
    """
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
    xlabel: str = "",
    ylabel: str = "",
    limits: tuple[float, float] = (0, 1),
    numbers: str = "",
    mark: tuple[int, int] | None = None,
) -> Figure:
    """A grid of squares, the deeper in colour the larger the value, row 0 at the top.

    Args:
        values: shape (rows, columns); the square of a nan stays empty.
        limits: the values with no colour and with full colour; any outside are drawn at the end.
        numbers: a format such as ".2f" to write in each square.
        mark: (row, column) to frame.
    """
    values = np.asarray(values, float)
    figure, (axes,) = figures.new(height=1.0 + 0.32 * len(rows))
    squares(axes, values.shape, rows, columns)
    depth = np.clip((values - limits[0]) / (limits[1] - limits[0]), 0, 1)
    most = 0.38 if numbers else 0.74  # deeper, and numbers could not be read on a dark page
    for (i, j), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        # Opacity, not a colour map: it reads the same on a light and on a dark page.
        look = {"color": figures.COLOURS["teacher"], "alpha": 0.06 + most * depth[i, j]}
        axes.bar(j, 0.94, 0.94, i - 0.47, **look)
        if numbers:
            axes.text(j, i, f"{value:{numbers}}", ha="center", va="center")
    if mark is not None:
        frame = {"fill": False, "edgecolor": figures.COLOURS["student"], "linewidth": 3}
        axes.bar(mark[1], 1, 1, mark[0] - 0.5, **frame)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure


def digit_images(inputs: ArrayLike, titles: Sequence[str]) -> Figure:
    """A row of 8 × 8 digits with a title each.

    Args:
        inputs: shape (digits, 64), from 0 to 1.
    """
    inputs = np.asarray(inputs, float)
    figure, axes = figures.new(height=1.5 if len(inputs) > 4 else 2.0, columns=len(inputs))
    for ax, pixels, title in zip(axes, inputs, titles, strict=True):
        draw_digit(ax, pixels)
        ax.set_title(title, fontsize=10)
    return figure


def digit_with_bars(
    pixels: ArrayLike, series: Mapping[str, ArrayLike] | ArrayLike, **look: Any
) -> Figure:
    """A digit, and beside it ten probabilities (of one model, or of several by name).

    Args:
        look: as of `figures.bars`.
    """
    figure = figures.bars(series, [str(k) for k in range(10)], **look)
    grid = figure.add_gridspec(1, 2, width_ratios=(1, 2.6))
    figure.axes[0].set_subplotspec(grid[1])
    draw_digit(figure.add_subplot(grid[0]), np.asarray(pixels, float))
    return figure


def draw_digit(axes: Axes, pixels: np.ndarray) -> None:
    """A square image. Ink by opacity, so that it shows on a light page and on a dark one."""
    side = isqrt(pixels.size)
    image = np.tile(to_rgba(figures.COLOURS["muted"]), (side, side, 1))
    image[..., 3] = pixels.reshape(side, side)
    axes.imshow(image, interpolation="none")
    axes.set(xticks=[], yticks=[])
    axes.set_axis_off()


def reliability(bins: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Figure:
    """Accuracy against confidence, a dot per bin (its size by its examples), its shape by model.

    Args:
        bins: by name, what `metrics.calibration_bins` returns.
    """
    figure, (axes,) = figures.new(height=4.0)
    axes.plot([0, 1], [0, 1], ":", color=figures.COLOURS["muted"], label="perfectly calibrated")
    codes = figures.colour_codes(bins, figures.CYCLE)
    for k, (name, (confidence, correct, count)) in enumerate(bins.items()):
        area = 20 + 300 * count / count.sum()
        look = figures.fill(codes[k], k) | {"marker": figures.MARKERS[k], "label": name}
        axes.scatter(confidence, correct, area, **look)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
    figures.legend_above(figure, axes)
    return figure
