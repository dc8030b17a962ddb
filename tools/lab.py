"""JupyterLab as Binder would install it, on this machine, and a notebook open in it.

As a program it makes the environment, if there is none of what Binder installs today.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exclusive import exclusive
from playwright.sync_api import Browser, BrowserContext, Page, Request

SLOWEST = 900_000  # milliseconds for a whole chapter on a busy machine
LEFT_BEHIND = (".git", "_build", ".venv*", "__pycache__", ".*_cache", ".hypothesis", ".unfinished")


def binders_python(root: Path) -> str:
    """The Python that Binder takes, such as python3.11."""
    return (root / "binder/runtime.txt").read_text("utf-8").strip().replace("-", "")


def digest(root: Path, python: str) -> str:
    """A digest of what an environment is made from."""
    sources = [*sorted((root / "binder").iterdir()), root / "requirements-run.lock"]
    projects = [root / "pyproject.toml", root / "livefigures/pyproject.toml"]
    parts = [path.read_bytes() for path in [*sources, *projects]]
    return hashlib.sha256(b"\0".join([python.encode(), *parts])).hexdigest()[:12]


def environment(root: Path) -> Path:
    """Install into a clean environment what Binder would, unless that was done before.

    repo2docker reads binder/ and runs pip in the root of the repository. The environment is kept
    under _build until what it is made from changes. Where Binder's Python is missing, the tests'
    own must do, and the report says so. Returns the folder of `repo`, a copy of the repository, and
    `venv`, where the library is that of the copy.
    """
    python = shutil.which(binders_python(root)) or sys.executable
    place = root / "_build" / "live" / digest(root, python)
    with exclusive(place.parent / "lock"):
        for former in place.parent.iterdir():
            if former.is_dir() and former != place:
                shutil.rmtree(former)
        if not (place / "ready").exists():
            copy(root, place / "repo")
            _run(python, "-m", "venv", "--clear", place / "venv")
            # Most of what is installed is never imported: what is, Python compiles itself.
            pip = (place / "venv/bin/python", "-m", "pip", "install", "--no-compile")
            _run(*pip, "-r", "binder/requirements.txt", cwd=place / "repo")
            (place / "ready").touch()
    return place


def copy(root: Path, repo: Path) -> None:
    """Copy the repository: running a notebook in JupyterLab saves it."""
    shutil.rmtree(repo, ignore_errors=True)
    shutil.copytree(root, repo, ignore=shutil.ignore_patterns(*LEFT_BEHIND))


def install(root: Path) -> Path:
    """The environment, with a fresh copy of the repository; returns the folder of both."""
    place = environment(root)
    shutil.rmtree(place / "servers", ignore_errors=True)
    copy(root, place / "repo")
    return place


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, env=_clean(), text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def _clean() -> dict[str, str]:
    """The environment without what would reach into Python, Jupyter or the book."""
    foreign = ("PYTHON", "JUPYTER", "IPYTHON", "LIVEFIGURES", "TQDM", "MPL", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


@dataclass(frozen=True)
class App:
    """What shows notebooks: the word after `jupyter`, its class, and the path of a notebook."""

    command: str
    settings: str
    path: str


LAB = App("lab", "LabApp", "lab/tree")
NOTEBOOK = App("notebook", "JupyterNotebookApp", "notebooks")


@dataclass
class Lab:
    """A running JupyterLab, or Notebook 7, which is made of the same parts."""

    repo: Path
    python: str
    url: str
    token: str
    app: App = LAB
    contexts: list[BrowserContext] = field(default_factory=list)

    @contextmanager
    def open(self, browser: Browser, path: str) -> Iterator["Notebook"]:
        """Open a notebook of the copy in a new page, where no other host can be reached.

        All pages are of one context: what JupyterLab is made of is read once. So the browser itself
        blocks: where Playwright decides on every request, nothing is kept.
        """
        if not self.contexts:
            self.contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        page = self.contexts[0].new_page()
        page.set_default_timeout(SLOWEST)
        notebook = Notebook(page)

        def notice(request: Request) -> None:
            if not request.url.startswith((self.url, "data:", "blob:")):
                notebook.elsewhere.append(request.url)

        page.on("request", notice)
        protocol = page.context.new_cdp_session(page)
        protocol.send("Network.enable")
        protocol.send("Network.setBlockedURLs", {"urls": ["https://*"]})  # the server's is http
        try:
            page.goto(f"{self.url}/{self.app.path}/{path}?reset&token={self.token}")
            page.wait_for_function(
                "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
                "?.connectionStatus === 'connected'"
            )
            yield notebook
            page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
        finally:
            page.close()


@contextmanager
def running(place: Path, app: App = LAB) -> Iterator[Lab]:
    """Start JupyterLab in an installed place, with no settings of the user's; stop it at the end.

    Several may run in one place at a time, each with a folder of its own for all that is not the
    repository.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = place / "servers" / str(port)
    settings = folder / "config" / "lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    silent = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    (settings / "notification.jupyterlab-settings").write_text(silent, "utf-8")
    variables = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_TOKEN": secrets.token_hex(16),
    }
    command = [
        place / "venv/bin/jupyter", app.command, "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0",
        f"--{app.settings}.expose_app_in_browser=True",
    ]  # fmt: skip
    log = folder / "jupyter.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=place / "repo", env=_clean() | variables, stdout=output, stderr=output
        )
    version = re.search(
        r"^version\w* = (\S+)", (place / "venv/pyvenv.cfg").read_text("utf-8"), re.M
    )
    url = f"http://127.0.0.1:{port}"
    lab = Lab(place / "repo", f"python{version[1]}", url, variables["JUPYTER_TOKEN"], app)
    try:
        _wait(server, lab, log)
        yield lab
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(server: subprocess.Popen, lab: Lab, log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text('utf-8')[-4000:]}")


CELLS = """() => jupyterapp.shell.currentWidget.content.widgets
  .filter((cell) => cell.model.type === "code" && cell.model.sharedModel.getSource().trim())
  .map((cell) => ({
    source: cell.model.sharedModel.getSource(),
    count: cell.model.executionCount,
    tags: cell.model.getMetadata("tags") ?? [],
    outputs: cell.model.outputs.toJSON(),
  }))"""


@dataclass
class Notebook:
    """A notebook open in JupyterLab; `elsewhere` lists what it asked of other hosts."""

    page: Page
    elsewhere: list[str] = field(default_factory=list)

    def run_all(self) -> list[dict[str, Any]]:
        """Run all cells as the menu does, wait until their figures are there; return the cells."""
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        cells = self.page.evaluate(CELLS)
        outputs = [output.get("data", {}) for cell in cells for output in cell["outputs"]]
        figures = sum(data.get("text/plain") == "(a figure)" for data in outputs)
        self.page.wait_for_function(
            "(n) => document.querySelectorAll('.jp-Notebook figure.explorer').length >= n",
            arg=figures,
        )
        return cells


def main() -> None:
    """Make the environment, and say where it is."""
    root = Path(__file__).resolve().parent.parent
    print(f"JupyterLab, as on Binder ({binders_python(root)}): making its environment", flush=True)
    print(f"JupyterLab: {environment(root) / 'venv'}")


if __name__ == "__main__":
    main()
