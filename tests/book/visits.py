"""A page in the browser, which reaches no other host, and a note of all that it asked and said."""

from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, Page, Request, Response, Route


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
