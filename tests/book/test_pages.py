"""Every page of the book in Chromium: quiet, light, readable, and its sliders alive."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page
from toc import SUB_PATH, notebooks, pages

PAGES, NOTEBOOKS = pages(), notebooks()
MOST_PAGE, MOST_HTML = 900_000, 250_000  # bytes, gzipped

every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


@pytest.fixture(scope="module", params=PAGES)
def name(request: pytest.FixtureRequest) -> str:
    """Each page of the book in turn."""
    return request.param


@pytest.fixture(scope="module")
def opened(name: str, browser: Browser, site: str) -> Iterator[Page]:
    """The page, opened once for all the tests that only look at it."""
    page = browser.new_page()
    page.goto(f"{site}/{name}.html", wait_until="networkidle")
    yield page
    page.close()


def state(figure: Locator) -> tuple[str, str]:
    """The picture that an explorer shows, and its text alternative."""
    picture = figure.locator(":scope > svg")
    return picture.inner_html(), picture.get_attribute("aria-label")


def height(figure: Locator) -> float:
    """The height of an explorer in pixels."""
    return figure.bounding_box()["height"]


@pytest.mark.parametrize("name", [*PAGES, "search", "genindex"])
def test_quiet_and_light(name: str, visit: Callable, report: list[str]) -> None:
    """No request leaves the site, nothing is in the console, and the weights are in the budget."""
    visited = visit(f"{name}.html", until="networkidle")
    visited.page.keyboard.press("End")
    visited.page.wait_for_timeout(300)
    assert visited.troubles == []
    assert all(response.ok for response in visited.responses)
    sizes = {r.url: len(gzip.compress(r.body(), 6)) for r in visited.responses}
    html, total = sizes[visited.page.url], sum(sizes.values())
    report.append(f"{name}: {total / 1000:.0f} KB gzipped, of which HTML {html / 1000:.0f} KB")
    assert html <= MOST_HTML
    assert total <= MOST_PAGE


@pytest.mark.parametrize(("mode", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
@pytest.mark.parametrize("name", [*PAGES, "search"])
def test_accessible(name: str, mode: str, width: int, visit: Callable) -> None:
    """axe-core finds nothing serious or critical, in both themes, solutions open."""
    page = visit(f"{name}.html", mode=mode, width=width).page
    assert page.evaluate("document.documentElement.dataset.theme") == mode
    page.evaluate(
        """() => { document.querySelectorAll(".toggle-button-hidden").forEach((b) => b.click());
                   document.querySelectorAll("details").forEach((d) => { d.open = true; }); }"""
    )
    page.wait_for_timeout(600)
    only = {"resultTypes": ["violations"]}  # to list all that is in order takes half as long again
    violations = Axe().run(page, options=only).response["violations"]
    bad = [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert bad == []


def test_text_alternatives(opened: Page) -> None:
    """Every picture has words: an image its alt, a figure its accessible name."""
    article = opened.locator("article")
    for image in article.locator("img").all():
        assert (image.get_attribute("alt") or "").strip(), image.get_attribute("src")
    pictures = "svg:not([aria-hidden=true] *, [aria-hidden=true], a svg, button svg)"
    for picture in article.locator(pictures).all():
        assert picture.get_attribute("role") == "img"
        assert len(picture.get_attribute("aria-label") or "") > 10


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


def test_formulas_are_drawn(opened: Page) -> None:
    """Formulas are MathML with the book's font; no TeX is left in the text."""
    text = opened.evaluate(
        """() => { const copy = document.querySelector("article").cloneNode(true);
                   copy.querySelectorAll("math, pre, code, script").forEach((e) => e.remove());
                   return copy.textContent; }"""
    )
    assert not re.search(r"\\[a-zA-Z]+|\$[^$\n]+\$", text)
    assert opened.locator("math merror").count() == 0
    if opened.locator("math").count():
        fonts = opened.evaluate("[...document.fonts].map((f) => [f.family, f.status])")
        assert ["STIX Two Math Book", "loaded"] in [[f.strip("\"'"), s] for f, s in fonts]


@every_notebook
@pytest.mark.parametrize("hand", ["keyboard", "mouse", "touch"])
def test_sliders_live(name: str, hand: str, visit: Callable) -> None:
    """Each slider changes the picture and its words; nothing jumps."""
    visited = visit(f"{name}.html", width=390 if hand == "touch" else 1280, has_touch=True)
    page = visited.page
    for figure in page.locator("figure.explorer:has(input)").all():
        figure.scroll_into_view_if_needed()
        tall = height(figure)
        for slider in figure.locator("input[type=range]:not([disabled])").all():
            title = figure.locator(f"label[for='{slider.get_attribute('id')}']").inner_text()
            start, last = int(slider.input_value()), int(slider.get_attribute("max"))
            box = slider.bounding_box()
            assert box["height"] >= 24
            slider.focus()
            page.keyboard.press("Home")
            seen = [(*state(figure), slider.get_attribute("aria-valuetext"))]
            if hand == "keyboard":
                steps = ["End", "Home", *["ArrowRight"] * last, "PageDown", "PageUp"]
            else:
                steps = [0.98, 0.5, 0.02]
            for step in steps:
                x, y = (box["width"] * step if hand != "keyboard" else 0), box["height"] / 2
                if hand == "keyboard":
                    page.keyboard.press(step)
                elif hand == "mouse":
                    slider.click(position={"x": x, "y": y})
                else:
                    slider.tap(position={"x": x, "y": y})
                seen.append((*state(figure), slider.get_attribute("aria-valuetext")))
                assert height(figure) == tall, f"{title}: {step} changes the height"
            pictures, words, values = (len(set(column)) for column in zip(*seen, strict=True))
            assert pictures > 1, f"{title}: the picture never changes"
            assert words > 1, f"{title}: the description never changes"
            assert values == (last + 1 if hand == "keyboard" else min(3, last + 1))
            assert all(value.startswith(f"{title} = ") for _, _, value in seen)
            output = figure.locator(f"output[for='{slider.get_attribute('id')}']")
            assert output.inner_text() == seen[-1][2].removeprefix(f"{title} = ")
            for key in ("Home", *["ArrowRight"] * start):  # the others are tried from the start
                page.keyboard.press(key)
    assert visited.troubles == []


@every_notebook
def test_sliders_live_anywhere(name: str, visit: Callable, html: Path) -> None:
    """From the disk and under a sub-path; the rest of the page works there too."""
    for place, base in (("disk", html.as_uri()), ("sub-path", None)):
        path = f"{name}.html" if base else f"{SUB_PATH.strip('/')}/{name}.html"
        visited = visit(path, base=base) if base else visit(path)
        for figure in visited.page.locator("figure.explorer:has(input:not([disabled]))").all():
            figure.locator("input:not([disabled])").first.focus()
            seen = set()
            for key in ("Home", "End", "ArrowLeft"):
                visited.page.keyboard.press(key)
                seen.add(state(figure))
            assert len(seen) > 1, place
        assert visited.troubles == [], place


@every_notebook
def test_without_scripts_and_on_paper(name: str, visit: Callable) -> None:
    """The starting frame and its description are there."""
    quiet = visit(f"{name}.html", java_script_enabled=False).page
    paper = visit(f"{name}.html").page
    paper.emulate_media(media="print")
    for page in (quiet, paper):
        for figure in page.locator("figure.explorer").all():
            picture = figure.locator(":scope > svg")
            assert picture.bounding_box()["height"] > 50
            assert picture.locator("path, rect, use, text").count() > 3
            words = picture.get_attribute("aria-label")
            assert words and figure.locator("figcaption").inner_text().strip() == words


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


def test_buttons(name: str, opened: Page, config: dict, html: Path, root: Path) -> None:
    """Notebooks open in Binder and Colab and can be downloaded; every page names its repository."""
    page = opened
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


def test_reading_order(name: str, opened: Page) -> None:
    """Previous and next follow the table of contents; chapters are numbered."""
    page = opened
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


def test_search_finds(visit: Callable) -> None:
    """Search answers from the site itself, from the disk too."""
    visited = visit("search.html?q=distillation")
    visited.page.locator("#search-results li a").first.wait_for(timeout=5000)
    assert visited.troubles == []


def test_root_leads_to_the_book(visit: Callable) -> None:
    """index.html leads to the welcome page."""
    page = visit("index.html").page
    page.wait_for_url(f"**/{PAGES[0]}.html")
