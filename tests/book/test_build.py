"""The build itself, on a book of two pages: what is run again, and what fails."""

import shutil
from pathlib import Path

import nbformat
import pytest
import yaml
from building import COMMAND, build, make

SOURCES = ("distill_lib/one.py", "studies/one.py", "results/run.json")
BIBLIOGRAPHY = "```{bibliography}\n```\n"


class Book:
    """A small book in a folder of its own, built with the environment of the large one."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        shutil.copytree(root / "extensions", folder / "extensions")
        for name in ("_config.yml", "references.bib"):
            shutil.copy(root / name, folder)
        toc = {"format": "jb-book", "root": "chapters/index", "parts": []}
        toc["parts"] = [{"caption": "All", "chapters": [{"file": "chapters/01_one"}]}]
        (folder / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
        for name in SOURCES:
            self.write(name, "1\n")
        self.write("chapters/index.md", "# Index\n\n$x$, {cite:t}`hinton2015`\n\n" + BIBLIOGRAPHY)
        cells = [
            nbformat.v4.new_markdown_cell("# One"),
            nbformat.v4.new_code_cell("import os; print(os.environ['LIVEFIGURES_BUILD'])"),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        self.write("chapters/01_one.ipynb", nbformat.writes(notebook))

    def write(self, name: str, text: str) -> None:
        """Write a file of the book."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")

    def build(self) -> tuple[bool, str]:
        """Build it; return whether it succeeded, and what it said."""
        return build(self.folder, self.root)

    def make(self) -> tuple[bool, str]:
        """Build it with `make book`; return whether it succeeded, and what it said."""
        return make(self.folder, self.root)


@pytest.fixture
def book(tmp_path: Path, root: Path) -> Book:
    """A small book."""
    return Book(tmp_path, root)


def test_tests_build_as_make_and_the_readme_do(root: Path) -> None:
    """One command, in three places."""
    for name in ("Makefile", "README.md"):
        assert f"/{COMMAND}" in (root / name).read_text("utf-8"), name


def test_make_says_where_the_book_is_and_how_to_open_it(book: Book) -> None:
    """Nobody has to look for the pages."""
    fine, said = book.make()
    assert fine, said
    page = book.folder / "_build/html/index.html"
    assert page.exists() and page.as_uri() in said
    assert "Open that in a browser, or run: make serve" in said


def test_runs_again_only_after_a_change(book: Book) -> None:
    """A change of what chapters import or read runs them again; nothing else does."""
    runs = "Executing notebook"
    fine, said = book.build()
    assert fine and runs in said, said
    page = (book.folder / "_build/html/chapters/01_one.html").read_text("utf-8")
    assert "<span></span>1" in page or ">1\n" in page
    fine, said = book.build()
    assert fine and runs not in said
    for name in SOURCES:
        book.write(name, "2\n")
        fine, said = book.build()
        assert fine and runs in said, name
    assert len(list((book.folder / "_build/.jupyter_cache").iterdir())) == 1
    book.write("chapters/index.md", "# Index, again\n\n" + BIBLIOGRAPHY)
    fine, said = book.build()
    assert fine and runs not in said


FAULTS = {
    r"$\nosuchcommand{x}$": "formula not understood",
    "{cite:t}`nobody1900`": "nobody1900",
    "[a page](nowhere.md)": "nowhere.md",
    "{eq}`no-equation`": "no-equation",
}


def test_faults_fail_each_time(book: Book) -> None:
    """A fault in a page fails `make book`, also when it is built again unchanged."""
    book.write("chapters/index.md", "# Index\n\n" + "\n\n".join([*FAULTS, BIBLIOGRAPHY]))
    for _ in range(2):
        fine, said = book.make()
        assert not fine
        assert [fault for fault, words in FAULTS.items() if words not in said] == []


def test_error_in_a_chapter_fails(book: Book) -> None:
    """A chapter that raises fails the build and shows the traceback."""
    path = book.folder / "chapters/01_one.ipynb"
    path.write_text(path.read_text("utf-8").replace("print(", "1 / 0; print("), "utf-8")
    fine, words = book.build()
    assert not fine
    assert "ZeroDivisionError" in words
