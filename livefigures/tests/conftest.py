"""What the tests of living figures share: a palette of their own, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from livefigures.page import asset
from sample_palette import COLOURS

from livefigures import palette, use_palette

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


@pytest.fixture
def opened(browser: Browser, content: str, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens the page; afterwards nothing may be in the console, and nothing may be asked for."""
    contexts, troubles = [], []

    def open_page(
        width: int = 1280, theme: str = "light", before: str = "", address: str = "", **options
    ) -> Page:
        path = tmp_path / "page.html"
        style, script = (asset(kind) for kind in ("css", "js"))
        path.write_text(
            f'<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><title>Explorers</title>'
            "<style>html { background: #ffffff; color: #1f2328 }"
            "html[data-theme=dark] { background: #14181e; color: #ced6dd } a { color: inherit }"
            f"{style}</style><main><h1>Explorers</h1>{content}"
            f'<div style="height:2000px"></div></main>{before}<script>{script}</script>'
        )
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url))
        page.goto(path.as_uri() + address)
        assert troubles.pop(0).startswith(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
