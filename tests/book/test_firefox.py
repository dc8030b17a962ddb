"""Every control of a figure by keyboard in Firefox. Where there is none, the report says so.

The controls are the browser's own: whatever a figure has of them is tried, on the book's pages and
on one that has all kinds.
"""

from collections.abc import Iterator
from pathlib import Path

import firefox
import pytest
from firefox import Firefox
from kinds import DEAF, KINDS, PREPARE, page_of_all_kinds
from toc import notebooks

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not firefox.find(), reason=firefox.MISSING),
]


@pytest.fixture(scope="module")
def running() -> Iterator[Firefox]:
    """Firefox, started once."""
    with firefox.running() as browser:
        yield browser


@pytest.mark.parametrize("name", notebooks())
def test_controls_move_the_figures_of_a_chapter(name: str, running: Firefox, site: str) -> None:
    """Tab leads to each control, and a key moves it on, another one back; the figure follows."""
    assert check(running, f"{site}/{name}.html", every=False) > 0


def test_controls_of_all_kinds_move(running: Firefox, tmp_path: Path) -> None:
    """A slider, a few names, many names, yes and no: one figure each, and each of its values."""
    assert check(running, page_of_all_kinds(tmp_path)) == len(KINDS)


def test_a_dead_control_is_noticed(running: Firefox, tmp_path: Path) -> None:
    """The controls move, and the figure hears nothing of it."""
    with pytest.raises(AssertionError, match="the figure never changes"):
        check(running, page_of_all_kinds(tmp_path, DEAF))


def check(running: Firefox, url: str, every: bool = True) -> int:
    """Try all controls of a page, and `every` value or one; returns how many controls there are."""
    running.troubles.clear()
    running.open(url)
    tried = 0
    for f, controls in enumerate(running.evaluate(PREPARE)):
        check_reach(running, f)
        for c, (kind, values) in enumerate(controls):
            check_control(running, f"controls[{f}][{c}]", f"figures[{f}]", kind, values, every)
            tried += 1
    assert running.troubles == []
    return tried


def check_reach(running: Firefox, f: int) -> None:
    """The Tab key leads through all controls of a figure, from the first one on."""
    focused = f"controls[{f}].map((one) => active(one) === document.activeElement)"
    reached = running.evaluate(f"(active(controls[{f}][0] ?? document.body).focus(), {focused})")
    while not all(reached):  # and no further, for behind the page is the browser's own window
        running.press("Tab")
        inside = running.evaluate(f"figures[{f}].contains(document.activeElement)")
        assert inside, "Tab does not reach every control"
        reached = [a or b for a, b in zip(reached, running.evaluate(focused), strict=True)]


def check_control(
    running: Firefox, control: str, figure: str, kind: str, values: int, every: bool
) -> None:
    """Go to one end, value by value to the other, and to where it was; or a step, and back."""
    start = running.evaluate(f"place({control})")
    way = [start - 1 if start == values - 1 else start + 1, start]
    if every:
        way = [*range(start)[::-1], *range(1, values), *range(start, values - 1)[::-1]]
    back, on = ("ArrowLeft", "ArrowRight") if kind == "range" else ("ArrowUp", "ArrowDown")
    if kind == "checkbox":
        back = on = "Space"
    running.evaluate(f"(active({control}).focus(), {control}.scrollIntoView())")
    seen = [running.evaluate(f"[place({control}), look({figure})]")]
    for place in way:
        running.press(on if place > seen[-1][0] else back)
        seen.append(running.evaluate(f"[place({control}), look({figure})]"))
        assert seen[-1][0] == place, f"{kind}: a key does nothing"
    assert len({look for _, look in seen}) > 1, f"{kind}: the figure never changes"
