"""The built book, served on localhost, in a browser that reaches no other host."""

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from building import build
from playwright.sync_api import Browser, Page, Request, Response, Route
from toc import SUB_PATH


@pytest.fixture(scope="session")
def html(root: Path) -> Path:
    """The folder of the built pages. Building takes two seconds if nothing has changed."""
    fine, said = build(root, root)
    if not fine:
        shutil.rmtree(root / "_build/.doctrees", ignore_errors=True)  # as the Makefile does
        pytest.fail(f"the book could not be built:\n{said[-9000:]}", pytrace=False)
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


@dataclass
class Visit:
    """A page in the browser, and all that happened while it was open."""

    page: Page
    responses: list[Response] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)  # console messages, failures, other hosts


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
        page = context.new_page()
        visited = Visit(page)

        def gate(route: Route, request: Request) -> None:
            if request.url.startswith((site, "file:", "data:", "blob:")):
                route.continue_()
            else:
                visited.troubles.append(f"request to another host: {request.url}")
                route.abort()

        context.route("**/*", gate)
        page.on("response", lambda response: visited.responses.append(response))
        page.on("console", lambda message: visited.troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: visited.troubles.append(f"script error: {error}"))
        page.on("requestfailed", lambda r: visited.troubles.append(f"request failed: {r.url}"))
        page.goto(f"{base}/{path}", wait_until=until)
        return visited

    yield open_page
    for context in contexts:
        context.close()
