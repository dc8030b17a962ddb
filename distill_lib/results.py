"""Results written down with what made them, so that nobody runs for an hour to read a chapter.

A record is a JSON file: what was measured, and beside it the command, the date, the seeds, the
versions, and the fingerprint of the library that computed it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import ArrayLike

from distill_lib.checks import Array, check_whole

RESULTS = Path(__file__).resolve().parent.parent / "results"
DRAWING = {"figures.py"}
"""What computes no result. A change in any other gives another fingerprint."""


def library_digest() -> str:
    """The fingerprint of all of the library that computes: any edit changes it."""
    return digest(p for p in Path(__file__).parent.glob("*.py") if p.name not in DRAWING)


def digest(paths: Iterable[Path]) -> str:
    """A short fingerprint of the text of these files."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()[:12]


def origin() -> dict[str, Any]:
    """The code and the packages that make a result what it is."""
    packages = ("numpy", "scipy", "scikit-learn")
    versions = {"python": platform.python_version()} | {p: version(p) for p in packages}
    return {"library": library_digest(), "versions": versions}


def record(name: str, content: Mapping[str, Any], seeds: Iterable[int], command: str) -> Path:
    """Write `results/NAME.json`: the content, and what it takes to get it again.

    An interruption leaves the old file or the new one. Returns its path.

    ValueError for a name not of letters, digits and underscores, seeds that are not whole, or a
    content that names what stands at the head anyway, or has nan or infinity, unknown to JSON.
    """
    path, seeds = _path(name), list(seeds)
    for seed in seeds:
        check_whole("seed", seed, least=0)
    head = {
        "command": command,
        "date": date.today().isoformat(),
        "seeds": [int(seed) for seed in seeds],
        **origin(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    if clash := head.keys() & content.keys():
        raise ValueError(f"a content must not name what the record says itself: {sorted(clash)}")
    text = json.dumps(head | dict(content), indent=1, allow_nan=False, default=_plain)
    write_whole(path, f"{text}\n".encode())
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, whoever else writes it; a kill leaves a NAME.part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{uuid4().hex}.part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.replace(beside, path)
    except FileNotFoundError:  # another has written the same, and tidied up
        if not path.exists():
            raise


def recorded(name: str) -> dict[str, Any]:
    """Read `results/NAME.json`.

    ValueError for no such result (the message lists what there is), or a file cut off or no record.
    """
    path = _path(name)
    if not path.exists():
        none = "none: run `pip install -e ./livefigures -e .` in a copy of the book's repository"
        there = sorted(p.stem for p in RESULTS.glob("*.json")) or none
        raise ValueError(f"no recorded result {name!r} in {RESULTS}; there are {there}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no whole JSON file: {error}") from error
    if not isinstance(content, dict) or not {"command", "date", "seeds"} <= content.keys():
        raise ValueError(f"{path} is no record: it does not say its command, date and seeds")
    return content


def packed(flags: ArrayLike) -> str:
    """True or False of each example, shape (examples,), such as "is right", as a short text."""
    return np.packbits(np.asarray(flags, bool)).tobytes().hex()


def unpacked(texts: Iterable[str], n: int) -> Array:
    """What `packed` made short: shape (texts, n), True and False, a row for each text or seed.

    Each text is of `n` examples, which it says itself only to the next multiple of eight.
    ValueError for no texts, or texts of another length.
    """
    check_whole("n", n)
    rows = [np.frombuffer(bytes.fromhex(text), np.uint8) for text in texts]
    if not rows or {len(row) for row in rows} != {-(-n // 8)}:
        raise ValueError(f"need texts of {n} examples each, got {[8 * len(row) for row in rows]}")
    return np.unpackbits(rows, axis=1, count=n).astype(bool)


def _path(name: str) -> Path:
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise ValueError(f"the name of a result is letters, digits and underscores, got {name!r}")
    return RESULTS / f"{name}.json"


def _plain(x: Any) -> list[Any]:
    """NumPy's numbers and arrays as Python's."""
    return x.tolist() if hasattr(x, "tolist") else list(x)
