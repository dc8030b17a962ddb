"""What a thing in a picture stands on: only what stands on the bare page may follow the page.

On a ground that the figure brings with it (a face, a bar, a cell, an image) a thing keeps its
colours and the ground its own, unless both are as readable on a dark page where they follow it.
"""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from matplotlib.image import imread
from matplotlib.path import Path

from livefigures.palette import of_page, stays, variables

NUMBER = r"-?[\d.]+(?:e-?\d+)?"
SMALLEST = 4  # points; nothing stands on less
Box = tuple[float, float, float, float]


class Shape(NamedTuple):
    """A path, a marker or an image; of its corners "M" begins a part, an image's are two."""

    element: ET.Element
    fill: str
    stroke: str
    alpha: float
    corners: list[tuple[str, float, float]]
    box: Box

    def is_own(self) -> bool:
        """Whether it keeps its colours."""
        return "own" in self.element.attrib or self.fill == "image"

    def is_area(self) -> bool:
        """Whether something may stand on it."""
        left, top, right, bottom = self.box
        large = min(right - left, bottom - top) >= SMALLEST
        return large and self.alpha >= 0.5 and self.fill != "none"

    def covers(self, x: float, y: float) -> bool:
        """Whether a point is well within it."""
        left, top, right, bottom = self.box
        if not (left + 0.3 < x < right - 0.3 and top + 0.3 < y < bottom - 0.3):
            return False
        if self.fill == "image":
            (_, x0, y0), (_, x1, y1) = self.corners
            rows = _pixels(next(v for k, v in self.element.items() if k.endswith("href")))
            row = rows[int((y - y0) / (y1 - y0) * len(rows))]
            return bool(row[int((x - x0) / (x1 - x0) * len(row))][3] > 0.5)
        codes = [1 if code == "M" else 2 for code, *_ in self.corners]
        return bool(Path([corner[1:] for corner in self.corners], codes).contains_point((x, y)))


class Ground:
    """Marks in matplotlib's SVG all that keeps its colours, with the attribute `own`."""

    def __init__(self, root: ET.Element) -> None:
        self.named = {name: e for e in root.iter() if (name := e.get("id"))}
        self.followers = variables().keys()
        self.areas: list[Shape] = []
        kept: set[str] = set()
        whole: Any = tuple(float(side) for side in root.attrib["viewBox"].split())
        for element, clip in self._artists(root, whole):
            shapes = [*self._shapes(element, clip)]
            if not self.areas and [shape.box for shape in shapes] == [whole]:  # the figure's face
                if shapes[0].fill in of_page("paper"):
                    element.clear()  # the page is white, too
                    continue
                shapes[0].element.set("own", "")
            kept |= self._settle(element, shapes)
            self.areas += [shape for shape in shapes if shape.is_area()]
        for area in self.areas:  # the same colour in a legend, and in the next bar
            if area.fill in kept:
                area.element.set("own", "")
        for element in [e for e in root.iter() if "own" in e.attrib]:
            for name in re.findall(r"#([^)']+)", str([e.attrib for e in element.iter()])):
                if name in self.named:
                    self.named[name].set("own", "defined")

    def _artists(self, element: ET.Element, clip: Box) -> Iterator[tuple[ET.Element, Box]]:
        """All artists in their order: texts, and groups without groups that are artists."""
        inside = (
            not {"id", "data-middle"}.isdisjoint(e.attrib) for e in element.iterfind(".//{*}g")
        )
        if "data-middle" in element.attrib or not any(inside):
            yield element, clip
        elif not element.tag.endswith("defs"):
            for child in element:
                yield from self._artists(child, self._clipped(element, clip))

    def _settle(self, element: ET.Element, shapes: list[Shape]) -> set[str]:
        """Mark an artist that stands on grounds, and these; return the fills that are kept."""
        if middle := element.get("data-middle"):
            looks = " ".join(part.get("style", "") for part in element.iter())
            colours, enough = set(re.findall("#[0-9a-f]{6}", looks)) or {"#000000"}, 4.5
            points: Any = [map(float, middle.split())]
        else:
            colours = {c for s in shapes for c in (s.fill, s.stroke) if c[0] == "#"}
            enough, some = 3, shapes[:: len(shapes) // 8 + 1]
            points = [point for shape in some for point in _within(shape)]
        beneath: dict[int, Shape] = {}
        for x, y in points if self.areas and colours else ():
            found = (a for a in reversed(self.areas) if a.covers(x, y))
            area = next((a for a in found if a.is_own() or {a.fill} != colours), None)
            if not area or (area.fill in of_page("paper") and not area.is_own()):
                return set()
            beneath[id(area)] = area
        areas = [*beneath.values()]
        if not any(a.is_own() or stays(colours, a.fill, a.alpha, enough) for a in areas):
            return set()
        for one in (element, *(shape.element for shape in shapes + areas)):
            one.set("own", "")
        return {area.fill for area in areas} - of_page("ink") - of_page("paper")

    def _shapes(self, element: ET.Element, clip: Box) -> Iterator[Shape]:
        """What an artist is made of, where it is filled or in a colour that may follow."""
        tag = element.tag.rpartition("}")[2]
        if tag == "defs" or "data-middle" in element.attrib:
            return
        clip = self._clipped(element, clip)
        for child in element:
            yield from self._shapes(child, clip)
        looks = {"fill": element.get("fill", "#000000")} | _looks(element.get("style", ""))
        alpha = float(looks.get("opacity", 1)) * float(looks.get("fill-opacity", 1))
        fill, stroke = looks["fill"], looks.get("stroke", "none")
        if fill[:3] == "url":  # a hatch
            ground = self._of(fill).find("{*}rect")
            fill = "none" if ground is None else ground.get("fill", "none")
        x, y, w, h = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
        corners: Any = []
        if tag == "path" and (fill != "none" or stroke in self.followers):
            corners = _corners(element.get("d", ""))
        elif tag == "use":
            name = next(v for k, v in element.items() if k.endswith("href"))
            corners = [(code, x + a, y + b) for code, a, b in _corners(self._of(name).get("d", ""))]
        elif tag == "image":
            numbers = [float(n) for n in re.findall(NUMBER, element.get("transform", ""))]
            a, _, _, d, e, f = numbers if len(numbers) == 6 else (1, 0, 0, -1, 0, -numbers[3])
            corners = [("", a * x + e, d * y + f), ("", a * (x + w) + e, d * (y + h) + f)]
            fill, alpha = "image", 1
        if corners:
            _, xs, ys = zip(*corners, strict=True)
            low = max(clip[0], min(xs)), max(clip[1], min(ys))
            high = min(clip[2], max(xs)), min(clip[3], max(ys))
            if low[0] <= high[0] and low[1] <= high[1]:
                yield Shape(element, fill, stroke, alpha, corners, (*low, *high))

    def _of(self, reference: str) -> ET.Element:
        return self.named[re.sub(r".*#|\)", "", reference)]

    def _clipped(self, element: ET.Element, clip: Box) -> Box:
        """What is left of a box where an element is clipped to a rectangle."""
        path = element.get("clip-path")
        rect = self._of(path).find("{*}rect") if path else None
        if rect is None:
            return clip
        x, y, w, h = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
        return max(clip[0], x), max(clip[1], y), min(clip[2], x + w), min(clip[3], y + h)


def _within(shape: Shape) -> Iterator[tuple[float, float]]:
    """A few points along a line, or of an area's corners a little towards its middle."""
    left, top, right, bottom = shape.box
    middle = (left + right) / 2, (top + bottom) / 2
    ends = [corner[1:] for corner in shape.corners]
    pairs = [*pairwise(ends)] if shape.fill == "none" else [(end, middle) for end in ends]
    part = 0.5 if shape.fill == "none" else 0.1
    for (x, y), (u, v) in pairs[:: len(pairs) // 8 + 1]:
        x, y = x + part * (u - x), y + part * (v - y)
        yield min(max(x, left), right), min(max(y, top), bottom)


@lru_cache(10_000)
def _looks(style: str) -> dict[str, str]:
    return dict(part.strip().split(": ", 1) for part in style.split(";") if ": " in part)


@lru_cache(1000)
def _corners(path: str) -> list[tuple[str, float, float]]:
    found = re.findall(rf"([MLQC]?) ?({NUMBER})[ ,]({NUMBER})", path)
    return [(code, float(x), float(y)) for code, x, y in found]


@lru_cache(1)
def _pixels(href: str) -> Any:
    return imread(io.BytesIO(base64.b64decode(href.partition(",")[2])), "png")
