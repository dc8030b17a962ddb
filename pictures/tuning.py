"""Tuning: teachers and their students, three searches, and schedules of the temperature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import rankdata

from distill_lib import Estimate, crossed_interval, figures, interval, unpacked
from pictures.rows import Row, crossed_gain, lay_out, minus, percent

Drawn = tuple[Figure, str]
Rows = Mapping[tuple[str, float, float], Row]
"""Students by teacher, T and alpha."""
DIGITS = 400
NONE = ("none", 1, 1)
MEASURES = {  # of a teacher, by its words: its name in the record, a format, and what is best
    "accuracy": ("teacher_accuracy", ".1%", max),
    "NLL": ("teacher_nll", ".2f", min),
    "ECE": ("teacher_ece", ".3f", min),
    "entropy": ("teacher_entropy", ".2f", max),
    "spread": ("teacher_spread", ".1f", min),
    "NLL, T fitted": ("teacher_fitted_nll", ".2f", min),
}
CONTROLS = ("random",)

# --- Teachers -------------------------------------------------------------------------------------


def points(row: Row, other: Row) -> Estimate:
    """What one row's students have more than another's, over seeds and test digits."""
    return crossed_gain(row, other)


def by_teacher(record: Row) -> dict[tuple[str, float, float], Row]:
    """The students' rows by teacher, T and alpha."""
    return {(row["teacher"], row["T"], row["alpha"]): row for row in record["rows"]}


def best_key(rows: Rows, teacher: str, alphas: Sequence[float]) -> tuple[str, float, float]:
    """T and alpha with the best validation accuracy, over the seeds for tuning."""
    keys = [key for key in rows if key[0] == teacher and key[2] in alphas]
    return max(keys, key=lambda key: max(rows[key]["trials"].values()))


def student(rows: Rows, teacher: str, T: str, alphas: Sequence[float] = (0,)) -> Row:
    """The row at this temperature, a number as text, or at the one that was "chosen"."""
    if T == "chosen":
        return rows[best_key(rows, teacher, alphas)]
    return rows[teacher, float(T), alphas[0]]


def in_order(teachers: Mapping[str, Row], measure: str) -> list[str]:
    """The teachers by the mean of a measure, the best first; controls last."""
    key, _, best = MEASURES[measure]
    sign = -1 if best is max else 1
    return sorted(teachers, key=lambda n: (n in CONTROLS, sign * np.mean(teachers[n][key])))


def rank_correlation(
    teachers: Mapping[str, Row], rows: Rows, measure: str, T: str, without: Sequence[str] = CONTROLS
) -> Estimate:
    """Spearman's, seed by seed, of a measure (turned so that more is better) and the students'."""
    key, _, best = MEASURES[measure]
    names = [name for name in teachers if name not in without]
    x = np.array([teachers[name][key] for name in names]) * (1 if best is max else -1)
    y = np.array([student(rows, name, T)["accuracy"] for name in names])
    return interval(
        [np.corrcoef(rankdata(a), rankdata(b))[0, 1] for a, b in zip(x.T, y.T, strict=True)]
    )


def picked(teachers: Mapping[str, Row], rows: Rows, measure: str) -> Row:
    """In each seed the best teacher by a measure, the first of them, and its student at chosen T.

    Controls are left out. Like a row of the record, but that "teacher" has a name for each seed.
    """
    key, _, best = MEASURES[measure]
    names = [name for name in teachers if name not in CONTROLS]
    by_seed = zip(*(teachers[name][key] for name in names), strict=True)
    taken = [names[values.index(best(values))] for values in by_seed]
    right = [student(rows, n, "chosen")["right"][seed] for seed, n in enumerate(taken)]
    return {"teacher": taken, "right": right}


def teacher_table(teachers: Mapping[str, Row], rows: Rows) -> Iterator[str]:
    """A line for each teacher: what it is like, and its student."""
    head = ("accuracy", "NLL", "ECE", "entropy", "spread")
    yield f"{'':<17}" + " ".join(f"{n:>8}" for n in head) + " | T | student"
    for name, one in teachers.items():
        cells = [f"{np.mean(one[MEASURES[n][0]]):>8{MEASURES[n][1]}}" for n in head]
        _, T, _ = best_key(rows, name, (0,))
        found = percent(student(rows, name, "chosen"))
        yield f"{name:<17}" + " ".join(cells) + f" | {T:>2} | {found:.1f}"


def _outside(axes: Axes, limits: tuple[float, float], y: int, value: float, text: str) -> bool:
    """Whether a value has no place between the limits; then an arrow and its text say where."""
    if limits[0] <= value <= limits[1]:
        return False
    left = value < limits[0]
    words = f"← {text}" if left else f"{text} →"
    look: dict[str, Any] = {"va": "center", "ha": "left" if left else "right", "in_layout": False}
    axes.text(0.02 if left else 0.98, y, words, transform=axes.get_yaxis_transform(), **look)
    return True


def draw_teachers(teachers: Mapping[str, Row], rows: Rows, order_by: str, T: str) -> Drawn:
    """Teachers from best to worst by a measure; beside them what their students get right.

    Args:
        order_by: one of `MEASURES`.
        T: of the students, as text; or "chosen" on validation for each teacher.
    """
    key, form, _ = MEASURES[order_by]
    names = in_order(teachers, order_by)
    rated = [name for name in names if name not in CONTROLS]
    figure, (left, right) = figures.new(height=1.3 + 0.3 * len(names), columns=2)
    means = {name: float(np.mean(teachers[name][key])) for name in names}
    found = {name: percent(student(rows, name, T)) for name in names}
    every = [percent(row) for (name, _, alpha), row in rows.items() if alpha == 0 and name in rated]
    limits = min(e.low for e in every) - 1, max(e.high for e in every) + 1
    values = [means[name] for name in rated]
    room = (max(values) - min(values)) / 8
    spans = min(values) - room, max(values) + room
    for y, name in enumerate(names):
        look = figures.COLOURS["muted" if name in CONTROLS else "teacher"]
        if not _outside(left, spans, y, means[name], f"{means[name]:{form}}"):
            left.plot([means[name]], [y], "s", color=look, markersize=7)
        e, look = found[name], figures.COLOURS["student"]
        if not _outside(right, limits, y, e.mean, f"{e.mean:.0f}%"):
            right.plot([e.low, e.high], [y, y], "-", color=look, lw=3, solid_capstyle="round")
            right.plot([e.mean], [y], "o", color=look, markersize=7)
    alone = percent(rows[NONE])
    right.axvline(alone.mean, color=figures.COLOURS["ink"], linewidth=1, linestyle=":")
    for axes in (left, right):
        axes.set(yticks=range(len(names)), ylim=(len(names) - 0.5, -0.5))
        axes.grid(axis="y", visible=False)
    left.set(xlim=(0, 1), xlabel="teacher")  # each measure's own ticks would move the axes
    left.set_title("NLL, spread", fontsize=10)
    right.set(xlim=limits, xlabel="student, %")
    right.tick_params(labelleft=False)
    lay_out(figure, left.yaxis, max(names, key=len))
    left.set(yticks=range(len(names)), yticklabels=names, xlim=spans)
    left.set_title(order_by, fontsize=10)
    rho = rank_correlation(teachers, rows, order_by, T)
    first, last = (
        f"{n} ({means[n]:{form}}; student {found[n]:.1f}%)" for n in rated[:: len(rated) - 1]
    )
    text = f"Students at T {T}, by their teachers' {order_by}. Best: {first}; worst: {last}. "
    text += f"Rank correlation of the two orders {rho:+.2f}; labels alone {alone:.1f}%."
    return figure, minus(text)


# --- Searches -------------------------------------------------------------------------------------


def chosen(row: Row, n: int) -> np.ndarray:
    """For each seed, which of the first n trials has the best validation accuracy, the first."""
    return np.array([int(np.argmax(v[:n])) for v in row["validation"]])


def of_chosen(row: Row, measure: str, n: int) -> np.ndarray:
    """A measure of the chosen trial, for each seed."""
    return np.array([values[k] for values, k in zip(row[measure], chosen(row, n), strict=True)])


def shares(tried: Any) -> np.ndarray:
    """T, alpha and the rate as shares of their ranges; T and the rate on logarithmic scales."""
    T, alpha, rate = np.moveaxis(np.array(tried, dtype=float), -1, 0)
    ways = np.log(T) / np.log(32), alpha / 0.9, np.log(rate / 0.003) / np.log(100)
    return np.stack(ways, axis=-1)


def anyway(row: Row, n: int) -> np.ndarray:
    """For each seed, validation minus test of students with much the same dials as the chosen.

    They are trials of other seeds, those with the nearest dials, as many as there are other seeds:
    of a grid the very same dials. This seed's search did not choose among them.
    """
    places = shares(row["tried"])
    gaps = np.array(row["validation"]) - np.array(row["accuracy"])
    means = []
    for seed, best in enumerate(chosen(row, n)):
        away = np.sum((places - places[seed, best]) ** 2, axis=-1)
        away[seed] = np.inf
        near = np.argsort(away, axis=None, kind="stable")[: len(gaps) - 1]
        means.append(np.mean(gaps.ravel()[near]))
    return np.array(means)


def optimism(row: Row, n: int) -> Estimate:
    """Points by which the chosen validation accuracy is ahead of test, more than it is `anyway`.

    The validation digits may be easier than those of test, and more so for good students than for
    bad ones: so all trials together are no measure of that, the same dials in other seeds are.
    """
    gaps = of_chosen(row, "validation", n) - of_chosen(row, "accuracy", n)
    return interval(gaps - anyway(row, n)).scaled(100)


def search_gain(row: Row, n: int, other: Row, m: int) -> Estimate:
    """Test points of the best of n over another search's best of m, over seeds and digits."""
    pairs = (unpacked(r[f"right_{k}"], DIGITS).astype(float) for r, k in ((row, n), (other, m)))
    first, second = pairs
    return crossed_interval(first - second).scaled(100)


def draw_search(rows: Mapping[str, Row], counts: Sequence[int], search: str, trials: int) -> Drawn:
    """The best of the first n trials: what validation says of it, and what test says.

    Args:
        rows: by search, "default" among them.
    """
    lines = {
        name: [interval(of_chosen(rows[search], key, n)).scaled(100) for n in counts]
        for name, key in (("validation", "validation"), ("test", "accuracy"))
    }
    base = interval([v[0] for v in rows["default"]["accuracy"]]).scaled(100)
    lines["no search, test"] = [base] * len(counts)
    every = [
        interval(of_chosen(row, key, n)).scaled(100)
        for name, row in rows.items()
        if name != "default"
        for key in ("validation", "accuracy")
        for n in counts
    ]
    look = {"xlabel": "trials", "ylabel": "accuracy of the chosen, %", "log_x": True}
    look |= {"ylim": (min(e.low for e in every) - 2, 100), "mark": trials}
    figure = figures.curves(counts, lines, colours=("teacher", "student", "label"), **look)
    k = list(counts).index(trials)
    one, two = lines["validation"][k], lines["test"][k]
    text = f"{search}, best of {trials}: validation {one:.1f}%, test {two:.1f}%; "
    return figure, minus(f"{text}no search {base:.1f}% on test.")


DIALS = ("T", "α", "rate")


def draw_slices(rows: Mapping[str, Row], seed: int, search: str, trials: int) -> Drawn:
    """Each trial of one search: its validation accuracy over each of the three dials."""
    row = rows[search]
    tried = np.array(row["tried"][seed][:trials])
    hits = 100 * np.array(row["validation"][seed][:trials])
    figure, every = figures.new(height=2.8, columns=3)
    best = int(np.argmax(hits))
    for k, (axes, name) in enumerate(zip(every, DIALS, strict=True)):
        axes.plot(tried[:, k], hits, "o", color=figures.COLOURS["teacher"], alpha=0.55, ms=5)
        axes.plot(tried[best, k], hits[best], "*", color=figures.COLOURS["student"], ms=14)
        axes.set(xlabel=name, ylim=(0, 102))
        if name != "α":
            axes.set_xlim((0.8, 40) if name == "T" else (0.002, 0.45))
            figures.logarithmic(axes, "x")
            ticks = [1, 4, 32] if name == "T" else [0.003, 0.03, 0.3]
            axes.set_xticks(ticks, [f"{v:g}" for v in ticks])
            axes.minorticks_off()
        else:
            axes.set(xlim=(-0.05, 0.95), xticks=[0, 0.45, 0.9])
    for axes in every[1:]:
        axes.tick_params(labelleft=False)
    every[0].set_ylabel("validation, %")
    T, alpha, rate = tried[best]
    text = (
        f"{search}, {trials} trials of one seed. The star is the best: T {T:.1f}, α {alpha:.2f}, "
    )
    return figure, f"{text}rate {rate:.3f}, {hits[best]:.1f}% on validation."


# --- Schedules ------------------------------------------------------------------------------------

Schedules = Mapping[tuple[str, float, float, str], Row]
"""Students by setting, start, end and shape."""
SHAPES = ("linear", "step")


def by_schedule(record: Row) -> dict[tuple[str, float, float, str], Row]:
    """The rows by setting, start, end and shape; a T that stays has every shape."""
    found = {}
    for row in record["rows"]:
        for shape in SHAPES if row["shape"] == "fixed" else (row["shape"],):
            found[row["setting"], row["start"], row["end"], shape] = row
    return found


def kind(row: Row) -> str:
    """To which kind of schedule a row belongs."""
    if row["shape"] == "fixed":
        return "fixed"
    return f"{'falling' if row['start'] > row['end'] else 'rising'}, {row['shape']}"


def best_by_kind(record: Row, setting: str) -> dict[str, Row]:
    """The row that each kind chose on validation."""
    found = {kind(r): r for r in record["rows"] if r["setting"] == setting and r["best"]}
    return dict(sorted(found.items(), key=lambda item: item[0] != "fixed"))


def best_fixed(record: Row, setting: str) -> Row:
    """The fixed T that validation chose."""
    rows = [r for r in record["rows"] if r["setting"] == setting and r["shape"] == "fixed"]
    return max(rows, key=lambda row: max(row["trials"].values()))


def temperature(done: np.ndarray, start: float, end: float, shape: str) -> np.ndarray:
    """T over the share of the training that is done."""
    way = {"linear": done, "step": done >= 0.5}
    return start + (end - start) * way[shape]


def draw_schedule(
    rows: Schedules, fixed: Mapping[str, Row], setting: str, start_T: int, end_T: int, shape: str
) -> Drawn:
    """T over the training, and how much better its student is than that of the best fixed T.

    Args:
        fixed: by setting, the row of the fixed T that was chosen on validation.
    """
    row, base = rows[setting, start_T, end_T, shape], fixed[setting]
    figure, (left, right) = figures.new(height=3.0, columns=2)
    done = np.linspace(0, 1, 201)
    left.plot(
        100 * done, temperature(done, start_T, end_T, shape), color=figures.COLOURS["teacher"]
    )
    left.axhline(base["start"], color=figures.COLOURS["muted"], linestyle=":")
    left.set(xlabel="training, %", ylabel="T", xlim=(-3, 103), ylim=(0.8, 20))
    figures.logarithmic(left, "y")
    left.set_yticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
    left.minorticks_off()
    e = crossed_gain(row, base)
    every = [crossed_gain(r, fixed[s]) for (s, *_), r in rows.items()]
    low, high = min(min(x.low for x in every), -1), max(max(x.high for x in every), 1)
    right.errorbar(
        [0],
        [e.mean],
        [[e.mean - e.low], [e.high - e.mean]],
        fmt="o",
        color=figures.COLOURS["student"],
        linewidth=3,
        markersize=9,
    )
    right.axhline(0, color=figures.COLOURS["ink"], linewidth=1)
    right.set(xlim=(-1, 1), ylim=(low - 0.3, high + 0.3), xticks=[])
    right.set_ylabel("points over the best fixed T")
    text = f"{setting}: T from {start_T} to {end_T}, {shape}. Student {percent(row):.1f}%, "
    return figure, minus(f"{text}{e:+.1f} points over T = {base['start']} fixed.")
