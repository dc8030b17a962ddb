"""What all tests share: the repository's places, a browser, and what to report at the end."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent))
os.environ["TQDM_DISABLE"] = "1"  # a progress bar is not an output to compare
os.environ.pop("LIVEFIGURES_BUILD", None)

REPORT: list[str] = []


@pytest.fixture(scope="session")
def report() -> list[str]:
    """Lines to print when all tests are done."""
    return REPORT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests measured."""
    if REPORT:
        terminalreporter.section("measured")
        for line in REPORT:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def config() -> dict:
    """The book's _config.yml."""
    return yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config) -> Iterator:
    """Chromium, or a failure that says how to get it; one for all, for Playwright starts once."""
    from chromium import MISSING, find
    from playwright.sync_api import sync_playwright

    if running := getattr(pytestconfig, "chromium", None):  # of livefigures/tests
        yield running
        return
    path = find() or pytest.fail(MISSING)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        pytestconfig.chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if as_root else []
        )
        yield pytestconfig.chromium
        pytestconfig.chromium.close()
        del pytestconfig.chromium
