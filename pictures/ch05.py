"""Chapter 5: what a label hides, three pulls on one score, three dials, and sums with carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Split, figures, softmax
from pictures import shared
from pictures.rows import Row, crossed_gain, gain, minus, percent

Drawn = tuple[Figure, str]
Grid = Mapping[tuple[int, float, float], Row]
"""Rows by T, α and β."""
Tasks = Mapping[tuple[str, int, str], Row]
"""Rows by task, number of labels and method."""


def draw_hidden(
    split: Split, logits: np.ndarray, parity: Callable[[np.ndarray], np.ndarray], digit: int
) -> Drawn:
    """One of twelve digits over which the teacher hesitates, and what a student could learn of it.

    Args:
        split: the digits.
        logits: the teacher's, shape (examples, 10).
        parity: makes the logits of even and odd from those of the digits.
        digit: from 1 to 12.
    """
    row = np.flatnonzero(softmax(logits, 4).max(axis=1) < 0.85)[digit - 1]
    even, odd = softmax(parity(logits[row : row + 1]), 4)[0]
    p = softmax(logits[row], 4)
    first, second = np.argsort(-p)[:2]
    word = ("even", "odd")[split.labels[row] % 2]
    text = f"The label says: {word}. "
    text += f"The pair at T = 4 says: even {even:.2f}, odd {odd:.2f}. "
    text += f"The ten scores say: {first}, perhaps {second}."
    return shared.digit_with_bars(split.inputs[row], p), text


def draw_pulls(
    pulls: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]],
    T: float,
    alpha: float,
    beta: float,
) -> tuple[Figure, str, dict[str, float]]:
    """The pulls on a single score whose teacher says 3 and whose label is 1.

    Args:
        pulls: (student's score, teacher's score, label, T, α, β) -> the pulls of the label, of the
            rationale and of the soft targets.
    """
    scores = np.linspace(-6, 10, 49)
    names = ("label", "rationale", "soft targets")
    lines = dict(zip(names, pulls(scores, 3, 1, T, alpha, beta), strict=True))
    lines["together"] = sum(lines.values())
    label, rationale, soft = far = pulls(-3, 3, 1, T, alpha, beta)
    text = f"T = {T}, α = {alpha:g}, β = {beta:g}. "
    text += f"At s = −3 the label pulls by {label:.2f}, "
    text += f"the rationale by {rationale:.2f} and the soft targets by {soft:.2f}."
    look = {"xlabel": "the student's score s", "ylabel": "pull", "ylim": (-4, 6)}
    look |= {"mark": 3, "colours": ("label", "accent", "teacher", "ink")}
    return figures.curves(scores, lines, **look), text, dict(zip(names, far, strict=True))


def draw_dials(alone: Row, grid: Grid, T: int, alpha: float, beta: float) -> Drawn:
    """Accuracy and fidelity at one point of the dials, beside no rationale and no teacher."""
    point = grid[T, alpha, beta]
    compared = {"alone": alone, "β = 0": grid[T, alpha, 0], "this point": point}
    measures = ("accuracy", "fidelity")
    rows = {f"{m}, {n}": percent(row, m) for m in measures for n, row in compared.items()}
    text = f"T = {T}, α = {alpha:g}, β = {beta:g}: accuracy {percent(point):.1f}%, "
    text += f"fidelity {percent(point, 'fidelity'):.1f}%; "
    text += f"{crossed_gain(point, alone):+.1f} points against the student alone."
    look = {"xlabel": "% of the test digits", "xlim": (80, 100)}
    look["colours"] = ("label", "teacher", "accent", "label", "teacher", "accent")
    return figures.estimates(rows, **look), minus(text)


def map_of_accuracy(grid: Grid) -> Drawn:
    """The mean accuracy at every T (rows), and every β and α (columns)."""
    temperatures = sorted({T for T, _, _ in grid})
    pairs = sorted({(beta, alpha) for _, alpha, beta in grid})
    squares = [[100 * np.mean(grid[T, a, b]["accuracy"]) for b, a in pairs] for T in temperatures]
    columns = [f"β {b:g}\nα {a:g}" for b, a in pairs]
    best = np.unravel_index(np.argmax(squares), np.shape(squares))
    look = {"ylabel": "T", "limits": (84, 97), "numbers": ".1f"}
    figure = shared.heatmap(squares, temperatures, columns, mark=best, **look)
    text = f"Mean accuracy on test, %: from {np.min(squares):.1f} to {np.max(squares):.1f} "
    return figure, text + "(framed). The three columns on the left have no rationale."


def draw_curve(grid: Grid, T: int, alpha: float, beta: float) -> Drawn:
    """The mean validation accuracy step by step, with the rationale and without it."""
    here, without = grid[T, alpha, beta], grid[T, alpha, 0]
    rows = {"this point": here, "β = 0": without}
    lines = {name: 100 * np.array(row["curve"][1:]) for name, row in rows.items()}
    text = f"T = {T}, α = {alpha:g}. The mean reaches 90%: with β = 0 {_reached(without)}"
    text += f", with β = {beta:g} {_reached(here)}." if beta else "."
    look = {"xlabel": "step", "ylabel": "validation accuracy, %", "ylim": (75, 100)}
    look["colours"] = ("accent", "soft")
    return figures.curves(here["step"][0][1:], lines, **look), text


def _reached(row: Row, target: float = 0.9) -> str:
    """After how many steps the mean over the seeds is at the target."""
    curve = zip(row["step"][0], row["curve"], strict=True)
    steps = [step for step, accuracy in curve if accuracy >= target]
    return f"after {steps[0]} steps" if steps else "never"


def draw_labels(tasks: Tasks, task: str, labels: int) -> Drawn:
    """What two methods add to one another in a task with so many labels."""
    rows = [tasks[task, labels, name] for name in ("alone", "traditional", "step by step")]
    alone, soft, steps = rows
    more = crossed_gain(steps, soft)
    gains = {"traditional − alone": crossed_gain(soft, alone)}
    gains |= {
        "step by step − alone": crossed_gain(steps, alone),
        "step by step − traditional": more,
    }
    text = f"{task.capitalize()}, {labels} labels: alone {percent(alone):.1f}%, "
    text += f"traditional {percent(soft):.1f}%, step by step {percent(steps):.1f}%. "
    text += f"The rationale adds {more:+.1f} points to traditional distillation."
    look = {"xlabel": "points of test accuracy", "xlim": (-4, 18), "zero": True}
    look["colours"] = ("teacher", "accent", "student")
    return figures.estimates(gains, **look), minus(text)


def draw_high(by_temperature: Mapping[int, Row], T: int) -> Drawn:
    """Soft targets at a high T beside score matching (the row of T = 0)."""
    matched, here = by_temperature[0], by_temperature[T]
    temperatures = [t for t in by_temperature if t]
    lines = {"agreement": [percent(by_temperature[t], "agree") for t in temperatures]}
    lines |= {"soft targets": [percent(by_temperature[t]) for t in temperatures]}
    lines |= {"score matching": [percent(matched)] * len(temperatures)}
    look = {"xlabel": "T", "ylabel": "% of the test digits", "ylim": (93, 100), "log_x": True}
    figure = figures.curves(temperatures, lines, mark=T, **look)
    text = f"T = {T}: the two agree on {percent(here, 'agree'):.1f}% of the test digits; "
    text += f"their centred logits differ by {percent(here, 'apart'):.0f}% of their size. "
    return figure, text + f"Right: {percent(here):.1f}% and {percent(matched):.1f}%."


def draw_sums(sums: Mapping[tuple[int, str], Row], sizes: Sequence[int], examples: int) -> Drawn:
    """How many sums are right, with carries and without, over the number of examples."""
    methods = ("answer alone", "with carries")
    lines = {name: [percent(sums[n, name]) for n in sizes] for name in methods}
    alone, both = (sums[examples, name] for name in methods)
    text = f"{examples:,} examples: answer alone {percent(alone):.1f}%, "
    text += f"with carries {percent(both):.1f}%; difference {gain(both, alone):+.1f} points. "
    text += f"Of the sums that they saw they know {percent(alone, 'train').mean:.0f}% "
    text += f"and {percent(both, 'train').mean:.0f}%."
    look = {"xlabel": "examples", "ylabel": "sums all right, %", "ylim": (0, 100)}
    look |= {"log_x": True, "colours": ("label", "accent")}
    return figures.curves(sizes, lines, mark=examples, **look), minus(text)
