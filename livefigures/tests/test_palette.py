"""The palette: what it accepts, and the CSS that a figure brings with it."""

import re

import pytest
from livefigures.frames import Explorer
from livefigures.page import html
from livefigures.palette import DEFAULT, kernel_style, palette
from matplotlib.figure import Figure
from sample_palette import COLOURS

from livefigures import use_palette


@pytest.fixture(autouse=True)
def restored():
    """Each test may use another palette."""
    yield
    use_palette(COLOURS)


def test_the_light_values_are_what_figures_are_drawn_with():
    colours = use_palette({"warn": ("#B91C1C", "#ff8078")})
    assert colours["warn"] == "#b91c1c" and colours["ink"] == "#000000"
    assert list(colours) == list(palette()) == ["ink", "paper", "grid", "warn"]


def test_a_palette_replaces_the_one_before():
    use_palette({"warn": ("#b91c1c", "#ff8078")})
    assert "warn" not in use_palette({})
    assert palette() == DEFAULT


@pytest.mark.parametrize(
    ("colours", "words"),
    [
        ([("a", "b")], "must be a dict of colours by name"),
        ({"Warn": ("#b91c1c", "#ff8078")}, "lower-case letters, digits and hyphens; got 'Warn'"),
        ({"a}b": ("#b91c1c", "#ff8078")}, "lower-case letters"),
        ({1: ("#b91c1c", "#ff8078")}, "lower-case letters, digits and hyphens; got 1"),
        ({"warn": "#b91c1c"}, r"warn must be \(light, dark\).* got '#b91c1c'"),
        ({"warn": 7}, r"warn must be \(light, dark\).* got 7"),
        ({"warn": ("#b91c1c",)}, r"warn must be .* got \('#b91c1c',\)"),
        ({"warn": ("red", "#ff8078")}, r"such as \(\"#1f5fbf\".* got \('red'"),
        ({"warn": ("#b91c1c", "#f87")}, "warn must be .* '#f87'"),
        ({"warn": ("#b91c1c", 3)}, "warn must be .* 3"),
        ({"warn": ("#b91c1c", "#ff8078", "red")}, "forced one of Canvas, .* 'red'"),
        ({"warn": ("#b91c1c", "#ff8078", "", "")}, "warn must be"),
        ({"a": ("#b91c1c", "#ff8078"), "b": ("#B91C1C", "#000000")}, "#b91c1c for a and for b"),
        ({"ground": ("#ffffff", "#14181e")}, "#ffffff for paper and for ground"),
    ],
)
def test_a_palette_that_cannot_be_used_raises_and_changes_nothing(colours, words):
    before = palette()
    with pytest.raises(ValueError, match=words):
        use_palette(colours)
    assert palette() == before


def still(colour):
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot([0, 1], color=colour)
    return html(Explorer(lambda: (figure, "A line."), {}))


def test_a_figure_brings_the_palette_for_light_dark_and_forced_colours():
    text = still("#1f5fbf")
    light, dark, auto, *forced = re.search("<style>(.*?)</style>", text)[1].split("@media")
    assert set(re.findall(r"--lf-([\w-]+):", light)) == set(palette())
    assert "--lf-first:#1f5fbf" in light and "--lf-first:#6cb0ff" in dark
    assert "--lf-first:#6cb0ff" in auto and "prefers-color-scheme:dark" in auto
    assert "screen" in dark and "screen" in auto  # a dark page is printed light
    for rule, scheme, second in zip(forced, ("light", "dark"), ("c2410c", "ff9a62"), strict=True):
        assert rule.startswith(f"(forced-colors:active)and (prefers-color-scheme:{scheme})")
        found = re.findall(r"--lf-(first|second):#?(\w+)", rule)
        assert found == [("first", "LinkText"), ("second", second)]
    assert set(re.findall(r"var\(--lf-([\w-]+),", text)) == {"ink", "first", "paper"}


def test_a_colour_that_is_in_no_palette_stays_as_it_is():
    text = still("#123456")
    assert "#123456" in text and "var(--lf-first" not in text


def test_matplotlibs_own_black_is_ink_whatever_ink_is():
    assert "#000000" not in still("#000000")
    use_palette({})
    assert "var(--lf-ink,#000000)" in still("#1f5fbf")
    use_palette({"ink": ("#1f2328", "#ced6dd"), "black": ("#000000", "#ffffff")})
    assert "var(--lf-black,#000000)" in still("#1f5fbf")  # unless a palette names it


def test_where_a_kernel_runs_text_and_paper_are_the_front_ends():
    style = kernel_style()
    assert "--lf-ink:var(--jp-ui-font-color1,currentcolor)" in style
    assert "--lf-paper:var(--jp-layout-color0,#0000)" in style
    assert "#1f2328" not in style and "#ffffff" not in style
    assert style.index("--lf-first:#1f5fbf") < style.index("--lf-first:#6cb0ff")


@pytest.mark.browser
@pytest.mark.parametrize("mark", ["", "data-jp-theme-light=false"])
def test_two_notebooks_in_one_window_keep_their_palettes(browser, mark):
    notebooks = ""
    for colours in (("#1f5fbf", "#6cb0ff"), ("#b91c1c", "#ff8078")):
        use_palette({"first": colours})
        figure = '<figure class="explorer"><p style="color:var(--lf-first)">words</p></figure>'
        notebooks += f"<div><style>{kernel_style()}</style>{figure}</div>"
    page = browser.new_page()
    page.set_content(f"<!doctype html><body {mark}>{notebooks}")
    seen = page.locator("p").evaluate_all("all => all.map((p) => getComputedStyle(p).color)")
    page.close()
    light = ["rgb(31, 95, 191)", "rgb(185, 28, 28)"]
    dark = ["rgb(108, 176, 255)", "rgb(255, 128, 120)"]
    assert seen == (dark if mark else light)
