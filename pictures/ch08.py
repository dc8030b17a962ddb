"""Chapter 8: an ensemble and its one student, a share of the labels, and their tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Estimate, crossed_interval, figures, interval, unpacked
from pictures.rows import Row, crossed_gain, lay_out, minus, percent

Drawn = tuple[Figure, str]
Rows = Mapping[tuple[str, str, str, int], Row]
"""Rows by setting, inputs, kind of teacher and number of teachers."""
Shares = Mapping[tuple[int, str], Row]
"""Rows by percent of the labels and teacher."""
COUNTS = (1, 2, 3, 5, 10)
TEN = COUNTS[-1]
DIGITS = 400
SPLITS = ("training", "validation")
MEASURES = {"accuracy": "accuracy, %", "loss": "loss (NLL)"}
TEACHERS = {  # by name in the record, the name of a line
    "all the data": "teacher of all data",
    "the same share": "of the same share",
    "even": "even targets",
    "random": "random teacher",
}

# --- What the rows say ----------------------------------------------------------------------------


def by_case(record: Row) -> dict[tuple[str, str, str, int], Row]:
    """The rows of the ensembles by setting, inputs, kind and number of teachers."""
    names = ("setting", "inputs", "kind", "teachers")
    return {tuple(row[name] for name in names): row for row in record["rows"]}


def case(rows: Rows, setting: str, inputs: str, kind: str = "ensemble", teachers: int = TEN) -> Row:
    """The row; where all the digits have labels there are no more inputs than the same."""
    return rows.get((setting, inputs, kind, teachers)) or rows[setting, "same", kind, teachers]


def single(rows: Rows, setting: str) -> np.ndarray:
    """Which share of the ten members has each test digit right: shape (seeds, digits)."""
    hits = rows[setting, "none", "single", TEN]["hits"]
    return np.array([[int(h, 16) for h in of_seed] for of_seed in hits]) / TEN


def ahead(rows: Rows, row: Row, who: str = "right") -> np.ndarray:
    """The student's (or the ensemble's) hits minus those of a single model of its setting."""
    right = unpacked(row[who], DIGITS).astype(float)
    return right - single(rows, row["setting"])


def lead(rows: Rows, row: Row, who: str = "right") -> Estimate:
    """Points ahead of a single model, over seeds and test digits."""
    return crossed_interval(ahead(rows, row, who)).scaled(100)


def kept(student: np.ndarray, ensemble: np.ndarray) -> Estimate:
    """Which share of the ensemble's gain its student keeps, with a 95% interval (Fieller 1954).

    Both are gains over a single model, of shape (seeds, digits). A share is in the interval if
    student - share · ensemble may have a mean of 0: seeds and digits are drawn. Where no gain of
    the ensemble is sure the interval has no end, and is infinite.
    """
    n = min(student.shape)
    gain = crossed_interval(ensemble)
    mean = float(student.mean() / ensemble.mean()) if ensemble.mean() else np.nan
    if gain.low <= 0 <= gain.high:
        return Estimate(mean, -np.inf, np.inf, n)

    def may_be(share: float) -> bool:
        difference = crossed_interval(student - share * ensemble)
        return difference.low <= 0 <= difference.high

    ends = []
    for sign in (-1, 1):  # out until it is surely too far, then halve
        near, far = 0.0, 1.0
        while may_be(mean + sign * far) and far < 100:
            near, far = far, 2 * far
        for _ in range(12):
            middle = (near + far) / 2
            near, far = (middle, far) if may_be(mean + sign * middle) else (near, middle)
        ends.append(mean + sign * near if far < 100 else sign * np.inf)
    return Estimate(mean, ends[0], ends[1], n)


def kept_words(found: Estimate) -> str:
    """A share in percent with its interval; words where it has no ends."""
    if not np.isfinite([found.low, found.high]).all():
        return "cannot be told"
    return minus(f"{found.mean:.0%} ({found.low:.0%} to {found.high:.0%})")


def table(rows: Rows, settings: Sequence[str], inputs: str) -> Iterator[str]:
    """A line for each setting: a single model, and points over it of the others."""
    yield f"{'':<19} single | ten teachers |  student of ten | of one"
    for setting in settings:
        alone = percent(rows[setting, "none", "single", TEN])
        ten, one = (case(rows, setting, inputs, teachers=n) for n in (TEN, 1))
        leads = [lead(rows, ten, "ensemble_right"), lead(rows, ten), lead(rows, one)]
        words = [f"{each:+.1f}" for each in leads]
        line = f"{setting:<20}  {alone.mean:.1f} | {words[0]:>12} | {words[1]:>15} | {words[2]}"
        yield minus(line)


# --- An ensemble and its student ------------------------------------------------------------------


def leads(rows: Rows, settings: Sequence[str]) -> dict[tuple[str, str], dict[str, list[Estimate]]]:
    """By setting and inputs, points over a single model, for each number of teachers.

    Worked out once: a figure with a slider asks for them again and again.
    """
    found = {}
    for setting, inputs in product(settings, ("same", "more")):
        taught = [case(rows, setting, inputs, teachers=n) for n in COUNTS]
        found[setting, inputs] = {
            "ensemble": [lead(rows, row, "ensemble_right") for row in taught],
            "its student": [lead(rows, row) for row in taught],
            "even targets": [lead(rows, case(rows, setting, inputs, "even"))] * len(COUNTS),
        }
    return found


def draw_teachers(
    rows: Rows,
    leads: Mapping[tuple[str, str], Mapping[str, list[Estimate]]],
    setting: str,
    inputs: str,
    teachers: int,
) -> Drawn:
    """What an ensemble and its student have more than a single model, over its size.

    Args:
        leads: of the settings that share the scale.
        inputs: "same" as the members', or "more".
    """
    ends = [e for lines in leads.values() for line in lines.values() for e in line]
    low, high = min(e.low for e in ends), max(e.high for e in ends)
    lines, room = leads[setting, inputs], (high - low) / 20
    look = {"xlabel": "teachers", "ylabel": "points over a single model", "log_x": True}
    look |= {"ylim": (min(low, 0) - room, high + room), "mark": teachers}
    colours = ("teacher", "student", "label")
    figure = figures.curves(COUNTS, lines, colours=colours, **look)
    figure.axes[0].axhline(0, color=figures.COLOURS["ink"], linewidth=1)
    k, alone = COUNTS.index(teachers), percent(rows[setting, "none", "single", TEN])
    together, student, even = (line[k] for line in lines.values())
    who = "one teacher" if teachers == 1 else f"{teachers} teachers together"
    text = f"{setting}, {inputs} inputs. A single model: {alone:.1f}%. Points over it: {who} "
    text += f"{together:+.1f}, the student {student:+.1f}, even targets {even:+.1f}."
    return figure, minus(text)


def draw_over_T(
    rows: Rows, own: Mapping[tuple[str, int, float], Row], inputs: str, T: float
) -> Drawn:
    """Students of ten teachers and of one over T, beside the ensemble.

    Args:
        own: rows of those students by inputs, number of teachers and T.
    """
    temperatures = sorted({t for _, _, t in own})

    def lines_of(which: str) -> dict[str, list[Estimate]]:
        together = lead(rows, own[which, TEN, T], "ensemble_right")
        lines = {"ten together": [together] * len(temperatures)}
        for name, n in (("student of ten", TEN), ("student of one", 1)):
            lines[name] = [lead(rows, own[which, n, t]) for t in temperatures]
        return lines

    ends = [e for i in ("same", "more") for line in lines_of(i).values() for e in line]
    look = {"xlabel": "T", "ylabel": "points over a single model", "log_x": True, "mark": T}
    look |= {"ylim": (min(0, *(e.low for e in ends)) - 0.5, max(e.high for e in ends) + 0.5)}
    lines = lines_of(inputs)
    figure = figures.curves(temperatures, lines, colours=("teacher", "student", "label"), **look)
    figure.axes[0].axhline(0, color=figures.COLOURS["ink"], linewidth=1)
    k = temperatures.index(T)
    words = "; ".join(f"{name} {line[k]:+.1f}" for name, line in lines.items())
    return figure, minus(f"{inputs} inputs, T = {T:g}. Points over a single model: {words}.")


# --- A share of the labels ------------------------------------------------------------------------


def _curve(row: Row, split: str, measure: str) -> np.ndarray:
    name = f"{split.replace('training', 'train')}_{'nll' if measure == 'loss' else measure}"
    return np.array(row["curves"][name]) * (100 if measure == "accuracy" else 1)


def draw_curves(
    shares: Shares, step: Sequence[int], percent: int, teacher: str, measure: str
) -> Drawn:
    """Training and validation curves side by side: the student alone, and one with a teacher.

    Args:
        step: where the curves were looked at.
        percent: the share of the labels.
        teacher, measure: of the right panel; of both, a key of `MEASURES`.
    """
    figure, every = figures.new(height=3.2, columns=2)
    digits, limits = (1, (10, 103)) if measure == "accuracy" else (2, (-0.05, 2.4))
    words = []
    for axes, (name, who) in zip(every, (("alone", "none"), ("taught", teacher)), strict=True):
        lines = {split: _curve(shares[percent, who], split, measure) for split in SPLITS}
        figures.draw_lines(axes, step, lines, ("student", "teacher"))
        axes.set(xlabel="step", xticks=[0, 150, 300], ylim=limits)
        axes.set_title(name, fontsize=10)
        ends = [f"{split} {line[-1]:.{digits}f}" for split, line in lines.items()]
        words.append(f"{name} {' and '.join(ends)}")
    every[0].set_ylabel(MEASURES["accuracy"])  # its letters reach further down
    every[1].tick_params(labelleft=False)
    figures.legend_above(figure, every[0])
    lay_out(figure, every[0].yaxis, "100")
    every[0].set_ylabel(MEASURES[measure])
    text = f"{percent}% of the labels, teacher: {teacher}. At the end, {MEASURES[measure]}: "
    return figure, minus(f"{text}{'; '.join(words)}.")


def draw_shares(shares: Shares, percent: int) -> Drawn:
    """What each teacher's student has more than the student alone, over the share of the labels."""
    every = sorted({share for share, _ in shares})
    lines = {
        name: [crossed_gain(shares[s, who], shares[s, "none"]) for s in every]
        for who, name in TEACHERS.items()
    }
    ends = [e for line in lines.values() for e in line]
    look = {"xlabel": "share of the labels, %", "ylabel": "points over alone", "log_x": True}
    look |= {"mark": percent, "ylim": (min(e.low for e in ends) - 1, max(e.high for e in ends) + 1)}
    colours = ("student", "teacher", "label", "muted")
    figure = figures.curves(every, lines, colours=colours, **look)
    figure.axes[0].axhline(0, color=figures.COLOURS["ink"], linewidth=1)
    gains = [f"{name} {line[every.index(percent)]:+.1f}" for name, line in lines.items()]
    alone = interval(shares[percent, "none"]["accuracy"]).scaled(100)
    text = f"{percent}% of the labels: alone {alone:.1f}%; points over that: {'; '.join(gains)}."
    return figure, minus(text)


# --- Words ----------------------------------------------------------------------------------------


def word_errors(spoken: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to exchange, leave out or put in that turn one sentence into the other."""
    row = list(range(len(heard) + 1))  # from no words at all: put each in
    for i, word in enumerate(spoken, 1):
        above, row = row, [i]
        for j, other in enumerate(heard, 1):
            exchange = above[j - 1] + (word != other)
            row.append(min(exchange, above[j] + 1, row[-1] + 1))
    return row[-1]
