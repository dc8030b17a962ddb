"""One JupyterLab for all live tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab, running


@pytest.fixture(scope="session")
def lab(root: Path) -> Iterator[Lab]:
    """JupyterLab in a clean environment, with what Binder would install."""
    with running(root) as started:
        yield started
