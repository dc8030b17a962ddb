"""Chapter 11: maps of attention, methods on features and their controls, the capacity gap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from distill_lib import Estimate, figures, interval, paired_difference
from pictures import shared
from pictures.rows import Row, crossed_gain, lay_out, minus

Drawn = tuple[Figure, str]
Rows = Mapping[tuple[str, str], Row]
"""Rows by setting and method."""
Maps = Mapping[str, Mapping[str, np.ndarray]]
"""By network and layer, an array of shape (images, places)."""
MEASURES = ("accuracy", "NLL")
LAYERS = {"first": "conv_1", "second": "conv_2"}
SIDE = 8
FEW = "60 labels"
SPLITS = {"training": "train", "validation": "validation"}

# --- What the rows say ----------------------------------------------------------------------------


def by_method(*records: Row) -> dict[tuple[str, str], Row]:
    """The rows of these records by setting and method."""
    rows = {(row["setting"], row["method"]): row for one in records for row in one["rows"]}
    # Labels alone see the images that have one, whatever others there are.
    return {(f"{FEW}, all images", "labels alone"): rows[FEW, "labels alone"]} | rows


def difference(row: Row, other: Row, measure: str = "accuracy") -> Estimate:
    """One row minus another: accuracy in points over seeds and test digits, NLL over seeds."""
    if measure == "NLL":
        return paired_difference(row["nll"], other["nll"])
    return crossed_gain(row, other)


def table(rows: Rows, setting: str, methods: Sequence[str], against: str) -> Iterator[str]:
    """A line for each method: its accuracy, and points over another method."""
    base = rows[setting, against]
    for method in methods:
        row = rows[setting, method]
        line = f"{method:<26} {interval(row['accuracy']).scaled(100):.1f} | "
        yield minus(line + ("" if method == against else f"{difference(row, base):+.1f}"))


# --- Maps of attention ----------------------------------------------------------------------------


def draw_maps(
    images: np.ndarray, maps: Maps, named: Mapping[str, int], digit: str, layer: str
) -> Drawn:
    """An image, and where each network has much to say of it.

    Args:
        images: shape (images, 64).
        maps: of the teacher first.
        named: by the words of the control, which of the images.
        layer: a key of `LAYERS`.
    """
    k, name = named[digit], LAYERS[layer]
    panels, lengths = [images[k]], {}
    for network, layers in maps.items():
        one = layers[name][k]
        lengths[network] = one / np.linalg.norm(one)
        side = int(np.sqrt(one.size))
        square = one.reshape(side, side) / one.max()
        panels.append(np.kron(square, np.ones((SIDE // side, SIDE // side))).ravel())
    figure = shared.digit_images(np.array(panels), [digit, *maps])
    teacher, *others = lengths.values()
    apart = [np.sum((one - teacher) ** 2) for one in others]
    words = ", ".join(f"{n} {d:.2f}" for n, d in zip([*maps][1:], apart, strict=True))
    text = (
        f"{digit}, {layer} convolution. Squared distance of the maps from the teacher's: {words}."
    )
    return figure, text


# --- Methods --------------------------------------------------------------------------------------


def draw_methods(rows: Rows, setting: str, against: str, measure: str) -> Drawn:
    """What each method of a setting has more than one of them.

    Args:
        rows: of settings that all have this one of the methods.
        measure: one of `MEASURES`.
    """
    methods = list(dict.fromkeys(method for s, method in rows if s == setting))
    every = [
        difference(row, rows[s, other], measure)
        for (s, _), row in rows.items()
        for other in dict.fromkeys([against, "labels alone", "soft targets"])
    ]
    low, high = min(e.low for e in every), max(e.high for e in every)
    room = (high - low) / 20
    most = max(len([1 for s, _ in rows if s == of]) for of, _ in rows)
    base = rows[setting, against]
    unit = "NLL" if measure == "NLL" else "points"
    shown = {m: difference(rows[setting, m], base, measure) for m in methods}
    look = {"xlabel": f"{unit}, minus {against}", "zero": True}
    colours = ["teacher" if m.startswith("soft") else "student" for m in methods]
    figure = figures.estimates(shown, xlim=(low - room, high + room), colours=colours, **look)
    figure.axes[0].set_ylim(most - 0.5, -0.5)
    figure.set_figheight(1.1 + 0.36 * most)
    lay_out(figure, figure.axes[0].yaxis, max((m for _, m in rows), key=len))
    form = "+.2f" if measure == "NLL" else "+.1f"
    words = "; ".join(f"{m} {e:{form}}" for m, e in shown.items() if m != against)
    return figure, minus(f"{setting}; {unit}, minus {against}: {words}.")


def draw_weight(rows: Mapping[tuple[str, float], Row], w: float) -> Drawn:
    """Points over labels alone at the same rate, over the weight of the term on features.

    Args:
        rows: by method and weight; at 0 the labels alone.
    """
    alone = rows["hint", 0]
    weights = sorted({weight for _, weight in rows if weight})
    names = {"hint": "hint", "random hint": "hint, random", "attention": "attention"}
    lines = {
        name: [difference(rows[method, weight], alone) for weight in weights]
        for method, name in names.items()
    }
    ends = [e for line in lines.values() for e in line]
    look = {"xlabel": "weight of the term", "ylabel": "points over alone", "log_x": True, "mark": w}
    look |= {"ylim": (min(e.low for e in ends) - 1, max(e.high for e in ends) + 1)}
    figure = figures.curves(weights, lines, colours=("student", "muted", "teacher"), **look)
    figure.axes[0].axhline(0, color=figures.COLOURS["ink"], linewidth=1)
    k = weights.index(w)
    words = "; ".join(f"{name} {line[k]:+.1f}" for name, line in lines.items())
    base = interval(alone["accuracy"]).scaled(100)
    return figure, minus(f"Weight {w:g}. Labels alone {base:.1f}%; points over that: {words}.")


def draw_curves(rows: Rows, step: Sequence[int], setting: str, method: str, measure: str) -> Drawn:
    """Training and validation curves side by side: labels alone, and another method.

    Args:
        step: where the curves were looked at.
        measure: "accuracy, %" or "loss (NLL)".
    """
    of = "nll" if "NLL" in measure else "accuracy"
    factor, digits, limits = (1, 2, (-0.05, 2.6)) if of == "nll" else (100, 1, (5, 103))
    figure, every = figures.new(height=3.2, columns=2)
    words = []
    for axes, who in zip(every, ("labels alone", method), strict=True):
        curves = rows[setting, who]["curves"]
        lines = {n: factor * np.array(curves[f"{key}_{of}"]) for n, key in SPLITS.items()}
        figures.draw_lines(axes, step, lines, ("student", "teacher"))
        axes.set(xlabel="step", ylim=limits, xticks=[0, step[-1] // 2, step[-1]])
        axes.set_title(who, fontsize=10)
        ends = [f"{n} {line[-1]:.{digits}f}" for n, line in lines.items()]
        words.append(f"{who} {' and '.join(ends)}")
    every[0].set_ylabel("accuracy, %")  # its letters reach further down
    every[1].tick_params(labelleft=False)
    figures.legend_above(figure, every[0])
    lay_out(figure, every[0].yaxis, "100")
    every[0].set_ylabel(measure)
    return figure, minus(f"{setting}. At the end, {measure}: {'; '.join(words)}.")


# --- The capacity gap -----------------------------------------------------------------------------


def by_teacher(record: Row) -> dict[tuple[str, float], Row]:
    """Rows of taught students by teacher and the share of its steps; "labels", "even", "random"."""
    named = {(row["lesson"], 1.0): row for row in record["rows"] if row["lesson"] != "taught"}
    taught = [row for row in record["rows"] if row["lesson"] == "taught"]
    return named | {(row["teacher"], row["stop"]): row for row in taught}


def draw_gap(rows: Mapping[tuple[str, float], Row], filters: int, steps: str) -> Drawn:
    """A teacher and its student over the teacher's size, beside the student of labels alone.

    Args:
        filters: of the teacher's second convolution.
        steps: "all", "a half" or "a fifth": after which of its steps the teacher is left.
    """
    stop = {"all": 1.0, "a half": 0.5, "a fifth": 0.2}[steps]
    sizes = [size for size, at in rows if at == stop and "-" in size]
    x = [int(size.split("-")[1]) for size in sizes]
    percent = {
        name: [interval(rows[size, stop][key]).scaled(100) for size in sizes]
        for name, key in (("teacher", "teacher_accuracy"), ("its student", "accuracy"))
    }
    alone = interval(rows["labels", 1.0]["accuracy"]).scaled(100)
    lines = percent | {"student, labels alone": [alone] * len(x)}
    every = [
        interval(row[k]).scaled(100)
        for (size, _), row in rows.items()
        if "-" in size
        for k in ("accuracy", "teacher_accuracy")
    ]
    look = {"xlabel": "filters of the teacher's second convolution", "ylabel": "accuracy, %"}
    look |= {"log_x": True, "mark": filters}
    look |= {"ylim": (min(e.low for e in every) - 1, max(e.high for e in every) + 1)}
    figure = figures.curves(x, lines, colours=("teacher", "student", "label"), **look)
    k = x.index(filters)
    row = rows[sizes[k], stop]
    one, two = (line[k] for line in percent.values())
    gain = difference(row, rows["labels", 1.0])
    text = f"A teacher of {filters} filters after {steps} of its steps: {one:.1f}%, entropy "
    text += f"{np.mean(row['teacher_entropy']):.2f}; its student {two:.1f}%, "
    return figure, minus(f"{text}{gain:+.1f} points over labels alone.")
