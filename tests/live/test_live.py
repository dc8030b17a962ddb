"""Every chapter in JupyterLab, as a reader on Binder meets it: all cells run, all sliders live."""

import os
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from lab import Lab, Slider
from playwright.sync_api import Browser

CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("*.ipynb"))
SOON = 300  # milliseconds


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_runs_and_its_sliders_answer(
    lab: Lab, browser: Browser, path: Path, report: list[str]
) -> None:
    """All cells run without an error, and each slider moves its picture, by mouse and by key."""
    with lab.open(browser, f"chapters/{path.name}") as notebook:
        check_cells(notebook.run_all())
        sliders = notebook.sliders()
        assert sliders or "explore(" not in path.read_text("utf-8")
        for slider in sliders:
            report.append(check_slider(slider, f"live: {path.stem}, {slider.name}"))
        assert not notebook.elsewhere, f"requests to other hosts: {notebook.elsewhere}"


def check_cells(cells: list[dict[str, Any]]) -> None:
    """Every cell has run, and none raised that was not meant to."""
    for cell in cells:
        assert cell["count"], f"did not run:\n{cell['source']}"
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        assert not errors or "raises-exception" in cell["tags"], errors


def check_slider(slider: Slider, name: str) -> str:
    """The slider moves its picture and the words below it; returns how soon."""
    for _ in range(2):
        answers = slider.drag()
        assert not slider.error(), f"{name}: {slider.error()}"
        if answers:  # else once more: a kernel's first figure is its slowest
            break
    assert slider.seen("pictures") > 1, f"{name}: dragged, and nothing moved"
    assert slider.seen("captions") > 1, f"{name}: another picture, the same words"

    keys = []
    for kind in (0, 1):  # an arrow, then Home or End
        before, key = slider.look(), slider.keys_away()[kind]
        keys.append(slider.press(key))
        assert keys[-1], f"{name}: {key} moves nothing {slider.error()}"
    assert slider.look()["caption"] != before["caption"], f"{name}: {key}, and the same words"

    # The limit is for a processor that the slider has to itself: where three processes share each
    # core, as when other tests run at the same time, all of them take three times as long.
    soon = SOON * max(1, os.getloadavg()[0] / os.cpu_count())
    usual = median((answers or []) + keys)
    assert usual <= soon or (answers is None and slider.worked()), (
        f"{name}: answers after {usual:.0f} ms, and does not say that it is drawing"
    )
    way = "when released" if answers is None else "while dragged"
    return f"{name}: drawn {way}, median {usual:.0f} ms"
