"""A page in the browser, which reaches no other host, and a note of all that it asked and said.

To open a page takes longer than most of what is looked at there. So a tab stays where it is until
a test asks for another page, and the tests of one page come after each other (`tests/spread.py`).
"""

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, Route
from toc import SUB_PATH

COLUMN = 700  # pixels between the margins of an A4 page

# How the book is opened: each page in each of these ways, and from each of the three places.
VIEWS = {
    "wide": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "narrow": {
        "viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "has_touch": True
    },
    "disk": {"viewport": {"width": COLUMN, "height": 800}, "color_scheme": "light"},
    "without scripts": {
        "viewport": {"width": 1280, "height": 800}, "java_script_enabled": False
    },
}  # fmt: skip


@dataclass
class Visit:
    """A page in the browser, and all that happened while it was open."""

    page: Page
    responses: list[Response] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)  # console messages, failures, other hosts


def start(context: BrowserContext, site: str) -> Visit:
    """A page that has not been anywhere yet, and can go to this site only."""
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
    return visited


class Tabs:
    """A tab for each of the ways in which the book is opened."""

    def __init__(self, browser: Browser, site: str, html: Path) -> None:
        self.browser, self.site = browser, site
        self.bases = {"disk": html.as_uri(), "narrow": site + SUB_PATH}
        self.tabs: dict[str, Visit] = {}
        self.names: dict[str, str] = {}  # where each tab is

    def at(self, view: str, name: str) -> Visit:
        """The page of this name in one of the `VIEWS`, opened unless the tab is there already."""
        if view not in self.tabs:
            self.tabs[view] = start(self.browser.new_context(**VIEWS[view]), self.site)
        visited = self.tabs[view]
        if self.names.get(view) != name:
            visited.responses.clear()
            visited.troubles.clear()
            address = f"{self.bases.get(view, self.site)}/{name}.html"
            visited.page.goto(address, wait_until="networkidle" if view == "wide" else "load")
            self.names[view] = name
        return visited

    def leave(self, view: str) -> None:
        """Let the next test have the page anew: this one has opened what a reader would open."""
        self.names.pop(view, None)

    def close(self) -> None:
        """Close them all."""
        for visited in self.tabs.values():
            visited.page.context.close()
