"""What the tests of living figures share: a palette of their own, and a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sample_palette import COLOURS

from livefigures import palette, use_palette

os.environ["TQDM_DISABLE"] = "1"  # a progress bar is not an output to compare
os.environ.pop("LIVEFIGURES_BUILD", None)

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "These tests need Chromium: install it, or name one in the variable CHROMIUM."


@pytest.fixture(scope="module", autouse=True)
def colours() -> Iterator[dict[str, str]]:
    """A palette for the tests, light values by name; whoever had one gets it back."""
    before = palette.palette()
    yield use_palette(COLOURS)
    use_palette(before)


MEASURED: list[str] = []


@pytest.fixture(scope="session")
def report() -> list[str]:
    """Lines to print when all tests are done."""
    return MEASURED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests measured."""
    for line in MEASURED:
        terminalreporter.write_line(f"measured: {line}")


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config) -> Iterator:
    """Chromium: that of the session if another folder's tests have started one.

    Playwright can be started once in a process.
    """
    from playwright.sync_api import sync_playwright

    if running := getattr(pytestconfig, "chromium", None):
        yield running
        return
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        named = [os.environ.get("CHROMIUM"), *map(shutil.which, CHROMIUM)]
        path = next(filter(None, named), own if Path(own).exists() else None)
        path = path or pytest.fail(MISSING)
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        pytestconfig.chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if as_root else []
        )
        yield pytestconfig.chromium
        pytestconfig.chromium.close()
        del pytestconfig.chromium
