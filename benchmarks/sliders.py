"""From a key press to the changed picture: a page's slider, `explore` and `interact` live.

    python benchmarks/sliders.py [--presses 200] [--no-record]

The same figure three times in one run: in a page of the book (no kernel), and in JupyterLab, once
under `explore` and once under `interact` of ipywidgets. The clock starts at the key's own time
stamp. It is read when the document changes, and again when the browser has drawn the next frame,
which at 60 frames a second comes up to 17 ms later whatever the page does. The sizes are those of
two figures in the page, all their frames included. Run it with .venv-test/bin/python; the result
goes to results/sliders.json.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from playwright.sync_api import ElementHandle, Page, sync_playwright

from distill_lib.results import record

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import chromium  # noqa: E402
import lab  # noqa: E402

FIGURES = (
    Path(__file__).with_name("two_figures.py").read_text("utf-8")
    + """
from IPython.display import display
from ipywidgets import SelectionSlider, interact
from distill_lib import Choices, explore
%matplotlib inline
"""
)
EXPLORE = "explore(draw, T=Choices(T))"
LINES = "explore(lines, T=Choices(LINES_T), alpha=Choices(ALPHA))"
INTERACT = "interact(lambda T: display(draw(T)[0]), T=SelectionSlider(options=T));"

# Notes [ms to the change, ms to the frame that shows it] of every press.
STOPWATCH = """([box, picture]) => {
  const look = () => {
    const found = box.querySelector(picture);
    return found && (found.src ?? found.innerHTML);
  };
  const watch = { times: [] };
  let began, last = look();
  document.addEventListener("keydown", (event) => (began = event.timeStamp), true);
  new MutationObserver(() => {
    const now = look();
    if (!now || now === last) return;
    last = now;
    const start = began, changed = performance.now() - start;
    requestAnimationFrame(() => {
      const channel = new MessageChannel(); // its turn comes when the frame has been drawn
      channel.port1.onmessage = () => watch.times.push([changed, performance.now() - start]);
      channel.port2.postMessage(0);
    });
  }).observe(box, { childList: true, subtree: true, attributes: true, characterData: true });
  return watch;
}"""


def write(path: Path, *cells: str) -> None:
    """A notebook of these cells."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Speed"),
            *(nbformat.v4.new_code_cell(cell) for cell in cells),
        ]
    )
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


def press(
    page: Page, slider: ElementHandle, box: ElementHandle, picture: str, presses: int
) -> np.ndarray:
    """Press → to the end, Home, and so on; shape (presses, 2), in milliseconds."""
    slider.scroll_into_view_if_needed()
    slider.focus()
    watch = page.evaluate_handle(STOPWATCH, [box, picture])
    for n in range(presses):
        page.keyboard.press("Home" if n % 30 == 29 else "ArrowRight")
        page.wait_for_function("([watch, n]) => watch.times.length > n", arg=[watch, n])
        page.wait_for_timeout(7 * (n % 5))  # not in step with the screen
    return np.array(watch.evaluate("(watch) => watch.times"))


def sizes(html: str) -> list[tuple[int, int]]:
    """Bytes, plain and gzipped, of each explorer of a page, frames and all."""
    found = re.findall(r'<figure class="explorer".*?</figure>', html, re.DOTALL)
    return [(len(f.encode()), len(gzip.compress(f.encode(), 9))) for f in found]


def build(repo: Path, jupyter_book: Path) -> Path:
    """Build a book of one page out of the copy of the repository; return the page."""
    write(repo / "chapters/speed.ipynb", FIGURES, EXPLORE, LINES)
    (repo / "_toc.yml").write_text("format: jb-book\nroot: chapters/speed\n", "utf-8")
    made = subprocess.run([jupyter_book, "build", "."], cwd=repo, text=True, capture_output=True)
    if made.returncode:
        raise RuntimeError(made.stdout + made.stderr)
    return repo / "_build/html/chapters/speed.html"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--no-record", action="store_true", help="write nothing into results/")
    options = parser.parse_args()

    load, times = round(os.getloadavg()[0], 1), {}
    path = chromium.find() or sys.exit(chromium.MISSING)
    with lab.running(lab.install(ROOT)) as server, sync_playwright() as playwright:
        html = build(server.repo, ROOT / ".venv/bin/jupyter-book")
        write(server.repo / "chapters/speed.ipynb", FIGURES, EXPLORE, INTERACT)
        browser = chromium.launch(playwright, path)

        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(html.as_uri())
        figure = page.wait_for_selector("figure.explorer")
        slider = figure.query_selector("input[type=range]")
        times["page"] = press(page, slider, figure, ":scope > svg", options.presses)
        page.close()

        with server.open(browser, "chapters/speed.ipynb") as notebook:
            notebook.run_all()
            page = notebook.page
            interact = page.wait_for_selector(".jp-Notebook .widget-interact:has(img)")
            explorer = page.wait_for_selector(".widget-vbox:has(figure.explorer)")
            for name, box, picture in (
                ("explore, kernel", explorer, "figure.explorer svg"),
                ("interact, kernel", interact, ".jp-OutputArea-output img"),
            ):
                handle = box.query_selector(".noUi-handle")
                times[name] = press(page, handle, box, picture, options.presses)
        chromium_version = browser.version
        browser.close()

    found: dict[str, Any] = {"presses": options.presses, "load": load, "milliseconds": {}}
    print("from a key press, ms        changed: median    95%     on screen: median    95%")
    for name, measured in times.items():
        median, high = np.quantile(measured, [0.5, 0.95], axis=0).round(1)
        print(f"{name:27} {median[0]:15.1f} {high[0]:6.1f} {median[1]:21.1f} {high[1]:6.1f}")
        found["milliseconds"][name] = {
            "changed": {"median": median[0], "p95": high[0]},
            "on screen": {"median": median[1], "p95": high[1]},
        }
    names = ("bars, 30 frames", "lines, 80 frames")
    for name, (raw, zipped) in zip(names, sizes(html.read_text("utf-8")), strict=True):
        print(f"{name:27} {raw / 1024:11.1f} KB {zipped / 1024:11.1f} KB gzipped")
        found.setdefault("bytes", {})[name] = {"raw": raw, "gzipped": zipped}
    if not options.no_record:
        found["browser"], found["jupyterlab"] = chromium_version, version("jupyterlab")
        record("sliders", found, [], f"python benchmarks/sliders.py --presses {options.presses}")


if __name__ == "__main__":
    main()
