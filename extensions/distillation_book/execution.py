"""Run the notebooks whose outputs may have changed, side by side, and give the pages their outputs.

Each executed notebook is a file in `_build/.jupyter_cache`, named by the digest of all that it
depends on (`dependencies`).  Before Sphinx reads pages, the notebooks among them that have no such
file are run; while it reads one, the file's outputs take the place of those in the source.  A file
is written as a whole or not at all, so a build that is stopped keeps the chapters that were done.
"""

import json
import os
import shutil
import time
from pathlib import Path
from typing import IO

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util import logging

from .dependencies import digest
from .kernels import run

logger = logging.getLogger(__name__)
WEEK = 7 * 24 * 3600  # seconds
KEY = "executed"  # in a page's metadata: the digest of the notebook whose outputs it shows


class ChapterError(SphinxError):
    """Chapters that could not be run."""

    category = "Error in a chapter"


def cache(app: Sphinx) -> Path:
    """The folder of executed notebooks, which `jupyter-book clean` spares."""
    return Path(app.outdir).parent / ".jupyter_cache"


def notebooks(app: Sphinx, docnames: set[str] | list[str]) -> dict[str, Path]:
    """Those of the pages that are notebooks, with their files."""
    paths = {name: Path(app.env.doc2path(name)) for name in sorted(docnames)}
    return {name: path for name, path in paths.items() if path.suffix == ".ipynb"}


def digest_of(app: Sphinx, path: Path, text: str | None = None) -> str:
    """The digest of a notebook as it is now, or with this text."""
    return digest(text or path.read_text("utf-8"), path.parent, Path(app.srcdir))


# --- What Sphinx calls ----------------------------------------------------------------------------


def wait_for_other_builds(app: Sphinx, config: Config) -> None:
    """Two builds in one folder would write the same files: the second waits for the first."""
    app.builds_alone = open_lock(Path(app.outdir).parent / ".lock")


def open_lock(path: Path) -> IO[str] | None:
    """Lock a file until it is closed, which the end of the process does; None on Windows."""
    try:
        import fcntl
    except ImportError:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.info("another build of this book is under way: waiting until it has ended")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def isolate_kernels(app: Sphinx) -> None:
    """Keep the reader's IPython settings out of the book, and kernels' warnings off the screen."""
    settings = Path(app.outdir).parent / ".ipython/profile_default"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "ipython_kernel_config.py").write_text(
        "get_config().IPKernelApp.log_level = 'ERROR'"
    )
    os.environ["IPYTHONDIR"] = str(settings.parent)


def outdated(app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:
    """The pages whose outputs are not those of their notebook and of what it uses now."""
    return [
        name
        for name, path in notebooks(app, env.found_docs).items()
        if env.metadata[name].get(KEY) != digest_of(app, path)
    ]


def execute(app: Sphinx, targets: dict[Path, Path]) -> None:
    """Run notebooks and store each in its target; a ChapterError tells which could not be run."""

    def store(path: Path, notebook: NotebookNode) -> None:
        target = targets[path]
        if digest_of(app, path) != target.stem:
            raise RuntimeError("it, or what it uses, was edited while it ran: build it again")
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(f".{os.getpid()}")
        unfinished.write_text(nbformat.writes(notebook), "utf-8")
        unfinished.replace(target)

    errors = run([*targets], store, app.config.nb_execution_timeout)
    if errors:
        reports = (f"{path.relative_to(app.srcdir)}: {text}" for path, text in errors.items())
        raise ChapterError("\n\n".join(reports))


def execute_missing(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Run the notebooks that are about to be read and have no outputs yet."""
    todo = {}
    for path in notebooks(app, docnames).values():
        target = cache(app) / f"{digest_of(app, path)}.ipynb"
        if not target.exists():
            todo[path] = target
    if todo:
        execute(app, todo)


def insert_outputs(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let Sphinx read the executed notebook's outputs in place of the stored ones."""
    path = Path(app.env.doc2path(docname))
    if path.suffix != ".ipynb":
        return
    key = digest_of(app, path, source[0])
    executed = cache(app) / f"{key}.ipynb"
    if not executed.exists():
        raise ChapterError(f"{docname}, or what it uses, has just been edited: build it again")
    notebook, done = json.loads(source[0]), json.loads(executed.read_text("utf-8"))
    notebook["metadata"] |= done["metadata"]
    outputs = (cell for cell in done["cells"] if cell["cell_type"] == "code")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            ran = next(outputs)
            cell |= {"outputs": ran["outputs"], "execution_count": ran["execution_count"]}
    source[0] = json.dumps(notebook)
    app.env.metadata[docname][KEY] = key


def drop_old(app: Sphinx, error: Exception | None) -> None:
    """Drop executed notebooks that no page shows, after a week in which an edit may be undone."""
    if error or not cache(app).exists():
        return
    shown = {f"{app.env.metadata[name].get(KEY)}.ipynb" for name in app.env.found_docs}
    for path in cache(app).iterdir():
        if path.is_dir():  # of an earlier kind of cache
            shutil.rmtree(path)
        elif path.name not in shown and path.stat().st_mtime < time.time() - WEEK:
            path.unlink()


def setup(app: Sphinx) -> None:
    """Connect all this with Sphinx."""
    app.connect("config-inited", wait_for_other_builds)
    app.connect("builder-inited", isolate_kernels)
    app.connect("env-get-outdated", outdated)
    app.connect("env-before-read-docs", execute_missing)
    app.connect("source-read", insert_outputs)
    app.connect("build-finished", drop_old)
