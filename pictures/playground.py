"""The playground: the grid on the page in pictures, and `play`, which trains what you choose."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from distill_lib import Estimate, Split, crossed_interval, figures, unpacked
from pictures.playground_runs import ALONE, DATA, KNOWING, METHODS, TEACHERS, dataset, trials
from pictures.rows import NOT_RUN, Row, crossed_gain, lay_out, minus, percent
from pictures.shared import draw_digit

Drawn = tuple[Figure, str]
STUDENTS = {"linear": 0, "16 units": 16}
MEASURES = {"accuracy": "accuracy, %", "fidelity": "fidelity, %", "ece": "ECE, points"}
LOOK = 20  # steps from one point of a recorded curve to the next
SHOWN = 5  # digits that a picture has room for


class Measured(NamedTuple):
    """A row of the record, and what the pictures show of it, in percent and points.

    The intervals of accuracy and of the gain over the labels alone cover seeds and test examples,
    the others seeds.
    """

    row: Row
    accuracy: Estimate
    gain: Estimate
    fidelity: Estimate
    ece: Estimate


Key = tuple[str, int, float, str, int, str]
"""Data, labels, noise, teacher, student, method."""
Grid = Mapping[Key, Measured]
Dials = Mapping[tuple[str, float, float], Measured]
"""By method, T and alpha."""


def measured(row: Row, alone: Row, examples: int) -> Measured:
    """What is shown of a row, beside that of the labels alone."""
    right = unpacked(row["right"], examples).astype(float)
    return Measured(
        row,
        crossed_interval(right).scaled(100),
        crossed_gain(row, alone, examples),
        percent(row, "fidelity"),
        percent(row, "calibration_error"),
    )


def by_choice(record: Row) -> dict[Key, Measured]:
    """All rows of the grid."""
    names = ("data", "labels", "noise", "teacher", "student", "method")
    rows = {tuple(row[name] for name in names): row for row in record["rows"]}
    examples = {}
    for name in DATA:
        test = dataset(name).test
        assert test is not None  # these data sets have one
        examples[name] = len(test)
    found = {}
    for key, row in rows.items():  # the labels alone are there once, whoever would teach
        alone = rows[*key[:3], KNOWING, key[4], ALONE]
        found[key] = measured(row, alone, examples[key[0]])
    return found


def by_dials(record: Row) -> dict[tuple[str, float, float], Measured]:
    """The rows of the dials; the labels alone are at T = 1, alpha = 1."""
    rows = {(row["method"], row["T"], row["alpha"]): row for row in record["rows"]}
    alone = next(row for (method, *_), row in rows.items() if method == ALONE)
    return {key: measured(row, alone, 400) for key, row in rows.items()}


def limits_of(grid: Mapping[Any, Measured]) -> dict[str, tuple[float, float]]:
    """For each measure, limits that hold all rows."""
    found = {}
    for name in MEASURES:
        every: list[Estimate] = [getattr(one, name) for one in grid.values()]
        low, high = min(e.low for e in every), max(e.high for e in every)
        room = (high - low) / 12
        found[name] = (low - room, high + room)
    return found


def _panels(
    every: Sequence[Axes],
    cases: Mapping[str, Measured],
    limits: Mapping[str, tuple[float, float]],
) -> None:
    """A row for each case, a panel for each measure; a dotted line where the labels alone stand."""
    for axes, (name, xlabel) in zip(every, MEASURES.items(), strict=True):
        for y, (case, one) in enumerate(cases.items()):
            e: Estimate = getattr(one, name)
            look: Any = {"color": figures.COLOURS["muted" if case == ALONE else "student"]}
            axes.plot([e.low, e.high], [y, y], "-", linewidth=3, solid_capstyle="round", **look)
            axes.plot([e.mean], [y], "s" if case == ALONE else "o", markersize=5, **look)
        base: Estimate = getattr(cases[ALONE], name)
        if base is not NOT_RUN:
            axes.axvline(base.mean, color=figures.COLOURS["ink"], linewidth=1, linestyle=":")
        axes.set(xlim=limits[name], xlabel=xlabel, ylim=(len(cases) - 0.5, -0.5))
        axes.set(yticks=range(len(cases)), yticklabels=list(cases))
        axes.locator_params(axis="x", nbins=3)
        axes.grid(axis="y", visible=False)
        axes.tick_params(labelleft=axes is every[0])
    teacher = 100 * float(np.mean([*cases.values()][1].row["teacher_accuracy"]))
    if limits["accuracy"][0] < teacher < limits["accuracy"][1]:
        every[0].axvline(teacher, color=figures.COLOURS["teacher"], linewidth=2, linestyle="-.")


def _in_words(cases: Mapping[str, Measured]) -> str:
    """The accuracies, and the gains over the labels alone."""
    words = [
        f"{name} {one.accuracy:.1f}%" + ("" if name == ALONE else minus(f" ({one.gain:+.1f})"))
        for name, one in cases.items()
    ]
    return "; ".join(words)


def _table(grid: Mapping[Key, Measured], shown: Mapping[str, Measured], case: str) -> Drawn:
    teacher = 100 * float(np.mean(shown["traditional"].row["teacher_accuracy"]))
    text = f"{case}. Teacher {teacher:.1f}% right; {_in_words(shown)}."
    figure, every = figures.new(height=1.05 + 0.33 * len(shown), columns=len(MEASURES))
    _panels(every, shown, limits_of(grid))
    return figure, text


def draw_methods(grid: Grid, data: str, labels: int, noise: float) -> Drawn:
    """Five ways to learn from so many labels, a share of them wrong; the teacher knows them all."""
    grid = {k: one for k, one in grid.items() if k[3:5] == (KNOWING, 16)}
    shown = {m: grid[data, labels, noise, KNOWING, 16, m] for m in METHODS}
    return _table(grid, shown, f"{data}, {labels} labels, {noise:.0%} of them wrong")


def draw_pairs(grid: Grid, teacher: str, student: str) -> Drawn:
    """Five ways to learn from 300 labels, 30% of them wrong, by teacher and student.

    Who learns without the teacher has a fidelity to the one that knows all labels alone.
    """
    case, units = ("digits", 300, 0.3), STUDENTS[student]
    grid = {key: one for key, one in grid.items() if key[:3] == case}
    shown = {}
    for method in METHODS:
        one = grid.get((*case, teacher, units, method))
        other = grid.get((*case, KNOWING, units, method))
        if one is None and other is not None:
            one = other._replace(fidelity=NOT_RUN)
        if one is not None:
            shown[method] = one
    return _table(grid, shown, f"{student}, teacher: {teacher}")


def _curve(row: Row) -> list[Estimate]:
    """A learning curve of the dials, in percent, with an interval over the seeds."""
    n = len(row["accuracy"])
    return [Estimate(look[0], look[1], look[2], n).scaled(100) for look in row["curve"]]


def draw_dials(dials: Dials, method: str, T: float, alpha: float) -> Drawn:
    """How the student learns, and below what it does on test; beside the labels alone."""
    shown = {ALONE: dials[ALONE, 1, 1.0], method: dials[method, T, alpha]}
    figure, (top,) = figures.new(height=4.2)
    grid = figure.add_gridspec(2, len(MEASURES), height_ratios=(2.2, 1))
    top.set_subplotspec(grid[0, :])
    with matplotlib.rc_context(figures.STYLE):
        below = [figure.add_subplot(grid[1, k]) for k in range(len(MEASURES))]
    lines = {name: _curve(one.row) for name, one in reversed(shown.items())}
    figures.draw_lines(top, LOOK * np.arange(len(lines[ALONE])), lines, ("student", "muted"))
    top.set(xlabel="steps", ylabel="validation, %", ylim=(0, 100))
    figures.legend_above(figure, top)
    _panels(below, shown, limits_of(dials))
    lay_out(figure, below[0].yaxis, "cosine-enhanced")  # the widest
    below[0].set(yticks=[0, 1], yticklabels=list(shown))
    one = shown[method]
    text = f"T = {T:g}, α = {alpha:g}. On test: {_in_words(shown)}; fidelity {one.fidelity:.1f}%, "
    return figure, f"{text}ECE {one.ece:.1f} points."


def draw_disagreements(grid: Grid, test: Split, labels: int, noise: float, method: str) -> Drawn:
    """The first test digits on which one student and its teacher differ, and who is right."""
    row = grid["digits", labels, noise, KNOWING, 16, method].row
    student, teacher = (np.array([*map(int, row[n])]) for n in ("answers", "answers_of_teacher"))
    figure = disagreements(test, student, teacher)
    where = f"{method}, {labels} labels, {noise:.0%} of them wrong"
    return figure, f"{where}, one seed. {in_numbers(test.labels, student, teacher)}"


def in_numbers(labels: np.ndarray, student: np.ndarray, teacher: np.ndarray) -> str:
    """On how many examples two differ, and who of them is right there."""
    differ = student != teacher
    right = [int(np.sum(differ & (one == labels))) for one in (student, teacher)]
    n = int(differ.sum())
    return (
        f"Student and teacher differ on {n} of {len(labels)}: there the student is right {right[0]}"
        f" times, the teacher {right[1]}, neither {n - sum(right)}."
    )


def disagreements(test: Split, student: np.ndarray, teacher: np.ndarray) -> Figure:
    """Digits, and above each what student and teacher say, and whether that is right."""
    rows = np.flatnonzero(student != teacher)[:SHOWN]
    figure, every = figures.new(height=1.75, columns=SHOWN)
    for axes, k in zip(every, [*rows, *[None] * (SHOWN - len(rows))], strict=True):
        pixels = test.inputs[k] if k is not None else np.zeros(test.inputs.shape[1])
        draw_digit(axes, pixels)
        if k is not None:
            marks = ["✓" if one[k] == test.labels[k] else "×" for one in (student, teacher)]
            words = f"student {student[k]} {marks[0]}\nteacher {teacher[k]} {marks[1]}"
            axes.set_title(words, fontsize=10)
    return figure


def _line(name: str, gains: Iterable[Estimate]) -> str:
    """A row of a table: points over the labels alone."""
    return f"{name:<18}" + "".join(f"{minus(f'{gain:+.1f}'):>15}" for gain in gains)


def gains_table(grid: Grid) -> Iterator[str]:
    """For each data set and method, its points over the labels alone in four settings."""
    cases = [(labels, noise) for labels in (30, 300) for noise in (0.0, 0.3)]
    for data in DATA:
        heads = [f"{labels}, {noise:.0%} wrong" for labels, noise in cases]
        yield f"{data:<18}" + "".join(f"{head:>15}" for head in heads)
        for method in METHODS[1:]:
            yield _line(method, [grid[data, *case, KNOWING, 16, method].gain for case in cases])


def teachers_table(grid: Grid) -> Iterator[str]:
    """For each student and teacher, the methods' points over the labels alone, and their alpha."""
    methods = METHODS[1:4]
    yield f"{'':<22}" + "".join(f"{method:>19}" for method in methods)
    for student, units in STUDENTS.items():
        for teacher in TEACHERS:
            every = [grid["digits", 300, 0.3, teacher, units, m] for m in methods]
            alphas = [trials(one.row["method"])[one.row["rate"]]["alpha"] for one in every]
            pairs = zip(every, alphas, strict=True)
            cells = [minus(f"{one.gain:+.1f}, α {alpha:g}") for one, alpha in pairs]
            yield f"{student + ', ' + teacher:<22}" + "".join(f"{cell:>19}" for cell in cells)


def dials_table(dials: Dials) -> Iterator[str]:
    """For each method and alpha, the points over the labels alone at each T."""
    temperatures = (1, 4, 16)
    yield f"{'':<25}" + "".join(f"{f'T = {T}':>15}" for T in temperatures)
    for method in METHODS[1:]:
        for alpha in (0, 0.5):
            gains = [dials[method, T, alpha].gain for T in temperatures]
            yield _line(f"{method}, α {alpha:g}".ljust(25), gains)


WITHOUT = (
    "No kernel runs here, so nothing can be trained. The rocket at the top of the page brings one "
    "(Binder, Colab), or a copy of the book and its command `make lab`: run the cells, and here is "
    "the panel."
)


def play() -> None:
    """A panel that trains what you choose; on a page without a kernel, a sentence."""
    from IPython import get_ipython
    from IPython.display import display

    if os.environ.get("LIVEFIGURES_BUILD"):
        words = WITHOUT.replace("`make lab`", "<code>make lab</code>")
        display({"text/html": f"<p>{words}</p>", "text/plain": WITHOUT}, raw=True)
    elif not hasattr(get_ipython(), "kernel"):
        print(WITHOUT)
    else:
        from pictures.playground_panel import show_panel

        show_panel()
