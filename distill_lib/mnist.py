"""MNIST: four files of handwritten digits, downloaded once, and checked whenever they are read.

No file is trusted, wherever it comes from: no more of it is read than the right one has, what it
holds are bytes and never objects, and it is unpacked if its checksum is the published one.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import numpy as np
from tqdm import tqdm  # as text: a widget would end up in the built page

from distill_lib.checks import Array, check_dtype, check_whole
from distill_lib.data import Dataset, Split

FOLDER = "DISTILL_MNIST"  # the environment variable that names a folder for the files
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
PATIENCE = 10.0  # seconds that a mirror may be silent
PUBLISHED = """\
440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 9912422 train-images-idx3-ubyte.gz
3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c 28881 train-labels-idx1-ubyte.gz
8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6 1648877 t10k-images-idx3-ubyte.gz
f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6 4542 t10k-labels-idx1-ubyte.gz
"""  # of each file the SHA-256, the bytes, packed as it is, and the name
FILES = {name: (sha256, int(n)) for sha256, n, name in map(str.split, PUBLISHED.splitlines())}
N_EXAMPLES = {"train": 60_000, "t10k": 10_000}


def mnist(
    folder: str | Path | None = None, dtype: type = np.float32, n_validation: int = 10_000
) -> Dataset:
    """The 70,000 handwritten digits of MNIST, 28 × 28 pixels from 0 to 1, as rows of 784.

    Of the first 60,000 some are for validation, always the same (fewer are a part of more); the
    rest is to train on, and the transfer set. The last 10,000 are the published test set.
    Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits".

    Args:
        folder: where the files are, or else are downloaded to (12 MB): by default what the
            environment variable DISTILL_MNIST names, or a folder in the user's cache.
        dtype: np.float32 or np.float64.
        n_validation: examples for validation, 1 to 59,999.

    Raises:
        ValueError: dtype or n_validation not as described, or a file that is not what it should be.
        ConnectionError: a file is not there, and no mirror gave it; the next call goes on there.
        OSError: the folder cannot hold the files; the disk is full, for instance.
    """
    check_dtype(dtype)
    check_whole("n_validation", n_validation, most=N_EXAMPLES["train"] - 1)
    caches = {"win32": "~/AppData/Local", "darwin": "~/Library/Caches"}.get(sys.platform)
    caches = caches or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = Path(folder or os.environ.get(FOLDER) or f"{caches}/distill_lib/mnist").expanduser()
    files, n = [_read(home / name) for name in FILES], N_EXAMPLES["train"]
    images, labels = np.concatenate(files[::2]), np.concatenate(files[1::2]).astype(int)
    images = images.reshape(len(images), -1)
    order = np.random.default_rng(1998).permutation(n)
    parts = (order[n_validation:], order[:n_validation], np.arange(n, len(labels)))
    train, validation, test = (Split(images[r].astype(dtype) / 255, labels[r], r) for r in parts)
    return Dataset("mnist", 10, train, train, validation, test)


def _read(path: Path) -> Array:
    """The numbers of a file, which is downloaded first if it is not there."""
    try:
        faults = "" if path.exists() else _download(path)
    except OSError as error:
        advice = f"make room there (20 MB are enough), or name another folder in {FOLDER}"
        fault = f"{path.parent} cannot hold {path.name}: {error.strerror}; {advice}"
        raise OSError(error.errno, fault) from error
    if faults:
        advice = f"try again where there is a network, or name a folder with the files in {FOLDER}"
        raise ConnectionError(f"{path} is not there, and no mirror gave it ({faults}): {advice}")
    with path.open("rb") as opened:
        packed = opened.read(FILES[path.name][1] + 1)  # one more than there should be is enough
    try:
        return _unpacked(packed, path.name)
    except ValueError as error:
        fault = f"{path} is not what it should be: {error}"
        raise ValueError(f"{fault}; delete it, and the next call downloads it") from error


def _unpacked(packed: bytes | bytearray, name: str) -> Array:
    """The numbers in the bytes of a file; ValueError unless they are those of the published one."""
    sha256, size = FILES[name]
    if len(packed) != size:
        got = "more" if len(packed) > size else f"{len(packed):,}"
        begins = f"from {bytes(packed[:16])!r} on"
        raise ValueError(f"it must have {size:,} bytes, got {got}, {begins}")
    if (digest := hashlib.sha256(packed).hexdigest()) != sha256:
        raise ValueError(f"its SHA-256 must be {sha256}, got {digest}")
    shape = (N_EXAMPLES[name.split("-")[0]], *((28, 28) if "images" in name else ()))
    numbers = np.frombuffer(gzip.decompress(packed), np.uint8, offset=4 + 4 * len(shape))
    return numbers.reshape(shape)


def _download(path: Path) -> str:
    """Bring a file into its place; where no mirror gives it, say what was wrong with each.

    What comes also goes to NAME.part, where the next try or call goes on. Several processes may
    write there: each checks all that it has itself, and puts that into its place in one step.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part, beside = (path.with_name(f"{path.name}.{end}") for end in ("part", uuid4().hex))
    faults: dict[str, str] = {}
    with part.open("a+b") as kept:
        for mirror in MIRRORS * 2:  # again, for what broke off, or went on from a wrong beginning
            try:
                content = _received(mirror + path.name, path.name, kept)
                _unpacked(content, path.name)
                beside.write_bytes(content)
                if not path.exists():  # or another process was faster
                    os.replace(beside, path)
                faults.clear()
                kept.truncate(0)
                break
            except (ConnectionError, ValueError) as error:
                faults[mirror] = str(error)
                if isinstance(error, ValueError):  # the rest of it would not make it right
                    kept.truncate(0)
            finally:
                beside.unlink(missing_ok=True)
        if os.name != "nt" and not kept.seek(0, os.SEEK_END):  # there, no open file can go
            part.unlink(missing_ok=True)
    return "; ".join(f"{mirror}: {fault}" for mirror, fault in faults.items())


def _received(url: str, name: str, kept: BinaryIO) -> bytearray:
    """What is kept, and what the mirror adds to it; ConnectionError where it breaks off."""
    size = FILES[name][1]
    kept.seek(0)
    content = bytearray(kept.read(size + 1))
    start, look = len(content), {"unit": "B", "unit_scale": True, "leave": False}
    with tqdm(desc=name, initial=start, total=size, **look) as bar:
        for place, piece in _pieces(url, start, size) if start < size else ():
            if place < len(content):  # it does not go on, it begins again
                kept.truncate(place)
                del content[place:]
            content += piece
            kept.write(piece)
            bar.update(len(content) - bar.n)
    if content[:2] == b"\x1f\x8b" and len(content) < size:  # right so far: it begins as gzip
        raise ConnectionError(f"it broke off after {len(content):,} of {size:,} bytes")
    return content


def _pieces(url: str, start: int, size: int) -> Iterator[tuple[int, bytes]]:
    """What a mirror sends, each piece with its place: from byte `start` on, or all if it must."""
    from urllib.request import Request, urlopen  # here: it takes long to import, and few need it

    request = Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            place = start if answer.status == 206 else 0
            while piece := answer.read1(min(2**16, size + 1 - place)):  # one too many is enough
                yield place, piece
                place += len(piece)
    except Exception as error:  # whatever a broken answer comes up with
        raise ConnectionError(str(error)) from error
