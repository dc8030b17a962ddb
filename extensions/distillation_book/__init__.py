"""What the book's pages need beside Jupyter Book: see the modules of this package.

The variable DISTILL_BOOK_BUILD tells `distill_lib.explore`, in the notebooks' kernels, that a page
is being built.
"""

import os
from typing import Any

from sphinx.application import Sphinx

from . import execution, mathml, pages


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything with Sphinx."""
    os.environ["DISTILL_BOOK_BUILD"] = "1"
    for part in (execution, mathml, pages):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
