"""What every page loads, and repairs of the theme: no request leaves the site, nothing in the
console, no serious fault of accessibility."""

import hashlib
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

HERE = Path(__file__).parent
STATIC = HERE / "static"

# Scripts of others that write to the console: pages load a copy that does not.
TALKATIVE = "pydata-sphinx-theme|sphinx-book-theme|togglebutton"

# (what the theme and the extensions write, what the page gets)
REPAIRS = [
    # 540 KB to draw some thirty icons: book.css has a font of 4 KB with just these.
    (r"\s*<script[^>]*/fontawesome\.js[^>]*></script>", ""),
    # On a first visit the theme knows neither its mode nor its colours before its script has run.
    (r'(getItem\("mode"\) \|\| )""', r'\1"auto"'),
    (
        r'(getItem\("theme"\) \|\| )""',
        r'\1(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    ),
    # The book's name and search stand in no landmark.
    (r'(<div id="pst-primary-sidebar")', r'\1 role="region" aria-label="Book"'),
    # The button reads "Search Ctrl+K": who speaks to a page says what stands there.
    (r'(<button class="btn search-button-field[^>]*) aria-label="Search"', r"\1"),
    # An icon is a letter of the icons' font, and no part of a name.
    (r'(<i class="fa[^">]*")>', r'\1 aria-hidden="true">'),
    # A folded cell is called what it reads: "Show code cell source".
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # The bibliography is a list whose children are no list items; their role is deprecated too.
    (r'role="doc-biblioentry"', 'role="listitem"'),
    (rf"/({TALKATIVE})\.js", r"/\1.quiet.js"),
    (r"console\.log\(", "void("),
    # The space before a solution's link is part of the link.
    (r"(Solution to)(<a [^>]*>) ", r"\1 \2"),
]


def mend(html: str) -> str:
    """Apply the repairs to a page."""
    for pattern, replacement in REPAIRS:
        html = re.sub(pattern, replacement, html)
    return html


def mend_pages(app: Sphinx) -> None:
    """Let every page pass through `mend` as the template engine writes it."""
    if app.builder.format != "html":
        return
    render = app.builder.templates.render
    app.builder.templates.render = lambda name, context: mend(render(name, context))


def silence_scripts(app: Sphinx, error: Exception | None) -> None:
    """Write the quiet copies of the scripts that the pages load."""
    if error or app.builder.format != "html":
        return
    for path in Path(app.outdir, "_static").rglob("*.js"):
        if re.fullmatch(TALKATIVE, path.stem):
            quiet = path.read_text("utf-8").replace("console.log(", "void(")
            path.with_suffix(".quiet.js").write_text(quiet, "utf-8")


def number_the_printed_title(
    app: Sphinx, name: str, _: str, context: dict[str, Any], *__: object
) -> None:
    """The theme prints a title of its own, without the chapter's number."""
    if "pagetitle" in context:
        context["pagetitle"] = context["title"]


def link_anew(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write every page again after the table of contents has changed: its ways back and on, too."""
    contents = Path(app.srcdir, app.config.external_toc_path).read_text("utf-8")
    before, env.contents = getattr(env, "contents", None), contents
    return [] if contents == before else sorted(env.found_docs)


def configure(app: Sphinx, config: Config) -> None:
    """Set what Jupyter Book's configuration has no key for."""
    config.html_static_path.append(str(STATIC))
    config.html_theme_options |= {
        "logo": {"text": config.html_title, "alt_text": ""},
        "navbar_persistent": [],  # search stands in the sidebar already
        "show_toc_level": 2,
    }


def setup(app: Sphinx) -> None:
    """Register styles, scripts and repairs."""
    # Jupyter Book sets this value; the extension that reads it loads scripts from other hosts.
    app.add_config_value("comments_config", {}, "env")
    # Pages are written again when this package changes.
    package = b"".join(path.read_bytes() for path in sorted(HERE.rglob("*.*")) if path.is_file())
    app.add_config_value("distillation_book", hashlib.sha256(package).hexdigest(), "html")
    app.connect("config-inited", configure)
    app.connect("builder-inited", mend_pages)
    app.connect("build-finished", silence_scripts)
    app.connect("env-get-updated", link_anew)
    app.connect("html-page-context", number_the_printed_title, priority=900)  # after the theme
    for path in sorted(STATIC.glob("*.css")):
        app.add_css_file(path.name, priority=900)
    app.add_js_file("book.js", defer="defer")
