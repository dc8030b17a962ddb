"""The stored notebooks: tidy, short-celled, and compared strictly with what they compute.

nbval runs every chapter and compares its text outputs (`make test` asks pytest for it); the tests
here keep the notebooks in a state where that comparison means something.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("*.ipynb"))
LONGEST = 15  # lines in a code cell
UNPRINTED = ("index", "claims")  # a front page; a table that is made when the page is built
WIDEST = 80  # characters of a line of code; 83 fit into the column
IGNORED = "nbval-ignore-output"
HIDDEN = {"hide-cell", "hide-input", "remove-cell", "remove-input"}
ALLOWED_TAGS = {IGNORED, "hide-input", "hide-cell", "hide-output", "remove-cell", "remove-input"}

every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[NotebookNode]:
    """The code cells of a notebook."""
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def shows(source: str) -> bool:
    """Whether a cell calls explore or show."""
    tree = ast.parse(TransformerManager().transform_cell(source))  # %magic and !commands too
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(c.func, ast.Name) and c.func.id in ("explore", "show") for c in calls)


def stands_alone(source: str) -> bool:
    """Whether a cell is one call of explore, show, play, or of a table, and nothing else."""
    body = ast.parse(source).body
    alone = len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Call)
    name = body[0].value.func if alone else None
    return getattr(name, "id", getattr(name, "attr", "")) in ("explore", "show", "play", "Markdown")


@every_chapter
def test_stored_outputs_are_text(path: Path) -> None:
    """No widget state, no frames, no images: text that nbval compares."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type in ("stream", "execute_result"), cell.source
            assert output.get("name", "stdout") == "stdout", cell.source
            assert set(output.get("data", {"text/plain": ""})) == {"text/plain"}, cell.source
    assert path.stat().st_size < 200_000


@every_chapter
def test_cells_are_short(path: Path) -> None:
    """A reader takes in a cell at a glance."""
    for cell in code_cells(path):
        assert len(cell.source.splitlines()) <= LONGEST, cell.source


@every_chapter
def test_what_the_page_hides_is_folded_in_jupyterlab(path: Path) -> None:
    """A cell's code is folded there if and only if the page folds it or leaves it out."""
    for cell in code_cells(path):
        hidden = HIDDEN & set(cell.metadata.get("tags", []))
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert folded == bool(hidden), cell.source


@every_chapter
def test_code_fits_the_column(path: Path) -> None:
    """At 1280 pixels, and on paper, no line of code or output needs scrolling."""
    for cell in code_cells(path):
        if "remove-cell" not in cell.metadata.get("tags", []):
            lines = cell.source.splitlines()
            printed = [line for output in cell.outputs for line in text_of(output).splitlines()]
            assert not [line for line in lines if len(line) > WIDEST]
            assert not [line for line in printed if len(line) > WIDEST + 3]


@every_chapter
def test_only_figures_escape_comparison(path: Path) -> None:
    """A cell whose output is not compared shows a figure and does nothing else."""
    for cell in code_cells(path):
        tags = set(cell.metadata.get("tags", []))
        assert tags <= ALLOWED_TAGS, tags - ALLOWED_TAGS
        if IGNORED in tags:
            assert stands_alone(cell.source), cell.source
            assert cell.outputs == []
        else:
            assert not shows(cell.source), f"a figure's cell needs the tag {IGNORED}: {cell.source}"


@every_chapter
def test_numbers_are_printed(path: Path) -> None:
    """A chapter prints numbers, so nbval has something to compare."""
    printed = [output for cell in code_cells(path) for output in cell.outputs]
    assert any(re.search(r"\d", text_of(output)) for output in printed) or path.stem in UNPRINTED


def text_of(output: NotebookNode) -> str:
    """The text of an output."""
    return output.text if output.output_type == "stream" else output.data["text/plain"]


def beginning(path: Path) -> NotebookNode | None:
    """The notebook up to its first cell with a digit in its output, or None."""
    notebook = nbformat.read(path, as_version=4)
    for place, cell in enumerate(notebook.cells):
        outputs = cell.get("outputs", [])
        if any(re.search(r"\d", text_of(output)) for output in outputs):
            notebook.cells = notebook.cells[: place + 1]
            return notebook
    return None


@pytest.mark.slow
def test_a_changed_digit_is_noticed(root: Path, tmp_path: Path) -> None:
    """nbval passes a chapter's first printed number, and fails when one digit of it differs."""
    notebook = next(filter(None, map(beginning, CHAPTERS)))
    nbformat.write(notebook, tmp_path / "true.ipynb")
    output = next(o for o in notebook.cells[-1].outputs if re.search(r"\d", text_of(o)))
    changed = re.sub(r"\d", lambda d: str((int(d[0]) + 1) % 10), text_of(output), count=1)
    if output.output_type == "stream":
        output.text = changed
    else:
        output.data["text/plain"] = changed
    nbformat.write(notebook, tmp_path / "false.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-rA"]
    command += ["-c", str(root / "pyproject.toml"), "-p", "no:cacheprovider", "."]
    command += ["--nbval-sanitize-with", str(root / "tests/notebooks/sanitize.cfg")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    pattern = r"^(PASSED|FAILED) \S*?(true|false)\.ipynb::Cell (\d+)"
    verdicts = re.findall(pattern, done.stdout, re.MULTILINE)
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    passed = [("PASSED", name, str(k)) for name in ("false", "true") for k in range(cells)]
    passed.remove(("PASSED", "false", str(cells - 1)))
    assert sorted(verdicts) == sorted([*passed, ("FAILED", "false", str(cells - 1))]), done.stdout
    assert done.returncode == 1 and "mismatch" in done.stdout
