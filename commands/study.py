"""List the long runs, run one, or repeat a slice of it and compare.

Chapters read what these runs record in results/: what takes more than a minute is not run there.
Without a name: all of them, how long each takes, and its records. A run uses all cores, or as many
as JOBS=2 in front says; stopped, it goes on where it was. Chapter 7 is such a run, read.

    python -m distill_lib study
    python -m distill_lib study sparse_storage --check
    python -m distill_lib study traditional grid
"""

from __future__ import annotations

import ast
import re
from argparse import ArgumentParser, Namespace

from commands import ROOT
from commands.process import run_file
from distill_lib.results import RESULTS, recorded

STOPPED = "The runs that are done are kept: the same command goes on there."
FOLDER = ROOT / "studies"


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a file of studies/")
    parser.add_argument("parts", nargs="*", metavar="PART", help="of it, by name (default: all)")
    text = "repeat a few rows at one seed, compare them with the record, write nothing"
    parser.add_argument("--check", action="store_true", help=text)


def run(asked: Namespace) -> int:
    """List, run or check."""
    there = studies()
    if asked.name is None:
        made = {
            path.stem: recorded(path.stem)["command"] for path in sorted(RESULTS.glob("*.json"))
        }
        for name, about in there.items():
            print(described(name, about, made))
        return 0
    if asked.name not in there:
        raise ValueError(f"there is no study {asked.name!r} in {FOLDER}; there are {[*there]}")
    words = [*asked.parts, *(["--check"] if asked.check else [])]
    code = run_file(f"studies/{asked.name}.py", words)
    if code == 130:
        raise KeyboardInterrupt
    return code


def studies() -> dict[str, str]:
    """Docstrings of the files that can be run, by name; they are read, not imported."""
    texts = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.py"))}
    return {
        name: ast.get_docstring(ast.parse(text)) or ""
        for name, text in texts.items()
        if "main(__file__)" in text
    }


def described(name: str, about: str, made: dict[str, str]) -> str:
    """What a study is about, how long it takes, and what it has recorded, of all by command."""
    command = rf"python studies/{name}\.py"
    long = re.search(rf"{command} +# (.*)", about)
    own = [record for record, by in made.items() if re.match(rf"{command}\b", by)]
    lines = [f"{name}: {about.splitlines()[0]}", f"takes: {long[1] if long else 'not said'}"]
    return "\n    ".join([*lines, f"results: {', '.join(own) or 'none yet'}"])
