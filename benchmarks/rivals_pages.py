"""The two figures as a page each, by living figures and by their rivals; see rivals.py.

    python benchmarks/rivals_pages.py FOLDER [livefigures bokeh ...]

Every page is what its maker writes for a reader without a kernel, with its scripts in the page
itself, each package with its own defaults. All are given the same numbers, and where a page shows
pictures made beforehand, the same matplotlib figures.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

from two_figures import ALPHA, LINES_T, T, X, curves_at, draw, lines, shares

LETTERS = list("abcdef")
DOCUMENT = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    "<body><main><h1>{title}</h1>{body}</main></body></html>"
)


def document(title: str, body: str) -> str:
    """A whole page around what is only a part of one."""
    return DOCUMENT.format(title=title, body=body)


def livefigures() -> dict[str, str]:
    """What stands in a page that has nothing from elsewhere: style, script and frames."""
    from livefigures.frames import Explorer

    from livefigures import Choices, page

    made = {}
    for name, figure, values in (
        ("bars", draw, {"T": Choices(T)}),
        ("lines", lines, {"T": Choices(LINES_T), "alpha": Choices(ALPHA)}),
    ):
        page._first = iter([True])  # each page is another kernel's
        body = page.brought() + page.html(Explorer(figure, values))
        made[name] = document(name, body)
    return made


def to_jshtml() -> dict[str, str]:
    """matplotlib's HTMLWriter, as `to_jshtml` uses it: one slider, over all combinations."""
    from matplotlib.animation import HTMLWriter

    folder, made = Path(sys.argv[1]), {}
    for name, figures in (
        ("bars", (draw(t)[0] for t in T)),
        ("lines", (lines(*pair)[0] for pair in product(LINES_T, ALPHA))),
    ):
        writer, path = HTMLWriter(embed_frames=True, default_mode="once"), folder / "part.html"
        for n, figure in enumerate(figures):
            if not n:
                writer.setup(figure, path)
            writer.fig = figure
            writer.grab_frame()
        writer.finish()
        made[name] = document(name, path.read_text("utf-8"))
        path.unlink()
    return made


def bokeh() -> dict[str, str]:
    """Bokeh's own bars and lines; a callback in JavaScript takes each frame from a table."""
    from bokeh.embed import file_html
    from bokeh.layouts import column
    from bokeh.models import ColumnDataSource, CustomJS, Slider
    from bokeh.plotting import figure
    from bokeh.resources import INLINE

    size = {"width": 560, "height": 320, "toolbar_location": None}
    plot = figure(x_range=LETTERS, y_range=(0, 1), **size)
    source = ColumnDataSource({"x": LETTERS, "y": shares(T[0]).tolist()})
    plot.vbar(x="x", top="y", width=0.8, source=source)
    every = [shares(t).tolist() for t in T]
    slider = Slider(start=0, end=len(T) - 1, value=0, step=1, title="T")
    code = "source.data = {x: source.data.x, y: every[slider.value]}"
    slider.js_on_change(
        "value", CustomJS(args={"source": source, "every": every, "slider": slider}, code=code)
    )
    made = {"bars": file_html(column(slider, plot), INLINE, "bars")}

    plot = figure(y_range=(-2, 3), **size)
    table = [[v.tolist() for v in curves_at(*pair).values()] for pair in product(LINES_T, ALPHA)]
    names = ["first", "second", "third"]
    source = ColumnDataSource({"x": X.tolist(), **dict(zip(names, table[0], strict=True))})
    looks = ("solid", "firebrick"), ("dashed", "seagreen"), ("dotted", "navy")
    for name, (dash, colour) in zip(names, looks, strict=True):
        plot.line("x", name, source=source, line_dash=dash, color=colour, legend_label=name)
    sliders = [
        Slider(start=0, end=len(values) - 1, value=0, step=1, title=title)
        for title, values in (("T", LINES_T), ("α", ALPHA))
    ]
    code = f"""const [first, second, third] = every[t.value * {len(ALPHA)} + a.value];
        source.data = {{x: source.data.x, first, second, third}}"""
    args = {"source": source, "every": table, "t": sliders[0], "a": sliders[1]}
    for slider in sliders:
        slider.js_on_change("value", CustomJS(args=args, code=code))
    return made | {"lines": file_html(column(*sliders, plot), INLINE, "lines")}


def altair() -> dict[str, str]:
    """Vega-Lite's bars and lines, filtered by parameters that are bound to sliders."""
    import altair as alt

    alt.data_transformers.disable_max_rows()
    t = alt.param("t", value=0, bind=alt.binding_range(min=0, max=len(T) - 1, step=1, name="T"))
    rows = [
        {"n": n, "x": x, "y": round(float(y), 4)}
        for n, value in enumerate(T)
        for x, y in zip(LETTERS, shares(value), strict=True)
    ]
    size = {"width": 500, "height": 260}
    bars = alt.Chart(alt.Data(values=rows), **size).mark_bar().add_params(t)
    bars = bars.encode(x="x:N", y=alt.Y("y:Q", scale=alt.Scale(domain=[0, 1])))
    made = {"bars": bars.transform_filter("datum.n == t").to_html(inline=True)}

    t, a = (
        alt.param(key, value=0, bind=alt.binding_range(min=0, max=len(v) - 1, step=1, name=name))
        for key, name, v in (("t", "T", LINES_T), ("a", "α", ALPHA))
    )
    rows = [
        {"t": i, "a": j, "line": name, "x": round(float(x), 3), "y": round(float(y), 4)}
        for (i, one), (j, other) in product(enumerate(LINES_T), enumerate(ALPHA))
        for name, values in curves_at(one, other).items()
        for x, y in zip(X, values, strict=True)
    ]
    chart = alt.Chart(alt.Data(values=rows), **size).mark_line(clip=True).add_params(t, a)
    chart = chart.transform_filter("datum.t == t && datum.a == a").encode(
        x="x:Q",
        y=alt.Y("y:Q", scale=alt.Scale(domain=[-2, 3])),
        color="line:N",
        strokeDash="line:N",
    )
    return made | {"lines": chart.to_html(inline=True)}


def panel() -> dict[str, str]:
    """Panel's sliders over the same matplotlib figures, all states embedded."""
    import panel as pn
    from bokeh.resources import INLINE

    pn.extension()
    folder = Path(sys.argv[1])
    made = {}
    for name, figure, values in (
        ("bars", draw, {"T": T}),
        ("lines", lines, {"T": LINES_T, "alpha": ALPHA}),
    ):
        sliders = {key: pn.widgets.DiscreteSlider(name=key, options=v) for key, v in values.items()}
        pane = pn.bind(lambda figure=figure, **kw: pn.pane.Matplotlib(figure(**kw)[0]), **sliders)
        path = folder / f"{name}.part"
        pn.Column(*sliders.values(), pane).save(
            path, embed=True, max_states=400, max_opts=400, resources=INLINE, progress=False
        )
        made[name] = path.read_text("utf-8")
        path.unlink()
    return made


def holoviews() -> dict[str, str]:
    """A HoloMap in HoloViews' first backend, Bokeh."""
    import holoviews as hv

    hv.extension("bokeh")
    renderer = hv.renderer("bokeh")
    bars = {t: hv.Bars(list(zip(LETTERS, shares(t), strict=True))).opts(ylim=(0, 1)) for t in T}
    both = {
        pair: hv.Overlay([hv.Curve((X, y), label=k) for k, y in curves_at(*pair).items()]).opts(
            ylim=(-2, 3)
        )
        for pair in product(LINES_T, ALPHA)
    }
    folder = Path(sys.argv[1])
    made = {}
    for name, holomap in (
        ("bars", hv.HoloMap(bars, kdims="T")),
        ("lines", hv.HoloMap(both, kdims=["T", "alpha"])),
    ):
        path = folder / f"{name}.part"
        renderer.save(holomap, path, fmt="widgets", resources="inline")
        made[name] = path.read_text("utf-8")
        path.unlink()
    return made


def plotly() -> dict[str, str]:
    """Plotly's slider over frames; it has one slider for all combinations of values."""
    import plotly.graph_objects as go

    def figure(frames: list[list], y: tuple[float, float]) -> str:
        names = [str(n) for n in range(len(frames))]
        still = {"mode": "immediate", "frame": {"duration": 0}, "transition": {"duration": 0}}
        steps = [{"method": "animate", "label": n, "args": [[n], still]} for n in names]
        made = go.Figure(
            data=frames[0],
            frames=[go.Frame(data=d, name=n) for d, n in zip(frames, names, strict=True)],
            layout={"sliders": [{"steps": steps}], "yaxis": {"range": y}},
        )
        return made.to_html(include_plotlyjs=True)

    return {
        "bars": figure([[go.Bar(x=LETTERS, y=shares(t))] for t in T], (0, 1)),
        "lines": figure(
            [
                [go.Scatter(x=X, y=y, name=name) for name, y in curves_at(*pair).items()]
                for pair in product(LINES_T, ALPHA)
            ],
            (-2, 3),
        ),
    }


MAKERS: tuple[Callable[[], dict[str, str]], ...]
MAKERS = (livefigures, to_jshtml, bokeh, altair, panel, holoviews, plotly)


def main() -> None:
    """Write the pages of all makers, or of those that are named."""
    folder = Path(sys.argv[1])
    os.environ["LIVEFIGURES_BUILD"] = "1"
    only = sys.argv[2:]
    for maker in MAKERS:
        if only and maker.__name__ not in only:
            continue
        for name, text in maker().items():
            (folder / f"{name}.{maker.__name__}.html").write_text(text, "utf-8")
            print(f"{name}.{maker.__name__}", flush=True)


if __name__ == "__main__":
    main()
