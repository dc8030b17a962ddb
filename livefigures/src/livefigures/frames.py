"""Frames of a figure: `draw` is called with values, what it returns is checked, and it is drawn."""

import itertools
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, NamedTuple

from livefigures.values import Parameter

Draw = Callable[..., Any]
MOST_FRAMES = 400  # more would make a slow build and a heavy page


class Frame(NamedTuple):
    """A drawn figure: matplotlib's SVG, its description, its numbers."""

    svg: str
    text: str
    is_described: bool  # by `draw` itself
    numbers: list[list[str]]


class Explorer:
    """What `explore` is given, checked: `page.html` is for a page, `live.widget` for a kernel."""

    def __init__(
        self,
        draws: Draw | Sequence[Draw],
        parameters: dict[str, Iterable[Any]],
        start: dict[str, Any] | None = None,
        link: str | Sequence[str] = (),
        name: str | None = None,
    ) -> None:
        self.draws = [draws] if callable(draws) else [*draws]
        if not self.draws or not all(map(callable, self.draws)):
            raise ValueError(f"draw must be a function that returns a figure; got {draws!r}")
        if len(parameters) > 3:
            raise ValueError(f"at most three parameters; got {len(parameters)}: {[*parameters]}")
        self.link = [link] if isinstance(link, str) else [*link]
        for what, names in (("start", start or {}), ("link", self.link)):
            if unknown := set(names) - set(parameters):
                raise ValueError(f"{what} names {sorted(unknown)}, not among {[*parameters]}")
        of = getattr(self.draws[0], "func", self.draws[0])  # a partial's function has the name
        own = getattr(of, "__name__", "").strip("_").replace("_", "-")
        self.name = name or (own if re.fullmatch(r"[\w-]+", own) else "figure")
        if not re.fullmatch(r"[\w-]+", self.name):
            raise ValueError(f"name must have letters, digits and hyphens alone; got {name!r}")
        self.parameters = [Parameter.of(k, v, start or {}) for k, v in parameters.items()]
        self.start = tuple(p.values[p.start] for p in self.parameters)
        count = math.prod(len(p.values) for p in self.parameters)
        if count > MOST_FRAMES:
            raise ValueError(f"{count} combinations of values; at most {MOST_FRAMES} can be drawn")

    def combinations(self) -> list[tuple[Any, ...]]:
        """All combinations of values, the last parameter moving first."""
        return list(itertools.product(*(p.values for p in self.parameters)))

    def frame(self, values: Sequence[Any], draw: Draw, numbers: bool = False) -> Frame:
        """Draw one combination by one of the functions; read its numbers, if they are asked for.

        Raises:
            ValueError, RuntimeError: as `explore`; they name the combination.
        """
        from livefigures.numbers import columns
        from livefigures.svg import drawn

        call = self.call(values, draw)
        with _nothing_left(call) as returned:
            with _named(f"{call} raised"):
                result = draw(**{p.name: v for p, v in self._pairs(values)})
            alone = not (isinstance(result, tuple) and len(result) in (2, 3))
            figure, text, given = (result, None, None) if alone else (*result, None)[:3]
            check(figure, "none needed" if alone else text, call)
            returned.append(figure)
            with _named(f"{call} returned a figure that cannot be drawn:"):
                svg = drawn(figure)
            read = columns(figure, given, call) if numbers else []
        words = " ".join(text.split()) if text else f"Figure for {self.says(values)}."
        return Frame(svg, words, text is not None, read)

    def call(self, values: Sequence[Any], draw: Draw | None = None) -> str:
        """How a combination is named in messages: draw(T=5, alpha=0.5)."""
        name = getattr(draw, "__name__", "draw") if len(self.draws) > 1 else "draw"
        return f"{name}({', '.join(f'{p.name}={v!r}' for p, v in self._pairs(values))})"

    def says(self, values: Sequence[Any]) -> str:
        """How a reader sees a combination: T = 5, teacher: A."""
        return ", ".join(p.says(v) for p, v in self._pairs(values))

    def _pairs(self, values: Sequence[Any]) -> Iterator[tuple[Parameter, Any]]:
        return zip(self.parameters, values, strict=True)


def check(figure: Any, text: Any, call: str) -> None:
    """Ask for a figure with something in it and a readable description.

    Raises:
        ValueError: it is not.
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
def _nothing_left(call: str) -> Iterator[list[Any]]:
    """Close the figures listed by the body and all that it opened, even if it is interrupted.

    Nothing else reaches the page: what is printed goes where progress does.
    """
    from IPython.utils.capture import capture_output
    from matplotlib._pylab_helpers import Gcf  # pyplot's figures; importing pyplot itself is slow

    before, returned, leaked = set(Gcf.figs), list[Any](), set[int]()
    try:
        with capture_output(stderr=False) as captured:
            yield returned
    finally:
        with progress() as file:
            file.write(captured.stdout)
        for figure in returned:
            Gcf.destroy_fig(figure)
        leaked = set(Gcf.figs) - before
        for number in leaked:
            Gcf.destroy(number)
        if captured.outputs:
            raise ValueError(
                f"{call} displays something: leave out plt.show() and display(), return the figure"
            )
    if leaked:
        raise ValueError(
            f"{call} leaves {len(leaked)} figure(s) open beside the one that it returns: close "
            "them with plt.close, or draw everything into the returned one"
        )
