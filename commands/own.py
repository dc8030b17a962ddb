"""From your table and a teacher to a report and a student (bridges/own.py).

Fair baselines, choices made on validation, intervals; it says so where the teacher does not help.
Chapter 18, "Distil your own", and `own --help`.

    python -m distill_lib own table.csv --label species --teacher forest
"""

from __future__ import annotations

from commands.process import run_file


def run(words: list[str]) -> int:
    """Hand on; it says itself how to go on."""
    return run_file("bridges/own.py", words)
