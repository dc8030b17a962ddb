"""Self-distillation, each way of it beside its own control. For chapter 10.

    python studies/self_distillation.py            # all; some twelve minutes on one free core
    python studies/self_distillation.py views      # one of them
    python studies/self_distillation.py --check    # repeat a slice of the records, write nothing

Every way is one formula: the target is (1 - w) times the label plus w times somebody's answer.
Whose, is the method. A control has everything but that answer: the same noise on the inputs, the
same exits, the same networks; or an answer that knows nothing.

Each seed draws the digits, their labels, the first weights and the order. Every method gets the
same steps and nine trials: three learning rates, each with three values of w. Those without a w get
nine rates, the three among them. The best mean accuracy on validation decides, at seeds that are
used for nothing else. The labels of the validation digits are right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from common import data
from engine import Row, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import UNLABELLED, Dataset, Split
from distill_lib.layers import Layer, Linear, Memory, ReLU
from distill_lib.losses import softmax
from distill_lib.metrics import accuracy, report
from distill_lib.models import MLP, Network
from distill_lib.results import packed
from distill_lib.training import Adam, Augment, Objective, Outcome, cosine_decay, train

SIZES = (64, 64, 64, 10)
OTHER = 500  # added to a seed, it is that of a second start
NOTHING = 0.0
PAIRS = [(rate, w) for rate in (0.001, 0.003, 0.01) for w in (0.25, 0.5, 0.8)]
RATES = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03)
TRIALS = range(len(PAIRS))
TUNING_SEEDS = range(1000, 1003)
PLAN = {"steps": 400, "batch_size": 32}
Answers = Callable[[Mapping[str, Array], Array, float], Array]
"""From a batch's scores, its examples' indices and the epoch to somebody's probabilities."""

# --- One formula ----------------------------------------------------------------------------------


def one_hot(split: Split) -> Array:
    """By index in the data set: a row for each, of zeros where there is no label."""
    known = split.labels != UNLABELLED
    rows = np.zeros((split.index.max() + 1, 10))
    rows[split.index[known], split.labels[known]] = 1
    return rows


def pull(p: Array, y: Array, q: Array, w: float) -> tuple[float, Array]:
    """The loss (1 - w) · CE(y, p) + w · CE(q, p), and its gradient with respect to p's logits.

    Rows of `y` that are all 0 have no label: the first mean is over the others alone.
    """
    known = y.sum(axis=1, keepdims=True)
    share = (1 - w) * known / max(known.sum(), 1)
    log_p = np.log(np.maximum(p, 1e-300))
    value = -np.sum(log_p * (share * y + w * q / len(p)))
    return float(value), share * (p - y) + w * (p - q) / len(p)


def toward(split: Split, answers: Answers, w: float | Callable[[float], float]) -> Objective:
    """The target of each example: its label, mixed with an answer of weight `w`.

    The weight may be a function of the epoch.
    """
    labels = one_hot(split)

    def objective(scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        p = softmax(scores["logits"])
        y = np.tile(labels[index], (len(p) // len(index), 1))
        weight = w(epoch) if callable(w) else w
        value, gradient = pull(p, y, answers(scores, index, epoch), weight)
        return Outcome(value, {"logits": gradient}, {})

    return objective


# --- Whose answer? --------------------------------------------------------------------------------


def nobody(scores: Mapping[str, Array], index: Array, epoch: float) -> Array:
    """Every class alike: label smoothing."""
    return np.full_like(scores["logits"], 0.1)


class Before:
    """What the student itself said of each example a pass ago; its label in the first pass."""

    def __init__(self, split: Split) -> None:
        self.said = one_hot(split)

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Array:
        before = self.said[index]  # a copy: each example comes once in a pass
        self.said[index] = softmax(scores["logits"])
        return before


class Fixed:
    """A teacher's answers to these inputs, asked once."""

    def __init__(self, split: Split, p: Array) -> None:
        self.rows = np.zeros((split.index.max() + 1, 10))
        self.rows[split.index] = p

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Array:
        rows = self.rows[index]
        return np.tile(rows, (len(scores["logits"]) // len(index), 1))


def other_view(scores: Mapping[str, Array], index: Array, epoch: float) -> Array:
    """The student's answer to the other one of two views."""
    return np.roll(softmax(scores["logits"]), len(index), axis=0)


def two_views(noise: float) -> Augment:
    """Each example twice, each time with noise of this standard deviation on its pixels."""

    def augment(inputs: Array, rng: np.random.Generator) -> Array:
        return np.concatenate([inputs + noise * rng.standard_normal(inputs.shape) for _ in "ab"])

    return augment


# --- Exits ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Keep(Layer):
    """Hands on the first `n` of its inputs: what comes after them leaves the network there."""

    n_inputs: int
    n: int

    def __post_init__(self) -> None:
        vars(self).update(sizes=(self.n_inputs, self.n))

    def forward(self, inputs: Array, memory: Memory) -> Array:
        """Shape (examples, n)."""
        return inputs[:, : self.n]

    def backward(self, gradient: Array, memory: Memory, first: bool) -> Array:
        """Nothing comes back from what was not handed on."""
        whole = np.zeros_like(memory.inputs)
        whole[:, : self.n] = gradient
        return whole


def with_exit(seed: int) -> Network:
    """The student with ten more scores, "exit", that are read from its first hidden layer."""
    inputs, first, second, classes = SIZES
    layers = [
        Linear(inputs, {"hidden_1": first}),
        ReLU(),
        Linear(first, {"hidden_2": second, "exit": classes}),
        Keep(second + classes, second),
        ReLU(),
        Linear(second, {"logits": classes}, gain=1.0),
    ]
    return Network(layers, seed, np.float64)


def exits(split: Split, w: float) -> Objective:
    """Both exits learn the labels; the early one learns the late one's answers as well."""
    labels = one_hot(split)

    def objective(scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        p, y = softmax(scores["logits"]), labels[index]
        late = pull(p, y, y, 0)
        early = pull(softmax(scores["exit"]), y, p, w)
        return Outcome(late[0] + early[0], {"logits": late[1], "exit": early[1]}, {})

    return objective


# --- Training -------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """How long and how fast; `seed` is of the first weights and of the order."""

    rate: float
    steps: int
    batch_size: int
    seed: int


def student(seed: int) -> MLP:
    """Two hidden layers of 64, in float64."""
    return MLP(SIZES, seed=seed, dtype=np.float64)


def fit(
    model: Any, split: Split, objective: Objective, plan: Plan, augment: Augment | None = None
) -> Any:
    """The model, trained."""
    options = {"steps": plan.steps, "batch_size": plan.batch_size, "seed": plan.seed}
    options |= {"schedule": cosine_decay, "augment": augment}
    train(model, split, objective, optimizer=Adam(plan.rate), **options)
    return model


def on_labels(split: Split, plan: Plan, start: int = 0, augment: Augment | None = None) -> MLP:
    """A student with this start that has the labels and nothing else."""
    labelled = split.labelled
    objective = toward(labelled, nobody, NOTHING)
    return fit(student(plan.seed + start), labelled, objective, plan, augment)


def taught(split: Split, p: Array, w: float, plan: Plan, augment: Augment | None = None) -> MLP:
    """A student whose target holds these answers to the inputs of the split."""
    return fit(student(plan.seed), split, toward(split, Fixed(split, p), w), plan, augment)


def untrained(split: Split, like: MLP, seed: int) -> Array:
    """Answers of a network that has learned nothing, with the spread of logits of one that has."""
    z = student(seed).logits(split.inputs)
    return softmax(z * like.logits(split.inputs).std() / z.std())


def together(pair: Sequence[MLP], split: Split, w: float, plan: Plan) -> None:
    """Train two students in lockstep; the target of each holds the other's answer."""
    labels, rng, order = one_hot(split), np.random.default_rng([plan.seed]), np.empty(0, int)
    optimizers = [Adam(plan.rate) for _ in pair]
    for model, optimizer in zip(pair, optimizers, strict=True):
        optimizer.start(model.vector)
    for step in range(plan.steps):
        if not len(order):
            order = rng.permutation(len(split))
        rows, order = order[: plan.batch_size], order[plan.batch_size :]
        y = labels[split.index[rows]]
        p = [softmax(model.forward(split.inputs[rows])["logits"]) for model in pair]
        for k, (model, optimizer) in enumerate(zip(pair, optimizers, strict=True)):
            model.backward({"logits": pull(p[k], y, p[1 - k], w)[1]})
            optimizer.update(model.vector, model.gradient_vector, cosine_decay(step / plan.steps))


def mean_answer(models: Sequence[Network], inputs: Array) -> Array:
    """The mean of what these models say of each input."""
    return np.mean([softmax(model.logits(inputs)) for model in models], axis=0)


# --- Measuring ------------------------------------------------------------------------------------


def judged(models: Sequence[Network], whole: Dataset) -> Row:
    """Of the first model all measures; where there are two, of their mean answer as well."""
    test, validation = whole.test, whole.validation
    logits = models[0].logits(test.inputs)
    measures = report(logits, test.labels)
    measures["right"] = packed(logits.argmax(axis=-1) == test.labels)
    measures["validation"] = accuracy(models[0].logits(validation.inputs), validation.labels)
    if len(models) > 1:
        right = mean_answer(models, test.inputs).argmax(axis=-1) == test.labels
        measures |= {"pair": float(right.mean()), "right_pair": packed(right)}
    return measures


def dials(method: str, trial: int) -> tuple[float, float]:
    """Learning rate and w of a trial; w is 0 where a method has none."""
    return (RATES[trial], NOTHING) if method in WITHOUT else PAIRS[trial]


# --- Wrong labels ---------------------------------------------------------------------------------

WITHOUT = ("labels", "exits", "noisy views")
METHODS = (
    "labels",
    "smoothing",
    "random teacher",
    "progressive",
    "born again",
    "exits",
    "exits, taught",
    "noisy views",
    "noisy views, agreeing",
    "mutual",
    "ensemble's student",
)


def mislabelled(digits: int, share: float, seed: int) -> Split:
    """So many digits; this share of their labels is wrong."""
    return data().with_n_examples(digits, seed).with_label_noise(share, seed).transfer


def models_of(method: str, split: Split, w: float, noise: float, plan: Plan) -> list[Network]:
    """The student of a method; if it has a partner, or had teachers, two models to average."""
    seed = plan.seed
    if method == "labels":
        return [on_labels(split, plan)]
    if method == "smoothing":
        return [fit(student(seed), split, toward(split, nobody, w), plan)]
    if method == "progressive":
        passes = plan.steps / np.ceil(len(split) / plan.batch_size)
        objective = toward(split, Before(split), lambda epoch: w * (int(epoch) + 1) / passes)
        return [fit(student(seed), split, objective, plan)]
    if method in ("born again", "random teacher"):
        teacher = on_labels(split, plan, OTHER)
        p = softmax(teacher.logits(split.inputs))
        if method == "random teacher":
            p = untrained(split, teacher, seed + OTHER)
        return [taught(split, p, w, plan)]
    if method in ("exits", "exits, taught"):
        return [fit(with_exit(seed), split, exits(split, w), plan)]
    if method in ("noisy views", "noisy views, smoothed", "noisy views, agreeing"):
        answers = nobody if method == "noisy views, smoothed" else other_view
        return [fit(student(seed), split, toward(split, answers, w), plan, two_views(noise))]
    if method == "mutual":
        pair = [student(seed), student(seed + OTHER)]
        together(pair, split, w, plan)
        return list(pair)
    teachers = [on_labels(split, plan, OTHER + k) for k in range(2)]
    return [taught(split, mean_answer(teachers, split.inputs), w, plan), *teachers]


@study(
    {"share": [0, 0.15, 0.3, 0.45], "method": METHODS},
    fixed=PLAN | {"digits": 300, "noise": 0.3},
    rates=TRIALS,
    tuning=TUNING_SEEDS,
)
def wrong(
    share: float,
    method: str,
    digits: int,
    noise: float,
    rate: int,
    seed: int,
    steps: int,
    batch_size: int,
) -> Row:
    """One method where this share of the labels is wrong; `rate` is the number of the trial."""
    learning_rate, w = dials(method, rate)
    split = mislabelled(digits, share, seed)
    plan = Plan(learning_rate, steps, batch_size, seed)
    models = models_of(method, split, w, noise, plan)
    measures = judged(models[:2] if method == "mutual" else models[:1], data())
    if method == "ensemble's student":
        measures |= {k: v for k, v in judged(models[1:], data()).items() if "pair" in k}
    return measures


# --- Two views, and how much noise ----------------------------------------------------------------


@study(
    {
        "share": [0.3, 0.45],
        "noise": [0.15, 0.3, 0.45, 0.6],
        "method": ["noisy views", "noisy views, smoothed", "noisy views, agreeing"],
    },
    fixed=PLAN | {"digits": 300},
    rates=TRIALS,
    tuning=TUNING_SEEDS,
)
def views(share: float, noise: float, method: str, seed: int, steps: int, **setting: int) -> Row:
    """Two views at each amount of noise: with labels, with smoothed labels, or agreeing."""
    return wrong(share, method, noise=noise, seed=seed, steps=steps, **setting)


# --- Generations ----------------------------------------------------------------------------------


@study(
    {"share": [0, 0.3]},
    fixed=PLAN | {"digits": 300, "generations": 4},
    rates=TRIALS,
    tuning=TUNING_SEEDS,
)
def generations(
    share: float,
    digits: int,
    generations: int,
    rate: int,
    seed: int,
    steps: int,
    batch_size: int,
) -> Row:
    """Each generation is taught by the one before; generation 0 has the labels alone.

    The measures are lists, one entry a generation; validation is of generation 1.
    """
    learning_rate, w = PAIRS[rate]
    split = mislabelled(digits, share, seed)
    model, every = None, []
    for k in range(generations + 1):
        # A start of its own for each, in the order of examples of the seed.
        start = student(seed + k * OTHER)
        objective = toward(split, nobody, NOTHING)
        if model is not None:
            objective = toward(split, Fixed(split, softmax(model.logits(split.inputs))), w)
        model = fit(start, split, objective, Plan(learning_rate, steps, batch_size, seed))
        every.append(judged([model], data()))
    rights = {f"right_{k}": row["right"] for k, row in enumerate(every)}
    names = ("accuracy", "nll", "calibration_error")
    lists = {name: [row[name] for row in every] for name in names}
    return lists | rights | {"validation": every[1]["validation"]}


# --- Inputs without labels ------------------------------------------------------------------------

UNLABELLED_METHODS = (
    "labels",
    "noisy views",
    "born again, labelled inputs",
    "born again, all inputs",
    "random teacher, all inputs",
    "agreeing, all inputs",
)


def balanced(split: Split) -> Split:
    """The split with each labelled example repeated until half of all have labels.

    A copy has an index of its own, beyond those of the split.
    """
    known = np.flatnonzero(split.labels != UNLABELLED)
    rest = np.flatnonzero(split.labels == UNLABELLED)
    copies = np.tile(known, -(-len(rest) // len(known)))
    new = split.index.max() + 1 + np.arange(len(copies))
    rows = np.concatenate([copies, rest])
    index = np.concatenate([new, split.index[rest]])
    return Split(split.inputs[rows], split.labels[rows], index)


@study(
    {"labels": [30, 100, 300], "method": UNLABELLED_METHODS},
    fixed=PLAN | {"noise": 0.3},
    rates=TRIALS,
    tuning=TUNING_SEEDS,
)
def unlabelled(
    labels: int, method: str, noise: float, rate: int, seed: int, steps: int, batch_size: int
) -> Row:
    """So many digits have labels, the rest of the 1,197 none; all but "labels" see noisy views."""
    learning_rate, w = dials(method, rate)
    plan, views = Plan(learning_rate, steps, batch_size, seed), two_views(noise)
    whole = data().with_few_labels(labels, seed)
    labelled, pool = whole.transfer.labelled, balanced(whole.transfer)
    if method in WITHOUT:
        model = on_labels(labelled, plan, augment=views if method == "noisy views" else None)
    elif method == "agreeing, all inputs":
        model = fit(student(seed), pool, toward(pool, other_view, w), plan, views)
    else:
        teacher = on_labels(labelled, plan, OTHER, views)
        split = labelled if method == "born again, labelled inputs" else pool
        p = softmax(teacher.logits(split.inputs))
        if method == "random teacher, all inputs":
            p = untrained(split, teacher, seed + OTHER)
        model = taught(split, p, w, plan, views)
    return judged([model], whole)


if __name__ == "__main__":
    main(__file__)
