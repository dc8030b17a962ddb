"""A matplotlib figure as SVG that suits a page: small, in the page's colours and font.

Text stays text; what the page decides (font, colours of the palette) is left to it; ids get a
prefix, so that figures of one page never mix up their clip paths and markers.
"""

import html
import io
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import groupby
from typing import Any, cast

import matplotlib
from matplotlib.backends import backend_svg
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.table import Cell

from livefigures.ground import is_ground, keepers
from livefigures.palette import variables

PLACES = {"transform", "d", "x", "y", "width", "height", "x1", "x2", "y1", "y2"}
# A link (`<a xlink:href=`) may lead anywhere.
REFERENCE = r'(?:(?<!<a xlink:)href="|url\(\s*["\']?)#([^)"\']+)'
NAME = r"(?<=url\(#)[^)]+|(?<=^#).+"
_keys: Counter[str] = Counter()  # the same figure twice on a page must have different ids


class _Renderer(RendererSVG):
    def _draw_text_as_text(self, *given: Any) -> None:
        """Formulas in letters that no page has become shapes."""
        _, _, _, text, font, _, is_formula, _ = given
        glyphs: Any = self._text2path.mathtext_parser.parse(text, 72, font)[3] if is_formula else []
        plain = (g[0].family_name == "DejaVu Sans" and not 0xE000 <= g[2] < 0xF900 for g in glyphs)
        draw = super()._draw_text_as_text if all(plain) else self._draw_text_as_path
        draw(*given)


def drawn(figure: Figure) -> str:
    """The figure's SVG as matplotlib writes it, with text as text: the same bytes each time.

    What keeps its colours on any page has the attribute `own`.  The figure stays as it is.

    Raises:
        ValueError: no page can show the SVG, or it refers to something that is not in it.
    """
    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "livefigures"}
    with _unchanged(figure) as names, matplotlib.rc_context(settings):
        # The same as savefig, which would draw everything twice, once for the layout alone.
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
        own = {names.get(one) for one in keepers(figure)}
    svg = re.sub(r'id="(lf\d+)"', lambda m: 'own=""' if m[1] in own else "", buffer.getvalue())
    if bad := re.search("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", svg):
        words = svg[: bad.start()].rpartition(">")[2] + svg[bad.start() :].partition("<")[0]
        raise ValueError(f"a text must have characters that a page can show; got {words!r}")
    tags = "".join(re.findall("<[^>]*>", svg))
    if missing := set(re.findall(REFERENCE, tags)) - set(re.findall(r'\bid="([^"]+)"', tags)):
        raise ValueError(f"a picture must define what it refers to; got {sorted(missing)}")
    return svg


@contextmanager
def _unchanged(figure: Figure) -> Iterator[dict[Any, str]]:
    """Name all artists, draw with our renderer, and leave the figure as it was."""
    canvas, dpi, margins = figure.canvas, figure.dpi, vars(figure.subplotpars).copy()
    seen, module = figure.patch.get_visible(), cast(Any, backend_svg)
    boxes: Any = [box for a in figure.axes for box in (a._position, a._originalPosition)]  # type: ignore[attr-defined]
    corners = [box.get_points().copy() for box in boxes]
    if any(is_ground(axes.patch) for axes in figure.axes):
        figure.draw_without_rendering()  # or its grid would have no lines yet to name
    cells: Any = figure.findobj(Cell)  # whose texts it does not find
    given = {a: a.get_gid() for a in (*figure.findobj(), *(cell.get_text() for cell in cells))}
    names = {artist: f"lf{n}" for n, artist in enumerate(given)}
    try:
        module.RendererSVG = _Renderer
        figure.patch.set_visible(is_ground(figure.patch))  # the page is white, too
        for artist, name in names.items():
            artist.set_gid(name)
        yield names
    finally:
        module.RendererSVG = RendererSVG
        figure.patch.set_visible(seen)
        for artist, former in given.items():
            artist.set_gid(former)
        vars(figure.subplotpars).update(margins)
        for box, points in zip(boxes, corners, strict=True):
            box.set_points(points)
        figure.set(canvas=canvas, dpi=dpi)


class Slim:
    """Makes matplotlib's SVG small: call it with the SVG of each frame of one figure in a page.

    Returns the attributes of the page's `<svg>`, and what stands inside it, in pieces.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.ids: dict[str, str] = {}
        self.variables = variables()
        self.own: set[str] = set()  # what is referred to by what keeps its colours

    def __call__(self, svg: str) -> tuple[str, list[str]]:
        for name in re.findall(REFERENCE, svg):
            self.ids.setdefault(name, f"{self.prefix}-{len(self.ids)}")
        root = ET.fromstring(svg)
        kept = [ET.tostring(e, "unicode") for e in root.iter() if "own" in e.attrib]
        self.own = {name for text in kept for name in re.findall(REFERENCE, text)}
        width, height = (float(side) for side in root.attrib["viewBox"].split()[2:])
        ink = self.variables["#000000"]
        opening = (  # in a page, a point is 4/3 of a pixel
            f'viewBox="0 0 {width:g} {height:g}" width="{width * 4 / 3:g}" '
            f'height="{height * 4 / 3:g}" fill="{ink}" stroke-linejoin="round"'
        )
        return opening, [piece for child in root for piece in self._pieces(child, False)]

    def _pieces(self, element: ET.Element, own: bool) -> list[str]:
        """An element, cut where frames differ: its looks, its place, what is in it, its end."""
        tag = element.tag.rpartition("}")[2]
        own = own or "own" in element.attrib or element.get("id") in self.own
        inside = [piece for child in element for piece in self._pieces(child, own)]
        black = "own" in element.attrib and "fill" not in element.get("style", "")
        parts = [" fill='#000'" if black else "", ""]  # its looks, its place
        for key, value in element.attrib.items():
            key = key.rpartition("}")[2]
            if tag != "a":
                value = re.sub(NAME, lambda m: self.ids.get(m[0], m[0]), value)
            if key == "style":
                value = self._style(value, own)
            elif key == "id":
                value = self.ids.get(value, "")
            elif key == "d":  # a marker is small and drawn many times: keep its shape
                value = _path(value, 2 if element.get("id") in self.ids else 1)
            elif key in PLACES:  # one digit would move letters by a pixel
                value = _rounded(value, 5 if key == "transform" else 2)
            elif not own:
                value = self._coloured(value)
            if value and not value.startswith("rotate(-0 "):
                parts[key in PLACES] += f" {key}='{html.escape(value)}'"  # JSON escapes no '
        looks, place = parts
        empty = tag in ("g", "defs") and not inside
        if empty or tag in ("metadata", "style") or (tag, looks) == ("path", " style='fill:none'"):
            return []
        if tag == "g" and not looks + place:
            return inside
        text = "" if inside else html.escape((element.text or "").strip("\n"), quote=False)
        if not inside and not text:
            return [f"<{tag}{looks}", f"{place}/>"]
        return [f"<{tag}{looks}", f"{place}>", *inside, f"{text}</{tag}>"]

    def _style(self, text: str, own: bool) -> str:
        """A style in the page's colours, and in its font where no other is asked for."""
        kept = []
        for part in text.split(";"):
            key, value = (side.strip() for side in part.partition(":")[::2])
            if key == "font-family":
                value = _family(value)
            elif not own:
                value = self._coloured(value)
            kept += [f"{key}:{value if '#' in value else _rounded(value)}"] if value else []
        return ";".join(kept)

    def _coloured(self, value: str) -> str:
        return re.sub("#[0-9a-f]{6}\\b", lambda m: self.variables.get(m[0], m[0]), value)


def new_slim(content: str) -> Slim:
    """A `Slim` whose ids nobody else in the page has; the same each time for the same content."""
    key = "x" + sha256(content.encode()).hexdigest()[:8]
    _keys[key] += 1
    return Slim(key if _keys[key] == 1 else f"{key}-{_keys[key]}")


def table(frames: Sequence[Sequence[str]]) -> tuple[list[str], list[list[int | str]]]:
    """Store each distinct piece once; neighbours that the same frames have become one.

    Returns the pieces that are used more than once, and for each frame its pieces: the numbers of
    those, and the others themselves.
    """
    numbered, where = [], Counter[tuple[str, int]]()
    for n, frame in enumerate(frames):
        seen: Counter[str] = Counter()  # ">" the second time is another than the first
        numbered.append([(piece, seen.update([piece]) or seen[piece]) for piece in frame])
        where.update(dict.fromkeys(numbered[-1], 1 << n))  # a bit for each frame that has it
    rows = [
        ["".join(piece for piece, _ in run) for _, run in groupby(frame, where.get)]
        for frame in numbered
    ]
    uses = Counter(piece for row in rows for piece in row)
    numbers = {piece: n for n, piece in enumerate(p for p in uses if uses[p] > 1)}
    return [*numbers], [[numbers.get(piece, piece) for piece in row] for row in rows]


def _family(value: str) -> str:
    """The fonts that are asked for; none where they are matplotlib's own, and the page's do."""
    names = [name.strip(" '\"") for name in value.split(",")]
    if "sans-serif" in names or names == ["DejaVu Sans"]:
        return ""
    if generic := {"serif", "monospace", "cursive", "fantasy"}.intersection(names):
        return generic.pop()
    return ",".join([*map(repr, names), "sans-serif"])


def _rounded(text: str, digits: int = 2) -> str:
    """Numbers to so many digits after the point; in a small one, such as an alpha, to one more."""

    def _near(found: re.Match[str]) -> str:
        value = float(found[0])
        value = round(value, digits) if abs(value) >= 0.1 else float(f"{value:.{digits + 1}g}")
        return f"{value + 0.0:.10g}"

    return re.sub(r"-?\d*\.\d+(?:e[-+]?\d+)?", _near, text)


def _path(text: str, digits: int) -> str:
    """A path with relative coordinates, rounded before they are taken, so that no error adds up.

    What it does not understand stays as it is.
    """
    if not re.fullmatch(r"[MLQCz\d\s.e+-]*", text):
        return text
    result, former, here, first = "", "", [0, 0], [0, 0]
    for command, rest in re.findall(r"([MLQCz])([^MLQCz]*)", text):
        numbers = [round(float(number) * 10**digits) for number in rest.split()]
        steps = (f"{(n - here[i % 2]) / 10**digits:.8g}" for i, n in enumerate(numbers))
        result += (" " if command == former else command.lower()) + " ".join(steps)
        here = numbers[-2:] or first  # z goes back to where its shape began
        first = here if command == "M" else first
        former = {"M": "L", "z": ""}.get(command, command)  # pairs that follow a move are lines
    return re.sub(r" (?=-)|(?<!\d)0(?=\.)", "", result)
