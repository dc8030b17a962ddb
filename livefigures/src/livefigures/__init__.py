"""Living figures: sliders over matplotlib figures, with a kernel and in a page without one.

    from livefigures import Choices, explore, show, use_palette

`explore` and `show` display a figure, `Choices` marks values with nothing in between, and
`use_palette` names colours that suit light and dark pages.  `livefigures.sphinx` is the extension
for Sphinx and Jupyter Book.
"""

from livefigures.display import explore, show
from livefigures.palette import use_palette
from livefigures.values import Choices

__all__ = ["Choices", "explore", "show", "use_palette"]
__version__ = "0.1.0"
