"""Which mistakes does the distilled student of MNIST no longer make, and what does it say there?

    python studies/mnist_mistakes.py            # ten minutes; after the record of `mnist.py`
    python studies/mnist_mistakes.py --check    # repeat a slice of the record, write nothing

For a dozen images of the test set: their pixels, and the logits of a student of hard labels, of one
of soft targets, and of the teacher. They were chosen when the table was done (`chosen_examples`),
and nothing else was chosen by them.
"""

from __future__ import annotations

import mnist
from engine import CHECKED, Row, Study, main, rows_alone, study
from mnist import EPOCHS, PLAN, SMALL, STUDENTS, TEACHER

import numpy as np

from distill_lib.distillation import hard_labels, traditional
from distill_lib.results import recorded, unpacked

EXAMPLES = [
    684,
    1609,
    2877,
    3117,
    3776,
    3780,
    3906,
    4199,
    5642,
    5936,
    9587,
    9839,
]  # of the test set
T = 4


def chosen_examples(most: int = 12) -> list[int]:
    """Test images that every student of hard labels had wrong, and every one of soft targets right.

    The first so many, as they come in the test set.
    """
    rows = {
        (row["student"], row["T"]): row for row in recorded("mnist")["rows"] if row["taught"] != 1
    }
    alone, soft = (unpacked(rows[STUDENTS[0], t]["right"], 10_000) for t in (None, T))
    return np.flatnonzero(~alone.any(axis=0) & soft.all(axis=0))[:most].tolist()


def with_images(study: Study) -> Row:
    """What is recorded: the images as bytes, in hexadecimal digits, and the rows."""
    mnist.have_teachers(study, study.seeds)
    test = mnist.data().test
    shown = [
        {
            "index": index,
            "label": int(test.labels[index]),
            "image": np.round(255 * test.inputs[index]).astype(np.uint8).tobytes().hex(),
        }
        for index in study.fixed["examples"]
    ]
    return {"images": shown} | rows_alone(study)


@study(
    {"student": STUDENTS[:1], "T": [None, T], "taught": [EPOCHS]},
    {"student": [SMALL], "T": [T], "taught": [1]},
    fixed=PLAN | {"rate": 0.1, "teacher": TEACHER, "examples": EXAMPLES},
    seeds=range(CHECKED + 1),
    content=with_images,
    checked=lambda row: row["taught"] == 1,
    allowed={"errors": 60},
)
def mnist_mistakes(
    student: str,
    T: float | None,
    taught: int,
    teacher: Row,
    examples: list[int],
    seed: int,
    **plan: float,
) -> Row:
    """A student as in the table; its logits, and its teacher's, of the examples."""
    split = mnist.images(False)
    answers, outputs = mnist.asked((*teacher.items(),), taught, False, seed)
    objective = hard_labels(split) if T is None else traditional(split, outputs, T, 0.0)
    model = mnist.learn(student, split, objective, seed, **plan)
    test = mnist.data().test
    return {
        "errors": int(np.sum(model.predict(test.inputs) != test.labels)),
        "logits": model.logits(test.inputs[examples]).astype(float).round(3).tolist(),
        "teacher_logits": answers[examples].astype(float).round(3).tolist(),
    }


if __name__ == "__main__":
    main(__file__)
