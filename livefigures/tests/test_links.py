"""Links to frames, and numbers in the prose that follow: what is wrong is said at build time."""

import numpy as np
import pytest
from livefigures.frames import Explorer
from livefigures.links import faults
from livefigures.page import html
from matplotlib.figure import Figure


def draw(T, teacher):
    """A frame with numbers."""
    figure = Figure(figsize=(1, 1))
    figure.subplots()
    return figure, f"At {T} and {teacher}.", {"first": -1 / (3 * T), "who": f"the {teacher}"}


@pytest.fixture(scope="module")
def page():
    """Two figures, the second without a name of its own."""
    one = Explorer(draw, {"T": [-1, 2], "teacher": ["A", "two words"]}, {"T": 2}, name="softmax")
    return f"<p>{html(one)}</p>{html(Explorer(draw, {'T': [0.25], 'teacher': ['A']}))}" * 2


@pytest.mark.parametrize(
    "prose",
    [
        '<a class="reference" href="#softmax:T=2">',
        '<a href="#softmax:T=-1,teacher=two%20words">',
        '<a href="#softmax:T=%E2%88%921">',
        '<a href="#softmax-2:T=2"> <a href="#draw-2:T=0.25">',
        '<a href="#section"> <a href="page.html#softmax:T=9"> <a href="https://x.org/#a:b=c">',
        '<span data-follow="softmax:first">−0.17</span> <b data-follow="softmax:who">the A</b>',
        '<span data-follow="draw:first">−1.3</span> <i data-follow="draw:T">0.25</i>',
        '<i data-follow="softmax:T" class="x">2</i> of <i data-follow="softmax:teacher">A</i>',
    ],
)
def test_what_is_right_is_not_spoken_of(page, prose):
    assert faults(prose + page) == faults(page + prose) == []


@pytest.mark.parametrize(
    ("prose", "words"),
    [
        ('<a href="#softmax:T=3">', "#softmax:T=3: no figure softmax has T = 3"),
        ('<a href="#softmax:S=2">', "no figure softmax has S = 2"),
        ('<a href="#softmax:T=2,teacher=C">', "no figure softmax has teacher = C"),
        ('<a href="#softmax-3:T=2">', "no figure softmax-3 has T = 2"),
        ('<i data-follow="softmax:first">0.17</i>', "the figure starts at −0.17; got 0.17"),
        ('<i data-follow="softmax:last">0</i>', "softmax:last: the figure starts at None; got 0"),
        ('<i data-follow="hard:first">0</i>', "hard:first: the figure starts at None; got 0"),
        ('<i data-follow="softmax:teacher">B</i>', "the figure starts at A; got B"),
    ],
)
def test_what_is_wrong_is_said(page, prose, words):
    (fault,) = faults(prose + page)
    assert words in fault


def test_numbers_of_several_pictures_are_found_under_one_name():
    def other(T):
        figure = Figure(figsize=(1, 1))
        figure.subplots().bar(["a"], [T])
        return figure, "Words.", {"second": np.float32(T)}

    pair = html(Explorer([lambda T: draw(T, "A"), other], {"T": [1, 4]}, {"T": 4}, name="two"))
    spans = '<i data-follow="two:second">4.0</i><i data-follow="two:first">−0.08</i>'
    assert faults(spans + pair) == []
