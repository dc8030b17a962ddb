"""The exercises: every solution is right, every typical mistake gets its own words."""

import ast
import importlib
import inspect
import re
import sys
from pathlib import Path

import nbformat
import pytest

from pictures.exercises import check

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "pictures").glob("*_exercises.py"))


def of_module(name):
    """Its checks, by name: each public function that the module itself defines."""
    module = importlib.import_module(f"pictures.{name}")
    return {
        key: value
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and key[0] != "_"
    }


CHECKS = [(name, key) for name in MODULES for key in of_module(name)]


@pytest.fixture
def knows(monkeypatch):
    """What a check of an exercise knows: the arguments of each `check` that it calls."""

    def knows(name, key):
        known = []
        monkeypatch.setattr(
            sys.modules[f"pictures.{name}"],
            "check",
            lambda answer, expected, hint="", **more: known.append((expected, hint, more)),
        )
        function = of_module(name)[key]
        function(*[...] * len(inspect.signature(function).parameters))
        return known

    return knows


def said(capsys, *args, **kwargs):
    capsys.readouterr()
    check(*args, **kwargs)
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize("name, key", CHECKS)
def test_every_typical_mistake_gets_its_own_words_and_no_other_answer_does(
    name, key, knows, capsys
):
    for expected, hint, more in knows(name, key):
        assert said(capsys, expected, expected, hint, **more) == "Right."
        assert more.get("mistakes"), "which mistakes are typical?"
        for words, wrong in more["mistakes"].items():
            assert said(capsys, wrong, expected, hint, **more) == f"Not yet: {words}."


@pytest.mark.parametrize("name, key", CHECKS)
def test_an_answer_that_nobody_foresaw_gets_the_hint(name, key, knows, capsys):
    for expected, hint, more in knows(name, key):
        assert hint
        assert hint in said(capsys, "what?", expected, hint, **more)


def tried_in(path):
    """(the exercise's cell, the code of the solution that follows it), of a chapter."""
    cells = nbformat.read(path, as_version=4).cells
    for place, cell in enumerate(cells):
        if cell.cell_type == "code" and re.search(r"^exercises\.", cell.source, re.M):
            later = "\n".join(c.source for c in cells[place + 1 :] if c.cell_type == "markdown")
            solution = re.search(r"\{solution\}.*?```python\n(.*?)```", later, re.S)
            assert solution, f"no solution in Python after:\n{cell.source}"
            yield cell.source, solution[1]


CHAPTERS = [ROOT / "chapters" / f"{p.stem}.ipynb" for p in (ROOT / "chapters").glob("*.ipynb")]
TRIED = [
    pytest.param(path, cell, code, id=f"{path.stem}-{number}")
    for path in sorted(CHAPTERS)
    for number, (cell, code) in enumerate(tried_in(path))
]


@pytest.mark.parametrize("path, cell, code", TRIED)
def test_the_printed_solution_is_right(path, cell, code, capsys, monkeypatch):
    """Run with the chapter's imports, in place of the reader's dots."""
    monkeypatch.syspath_prepend(ROOT / "studies")  # chapter 7 imports one of them
    cells = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    names: dict[str, object] = {}
    for source in cells:
        lines = [line for line in source.splitlines() if line[:1] not in ("%", "!")]
        if "importlib.util" in source:
            continue  # it fetches the book where there is none
        for statement in ast.parse("\n".join(lines)).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                exec(ast.unparse(statement), names)
    for statement in ast.parse(cell).body:  # numbers that the question gives
        if isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Constant):
            exec(ast.unparse(statement), names)
    exec(code, names)
    calls = [line for line in cell.splitlines() if line.startswith("exercises.")]
    capsys.readouterr()
    exec("\n".join(calls), names)
    assert capsys.readouterr().out.split("\n") == ["Right."] * len(calls) + [""]


def test_there_are_exercises_to_check():
    assert len(CHECKS) >= len(MODULES) >= 1 and len(TRIED) >= len(MODULES)
