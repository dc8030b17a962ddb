"""Methods on features against controls at the same dials, for chapter 11.

    python studies/deep_equal.py            # two minutes on one core
    python studies/deep_equal.py --check    # repeat a slice of the record, write nothing

In `deep.py` each method has a choice of its own; two of them then differ in more than their name.
Here two that are compared have the same rate, weight and steps; nothing is chosen.
"""

from __future__ import annotations

from typing import Any

from common import data, judge
from engine import Row, main, study

import numpy as np
from deep import METHODS as NAMED
from deep import PLAN, base_terms, convolutional, feature_terms, given, taught
from deep import student_of as named_student

from distill_lib.checks import Array
from distill_lib.distillation import TeacherOutputs, WeightedTerms
from distill_lib.metrics import accuracy
from distill_lib.models import MLP, Network
from distill_lib.training import Adam, cosine_decay, train

LAYER = "pool_2"  # where hints are
METHODS = {  # beside those of `deep`, and with the same three parts
    "soft, random attention": ("soft", "attention", "random"),
    "random hint of an MLP": ("labels", "hint of an MLP", "random MLP"),
    "random hint, one size": ("labels", "hint", "random, one size"),
    "soft, random hint, one size": ("soft", "hint", "random, one size"),
}
CASES = [  # method, weight of its features, rate, steps
    *(("labels alone", 0.0, rate, n) for rate in (0.02, 0.05) for n in (100, 200)),
    ("labels alone", 0.0, 0.03, 200),
    *(("random attention", w, 0.03, 200) for w in (1.0, 10.0)),
    ("random attention", 1.0, 0.05, 200),
    ("soft, random attention", 1.0, 0.05, 200),
    ("random hint of an MLP", 1.0, 0.05, 200),
    *(("random hint, one size", w, 0.03, 200) for w in (10.0, 100.0)),
    *((method, 100.0, 0.03, 200) for method in ("hint", "random hint")),
    ("soft, random hint, one size", 1.0, 0.05, 200),
    ("hint, then labels", 1.0, 0.02, 400),
]


def one_size(features: Array, like: Array) -> Array:
    """Each feature with the mean and the spread over images that the others have on average.

    One that is the same for all images stays so.
    """
    spread = features.std(axis=0)
    apart = features - features.mean(axis=0)
    steady = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 1e-9)
    return like.mean() + np.sqrt(like.var(axis=0).mean()) * steady


def further(whose: str, seed: int, network: str, steps: int) -> TeacherOutputs:
    """What a teacher says that `deep` does not have, or one that it has."""
    index = data().transfer.index
    if whose == "random MLP":
        model = MLP((64, 128, 128, 10), 30_000 + seed, np.float64)
        return TeacherOutputs(index, model.scores(data().transfer.inputs))
    if whose != "random, one size":
        return taught(whose, seed, network, steps)[1]
    random, trained = (taught(kind, seed, network, steps)[1] for kind in ("random", "trained"))
    scaled = one_size(random.at(index, LAYER), trained.at(index, LAYER))
    return TeacherOutputs(index, {"logits": random.at(index), LAYER: scaled})


def student_of(
    method: str, choice: Row, student: str, teacher: str, teacher_steps: int, **plan: Any
) -> Network:
    """A student of a method of `deep`, or of one that is here alone."""
    steps, seed = plan["steps"], plan["seed"]
    networks = {"student": student, "teacher": teacher, "teacher_steps": teacher_steps}
    if method in NAMED:
        setting = "60 labels, all images" if ", then" in method else "60 labels"
        return named_student(setting, method, choice, **networks, **plan)[0]
    base, feature, whose = METHODS[method]
    split, small = given("60 labels", seed).transfer.labelled, convolutional(student, seed)
    outputs = taught("trained", seed, teacher, teacher_steps)[1]
    theirs = further(whose, seed, teacher, teacher_steps)
    hint_rate, weight = plan["hint_rate"], choice["weight"]
    terms = base_terms(base, split, outputs, choice, plan["T"])
    terms += feature_terms(feature, theirs, weight, small, hint_rate, seed)
    how: Any = {"batch_size": plan["batch_size"], "schedule": cosine_decay, "seed": seed}
    rate = Adam(choice["rate"])
    train(small, split, WeightedTerms(*terms), steps=steps, optimizer=rate, **how)
    return small


@study(
    *({"method": [m], "w": [w], "rate": [rate], "steps": [n]} for m, w, rate, n in CASES),
    fixed={name: value for name, value in PLAN.items() if name != "steps"},
    name="deep_equal",
)
def deep_equal(method: str, w: float, rate: float, steps: int, seed: int, **plan: Any) -> Row:
    """A student with these dials; "gap" is training minus test accuracy.

    "size" is the mean square of its features where hints are, on the test split; "teacher_size"
    and "random_size" are those of the trained and of the untrained teacher.
    """
    small = student_of(method, {"weight": w, "rate": rate}, steps=steps, seed=seed, **plan)
    found, known = judge(small, data()), given("60 labels", seed).transfer.labelled
    found["gap"] = accuracy(small.logits(known.inputs), known.labels) - found["accuracy"]
    of = (seed, plan["teacher"], plan["teacher_steps"])
    models = {"": small, "teacher_": taught("trained", *of)[0], "random_": taught("random", *of)[0]}
    for whose, model in models.items():
        found[f"{whose}size"] = float(np.mean(model.scores(data().test.inputs)[LAYER] ** 2))
    sizes = [f"{whose}size" for whose in models]
    return {n: found[n] for n in ("validation", "accuracy", "nll", "right", "gap", *sizes)}


if __name__ == "__main__":
    main(__file__)
