"""The playground's panel where a kernel runs: choose, run, watch, stop.

A thread trains; it counts its steps and stops at the next one when it is asked to. All that is
shown is drawn in the event loop of the kernel, a few times a second, so that nothing else of the
notebook is drawn at the same time.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import ipywidgets as widgets
import numpy as np
from IPython.display import display
from livefigures.frames import Explorer
from livefigures.live import KEYS, STYLE
from livefigures.page import markup
from livefigures.palette import kernel_style
from livefigures.svg import new_slim
from matplotlib.figure import Figure

from distill_lib import (
    accuracy,
    calibration_bins,
    calibration_error,
    crossed_interval,
    fidelity,
    figures,
    interval,
)
from distill_lib.checks import check_whole
from pictures.playground import disagreements, in_numbers
from pictures.playground_runs import (
    ALONE,
    DATA,
    METHODS,
    MOST_SEEDS,
    SELF,
    TEACHER_STEPS,
    TEACHERS,
    Choice,
    dataset,
    learn,
    teacher,
)
from pictures.rows import minus
from pictures.shared import reliability

EVERY = 0.4  # seconds from one look at the thread to the next
LOOK = 10  # steps from one point of a growing curve to the next
HELP = {  # what stands before each control
    "data": "data",
    "labels": "labels",
    "noise": "noise, share of them wrong",
    "unlabelled": "unlabelled inputs",
    "teacher": "teacher",
    "student": "student, hidden units",
    "method": "method",
    "T": "T",
    "alpha": "α (alpha), weight of labels",
    "beta": "β (beta), of the rationale",
    "rate": "rate of learning",
    "steps": "steps",
    "seeds": "seeds",
}


class Stopped(Exception):
    """Raised within a training that is to stop."""


@dataclass
class Run:
    """One seed: the test logits of student, labels alone and teacher; two learning curves."""

    seed: int
    logits: dict[str, np.ndarray]
    curves: dict[str, list[float]]


@dataclass
class Job:
    """What the thread does, and how far it is. The loop reads it, the thread writes it."""

    choice: Choice
    seeds: int
    halt: Event = field(default_factory=Event)
    runs: list[Run] = field(default_factory=list)
    total: int = 0  # steps
    done: int = 0
    doing: str = ""
    error: str = ""
    method: str = ""  # whose curve grows
    curve: list[float] = field(default_factory=list)
    model: Any = None
    step: int = 0

    def __post_init__(self) -> None:
        each = self.choice.steps * self.students
        self.total = self.seeds * (each + TEACHER_STEPS)

    @property
    def students(self) -> int:
        """How many students a seed trains: the labels alone are always there, as the baseline."""
        return {ALONE: 1, SELF: 3}.get(self.choice.method, 2)

    def __call__(self) -> None:
        """Train one seed after the other, until all are done or somebody stops it."""
        try:
            with np.errstate(all="ignore"):  # what diverges is told in words
                for seed in range(self.seeds):
                    self.runs.append(self.one(seed))
        except Stopped:
            pass
        except Exception as error:  # shown in the panel, where the reader looks
            self.error = str(error) or type(error).__name__

    def one(self, seed: int) -> Run:
        """The seed's teacher, the labels alone, and the student."""
        choice = self.choice
        begun = seed * self.total // self.seeds
        self.doing = f"seed {seed + 1} of {self.seeds}: the teacher"
        model = teacher(choice, seed, after_step=self.tick)
        self.done = begun + TEACHER_STEPS  # at once, where it was trained before
        models, curves = {"teacher": model}, {}
        for method in dict.fromkeys((ALONE, choice.method)):
            self.doing = f"seed {seed + 1} of {self.seeds}: {method}"
            self.method = method
            student, history = learn(
                replace(choice, method=method), seed, look_every=LOOK, after_step=self.watching
            )
            models[method], curves[method] = student, history.accuracy
        test = dataset(choice.data).test
        assert test is not None
        logits = {name: one.logits(test.inputs) for name, one in models.items()}
        self.done, self.curve, self.model = begun + self.total // self.seeds, [], None
        return Run(seed, logits, curves)

    def tick(self, model: Any) -> None:
        """After each step: count it, and stop if somebody has asked to."""
        self.done += 1
        if self.halt.is_set():
            raise Stopped

    def watching(self, model: Any) -> None:
        """After each step of a student: as `tick`, and a point of its curve now and then."""
        self.tick(model)
        if model is not self.model:  # by self-distillation there are two
            self.model, self.step, self.curve = model, 0, []
        self.step += 1
        if self.step % LOOK == 0:
            split = dataset(self.choice.data).validation
            # Another list each time: the loop may be reading the one before.
            self.curve = [*self.curve, accuracy(model.logits(split.inputs), split.labels)]


# --- What is seen of it ---------------------------------------------------------------------------


def draw_curves(job: Job) -> tuple[Figure, str]:
    """The mean learning curves of the seeds done, and thin the one that grows."""
    x = [*range(0, job.choice.steps, LOOK), job.choice.steps]
    figure, (axes,) = figures.new()
    names = list(job.runs[0].curves) if job.runs else []
    lines = {}
    for name in names:
        every = 100 * np.array([run.curves[name] for run in job.runs])
        lines[name] = [interval(one) for one in every.T] if len(every) > 1 else every[0]
    if lines:
        figures.draw_lines(axes, x, lines, ("muted", "student"))
    if curve := job.curve:
        colour = figures.COLOURS["muted" if job.method == ALONE else "student"]
        axes.plot(x[1 : len(curve) + 1], 100 * np.array(curve), "-", linewidth=1, color=colour)
    axes.set(xlabel="steps", ylabel="validation accuracy, %")
    axes.set(xlim=(0, job.choice.steps), ylim=(0, 102))
    figures.legend_above(figure, axes)
    return figure, in_words(job)


def estimate(values: np.ndarray, points: bool = False) -> str:
    """A share over seeds and test examples, in percent; an interval where there are two seeds."""
    form = "+.1f" if points else ".1f"
    if len(values) < 2:
        return f"{100 * values.mean():{form}}"
    return f"{crossed_interval(values).scaled(100):{form}}"


def over_seeds(values: list[float]) -> str:
    """In percent, with an interval over the seeds where there are two."""
    if len(values) < 2:
        return f"{100 * values[0]:.1f}"
    return f"{interval(values).scaled(100):.1f}"


def in_words(job: Job) -> str:
    """What the seeds done so far say on test."""
    n = len(job.runs)
    if not n:
        return f"No seed of {job.seeds} is done yet; the thin line is the student that learns now."
    test = dataset(job.choice.data).test
    assert test is not None
    logits = {name: np.array([run.logits[name] for run in job.runs]) for name in job.runs[0].logits}
    right = {name: (z.argmax(axis=-1) == test.labels).astype(float) for name, z in logits.items()}
    method = job.choice.method
    words = [f"{n} of {job.seeds} seeds, on test: {method} {estimate(right[method])}%"]
    if method != ALONE:
        gain = minus(estimate(right[method] - right[ALONE], points=True))
        words += [f"labels alone {estimate(right[ALONE])}%, gain {gain} points"]
    words += [f"teacher {estimate(right['teacher'])}%"]
    agree = [fidelity(s, t) for s, t in zip(logits[method], logits["teacher"], strict=True)]
    words += [f"fidelity {over_seeds(agree)}%"]
    eces = [
        over_seeds([calibration_error(z, test.labels) for z in logits[m]])
        for m in dict.fromkeys((method, ALONE))
    ]
    words += ["ECE " + ", labels alone ".join(eces) + " points"]
    note = " An interval needs two seeds." if n < 2 else ""
    return "; ".join(words) + "." + note


def draw_reliability(job: Job) -> tuple[Figure, str]:
    """Confidence and accuracy of student, labels alone and teacher, over the seeds done."""
    test = dataset(job.choice.data).test
    assert test is not None
    labels = np.tile(test.labels, len(job.runs))
    names = dict.fromkeys(("teacher", job.choice.method, ALONE))
    bins = {
        name: calibration_bins(np.concatenate([run.logits[name] for run in job.runs]), labels, 10)
        for name in names
    }
    return reliability(bins), "Below the dotted line a model is surer than it is right."


def draw_differences(job: Job) -> tuple[Figure, str]:
    """Where the last seed's student and teacher differ: digits, or places in the plane."""
    choice, run = job.choice, job.runs[-1]
    test = dataset(choice.data).test
    assert test is not None
    student, of_teacher = (run.logits[n].argmax(axis=-1) for n in (choice.method, "teacher"))
    words = f"Seed {run.seed + 1}. {in_numbers(test.labels, student, of_teacher)}"
    if choice.data == "digits":
        return disagreements(test, student, of_teacher), words
    figure, (axes,) = figures.new(height=3.6)
    differ = student != of_teacher
    for name, who, marker in (
        ("agree", ~differ, "."),
        ("teacher right", differ & (of_teacher == test.labels), "s"),
        ("student right", differ & (student == test.labels), "o"),
        ("neither", differ & (student != test.labels) & (of_teacher != test.labels), "^"),
    ):
        colour = {"teacher right": "teacher", "student right": "student"}.get(name, "muted")
        x, y = test.inputs[who].T
        axes.plot(x, y, marker, linestyle="", label=name, color=figures.COLOURS[colour])
    axes.set(xlabel="first input", ylabel="second input")
    figures.legend_above(figure, axes)
    return figure, words


# --- The panel ------------------------------------------------------------------------------------


def controls() -> dict[str, widgets.ValueWidget]:
    """A control for each choice. No sliders: some values are wanted that nobody has foreseen."""
    start = Choice()
    wide: Any = {"style": {"description_width": "15em"}, "layout": widgets.Layout(width="27em")}
    lists = {"data": DATA, "teacher": TEACHERS, "method": METHODS}
    made: dict[str, widgets.ValueWidget] = {}
    for name, words in HELP.items():
        value = 5 if name == "seeds" else getattr(start, name)
        look = {"value": value, "description": words, **wide}
        if name in lists:
            made[name] = widgets.Dropdown(options=list(lists[name]), **look)
        elif isinstance(value, bool):
            made[name] = widgets.Checkbox(**look)
        else:
            made[name] = (widgets.FloatText if isinstance(value, float) else widgets.IntText)(
                **look
            )
    return made


class Panel:
    """Controls, two buttons, a bar, a line of words, pictures."""

    def __init__(self) -> None:
        self.controls = controls()
        self.run = widgets.Button(description="Run", button_style="primary")
        self.stop = widgets.Button(description="Stop", button_style="danger", disabled=True)
        self.bar = widgets.IntProgress(0, 0, 1, description="steps")
        self.words = widgets.HTML('<span role="status">Choose, and press Run.</span>')
        self.pictures = widgets.HTML(f'<style onload="{KEYS}">{kernel_style()}{STYLE}</style>')
        self.run.on_click(self.start)
        self.stop.on_click(self.halt)
        every, wrap = [*self.controls.values()], widgets.Layout(flex_flow="row wrap")
        columns = [widgets.VBox(every[:6]), widgets.VBox(every[6:])]
        above = widgets.HBox(columns, layout=wrap)
        row = widgets.HBox([self.run, self.stop, self.bar])
        self.box = widgets.VBox([above, row, self.words, self.pictures])
        self.slim = new_slim(uuid4().hex)
        self.job: Job | None = None
        self.task: asyncio.Task[None] | None = None
        self.drawn: tuple[int, int] = (-1, 0)  # seeds and points of the curve in the picture
        self.later: list[tuple[Any, ...]] = []  # pictures that change with a seed alone

    def choice(self) -> tuple[Choice, int]:
        """What the controls say, and for how many seeds; ValueError for what cannot be."""
        values = {name: one.value for name, one in self.controls.items()}
        seeds = values.pop("seeds")
        check_whole("seeds", seeds, 1, MOST_SEEDS)
        return Choice(**values), seeds

    def start(self, _: Any) -> None:
        """Begin, if what is chosen can be."""
        if self.job and not self.stop.disabled:
            return
        try:
            self.job = Job(*self.choice())
        except ValueError as error:
            return self.say(str(error), alert=True)
        self.drawn, self.later = (-1, 0), []
        self.run.disabled, self.stop.disabled = True, False
        self.bar.value, self.bar.max = 0, self.job.total
        thread = Thread(target=self.job, daemon=True)
        thread.start()
        self.task = asyncio.get_running_loop().create_task(self.watch(self.job, thread))

    def halt(self, _: Any = None) -> None:
        """Ask the training to stop at its next step."""
        if self.job:
            self.job.halt.set()
            self.say("Stopping…")

    async def watch(self, job: Job, thread: Thread) -> None:
        """Show what the thread has done, until it ends."""
        try:
            while thread.is_alive():
                if not job.halt.is_set():
                    self.say(f"Training {job.doing}.")
                    self.look(job)
                await asyncio.sleep(EVERY)
            n = len(job.runs)
            over = "Stopped" if job.halt.is_set() and n < job.seeds else "Done"
            if job.error:
                self.say(f"{job.error} ({n} of {job.seeds} seeds were done.)", alert=True)
            else:
                self.say(f"{over}: {n} of {job.seeds} seeds.")
            job.curve = []  # of the student that was not finished
            self.look(job)
        except Exception as error:
            job.halt.set()
            self.say(f"No picture of this: {error}", alert=True)
        finally:
            self.run.disabled, self.stop.disabled = False, True

    def look(self, job: Job) -> None:
        """Move the bar; draw, where there is something new."""
        self.bar.value = min(job.done, job.total)
        job = copy(job)
        job.runs = [*job.runs]  # the thread goes on
        now = (len(job.runs), len(job.curve))
        if now in (self.drawn, (0, 0)):
            return
        if now[0] != max(self.drawn[0], 0):
            self.later = [self.still(draw, job) for draw in (draw_reliability, draw_differences)]
        self.drawn = now
        stills = [self.still(draw_curves, job), *self.later]
        style = f'<style onload="{KEYS}">{kernel_style()}{STYLE}</style>'
        self.pictures.value = style + markup(stills)

    def still(self, draw: Callable[[Job], tuple[Figure, str]], job: Job) -> tuple[Any, ...]:
        """A picture as the page would have it, and its words."""
        frame = Explorer(lambda: draw(job), {}).frame((), lambda: draw(job))
        return (*self.slim(frame.svg), frame.text)

    def say(self, words: str, alert: bool = False) -> None:
        """The line of words, read aloud where somebody listens."""
        role, look = ("alert", ' class="explorer-error"') if alert else ("status", "")
        line = f'<span role="{role}"{look}>{html.escape(words)}</span>'
        if self.words.value != line:
            self.words.value = line

    def close(self) -> None:
        """Stop, and leave nothing behind."""
        self.halt()
        every: list[widgets.Widget] = [self.box]
        for one in every:  # it grows meanwhile
            every += getattr(one, "children", ())
            one.close()


_open: list[Panel] = []


def show_panel() -> Panel:
    """Display a panel; the one before, if any, stops. A stored notebook gets next to nothing."""
    while _open:
        _open.pop().close()
    panel = Panel()
    _open.append(panel)
    view = {"version_major": 2, "version_minor": 0, "model_id": panel.box.model_id}
    bundle = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "(the playground)"}
    display(bundle, raw=True)
    return panel
