"""What the founding paper's teacher is made of: each part by its definition, all in the loop."""

import re

import numpy as np
import pytest
from oracles import NOT_POSITIVE, NOT_WHOLE

from distill_lib import (
    MLP,
    SGD,
    Dropout,
    Linear,
    Network,
    ReLU,
    cosine_decay,
    cross_entropy,
    digits,
    hard_labels,
    train,
)
from distill_lib.training import Outcome

DIGITS = digits()


@pytest.fixture(scope="module")
def regularise(study):
    return study("regularise")


class Order:
    """An objective that teaches nothing and remembers the order of the examples."""

    def __init__(self):
        self.index = []

    def __call__(self, scores, index, epoch):
        self.index.append(index.copy())
        return Outcome(0.0, {}, {})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("side", "pixels"), [(9, 2), (5, 1), (3, 4)])
def test_jitter_moves_each_image_by_its_own_draw_and_loses_what_goes_out(
    regularise, side, pixels, dtype
):
    images = np.random.default_rng(0).random((60, side, side)).astype(dtype)
    given, seen = images.reshape(60, -1), set()
    moved = regularise.jitter(pixels)(given, np.random.default_rng(1))
    assert moved.dtype == dtype and moved.flags.c_contiguous
    np.testing.assert_array_equal(given, images.reshape(60, -1))
    moves = range(-pixels, pixels + 1)
    for before, after in zip(images, moved.reshape(images.shape), strict=True):
        places = []
        for down, right in [(down, right) for down in moves for right in moves]:
            expected = np.zeros_like(before)  # pixel by pixel
            for row, column in np.ndindex(side, side):
                if 0 <= row - down < side and 0 <= column - right < side:
                    expected[row, column] = before[row - down, column - right]
            if np.array_equal(expected, after):
                places.append((down, right))
        assert places, "no move gives this image"
        seen |= set(places) if len(places) == 1 else set()
    assert len(seen) > 8


def test_all_moves_of_a_jitter_are_equally_likely(regularise):
    dot = np.zeros((25_000, 49), np.float32)
    dot[:, 24] = 1  # the middle of 7 x 7
    places = regularise.jitter(2)(dot, np.random.default_rng(0)).argmax(axis=1)
    counts = np.bincount(places, minlength=49).reshape(7, 7)
    assert counts.sum() == counts[1:6, 1:6].sum() == 25_000
    assert np.abs(counts[1:6, 1:6] - 1000).max() < 5 * np.sqrt(1000)


def test_jitter_needs_square_images(regularise):
    with pytest.raises(ValueError, match="jitter needs square images, got 63 inputs"):
        regularise.jitter(2)(np.zeros((3, 63)), np.random.default_rng(0))


@pytest.mark.parametrize("number", NOT_WHOLE, ids=repr)
def test_jitter_is_of_whole_pixels_and_averages_of_whole_steps(regularise, number):
    with pytest.raises(ValueError, match=re.escape(f"at least 1, got {number!r}")):
        regularise.jitter(number)
    with pytest.raises(ValueError, match=re.escape(f"at least 1, got {number!r}")):
        regularise.Average(0.9, number)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_max_norm_shortens_what_is_longer_and_nothing_else(regularise, dtype):
    model = MLP((64, 30, 10), seed=1, dtype=dtype)
    before = {name: p.copy() for name, p in model.parameters.items()}
    before["b1"][:] = model.parameters["b1"][:] = 7
    regularise.max_norm(1.3)(model)
    changed = 0
    for name, after in model.parameters.items():
        for k in range(before[name].shape[-1]):
            unit, length = before[name][..., k], np.linalg.norm(before[name][..., k])
            if name[0] == "W" and length > 1.3:
                unit, changed = unit * (1.3 / length), changed + 1
            np.testing.assert_allclose(after[..., k], unit, rtol=1e-6)
    assert 5 < changed < 35
    inside = model.vector.copy()
    regularise.max_norm(1.4)(model)
    np.testing.assert_array_equal(model.vector, inside)


def test_weights_of_0_have_no_length_to_shorten(regularise):
    model = MLP((4, 3))
    model.vector[:] = 0
    regularise.max_norm(1.0)(model)
    assert not model.vector.any()


@pytest.mark.parametrize("length", NOT_POSITIVE, ids=repr)
def test_a_length_is_above_0(regularise, length):
    with pytest.raises(
        ValueError, match=re.escape(f"length must be a finite number above 0, got {length!r}")
    ):
        regularise.max_norm(length)


@pytest.mark.parametrize("every", [1, 3])
def test_an_average_is_its_textbook_formula(regularise, every):
    """A plain mean as long as that forgets faster, then the exponential one."""
    values = np.random.default_rng(0).normal(size=(40, 4))
    model, average, seen, expected = (
        MLP((1, 2), dtype=np.float64),
        regularise.Average(0.9, every),
        [],
        0.0,
    )
    for k, value in enumerate(values, start=1):
        model.vector[:] = value
        average(model)
        if k % every == 0:
            seen.append(value)
            early = len(seen) <= 10
            expected = np.mean(seen, axis=0) if early else 0.9 * expected + 0.1 * value
        if seen:
            np.testing.assert_allclose(average.vector, expected, rtol=1e-12)
    model.vector = average.vector
    assert not np.shares_memory(model.vector, average.vector)


def test_a_regularised_training_is_the_loop_written_out(regularise):
    """Input and hidden dropout, jitter, momentum, a schedule, max-norm and an average, by hand."""
    sizes, steps, rate, seed = (64, 20, 10), 25, 0.3, 6
    layers = [Dropout(0.2), Linear(64, {"hidden_1": 20}), ReLU(), Dropout(0.5)]
    model = Network([*layers, Linear(20, {"logits": 10}, 1.0)], 1, np.float64)
    w = MLP(sizes, seed=1, dtype=np.float64).parameters
    velocity = {name: np.zeros_like(p) for name, p in w.items()}
    limit, average, recorder = regularise.max_norm(1.2), regularise.Average(0.8), Order()
    train(MLP((64, 10)), DIGITS.train, recorder, steps=steps, batch_size=16, seed=seed)

    def after_step(model):
        limit(model)
        average(model)

    objective = hard_labels(DIGITS.train)
    train(
        model, DIGITS.train, objective, steps=steps, batch_size=16, seed=seed,
        optimizer=SGD(rate), schedule=cosine_decay, augment=regularise.jitter(1),
        after_step=after_step,
    )  # fmt: skip
    where = {index: row for row, index in enumerate(DIGITS.train.index)}
    mean, moves, drops = 0.0, np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    for step, index in enumerate(recorder.index):
        rows = [where[i] for i in index]
        x = regularise.jitter(1)(DIGITS.train.inputs[rows].astype(float), moves)
        x = x * (drops.random(x.shape) >= 0.2) / 0.8
        z = x @ w["W1"] + w["b1"]
        kept = (drops.random(z.shape) >= 0.5) / 0.5
        h = np.maximum(z, 0) * kept
        g = cross_entropy(h @ w["W2"] + w["b2"], DIGITS.train.labels[rows]).gradient
        g1 = (g @ w["W2"].T) * kept * (z > 0)
        gradients = {"W1": x.T @ g1, "b1": g1.sum(0), "W2": h.T @ g, "b2": g.sum(0)}
        for name, p in w.items():
            velocity[name] = 0.9 * velocity[name] + gradients[name]
            p -= rate * cosine_decay(step / steps) * velocity[name]
            if name[0] == "W":
                p *= np.minimum(1, 1.2 / np.linalg.norm(p, axis=0))
        vector = np.concatenate([p.ravel() for p in w.values()])
        mean = mean + max(0.2, 1 / (step + 1)) * (vector - mean)
    np.testing.assert_allclose(model.vector, vector, atol=1e-10)
    np.testing.assert_allclose(average.vector, mean, atol=1e-10)
    assert np.linalg.norm(w["W1"], axis=0).max() == pytest.approx(1.2), "nothing was shortened"
