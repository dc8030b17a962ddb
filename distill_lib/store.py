"""A teacher's outputs on disk: the teacher runs once, and any number of students read.

A store is a folder. `manifest.json` says whose outputs it has: fingerprints of the teacher and of
the data, which scores, of how many examples. `00000.npy`, … are shards in the split's order, files
of NumPy's, which executes nothing: a row is an example's "index" and its scores (before any T) by
name. Behind the array stands a seal of 32 bytes, the SHA-256 of the manifest, the shard's number
and all before the seal: a shard is right in one place of one store. What is there is whole.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm  # as text: a widget would end up in the built page

from distill_lib import checks
from distill_lib.data import Split
from distill_lib.distillation import Aligned, TeacherOutputs
from distill_lib.models import Model
from distill_lib.results import write_whole

AGAIN = "delete it, and the same store_outputs writes it again"


def fingerprint(model: Model) -> str:
    """The SHA-256 of a model's class, layers and parameters. ValueError without a `vector`."""
    if not isinstance(getattr(model, "vector", None), np.ndarray):
        got = f"got {type(model).__name__}: np.savez(path, index=…, logits=…) keeps any outputs"
        raise ValueError(f"a teacher to store must have its parameters in one vector, {got}")
    return _sha256(model.vector, f"{type(model).__name__} {getattr(model, 'layers', '')}")


def store_outputs(
    folder: str | Path,
    model: Model,
    split: Split,
    *,
    names: tuple[str, ...] = ("logits",),
    shard: int = 1024,
    dtype: type | None = None,
    worker: int = 0,
    workers: int = 1,
) -> int:
    """Ask the teacher about every example, and write what it says; or go on where that was stopped.

    Args:
        names: which of the teacher's scores, "logits" among them.
        shard: examples in each: what an interruption costs at most.
        dtype: np.float16, np.float32 or np.float64; the teacher's, unless given.
        worker, workers: which of so many processes this is, from 0: each has its own shards.

    Returns how many shards it wrote. ValueError for arguments not as described, scores not finite
    in that type, or what `load_outputs` refuses, but for shards that are missing.
    """
    checks.check_whole("shard", shard)
    checks.check_whole("workers", workers)
    checks.check_whole("worker", worker, least=0, most=workers - 1)
    asked, first = _identity(fingerprint(model), split), model.scores(split.inputs[:1])
    if "logits" not in names or not {*names} <= {*first}:
        raise ValueError(f'names must be some of {[*first]}, "logits" among them, got {names!r}')
    kind = np.dtype(dtype or first["logits"].dtype).newbyteorder("<").str
    if kind not in ("<f2", "<f4", "<f8"):
        raise ValueError(f"dtype must be np.float16, np.float32 or np.float64, got {dtype!r}")
    asked |= {"shard": int(shard), "type": kind, "scores": {n: first[n].shape[1] for n in names}}
    if not (manifest := Path(folder) / "manifest.json").exists():
        write_whole(manifest, json.dumps(asked, indent=1).encode())
    store = StoredOutputs(folder, split.index, asked)
    own = [k for k in range(worker, len(store.paths), workers) if not store.holds(k)]
    for k in tqdm(own, desc="storing", unit="shard", delay=2, leave=False):
        rows = slice(k * shard, (k + 1) * shard)
        scores, index = model.scores(split.inputs[rows]), split.index[rows]
        table = np.empty(len(index), store.row)
        table["index"] = index
        for name in names:
            with np.errstate(over="ignore"):  # checked in the next line
                table[name] = scores[name]
            checks.check_scores(f"{name} of shard {k}, as {table[name].dtype},", table[name])
        np.save(file := BytesIO(), table, allow_pickle=False)
        write_whole(store.paths[k], file.getvalue() + store._seal(k, file.getvalue()))
    if all(path.exists() for path in store.paths):
        for left in manifest.parent.glob("*.part"):  # by runs that were killed
            left.unlink(missing_ok=True)
    return len(own)


def load_outputs(folder: str | Path, model: Model | str, split: Split) -> StoredOutputs:
    """What `store_outputs` wrote, if it is whole, and of this teacher and these data.

    For the model its `fingerprint` will do. The split is the one that was stored, in its order; its
    labels do not matter. ValueError for no store, one not finished, another teacher, other data, or
    a shard that is cut off, changed or foreign.
    """
    store = StoredOutputs(folder, split.index, _identity(model, split))
    if missing := [path.name for k, path in enumerate(store.paths) if not store.holds(k)]:
        raise ValueError(f"{folder} lacks {missing[:9]}: the same store_outputs goes on there")
    return store


class StoredOutputs(TeacherOutputs):
    """`TeacherOutputs` on disk, from `load_outputs` and with its ValueError; `at` reads in part."""

    def __init__(self, folder: str | Path, index: checks.Array, asked: dict[str, Any]) -> None:
        path = Path(folder) / "manifest.json"
        if not path.exists():
            raise ValueError(f"{folder} has no manifest.json: store_outputs makes a store there")
        try:
            self._manifest = path.read_bytes()
            there = json.loads(self._manifest)
            other = [name for name in asked if there[name] != asked[name]]
            columns = [(name, there["type"], (n,)) for name, n in there["scores"].items()]
            self.row, self.shard = np.dtype([("index", "<i8"), *columns]), there["shard"]
            checks.check_whole("shard", self.shard)
        except Exception as error:  # whatever a broken file comes up with
            raise ValueError(f"{path} is no manifest of a store ({error!r}): {AGAIN}") from error
        if other:
            fault = f"{other[0]}: {there[other[0]]!r}, not {asked[other[0]]!r}"
            raise ValueError(f"{folder} has another {fault}; take another folder, or delete this")
        self.index, places = index, np.arange(len(index))
        self.paths = [path.with_name(f"{k:05d}.npy") for k in range(-(-len(index) // self.shard))]
        self._scores = {name: Aligned(index, places) for name in there["scores"]}
        # Not all at once: a process may not open very many files.
        self._table = lru_cache(100)(lambda k: np.load(self.paths[k], mmap_mode="r"))

    def at(self, index: checks.Array, name: str = "logits") -> checks.Array:
        """As `TeacherOutputs.at`; half precision comes as float32. ValueError as there."""
        shard, row = np.divmod(super().at(index, name), self.shard)
        kind, shape = self.row[name].base, self.row[name].shape
        found = np.empty((len(row), *shape), np.promote_types(kind, np.float32))
        for k in np.unique(shard).tolist():
            found[shard == k] = self._table(k)[name][row[shard == k]]
        return found

    def _seal(self, k: int, content: bytes) -> bytes:
        return hashlib.sha256(b"%b %d %b" % (self._manifest, k, content)).digest()

    def holds(self, k: int) -> bool:
        """Whether shard k is there; ValueError if it is not what it should be."""
        if there := self.paths[k].exists():
            content = self.paths[k].read_bytes()
            if content[-32:] != self._seal(k, content[:-32]):
                raise ValueError(f"{self.paths[k]} is cut off, changed or foreign: {AGAIN}")
        return there


def _identity(model: Model | str, split: Split) -> dict[str, Any]:
    checks.check_kind("split", split, Split, "take one of a data set, such as data.transfer")
    teacher = model if isinstance(model, str) else fingerprint(model)
    head = {"format": "a teacher's outputs, version 1", "teacher": teacher, "examples": len(split)}
    return {**head, "order": _sha256(split.index.astype("<i8")), "inputs": _sha256(split.inputs)}


def _sha256(array: checks.Array, text: str = "") -> str:
    head = f"{text} {array.dtype.str} {array.shape} "
    return hashlib.sha256(head.encode() + array.tobytes()).hexdigest()
