"""Chapter 9: a rule as a teacher, decade by decade, step by step and softened; specialists."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Estimate, figures, interval, softmax
from pictures.rows import Row, crossed_gain, lay_out, minus, percent

Drawn = tuple[Figure, str]
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
KINDS = (
    "neighbours",
    "another circle",
    "turned, no circle",
    "shuffled circle",
    "fixed orders",
    "even",
)
METHODS = ("answer alone", "terms", "running sums")


def draw_decades(rows: Mapping[str, Row], encoding: str) -> Drawn:
    """Right weekdays in each decade from 1800 to 2199, for one way to write a date.

    Args:
        rows: by encoding.
    """
    row = rows[encoding]
    hits = 100 * np.array(row["decades"])  # of each seed and decade
    line = [interval(of_decade) for of_decade in hits.T]
    starts = np.arange(1800, 2200, 10)
    figure = figures.curves(
        starts + 5,
        {"right": line},
        xlabel="year (the shaded ones hold the dates it learned from)",
        ylabel="right weekdays, %",
        ylim=(-3, 103),
        colours=("student",),
    )
    (axes,) = figure.axes
    axes.axvspan(1900, 2080, color=figures.COLOURS["muted"], alpha=0.15, linewidth=0)
    axes.axhline(100 / 7, color=figures.COLOURS["muted"], linestyle=":")  # chance
    axes.set_xlim(1795, 2205)
    text = f"{encoding.capitalize()}: of dates of 1900 to 2079 that it did not see "
    text += f"{percent(row):.1f}% right; of 2080 to 2099, {percent(row, 'future'):.1f}%; "
    text += f"of 2100 to 2199, {percent(row, 'after'):.1f}%; "
    text += f"of 1800 to 1899, {percent(row, 'before'):.1f}%. Dotted: chance, 14.3%."
    return figure, text


def draw_off(rows: Mapping[str, Row], encoding: str) -> Drawn:
    """By how many days the answers of 2100 to 2199 are off, for one way to write a date."""
    shares = np.mean(rows[encoding]["off"], axis=0)
    days = [3, 2, 1, 0, 6, 5, 4]  # of 0 off, one too few, …, one too many: from three too few on
    names = ["−3", "−2", "−1", "right", "+1", "+2", "+3"]
    figure = figures.bars(shares[days], names, ylabel="share of 2100 to 2199", numbers=".2f")
    most = int(np.argmax(shares[days]))
    text = f"{encoding.capitalize()}, 2100 to 2199: {100 * shares[0]:.1f}% are right. "
    return figure, text + f"Most frequent: {names[most]}, {100 * shares[days][most]:.1f}%."


def draw_steps(rows: Mapping[tuple[str, int], Row], dates: int) -> Drawn:
    """What the rule's steps are worth with so many dates."""
    shown = {name: percent(rows[name, dates]) for name in METHODS}
    said = "; ".join(f"{name} {value:.1f}%" for name, value in shown.items())
    text = f"{dates:,} dates, right weekdays of dates not seen: {said}."
    look = {"xlabel": "right weekdays of dates not seen, %", "xlim": (0, 103)}
    return figures.estimates(shown, colours=("label", "accent", "student"), **look), text


def draw_soft_rule(scales: Mapping[str, np.ndarray], kind: str, T: float) -> Drawn:
    """What a softened rule says of a Thursday.

    Args:
        scales: by kind, how far each weekday is from each, shape (7, 7).
    """
    p = softmax(-1.0 * scales[kind][3], T)
    order = np.argsort(-p, kind="stable")
    text = f"A Thursday by {kind} at T = {T:g}: Thursday {p[3]:.2f}; next "
    text += f"{WEEK[order[1]]} {p[order[1]]:.2f} and {WEEK[order[2]]} {p[order[2]]:.2f}."
    return figures.bars({"the rule's soft target": p}, WEEK, numbers=".2f"), text


def draw_soft(rows: Mapping[tuple[str, float], Row], T: float) -> Drawn:
    """Students of a rule that was softened in six ways, beside the hard answer."""
    shown = {"hard": percent(rows["hard", 0])} | {k: percent(rows[k, T]) for k in KINDS}
    said = "; ".join(f"{name} {value:.1f}%" for name, value in shown.items())
    look = {"xlabel": "right weekdays of dates not seen, %", "xlim": (20, 100)}
    colours = ("label", "student", "student", "accent", "teacher", "muted", "muted")
    return figures.estimates(shown, colours=colours, **look), f"T = {T:g}: {said}."


def draw_committee(rows: Mapping[tuple[str, str, int], Row], helpers: int) -> Drawn:
    """A generalist with so many helpers of two kinds: points gained by all together, and by one.

    Args:
        rows: by case, by who helps and by the number of helpers.
    """
    alone, plain = rows["few units", "generalist", 0], rows["few units", "labels alone", 0]
    shown: dict[str, Estimate] = {}
    for who in ("more generalists", "specialists"):
        row = rows["few units", who, helpers]
        shown[f"{who}, together"] = crossed_gain(_together(row), _together(alone))
    for who in ("more generalists", "specialists"):
        shown[f"{who}, their student"] = crossed_gain(rows["few units", who, helpers], plain)
    said = "; ".join(f"{name} {value:+.1f}" for name, value in shown.items())
    look = {"xlabel": "points of test accuracy", "xlim": (-8, 10), "zero": True}
    colours = ("teacher", "accent", "teacher", "accent")
    figure = figures.estimates(shown, colours=colours, **look)
    lay_out(figure, figure.axes[0].yaxis, "more generalists, their student")
    return figure, minus(
        f"{helpers} helpers; points over the generalist, or a student of the labels: {said}."
    )


def _together(row: Row) -> Row:
    """The row with the committee's own answers in place of its student's."""
    return {"right": row["together_right"]}
