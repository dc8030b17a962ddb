"""Train a teacher on labels, and save it.

A teacher is a network with more room than its student will have. It learns from the labels of the
training split; validation says how well. Chapter 2, "A teacher and a student".

    python -m distill_lib teach --out teacher.npz
    python -m distill_lib teach --data mnist --sizes 784-300-10 --steps 4000 --out teacher.npz
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from commands import add_data, data_called, fitting, in_line, sizes, to_save
from distill_lib.distillation import hard_labels
from distill_lib.metrics import report
from distill_lib.models import MLP
from distill_lib.training import Adam, cosine_decay, train

STOPPED = "Nothing was saved; the same command begins anew."


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    add_data(parser)
    parser.add_argument(
        "--sizes", type=sizes, metavar="64-256-256-10", help="inputs, hidden layers, classes"
    )
    parser.add_argument("--steps", type=int, default=2000, help="(default: 2000)")
    parser.add_argument("--rate", type=float, default=0.003, help="of learning (default: 0.003)")
    parser.add_argument("--seed", type=int, default=0, help="(default: 0)")
    parser.add_argument("--out", required=True, metavar="TEACHER.npz", help="where it is saved")


def run(asked: Namespace) -> None:
    """Train, say how well, save."""
    to_save(asked.out)
    data = data_called(asked.data)
    model = MLP(fitting(asked.sizes, data, 256, 256), seed=asked.seed)
    plan = {"steps": asked.steps, "batch_size": 64, "schedule": cosine_decay, "seed": asked.seed}
    train(model, data.train, hard_labels(data.train), optimizer=Adam(asked.rate), **plan)
    model.save(asked.out)
    measures = report(model.logits(data.validation.inputs), data.validation.labels)
    print(f"On validation: {in_line(measures)}")
    print(f"{asked.out}: {model}")
