"""Train students with a teacher and without: what was it worth?

The loss is alpha * cross entropy with the labels + (1 - alpha) * soft targets at the temperature T
(chapter 4, "Traditional distillation"). Beside each student learns another from labels alone: the
same start, as many steps, the same rate; what is best for one need not be best for the other, and
the studies choose it for each. Figures are means over seeds with 95% intervals, on validation:
choose there, and look at the test split once, at the end (chapter 3, "Measuring fairly"). Where
every label is known a teacher has little to add: --labels 100 keeps so many, others for each seed.

    python -m distill_lib distil --teacher teacher.npz --labels 100
    python -m distill_lib distil --teacher answers --T 4 --alpha 0.1 --out student.npz
    python -m distill_lib distil --teacher answers --student 64-32-10 --steps 2000 --test
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from tqdm import tqdm

from commands import add_data, data_called, fitting, in_line, outputs, sizes, to_save
from distill_lib.data import Dataset, Split
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.metrics import report
from distill_lib.models import MLP
from distill_lib.statistics import interval, paired_difference
from distill_lib.training import Adam, cosine_decay, train

STOPPED = "Nothing was saved; the same command begins anew."


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    text = "a saved model, or the folder of a store"
    parser.add_argument("--teacher", required=True, metavar="TEACHER", help=text)
    add_data(parser)
    parser.add_argument("--labels", type=int, metavar="N", help="keep so many (default: all)")
    parser.add_argument("--T", type=float, default=4.0, help="temperature, above 0 (default: 4)")
    text = "weight of the labels, 0 to 1 (default: 0.1)"
    parser.add_argument("--alpha", type=float, default=0.1, help=text)
    text = "sizes of inputs, hidden layers and classes (default: one hidden layer of 16)"
    parser.add_argument("--student", type=sizes, metavar="64-16-10", help=text)
    parser.add_argument("--steps", type=int, default=600, help="(default: 600)")
    parser.add_argument("--rate", type=float, default=0.01, help="of learning (default: 0.01)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (default: 0)")
    parser.add_argument("--seeds", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--test", action="store_true", help="the test split too: once, at the end")
    text = "where the student of the first seed is saved"
    parser.add_argument("--out", metavar="STUDENT.npz", help=text)


def run(asked: Namespace) -> None:
    """Train, compare, save."""
    if asked.seeds < 2:
        raise ValueError(f"seeds must be 2 or more: one has no interval, got {asked.seeds}")
    to_save(asked.out)
    data = data_called(asked.data)
    teacher = outputs(asked.teacher, data.transfer)
    seeds = range(asked.seed, asked.seed + asked.seeds)
    bar = tqdm(seeds, desc="pairs of students", unit="pair", delay=2, leave=False)
    alone, taught = zip(*(pair(data, teacher, asked, seed) for seed in bar), strict=True)
    compare(alone, taught, "validation", data.validation)
    if asked.test and data.test:
        compare(alone, taught, "test, to be looked at once, when all is chosen", data.test)
    if asked.out:
        taught[0].save(asked.out)
        print(f"\n{asked.out}: {taught[0]}")


def pair(data: Dataset, teacher: TeacherOutputs, asked: Namespace, seed: int) -> tuple[MLP, MLP]:
    """A student of labels alone and one of the teacher; the seed draws the labels that are kept."""
    few = data if asked.labels is None else data.with_few_labels(asked.labels, seed)
    split = few.transfer
    layers = fitting(asked.student, data, 16)
    plan = {"steps": asked.steps, "schedule": cosine_decay, "seed": seed}
    alone, taught = MLP(layers, seed=seed), MLP(layers, seed=seed)
    objective = traditional(split, teacher, asked.T, asked.alpha)
    train(taught, split, objective, optimizer=Adam(asked.rate), **plan)
    # Without a teacher there is nothing to learn from examples without a label.
    objective = hard_labels(split.labelled)
    train(alone, split.labelled, objective, optimizer=Adam(asked.rate), **plan)
    return alone, taught


def compare(alone: Sequence[MLP], taught: Sequence[MLP], title: str, split: Split) -> None:
    """Print the measures of both, and their differences, seed by seed."""
    rows = [
        [report(s.logits(split.inputs), split.labels) for s in those] for those in (alone, taught)
    ]
    one, other = ({m: [row[m] for row in those] for m in rows[0][0]} for those in rows)
    gains = {m: paired_difference(other[m], one[m]) for m in one}
    print(f"On {title}; mean over {len(alone)} seeds and its 95% interval:")
    print(f"    labels alone: {in_line({m: interval(one[m]) for m in one})}")
    print(f"with the teacher: {in_line({m: interval(other[m]) for m in one})}")
    print(f"  the difference: {in_line(gains, '+.4f')}")
