"""Distil a large model's knowledge into a small one; repeat what the book reports.

The way through, on the digits that come with it:

    python -m distill_lib teach --out teacher.npz
    python -m distill_lib store answers --teacher teacher.npz
    python -m distill_lib distil --teacher answers --labels 100 --T 4 --alpha 0.1 --out student.npz
    python -m distill_lib export student.npz student.onnx

COMMAND --help explains each, with an example. What takes long may be stopped (Ctrl-C): the same
command goes on where it was.

Exit codes: 0 done; 1 failed, and a line says why; 2 wrong usage; 130 stopped, and a line says how
to go on.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import distill_lib
from distill_lib.checks import Array
from distill_lib.data import Dataset, Split
from distill_lib.distillation import TeacherOutputs
from distill_lib.models import Network
from distill_lib.store import load_outputs

ROOT = Path(__file__).resolve().parent.parent


# --- Data, teachers and sizes by what a command line says of them ---------------------------------


def add_data(parser: ArgumentParser) -> None:
    """The option --data."""
    text = '"digits", "mnist", or an .npz file with the arrays "inputs" and "labels"'
    parser.add_argument(
        "--data", default="digits", metavar="NAME", help=f"{text} (default: digits)"
    )


def data_called(name: str) -> Dataset:
    """The digits, MNIST, or a file of a reader's arrays, through `Dataset.from_arrays`.

    ValueError for a file without these arrays, or with bad ones.
    """
    if name in ("digits", "mnist"):
        return getattr(distill_lib, name)()
    inputs, labels = arrays(name, "inputs", "labels")
    return Dataset.from_arrays(inputs, labels, name=Path(name).stem)


def arrays(path: str, *names: str) -> list[Array]:
    """These arrays of an .npz file. ValueError where there is no such file, or not all of them."""
    must = f"an .npz file with {' and '.join(names)}: np.savez(path, {'=…, '.join(names)}=…)"
    try:
        # `load` gives one array, no names, where the file is an .npy.
        with np.load(path, allow_pickle=False) as file:
            return [file[name] for name in names]
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {path}; it must be {must}") from error
    except Exception as error:  # whatever a broken file comes up with
        raise ValueError(f"{path} must be {must} ({error})") from error


def network(path: str) -> Network:
    """A model that was saved; ValueError for no such file."""
    try:
        return Network.load(path)
    except FileNotFoundError as error:
        advice = "`python -m distill_lib teach` makes a teacher, `distil` a student"
        raise ValueError(f"there is no file {path}: {advice}") from error


def outputs(path: str, split: Split) -> TeacherOutputs:
    """A teacher's outputs for a split: from a store, which is a folder, or by asking the teacher.

    ValueError for neither, or what belongs to other data.
    """
    if not Path(path).is_dir():
        return TeacherOutputs.of(network(path), split)
    return load_outputs(path, str(manifest(path).get("teacher")), split)


def manifest(folder: str) -> dict[str, Any]:
    """What a store says of itself; nothing where that cannot be read: opening it says why."""
    try:
        return dict(json.loads((Path(folder) / "manifest.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def fitting(given: list[int] | None, data: Dataset, *hidden: int) -> list[int]:
    """Sizes of a network for these data, by default with these hidden layers; ValueError if not."""
    first, last = data.train.inputs.shape[1], data.n_classes
    if given and (given[0], given[-1]) != (first, last):
        got = "-".join(map(str, given))
        raise ValueError(
            f"sizes must begin with {first} inputs and end with {last} classes, got {got}"
        )
    return given or [first, *hidden, last]


def sizes(text: str) -> list[int]:
    """ "64-16-10" as numbers."""
    try:
        return [int(n) for n in text.split("-")]
    except ValueError as error:
        must = "sizes joined by hyphens, of inputs, hidden layers and classes, such as 64-16-10"
        raise ArgumentTypeError(f"must be {must}, got {text!r}") from error


# --- What is saved, and what is said --------------------------------------------------------------


def to_save(path: str | None, ending: str = ".npz") -> None:
    """ValueError, before any work, where no file of this name can be written."""
    if path is not None and (Path(path).suffix != ending or not Path(path).parent.is_dir()):
        must = f'a name that ends in "{ending}", in a folder that exists'
        raise ValueError(f"what is saved needs {must}, got {path}")


def in_line(measures: Mapping[str, Any], spec: str = ".4f") -> str:
    """Measures, or their `Estimate`s, in one line."""
    return ", ".join(f"{name.replace('_', ' ')} {value:{spec}}" for name, value in measures.items())
