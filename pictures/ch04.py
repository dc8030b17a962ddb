"""Chapter 4: two pulls, a digit never shown, the divergence, T², both dials, the bug lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from distill_lib import cross_entropy, figures, soft_target_loss
from pictures import shared
from pictures.rows import NOT_RUN, Row, crossed_gain, gain, minus, percent

Drawn = tuple[Figure, str]
Numbered = tuple[Figure, str, dict[str, ArrayLike]]
"""With the numbers that the prose may follow."""
Grid = Mapping[tuple[int, float], Row]
"""Rows by T and α."""
NEVER_SHOWN = {  # by the name of a line: the student, and what it learns from
    "linear": ("64-10", "soft targets"),
    "64-16-10": ("64-16-10", "soft targets"),
    "evened": ("64-10", "evened"),
    "teacher without it": ("64-10", "ignorant teacher"),
}


def draw_pulls(
    student: np.ndarray, teacher: np.ndarray, labels: np.ndarray, T: float, alpha: float
) -> Drawn:
    """How the label and the teacher pull on the logits of one example, a handwritten 2.

    Args:
        student, teacher: logits, shape (1, 10).
        labels: shape (1,).
    """
    label = alpha * -cross_entropy(student, labels).gradient[0]
    soft = (1 - alpha) * -soft_target_loss(student, teacher, T).gradient[0]
    look = {"ylabel": "pull on the logit", "ylim": (-1, 4.5), "colours": ("label", "teacher")}
    figure = figures.bars({"label": label, "teacher": soft}, range(10), **look)
    pulls = f"pulls the 2 by {soft[2]:.2f}, the 8 by {soft[8]:.2f} and the 3 by {soft[3]:.2f}"
    second = f"the teacher {pulls}" if alpha < 1 else "the teacher is silent"
    first = f"At T = {T} and α = {alpha:g} the label pulls the 2 by {label[2]:.2f}"
    return figure, minus(f"{first}; {second}.")


def draw_never_shown(rows: Mapping[tuple[int, str, str, int], Row], digit: int, T: int) -> Drawn:
    """How much of a digit is found by students that were never shown it, over T.

    Args:
        rows: by digit, student, lesson and T; the two controls have some of the T alone.
    """
    temperatures, lines = sorted({key[-1] for key in rows}), {}
    for name, who in NEVER_SHOWN.items():
        at_T = [rows.get((digit, *who, t)) for t in temperatures]
        lines[name] = [percent(row, "found") if row else NOT_RUN for row in at_T]
    look = {"xlabel": "T", "ylabel": f"{digit}s that are found, %", "ylim": (-4, 104)}
    look["colours"] = ("student", "accent", "label", "warn")
    figure = figures.curves(temperatures, lines, log_x=True, mark=T, **look)
    linear, hidden, *controls = (values[temperatures.index(T)] for values in lines.values())
    others = percent(rows[digit, *NEVER_SHOWN["linear"], T], "others")
    text = f"Without any {digit}, at T = {T}, the linear student finds {linear:.0f}% of the "
    text += f"{digit}s, and is right on {others:.0f}% of the other digits; 64-16-10 finds "
    text += f"{hidden:.0f}%"
    if NOT_RUN not in controls:
        text += ", the controls {:.0f}% and {:.0f}%".format(*controls)
    return figure, f"{text}."


def draw_divergence(teacher: float, student: float) -> Numbered:
    """The divergence of two answers about one class and the rest, over the student's."""
    q = np.linspace(0.01, 0.99, 99)

    def divergence(p: np.ndarray | float, q: np.ndarray | float) -> np.ndarray:
        return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))

    names = ("KL(teacher ‖ student)", "KL(student ‖ teacher)")
    lines = dict(zip(names, (divergence(teacher, q), divergence(q, teacher)), strict=True))
    look = {"xlabel": "the student's probability", "ylabel": "nats", "ylim": (-0.15, 4)}
    figure = figures.curves(q, lines, mark=student, colours=("soft", "muted"), **look)
    here, back = divergence(teacher, student), divergence(student, teacher)
    dot = {"markersize": 9, "color": figures.COLOURS["student"], "clip_on": False}
    figure.axes[0].plot([student], [here], "o", **dot)
    text = f"The teacher gives the class {teacher:g}, the student {student:g}: {names[0]} is "
    text += f"{here:.2f} nats, the other way round {back:.2f}."
    return figure, text, dict(zip(names, (here, back), strict=True))


def draw_norms(
    mean_norm: Callable[[float], float], temperatures: Sequence[float], T: float
) -> Drawn:
    """The mean norm of the soft loss's gradient over T, with the factor T² and without it."""
    with_t2 = np.array([mean_norm(t) for t in temperatures])
    lines = {"with T²": with_t2, "without": with_t2 / np.square(temperatures)}
    look = {"xlabel": "T", "ylabel": "mean norm of the gradient", "ylim": (2e-4, 2e1)}
    figure = figures.curves(temperatures, lines, log_x=True, log_y=True, mark=T, **look)
    here = mean_norm(T)
    norms = f"{here:.2f} with the factor and {here / T**2:.2g} without it"
    return figure, f"At T = {T:g} the mean norm is {norms}."


def draw_limit(student: np.ndarray, teacher: np.ndarray, limit: np.ndarray, T: float) -> Numbered:
    """The soft loss's gradient at T beside its limit for a high T.

    Args:
        student, teacher, limit: logits of many examples and the limit, shape (examples, 10).
    """
    exact = len(student) * soft_target_loss(student, teacher, T).gradient
    size = np.linalg.norm(limit)
    cosine = np.sum(exact * limit) / (np.linalg.norm(exact) * size)
    apart = np.linalg.norm(exact - limit) / size
    look = {"ylabel": "gradient", "ylim": (-5, 2.6), "colours": ("student", "soft")}
    both = {"T (q − p)": exact[5], "limit": limit[5]}
    figure = figures.bars(both, range(10), **look)
    words = f"cosine with the limit {cosine:.3f}, relative difference {apart:.0%}"
    numbers = {"class": np.arange(10), **both, "relative difference, %": 100 * apart}
    return figure, f"At T = {T:g}, over all inputs: {words}.", numbers


def draw_grid(grid: Grid, alone: Row, answers: Row, T: int, alpha: float) -> Drawn:
    """Accuracy over α at one T, beside the student alone and the one of the teacher's answers."""
    weights = sorted({a for _, a in grid})
    lines = {"distilled": [percent(grid[T, a]) for a in weights]}
    lines |= {"teacher's answers": [percent(answers)] * len(weights)}
    lines |= {"alone": [percent(alone)] * len(weights)}
    look = {"xlabel": "α", "ylabel": "test accuracy, %", "ylim": (82, 98)}
    look["colours"] = ("student", "teacher", "label")
    figure = figures.curves(weights, lines, mark=alpha, **look)
    here = grid[T, alpha]
    text = f"At T = {T} and α = {alpha:g}: {percent(here):.1f}% (rate {here['rate']:g}), "
    text += f"{gain(here, alone):+.1f} points against the student alone, "
    text += f"{gain(here, answers):+.1f} against the teacher's answers."
    return figure, minus(text)


def grid_map(grid: Grid) -> Drawn:
    """The mean accuracy, %, of every T (rows) and α (columns)."""
    temperatures = sorted({T for T, _ in grid})
    weights = sorted({alpha for _, alpha in grid})
    squares = [[100 * np.mean(grid[T, a]["accuracy"]) for a in weights] for T in temperatures]
    look = {"ylabel": "T", "xlabel": "α", "limits": (84, 97), "numbers": ".1f"}
    columns = [f"{a:g}" for a in weights]
    means = np.mean(squares, axis=0)
    words = ", ".join(f"{mean:.1f}" for mean in means)
    text = "Mean test accuracy, %, for each T (rows) and α (columns), from "
    text += f"{np.min(squares):.1f} to {np.max(squares):.1f}. "
    text += f"Over all T: {words} at α = {', '.join(columns)}."
    return shared.heatmap(squares, temperatures, columns, **look), text


def few_labels(methods: Mapping[tuple[int, str], Row], soft_all: Row, answers: Row) -> Drawn:
    """Accuracy over the number of labels: labels alone, and three ways to use a teacher."""
    counts = [30, 100, 300, 1197]
    lines = {"labels alone": [percent(methods[n, "alone"]) for n in counts]}
    lines["soft, same inputs"] = [percent(methods[n, "soft targets"]) for n in counts]
    lines |= {"answers, all inputs": [percent(answers)] * 4}
    lines |= {"soft, all inputs": [percent(soft_all)] * 4}
    look = {"xlabel": "labels", "ylabel": "test accuracy, %", "ylim": (70, 98)}
    look["colours"] = ("label", "teacher", "accent", "student")
    ends = (f"{name} {row[0].mean:.1f}% and {row[-1].mean:.1f}%" for name, row in lines.items())
    text = f"Test accuracy with {counts[0]} and with {counts[-1]:,} labels: {'; '.join(ends)}."
    return figures.curves(counts, lines, log_x=True, **look), text


def draw_own_temperature(own: Mapping[tuple[str, float], Row], alone: Row, T: float) -> Drawn:
    """Accuracy over T of the students of three teachers, all with soft targets only."""
    kinds = list(dict.fromkeys(kind for kind, _ in own))
    temperatures = sorted({t for _, t in own})
    names = {"same wrong labels": "wrong", "stopped early": "wrong, stopped early"}
    lines = {names.get(k, k): [percent(own[k, t]) for t in temperatures] for k in kinds}
    lines["labels alone"] = [percent(alone)] * len(temperatures)
    look = {"xlabel": "T", "ylabel": "test accuracy, %", "ylim": (78, 96), "mark": T}
    look["colours"] = ("teacher", "warn", "student", "label")
    figure = figures.curves(temperatures, lines, log_x=True, **look)
    gains = [f"{names.get(k, k)} {crossed_gain(own[k, T], alone):+.1f}" for k in kinds]
    text = f"T = {T:g}, points against labels alone, by teacher: {'; '.join(gains)}."
    return figure, minus(text)


def draw_bug(
    bugs: Mapping[tuple[float, float], Row], alone: Row, share: float, alpha: float
) -> Drawn:
    """Loss and accuracy of a student whose teacher stands beside the wrong examples."""
    row, healthy = bugs[share, alpha], bugs[0, alpha]
    losses = {"this run": row["loss"][1:], "aligned": healthy["loss"][1:]}
    losses["floor"] = [row["floor"]] * len(losses["this run"])
    runs = {"this run": row, "aligned": healthy}
    accuracies = {name: 100 * np.array(run["curve"][1:]) for name, run in runs.items()}
    panels = {"soft loss": losses, "validation, %": accuracies}
    colours = ("student", "soft", "ink")
    look = {"xlabel": "step", "ylims": [(0, 32), (0, 100)], "colours": (colours, colours)}
    figure = shared.stacked_curves(row["step"][1:], panels, **look)
    ends = f"the loss ends at {row['loss'][-1]:.1f}, its floor is {row['floor']:.1f}"
    where = f"With {share:.0%} of the rows moved and α = {alpha:g}"
    gained = f"test accuracy {percent(row):.1f}%, {gain(row, alone):+.1f} against the student alone"
    return figure, minus(f"{where}, {ends}; {gained}.")
