"""A generalist and its specialists, for chapter 9: Hinton, Vinyals & Dean 2015, section 5, small.

    python studies/specialists.py            # a few minutes on one core
    python studies/specialists.py --check    # repeat a slice of the record, write nothing

A generalist knows all ten digits. A specialist tells three of them apart that the generalist
confuses, and calls every other digit "another": its dustbin. It starts with the generalist's
parameters and sees as many examples of its own three digits as of all others together. Beside them
stand as many further generalists of the same budget, averaged, and specialists for groups that are
drawn by lot. Each committee then teaches one student of the generalist's size, by soft targets
alone. Groups are found from the generalist's answers to training inputs, without labels; rates and
T are chosen on validation, on seeds of their own. Everything is float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations as subsets

from common import data, judge, learn
from engine import Row, Study, by_seed, combinations, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.losses import softmax
from distill_lib.models import MLP
from distill_lib.results import packed
from distill_lib.training import Adam, cosine_decay, train

CASES = {"few units": (1197, "64-8-10"), "few labels": (300, "64-16-10")}
"""By name, the labelled digits, and the size of a generalist and of the student."""
COMMITTEES = ["more generalists", "specialists", "groups by lot"]
NUMBERS = [1, 2, 4, 8]
SIZE = 3  # digits of a specialist
Member = tuple[tuple[int, ...], Array]
"""A specialist's digits, and its probabilities: of each of them, and last of the dustbin."""

# --- Groups ---------------------------------------------------------------------------------------


def confused(probabilities: Array) -> Array:
    """How often two classes are likely together: the covariance of their probabilities."""
    return np.cov(probabilities.T)


def groups_of(likeness: Array, number: int) -> list[tuple[int, ...]]:
    """The groups of three classes whose pairs are the most alike, no pair in two of them.

    Once all pairs are taken, any group that has not been taken will do.
    """
    every = list(subsets(range(len(likeness)), SIZE))
    score = {g: sum(likeness[pair] for pair in subsets(g, 2)) for g in every}
    chosen: list[tuple[int, ...]] = []
    for fresh in (True, False):
        for group in sorted(every, key=lambda g: -score[g]):
            apart = all(len({*group} & {*other}) < 2 for other in chosen)
            if len(chosen) < number and group not in chosen and (apart or not fresh):
                chosen.append(group)
    return chosen


# --- Members --------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def labelled(case: str, seed: int) -> Split:
    """The digits of which the seed knows the label."""
    return data().with_few_labels(CASES[case][0], seed).transfer.labelled


@lru_cache(maxsize=256)
def generalist(case: str, seed: int, member: int, **plan: float) -> MLP:
    """One of ten classes; the members differ in their first parameters and their order."""
    split = labelled(case, seed)
    return learn(CASES[case][1], split, hard_labels(split), seed + 10_000 * member, **plan)[0]


def relabelled(split: Split, group: Sequence[int]) -> Split:
    """0, 1, … for the digits of the group, the next label for all others; both halves as large.

    The smaller half is repeated; so examples are numbered anew.
    """
    label = np.full(10, len(group))
    label[list(group)] = np.arange(len(group))
    labels = label[split.labels]
    halves = [np.flatnonzero(labels < len(group)), np.flatnonzero(labels == len(group))]
    rows = np.concatenate([np.resize(half, max(map(len, halves))) for half in halves])
    return Split(split.inputs[rows], labels[rows], np.arange(len(rows)))


@lru_cache(maxsize=256)
def specialist(case: str, seed: int, member: int, group: tuple[int, ...], **plan: float) -> MLP:
    """Starts from the generalist, whose other classes become the dustbin, and learns on.

    Its last bias corrects for the halves that it has seen: the dustbin is more frequent than half.
    """
    whole, split = generalist(case, seed, 0, **plan), labelled(case, seed)
    hidden, others = whole.sizes[1], [k for k in range(10) if k not in group]
    halved = relabelled(split, group)
    start = MLP((64, hidden, len(group) + 1), dtype=np.float64)
    for name in ("W1", "b1"):
        start.parameters[name][:] = whole.parameters[name]
    for name in ("W2", "b2"):
        parts = whole.parameters[name][..., list(group)], whole.parameters[name][..., others]
        start.parameters[name][..., :-1] = parts[0]
        start.parameters[name][..., -1] = parts[1].mean(axis=-1)
    order = {"seed": seed + 10_000 * member, "schedule": cosine_decay}
    order |= {"steps": plan["steps"], "batch_size": plan["batch_size"]}
    train(start, halved, hard_labels(halved), optimizer=Adam(plan["rate"]), **order)
    share = np.mean(np.isin(split.labels, group))
    start.parameters["b2"][-1] += np.log((1 - share) / share)
    return start


# --- One answer of many ---------------------------------------------------------------------------


def combined(general: Array, members: Sequence[Member], rounds: int = 100) -> Array:
    """The q with the least KL(general ‖ q) + Σ KL(member ‖ q), example by example.

    A member is asked where the generalist's first class is one of its digits. What it gives its
    dustbin stands for the sum of q over all other classes. Each round shares that out among them as
    q does, then takes the mean of all answers: expectation and maximisation (Dempster and others
    1977). The sum of divergences falls in each, and it has one minimum. Where one member is asked,
    the second round changes nothing.
    """
    first, q = general.argmax(axis=1), general.copy()
    asked = [np.isin(first, group)[:, None] for group, _ in members]
    votes = 1 + sum(asked, np.zeros((len(first), 1)))
    for _ in range(rounds):
        total = general.copy()
        for (group, p), mask in zip(members, asked, strict=True):
            total += mask * spread(p, group, q)
        q = total / votes
    return q


def spread(p: Array, group: Sequence[int], q: Array) -> Array:
    """A member's probabilities over all classes, its dustbin's shared out as in `q`."""
    outside = np.ones(q.shape[1], bool)
    outside[list(group)] = False
    whole = np.zeros_like(q)
    whole[:, list(group)] = p[:, :-1]
    rest = q[:, outside]
    whole[:, outside] = p[:, -1:] * rest / np.maximum(rest.sum(axis=1, keepdims=True), 1e-300)
    return whole


# --- Committees, and the student of one -----------------------------------------------------------


class Committee:
    """A generalist and its helpers: one answer of all.

    Args:
        plan: rate, steps and batch size of each member.
    """

    def __init__(self, case: str, who: str, number: int, seed: int, **plan: float) -> None:
        self.models, self.groups = [generalist(case, seed, 0, **plan)], []
        members = range(1, number + 1)
        if who == "more generalists":
            self.models += [generalist(case, seed, k, **plan) for k in members]
        elif number:
            likeness = confused(softmax(self.models[0].logits(data().transfer.inputs)))
            if who == "groups by lot":
                likeness = np.random.default_rng(seed).normal(size=(10, 10))
            self.groups = groups_of(likeness, number)
            pairs = zip(members, self.groups, strict=True)
            self.models += [specialist(case, seed, k, group, **plan) for k, group in pairs]

    def probabilities(self, inputs: Array) -> Array:
        """What the committee says of these inputs, at T = 1."""
        every = [softmax(model.logits(inputs)) for model in self.models]
        if not self.groups:
            return np.mean(every, axis=0)
        return combined(every[0], list(zip(self.groups, every[1:], strict=True)))


RATES = [0.01, 0.03]
Choice = tuple[list[Row], list[list[float]]]


def chosen(study: Study, settings: Sequence[Row], trials: Sequence[Row]) -> Choice:
    """For each of the settings the trial of the best mean on validation; and all of the means."""
    every = [{**one, **trial} for one in settings for trial in trials]
    rows = study.runs(every, study.tuning)
    means = np.reshape(
        [np.mean([r["validation"] for r in of_one]) for of_one in rows], (-1, len(trials))
    )
    return [trials[int(np.argmax(of_one))] for of_one in means], means.round(4).tolist()


def with_chosen_dials(study: Study) -> Row:
    """The members' rate is the best one of a student of the labels alone, who is one of them.

    Then rate and T of each committee's student, by its own accuracy on validation.
    """
    alone = [{"case": c, "who": "labels alone", "number": 0, "member_rate": 0.0} for c in CASES]
    best, means = chosen(study, alone, [{"rate": rate, "T": 1} for rate in RATES])
    settings = [one | dial for one, dial in zip(alone, best, strict=True)]
    wanted = [{"case": c, "who": "generalist", "number": 0} for c in CASES]
    wanted += combinations({"case": ["few units"], "who": COMMITTEES[:2], "number": NUMBERS})
    wanted += combinations({"case": ["few units"], "who": COMMITTEES[2:], "number": [4]})
    wanted += combinations({"case": ["few labels"], "who": COMMITTEES[:2], "number": [4]})
    rate = {case: dial["rate"] for case, dial in zip(CASES, best, strict=True)}
    wanted = [one | {"member_rate": rate[one["case"]]} for one in wanted]
    best, more = chosen(study, wanted, [{"rate": r, "T": T} for r in RATES for T in (1, 4)])
    settings += [one | dial for one, dial in zip(wanted, best, strict=True)]
    measures = study.runs(settings, study.seeds)
    return {
        "rows": [
            one | {"trials": trials} | by_seed(rows)
            for one, trials, rows in zip(settings, means + more, measures, strict=True)
        ]
    }


@study(
    name="specialists",
    fixed={"steps": 600, "batch_size": 32},
    rates=RATES,
    tuning=range(1000, 1003),
    content=with_chosen_dials,
)
def distilled(
    case: str, who: str, number: int, member_rate: float, T: float, seed: int, **plan: float
) -> Row:
    """A student of the labels, or of a committee by soft targets alone.

    "together" and "together_right" are the committee's own accuracy and which test digits it has
    right.
    """
    whole, size = data(), CASES[case][1]
    student_seed = seed + 5000  # another start than any member's
    if who == "labels alone":
        split = labelled(case, seed)
        return judged(learn(size, split, hard_labels(split), student_seed, **plan)[0])
    teacher = Committee(case, who, number, seed, **(plan | {"rate": member_rate}))
    split = whole.transfer
    outputs = TeacherOutputs.from_probabilities(split.index, teacher.probabilities(split.inputs))
    student, _ = learn(size, split, traditional(split, outputs, T, 0.0), student_seed, **plan)
    hits = teacher.probabilities(whole.test.inputs).argmax(axis=1) == whole.test.labels
    together = {"together": float(np.mean(hits)), "together_right": packed(hits)}
    return judged(student) | together


def judged(student: MLP) -> Row:
    """The student's accuracy on validation and test, and which test digits it has right."""
    measures = judge(student, data())
    return {name: measures[name] for name in ("validation", "accuracy", "right")}


if __name__ == "__main__":
    main(__file__)
