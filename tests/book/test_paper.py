"""The pages on paper: nothing can be unfolded or scrolled there."""

import re

import pytest
from playwright.sync_api import Page
from toc import notebooks

pytestmark = pytest.mark.parametrize("name", notebooks())

SHOWN = "(details) => [...details.children].slice(1).every((part) => part.checkVisibility())"


def test_folded_code_and_boxes_are_printed(paper: Page) -> None:
    """With their content, and without a label that offers to show it."""
    for details in paper.locator("article details:not(.option)").all():
        assert details.evaluate(SHOWN), details.inner_text()
    for label in paper.locator("details.hide > summary, .sd-summary-state-marker").all():
        assert not label.is_visible()
    assert "Click to" not in paper.locator("article").inner_text()


def test_solutions_are_printed_and_verdicts_of_options_are_not(paper: Page) -> None:
    """A printed solution stands below its exercise; a verdict would stand at the choice."""
    for part in paper.locator("article .solution > :not(.admonition-title)").all():
        assert part.evaluate("(part) => getComputedStyle(part).visibility") == "visible"
    for option in paper.locator("article details.option").all():
        assert option.locator("summary").is_visible()
        assert not option.evaluate(SHOWN)


def test_the_printed_title_has_its_number(paper: Page) -> None:
    """As on the screen, and it stands there once."""
    titles = [h1.inner_text() for h1 in paper.locator("h1").all() if h1.is_visible()]
    on_screen = paper.locator("article h1").text_content().removesuffix("#")
    assert titles == [on_screen]
    number = re.search(r"/(\d\d)_\w+\.html", paper.url)
    assert titles[0].startswith(f"{int(number[1])}. " if number else "")


def test_wide_code_wraps(paper: Page) -> None:
    """No line of code or of its output is cut off at the margin."""
    cut = "(all) => all.filter((b) => b.scrollWidth > b.clientWidth).map((b) => b.innerText)"
    assert paper.locator("article pre:visible").evaluate_all(cut) == []
