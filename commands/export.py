"""Write a student as an ONNX file.

Runtimes read it that know nothing of this library. Its outputs are the logits, and the
probabilities at T = 1: a temperature serves training alone. With --data, what ONNX Runtime answers
on validation is compared with what the student answers here. It needs the packages onnx and
onnxruntime. Chapter 15, "Deployment".

    python -m distill_lib export student.npz student.onnx
    python -m distill_lib export student.npz student.onnx --data digits
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib import import_module

import numpy as np

from commands import data_called, network, to_save

STOPPED = "The same command begins anew."
MISSING = """needs onnx and onnxruntime, which this Python lacks: `make torch` makes
.venv-torch, which has them: .venv-torch/bin/python -m distill_lib export …"""


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("student", metavar="STUDENT.npz", help="as of `distil`")
    parser.add_argument("out", metavar="STUDENT.onnx", help="the file to write")
    parser.add_argument("--data", metavar="NAME", help="compare on these data: as of `distil`")


def run(asked: Namespace) -> None:
    """Write, and compare."""
    to_save(asked.out, ".onnx")
    model, data = network(asked.student), data_called(asked.data) if asked.data else None
    try:
        bridge = import_module("bridges.onnx_export")
        bridge.export(model, asked.out, classes=data.class_names if data else ())
    except ModuleNotFoundError as error:
        raise ValueError(f"{MISSING} ({error})") from error
    print(f"{asked.out}: {model}")
    if data:
        inputs = data.validation.inputs
        far = np.abs(bridge.Deployed(asked.out).logits(inputs) - model.logits(inputs)).max()
        print(f"On {len(inputs)} examples no logit differs by more than {far:.2g}.")
