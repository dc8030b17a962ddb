"""One JupyterLab for all live tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab, binders_python, running


@pytest.fixture(scope="session")
def lab(root: Path, report: list[str]) -> Iterator[Lab]:
    """JupyterLab in a clean environment, with what Binder would install."""
    with running(root) as started:
        report.append(f"live: on {started.python}; Binder takes {binders_python(root)}")
        yield started
