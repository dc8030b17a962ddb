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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import pairwise
from typing import Any

import matplotlib
from matplotlib.backends import backend_svg
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.table import Cell

from livefigures.ground import is_ground, keepers
from livefigures.palette import variables

PLACES = {"transform", "x", "y", "width", "height", "x1", "x2", "y1", "y2"}
# A link (`<a xlink:href=`) may lead anywhere.
REFERENCE = r'(?:(?<!<a xlink:)href="|url\(\s*["\']?)#([^)"\']+)'
_keys: Counter[str] = Counter()  # the same figure twice on a page must have different ids


class _Renderer(RendererSVG):
    """Formulas in letters that no page has become shapes."""

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False,
        mtext: Any = None,
    ) -> None:  # fmt: skip
        """Write a text as text, or as shapes."""
        if ismath:
            glyphs: Any = self._text2path.mathtext_parser.parse(s, 72, prop)[3]
            plain = all(
                g[0].family_name == "DejaVu Sans" and not 0xE000 <= g[2] < 0xF900 for g in glyphs
            )
            matplotlib.rcParams["svg.fonttype"] = "none" if plain else "path"
        super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
        matplotlib.rcParams["svg.fonttype"] = "none"


def drawn(figure: Figure) -> str:
    """The figure's SVG as matplotlib writes it, with text as text: the same bytes each time.

    What keeps its colours on any page has the attribute `own`.  The figure stays as it is.

    Raises:
        ValueError: no page can show the SVG, or it refers to something that is not in it.
    """
    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "livefigures"}
    with _unchanged(figure) as names, matplotlib.rc_context(settings):
        nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
        # The same as savefig, which would draw everything twice, once for the layout alone.
        FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)
        figure.dpi = 72  # as it was drawn
        width, height = figure.get_size_inches() * 72
        own = {names.get(one) for one in keepers(figure, _Renderer(width, height, io.StringIO()))}
    svg = re.sub(r'id="(lf\d+)"', lambda m: 'own=""' if m[1] in own else "", buffer.getvalue())
    if bad := re.search("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", svg):
        words = svg[: bad.start()].rpartition(">")[2] + svg[bad.start() :].partition("<")[0]
        raise ValueError(f"a text must have characters that a page can show; got {words!r}")
    found, ids = (set(re.findall(sought, svg)) for sought in (REFERENCE, r'\bid="([^"]+)"'))
    if found - ids and (missing := set(re.findall(f"<[^>]*{REFERENCE}", svg)) - ids):
        raise ValueError(f"a picture must define what it refers to; got {sorted(missing)}")
    return svg


@contextmanager
def _unchanged(figure: Figure) -> Iterator[dict[Any, str]]:
    """Name all artists, draw with our renderer, and leave the figure as it was."""
    canvas, dpi, margins = figure.canvas, figure.dpi, vars(figure.subplotpars).copy()
    face, edge = figure.get_facecolor(), figure.get_edgecolor()
    if not is_ground(figure.patch):  # the page is white, too
        figure.set(facecolor="none", edgecolor="none")
    boxes: Any = [box for a in figure.axes for box in (a._position, a._originalPosition)]  # type: ignore[attr-defined]
    corners = [box.get_points().copy() for box in boxes]
    if any(is_ground(axes.patch) for axes in figure.axes):
        figure.draw_without_rendering()  # or its grid would have no lines yet to name
    cells: Any = figure.findobj(Cell)
    every = [*figure.findobj(), *(cell.get_text() for cell in cells)]
    names = {artist: f"lf{n}" for n, artist in enumerate(every)}
    given: Any = {artist: artist.get_gid() for artist in names}
    module: Any = backend_svg  # it draws, and lays out, with the renderer that stands there
    former, module.RendererSVG = module.RendererSVG, _Renderer
    try:
        for artist, name in names.items():
            artist.set_gid(name)
        yield names
    finally:
        module.RendererSVG = former
        for artist, name in given.items():
            artist.set_gid(name)
        vars(figure.subplotpars).update(margins)
        for box, points in zip(boxes, corners, strict=True):
            box.set_points(points)
        figure.set(facecolor=face, edgecolor=edge, canvas=canvas, dpi=dpi)


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
        name = element.get("id", "")
        black = element.get("own") == "" and "fill" not in element.get("style", "")
        looks = " fill='#000'" if black else ""
        own = own or "own" in element.attrib or name in self.own
        inside = [piece for child in element for piece in self._pieces(child, own)]
        place = ""
        for key, value in element.attrib.items():
            key = key.rpartition("}")[2]
            if key == "style":
                looks += _attribute(key, self._style(value, own))
            elif key == "id":
                looks += _attribute(key, self.ids[value]) if value in self.ids else ""
            elif key == "d":  # a marker is small and drawn many times: keep its shape
                place += _attribute(key, _path(value, 2 if name in self.ids else 1))
            elif key in PLACES:
                if not value.startswith("rotate(-0 "):
                    place += _attribute(key, _rounded(value, 5 if key == "transform" else 2))
            elif key != "own":
                value = value if tag == "a" else self._renamed(value)
                looks += _attribute(key, value if own else self._coloured(value))
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
        return self._renamed(";".join(kept))

    def _coloured(self, value: str) -> str:
        return re.sub("#[0-9a-f]{6}\\b", lambda m: self.variables.get(m[0], m[0]), value)

    def _renamed(self, value: str) -> str:
        found = r"(?<=url\(#)[^)]+|(?<=^#).+"
        return re.sub(found, lambda m: self.ids.get(m[0], m[0]), value)


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


def _family(value: str) -> str:
    """The fonts that are asked for; none where they are matplotlib's own, and the page's do."""
    names = [name.strip(" '\"") for name in value.split(",")]
    if "sans-serif" in names or names == ["DejaVu Sans"]:
        return ""
    if generic := {"serif", "monospace", "cursive", "fantasy"}.intersection(names):
        return generic.pop()
    return ",".join([*map(repr, names), "sans-serif"])


def _rounded(text: str, digits: int = 2) -> str:
    """Numbers to so many digits after the point; a small one, such as an alpha, keeps three."""
    number = r"-?\d*\.\d+(?:e[-+]?\d+)?"

    def _number(found: re.Match[str]) -> str:
        value = float(found[0])
        near = round(value, digits) if abs(value) >= 0.1 or digits > 2 else float(f"{value:.3g}")
        return f"{near + 0.0:.10g}"

    return re.sub(number, _number, text)


def _path(text: str, digits: int) -> str:
    """A path with relative coordinates, rounded before they are taken, so that no error adds up.

    What it does not understand stays as it is.
    """
    if not re.fullmatch(r"[MLQCz\d\s.e+-]*", text):
        return text
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
