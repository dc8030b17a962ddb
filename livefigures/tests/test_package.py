"""The package itself: what it imports and when, how large it is, what its names tell."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import livefigures

PACKAGE = Path(livefigures.__file__).parent
TREES = {path.stem: ast.parse(path.read_text("utf-8")) for path in PACKAGE.glob("*.py")}
FUNCTIONS = [
    pytest.param(node, id=f"{module}.{node.name}")
    for module, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef)
]
LIBRARIES = {"IPython", "docutils", "ipywidgets", "livefigures", "matplotlib", "sphinx", "tqdm"}


def imported(tree):
    """The top-level names of all that a module imports, also within functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "import from livefigures by name"
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("module", TREES)
def test_it_knows_its_few_libraries_and_no_book(module):
    others = set(imported(TREES[module])) - set(sys.stdlib_module_names) - {"__future__"}
    assert others <= LIBRARIES
    assert not others & {"ipywidgets"} or module == "live"
    assert not others & {"docutils", "sphinx"} or module == "sphinx"


def test_importing_it_loads_nothing_slow():
    """A page needs no widgets, and nobody pyplot who does not draw with it."""
    code = "import sys, livefigures, livefigures.palette; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    slow = {"matplotlib", "numpy", "IPython", "ipywidgets", "tqdm", "sphinx"}
    assert "livefigures.palette" in loaded.split() and not slow & set(loaded.split())


def test_a_page_is_drawn_without_pyplot_and_without_widgets():
    code = """
import sys
from matplotlib.figure import Figure
from livefigures.frames import Explorer
from livefigures.page import html
figure = Figure()
figure.subplots()
assert "<svg" in html(Explorer(lambda T: figure, {"T": [1, 2]}))
print(*{"matplotlib.pyplot", "ipywidgets"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_it_is_small():
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.glob("*.py")}
    assert sum(lines.values()) <= 1280 and max(lines.values()) <= 400
    assert len((PACKAGE / "static/livefigures.js").read_text("utf-8").splitlines()) <= 195


@pytest.mark.parametrize("node", FUNCTIONS)
def test_a_function_is_short_typed_and_says_what_it_does(node):
    assert node.end_lineno - node.lineno < 60
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    assert all(a.annotation for a in arguments if a.arg not in ("self", "cls"))
    assert node.returns is not None
    if node.name[0] != "_":
        said = ast.get_docstring(node)
        assert said or node.name in ("picture", "answer", "keep")  # inside others
        if said and any(isinstance(n, ast.Raise) for n in ast.walk(node)):
            assert "Error" in said, "it raises, and its docstring does not say so"


def test_its_version_and_its_changelog_agree_with_its_project():
    root = PACKAGE.parents[1]
    if not (root / "pyproject.toml").exists():
        pytest.fail("these tests are for the source tree: pip install -e livefigures")
    project = (root / "pyproject.toml").read_text("utf-8")
    assert f'version = "{livefigures.__version__}"' in project
    newest = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text("utf-8"), re.M)[1]
    assert newest == livefigures.__version__
