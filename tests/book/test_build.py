"""The build itself, on a small book: what is run again, what is kept, and what fails."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml
from building import COMMAND, build, make
from joblib import cpu_count

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "extensions"))
from distillation_book.dependencies import called, digest, parse  # noqa: E402
from distillation_book.kernels import run  # noqa: E402

BIBLIOGRAPHY = "```{bibliography}\n```\n"
BUILD = f"{ROOT}/.venv/bin/{COMMAND}".split()

# What the small book's chapters import and read; each file holds a word, which the page shows.
FILES = {
    "distill_lib/__init__.py": "from .reading import recorded\nlibrary = recorded.__doc__\n",
    "distill_lib/reading.py": """\
import json, pathlib

def recorded(name):
    "library-1"
    return json.loads((pathlib.Path(__file__).parents[1] / f"results/{name}.json").read_text())
""",
    "studies/study.py": "from common import word\n",
    "studies/common.py": "word = 'study-1'\nfrom distill_lib import recorded\n",
    "studies/other.py": "",
    "pictures/ch02.py": "import distill_lib as d\nword = d.recorded('drawn') + ' picture-1'\n",
    "pictures/ch09.py": "",
    "results/one.json": '"one-1"',
    "results/two.json": '"two-1"',
    "results/drawn.json": '"drawn-1"',
    "results/other.json": '"other-1"',
    "requirements.lock": "",
}
PATHS = "import sys; sys.path[:0] = ['..', '../studies']\n"  # the real library is installed
CHAPTERS = {
    "01_one": [PATHS + "%matplotlib inline\nimport study\nfrom distill_lib import *",
               "print(study.word, library, recorded('one'))"],
    "02_two": [PATHS + "from pictures import ch02; import distill_lib\nread = distill_lib",
               "print(ch02.word, read.library, read.recorded(name='two'))"],
    "03_plain": ["import os\nprint('plain-1', os.environ['LIVEFIGURES_BUILD'])"],
}  # fmt: skip


def notebook(*cells: str, text: str = "One") -> str:
    """A notebook of a heading and code cells."""
    made = [nbformat.v4.new_markdown_cell(f"# {text}"), *map(nbformat.v4.new_code_cell, cells)]
    made = nbformat.v4.new_notebook(cells=made)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return nbformat.writes(made)


class Book:
    """A small book in a folder of its own, built with the environment of the large one."""

    def __init__(self, folder: Path, chapters: dict[str, list[str]]) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "extensions", folder / "extensions")
        for name in ("_config.yml", "references.bib"):
            shutil.copy(ROOT / name, folder)
        for name, content in FILES.items():
            self.write(name, content)
        for name, cells in chapters.items():
            self.write(f"chapters/{name}.ipynb", notebook(*cells))
        self.write("chapters/index.md", "# Index\n\n$x$, {cite:t}`hinton2015`\n\n" + BIBLIOGRAPHY)
        self.list_chapters(*chapters)

    def list_chapters(self, *names: str) -> None:
        """Write the table of contents."""
        parts = [{"caption": "All", "chapters": [{"file": f"chapters/{name}"} for name in names]}]
        toc = {"format": "jb-book", "root": "chapters/index", "parts": parts}
        self.write("_toc.yml", yaml.safe_dump(toc, sort_keys=False))

    def write(self, name: str, content: str) -> None:
        """Write a file of the book."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, "utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace some text in a file of the book."""
        content = (self.folder / name).read_text("utf-8")
        assert old in content, name
        self.write(name, content.replace(old, new))

    def build(self) -> tuple[bool, str]:
        """Build it; return whether it succeeded, and its output."""
        return build(self.folder, ROOT)

    def start(self) -> subprocess.Popen:
        """Start to build it."""
        pipe = subprocess.PIPE
        return subprocess.Popen(BUILD, cwd=self.folder, stdout=pipe, stderr=pipe, text=True)

    def make(self) -> tuple[bool, str]:
        """Build it with `make book`; return whether it succeeded, and its output."""
        return make(self.folder, ROOT)

    def page(self, name: str) -> str:
        """The HTML of a chapter."""
        return (self.folder / f"_build/html/chapters/{name}.html").read_text("utf-8")

    def digests(self) -> dict[str, str]:
        """The digest of each chapter as it is now."""
        home = self.folder / "chapters"
        paths = sorted(home.glob("*.ipynb"))
        return {p.stem: digest(p.read_text("utf-8"), home, self.folder) for p in paths}

    def kept(self) -> list[Path]:
        """The executed notebooks."""
        return list((self.folder / "_build/.jupyter_cache").iterdir())


def ran(output: str) -> list[str]:
    """The chapters that a build says it has run."""
    return sorted(line.split()[0] for line in output.splitlines() if " has run in " in line)


def read(output: str) -> list[str]:
    """The pages that a build says it has read."""
    return sorted(re.findall(r"reading sources\.\.\..*%.*?chapters/(\w+)", output))


def wait_until(done: Callable[[], bool], what: str) -> None:
    """Wait for something that a build is expected to do."""
    for _ in range(1200):
        if done():
            return
        time.sleep(0.1)
    pytest.fail(f"in two minutes not seen: {what}")


def alive(pid: str) -> bool:
    """Whether a process runs, and is no zombie that nobody has waited for."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A small book of one chapter."""
    return Book(tmp_path, {"03_plain": CHAPTERS["03_plain"]})


def test_tests_build_as_make_and_the_readme_do(root: Path) -> None:
    """One command, in three places."""
    for name in ("Makefile", "README.md"):
        assert f"/{COMMAND}" in (root / name).read_text("utf-8"), name


# --- What runs again ------------------------------------------------------------------------------

CHANGES = {  # a file, a change in it, and the chapters that it concerns
    "a record": ("results/one.json", "one-1", "one-2", ["01_one"]),
    "a record named by a keyword": ("results/two.json", "two-1", "two-2", ["02_two"]),
    "a record that a picture reads": ("results/drawn.json", "drawn-1", "drawn-2", ["02_two"]),
    "a record that nobody reads": ("results/other.json", "other-1", "other-2", []),
    "a module of the library": ("distill_lib/reading.py", "y-1", "y-2", ["01_one", "02_two"]),
    "a study's module": ("studies/study.py", "word", "word as word", ["01_one"]),
    "what a study imports": ("studies/common.py", "study-1", "study-2", ["01_one"]),
    "a study that nobody imports": ("studies/other.py", "", "x = 1", []),
    "a picture": ("pictures/ch02.py", "picture-1", "picture-2", ["02_two"]),
    "a picture that nobody imports": ("pictures/ch09.py", "", "x = 1", []),
    "a cell": ("chapters/03_plain.ipynb", "plain-1", "plain-2", ["03_plain"]),
    "a chapter's text": ("chapters/03_plain.ipynb", "# One", "# Two", []),
    "a text page": ("chapters/index.md", "# Index", "# Another", []),
    "the lock": ("requirements.lock", "", "numpy==3\n", ["01_one", "02_two", "03_plain"]),
    "how chapters are run": (
        "extensions/distillation_book/kernels.py", "import", "#\nimport", [*CHAPTERS]
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_concerns_exactly_the_chapters_that_use_it(change: str, tmp_path: Path) -> None:
    """Each kind of thing that a chapter can use, and what it does not use."""
    name, old, new, concerned = CHANGES[change]
    book = Book(tmp_path, CHAPTERS)
    before = book.digests()
    book.replace(name, old, new)
    after = book.digests()
    assert [chapter for chapter in before if before[chapter] != after[chapter]] == concerned


@pytest.mark.parametrize("name", ["distill_lib/data.csv", "pictures/picture.csv"])
def test_of_a_package_every_file_counts(name: str, tmp_path: Path) -> None:
    """A package may read the files beside it, or import by a name made at run time."""
    book = Book(tmp_path, CHAPTERS)
    before = book.digests()
    book.write(name, "1, 2")
    differ = [chapter for chapter, key in book.digests().items() if key != before[chapter]]
    assert differ == (["01_one", "02_two"] if name.startswith("distill_lib") else [])


def test_the_book_shows_what_is_there_now_and_runs_no_more(tmp_path: Path) -> None:
    """Builds one after the other: of what runs again, and what the pages show then."""
    book = Book(tmp_path / "here", CHAPTERS)
    fine, output = book.build()
    assert fine, output
    assert ran(output) == [*CHAPTERS]
    assert "study-1 library-1 one-1" in book.page("01_one")
    assert "drawn-1 picture-1 library-1 two-1" in book.page("02_two")
    assert "plain-1 sphinx" in book.page("03_plain")  # an explorer draws all frames for a page

    fine, output = book.build()
    assert fine and ran(output) == read(output) == []

    book.replace("results/one.json", "one-1", "one-2")
    book.replace("chapters/02_two.ipynb", "# One", "# Another heading")
    fine, output = book.build()
    assert fine and ran(output) == ["01_one"]
    assert "study-1 library-1 one-2" in book.page("01_one")
    assert "Another heading" in book.page("02_two") and "two-1" in book.page("02_two")
    assert read(output) == ["01_one", "02_two"]

    # The chapters change places: none is read again, and each shows its new neighbours.
    book.list_chapters("02_two", "01_one", "03_plain")
    fine, output = book.build()
    assert fine and ran(output) == []
    assert re.search(r'left-prev"\s+href="01_one.html"', book.page("03_plain"))

    # One chapter gets another name, one is removed, and all moves elsewhere.
    (book.folder / "chapters/01_one.ipynb").rename(book.folder / "chapters/05_one.ipynb")
    book.list_chapters("05_one", "02_two")
    for path in book.kept():
        os.utime(path, (0, 0))
    book.folder = book.folder.rename(tmp_path / "elsewhere")
    fine, output = book.make()  # it says where the pages are: nobody has to look for them
    assert fine and ran(output) == [], output
    assert "study-1 library-1 one-2" in book.page("05_one")
    assert len(book.kept()) == 2
    assert (book.folder / "_build/html/index.html").as_uri() in output
    assert "Open that in a browser, or run: make serve" in output


def test_chapters_name_their_records_by_literals(root: Path) -> None:
    """Otherwise a change of the record would not run them: `recorded("name")`, nothing else."""
    sources = [path.read_text("utf-8") for path in root.glob("pictures/*.py")]
    for path in root.glob("chapters/*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        sources += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for source in sources:
        nodes = list(ast.walk(parse(source)))
        calls = [n for n in nodes if isinstance(n, ast.Call) and called(n) == "recorded"]
        for call in calls:
            (name,) = [*call.args, *(keyword.value for keyword in call.keywords)]
            assert isinstance(name, ast.Constant), source
            assert (root / f"results/{name.value}.json").exists(), source
        uses = [n for n in nodes if "recorded" in (getattr(n, "id", ""), getattr(n, "attr", ""))]
        assert len(uses) == len(calls), f"recorded under another name: {source}"


# --- Side by side ---------------------------------------------------------------------------------

MEET = """\
import pathlib, time
pathlib.Path("{mine}").touch()
while not pathlib.Path("{other}").exists():
    time.sleep(0.05)
"""


def test_chapters_run_at_the_same_time(tmp_path: Path) -> None:
    """Each of two chapters waits for the other."""
    paths = [tmp_path / "a.ipynb", tmp_path / "b.ipynb"]
    for path, (mine, other) in zip(paths, ("ab", "ba"), strict=True):
        path.write_text(notebook(MEET.format(mine=mine, other=other)), "utf-8")
    done = {}
    assert run(paths, done.__setitem__, timeout=120, jobs=2) == {}
    assert set(done) == set(paths)


def test_kernels_share_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels side by side take one thread each where there are as many as cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    path = tmp_path / "a.ipynb"
    path.write_text(notebook("import os; print(os.environ['OMP_NUM_THREADS'])"), "utf-8")
    done = {}
    run([path, path], done.__setitem__, timeout=120, jobs=10**6)
    assert done[path].cells[-1].outputs[0].text == f"{max(1, cpu_count() // 2)}\n"


def test_two_builds_at_once_come_out_right(tmp_path: Path) -> None:
    """The second waits for the first, and finds its chapters done."""
    book = Book(tmp_path, CHAPTERS)
    builds = [book.start(), book.start()]
    outputs = [process.communicate()[0] for process in builds]
    assert [process.returncode for process in builds] == [0, 0], outputs
    assert sorted(map(ran, outputs)) == [[], [*CHAPTERS]]


# --- Faults and interruptions ---------------------------------------------------------------------

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
        fine, output = book.make()
        assert not fine
        assert [fault for fault, words in FAULTS.items() if words not in output] == []


def test_errors_in_chapters_fail_and_the_others_are_kept(tmp_path: Path) -> None:
    """A chapter that raises fails each build and shows why; so does one edited while it runs."""
    edit = "from pathlib import Path; recorded = str; recorded('one')\n"
    edit += "Path('../results/one.json').write_text('changed while it runs')"
    fine = CHAPTERS["03_plain"]
    book = Book(tmp_path, {"01_raises": ["1 / 0"], "02_edits": [edit], "03_plain": fine})
    done, output = book.build()
    assert not done and ran(output) == ["03_plain"]
    assert "chapters/01_raises.ipynb" in output and "ZeroDivisionError" in output
    assert "chapters/02_edits.ipynb" in output and "edited while it ran" in output
    book.list_chapters("01_raises", "03_plain")
    done, output = book.build()
    assert not done and ran(output) == [] and "ZeroDivisionError" in output
    book.replace("chapters/01_raises.ipynb", "1 / 0", "print(1 / 1)")
    done, output = book.build()
    assert done and ran(output) == ["01_raises"], output


BUSY = """\
import os, pathlib, time
pathlib.Path("../pid").write_text(str(os.getpid()))
while not pathlib.Path("../go").exists():
    time.sleep(0.1)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_build_leaves_no_kernel_and_keeps_what_was_done(
    how: signal.Signals, tmp_path: Path
) -> None:
    """Ctrl+C, and `kill -9`: the next build goes on where it stopped."""
    book = Book(tmp_path, {"01_busy": [BUSY], "03_plain": CHAPTERS["03_plain"]})
    process = book.start()
    pid = book.folder / "pid"
    kept = book.folder / "_build/.jupyter_cache"
    if cpu_count() == 1:  # then the first would never let the second start
        book.list_chapters("03_plain", "01_busy")
    wait_until(lambda: pid.exists() and pid.read_text() != "", "a kernel")
    wait_until(lambda: kept.exists() and any(kept.glob("*.ipynb")), "a chapter that is done")
    process.send_signal(how)
    process.communicate(timeout=120)
    assert process.returncode != 0
    wait_until(lambda: not alive(pid.read_text()), "the end of the kernel")
    book.write("go", "")
    fine, output = book.build()
    assert fine and ran(output) == ["01_busy"], output
    assert "plain-1 sphinx" in book.page("03_plain")
