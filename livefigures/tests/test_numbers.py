"""The numbers of a frame: what is read off a figure, what `draw` gives, what a page carries."""

import re

import matplotlib
import numpy as np
import pytest
from livefigures.frames import Explorer
from livefigures.numbers import columns, thinned
from livefigures.page import html
from matplotlib.figure import Figure
from test_explore import data, whole


def read(plot):
    """The columns that are read off what is plotted, once it is drawn."""
    figure = Figure()
    plot(figure.subplots())
    figure.draw_without_rendering()
    return columns(figure, None, "draw()")


@pytest.mark.parametrize(
    ("plot", "found"),
    [
        (lambda a: a.bar(["a", "b"], [1, 1 / 3]), [["x", "a", "b"], ["y", "1", "0.333333"]]),
        (lambda a: a.barh(["a", "b"], [1, 2]), [["y", "a", "b"], ["x", "1", "2"]]),
        (lambda a: a.plot([1, 2], [3, 4]), [["x", "1", "2"], ["y", "3", "4"]]),
        (
            lambda a: [a.plot([1, 2], [n, 4], label=f"line {n}") for n in (1, 2)],
            [["x", "1", "2"], ["line 1", "1", "4"], ["line 2", "2", "4"]],
        ),
        (
            lambda a: [a.plot([1, n], [3, 4]) for n in (2, 3)],
            [["x", "1", "2"], ["y", "3", "4"], ["x", "1", "3"], ["y", "3", "4"]],
        ),
        (lambda a: (a.scatter([1], [2]), a.set_xlabel("size")), [["size", "1"], ["y", "2"]]),
        (
            lambda a: (a.imshow([[1, 2], [3, 4]]), a.set_xticks([0, 1], ["p", "q"])),
            [["", "0", "1"], ["p", "1", "3"], ["q", "2", "4"]],
        ),
        (
            lambda a: a.pcolormesh(np.array([[1, np.nan]])),
            [["", "0"], ["0", "1"], ["1", ""]],
        ),
        (lambda a: a.plot([1, 2], [np.nan, 4]), [["x", "1", "2"], ["y", "", "4"]]),
        (lambda a: a.plot([0], [-12345.67]), [["x", "0"], ["y", "-12345.7"]]),
        (
            lambda a: a.errorbar([1, 2], [3, 4], yerr=1, capsize=3, label="mean"),
            [["x", "1", "2"], ["mean", "3", "4"]],
        ),
        (lambda a: (a.axhline(1), a.axvline(2), a.text(0, 0, "word")), []),
        (lambda a: a.imshow(np.zeros((3, 28))), []),
        (lambda a: a.imshow(np.zeros((3, 3, 3))), []),
        (lambda a: a.figure.colorbar(a.imshow([[1, 2]])), [["", "0"], ["0", "1"], ["1", "2"]]),
    ],
)  # fmt: skip
def test_what_a_figure_shows_is_read(plot, found):
    assert read(plot) == found


def test_bars_beside_each_other_share_the_words_of_their_ticks():
    def plot(axes):
        axes.bar([0, 1], [1, 2], 0.4, label="one")
        axes.bar([0.4, 1.4], [3, 4], 0.4, label="other")
        axes.set_xticks([0.2, 1.2], ["a", "b"])

    assert read(plot) == [["x", "a", "b"], ["one", "1", "2"], ["other", "3", "4"]]


def test_points_between_words_keep_their_numbers():
    def plot(axes):
        axes.plot([0, 0.2, 1], [1, 2, 3])
        axes.set_xticks([0, 1], ["few", "many"])

    assert read(plot)[0] == ["x", "0", "0.2", "1"]


@pytest.mark.parametrize("kind", ["polar", "3d"])
def test_other_kinds_of_axes_do_no_harm(kind):
    figure = Figure()
    figure.add_subplot(projection=kind).plot([0, 1], [1, 2])
    assert bool(columns(figure, None, "draw()")) == (kind == "polar")


def test_what_draw_gives_is_taken_instead():
    given = {"first": np.float64(0.25), "all": np.array([1, 2]), "who": "A", "sure": True}
    found = columns(Figure(), given, "draw()")
    assert found == [["first", "0.25"], ["all", "1", "2"], ["who", "A"], ["sure", "yes"]]


@pytest.mark.parametrize("given", [3, [1, 2], {"a": {}}, {"a": [[1, 2]]}, {"a": object()}])
def test_numbers_without_names_or_of_no_kind_are_refused(given):
    figure = Figure()
    figure.subplots()
    with pytest.raises(ValueError, match=r"draw\(T=1\): expected .* got " + re.escape(repr(given))):
        html(Explorer(lambda T: (figure, "A sentence.", given), {"T": [1, 2]}))


def test_long_columns_are_thinned_and_the_page_says_so():
    frames = [[["x", *map(str, range(100))], ["y", *map(str, range(100))]]]
    ((x, y),), note = thinned(frames)
    assert note == "100 points; 50 shown"
    assert x == ["x", *map(str, range(0, 100, 2))] and len(y) == 51


def test_more_numbers_than_a_page_can_carry_are_left_out():
    frames = [[["y", *(f"{n}.{k}" for k in range(100))]] for n in range(120)]
    assert thinned(frames) == ([[]] * 120, "")
    many = [[["y", f"{n}"] for n in range(k, k + 3)] for k in range(0, 900, 3)]
    assert thinned(many)[0] == many  # a few in each of many frames are all there


def test_a_page_stores_equal_columns_once():
    def draw(T):
        figure = Figure(figsize=(2, 2))
        figure.subplots().plot(range(20), [T] * 20)
        return figure

    page = data(html(Explorer(draw, {"T": [1, 2, 3]})))
    assert len(page["columns"]) == 1 and page["columns"][0].startswith("\nx\t0\t1")
    assert whole(page["tables"][1], page["columns"]).endswith("\ny" + "\t2" * 20)


def test_with_a_kernel_no_time_goes_into_numbers(monkeypatch):
    monkeypatch.setattr("livefigures.numbers.columns", lambda *_: pytest.fail("numbers are read"))
    figure = Figure()
    figure.subplots().plot([1, 2])
    assert Explorer(lambda T: figure, {"T": [1]}).frame([1], lambda T: figure).numbers == []


def test_the_figure_is_as_it_was_after_its_numbers_are_read():
    figure = Figure()
    figure.subplots().bar(["a"], [1])
    figure.draw_without_rendering()
    with matplotlib.rc_context():
        before = [artist.get_children() for artist in figure.axes]
        columns(figure, None, "draw()")
    assert [artist.get_children() for artist in figure.axes] == before
