"""What is drawn is what matplotlib drew: references, numbers, colours by what they stand on."""

import io
import re
import xml.etree.ElementTree as ET

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from contrast import contrast
from gallery import GALLERY
from livefigures.frames import Explorer
from livefigures.page import html
from livefigures.svg import Slim, _path, drawn
from matplotlib.figure import Figure
from nbclient import NotebookClient
from sample_palette import COLOURS

from livefigures import live

INK, FIRST = COLOURS["ink"][0], COLOURS["first"][0]


def slimmed(figure, *others):
    """The inside of a page's SVG, as XML, of the last figure."""
    slim = Slim("p")
    pieces = [slim(drawn(one))[1] for one in (figure, *others)][-1]
    return ET.fromstring(f"<svg>{''.join(pieces)}</svg>")


def follows(figure, text):
    """Whether a text follows the page."""
    root = slimmed(figure)
    above = {child: parent for parent in root.iter() for child in parent}
    (element,) = (e for e in root.iter("text") if "".join(e.itertext()) == text)
    while element is not None:
        fill = re.search(r"fill:([^;]*)", element.get("style", ""))
        if fill or element.get("fill"):
            return "var(" in (fill[1] if fill else element.get("fill"))
        element = above.get(element)
    return True


@pytest.mark.parametrize("name", ["hatches", "contourf hatches", "gouraud mesh", "mathtext cm",
                                  "clip paths", "scatter sizes and colours"])  # fmt: skip
def test_every_reference_is_met_in_attributes_and_in_styles(name):
    _, pieces = Slim("p")(drawn(GALLERY[name]()))
    text = "".join(pieces)
    found = re.findall(r"(?:href='|url\()#([^')]+)", text)
    assert found and set(found) <= set(re.findall(r"\bid='([^']+)'", text))
    assert all(name.startswith("p-") for name in found)


@pytest.mark.parametrize(
    ("attribute", "kept"),
    [
        ("style='fill: url(#a)'", "style='fill:url(#p-0)'"),
        ("style='marker-end: url(#a); mask: url(#a)'", "mask:url(#p-0)"),
        ("mask='url(#a)'", "mask='url(#p-0)'"),
        ("filter='url(#a)'", "filter='url(#p-0)'"),
        ("xlink:href='#a'", "href='#p-0'"),
    ],
)
def test_a_reference_is_renamed_wherever_it_stands(attribute, kept):
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    shape = f"<defs><mask id='a'><path d='M 0 0'/></mask></defs><path d='M 1 1' {attribute}/>"
    svg = f'<svg {names} viewBox="0 0 9 9">{shape}</svg>'.replace("'", '"')
    text = "".join(Slim("p")(svg)[1])
    assert kept in text and "id='p-0'" in text and "#a" not in text


def test_a_reference_to_nowhere_is_named_and_a_link_may_lead_anywhere(monkeypatch):
    text = "".join(Slim("p")(drawn(GALLERY["links and ids"]()))[1])
    assert "href='#here'" in text and "href='#elsewhere'" in text
    monkeypatch.setattr("livefigures.svg._Renderer._write_hatches", lambda self: None)
    with pytest.raises(
        RuntimeError, match=r"draw\(T=1\) .* must define what it refers to; got \['h"
    ):
        html(Explorer(lambda T: GALLERY["hatches"](), {"T": [1]}))


@pytest.mark.parametrize(
    "path", ["M 79.875,171.45 L 1,2 3,4 Z", "M 1 2 A 3 4 0 0 1 5 6", "m 1 2 l 3 4"]
)
def test_a_path_that_is_not_understood_passes_unchanged(path):
    assert _path(path, 1) == path


@pytest.mark.parametrize("title", ["bell \x07", "$\\nonsense$", "half \ud800"])
def test_an_error_after_draw_names_the_combination(title):
    def draw(T):
        figure = Figure()
        figure.suptitle(title)
        return figure

    with pytest.raises(RuntimeError, match=r"draw\(T=5\) returned a figure that cannot be drawn"):
        Explorer(draw, {"T": [5]}).frame([5], draw)


@pytest.mark.parametrize("alpha", [0.004, 0.005, 0.0125, 0.5])
def test_a_small_alpha_is_not_rounded_away(alpha):
    figure = Figure()
    figure.subplots().plot([0, 1], alpha=alpha)
    assert f"stroke-opacity:{alpha:g};" in "".join(Slim("p")(drawn(figure))[1])


# ---- colours


def on(colour, text="black", alpha=1.0):
    """A figure with a text on a patch."""
    figure = Figure()
    axes = figure.subplots()
    axes.add_patch(plt.Rectangle((0.2, 0.2), 0.6, 0.6, color=colour, alpha=alpha, lw=0))
    axes.text(0.5, 0.5, "inside", color=text)
    axes.text(0.05, 0.05, "outside", color=text)
    return figure


@pytest.mark.parametrize(
    ("colour", "text", "alpha", "following"),
    [
        ("navy", "white", 1, False),
        ("lightblue", "black", 1, False),
        ("black", "white", 1, False),
        ("white", "black", 1, True),  # the page's own colour is no ground
        (FIRST, "white", 1, False),
        (FIRST, INK, 1, False),
        ("lightblue", "black", 0.8, False),
        ("navy", "black", 0.1, True),  # so faint that the page is beneath
    ],
)
def test_a_text_on_an_area_keeps_its_colour(colour, text, alpha, following):
    figure = on(colour, text, alpha)
    assert follows(figure, "inside") is following
    assert follows(figure, "outside")


def test_what_is_kept_keeps_its_ground_and_all_of_its_colour():
    figure = Figure()
    axes = figure.subplots()
    axes.bar([1, 2], [3, 4], color=FIRST, label="bars")
    axes.text(1, 1, "in", ha="center")
    axes.legend()
    text = "".join(Slim("p")(drawn(figure))[1])
    assert text.count(f"fill:{FIRST}") == 3  # both bars, and the legend
    assert "var(--lf-ink" in text


def test_on_a_figure_of_its_own_ground_everything_keeps_its_colours():
    for name in ("dark background", "coloured figure"):
        assert "var(" not in "".join(Slim("p")(drawn(GALLERY[name]()))[1]), name


def test_on_an_axes_face_of_its_own_a_line_stays_and_the_title_follows():
    figure = GALLERY["seaborn style"]()
    text = "".join(Slim("p")(drawn(figure))[1])
    assert re.search(r"<path[^>]*style='fill:none;stroke:#ffffff", text)  # the grid
    assert re.search(r"<path[^>]*style='fill:none;stroke:#000000", text)  # the line
    assert not follows(figure, "inside")


def test_the_greys_of_a_style_follow_on_the_bare_page():
    figure = GALLERY["seaborn style"]()
    text = "".join(Slim("p")(drawn(figure))[1])
    assert re.search(
        r"fill:color-mix\(in srgb,var\(--lf-ink,.{7}\),var\([^)]*\) 15%\)[^>]*>Grey", text
    )


def test_a_line_over_an_area_and_over_the_page_follows_and_the_page_stays_bare():
    text = "".join(Slim("p")(drawn(GALLERY["spans and grids"]()))[1])
    assert "fill:#ffffff" not in text and "stroke:#000000" not in text


def test_a_pixel_that_is_not_there_is_no_ground():
    figure = GALLERY["image with nan"]()
    assert follows(figure, "none")
    figure = GALLERY["rasterised artists"]()
    assert follows(figure, "beside them") and not follows(figure, "over the points")


def test_a_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#000000", "#ffffff", 0) == pytest.approx(21)
    assert contrast("#000000", "#000000", 1, "#ffffff") == 1


# ---- nothing but the figure


@pytest.mark.parametrize(
    "name", ["mosaic and gridspec", "lines dashes and caps", "coloured figure"]
)
def test_a_figure_is_unchanged_afterwards(name):
    def state(figure):
        places = [axes.get_position().bounds for axes in figure.axes]
        margins = vars(figure.subplotpars).copy()
        return (
            places,
            margins,
            figure.patch.get_visible(),
            figure.get_facecolor(),
            figure.get_edgecolor(),
            figure.dpi,
            figure.canvas,
        )

    figure, twin = GALLERY[name](), GALLERY[name]()
    before = state(figure)
    html(Explorer(lambda: (figure, "A figure."), {}))
    assert state(figure) == before
    pictures = []
    for one in (figure, twin):
        one.savefig(buffer := io.BytesIO(), format="png")
        pictures.append(plt.imread(io.BytesIO(buffer.getvalue())))
    np.testing.assert_array_equal(*pictures)


def test_an_empty_figure_is_refused():
    for made in (html, live.widget):
        with pytest.raises(ValueError, match=r"draw\(T=1\): expected something drawn .* empty one"):
            made(Explorer(lambda T: plt.figure(), {"T": [1, 2]}))


@pytest.mark.parametrize("build", ["1", ""])
def test_in_a_notebook_show_is_refused_and_what_is_printed_stays_away(tmp_path, monkeypatch, build):
    monkeypatch.setenv("LIVEFIGURES_BUILD", build)
    monkeypatch.setenv("LIVEFIGURES_PROGRESS", str(tmp_path / "progress"))
    first = """%matplotlib inline
import matplotlib.pyplot as plt
from livefigures import explore
def draw(T, last=""):
    plt.plot([0, T])
    print("a word of", T)
    exec(last)
    return plt.gcf()
explore(draw, T=[1, 2])"""
    other = "explore(lambda T: draw(T, 'plt.show()'), T=[1, 2])"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in (first, other)])
    book.cells[1].metadata["tags"] = ["raises-exception"]
    NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (output,), (error,) = (cell.outputs for cell in book.cells)
    assert output.output_type == "display_data" and "image/png" not in output.data
    assert error.output_type == "error" and "leave out plt.show()" in error.evalue
    assert "a word of 1" in (tmp_path / "progress").read_text()


def test_a_heavy_figure_warns_and_says_what_to_do():
    def draw(T):
        figure = Figure()
        figure.subplots().plot(np.random.default_rng(T).normal(size=(2000, 30)))
        return figure

    with pytest.warns(
        UserWarning, match=r"draw weighs \d.\d MB in the page: take fewer values, .*rast"
    ):
        html(Explorer(draw, {"T": [1, 2, 3]}))


def test_matplotlibs_settings_are_as_before():
    before = dict(matplotlib.rcParams)
    drawn(GALLERY["mathtext cm"]())
    assert dict(matplotlib.rcParams) == before
