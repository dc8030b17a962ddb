"""What stands on a ground that the figure brings with it, and so keeps its colours on any page.

Ink on the bare page follows the page; on a face, image, cell or bar it would be read badly there.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any, cast

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import MouseEvent
from matplotlib.collections import Collection, PolyCollection, QuadMesh, TriMesh
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import _ImageBase
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.table import Cell
from matplotlib.text import Text

from livefigures.palette import of_page


def keepers(figure: Figure) -> set[Artist]:
    """The artists of a figure, just drawn, that keep their colours."""
    if is_ground(figure.patch):
        return {figure}
    kept: set[Artist] = {text for text in figure.findobj(Text) if is_ground(text.get_bbox_patch())}
    kept |= {part for part in figure.findobj(SubFigure) if is_ground(part.patch)}
    for cell in figure.findobj(Cell):
        kept |= {cell, cell.get_text()} if is_ground(cell) else set()
    every: Any = figure.findobj(Axes)
    for axes in every:
        titles = {axes.patch, axes.title, axes._left_title, axes._right_title}
        parts = (a for a in axes.get_children() if a not in titles)
        inside = [a for a in parts if not isinstance(a, Axis | Spine)]
        if is_ground(axes.patch) or any(_is_picture(artist) for artist in inside):
            kept |= {*inside, *axes.get_xgridlines(), *axes.get_ygridlines()}
            # Of three dimensions the numbers stand inside, beside the panes, and follow the page.
            kept |= {axes.patch} if axes.name != "3d" or is_ground(axes.patch) else set()
            continue
        for artist in (a for a in inside if isinstance(a, Text | Line2D)):
            points = iter(_points(artist))
            first = next((_beneath(artist, point, inside) for point in points), None)
            if (
                first
                and is_ground(first)
                and all(_beneath(artist, p, inside) is first for p in points)
            ):
                kept |= {artist, first}
    # The next bar, and the legend, show the same colour.
    faces = [_face(artist) for artist in kept if _is_area(artist) and is_ground(artist)]
    return kept | {artist for artist in figure.findobj(_is_area) if _face(artist) in faces}


def is_ground(artist: Any) -> bool:
    """Whether a patch or collection is there, rather opaque, and not of the page's colour."""
    face: Any = _face(artist) if artist and artist.get_visible() else ()
    return bool(face) and to_rgba(face)[3] >= 0.75 and to_hex(face) not in of_page("paper")


def _points(artist: Text | Line2D) -> Any:
    """On the screen: the middle of a text, or of each piece of a line, such as a box's median."""
    if isinstance(artist, Line2D):
        corners = artist.get_transform().transform(artist.get_xydata())
        middles = (corners[1:] + corners[:-1]) / 2
        return [m for m in middles.tolist() if all(map(isfinite, m))]  # a line may have gaps
    box = artist.get_window_extent()
    return [((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)]


def _beneath(artist: Artist, point: Any, others: Sequence[Artist]) -> Artist | None:
    """The area, if any, that this artist stands on at this point."""
    event = MouseEvent("motion_notify_event", cast(Any, artist).figure.canvas, *point)
    areas = (a for a in others if _is_area(a) and a.zorder <= artist.zorder)
    return max((a for a in areas if a.contains(event)[0]), key=lambda a: a.zorder, default=None)


def _face(artist: Any) -> Any:
    """The colour of an area; of several the first; of none that is filled nothing."""
    faces = artist.get_facecolor()
    faces = faces if isinstance(artist, Collection) else [faces] if artist.get_fill() else []
    return tuple(faces[0]) if len(faces) else ()


def _is_area(artist: Artist) -> bool:
    return isinstance(artist, Patch | Collection) and bool(_face(artist)) and artist.get_visible()


def _is_picture(artist: Any) -> bool:
    """An image, or colours that stand for numbers all over the axes."""
    if isinstance(artist, _ImageBase):  # whose pixels are all there
        renderer: Any = None
        return artist.make_image(renderer, unsampled=True)[0][..., 3].min() > 127
    if isinstance(artist, PolyCollection):
        return artist.get_array() is not None
    return isinstance(artist, QuadMesh | TriMesh) or getattr(artist, "filled", False)
