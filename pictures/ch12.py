"""Chapter 12: the founding paper's table, the mistakes that go away, a bias, the attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Estimate, crossed_interval, figures, softmax, unpacked
from pictures import shared
from pictures.rows import Row, percent

Drawn = tuple[Figure, str]

IMAGES = 10_000  # of the test set
PUBLISHED = {"teacher": 67, "labels alone": 146, "soft targets, T = 20": 74}
PARENT, SMALL = "784-800-800-10", "784-30-30-10"
WIDTHS = {"2 × 800": PARENT, "2 × 300": "784-300-300-10", "2 × 30": SMALL}
HIGHEST = {PARENT: 220, "784-300-300-10": 220, SMALL: 340}  # of an axis of errors

# --- The table ------------------------------------------------------------------------------------


def wrong(row: Row, right: str = "right") -> np.ndarray:
    """Which test images each seed's network had wrong, as 0 and 1: shape (seeds, images)."""
    return 1.0 - unpacked(row[right], IMAGES)


def errors(row: Row, right: str = "right") -> Estimate:
    """Wrong test images of 10,000, with an interval over seeds and images."""
    return crossed_interval(wrong(row, right)).scaled(IMAGES)


def more_errors(row: Row, baseline: Row) -> Estimate:
    """How many more errors a row has than the baseline, over seeds and images."""
    return crossed_interval(wrong(row) - wrong(baseline)).scaled(IMAGES)


def of_whole_length(record: Row) -> Row:
    """The teachers' row; the other one is of those that a check repeats."""
    return max(record["rows"], key=lambda row: row["taught"])


def unseen(record: Row) -> dict[str, Row]:
    """The rows of whole length by the digits shown."""
    whole = max(row["taught"] for row in record["rows"])
    return {row["shown"]: row for row in record["rows"] if row["taught"] == whole}


def taught(record: Row) -> dict[tuple, Row]:
    """The rows of whole length by (student, T): those that a check repeats are left out."""
    whole = max(row["taught"] for row in record["rows"])
    rows = (row for row in record["rows"] if row["taught"] in (0, whole))
    return {(row["student"], row["T"]): row for row in rows}


def draw_table(rows: Mapping[tuple, Row], teacher: Row, width: str, T: float) -> Drawn:
    """Errors of one width over T, beside its teacher and the same student on labels alone.

    The bands are intervals of the distance to the teacher: of the same seeds, the same images.
    """
    student, above = WIDTHS[width], errors(teacher).mean
    more = {t: more_errors(row, teacher) for (name, t), row in rows.items() if name == student}
    alone = more.pop(None)
    lines: dict[str, list] = {
        "soft targets": [_moved(value, above) for value in more.values()],
        "labels alone": [_moved(alone, above)] * len(more),
        "the teacher": [above] * len(more),
    }
    look: dict[str, Any] = {"xlabel": "T", "ylabel": "errors among 10,000 test images"}
    look |= {"ylim": (0, HIGHEST[student]), "colours": ("student", "label", "teacher")}
    figure = figures.curves(list(more), lines, log_x=True, mark=T, **look)
    figure.axes[0].set_xlim(0.93, 21.5)  # also where some T were not run
    text = f"{width} units, beside the teacher's {above:.0f} errors: {alone:+.0f} with labels, "
    here = f"{more[T]:+.0f}" if T in more else "was not run"
    return figure, f"{text}with soft targets at T = {T:g} {here}."


def _moved(value: Estimate, by: float) -> Estimate:
    return value._replace(mean=value.mean + by, low=value.low + by, high=value.high + by)


# --- Mistakes that go away ------------------------------------------------------------------------


def draw_mistake(record: Row, example: int, T: float) -> Drawn:
    """One test image, and what three networks say of it at this temperature.

    Args:
        record: "images", each with its label and its 28 × 28 pixels, and rows with the logits.
        example: 1 for the first one.
    """
    shown = record["images"][example - 1]
    answers = {
        name: softmax(np.array(logits)[example - 1], T) for name, logits in logits_of(record)
    }
    pixels = np.frombuffer(bytes.fromhex(shown["image"]), np.uint8) / 255
    colours = ("label", "student", "teacher")
    figure = shared.digit_with_bars(pixels, answers, colours=colours)
    says = ", ".join(f"{name} says {p.argmax()} ({p.max():.2f})" for name, p in answers.items())
    return figure, f"A {shown['label']} of the test set at T = {T:g}: {says}."


def logits_of(record: Row) -> list[tuple[str, Any]]:
    """Of the first seed the logits of the examples, by network."""
    rows = {row["T"]: row for row in record["rows"] if row["student"] == PARENT}
    distilled = next(row for T, row in rows.items() if T)
    return [
        ("labels alone", rows[None]["logits"][0]),
        ("soft targets", distilled["logits"][0]),
        ("the teacher", distilled["teacher_logits"][0]),
    ]


# --- A digit that was never shown -----------------------------------------------------------------


def shares_right(
    logits: np.ndarray, labels: np.ndarray, digit: int, bias: float
) -> tuple[float, float]:
    """Of one digit and of the others, the share right, once its logit has been raised."""
    raised = logits + bias * (np.arange(logits.shape[1]) == digit)
    right = raised.argmax(axis=1) == labels
    return float(right[labels == digit].mean()), float(right[labels != digit].mean())


def unseen_table(record: Row) -> str:
    """By the digits shown, with and without the bias: the others right, in percent, and errors."""
    lines = ["digits shown | bias | unseen right, % | errors of 10,000"]
    for digits, row in unseen(record).items():
        for bias, name in (("none", ""), ("set", "corrected_")):
            hits, wrongs = percent(row, f"{name}unseen"), errors(row, f"{name}right")
            lines.append(f"{digits:>12} | {bias} | {f'{hits:.1f}':>15} | {wrongs:.0f}")
    return "\n".join(lines)


def draw_bias(
    students: Mapping[str, np.ndarray],
    implied: float,
    labels: np.ndarray,
    student: str,
    bias: float,
    digit: int = 3,
) -> Drawn:
    """What raising the logit of a digit that was never shown does to it, and to the others.

    Args:
        students: by name, their logits of the examples with these `labels`.
        implied: the bias that the teacher's soft targets imply.
    """
    grid = np.linspace(0, 9, 91)
    every = [shares_right(students[student], labels, digit, b) for b in grid]
    found, others = 100 * np.transpose(every)
    lines = {f"{digit}s found": found, "other digits right": others}
    look: dict[str, Any] = {"xlabel": f"added to the logit of the {digit}", "ylabel": "right, %"}
    look |= {"ylim": (0, 103), "colours": ("student", "teacher")}
    figure = figures.curves(grid, lines, mark=bias, **look)
    axes, ink = figure.axes[0], figures.COLOURS["ink"]
    axes.plot([implied], [2], "^", color=ink, markersize=9, clip_on=False)
    style: Any = {"textcoords": "offset points", "in_layout": False}
    axes.annotate("by the soft targets", (implied, 2), (-8, 0), ha="right", **style)
    here = [100 * share for share in shares_right(students[student], labels, digit, bias)]
    text = f"{student}, {bias:g} added: {here[0]:.1f}% of the {digit}s are found, and "
    return figure, f"{text}{here[1]:.1f}% of the other digits are right."


# --- Attempts -------------------------------------------------------------------------------------


def attempts(rows: Sequence[Row]) -> Drawn:
    """Errors on validation of every attempt, a dot for each seed, beside the teacher's."""
    by_name = {row["attempt"]: row["errors"] for row in rows}
    (teacher,) = {errors for row in rows for errors in row["teacher_errors"]}
    figure, (axes,) = figures.new(height=1.2 + 0.3 * len(by_name))
    for y, values in enumerate(by_name.values()):
        axes.plot(values, [y] * len(values), "o", color=figures.COLOURS["student"], markersize=7)
    axes.axvline(teacher, color=figures.COLOURS["teacher"], linestyle="--")
    style: Any = {"textcoords": "offset points", "va": "center", "in_layout": False}
    axes.annotate("its teacher", (teacher, -0.7), (4, 0), **style)
    axes.set(yticks=range(len(by_name)), yticklabels=by_name, ylim=(len(by_name) - 0.5, -1.1))
    axes.set(xlabel="errors on validation")
    axes.grid(axis="y", visible=False)
    means = "; ".join(f"{name} {np.mean(values):.0f}" for name, values in by_name.items())
    return figure, f"Errors on validation, the teacher's {teacher}: {means}."
