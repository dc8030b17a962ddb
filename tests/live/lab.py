"""JupyterLab as Binder would install it, on this machine, and a notebook open in it."""

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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    ElementHandle,
    Page,
    Request,
    Route,
    TimeoutError,
)

SLOWEST = 900_000  # milliseconds for a whole chapter on a busy machine
PATIENCE = 30_000  # for one slow figure on a busy machine
STILL = 250  # milliseconds without a move and without a change, the kernel idle
PLACES = ("now", "min", "max")
LEFT_BEHIND = (".git", "_build", ".venv*", "__pycache__", ".*_cache")


def binders_python(root: Path) -> str:
    """The Python that Binder takes, such as python3.11."""
    return (root / "binder/runtime.txt").read_text("utf-8").strip().replace("-", "")


def digest(root: Path, python: str) -> str:
    """A digest of what an environment is made from."""
    sources = [*sorted((root / "binder").iterdir()), root / "requirements-run.lock"]
    projects = [root / "pyproject.toml", root / "livefigures/pyproject.toml"]
    parts = [path.read_bytes() for path in [*sources, *projects]]
    return hashlib.sha256(b"\0".join([python.encode(), *parts])).hexdigest()[:12]


def install(root: Path) -> Path:
    """Copy the repository, and install into a clean environment what Binder would.

    repo2docker reads binder/ and runs pip in the root of the repository. The environment is kept
    under _build until what it is made from changes; the copy is fresh each time, since running a
    notebook in JupyterLab saves it. Where Binder's Python is missing, the tests' own must do, and
    the report says so. Returns the folder of both: `repo` and `venv`.
    """
    python = shutil.which(binders_python(root)) or sys.executable
    place = root / "_build" / "live" / digest(root, python)
    for former in place.parent.glob("*"):
        if former != place:
            shutil.rmtree(former)
    repo, venv, ready = place / "repo", place / "venv", place / "ready"
    shutil.rmtree(repo, ignore_errors=True)
    shutil.copytree(root, repo, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    if not ready.exists():
        _run(python, "-m", "venv", "--clear", venv)
        _run(venv / "bin/python", "-m", "pip", "install", "-r", "binder/requirements.txt", cwd=repo)
        ready.touch()
    return place


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    made = subprocess.run(command, cwd=cwd, env=_clean(), text=True, capture_output=True)
    if made.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{made.stdout}{made.stderr}")


def _clean() -> dict[str, str]:
    """The environment without what would reach into Python, Jupyter or the book."""
    foreign = ("PYTHON", "JUPYTER", "IPYTHON", "LIVEFIGURES", "TQDM", "MPL", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


@dataclass
class Lab:
    """A running JupyterLab."""

    repo: Path
    python: str
    url: str
    token: str

    @contextmanager
    def open(self, browser: Browser, path: str) -> Iterator["Notebook"]:
        """Open a notebook of the copy in a new context, where no other host can be reached."""
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(SLOWEST)
        notebook = Notebook(page)

        def gate(route: Route, request: Request) -> None:
            if request.url.startswith((self.url, "data:", "blob:")):
                route.continue_()
            else:
                notebook.elsewhere.append(request.url)
                route.abort()

        page.route("**/*", gate)
        try:
            page.goto(f"{self.url}/lab/tree/{path}?reset&token={self.token}")
            page.wait_for_function(
                "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
                "?.connectionStatus === 'connected'"
            )
            yield notebook
            page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
        finally:
            page.context.close()


@contextmanager
def running(root: Path) -> Iterator[Lab]:
    """Install, start JupyterLab with no settings of the user's, and stop it at the end."""
    place = install(root)
    settings = place / "config" / "lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    silent = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    (settings / "notification.jupyterlab-settings").write_text(silent, "utf-8")
    own = {
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "JUPYTER_DATA_DIR": str(place / "data"),
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "IPYTHONDIR": str(place / "ipython"),
        "JUPYTER_TOKEN": secrets.token_hex(16),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        place / "venv/bin/jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    log = place / "jupyter.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=place / "repo", env=_clean() | own, stdout=output, stderr=output
        )
    version = re.search(r"^version = (\S+)", (place / "venv/pyvenv.cfg").read_text("utf-8"), re.M)
    url = f"http://127.0.0.1:{port}"
    lab = Lab(place / "repo", f"python{version[1]}", url, own["JUPYTER_TOKEN"])
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

    def sliders(self) -> list["Slider"]:
        """The sliders of all its figures."""
        found = self.page.query_selector_all(".jp-Notebook .widget-slider")
        return [Slider(self.page, element) for element in found]


# When was the last move, when did the frame (picture or caption) change after it, and to what?
# Two neighbouring frames may well have the same picture, but then their captions differ.
WATCH = """(slider) => {
  let box = slider;
  while (!box.querySelector("figure.explorer")) box = box.parentElement;
  const look = () => ({
    picture: box.querySelector("figure.explorer svg")?.innerHTML,
    caption: box.querySelector("figure.explorer figcaption")?.textContent,
  });
  const working = () => box.textContent.includes("Drawing");
  const key = ({ picture, caption }) => picture + caption;
  const watch = { look, working, key, asked: 0, changed: 0, worked: false, error: "" };
  watch.forget = () => {
    watch.pictures = new Set([look().picture]);
    watch.captions = new Set([look().caption]);
  };
  watch.forget();
  for (const kind of ["pointermove", "pointerup", "keydown"])
    document.addEventListener(kind, () => (watch.asked = performance.now()), true);
  let last = key(look());
  new MutationObserver(() => {
    watch.worked ||= working();
    watch.error ||= box.querySelector(".explorer-error")?.textContent ?? "";
    const now = look();
    if (!now.picture || key(now) === last) return;
    watch.changed = performance.now();
    watch.pictures.add(now.picture);
    watch.captions.add(now.caption);
    last = key(now);
  }).observe(box, { childList: true, subtree: true, characterData: true });
  return watch;
}"""


class Slider:
    """An ipywidgets slider of a live figure, moved as a reader would, with a stopwatch beside it.

    Times are in milliseconds, from a move to the changed frame.
    """

    def __init__(self, page: Page, element: ElementHandle) -> None:
        self.page, self.element = page, element
        self.handle = element.query_selector(".noUi-handle")
        self.watch = element.evaluate_handle(WATCH)

    @property
    def name(self) -> str:
        """What stands before the slider."""
        return self.element.query_selector(".widget-label").text_content()

    def look(self) -> dict[str, str]:
        """The `picture` and its `caption` as they are now."""
        return self.watch.evaluate("(watch) => watch.look()")

    def seen(self, what: str) -> int:
        """How many different `pictures` or `captions` there were since the last drag began."""
        return self.watch.evaluate("(watch, what) => watch[what].size", what)

    def worked(self) -> bool:
        """Whether the figure has said that it is drawing."""
        return self.watch.evaluate("(watch) => watch.worked")

    def error(self) -> str:
        """What the figure has said of a failure, at any time."""
        return self.watch.evaluate("(watch) => watch.error")

    def answer(self, patience: float = PATIENCE) -> float | None:
        """Wait for the frame to change; None if it stays as it is."""
        try:
            self.page.wait_for_function(
                "(watch) => watch.changed > watch.asked", arg=self.watch, timeout=patience
            )
        except TimeoutError:
            return None
        return self.answered()

    def answered(self) -> float | None:
        """The time from the last move to the last change, if the change came after it."""
        return self.watch.evaluate(
            "(watch) => watch.changed > watch.asked ? watch.changed - watch.asked : null"
        )

    def moved(self, before: dict[str, str]) -> None:
        """Wait for another frame than before, and until it stays."""
        with suppress(TimeoutError):
            self.page.wait_for_function(
                "([watch, before]) => watch.key(watch.look()) !== watch.key(before)",
                arg=[self.watch, before],
                timeout=PATIENCE,
            )
        self.settled()

    def settled(self, still: float = STILL) -> None:
        """Wait until nothing is being drawn, and nothing has moved for a while."""
        self.page.wait_for_function(
            "([watch, still]) => !watch.working() && "
            "jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle' && "
            "performance.now() - Math.max(watch.asked, watch.changed) > still",
            arg=[self.watch, still],
        )

    def places(self) -> list[float]:
        """Where the handle is, and the ends of its track."""
        return [float(self.handle.get_attribute(f"aria-value{name}")) for name in PLACES]

    def keys_away(self) -> tuple[str, str]:
        """The arrow away from the nearer end of the track, and the key to the farther end."""
        now, low, high = self.places()
        return ("ArrowLeft", "Home") if now > (low + high) / 2 else ("ArrowRight", "End")

    def press(self, key: str) -> float | None:
        """Press a key on the handle."""
        self.handle.focus()
        self.page.keyboard.press(key)
        return self.answer(PATIENCE)

    def grab(self) -> tuple[float, float]:
        """Press the mouse on the handle, and say where it is."""
        for _ in range(10):  # cells that come into view for the first time push others about
            self.handle.hover()
            box = self.handle.bounding_box()
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            self.page.mouse.move(x, y)
            self.page.mouse.down()
            if "noUi-active" in self.handle.get_attribute("class"):
                return x, y
            self.page.mouse.up()
        raise RuntimeError(f"the handle of {self.name} cannot be grabbed")

    def drag(self) -> list[float] | None:
        """Take the handle quickly to the farther end and slowly some way back, and let go.

        Returns the answers that came while it was held; None for a figure that waits for the
        release.
        """
        x, y = self.grab()
        self.watch.evaluate("(watch) => watch.forget()")
        track = self.element.query_selector(".noUi-base").bounding_box()
        left, right = track["x"], track["x"] + track["width"]
        end = right if x < (left + right) / 2 else left
        before, mouse = self.look(), self.page.mouse
        mouse.move(end, y, steps=8)
        self.settled(2 * STILL)  # by then a figure that follows has asked the kernel for a frame
        follows = self.look() != before
        answers = [self.answered()]
        for part in (1, 2, 3, 4) if follows else ():
            former = self.places()
            mouse.move(end + (x - end) * part / 12, y)
            if self.places() != former:  # else it stands on the same of a few values
                answers.append(self.answer(600))
        mouse.up()
        self.moved(before)
        return [answer for answer in answers if answer] if follows else None
