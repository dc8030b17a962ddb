"""A student on its way out: what few bits cost it, and the card that goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from distill_lib import Dataset, Estimate, crossed_interval, figures, interval, unpacked
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
