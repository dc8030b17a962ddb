"""JupyterLab for the live tests: one environment for all, a server for each process of pytest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from building import once
from lab import Lab, binders_python, environment, install, running


@pytest.fixture(scope="session")
def lab(root: Path, run_id: str, report: list[str]) -> Iterator[Lab]:
    """JupyterLab in a clean environment, with what Binder would install."""

    def make() -> str:
        install(root)
        return ""

    once(root / "_build/live-copied", run_id, make)
    with running(environment(root)) as started:
        line = f"live: on {started.python}; Binder takes {binders_python(root)}"
        if line not in report:
            report.append(line)
        yield started
