"""The page that `own.distil` ends in: one HTML file, readable from the disk, that asks nobody.

Figures are SVG in the page, each with its sentence; colours follow the reader's computer, light or
dark. It says first, in words, whether the teacher helped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from livefigures.frames import Explorer
from livefigures.page import asset, html
from matplotlib.figure import Figure

from distill_lib import figures
from distill_lib.checks import Array

if TYPE_CHECKING:
    from bridges.own import Result

COLOUR = {
    "labels alone": "label",
    "label smoothing": "accent",
    "teacher's answers": "warn",
    "soft targets": "student",
    "teacher": "teacher",
}
STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --line: #d8dee4; --mark: #eef3fb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ced6dd; --paper: #14181e; --line: #3b434d; --mark: #1d2632; }
}
body { max-width: 46rem; margin: 0 auto; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.verdict { padding: 0.75rem 1rem; border-left: 4px solid currentcolor; background: var(--mark);
  font-size: 1.1rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.75rem 0.3rem 0; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:first-child { text-align: left; }
pre { overflow-x: auto; padding: 0.75rem; background: var(--mark); }
@media print { .table, pre { overflow: visible; } }
"""
# Nothing may be asked of anybody: a browser that reads this would refuse.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(result: Result, files: Sequence[str]) -> str:
    """The report, as a whole page; `files` are those beside it that hold the student."""
    name = escape(result.data.name)
    body = [
        f"<h1>Did the teacher help? {name}</h1>",
        f'<p class="verdict"><strong>{escape(result.verdict)}</strong></p>',
        _likelihood(result),
        _notes(result),
        "<h2>What was compared</h2>",
        _compared(result),
        _table(result),
        *_accuracy(result),
        "<h2>Is the student as sure as it is right?</h2>",
        _figure(*draw_calibration(result)),
        "<h2>What was tried on validation</h2>",
        _figure(*draw_trials(result)),
        _choices(result),
        "<h2>The student</h2>",
        _student(result, files),
        "<h2>How this was made</h2>",
        _made(result),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>Did the teacher help? {name}</title><style>{asset('css')}{STYLE}</style>"
    )
    main = "\n".join(body)
    # `data-theme=auto`: the figures follow the reader's computer.
    return (
        f'<!doctype html>\n<html lang="en" data-theme="auto"><head>{head}</head>\n'
        f"<body><main>\n{main}\n</main></body></html>\n"
    )


# --- Words ----------------------------------------------------------------------------------------


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{one}</li>' for one in items)}</ul>"


def _likelihood(result: Result) -> str:
    """Of the probabilities, of which accuracy knows nothing."""
    e = result.likelihood
    word = "lower, which is better" if e.high < 0 else "higher, which is worse"
    seen = word if e.high < 0 or e.low > 0 else "not seen to be another"
    numbers = f"{e.mean:+.3f} nats, 95% interval over the seeds {e.low:+.3f} to {e.high:+.3f}"
    return f"<p>Its log loss is {seen}: {numbers.replace('-', '−')}.</p>"


def _notes(result: Result) -> str:
    return _list(escape(note) for note in result.notes) if result.notes else ""


def _compared(result: Result) -> str:
    data, plan = result.data, result.plan
    assert data.test is not None
    bare = len(data.transfer) - len(data.train)
    more = f" ({bare:,} more rows, without a label, for the teacher to speak about)" if bare else ""
    units = " and ".join(str(n) for n in plan["hidden"])
    student = f"{units} hidden units" if units else "no hidden layer (a logistic regression)"
    return (
        f"<p>{len(data.train):,} labelled rows of {len(result.features)} features and"
        f" {data.n_classes} classes train{more}, {len(data.validation):,} validate,"
        f" {len(data.test):,} test. The student has {student}, {result.student.n_parameters:,}"
        f" numbers. Each way to train had {plan['trials']} trials on validation with three seeds;"
        f" what was best there was trained with {plan['seeds']} other seeds, and then the test rows"
        " were looked at, once. Labels alone and label smoothing know nothing of the teacher: they"
        " are the baselines.</p>"
    )


def _table(result: Result) -> str:
    rows = [("largest class", result.majority, "", "")]
    for name, one in result.methods.items():
        rows.append((name, one.accuracy, f"{one.nll:.3f}", f"{one.calibration_error:.1f}"))
    said = result.teacher_report
    error = f"{100 * said['calibration_error']:.1f}"
    rows.append(("teacher", result.teacher, f"{said['nll']:.3f}", error))
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{right:.1f}</td><td>{nll}</td>'
        f"<td>{ece}</td></tr>"
        for name, right, nll, ece in rows
    )
    head = "".join(
        f'<th scope="col">{one}</th>'
        for one in ("trained by", "right, %", "log loss, nats", "calibration error, %")
    )
    caption = (
        "On test, means with 95% intervals. Of “right” they cover seeds and drawn test rows, of the"
        " other two the seeds alone."
    )
    return (
        f'<p id="covers">{caption}</p><div class="table" role="region" aria-label="Test results"'
        ' tabindex="0"><table aria-describedby="covers">'
        f"<thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table></div>"
    )


def _choices(result: Result) -> str:
    def said(choice: Mapping[str, float]) -> str:
        names = {"rate": "learning rate", "T": "T", "alpha": "α"}
        return ", ".join(f"{names[n]} = {v:g}" for n, v in choice.items())

    rows = (
        f"<strong>{escape(name)}</strong>: {said(one.choice)};"
        f" {100 * one.validation[0]:.1f}% right on validation"
        for name, one in result.methods.items()
    )
    return (
        "<p>Chosen, by accuracy on validation and where that is equal by log loss (α weighs the"
        " labels; 1 − α the soft targets at temperature T, or an even answer in label"
        f" smoothing):</p>{_list(rows)}"
    )


def _student(result: Result, files: Sequence[str]) -> str:
    names = " and ".join(f"<code>{escape(name)}</code>" for name in files)
    code = (
        "from distill_lib import MLP\n\n"
        'student = MLP.load("student.npz")\n'
        f"classes = {list(result.data.class_names[:4])!r}"
        + ("  # and more, in result.json" if result.data.n_classes > 4 else "")
        + "\n"
        "student.predict(features)  # rows as in your table, not standardised"
    )
    best = f"<strong>{escape(result.exported)}</strong>, seed 0"
    why = f"Exported is the way to train that did best on validation, {best}"
    without = (
        "" if "student.onnx" in files else " (An ONNX file needs the package <code>onnx</code>.)"
    )
    return f"<p>{why}: {names}.{without}</p><pre tabindex='0'><code>{escape(code)}</code></pre>"


def _made(result: Result) -> str:
    plan, memory = result.plan, f", at most {result.memory:,.0f} MB" if result.memory else ""
    versions = ", ".join(f"{n} {v}" for n, v in result.made_by["versions"].items())
    return _list(
        [
            f"{plan['steps']:,} steps of {plan['batch_size']} rows, Adam with a cosine schedule;"
            f" {result.seconds:,.0f} seconds{memory} in this run.",
            "Inputs are standardised by the rows of train, in the student's first layer.",
            f"The split was drawn once, or given; the teacher is one. The intervals know nothing of"
            f" other splits (seed {plan['split_seed']}) or other teachers.",
            f"Library {escape(result.made_by['library'])}; {escape(versions)}.",
        ]
    )


# --- Figures --------------------------------------------------------------------------------------


def _figure(figure: Figure, text: str) -> str:
    return html(Explorer(lambda: (figure, text), {}))


def _accuracy(result: Result) -> list[str]:
    return [_figure(*draw_accuracy(result)), _figure(*draw_difference(result))]


def draw_accuracy(result: Result) -> tuple[Figure, str]:
    """Test accuracy of every way to train, and of the teacher."""
    rows = {name: one.accuracy for name, one in result.methods.items()} | {
        "teacher": result.teacher
    }
    text = "Right on test: " + ", ".join(f"{n} {e:.1f}%" for n, e in rows.items())
    text += f". (The largest class alone: {result.majority:.1f}%, not drawn.)"
    colours = [COLOUR[name] for name in rows]
    return figures.estimates(rows, xlabel="right on test, %", colours=colours), text


def draw_difference(result: Result) -> tuple[Figure, str]:
    """What the teacher adds to each baseline."""
    from bridges.own import gain

    others = [name for name in result.methods if name != "soft targets"]
    rows = {f"minus {name}": gain(result.methods, name) for name in others}
    text = "Soft targets minus the others, in points of test accuracy: "
    text += ", ".join(f"{n} {e:+.1f}" for n, e in rows.items()) + "."
    text += f" The best baseline on validation is {result.baseline}."
    return figures.estimates(rows, xlabel="soft targets, points more", zero=True), text


def draw_calibration(result: Result) -> tuple[Figure, str]:
    """How often an answer is right, by how sure it was."""
    figure, (axes,) = figures.new()
    axes.plot([0, 1], [0, 1], ":", color=figures.COLOURS["muted"], linewidth=1)
    lines = {n: result.methods[n].bins for n in (result.baseline, "soft targets")}
    lines["teacher"] = result.teacher_bins
    for k, (name, bins) in enumerate(lines.items()):
        x, y = curve(bins)
        look = {"color": figures.COLOURS[COLOUR[name]], "linestyle": figures.DASHES[k]}
        axes.plot(x, y, label=name, marker=figures.MARKERS[k], linewidth=2, **look)
    low = min(np.min(curve(bins)[0]) for bins in lines.values())
    axes.set(xlim=(max(0, low - 0.05), 1.02), ylim=(-0.02, 1.04))
    axes.set(xlabel="probability of the answer", ylabel="share that is right")
    figures.legend_above(figure, axes)
    errors = {n: f"{result.methods[n].calibration_error:.1f}" for n in lines if n != "teacher"}
    errors["teacher"] = f"{100 * result.teacher_report['calibration_error']:.1f}"
    text = (
        "On the dotted line, answers are as often right as they are sure. Mean distance from it: "
    )
    return figure, text + ", ".join(f"{n} {e}%" for n, e in errors.items()) + "."


def curve(bins: Array) -> tuple[Array, Array]:
    """Confidence and accuracy of the bins that are filled, from their sums and counts."""
    confidence, right, count = bins[:, bins[2] > 0]
    return confidence / count, right / count


def draw_trials(result: Result) -> tuple[Figure, str]:
    """The accuracy on validation of all that was tried."""
    rates = [row["rate"] for row in next(iter(result.methods.values())).trials]
    lines = {n: [100 * r["accuracy"] for r in m.trials] for n, m in result.methods.items()}
    colours = [COLOUR[name] for name in lines]
    looks: Any = {"xlabel": "learning rate", "ylabel": "right on validation, %", "log_x": True}
    best = ", ".join(f"{name} {max(values):.1f}%" for name, values in lines.items())
    text = f"Every way to train tried the same {len(rates)} rates, each with other T and α where it"
    text += f" has them. The best: {best}."
    return figures.curves(rates, lines, colours=colours, **looks), text
