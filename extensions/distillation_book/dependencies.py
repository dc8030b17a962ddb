"""What the outputs of a notebook depend on, as one digest: where it differs, the notebook runs.

- its code cells, and the folder in which they run;
- the modules of this repository that they import, and those that these import.  Of a package (a
  folder with `__init__.py`, such as `distill_lib`) every file counts; of a plain folder of modules,
  such as `studies/`, only the files that are imported;
- the results that any of these read: `recorded("NAME")`, with the name as a literal;
- the lock, the version of Python, and the way in which notebooks are run.
"""

import ast
import hashlib
import json
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

# Where a chapter's imports are looked for, beside the importing file's own folder.
PLACES = (".", "livefigures/src", "studies")
ALWAYS = (
    "requirements.lock",
    "extensions/distillation_book/dependencies.py",
    "extensions/distillation_book/execution.py",
)


def digest(notebook: str, folder: Path, root: Path) -> str:
    """Return a digest of a notebook and of all in the repository that it uses.

    Args:
        notebook: its JSON.
        folder: where it runs, below `root`.
        root: the repository; its place on the machine makes no difference.
    """
    cells = code_cells(json.loads(notebook))
    total = hashlib.sha256(json.dumps([platform.python_version(), cells]).encode())
    total.update(f"{folder.relative_to(root)}".encode())
    paths = {root / name for name in ALWAYS} | used_by(as_python(cells), folder, root)
    for path in sorted(paths):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        total.update(f"\0{path.relative_to(root)}\0{content}".encode())
    return total.hexdigest()[:20]


def code_cells(notebook: dict) -> list[tuple[str, list[str]]]:
    """The source and the tags of each code cell (a tag may allow it to raise)."""
    return [
        ("".join(cell["source"]), cell["metadata"].get("tags", []))
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def as_python(cells: list[tuple[str, list[str]]]) -> str:
    """All cells as one program: %magic and !commands become calls."""
    return "\n".join(TransformerManager().transform_cell(source) for source, _ in cells)


def used_by(program: str, folder: Path, root: Path) -> set[Path]:
    """The files of the repository that a program in a folder imports or reads."""
    used: set[Path] = set()
    todo = [(program, folder)]
    while todo:
        text, home = todo.pop()
        modules, records = names(text)
        used |= {root / f"results/{name}.json" for name in records}
        for path in files(modules, home, root) - used:
            used.add(path)
            if path.suffix == ".py":
                todo.append((path.read_text("utf-8"), path.parent))
    return used


@cache
def names(program: str) -> tuple[frozenset[str], frozenset[str]]:
    """The modules that a program may import, and the results that it names."""
    try:
        tree = ast.parse(program)
    except SyntaxError:  # running it will tell
        return frozenset(), frozenset()
    modules: set[str] = set()
    records: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = f"{node.module}." if node.module else ""
            modules |= {start + alias.name for alias in node.names}  # a module, or a name in it
        elif isinstance(node, ast.Call) and called(node) == "recorded":
            records |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return frozenset(modules), frozenset(records)


def called(call: ast.Call) -> str:
    """The name of the function that is called, without what stands before the dot."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def files(modules: frozenset[str], home: Path, root: Path) -> set[Path]:
    """The files of the repository that these modules may be."""
    found: set[Path] = set()
    for name in modules:
        parts = name.split(".")
        for place in {home, *(root / place for place in PLACES)}:
            package = place / parts[0]
            if (package / "__init__.py").exists():
                found.update(content(package))
            for end in range(1, len(parts) + 1):
                module = place.joinpath(*parts[:end]).with_suffix(".py")
                found.update([module] if module.is_file() else [])
    return found


def content(package: Path) -> Iterator[Path]:
    """Every file of a package but what Python keeps there."""
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path
