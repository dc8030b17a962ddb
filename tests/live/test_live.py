"""Every chapter in JupyterLab, as a reader on Binder meets it: all cells run, all sliders live."""

from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import pytest
from lab import Lab, Notebook
from playwright.sync_api import Browser
from slider import Slider

CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("*.ipynb"))
SLOWER = 6  # times as slow as the yardstick beside it: some 300 ms where nothing else runs
TRIES = 3  # a figure is slow if it is at all of them

# A plain slider of ipywidgets that draws a plain figure of matplotlib, without this book's code:
# what a busy machine does to a figure, it does to this one at the same time.
YARDSTICK = """\
def _yardstick():
    import io
    import ipywidgets
    from IPython.display import display
    from matplotlib.figure import Figure
    def draw(change):
        figure, file = Figure(figsize=(6, 4)), io.StringIO()
        figure.subplots().bar(range(10), [change["new"]] * 10)
        figure.savefig(file, format="svg")
        svg = file.getvalue().partition("<svg")[2]
        caption = f"<figcaption>{change['new']}</figcaption>"
        html.value = f'<figure class="explorer"><svg{svg}{caption}</figure>'
    slider, html = ipywidgets.IntSlider(5, 1, 10, description="yardstick"), ipywidgets.HTML()
    slider.observe(draw, "value")
    draw({"new": 5})
    display(ipywidgets.VBox([slider, html]))
_yardstick()"""

# One figure that is as it should be, and some that are not, with what is to be said of them.
FIGURES = """\
import time
from matplotlib.figure import Figure
from distill_lib import explore
from livefigures import live
live.SLOW = 1e9  # no figure waits for the release
def draw(T, title="T", pause=0):
    end = time.thread_time() + pause
    while time.thread_time() < end: pass
    figure = Figure(figsize=(5, 3))
    figure.subplots().bar([1, 2, 3], [1, 1 / T, T])
    return figure, f"The bars at {title} = {T}."
STEPS = [1, 2, 3, 4, 5]"""
FAULTS = {
    "explore(draw, T=STEPS)": "",
    "explore(lambda T: draw(1), T=STEPS)": "dragged, and nothing moved",
    "explore(lambda T: (draw(T)[0], 'The bars.'), T=STEPS)": "another picture, the same words",
    "explore(lambda T: draw(T if T < 4 else 1 / 0), T=STEPS)": "division by zero",
    "explore(lambda T: draw(T, pause=2), T=STEPS)": "does not say that it is drawing",
}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_runs_and_its_sliders_answer(
    lab: Lab, browser: Browser, path: Path, report: list[str]
) -> None:
    """All cells run without an error, and each slider moves its picture, by mouse and by key."""
    with_yardstick(lab.repo / "chapters" / path.name)
    with lab.open(browser, f"chapters/{path.name}") as notebook:
        check_cells(notebook.run_all())
        *sliders, plain = sliders_of(notebook)
        yardstick = Yardstick(plain)
        assert sliders or "explore(" not in path.read_text("utf-8")
        well = True  # until one of the figures has followed the handle
        for slider in sliders:
            follows, line = check_slider(slider, yardstick, well)
            well &= not follows
            report.append(f"live: {path.stem}, {line}")
        assert not notebook.elsewhere, f"requests to other hosts: {notebook.elsewhere}"


@pytest.mark.browser
@pytest.mark.slow
def test_dead_and_slow_sliders_are_noticed(lab: Lab, browser: Browser) -> None:
    """A figure that stays as it is, says the same of all frames, fails or lags is told apart."""
    cells = [nbformat.v4.new_code_cell(source) for source in (FIGURES, *FAULTS)]
    path = lab.repo / "chapters/faults.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with_yardstick(path)
    with lab.open(browser, f"chapters/{path.name}") as notebook:
        check_cells(notebook.run_all())
        *sliders, plain = sliders_of(notebook)
        yardstick = Yardstick(plain)
        for slider, words in zip(sliders, FAULTS.values(), strict=True):
            if not words:
                check_slider(slider, yardstick, well=True)
                continue
            with pytest.raises(AssertionError, match=words):
                check_slider(slider, yardstick, well=True)


class Yardstick:
    """How soon the plain slider answers, in ms, now and at its `best`.

    What is soon enough beside its best is so beside it at any time. It is moved again only where
    something is slower: that may be the machine.
    """

    def __init__(self, slider: Slider) -> None:
        self.slider, self.best = slider, median(pace(slider))

    def measure(self) -> float:
        """Move it."""
        now = median(pace(self.slider))
        self.best = min(self.best, now)
        return now


def with_yardstick(path: Path) -> None:
    """Put the yardstick below all cells of a notebook."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(YARDSTICK))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


def sliders_of(notebook: Notebook) -> list[Slider]:
    """The sliders of all figures of a notebook."""
    found = notebook.page.query_selector_all(".jp-Notebook .widget-slider")
    return [Slider(notebook.page, element) for element in found]


def check_cells(cells: list[dict[str, Any]]) -> None:
    """Every cell has run, and none raised that was not meant to."""
    for cell in cells:
        assert cell["count"], f"did not run:\n{cell['source']}"
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        assert not errors or "raises-exception" in cell["tags"], errors


def check_slider(slider: Slider, yardstick: Yardstick, well: bool) -> tuple[bool, str]:
    """The slider moves its picture and the words below it, and soon.

    Dragged `well`, it is also moved in small steps while it is held. Returns whether the figure
    follows the held handle (else it waits for the release), and how soon it answers.
    """
    name = slider.name
    drag = slider.drag(well)
    assert not slider.error(), f"{name}: {slider.error()}"
    assert slider.seen("pictures") > 1, f"{name}: dragged, and nothing moved"
    assert slider.seen("captions") > 1, f"{name}: another picture, the same words"
    said = slider.worked()
    assert None not in drag.answers, f"{name}: held, it follows to the end and not back"

    for _ in range(TRIES):
        usual = median(drag.answers + pace(slider))
        soon = usual <= SLOWER * yardstick.best or (not drag.follows and said)
        plain = yardstick.best if soon else yardstick.measure()
        if soon := soon or usual <= SLOWER * plain:
            break
        drag.answers.clear()
    assert soon, (
        f"{name}: answers after {usual:.0f} ms, a plain slider beside it after {plain:.0f} ms, "
        "and does not say that it is drawing"
    )
    way = "while dragged" if drag.follows else "when released"
    return drag.follows, f"{name}: drawn {way}, {usual:.0f} ms; a plain figure {plain:.0f} ms"


def pace(slider: Slider) -> list[float]:
    """Press an arrow, and Home or End; how soon the picture and its words follow, in ms."""
    times = []
    for kind in (0, 1):
        before, key = slider.look(), slider.keys_away()[kind]
        times.append(slider.press(key))
        assert times[-1], f"{slider.name}: {key} moves nothing {slider.error()}"
    after = slider.look()
    assert after["caption"] != before["caption"], f"{slider.name}: {key}, and the same words"
    return times
