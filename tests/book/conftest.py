"""The built book, served on localhost, in a browser that reaches no other host."""

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from building import build, once
from playwright.sync_api import Browser, Page
from toc import SUB_PATH, pages
from visits import Tabs, Visit, start


@pytest.fixture(scope="session")
def html(root: Path, run_id: str) -> Path:
    """The folder of the built pages. Building takes two seconds if nothing has changed."""

    def make() -> str:
        fine, output = build(root, root)
        if not fine:
            shutil.rmtree(root / "_build/.doctrees", ignore_errors=True)  # as the Makefile does
        return "" if fine else output

    if failure := once(root / "_build/built-for-tests", run_id, make):
        pytest.fail(f"the book could not be built:\n{failure[-9000:]}", pytrace=False)
    return root / "_build/html"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the book at the root and under a path."""

    def translate_path(self, path: str) -> str:
        """Take the sub-path off."""
        return super().translate_path(path.removeprefix(SUB_PATH))

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def site(html: Path) -> Iterator[str]:
    """The address of the served book."""
    handler = functools.partial(Handler, directory=html)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Callable[..., Visit]]:
    """A function that opens a page: visit("chapters/index.html", mode="dark", width=390)."""
    contexts = []

    def open_page(
        path: str,
        *,
        base: str = site,
        mode: str = "light",
        width: int = 1280,
        until: str = "load",
        **options: object,
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=mode, **options
        )
        contexts.append(context)
        visited = start(context, site)
        visited.page.goto(f"{base}/{path}", wait_until=until)
        return visited

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def tabs(browser: Browser, site: str, html: Path) -> Iterator[Tabs]:
    """The tabs that stay open from test to test."""
    opened = Tabs(browser, site, html)
    yield opened
    opened.close()


@pytest.fixture(params=pages())
def name(request: pytest.FixtureRequest) -> str:
    """Each page of the book in turn."""
    return request.param


@pytest.fixture
def wide(name: str, tabs: Tabs) -> Visit:
    """The page in a wide window."""
    return tabs.at("wide", name)


@pytest.fixture
def narrow(name: str, tabs: Tabs) -> Visit:
    """The page on a telephone, in the dark, of a site that lies under a sub-path."""
    return tabs.at("narrow", name)


@pytest.fixture
def disk(name: str, tabs: Tabs) -> Visit:
    """The page as it is opened from the disk, on a screen."""
    visited = tabs.at("disk", name)
    visited.page.emulate_media(media="screen")
    return visited


@pytest.fixture
def paper(name: str, tabs: Tabs) -> Page:
    """The page as it is printed."""
    visited = tabs.at("disk", name)
    said = len(visited.troubles)
    visited.page.emulate_media(media="print")
    visited.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    del visited.troubles[said:]  # sphinx-togglebutton logs what it opens for the printer
    return visited.page
