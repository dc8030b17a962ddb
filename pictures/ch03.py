"""Chapter 3: how much a seed decides, what labels alone can give, how a model is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Estimate, History, crossed_interval, figures, interval
from pictures.rows import minus

Drawn = tuple[Figure, str]


def draw_seeds(linear: np.ndarray, hidden: np.ndarray, seeds: int, first: int) -> Drawn:
    """What so many seeds, from one on, say of two students whose accuracies are in percent."""
    rows = (first + np.arange(seeds)) % len(linear)
    means = {"64-10": _estimate(linear[rows]), "64-16-10": _estimate(hidden[rows])}
    difference = _estimate(linear[rows] - hidden[rows])
    if seeds == 1:
        words = " and ".join(f"{row.mean:.1f}%" for row in means.values())
        text = f"Seed {first} alone: {words}, difference {difference.mean:+.1f}."
    else:
        words = ", ".join(f"{name} {row:.1f}%" for name, row in means.items())
        text = f"{seeds} seeds from seed {first} on: {words}; paired difference {difference:+.1f}."
        if any(row.low < 60 or row.high > 92 for row in means.values()):
            text += " A line that reaches the edge goes on."
    look = {"xlabel": "test accuracy, %", "xlim": (60, 92)}
    return figures.estimates(means, colours=["student", "accent"], **look), text


def _estimate(values: np.ndarray) -> Estimate:
    """The interval; of a single value, that value without one."""
    one = float(values[0])
    return interval(values) if len(values) > 1 else Estimate(one, one, one, 1)


def draw_crossed(gain: np.ndarray, seeds: int, digits: int) -> tuple[Figure, str, dict[str, float]]:
    """A gain's interval over so many seeds, and over these and so many test digits.

    Args:
        gain: shape (seeds, digits), in points: 100 where only the one student is right, −100 where
            only the other is.
    """
    part = gain[:seeds, :digits]
    rows = {"seeds alone": interval(part.mean(axis=1)), "seeds and digits": crossed_interval(part)}
    words = ", ".join(f"{name} {row:+.1f}" for name, row in rows.items())
    text = f"{seeds} seeds, {digits} test digits: {minus(words)} points."
    look = {"xlabel": "points over the labels", "xlim": (-10, 30), "zero": True}
    numbers = {f"±, {name}": (row.high - row.low) / 2 for name, row in rows.items()}
    narrow, wide = numbers.values()
    numbers |= {"gain": float(part.mean()), "times as wide": wide / narrow}
    return figures.estimates(rows, colours=["student", "accent"], **look), text, numbers


def baselines(lines: Mapping[str, Sequence[Estimate]], labels: Sequence[int]) -> Drawn:
    """Accuracy, %, over the number of labels: of baselines, and of a student that has a teacher."""
    at = list(labels).index(30)
    words = "; ".join(f"{name} {values[at].mean:.1f}%" for name, values in lines.items())
    look = {"xlabel": "labels", "ylabel": "test accuracy, %", "ylim": (50, 100), "log_x": True}
    look["colours"] = ("label", "accent", "muted", "teacher")
    return figures.curves(labels, lines, **look), f"With 30 labels: {words}."


def draw_learning(histories: Mapping[int, History], labels: int) -> Drawn:
    """The loss on so many labels, and the surprise on the validation split, step by step."""
    h = histories[labels]
    best = int(np.argmin(h.nll))
    lines = {"loss on its labels": h.loss[1:], "NLL on validation": h.nll[1:]}
    text = (
        f"With {labels} labels the loss falls to {h.loss[-1]:.3f}. The validation NLL is "
        f"lowest, {h.nll[best]:.2f}, at step {h.step[best]}, and ends at {h.nll[-1]:.2f}; "
        f"accuracy is {h.accuracy[best]:.1%} there and {h.accuracy[-1]:.1%} at the end."
    )
    look = {"xlabel": "step", "ylim": (0, 1.6), "mark": h.step[best]}
    look["colours"] = ("label", "student")
    return figures.curves(h.step[1:], lines, **look), text


def costs(
    ratios: Mapping[str, Sequence[float]], microseconds: Mapping[tuple[str, int], float]
) -> Drawn:
    """How many times the linear student's work and time each model needs.

    Args:
        ratios: multiply-adds, time for one example, time in a batch of 256: each by model.
        microseconds: by model and batch size, the time an example takes.
    """
    look = {"ylabel": "times the linear student's", "ylim": (0.8, 400), "numbers": ".3g"}
    figure = figures.bars(ratios, ["64-10", "64-16-10", "teacher"], log_y=True, **look)
    work, alone, many = (values[2] for values in ratios.values())
    text = (
        f"The teacher needs {work:.0f} times the multiply-adds of the linear student. Where "
        f"this page was made it took {alone:.1f} times as long for one example "
        f"({microseconds['teacher', 1]:.1f} against {microseconds['64-10', 1]:.1f} "
        f"microseconds), and {many:.0f} times as long in a batch of 256 "
        f"({microseconds['teacher', 256]:.2f} against {microseconds['64-10', 256]:.3f} "
        f"microseconds an example)."
    )
    return figure, text
