"""Living sliders: a figure that follows its parameters, with a kernel and without one.

    explore(draw, T=[0.5, 1, 2, 5, 10])     # draw(T=...) returns a figure and its description
    show(figure, "What the figure shows.")  # a still figure in the same dress

With a kernel the sliders are ipywidgets, and every move calls `draw`.  While the book is being
built (the environment variable DISTILL_BOOK_BUILD is set), `draw` is called once for every
combination of values, and the page gets all frames as one small table; a script of the book swaps
them, and no kernel is needed.  Whatever a kernel prints would end up in the page, so progress is
written to the file or device that DISTILL_BOOK_PROGRESS names.

Advice for figures: at most 5.6 inches wide with text of 10 points or more (6.4 inches: 12), to be
readable on a telephone; colours of `distill_lib.style`, to suit dark pages; the same size and the
same limits of the axes in every frame.  Text is set in the page's own font: leave it some room,
and prefer "α" to "$\\alpha$".
"""

from __future__ import annotations

import html
import itertools
import json
import math
import os
import sys
import time
import traceback
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from numbers import Integral, Real
from typing import IO, Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure
from tqdm import tqdm

from distill_lib.svg import STYLE, Slim, drawn, markup, table

MOST_FRAMES = 400  # more would make a slow build and a heavy page
SLOW = 0.3  # seconds; a slower draw waits for the release of the handle
_keys: Counter[str] = Counter()  # the same explorer twice on a page must have different ids
_boxes: dict[str, tuple[int, list[widgets.Box]]] = {}  # by cell: its last run, and what it showed


class Choices(tuple):
    """Values with nothing in between: `explore(draw, units=Choices([10, 30, 300]))`."""


def explore(
    draw: Callable[..., Any],
    /,
    *,
    start: dict[str, Any] | None = None,
    **parameters: Iterable[Any],
) -> None:
    """Display what `draw` draws, with a slider for each parameter.

    Args:
        draw: called as `draw(T=5, alpha=0.5)`; returns a matplotlib figure, or a figure and the
            sentence that describes it (its text alternative, also shown as its caption).
        start: values to begin with, such as `start={"T": 1}`; the first ones where not given.
        parameters: one to three, each with its values.  With a kernel, a list of whole numbers
            gives a slider over all whole numbers between its ends, a list with a float a
            continuous one (logarithmic if the list is); strings, bools and `Choices([...])` give
            one that stops at the given values only.

    Raises:
        ValueError: parameters or values that cannot be used, or more than 400 combinations; and,
            naming the combination: no figure, figures left open, another size than the others,
            a description that is empty or missing.
        RuntimeError: `draw` raised; the message names the combination.
    """
    if not parameters:
        raise ValueError("explore needs one to three parameters, such as T=[1, 2, 5]; got none")
    _display(Explorer(draw, parameters, start))


def show(figure: Figure, description: str) -> None:
    """Display a still figure with the sentence that describes it.

    Raises:
        ValueError: not a matplotlib figure, or a description that is not a sentence.
    """
    _check(figure, description, "show")
    _display(Explorer(lambda: (figure, description), {}))


def label(value: Any) -> str:
    """How a reader sees a value: 5, 0.25, −1, yes."""
    if isinstance(value, (str, bool)):
        return {True: "yes", False: "no"}.get(value, value)
    text = str(value) if isinstance(value, Integral) else f"{float(value):.6g}"
    return text.replace("-", "−", 1) if value < 0 else text


@dataclass(frozen=True)
class Parameter:
    """A name and its values; `kind` is "whole", "continuous" or "choice"; `start` is an index."""

    name: str
    values: tuple[Any, ...]
    kind: str
    start: int

    @classmethod
    def of(cls, name: str, given: Iterable[Any], start: dict[str, Any]) -> Parameter:
        """Check the values that were given, and take NumPy's numbers as Python's."""
        if isinstance(given, (str, bytes, dict)) or not isinstance(given, Iterable):
            raise ValueError(f"{name} must be a list of values; got {given!r}")
        values = [v.item() if hasattr(v, "item") else v for v in given]
        if not values:
            raise ValueError(f"{name} must have at least one value; got {given!r}")
        if not all(isinstance(v, (str, Real)) for v in values):
            raise ValueError(f"values of {name} must be numbers, strings or bools; got {values!r}")
        if not all(isinstance(v, str) or abs(v) <= sys.float_info.max for v in values):
            raise ValueError(f"values of {name} must be finite floats; got {values!r}")
        if len({label(v) for v in values}) < len(values):
            raise ValueError(f"values of {name} must differ, in six digits; got {values!r}")
        kind = "whole" if all(isinstance(v, Integral) for v in values) else "continuous"
        if isinstance(given, Choices) or any(isinstance(v, (str, bool)) for v in values):
            kind = "choice"
        elif values != sorted(values):
            raise ValueError(f"values of {name} must increase; got {values!r}")
        if start.get(name, values[0]) not in values:
            raise ValueError(f"{name} cannot start at {start[name]!r}: not among {values!r}")
        return cls(name, tuple(values), kind, values.index(start.get(name, values[0])))

    @property
    def title(self) -> str:
        """The name as a reader sees it: `alpha` is α, `learning_rate` is learning rate."""
        return " ".join(_greek(word) for word in self.name.split("_") if word)

    def control(self) -> widgets.ValueWidget:
        """The control for a live kernel."""
        first, last, now = self.values[0], self.values[-1], self.values[self.start]
        common = {"description": self.title, "style": {"description_width": "initial"}}
        if len(self.values) == 1:
            return widgets.Text(label(now), disabled=True, **common)
        if self.kind == "choice":
            options = [(label(value), value) for value in self.values]
            return widgets.SelectionSlider(options=options, value=now, **common)
        if self.kind == "whole":
            return widgets.IntSlider(now, first, last, **common)
        kind, at = widgets.FloatSlider, now
        if self._geometric():
            kind, first, last, at = widgets.FloatLogSlider, *map(math.log10, (first, last, now))
        step = (last - first) / 200
        if at > first:  # the browser moves a value to a whole number of steps, so fit the start
            step = (at - first) / math.ceil((at - first) / step)
        return kind(value=now, min=first, max=last, step=step, readout_format=".3g", **common)

    def _geometric(self) -> bool:
        """Whether the values' ratios are more alike than their differences."""
        if self.values[0] <= 0 or len(self.values) < 3:
            return False
        steps = [b - a for a, b in itertools.pairwise(self.values)]
        ratios = [math.log(b / a) for a, b in itertools.pairwise(self.values)]
        return max(ratios) / min(ratios) < max(steps) / min(steps)

    def read(self, control: widgets.ValueWidget) -> Any:
        """The control's value, freed from the rounding of a continuous slider."""
        if len(self.values) == 1:
            return self.values[0]
        if self.kind != "continuous":
            return control.value
        value = float(f"{control.value:.4g}")
        nearest = min(self.values, key=lambda v: abs(v - value))
        if math.isclose(nearest, value, rel_tol=5e-4, abs_tol=1e-9):
            return nearest
        return min(max(value, self.values[0]), self.values[-1])


class Explorer:
    """A `draw` function and its parameters: `html()` is for a page, `widget()` for a kernel.

    Raises ValueError for what cannot be explored; see `explore`.
    """

    def __init__(
        self,
        draw: Callable[..., Any],
        parameters: dict[str, Iterable[Any]],
        start: dict[str, Any] | None = None,
    ) -> None:
        if not callable(draw):
            raise ValueError(f"draw must be a function that returns a figure; got {draw!r}")
        if len(parameters) > 3:
            raise ValueError(f"at most three parameters; got {len(parameters)}: {[*parameters]}")
        if unknown := set(start or {}) - set(parameters):
            raise ValueError(f"start names {sorted(unknown)}, not among {[*parameters]}")
        self.draw = draw
        self.parameters = [Parameter.of(k, v, start or {}) for k, v in parameters.items()]
        self.start = tuple(p.values[p.start] for p in self.parameters)
        count = math.prod(len(p.values) for p in self.parameters)
        if count > MOST_FRAMES:
            raise ValueError(f"{count} combinations of values; at most {MOST_FRAMES} can be drawn")

    def frame(self, values: Sequence[Any]) -> tuple[str, str | None]:
        """Draw one combination: matplotlib's SVG, and the description if `draw` gave one."""
        call = self._call(values)
        with _no_figure_left(call) as listed:
            try:
                result = self.draw(**{p.name: v for p, v in self._pairs(values)})
            except Exception as error:
                raise RuntimeError(f"{call} raised {type(error).__name__}: {error}") from error
            alone = not (isinstance(result, tuple) and len(result) == 2)
            figure, text = (result, None) if alone else result
            _check(figure, "none needed" if alone else text, call)
            listed.append(figure)
            return drawn(figure), text and " ".join(text.split())

    def html(self) -> str:
        """Draw every combination; the figure for a page, with its controls and all its frames."""
        combinations = list(itertools.product(*(p.values for p in self.parameters)))
        frames = []
        with _progress() as progress:
            name = getattr(self.draw, "__name__", "figures")
            for values in tqdm(combinations, name, file=progress, delay=1, leave=False):
                frames.append(self.frame(values))
        slim = self._slim("".join(svg for svg, _ in frames))
        openings, pieces = zip(*(slim(svg) for svg, _ in frames), strict=True)
        captions = [text for _, text in frames]
        for values, opening, text in zip(combinations, openings, captions, strict=True):
            if opening != openings[0]:
                raise ValueError(
                    f"every frame must have the same size: {self._call(values)} has {opening[:30]}"
                    f"... points, {self._call(combinations[0])} has {openings[0][:30]}..."
                )
            if text is None and any(captions):
                raise ValueError(f"{self._call(values)} gives no description; others give one")
        if not all(captions):
            captions = [self._default(values) for values in combinations]
        now = combinations.index(self.start)
        still = (openings[now], "".join(pieces[now]), captions[now])
        if not self.parameters:
            return markup(*still)
        chunks, rows = table(pieces)
        labels = [[label(v) for v in p.values] for p in self.parameters]
        data = {"labels": labels, "captions": captions, "chunks": chunks, "frames": rows}
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        text = text.replace("</", "<\\/").replace("<!", "\\u003c!")  # or it could end the script
        controls = "".join(_range(p, f"{slim.prefix}-{p.name}") for p in self.parameters)
        return markup(
            *still,
            f'<div class="explorer-controls">{controls}</div>',
            '<div class="explorer-room" aria-hidden="true">'
            f"<span>{html.escape(max(captions, key=len))}</span></div>"
            '<div class="explorer-status" role="status"></div>'
            f'<script type="application/json">{text}</script>',
        )

    def widget(self) -> widgets.Box:
        """The live figure: controls that call `draw`, a line for its state, the picture."""
        slim = self._slim(repr(self.start))
        controls = [parameter.control() for parameter in self.parameters]
        moving = [control for control in controls if not isinstance(control, widgets.Text)]
        status = widgets.HTML(layout=widgets.Layout(min_height="2em"))

        def picture(values: Sequence[Any]) -> str:
            began = time.perf_counter()
            svg, text = self.frame(values)
            opening, pieces = slim(svg)
            seconds = time.perf_counter() - began
            for control in moving:
                if seconds > SLOW or seconds < SLOW / 2:  # in between, leave it as it is
                    control.continuous_update = seconds <= SLOW
            return STYLE + markup(opening, "".join(pieces), text or self._default(values))

        def answer(_: Any) -> None:
            if not all(control.continuous_update for control in moving):
                status.value = '<span role="status">Drawing…</span>'
            now = ""
            try:
                values = [p.read(c) for p, c in zip(self.parameters, controls, strict=True)]
                image.value = picture(values)
            except Exception as error:  # shown, not raised: the last good figure stays
                trace = html.escape("".join(traceback.format_exception(error)))
                now = (
                    f'<div role="alert" class="explorer-error">{html.escape(str(error))}'
                    f"<details><summary>Traceback</summary><pre>{trace}</pre></details></div>"
                )
            finally:
                status.value = now

        image = widgets.HTML(picture(self.start))
        for control in moving:
            control.observe(answer, "value")
        return _Box([*controls, image, *([status] if moving else [])])

    def _pairs(self, values: Sequence[Any]) -> Iterator[tuple[Parameter, Any]]:
        return zip(self.parameters, values, strict=True)

    def _call(self, values: Sequence[Any]) -> str:
        return f"draw({', '.join(f'{p.name}={v!r}' for p, v in self._pairs(values))})"

    def _default(self, values: Sequence[Any]) -> str:
        return f"Figure for {', '.join(f'{p.title} = {label(v)}' for p, v in self._pairs(values))}."

    def _slim(self, content: str) -> Slim:
        key = "x" + sha256(content.encode()).hexdigest()[:8]
        _keys[key] += 1
        return Slim(key if _keys[key] == 1 else f"{key}-{_keys[key]}")


class _Box(widgets.VBox):
    """A box that takes all that it is made of along when it is closed."""

    def close(self) -> None:
        parts = [part for child in self.children for part in (child, child.style, child.layout)]
        for part in [*parts, self.layout]:
            part.close()
        super().close()


def _display(explorer: Explorer) -> None:
    """Display in the way that suits the place; a stored notebook gets next to nothing."""
    shell = get_ipython()
    if os.environ.get("DISTILL_BOOK_BUILD"):
        display({"text/html": explorer.html()}, raw=True)
    elif not hasattr(shell, "kernel"):  # plain Python has no place for a figure
        _, text = explorer.frame(explorer.start)
        print(text or explorer._default(explorer.start), "(Run this in Jupyter to see the figure.)")
    else:
        box = explorer.widget()
        _close_former(shell, box)
        view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
        bundle = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "(a figure)"}
        display(bundle, raw=True)


def _close_former(shell: Any, box: widgets.Box) -> None:
    """Close what the last run of the same cell has shown: this run replaces it."""
    cell = shell.parent_header.get("metadata", {}).get("cellId")
    if not cell:  # a front end that does not name its cells: any figure may still be in use
        return
    count, former = _boxes.get(cell, (shell.execution_count, []))
    if count != shell.execution_count:
        while former:
            former.pop().close()
    _boxes[cell] = (shell.execution_count, [*former, box])


def _check(figure: Any, text: Any, call: str) -> None:
    """Both modes and `show` ask for a figure and, where there is one, a readable description."""
    if not isinstance(figure, Figure):
        raise ValueError(f"{call}: expected a matplotlib figure (and its text); got {figure!r}")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{call}: expected a sentence that describes the figure; got {text!r}")


@contextmanager
def _no_figure_left(call: str) -> Iterator[list[Figure]]:
    """Close the figures listed by the body and all that it opened, even if it is interrupted."""
    before, listed = set(plt.get_fignums()), []
    try:
        yield listed
    finally:
        for figure in listed:
            plt.close(figure)
        leaked = set(plt.get_fignums()) - before
        for number in leaked:
            plt.close(number)
    if leaked:
        raise ValueError(
            f"{call} leaves {len(leaked)} figure(s) open beside the one that it returns: close "
            "them with plt.close, or draw everything into the returned one"
        )


def _progress() -> IO[str]:
    """Where progress is written; no build may fail because it cannot be."""
    with suppress(OSError):
        return open(os.environ.get("DISTILL_BOOK_PROGRESS") or os.devnull, "a")
    return open(os.devnull, "a")


def _greek(word: str) -> str:
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {word.replace('lambda', 'lamda')}")
    except KeyError:
        return word


def _range(parameter: Parameter, key: str) -> str:
    """A native slider over the numbers of the values, with its label and its output."""
    title, labels = parameter.title, [html.escape(label(v)) for v in parameter.values]
    now = labels[parameter.start]
    return (
        f'<label for="{key}">{title}</label><input type="range" id="{key}" '
        f'min="0" max="{len(labels) - 1}" step="1" value="{parameter.start}" '
        f'aria-valuetext="{title} = {now}" autocomplete="off" data-lm-suppress-shortcuts="true"'
        f'{" disabled" if len(labels) == 1 else ""}><output for="{key}" aria-live="off" '
        f'data-widest="{max(labels, key=len)}">{now}</output>'
    )
