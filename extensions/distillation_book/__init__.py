"""What the book's pages need beside Jupyter Book: see the modules of this package."""

from typing import Any

from sphinx.application import Sphinx

from . import execution, mathml, pages, search


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything with Sphinx."""
    for part in (execution, mathml, pages, search):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
