"""The comparison of chapter 7, recorded in results/comparison.json.

    python studies/comparison.py            # or: make comparison; half an hour on two cores
    python studies/comparison.py --check    # repeat a slice of the record, write nothing

Five methods meet in six settings, under three regimes:

- "one rate": plain gradient descent at one learning rate for all, the article's weights;
- "own rate": the same, but each method's learning rate is chosen;
- "all tuned": Adam, and each method's learning rate, T and weights are chosen; beta may be 0.

What is chosen for accuracy is no fair judge of speed: the winner's rate decides. So the last two
are there once more, chosen from the same trials "for speed": by the steps to the target.

Within a setting every method has the same student with the same first parameters, the same batches
in the same order, the same number of steps and the same number of trials. A choice is made by the
mean accuracy on the validation split over seeds that are used for nothing else, on data sets whose
test split has been taken out. Each of the thirty seeds of the report draws its own labels (or
noise), teacher, first parameters and order.

Everything is float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from common import data as all_digits
from common import odd_or_even, parity, teach
from engine import Row, Study, by_seed, combinations, main, study

import numpy as np

from distill_lib.data import Dataset, synthetic
from distill_lib.distillation import (
    TeacherOutputs,
    cosine_enhanced,
    hard_labels,
    step_by_step,
    traditional,
)
from distill_lib.metrics import report
from distill_lib.models import MLP
from distill_lib.results import packed
from distill_lib.training import (
    SGD,
    Adam,
    Diverged,
    History,
    Objective,
    constant,
    cosine_decay,
    train,
)

SETTINGS = ("few labels", "noisy labels", "wrong scale", "few rows", "odd or even", "clouds")
METHODS = ("alone", "smoothing", "traditional", "step by step", "cosine")
REGIMES = ("one rate", "own rate", "all tuned")
FOR_SPEED = {f"{regime}, for speed": regime for regime in REGIMES[1:]}
SEEDS = range(30)
TUNING_SEEDS = range(1000, 1005)
TRIALS = 24
STEPS = 400
TEACHER_STEPS = 800
BATCH = 32
LOOK = 10  # steps from one look at the validation split to the next
SHARED = {"rate": 0.4, "T": 4.0, "alpha": 0.5, "beta": 0.3}
MEASURES = ("accuracy", "nll", "calibration_error", "fidelity", "steps", "diverged")
MEASURES += ("teacher", "wrong_together")
"""The last two: the teacher's accuracy, and the share of test examples on which the student repeats
an error of its teacher. The rest of the fidelity is agreement where the teacher is right."""

# --- The settings -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What a method is given: data, a teacher's outputs, and where its rationale goes."""

    data: Dataset  # the student learns from `transfer`
    teacher: TeacherOutputs  # of the transfer set
    teacher_logits: Any  # of inputs, to measure fidelity
    sizes: tuple[int, ...]  # of the student
    rationale: str = "logits"
    on: str = "logits"


@cache
def data_of(setting: str) -> Dataset:
    """The whole data set of a setting, test split included."""
    return synthetic(1500, spread=1.2) if setting == "clouds" else all_digits()


def untested(data: Dataset) -> Dataset:
    """The data set without its test split: whoever asks for it while tuning gets an error."""
    return replace(data, test=None)


@lru_cache(maxsize=len(SEEDS) + len(TUNING_SEEDS))  # a setting at a time: they are large
def train_teacher(setting: str, seed: int) -> MLP:
    """The seed's teacher: trained on clean labels, but for "noisy labels" on the student's own."""
    split = data_of(setting).train
    if setting == "noisy labels":
        split = limited(untested(data_of(setting)), setting, seed).transfer
    hidden = (32,) if setting == "clouds" else (256, 256)
    sizes = (split.inputs.shape[1], *hidden, data_of(setting).n_classes)
    return teach(split, seed, TEACHER_STEPS, sizes)


def limited(data: Dataset, setting: str, seed: int) -> Dataset:
    """The data set as the seed's student gets it: fewer labels, or wrong ones."""
    if setting == "noisy labels":
        return data.with_n_examples(300, seed).with_label_noise(0.3, seed)
    labels = {"few labels": 30, "odd or even": 50, "clouds": 40}.get(setting, 100)
    few = data.with_few_labels(labels, seed)
    if setting == "wrong scale":
        return few  # unlabelled examples too
    return replace(few, transfer=few.transfer.labelled)


def problem(data: Dataset, setting: str, seed: int) -> Problem:
    """The seed's case of a setting, on a data set with or without its test split."""
    teacher, given = train_teacher(setting, seed), limited(data, setting, seed)
    sizes, index = (data.train.inputs.shape[1], data.n_classes), given.transfer.index
    scores = teacher.logits(given.transfer.inputs)
    if setting in ("wrong scale", "few rows"):  # each example's scores are in a unit of their own
        scale = np.exp(np.random.default_rng(seed).normal(0, 1, (len(scores), 1)))
        return Problem(
            given, TeacherOutputs(index, {"logits": scores * scale}), teacher.logits, sizes
        )
    if setting != "odd or even":
        return Problem(given, TeacherOutputs(index, {"logits": scores}), teacher.logits, sizes)

    outputs = TeacherOutputs(index, {"logits": parity(scores), "digit": scores})

    def logits(inputs: np.ndarray) -> np.ndarray:
        return parity(teacher.logits(inputs))

    return Problem(odd_or_even(given), outputs, logits, (64, 10, 2), "digit", "hidden_1")


# --- The methods --------------------------------------------------------------------------------


def objective_of(method: str, case: Problem, choice: Row) -> Objective:
    """A method's objective with the chosen T and weights."""
    split, T, alpha, beta = case.data.transfer, *(choice[k] for k in ("T", "alpha", "beta"))
    if method == "alone":
        return hard_labels(split)
    if method == "smoothing":  # distillation from a teacher who knows nothing at all
        index = split.index
        nothing = TeacherOutputs(index, {"logits": np.zeros((len(index), case.sizes[-1]))})
        return traditional(split, nothing, T=1, alpha=alpha)
    if method == "traditional":
        return traditional(split, case.teacher, T, alpha)
    make = step_by_step if method == "step by step" else cosine_enhanced
    return make(split, case.teacher, T, alpha, beta, case.rationale, case.on)


@cache
def choices(method: str, regime: str) -> list[Row]:
    """The trials of a method: as many for each, from the same ranges."""
    regime = FOR_SPEED.get(regime, regime)
    fixed = SHARED | ({"alpha": 0.9} if method == "smoothing" else {})
    if regime == "one rate":
        return [fixed]
    if regime == "own rate":
        return [fixed | {"rate": float(rate)} for rate in np.geomspace(0.003, 10, TRIALS)]
    rng = np.random.default_rng(0)  # the same draws for all methods
    trials = []
    for rate in np.geomspace(0.001, 0.3, TRIALS):
        soft, reason = rng.choice([0.25, 0.5, 0.75, 1]), rng.choice([0, 0.2, 0.4, 0.6, 0.8])
        trial = {"rate": rate, "T": rng.choice([1, 2, 4, 8, 16]), "alpha": 1 - soft}
        trial["beta"] = soft * reason
        if method == "smoothing":  # its teacher knows nothing: less of it
            trial["alpha"] = 1 - soft * 0.4
        trials.append({k: float(v) for k, v in trial.items()})
    return trials


def run(
    data: Dataset,
    setting: str,
    method: str,
    regime: str,
    choice: Row,
    seed: int,
    target: float,
    steps: int = STEPS,
    batch_size: int = BATCH,
) -> tuple[MLP, Problem, Row]:
    """One training; its validation accuracy, look by look, and the steps to reach the target."""
    case = problem(data, setting, seed)
    student = MLP(case.sizes, seed=seed, dtype=np.float64)
    optimizer = Adam(choice["rate"]) if regime == "all tuned" else SGD(choice["rate"], momentum=0)
    looks = -(-steps // LOOK) + 1
    measures: Row = {"validation": 0.0, "steps": steps, "diverged": 0, "curve": [0.0] * looks}
    try:
        history = train(
            student,
            case.data.transfer,
            objective_of(method, case, choice),
            steps=steps,
            batch_size=batch_size,
            optimizer=optimizer,
            schedule=cosine_decay if regime == "all tuned" else constant,
            validation=case.data.validation,
            look_every=LOOK,
            seed=seed,
        )
    except Diverged:
        student = MLP(case.sizes, seed=seed, dtype=np.float64)  # what is left of it: nothing
        return student, case, measures | {"diverged": 1}
    measures["validation"], measures["curve"] = history.accuracy[-1], history.accuracy
    measures["steps"] = steps_to(target, history, steps)
    return student, case, measures


def steps_to(target: float, history: History, never: int) -> int:
    """Steps until the validation accuracy first reached the target; `never` if it did not."""
    looks = zip(history.step, history.accuracy, strict=True)
    return next((step for step, reached in looks if reached >= target), never)


def trial(setting: str, regime: str, method: str, rate: int, seed: int, **plan: int) -> Row:
    """Validation accuracy, look by look, of a trial on data without a test split.

    `rate` is its number among the trials.
    """
    choice = choices(method, regime)[rate]
    data = untested(data_of(setting))
    _, _, measures = run(data, setting, method, regime, choice, seed, target=2.0, **plan)
    return {name: measures[name] for name in ("validation", "curve")}


def mean_steps(rows: Sequence[Row], target: float) -> float:
    """Steps until the validation accuracy reaches the target, a mean; all of them if never."""
    curves = np.array([row["curve"] for row in rows])
    reached = np.where(curves >= target, LOOK * np.arange(curves.shape[1]), np.inf).min(axis=1)
    return float(np.minimum(reached, LOOK * (curves.shape[1] - 1)).mean())


def contests(study: Study) -> Row:
    """Choose for each setting, regime and method; then all measures on the test split."""
    grid = {"setting": SETTINGS, "regime": REGIMES[1:], "method": METHODS}
    cases, numbers = combinations(grid), range(TRIALS)
    every = [case | {"rate": number} for case in cases for number in numbers]
    rows = study.runs(every, study.tuning, trial)
    tried = {
        tuple(case.values()): rows[k * TRIALS : (k + 1) * TRIALS] for k, case in enumerate(cases)
    }
    means = {case: [np.mean([r["validation"] for r in t]) for t in tried[case]] for case in tried}
    # The target: what the student alone, all tuned, ends with on validation.
    targets = {s: round(float(max(means[s, "all tuned", "alone"])), 4) for s in SETTINGS}
    settings = combinations(grid | {"regime": (*REGIMES, *FOR_SPEED)})
    for case in settings:
        setting, regime, method = case.values()
        case["target"], best = targets[setting], 0
        of = setting, FOR_SPEED.get(regime, regime), method
        if regime in FOR_SPEED:
            best = np.argmin([mean_steps(rows, targets[setting]) for rows in tried[of]])
        elif regime != "one rate":
            best = np.argmax(means[of])
        case["choice"] = choices(method, regime)[int(best)]
    measures = study.runs(settings, SEEDS)
    return {"rows": [case | by_seed(rows) for case, rows in zip(settings, measures, strict=True)]}


@study(
    name="comparison",
    fixed={"steps": STEPS, "batch_size": BATCH},
    rates=range(TRIALS),
    tuning=TUNING_SEEDS,
    seeds=SEEDS,
    content=contests,
)
def final(
    setting: str, regime: str, method: str, choice: Row, target: float, seed: int, **plan: int
) -> Row:
    """All measures of one training on the test split; `plan` is its steps and its batch size.

    "right" packs which test examples the student has right, for intervals over examples too.
    """
    whole, regime = data_of(setting), FOR_SPEED.get(regime, regime)
    student, case, measures = run(whole, setting, method, regime, choice, seed, target, **plan)
    test = case.data.test
    logits, taught = student.logits(test.inputs), case.teacher_logits(test.inputs)
    answers, teachers = logits.argmax(axis=-1), taught.argmax(axis=-1)
    measures |= report(logits, test.labels, taught)
    measures["teacher"] = np.mean(teachers == test.labels)
    measures["wrong_together"] = np.mean((answers == teachers) & (teachers != test.labels))
    right = {"right": packed(answers == test.labels)}
    return {name: round(float(measures[name]), 5) for name in MEASURES} | right


if __name__ == "__main__":
    main(__file__)
