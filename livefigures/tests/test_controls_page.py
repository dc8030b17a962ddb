"""Controls, tools, links and numbers of explorers in a page, by keyboard, mouse and finger."""

import re
import xml.etree.ElementTree as ET

import pytest
from axe_playwright_python.sync_playwright import Axe
from livefigures.frames import Explorer
from livefigures.page import html
from matplotlib.figure import Figure
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
CITIES = ["Amsterdam", "Berlin", "Cairo", "Delhi", "Edinburgh", "Florence", "Geneva, CH"]


def bars(T, teacher="A", hidden=False):
    """Three bars and their largest."""
    figure = Figure(figsize=(4.2, 2.4))
    figure.subplots().bar(["a", "b", '"c", d'], [1, 1 / T, -1 / T**2])
    return figure, f"Bars at T = {T:g}, {teacher}, {hidden}."


def line(T):
    """A line with numbers of its own."""
    figure = Figure(figsize=(4.2, 2.4))
    figure.subplots().plot([0, 1], [0, T])
    return figure, f"The line at T = {T:g}.", {"slope": -T / 3, "end": T}


def city(city):
    """A frame of a name."""
    figure = Figure(figsize=(4.2, 2.4))
    figure.text(0.1, 0.5, city)
    return figure, f"The city is {city}."


PROSE = """
<p><span data-follow="line:slope">−0.67</span> <span data-follow="line:T">2</span>
<span data-follow="line:nothing">as it was</span>
<a href="#line:T=10">ten</a> <a href="#bars:T=10,teacher=B">ten by B</a>
<a href="#city:city=Geneva%2C%20CH">the last</a> <a href="#line:T=77,S=1">nowhere</a></p>"""


@pytest.fixture(scope="module")
def content() -> str:
    """Explorers of all kinds of controls: the first two and the fourth have a link."""
    T, three = [1, 2, 5, 10], {"teacher": ["A", "B"], "hidden": [True, False]}
    explorers = [
        Explorer(bars, {"T": T} | three, {"T": 2}, link=["T", "teacher"]),
        Explorer([line, bars], {"T": T}, {"T": 2}, link="T"),
        Explorer(city, {"city": CITIES}),
        Explorer(bars, {"T": [1, 5, 7], "teacher": ["C", "B"]}, link=["T", "teacher"]),
        Explorer(bars, {"T": [1, 2]}),
    ]
    return PROSE + "".join(map(html, explorers))


def figure(page: Page, number: int) -> Locator:
    """An explorer of the page."""
    return page.locator("figure.explorer").nth(number)


def tool(page: Page, number: int, name: str) -> Locator:
    """A button of an explorer."""
    return figure(page, number).get_by_role("button", name=name, exact=True)


def caption(page: Page, number: int) -> Locator:
    """The caption of an explorer's first picture."""
    return figure(page, number).locator("figcaption").first


# ---- kinds


@pytest.mark.parametrize("hand", ["keyboard", "mouse", "touch"])
def test_every_kind_of_control_moves_the_picture(opened, hand):
    page = opened(390, has_touch=True)
    radio = figure(page, 0).get_by_role("radiogroup", name="teacher").get_by_role("radio", name="B")
    check = figure(page, 0).get_by_role("checkbox", name="hidden")
    if hand == "keyboard":
        figure(page, 0).get_by_role("radio", name="A").press("ArrowRight")
        check.press("Space")
    else:
        for one in (radio, check):
            one.click() if hand == "mouse" else one.tap()
    expect(radio).to_be_checked()
    expect(caption(page, 0)).to_have_text("Bars at T = 2, B, False.")
    expect(figure(page, 0).locator("svg")).to_have_accessible_name("Bars at T = 2, B, False.")
    listed = figure(page, 2).get_by_role("combobox", name="city")
    listed.press("End") if hand == "keyboard" else listed.select_option("Cairo")
    place = "Geneva, CH" if hand == "keyboard" else "Cairo"
    expect(caption(page, 2)).to_have_text(f"The city is {place}.")


def test_two_pictures_move_together_beside_or_above_each_other(opened):
    for width, beside in ((1280, True), (390, False)):
        page = opened(width)
        pictures = figure(page, 1).locator("svg")
        figure(page, 1).get_by_role("slider").press("End")
        expect(pictures.first).to_have_accessible_name("The line at T = 10.")
        expect(pictures.last).to_have_accessible_name("Bars at T = 10, A, False.")
        boxes = [one.bounding_box() for one in (pictures.first, pictures.last)]
        assert (boxes[0]["y"] == boxes[1]["y"]) == beside
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        status = figure(page, 1).locator("[role=status]")
        expect(status).to_have_text("The line at T = 10. Bars at T = 10, A, False.")


@pytest.mark.parametrize("width", [390, 1280])
def test_every_target_is_large_enough(opened, width):
    page = opened(width)
    for one in page.locator("figure.explorer :is(button, input, select, label:has(input))").all():
        box = one.bounding_box()
        small = one.get_attribute("type") == "radio"  # its label is the target
        assert small or min(box["width"], box["height"]) >= 24, one
    for tools in page.locator(".explorer-tools").all():
        assert tools.bounding_box()["height"] < 34, "one row"


# ---- links between figures, and into the page


def test_linked_figures_move_together_where_they_have_the_value(opened):
    page = opened()
    figure(page, 0).get_by_role("slider").press("ArrowRight")
    expect(caption(page, 0)).to_have_text("Bars at T = 5, A, True.")
    expect(caption(page, 1)).to_have_text("The line at T = 5.")
    expect(caption(page, 3)).to_have_text("Bars at T = 5, C, False.")
    figure(page, 0).get_by_role("radio", name="B").check()
    expect(caption(page, 3)).to_have_text("Bars at T = 5, B, False.")
    figure(page, 0).get_by_role("slider").press("End")
    expect(caption(page, 1)).to_have_text("The line at T = 10.")
    expect(caption(page, 3)).to_have_text("Bars at T = 5, B, False.")  # it has no 10
    expect(caption(page, 4)).to_have_text("Bars at T = 1, A, False.")  # it has no link
    expect(figure(page, 1).locator("[role=status]")).to_have_text("")  # said once, by the first


def test_numbers_in_the_prose_follow_in_their_own_decimals(opened):
    page = opened()
    numbers = page.locator("[data-follow]")
    assert numbers.all_inner_texts() == ["−0.67", "2", "as it was"]
    figure(page, 1).get_by_role("slider").press("End")
    assert numbers.all_inner_texts() == ["−3.33", "10", "as it was"]
    tool(page, 1, "Start").click()
    assert numbers.all_inner_texts() == ["−0.67", "2", "as it was"]


def test_a_link_in_the_prose_leads_to_a_frame_and_does_so_again(opened):
    page = opened()
    page.get_by_role("link", name="ten", exact=True).click()
    expect(caption(page, 1)).to_have_text("The line at T = 10.")
    expect(figure(page, 1)).to_be_in_viewport()
    slider = figure(page, 1).get_by_role("slider")
    expect(slider).to_be_focused()
    slider.press("Home")
    expect(caption(page, 1)).to_have_text("The line at T = 1.")
    page.get_by_role("link", name="ten", exact=True).click()
    expect(caption(page, 1)).to_have_text("The line at T = 10.")
    page.get_by_role("link", name="the last").click()
    expect(caption(page, 2)).to_have_text("The city is Geneva, CH.")
    page.get_by_role("link", name="nowhere").click()
    expect(caption(page, 1)).to_have_text("The line at T = 10.")  # as it was


@pytest.mark.parametrize(
    ("address", "number", "words"),
    [
        ("#bars:T=10,teacher=B,hidden=no", 0, "Bars at T = 10, B, False."),
        ("#bars-2:T=7", 3, "Bars at T = 7, C, False."),
        ("#city:city=Geneva%2C%20CH", 2, "The city is Geneva, CH."),
        ("#line:T=99", 1, "The line at T = 2."),
    ],
)
def test_an_address_opens_the_page_with_the_control_there(opened, address, number, words):
    page = opened(address=address)
    expect(caption(page, number)).to_have_text(words)
    expect(figure(page, number)).to_be_in_viewport()


@pytest.mark.parametrize("clipboard", ["there", "refused", "missing"])
def test_the_copied_link_opens_the_same_frame_and_no_move_fills_the_history(opened, clipboard):
    page = opened()
    here, before = page.url, page.evaluate("history.length")
    write = {
        "there": "{ writeText: async (text) => (window.copied = text) }",
        "refused": "{ writeText: () => Promise.reject() }",
        "missing": "undefined",
    }[clipboard]
    page.evaluate(f"Object.defineProperty(navigator, 'clipboard', {{ value: {write} }})")
    figure(page, 2).get_by_role("combobox").select_option("Geneva, CH")
    assert page.url == here
    said = "Copied" if clipboard == "there" else "See the address"
    tool(page, 2, "Copy link").click()
    expect(tool(page, 2, said)).to_be_visible()
    expect(figure(page, 2).locator("[role=status]")).to_have_text(said)
    assert page.url == f"{here}#city:city=Geneva%2C%20CH"
    assert clipboard != "there" or page.evaluate("window.copied") == page.url
    assert page.evaluate("history.length") == before


def test_start_puts_all_controls_back(opened):
    page = opened(address="#bars:T=10,teacher=B,hidden=no")
    expect(caption(page, 0)).to_have_text("Bars at T = 10, B, False.")
    tool(page, 0, "Start").press("Enter")
    expect(caption(page, 0)).to_have_text("Bars at T = 2, A, True.")
    expect(figure(page, 0).get_by_role("radio", name="A")).to_be_checked()


# ---- step and play


def test_steps_move_the_slider_and_keep_to_its_ends(opened):
    page = opened()
    forward, back = tool(page, 1, "Step forward"), tool(page, 1, "Step back")
    for T in (5, 10, 10):
        forward.press("Enter")
        expect(caption(page, 1)).to_have_text(f"The line at T = {T}.")
    for T in (5, 2, 1, 1):
        back.click()
        expect(caption(page, 1)).to_have_text(f"The line at T = {T}.")


def test_only_sliders_of_more_than_two_stops_have_steps(opened):
    page = opened()
    counts = [tool(page, n, "Play").count() for n in range(5)]
    assert counts == [1, 1, 0, 1, 0]


def test_play_runs_once_to_the_end_and_says_the_last_frame_alone(opened):
    page = opened()
    page.clock.install()
    status = figure(page, 1).locator("[role=status]")
    tool(page, 1, "Play").press("Enter")
    for T in (5, 10):
        expect(caption(page, 1)).to_have_text(f"The line at T = {T}.")
        expect(status).to_have_text("" if T == 5 else re.compile("^The line at T = 10."))
        page.clock.run_for(1000)
    page.clock.run_for(5000)
    expect(caption(page, 1)).to_have_text("The line at T = 10.")
    tool(page, 1, "Play").click()  # once more, from the first value
    expect(caption(page, 1)).to_have_text("The line at T = 1.")
    page.clock.run_for(1000)
    expect(caption(page, 1)).to_have_text("The line at T = 2.")
    tool(page, 1, "Stop").click()
    page.clock.run_for(5000)
    expect(caption(page, 1)).to_have_text("The line at T = 2.")


def test_a_move_by_hand_stops_the_play(opened):
    page = opened()
    page.clock.install()
    tool(page, 1, "Play").click()
    figure(page, 1).get_by_role("slider").press("Home")
    page.clock.run_for(5000)
    expect(caption(page, 1)).to_have_text("The line at T = 1.")
    expect(tool(page, 1, "Play")).to_be_visible()


def test_who_wants_little_motion_steps_and_has_no_play(opened):
    page = opened(reduced_motion="reduce")
    expect(tool(page, 1, "Play")).to_have_count(0)
    tool(page, 1, "Step forward").click()
    expect(caption(page, 1)).to_have_text("The line at T = 5.")


# ---- the numbers and the picture of a frame


def cells(page: Page, number: int) -> list[list[str]]:
    """The rows of an explorer's first table."""
    rows = figure(page, number).locator("table").first.locator("tr").all()
    return [row.locator("th, td").all_inner_texts() for row in rows]


def test_the_numbers_unfold_and_follow(opened):
    page = opened()
    button = tool(page, 0, "Numbers")
    expect(button).to_have_attribute("aria-expanded", "false")
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    assert cells(page, 0) == [["x", "y"], ["a", "1"], ["b", "0.5"], ['"c", d', "-0.25"]]
    table = figure(page, 0).get_by_role("table", name="T = 2, teacher: A, hidden: yes")
    expect(table.get_by_role("columnheader")).to_have_text(["x", "y"])
    expect(table.get_by_role("rowheader")).to_have_text(["a", "b", '"c", d'])
    figure(page, 0).get_by_role("slider").press("End")
    assert cells(page, 0)[2] == ["b", "0.1"]
    button.press("Enter")
    expect(figure(page, 0).locator("table")).to_be_hidden()


def test_numbers_that_draw_gives_are_the_table_of_its_picture(opened):
    page = opened()
    tool(page, 1, "Numbers").click()
    assert cells(page, 1) == [["name", "value"], ["slope", "-0.666667"], ["end", "2"]]
    expect(figure(page, 1).locator("table")).to_have_count(2)


def test_a_figure_without_numbers_offers_none(opened):
    expect(tool(opened(), 2, "Numbers")).to_have_count(0)


def test_the_numbers_are_saved_as_csv(opened, tmp_path):
    page = opened()
    tool(page, 0, "Numbers").click()
    with page.expect_download() as download:
        tool(page, 0, "Save CSV").press("Enter")
    assert download.value.suggested_filename == "bars.csv"
    download.value.save_as(tmp_path / "bars.csv")
    text = (tmp_path / "bars.csv").read_text("utf-8")
    assert text == 'x,y\na,1\nb,0.5\n"""c"", d",-0.25\n'


@pytest.mark.parametrize(("theme", "ink"), [("light", "#1f2328"), ("dark", "#ced6dd")])
def test_the_picture_is_saved_as_svg_that_stands_alone(opened, tmp_path, theme, ink):
    page = opened(theme=theme)
    tool(page, 0, "Step forward").click()
    with page.expect_download() as download:
        tool(page, 0, "Save SVG").click()
    assert download.value.suggested_filename == "bars.svg"
    download.value.save_as(tmp_path / "bars.svg")
    text = (tmp_path / "bars.svg").read_text("utf-8")
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("font-family")
    assert root.get("aria-label") == "Bars at T = 5, A, True."
    assert "var(" not in text and text.count(ink) > 5 and root[0].get("width") == "100%"
    alone = page.context.new_page()
    alone.goto((tmp_path / "bars.svg").as_uri())  # as a file it is drawn, too
    assert alone.locator("text").count() > 5
    alone.close()


# ---- all of it


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_with_everything_unfolded(opened, theme):
    page = opened(theme=theme)
    for number in (0, 1, 3):
        tool(page, number, "Numbers").click()
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []


def test_no_move_changes_the_height_with_two_pictures(opened):
    page = opened(390)
    slider, heights = figure(page, 1).get_by_role("slider"), set()
    for key in ["Home", *["ArrowRight"] * 3]:
        slider.press(key)
        heights.add(figure(page, 1).bounding_box()["height"])
    assert len(heights) == 1


def test_a_script_that_comes_twice_makes_everything_once(opened):
    page = opened()
    page.evaluate(
        "() => document.head.append(Object.assign(document.createElement('script'),"
        " { textContent: document.scripts[document.scripts.length - 1].textContent }))"
    )
    expect(figure(page, 1).get_by_role("slider")).to_have_count(1)
