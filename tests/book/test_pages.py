"""Every page of the book in Chromium: quiet, light, readable, and its sliders alive.

Each page is opened once in each way for all that look at it there: `wide`, `narrow`, `disk`.
"""

import gzip
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from toc import notebooks, pages
from visits import Tabs, Visit

PAGES, NOTEBOOKS = pages(), notebooks()
MOST_FIRST, MOST_NEXT = 350_000, 120_000  # bytes, gzipped: a reader's first page, and another one

every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


# A picture is numbered by its content, within the page: two with the same number are the same.
STATE = """([figure, slider]) => {
  const pictures = (window.pictures ??= new Map());
  const svg = figure.querySelector("svg[role=img]");
  if (!pictures.has(svg.innerHTML)) pictures.set(svg.innerHTML, pictures.size);
  return [pictures.get(svg.innerHTML), svg.getAttribute("aria-label"),
          slider.getAttribute("aria-valuetext"), figure.getBoundingClientRect().height];
}"""
PUT = """(slider, value) => {
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def check_quiet(visited: Visit) -> dict[str, int]:
    """Go to the end of a page that was just opened; bytes by address of what it asked, gzipped."""
    visited.page.keyboard.press("End")
    visited.page.wait_for_timeout(300)  # nothing is to come, so there is nothing to wait for
    assert visited.troubles == []
    assert all(response.ok for response in visited.responses)
    return {r.url: gzipped(r.body()) for r in visited.responses}


@cache
def gzipped(content: bytes) -> int:
    """The size of what a server would send; most of it comes with every page."""
    return len(gzip.compress(content, 6))


@pytest.fixture(scope="session")
def asked(tabs: Tabs) -> Callable[[str], frozenset[str]]:
    """A function that says which addresses a page asks for."""

    @cache
    def addresses(name: str) -> frozenset[str]:
        visited = tabs.at("wide", name)
        return frozenset(response.url for response in visited.responses)

    return addresses


def test_quiet_and_light(name: str, tabs: Tabs, asked: Callable, report: list[str]) -> None:
    """No request leaves the site, nothing is in the console, and the weights are in the budget.

    A reader who comes from another page has what both ask for.
    """
    other = asked(PAGES[name == PAGES[0]])
    wide = tabs.at("wide", name)
    sizes = check_quiet(wide)
    first = sum(sizes.values())
    following = sum(size for url, size in sizes.items() if url not in other)
    report.append(
        f"{name}: {first / 1000:.0f} KB gzipped, {following / 1000:.0f} KB for who comes from "
        f"another page, of which HTML {sizes[wide.page.url] / 1000:.0f} KB"
    )
    assert first <= MOST_FIRST
    assert following <= MOST_NEXT


@pytest.mark.parametrize("name", ["search", "genindex"])
def test_generated_pages_are_quiet_and_light(name: str, visit: Callable) -> None:
    """So are the pages that are in no table of contents."""
    assert sum(check_quiet(visit(f"{name}.html", until="networkidle")).values()) <= MOST_FIRST


def test_text_alternatives(wide: Visit) -> None:
    """Every picture has words: an image its alt, a figure its accessible name."""
    images = """() => [...document.querySelectorAll("article img")]
        .filter((image) => !image.alt.trim()).map((image) => image.src)"""
    assert wide.page.evaluate(images) == []
    pictures = """() => [...document.querySelectorAll("article svg")]
        .filter((svg) => !svg.closest("[aria-hidden=true], a, button"))
        .filter((svg) => svg.getAttribute("role") !== "img"
                         || !(svg.getAttribute("aria-label")?.length > 10))
        .map((svg) => svg.outerHTML.slice(0, 200))"""
    assert wide.page.evaluate(pictures) == []


def test_formulas_are_drawn(wide: Visit) -> None:
    """Formulas are MathML with the book's font; no TeX is left in the text."""
    page = wide.page
    text = page.evaluate(
        """() => { const copy = document.querySelector("article").cloneNode(true);
                   copy.querySelectorAll("math, pre, code, script").forEach((e) => e.remove());
                   return copy.textContent; }"""
    )
    assert not re.search(r"\\[a-zA-Z]+|\$[^$\n]+\$", text)
    assert page.locator("math merror").count() == 0
    if page.locator("math").count():
        fonts = page.evaluate("[...document.fonts].map((f) => [f.family, f.status])")
        assert ["STIX Two Math Book", "loaded"] in [[f.strip("\"'"), s] for f, s in fonts]


def test_fits_a_telephone(narrow: Visit) -> None:
    """At 390 px nothing is wider than the page, but for what scrolls in its own box."""
    page = narrow.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    outside = page.evaluate(
        """() => [...document.querySelectorAll("article *")].filter((element) => {
            const box = element.getBoundingClientRect();
            if (box.right <= 391 || !box.width || !box.height) return false;
            for (let e = element.parentElement; e.tagName !== "ARTICLE"; e = e.parentElement)
                if (getComputedStyle(e).overflowX !== "visible"
                    && e.getBoundingClientRect().right <= 391) return false;
            return true;
        }).map((element) => element.outerHTML.slice(0, 200))"""
    )
    assert outside == []


@every_notebook
def test_sliders_live(wide: Visit) -> None:
    """Each slider changes the picture and its words at each of its values; nothing jumps."""
    check_sliders(wide, check_values)


@every_notebook
def test_sliders_live_on_a_telephone(narrow: Visit) -> None:
    """By finger; and under a sub-path, where the rest of the page works, too."""
    check_sliders(narrow, check_taps)


@every_notebook
def test_sliders_live_from_the_disk(disk: Visit) -> None:
    """One of each figure."""
    for figure in disk.page.locator("figure.explorer:has(input[type=range]:enabled)").all():
        slider = figure.locator("input[type=range]:enabled").first
        parts, start = [figure.element_handle(), slider.element_handle()], slider.input_value()
        slider.focus()
        seen = set()
        for key in ("Home", "End", "ArrowLeft"):
            disk.page.keyboard.press(key)
            seen.add(tuple(disk.page.evaluate(STATE, parts)[:2]))
        assert len(seen) > 1
        slider.evaluate(PUT, start)
    assert disk.troubles == []


def check_sliders(visited: Visit, check: Callable) -> None:
    """Move each slider of a page, and put it back: the others are tried from the start."""
    for figure in visited.page.locator("figure.explorer:has(input)").all():
        figure.scroll_into_view_if_needed()
        for slider in figure.locator("input[type=range]:enabled").all():
            parts = [figure.element_handle(), slider.element_handle()]
            title = figure.locator(f"label[for='{slider.get_attribute('id')}']").inner_text()
            start, tall = slider.input_value(), visited.page.evaluate(STATE, parts)[-1]
            assert slider.bounding_box()["height"] >= 24
            seen = check(visited.page, slider, parts)
            pictures, words, values, heights = (set(column) for column in zip(*seen, strict=True))
            assert len(pictures) > 1, f"{title}: the picture never changes"
            assert len(words) > 1, f"{title}: the description never changes"
            assert heights == {tall}, f"{title}: a move changes the height"
            assert all(value.startswith(f"{title} = ") for value in values)
            output = figure.locator(f"output[for='{slider.get_attribute('id')}']").inner_text()
            assert output == seen[-1][2].removeprefix(f"{title} = ")
            slider.evaluate(PUT, start)
    assert visited.troubles == []


def check_values(page: Page, slider: Locator, parts: list) -> list:
    """Go through all values by key, from one end to the other, and click; what was seen."""
    slider.focus()
    last, seen = int(slider.get_attribute("max")), []
    for key in ("Home", *["ArrowRight"] * last):
        page.keyboard.press(key)
        seen.append(page.evaluate(STATE, parts))
    assert len({value for *_, value, _ in seen}) == last + 1
    slider.click(position=place(slider, 0.02))
    seen.append(page.evaluate(STATE, parts))
    assert seen[-1] != seen[-2], "a click does nothing"
    return seen


def check_taps(page: Page, slider: Locator, parts: list) -> list:
    """Tap on the track near its ends; what was seen, before it too."""
    seen = [page.evaluate(STATE, parts)]
    for part in (0.98, 0.02):
        slider.tap(position=place(slider, part))
        seen.append(page.evaluate(STATE, parts))
    assert seen[-1] != seen[-2], "a tap does nothing"
    return seen


def place(slider: Locator, part: float) -> dict[str, float]:
    """A place on the track of a slider."""
    box = slider.bounding_box()
    return {"x": box["width"] * part, "y": box["height"] / 2}


@every_notebook
def test_without_scripts_and_on_paper(name: str, tabs: Tabs, paper: Page) -> None:
    """The starting frame and its description are there; without, what a control would need, too."""
    quiet = tabs.at("without scripts", name).page
    for page in (quiet, paper):
        for figure in page.locator("figure.explorer").all():
            pictures = figure.locator("svg[role=img]").all()
            assert pictures
            for picture in pictures:
                assert picture.bounding_box()["height"] > 50
                assert picture.locator("path, rect, use, text").count() > 3
                words = picture.get_attribute("aria-label")
                caption = picture.locator("xpath=following-sibling::figcaption")
                assert words and caption.inner_text().strip() == words
        values = page.locator(".explorer-values").all_inner_texts()
        assert values
        assert {"allow JavaScript" in one for one in values} == {page is quiet}


def test_dark_figures_follow(narrow: Visit) -> None:
    """In the dark no figure stands on a pale panel, under a filter, or in fixed colours."""
    page = narrow.page
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    for figure in page.locator("figure.explorer").all():
        styles = figure.evaluate(
            """(figure) => { const found = [];
                for (let e = figure.querySelector("svg"); e.tagName !== "ARTICLE";
                     e = e.parentElement) {
                    const s = getComputedStyle(e);
                    found.push([s.backgroundColor, s.filter]); }
                return found; }"""
        )
        for background, filtered in styles:
            assert filtered == "none"
            channels = [float(x) for x in re.findall(r"[\d.]+", background)]
            assert len(channels) == 4 or max(channels[:3]) < 100, background
        fixed = figure.evaluate(
            """(figure) => [...figure.querySelectorAll("svg text")].filter((e) => {
                const c = getComputedStyle(e).fill.match(/\\d+/g).map(Number);
                return Math.max(...c.slice(0, 3)) < 100; }).length"""
        )
        assert fixed == 0, "dark text on a dark page"


def test_buttons(name: str, wide: Visit, config: dict, html: Path, root: Path) -> None:
    """Notebooks open in Binder and Colab and can be downloaded; every page names its repository."""
    page = wide.page
    links = {
        unquote(urljoin(page.url, link.get_attribute("href")))
        for link in page.locator(".bd-header-article a[href]").all()
    }
    url, branch = config["repository"]["url"], config["repository"]["branch"]
    repository = url.removeprefix("https://github.com/")
    binder = f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{name}.ipynb"
    colab = f"https://colab.research.google.com/github/{repository}/blob/{branch}/{name}.ipynb"
    is_notebook = (root / f"{name}.ipynb").exists()
    assert (binder in links) == is_notebook
    assert (colab in links) == is_notebook
    assert url in links
    assert any(link.startswith(f"{url}/issues/new") for link in links)
    if is_notebook:
        source = html / f"_sources/{name}.ipynb"
        assert urljoin(page.url, f"../_sources/{name}.ipynb") in links
        nbformat.validate(json.loads(source.read_text("utf-8")))


def test_reading_order(name: str, wide: Visit) -> None:
    """Previous and next follow the table of contents; chapters are numbered."""
    page = wide.page
    place = PAGES.index(name)
    around = {"prev": PAGES[place - 1] if place else None, "next": (*PAGES, None)[place + 1]}
    for way, target in around.items():
        link = page.locator(f"a.{'left' if way == 'prev' else 'right'}-{way}")
        assert link.count() == bool(target)
        if target:
            assert urljoin(page.url, link.get_attribute("href")).endswith(f"/{target}.html")
    number = re.match(r"chapters/(\d\d)_", name)
    if number:
        assert page.locator("article h1").inner_text().startswith(f"{int(number[1])}. ")


def test_the_search_button_is_called_what_it_reads(wide: Visit) -> None:
    """Who speaks to the page says "click search control K", as it stands there."""
    button = wide.page.get_by_role("button", name=re.compile(r"^Search\s+Ctrl\s*\+\s*K$"))
    expect(button).to_be_visible()


WIDE_CODE = "[...document.querySelectorAll('pre')].filter((b) => b.scrollWidth > b.clientWidth)"
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_wide_code_of_a_solution_is_reached_as_soon_as_it_is_open(visit: Callable) -> None:
    """By keyboard, in order to scroll it: with the frame that shows it, not some time later."""
    page = visit("chapters/05_step_by_step.html", width=390).page
    page.evaluate(f"document.fonts.ready.then(() => {TWO_FRAMES})")
    page.evaluate("document.querySelectorAll('.toggle-button-hidden').forEach((b) => b.click())")
    page.evaluate(TWO_FRAMES)
    of_solutions = f"{WIDE_CODE}.filter((box) => box.closest('.solution')).length"
    assert page.evaluate(of_solutions) > 0, "no solution has code that is too wide"
    assert page.evaluate(f"{WIDE_CODE}.every((box) => box.tabIndex === 0)")


def test_search_finds(visit: Callable) -> None:
    """Search answers from the site itself, from the disk too."""
    visited = visit("search.html?q=distillation")
    visited.page.locator("#search-results li a").first.wait_for(timeout=5000)
    assert visited.troubles == []


def test_root_leads_to_the_book(visit: Callable) -> None:
    """index.html leads to the welcome page."""
    page = visit("index.html").page
    page.wait_for_url(f"**/{PAGES[0]}.html")
