"""Living figures: controls over matplotlib figures, with a kernel and in a page without one.

    explore(draw, T=[0.5, 1, 2, 5, 10])     # draw(T=...) returns a figure and its description
    show(figure, "What the figure shows.")  # a still figure in the same dress

With a kernel the controls are ipywidgets, and every move calls `draw`.  While pages are being built
(the environment variable LIVEFIGURES_BUILD is set), `draw` is called once for every combination of
values, and a script swaps the frames.  The first figure brings script and style sheet, unless the
variable is "sphinx": then the page has them.  LIVEFIGURES_PROGRESS names where progress is written.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from livefigures.frames import Explorer, check
from livefigures.palette import use_palette
from livefigures.values import Choices

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Choices", "explore", "show", "use_palette"]
__version__ = "0.2.0"


def explore(
    *draws: Callable[..., Any],
    start: dict[str, Any] | None = None,
    link: str | Sequence[str] = (),
    name: str | None = None,
    **parameters: Iterable[Any],
) -> None:
    """Display what one or more functions draw, with a control for each parameter.

    Args:
        draws: each is called as `draw(T=5, alpha=0.5)`; returns a matplotlib figure, or a figure
            and the sentence that describes it (its text alternative, also shown as its caption),
            or both and its numbers, by name: numbers or lists of them, for the page's table.
        start: values to begin with, such as `start={"T": 1}`; the first ones where not given.
        link: parameters that move together in all explorers that link them.
        name: the figure's name in addresses, as in `#softmax:T=20`; that of the first function,
            with hyphens, where not given.
        parameters: one to three, each with its values.  Numbers are a slider; with a kernel, a
            list of whole numbers gives one over all whole numbers between its ends, a list with a
            float a continuous one (logarithmic if the list is), and `Choices([...])` one that
            stops at the given values only.  Strings are radio buttons, or a list where there are
            more than six; `[False, True]` is a checkbox.

    Raises:
        ValueError: parameters or values that cannot be used, or more than 400 combinations; and,
            naming the combination: no figure, figures left open, another size than the others,
            a description that is empty or missing, numbers without names.
        RuntimeError: `draw` raised; the message names the combination.
    """
    if not parameters:
        raise ValueError("explore needs one to three parameters, such as T=[1, 2, 5]; got none")
    _display(Explorer(draws, parameters, start, link, name))


def show(figure: "Figure", description: str) -> None:
    """Display a still figure with the sentence that describes it.

    Raises:
        ValueError: not a matplotlib figure, or a description that is not a sentence.
    """
    check(figure, description, "show")
    _display(Explorer(lambda: (figure, description), {}))


def _display(explorer: Explorer) -> None:
    from IPython import get_ipython  # imported where needed: widgets take half a second
    from IPython.display import display

    shell = get_ipython()
    if os.environ.get("LIVEFIGURES_BUILD"):
        from livefigures.page import brought, html

        display({"text/html": brought() + html(explorer)}, raw=True)
    elif not hasattr(shell, "kernel"):  # plain Python has no place for a figure
        words = [explorer.frame(explorer.start, draw).text for draw in explorer.draws]
        print(*words, "(Run this in Jupyter to see the figure.)")
    else:
        from livefigures.live import display_live

        display_live(explorer, shell)
