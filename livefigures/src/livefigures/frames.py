"""Frames of a figure: `draw` is called with values, what it returns is checked, and it is drawn."""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from livefigures.values import Parameter, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_FRAMES = 400  # more would make a slow build and a heavy page


class Explorer:
    """A `draw` function and its parameters: `page.html` is for a page, `live.widget` for a kernel.

    Raises ValueError for what cannot be explored; see `explore`.
    """

    def __init__(
        self,
        draw: Callable[..., Any],
        parameters: dict[str, Iterable[Any]],
        start: dict[str, Any] | None = None,
    ) -> None:
        if not callable(draw):
            raise ValueError(f"draw must be a function that returns a figure; got {draw!r}")
        if len(parameters) > 3:
            raise ValueError(f"at most three parameters; got {len(parameters)}: {[*parameters]}")
        if unknown := set(start or {}) - set(parameters):
            raise ValueError(f"start names {sorted(unknown)}, not among {[*parameters]}")
        self.draw = draw
        self.parameters = [Parameter.of(k, v, start or {}) for k, v in parameters.items()]
        self.start = tuple(p.values[p.start] for p in self.parameters)
        count = math.prod(len(p.values) for p in self.parameters)
        if count > MOST_FRAMES:
            raise ValueError(f"{count} combinations of values; at most {MOST_FRAMES} can be drawn")

    def combinations(self) -> list[tuple[Any, ...]]:
        """All combinations of values, the last parameter moving first."""
        return list(itertools.product(*(p.values for p in self.parameters)))

    def frame(self, values: Sequence[Any]) -> tuple[str, str | None]:
        """Draw one combination: matplotlib's SVG, and the description if `draw` gave one.

        Raises:
            ValueError: `draw` returned no figure, an empty one, or an empty description; it left
                figures open, or displayed something.
            RuntimeError: `draw` raised, or its figure cannot be drawn.
        """
        from livefigures.svg import drawn

        call = self.call(values)
        with _nothing_left(call) as returned:
            with _named(f"{call} raised"):
                result = self.draw(**{p.name: v for p, v in self._pairs(values)})
            alone = not (isinstance(result, tuple) and len(result) == 2)
            figure, text = (result, None) if alone else result
            check(figure, "none needed" if alone else text, call)
            returned.append(figure)
            with _named(f"{call} returned a figure that cannot be drawn:"):
                svg = drawn(figure)
        return svg, text and " ".join(text.split())

    def call(self, values: Sequence[Any]) -> str:
        """How a combination is named in messages: draw(T=5, alpha=0.5)."""
        return f"draw({', '.join(f'{p.name}={v!r}' for p, v in self._pairs(values))})"

    def default_description(self, values: Sequence[Any]) -> str:
        """What describes a frame where `draw` gives no description."""
        return f"Figure for {', '.join(f'{p.title} = {label(v)}' for p, v in self._pairs(values))}."

    def _pairs(self, values: Sequence[Any]) -> Iterator[tuple[Parameter, Any]]:
        return zip(self.parameters, values, strict=True)


def check(figure: Any, text: Any, call: str) -> None:
    """Both modes and `show` ask for a figure and, where there is one, a readable description.

    Raises:
        ValueError: not a matplotlib figure, one with nothing in it, or a description that is not a
            sentence.
    """
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        raise ValueError(f"{call}: expected a matplotlib figure (and its text); got {figure!r}")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{call}: expected a sentence that describes the figure; got {text!r}")
    if len(figure.get_children()) < 2:  # its face alone
        raise ValueError(f"{call}: expected something drawn in the figure; got an empty one")


def heavy(figure: str) -> str:
    """What to do about HTML of more than 1 MB; nothing to less."""
    size = len(figure.encode()) / 1e6
    advice = "take fewer values, draw fewer points, or draw the many with rasterized=True"
    return f"weighs {size:.1f} MB in the page: {advice}" if size > 1 else ""


def progress() -> IO[str]:
    """Where progress is written; no build may fail because it cannot be."""
    with suppress(OSError):
        return open(os.environ.get("LIVEFIGURES_PROGRESS") or os.devnull, "a")
    return open(os.devnull, "a")


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Let an error say what was done."""
    try:
        yield
    except Exception as error:
        raise RuntimeError(f"{what} {type(error).__name__}: {error}") from error


@contextmanager
def _nothing_left(call: str) -> Iterator[list[Figure]]:
    """Close the figures listed by the body and all that it opened, even if it is interrupted.

    Nothing else reaches the page: what is printed goes where progress does.
    """
    from IPython.utils.capture import capture_output

    before: set[int] = set(_open_figures())
    returned: list[Figure] = []
    leaked: set[int] = set()
    try:
        with capture_output(stderr=False) as captured:
            yield returned
    finally:
        with progress() as file:
            file.write(captured.stdout)
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            for figure in returned:
                pyplot.close(figure)
            leaked = set(_open_figures()) - before
            for number in leaked:
                pyplot.close(number)
        if captured.outputs:
            raise ValueError(
                f"{call} displays something: leave out plt.show() and display(), return the figure"
            )
    if leaked:
        raise ValueError(
            f"{call} leaves {len(leaked)} figure(s) open beside the one that it returns: close "
            "them with plt.close, or draw everything into the returned one"
        )


def _open_figures() -> list[int]:
    """The numbers of pyplot's figures: none where nobody has imported it, which is slow."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return pyplot.get_fignums() if pyplot else []
