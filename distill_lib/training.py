"""The training loop: minibatches, two optimisers, schedules, early stopping, a history.

It knows models by their `forward` and `backward` and objectives by what they return; it knows
nothing of teachers. One seed fixes the order of examples: two methods can get the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import current_thread, main_thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm  # as text: a widget would end up in the built page

from distill_lib import checks
from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.layers import few_threads
from distill_lib.metrics import accuracy, negative_log_likelihood
from distill_lib.models import Model


class Diverged(ValueError):
    """Scores, a loss or parameters that became infinite or nan in training."""


class Outcome(NamedTuple):
    """What an objective says of one batch.

    `value` is the loss; `gradients` hold its derivative with respect to the student's scores, by
    name; `parts` the value of each term before its weight, by name, for the curves. `shares` are
    what each term gives to `value`: 0 at a weight of 0, no entry for a term that had nothing to say
    of the batch (no labels in it). Without them the whole value counts in the curve of the loss.
    """

    value: float
    gradients: Mapping[str, Array]
    parts: Mapping[str, float]
    shares: Mapping[str, float] | None = None


Objective = Callable[[Mapping[str, Array], Array, float], Outcome]
"""What judges the student's named scores on the examples with these indices, in this epoch.

The epoch counts passes through the training examples, with its fraction, for weights that change
while training goes on. Where `train` has an `augment` that adds copies, the scores have several
rows for each index: first those of all examples, then those of their copies.
"""
Augment = Callable[[Array, np.random.Generator], Array]
"""From a batch of inputs to what the model sees: as many rows, or a multiple of them."""


@dataclass
class SGD:
    """Stochastic gradient descent with momentum: v ← momentum · v + g; w ← w − rate · v.

    ValueError for a rate that is not above 0, or a momentum outside 0 .. 1 (1 excluded).
    """

    learning_rate: float = 0.1
    momentum: float = 0.9

    def __post_init__(self) -> None:
        checks.check_positive("learning_rate", self.learning_rate)
        checks.check_share("momentum", self.momentum, below_1=True)

    def start(self, vector: Array) -> None:
        """Forget everything and get ready for parameters of this shape."""
        self._velocity, self._step = np.zeros_like(vector), np.empty_like(vector)

    def update(self, vector: Array, gradient: Array, scale: float) -> None:
        """One step in place, at `scale` times the learning rate."""
        self._velocity *= self.momentum
        self._velocity += gradient
        vector -= np.multiply(self._velocity, self.learning_rate * scale, out=self._step)


@dataclass
class Adam:
    """Adam: each parameter's step is scaled by the recent size of its own gradient.

    ValueError for a rate ≤ 0, or a decay outside [0, 1). Kingma & Ba 2015 (arXiv 1412.6980).
    """

    learning_rate: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        checks.check_positive("learning_rate", self.learning_rate)
        checks.check_positive("epsilon", self.epsilon)
        checks.check_share("beta1", self.beta1, below_1=True)
        checks.check_share("beta2", self.beta2, below_1=True)

    def start(self, vector: Array) -> None:
        """Forget everything and get ready for parameters of this shape."""
        self._mean, self._square = np.zeros_like(vector), np.zeros_like(vector)
        self._step, self._root = np.empty_like(vector), np.empty_like(vector)
        self._count = 0

    def update(self, vector: Array, gradient: Array, scale: float) -> None:
        """One step in place, at `scale` times the learning rate."""
        self._count += 1
        self._mean *= self.beta1
        self._mean += np.multiply(gradient, 1 - self.beta1, out=self._step)
        np.multiply(gradient, gradient, out=self._step)
        self._square *= self.beta2
        self._square += np.multiply(self._step, 1 - self.beta2, out=self._step)
        np.divide(self._square, 1 - self.beta2**self._count, out=self._root)
        np.sqrt(self._root, out=self._root)
        self._root += self.epsilon
        rate = self.learning_rate * scale / (1 - self.beta1**self._count)
        np.divide(np.multiply(self._mean, rate, out=self._step), self._root, out=self._step)
        vector -= self._step


def constant(done: float) -> float:
    """The schedule that changes nothing. `done` is the share of the steps taken, 0 to 1."""
    return 1.0


def cosine_decay(done: float) -> float:
    """From 1 down to 0 along half a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983)."""
    return 0.5 * (1 + float(np.cos(np.pi * done)))


@dataclass
class History:
    """What happened in training, one entry per look.

    Attributes:
        step: steps taken at each look.
        loss: the objective since the look before: of each term the mean of weight times value over
            the steps in which it had something to say (no labels are no hard loss of 0), summed
            over the terms; nan at step 0 and where none had.
        parts: mean of each of its terms over the same steps, if it had a weight, by name.
        accuracy, nll: on the validation split, where one was given.
        best_step: the step whose parameters the model was left with.
    """

    step: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    nll: list[float] = field(default_factory=list)
    best_step: int = 0


def train(
    model: Model,
    split: Split,
    objective: Objective,
    *,
    steps: int,
    batch_size: int = 32,
    optimizer: SGD | Adam | None = None,
    schedule: Callable[[float], float] = constant,
    validation: Split | None = None,
    look_every: int = 50,
    patience: int | None = None,
    augment: Augment | None = None,
    after_step: Callable[[Any], None] | None = None,
    seed: int = 0,
) -> History:
    """Train `model` in place to lower `objective` on the examples of `split`.

    Each pass takes the examples in a new order drawn from `seed`, in batches of `batch_size` (the
    last one of a pass may be smaller; a split smaller than a batch is one batch). The budget is
    counted in steps, so that methods with more or fewer examples get the same one. A run that takes
    more than two seconds shows a progress bar.

    Args:
        split: its inputs and indices are used; its labels are the objective's affair.
        objective: see `Objective`; `distillation` makes them.
        steps: optimiser steps.
        optimizer: Adam with its defaults, unless given. It is started afresh.
        schedule: learning rate multiplier for the share of steps done.
        validation: looked at every `look_every` steps and at the end.
        patience: with `validation`: stop after this many looks without a lower negative
            log-likelihood, and in any case go back to the parameters that had the lowest.
        augment: what is done to the inputs of each batch.
        after_step: what is done with the model after each step, such as a limit of its weights.
        seed: of the order of the examples, of what `augment` draws, and of dropout.

    Raises:
        ValueError: numbers out of bounds (the schedule's too), patience without validation, no
            optimiser, no split, or an `augment` that gives what the model does not take.
        Diverged: scores, a loss or parameters that are not finite; a `ValueError` that names the
            step and what usually helps.

    Chapter 2, "The loop".
    """
    checks.check_kind("split", split, Split, "take one of a data set, such as data.transfer")
    if validation is not None:
        checks.check_kind("validation", validation, Split, "take data.validation")
    functions = {"augment": augment or constant, "after_step": after_step or constant}
    for name, function in ({"objective": objective} | functions).items():
        if not callable(function):
            raise ValueError(f"{name} must be a function, got {function!r}")
    counts = {"steps": steps, "batch_size": batch_size, "look_every": look_every}
    for name, count in (counts | ({} if patience is None else {"patience": patience})).items():
        checks.check_whole(name, count)
    if patience is not None and validation is None:
        raise ValueError("patience needs a validation split to look at, got validation=None")
    checks.check_whole("seed", seed, least=0)
    optimizer = Adam() if optimizer is None else optimizer
    if isinstance(optimizer, type) or not hasattr(optimizer, "update"):
        raise ValueError(f"optimizer must be one such as Adam(0.01), got {optimizer!r}")
    optimizer.start(model.vector)
    inputs = np.asarray(split.inputs, model.dtype)
    batch_size = min(batch_size, len(split))
    steps_per_pass = -(-len(inputs) // batch_size)
    batch = np.empty((batch_size, *inputs.shape[1:]), model.dtype)
    # Streams of their own for `augment` and dropout: with and without them, the order is the same.
    rng, augment_rng, model_rng = map(np.random.default_rng, ([seed], [seed, 1], [seed, 2]))
    history, best, order = History(), model.vector.copy(), np.empty(0, int)
    since_look: list[Outcome] = []
    _look(history, model, optimizer, validation, 0, since_look)

    with few_threads(batch_size * model.multiply_adds):
        for step in _progress(range(1, steps + 1)):
            order = order if len(order) else rng.permutation(len(inputs))
            rows, order = order[:batch_size], order[batch_size:]
            # mode="clip" lets `take` write straight into the buffer; every row is known to exist.
            x = np.take(inputs, rows, axis=0, out=batch[: len(rows)], mode="clip")
            x = x if augment is None else augment(x, augment_rng)
            scores = model.forward(x, model_rng)
            _check_finite(scores["logits"], "logits", step, optimizer)
            outcome = objective(scores, split.index[rows], (step - 1) / steps_per_pass)
            _check_finite(outcome.value, "loss", step, optimizer)
            model.backward(outcome.gradients)
            scale = schedule((step - 1) / steps)
            checks.check_not_negative(f"the schedule at step {step}", scale)
            optimizer.update(model.vector, model.gradient_vector, scale)
            if after_step is not None:
                after_step(model)
            since_look.append(outcome._replace(gradients={}))  # they are large, and done with

            if step % look_every == 0 or step == steps:
                _look(history, model, optimizer, validation, step, since_look)
                since_look = []
                if patience is not None:
                    if history.nll[-1] < min(history.nll[:-1]):
                        best[:], history.best_step = model.vector, step
                    elif step - history.best_step >= patience * look_every:
                        break
    _check_finite(model.vector, "parameters", step, optimizer)
    if patience is not None:
        model.vector[:] = best
    else:
        history.best_step = history.step[-1]
    return history


def _progress(steps: range) -> Iterable[int]:
    if current_thread() is not main_thread():  # a bar would land under whatever cell runs there
        return steps
    return tqdm(steps, desc="training", unit="step", delay=2, leave=False)


def _look(
    history: History,
    model: Model,
    optimizer: SGD | Adam,
    validation: Split | None,
    step: int,
    outcomes: list[Outcome],
) -> None:
    """Add an entry to the history."""
    history.step.append(step)
    shares = _means([{"": o.value} if o.shares is None else o.shares for o in outcomes])
    history.loss.append(sum(shares.values()) if shares else float("nan"))
    history.parts.append(_means([o.parts for o in outcomes]))
    if validation is not None:
        logits = model.logits(validation.inputs)
        _check_finite(logits, "logits", step, optimizer)
        history.accuracy.append(accuracy(logits, validation.labels))
        history.nll.append(negative_log_likelihood(logits, validation.labels))


def _means(steps: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """By name, the mean over the steps that have the name: what did not happen is not a 0."""
    names = dict.fromkeys(name for step in steps for name in step)
    return {n: float(np.mean([step[n] for step in steps if n in step])) for n in names}


def _check_finite(values: ArrayLike, what: str, step: int, optimizer: SGD | Adam) -> None:
    if not np.isfinite(values).all():
        advice = f"a learning rate lower than {optimizer.learning_rate} usually helps"
        raise Diverged(f"the {what} became infinite or nan at step {step}; {advice}")
