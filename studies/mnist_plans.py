"""How the plan of MNIST's teacher was chosen: four plans, one teacher of each, on validation.

    python studies/mnist_plans.py            # half an hour; goes on where it was
    python studies/mnist_plans.py --check    # repeat a slice of the record, write nothing

Each learns from 50,000 images, at the seed that chooses everything else of `mnist`, and is counted
on the other 10,000. The test set is not looked at.
"""

from __future__ import annotations

import mnist
from engine import Row, main, rows_alone, study
from mnist import EPOCHS, TEACHER, TUNING

import numpy as np

from distill_lib.metrics import negative_log_likelihood

PLANS: dict[str, Row] = {
    "much dropout": {"dropout_of_inputs": 0.2, "dropout": 0.5, "rate": 0.05},
    "less": {"dropout_of_inputs": 0.1, "dropout": 0.4, "rate": 0.05},
    "little": {"dropout_of_inputs": 0.0, "dropout": 0.25, "rate": 0.05},
    "little, at twice the rate": {"dropout_of_inputs": 0.0, "dropout": 0.25, "rate": 0.1},
}


@study(
    {"plan": list(PLANS), "taught": [EPOCHS]},
    {"plan": list(PLANS)[-1:], "taught": [1]},
    fixed={"teacher": TEACHER, "plans": PLANS, "validating": True},
    seeds=TUNING,
    content=rows_alone,
    checked=lambda row: row["taught"] == 1,
    allowed={"errors": 60},  # float32, and one epoch
)
def mnist_plans(
    plan: str, taught: int, teacher: Row, plans: Row, validating: bool, seed: int
) -> Row:
    """One teacher: errors and loss on validation."""
    model = mnist.teacher_of(teacher | plans[plan], taught, validating, seed)
    validation = mnist.data().validation
    logits = model.logits(validation.inputs)
    return {
        "errors": int(np.sum(logits.argmax(axis=1) != validation.labels)),
        "nll": negative_log_likelihood(logits, validation.labels),
    }


if __name__ == "__main__":
    main(__file__)
