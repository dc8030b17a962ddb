"""Ensembles and their one student, and soft targets against over-fitting, for chapter 8.

    python studies/ensembles.py            # all six; a quarter of an hour on one core
    python studies/ensembles.py share      # one of them
    python studies/ensembles.py --check    # repeat a slice of the records, write nothing

All networks have one size: members of the ensemble, its student, the teacher of `share`. What is
chosen (rate, steps, T, weight) is chosen on validation, over seeds that serve nothing else, from as
many trials for each method. Each seed draws its own labels, members and student. Float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

from common import data, judge, learn
from engine import Row, Study, by_seed, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Dataset, Split
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.losses import softmax
from distill_lib.metrics import accuracy, negative_log_likelihood
from distill_lib.models import MLP, Network
from distill_lib.results import packed
from distill_lib.training import Objective

Run = Callable[..., Row]

NETWORK = "64-64-10"
PLAN = {"network": NETWORK, "steps": 300, "batch_size": 32}
TUNING_SEEDS = range(1000, 1004)
TEN = 10  # members
RATES = (0.01, 0.03)

# --- Members and what they say together -------------------------------------------------------

TOO_LONG = "20% wrong, too long"
# How many labels, which share of them is wrong, and the members' plan where it is not chosen.
SETTINGS: dict[str, tuple[int, float, Any]] = {
    "300 right": (300, 0.0, None),
    "20% wrong": (300, 0.2, None),
    TOO_LONG: (300, 0.2, {"rate": 0.03, "steps": 600}),
    "all right": (1197, 0.0, None),
}
MEMBER_PLANS = [
    {"rate": rate, "steps": steps}
    for rate, steps in product((0.003, 0.01, 0.03, 0.1), (75, 150, 300))
]
TAUGHT = [
    {"T": T, "alpha": alpha, "rate": rate}
    for T, alpha, rate in product((1.0, 2.0, 5.0), (0.0, 0.5), RATES)
]
KNOWS_NOTHING = [
    {"T": 2.0, "alpha": alpha, "rate": rate}
    for alpha, rate in product((0.95, 0.9, 0.8, 0.7, 0.5, 0.3), RATES)
]
COUNTS = (1, 2, 3, 5, TEN)


def given(setting: str, seed: int) -> Dataset:
    """The digits with this seed's labels: some hidden, some wrong."""
    labels, wrong, _ = SETTINGS[setting]
    return data().with_few_labels(labels, seed).with_label_noise(wrong, seed)


def member(setting: str, plan: Row, seed: int, k: int, network: str, batch_size: int) -> MLP:
    """Member k of the seed's ensemble: all have the same labels, each its own start and order."""
    split = given(setting, seed).transfer.labelled
    own = 10_000 * (seed + 1) + k  # far from every student's seed
    model, _ = learn(network, split, hard_labels(split), own, batch_size=batch_size, **plan)
    return model.copy()


@lru_cache(maxsize=64)
def said(
    setting: str, rate: float, steps: int, seed: int, network: str, batch_size: int
) -> dict[str, Array]:
    """Each member's probabilities for transfer, validation and test: (members, examples, 10)."""
    every = [
        member(setting, {"rate": rate, "steps": steps}, seed, k, network, batch_size)
        for k in range(TEN)
    ]
    names = ("transfer", "validation", "test")
    return {
        n: np.array([softmax(m.logits(getattr(data(), n).inputs)) for m in every]) for n in names
    }


def taught(kind: str, asked: Split, p: Array, seed: int, network: str) -> TeacherOutputs:
    """An ensemble's mean probabilities of these examples; or a teacher who knows nothing.

    "even" says the same of every class. "random" is an untrained network, whose logits are spread
    as those of the ensemble.
    """
    outputs = TeacherOutputs.from_probabilities(asked.index, p)
    if kind == "even":
        return TeacherOutputs(asked.index, {"logits": np.zeros_like(p)})
    if kind == "random":
        model = MLP([int(n) for n in network.split("-")], seed=20_000 + seed, dtype=np.float64)
        logits, spread = model.logits(asked.inputs), outputs.at(asked.index).std()
        return TeacherOutputs(asked.index, {"logits": logits * spread / logits.std()})
    return outputs


def one_member(
    setting: str, plan: Row, seed: int, network: str, batch_size: int, **_: float
) -> Row:
    """Validation accuracy of a single model with this plan."""
    model = member(setting, plan, seed, 0, network, batch_size)
    split = data().validation
    return {"validation": accuracy(model.logits(split.inputs), split.labels)}


def best(
    every: Study, cases: Sequence[Row], name: str, trials: Sequence[Sequence[Row]], run: Run
) -> list[tuple[Row, list[float]]]:
    """For each case its best trial on validation, and the mean accuracy of each of its trials."""
    tasks = [case | {name: one} for case, of in zip(cases, trials, strict=True) for one in of]
    rows = iter(every.runs(tasks, list(every.tuning), run))
    means = [[float(np.mean([r["validation"] for r in next(rows)])) for _ in of] for of in trials]
    return [
        (of[int(np.argmax(mean))], np.round(mean, 5).tolist())
        for of, mean in zip(trials, means, strict=True)
    ]


def two_students(kind: str, **more: Any) -> Row:
    """Mean validation accuracy of the students of one teacher and of ten: one choice serves all."""
    counts = (1, TEN) if kind == "ensemble" else (TEN,)
    rows = [ensembles(kind=kind, teachers=n, **more) for n in counts]
    return {"validation": float(np.mean([row["validation"] for row in rows]))}


def contents(every: Study) -> Row:
    """Choose the members' plan, then the students' dials; then all rows."""
    asked = [s for s, (_, _, plan) in SETTINGS.items() if plan is None]
    found = best(
        every, [{"setting": s} for s in asked], "plan", [MEMBER_PLANS] * len(asked), one_member
    )
    plans = {s: plan for s, (_, _, plan) in SETTINGS.items()} | {
        s: plan for s, (plan, _) in zip(asked, found, strict=True)
    }
    cases = [
        {"setting": s, "inputs": inputs, "kind": kind, "plan": plans[s]}
        for s in SETTINGS
        for inputs in (("same",) if s == "all right" else ("same", "more"))
        for kind in ("ensemble", "even", "random")
    ]
    trials = [TAUGHT if case["kind"] == "ensemble" else KNOWS_NOTHING for case in cases]
    chosen = best(every, cases, "choice", trials, two_students)
    rows = [
        {"setting": s, "inputs": "none", "kind": "single", "teachers": TEN, "plan": plans[s]}
        | {"choice": {}}
        for s in SETTINGS
    ]
    for case, (choice, _) in zip(cases, chosen, strict=True):
        counts = COUNTS if case["kind"] == "ensemble" else (TEN,)
        rows += [case | {"teachers": n, "choice": choice} for n in counts]
    measures = every.runs(rows, every.seeds)
    named = ["{setting}, {inputs}, {kind}".format(**case) for case in cases]
    return {
        "member_trials": dict(zip(asked, (means for _, means in found), strict=True)),
        "student_trials": dict(zip(named, (means for _, means in chosen), strict=True)),
        "rows": [row | by_seed(of) for row, of in zip(rows, measures, strict=True)],
    }


@study(name="ensembles", fixed=PLAN, tuning=TUNING_SEEDS, content=contents)
def ensembles(
    setting: str,
    inputs: str,
    kind: str,
    teachers: int,
    plan: Row,
    choice: Row,
    network: str,
    steps: int,
    batch_size: int,
    seed: int,
) -> Row:
    """A student of so many teachers, beside them; or, for "single", the members one by one.

    "ensemble_right" packs which test digits their mean has right; "hits" has a hexadecimal digit
    for each, how many of the ten members do.
    """
    p = said(setting, plan["rate"], plan["steps"], seed, network, batch_size)
    test, validation = data().test, data().validation
    if kind == "single":
        right = p["test"].argmax(axis=-1) == test.labels
        losses = [negative_log_likelihood(np.log(each), test.labels) for each in p["test"]]
        alone = np.mean(p["validation"].argmax(axis=-1) == validation.labels)
        hits = "".join(f"{n:x}" for n in right.sum(axis=0))
        means = {"accuracy": right.mean(), "nll": np.mean(losses), "validation": alone}
        return {n: float(v) for n, v in means.items()} | {"hits": hits}
    together = {name: of[:teachers].mean(axis=0) for name, of in p.items()}
    everything = given(setting, seed).transfer
    split = everything.labelled if inputs == "same" else everything
    outputs = taught(kind, everything, together["transfer"], seed, network)
    objective = traditional(split, outputs, choice["T"], choice["alpha"])
    student, _ = learn(
        network, split, objective, seed, rate=choice["rate"], steps=steps, batch_size=batch_size
    )
    found = judge(student, data(), lambda _: np.log(together["test"]))
    ensemble = together["test"].argmax(axis=-1) == test.labels
    found["ensemble"] = float(ensemble.mean())
    found["ensemble_nll"] = negative_log_likelihood(np.log(together["test"]), test.labels)
    names = ("validation", "accuracy", "nll", "fidelity", "right", "ensemble", "ensemble_nll")
    return {n: found[n] for n in names} | {"ensemble_right": packed(ensemble)}


@study(
    {"setting": ["20% wrong"], "inputs": ["same", "more"], "teachers": [1, TEN], "T": [1, 2, 4, 8]},
    fixed=PLAN | {"rate": 0.03, "member_steps": 75},
)
def over_T(
    setting: str,
    inputs: str,
    teachers: int,
    T: float,
    network: str,
    rate: float,
    steps: int,
    member_steps: int,
    batch_size: int,
    seed: int,
) -> Row:
    """All T, without labels, for members of the chosen plan. Looked at, and not chosen from."""
    choice = {"T": T, "alpha": 0.0, "rate": rate}
    plan = {"rate": rate, "steps": member_steps}
    more = {"network": network, "steps": steps, "batch_size": batch_size, "seed": seed}
    return ensembles(setting, inputs, "ensemble", teachers, plan, choice, **more)


@study(
    {"setting": [TOO_LONG], "inputs": ["same", "more"], "teachers": [1, TEN], "T": [1, 2, 4, 8]},
    fixed={"network": NETWORK, "batch_size": 32} | SETTINGS[TOO_LONG][2],
)
def own_plan(
    setting: str,
    inputs: str,
    teachers: int,
    T: float,
    network: str,
    rate: float,
    steps: int,
    batch_size: int,
    seed: int,
) -> Row:
    """A student held to the plan of its members, which is too long. Nothing is chosen."""
    more = {"network": network, "batch_size": batch_size, "rate": rate, "seed": seed}
    return over_T(setting, inputs, teachers, T, steps=steps, member_steps=steps, **more)


@study(
    {"setting": [TOO_LONG], "inputs": ["same", "more"], "alpha": [0.8, 0.5]},
    fixed={"network": NETWORK, "batch_size": 32, "T": 2.0} | SETTINGS[TOO_LONG][2],
)
def own_even(
    setting: str,
    inputs: str,
    alpha: float,
    T: float,
    network: str,
    rate: float,
    steps: int,
    batch_size: int,
    seed: int,
) -> Row:
    """Labels and even targets for a student held to the same plan. Nothing is chosen."""
    everything = given(setting, seed).transfer
    split = everything.labelled if inputs == "same" else everything
    outputs = TeacherOutputs(everything.index, {"logits": np.zeros((len(everything), 10))})
    plan = {"rate": rate, "steps": steps, "batch_size": batch_size}
    student, _ = learn(network, split, traditional(split, outputs, T, alpha), seed, **plan)
    found = judge(student, data())
    return {n: found[n] for n in ("validation", "accuracy", "nll", "right")}


# --- A share of the labels --------------------------------------------------------------------

SHARES = {3: 36, 6: 72, 12: 144, 25: 299, 50: 598, 100: 1197}  # by percent, how many labels
FINE = (0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
TRIALS = {
    "hard": [{"T": 1.0, "alpha": 1.0, "rate": rate} for rate in FINE],
    "soft": [one for one in TAUGHT if one["T"] > 1],
    "even": [one for one in KNOWS_NOTHING if one["alpha"] in (0.95, 0.9, 0.7, 0.5)],
}
METHODS = {  # by the teacher, which trials
    "none": "hard",
    "all the data": "soft",
    "the same share": "soft",
    "even": "even",
    "random": "even",
}
LOOK = 15


@lru_cache(maxsize=64)
def full_teacher(labels: int, seed: int, network: str, steps: int, batch_size: int) -> MLP:
    """A network of the student's size, trained on so many of the seed's labels."""
    split = data().with_few_labels(labels, seed).transfer.labelled
    plan = {"rate": 0.01, "steps": 2 * steps, "batch_size": batch_size}
    return learn(network, split, hard_labels(split), 30_000 + seed, **plan)[0].copy()


class Looks:
    """What a student has of training and validation digits, every so many steps."""

    def __init__(self, train: Split, validation: Split, apart: int = LOOK) -> None:
        self.splits, self.apart = (train, validation), apart
        self.step, self.curves = 0, list[list[float]]()

    def __call__(self, model: Network) -> None:
        """Called after each step."""
        self.step += 1
        if self.step % self.apart == 0 or self.step == 1:
            both = [(model.logits(split.inputs), split.labels) for split in self.splits]
            measures = (accuracy, negative_log_likelihood)
            self.curves.append([m(*one) for m in measures for one in both])


def means_of_curves(rows: Sequence[Row]) -> Row:
    """Of the curves the mean over the seeds; of the rest what each seed gave."""
    mean = np.mean([row["curves"] for row in rows], axis=0).round(4)
    names = ("train_accuracy", "validation_accuracy", "train_nll", "validation_nll")
    curves = dict(zip(names, mean.T.tolist(), strict=True))
    return {"curves": curves} | by_seed(
        [{n: v for n, v in r.items() if n != "curves"} for r in rows]
    )


def shares(every: Study) -> Row:
    """Choose rate, T and weight for each share and teacher; then all rows."""
    cases = [{"percent": share, "teacher": t} for share in SHARES for t in METHODS]
    trials = [TRIALS[METHODS[case["teacher"]]] for case in cases]
    chosen = best(every, cases, "choice", trials, validated)
    rows = [case | {"choice": choice} for case, (choice, _) in zip(cases, chosen, strict=True)]
    measures = every.runs(rows, every.seeds)
    every_trial = [{"trials": means} for _, means in chosen]
    return {
        "step": [1, *range(LOOK, every.fixed["steps"] + 1, LOOK)],
        "rows": [
            row | tried | means_of_curves(of)
            for row, tried, of in zip(rows, every_trial, measures, strict=True)
        ],
    }


def student_of(
    percent: int,
    teacher: str,
    choice: Row,
    network: str,
    steps: int,
    batch_size: int,
    seed: int,
    after_step: Callable[[MLP], None] | None = None,
) -> tuple[MLP, MLP]:
    """A student of a share of the labels, and the network that taught it (or would have)."""
    split = data().with_few_labels(SHARES[percent], seed).transfer.labelled
    labels = SHARES[percent] if teacher == "the same share" else SHARES[100]
    model = full_teacher(labels, seed, network, steps, batch_size)
    objective: Objective = hard_labels(split)
    if teacher != "none":
        kind = teacher if teacher in ("even", "random") else "ensemble"
        outputs = taught(kind, split, softmax(model.logits(split.inputs)), seed, network)
        objective = traditional(split, outputs, choice["T"], choice["alpha"])
    plan = {"rate": choice["rate"], "steps": steps, "batch_size": batch_size}
    return learn(network, split, objective, seed, after_step=after_step, **plan)[0], model


def validated(**one: Any) -> Row:
    """Validation accuracy alone: enough to choose by."""
    (student, _), split = student_of(**one), data().validation
    return {"validation": accuracy(student.logits(split.inputs), split.labels)}


@study(fixed=PLAN, tuning=TUNING_SEEDS, content=shares)
def share(
    percent: int,
    teacher: str,
    choice: Row,
    network: str,
    steps: int,
    batch_size: int,
    seed: int,
) -> Row:
    """A student of a share of the labels, and nothing else, alone or with a teacher's targets.

    "gap" is training minus test accuracy; "rise" by how much the loss on validation has risen since
    its lowest point.
    """
    split = data().with_few_labels(SHARES[percent], seed).transfer.labelled
    looks, test = Looks(split, data().validation), data().test
    student, model = student_of(
        percent, teacher, choice, network, steps, batch_size, seed, after_step=looks
    )
    found = judge(student, data(), model.logits)
    found["teacher_accuracy"] = accuracy(model.logits(test.inputs), test.labels)
    found["gap"] = looks.curves[-1][0] - found["accuracy"]
    found["rise"] = looks.curves[-1][3] - min(look[3] for look in looks.curves)
    names = ("validation", "accuracy", "nll", "fidelity", "right", "teacher_accuracy", "gap")
    return {n: found[n] for n in names} | {"rise": found["rise"], "curves": looks.curves}


@study(
    {"percent": [100], "teacher": ["the same share"]}
    | {"T": [1, 2, 5], "alpha": [0.0, 0.5], "rate": RATES},
    fixed=PLAN,
)
def share_dials(
    percent: int,
    teacher: str,
    T: float,
    alpha: float,
    rate: float,
    network: str,
    steps: int,
    batch_size: int,
    seed: int,
) -> Row:
    """All dials with all labels and a teacher of the student's size. Looked at, not chosen from."""
    choice = {"T": T, "alpha": alpha, "rate": rate}
    found = share(percent, teacher, choice, network, steps, batch_size, seed)
    return {n: found[n] for n in ("validation", "accuracy", "nll", "right")}


if __name__ == "__main__":
    main(__file__)
