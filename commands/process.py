"""Runs a program of the repository in a process of its own, where Ctrl-C ends it without ado.

python commands/process.py studies/NAME.py one --check
"""

from __future__ import annotations

import ast
import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from subprocess import Popen, TimeoutExpired

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 2.0  # seconds in which a program ends that got the signal itself, as from a terminal


def run_file(file: str, words: Sequence[str], needs: Sequence[str] = ()) -> int:
    """Run a file of the repository with these arguments; its exit code, 130 where it was stopped.

    Studies and bridges set threads before NumPy comes, and look for their neighbours: that takes a
    process of their own. ValueError where the file, or a package that it needs, is not there.
    """
    if not (ROOT / file).exists():
        raise ValueError(f"there is no {file}: it is in a whole copy of the book's repository")
    if missing := [name for name in needs if find_spec(name) is None]:
        if {"-h", "--help"} & {*words}:  # the text of it needs nothing
            print(ast.get_docstring(ast.parse((ROOT / file).read_text("utf-8"))), flush=True)
        advice = "`make torch` makes .venv-torch, which has them: use .venv-torch/bin/python"
        raise ValueError(f"{file} needs {', '.join(missing)}, which this Python lacks: {advice}")
    process = Popen([sys.executable, __file__, str(ROOT / file), *words])
    try:
        code = process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(PATIENCE)
        except TimeoutExpired:  # the signal was for this process alone
            process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
            process.wait()
        return 130
    return 130 if code == -signal.SIGINT else code


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).parent)  # as Python itself would
    try:
        run_path(sys.argv[0], run_name="__main__")
    except KeyboardInterrupt:  # what it has done is on the disk, and a traceback helps nobody
        sys.exit(130)
