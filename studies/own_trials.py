"""Distil your own, tried on three tables of scikit-learn: what the report says of each teacher.

    python studies/own_trials.py            # about four minutes on one free core
    python studies/own_trials.py --check    # repeat a slice of the record

Each run is a whole report: every way to train is tuned on validation and tested by many students.
The teacher is the random forest of the command, in five cases. Few rows of train keep their label,
and it was fitted with the labels of all of them, or with the few alone, or its answers stand beside
the wrong rows; or every row has its label, and it was fitted on the rows that the student sees, or
on other rows each time. A seed cuts the table, and draws which labels stay.
"""

from __future__ import annotations

from typing import Any

from engine import Row, main, study

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier

from bridges import tables
from bridges.own import ALONE, ANSWERS, SOFT, Result, distil, gain
from distill_lib.checks import Array
from distill_lib.data import UNLABELLED, Dataset
from distill_lib.statistics import paired_difference

TABLES = {"wine": (load_wine, 30), "breast cancer": (load_breast_cancer, 30)}
TABLES |= {"digits": (load_digits, 100)}  # and how many labels are few
FEW = ("few labels", "few for both", "few and shuffled")
ALL = ("all labels", "all and folds")
PLAN = {"hidden": 16, "trials": 4, "steps": 300}
ALLOW = ("constant", "unlabelled")  # some pixels of the digits never change
POINT = {"soft targets": 1.0, "difference": 1.0}  # how far a repetition may be, in points


def cut(table: str, seed: int) -> tuple[Array, Array, Dataset, Array]:
    """Features, names of the classes, the data set with every label, and each row's split."""
    loaded = TABLES[table][0]()
    x, y = loaded.data, loaded.target_names[loaded.target]
    names = [str(k) for k in range(x.shape[1])]
    classes, numbers = tables.checked_labels(y, len(x), ())
    data = tables.dataset(x, names, numbers, classes, allow=ALLOW, seed=seed)
    part = np.full(len(x), "train", dtype="U10")
    for name in ("validation", "test"):
        part[getattr(data, name).index] = name
    return x, y, data, part


def few(y: Array, data: Dataset, n: int, seed: int) -> Array:
    """The labels, of which so many of train are kept; None in place of the others."""
    transfer = data.with_few_labels(n, seed).transfer
    kept = y.astype(object)
    kept[transfer.index[transfer.labels == UNLABELLED]] = None
    return kept


def report_of(
    table: str, case: str, hidden: int, trials: int, steps: int, students: int, seed: int
) -> Result:
    """What the pipeline finds for a table and a teacher."""
    x, y, data, part = cut(table, seed)
    train, forest = data.train.index, RandomForestClassifier(random_state=0)
    teacher: Any = forest
    if case in (FEW[0], FEW[2]):
        teacher = forest.fit(x[train], y[train])
    if case == FEW[2]:
        shuffled = np.random.default_rng(seed).permutation(len(x))
        teacher = forest.predict_proba(x)[shuffled]
    return distil(
        x,
        few(y, data, TABLES[table][1], seed) if case in FEW else y,
        teacher,
        split=part,
        allow=ALLOW,
        hidden=(hidden,),
        n_trials=trials,
        steps=steps,
        seeds=students,
        folds=5 if case == ALL[1] else 0,
    )


def measures(result: Result) -> Row:
    """What is kept of a report: estimates as mean, low and high; bins as `Method` has them."""
    row: Row = {"verdict": result.verdict, "notes": "\n".join(result.notes)}
    row |= {"baseline": result.baseline, "difference": [*result.difference[:3]]}
    row |= {"likelihood": [*result.likelihood[:3]], "teacher": [*result.teacher[:3]]}
    losses = (result.methods[name].nll_by_seed for name in (SOFT, ALONE))
    row["likelihood_beside_alone"] = [*paired_difference(*losses)[:3]]
    row["teacher_bins"] = result.teacher_bins.tolist()
    row["teacher_calibration_error"] = 100 * result.teacher_report["calibration_error"]
    row["majority"] = result.majority.mean
    for name, one in result.methods.items():
        row[name] = [*one.accuracy[:3]]
        row[f"{name}, nll"] = [*one.nll[:3]]
        row[f"{name}, calibration_error"] = [*one.calibration_error[:3]]
        row[f"{name}, choice"] = ", ".join(f"{n} {value:g}" for n, value in one.choice.items())
    row |= {"baseline_bins": result.methods[result.baseline].bins.tolist()}
    row |= {"soft_bins": result.methods[SOFT].bins.tolist()}
    if ANSWERS in result.methods:
        row["answers_gain"] = [*gain(result.methods, result.baseline, ANSWERS)[:3]]
        row["softness"] = [*gain(result.methods, ANSWERS)[:3]]
    for name in ("train", "transfer", "validation", "test"):
        row[name] = len(getattr(result.data, name))
    return row


@study(
    {"table": [*TABLES], "case": [*ALL, *FEW]},
    fixed=PLAN | {"students": 10},
    seeds=range(1),
    allowed=POINT,
    checked=lambda row: row["table"] == "wine",  # the others take longer
)
def own_trials(
    table: str, case: str, hidden: int, trials: int, steps: int, students: int, seed: int
) -> Row:
    """Every table with every teacher, cut once."""
    return measures(report_of(table, case, hidden, trials, steps, students, seed))


@study(
    {"table": ["breast cancer"], "case": [FEW[0]]},
    name="splits",
    fixed=PLAN | {"students": 10},
    seeds=range(6),
    allowed=POINT,
)
def splits(
    table: str, case: str, hidden: int, trials: int, steps: int, students: int, seed: int
) -> Row:
    """One table and one teacher, cut anew for each report."""
    row = measures(report_of(table, case, hidden, trials, steps, students, seed))
    kept = ("verdict", "notes", "difference", "soft targets", ANSWERS, "baseline")
    return {name: row[name] for name in (*kept, "answers_gain", "softness")}


@study(
    {"table": [*TABLES], "case": [FEW[0]]},
    name="more_trials",
    fixed=PLAN | {"trials": 8, "students": 10},
    seeds=range(1),
    allowed=POINT,
    checked=lambda row: row["table"] == "wine",
)
def more_trials(
    table: str, case: str, hidden: int, trials: int, steps: int, students: int, seed: int
) -> Row:
    """Every table with few labels, and as many trials as the command has."""
    return measures(report_of(table, case, hidden, trials, steps, students, seed))


if __name__ == "__main__":
    main(__file__)
