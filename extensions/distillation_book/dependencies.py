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

# Where a chapter's imports are looked for, beside the importing file's own folder.
PLACES = (".", "livefigures/src", "studies")
HOW = "extensions/distillation_book"
ALWAYS = ("requirements.lock", f"{HOW}/dependencies.py", f"{HOW}/execution.py", f"{HOW}/kernels.py")


def digest(notebook: str, folder: Path, root: Path) -> str:
    """Return a digest of a notebook and of all in the repository that it uses.

    Args:
        notebook: its JSON.
        folder: where it runs, below `root`.
        root: the repository; its place on the machine makes no difference.
    """
    cells = [c for c in json.loads(notebook)["cells"] if c["cell_type"] == "code"]
    code = [["".join(c["source"]), c["metadata"].get("tags", [])] for c in cells]
    total = hashlib.sha256(json.dumps([platform.python_version(), code]).encode())
    total.update(folder.relative_to(root).as_posix().encode())
    paths = {root / name for name in ALWAYS} | used_by([source for source, _ in code], folder, root)
    for path in sorted(paths):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        total.update(f"\0{path.relative_to(root).as_posix()}\0{content}".encode())
    return total.hexdigest()[:20]


def used_by(sources: list[str], folder: Path, root: Path) -> set[Path]:
    """The files of the repository that code in a folder imports or reads."""
    used: set[Path] = set()
    todo = [(source, folder) for source in sources]
    while todo:
        source, home = todo.pop()
        modules, records = names(source)
        used |= {root / f"results/{name}.json" for name in records}
        for path in files(modules, home, root) - used:
            used.add(path)
            if path.suffix == ".py":
                todo.append((path.read_text("utf-8"), path.parent))
    return used


@cache
def names(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The modules that a cell or a module may import, and the results that it names."""
    modules: set[str] = set()
    records: set[str] = set()
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = f"{node.module}." if node.module else ""
            modules |= {start + alias.name for alias in node.names}  # a module, or a name in it
        elif isinstance(node, ast.Call) and called(node) == "recorded":
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            records |= {a.value for a in arguments if isinstance(a, ast.Constant)}
    return frozenset(modules), frozenset(records)


def parse(source: str) -> ast.Module:
    """The syntax tree of a cell, in which %magic and !commands are calls."""
    try:
        return ast.parse(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError:  # running it will tell
        return ast.Module([], [])


def called(call: ast.Call) -> str:
    """The name of the function that is called, without what stands before the dot."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def files(modules: frozenset[str], home: Path, root: Path) -> set[Path]:
    """The files of the repository that these modules may be."""
    found: set[Path] = set()
    for place in {home, *(root / place for place in PLACES)}:
        present = {path.stem for path in place.iterdir()} if place.is_dir() else set()
        here = [parts for name in modules if (parts := name.split("."))[0] in present]
        for package in {place / parts[0] for parts in here}:
            if (package / "__init__.py").is_file():
                found.update(content(package))
        for parts in here:
            steps = (place.joinpath(*parts[:end]) for end in range(1, len(parts) + 1))
            found |= {step.with_suffix(".py") for step in steps}
    return {path for path in found if path.is_file()}


def content(package: Path) -> Iterator[Path]:
    """Every file of a package but what Python keeps there, and what only pages load."""
    for path in package.rglob("*"):
        if path.is_file() and not {"__pycache__", "static"} & {*path.parts}:
            yield path
