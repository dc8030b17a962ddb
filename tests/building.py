"""Build a book as `make book` does, also where there is no make; and what is built once a run."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from exclusive import exclusive

COMMAND = "jupyter-book build . -W -n --keep-going"  # as in the Makefile and the README
MISSING = "The pages are built with the environment .venv: run `make book`, or the README's lines."


def once(done: Path, run: str, make: Callable[[], str]) -> str:
    """Call `make` in the first of a test run's processes that comes here; the others wait for it.

    Args:
        done: a file that remembers it.
        run: what tells this run of the tests from others.
        make: returns what went wrong, or nothing.

    Returns what `make` has returned, in whichever process.
    """
    with exclusive(done.with_name(f"{done.name}.lock")):
        if done.exists():
            former, _, failure = done.read_text("utf-8").partition("\n")
            if former == run:
                return failure
        failure = make()
        done.write_text(f"{run}\n{failure}", "utf-8")
        return failure


def build(folder: Path, root: Path) -> tuple[bool, str]:
    """Build the book in a folder; return whether it succeeded, and what it said."""
    if not (root / ".venv/bin/jupyter-book").exists():
        pytest.fail(MISSING, pytrace=False)
    return run(f"{root}/.venv/bin/{COMMAND}".split(), folder)


def make(folder: Path, root: Path) -> tuple[bool, str]:
    """Run `make book` in a folder, with the environment that is there already."""
    if not shutil.which("make"):
        pytest.skip("this is about make, which is not installed here")
    command = ["make", "-f", str(root / "Makefile"), f"BOOK={root}/.venv/bin", "book"]
    return run([*command, "-o", ".venv/installed"], folder)


def run(command: list[str], folder: Path) -> tuple[bool, str]:
    """Run a command in a folder; return whether it succeeded, and what it said."""
    env = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True)
    return done.returncode == 0, done.stdout + done.stderr
