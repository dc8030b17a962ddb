"""Search, as a reader meets it: what is found, what is shown of it, and what is marked."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def search(visit: Callable) -> Callable[[str], Page]:
    """A function that searches, and waits until every result shows some text."""

    def results(query: str) -> Page:
        visited = visit(f"search.html?q={quote(query)}", until="networkidle")
        page = visited.page
        expect(page.locator(".search-summary")).to_contain_text("Search finished", timeout=10_000)
        pages = page.locator("#search-results li").filter(has_not=page.locator("xpath=./span"))
        expect(pages.locator("p.context")).to_have_count(pages.count(), timeout=10_000)
        assert visited.troubles == []
        return page

    return results


@pytest.mark.parametrize("query", ["why T squared", "T^2", "T²", "t**2", "Why T^2?"])
def test_a_square_is_found_by_each_of_its_names(search: Callable, query: str) -> None:
    """The first result leads to the section about it, not to some page with a T."""
    page = search(query)
    first = page.locator("#search-results li a").first
    expect(first).to_have_text("4. Traditional distillation > Why T²?")
    first.click()
    page.wait_for_url("**/chapters/04_traditional_distillation.html#*")
    expect(page.locator(":target > :is(h2, h3)")).to_contain_text("Why")
    expect(page.locator(":target > :is(h2, h3)")).to_be_in_viewport()


def test_a_square_is_not_found_where_there_is_none(search: Callable) -> None:
    """Nor by the texts of buttons: "T^2" once found every page."""
    links = search("T^2").locator("#search-results li a")
    found = {link.get_attribute("href").partition("#")[0] for link in links.all()}
    assert "chapters/04_traditional_distillation.html" in found
    assert "chapters/bibliography.html" not in found


def test_no_single_letter_is_marked(search: Callable) -> None:
    """Words are, among the results."""
    marks = search("why T squared difference").locator(".highlighted").all_inner_texts()
    assert {"difference"} <= {mark.lower() for mark in marks}
    assert min(map(len, marks)) >= 3


@pytest.mark.parametrize("query", ["KL", "KL divergence", "T"])
def test_short_words_are_found(search: Callable, query: str) -> None:
    """KL is a word of the field; and who asks for a letter alone gets it."""
    links = search(query).locator("#search-results li a")
    found = [link.get_attribute("href") for link in links.all()]
    assert any("04_traditional_distillation" in address for address in found)


@pytest.mark.parametrize("query", ["why T squared", "temperature", "softmax", "cosine gradient"])
def test_results_show_prose(search: Callable, query: str) -> None:
    """No TeX, no code, no text of a button, no half of a word at the start."""
    texts = search(query).locator("#search-results p.context").all_inner_texts()
    assert texts
    for text in texts:
        assert len(text) > 50, text
        for other in ("\\", "Colab", "Open issue", "import ", "print(", "np.", "$"):
            assert other not in text


@pytest.mark.parametrize("width", [1280, 390])
def test_the_magnifier_stands_beside_the_text(visit: Callable, width: int) -> None:
    """Of the field, in which the first letter was not to be read."""
    page = visit("search.html?q=teacher", width=width, until="networkidle").page
    form = page.locator(".bd-search-container form.bd-search")
    icon, field = form.locator(".fa-magnifying-glass"), form.locator("input")
    inside = field.evaluate("(field) => parseFloat(getComputedStyle(field).paddingLeft)")
    box = icon.bounding_box()
    assert box["x"] + box["width"] <= field.bounding_box()["x"] + inside
