"""Ask a teacher once about every example, and keep what it says.

What is kept are logits, before any T. A teacher that is large, or costs money, should not be asked
again for each student. What is kept is checked: whose it is, of which data, and that no bit of it
has changed. Stopped anywhere, even killed, the same command goes on there. Chapter 14,
"Offline distillation".

    python -m distill_lib store answers --teacher teacher.npz
    python -m distill_lib store answers --teacher teacher.npz --half
    python -m distill_lib store answers --check
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import numpy as np

from commands import add_data, data_called, manifest, network
from distill_lib.store import StoredOutputs, store_outputs

STOPPED = "What is stored is kept: the same command goes on there."


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("folder", metavar="FOLDER", help="of the store")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--teacher", metavar="TEACHER.npz", help="a saved model, as of `teach`")
    way.add_argument("--check", action="store_true", help="is it whole? Writes nothing")
    add_data(parser)
    parser.add_argument("--half", action="store_true", help="numbers of 16 bits: half the bytes")
    text = "examples in a file: what an interruption costs at most (default: 1024)"
    parser.add_argument("--shard", type=int, default=1024, metavar="N", help=text)


def run(asked: Namespace) -> None:
    """Store, or check."""
    if asked.check:
        print(checked(asked.folder))
        return
    model, split = network(asked.teacher), data_called(asked.data).transfer
    kind = np.float16 if asked.half else None
    n = store_outputs(asked.folder, model, split, shard=asked.shard, dtype=kind)
    print(
        f"{asked.folder}: {len(split)} examples; {n} new files of {-(-len(split) // asked.shard)}"
    )


def checked(folder: str) -> str:
    """What a whole store has; ValueError for one that is damaged or not finished."""
    n = manifest(folder).get("examples")
    n = n if isinstance(n, int) else 0  # what opening it refuses
    store = StoredOutputs(folder, np.arange(n), {"examples": n})
    if missing := [path.name for k, path in enumerate(store.paths) if not store.holds(k)]:
        advice = "the command that began it goes on there"
        raise ValueError(f"{folder} lacks {len(missing)} of {len(store.paths)} files: {advice}")
    return f"Whole: {store}, in {len(store.paths)} files."
