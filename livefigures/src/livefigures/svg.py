"""A matplotlib figure as SVG that suits a page: small, in the page's colours and font.

Text stays text; what the page decides (font, colours of the palette) is left to it; ids that are
referred to get a prefix, so that figures of one page never mix up their clip paths and markers.
Many figures that have much in common, such as the frames of a slider, share one table of pieces.
"""

from __future__ import annotations

import html
import io
import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Any

import matplotlib
from matplotlib.backends import backend_svg
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from livefigures.palette import variables

FONTS = [f"font.{name}" for name in ("serif", "sans-serif", "cursive", "fantasy", "monospace")]
_keys: Counter[str] = Counter()  # the same figure twice on a page must have different ids


def drawn(figure: Figure) -> str:
    """The figure's SVG as matplotlib writes it, with text as text: the same bytes each time."""
    nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
    buffer = io.StringIO()
    figure.set(facecolor="none", edgecolor="none")
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "livefigures"}
    canvas: Any = backend_svg  # it draws, and lays out, with the renderer that stands there
    former, canvas.RendererSVG = canvas.RendererSVG, _Renderer
    try:
        with matplotlib.rc_context(settings):
            # The same as savefig, which would draw everything twice, once for the layout alone.
            FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)
    finally:
        canvas.RendererSVG = former
    return buffer.getvalue()


class _Renderer(RendererSVG):
    """Measures a text once, not again in every frame, which takes an eighth of its time."""

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: bool | str
    ) -> tuple[float, float, float]:
        """The size of a text; a formula's depends on more settings, so it is measured again."""
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)
        settings: Any = matplotlib.rcParams
        return _size(s, prop.copy(), *(tuple(settings[name]) for name in FONTS))


@lru_cache(10_000)
def _size(text: str, font: FontProperties, *fonts: tuple[str, ...]) -> tuple[float, float, float]:
    return text_to_path.get_text_width_height_descent(text, font, False)


class Slim:
    """Makes matplotlib's SVG small: call it with the SVG of each frame of one figure in a page.

    Returns the attributes of the page's `<svg>`, and what stands inside it, in pieces.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.ids: dict[str, str] = {}
        self.variables = variables()

    def __call__(self, svg: str) -> tuple[str, list[str]]:
        for name in re.findall(r'(?:href="|url\()#([^")]+)', svg):
            self.ids.setdefault(name, f"{self.prefix}-{len(self.ids)}")
        root = ET.fromstring(svg)
        width, height = (float(side) for side in root.attrib["viewBox"].split()[2:])
        ink = self.variables["#000000"]
        opening = (  # in a page, a point is 4/3 of a pixel
            f'viewBox="0 0 {width:g} {height:g}" width="{width * 4 / 3:g}" '
            f'height="{height * 4 / 3:g}" fill="{ink}" stroke-linejoin="round"'
        )
        return opening, [piece for child in root for piece in self._pieces(child)]

    def _pieces(self, element: ET.Element) -> list[str]:
        """An element, cut where frames differ: its looks, its place, what is in it, its end."""
        tag = element.tag.rpartition("}")[2]
        inside = [piece for child in element for piece in self._pieces(child)]
        looks = place = ""
        for name, value in element.attrib.items():
            name = name.rpartition("}")[2]
            if name == "style":
                looks += _attribute(name, self._style(value))
            elif name == "id":
                looks += _attribute(name, self.ids[value]) if value in self.ids else ""
            elif name in ("href", "clip-path"):
                looks += _attribute(
                    name, re.sub(r"#(\w+)", lambda m: "#" + self.ids.get(m[1], m[1]), value)
                )
            elif name == "d":  # a marker is small and drawn many times: keep its shape
                place += _attribute(name, _path(value, 2 if element.get("id") in self.ids else 1))
            elif not value.startswith("rotate(-0 "):
                place += _attribute(name, _rounded(value, 5 if name == "transform" else 2))
        empty = tag in ("g", "defs") and not inside
        if empty or tag in ("metadata", "style") or (tag, looks) == ("path", " style='fill:none'"):
            return []
        if tag == "g" and not looks + place:
            return inside
        text = "" if inside else html.escape((element.text or "").strip("\n"), quote=False)
        if not inside and not text:
            return [f"<{tag}{looks}", f"{place}/>"]
        return [f"<{tag}{looks}", f"{place}>", *inside, f"{text}</{tag}>"]

    def _style(self, text: str) -> str:
        """A style without its font family, with the page's colours."""
        text = re.sub(r"font: (.*?)([\d.]+px) [^;]*", r"font-size: \2; font-weight: \1", text)
        pairs = [[side.strip() for side in part.partition(":")[::2]] for part in text.split(";")]
        kept = [f"{k}:{v}" for k, v in pairs if v and k != "font-family"]
        coloured = _rounded(";".join(kept))
        return re.sub("#[0-9a-f]{6}", lambda m: self.variables.get(m[0], m[0]), coloured)


def new_slim(content: str) -> Slim:
    """A `Slim` whose ids nobody else in the page has; the same each time for the same content."""
    key = "x" + sha256(content.encode()).hexdigest()[:8]
    _keys[key] += 1
    return Slim(key if _keys[key] == 1 else f"{key}-{_keys[key]}")


def table(frames: Sequence[Sequence[str]]) -> tuple[list[str], list[list[int | str]]]:
    """Store each distinct piece once; pieces that always follow each other become one.

    Returns the pieces that are used more than once, and for each frame its pieces: the numbers of
    those, and the others themselves.
    """
    after, before = defaultdict(set), defaultdict(set)
    named = [_numbered(frame) for frame in frames]  # ">" the second time is another than the first
    for frame in named:
        for one, other in pairwise([None, *frame, None]):
            after[one].add(other)
            before[other].add(one)
    rows = []
    for frame in named:
        joined: list[str] = []
        for one, other in zip([None, *frame], frame, strict=False):
            if joined and len(after[one]) == len(before[other]) == 1:
                joined[-1] += other[0]
            else:
                joined.append(other[0])
        rows.append(joined)
    uses = Counter(piece for row in rows for piece in row)
    numbers = {piece: n for n, piece in enumerate(p for p in uses if uses[p] > 1)}
    return [*numbers], [[numbers.get(piece, piece) for piece in row] for row in rows]


def _numbered(frame: Sequence[str]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    return [(piece, seen.update([piece]) or seen[piece]) for piece in frame]


def _attribute(name: str, value: str) -> str:
    return f" {name}='{html.escape(value)}'"  # a double quote would need an escape in JSON


def _rounded(text: str, digits: int = 2) -> str:
    number = r"-?\d*\.\d+(?:e[-+]?\d+)?"
    return re.sub(number, lambda m: f"{round(float(m[0]), digits) + 0.0:.10g}", text)


def _path(text: str, digits: int) -> str:
    """A path with relative coordinates, rounded before they are taken, so that no error adds up."""
    words: list[str] = []
    here = first = (0, 0)
    former = ""
    for command, rest in re.findall(r"([MLQCz])([^MLQCz]*)", text):
        if command == "z":
            words, here, former = [*words, "z"], first, ""
            continue
        numbers = [round(float(number) * 10**digits) for number in rest.split()]
        steps = [_short((n - here[i % 2]) / 10**digits) for i, n in enumerate(numbers)]
        joined = "".join(step if step[0] == "-" else " " + step for step in steps)
        words.append(joined if command == former else command.lower() + joined.lstrip())
        here = (numbers[-2], numbers[-1])
        if command == "M":
            first = here
        former = "L" if command == "M" else command  # pairs that follow a move are lines
    return "".join(words)


def _short(number: float) -> str:
    return re.sub(r"^(-?)0\.", r"\1.", f"{number + 0.0:.8g}")
