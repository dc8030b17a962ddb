"""Distil your own: a table, its labels and a teacher go through the book's pipeline, to a report.

    python bridges/own.py table.csv --label species --teacher forest
    python bridges/own.py table.parquet --label y --teacher-columns p_ --out distilled
    python bridges/own.py table.csv --label y --teacher teacher.onnx

    result = distil(features, labels, RandomForestClassifier(), out="distilled")
    print(result.verdict)
    result.save("distilled")        # report.html, student.npz, student.onnx, result.json

Splits; baselines first, with as many trials as the distilled student; every choice on validation,
with seeds of its own; then the test split, once; intervals over seeds and test examples;
calibration. It says so when the teacher does not help. Ctrl-C keeps what is done: the same command
goes on from there.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from textwrap import fill
from time import perf_counter
from typing import Any

import joblib
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_predict
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from bridges import tables
from distill_lib.checks import Array, check_probabilities, check_whole
from distill_lib.data import UNLABELLED, Dataset
from distill_lib.distillation import TeacherOutputs, WeightedTerms, hard_labels, traditional
from distill_lib.losses import softmax
from distill_lib.metrics import calibration_bins, report
from distill_lib.models import MLP
from distill_lib.results import digest, origin, packed, unpacked
from distill_lib.statistics import Estimate, crossed_interval, interval, paired_difference
from distill_lib.training import Adam, Diverged, cosine_decay, train

Row = dict[str, Any]
Teacher = Any
"""A callable from features to probabilities, a scikit-learn classifier, the path of an ONNX file,
or an array of probabilities, a row for each of the table's; or its columns, by class."""
ALONE, SMOOTHING, ANSWERS, SOFT = (
    "labels alone",
    "label smoothing",
    "teacher's answers",
    "soft targets",
)
BASELINES = (ALONE, SMOOTHING)
TUNING = range(1000, 1003)  # seeds of the choices; those of the report are from 0 on
BINS = 10
PERCENT = 100.0
PICKLES = (".pkl", ".pickle", ".joblib", ".sav")


# --- The teacher ----------------------------------------------------------------------------------


def ask(
    teacher: Teacher,
    features: Array,
    data: Dataset,
    classes: Array,
    names: Sequence[Any] | None,
    folds: int = 0,
) -> Array:
    """The teacher's probabilities for each row, shape (rows, classes), in the order of the classes.

    A scikit-learn classifier that is not fitted yet is fitted, a copy of it, on the rows of train.
    `names` are the classes of the teacher's columns, where it does not say them itself; `folds` as
    for `distil`. ValueError for a teacher of other classes, or answers that are no probabilities.
    """
    whole = hasattr(teacher, "fit") and not isinstance(teacher, type)
    if folds and (not whole or _fitted(teacher)):
        advice = "give an estimator that is not fitted, or folds=0"
        raise ValueError(f"folds need a scikit-learn classifier that can be fitted anew: {advice}")
    if isinstance(teacher, str | Path):
        p, own = _ask_file(Path(teacher), features)
    elif whole:
        p, own = _ask_estimator(teacher, features, data, classes, folds)
    elif callable(teacher) and not isinstance(teacher, type):
        p, own = teacher(features), None
    elif isinstance(teacher, Mapping):
        p, own = np.stack([np.asarray(p) for p in teacher.values()], axis=1), [*teacher]
    else:
        p, own = teacher, None
    p = _table_of(p, len(features))
    own = own if names is None else names
    called = [*data.class_names] if own is None else [tables.class_name(one) for one in own]
    if len(called) != p.shape[1]:
        got = f"{p.shape[1]} columns for {len(called)} classes ({tables.some(called)})"
        advice = "a teacher of other classes cannot teach these; teacher_classes names its columns"
        raise ValueError(f"the teacher must give a probability for each class, got {got}: {advice}")
    if set(called) != set(data.class_names) or len(set(called)) != len(called):
        lacks = [one for one in data.class_names if one not in called]
        more = [one for one in called if one not in data.class_names]
        got = f"it lacks {tables.some(lacks) or 'none'}, and has {tables.some(more) or 'no others'}"
        advice = (
            "train it on these classes, or say with teacher_classes what its columns are called"
        )
        raise ValueError(f"the teacher must know the classes of the labels, but {got}: {advice}")
    try:
        return check_probabilities(
            "the teacher's answers", p[:, [*map(called.index, data.class_names)]]
        )
    except ValueError as error:
        advice = "if they are logits, distill_lib.softmax of them are probabilities"
        raise ValueError(f"{error}; {advice}") from error


def _table_of(answers: ArrayLike, n: int) -> Array:
    p = np.asarray(answers)
    if p.ndim != 2 or len(p) != n:
        advice = "such as predict_proba gives, in the order of the features"
        got = f"got shape {p.shape}"
        raise ValueError(
            f"the teacher must give a row of probabilities for each of {n} rows, {got}: {advice}"
        )
    return p


def _fitted(teacher: Any) -> bool:
    try:
        check_is_fitted(teacher)
    except NotFittedError:
        return False
    return True


def _ask_estimator(
    teacher: Any, features: Array, data: Dataset, classes: Array, folds: int
) -> tuple[Array, Any]:
    name, rows = type(teacher).__name__, data.train.index
    x, y = features[rows], classes[data.train.labels]
    if not _fitted(teacher):
        teacher = clone(teacher).fit(x, y)
    if not hasattr(teacher, "predict_proba"):
        advice = f"CalibratedClassifierCV({name}()) of sklearn.calibration does"
        raise ValueError(f"the teacher must have predict_proba, which {name} has not: {advice}")
    if (n := getattr(teacher, "n_features_in_", features.shape[1])) != features.shape[1]:
        advice = "give it the columns it was trained on, or distil from its stored outputs"
        raise ValueError(f"the teacher takes {n} features, got {features.shape[1]}: {advice}")
    with warnings.catch_warnings():  # it was fitted on a table with names, and is asked without
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        p = teacher.predict_proba(features)
    if folds:
        check_whole("folds", folds, least=2, most=int(np.bincount(data.train.labels).min()))
        p[rows] = cross_val_predict(clone(teacher), x, y, cv=folds, method="predict_proba")
    return p, getattr(teacher, "classes_", None)


def _ask_file(path: Path, features: Array) -> tuple[Array, Any]:
    if path.suffix.lower() in PICKLES:
        why = "a pickle runs whatever code is in it when it is opened"
        advice = "if you trust it, load it yourself and give distil(...) the estimator"
        advice += ", or store its probabilities as columns of the table (--teacher-columns)"
        raise ValueError(f"{path.name} is not opened, since {why}: {advice}")
    if path.suffix.lower() != ".onnx":
        raise ValueError(f'the file of a teacher must end in ".onnx", got {path.name}')
    if not path.is_file():
        raise ValueError(f"there is no file {path}: check its name and its folder")
    if find_spec("onnxruntime") is None:
        advice = "pip install onnxruntime (`make torch` does), or store its outputs as columns"
        raise ValueError(f"to ask {path.name} needs the package onnxruntime: {advice}")
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # whatever the runtime comes up with
        raise ValueError(f"{path.name} is no ONNX file that can be run: {error}") from error
    given = session.get_inputs()
    width = given[0].shape[1] if len(given) == 1 and len(given[0].shape) == 2 else None
    if width is None or (isinstance(width, int) and width != features.shape[1]):
        got = [f"{one.name} {one.shape}" for one in given]
        expected = f"one input of shape (rows, {features.shape[1]})"
        raise ValueError(f"the teacher in {path.name} must have {expected}, got {got}")
    kind = np.float64 if given[0].type == "tensor(double)" else np.float32
    outputs = dict(
        zip(
            [one.name for one in session.get_outputs()],
            session.run(None, {given[0].name: features.astype(kind)}),
            strict=True,
        )
    )
    own = json.loads(session.get_modelmeta().custom_metadata_map.get("classes", "null")) or None
    for values in outputs.values():  # converted from scikit-learn: a dict for each row
        if isinstance(values, list) and values and isinstance(values[0], dict):
            return np.array([[*row.values()] for row in values]), own or [*values[0]]
    logits = outputs.get("logits")
    found = outputs.get("probabilities", None if logits is None else softmax(logits))
    if found is None:
        expected = 'an output "probabilities" or "logits"'
        raise ValueError(f"the teacher in {path.name} must have {expected}, got {[*outputs]}")
    return np.asarray(found, np.float64), own


# --- One run --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """What all runs share: the data, the teacher's outputs of the transfer set, and the plan."""

    data: Dataset
    outputs: TeacherOutputs
    hidden: tuple[int, ...]
    steps: int
    batch_size: int


def objective(case: Case, method: str, choice: Row) -> WeightedTerms:
    """What a student learns from, by the name of the method."""
    known, transfer = case.data.train, case.data.transfer
    if method == ALONE:
        return hard_labels(known)
    if method == SMOOTHING:  # a teacher who says the same of every class
        even = np.zeros((len(known), case.data.n_classes))
        return traditional(known, TeacherOutputs(known.index, {"logits": even}), 1, choice["alpha"])
    if method == ANSWERS:  # as if they were labels, where there are none
        answers = case.outputs.at(transfer.index).argmax(axis=1)
        labels = np.where(transfer.labels == UNLABELLED, answers, transfer.labels)
        return hard_labels(replace(transfer, labels=labels))
    return traditional(transfer, case.outputs, choice["T"], choice["alpha"])


def learn(case: Case, method: str, choice: Row, seed: int) -> MLP:
    """A student of this method. ValueError where training diverged."""
    data = case.data
    split = data.train if method in BASELINES else data.transfer
    student = MLP((split.inputs.shape[1], *case.hidden, data.n_classes), seed, np.float64)
    train(
        student,
        split,
        objective(case, method, choice),
        steps=case.steps,
        batch_size=case.batch_size,
        optimizer=Adam(choice["rate"]),
        schedule=cosine_decay,
        look_every=case.steps,
        seed=seed,
    )
    return student


def measure(case: Case, method: str, choice: Row, seed: int, test: bool) -> Row:
    """Of one student: its accuracy and likelihood on validation, or all measures on test."""
    split = case.data.test if test else case.data.validation
    assert split is not None
    try:
        logits = learn(case, method, choice, seed).logits(split.inputs)
    except Diverged:
        if test:
            raise
        return {"accuracy": 0.0, "nll": 1e9}  # the choice falls on another rate
    measures: Row = report(logits, split.labels)
    if test:
        confidence, right, count = calibration_bins(logits, split.labels, BINS)
        measures["bins"] = np.nan_to_num([confidence * count, right * count, count]).tolist()
        measures["right"] = packed(logits.argmax(axis=1) == split.labels)
    return measures


def trials(method: str, n: int) -> list[Row]:
    """As many choices for every method: the same rates, and the others evenly and at random."""
    rng = np.random.default_rng(0)
    rates = [float(f"{rate:.2g}") for rate in np.geomspace(0.001, 0.1, n)] if n > 1 else [0.01]
    if method in (ALONE, ANSWERS):
        return [{"rate": rate} for rate in rates]
    if method == SMOOTHING:
        others = [{"alpha": alpha} for alpha in (0.98, 0.95, 0.9, 0.8)]
    else:
        others = [{"T": T, "alpha": a} for T, a in product((1, 2, 4, 8), (0, 0.25, 0.5, 0.75))]
    dealt = [k for _ in range(-(-n // len(others))) for k in rng.permutation(len(others))]
    return [{"rate": rate, **others[k]} for rate, k in zip(rates, dealt, strict=False)]


class Kept:
    """Runs that are done, a line of JSON each in a file, so that an interruption loses only one.

    `key` is the fingerprint of all that the runs depend on: lines of others stay unread. Without a
    path nothing is kept.
    """

    def __init__(self, path: Path | None, key: str) -> None:
        self.path, self.key, self.rows = path, key, dict[str, Row]()
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            try:
                row = json.loads(line)
                if row["key"] == key:
                    self.rows[row["run"]] = row["measures"]
            except (ValueError, TypeError, KeyError):  # cut off in the middle
                continue

    def __call__(self, name: str, run: Callable[[], Row]) -> Row:
        """The measures of the run of this name; it is run where they are not there."""
        if name not in self.rows:
            self.rows[name] = run()
            if self.path is not None:
                line = {"key": self.key, "run": name, "measures": self.rows[name]}
                with self.path.open("a", encoding="utf-8") as file:
                    file.write("\n" * _broken(self.path) + json.dumps(line) + "\n")
        return self.rows[name]


def _broken(path: Path) -> bool:
    """Whether the last line has no end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return size > 0 and file.read() != b"\n"


# --- The pipeline ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Method:
    """What became of one way to train: its trials on validation, its choice, its test measures.

    `trials` are choices with their mean "accuracy" and "nll" on validation; `right` has shape
    (seeds, examples of test); `accuracy`, in percent, covers seeds and examples, `nll` and
    `calibration_error` seeds alone; `bins` are, for each bin of `calibration_bins`, the sums of
    confidence and of right answers, and their number, over all seeds.
    """

    trials: list[Row]
    choice: Row
    right: Array
    accuracy: Estimate
    nll: Estimate
    calibration_error: Estimate
    bins: Array
    nll_by_seed: Array

    @property
    def validation(self) -> tuple[float, float]:
        """Accuracy, and minus the likelihood, of the choice: larger is better."""
        best = max(self.trials, key=_by_validation)
        return _by_validation(best)


def _by_validation(row: Row) -> tuple[float, float]:
    return row["accuracy"], -row["nll"]


@dataclass(frozen=True)
class Result:
    """What `distil` found, all that the report shows.

    Attributes:
        data: the splits, standardised.
        features: names of the features.
        methods: by name; the baselines come first.
        baseline: the one of them that is best on validation.
        difference: test accuracy of the student with soft targets minus the baseline's, in points.
        likelihood: the same of the log loss, in nats, over the seeds alone; below 0 is better.
        teacher, majority: test accuracy, in percent, of the teacher and of the largest class.
        teacher_report, teacher_bins: of the teacher, as `metrics.report` and `Method` have them.
        verdict, notes: in words.
        student: of the method that is best on validation, of seed 0; it takes raw features.
        exported: that method's name.
        float32: how far a probability of it in float32 is from that in float64, at most, on test.
        plan: hidden units, steps, batch size, trials, seeds, the split's seed.
        made_by: versions, and fingerprint of the library.
        seconds, memory: of this run; the largest memory of the process, in MB, 0 if not known.
    """

    data: Dataset
    features: list[str]
    methods: dict[str, Method]
    baseline: str
    difference: Estimate
    likelihood: Estimate
    teacher: Estimate
    teacher_report: dict[str, float]
    majority: Estimate
    verdict: str
    notes: list[str]
    student: MLP
    exported: str
    float32: float
    plan: Row
    made_by: Row
    seconds: float
    memory: float
    teacher_bins: Array = field(repr=False)

    def save(self, folder: str | Path) -> Path:
        """Write report.html, student.npz, student.onnx (with the package onnx) and result.json.

        Returns the path of the report.
        """
        from bridges.report import page

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.student.save(folder / "student.npz")
        names = ["student.npz"]
        if find_spec("onnx") is not None:
            from bridges.onnx_export import export

            export(self.student, folder / "student.onnx", classes=self.data.class_names)
            names.append("student.onnx")
        text = json.dumps(self.content(), indent=1, default=np.generic.item)
        (folder / "result.json").write_text(text + "\n", encoding="utf-8")
        path = folder / "report.html"
        path.write_text(page(self, names), encoding="utf-8")
        return path

    def content(self) -> Row:
        """All figures, for result.json."""
        methods = {
            name: {
                "choice": one.choice,
                "trials": one.trials,
                "accuracy": one.accuracy._asdict(),
                "nll": one.nll._asdict(),
                "calibration_error": one.calibration_error._asdict(),
            }
            for name, one in self.methods.items()
        }
        splits = {
            n: len(getattr(self.data, n)) for n in ("train", "transfer", "validation", "test")
        }
        return {
            "verdict": self.verdict,
            "difference": self.difference._asdict(),
            "baseline": self.baseline,
            "methods": methods,
            "teacher": self.teacher._asdict(),
            "majority": self.majority._asdict(),
            "features": self.features,
            "classes": [*self.data.class_names],
            "splits": splits,
            "exported": self.exported,
            "plan": self.plan,
            "seconds": round(self.seconds, 1),
            "megabytes": round(self.memory),
            **self.made_by,
        }


def distil(
    features: ArrayLike,
    labels: ArrayLike,
    teacher: Teacher,
    *,
    names: Sequence[str] | None = None,
    teacher_classes: Sequence[Any] | None = None,
    split: ArrayLike | None = None,
    allow: Collection[str] = (),
    hidden: Sequence[int] = (16,),
    seeds: int = 10,
    n_trials: int = 8,
    steps: int | None = None,
    split_seed: int = 0,
    folds: int = 0,
    out: str | Path | None = None,
    title: str = "your data",
) -> Result:
    """Distil the teacher into a small student, and say whether that was worth it.

    Args:
        features: shape (rows, columns), numbers, as the teacher takes them; a table of pandas, too.
        labels: one for each row, texts or whole numbers.
        teacher: see `Teacher`. One that has seen the rows of test looks better than it is.
        names: of the features, where the table does not have them.
        teacher_classes: what the columns of its probabilities are called; the classes in their
            sorted order where neither this nor the teacher says it.
        split: "train", "validation" or "test" for each row: say it where the teacher was trained on
            some of them, or where rows belong together (of one patient, of one day).
        allow: some of "constant", "duplicates", "unlabelled": see `tables.dataset`.
        hidden: units of the student's hidden layers; () is a logistic regression.
        seeds: of the report, from 0 on.
        n_trials: choices that each method tries on validation, with three seeds of their own.
        steps: of training; thirty passes, but 500 to 4,000 steps, unless given.
        split_seed: of the draw of the splits.
        folds: for a teacher that is not fitted yet. In so many folds, what it says of a row of
            train comes from a copy that has not seen it; 0 for one that has seen all.
        out: a folder in which runs are kept as they are done, so that a later call goes on.
        title: what the data set is called.

    ValueError for whatever is wrong with the table, the labels, the teacher or a number.
    """
    began = perf_counter()
    for name, value, least in (("seeds", seeds, 2), ("n_trials", n_trials, 1)):
        check_whole(name, value, least=least)
    check_whole("folds", folds, least=0)
    for units in hidden:
        check_whole("each of hidden", units)
    x, names = tables.checked_features(features, names)
    classes, numbers = tables.checked_labels(labels, len(x), allow)
    data = tables.dataset(
        x, names, numbers, classes, parts=split, allow=allow, seed=split_seed, name=title
    )
    batch_size = 32 if len(data.transfer) < 2000 else 128
    if steps is None:
        steps = int(np.clip(30 * len(data.transfer) // batch_size, 500, 4000))
    check_whole("steps", steps)
    p = ask(teacher, x, data, classes, teacher_classes, folds)
    outputs = TeacherOutputs.from_probabilities(np.arange(len(x)), p)
    case = Case(data, outputs, tuple(hidden), steps, batch_size)
    plan = {"hidden": [*hidden], "steps": steps, "batch_size": batch_size, "trials": n_trials}
    plan |= {"seeds": seeds, "split_seed": split_seed, "folds": folds}
    methods = _run_all(case, plan, None if out is None else Path(out))
    return _result(case, names, methods, plan, began)


def _run_all(case: Case, plan: Row, out: Path | None) -> dict[str, Method]:
    """Every method: its trials on validation; when all have chosen, the test split."""
    data = case.data
    everything = [
        (s.inputs, s.labels, s.index) for s in (data.transfer, data.validation, data.test) if s
    ]
    code = digest(Path(__file__).with_name(name) for name in ("own.py", "tables.py"))
    rest = [case.outputs.at(data.transfer.index), plan, origin(), code]
    kept = Kept(out and out / "runs.jsonl", joblib.hash([everything, rest]))
    unlabelled = bool((data.transfer.labels == UNLABELLED).any())
    names = (*BASELINES, *((ANSWERS,) if unlabelled else ()), SOFT)
    seeds = range(plan["seeds"])
    total = len(names) * (plan["trials"] * len(TUNING) + len(seeds))
    tried: dict[str, list[Row]] = {}
    methods: dict[str, Method] = {}
    with tqdm(total=total, desc="students", unit="run", delay=1, file=sys.stderr) as bar:

        def run(method: str, choice: Row, seed: int, test: bool) -> Row:
            name = json.dumps([method, choice, seed, "test" if test else "validation"])
            row = kept(name, lambda: measure(case, method, choice, seed, test))
            bar.update()
            return row

        for name in names:
            rows = [
                (choice, [run(name, choice, seed, False) for seed in TUNING])
                for choice in trials(name, plan["trials"])
            ]
            tried[name] = [
                choice | {m: float(np.mean([r[m] for r in of])) for m in ("accuracy", "nll")}
                for choice, of in rows
            ]
        for name in names:
            best = max(tried[name], key=_by_validation)
            choice = {n: v for n, v in best.items() if n not in ("accuracy", "nll")}
            rows_test = [run(name, choice, seed, True) for seed in seeds]
            methods[name] = _method(tried[name], choice, rows_test, data)
    return methods


def _method(tried: list[Row], choice: Row, rows: list[Row], data: Dataset) -> Method:
    assert data.test is not None
    right = unpacked([row["right"] for row in rows], len(data.test))
    nll = np.array([row["nll"] for row in rows])
    return Method(
        trials=tried,
        choice=choice,
        right=right,
        accuracy=crossed_interval(PERCENT * right),
        nll=interval(nll),
        calibration_error=interval([PERCENT * row["calibration_error"] for row in rows]),
        bins=np.sum([row["bins"] for row in rows], axis=0),
        nll_by_seed=nll,
    )


def _result(
    case: Case, names: list[str], methods: dict[str, Method], plan: Row, began: float
) -> Result:
    data = case.data
    assert data.test is not None
    baseline = max(BASELINES, key=lambda name: methods[name].validation)
    soft, best, difference = methods[SOFT], methods[baseline], gain(methods, baseline)
    largest = int(np.bincount(data.train.labels).argmax())
    logits = case.outputs.at(data.test.index)
    right = logits.argmax(axis=1) == data.test.labels
    confidence, accurate, count = calibration_bins(logits, data.test.labels, BINS)
    exported = max(methods, key=lambda name: (*methods[name].validation, name == SOFT))
    student = learn(case, exported, methods[exported].choice, seed=0)
    raw = with_raw_inputs(student, data)
    test = data.test.inputs * np.where(np.isinf(data.scale), 0, data.scale) + data.mean
    single = MLP(raw.sizes, dtype=np.float32)
    single.vector = raw.vector
    off = softmax(single.logits(test).astype(float)) - softmax(student.logits(data.test.inputs))
    return Result(
        data=data,
        features=names,
        methods=methods,
        baseline=baseline,
        difference=difference,
        likelihood=paired_difference(soft.nll_by_seed, best.nll_by_seed),
        teacher=interval(PERCENT * right),
        teacher_report=report(logits, data.test.labels),
        majority=interval(PERCENT * (data.test.labels == largest)),
        verdict=in_words(difference, baseline),
        notes=_notes(case, methods, baseline, largest, float(np.abs(off).max())),
        student=raw,
        exported=exported,
        float32=float(np.abs(off).max()),
        plan=plan,
        made_by=origin(),
        seconds=perf_counter() - began,
        memory=largest_memory(),
        teacher_bins=np.nan_to_num([confidence * count, accurate * count, count]),
    )


def gain(methods: Mapping[str, Method], other: str, of: str = SOFT) -> Estimate:
    """Test accuracy with soft targets, or of a method, minus that of another one, in points."""
    more, less = (methods[name].right.astype(float) for name in (of, other))
    return crossed_interval(PERCENT * (more - less))


def in_words(difference: Estimate, baseline: str) -> str:
    """Whether the teacher helped, from the difference of test accuracies in points."""
    low, high = difference.low, difference.high
    points = f"{difference.mean:+.1f} points, 95% interval {low:+.1f} to {high:+.1f}"
    points = points.replace("-", "−")
    against = f"test accuracy with soft targets, minus that of the best baseline ({baseline}), is"
    if low > 0:
        return f"The teacher helps: {against} {points}."
    if high < 0:
        return f"The teacher harms: {against} {points}. Take the baseline."
    more = f"A gain of {high:.1f} points would still fit what was seen." if high >= 0.05 else ""
    return f"No help from the teacher that can be seen: {against} {points}. {more}".rstrip()


def _notes(
    case: Case, methods: dict[str, Method], baseline: str, largest: int, float32: float
) -> list[str]:
    """What a reader of the result should know besides."""
    data, notes = case.data, []
    assert data.test is not None
    right = {
        name: PERCENT * np.mean(case.outputs.at(split.index).argmax(axis=1) == split.labels)
        for name, split in (("train", data.train), ("test", data.test))
    }
    index = np.concatenate([data.train.index, data.validation.index])
    labels = np.concatenate([data.train.labels, data.validation.labels])
    knows = PERCENT * np.mean(case.outputs.at(index).argmax(axis=1) == labels)
    majority = PERCENT * np.mean(labels == largest)
    if knows <= majority + PERCENT / np.sqrt(len(labels)):  # two standard errors at most
        notes.append(
            f"The teacher knows {knows:.0f}% of the labels of train and validation, and the largest"
            f" class has {majority:.0f}%: do its rows or columns stand in another order?"
        )
    elif right["train"] > 99 and right["test"] < right["train"] - 3:
        notes.append(
            f"The teacher knows {right['train']:.1f}% of the labels of train, and"
            f" {right['test']:.1f}% of test: of what it learned by heart, its soft targets say"
            " little more than the labels. Answers of models that have not seen the row may teach"
            " more: give distil an estimator that is not fitted, and folds=5 (--folds 5)."
        )
    if methods[baseline].accuracy.mean >= right["test"]:
        notes.append(
            f"The best baseline has {methods[baseline].accuracy.mean:.1f}% right on test, the"
            f" teacher {right['test']:.1f}%: there is little that it could teach."
        )
    (other,) = {*BASELINES} - {baseline}
    against = gain(methods, other)
    if gain(methods, baseline).low > 0 >= against.low:
        notes.append(f"Beside {other}, no help can be seen: {_points(against)}.")
    if ANSWERS in methods:
        notes += _about_answers(methods, baseline)
    usual = np.mean(data.validation.labels == largest)
    if usual >= max(one.validation[0] for one in methods.values()):
        notes.append(
            f"To say {data.class_names[largest]!r} of every row is right as often on validation:"
            " nothing was learned that accuracy shows."
        )
    edge = [
        name
        for name, one in methods.items()
        if one.choice["rate"] in (one.trials[0]["rate"], one.trials[-1]["rate"])
        and len(one.trials) > 2
    ]
    if edge:
        notes.append(
            f"The learning rate chosen for {', '.join(edge)} is the first or last one tried:"
            " another budget of steps may change the comparison."
        )
    if len(data.test) < 100:
        notes.append(
            f"Test has {len(data.test)} rows, one of them is {PERCENT / len(data.test):.1f} points:"
            " small differences cannot be seen."
        )
    if float32 > 0.001:
        notes.append(
            f"In float32, as in the ONNX file, a probability differs by up to {float32:.2g}: a"
            " feature is large beside its spread. Subtract its mean first."
        )
    return notes


def _points(difference: Estimate) -> str:
    return f"{difference:+.1f} points".replace("-", "−")


def _about_answers(methods: dict[str, Method], baseline: str) -> list[str]:
    """What the control says, the teacher's answers as labels, where the verdict alone misleads."""
    soft, answers = gain(methods, baseline), gain(methods, baseline, ANSWERS)
    if soft.low > 0 >= (softness := gain(methods, ANSWERS)).low:
        return [
            "Beside the teacher's answers as labels, no help of softness can be seen:"
            f" {_points(softness)}."
            " The answers alone may do as well."
        ]
    if answers.low > 0 >= soft.low:
        return [
            "The teacher's answers, as labels for the rows that have none, do help:"
            f" {_points(answers)} beside the best baseline. The verdict is about its soft targets"
            " alone."
        ]
    return []


def with_raw_inputs(student: MLP, data: Dataset) -> MLP:
    """The same student for inputs that are not standardised: that is in its first layer."""
    raw = student.copy()
    W = student.parameters["W1"] / np.reshape(data.scale, (-1, 1))
    raw.parameters["W1"][:] = W
    raw.parameters["b1"][:] = student.parameters["b1"] - data.mean @ W
    return raw


def largest_memory() -> float:
    """The most memory that this process has had, in MB; 0 where the system does not say it."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


# --- The command ----------------------------------------------------------------------------------


def arguments() -> ArgumentParser:
    """What the command takes."""
    parser = ArgumentParser(
        prog="own.py", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("table", help="a .csv, .tsv or .parquet file; names of columns in its first line")
    add("--label", required=True, help="the column of the classes")
    add(
        "--teacher",
        default="",
        help='an .onnx file, or "forest": one is fitted on the rows of train',
    )
    add("--teacher-columns", default="", metavar="BEGIN", help="p_ for p_cat, p_dog, …")
    add("--teacher-classes", nargs="+", help="the classes of an ONNX file's columns, in order")
    add("--split", default="", metavar="COLUMN", help="which says train, validation or test")
    add("--drop", nargs="+", default=[], metavar="COLUMN", help="no features, such as an id")
    add("--allow", nargs="+", default=[], choices=tables.ALLOWED, help="to keep what is refused")
    add("--delimiter", default=",")
    add("--hidden", nargs="*", type=int, default=[16], help="units of the student's hidden layers")
    add("--seeds", type=int, default=10)
    add("--trials", type=int, default=8)
    add("--steps", type=int)
    add("--split-seed", type=int, default=0)
    add(
        "--folds", type=int, default=0, help="for a forest: answers of those that did not see a row"
    )
    add("--out", default="distilled", help="the folder of report and student")
    return parser


def main(given: Sequence[str] | None = None) -> None:
    """The command: a report, or one line that says what is wrong."""
    asked = arguments().parse_args(given)
    try:
        if bool(asked.teacher) == bool(asked.teacher_columns):
            raise ValueError(
                "give either --teacher or --teacher-columns: a student needs a teacher"
            )
        table = tables.read(
            asked.table,
            asked.label,
            outputs=asked.teacher_columns,
            split=asked.split,
            drop=asked.drop,
            delimiter=asked.delimiter,
        )
        teacher = table.outputs or asked.teacher
        if teacher == "forest":
            teacher = RandomForestClassifier(random_state=0)
        result = distil(
            table.features,
            table.labels,
            teacher,
            names=table.names,
            teacher_classes=asked.teacher_classes,
            split=table.parts,
            allow=asked.allow,
            hidden=asked.hidden,
            seeds=asked.seeds,
            n_trials=asked.trials,
            steps=asked.steps,
            split_seed=asked.split_seed,
            folds=asked.folds,
            out=asked.out,
            title=Path(asked.table).name,
        )
        path = result.save(asked.out)
    except ValueError as error:
        sys.exit(f"own.py: {error}")
    except OSError as error:
        sys.exit(f"own.py: cannot read or write {error.filename or ''}: {error.strerror or error}")
    except KeyboardInterrupt:
        print(f"\nStopped. What is done is kept in {asked.out}: the same command goes on.")
        sys.exit(130)
    for line in (result.verdict, *result.notes):
        print(fill(line, 79))
    print(f"The report: {path}")


if __name__ == "__main__":
    main()
