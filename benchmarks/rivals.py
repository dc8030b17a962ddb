"""Living figures beside their rivals: weight, key to changed picture, words, accessibility.

    python -m venv _build/rivals
    _build/rivals/bin/python -m pip install -r benchmarks/rivals.txt -e ./livefigures -e .
    .venv-test/bin/python benchmarks/rivals.py [--presses 100] [--quick] [--no-record]

The same two figures (two_figures.py) as a page each, made by rivals_pages.py with the environment
of the first two lines. In one run of one Chromium, for each page:

- its weight, gzipped, with the scripts, which all stand in the page; what some ask of other hosts
  nevertheless (styles, fonts) is refused, counted (`requests elsewhere`), and not in the weight;
- from a key press (→ and Home) on its first slider to the changed picture. `on screen`: after each
  frame that the browser has drawn, the picture is looked at (a canvas by its pixels, made smaller,
  any other by its markup or source), and the clock is read as soon as it differs. `changed`: the
  last change of the document, or the last stroke on a canvas, before that look; nothing where no
  key moves the slider;
- whether the name that the picture has for a screen reader changes with it, or those of its parts;
- what is serious or critical to axe-core, in its newest release where npm has brought it.

The result goes to results/rivals.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from distill_lib.results import record

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import axe  # noqa: E402
import chromium  # noqa: E402

PYTHON = ROOT / "_build/rivals/bin/python"
STOPS = {"bars": 30, "lines": 8}  # of the first slider of each page
PACKAGES = ("livefigures", "matplotlib", "bokeh", "altair", "panel", "holoviews", "plotly")
WARM = 3  # presses that are not counted

# Before any script of the page: when a canvas was last drawn on, or the document last changed.
NOTE = """(() => {
  window.touched = 0;
  const touch = () => { window.touched = performance.now(); };
  const brush = CanvasRenderingContext2D.prototype;
  for (const name of ["clearRect", "fillRect", "strokeRect", "fill", "stroke", "drawImage",
                      "fillText", "putImageData"]) {
    const own = brush[name];
    brush[name] = function (...rest) { const it = own.apply(this, rest); touch(); return it; };
  }
  const all = { childList: true, subtree: true, attributes: true, characterData: true };
  const observer = new MutationObserver(touch);
  observer.observe(document, all);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    observer.observe(root, all);
    return root;
  };
})()"""

# The parts of the page, shadow roots included; what is seen of the pictures; what they are called.
LOOK = """(() => {
  const small = new OffscreenCanvas(96, 64).getContext("2d", { willReadFrequently: true });
  window.deep = (root = document) => [...root.querySelectorAll("*")].flatMap(
    (one) => one.shadowRoot ? [one, ...deep(one.shadowRoot)] : [one]);
  const pictures = () => deep().filter((one) => one.matches("canvas, img, svg")
    && one.getBoundingClientRect().width > 200);
  const seen = (one) => {
    if (one.tagName !== "CANVAS") return one.src ?? one.innerHTML;
    small.clearRect(0, 0, 96, 64);
    if (one.width && one.height) small.drawImage(one, 0, 0, 96, 64);
    return small.getImageData(0, 0, 96, 64).data.join();
  };
  window.look = () => pictures().map(seen).join("|");
  window.names = (of) => deep().filter((one) => one.matches(of))
    .map((one) => one.getAttribute("aria-label") ?? one.alt ?? "").filter(Boolean).join("|");
  let began = 0;
  document.addEventListener("keydown", (event) => (began = event.timeStamp), true);
  window.measure = (patience) => new Promise((done) => {
    const before = look();
    began = 0;
    const give_up = performance.now() + patience;
    const frame = () => requestAnimationFrame(() => {
      const channel = new MessageChannel(); // its turn comes when the frame has been drawn
      channel.port1.onmessage = () => {
        const now = performance.now(), changed = touched;
        if (began && look() !== before) done([changed - began, now - began]);
        else if (now > give_up) done(null);
        else frame();
      };
      channel.port2.postMessage(0);
    });
    frame();
  });
  return true;
})()"""
NAMED = {
    "name of the picture changes": "canvas, img, svg, [role=img], [role=graphics-document]",
    "names of its parts change": "svg *",
}
SLIDER = "input[type=range], .noUi-handle, [role=slider]"


def make_pages(folder: Path) -> dict[str, str]:
    """Let the rivals' environment write the pages; the versions of its packages."""
    if not PYTHON.exists():
        sys.exit(f"No {PYTHON}.\n{__doc__}")
    script = Path(__file__).with_name("rivals_pages.py")
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    made = subprocess.run([PYTHON, script, folder], env=env, text=True, capture_output=True)
    if made.returncode:
        sys.exit(made.stdout + made.stderr)
    code = (
        "import json, sys; from importlib.metadata import version;"
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    return json.loads(subprocess.check_output([PYTHON, "-c", code, *PACKAGES]))


def presses(page: Page, stops: int, count: int) -> np.ndarray | None:
    """Press → to the end, Home, and so on; shape (count, 2) in ms, None where no key does it."""
    slider = page.locator(SLIDER).first
    if not slider.count():
        return None
    slider.focus()
    times = []
    for n in range(count + WARM):
        page.evaluate("void (window.result = measure(3000))")
        page.wait_for_timeout(7 * (n % 5))  # not in step with the screen
        page.keyboard.press("Home" if n % stops == stops - 1 else "ArrowRight")
        if (result := page.evaluate("result")) is None:
            return None
        times.append(result)
    return np.array(times[WARM:])


def measure(browser: Browser, path: Path, count: int) -> dict[str, Any]:
    """All that is asked of one page."""
    text = path.read_bytes()
    found: dict[str, Any] = {"bytes": {"raw": len(text), "gzipped": len(gzip.compress(text, 9))}}
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.add_init_script(NOTE)
    elsewhere = set()

    def gate(route: Any, request: Any) -> None:
        if request.url.startswith(("file:", "data:", "blob:")):
            return route.continue_()
        elsewhere.add(request.url)
        return route.abort()

    page.route("**/*", gate)
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate(LOOK)
    page.wait_for_function("look().length > 100")
    page.wait_for_timeout(1500)  # for what a script draws on its own
    newest = axe.find()
    run = Axe(newest.read_text("utf-8") if newest else AXE_SCRIPT).run(page)
    found["axe"] = {
        fault["id"]: len(fault["nodes"])
        for fault in run.response["violations"]
        if fault["impact"] in ("serious", "critical")
    }
    named = [page.evaluate("of => names(of)", of) for of in NAMED.values()]
    times = presses(page, STOPS[path.name.partition(".")[0]], count)
    for (what, of), before in zip(NAMED.items(), named, strict=True):
        found[what] = times is not None and page.evaluate("of => names(of)", of) != before
    if times is not None:
        median, high = np.quantile(times, [0.5, 0.95], axis=0).round(1)
        for k, name in enumerate(("changed", "on screen")):
            found[f"{name}, ms"] = {"median": median[k], "p95": high[k]}
    found["requests elsewhere"] = len(elsewhere)
    page.close()
    return found


def show(name: str, found: dict[str, Any]) -> None:
    """One line of the table."""
    changed, seen = (found.get(f"{key}, ms", {}).get("median") for key in ("changed", "on screen"))
    named, faults = (found[what] for what in NAMED), sum(found["axe"].values())
    print(
        f"{name:22} {found['bytes']['gzipped'] / 1000:9.1f} {changed or '-':>9} {seen or '-':>10}"
        f" {', '.join('yes' if one else 'no' for one in named):>11} {faults:>5}"
        f" {found['requests elsewhere']:>10}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="15 presses, and nothing is recorded")
    parser.add_argument("--pages", type=Path, help="a folder with the pages of a former run")
    parser.add_argument("--no-record", action="store_true", help="write nothing into results/")
    options = parser.parse_args()

    count, load = 15 if options.quick else options.presses, round(os.getloadavg()[0], 1)
    path = chromium.find() or sys.exit(chromium.MISSING)
    pages: dict[str, dict[str, Any]] = {}
    with TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = options.pages or Path(temporary)
        packages = make_pages(folder) if not (options.pages and [*folder.glob("*.html")]) else {}
        browser = chromium.launch(playwright, path)
        print("page                   gzipped KB  changed  on screen name, parts   axe  elsewhere")
        for page in sorted(folder.glob("*.html")):
            figure, maker, _ = page.name.split(".")
            pages.setdefault(figure, {})[maker] = measure(browser, page, count)
            show(f"{figure}, {maker}", pages[figure][maker])
        found = {
            "presses": count,
            "load": load,
            "browser": browser.version,
            "axe": axe.describe(),
            "packages": packages,
            "pages": pages,
        }
        browser.close()
    if packages and not (options.quick or options.no_record):
        record("rivals", found, [], f"python benchmarks/rivals.py --presses {count}")


if __name__ == "__main__":
    main()
