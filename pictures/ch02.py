"""Chapter 2: what a model costs, how it learns, how much a seed decides, what lessons are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from distill_lib import Estimate, History, figures, interval

Drawn = tuple[Figure, str]
LESSON_COLOURS = ("label", "muted", "teacher", "accent", "teacher", "teacher", "warn")


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


def draw_variance(variances: Callable[[float, int], tuple[float, float]], spread: float) -> Drawn:
    """The gradient's variance with labels and with soft targets, before and after training.

    Args:
        variances: gives both, for a spread and a number of steps.
    """
    new, trained = (np.array(variances(spread, steps)) for steps in (0, 300))
    text = (
        f"Spread {spread:g}. Variance of the gradient, with labels and with soft targets: "
        f"{new[0]:.2f} and {new[1]:.2f} before training, {trained[0]:.2f} and "
        f"{trained[1]:.2f} after it."
    )
    shares = 100 * np.array([new / new[0], trained / trained[0]]).T
    series = {"labels": shares[0], "soft targets": shares[1]}
    look = {"ylabel": "variance, % of the labels'", "ylim": (0, 115)}
    look |= {"numbers": ".0f", "colours": ("label", "teacher")}
    return figures.bars(series, ["before training", "after 300 steps"], **look), text


Accuracies = Callable[[str, str, int], ArrayLike]
"""The test accuracies, %, of a student with a lesson and so many labels, one per seed."""


def draw_lessons(
    accuracies: Accuracies, lessons: Sequence[str], labels: int, student: str
) -> Drawn:
    """What each lesson brings a student with so many labels."""
    rows = {name: interval(accuracies(student, name, labels)) for name in lessons}
    text = (
        f"Student {student}, {labels} labels: {rows['labels alone']:.1f}% alone, "
        f"{rows['soft, same inputs']:.1f}% from soft targets on the same inputs, "
        f"{rows['soft T = 4, all inputs']:.1f}% from soft targets on all inputs, and "
        f"{rows['answers, all inputs']:.1f}% from the teacher's hard answers there."
    )
    look = {"xlabel": "test accuracy, %", "xlim": (50, 100), "colours": LESSON_COLOURS}
    return figures.estimates(rows, **look), text


def draw_more_labels(accuracies: Accuracies, counts: Sequence[int], student: str) -> Drawn:
    """Four lessons over the number of labels."""
    shown = ("labels alone", "soft, same inputs", "answers, all inputs", "poor teacher")
    lines = {name: [interval(accuracies(student, name, n)) for n in counts] for name in shown}
    text = (
        f"Student {student}: with all 1,197 labels {lines[shown[0]][-1]:.1f}% alone and "
        f"{lines[shown[1]][-1]:.1f}% from the teacher's soft targets. A band is the 95% "
        f"interval over seeds."
    )
    look = {"xlabel": "labels", "ylabel": "test accuracy, %", "ylim": (50, 100)}
    look |= {"log_x": True, "colours": ("label", "teacher", "accent", "warn")}
    return figures.curves(counts, lines, **look), text
