"""Notebook 7, in the tests' own environment: a live figure appears there and answers."""

import sys
from pathlib import Path

import nbformat
import pytest
from lab import NOTEBOOK, running
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = """
from matplotlib.figure import Figure
from livefigures import explore

def draw(T, teacher):
    figure = Figure(figsize=(4, 2.5))
    figure.subplots().bar(["a", "b"], [1, T])
    return figure, f"At T = {T} teacher {teacher} is drawn."

explore(draw, T=[1, 2, 3], teacher=["A", "B"])
"""


def test_a_live_figure_answers_in_notebook_7(browser: Browser, tmp_path: Path) -> None:
    """By keyboard, under the control that its values get; nothing is asked of another host."""
    (tmp_path / "venv").symlink_to(sys.prefix)
    (tmp_path / "repo").mkdir()
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(book, tmp_path / "repo/figure.ipynb")
    with (
        running(tmp_path, NOTEBOOK) as server,
        server.open(browser, "figure.ipynb") as notebook,
    ):
        notebook.run_all()
        picture = notebook.page.locator("figure.explorer svg[role=img]")
        expect(picture).to_have_accessible_name("At T = 1 teacher A is drawn.")
        controls = notebook.page.locator(
            ".jp-OutputArea :is(.noUi-handle, input:checked)"
        )  # a name may be a button
        controls.first.press("ArrowRight")  # which Notebook would take for a key of its own
        expect(picture).to_have_accessible_name("At T = 2 teacher A is drawn.", timeout=60_000)
        controls.last.press("ArrowRight")
        expect(picture).to_have_accessible_name("At T = 2 teacher B is drawn.", timeout=60_000)
        assert notebook.elsewhere == []
