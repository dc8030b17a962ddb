"""Beyond one machine: equal curves, shards of a batch, others' settings, and what it all costs.

The costs are rules of thumb, not measurements. Operations for one token (or example) are 2 for each
parameter in a forward pass and 6 in a step of training (Kaplan et al. 2020, arXiv 2001.08361,
section 2.1); how much of a machine's speed either of them reaches differs, so that hours may say
otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import ceil, inf, log2
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from distill_lib import figures
from distill_lib.checks import check_positive, check_probabilities, check_weights, check_whole
from pictures.rows import minus

Drawn = tuple[Figure, str]
ROOT = Path(__file__).parents[1]

FORWARD, TRAINING = 2, 6
"""Operations for each parameter and token."""
COUNT_BITS = 7
"""For how often an id was drawn: with 17 bits of id (a vocabulary of 128,256), three bytes."""
PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "Llama 3.2": {  # its model card: 1B and 3B, with logits of 8B and 70B in pretraining
        "vocabulary": 128_256,
        "training_hours": 830_000,
        "logits_hours": 86_000,
    },
    "Gemma 3": {"vocabulary": 262_144, "kept": 256},  # arXiv 2503.19786
    "sparse logits": {"vocabulary": 128_256, "draws": 50, "ids": 12, "bytes": 36},  # 2503.16870
}


# --- Equal curves ---------------------------------------------------------------------------------


def excerpt(file: str, start: str, end: str) -> str:
    """The lines of a file of the book from one that has `start` to the next that has `end`.

    Docstrings are left out. The file is read, not run: it may need packages that are not there.
    ValueError where there are no such lines.
    """
    text = re.sub(r'^ *""".*?"""\n', "", (ROOT / file).read_text("utf-8"), flags=re.DOTALL | re.M)
    lines = text.splitlines()
    first = next((k for k, line in enumerate(lines) if start in line), len(lines))
    last = next((k for k, line in enumerate(lines[first:], first) if end in line), None)
    if last is None:
        raise ValueError(f"{file} must have lines from {start!r} to {end!r}, it has none")
    return dedent("\n".join(lines[first : last + 1]))


def draw_ways(loss: ArrayLike, ways: Mapping[str, Mapping[str, Any]], way: str) -> Drawn:
    """The loss, step by step, and below how far another way is from it.

    Args:
        loss: by `distill_lib`, shape (steps,).
        ways: by name, the "difference" at each step, and where it was "killed_at" and
            "went_on_after", if it was.
    """
    loss, row = np.asarray(loss, float), ways[way]
    step, apart = np.arange(1, len(loss) + 1), np.asarray(row["difference"], float)
    figure, (above, below) = figures.new(height=4.2, rows=2)
    above.plot(step, loss, color=figures.COLOURS["student"], linewidth=2)
    above.set(ylabel="loss", ylim=(0, 10.5))
    dots: Any = {"color": figures.COLOURS["teacher"], "markersize": 3, "linestyle": ""}
    seen = apart > 0
    below.plot(step[seen], apart[seen], "o", label="difference", **dots)
    rounding: Any = {"color": figures.COLOURS["ink"], "linestyle": figures.DASHES[1]}
    below.plot(step, np.spacing(loss), label="the last digit of float64", **rounding)
    below.set(xlabel="step", ylabel="difference", ylim=(1e-18, 1), xlim=(0, len(loss)))
    figures.logarithmic(below, "y")
    text = f"{way}: the loss is at most {apart.max():.1e} away from the library's, and equal to the"
    text += f" last digit at {np.sum(~seen)} of {len(loss)} steps"
    if killed := row.get("killed_at"):
        for axes in (above, below):
            axes.axvline(killed, color=figures.COLOURS["warn"], linestyle=":")
        look: Any = {"color": figures.COLOURS["warn"], "in_layout": False}
        above.annotate(
            f"killed at {killed}", (killed, 9), (5, 0), textcoords="offset points", **look
        )
        text += f"; killed at step {killed}, and on again after step {row['went_on_after']}"
    figures.legend_above(figure, below)
    return figure, minus(f"{text}.")


# --- Shards of a batch ----------------------------------------------------------------------------


def shares(examples: int, processes: int, average: str) -> list[tuple[int, float]]:
    """Of each process, how many examples of a batch it has, and what each of these counts.

    1 is what an example counts in the mean over the batch. `average` is "plain", where all
    processes count alike, or "by share", where each counts by its number of examples.

    ValueError for another average, or a process without an example.
    """
    check_whole("processes", processes, most=examples)
    if average not in ("plain", "by share"):
        raise ValueError(f"average must be 'plain' or 'by share', got {average!r}")
    sizes = [len(range(r, examples, processes)) for r in range(processes)]
    plain = average == "plain"
    return [(m, examples / (processes * m) if plain else 1.0) for m in sizes]


def draw_shards(
    gradient: Callable[[np.ndarray], np.ndarray], processes: int, batch: int, average: str
) -> Drawn:
    """What an example of each process counts, and how far the average is from the whole gradient.

    Args:
        gradient: from rows of examples to the gradient of their mean loss.
        processes: the axis has room for five, and grows for more.
        batch: its examples are rows 0 .. batch - 1.
        average: as `shares` has it.
    """
    counts, rows = shares(batch, processes, average), np.arange(batch)
    whole = gradient(rows)
    mean = sum(
        m * weight / batch * gradient(rows[r::processes]) for r, (m, weight) in enumerate(counts)
    )
    off = float(np.linalg.norm(mean - whole) / np.linalg.norm(whole))
    figure, (axes,) = figures.new()
    for r, (m, weight) in enumerate(counts):
        axes.bar(r, weight, 0.84, **figures.fill(figures.COLOURS["student"], 1))
        figures.write_above(axes, f"{m}", (r, weight))
    axes.axhline(1, color=figures.COLOURS["muted"], linestyle=figures.DASHES[1])
    room = max(5, processes)
    axes.set(xlim=(-0.6, room - 0.4), ylim=(0, 1.8), xticks=range(room), xlabel="process")
    axes.set(ylabel="what each of its examples counts")
    axes.grid(axis="x", visible=False)
    words = "right but for rounding" if off < 1e-14 else f"off by {off:.1%}"
    sizes = ", ".join(f"{m}" for m, _ in counts)
    return figure, f"{batch} examples, {sizes} to a process; {average}: the gradient is {words}."


# --- Others' settings -----------------------------------------------------------------------------


def settings(T: float, alpha: float) -> dict[str, tuple[str, str]]:
    """Our T and alpha (beta is 0) in the settings of others, and what remains to be said.

    Versions: torchdistill 1.1.5, Keras 3.15.1, TRL 1.16.0, and the script of DistilBERT in the
    examples of transformers. ValueError for T not above 0, or alpha outside 0 .. 1.
    """
    check_positive("T", T)
    check_weights(alpha=alpha)
    soft, less = f"{1 - alpha:g}", f"its loss is 1/{T * T:g} of ours" if T != 1 else ""
    keras = f'student_loss_weight={alpha:g}, temperature={T:g},\nloss="KLDivergence"'
    script = f"--alpha_ce {soft} --alpha_clm {alpha:g} --temperature {T:g}"
    no_labels = "has no term for labels: α = 0 alone"
    own = "on texts of the student's own"
    if T != 1:
        own = f"{less}; the student writes its texts at T = {T:g}"
    # At alpha = 0 torchdistill leaves T² out, and the script refuses to start.
    return {
        "torchdistill, KDLoss": (
            f"alpha={alpha:g}, beta={soft}, temperature={T:g}",
            less if alpha == 0 else "",
        ),
        "Keras, Distiller": (keras, ""),
        "DistilBERT's script": (script, "is refused: α must be above 0" if alpha == 0 else ""),
        "TRL, DistillationTrainer": (
            (f"beta=0, temperature={T:g}", own) if alpha == 0 else ("", no_labels)
        ),
        "TRL, GKDTrainer": (
            ("", no_labels)
            if alpha
            else ("beta=0, lmbda=0", "")
            if T == 1
            else ("", "its loss has T = 1 alone")
        ),
    }


def draw_settings(T: float, alpha: float) -> Drawn:
    """What to write in each library for our T and alpha."""
    figure, (axes,) = figures.new(height=4.4)
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(15.5, -0.5))
    words = []
    for k, (name, (call, remark)) in enumerate(settings(T, alpha).items()):
        at: Any = {"va": "center", "in_layout": False}
        axes.text(0, 3.1 * k, name, weight="bold", **at)
        lines = call.split("\n") if call else []
        for j, line in enumerate(lines, 1):
            look = at | {"family": "monospace", "color": figures.COLOURS["teacher"]}
            axes.text(0.03, 3.1 * k + 0.9 * j, line, **look)
        if remark:
            place = 3.1 * k + 0.9 * (len(lines) + 1)
            axes.text(0.03, place, f"▲ {remark}", color=figures.COLOURS["warn"], **at)
        parts = [call.replace("\n", " "), remark]
        words.append(f"{name}: {'; '.join(filter(None, parts))}")
    return figure, f"T = {T:g}, α = {alpha:g}. {'. '.join(words)}."


# --- Bytes ----------------------------------------------------------------------------------------


def bytes_per_example(vocabulary: int, kind: str, k: int = 0, bits: int = 16) -> int:
    """Bytes that a teacher's stored answer takes, for one example or one token of a text.

    Args:
        vocabulary: number of classes, or of tokens.
        kind: "label", the most likely id alone; "full", a number for every id; "top-k", the k most
            likely ids, each with a number; "sampled", k different ids, each with how often it was
            drawn, as `different_ids` has it.
        k: how many ids, for the last two.
        bits: of a number; 16 for float16.

    ValueError for another kind, or a k that is not in 1 .. vocabulary where it counts.
    """
    check_whole("vocabulary", vocabulary, least=2)
    id_bits = ceil(log2(vocabulary))
    each = {
        "label": id_bits,
        "full": bits,
        "top-k": id_bits + bits,
        "sampled": id_bits + COUNT_BITS,
    }
    if kind not in each:
        raise ValueError(f"kind must be one of {sorted(each)}, got {kind!r}")
    if kind in ("top-k", "sampled"):
        check_whole("k", k, most=vocabulary)
    entries = {"label": 1, "full": vocabulary}.get(kind, k)
    return ceil(entries * each[kind] / 8)


def different_ids(probabilities: ArrayLike, draws: int) -> float:
    """How many ids are drawn at least once, on average: the sum of 1 - (1 - p) to the draws.

    ValueError for what are no probabilities, shape (classes,), or draws below 1.
    """
    check_whole("draws", draws)
    p = check_probabilities("probabilities", probabilities).astype(np.float64)
    return float(np.sum(1 - (1 - p) ** draws))


def draw_bytes(vocabulary: int, kept: int) -> Drawn:
    """Bytes for one token in four ways, and what that comes to."""
    ways = {
        "label": ("label", 0),
        "sampled": ("sampled", kept),
        "top-k": ("top-k", kept),
        "full": ("full", 0),
    }
    size = {name: bytes_per_example(vocabulary, kind, k) for name, (kind, k) in ways.items()}
    look: Any = {"ylim": (0.5, 4e6), "ylabel": "bytes a token", "log_y": True, "numbers": ",.0f"}
    figure = figures.bars([*size.values()], [*size], colours=["teacher"], **look)
    words = ", ".join(f"{name} {value:,}" for name, value in size.items())
    all_tokens = {name: 1e12 * size[name] for name in ("full", "sampled")}
    hours = {name: seconds_to_send(n, 100) / 3600 for name, n in all_tokens.items()}
    costs = ", ".join(
        f"{name} {written(n)} and {hours[name]:,.{0 if hours[name] >= 10 else 1}f} hours"
        for name, n in all_tokens.items()
    )
    text = f"{vocabulary:,} ids, {kept} kept; bytes a token: {words}. For 10¹² tokens, at 100"
    return figure, f"{text} gigabits a second: {costs}."


def written(n_bytes: float) -> str:
    """In the largest unit of which there is one, to three digits."""
    for power, unit in ((18, "EB"), (15, "PB"), (12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if n_bytes >= 10**power:
            return f"{n_bytes / 10**power:.3g} {unit}"
    return f"{n_bytes:.3g} bytes"


def seconds_to_send(n_bytes: float, gigabits: float) -> float:
    """Through a network of so many gigabits a second, if nobody else uses it."""
    return 8 * n_bytes / (check_positive("gigabits", gigabits) * 1e9)


# --- A teacher's passes ---------------------------------------------------------------------------


def teacher_share(
    teacher: float, student: float, students: int = 1, passes: int = 1, *, stored: bool = True
) -> float:
    """Share of all operations that are the teacher's forward passes.

    `teacher` and `student` are numbers of parameters, `passes` how often each student sees an
    example. With `stored` outputs the teacher is asked once about each, else at every turn, and
    then their number changes nothing. ValueError for numbers that are not above 0.
    """
    for name, value in (("teacher", teacher), ("student", student)):
        check_positive(name, value)
    turns = _turns(students, passes)
    asked = FORWARD * teacher * (1 if stored else turns)
    return asked / (asked + TRAINING * student * turns)


def _turns(students: int, passes: int) -> int:
    """How often an example is learned from; ValueError for numbers not whole, or below 1."""
    check_whole("students", students)
    check_whole("passes", passes)
    return students * passes


def when_a_teacher_pays(
    teacher: float, student: float, alone: float, distilled: float, teacher_tokens: float = 0
) -> float:
    """From how many students of one size on a teacher costs less than it saves; inf for never.

    Args:
        teacher, student: numbers of parameters.
        alone: tokens that a student trains on without a teacher.
        distilled: tokens to become as good with its stored outputs, which must be made for each.
        teacher_tokens: that the teacher has to be trained on first; 0 where it exists anyway.

    ValueError for parameters or tokens not above 0.
    """
    values = {"teacher": teacher, "student": student, "alone": alone, "distilled": distilled}
    for name, value in values.items():
        check_positive(name, value)
    once = FORWARD * teacher * distilled + TRAINING * teacher * teacher_tokens
    saved = TRAINING * student * (alone - distilled)
    return once / saved if saved > 0 else inf


def must_save(training_hours: float, logits_hours: float) -> float:
    """How much more training its students must cost without a teacher, for its hours to pay.

    A share: 0.1 says ten percent more. ValueError for hours not above 0.
    """
    return check_positive("logits_hours", logits_hours) / check_positive(
        "training_hours", training_hours
    )


STUDENTS = np.logspace(0, 4, 41)


def draw_pays(teacher: float, tokens: float, first: str) -> Drawn:
    """The cost of one student among many, over how many there are; alone it is 1.

    Args:
        teacher: its parameters, in those of a student.
        tokens: that a student learns from with a teacher, in those that it takes alone.
        first: "exists", or "must be trained", on as many tokens as a student takes alone.
    """
    once = FORWARD * teacher * tokens / TRAINING  # in the cost of a student alone
    made = teacher if first == "must be trained" else 0.0
    lines = {
        "alone": np.ones_like(STUDENTS),
        "outputs stored": tokens + (once + made) / STUDENTS,
        "teacher asked by each": tokens + once + made / STUDENTS,
    }
    look: Any = {"log_x": True, "log_y": True, "ylim": (0.1, 1000), "xlabel": "students"}
    look |= {"ylabel": "cost of a student", "colours": ["muted", "student", "teacher"]}
    figure = figures.curves(STUDENTS, lines, **look)
    n = when_a_teacher_pays(teacher, 1, 1, tokens, 1 if made else 0)
    figure.axes[0].plot([n], [1], "o", color=figures.COLOURS["student"], markersize=8)
    text = (
        f"A teacher of {teacher:g} times the parameters, that {first}; {tokens:.0%} of the tokens"
    )
    text += f" with it. Stored outputs pay from {ceil(n):,} students on"
    return (
        figure,
        f"{text}; asked by each, one student costs {lines['teacher asked by each'][0]:.3g}.",
    )
