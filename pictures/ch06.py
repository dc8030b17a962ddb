"""Chapter 6: arrows and their losses, teachers of a wrong scale, growing weights, the bug lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from distill_lib import (
    History,
    accuracy,
    calibration_bins,
    calibration_error,
    figures,
    negative_log_likelihood,
    rationale_cosine,
    rationale_mse,
    soft_target_loss,
)
from pictures import shared
from pictures.rows import Row, crossed_gain, minus, percent

Drawn = tuple[Figure, str]
Numbered = tuple[Figure, str, Mapping[str, Any]]
"""With the numbers that the prose may follow."""
Point = tuple[float, float]


def draw_plane(
    turned: Callable[[float, float], np.ndarray], angle: float, length: float
) -> Numbered:
    """The teacher's arrow and a student's, with what three losses make of the pair.

    Args:
        turned: the student's row, for an angle in degrees and a length; the teacher's is that of
            the angle 0 and the length 1.
    """
    t, s, tip = turned(0, 1), turned(angle, length), length * np.exp(1j * np.radians(angle))
    mse, cosine = rationale_mse([s], [t]).value, rationale_cosine([s], [t]).value
    cosine = round(cosine, 9)  # at 0° rounding alone may leave some 1e-33
    values = {"MSE": mse, "KL": soft_target_loss([s], [t], 4.0).value, "1−cos": cosine}
    arrows = {"teacher": ((0, 0), (1, 0)), "student": ((0, 0), (tip.real, tip.imag))}
    # Downhill for the cosine, at right angles to the student's arrow; at 0° and 180° it is flat.
    down = tip - 0.6j * np.exp(1j * np.radians(angle)) * bool(angle % 180)
    arrows["cosine's pull"] = (arrows["student"][1], (down.real, down.imag))
    losses = "; ".join(f"{name}: {value:.3g}" for name, value in values.items())
    where = f"Rotated by {angle}° and stretched to {length:g} times the teacher's length"
    look = {"limits": (-2.1, 2.1, -0.7, 2.1), "ylim": (1e-3, 1e3)}
    look |= {"colours": ("teacher", "student", "label"), "bar_colours": ("muted",) * 3}
    return arrows_and_bars(arrows, values, **look), f"{where}. {losses}.", values


def arrows_and_bars(
    arrows: Mapping[str, tuple[Point, Point]],
    values: Mapping[str, float],
    *,
    limits: tuple[float, float, float, float],
    ylim: tuple[float, float],
    colours: Sequence[str] = figures.CYCLE,
    bar_colours: Sequence[str] = figures.CYCLE,
) -> Figure:
    """Arrows in a plane, and beside them bars on a logarithmic axis, with their values.

    Args:
        arrows: by name, where each starts and where it ends; one without a length is not drawn.
        values: by name; one too small for the axis is written but has no bar.
        limits: of the plane: left, right, bottom, top; both axes have the same unit.
        ylim: of the bars, both above 0.
        colours, bar_colours: names of palette colours, one per arrow and per bar.

    Raises:
        ValueError: too few colours, or none of the palette.
    """
    figure, (plane, side) = figures.new(height=3.3, columns=2)
    plane.get_gridspec().set_width_ratios([1.8, 1])
    codes = figures.colour_codes(arrows, colours)
    for k, (name, (start, end)) in enumerate(arrows.items()):
        look = {"color": codes[k], "linestyle": figures.DASHES[k], "linewidth": 2}
        style = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0}
        if start != end:
            plane.annotate("", end, start, arrowprops=style | look, in_layout=False)
        plane.plot([], [], label=name, **look)  # for the legend
    plane.plot(0, 0, "o", color=figures.COLOURS["ink"], markersize=4)
    plane.set(xlim=limits[:2], ylim=limits[2:], aspect="equal", xticklabels=[], yticklabels=[])
    codes = figures.colour_codes(values, bar_colours)
    for k, (value, colour) in enumerate(zip(values.values(), codes, strict=True)):
        height = max(value, ylim[0])
        side.bar(k, height, 0.7, color=colour)
        figures.write_above(side, f"{value:.3g}", (k, min(height, ylim[1])))
    side.set(xticks=range(len(values)), xticklabels=values, ylim=ylim, title="loss")
    side.grid(axis="x", visible=False)
    figures.logarithmic(side, "y")
    figures.legend_above(figure, plane)
    return figure


def draw_scale(scale: Mapping[tuple[int, float, str], Row], spread: float, rows: int) -> Drawn:
    """Each method's accuracy where the teacher's rows have lengths of such a spread.

    Args:
        scale: rows of the study by number of examples, spread and method.
    """
    methods = list(dict.fromkeys(method for *_, method in scale))
    table = {name: percent(scale[rows, spread, name]) for name in methods}
    words = "; ".join(f"{name}: {e:.1f}" for name, e in table.items())
    look = {"xlabel": "accuracy on test, %", "xlim": (50, 100)}
    look["colours"] = ("teacher", "muted", "ink", "student", "label", "accent")
    text = f"Spread {spread:g}, {rows} rows. Accuracy in %. {words}."
    return figures.estimates(table, **look), text


def draw_calibration(logits: np.ndarray, labels: np.ndarray, T: float) -> Numbered:
    """The reliability of a student whose logits are divided by T."""
    z = logits / T
    nll, error = negative_log_likelihood(z, labels), calibration_error(z, labels)
    measures = f"NLL {nll:.2f}, calibration error {error:.1%}"
    text = f"Logits divided by {T:g}: {measures}, accuracy still {accuracy(z, labels):.1%}."
    bins = calibration_bins(z, labels)
    columns = zip(("confidence", "accuracy", "examples"), bins, strict=True)
    numbers = {name: column[bins[2] > 0] for name, column in columns}
    numbers |= {"NLL": nll, "calibration error, %": 100 * error}
    return shared.reliability({"student": bins}), text, numbers


def draw_grid(grid: Mapping[tuple[int, float, float], Row], T: int) -> Drawn:
    """Accuracy at every α and β of one T, the best of them framed.

    Args:
        grid: rows of the study by T, α and β.
    """
    alphas, betas = (sorted({place[k] for place in grid}) for k in (1, 2))
    values = [[percent(grid[T, a, b]).mean for b in betas] for a in alphas]
    best = np.unravel_index(np.argmax(values), np.shape(values))
    look = {"xlabel": "β", "ylabel": "α", "limits": (90, 97), "numbers": ".1f"}
    text = f"T = {T}: from {np.min(values):.1f}% to {np.max(values):.1f}% right on test, "
    text += f"best at α = {alphas[best[0]]:g}, β = {betas[best[1]]:g} (framed)."
    return shared.heatmap(values, alphas, betas, mark=best, **look), text


def draw_curriculum(
    grown: Mapping[tuple[int, float, int], Row], curriculum: int, beta: float, T: int
) -> Drawn:
    """β as it grows over the epochs, and what the validation accuracy does meanwhile.

    Args:
        grown: rows of the study by length of the curriculum, β and T.
    """
    now, start = grown[curriculum, beta, T], grown[0, beta, T]
    epochs = np.arange(0, 401, 20) / np.ceil(1197 / 32)
    curves = {"this run": now, "from the start": start}
    curves = {name: 100 * np.mean(row["curve"], axis=0) for name, row in curves.items()}
    share = np.minimum(1, epochs / curriculum) if curriculum else np.ones(len(epochs))
    panels = {"β": {"": beta * share}, "validation, %": curves}
    look = {"xlabel": "epoch", "ylims": [(0, 0.7), (80, 100)]}
    look["colours"] = (("student",), ("student", "soft"))
    text = f"E = {curriculum}, β = {beta:g}, T = {T}: {percent(now):.1f}% on test "
    more = crossed_gain(now, start)
    text += f"(rate {now['rate']:g}), {more:+.1f} points against β from the start "
    text += f"(rate {start['rate']:g})."
    return shared.stacked_curves(epochs, panels, **look), minus(text)


def factors(adaptive: Mapping[tuple[float, str], Row]) -> Drawn:
    """The factor on the cosine, step by step, that makes its gradient as long as the other's.

    Args:
        adaptive: rows of the study by spread and kind of weights.
    """
    lines = {f"spread {k}": np.mean(adaptive[k, "adaptive"]["factor"], axis=0) for k in (0, 1)}
    look = {"xlabel": "step", "ylabel": "factor on the cosine", "log_y": True, "ylim": (1, 1e3)}
    ends = (f"{row[0]:.0f}, {row[1]:.0f} and {row[-1]:.0f} ({name})" for name, row in lines.items())
    text = "The factor that makes both gradients equal, at first, at step 20 and at the end: "
    return figures.curves(np.arange(0, 400, 20), lines, **look), f"{text}{'; '.join(ends)}."


def draw_lab(
    lab: Callable[[str, str], tuple[Any, History]],
    odd_right: Callable[[Any], float],
    rationale: str,
    loss: str,
) -> Drawn:
    """The loss of a student of one rationale, relative to its start.

    Args:
        lab: trains a student with a rationale and a loss; returns it and its history.
        odd_right: its share of right answers to "odd or even".
    """
    student, history = lab(rationale, loss)
    line = np.array(history.loss[1:]) / history.loss[1]
    look = {"xlabel": "step", "ylabel": "loss, relative to its start", "ylim": (0, 1.1)}
    figure = figures.curves(history.step[1:], {loss: line}, colours=("student",), **look)
    text = f"Rationale: {rationale}, compared by {loss}. After {history.step[-1]} steps the loss "
    text += f"ends at {line[-1]:.0%} of its start, "
    text += f"{odd_right(student):.0%} of odd or even is right."
    return figure, text
