"""Chapter 7: who leads under which regime, the verdicts after correction, and their tables.

A "case" is (setting, regime, method, method it is compared with). A "place" adds a question:
"accuracy" (better?), "steps" (faster?) or "spread" (steadier?).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Estimate, figures, interval, paired_difference
from pictures import shared
from pictures.rows import Row, lay_out, minus

Drawn = tuple[Figure, str]
Case = tuple[str, str, str, str]
Place = tuple[str, str, str, str, str]
BySeed = Callable[[str, str, str, str], np.ndarray]
"""A measure's values, one per seed, for a setting, a regime and a method."""

ASKED = ("accuracy", "steps", "spread")
QUESTIONS = {  # by title: the question, how a value is written, the sign of a gain, no difference
    "Better? accuracy, points": ("accuracy", "+.1f", 1, 0),
    "Faster? steps to the target (below 0 is faster)": ("steps", "+.0f", -1, 0),
    "Steadier? ratio of SDs (below 1 is steadier)": ("spread", ".2f", -1, 1),
}
COLUMNS = "    better? |    faster? | never |    both arrive | steadier?"


def draw_difference(
    difference: Callable[..., Estimate],
    methods: Sequence[str],
    regimes: Mapping[str, str],
    setting: str,
    measure: str,
    chosen: str,
) -> Drawn:
    """Each method minus the student alone, under the chosen regime; one scale for all regimes.

    Args:
        difference: (setting, regime, method, the other method, measure) -> `Estimate`.
        methods: the first is the student alone.
        regimes: by the slider's word, the regime of the record.
    """
    words = {"accuracy": "accuracy, points", "steps": "steps to the target"}
    shown = {
        name: {m: difference(setting, regime, m, "alone", measure) for m in methods[1:]}
        for name, regime in regimes.items()
    }
    every = [e for row in shown.values() for e in row.values()]
    low, high = min(0, *(e.low for e in every)), max(0, *(e.high for e in every))
    room, colours = (high - low) / 20, ("muted", *figures.CYCLE)
    look = {"zero": True, "colours": colours, "xlim": (low - room, high + room)}
    label = f"{words[measure]}, minus the student alone"
    gains = "; ".join(f"{m} {e:+.1f}" for m, e in shown[chosen].items())
    text = minus(f"{setting}, {chosen}: {label}: {gains}.")
    figure = figures.estimates(shown[chosen], xlabel=label, **look)
    lay_out(figure, figure.axes[0].xaxis, "−100")
    return figure, text


def draw_look(
    values: Mapping[Place, Estimate],
    adjusted: Mapping[Place, float],
    settings: Sequence[str],
    ladders: Mapping[str, Mapping[str, tuple[str, str]]],
    regimes: Mapping[str, str],
    against: str,
    chosen: str,
) -> Drawn:
    """All comparisons of one ladder under one regime: a square is coloured if it is sure.

    Args:
        values, adjusted: by place, the estimate and its p-value after correction.
        ladders: by what the methods are compared with, the pairs by name.
        regimes: by the slider's word, the regime of the record.
    """

    def square(place: Place, form: str, good: int, neutral: float) -> tuple[str, int]:
        value, sure = values[place].mean, adjusted[place] < 0.05
        return minus(f"{value:{form}}"), int(sure * good * np.sign(value - neutral))

    pairs, panels, counts = ladders[against], {}, []
    for title, (question, *look) in QUESTIONS.items():
        panels[title] = [
            [square((s, regimes[chosen], *pair, question), *look) for s in settings]
            for pair in pairs.values()
        ]
        signs = [sign for line in panels[title] for _, sign in line]
        word = title.split("?")[0].lower()
        counts.append(f"{word} {signs.count(1)}, the reverse {signs.count(-1)}")
    number = len(pairs) * len(settings)
    text = f"{chosen.capitalize()}, against {against}: of {number} comparisons, "
    text += "after correction: " + "; ".join(counts) + "."
    names = [s.replace(" ", "\n", 1) for s in settings]
    figure = verdicts(panels, [name.replace(" − ", "\n− ") for name in pairs], names)
    every = [line for ladder in ladders.values() for name in ladder for line in name.split(" − ")]
    lay_out(figure, figure.axes[-1].yaxis, f"− {max(every, key=len)}")
    return figure, text


def verdicts(
    panels: Mapping[str, Sequence[Sequence[tuple[str, int]]]],
    rows: Sequence[str],
    columns: Sequence[str],
) -> Figure:
    """Tables of short texts, one above the other, each square coloured as a gain or a loss.

    Args:
        panels: by title, for each row and column a text and its sign: 1 for a gain (green, with
            an upward mark), -1 for a loss (red, with a downward mark), 0 for neither.

    Raises:
        ValueError: a table that has not a row and a column for each name.
    """
    colours, marks = {1: "label", -1: "warn", 0: "muted"}, {1: "▲ ", -1: "▼ ", 0: ""}
    height = 0.55 + len(panels) * (0.42 + 0.36 * len(rows))  # a name may have two lines
    figure, every = figures.new(height=height, rows=len(panels))
    for axes, (title, table) in zip(every, panels.items(), strict=True):
        shared.squares(axes, np.shape(table)[:2], rows, columns)
        for i, line in enumerate(table):
            for j, (text, sign) in enumerate(line):
                colour, shade = figures.COLOURS[colours[sign]], 0.28 if sign else 0.08
                axes.bar(j, 0.92, 0.96, i - 0.46, color=colour, alpha=shade)
                axes.text(j, i, marks[sign] + text, ha="center", va="center")
        axes.set_title(title, loc="left", fontsize=10)
        axes.tick_params(length=0, labelbottom=axes is every[-1])
        axes.spines[:].set_visible(False)
    return figure


def arrival(by_seed: BySeed, last: int, case: Case) -> str:
    """Who does not arrive before the last step; the difference in steps where both do.

    Args:
        last: the number of steps of a run: at it, nobody counts as arrived.
    """
    setting, regime, *pair = case
    ours, theirs = (by_seed(setting, regime, method, "steps") for method in pair)
    late = ours == last, theirs == last
    both, apart = ~(late[0] | late[1]), ""
    if sum(both) >= 5:
        apart = f"{paired_difference(ours[both], theirs[both]):+.0f}"
    never = f"{sum(late[0])}/{sum(late[1])}"
    return f"{never:>5} | {apart:>9} {f'({sum(both)})':>4}"


def table_row(
    values: Mapping[Place, Estimate],
    adjusted: Mapping[Place, float],
    by_seed: BySeed,
    last: int,
    label: str,
    *case: str,
) -> str:
    """A line below `COLUMNS`: the three answers of a case, starred where they are sure."""
    stars = ["*" if adjusted[(*case, question)] < 0.05 else " " for question in ASKED]
    better, faster, spread = (values[(*case, question)] for question in ASKED)
    better, faster = f"{better:+.1f}{stars[0]}", f"{faster:+.0f}{stars[1]}"
    steadier = f"{spread.mean:.1f} ({spread.low:.1f}–{spread.high:.1f}){stars[2]}"
    columns = f"{better:>12} | {faster:>10} | {arrival(by_seed, last, case)} | {steadier}"
    return f"{label:>12} | {columns}"


def tally(
    values: Mapping[Place, Estimate],
    adjusted: Mapping[Place, float],
    settings: Sequence[str],
    regime: str,
    pair: tuple[str, str],
    question: str,
) -> str:
    """In how many settings the answer to a question is a sure yes, in how many the reverse."""
    every = [(setting, regime, *pair, question) for setting in settings]
    sure = [place for place in every if adjusted[place] < 0.05]
    neutral, good = (question == "spread"), (1 if question == "accuracy" else -1)
    gains = sum(good * (values[place].mean - neutral) > 0 for place in sure)
    return f"{gains} yes, {len(sure) - gains} reversed"


def draw_dials(
    dials: Mapping[tuple[str, float, float, float], Row],
    alone: np.ndarray,
    last: int,
    T: float,
    alpha: float,
    beta: float,
) -> Drawn:
    """Both methods with a rationale at one point of the dials, beside the student alone.

    Args:
        dials: rows of the study by method, T, α and β.
        alone: the student's accuracies on the same seeds.
        last: the number of steps of a run: at it, nobody counts as arrived.
    """
    every = [interval(row["accuracy"]).scaled(100) for row in dials.values()]
    shown, words = {"alone": interval(alone).scaled(100)}, []
    low, high = min(e.low for e in every), max(e.high for e in every)
    for method in ("step by step", "cosine"):
        row = dials[method, T, alpha, beta]
        shown[method] = interval(row["accuracy"]).scaled(100)
        steps, nll = np.array(row["steps"]), np.mean(row["nll"])
        arrived = steps[steps < last]
        when = f"{arrived.mean():.0f} steps" if len(arrived) else "never at the target"
        if 0 < len(arrived) < len(steps):
            when += f", {len(steps) - len(arrived)} of {len(steps)} never at the target"
        words.append(f"{method} {shown[method]:.1f}% (NLL {nll:.2f}, {when})")
    limits = min(low, shown["alone"].low) - 1, high + 1
    look = {"xlim": limits, "colours": ("muted", "student", "label")}
    text = f"T = {T:g}, α = {alpha:g}, β = {beta:g}: " + "; ".join(words) + "."
    return figures.estimates(shown, xlabel="test accuracy, %", **look), text
