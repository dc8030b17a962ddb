"""Offline distillation: the work that a store saves, what little can be kept, and other views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Estimate, figures, interval, softmax
from pictures.rows import NOT_RUN, Row, crossed_gain, gain, lay_out, minus, percent
from pictures.shared import digit_with_bars

Drawn = tuple[Figure, str]
Kept = Mapping[tuple[str, int], Row]
"""Rows by what is kept of an answer, and how many words of it."""
Views = Mapping[tuple[str, str, int], Row]
"""Rows by how images are changed, the way, and how many views are stored."""
KINDS = ("top", "top, even tail", "drawn")
COSTS = {"KL": "kl", "calibration error": "calibration"}
MEASURES = ("accuracy", "fidelity")
WAYS = {  # by the name of a row in the figure, the way in the record
    "labels, unchanged": "labels",
    "stored, unchanged": "stored",
    "stored, other view": "other view",
    "stored, mixed alike": "mixed alike",
    "stored views": "stored views",
    "asked, same view": "same view",
}

# --- Work -----------------------------------------------------------------------------------------


def work(
    teacher: int, student: int, students: int, passes: int, views: int = 1
) -> dict[str, tuple[float, float]]:
    """Multiply-adds for one example, of the teacher and of all students, asked each time or stored.

    Args:
        teacher, student: multiply-adds of one answer. A step of training costs three: forward,
            and backward for the parameters and for the layer before.
        views: answers that are stored of an example.
    """
    training = 3.0 * student * students * passes
    return {
        "asked each time": (float(teacher * students * passes), training),
        "stored": (float(teacher * views), training),
    }


def draw_work(teacher: int, student: int, students: int, passes: int) -> Drawn:
    """The work of both ways, that of asking each time being 100%."""
    both = work(teacher, student, students, passes)
    whole = sum(both["asked each time"])
    parts = {
        "teacher": [100 * a / whole for a, _ in both.values()],
        "training of students": [100 * b / whole for _, b in both.values()],
    }
    figure, (axes,) = figures.new(height=2.2)
    left, codes = np.zeros(2), figures.colour_codes(parts, figures.CYCLE)
    for k, (name, widths) in enumerate(parts.items()):
        axes.barh(range(2), widths, 0.6, left, label=name, **figures.fill(codes[k], k))
        left += widths
    axes.set(yticks=range(2), yticklabels=list(both), ylim=(1.6, -0.6), xlim=(0, 104))
    axes.set(xlabel="multiply-adds, %")
    axes.grid(axis="y", visible=False)
    figures.legend_above(figure, axes)
    who = "1 student" if students == 1 else f"{students} students"
    times = "1 pass" if passes == 1 else f"{passes} passes"
    text = f"{who}, {times}: asked each time, the teacher does {parts['teacher'][0]:.1f}% of the "
    text += f"work; with its outputs stored, all takes {left[1]:.1f}% of that."
    return figure, text


# --- Sparse ---------------------------------------------------------------------------------------


def draw_kept(
    p: np.ndarray,
    keep: Mapping[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]],
    kind: str,
    n: int,
    stores: int,
) -> Drawn:
    """One answer of the teacher, and the target that a student gets in its place.

    Args:
        p: the teacher's probabilities.
        keep: by kind, the target from p, a number of words and a generator of chance.
        stores: how many targets, each stored anew, to take the mean of.
    """
    rng = np.random.default_rng(0)
    targets = np.array([keep[kind](p, n, rng) for _ in range(stores)])
    mean, ids = targets.mean(axis=0), (targets > 0).sum(axis=1).mean()
    figure, (axes,) = figures.new()
    codes = figures.colour_codes(["told", "teacher"], ("student", "teacher"))
    rank = np.arange(1, len(p) + 1)
    axes.bar(rank, mean, 0.7, label="target", **figures.fill(codes[0], 1))
    look = {"color": codes[1], "markersize": 7, "markeredgecolor": figures.COLOURS["paper"]}
    axes.plot(rank, p, "o", label="teacher", **look)
    axes.set(ylim=(0, 1.05), xlabel="word, by the teacher's rank", ylabel="probability")
    axes.set(xticks=rank)
    axes.grid(axis="x", visible=False)
    figures.legend_above(figure, axes)
    far = np.abs(mean - p).sum() / 2
    words = "1 store" if stores == 1 else f"the mean of {stores} stores"
    text = f"{kind}, {n}; {words}: {ids:.1f} words of {len(p)} have a weight. The first word gets "
    text += f"{mean[0]:.2f}, the teacher says {p[0]:.2f}. Distance to the teacher {far:.2f}."
    return figure, minus(text)


def by_kept(record: Row, stop: bool | None = None) -> dict[tuple[str, int], Row]:
    """The rows by what is kept and how many words; of those that stop early or not, where both."""
    rows = (r for r in record["rows"] if stop is None or r["stop"] == stop)
    return {(r["keep"], r["n"]): r for r in rows}


def draw_cost(rows: Kept, measure: str, keep: str, n: int) -> Drawn:
    """What each way of keeping costs the student, over its bytes; the slider's place is framed."""
    name = COSTS[measure]
    figure, (axes,) = figures.new()
    codes = figures.colour_codes(KINDS, ("label", "teacher", "student"))
    ends = [0.0]
    for k, kind in enumerate(KINDS):
        line = [row for (kept, _), row in rows.items() if kept == kind]
        x = [np.mean(row["bytes"]) for row in line]
        found = [interval(row[name]) for row in line]
        low, high = [e.low for e in found], [e.high for e in found]
        axes.fill_between(x, low, high, color=codes[k], alpha=0.2, linewidth=0)
        look = {"color": codes[k], "marker": figures.MARKERS[k], "markersize": 6, "linewidth": 2}
        axes.plot(x, [e.mean for e in found], label=kind, **look)
        ends += high
    whole = interval(rows["all", 100][name])
    axes.axhline(whole.mean, color=figures.COLOURS["ink"], linestyle=":", linewidth=1.5)
    row = rows[keep, n]
    here, spent = interval(row[name]), np.mean(row["bytes"])
    ring = {"markersize": 15, "markerfacecolor": "none", "markeredgewidth": 2}
    axes.plot([spent], [here.mean], "o", markeredgecolor=figures.COLOURS["ink"], **ring)
    axes.set(xlim=(2.5, 180), ylim=(0, 1.08 * max(ends)), ylabel="calibration error")
    axes.set_xlabel("bytes of a context (all, half precision: 200)")
    figures.logarithmic(axes, "x")
    axes.set_xticks([3, 10, 30, 100], ["3", "10", "30", "100"])
    axes.minorticks_off()
    figures.legend_above(figure, axes)
    lay_out(figure, axes.yaxis, "0.00")
    axes.set_ylabel(measure)  # laid out with the one whose letters reach further
    text = f"{keep}, {n}: {spent:.1f} bytes, {np.mean(row['ids']):.1f} words; {measure} "
    return figure, minus(f"{text}{here:.3f}. All logits: {whole:.3f}.")


def cost_table(rows: Kept, cases: Sequence[tuple[str, int]]) -> list[str]:
    """A line for each: bytes, words, divergence, calibration error, accuracy of the student."""
    lines = [f"{'':<24} bytes words  KL             calibration    accuracy, %"]
    for kept, n in cases:
        row = rows[kept, n]
        kl, calibration = (interval(row[name]) for name in ("kl", "calibration"))
        name = kept if kept.startswith("all") else f"{kept}, {n}"
        spent = f"{np.mean(row['bytes']):5.1f} {np.mean(row['ids']):5.1f}"
        both = f"{kl:.3f}  {calibration:.3f}"
        lines.append(f"{name:<24} {spent}  {both}  {percent(row).mean:.1f}")
    return lines


# --- Views ----------------------------------------------------------------------------------------


def by_way(record: Row) -> dict[tuple[str, str, int], Row]:
    """The rows by change, way and stored views."""
    return {(r["change"], r["way"], r["views"]): r for r in record["rows"]}


def ahead(rows: Views, change: str, way: str, views: int, measure: str = "accuracy") -> Estimate:
    """Points over labels alone with images changed alike.

    For accuracy the interval covers seeds and test digits; for fidelity the seeds.
    """
    stored = views if way == "stored views" else 0
    key = ("none" if way in ("stored", "labels") else change, way, stored)
    if key not in rows:
        return NOT_RUN
    pair = rows[key], rows[change, "labels", 0]
    return crossed_gain(*pair) if measure == "accuracy" else gain(*pair, measure)


def draw_views(rows: Views, change: str, measure: str, views: int) -> Drawn:
    """What each way has more than labels alone, where the student's images are changed."""
    number = sorted({v for _, way, v in rows if way == "stored views"})
    every = [
        ahead(rows, c, way, v, measure)
        for c in ("moved", "mixed")
        for way in WAYS.values()
        for v in number
    ]
    ends = [end for e in every for end in (e.low, e.high) if np.isfinite(end)]
    found = {name: ahead(rows, change, way, views, measure) for name, way in WAYS.items()}
    room = (max(ends) - min(ends)) / 20
    look = {"xlabel": f"points of {measure} over labels alone", "zero": True}
    look |= {"xlim": (min(*ends, 0) - room, max(*ends, 0) + room)}
    colours = ["label", "muted", "muted", "muted", "teacher", "student"]
    figure = figures.estimates(found, colours=colours, **look)
    words = [f"{name} {e:+.1f}" for name, e in found.items() if np.isfinite(e.mean)]
    base = percent(rows[change, "labels", 0], measure)
    text = f"{change} images, {views} stored {'view' if views == 1 else 'views'} of each. Labels "
    text += f"alone: {measure} {base.mean:.1f}%. Points over that: {'; '.join(words)}."
    return figure, minus(text)


def draw_view(
    logits: Callable[[np.ndarray], np.ndarray],
    first: np.ndarray,
    other: np.ndarray,
    share: float,
    T: float,
) -> Drawn:
    """A view, so much of the first image and the rest of the other; two answers to it.

    Args:
        logits: the teacher's, from a batch of inputs.
    """
    view = share * first + (1 - share) * other
    told, asked = softmax(logits(np.stack([first, view])), T)
    series = {"stored, of the first": told, "asked, of the view": asked}
    figure = digit_with_bars(view, series)
    top = int(asked.argmax())
    text = f"{share:.0%} of the first image, T = {T:g}. Asked about the view the teacher says "
    text += f"{top} with {asked[top]:.2f}; stored is {int(told.argmax())} with {told.max():.2f}. "
    return figure, f"{text}Distance {np.abs(asked - told).sum() / 2:.2f}."
