"""Ask a saved model about examples.

It prints a line for each, with the class and how likely that is at T = 1. A temperature serves
training alone: who uses a student leaves it at 1 (chapter 1, "Temperature"). The examples are the
array "inputs" of an .npz file, prepared as those that the model learned from; --like names the
file of arrays that it learned from, and then raw ones are standardised as those were, and classes
have their names. "Your own data".

    python -m distill_lib predict student.npz inputs.npz
    python -m distill_lib predict student.npz inputs.npz --like arrays.npz > answers.csv
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import numpy as np

from commands import arrays, data_called, network
from distill_lib.losses import softmax

STOPPED = "The same command begins anew."


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("model", metavar="MODEL.npz", help="as of `teach` or `distil`")
    parser.add_argument("inputs", metavar="INPUTS.npz", help='with the array "inputs"')
    parser.add_argument("--like", metavar="ARRAYS.npz", help="what the model learned from (--data)")


def run(asked: Namespace) -> None:
    """Print a line of commas for each example."""
    model, [inputs] = network(asked.model), arrays(asked.inputs, "inputs")
    names: tuple[str, ...] = ()
    if asked.like:
        data = data_called(asked.like)
        inputs, names = data.standardised(inputs), data.class_names
    p = softmax(model.logits(inputs).astype(np.float64))
    answers = [names[k] if names else k for k in p.argmax(axis=1).tolist()]
    print("row,answer,probability")
    for row, (answer, best) in enumerate(zip(answers, p.max(axis=1), strict=True)):
        print(f"{row},{answer},{best:.4f}")
