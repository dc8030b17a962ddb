"""Names, yes and no: by keyboard, mouse and touch in Chromium; sliders are in test_pages.py."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kinds import DEAF, KINDS, PREPARE, page_of_all_kinds
from playwright.sync_api import Page
from toc import notebooks
from visits import Visit

every_notebook = pytest.mark.parametrize("name", notebooks())
LONG = "select-one"  # what a list drops down is the system's own, and no script can click into it


@every_notebook
def test_choices_of_a_chapter(wide: Visit) -> None:
    """Each value can be chosen, and the figure follows; one of them by keyboard, too."""
    check(wide.page, "mouse")
    check(wide.page, "keyboard", every=False)
    assert wide.troubles == []


@every_notebook
def test_choices_of_a_chapter_on_a_telephone(narrow: Visit) -> None:
    """By finger: a value, and back."""
    check(narrow.page, "touch", every=False)
    assert narrow.troubles == []


@pytest.mark.parametrize("hand", ["keyboard", "mouse", "touch"])
def test_choices_of_all_kinds(hand: str, visit: Callable, tmp_path: Path) -> None:
    """Each value of one of each kind, a slider too."""
    url = page_of_all_kinds(tmp_path)
    visited = visit("page.html", base=url.rpartition("/")[0], has_touch=True)
    assert check(visited.page, hand, ranges=True) == len(KINDS)
    assert visited.troubles == []


@pytest.mark.parametrize("hand", ["keyboard", "mouse", "touch"])
def test_a_dead_control_is_noticed(hand: str, visit: Callable, tmp_path: Path) -> None:
    """The controls move, and the figure hears nothing of it."""
    url = page_of_all_kinds(tmp_path, DEAF)
    visited = visit("page.html", base=url.rpartition("/")[0], has_touch=True)
    with pytest.raises(AssertionError, match="the figure never changes"):
        check(visited.page, hand, every=False)


def check(page: Page, hand: str, ranges: bool = False, every: bool = True) -> int:
    """Choose values of every control of a page; returns how many controls there are."""
    tried = 0
    for f, controls in enumerate(page.evaluate(PREPARE)):
        for c, (kind, values) in enumerate(controls):
            if kind != "range" or ranges:
                names = f"controls[{f}][{c}]", f"figures[{f}]"
                check_control(page, *names, kind, values, hand, every)
                tried += 1
    return tried


def check_control(
    page: Page, control: str, figure: str, kind: str, values: int, hand: str, every: bool
) -> None:
    """Choose the last value, if `every` from there the others, down to the first; then the start.

    Where it starts at the last value, and not `every` one is chosen, it is the one before that.
    """
    start = page.evaluate(f"place({control})")
    places = range(values) if every else [values - 1 - (start == values - 1)]
    seen = [page.evaluate(f"[place({control}), look({figure})]")]
    for place in [*reversed(places), start]:
        choose(page, control, kind, place, values, hand)
        seen.append(page.evaluate(f"[place({control}), look({figure})]"))
        assert seen[-1][0] == place, f"{kind}, {hand}: value {place} cannot be chosen"
    assert len({look for _, look in seen}) > 1, f"{kind}, {hand}: the figure never changes"


def choose(page: Page, control: str, kind: str, place: int, values: int, hand: str) -> None:
    """Choose one value by hand."""
    if hand == "keyboard" or kind == LONG:
        keys = {"range": ("ArrowLeft", "ArrowRight"), "checkbox": ("Space", "Space")}
        back, on = keys.get(kind, ("ArrowUp", "ArrowDown"))
        page.evaluate(f"active({control}).focus()")
        steps = place - page.evaluate(f"place({control})")
        for _ in range(abs(steps)):
            page.keyboard.press(on if steps > 0 else back)
    elif kind == "range":
        slider = page.evaluate_handle(control).as_element()
        box = slider.bounding_box()
        handle = 16  # its middle cannot come nearer than half of it to an end
        x = handle / 2 + (box["width"] - handle) * place / (values - 1)
        (slider.tap if hand == "touch" else slider.click)(position={"x": x, "y": box["height"] / 2})
    elif kind == "radio" or place != page.evaluate(f"place({control})"):
        which = place if kind == "radio" else 0
        found = page.evaluate_handle(f"(c => c.labels[0] ?? c)(group({control})[{which}])")
        target = found.as_element()
        target.tap() if hand == "touch" else target.click()
