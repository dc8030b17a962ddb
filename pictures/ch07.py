"""Chapter 7: every comparison of the record, judged and corrected; its pictures and its tables.

A "place" is (setting, regime, method, method it is compared with, question), where the question is
"accuracy" (better?), "steps" (faster?) or "spread" (steadier?).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from distill_lib import (
    Estimate,
    crossed_interval,
    figures,
    interval,
    paired_difference,
    unpacked,
)
from pictures import shared
from pictures.rows import Row, lay_out, minus

Drawn = tuple[Figure, str]
Pair = tuple[str, str]
Place = tuple[str, str, str, str, str]
Cases = Mapping[tuple[str, str, str], Row]
"""Rows of the comparison by setting, regime and method."""

ASKED = ("accuracy", "steps", "spread")
REGIMES = {  # by the words of the control, the regime of the record
    "one rate for all": "one rate",
    "each its own rate": "own rate",
    "all tuned": "all tuned",
}
SPEED = ", for speed"  # in the record: chosen by steps from the same trials
LADDERS = {
    "the rung below": {
        "a teacher": ("traditional", "alone"),
        "a rationale": ("step by step", "traditional"),
        "a cosine": ("cosine", "step by step"),
        "both at once": ("cosine", "traditional"),
    },
    "the student alone": {
        m: (m, "alone") for m in ("smoothing", "traditional", "step by step", "cosine")
    },
}
PAIRS = list(dict.fromkeys(pair for pairs in LADDERS.values() for pair in pairs.values()))
LEAST = {"accuracy": 1, "steps": 10, "spread": 0}
"""However sure, less is not counted: than a point; than the steps from one look to the next."""
QUESTIONS = {  # by title: the question, how a value is written, the sign of a gain, no difference
    "Better? accuracy, points": ("accuracy", "+.1f", 1, 0),
    "Faster? steps to the target (below 0 is faster)": ("steps", "+.0f", -1, 0),
    "Steadier? ratio of SDs (below 1 is steadier)": ("spread", ".2f", -1, 1),
}

# --- Judging --------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What was found at a place, and its p-value before and after correction."""

    value: Estimate
    p: float
    adjusted: float

    def sign(self, question: str) -> int:
        """1 for a gain, -1 for a loss, 0 for what is not sure, or sure and too small to matter."""
        _, _, good, neutral = next(q for q in QUESTIONS.values() if q[0] == question)
        away = self.value.mean - neutral
        counts = self.adjusted < 0.05 and abs(away) >= LEAST[question]
        return int(counts * good * np.sign(away))


def by_case(record: Row) -> dict[tuple[str, str, str], Row]:
    """The rows of the comparison by setting, regime and method."""
    return {(row["setting"], row["regime"], row["method"]): row for row in record["rows"]}


def settings_of(record: Row) -> list[str]:
    """The settings of a record, in its order."""
    return list(dict.fromkeys(row["setting"] for row in record["rows"]))


def right(row: Row) -> np.ndarray:
    """Which test examples each seed's student had right: shape (seeds, examples)."""
    return unpacked(row["right"], 4 * len(row["right"][0])).astype(float)  # four to a letter


def gap(row: Row, other: Row, question: str) -> Estimate:
    """One method minus another: points, over seeds and test examples; or steps, over seeds."""
    if question == "accuracy":
        return crossed_interval(right(row) - right(other)).scaled(100)
    return paired_difference(row[question], other[question])


def p_value(found: Estimate, neutral: float = 0) -> float:
    """Of Student's t: how often chance alone would bring an estimate as far from the neutral."""
    away = abs(found.mean - neutral)
    error = (found.high - found.low) / 2 / stats.t.ppf(0.975, found.n - 1)
    return float(2 * stats.t.sf(away / error, found.n - 1)) if error else float(not away)


def spread_ratio(x: np.ndarray, y: np.ndarray) -> tuple[Estimate, float]:
    """Standard deviation of x over that of y with its 95% interval, and the p-value.

    Pitman 1939 and Morgan 1939: the variances are equal where sum and difference do not correlate.
    """
    if np.array_equal(x, y):
        return Estimate(1, 1, 1, len(x)), 1.0
    n, ratio = len(x), np.std(x) / np.std(y)
    t, r = stats.t.ppf(0.975, n - 2), np.corrcoef(x, y)[0, 1]
    k = 1 + 2 * (1 - r**2) * t**2 / (n - 2)
    low, high = (ratio * np.sqrt(k + s * np.sqrt(k**2 - 1)) for s in (-1, 1))
    return Estimate(ratio, low, high, n), float(stats.pearsonr(x + y, x - y).pvalue)


def holm(p: Sequence[float]) -> np.ndarray:
    """Adjusted p-values: below 0.05 after correction for all of them (Holm 1979)."""
    order = np.argsort(p)
    adjusted = np.array(p)[order] * np.arange(len(p), 0, -1)
    return np.minimum(1, np.maximum.accumulate(adjusted))[np.argsort(order)]


def judged(cases: Cases, place: Place) -> tuple[Estimate, float]:
    """The estimate at a place and its p-value; who is faster, among those chosen for speed."""
    setting, regime, *pair, question = place
    fast = question == "steps" and (setting, regime + SPEED, pair[0]) in cases
    row, other = (cases[setting, regime + SPEED * fast, method] for method in pair)
    if question == "spread":
        return spread_ratio(*(np.array(one["accuracy"]) for one in (row, other)))
    found = gap(row, other, question)
    return found, p_value(found)


def answers(record: Row) -> dict[Place, Answer]:
    """All three questions of every pair in every setting and regime, corrected for all of them."""
    cases = by_case(record)
    places = [
        (setting, regime, *pair, question)
        for setting, regime, pair, question in product(
            settings_of(record), REGIMES.values(), PAIRS, ASKED
        )
    ]
    found = [judged(cases, place) for place in places]
    adjusted = holm([p for _, p in found])
    return {
        place: Answer(value, p, float(after))
        for place, (value, p), after in zip(places, found, adjusted, strict=True)
    }


# --- Tables ---------------------------------------------------------------------------------------


def verdict_lines(answers: Mapping[Place, Answer], regime: str) -> Iterator[str]:
    """For each claim and question where it is so, where it is the reverse."""
    settings = list(dict.fromkeys(place[0] for place in answers))
    claims = list(LADDERS["the rung below"].items())
    for claim, pair in claims:
        for title, (question, form, *_) in QUESTIONS.items():
            words: dict[int, list[str]] = {1: [], -1: []}
            for setting in settings:
                answer = answers[setting, regime, *pair, question]
                if sign := answer.sign(question):
                    words[sign].append(f"{setting} {written(answer.value, question, form)}")
            shown = [f"{w}: {', '.join(words[s])}" for s, w in ((1, "yes"), (-1, "no")) if words[s]]
            head = f"{claim}, {title.split()[0].lower()}"
            lines = [line for text in shown for line in wrap(text, 54, subsequent_indent="     ")]
            for k, text in enumerate(lines or ["cannot be told anywhere"]):
                yield f"{head if k == 0 else '':<23} {text}"


def written(value: Estimate, question: str, form: str) -> str:
    """An estimate with its interval: both ends for a ratio, whose interval is lopsided."""
    if question == "spread":
        return f"{value.mean:{form}} ({value.low:{form}} to {value.high:{form}})"
    return f"{value:{form}}"


def arrival(cases: Cases, last: int, setting: str, regime: str, pair: Pair) -> str:
    """Who does not arrive before the last step; the difference in steps where both do.

    Args:
        last: the number of steps of a run: at it, nobody counts as arrived.
    """
    ours, theirs = (np.array(cases[setting, regime, method]["steps"]) for method in pair)
    late = ours == last, theirs == last
    both, apart = ~(late[0] | late[1]), ""
    if sum(both) >= 5:
        apart = f"{paired_difference(ours[both], theirs[both]):+.0f}"
    never = f"{sum(late[0])}/{sum(late[1])}"
    return f"{never:>7}| {apart:>10} {f'({sum(both)})':>4}"


COLUMNS = "    better?|    faster?|  never|     both arrive| steadier?"


def table_row(
    answers: Mapping[Place, Answer],
    cases: Cases,
    last: int,
    label: str,
    setting: str,
    regime: str,
    pair: Pair,
) -> str:
    """A line below `COLUMNS`: the three answers of a case, starred where they count."""
    every = [answers[setting, regime, *pair, question] for question in ASKED]
    stars = ["*" if a.sign(q) else " " for a, q in zip(every, ASKED, strict=True)]
    better, faster, spread = (answer.value for answer in every)
    points, steps = f"{better:+.1f}{stars[0]}", f"{faster:+.0f}{stars[1]}"
    steadier = f"{spread.mean:.1f} ({spread.low:.1f}–{spread.high:.1f}){stars[2]}"
    never = arrival(cases, last, setting, speedy(cases, setting, regime), pair)
    return f"{label:>12}|{points:>12}|{steps:>11}|{never}| {steadier}".rstrip()


def speedy(cases: Cases, setting: str, regime: str) -> str:
    """The regime that was chosen for speed, where there is one."""
    fast = regime + SPEED
    return fast if any(case[:2] == (setting, fast) for case in cases) else regime


# --- Pictures -------------------------------------------------------------------------------------


def draw_verdict(answers: Mapping[Place, Answer], against: str, chosen: str) -> Drawn:
    """All comparisons of one ladder under one regime: a square is coloured if it counts.

    Args:
        against, chosen: keys of `LADDERS` and of `REGIMES`.
    """
    settings = list(dict.fromkeys(place[0] for place in answers))
    pairs, panels, counts = LADDERS[against], {}, []
    for title, (question, form, *_) in QUESTIONS.items():
        found = [
            [answers[s, REGIMES[chosen], *pair, question] for s in settings]
            for pair in pairs.values()
        ]
        panels[title] = [
            [(minus(f"{a.value.mean:{form}}"), a.sign(question)) for a in line] for line in found
        ]
        signs = [sign for line in panels[title] for _, sign in line]
        word = title.split("?")[0].lower()
        counts.append(f"{word} {signs.count(1)}, the reverse {signs.count(-1)}")
    number = len(pairs) * len(settings)
    text = f"{chosen.capitalize()}, against {against}: of {number} comparisons, after correction: "
    text += "; ".join(counts) + "."
    names = [s.replace(" ", "\n", 1) for s in settings]
    figure = verdicts(panels, list(pairs), names)
    every = [name for ladder in LADDERS.values() for name in ladder]
    lay_out(figure, figure.axes[-1].yaxis, max(every, key=len))
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


def _dots(
    frames: Mapping[Any, Mapping[str, Estimate]], now: Any, xlabel: str, zero: bool = True
) -> Figure:
    """The estimates of one frame, on the scale of all."""
    every = [e for shown in frames.values() for e in shown.values()]
    low, high = min(e.low for e in every), max(e.high for e in every)
    low, high = (min(0, low), max(0, high)) if zero else (low, high)
    room, colours = (high - low) / 20, (*figures.CYCLE, *figures.CYCLE)
    look: Any = {"zero": zero, "colours": colours, "xlim": (low - room, high + room)}
    figure = figures.estimates(frames[now], xlabel=xlabel, **look)
    lay_out(figure, figure.axes[0].xaxis, "−100")
    return figure


def _said(shown: Mapping[str, Estimate], form: str = "+.1f") -> str:
    return "; ".join(f"{name} {e:{form}}" for name, e in shown.items())


def draw_difference(cases: Cases, setting: str, measure: str, chosen: str) -> Drawn:
    """Each method minus the student alone, under the chosen regime; one scale for all regimes."""
    question = measure.split()[0]
    words = {"accuracy": "accuracy, points", "steps": "steps to the target"}
    frames = {
        name: {
            m: judged(cases, (setting, regime, m, "alone", question))[0]
            for m, _ in LADDERS["the student alone"].values()
        }
        for name, regime in REGIMES.items()
    }
    label = f"{words[question]}, minus the student alone"
    text = f"{setting}, {chosen}: {label}: {_said(frames[chosen])}."
    return _dots(frames, chosen, label), minus(text)


def draw_faster(steps: Callable[[str, str], Mapping[str, Row]], views: Sequence[str]) -> Any:
    """A `draw(setting, dials)`: mean steps to the target of three methods, at whose dials.

    Args:
        steps: (setting, whose dials) -> by method, a row with "steps".
        views: all values of `dials`, which share a scale.
    """

    def draw(setting: str, dials: str) -> Drawn:
        frames = {
            view: {m: interval(row["steps"]) for m, row in steps(setting, view).items()}
            for view in views
        }
        text = f"{setting}, {dials}: steps to the target: {_said(frames[dials], '.0f')}."
        return _dots(frames, dials, "steps to the target, a mean", zero=False), text

    return draw


def draw_article(rows: Mapping[tuple[str, str], Row], setting: str, measure: str) -> Drawn:
    """Each method of the article, at its own values, minus the student alone.

    Args:
        rows: of the study by setting and method.
    """
    words = {"accuracy": "accuracy, points", "steps": "steps to the target"}
    methods = [m for s, m in rows if s == setting and m != "alone"]
    shown = {m: gap(rows[setting, m], rows[setting, "alone"], measure) for m in methods}
    label = f"{words[measure]}, minus the student alone"
    text = f"{setting}: {label}: {_said(shown, '+.1f' if measure == 'accuracy' else '+.0f')}."
    return _dots({0: shown}, 0, label), minus(text)


WHERE = ("where it errs", "where it is right")  # the teacher


def agreement(row: Row, where: str) -> np.ndarray:
    """Per seed, how often the student gives the teacher's answer, there: in percent.

    Where the teacher errs, the same answer is the same mistake (seeds in which it never errs are
    left out).
    """
    teacher, together = np.array(row["teacher"]), np.array(row["wrong_together"])
    if where == WHERE[0]:
        errs = teacher < 1
        return 100 * together[errs] / (1 - teacher[errs])
    return 100 * (np.array(row["fidelity"]) - together) / teacher


def draw_agreement(cases: Cases, setting: str, where: str, chosen: str) -> Drawn:
    """Agreement with the teacher minus that of the student alone; one scale for all regimes."""

    def found(regime: str) -> dict[str, Estimate]:
        alone = agreement(cases[setting, regime, "alone"], where)
        return {
            m: paired_difference(agreement(cases[setting, regime, m], where), alone)
            for m, _ in LADDERS["the student alone"].values()
        }

    frames = {name: found(regime) for name, regime in REGIMES.items()}
    alone = agreement(cases[setting, REGIMES[chosen], "alone"], where).mean()
    text = f"{setting}, {chosen}, {where}: the student alone gives the teacher's answer in "
    text += f"{alone:.1f}% of cases; points more than that: {_said(frames[chosen])}."
    return _dots(frames, chosen, "agreement, points, minus the student alone"), minus(text)


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
    look: Any = {"xlim": limits, "colours": ("muted", "student", "label")}
    text = f"T = {T:g}, α = {alpha:g}, β = {beta:g}: " + "; ".join(words) + "."
    return figures.estimates(shown, xlabel="test accuracy, %", **look), text
