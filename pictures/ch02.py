"""Chapter 2: what lessons are worth, what in them teaches, and what a teacher must have seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from distill_lib import Estimate, figures, interval
from pictures.rows import Row, gain, minus, percent

Drawn = tuple[Figure, str]
LESSON_COLOURS = ("label", "muted", "accent", "student", "accent", "teacher", "teacher", "warn")
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


def draw_targets(rows: Mapping[tuple[str, int, str], Row], labels: int, student: str) -> Drawn:
    """What each kind of soft target for the labelled images gains over their labels.

    Args:
        rows: of the record, by target, labels and student.
    """
    alone = rows["label", labels, student]
    targets = [name for name, *case in rows if case == [labels, student] and name != "label"]
    gains = {name: gain(rows[name, labels, student], alone) for name in targets}
    words = minus("; ".join(f"{name} {estimate:+.1f}" for name, estimate in gains.items()))
    text = f"Student {student}, {labels} labels, points of accuracy over the labels alone: {words}."
    look = {"xlabel": "points over labels alone", "xlim": (-4, 16), "zero": True}
    look["colours"] = ("student", "teacher", "teacher", "teacher")
    return figures.estimates(gains, **look), text


def draw_variance(
    variances: Callable[[float, int], tuple[float, float]], spread: float
) -> tuple[Figure, str, dict[str, float]]:
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
    left = {"left before training": shares[1][0], "left after training": shares[1][1]}
    return figures.bars(series, ["before training", "after 300 steps"], **look), text, left


def draw_noise(rows: Mapping[tuple[int, str, float], Row], after: int) -> Drawn:
    """The gradient's noise with labels and with soft targets, after so many steps.

    Args:
        rows: of the record, by steps, whose soft targets, and T; T = 0 stands for labels.
    """
    sources = {"seen digits": "all digits", "new digits": "other digits"}
    noise = {
        name: [np.mean(rows[after, source, T]["noise"]) for T in (0, 1, 4, 10)]
        for name, source in sources.items()
    }
    seen, new = ([f"{value:,.0f}" for value in values] for values in noise.values())
    text = (
        f"After {after} steps the variance is {seen[0]} times the squared mean with labels. With "
        f"soft targets for digits that the teacher has seen it is {', '.join(seen[1:])} at T = 1, "
        f"4, 10; for digits new to it {', '.join(new[1:])}."
    )
    look = {"ylabel": "variance / squared mean", "ylim": (10, 20000), "log_y": True}
    names = ["labels", "T = 1", "T = 4", "T = 10"]
    return figures.bars(noise, names, numbers=".0f", **look), text


def draw_teachers(
    rows: Mapping[tuple[str, int, str], Row], alone: Estimate, seen: Sequence[int], student: str
) -> Drawn:
    """The student's accuracy over the labels that its teacher has seen, a line for each teacher.

    Args:
        rows: of the record, by teacher, labels seen, and student.
        alone: the student's accuracy with 30 labels and no teacher, %.
    """
    sizes = list(dict.fromkeys(size for size, *_ in rows))
    lines = {size: [percent(rows[size, n, student]) for n in seen] for size in sizes}
    lines |= {"no teacher, 30 labels": [alone] * len(seen)}
    ends = " and ".join(
        f"{lines[size][0].mean:.1f}% to {lines[size][-1].mean:.1f}% (teacher {size})"
        for size in (sizes[0], sizes[-1])
    )
    text = (
        f"Student {student}: {alone.mean:.1f}% with 30 labels and no teacher. As the teacher sees "
        f"{seen[0]} to {seen[-1]:,} labels, from {ends}."
    )
    look = {"xlabel": "labels that the teacher has seen", "ylabel": "student's accuracy, %"}
    look |= {"ylim": (70, 100), "log_x": True}
    look["colours"] = ("student", "accent", "label", "teacher", "muted")
    return figures.curves(seen, lines, **look), text


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
