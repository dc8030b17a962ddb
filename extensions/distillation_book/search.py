"""What search finds: a square by each of its names (T^2, T², T**2, T squared), in formulas too."""

import re

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

# search.js knows it as well.  The article is no quantity: "a squared difference".
SQUARE = re.compile(r"\b([b-z])(?:\^\{?2\}?|\*\*2|²| squared)(?!\w)", re.IGNORECASE)


class Squares(SearchEnglish):
    """English in which a square is one word more: "tsquared"."""

    def split(self, text: str) -> list[str]:
        """The words of a text or of a formula."""
        return [*super().split(text), *(f"{x}squared" for x in SQUARE.findall(text))]


def load_script(app: Sphinx, pagename: str, *_: object) -> None:
    """The page of results alone needs search.js."""
    if pagename == "search":
        app.add_js_file("search.js", loading_method="defer")


def setup(app: Sphinx) -> None:
    """Register both with Sphinx."""
    app.add_search_language(Squares)
    app.connect("html-page-context", load_script)
