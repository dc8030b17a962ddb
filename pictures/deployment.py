"""A student on its way out: asked at T, its size and speed, few bits, its card, its alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import shorten
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from distill_lib import (
    Dataset,
    Estimate,
    accuracy,
    calibration_error,
    crossed_interval,
    figures,
    interval,
    negative_log_likelihood,
    softmax,
    unpacked,
)
from pictures import shared
from pictures.rows import Row, crossed_gain, lay_out, minus

Drawn = tuple[Figure, str]
Cases = Mapping[tuple[int, int, str], Row]  # rows of results/int8.json by labels, bits, method

FLOAT = 32
WAYS = {  # by method of the study, as the figure calls it
    "rounded": "scale of the largest",
    "closest": "closest scale",
    "labels": "on labels",
    "answers": "on teacher's answers",
    "teacher": "on teacher's soft targets",
    "student": "on its own, from before",
}
AT_ONCE = ("rounded", "closest")  # the others went on learning
KINDS = {  # by whether it is one of those
    True: ("rounded at once", "warn", "s"),
    False: ("went on learning, rounded", "student", "o"),
}

ASKED = {"one example": "single", "a batch of 256": "batch"}  # by the control, in the record
ALARM = 1.0  # the evidence at which a watch fires


# --- Asked at T -----------------------------------------------------------------------------------


def draw_asked(
    inputs: np.ndarray,
    logits: np.ndarray,
    labels: np.ndarray,
    named: Mapping[str, int],
    digit: str,
    T: float,
) -> Drawn:
    """A digit and what the student says of it at T; in words, what T does to all of them.

    Args:
        inputs, logits, labels: of all test digits.
        named: by the words of the control, which of them.
    """
    k, p = named[digit], softmax(logits, T)
    figure = shared.digit_with_bars(inputs[k], p[k])
    changed = int(np.sum(p.argmax(axis=1) != logits.argmax(axis=1)))
    right, sure = 100 * accuracy(logits, labels), 100 * np.mean(p.max(axis=1))
    text = f"{digit}, asked at T = {T:g}: the answer is {p[k].argmax()}, with {p[k].max():.0%}. Of "
    text += f"all {len(p)} digits {changed} have another answer than at T = 1; {right:.1f}% are "
    text += f"right, and the mean confidence is {sure:.1f}%; NLL "
    text += f"{negative_log_likelihood(logits / T, labels):.3f}, calibration error "
    return figure, f"{text}{calibration_error(logits / T, labels):.3f}."


# --- Size and speed -------------------------------------------------------------------------------


def sized(record: Row, pair: str, engine: str) -> dict[str, Row]:
    """The rows of the record of deployment of this pair and engine, by model."""
    return {row["model"]: row for row in record[pair]["rows"] if row["engine"] == engine}


def draw_speed(record: Row, pair: str, engine: str, asked: str) -> Drawn:
    """How many times more the teacher has, does and takes, on one scale.

    Args:
        pair: "digits" or "large".
        asked: a key of `ASKED`.
    """
    models, ratios = sized(record, pair, engine), record[pair]["teacher_by_student"]
    time = ratios[engine][ASKED[asked]]
    teacher, student = models["teacher"], models["student"]
    names = {"parameters": "parameters", "multiply_adds": "multiply-adds", "file_bytes": "bytes"}
    counted = {name: teacher[key] / student[key] for key, name in names.items()}
    figure, (axes,) = figures.new(height=2.9)
    look: Any = {"markersize": 8, "linestyle": ""}
    blue, orange = figures.COLOURS["teacher"], figures.COLOURS["student"]
    axes.plot([*counted.values()], range(3), "s", color=blue, label="counted", **look)
    axes.plot([time["low"], time["high"]], [3, 3], "-", color=orange, linewidth=3)
    axes.plot(
        [time["median"]], [3], "o", color=orange, label="measured: median, all rounds", **look
    )
    axes.axvline(1, color=figures.COLOURS["ink"], linewidth=1)
    for y, value in enumerate([*counted.values(), time["median"]]):
        place: Any = {"textcoords": "offset points", "ha": "center", "in_layout": False}
        axes.annotate(f"{value:.1f}", (value, y), (0, 7), **place)
    axes.set(yticks=range(4), yticklabels=[*counted, "time"], ylim=(3.5, -0.8))
    axes.set(xscale="log", xlim=(0.5, 200), xlabel="teacher / student")
    ticks = [0.5, 1, 2, 5, 10, 20, 50, 100]
    axes.set(xticks=ticks, xticklabels=[f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y", visible=False)
    figures.legend_above(figure, axes)
    lay_out(figure, axes.xaxis, "100")
    kind = ASKED[asked] + "_us"
    text = f"{pair}, {engine}, {asked}: {counted['parameters']:.0f} times the parameters, "
    text += (
        f"{time['median']:.1f} times the time ({time['low']:.1f} to {time['high']:.1f} in single"
    )
    text += f" rounds). Microseconds of a call, p50 / p95 / p99: teacher {_spread(teacher[kind])}, "
    return figure, f"{text}student {_spread(student[kind])}."


def _spread(latency: Mapping[str, float]) -> str:
    return " / ".join(f"{latency[q]:,.0f}" for q in ("p50", "p95", "p99"))


def draw_calls(microseconds: Mapping[str, ArrayLike], counts: Sequence[int], rows: int) -> Drawn:
    """What a call takes, over how many examples it is given; the slider marks one number.

    Args:
        microseconds: by network, one for each of the counts; the first is the larger one.
    """
    every = np.array([*microseconds.values()], float)
    look: Any = {"xlabel": "examples in one call", "ylabel": "microseconds", "mark": rows}
    look |= {"log_x": True, "log_y": True, "ylim": (every.min() / 1.5, every.max() * 1.5)}
    colours = ("teacher", "student", "muted")
    figure = figures.curves(
        counts, dict(zip(microseconds, every, strict=True)), colours=colours, **look
    )
    k = list(counts).index(rows)
    words = ", ".join(
        f"{name} {line[k]:,.0f}" for name, line in zip(microseconds, every, strict=True)
    )
    first, second = [*microseconds][:2]
    what = "one example" if rows == 1 else f"{rows} examples"
    text = f"A call with {what}, microseconds: {words}. The {first} takes "
    return figure, f"{text}{every[0, k] / every[1, k]:.1f} times as long as the {second}."


# --- Few bits -------------------------------------------------------------------------------------


def error(row: Row, digits: int = 400) -> Estimate:
    """Percent of the test digits that are wrong; the interval covers seeds and digits."""
    return crossed_interval(1.0 - unpacked(row["right"], digits)).scaled(100)


def cost(cases: Cases, labels: int, bits: int, method: str) -> Estimate:
    """Accuracy lost against the student before rounding, in points, seed by seed and digit."""
    return crossed_gain(cases[labels, FLOAT, "rounded"], cases[labels, bits, method])


def won_back(cases: Cases, labels: int, bits: int, method: str, other: str) -> Estimate:
    """Accuracy that one way has more than another at these bits, in points."""
    return crossed_gain(cases[labels, bits, method], cases[labels, bits, other])


def added(cases: Cases, labels: int, bits: int, method: str, other: str) -> Estimate:
    """How much more one way is ahead of another at these bits than without rounding, in points."""
    lead, unrounded = (
        np.subtract(
            *(unpacked(cases[labels, b, m]["right"], 400).astype(float) for m in (method, other))
        )
        for b in (bits, FLOAT)
    )
    return crossed_interval(lead - unrounded).scaled(100)


def draw_bits(cases: Cases, labels: int, bits: int) -> Drawn:
    """The error of the student in so many bits, by how it was rounded; a line for all bits."""
    before = error(cases[labels, FLOAT, "rounded"])
    figure, (axes,) = figures.new(height=3.4)
    look: Any = {"color": figures.COLOURS["muted"], "linestyle": figures.DASHES[1]}
    axes.axvline(before.mean, label="before rounding", **look)
    words = []
    for y, (method, name) in enumerate(WAYS.items()):
        kind, colour, marker = KINDS[method in AT_ONCE]
        if (labels, bits, method) not in cases:
            axes.text(before.mean * 1.15, y, "not run", va="center")
            continue
        e, code = error(cases[labels, bits, method]), figures.COLOURS[colour]
        axes.plot([e.low, e.high], [y, y], "-", color=code, linewidth=3, solid_capstyle="round")
        first = kind if method in ("rounded", "labels") else None
        axes.plot([e.mean], [y], marker, linestyle="", color=code, markersize=8, label=first)
        words.append(f"{name} {e:.1f}%")
    axes.set(yticks=range(len(WAYS)), yticklabels=WAYS.values(), ylim=(len(WAYS) - 0.5, -0.5))
    axes.set(xscale="log", xlim=(2.2, 80), xlabel="wrong on test, %")
    axes.minorticks_off()
    axes.set(xticks=[3, 5, 10, 20, 40, 70], xticklabels=["3", "5", "10", "20", "40", "70"])
    axes.grid(axis="y", visible=False)
    figures.legend_above(figure, axes)
    lay_out(figure, axes.xaxis, "70")
    size = cases[labels, bits, "rounded"]["bytes"][0]
    split = sum((labels, bits, method) in cases for method in AT_ONCE)
    text = f"{labels} labels, {bits} bits, {size:,} bytes; wrong on test: rounded at once, "
    text += f"{'; '.join(words[:split])}; went on learning, {'; '.join(words[split:])}; "
    return figure, minus(f"{text}before rounding {before:.1f}%.")


# --- Alarms ---------------------------------------------------------------------------------------


def draw_alarm(
    images: Mapping[float, ArrayLike],
    streams: Mapping[float, Mapping[str, ArrayLike]],
    turned_at: int,
    angle: float,
) -> Drawn:
    """A digit turned by the angle, and beside it the evidence of each watch over live digits.

    Args:
        images: by angle, the 64 pixels of one digit.
        streams: by angle and watch, its evidence after each digit; at 1 it fires.
        turned_at: after so many digits the others are turned.
    """
    lines = {name: np.asarray(values, float) for name, values in streams[angle].items()}
    live = np.arange(1, 1 + len(next(iter(lines.values()))))
    look: Any = {"xlabel": "live digits", "ylabel": "evidence", "ylim": (-0.04, 1.1)}
    figure = figures.curves(live, lines, colours=("teacher", "student", "label"), **look)
    axes, grid = figure.axes[0], figure.add_gridspec(1, 2, width_ratios=(1, 3))
    axes.axhline(ALARM, color=figures.COLOURS["warn"], linewidth=1)
    axes.axvline(turned_at, color=figures.COLOURS["muted"], linestyle=":")
    axes.set_subplotspec(grid[1])
    side = figure.add_subplot(grid[0])
    ink = np.zeros((8, 8, 4))  # by opacity, so that it shows on a light page and on a dark one
    ink[..., 3] = np.reshape(images[angle], (8, 8))
    ink[..., :3] = to_rgb(figures.COLOURS["muted"])
    side.imshow(ink, interpolation="none")
    side.set_axis_off()
    words = []
    for name, values in lines.items():
        fired = np.flatnonzero(values >= ALARM)
        if len(fired) and fired[0] < turned_at:
            words.append(f"{name} fires before they turn, at digit {fired[0] + 1}")
        else:
            after = f"fires after {fired[0] + 1 - turned_at}" if len(fired) else "does not fire"
            words.append(f"{name} {after}")
    shown = len(live) - turned_at
    return figure, minus(f"{shown} digits turned by {angle:g} degrees: {'; '.join(words)}.")


# --- The card -------------------------------------------------------------------------------------

HEAD = ("command", "date", "seeds", "library", "versions", "machine", "rows")
MEASURES = ("nll", "calibration_error", "fidelity")
FIELD = {  # what the book calls it: in the record, in words
    "T": "temperature T of the soft targets in training (in use it is 1)",
    "alpha": "α, the weight of the hard labels",
    "beta": "β, the weight of the rationale",
    "rate": "learning rate",
    "trials": "accuracy on validation, by learning rate",
    "bytes": "bytes of its parameters",
    "nll": "negative log-likelihood, nats",
    "calibration_error": "expected calibration error",
    "fidelity": "fidelity: the teacher's answer, right or wrong",
}


def model_card(
    record: Mapping[str, Any],
    row: Row,
    data: Dataset,
    *,
    name: str,
    teacher: str,
    use: str,
    limits: Sequence[str],
) -> str:
    """A model card in Markdown: what a record says of one of its rows, and what only people know.

    Args:
        record: of a study, as `recorded` reads it.
        row: one of its rows, with "accuracy" and the packed "right" of every seed.
        data: what it was trained and tested on.
        name, teacher, use: of the student, of its teacher, what it is meant for: a line each.
        limits: where it fails or was not tried, a sentence each. No record knows them.

    ValueError for a line that is empty, no limits, a row that is not of the record, or lacks what a
    card must say. Mitchell et al. 2019 (doi 10.1145/3287560.3287596).
    """
    for what, text in (("name", name), ("teacher", teacher), ("use", use)):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{what} must be a line of text, got {text!r}")
    if isinstance(limits, str) or not limits:
        raise ValueError(f"limits must be one sentence or more, in a list, got {limits!r}")
    if row not in record["rows"]:
        raise ValueError("row must be one of the record's, got another")
    if missing := {"accuracy", "right", *MEASURES} - row.keys():
        raise ValueError(f"row must have all that a card says, it lacks {sorted(missing)}")
    if data.test is None:
        raise ValueError("data must have the test split that the row is of, got None")
    seeds = record["seeds"]
    measured = {**dict.fromkeys(MEASURES), "right": None, "accuracy": None, "validation": None}
    if len({*row.get("trials", {}).values()}) == 1:  # the rate had nothing to do with it
        measured |= {"rate": None, "trials": None}
    shown = {n: v for n, v in row.items() if n not in measured}
    settings = {n: v for n, v in record.items() if n not in HEAD} | shown
    accuracy = crossed_interval(1.0 * unpacked(row["right"], len(data.test))).scaled(100)
    results = {"accuracy, %": (f"{accuracy:.2f}", "seeds and test examples")}
    for measure in MEASURES:
        results[FIELD[measure]] = (f"{interval(row[measure]):.4f}", "seeds")
    splits = {n: getattr(data, n) for n in ("train", "transfer", "validation", "test")}
    kind = f"{data.name}, {data.n_classes} classes, {data.test.inputs.shape[1]} inputs"
    versions = ", ".join(f"{n} {v}" for n, v in record["versions"].items())
    parts = [
        f"# {name}",
        use,
        _table(
            ("what", "of this student"),
            {
                "teacher": teacher,
                "data": kind,
                "examples": ", ".join(f"{n} {len(s)}" for n, s in splits.items()),
                "seeds": f"{len(seeds)}: {_short(seeds)}",
            }
            | {FIELD.get(n, n.replace("_", " ")): _short(v) for n, v in settings.items()},
        ),
        "## On test examples",
        _table(("measure", "mean ± half of the 95% interval", "which covers"), results),
        "## Limits",
        "\n".join(f"- {' '.join(limit.split())}" for limit in limits),
        "## Made by",
        f"    {record['command']}",
        f"on {record['date']}, {record['machine']}, library `{record['library']}`, {versions}.",
    ]
    return "\n\n".join(parts) + "\n"


def on_a_page(card: str) -> str:
    """The card within another page: its headings as bold lines, for it is no section there."""
    lines = (f"**{line.lstrip('# ')}**" if line[:1] == "#" else line for line in card.splitlines())
    return "\n".join(lines)


def answers(requests: Sequence[Row]) -> Iterator[str]:
    """Two lines for each request of the record of the service: what was sent, what came back."""
    for request in requests:
        answer = request["answer"]
        if "detail" in answer:
            fault = answer["detail"][0]
            words = f"{fault['where']}: {fault['message']}"
        else:
            one = answer["predictions"][0]
            words = f"{one['answer']}, with {one['probabilities'][one['answer']]:.4f}"
        yield f"{request['what']}: {request['status']}"
        yield f"    {shorten(words, 74, placeholder=' …')}"


def _short(value: Any) -> str:
    """A setting as a person writes it: whole numbers in a row as a range, equal ones as one."""
    if isinstance(value, Mapping):
        return ", ".join(f"{n}: {_short(v)}" for n, v in value.items())
    if not isinstance(value, list):
        return str(value)
    whole = len(value) > 2 and all(isinstance(v, int) for v in value)
    if whole and value == [*range(value[0], value[0] + len(value))]:
        return f"{value[0]} to {value[-1]}"
    if len(value) > 1 and all(v == value[0] for v in value):
        return _short(value[0])
    return ", ".join(map(_short, value))


def _table(head: Sequence[str], rows: Mapping[str, str | tuple[str, ...]]) -> str:
    """Rows by their first column."""
    cells = [(n, *((v,) if isinstance(v, str) else v)) for n, v in rows.items()]
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join(
        "| " + " | ".join(" ".join(c.split()).replace("|", "\\|") for c in line) + " |"
        for line in lines
    )
