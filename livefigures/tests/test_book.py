"""Pages made by a stranger with the package alone, in an empty environment.

They are made by Jupyter Book and by Sphinx with myst-nb, which have the extension, and by nbsphinx
and nbconvert, which know nothing of it.

The environment is kept under _build until what it is made from changes; a changed source is
installed into it again.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parent
LOCK = ROOT / "requirements.lock"  # of the book, for versions that are known to work together
OTHERS = ("nbsphinx==0.9.8", "furo==2025.12.19")  # what the book itself has no use for
README = (HERE / "README.md").read_text("utf-8")
(CELL,) = re.findall(r"```python\n(.*?)```", README.partition("## Jupyter Book")[0], re.S)
PROSE = """# Figures

At T = <span data-follow="draw:T">1</span>; [see T = 5](#draw:T=5)."""
CONFIG = {
    "title": "Two pages",
    "only_build_toc_files": True,
    "execute": {"execute_notebooks": "force"},
    "sphinx": {"extra_extensions": ["livefigures.sphinx"]},
}
CONF = """
project = html_title = "Two pages"
extensions = ["myst_nb", "livefigures.sphinx"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
html_theme = {theme!r}
"""
NBSPHINX = """
project = html_title = "Two pages"
extensions = ["nbsphinx"]
nbsphinx_execute = "always"
html_theme = "furo"
"""
SITES = ("Jupyter Book", "Sphinx", "Sphinx, Furo", "nbsphinx, Furo", "nbconvert")
DARK = ("Jupyter Book", "Sphinx, Furo", "nbsphinx, Furo")  # where the reader's system is dark


def clean() -> dict[str, str]:
    """The environment without what would reach into Python, Jupyter or the pages."""
    foreign = ("PYTHON", "JUPYTER", "IPYTHON", "LIVEFIGURES", "TQDM", "MPL", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def run(*command: str | Path, cwd: Path = HERE, **variables: str) -> str:
    """Run a command; return what it said, or fail with it."""
    env = clean() | variables
    done = subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, f"{' '.join(map(str, command))} failed:\n{output[-6000:]}"
    return output


def digest(*paths: Path) -> str:
    """A digest of files, of what stands beside the lock, and of the Python."""
    words = f"{sys.version} {OTHERS}".encode()
    content = b"\0".join([words, *(path.read_bytes() for path in paths)])
    return hashlib.sha256(content).hexdigest()[:12]


@pytest.fixture(scope="module")
def environment() -> Path:
    """The programs of the environment below."""
    return made()


def made() -> Path:
    """The programs of an environment with the package, not in place, and all that makes pages."""
    place = ROOT / "_build/livefigures" / digest(LOCK, HERE / "pyproject.toml")
    for former in place.parent.glob("*"):
        if former != place:
            shutil.rmtree(former)
    programs, ready, installed = place / "bin", place / "ready", place / "installed"
    sources = digest(*sorted(p for p in (HERE / "src").rglob("*.*") if p.suffix != ".pyc"))
    # Most of what is installed is never imported: what is, Python compiles itself.
    pip = [programs / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
    if not ready.exists():
        run(sys.executable, "-m", "venv", "--clear", place)
        run(*pip, HERE, "-c", LOCK)
        run(*pip, "jupyter-book", "flit_core", *OTHERS, "-c", LOCK)
        installed.write_text(sources)
        ready.touch()
    if installed.read_text() != sources:
        run(*pip, "--force-reinstall", "--no-deps", "--no-build-isolation", HERE)
        installed.write_text(sources)
    return programs


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest, environment: Path, tmp_path_factory) -> Path:
    """The folder of the pages, built strictly: a notebook, and but for nbconvert a page of text."""
    folder = tmp_path_factory.mktemp("book")
    program, _, theme = request.param.partition(", ")
    book = notebook(PROSE, CELL, CELL)
    if program == "Jupyter Book":
        (folder / "index.md").write_text("# Index\n\nSee [the figures](figures.ipynb).\n", "utf-8")
        (folder / "_config.yml").write_text(json.dumps(CONFIG), "utf-8")  # JSON is YAML
        toc = {"format": "jb-book", "root": "index", "chapters": [{"file": "figures"}]}
        (folder / "_toc.yml").write_text(json.dumps(toc), "utf-8")
        command = ["jupyter-book", "build", ".", "-W", "-n", "--keep-going"]
    elif program == "nbconvert":
        command = ["jupyter-nbconvert", "--execute", "--to", "html", "figures.ipynb"]
    elif program == "nbsphinx":  # it would need Pandoc for Markdown
        book["cells"][0] |= {"cell_type": "raw", "source": "Figures\n======="}
        book["cells"][0]["metadata"] = {"raw_mimetype": "text/restructuredtext"}
        (folder / "index.rst").write_text("Index\n=====\n\n.. toctree::\n\n   figures\n", "utf-8")
        (folder / "conf.py").write_text(NBSPHINX, "utf-8")
    else:
        (folder / "index.md").write_text("# Index\n\n```{toctree}\nfigures\n```\n", "utf-8")
        conf = CONF.format(theme=theme.lower() or "alabaster")
        (folder / "conf.py").write_text(conf, "utf-8")
    if "phinx" in program:
        command = ["sphinx-build", "-W", "-n", "--keep-going", ".", "_build/html"]
    (folder / "figures.ipynb").write_text(json.dumps(book), "utf-8")
    told = {"LIVEFIGURES_BUILD": "1"} if program.startswith("nb") else {}
    run(environment / command[0], *command[1:], cwd=folder, **told)
    return folder if program == "nbconvert" else folder / "_build/html"


def notebook(title: str, *codes: str) -> dict:
    """A notebook of a title and cells."""
    cells = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": title}]
    for n, code in enumerate(codes):
        cell = {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "source": code}
        cells.append(cell | {"execution_count": None, "outputs": []})
    return {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture
def opened(browser: Browser, site: Path) -> Iterator[Callable[[str], Page]]:
    """Opens the notebook's page from the disk, where no other host can be reached."""
    contexts, troubles = [], []

    def open_page(mode: str) -> Page:
        contexts.append(browser.new_context(color_scheme=mode))
        page = contexts[-1].new_page()
        page.route(re.compile("^(?!file:)"), lambda route: route.abort())
        page.on("console", lambda m: troubles.append(f"{m.text} {m.location}"))
        page.on("pageerror", lambda error: troubles.append(error.stack))
        page.goto((site / "figures.html").as_uri(), wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [trouble for trouble in troubles if "livefigures" in trouble] == []


def test_the_package_stands_alone(environment):
    code = """
import importlib.util, livefigures
assert importlib.util.find_spec("distill_lib") is None
print(livefigures.__file__)
"""
    place = run(environment / "python", "-c", code).strip()
    assert place.startswith(str(environment.parent)) and "site-packages" in place


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_sliders_move_without_a_kernel_and_without_a_network(opened, mode):
    page = opened(mode)
    figures = page.locator("figure.explorer")
    expect(figures).to_have_count(2)
    for figure in figures.all():  # the first one may have brought the script for both
        slider, picture = figure.locator("input"), figure.locator("svg[role=img]")
        expect(picture).to_have_accessible_name("At T = 1 the largest of three is 0.67.")
        before = picture.inner_html()
        slider.press("End")
        expect(picture).to_have_accessible_name("At T = 10 the largest of three is 0.37.")
        expect(figure.locator("figcaption")).to_be_visible()
        assert picture.inner_html() != before
        slider.click(position={"x": 3, "y": slider.bounding_box()["height"] / 2})
        expect(figure.locator("output")).to_have_text("0.5")
        assert picture.bounding_box()["width"] > 300


def test_script_and_style_sheet_stand_in_the_page_once(opened):
    page = opened("light")
    scripts = """[...document.scripts].filter((one) =>
        /livefigures/.test(one.src) || /dataset\\.explorers/.test(one.textContent)).length"""
    assert page.evaluate(scripts) == 1
    sheets = """[...document.styleSheets].filter((sheet) => {
        const ours = (rule) => rule.selectorText === ".explorer-controls";
        try { return [...sheet.cssRules].some(ours); }
        catch { return /livefigures/.test(sheet.href); } // one of another file, read from the disk
    }).length"""
    assert page.evaluate(sheets) == 1


def test_the_prose_leads_to_a_frame_and_follows_it(opened, request):
    page = opened("light")
    if request.node.callspec.params["site"].startswith("nbsphinx"):  # its notebook has no Markdown
        expect(page.locator("[data-follow]")).to_have_count(0)
        return
    page.get_by_role("link", name="see T = 5").click()
    figure = page.locator("figure.explorer").first
    picture = figure.locator("svg[role=img]")
    expect(picture).to_have_accessible_name("At T = 5 the largest of three is 0.40.")
    expect(page.locator("[data-follow]")).to_have_text("5")
    expect(figure).to_be_in_viewport()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_figures_have_the_colours_of_the_page(opened, request, mode):
    page = opened(mode)
    program = request.node.callspec.params["site"]
    dark = mode == "dark" and program in DARK
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] < 50"
    assert page.evaluate(ground) == dark, "the page itself"
    ink = "text => getComputedStyle(text).fill"
    for figure in page.locator("figure.explorer").all():
        colour = figure.locator("svg[role=img] text").first.evaluate(ink)
        assert colour == ("rgb(206, 214, 221)" if dark else "rgb(0, 0, 0)")


def test_a_page_without_figures_is_there_too(site, request):
    program = request.node.callspec.params["site"]
    assert (site / "index.html").exists() == (program != "nbconvert")
    assert (site / "_static/livefigures.js").exists() == (not program.startswith("nb"))


if __name__ == "__main__":  # makes the environment, so that the tests need no network
    print(f"livefigures alone, with Jupyter Book and others: {made().parent}")
