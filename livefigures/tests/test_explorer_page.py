"""The explorer alone: one page made of its HTML, its script and its style, opened from a file."""

import re
import statistics

import pytest
from axe_playwright_python.sync_playwright import Axe
from livefigures.frames import Explorer
from livefigures.page import html
from matplotlib.figure import Figure
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
LONG = "A much longer sentence, which takes several lines wherever the window is narrow. "


def bars(T: float) -> tuple[Figure, str]:
    """A frame whose caption is short or long."""
    figure = Figure(figsize=(5.6, 3.2))
    figure.subplots().bar([1, 2, 3], [1, 1 / T, 1 / T**2])
    return figure, f"The bars at T = {T:g}. {LONG * int(T == 5)}".strip()


def words(mode: str, hidden: bool, T: int) -> tuple[Figure, str]:
    """A frame of three parameters."""
    figure = Figure(figsize=(5.6, 3.2))
    figure.text(0.1, 0.5, f"{mode} {hidden} {T}")
    return figure, f"The word {mode}, {hidden}."


@pytest.fixture(scope="module")
def content() -> str:
    """Two equal explorers, one of three parameters (one with a single value), a still figure."""
    return "<p>Text.</p>".join(
        [
            html(Explorer(bars, {"T": [0.5, 1, 2, 5, 10]}, {"T": 1})),
            html(Explorer(bars, {"T": [0.5, 1, 2, 5, 10]}, {"T": 1})),
            html(Explorer(words, {"mode": ["a", "b <i>"], "hidden": [False, True], "T": [7]})),
            html(Explorer(lambda: (bars(2)[0], "A still figure."), {})),
        ]
    )


def parts(page: Page, number: int = 0) -> tuple[Locator, Locator, Locator, Locator]:
    """An explorer's first slider, output, picture and caption."""
    figure = page.locator("figure.explorer").nth(number)
    found = (figure.locator(part) for part in ("input", "output", ":scope > svg", "figcaption"))
    return tuple(part.first for part in found)


def test_keys_move_the_value_the_picture_its_name_and_the_caption(opened):
    slider, output, picture, caption = parts(opened())
    pictures = set()
    slider.focus()
    for key, value in [
        ("ArrowRight", "2"), ("ArrowUp", "5"), ("ArrowLeft", "2"), ("ArrowDown", "1"),
        ("End", "10"), ("PageDown", "5"), ("PageUp", "10"), ("Home", "0.5"),
    ]:  # fmt: skip
        slider.press(key)
        expect(output).to_have_text(value)
        expect(slider).to_have_attribute("aria-valuetext", f"T = {value}")
        expect(caption).to_have_text(re.compile(rf"^The bars at T = {value}\."))
        expect(picture).to_have_accessible_name(caption.text_content())
        pictures.add(picture.inner_html())
    assert len(pictures) == 5


def test_back_at_the_start_the_picture_is_the_one_that_came_with_the_page(opened):
    slider, _, picture, _ = parts(opened())
    before = picture.evaluate("picture => picture.outerHTML")
    slider.press("End")
    assert picture.evaluate("picture => picture.outerHTML") != before
    slider.press("Home")
    slider.press("ArrowRight")
    assert picture.evaluate("picture => picture.outerHTML") == before


def test_the_mouse_drags_and_the_picture_follows_while_it_moves(opened):
    page = opened()
    slider, output, _, _ = parts(page)
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.26, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    expect(output).to_have_text("2")
    page.mouse.move(box["x"] + box["width"], middle, steps=4)
    expect(output).to_have_text("10")
    page.mouse.up()


def test_a_finger_moves_it_and_every_target_is_large_enough(opened):
    page = opened(390, has_touch=True, is_mobile=True)
    slider, output, _, _ = parts(page)
    box = slider.bounding_box()
    assert box["height"] >= 32 and box["width"] >= 200
    page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    expect(output).to_have_text("10")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert slider.evaluate("slider => getComputedStyle(slider).touchAction") == "pan-y"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_move_changes_the_height_or_the_place_of_the_handle(opened, width):
    slider, _, picture, _ = parts(opened(width))
    figure = slider.locator("xpath=ancestor::figure")
    seen = set()
    slider.press("Home")
    for _ in range(5):
        boxes = [part.bounding_box() for part in (figure, slider, picture)]
        seen.add(tuple(tuple(box.values()) for box in boxes))
        slider.press("ArrowRight")
    assert len(seen) == 1


def test_equal_explorers_on_one_page_move_apart(opened):
    page = opened()
    first, second = parts(page, 0), parts(page, 1)
    second[0].press("End")
    expect(second[1]).to_have_text("10")
    expect(first[1]).to_have_text("1")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_several_parameters_find_their_frame_and_strings_stay_strings(opened):
    page = opened()
    _, _, picture, caption = parts(page, 2)
    page.get_by_role("checkbox", name="hidden").check()
    expect(caption).to_have_text("The word a, True.")
    page.get_by_role("radio", name="b <i>").check()
    expect(caption).to_have_text("The word b <i>, True.")
    expect(picture.locator("text")).to_have_text("b <i> True 7")
    expect(page.locator("input:disabled")).to_have_attribute("aria-valuetext", "T = 7")


def test_a_move_is_announced_once_and_nothing_is_said_twice(opened):
    page = opened()
    slider, _, _, caption = parts(page)
    status = page.locator("figure.explorer [role=status]").first
    expect(status).to_have_text("")
    slider.press("ArrowRight")
    expect(status).to_have_text("The bars at T = 2.")
    expect(caption).to_have_attribute("aria-hidden", "true")  # the picture's name says it
    expect(status).to_have_text("", timeout=6000)
    tree = page.locator("figure.explorer").first.aria_snapshot()
    assert tree.count("The bars at T = 2.") == 1


def test_without_scripts_the_starting_frame_its_words_and_its_values_are_there(opened):
    page = opened(java_script_enabled=False)
    _, _, picture, caption = parts(page)
    expect(picture).to_be_visible()
    expect(caption).to_be_visible()
    expect(picture).to_have_accessible_name("The bars at T = 1.")
    texts = page.locator(".explorer-values").all_inner_texts()
    assert len(texts) == 3
    for text, start in zip(texts, ["T = 1", "T = 1", "mode: a, hidden: no, T = 7"], strict=True):
        assert text == f"{start} (to change it, allow JavaScript)"
    expect(page.locator("input, button")).to_have_count(0)


def test_on_paper_the_values_stay_and_the_controls_go(opened):
    page = opened(theme="dark")
    slider, output, picture, caption = parts(page)
    slider.press("End")
    page.emulate_media(media="print")
    for part in (slider, output, page.get_by_role("button").first):
        expect(part).to_be_hidden()
    for part in (picture, caption):
        expect(part).to_be_visible()
    assert page.locator(".explorer-values").first.inner_text() == "T = 10"
    ink = "figure => getComputedStyle(figure).getPropertyValue('--lf-ink')"
    assert (
        page.locator("figure").first.evaluate(ink) == "#1f2328"
    )  # dark on paper, whatever the screen


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_script_leaves_no_global_and_axe_finds_nothing(opened, theme):
    page = opened(theme=theme)
    assert page.evaluate("Object.keys(window).filter(k => /bring|explor|figure/i.test(k))") == []
    found = Axe().run(page).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []


# Of each key: how long until the target has changed, and until that is on the screen.
STOPWATCH = """([slider, target]) => {
    slider.times = [];
    slider.addEventListener("keydown", () => {
        const start = performance.now(), channel = new MessageChannel();
        new MutationObserver((_, observer) => {
            const since = () => performance.now() - start, changed = since();
            observer.disconnect();
            channel.port1.onmessage = () => slider.times.push([changed, since()]);
            requestAnimationFrame(() => channel.port2.postMessage(0));
        }).observe(target, { childList: true });
    });
}"""
PLAIN = """figure => {
    figure.insertAdjacentHTML("afterend", '<input type="range" max="4" id="plain"><p>2</p>');
    const slider = document.getElementById("plain"), text = slider.nextSibling;
    slider.addEventListener("input", () => (text.textContent = slider.value));
}"""


def test_a_key_changes_the_page_within_4_ms_and_the_screen_within_16(opened, report):
    """Or within as many times as much as a plain slider beside it needs longer than 16 ms."""
    page = opened()
    slider, *_ = parts(page)
    slider.evaluate(f"slider => ({PLAIN})(slider.closest('figure'))")
    plain, times = page.locator("#plain"), []
    for one, target in ((slider, "slider.closest('figure').querySelector('svg')"),
                        (plain, "slider.nextSibling")):  # fmt: skip
        one.evaluate(f"slider => ({STOPWATCH})([slider, {target}])")
    for _ in range(5):
        for key in ["Home", *["ArrowRight"] * 4]:
            for one in (slider, plain):
                one.press(key)
                page.wait_for_timeout(25)
    for one in (slider, plain):
        rows = one.evaluate("slider => slider.times")
        assert len(rows) >= 20
        times.append([statistics.median(column) for column in zip(*rows, strict=True)])
    (changed, painted), (_, beside) = times
    report.append(
        f"slider: page changed in {changed:.1f} ms, painted in {painted:.1f} ms, a plain slider "
        f"beside it in {beside:.1f} ms (medians)"
    )
    busy = max(1, beside / 16)
    assert changed <= 4 * busy and painted <= 16 * busy
