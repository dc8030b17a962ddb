"""Second looks at self-distillation: two ways at one rate, two students of one teacher.

    python studies/self_distillation_rates.py            # about a minute on one free core
    python studies/self_distillation_rates.py --check    # repeat a slice of the record

In `self_distillation.py` every method chose its own learning rate, and a difference between two of
them is one between their rates as well. Here are labels alone at the rates that others took;
labels, label smoothing and progressive targets at the rate of the chapter's first figure; and two
students of one teacher that differ in the inputs they are taught about, and in nothing else.
Nothing is chosen here.
"""

from __future__ import annotations

from common import data
from engine import Row, main, study

from self_distillation import (
    NOTHING,
    OTHER,
    PLAN,
    Plan,
    balanced,
    judged,
    mislabelled,
    models_of,
    on_labels,
    taught,
    two_views,
)

from distill_lib.losses import softmax
from distill_lib.metrics import accuracy

DIGITS = 300
FIGURE = 0.003  # the rate of the chapter's first figure


@study(
    {"share": [0], "method": ["labels"], "learning_rate": [FIGURE, 0.01], "w": [NOTHING]},
    {"share": [0.3, 0.45], "method": ["labels"], "learning_rate": [FIGURE], "w": [NOTHING]},
    {
        "share": [0.3, 0.45],
        "method": ["smoothing"],
        "learning_rate": [FIGURE],
        "w": [0.25, 0.5],
    },
    {"share": [0.3, 0.45], "method": ["progressive"], "learning_rate": [FIGURE], "w": [0.8]},
    fixed=PLAN | {"digits": DIGITS},
)
def self_distillation_rates(
    share: float,
    method: str,
    learning_rate: float,
    w: float,
    digits: int,
    seed: int,
    steps: int,
    batch_size: int,
) -> Row:
    """A method at this rate; of the digits with wrong labels, the share it is right on."""
    split = mislabelled(digits, share, seed)
    plan = Plan(learning_rate, steps, batch_size, seed)
    (model,) = models_of(method, split, w, 0.0, plan)
    right = mislabelled(digits, 0, seed)
    wrong = split.labels != right.labels
    measures = judged([model], data())
    if share:
        measures["on_wrong"] = accuracy(model.logits(split.inputs[wrong]), right.labels[wrong])
    return measures


@study(
    {"inputs": ["labelled", "all"]},
    name="same",
    fixed=PLAN | {"labels": 30, "noise": 0.3, "learning_rate": 0.01, "w": 0.5},
)
def same(
    inputs: str,
    labels: int,
    noise: float,
    learning_rate: float,
    w: float,
    seed: int,
    steps: int,
    batch_size: int,
) -> Row:
    """Two students of the very same teacher: taught about the labelled inputs, or about all."""
    plan, views = Plan(learning_rate, steps, batch_size, seed), two_views(noise)
    whole = data().with_few_labels(labels, seed)
    split = whole.transfer.labelled if inputs == "labelled" else balanced(whole.transfer)
    teacher = on_labels(whole.transfer.labelled, plan, OTHER, views)
    return judged([taught(split, softmax(teacher.logits(split.inputs)), w, plan, views)], whole)


if __name__ == "__main__":
    main(__file__)
