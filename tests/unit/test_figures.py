"""Every plot that chapters share: its own, in the palette, with what it was given on it."""

import inspect
import re
from itertools import pairwise

import numpy as np
import pytest
from livefigures.palette import palette
from looks import check_apart, check_looks, places, texts, without_colour
from matplotlib.figure import Figure

from distill_lib import Estimate, calibration_bins, digits, figures
from distill_lib.figures import COLOURS
from pictures import shared

DARK = {name: colour.dark for name, colour in palette().items()}
DIGITS = digits().test.inputs[:3]
P = np.array([0.1, 0.6, 0.3])
LOGITS = np.random.default_rng(0).normal(0, 2, (100, 3))
BINS = calibration_bins(LOGITS, LOGITS.argmax(1))
ESTIMATES = [Estimate(m, m - 1, m + 1, 20) for m in (80.0, 85.0, 87.0)]
DRAWN = {
    "bars": lambda: figures.bars(P, ["two", "three", "eight"], numbers=".2f", title="a title"),
    "bars_by_name": lambda: figures.bars({"teacher": P, "student": P[::-1]}, ["2", "3", "8"]),
    "curves": lambda: figures.curves(
        [1, 2, 4], {"a": P, "b": ESTIMATES}, xlabel="T", log_x=True, mark=2
    ),
    "estimates": lambda: figures.estimates(
        {"baseline": ESTIMATES[0], "traditional": ESTIMATES[1]}, zero=True
    ),
    "heatmap": lambda: shared.heatmap(
        [[0, 0.5, np.nan], [1, 2, -1]], ["r", "s"], ["x", "y", "z"], numbers=".1f", mark=(1, 2)
    ),
    "digit_images": lambda: shared.digit_images(DIGITS, ["a", "b", "c"]),
    "digit_with_bars": lambda: shared.digit_with_bars(DIGITS[0], np.full(10, 0.1)),
    "reliability": lambda: shared.reliability(
        {
            "teacher": calibration_bins(LOGITS, LOGITS.argmax(1)),
            "student": calibration_bins(LOGITS, np.zeros(100, int)),
        }
    ),
    "stacked_curves": lambda: shared.stacked_curves(
        [1, 2, 4], {"above": {"a": P}, "below": {"a": P, "b": P}}
    ),
}


def test_every_kind_of_figure_is_tried_here():
    kinds = {
        name
        for module in (figures, shared)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    helpers = {"new", "colour_codes", "draw_lines", "fill", "legend_above", "logarithmic"}
    helpers |= {"squares", "write_above", "draw_digit"}
    assert kinds <= set(DRAWN) | helpers, "add the new kinds of figure to DRAWN above"


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_a_figure_is_its_callers_own_in_the_palette_without_a_warning_and_readable(draw):
    check_looks(draw)


def test_both_palettes_name_the_same_colours_as_hexadecimal():
    assert set(COLOURS) == set(DARK)
    for code in [*COLOURS.values(), *DARK.values()]:
        assert re.fullmatch("#[0-9a-f]{6}", code)
    assert len(set(COLOURS.values())) == len(COLOURS)  # a page tells them apart by their code


def luminance(code):
    channels = np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("palette", [COLOURS, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", sorted(set(COLOURS) - {"paper", "grid", "soft"}))
def test_colours_stand_out_from_the_paper_as_wcag_asks_of_text(palette, name):
    bright, dim = sorted((luminance(palette[name]), luminance(palette["paper"])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= 4.5


# without colour


def series(kind, count):
    """A figure of as many series of a kind."""
    names = "abcdef"[:count]
    if kind == "bars":
        return figures.bars(dict.fromkeys(names, P), ["2", "3", "8"])
    if kind == "reliability":
        return shared.reliability(dict.fromkeys(names, BINS))
    x = np.arange(3 if kind == "few x" else 50)
    return figures.curves(x, {name: x + k for k, name in enumerate(names)})


@pytest.mark.parametrize("kind", ["bars", "reliability", "few x", "many x"])
def test_as_many_series_as_there_are_colours_are_told_apart_without_them(kind):
    figure = series(kind, 6)
    check_apart(figure)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    looks = [without_colour(handle) for handle in handles if handle.get_label() in "abcdef"]
    assert len(set(looks)) == 6 and set("abcdef") <= set(labels)


def test_a_marker_is_drawn_where_there_is_room_for_it():
    few, many = (series(kind, 2).axes[0].lines for kind in ("few x", "many x"))
    assert [line.get_marker() for line in (*few, *many)] == ["o", "s", "None", "None"]


def test_lines_that_a_newcomer_draws_differ_in_dash_and_are_of_the_palette():
    figure, (axes,) = figures.new()
    for k in range(6):
        axes.plot([1, 2, 3], [k, k, k], label=str(k))
    check_apart(figure)
    assert {line.get_color() for line in axes.lines} == {COLOURS[name] for name in figures.CYCLE}


@pytest.mark.parametrize("kind", ["lines", "lines without a name", "bars", "dots"])
def test_series_that_differ_by_colour_alone_are_found(kind):
    figure, (axes,) = figures.new()
    for colour in ("#1f5fbf", "#c2410c"):
        if kind == "bars":
            axes.bar([1, 2], [1, 2], color=colour, label=colour)
        elif kind == "dots":
            axes.scatter([1, 2], [1, 2], color=colour, label=colour)
        else:
            label = colour if kind == "lines" else "_"
            axes.plot([1, 2, 3], [1, 2, 3], "-", color=colour, label=label)
    with pytest.raises(AssertionError, match="told apart by colour alone"):
        check_apart(figure)


def test_a_legend_of_long_names_has_more_rows_and_stays_within_the_figure():
    names = [f"quite a long name {k}" for k in range(5)]
    figure = figures.curves([1, 2, 3], {name: P + k for k, name in enumerate(names)})
    figure.draw_without_rendering()
    (box,) = [legend.get_window_extent() for legend in figure.legends]
    assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    assert figures.bars(P, ["2", "3", "8"]).legends == []


@pytest.mark.parametrize("page", [COLOURS, DARK], ids=["light", "dark"])
def test_a_number_is_readable_on_the_deepest_square(page):
    figure = shared.heatmap([[1.0]], ["r"], ["x"], numbers=".1f")
    opacity = figure.axes[0].patches[0].get_facecolor()[3]
    square, paper = (
        np.array([int(page[name][i : i + 2], 16) for i in (1, 3, 5)])
        for name in ("teacher", "paper")
    )
    mixed = (opacity * square + (1 - opacity) * paper).round().astype(int)
    code = "#" + "".join(f"{channel:02x}" for channel in mixed)
    bright, dim = sorted((luminance(code), luminance(page["ink"])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= 4.5


# frames keep their place


@pytest.mark.parametrize("value", [0.0, 0.4, 0.97, 1.0])
def test_bars_keep_their_place_whatever_number_stands_above_them(value):
    def draw(value):
        return figures.bars([value, 0.5], ["a", "b"], numbers=".2f")

    np.testing.assert_allclose(places(draw(value)), places(draw(0.5)), atol=0.01)


# what is on them


def test_bars_are_as_high_as_their_values_and_say_them():
    figure = DRAWN["bars"]()
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == pytest.approx(P)
    assert {"0.10", "0.60", "0.30", "two", "three", "eight", "a title"} <= set(texts(figure))


def test_bars_of_several_series_have_a_legend_and_stand_side_by_side():
    figure = DRAWN["bars_by_name"]()
    bars = figure.axes[0].patches
    assert [bar.get_height() for bar in bars] == pytest.approx([*P, *P[::-1]])
    edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars)
    assert all(right <= left for (_, right), (left, _) in pairwise(edges))
    assert {"teacher", "student"} <= set(texts(figure))


def test_curves_go_through_their_values_and_estimates_get_a_band():
    (axes,) = DRAWN["curves"]().axes
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_allclose(lines["a"], P)
    np.testing.assert_allclose(lines["b"], [80, 85, 87])
    (band,) = axes.collections
    assert (band.get_paths()[0].vertices[:, 1].min(), band.get_paths()[0].vertices[:, 1].max()) == (
        79,
        88,
    )
    assert [t.get_text() for t in axes.get_xticklabels()] == ["1", "2", "4"]


def test_estimates_show_their_mean_and_their_interval():
    (axes,) = DRAWN["estimates"]().axes
    spans = [tuple(line.get_xdata()) for line in axes.lines]
    assert spans[:4] == [(79, 81), (80,), (84, 86), (85,)]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["baseline", "traditional"]
    assert axes.yaxis_inverted()  # the first on top


def test_a_heatmap_is_deeper_for_larger_values_and_does_not_go_beyond_its_limits():
    figure = DRAWN["heatmap"]()
    depth = {}
    for patch in figure.axes[0].patches:
        if patch.get_fill():
            square = (round(patch.get_y() + 0.47), round(patch.get_x() + 0.47))
            depth[square] = patch.get_facecolor()[3]
    assert depth[0, 0] < depth[0, 1] < depth[1, 0] == depth[1, 1]
    assert depth[1, 2] == depth[0, 0] and (0, 2) not in depth
    assert {"0.5", "2.0", "r", "s", "x", "y", "z"} <= set(texts(figure))


def test_digits_are_drawn_by_opacity_and_titled():
    figure = DRAWN["digit_images"]()
    for axes, pixels in zip(figure.axes, DIGITS, strict=True):
        np.testing.assert_allclose(axes.images[0].get_array()[..., 3], pixels.reshape(8, 8))
    assert texts(figure) == ["a", "b", "c"]


def test_reliability_draws_a_dot_per_filled_bin():
    confidence, correct, count = calibration_bins(LOGITS, LOGITS.argmax(1))
    dots = DRAWN["reliability"]().axes[0].collections[0]
    offsets = np.ma.filled(dots.get_offsets(), np.nan)
    np.testing.assert_allclose(offsets, np.stack([confidence, correct], axis=1))
    sizes = np.broadcast_to(dots.get_sizes(), count.shape)
    assert (np.argsort(sizes, kind="stable") == np.argsort(count, kind="stable")).all()


def test_stacked_curves_go_through_their_values_in_the_panel_they_belong_to():
    panels = {"loss": {"a": P}, "accuracy": {"a": ESTIMATES, "b": P[::-1]}}
    above, below = shared.stacked_curves([1, 2, 4], panels).axes
    assert [above.get_ylabel(), below.get_ylabel()] == ["loss", "accuracy"]
    drawn_lines = [line.get_xydata().T for line in (*above.lines, *below.lines)]
    for (x, y), values in zip(drawn_lines, [P, [80, 85, 87], P[::-1]], strict=True):
        np.testing.assert_allclose(x, [1, 2, 4])
        np.testing.assert_allclose(y, values)


def logarithmic(low, high):
    """The texts at the ticks between two limits, and those that matplotlib writes, by value."""
    ours = figures.bars([low], ["a"], ylim=(low, high), log_y=True).axes[0]
    theirs = Figure().subplots()
    theirs.set(yscale="log", ylim=(low, high))
    written = []
    for axes in (ours, theirs):
        axes.figure.draw_without_rendering()
        ticks = [*axes.yaxis.get_major_ticks(), *axes.yaxis.get_minor_ticks()]
        # 10^-5 is 9.999999999999999e-06 on some processors, and is drawn at the end all the same.
        ticks = [tick for tick in ticks if 0.999 * low <= tick.get_loc() <= 1.001 * high]
        written.append({f"{tick.get_loc():.6g}": tick.label1.get_text() for tick in ticks})
    return written


def test_a_logarithmic_axis_is_written_in_plain_numbers():
    assert list(logarithmic(0.01, 100)[0].values()) == ["0.01", "0.1", "1", "10", "100"]
    wide, _ = logarithmic(1e-5, 1e5)
    assert list(wide.values()) == ["10⁻⁵", "0.001", "0.1", "10", "1000", "10⁵"]


@pytest.mark.parametrize("limits", [(0.2, 0.9), (1, 200), (0.01, 100), (1e-5, 1e5)])
def test_a_logarithmic_axis_says_nothing_where_matplotlib_says_nothing(limits):
    ours, theirs = logarithmic(*limits)
    assert {at for at, text in ours.items() if text} == {at for at, text in theirs.items() if text}


def test_a_narrow_logarithmic_axis_still_has_numbers():
    assert list(logarithmic(30, 70)[0].values()) == ["30", "40", "50", "60", "70"]


# nothing is left out of a picture unseen

TOO_FEW = {
    "curves": lambda: figures.curves([1, 2, 4], dict.fromkeys("abcdefgh", P)),
    "curves_of_two": lambda: figures.curves([1, 2, 4], {"a": P, "b": P}, colours=["teacher"]),
    "stacked_curves": lambda: shared.stacked_curves([1, 2, 4], {"y": dict.fromkeys("abcdefg", P)}),
    "bars": lambda: figures.bars(dict.fromkeys("abcdefg", P), ["2", "3", "8"]),
    "reliability": lambda: shared.reliability(dict.fromkeys("abcdefg", BINS)),
    "estimates": lambda: figures.estimates(dict.fromkeys("ab", ESTIMATES[0]), colours=["label"]),
}


@pytest.mark.parametrize("draw", TOO_FEW.values(), ids=TOO_FEW)
def test_fewer_colours_than_things_to_draw_raise_value_error(draw):
    with pytest.raises(ValueError, match=r"[278] to draw need as many colours; got [16]: "):
        draw()


def test_a_colour_that_the_palette_lacks_raises_value_error():
    with pytest.raises(ValueError, match=r"no colours of the palette: \['blue'\]; it has \['"):
        figures.curves([1, 2, 4], {"a": P}, colours=["blue"])


def test_colours_may_be_left_over():
    figure = figures.estimates({"a": ESTIMATES[0]}, colours=["muted", *figures.CYCLE])
    assert figure.axes[0].lines[0].get_color() == COLOURS["muted"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: shared.heatmap(np.ones((3, 2)), ["r"], ["x"]),
        lambda: shared.heatmap(np.ones(2), ["r"], ["x", "y"]),
    ],
)
def test_squares_without_a_name_raise_value_error(draw):
    with pytest.raises(ValueError, match=r"rows and .* columns are named; got \("):
        draw()


@pytest.mark.parametrize("values", [0.5, [0.5], [[0.1, 0.6, 0.3]]])
def test_bars_need_a_value_for_each_name(values):
    with pytest.raises(ValueError, match=r"a value for each of \['2', '3', '8'\]; got shape"):
        figures.bars(values, ["2", "3", "8"])


@pytest.mark.parametrize("few", [{"ylims": [(0, 1)]}, {"colours": [["label"]]}])
def test_stacked_panels_need_limits_and_colours_for_each(few):
    panels = {"above": {"a": P}, "below": {"a": P}}
    with pytest.raises(ValueError, match="2 panels need as many limits and lists of colours"):
        shared.stacked_curves([1, 2, 4], panels, **few)


def test_three_stacked_panels_need_not_name_their_colours():
    figure = shared.stacked_curves([1, 2, 4], {name: {"a": P} for name in "abc"})
    assert len(figure.axes) == 3
