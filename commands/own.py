"""From your table and a teacher to a report and a student (bridges/own.py).

python -m distill_lib own table.csv --label species --teacher forest
"""

from __future__ import annotations

from commands.process import run_file


def run(words: list[str]) -> int:
    """Hand on; it says itself how to go on."""
    return run_file("bridges/own.py", words)
