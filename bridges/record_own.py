"""The command on a table of 100,000 rows: what it says, how long it takes, how much memory.

    .venv/bin/python bridges/record_own.py    # some minutes; writes results/own_large.json

The table is drawn: 5 classes in 15 clouds of 20 numbers, of which 10 know something and 4 repeat
it; five rows in a hundred have a class at random. The command runs in a process of its own, so
that the memory is its alone.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.datasets import make_classification

from distill_lib.checks import Array
from distill_lib.results import record

ROWS = 100_000
OPTIONS = ("--trials", "4", "--seeds", "5")
OWN = Path(__file__).with_name("own.py")
KEPT = ("verdict", "difference", "baseline", "teacher", "majority", "splits", "plan", "seconds")


def drawn(rows: int) -> tuple[Array, Array]:
    """Features and classes."""
    kinds: dict[str, Any] = {"n_features": 20, "n_informative": 10, "n_redundant": 4}
    kinds |= {"n_classes": 5, "n_clusters_per_class": 3, "flip_y": 0.05}
    x, y = make_classification(rows, class_sep=1.5, random_state=0, **kinds)
    return x, y


def spent() -> float:
    """Seconds that a core has worked for the processes that this one started."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(rows: int = ROWS, *options: str) -> dict[str, Any]:
    """What is recorded of the command on such a table; options are those of the command."""
    x, y = drawn(rows)
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder, "large.csv"), Path(folder, "distilled")
        head = ",".join([*(f"x{k}" for k in range(x.shape[1])), "y"])
        line = ["%.6g"] * x.shape[1] + ["%d"]
        np.savetxt(table, np.column_stack([x, y]), line, ",", header=head, comments="")
        command = [sys.executable, str(OWN), str(table), "--label", "y", "--teacher", "forest"]
        began, before = perf_counter(), spent()
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run([*command, "--out", str(out), *options], check=True, env=os.environ | one)
        content: dict[str, Any] = {"rows_of_table": rows, "csv_bytes": table.stat().st_size}
        content["seconds_by_the_clock"] = round(perf_counter() - began, 1)
        content["seconds_of_a_core"] = round(spent() - before, 1)  # others may have been at work
        result = json.loads((out / "result.json").read_text("utf-8"))
        content["files"] = {path.name: path.stat().st_size for path in sorted(out.iterdir())}
    content |= {name: result[name] for name in (*KEPT, "megabytes")}
    content["accuracy"] = {name: one["accuracy"] for name, one in result["methods"].items()}
    return content


def main() -> None:
    """Write results/own_large.json."""
    content = run(ROWS, *OPTIONS)
    print({name: content[name] for name in ("verdict", "seconds_by_the_clock", "megabytes")})
    record("own_large", content, [0], "python bridges/record_own.py")


if __name__ == "__main__":
    main()
