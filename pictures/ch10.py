"""Chapter 10: self-distillation beside its controls; what targets become; generations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from distill_lib import (
    Estimate,
    Split,
    figures,
    interval,
    paired_difference,
)
from pictures import shared
from pictures.rows import Row, crossed_gain, lay_out, minus

Drawn = tuple[Figure, str]
Rows = Mapping[Any, Row]

CONTROLS = {  # by method, what it is beside
    "progressive": "smoothing",
    "born again": "smoothing",
    "exits, taught": "exits",
    "noisy views, agreeing": "noisy views",
    "mutual": "ensemble's student",
}
MEASURES = {  # as the control of a figure says it: in the record, factor, how it is written
    "accuracy, points": ("accuracy", 100, ".1f"),
    "NLL": ("nll", 1, ".2f"),
    "ECE, points": ("calibration_error", 100, ".1f"),
}
PAIRS = [(rate, w) for rate in (0.001, 0.003, 0.01) for w in (0.25, 0.5, 0.8)]
RATES = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03)
WITHOUT = ("labels", "exits", "noisy views")  # the methods that have no w
FEW = {  # by method of the study without labels, as the figure calls it
    "labels": "labels",
    "noisy views": "labels, noisy inputs",
    "born again, labelled inputs": "born again, labelled inputs",
    "born again, all inputs": "born again, all inputs",
    "random teacher, all inputs": "random teacher, all inputs",
    "agreeing, all inputs": "agreeing, all inputs",
}


def chosen(row: Row) -> tuple[float, float]:
    """The learning rate and the w that a row's trial stands for, w = 0 where there is none.

    The record has the number of the trial; the dials are those of `studies/self_distillation.py`.
    """
    trial = row["rate"]
    return (RATES[trial], 0.0) if row["method"] in WITHOUT else PAIRS[trial]


def difference(row: Row, other: Row, measure: str, which: str = "right") -> Estimate:
    """One method minus another: accuracy in points over seeds and digits, else over seeds.

    Args:
        measure: a key of `MEASURES`.
        which: where the rows have, packed, which test digits were right.
    """
    name, factor, _ = MEASURES[measure]
    if name == "accuracy":
        return crossed_gain({"right": row[which]}, {"right": other[which]})
    return paired_difference(row[name], other[name]).scaled(factor)


def value(row: Row, measure: str) -> Estimate:
    """A measure of a row, over seeds."""
    name, factor, _ = MEASURES[measure]
    return interval(row[name]).scaled(factor)


def beside(cases: Rows, share: float, measure: str) -> dict[str, tuple[Estimate, Estimate]]:
    """By method, its difference from labels alone, and that of its control."""
    of = {method: row for (at, method), row in cases.items() if at == share}
    return {
        method: tuple(difference(of[m], of["labels"], measure) for m in (method, control))
        for method, control in CONTROLS.items()
    }


def draw_beside(cases: Rows, share: float, measure: str) -> Drawn:
    """Each way of self-distillation and its control, minus labels alone.

    Args:
        cases: rows of the study by share of wrong labels and method.
    """
    shares = dict.fromkeys(at for at, _ in cases)
    every = [e for at in shares for pair in beside(cases, at, measure).values() for e in pair]
    low, high = min(e.low for e in every), max(e.high for e in every)
    room = (high - low) / 20
    figure, (axes,) = figures.new(height=3.6)
    looks = (("student", "o", "self-distillation"), ("muted", "s", "its control"))
    shown = beside(cases, share, measure)
    for y, pair in enumerate(shown.values()):
        for k, (e, (colour, marker, name)) in enumerate(zip(pair, looks, strict=True)):
            style: Any = {"color": figures.COLOURS[colour], "solid_capstyle": "round"}
            axes.plot([e.low, e.high], [y + 0.3 * k - 0.15] * 2, "-", linewidth=3 - k, **style)
            style = {"color": figures.COLOURS[colour], "markersize": 8}
            style |= {"markerfacecolor": figures.COLOURS["paper"]} if k else {}
            label = name if y == 0 else None
            axes.plot([e.mean], [y + 0.3 * k - 0.15], marker, linestyle="", label=label, **style)
    names = [f"{m}\n({c})".replace(", ", ",\n") for m, c in CONTROLS.items()]
    axes.axvline(0, color=figures.COLOURS["ink"], linewidth=1)
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes.set(
        xlim=(min(low, 0) - room, max(high, 0) + room), xlabel=f"{measure}, minus labels alone"
    )
    axes.grid(axis="y", visible=False)
    figures.legend_above(figure, axes)
    lay_out(figure, axes.xaxis, "−1.00")
    form = "+" + MEASURES[measure][2]
    words = "; ".join(
        f"{method} {one:{form}}, its control {two:{form}}" for method, (one, two) in shown.items()
    )
    return figure, minus(
        f"{share:.0%} of the labels wrong; {measure}, minus labels alone: {words}."
    )


def draw_target(
    split: Split,
    right: np.ndarray,
    targets: Mapping[float, np.ndarray],
    rows: Mapping[str, int],
    digit: str,
    w: float,
    passes: int,
) -> Drawn:
    """A mislabelled digit, and its target in this pass of the training.

    Args:
        right: the right labels of the split's examples.
        targets: by the last w, an array of shape (passes, examples, classes).
        rows: by the words of the control, which of the examples.
    """
    row = rows[digit]
    target, label, truth = targets[w][passes, row], int(split.labels[row]), int(right[row])
    title = f"pass {passes}: labelled {label}, in truth {truth}"
    figure = shared.digit_with_bars(split.inputs[row], target, title=title)
    text = f"w grows to {w:g}. In pass {passes} the target of this {truth}, labelled {label}, "
    text += f"gives {target[label]:.0%} to {label} and {target[truth]:.0%} to {truth}."
    return figure, text


def draw_generations(rows: Rows, smoothed: Rows, share: float, generation: int) -> Drawn:
    """Accuracy from generation 0 to this one, beside label smoothing.

    Args:
        rows: of the study by share of wrong labels.
        smoothed: the rows of label smoothing by share of wrong labels.
    """
    table = 100 * np.array(rows[share]["accuracy"])
    every = [interval(column) for column in table.T]
    control = value(smoothed[share], "accuracy, points")
    upto = generation + 1
    figure, (axes,) = figures.new()
    colour = figures.COLOURS["student"]
    for k, e in enumerate(every[:upto]):
        axes.plot([k, k], [e.low, e.high], "-", color=colour, linewidth=3, solid_capstyle="round")
    means = [e.mean for e in every[:upto]]
    axes.plot(range(upto), means, "o-", color=colour, markersize=8, label="born again")
    look: Any = {"color": figures.COLOURS["muted"], "linestyle": figures.DASHES[1]}
    axes.plot([-0.3, len(every) - 0.7], [control.mean] * 2, label="label smoothing", **look)
    ends = [*(e.low for e in every), *(e.high for e in every), control.mean]
    axes.set(xlim=(-0.3, len(every) - 0.7), ylim=(min(ends) - 0.5, max(ends) + 0.5))
    axes.set(xticks=range(len(every)), xlabel="generation", ylabel="accuracy on test, %")
    figures.legend_above(figure, axes)
    lay_out(figure, axes.yaxis, "90.0")
    gained = generation_gain(rows[share], generation)
    text = f"{share:.0%} of the labels wrong: generation {generation}: {every[generation]:.1f}%, "
    text += f"{gained:+.1f} against generation 0; label smoothing {control:.1f}%."
    return figure, minus(text)


def generation_gain(row: Row, generation: int, than: int = 0) -> Estimate:
    """Points that a generation has more than another, over seeds and test digits."""
    return ahead_of(row, generation, {"right": row[f"right_{than}"]})


def ahead_of(row: Row, generation: int, other: Row) -> Estimate:
    """Points that a generation has more than the students of another row."""
    return difference({"right": row[f"right_{generation}"]}, other, "accuracy, points")


def draw_noise(views: Rows, share: float, noise: float) -> Drawn:
    """Two views with so much noise: agreeing, with plain labels, or with smoothed ones.

    Args:
        views: rows of the study by share of wrong labels, noise and method.
    """
    levels = list(dict.fromkeys(level for _, level, _ in views))
    lines = {
        m: [value(views[share, n, m], "accuracy, points") for n in levels]
        for m in ("noisy views, agreeing", "noisy views", "noisy views, smoothed")
    }
    ends = [e for line in lines.values() for e in line]
    limits = min(e.low for e in ends) - 0.5, max(e.high for e in ends) + 0.5
    look: Any = {"xlabel": "noise on each pixel, standard deviation", "ylabel": "accuracy, %"}
    look |= {"colours": ("student", "muted", "teacher"), "ylim": limits, "mark": noise}
    figure = figures.curves(levels, lines, **look)
    lay_out(figure, figure.axes[0].yaxis, "90.0")
    words = "; ".join(f"{m} {line[levels.index(noise)]:.1f}%" for m, line in lines.items())
    return figure, f"{share:.0%} of the labels wrong, noise {noise:g}: {words}."


def draw_few(rows: Rows, labels: int, measure: str) -> Drawn:
    """Every method with so many labels, the other digits without any.

    Args:
        rows: of the study by number of labels and method.
    """
    shown = {name: value(rows[labels, m], measure) for m, name in FEW.items()}
    every = [value(row, measure) for row in rows.values()]
    low, high = min(e.low for e in every), max(e.high for e in every)
    room = (high - low) / 20
    colours = ("ink", "muted", "soft", "student", "warn", "accent")
    look: Any = {"xlim": (low - room, high + room), "colours": colours}
    label = {"accuracy, points": "accuracy on test, %", "ECE, points": "ECE, %"}
    figure = figures.estimates(shown, xlabel=label.get(measure, measure), **look)
    lay_out(figure, figure.axes[0].xaxis, "90.0")
    form = MEASURES[measure][2]
    words = "; ".join(f"{name} {e:{form}}" for name, e in shown.items())
    text = f"{labels} labels; {label.get(measure, measure)}: {words}."
    return figure, text


def table(cases: Rows, share: float, methods: Sequence[str]) -> list[str]:
    """A line for each method: accuracy, NLL and ECE with their intervals, and what was chosen."""
    lines = [f"{'':<22} accuracy, %   NLL           ECE, %       rate    w"]
    for method in methods:
        every = [(value(cases[share, method], m), form) for m, (_, _, form) in MEASURES.items()]
        rate, w = chosen(cases[share, method])
        measures = "   ".join(f"{f'{e:{form}}':<11}" for e, form in every)
        lines.append(f"{method:<22} {measures}  {rate:<6}  {w or '-'}")
    return lines
