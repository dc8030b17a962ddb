"""The living slider: what it accepts, what it writes into a page, what it does with a kernel."""

import gzip
import html
import json
import re
import types
from fractions import Fraction
from functools import partial

import ipywidgets as widgets
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from livefigures.frames import Explorer
from livefigures.page import HINT, asset
from livefigures.page import html as page_of
from livefigures.svg import Slim, _path, drawn, table
from livefigures.values import Parameter, label
from matplotlib.figure import Figure
from nbclient import NotebookClient
from sample_palette import COLOURS

from livefigures import Choices, explore, live, show

FIRST, SECOND, THIRD, FOURTH = (COLOURS[name][0] for name in list(COLOURS)[1:])


def bars(T, alpha=1.0):
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.subplots()
    z = np.exp(np.arange(10) / T)
    axes.bar(range(10), alpha * z / z.sum(), color=FIRST)
    axes.set(ylim=(0, 1), xlabel="digit & <class>", ylabel="probability")
    return figure, f"At T = {T:g} and α = {alpha:g}."


def plain(figure=None, **size):
    """A figure with a word on it: an empty one is refused."""
    figure = figure or Figure(**size)
    figure.text(0.5, 0.5, "word")
    return figure


def data(text):
    """What the page's script reads."""
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', text)[1])


def whole(row, chunks):
    """A frame as the page's script puts it together."""
    return "".join(chunks[piece] if isinstance(piece, int) else piece for piece in row)


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    assert plt.get_fignums() == []


@pytest.fixture
def shown(monkeypatch):
    """The bundles that would be displayed."""
    bundles = []
    for place in ("IPython.display.display", "livefigures.live.display"):
        monkeypatch.setattr(place, lambda bundle, raw: bundles.append(bundle))
    monkeypatch.delenv("LIVEFIGURES_BUILD", raising=False)
    return bundles


# ---- what is accepted


@pytest.mark.parametrize(
    ("draw", "parameters", "words"),
    [
        ("no", {"T": [1]}, r"draw must be a function .* got \('no',\)"),
        (bars, {}, "got none"),
        (bars, {"a": [1], "b": [1], "c": [1], "d": [1]}, "at most three parameters; got 4"),
        (bars, {"T": []}, "T must have at least one value"),
        (bars, {"T": "abc"}, "T must be a list of values; got 'abc'"),
        (bars, {"T": 5}, "T must be a list of values; got 5"),
        (bars, {"T": [1, 1]}, r"values of T must differ.* got \[1, 1\]"),
        (bars, {"T": [1, 1.0000000001]}, "must differ"),
        (bars, {"T": ["a", "a"]}, "must differ"),
        (bars, {"T": [2, 1]}, r"values of T must increase; got \[2, 1\]"),
        (bars, {"T": [1, float("nan")]}, "must be finite"),
        (bars, {"T": [1, float("inf")]}, "must be finite"),
        (bars, {"T": [1, 10**400]}, "must be finite"),
        (bars, {"T": [1, Fraction(10**400)]}, "must be finite"),
        (bars, {"T": [1, None]}, "must be numbers, strings or bools"),
        (bars, {"T": range(1, 22), "alpha": range(20)}, "420 combinations of values; at most 400"),
    ],
)
def test_parameters_that_cannot_be_explored_raise_value_error(draw, parameters, words):
    with pytest.raises(ValueError, match=words):
        explore(draw, **parameters)


@pytest.mark.parametrize("start", [{"T": 3}, {"S": 1}])
def test_a_start_outside_the_values_raises_value_error(start):
    with pytest.raises(ValueError, match="start"):
        explore(bars, start=start, T=[1, 2])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(5, "5"), (5.0, "5"), (0.25, "0.25"), (-1, "−1"), (-0.5, "−0.5"), (0.1 + 0.2, "0.3")],
        *[(10**6, "1000000"), (True, "yes"), (False, "no"), ("SGD", "SGD")],
        *[(Fraction(1, 3), "0.333333"), (Fraction(-2), "−2")],
    ],
)
def test_a_value_is_labelled_as_a_reader_writes_it(value, text):
    assert label(value) == text


@pytest.mark.parametrize(
    ("name", "title"),
    [("T", "T"), ("alpha", "α"), ("lambda_", "λ"), ("learning_rate", "learning rate")],
)
def test_a_name_is_titled_as_a_reader_writes_it(name, title):
    assert Parameter.of(name, [1], {}).title == title


# ---- what draw may not do


def returns(result):
    return lambda T: result(T) if callable(result) else result


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (returns(None), r"draw\(T=1\): expected a matplotlib figure .* got None"),
        (returns("figure"), r"draw\(T=1\): expected a matplotlib figure"),
        (returns(lambda T: (plain(), "")), r"draw\(T=1\): expected a sentence .* got ''"),
        (returns(lambda T: (plain(), 3)), r"draw\(T=1\): expected a sentence .* got 3"),
        (returns(lambda T: (plain(), "One.") if T == 1 else plain()), r"draw\(T=5\) gives no"),
        (returns(lambda T: plain() if T == 1 else (plain(), "One.")), r"draw\(T=1\) gives no"),
        (returns(lambda T: plain(figsize=(T, 3))), r"same size: draw\(T=5\) has .*360 216"),
    ],
)
def test_what_draw_returns_is_checked_and_the_combination_named(draw, words):
    with pytest.raises(ValueError, match=words):
        page_of(Explorer(draw, {"T": [1, 5]}))


def test_a_draw_that_raises_is_named_with_its_combination_and_cause():
    def draw(T, alpha):
        plt.figure()
        raise KeyError("lost")

    with pytest.raises(RuntimeError, match=r"draw\(T=5, alpha=0.5\) raised KeyError: 'lost'") as e:
        page_of(Explorer(draw, {"T": [5], "alpha": [0.5]}))
    assert isinstance(e.value.__cause__, KeyError)


def test_a_leaked_figure_is_closed_and_reported():
    def draw(T):
        plt.figure()
        return plain(plt.figure())

    with pytest.raises(ValueError, match=r"draw\(T=1\) leaves 1 figure\(s\) open"):
        page_of(Explorer(draw, {"T": [1, 2]}))


def test_figures_that_were_open_before_stay_open():
    mine = plt.figure()
    page_of(Explorer(lambda T: plain(plt.figure()), {"T": [1, 2]}))
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def test_an_interruption_leaves_no_figure_open():
    def draw(T):
        plt.figure()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        page_of(Explorer(draw, {"T": [1, 2]}))


# ---- the page


def test_every_combination_is_drawn_once_the_last_parameter_moving_first():
    calls = []

    def draw(**values):
        calls.append(tuple(values.values()))
        return bars(**values)

    page = data(page_of(Explorer(draw, {"T": [1, 2], "alpha": [0.5, 1]})))
    assert calls == [(1, 0.5), (1, 1), (2, 0.5), (2, 1)]
    assert page["captions"][1] == "At T = 1 and α = 1."
    assert [labels for *_, labels, _ in page["parameters"]] == [["1", "2"], ["0.5", "1"]]
    assert len(page["frames"]) == 4


def test_the_table_gives_back_every_frame():
    frames = [list("abcabd"), list("abcd"), list("xabc"), list("abcabd")]
    chunks, rows = table(frames)
    assert [whole(row, chunks) for row in rows] == ["".join(frame) for frame in frames]
    once = [*chunks, *(piece for row in rows for piece in row if isinstance(piece, str))]
    assert len(set(once)) == len(once)


def test_what_all_frames_share_is_one_piece_though_parts_of_it_repeat():
    chunks, rows = table([[*"<a>1<a>", word, *"<b>2<b>"] for word in ("x", "y", "z")])
    assert chunks == ["<a>1<a>", "<b>2<b>"] and rows[1] == [0, "y", 1]


def test_the_page_starts_with_a_frame_of_its_table():
    text = page_of(Explorer(bars, {"T": [1, 2, 5]}, {"T": 2}))
    page = data(text)
    frame = whole(page["frames"][1], page["chunks"])
    assert re.search(r"<svg [^>]*>(.*?)</svg>", text)[1] == frame
    assert 'role="img" aria-label="At T = 2 and α = 1."' in text
    assert '<figcaption aria-hidden="true">At T = 2 and α = 1.</figcaption>' in text


@pytest.mark.parametrize(
    ("values", "kind", "labels"),
    [
        ([1, 2, 5], "whole", ["1", "2", "5"]),
        ([0.5, 1], "continuous", ["0.5", "1"]),
        (Choices([10, 2]), "stops", ["10", "2"]),
        (["A", "B"], "radio", ["A", "B"]),
        (Choices(["A", "B"]), "radio", ["A", "B"]),
        (list("ABCDEFG"), "select", list("ABCDEFG")),
        ([True, False], "checkbox", ["yes", "no"]),
        ([True], "one", ["yes"]),
        (["A"], "one", ["A"]),
    ],
)
def test_the_page_says_what_each_control_must_be(values, kind, labels):
    text = page_of(Explorer(lambda T: bars(1), {"T": values}))
    assert data(text)["parameters"] == [["T", "T", kind, labels, 0]]


def test_the_values_of_the_start_stand_in_the_page_without_a_script():
    parameters = {"T": [1, 2, 5], "teacher": ["A<", "B"], "hidden": [False, True]}
    draw = lambda T, teacher, hidden: bars(T)  # noqa: E731
    text = page_of(Explorer(draw, parameters, {"T": 2}))
    assert f">T = 2, teacher: A&lt;, hidden: no{HINT}</p>" in text and "<noscript>" in HINT


def test_several_functions_draw_side_by_side_under_one_set_of_controls():
    def other(T):
        figure = Figure(figsize=(2, T))
        figure.subplots()
        return figure, f"The other at T = {T}."

    with pytest.raises(ValueError, match=r"same size: other\(T=2\) has .* other\(T=1\) has"):
        page_of(Explorer([bars, other], {"T": [1, 2]}))
    text = page_of(Explorer([bars, bars], {"T": [1, 2, 5]}, {"T": 2}))
    page = data(text)
    assert page["captions"][1:4] == ["At T = 1 and α = 1.", *["At T = 2 and α = 1."] * 2]
    assert len(page["frames"]) == 6 and len(re.findall("<svg [^>]*At T = 2 ", text)) == 2


@pytest.mark.parametrize(
    ("draw", "name", "found"),
    [
        (bars, None, "bars"),
        (partial(bars, alpha=1), None, "bars"),
        (lambda T: bars(T), None, "figure"),
        (types.SimpleNamespace.__call__, "two-bars", "two-bars"),
    ],
)
def test_a_figure_has_a_name_for_addresses(draw, name, found):
    assert Explorer(draw, {"T": [1]}, name=name).name == found


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "a b"}, "name must have letters, digits and hyphens alone; got 'a b'"),
        ({"link": ["T", "S"]}, r"link names \['S'\], not among \['T'\]"),
    ],
)
def test_a_name_or_a_link_that_cannot_be_used_raises_value_error(options, words):
    with pytest.raises(ValueError, match=words):
        explore(bars, T=[1, 2], **options)


def test_without_a_description_the_parameters_describe_the_figure():
    text = page_of(Explorer(lambda T, alpha: bars(T)[0], {"T": [1], "alpha": [0.5]}))
    assert 'aria-label="Figure for T = 1, α = 0.5."' in text


def test_two_equal_explorers_share_no_id_and_every_reference_is_met():
    one, other = (page_of(Explorer(bars, {"T": [1, 2]})) for _ in range(2))
    found = [set(re.findall(r"""\bid=['"]([^'"]+)""", text)) for text in (one, other)]
    assert not found[0] & found[1]
    for text, ids in zip((one, other), found, strict=True):
        assert set(re.findall(r"#([\w-]+-\d+)\b", text)) <= ids
    prefixes = [re.search(r"'(x\w+(-\d+)?)-0'", text)[1] for text in (one, other)]
    assert one == other.replace(prefixes[1], prefixes[0])  # and nothing else differs


def test_a_description_cannot_break_the_page():
    evil = '</script><script>"x" & <!-- <b>'
    text = page_of(Explorer(lambda T: (plain(), evil), {"T": [1, 2]}))
    assert data(text)["captions"] == [evil, evil]
    assert text.count("</script>") == 1 and "<!--" not in text
    assert f'aria-label="{html.escape(evil)}"' in text


def test_the_page_gets_its_own_font_and_colours_and_nothing_of_matplotlib():
    text = page_of(Explorer(bars, {"T": [1]}))
    assert "probability" in text and "digit &amp; &lt;class&gt;" in text
    assert "var(--lf-first,#1f5fbf)" in text and "#000000" not in text
    for word in ("font-family", "DejaVu", "<?xml", "DOCTYPE", "metadata", "matplotlib"):
        assert word not in text
    assert "<style" not in text.partition("<svg")[2]


def test_a_still_figure_has_the_same_markup_and_no_controls(shown, monkeypatch):
    monkeypatch.setenv("LIVEFIGURES_BUILD", "sphinx")
    show(bars(2)[0], "A still figure.")
    (bundle,) = shown
    assert list(bundle) == ["text/html"]
    assert bundle["text/html"].startswith('<figure class="explorer" aria-label="Figure"><style>')
    assert 'viewBox="0 0 403.2 230.4"' in bundle["text/html"]
    assert "<input" not in bundle["text/html"] and "<script" not in bundle["text/html"]


def test_the_first_figure_of_a_kernel_brings_script_and_style_sheet(shown, monkeypatch):
    monkeypatch.setattr("livefigures.page._first", iter([True]))
    for value in ("sphinx", "1", "1"):  # Sphinx gives them to its pages itself
        monkeypatch.setenv("LIVEFIGURES_BUILD", value)
        show(bars(2)[0], "A still figure.")
    pages, first, other = (bundle["text/html"] for bundle in shown)
    sheet, script = asset("css"), asset("js")
    assert first.startswith(f"<style>{sheet}</style><script>{script}</script><figure")
    assert "</" not in sheet and "</script" not in script and "<!--" not in script
    assert pages.startswith("<figure") and other.startswith("<figure")


@pytest.mark.parametrize(
    ("figure", "text", "words"),
    [
        (None, "x", "show: expected a matplotlib figure"),
        (plain(), " ", "show: expected a sentence"),
    ],
)
def test_show_checks_what_it_is_given(figure, text, words):
    with pytest.raises(ValueError, match=words):
        show(figure, text)


def test_a_path_keeps_its_points_when_it_is_shortened():
    points = np.cumsum(np.random.default_rng(0).normal(size=(500, 2)), axis=0) * 7
    text = "M " + " \nL ".join(f"{x:.6f} {y:.6f}" for x, y in points) + " \nz\nM 1 2 \nL -0.5 3 \n"
    steps = re.findall(r"-?\d*\.?\d+", _path(text, 1).partition("z")[0])
    again = np.cumsum(np.array(steps, float).reshape(-1, 2), axis=0)
    np.testing.assert_allclose(again, points, atol=0.0501)
    # After z, a move counts from the start of the shape before.
    assert _path("M 5 5 \nL 6 5.5 \nz\nM 1 2 \nL -0.5 3 \n", 1) == "m5 5 1 .5zm-4-3-1.5 1"


def test_all_that_matplotlib_draws_survives_slimming():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], "o--", label=r"$\alpha$ line")
    left.legend()
    left.set_title("bold", weight="bold")
    right.imshow(np.eye(3))
    right.text(0, 0, "a\nb", rotation=30)
    _, pieces = Slim("p")(drawn(figure))
    text = "".join(pieces)
    for part in (
        "stroke-dasharray",
        "<use",
        "data:image/png",
        "font-weight:700",
        "α",
        "rotate(-30",
    ):
        assert part in text


def test_thirty_frames_of_bars_weigh_at_most_fifteen_kilobytes():
    text = page_of(Explorer(bars, {"T": list(range(1, 31))})).encode()
    assert len(gzip.compress(text, 6)) <= 15_000
    assert len(text) <= 100_000  # and little enough where a server does not compress


def test_eighty_frames_of_lines_weigh_at_most_ninety_kilobytes():
    def lines(T, alpha):
        figure = Figure(figsize=(5.6, 3.2), layout="constrained")
        axes, random = figure.subplots(), np.random.default_rng(int(100 * T + 7000 * alpha))
        for k, colour in enumerate((FIRST, SECOND, THIRD, FOURTH)):
            curve = np.exp(-np.arange(100) / (10 * T + 5 * k)) + 0.02 * random.normal(size=100)
            axes.plot(curve, color=colour, label=f"line {k}")
        axes.set_ylim(-0.1, 1.2)
        axes.legend(loc="upper right")
        return figure, f"At T = {T:g} and α = {alpha:g}."

    values = {"T": [0.5, 1, 2, 3, 4, 6, 8, 12], "alpha": np.linspace(0.1, 1, 10)}
    text = page_of(Explorer(lines, values)).encode()
    assert len(gzip.compress(text, 6)) <= 90_000
    assert len(text) <= 400_000


def test_a_kernel_that_builds_shows_the_page_alone_and_progress_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("LIVEFIGURES_BUILD", "1")
    monkeypatch.setenv("LIVEFIGURES_PROGRESS", str(tmp_path / "progress"))
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    source = (
        "import time, matplotlib.pyplot as plt\n"
        "from livefigures import explore\n"
        "def slow(T):\n"
        "    time.sleep(0.6)\n"
        "    return plt.subplots()[0], 'A sentence.'\n"
        "explore(slow, T=[1, 2, 3])"
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (output,) = book.cells[0].outputs
    assert list(output.data) == ["text/html"]
    assert "slow" in (tmp_path / "progress").read_text()


# ---- with a kernel


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 10], widgets.IntSlider),
        ([0, 0.5, 1], widgets.FloatSlider),
        ([0.5, 1, 2, 5, 10, 20], widgets.FloatLogSlider),
        (np.array([0.1, 0.2]), widgets.FloatSlider),
        ([Fraction(1, 3), 1, 2], widgets.FloatSlider),
        (["SGD", "Adam"], widgets.RadioButtons),
        (list("abcdefg"), widgets.Dropdown),
        ([False, True], widgets.Checkbox),
        (Choices([1, 2, 10]), widgets.SelectionSlider),
        (Choices([10, 2]), widgets.SelectionSlider),
        ([3], widgets.Text),
    ],
)
def test_a_live_control_suits_its_values(values, kind):
    parameter = Parameter.of("T", values, {})
    control = live.control(parameter)
    assert type(control) is kind and control.description == "T"
    assert live.read(parameter, control) == values[0]
    if len(values) == 1:
        assert control.disabled


@pytest.mark.parametrize("start", [0.5, 1, 2, 5, 10, 20])
def test_a_logarithmic_slider_can_stand_where_it_starts(start):
    parameter = Parameter.of("T", [0.5, 1, 2, 5, 10, 20], {"T": start})
    control = live.control(parameter)
    steps = (np.log10(start) - control.min) / control.step
    assert control.max == pytest.approx(np.log10(20))
    assert start == 20 or steps == pytest.approx(round(steps))
    control.value = start * (1 + 1e-9)  # a browser's rounding
    assert live.read(parameter, control) == start


def test_a_continuous_slider_gives_values_between_those_listed():
    parameter = Parameter.of("T", [0.5, 1, 2], {})
    control = live.control(parameter)
    control.value = 1.23456789
    assert live.read(parameter, control) == 1.235


def parts_of(draw, **parameters):
    """The live explorer's parts: controls, the picture, its status."""
    *controls, picture, status = live.widget(Explorer(draw, parameters)).children
    return controls, picture, status


def test_a_move_calls_draw_and_changes_the_picture_and_its_description():
    (T, alpha), picture, status = parts_of(bars, T=[1, 2, 10], alpha=[0.5, 0.75, 1])
    assert 'aria-label="At T = 1 and α = 0.5."' in picture.value
    T.value, alpha.value = 7, 0.8
    assert 'aria-label="At T = 7 and α = 0.8."' in picture.value
    assert status.value == ""


def test_live_figures_that_link_a_parameter_move_together_where_they_have_the_value():
    def at(link=("T",), **parameters):
        box = live.widget(Explorer(lambda T, **_: bars(T), parameters, link=link))
        return box, box.children[0]

    boxes, (first, second, stops, apart) = zip(
        at(T=[1, 2, 5]), at(T=[0.5, 1, 2.5, 5], mode=["a", "b"]), at(T=Choices([1, 5])),
        at((), T=[1, 5]), strict=True,
    )  # fmt: skip
    first.value = 5
    assert (first.value, second.value, stops.value, apart.value) == (5, 5, 5, 1)
    assert "At T = 5" in boxes[1].children[2].value
    second.value = 2.5
    assert (first.value, second.value, stops.value) == (5, 2.5, 5)
    boxes[2].close()
    first.value = 1
    assert (first.value, second.value, stops.value) == (1, 1, 5)


def test_live_pictures_of_several_functions_move_together():
    box = live.widget(Explorer([bars, bars], {"T": [1, 2]}))
    box.children[0].value = 2
    assert box.children[1].value.count('aria-label="At T = 2 and α = 1."') == 2


@pytest.mark.parametrize("values", [["a", "b"], [False, True]])
def test_what_is_no_slider_moves_a_slow_draw_too(monkeypatch, values):
    clock = [0.0]
    monkeypatch.setattr(live, "time", types.SimpleNamespace(perf_counter=lambda: clock[0]))

    def draw(mode):
        clock[0] += 0.8 * live.SLOW  # neither slow nor quick
        return bars(1)[0], f"The mode is {mode}."

    (mode,), picture, status = parts_of(draw, mode=values)
    mode.value = values[1]
    assert f"The mode is {values[1]}." in picture.value and status.value == ""


def test_a_live_error_is_shown_and_the_last_good_figure_stays():
    def draw(T):
        if T == 2:
            raise KeyError("<lost>")
        return bars(T)

    (T,), picture, status = parts_of(draw, T=[1, 2, 3])
    before = picture.value
    T.value = 2
    assert picture.value == before
    assert 'role="alert"' in status.value and "draw(T=2) raised KeyError" in status.value
    assert "&lt;lost&gt;" in status.value and "Traceback" in status.value
    T.value = 3
    assert status.value == "" and "T = 3" in picture.value


def test_a_first_draw_that_fails_raises_where_it_was_called():
    with pytest.raises(RuntimeError, match=r"draw\(T=1\) raised"):
        live.widget(Explorer(lambda T: 1 / 0, {"T": [1, 2]}))


def test_a_slow_draw_waits_for_the_release_and_says_that_it_works(monkeypatch):
    clock, pause = [0.0], {"seconds": 2 * live.SLOW}
    monkeypatch.setattr(live, "time", types.SimpleNamespace(perf_counter=lambda: clock[0]))

    def draw(T):
        clock[0] += pause["seconds"]
        return plain(figsize=(1, 1))

    (T,), _, status = parts_of(draw, T=[1, 2, 9])
    assert not T.continuous_update
    lines = []
    status.observe(lambda change: lines.append(change.new), "value")
    T.value = 2
    assert "Drawing…" in lines[0] and lines[-1] == ""
    pause["seconds"] = 0
    T.value = 3
    assert T.continuous_update  # quick again


def test_closing_a_live_explorer_closes_all_that_it_made():
    before = set(widgets.widget._instances)
    parameters = {"T": [1, 2], "mode": ["a", "b"], "alpha": [1]}
    box = live.widget(Explorer(lambda T, mode, alpha: bars(T), parameters))
    assert set(widgets.widget._instances) > before
    box.close()
    assert set(widgets.widget._instances) == before


def test_a_kernel_gets_a_view_and_a_stored_notebook_next_to_nothing(shown, monkeypatch):
    shell = types.SimpleNamespace(
        kernel=object(), execution_count=1, parent_header={"metadata": {"cellId": "here"}}
    )
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    before = set(widgets.widget._instances)
    explore(bars, T=[1, 2])
    assert len(json.dumps(shown[0])) < 250
    assert set(shown[0]) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    show(bars(1)[0], "The same cell shows another.")
    open_now = len(set(widgets.widget._instances) - before)
    shell.execution_count = 2
    explore(bars, T=[1, 2])  # the cell runs again: the widgets of its last run are closed
    assert len(set(widgets.widget._instances) - before) < open_now


@pytest.mark.parametrize("metadata", [{}, {"cellId": None}, {"cellId": ""}])
def test_where_cells_have_no_id_no_cell_closes_anothers_figure(shown, monkeypatch, metadata):
    shell = types.SimpleNamespace(
        kernel=object(), execution_count=1, parent_header={"metadata": metadata}
    )
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    explore(bars, T=[1, 2])
    first = set(widgets.widget._instances)
    shell.execution_count = 2
    explore(bars, T=[1, 2])
    assert first <= set(widgets.widget._instances)


def test_plain_python_prints_the_description(shown, monkeypatch, capsys):
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    explore(bars, start={"T": 2}, T=[1, 2])
    assert capsys.readouterr().out.startswith("At T = 2 and α = 1.") and shown == []
