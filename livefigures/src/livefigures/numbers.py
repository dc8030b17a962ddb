"""The numbers of a frame as columns of text: those that `draw` gives, or read off its artists."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from livefigures.values import label

MOST_ROWS, FEWEST_ROWS, MOST_COLUMNS = 60, 10, 12
MOST_NUMBERS = 1000  # of all frames: about 3 KB of a page, compressed
Columns = list[list[str]]  # each with its name first


def columns(figure: Any, given: Any, call: str) -> Columns:
    """What `draw` gives, or else what lines, bars, points and small tables of colours show.

    Raises:
        ValueError: what is given is not a dict of numbers, words, or lists of them, by name.
    """
    if given is None:
        return [[_text(one) for one in column] for axes in figure.axes for column in _read(axes)]
    try:
        plain = [[name, getattr(v, "tolist", lambda v=v: v)()] for name, v in given.items()]
        found = [[name, *(v if isinstance(v, (list, tuple)) else [v])] for name, v in plain]
        return [[_text(one) for one in column] for column in found]
    except (AttributeError, TypeError):
        raise ValueError(f"{call}: expected a dict of numbers by name; got {given!r}") from None


def thinned(frames: Sequence[Columns]) -> tuple[Sequence[Columns], str]:
    """Frames with as many rows as a page can carry, or none, and a note of what is left out."""
    longest = max((len(column) - 1 for frame in frames for column in frame), default=0)
    total = sum(len(one) - 1 for one in {tuple(column) for frame in frames for column in frame})
    step = math.ceil(max(1, longest / MOST_ROWS, total / MOST_NUMBERS))
    if longest / step < min(longest, FEWEST_ROWS) or not longest:
        return [[] for _ in frames], ""
    note = f"{longest} points; {math.ceil(longest / step)} shown" if step > 1 else ""
    return [[[column[0], *column[1::step]] for column in frame] for frame in frames], note


def _read(axes: Any) -> Iterator[list[Any]]:
    """The columns of one pair of axes: places, unless they are those before, and what is there."""
    from matplotlib.collections import PathCollection, QuadMesh
    from matplotlib.container import BarContainer, ErrorbarContainer

    if axes.name == "3d" or hasattr(axes, "_colorbar"):
        return
    x, y = (axes.xaxis, axes.get_xlabel() or "x"), (axes.yaxis, axes.get_ylabel() or "y")
    errors = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
    caps = [line for one in errors for line in one.lines[1]]
    named = {one.lines[0]: one for one in errors}
    # A guide across the axes has a transform of its own.
    lines = [a for a in axes.lines if a.get_transform() is axes.transData and a not in caps]
    dots: list[Any] = [one for one in axes.collections if isinstance(one, PathCollection)]
    bars: list[Any] = [one for one in axes.containers if isinstance(one, BarContainer)]
    meshes: list[Any] = [one for one in axes.collections if isinstance(one, QuadMesh)]
    series = [(named.get(one, one), *one.get_xydata().T.tolist(), x, y) for one in lines]
    series += [(one, *one.get_offsets().T.tolist(), x, y) for one in dots]
    for one in bars:
        flat = one.orientation == "horizontal"
        middles = [bar.get_center()[int(flat)] for bar in one]
        series.append((one, middles, [*one.datavalues], *((y, x) if flat else (x, y))))
    first = None
    for one, places, values, (axis, across), (_, up) in series:
        name, column = str(one.get_label()), [across, *_words(axis, places)]
        yield from [column] if column != first else []
        yield [up if name[:1] in ("", "_") else name, *values]
        first = column
    for one in [*axes.images, *meshes]:
        rows = one.get_array()
        if rows.ndim == 2 and rows.shape[1] <= MOST_COLUMNS:
            heads = _words(axes.xaxis, range(rows.shape[1]))
            yield ["", *_words(axes.yaxis, range(rows.shape[0]))]
            yield from ([n, *column] for n, column in zip(heads, rows.T.tolist(), strict=True))


def _words(axis: Any, places: Iterable[float]) -> list[Any]:
    """The words at the ticks that are near to places, if each has its own; or else the places."""
    said = (text.get_text() for text in axis.get_ticklabels())
    ticks = zip(axis.get_ticklocs(), said, strict=False)
    words = [(at, word) for at, word in ticks if re.search(r"(?s)^(?!\$).*[^\W\d]", word)]
    near = [next((word for at, word in words if abs(at - p) < 0.45), None) for p in places]
    return [*places] if None in near or len(set(near)) < len(near) else near


def _text(value: Any) -> str:
    if isinstance(value, (str, bool)):
        return " ".join(label(value).split())
    return "" if value is None or value != value else f"{value:.6g}"
