"""A figure where a kernel runs: ipywidgets that call `draw` at every move."""

import html
import math
import time
import traceback
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import ipywidgets as widgets
from IPython.display import display

from livefigures.frames import Explorer
from livefigures.page import markup
from livefigures.palette import kernel_style
from livefigures.svg import new_slim
from livefigures.values import Parameter, label

SLOW = 0.3  # seconds; a slower draw waits for the release of the handle
CHOICES = {
    "radio": widgets.RadioButtons,
    "select": widgets.Dropdown,
    "stops": widgets.SelectionSlider,
}
_links: defaultdict[str, list[tuple[Parameter, widgets.ValueWidget]]] = defaultdict(list)
_boxes: defaultdict[tuple[str, int], list[widgets.Box]] = defaultdict(list)  # by cell and run

# Where a kernel runs there is no style sheet of the page.
STYLE = """.explorer{margin:0;color:var(--lf-ink);line-height:1.5;
font-family:var(--jp-ui-font-family,sans-serif)}
.explorer svg{display:block;max-width:100%;height:auto}.explorer figure{margin:0}
.explorer-pictures{display:flex;flex-wrap:wrap;gap:1rem}.explorer-error{line-height:1.4;
color:var(--jp-error-color0,#b91c1c)}.explorer-error pre{white-space:pre-wrap}"""

# Notebook 7 takes the arrow keys for its own, unless the element that has them says it may not.
KEYS = """for (const one of this.closest('.widget-vbox')?.querySelectorAll(
'.noUi-handle, input, select') ?? []) one.dataset.lmSuppressShortcuts = true"""


def display_live(explorer: Explorer, shell: Any) -> None:
    """Display the live figure in IPython's shell; a stored notebook gets next to nothing."""
    box = widget(explorer)
    here = cell, _ = shell.parent_header.get("metadata", {}).get("cellId"), shell.execution_count
    # This run of a cell replaces its last one; some front ends do not name their cells.
    for key in [key for key in _boxes if cell and key[0] == cell and key != here]:
        for former in _boxes.pop(key):
            former.close()
    _boxes[here].append(box)
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    bundle = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "(a figure)"}
    display(bundle, raw=True)


def widget(explorer: Explorer) -> widgets.Box:
    """The live figure: controls that call `draw`, a line for its state, the picture."""
    slim = new_slim(uuid4().hex)  # two notebooks in one window may show the same figure
    controls = [control(parameter) for parameter in explorer.parameters]
    moving = [one for one in controls if not isinstance(one, widgets.Text)]
    status = widgets.HTML(layout=widgets.Layout(min_height="2em"))

    def picture(values: Sequence[Any]) -> str:
        began = time.perf_counter()
        frames = [explorer.frame(values, draw) for draw in explorer.draws]
        stills = [(*slim(frame.svg), frame.text) for frame in frames]
        seconds = time.perf_counter() - began
        if seconds > SLOW or seconds < SLOW / 2:  # in between, leave it as it is
            for one in moving:
                one.continuous_update = seconds <= SLOW  # what is no slider has none to heed
        style = f'<style onload="{KEYS}">{kernel_style()}{STYLE}</style>'
        return style + markup(stills)

    def answer(_: Any) -> None:
        if not all(getattr(one, "continuous_update", True) for one in moving):
            status.value = '<span role="status">Drawing…</span>'
        now = ""
        try:
            values = [read(p, c) for p, c in zip(explorer.parameters, controls, strict=True)]
            image.value = picture(values)
        except Exception as error:  # shown, not raised: the last good figure stays
            trace = html.escape("".join(traceback.format_exception(error)))
            now = f'<div role="alert" class="explorer-error">{html.escape(str(error))}'
            now += f"<details><summary>Traceback</summary><pre>{trace}</pre></details></div>"
        status.value = now

    image = widgets.HTML(picture(explorer.start))
    for parameter, one in zip(explorer.parameters, controls, strict=True):
        one.observe(answer, "value")
        if parameter.name in explorer.link:
            _link(parameter, one)
    return _Box([*controls, image, *([status] if moving else [])])


def control(parameter: Parameter) -> widgets.ValueWidget:
    """The control that suits a parameter's values."""
    values = parameter.values
    first, last, now = values[0], values[-1], values[parameter.start]
    common = {"description": parameter.title, "style": {"description_width": "initial"}}
    if parameter.kind == "one":
        return widgets.Text(label(now), disabled=True, **common)
    if parameter.kind == "checkbox":
        return widgets.Checkbox(now, indent=False, **common)
    if choice := CHOICES.get(parameter.kind):
        return choice(options=[(label(v), v) for v in values], value=now, **common)
    if parameter.kind == "whole":
        return widgets.IntSlider(now, first, last, **common)
    kind, place = widgets.FloatSlider, now
    if parameter.geometric:
        kind, first, last, place = widgets.FloatLogSlider, *map(math.log10, (first, last, now))
    step = (last - first) / 200
    if place > first:  # the browser moves a value to a whole number of steps, so fit the start
        step = (place - first) / math.ceil((place - first) / step)
    return kind(value=now, min=first, max=last, step=step, readout_format=".3g", **common)


def read(parameter: Parameter, control: widgets.ValueWidget) -> Any:
    """A control's value, freed from the rounding of a continuous slider."""
    if parameter.kind != "continuous":
        return parameter.values[0] if parameter.kind == "one" else control.value
    value = float(f"{control.value:.4g}")
    nearest = min(parameter.values, key=lambda v: abs(v - value))
    if math.isclose(nearest, value, rel_tol=5e-4, abs_tol=1e-9):
        return nearest
    return min(max(value, parameter.values[0]), parameter.values[-1])


def _link(parameter: Parameter, control: widgets.ValueWidget) -> None:
    """Let a control move those of other figures that link the parameter, where they have room."""
    _links[parameter.name].append((parameter, control))

    def answer(_: Any) -> None:
        value = read(parameter, control)
        _links[parameter.name] = [pair for pair in _links[parameter.name] if pair[1].comm]
        for other, its in _links[parameter.name]:
            if other.takes(value) and read(other, its) != value:
                its.value = value

    control.observe(answer, "value")


class _Box(widgets.VBox):
    def close(self) -> None:
        """Close the box and all that it is made of."""
        parts = [part for child in self.children for part in (child, child.style, child.layout)]
        for part in [*parts, self.layout]:
            part.close()
        super().close()
