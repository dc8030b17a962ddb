"""Every page of the book in Chromium: quiet, light, readable, and its sliders alive.

The fixtures `name` and `wide` open each page once for all the tests that only look at it.
"""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urljoin

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from toc import SUB_PATH, notebooks, pages
from visits import Visit

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


def check_quiet(visited: Visit) -> dict[str, int]:
    """Go to the end of a page that was just opened; bytes by address of what it asked, gzipped."""
    visited.page.keyboard.press("End")
    visited.page.wait_for_timeout(300)  # nothing is to come, so there is nothing to wait for
    assert visited.troubles == []
    assert all(response.ok for response in visited.responses)
    return {r.url: len(gzip.compress(r.body(), 6)) for r in visited.responses}


def test_quiet_and_light(name: str, wide: Visit, visit: Callable, report: list[str]) -> None:
    """No request leaves the site, nothing is in the console, and the weights are in the budget.

    A reader who comes from another page has what both ask for.
    """
    other = check_quiet(visit(f"{PAGES[name == PAGES[0]]}.html", until="networkidle"))
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


def test_fits_a_telephone(name: str, visit: Callable) -> None:
    """At 390 px nothing is wider than the page, but for what scrolls in its own box."""
    page = visit(f"{name}.html", width=390).page
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
@pytest.mark.parametrize("hand", ["keyboard", "mouse", "touch"])
def test_sliders_live(name: str, hand: str, visit: Callable) -> None:
    """Each slider changes the picture and its words; nothing jumps."""
    visited = visit(f"{name}.html", width=390 if hand == "touch" else 1280, has_touch=True)
    for figure in visited.page.locator("figure.explorer:has(input)").all():
        figure.scroll_into_view_if_needed()
        for slider in figure.locator("input[type=range]:not([disabled])").all():
            check_slider(visited.page, figure, slider, hand)
    assert visited.troubles == []


def check_slider(page: Page, figure: Locator, slider: Locator, hand: str) -> None:
    """Move a slider by one hand, look after every move, and put it back."""
    parts = [figure.element_handle(), slider.element_handle()]
    key = slider.get_attribute("id")
    title = figure.locator(f"label[for='{key}']").inner_text()
    start, last = int(slider.input_value()), int(slider.get_attribute("max"))
    box, tall = slider.bounding_box(), page.evaluate(STATE, parts)[-1]
    assert box["height"] >= 24
    slider.focus()
    page.keyboard.press("Home")
    seen = [page.evaluate(STATE, parts)]
    keys = ["End", "Home", *["ArrowRight"] * last, "PageDown", "PageUp"]
    for step in keys if hand == "keyboard" else [0.98, 0.5, 0.02]:
        if hand == "keyboard":
            page.keyboard.press(step)
        else:
            move = slider.click if hand == "mouse" else slider.tap
            move(position={"x": box["width"] * step, "y": box["height"] / 2})
        seen.append(page.evaluate(STATE, parts))
        assert seen[-1][-1] == tall, f"{title}: {step} changes the height"
    pictures, words, values, _ = (len(set(column)) for column in zip(*seen, strict=True))
    assert pictures > 1, f"{title}: the picture never changes"
    assert words > 1, f"{title}: the description never changes"
    assert values == (last + 1 if hand == "keyboard" else min(3, last + 1))
    assert all(value.startswith(f"{title} = ") for _, _, value, _ in seen)
    output = figure.locator(f"output[for='{key}']")
    assert output.inner_text() == seen[-1][2].removeprefix(f"{title} = ")
    for press in ("Home", *["ArrowRight"] * start):  # the others are tried from the start
        page.keyboard.press(press)


@every_notebook
def test_sliders_live_anywhere(name: str, visit: Callable, html: Path) -> None:
    """From the disk and under a sub-path; the rest of the page works there too."""
    for place, base in (("disk", html.as_uri()), ("sub-path", None)):
        path = f"{name}.html" if base else f"{SUB_PATH.strip('/')}/{name}.html"
        visited = visit(path, base=base) if base else visit(path)
        page = visited.page
        alive = "input[type=range]:not([disabled])"
        for figure in page.locator(f"figure.explorer:has({alive})").all():
            slider = figure.locator(alive).first
            slider.focus()
            parts, seen = [figure.element_handle(), slider.element_handle()], set()
            for key in ("Home", "End", "ArrowLeft"):
                page.keyboard.press(key)
                seen.add(tuple(page.evaluate(STATE, parts)[:2]))
            assert len(seen) > 1, place
        assert visited.troubles == [], place


@every_notebook
def test_without_scripts_and_on_paper(name: str, visit: Callable) -> None:
    """The starting frame and its description are there; without, what a control would need, too."""
    quiet = visit(f"{name}.html", java_script_enabled=False).page
    paper = visit(f"{name}.html").page
    paper.emulate_media(media="print")
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


def test_dark_figures_follow(name: str, visit: Callable) -> None:
    """In the dark no figure stands on a pale panel, under a filter, or in fixed colours."""
    page = visit(f"{name}.html", mode="dark").page
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
