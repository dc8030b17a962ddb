"""What the unit tests share: repeatable made-up input, and a word on what could not be compared."""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

# The same examples at every run: a failure in CI is a failure everywhere.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")

# The one place that decides about PyTorch: with it, its tests are collected like all others;
# without it, the report says at its end that they were not.
TORCH = "test_against_torch.py"
collect_ignore = [] if find_spec("torch") else [TORCH]


STUDIES = Path(__file__).resolve().parents[2] / "studies"


@pytest.fixture(scope="session")
def study() -> Iterator[Callable[[str], ModuleType]]:
    """Imports a file of studies by its name, as they import one another."""
    sys.path.append(str(STUDIES))
    yield import_module
    sys.path.remove(str(STUDIES))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, so that nobody takes it for passed."""
    if collect_ignore:
        terminalreporter.write_line(
            f"NOT COLLECTED: tests/unit/{TORCH} compares losses, models and optimisers with "
            "PyTorch, which is not installed here (pip install torch).",
            yellow=True,
        )
