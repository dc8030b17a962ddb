"""What the unit tests share: repeatable made-up input, and a way to import the studies."""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

# The same examples at every run: a failure in CI is a failure everywhere.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")

STUDIES = Path(__file__).resolve().parents[2] / "studies"


@pytest.fixture(scope="session")
def study() -> Iterator[Callable[[str], ModuleType]]:
    """Imports a file of studies by its name, as they import one another."""
    sys.path.append(str(STUDIES))
    yield import_module
    sys.path.remove(str(STUDIES))
