"""What every figure of the book must be, whoever draws it."""

import re
import warnings
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from livefigures.svg import drawn
from matplotlib.figure import Figure
from matplotlib.patches import ArrowStyle
from matplotlib.text import Annotation, Text

from distill_lib.figures import COLOURS


def texts(figure: Figure) -> list[str]:
    """All that is written on it."""
    return [t.get_text() for t in figure.findobj(Text) if t.get_text() and t.get_visible()]


def heads_forward(arrow: Annotation) -> bool:
    """Whether the arrow's head is at its end."""
    return isinstance(arrow.arrow_patch.get_arrowstyle(), ArrowStyle.CurveFilledB)


def check_looks(draw: Callable[[], Figure]) -> None:
    """Its caller's own, in the palette, the same each time, without a warning, and readable."""
    settings = dict(plt.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = draw(), draw()
        assert isinstance(first, Figure) and first is not second
        svg = drawn(first)
        assert svg == drawn(second), "another picture at the second call"
    assert plt.get_fignums() == [], "a figure was left open"
    assert dict(plt.rcParams) == settings, "matplotlib's settings were changed"
    check_colours(svg)
    assert first.get_size_inches()[0] <= 6.4, "too wide for a telephone"
    smallest = min(t.get_fontsize() for t in first.findobj(Text) if t.get_text())
    assert smallest >= 9, "text too small for a telephone"


def check_colours(svg: str) -> None:
    """No colour but those of the palette, in lines and in images."""
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {*COLOURS.values(), "#000000"}
    for picture in re.findall(r'data:image/png;base64,([^"]+)', svg):
        pixels = plt.imread(BytesIO(b64decode(picture)), format="png")
        colours = {tuple(c) for c in np.round(pixels[pixels[..., 3] > 0.5][:, :3] * 255, -1)}
        palette = {tuple(int(code[i : i + 2], 16) for i in (1, 3, 5)) for code in COLOURS.values()}
        assert colours <= {tuple(np.round(np.array(c, float), -1)) for c in palette}
