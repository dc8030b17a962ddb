"""What each thing in a picture stands on: only what stands on the bare page may follow the page.

The renderer sees every call in the order of drawing.  On a ground that the figure brings with it
(a face, a bar, a cell, an image) a thing keeps its colours, and the ground its own, unless both are
as readable on a dark page where they follow it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib import _path  # type: ignore[attr-defined]
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import to_hex, to_rgba
from matplotlib.path import Path, get_path_collection_extents
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, IdentityTransform

from livefigures.palette import Judge

FONTS = [f"font.{name}" for name in ("serif", "sans-serif", "cursive", "fantasy", "monospace")]
SMALLEST = 4  # points; nothing stands on less
HERE = IdentityTransform()
code = lru_cache(10_000)(to_hex)


class Area(NamedTuple):
    """Something filled: its call, its box in points, and its colour at a point, None beside it."""

    call: int
    box: tuple[float, float, float, float]
    colour: Callable[[float, float], Sequence[float] | None]
    fixed: bool = False  # an image, whose colours are in no palette


class Renderer(RendererSVG):
    """Writes each call into a group of its own, and notes which of them keep their colours."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.areas: list[Area] = []
        self.own: set[int] = set()  # calls that keep their colours
        self.kept: set[str] = set()  # fills that do so
        self.call, self.inside, self.judge = 0, False, Judge()

    def marked(self, svg: str) -> str:
        """What it wrote, with the groups of those that keep their colours named."""
        names = {True: '<g class="own"', False: "<g"}
        svg = re.sub(r'<g id="call-(\d+)"', lambda m: names[int(m[1]) in self.own], svg)
        return svg.replace("<svg ", f'<svg data-kept="{" ".join(sorted(self.kept))}" ', 1)

    def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:  # noqa: N803
        """A line or a patch; the figure's own face is left out where it is paper."""
        faces = [] if rgbFace is None else [tuple(rgbFace)]
        area = self._area(gc, transform, [path], [], [(0, 0)], HERE, faces)
        if area and not self.call and self._is_bare(area, faces[0]) and not gc.get_linewidth():
            return
        self._write(
            lambda: super(Renderer, self).draw_path(gc, path, transform, rgbFace),
            area,
            lambda: [*_stroke(gc), *faces],
            lambda: (transform.transform(_some(path)), gc),
        )

    def draw_markers(self, gc: Any, shape: Any, size: Any, path: Any, *rest: Any) -> None:
        """Markers, or a collection of one shape and one colour."""
        transform, *face = rest
        faces = [tuple(one) for one in face if one is not None]
        self._write(
            lambda: super(Renderer, self).draw_markers(gc, shape, size, path, *rest),
            self._area(gc, size, [shape], [], path.vertices, transform, faces),
            lambda: [*_stroke(gc), *faces],
            lambda: (_sums(transform.transform(_some(path)), size.transform(_some(shape))), gc),
        )

    def draw_path_collection(self, gc: Any, *given: Any, **options: Any) -> None:
        """Many paths with colours of their own."""
        draw = super().draw_path_collection
        where, faces, edges = given[:5], given[5], given[6]
        if not len(where[1]):  # matplotlib asks what this takes
            return draw(gc, *given, **options)
        self._write(
            lambda: draw(gc, *given, **options),
            self._area(gc, *where, faces),
            lambda: [*map(tuple, faces), *map(tuple, edges)],
            lambda: (get_path_collection_extents(*where).corners(), gc),
        )

    def draw_gouraud_triangles(self, gc: Any, triangles: Any, colours: Any, transform: Any) -> None:
        """Shading: in its box it is taken to be everywhere."""
        corners = transform.transform(np.reshape(triangles, (-1, 2)))
        area = Area(self.call + 1, (*corners.min(0), *corners.max(0)), lambda x, y: GREY, True)
        draw = super().draw_gouraud_triangles
        self._write(lambda: draw(gc, triangles, colours, transform), area)

    def draw_image(self, gc: Any, x: float, y: float, im: Any, transform: Any = None) -> None:
        """An image: what stands on it stands on the pixel beneath, if that is not transparent."""
        rows, columns = im.shape[:2]
        sized = Affine2D().scale(72 / self.image_dpi)
        if transform is not None:
            sized = Affine2D().scale(1 / (columns or 1), 1 / (rows or 1)) + transform
        place = sized + Affine2D().translate(x, y)
        corners = place.transform([(0, 0), (0, rows), (columns, 0), (columns, rows)])

        def colour(x: float, y: float) -> Any:
            column, row = np.floor(place.inverted().transform((x, y))).astype(int)
            inside = 0 <= row < rows and 0 <= column < columns and im[row, column, 3] > 127
            return im[row, column] / 255 if inside else None

        area = Area(self.call + 1, (*corners.min(0), *corners.max(0)), colour, True)
        self._write(lambda: super(Renderer, self).draw_image(gc, x, y, im, transform), area)

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False,
        mtext: Any = None,
    ) -> None:  # fmt: skip
        """A text; a formula in letters that no page has becomes shapes."""
        width, height, descent = self.get_text_width_height_descent(s, prop, ismath)
        middle = Affine2D().rotate_deg(angle).transform((width / 2, height / 2 - descent))
        settings: Any = matplotlib.rcParams
        if ismath and not _is_plain(self._text2path.mathtext_parser.parse(s, 72, prop)[3]):
            settings["svg.fonttype"] = "path"
        try:
            self._write(
                lambda: super(Renderer, self).draw_text(gc, x, y, s, prop, angle, ismath, mtext),
                None,
                lambda: [gc.get_rgb()],
                lambda: (middle + [[x, self.height - y]], None),
                4.5,
            )
        finally:
            settings["svg.fonttype"] = "none"

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> Any:
        """The size of a text, measured once; a formula's depends on more settings."""
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)
        settings: Any = matplotlib.rcParams
        return _size(s, prop.copy(), *(tuple(settings[name]) for name in FONTS))

    def _area(
        self, gc: Any, master: Any, paths: Any, transforms: Any, offsets: Any, shift: Any, faces: Any
    ) -> Area | None:  # fmt: skip
        """The area of filled paths, large enough and half opaque."""
        if not len(faces) or self.inside:
            return None
        shapes = np.reshape([np.asarray(one) for one in transforms], (-1, 3, 3))
        where = (master, paths, shapes, np.asarray(offsets, float), shift)
        box = get_path_collection_extents(*where)
        if min(box.width, box.height) < SMALLEST:
            return None

        def colour(x: float, y: float) -> Any:
            found = _path.point_in_path_collection(x, y, 0, *where, True)
            if not len(found):
                return None
            *rgb, alpha = to_rgba(faces[found[-1] % len(faces)])
            alpha = gc.get_alpha() if gc.get_forced_alpha() else alpha
            return (*rgb, alpha) if alpha >= 0.5 else None

        return Area(self.call + 1, tuple(box.extents), colour)

    def _write(
        self,
        draw: Callable[[], None],
        area: Area | None = None,
        colours: Callable[[], list] = list,
        points: Callable[[], tuple[Any, Any]] | None = None,
        bar: float = 3,
    ) -> None:
        """Draw it in a group, and decide whether it keeps its colours: all of it stands on some."""
        if self.inside:  # a part of a call
            return draw()
        self.call, self.inside = self.call + 1, True
        if self.areas and points:
            mine = {code(one[:3]) for one in colours() if one[3:] != (0,)}
            if area and mine or not self.judge.dark.keys().isdisjoint(mine):
                self._settle(mine, *points(), bar)
        self.writer.start("g", id=f"call-{self.call}")
        draw()
        self.writer.end("g")
        self.inside = False
        if area:
            self.areas.append(area)

    def _is_bare(self, area: Area, face: Sequence[float]) -> bool:
        """Whether it covers the whole figure with paper."""
        left, bottom, right, top = area.box
        whole = max(left, bottom, self.width - right, self.height - top) < 0.1
        return whole and code(face[:3]) in self.judge.papers

    def _settle(self, mine: set[str], points: Any, gc: Any, bar: float) -> None:
        if gc is not None:  # text stands on what is under its middle, a line on all along it
            if (clip := gc.get_clip_rectangle()) is not None:
                points = np.clip(points, clip.min, clip.max)
            points = points + 0.1 * ((points.min(0) + points.max(0)) / 2 - points)
        grounds = set()
        for x, y in points.tolist():
            ground = self._ground(x, y, mine)
            if not ground:
                return
            grounds.add(ground)
        if any(
            area.call in self.own or area.fixed or self.judge.keeps(mine, fill, alpha, bar)
            for area, fill, alpha in grounds
        ):
            self.own |= {self.call, *(area.call for area, *_ in grounds)}
            fills = {fill for area, fill, _ in grounds if not area.fixed}
            self.kept |= fills & self.judge.dark.keys() - self.judge.of_page

    def _ground(self, x: float, y: float, mine: set[str]) -> tuple[Area, str, float] | None:
        """The topmost area at a point, with its fill and opacity there."""
        for area in reversed(self.areas):
            left, bottom, right, top = area.box
            if left + 0.5 < x < right - 0.5 and bottom + 0.5 < y < top - 0.5:
                rgba = area.colour(x, y)
                if rgba is not None and mine != {fill := code(tuple(rgba[:3]))}:
                    return area, fill, float(rgba[3])
        return None


GREY = (0.5, 0.5, 0.5, 1)


@lru_cache(10_000)
def _size(text: str, font: Any, *fonts: tuple[str, ...]) -> tuple[float, float, float]:
    return text_to_path.get_text_width_height_descent(text, font, False)


def _is_plain(glyphs: Any) -> bool:
    """Whether a page's own font has these letters of a formula."""
    return all(g[0].family_name == "DejaVu Sans" and not 0xE000 <= g[2] < 0xF900 for g in glyphs)


def _stroke(gc: Any) -> list[Sequence[float]]:
    return [gc.get_rgb()] if gc.get_linewidth() else []


def _some(path: Path) -> Any:
    """A few points of a path."""
    points = path.vertices[np.isfinite(path.vertices).all(1)]
    return points[:: max(1, len(points) // 8)]


def _sums(places: Any, shape: Any) -> Any:
    """The corners of a shape at each place."""
    return np.concatenate([places + shape.min(0), places + shape.max(0)])
