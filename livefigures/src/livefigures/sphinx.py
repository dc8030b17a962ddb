"""The extension for Sphinx and Jupyter Book: add "livefigures.sphinx" to `extensions`.

It gives pages script and style sheet, and tells the kernels that a page is being built.
"""

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.logging import getLogger

from livefigures import __version__
from livefigures.frames import heavy
from livefigures.links import FRAME, faults
from livefigures.page import asset

logger = getLogger(__name__)
PACKAGE = Path(__file__).parent
STATIC = PACKAGE / "static"


def add_static_files(app: Sphinx, config: Config) -> None:
    """Let the build copy the script and the style sheet."""
    config.html_static_path.append(str(STATIC))


def shorten_static_files(app: Sphinx, error: Exception | None) -> None:
    """Take comments and space out of what the build has copied."""
    for path in app.outdir.glob("_static/livefigures.*"):
        path.write_text(asset(path.suffix[1:]), "utf-8")


def finish_page(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Keep the first of equal styles, which each figure brings; warn of what is wrong or heavy."""
    body: str = context.get("body", "")
    first: dict[str, int] = {}  # where each style stands for the first time
    figures = re.findall(r'<figure class="explorer".*?</figure>', body, re.S)
    for words in [*faults(body), *filter(None, map(heavy, figures))]:
        logger.warning(words, location=page, type="livefigures")
    if body:
        context["body"] = re.sub(
            r"<style>\.explorer\{.*?</style>",
            lambda m: m[0] if first.setdefault(m[0], m.start()) == m.start() else "",
            body,
        )


def link_frames(app: Sphinx, doctree: nodes.document) -> None:
    """MyST knows no target like `#softmax:T=20`: make it a link, which `finish_page` checks."""
    for node in [*doctree.findall(addnodes.pending_xref)]:
        if node["reftype"] == "myst" and re.fullmatch(FRAME, node["reftarget"]):
            address = f"#{node['reftarget']}"
            node.replace_self(
                nodes.reference("", "", *node.children, refuri=address, internal=True)
            )


def tell_kernels() -> None:
    """Set what `explore` reads in the notebooks' kernels, which inherit the environment."""
    os.environ["LIVEFIGURES_BUILD"] = "sphinx"  # so that no figure brings script and style sheet
    # A long figure shows in the terminal how far it is; Windows has no names for terminals.
    if sys.stderr.isatty() and hasattr(os, "ttyname"):
        os.environ.setdefault("LIVEFIGURES_PROGRESS", os.ttyname(sys.stderr.fileno()))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything with Sphinx."""
    tell_kernels()
    # Pages are written again when this package changes.
    files = sorted(path for path in PACKAGE.rglob("*.*") if path.suffix in (".py", ".css", ".js"))
    content = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    app.add_config_value("livefigures_content", content, "html")
    app.connect("config-inited", add_static_files)
    app.connect("doctree-read", link_frames)
    app.connect("build-finished", shorten_static_files)
    app.connect("html-page-context", finish_page)
    app.add_css_file("livefigures.css", priority=800)
    app.add_js_file("livefigures.js", defer="defer")
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
