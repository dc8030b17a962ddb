"""Forty kinds of figure and more: ours beside matplotlib's own SVG, light, dark and forced.

A picture may differ from matplotlib's by rounding alone: a path by 0.07 pixels at most, which
changes the pixels of its edge, none of them by more than half.  On a dark page and with forced
colours, what follows the page must be read as well as on the light one.
"""

import io
import re
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from contrast import contrast
from gallery import GALLERY
from livefigures.frames import Explorer
from livefigures.page import html
from livefigures.palette import DEFAULT, variables
from PIL import Image
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PAGES = {"light": "#ffffff", "dark": "#14181e", "forced light": "#ffffff", "forced dark": "#000000"}
STYLE = """<style>body { margin: 0; font-family: "DejaVu Sans"; width: 1800px; font-size: 0 }
html[data-theme=dark] { background: #14181e }
@media (forced-colors: active) { html:root { background: Canvas } }
figure, svg { display: inline-block; margin: 0 } figcaption { display: none }</style>"""
TEXT, LINE = "text", "path[style*='fill:none']"
HIDDEN = {TEXT: "text, text ~ rect", LINE: f"{LINE}, use"}
LOOK = """([part, property]) => [...document.querySelectorAll("figure")].map((figure) =>
  [...figure.querySelectorAll(part)].filter((e) => !e.closest("defs, clipPath")).map((e) => {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    let x = box.x + box.width / 2, y = box.y + box.height / 2;
    if (e.tagName === "path" && e.getTotalLength()) {
      const at = e.getPointAtLength(e.getTotalLength() / 2).matrixTransform(e.getScreenCTM());
      [x, y] = [at.x, at.y];
    }
    const faint = style.opacity * (property === "stroke" ? style.strokeOpacity : 1) < 0.7;
    return [e.textContent, x, y, style[property], style.visibility === "hidden" || faint];
  }))"""


def picture(page: Page) -> np.ndarray:
    """What is on the screen, (height, width, 3)."""
    found = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    return np.asarray(found).astype(int)


def code(colour) -> str:
    """A colour of the screen or of CSS as #rrggbb."""
    numbers = re.findall(r"\d+", colour)[:3] if isinstance(colour, str) else colour
    return "#" + "".join(f"{int(n):02x}" for n in numbers)


def seen_at(shown, screen, text, x, y, colour, faint) -> tuple[str, str, float, bool]:
    """A thing's text, its colour, its contrast (a line is read against one side), if it is seen."""
    x, y, colour = int(x), int(y), code(colour) if colour != "none" else "none"
    if faint or colour == "none" or not 2 < y < len(shown) - 3:
        return text.strip(), colour, 0, False
    around = [(x, y)] if text else [(x + dx, y + dy) for dx in (-2, 0, 2) for dy in (-2, 0, 2)]
    best = max(contrast(colour, code(screen[b, a])) for a, b in around)
    return text.strip(), colour, best, bool(text) or contrast(colour, code(shown[y, x])) < 1.5


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    """Every figure of the gallery as a page gets it."""
    return {name: html(Explorer(lambda d=d: (d(), "x"), {})) for name, d in GALLERY.items()}


@pytest.fixture(scope="module")
def opened(browser: Browser, ours: dict[str, str]) -> dict[str, Page]:
    """All of them on one page, which is light, dark, and has forced colours."""
    pages = {}
    for kind in PAGES:
        word, scheme = kind.split()[0], kind.split()[-1]
        forced = "active" if word == "forced" else None
        context = browser.new_context(
            viewport={"width": 1800, "height": 900}, color_scheme=scheme, forced_colors=forced
        )
        page = pages[kind] = context.new_page()
        page.set_content(f'<html data-theme="{word}">{STYLE}{"".join(ours.values())}</html>')
    yield pages
    for page in pages.values():
        page.context.close()


def own(draw: Callable, fonttype: str) -> str:
    """Matplotlib's own SVG."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": fonttype, "svg.hashsalt": "x"}):
        draw().savefig(buffer, format="svg")
    return buffer.getvalue().partition("?>")[2]


def distinct(svg: str, number: int) -> str:
    """The SVG with ids that no other on the page has."""
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>n{number}-", svg)


def test_a_picture_is_what_matplotlib_drew(opened, browser):
    """A formula in the letters of other fonts is compared with its shapes."""
    theirs = []
    for name, draw in GALLERY.items():
        shapes = name.startswith("mathtext") and "dejavusans" not in name
        svg = own(draw, "path" if shapes else "none")
        theirs.append(f"<figure>{distinct(svg, len(theirs))}</figure>")
    page = browser.new_page(viewport={"width": 1800, "height": 900})
    page.set_content(STYLE + "".join(theirs))
    off, wrong = abs(picture(opened["light"]) - picture(page)).max(axis=2), {}
    places = """[...document.querySelectorAll("svg")].map((svg) => {
        const { x, y, width, height } = svg.getBoundingClientRect();
        return [x, y, width, height];
    })"""
    for name, (x, y, width, height) in zip(GALLERY, page.evaluate(places), strict=True):
        part = off[int(y) : int(y + height), int(x) : int(x + width)]
        if part.max() > 140 or (part > 48).mean() > 0.01:
            wrong[name] = int(part.max()), float((part > 48).mean())
    page.close()
    assert len(GALLERY) >= 40 and wrong == {}


SEEN: dict[tuple[str, str], list] = {}


def look(opened: dict[str, Page], name: str, part: str, property: str) -> list:
    """Of each figure on a page, what is to be read, and how well it is."""
    if (name, part) not in SEEN:
        page = opened[name]
        rows, shown = page.evaluate(LOOK, [part, property]), picture(page)
        hide = page.add_style_tag(content=f"{HIDDEN[part]} {{ visibility: hidden }}")
        screen = picture(page)
        hide.evaluate("style => style.remove()")
        SEEN[name, part] = [[seen_at(shown, screen, *one) for one in row] for row in rows]
    return SEEN[name, part]


@pytest.mark.parametrize("kind", ["dark", "forced light", "forced dark"])
@pytest.mark.parametrize(("part", "property", "enough"), [(TEXT, "fill", 4.5), (LINE, "stroke", 3)])
def test_what_follows_the_page_is_read_as_well_as_on_a_light_one(
    opened, kind, part, property, enough
):
    """Against what it stands on, as the screen shows it; an author's other colours stay.

    Text on half-transparent bars is not promised: no ink is read well on all of them in the dark.
    """
    seen = {name: look(opened, name, part, property) for name in ("light", kind)}
    following = variables().keys() - {DEFAULT["grid"].light}  # a grid is faint on purpose
    poor = []
    for name, *both in zip(GALLERY, seen["light"], seen[kind], strict=True):
        if name == "semitransparent bars with text":
            continue
        for (text, light, before, is_seen), (_, now, after, _) in zip(*both, strict=True):
            if is_seen and light in following and after < min(enough, before) - 0.2:
                poor.append(f"{name} {text!r}: {light} {before:.2f}, {kind} {now} {after:.2f}")
    assert not poor, "\n".join(poor)
