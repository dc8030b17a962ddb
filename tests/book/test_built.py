"""The book is built strictly before anything looks at its pages."""

from pathlib import Path

from toc import pages


def test_the_book_is_built(html: Path) -> None:
    """Without a warning, and with every page of its table of contents."""
    for name in pages():
        assert (html / f"{name}.html").exists(), name
