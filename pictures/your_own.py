"""Distil your own: what the report said of tables and teachers that were tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Estimate, figures
from pictures.rows import Row, lay_out, minus

Drawn = tuple[Figure, str]
Tried = Mapping[tuple[str, str], Row]
"""Rows of results/own_trials.json by table and case."""
WAYS = {  # by the name of a way to train, its colour and its marker; squares are baselines
    "labels alone": ("label", "s"),
    "label smoothing": ("accent", "s"),
    "teacher's answers": ("warn", "o"),
    "soft targets": ("student", "o"),
}
SHUFFLED = "few and shuffled"  # a teacher so far below that the axis leaves it out
VERDICTS = {"helps": "teacher", "harms": "warn", "no help": "muted"}
MARKERS = {"helps": "o", "harms": "X", "no help": "D"}


def by_case(record: Row) -> dict[tuple[str, str], Row]:
    """The reports of the one cut of each table."""
    return {(row["table"], row["case"]): row for row in record["rows"]}


def estimate(row: Row, name: str, k: int = 0) -> Estimate:
    """An estimate of the report of split k, as the record keeps it: mean, low, high."""
    mean, low, high = row[name][k]
    return Estimate(mean, low, high, n=0)


def verdict(difference: Estimate) -> str:
    """ "helps", "harms" or "no help" (that can be seen), as the report decides it."""
    return "helps" if difference.low > 0 else "harms" if difference.high < 0 else "no help"


# --- All tables -----------------------------------------------------------------------------------


def draw_verdicts(rows: Tried, large: Row, case: str) -> Drawn:
    """What soft targets add to the best baseline in every table, for one case.

    Args:
        large: the record of the table of 100,000 rows, which was tried with every label alone.
    """
    names = list(dict.fromkeys(table for table, _ in rows))
    found = {name: estimate(rows[name, case], "difference") for name in names}
    if case == "all labels":
        low, high = (large["difference"][end] for end in ("low", "high"))
        found["100,000 rows"] = Estimate(large["difference"]["mean"], low, high, 0)
    every = [estimate(row, "difference") for row in rows.values()]
    limits = min(e.low for e in every) - 1, max(e.high for e in every) + 1
    return _verdicts(
        [*names, "100,000 rows"],
        found,
        limits,
        f"{case.capitalize()}: soft targets minus the best baseline",
    )


def _verdicts(
    names: Sequence[str],
    found: Mapping[str, Estimate],
    xlim: tuple[float, float],
    what: str,
    ring: str = "",
) -> Drawn:
    """Differences with their intervals, a line for each name, and what they amount to."""
    figure, (axes,) = figures.new(height=1.5 + 0.34 * len(names))
    words = []
    for kind, colour in VERDICTS.items():  # the legend is the same in every frame
        look: Any = {"markersize": 8, "linestyle": "", "color": figures.COLOURS[colour]}
        axes.plot([], [], MARKERS[kind], label=kind, **look)
    for y, name in enumerate(names):
        if name not in found:
            axes.text(0.3, y, "not run", va="center")
            continue
        e, kind = found[name], verdict(found[name])
        colour = figures.COLOURS[VERDICTS[kind]]
        axes.plot([e.low, e.high], [y, y], "-", color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([e.mean], [y], MARKERS[kind], color=colour, markersize=8)
        words.append(f"{name} {e.mean:+.1f} ({e.low:+.1f} to {e.high:+.1f}), {kind}")
        if name == ring:
            look = {"markersize": 17, "markerfacecolor": "none", "markeredgewidth": 2}
            axes.plot([e.mean], [y], "o", markeredgecolor=figures.COLOURS["ink"], **look)
    axes.axvline(0, color=figures.COLOURS["ink"], linewidth=1)
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes.set(xlim=xlim, xlabel="soft targets, points more")
    axes.grid(axis="y", visible=False)
    figures.legend_above(figure, axes)
    return figure, minus(f"{what}, in points of test accuracy: {'; '.join(words)}.")


# --- One table ------------------------------------------------------------------------------------


def draw_ways(rows: Tried, table: str, case: str) -> Drawn:
    """Right on test by every way to train, and by the teacher; below, what the report said."""
    row, names = rows[table, case], [*WAYS, "teacher"]
    lows = [
        estimate(r, name).low
        for (t, c), r in rows.items()
        for name in names
        if t == table and name in r and (name, c) != ("teacher", SHUFFLED)
    ]
    left = 5 * np.floor(min(lows) / 5)
    figure, (axes,) = figures.new(height=3.0)
    aside: Any = {"va": "center", "transform": axes.get_yaxis_transform()}  # x by the width
    for y, name in enumerate(names):
        if name not in row:
            axes.text(0.98, y, "not run: no row is without a label", ha="right", **aside)
            continue
        e = estimate(row, name)
        if e.high < left:
            axes.text(0.02, y, f"◂ {e.mean:.0f}%", ha="left", **aside)
            continue
        colour, marker = WAYS.get(name, ("teacher", "D"))
        look: Any = {"color": figures.COLOURS[colour]}
        axes.plot([e.low, e.high], [y, y], "-", linewidth=3, solid_capstyle="round", **look)
        axes.plot([e.mean], [y], marker, markersize=8, **look)
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes.set(xlim=(left, 101), xlabel="right on test, %")
    axes.grid(axis="y", visible=False)
    lay_out(figure, axes.xaxis, "100")
    notes = row["notes"][0].splitlines()
    return figure, f"{table.capitalize()}, {case}. {' '.join([row['verdict'][0], *notes])}"


def draw_reliability(rows: Tried, table: str, case: str) -> Drawn:
    """How often an answer is right, by how sure it was: best baseline, soft targets, teacher."""
    row = rows[table, case]
    lines = {"best baseline": "baseline", "soft targets": "soft", "teacher": "teacher"}
    errors = {"teacher": row["teacher_calibration_error"][0]}
    for which, way in (("baseline", row["baseline"][0]), ("soft", "soft targets")):
        errors[which] = estimate(row, f"{way}, calibration_error").mean
    colours = ("label", "student", "teacher")
    figure, (axes,) = figures.new()
    axes.plot([0, 1], [0, 1], ":", color=figures.COLOURS["muted"], linewidth=1)
    words = []
    for k, (name, which) in enumerate(lines.items()):
        confidence, right, count = (np.array(part) for part in row[f"{which}_bins"][0])
        full = count > 0
        look: Any = {"color": figures.COLOURS[colours[k]], "linestyle": figures.DASHES[k]}
        look |= {"marker": figures.MARKERS[k], "markersize": 6, "linewidth": 2, "label": name}
        axes.plot(confidence[full] / count[full], right[full] / count[full], **look)
        words.append(f"{name} {errors[which]:.1f}%")
    axes.set(xlim=(0, 1.02), ylim=(-0.02, 1.04))
    axes.set(xlabel="probability of the answer", ylabel="share that is right")
    figures.legend_above(figure, axes)
    text = f"{table.capitalize()}, {case}. The best baseline is {row['baseline'][0]}. Calibration"
    return figure, f"{text} error: {', '.join(words)}."


# --- Other splits ---------------------------------------------------------------------------------


def draw_splits(row: Row, split: int) -> Drawn:
    """The same table and kind of teacher, cut anew for each report; one of them is read."""
    found = {f"split {k + 1}": estimate(row, "difference", k) for k in range(len(row["verdict"]))}
    limits = min(e.low for e in found.values()) - 1, max(e.high for e in found.values()) + 1
    figure, _ = _verdicts([*found], found, limits, "", ring=f"split {split}")
    return figure, f"Split {split}: {row['verdict'][split - 1]}"
