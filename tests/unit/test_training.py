"""The training loop, its optimisers against their textbook formulas, and its promises."""

import io
import re
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import tqdm.std
from oracles import NOT_POSITIVE, NOT_WHOLE

from distill_lib import training
from distill_lib.data import Split, digits
from distill_lib.distillation import hard_labels
from distill_lib.losses import cross_entropy
from distill_lib.metrics import accuracy, negative_log_likelihood
from distill_lib.models import MLP
from distill_lib.training import (
    SGD,
    Adam,
    Diverged,
    Outcome,
    constant,
    cosine_decay,
    train,
)

DIGITS = digits()


class Recorder:
    """An objective that teaches nothing and remembers what it was asked."""

    def __init__(self, values=()):
        self.values, self.index, self.epochs = list(values), [], []

    def __call__(self, scores, index, epoch):
        self.index.append(index.copy())
        self.epochs.append(epoch)
        value = self.values[len(self.index) - 1] if self.values else 0.0
        return Outcome(value, {}, {"recorded": value})


def split_of(n, start=100):
    """n examples whose inputs tell their index."""
    index = np.arange(start, start + n)
    return Split(np.stack([index, index], axis=1).astype(np.float32), np.zeros(n, int), index)


# optimisers


def quadratic(curvature, minimum):
    return lambda w: curvature * (w - minimum)


GRADIENT = quadratic(np.array([1.0, 4.0, 0.5]), np.array([3.0, -1.0, 0.2]))
SCALES = [1.0, 1.0, 0.5, 0.5, 0.1, 0.0, 2.0]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_its_textbook_formula(momentum):
    w, v, ours = np.zeros(3), np.zeros(3), np.zeros(3)
    optimizer = SGD(0.1, momentum)
    optimizer.start(ours)
    for scale in SCALES:
        v = momentum * v + GRADIENT(w)
        w = w - 0.1 * scale * v
        optimizer.update(ours, GRADIENT(ours), scale)
        np.testing.assert_allclose(ours, w, rtol=1e-12)


def test_adam_is_its_textbook_formula():
    """Kingma & Ba 2015, algorithm 1."""
    b1, b2, epsilon, rate = 0.8, 0.95, 1e-3, 0.05
    w, m, v, ours = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)
    optimizer = Adam(rate, b1, b2, epsilon)
    optimizer.start(ours)
    for t, scale in enumerate(SCALES, start=1):
        g = GRADIENT(w)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        w = w - rate * scale * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon)
        optimizer.update(ours, GRADIENT(ours), scale)
        np.testing.assert_allclose(ours, w, rtol=1e-12)


def test_adams_first_step_is_the_learning_rate_whatever_the_gradients_size():
    for size in (1e-3, 1.0, 1e6):
        w = np.zeros(2)
        optimizer = Adam(0.01)
        optimizer.start(w)
        optimizer.update(w, np.array([size, -size]), 1.0)
        np.testing.assert_allclose(w, [-0.01, 0.01], rtol=1e-4)


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.3)], ids=["SGD", "Adam"])
def test_optimisers_find_the_minimum_of_a_quadratic(optimizer):
    w = np.zeros(3)
    optimizer.start(w)
    for step in range(600):
        optimizer.update(w, GRADIENT(w), cosine_decay(step / 600))
    np.testing.assert_allclose(w, [3.0, -1.0, 0.2], atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [SGD(), Adam()], ids=["SGD", "Adam"])
def test_optimisers_work_in_place_and_leave_the_gradient_alone(optimizer, dtype):
    w, g = np.ones(100_000, dtype), np.full(100_000, 0.5, dtype)
    memory, before = w.ctypes.data, g.copy()
    optimizer.start(w)
    optimizer.update(w, g, 1.0)
    tracemalloc.start()
    optimizer.update(w, g, 1.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000, "a copy of the parameters takes 400 kB"
    assert w.ctypes.data == memory and w.dtype == dtype and (w < 1).all()
    np.testing.assert_array_equal(g, before)


@pytest.mark.parametrize("optimizer", [SGD(0.01), Adam()], ids=["SGD", "Adam"])
def test_a_used_optimiser_starts_afresh(optimizer):
    results = []
    for _ in range(2):
        model = MLP((64, 10), seed=1)
        train(model, DIGITS.train, hard_labels(DIGITS.train), steps=20, optimizer=optimizer)
        results.append(model.vector)
    np.testing.assert_array_equal(*results)


# schedules


def test_schedules_are_their_formulas():
    assert [constant(x) for x in (0.0, 0.5, 1.0)] == [1, 1, 1]
    assert [cosine_decay(x) for x in (0.0, 0.5, 1.0)] == pytest.approx([1, 0.5, 0])
    assert cosine_decay(0.25) == pytest.approx(0.5 + np.sqrt(2) / 4)


def test_the_schedule_scales_the_learning_rate_of_each_step():
    class Scales(SGD):
        seen = ()

        def update(self, vector, gradient, scale):
            self.seen = (*self.seen, scale)

    optimizer, asked = Scales(), []

    def schedule(done):
        asked.append(done)
        return 7 * done

    train(MLP((2, 2)), split_of(4), Recorder(), steps=5, optimizer=optimizer, schedule=schedule)
    assert asked == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert optimizer.seen == pytest.approx([7 * done for done in asked])


# batches


@pytest.mark.parametrize(
    "n, batch_size, sizes", [(10, 4, [4, 4, 2]), (10, 5, [5, 5]), (3, 32, [3])]
)
def test_a_pass_visits_each_example_once_in_an_order_of_its_own(n, batch_size, sizes):
    recorder = Recorder()
    steps = 4 * len(sizes)
    train(MLP((2, 2)), split_of(n), recorder, steps=steps, batch_size=batch_size)
    assert [len(rows) for rows in recorder.index] == 4 * sizes
    passes = np.concatenate(recorder.index).reshape(4, n)
    np.testing.assert_array_equal(np.sort(passes, axis=1), np.tile(np.arange(100, 100 + n), (4, 1)))
    assert len({tuple(order) for order in passes}) > 1


@pytest.mark.parametrize("n, batch_size", [(10, 4), (33, 32), (10, 5), (3, 32)])
def test_the_epoch_counts_whole_passes_even_if_the_last_batch_is_smaller(n, batch_size):
    recorder = Recorder()
    per_pass = int(np.ceil(n / batch_size))
    train(MLP((2, 2)), split_of(n), recorder, steps=3 * per_pass, batch_size=batch_size)
    assert recorder.epochs[::per_pass] == [0, 1, 2]
    assert (np.diff(recorder.epochs) > 0).all()


def test_the_objective_is_given_the_scores_of_just_those_examples():
    class Checks(Recorder):
        def __call__(self, scores, index, epoch):
            np.testing.assert_allclose(scores["logits"], np.stack([index, index], 1) * [1, 2])
            return super().__call__(scores, index, epoch)

    model = MLP((2, 2))
    model.vector[:] = [1, 0, 0, 2, 0, 0]
    train(model, split_of(10), Checks(), steps=7, batch_size=4)


def test_two_objectives_with_the_same_seed_get_the_same_batches():
    recorders = [Recorder(), Recorder(), Recorder()]
    for recorder, seed, model in zip(
        recorders, (5, 5, 6), (MLP((2, 2)), MLP((2, 9, 2)), MLP((2, 2))), strict=True
    ):
        train(model, split_of(50), recorder, steps=10, batch_size=8, seed=seed)
    first, same, other = (np.concatenate(r.index) for r in recorders)
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_seed_gives_the_same_model_bit_for_bit(dtype):
    models, histories = [], []
    for _ in range(2):
        models.append(MLP((64, 16, 10), seed=3, dtype=dtype))
        objective = hard_labels(DIGITS.train)
        options = {"steps": 60, "validation": DIGITS.validation, "seed": 4, "look_every": 20}
        histories.append(train(models[-1], DIGITS.train, objective, **options))
    assert models[0].vector.tobytes() == models[1].vector.tobytes()
    assert models[0].vector.dtype == dtype
    assert histories[0].nll == histories[1].nll


def test_training_is_the_loop_written_out():
    """Forward, loss, backward, step: nothing else happens to the model."""
    ours, w = MLP((64, 10), seed=1, dtype=np.float64), MLP((64, 10), seed=1, dtype=np.float64)
    recorder = Recorder()
    train(MLP((64, 10)), DIGITS.train, recorder, steps=30, batch_size=16, seed=2)
    where = {index: row for row, index in enumerate(DIGITS.train.index)}
    for index in recorder.index:
        rows = [where[i] for i in index]
        x = DIGITS.train.inputs[rows].astype(np.float64)
        W, b = w.parameters["W1"], w.parameters["b1"]
        g = cross_entropy(x @ W + b, DIGITS.train.labels[rows]).gradient
        W -= 0.1 * x.T @ g
        b -= 0.1 * g.sum(axis=0)
    objective = hard_labels(DIGITS.train)
    plain = SGD(0.1, momentum=0)
    train(ours, DIGITS.train, objective, steps=30, batch_size=16, seed=2, optimizer=plain)
    np.testing.assert_allclose(ours.vector, w.vector, rtol=1e-10, atol=1e-12)


def test_training_learns_the_digits():
    model = MLP((64, 32, 10))
    train(model, DIGITS.train, hard_labels(DIGITS.train), steps=400)
    assert accuracy(model.logits(DIGITS.test.inputs), DIGITS.test.labels) > 0.94


# history and early stopping


def test_the_history_holds_means_since_the_last_look():
    values = [4.0, 2.0, 9.0, 3.0, 1.0]
    history = train(MLP((2, 2)), split_of(4), Recorder(values), steps=5, look_every=2)
    assert history.step == [0, 2, 4, 5]
    assert np.isnan(history.loss[0]) and history.loss[1:] == [3.0, 6.0, 1.0]
    assert history.parts == [{}, *({"recorded": v} for v in (3.0, 6.0, 1.0))]
    assert history.accuracy == history.nll == [] and history.best_step == 5


def test_the_history_allows_terms_that_come_and_go():
    class ComesAndGoes(Recorder):
        def __call__(self, scores, index, epoch):
            super().__call__(scores, index, epoch)
            step = len(self.index)
            return Outcome(0.0, {}, {"early": 1.0} if step <= 3 else {"late": float(step)})

    history = train(MLP((2, 2)), split_of(4), ComesAndGoes(), steps=6, look_every=2)
    assert history.parts[1:] == [{"early": 1.0}, {"early": 1.0, "late": 4.0}, {"late": 5.5}]


def test_the_history_keeps_no_gradients():
    seen = []

    class Watches(Recorder):
        def __call__(self, scores, index, epoch):
            gradient = np.zeros_like(scores["logits"])
            seen.append(weakref.ref(gradient))
            assert sum(ref() is not None for ref in seen) <= 2  # this one and the last
            return Outcome(0.0, {"logits": gradient}, {})

    train(MLP((2, 2)), split_of(4), Watches(), steps=10, look_every=10)


def test_the_history_looks_at_validation_as_the_metrics_do():
    model = MLP((64, 10))
    history = train(
        model, DIGITS.train, hard_labels(DIGITS.train), steps=30, validation=DIGITS.validation
    )
    logits = model.logits(DIGITS.validation.inputs)
    assert history.accuracy[-1] == accuracy(logits, DIGITS.validation.labels)
    assert history.nll[-1] == negative_log_likelihood(logits, DIGITS.validation.labels)
    fresh = MLP((64, 10)).logits(DIGITS.validation.inputs)
    assert history.nll[0] == negative_log_likelihood(fresh, DIGITS.validation.labels)


class Walk(SGD):
    """Instead of learning, goes through given values of the only parameters."""

    def __init__(self, values):
        super().__init__()
        self.values = iter(values)

    def update(self, vector, gradient, scale):
        vector[:] = [next(self.values), 0, 0, 0]  # W1 (one input, two classes), b1


def walk(values, **options):
    """Train along values of which 0 is the worst and larger ones are better."""
    model = MLP((1, 2))
    model.vector[:] = 0
    ones = Split(np.ones((4, 1), np.float32), np.zeros(4, int), np.arange(4))
    options = {"look_every": 1, "validation": ones, "optimizer": Walk(values)} | options
    history = train(model, ones, Recorder(), steps=len(values), **options)
    return model.parameters["W1"][0, 0], history


def test_early_stopping_stops_after_its_patience_and_gives_back_the_best():
    best, history = walk([1, 3, 2, 2.5, 2.9, 4], patience=3)
    assert (best, history.best_step, history.step[-1]) == (3, 2, 5)
    best, history = walk([1, 3, 2, 2.5, 2.9, 4], patience=4)
    assert (best, history.best_step, history.step[-1]) == (4, 6, 6)


def test_a_better_look_renews_the_patience():
    best, history = walk([1, 0, 2, 1, 3, 2, 1, 4], patience=2)
    assert (best, history.best_step, history.step[-1]) == (3, 5, 7)


def test_patience_is_counted_in_looks():
    best, history = walk([1, 5, 2, 2, 2, 2, 2, 2], patience=2, look_every=2)
    assert (best, history.best_step, history.step) == (5, 2, [0, 2, 4, 6])


def test_a_model_that_only_gets_worse_is_given_back_as_it_was():
    best, history = walk([-1, -2, -3], patience=2)
    assert (best, history.best_step, history.step[-1]) == (0, 0, 2)


def test_a_likelihood_that_stands_still_runs_out_of_patience():
    best, history = walk([2, 2, 2, 2, 2], patience=2)
    assert (best, history.best_step, history.step[-1]) == (2, 1, 3)


def test_without_patience_the_last_parameters_stay():
    last, history = walk([3, 1])
    assert (last, history.best_step) == (1, 2)


# progress


@pytest.mark.parametrize(
    "seconds_per_step, threaded, shown",
    [(0.01, False, False), (0.3, False, True), (0.3, True, False)],
)
def test_only_a_long_run_shows_progress_and_only_where_it_was_started(
    monkeypatch, seconds_per_step, threaded, shown
):
    clock, out = [0.0], io.StringIO()
    monkeypatch.setattr(tqdm.std, "time", lambda: clock[0])
    monkeypatch.setattr(training, "tqdm", partial(tqdm.std.tqdm, file=out, disable=False))

    class Slow(Recorder):
        def __call__(self, *given):
            clock[0] += seconds_per_step
            return super().__call__(*given)

    run = partial(train, MLP((2, 2)), split_of(4), Slow(), steps=20)
    if threaded:
        with ThreadPoolExecutor(1) as other:
            other.submit(run).result()
    else:
        run()
    assert ("training" in out.getvalue()) == shown


# bad input


@pytest.mark.parametrize("name", ["steps", "batch_size", "look_every", "patience"])
@pytest.mark.parametrize("number", NOT_WHOLE, ids=repr)
def test_counts_are_whole_numbers(name, number):
    options = {"steps": 3, "validation": split_of(4)} | {name: number}
    if name == "patience" and number is None:
        return  # the default: no early stopping
    message = f"{name} must be a whole number of at least 1, got {number!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        train(MLP((2, 2)), split_of(4), Recorder(), **options)


def test_patience_needs_a_validation_split():
    with pytest.raises(ValueError, match="patience needs a validation split"):
        train(MLP((2, 2)), split_of(4), Recorder(), steps=3, patience=2)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
@pytest.mark.parametrize("rate", NOT_POSITIVE, ids=repr)
def test_a_learning_rate_is_above_0(optimizer, rate):
    message = f"learning_rate must be a finite number above 0, got {rate!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        optimizer(rate)


@pytest.mark.parametrize("optimizer, name", [(SGD, "momentum"), (Adam, "beta1"), (Adam, "beta2")])
@pytest.mark.parametrize("decay", [-0.1, 1, 1.5, np.nan, np.inf, "0.9", None, True], ids=repr)
def test_a_decay_lies_in_0_to_1(optimizer, name, decay):
    message = f"{name} must be a number in 0 .. 1, 1 excluded, got {decay!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        optimizer(**{name: decay})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_names_the_step_and_the_learning_rate(value):
    message = "the loss became infinite or nan at step 3; a learning rate lower than 0.25"
    with pytest.raises(ValueError, match=message):
        train(MLP((2, 2)), split_of(4), Recorder([1, 1, value]), steps=5, optimizer=SGD(0.25))


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize("look_every", [1, 50])
def test_a_model_that_diverges_gets_the_advice_too(look_every):
    """Its logits would not even be accepted by a loss, or by the look at validation."""
    message = r"the logits became infinite or nan at step \d+; a learning rate lower than 1e\+30"
    with pytest.raises(ValueError, match=message):
        train(
            MLP((64, 16, 10)),
            DIGITS.train,
            hard_labels(DIGITS.train),
            steps=50,
            optimizer=SGD(1e30),
            validation=DIGITS.validation,
            look_every=look_every,
        )


def test_inputs_of_another_width_are_refused():
    with pytest.raises(ValueError, match=re.escape("(examples, 3), got (4, 2)")):
        train(MLP((3, 2)), split_of(4), Recorder(), steps=3)


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf, "1"])
def test_a_schedule_that_gives_no_rate_is_named(bad):
    def schedule(done):
        return bad if done >= 0.8 else 1.0

    message = f"the schedule at step 5 must be a finite number of at least 0, got {bad!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        train(MLP((64, 10)), DIGITS.train, hard_labels(DIGITS.train), steps=5, schedule=schedule)


def test_parameters_that_the_last_step_spoils_are_noticed():
    class Spoils(SGD):
        def update(self, vector, gradient, scale):
            vector[:] = np.nan

    with pytest.raises(Diverged, match="the parameters became infinite or nan at step 1"):
        objective = hard_labels(DIGITS.train)
        train(MLP((64, 10)), DIGITS.train, objective, steps=1, optimizer=Spoils())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"optimizer": Adam}, "optimizer must be one such as Adam(0.01), got <class"),
        ({"seed": None}, "seed must be a whole number of at least 0, got None"),
        ({"validation": DIGITS}, "validation must be a Split, got Dataset"),
        ({"augment": 0.04}, "augment must be a function, got 0.04"),
        ({"after_step": 4.0}, "after_step must be a function, got 4.0"),
    ],
)
def test_a_training_that_cannot_be_repeated_is_refused(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        train(MLP((64, 10)), DIGITS.train, hard_labels(DIGITS.train), steps=1, **given)
