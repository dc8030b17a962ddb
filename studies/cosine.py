"""The longer experiments of chapter 5, recorded in results/cosine_*.json.

    python studies/cosine.py                   # all of them, about ten minutes on one core
    python studies/cosine.py scale committee   # some of them

One rule for all: a linear student, 64-10, in float64; the same first parameters, the same order of
the examples and the same number of steps for every method, and the same five learning rates tried
for each. The rate is chosen by the mean accuracy on the validation split over three seeds that are
used for nothing else; the twenty seeds of the report then see the test split.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # many small trainings: one thread each is fastest
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import product

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from distill_lib import (
    MLP,
    Adam,
    Dataset,
    History,
    Loss,
    TeacherOutputs,
    Term,
    WeightedTerms,
    accuracy,
    consistency,
    cosine_decay,
    cosine_enhanced,
    cross_entropy,
    digits,
    hard_labels,
    negative_log_likelihood,
    rationale_cosine,
    rationale_mse,
    record,
    report,
    soft_target_loss,
    sweep,
    train,
)
from distill_lib.distillation import hard_label_loss, soft_targets
from distill_lib.experiments import RESULTS, Row
from distill_lib.losses import Array
from distill_lib.training import Objective, Outcome

SEEDS = range(20)
TUNING_SEEDS = range(1000, 1003)
RATES = [0.01, 0.03, 0.1, 0.3, 1.0]
STEPS = 400
LABELS = 100
JOBS = int(os.environ.get("JOBS", "-1"))

# --- What the experiments share -----------------------------------------------------------------


@cache
def data() -> Dataset:
    """The digits, in float64."""
    return digits(np.float64)


@cache
def teacher_scores() -> Array:
    """What the teacher of chapter 2 says of every input of the transfer set."""
    model = MLP((64, 256, 256, 10), seed=0, dtype=np.float64)
    plan = {"steps": 2000, "batch_size": 64, "optimizer": Adam(0.003), "schedule": cosine_decay}
    train(model, data().train, hard_labels(data().train), **plan)
    return model.logits(data().transfer.inputs)


def bound(scores: Array) -> TeacherOutputs:
    """Scores of the transfer set, bound to its examples."""
    return TeacherOutputs(data().transfer.index, {"logits": scores})


def wrong_scale(spread: float, seed: int) -> Array:
    """The teacher's scores, each row times a log-normal number of its own."""
    scores = teacher_scores()
    return scores * np.exp(np.random.default_rng(seed).normal(0, spread, (len(scores), 1)))


def centred(scores: Array) -> Array:
    """Each row less its mean: what softmax cannot tell from the row itself."""
    return scores - scores.mean(axis=-1, keepdims=True)


def standardised(scores: Array) -> Array:
    """Each row less its mean, divided by its standard deviation."""
    return centred(scores) / scores.std(axis=-1, keepdims=True)


def centred_cosine(student: Array, teacher: Array) -> Loss:
    """1 - cosine of the centred rows; centring is its own transpose, so it centres the gradient."""
    value, gradient = rationale_cosine(centred(student), centred(teacher))
    return Loss(value, centred(gradient))


LOSSES: dict[str, Callable[[Array, Array], Loss]] = {
    "MSE": rationale_mse,
    "KL, T = 1": lambda s, t: soft_target_loss(s, t, 1.0),
    "KL, T = 4": lambda s, t: soft_target_loss(s, t, 4.0),
    "cosine": rationale_cosine,
    "centred cosine": centred_cosine,
    "MSE, standardised": lambda s, t: rationale_mse(s, standardised(t)),
    "answers only": lambda s, t: cross_entropy(s, t.argmax(axis=-1)),
}


def match(method: str, scores: Array) -> WeightedTerms:
    """The student follows these scores, by one of the losses, and nothing else."""
    outputs = bound(scores)
    return WeightedTerms(Term(method, 1.0, lambda z, i: LOSSES[method](z, outputs.at(i))))


def study(objective: Objective, rate: float, seed: int, **options: object) -> tuple[MLP, History]:
    """Train a linear student; the same for every method but for the objective."""
    model = MLP((64, 10), seed=seed, dtype=np.float64)
    plan = {"steps": STEPS, "optimizer": Adam(rate), "schedule": cosine_decay, "seed": seed}
    history = train(model, options.pop("split", data().transfer), objective, **plan, **options)
    return model, history


def fitted_temperature(logits: Array, labels: Array) -> float:
    """The temperature from 0.001 to 1000 with the lowest negative log-likelihood."""

    def nll(log_t: float) -> float:
        return negative_log_likelihood(logits / np.exp(log_t), labels)

    return float(np.exp(minimize_scalar(nll, bounds=(-6.9, 6.9), method="bounded").x))


def judge(model: MLP, tuning: bool) -> Row:
    """Validation accuracy; unless tuning, all measures on test, also at a fitted temperature."""
    validation = data().validation
    logits = model.logits(validation.inputs)
    found = {"validation": accuracy(logits, validation.labels)}
    if tuning:
        return found
    T, test = fitted_temperature(logits, validation.labels), data().test
    logits = model.logits(test.inputs)
    after = report(logits / T, test.labels)
    later = {"T": T, "nll": after["nll"], "calibration_error": after["calibration_error"]}
    return found | report(logits, test.labels) | {f"fitted_{k}": v for k, v in later.items()}


def run_and_record(
    name: str,
    run: Callable[..., Row],
    *settings: Mapping[str, Sequence[object]],
    **notes: object,
) -> None:
    """Choose each setting's rate on validation, run all seeds at it, write the result."""
    command, table = f"python studies/cosine.py {name}", []
    for k, group in enumerate(settings):
        files = [RESULTS / f"cosine_{name}_{k}_{part}.unfinished.jsonl" for part in ("tune", "run")]
        grid = dict(group) | {"rate": RATES}
        trials = sweep(run, grid, TUNING_SEEDS, files[0], jobs=JOBS, keep=True)
        means: dict[tuple[object, ...], dict[float, list[float]]] = {}
        for row in trials:
            by_rate = means.setdefault(tuple(row[n] for n in group), {})
            by_rate.setdefault(row["rate"], []).append(row["validation"])
        combinations = list(product(*group.values()))
        found = {c: {r: float(np.mean(v)) for r, v in means[c].items()} for c in combinations}
        chosen = [(*c, max(found[c], key=found[c].__getitem__)) for c in combinations]
        rows = sweep(_Unpacked(run, [*group]), {"task": chosen}, SEEDS, files[1], jobs=JOBS)
        for combination in chosen:
            own = [row for row in rows if tuple(row["task"]) == combination]
            keys = dict(zip([*group, "rate"], combination, strict=True))
            keys["trials"] = {r: round(v, 5) for r, v in found[combination[:-1]].items()}
            measures = [n for n in own[0] if n not in ("task", "seed")]
            table.append(keys | {n: [_short(row[n]) for row in own] for n in measures})
        files[0].unlink()
    content = {"steps": STEPS, "batch_size": 32, "rates_tried": RATES}
    content |= {"tuning_seeds": list(TUNING_SEEDS)} | notes
    record(f"cosine_{name}", content | {"rows": table}, SEEDS, command)


def _short(value: object) -> object:
    if isinstance(value, float):
        return round(value, 5)
    return [_short(v) for v in value] if isinstance(value, list) else value


class _Unpacked:
    """`run` on a tuple of settings and rate; looks like `run` to whoever reads its source."""

    def __init__(self, run: Callable[..., Row], names: list[str]) -> None:
        self.run, self.names, self.__wrapped__, self.__name__ = run, names, run, run.__name__

    def __call__(self, task: Sequence[object], seed: int) -> Row:
        return self.run(**dict(zip([*self.names, "rate"], task, strict=True)), seed=seed)


# --- Wrong scales, wrong rows, offsets ------------------------------------------------------------

RIVALS = [m for m in LOSSES if m != "centred cosine"]


def run_scale(rows: int, spread: float, method: str, rate: float, seed: int) -> Row:
    """One student, on so many inputs, of a teacher whose rows are each in a unit of their own."""
    split = data().with_few_labels(rows, seed).transfer.labelled
    model, _ = study(match(method, wrong_scale(spread, seed)), rate, seed, split=split)
    return judge(model, seed in TUNING_SEEDS)


def scale() -> None:
    """Each row of the teacher's scores times a log-normal number."""
    grid = {"rows": [100, 1197], "spread": [0, 0.5, 1, 1.5, 2], "method": RIVALS}
    run_and_record("scale", run_scale, grid)


def run_corrupted(fault: str, method: str, rate: float, seed: int) -> Row:
    """One student of a teacher some of whose rows are wrong."""
    scores = teacher_scores().copy()
    if fault == "20% swapped":
        scores = bound(scores).misaligned(0.2, seed).at(data().transfer.index)
    else:  # a unit confused
        rows = np.random.default_rng(seed).choice(len(scores), len(scores) // 20, replace=False)
        scores[rows] *= 100
    model, _ = study(match(method, scores), rate, seed)
    return judge(model, seed in TUNING_SEEDS)


def corrupted() -> None:
    """5% of the rows a hundred times too large; 20% beside the wrong examples."""
    grid = {"fault": ["5% times 100", "20% swapped"], "method": RIVALS}
    run_and_record("corrupted", run_corrupted, grid)


def run_offset(rows: int, offset: float, method: str, rate: float, seed: int) -> Row:
    """One student of a teacher that adds a random number to all ten scores of an example."""
    scores, split = teacher_scores(), data().with_few_labels(rows, seed).transfer.labelled
    shift = np.random.default_rng(seed).normal(0, 1, (len(scores), 1))
    model, _ = study(match(method, scores + offset * shift), rate, seed, split=split)
    return judge(model, seed in TUNING_SEEDS)


def offset() -> None:
    """Offsets with a standard deviation of 0, 10 and 30; the scores' own is about 9."""
    methods = ["MSE", "KL, T = 4", "cosine", "centred cosine"]
    grid = {"rows": [100, 1197], "offset": [0, 10, 30], "method": methods}
    run_and_record("offset", run_offset, grid)


# --- A committee ----------------------------------------------------------------------------------

LEARNED = 300


@lru_cache(maxsize=32)
def members(seed: int) -> dict[str, tuple[Array, Array]]:
    """By member: its scores of the transfer set and of the test split, each in its own unit."""
    known = data().with_few_labels(LEARNED, seed).transfer.labelled
    network = MLP((64, 64, 10), seed=seed, dtype=np.float64)
    train(network, known, hard_labels(known), steps=400, optimizer=Adam(0.01), seed=seed)
    margins = LinearSVC(random_state=seed, max_iter=5000).fit(known.inputs, known.labels)
    bayes = GaussianNB(var_smoothing=0.01).fit(known.inputs, known.labels)
    forest = RandomForestClassifier(random_state=seed).fit(known.inputs, known.labels)
    speak = {
        "network": network.logits,
        "SVM margins": margins.decision_function,
        "naive Bayes": bayes.predict_joint_log_proba,
        "forest": lambda x: np.log(np.maximum(forest.predict_proba(x), 1e-3)),
    }
    inputs = data().transfer.inputs, data().test.inputs
    return {name: tuple(map(ask, inputs)) for name, ask in speak.items()}


def agreed(seed: int, units: str, split: int) -> Array:
    """The mean of the members' scores, after bringing them to these units."""
    every = members(seed).values()
    bring = {
        "own units": lambda m: m[split],
        "centred": lambda m: centred(m[split]),
        "per teacher": lambda m: centred(m[split]) / centred(m[0]).std(),
        "per row": lambda m: standardised(m[split]),
    }[units]
    return np.mean([bring(member) for member in every], axis=0)


def run_committee(units: str, method: str, rate: float, seed: int) -> Row:
    """One student of the committee."""
    model, _ = study(match(method, agreed(seed, units, 0)), rate, seed)
    found = judge(model, seed in TUNING_SEEDS)
    if seed in TUNING_SEEDS:
        return found
    labels = data().test.labels
    return found | {"committee": accuracy(agreed(seed, units, 1), labels)}


def committee() -> None:
    """Four teachers of 300 labelled digits in four units, and two ways to one unit."""
    methods = ["MSE", "KL, T = 4", "cosine"]
    units = ["own units", "centred", "per teacher", "per row"]
    every = [members(seed) for seed in SEEDS]
    own = {
        name: {
            "spread": [round(float(centred(m[name][0]).std()), 3) for m in every],
            "accuracy": [accuracy(m[name][1], data().test.labels) for m in every],
        }
        for name in every[0]
    }
    grid = {"units": units, "method": methods}
    run_and_record("committee", run_committee, grid, learned=LEARNED, members=own)


# --- The whole objective: T, weights, curriculum --------------------------------------------------


def run_grid(T: float, alpha: float, beta: float, rate: float, seed: int) -> Row:
    """One student with 100 labels of a teacher with wrong scales (spread 1)."""
    split, outputs = data().with_few_labels(LABELS, seed).transfer, bound(wrong_scale(1, seed))
    model, _ = study(cosine_enhanced(split, outputs, T, alpha, beta), rate, seed, split=split)
    return judge(model, seed in TUNING_SEEDS)


def grid() -> None:
    """Test accuracy over temperature and both weights."""
    settings = {"T": [1, 4, 16], "alpha": [0, 0.2, 0.4], "beta": [0, 0.3, 0.6]}
    run_and_record("grid", run_grid, settings, labels=LABELS, spread=1)


def run_curriculum(curriculum: float, beta: float, T: float, rate: float, seed: int) -> Row:
    """The same with alpha 0.2, where the rationale's weight grows; with its learning curve."""
    split, outputs = data().with_few_labels(LABELS, seed).transfer, bound(wrong_scale(1, seed))
    objective = cosine_enhanced(split, outputs, T, 0.2, beta, curriculum=curriculum)
    options = {"split": split, "validation": data().validation, "look_every": 20}
    model, history = study(objective, rate, seed, **options)
    tuning = seed in TUNING_SEEDS
    return judge(model, tuning) | ({} if tuning else {"curve": history.accuracy})


def curriculum() -> None:
    """The rationale's weight from the start, or grown over 2 or 8 of the run's 10.5 epochs."""
    settings = {"curriculum": [0, 2, 8], "beta": [0.3, 0.6], "T": [1, 4]}
    run_and_record("curriculum", run_curriculum, settings, labels=LABELS, spread=1, alpha=0.2)


# --- Adaptive weights -----------------------------------------------------------------------------


class Balanced:
    """alpha · hard + (1 - alpha) · (soft + w · cosine) / 2, where w equalises the two gradients.

    w is the ratio of the gradients' norms, soft to cosine, a mean that forgets with `memory`.
    """

    def __init__(
        self, hard: Term, soft: Term, reason: Term, alpha: float, memory: float = 0.9
    ) -> None:
        self.hard, self.soft, self.reason = hard, soft, reason
        self.alpha, self.memory, self.weights = alpha, memory, []

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        hard, soft, reason = (
            term.loss(scores["logits"], index) for term in (self.hard, self.soft, self.reason)
        )
        ratio = np.linalg.norm(soft.gradient) / max(np.linalg.norm(reason.gradient), 1e-12)
        last = self.weights[-1] if self.weights else ratio
        self.weights.append(float(self.memory * last + (1 - self.memory) * ratio))
        half = (1 - self.alpha) / 2
        total = self.alpha * hard.gradient
        total = total + half * (soft.gradient + self.weights[-1] * reason.gradient)
        value = self.alpha * hard.value + half * (soft.value + self.weights[-1] * reason.value)
        return Outcome(value, {"logits": total}, {"soft": soft.value, "rationale": reason.value})


def run_adaptive(spread: float, weights: str, rate: float, seed: int) -> Row:
    """One student with alpha 0.2 and the rest shared evenly: by weight, or by gradient norm."""
    split, outputs = data().with_few_labels(LABELS, seed).transfer, bound(wrong_scale(spread, seed))
    hard = Term("hard", 0.2, hard_label_loss(split))
    soft = Term("soft", 0.4, soft_targets(outputs, 4.0))
    reason = Term("rationale", 0.4, lambda z, i: rationale_cosine(z, outputs.at(i)))
    balanced = Balanced(hard, soft, reason, 0.2)
    objective = {
        "fixed": WeightedTerms(hard, soft, reason),
        "no cosine": WeightedTerms(hard, soft),
        "adaptive": balanced,
    }[weights]
    model, _ = study(objective, rate, seed, split=split)
    tuning = seed in TUNING_SEEDS
    return judge(model, tuning) | ({} if tuning else {"factor": balanced.weights[::20]})


def adaptive() -> None:
    """Fixed and adaptive weights, for a teacher with right and with wrong scales; T is 4."""
    settings = {"spread": [0, 1], "weights": ["no cosine", "fixed", "adaptive"]}
    run_and_record("adaptive", run_adaptive, settings, labels=LABELS, T=4, alpha=0.2)


# --- Consistency under noise, and its control -----------------------------------------------------


def run_steady(extra: str, noise: float, rate: float, seed: int) -> Row:
    """100 labelled digits and nothing else: hard, soft and cosine, with or without noisy copies."""
    split, outputs = data().with_few_labels(LABELS, seed).transfer.labelled, bound(teacher_scores())
    copies = extra == "augmentation"
    terms = [
        Term("hard", 0.2, hard_label_loss(split), copies=copies),
        Term("soft", 0.4, soft_targets(outputs, 4.0), copies=copies),
        Term("rationale", 0.4, lambda z, i: rationale_cosine(z, outputs.at(i)), "logits", copies),
    ]
    if extra == "consistency":
        terms.append(Term("steady", 0.25, lambda z, _: consistency(z), copies=True))
    objective = WeightedTerms(*terms, noise=0 if extra == "nothing" else noise)
    model, _ = study(objective, rate, seed, split=split)
    return judge(model, seed in TUNING_SEEDS)


def steady() -> None:
    """The article's noise and two larger ones, as a consistency term and as plain augmentation."""
    without = {"extra": ["nothing"], "noise": [0]}
    settings = {"extra": ["consistency", "augmentation"], "noise": [0.04, 0.15, 0.3]}
    run_and_record("steady", run_steady, without, settings, labels=LABELS, weight=0.25)


EVERY = (scale, corrupted, offset, committee, grid, curriculum, adaptive, steady)
STUDIES = {f.__name__: f for f in EVERY}


def main(names: Sequence[str]) -> None:
    """Run the studies of these names, or all."""
    if unknown := set(names) - set(STUDIES):
        raise ValueError(f"no studies called {sorted(unknown)}; there are {list(STUDIES)}")
    for name in names or STUDIES:
        STUDIES[name]()


if __name__ == "__main__":
    # By its name as a module, other processes find its functions, and keep their caches.
    from cosine import main as run_all

    run_all(sys.argv[1:])
