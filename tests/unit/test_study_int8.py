"""The study of few bits does what its formulas say."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from oracles import NOT_WHOLE

from distill_lib import MLP, SGD, digits, hard_labels, recorded, softmax, train

pytestmark = pytest.mark.slow  # the digits, and all that a study imports
EVERY_BITS = pytest.mark.parametrize("bits", [2, 3, 4, 8])


@pytest.fixture(scope="module")
def int8(study):
    return study("int8")


def weights(seed=0, shape=(20, 7)):
    return np.random.default_rng(seed).normal(size=shape)


@EVERY_BITS
def test_every_weight_becomes_the_nearest_of_its_columns_levels(int8, bits):
    W = weights()
    whole, scale = int8.quantised(W, bits)
    back = int8.dequantised(whole, scale)
    assert whole.dtype == np.int8 and whole.shape == W.shape and scale.shape == (7,)
    most = 2 ** (bits - 1) - 1
    for i, j in np.ndindex(W.shape):  # against every level there is, in exact fractions
        step = Fraction(float(np.abs(W[:, j]).max())) / most
        levels = [k * step for k in range(-most, most + 1)]
        nearest = min(levels, key=lambda level: abs(level - Fraction(float(W[i, j]))))
        assert back[i, j] == pytest.approx(float(nearest), rel=1e-12)
    assert (np.abs(back - W) <= scale / 2 * (1 + 1e-12)).all()
    assert np.abs(whole).max(axis=0).tolist() == [most] * 7


def test_zeros_stay_zeros_and_a_rounded_weight_is_rounded_to_itself(int8):
    W = weights()
    W[:, 2] = 0
    back = int8.dequantised(*int8.quantised(W, 3))
    assert not back[:, 2].any() and np.isfinite(back).all()
    np.testing.assert_allclose(int8.dequantised(*int8.quantised(back, 3)), back, rtol=1e-12)


@pytest.mark.parametrize("bits", [*NOT_WHOLE, 1, 9], ids=repr)
def test_bits_are_two_to_eight(int8, bits):
    with pytest.raises(ValueError, match="bits must be"):
        int8.quantised(weights(), bits)


@EVERY_BITS
def test_the_closest_scale_is_never_further_off_than_the_largest_weights(int8, bits):
    W = weights(shape=(60, 9))
    error = [
        ((int8.dequantised(*how(W, bits)) - W) ** 2).sum(axis=0)
        for how in (int8.closest, int8.quantised)
    ]
    assert (error[0] <= error[1] + 1e-12).all()
    assert error[0].sum() < 0.9 * error[1].sum() or bits > 3


def test_the_closest_of_two_bits_is_the_best_of_all_cuts(int8):
    """Three levels, -s, 0 and s: by trying every set of weights that may lie at ±s."""
    W = weights(3, (6, 1))
    best = min(
        sum((w - s * np.sign(w) * used) ** 2 for w, used in zip(W[:, 0], which, strict=True))
        for which in product([0, 1], repeat=6)
        if any(which)
        for s in [np.abs(W[:, 0])[np.array(which) == 1].mean()]
    )
    error = ((int8.dequantised(*int8.closest(W, 2)) - W) ** 2).sum()
    assert best <= error + 1e-12 and error < 1.05 * best


def test_bytes_are_counted_as_they_would_be_written(int8):
    model = MLP((64, 16, 10))
    assert int8.n_bytes(model, int8.FLOAT) == 4 * model.n_parameters == model.vector.nbytes
    whole = [int8.quantised(model.parameters[name], 8) for name in ("W1", "W2")]
    written = sum(w.nbytes + s.astype(np.float32).nbytes for w, s in whole)
    assert int8.n_bytes(model, 8) == written + 4 * (16 + 10)
    packed = -(-64 * 16 * 3 // 8) + -(-16 * 10 * 3 // 8)
    assert int8.n_bytes(model, 3) == packed + 4 * 2 * (16 + 10)


def test_biases_stay_and_so_does_a_model_of_all_bits(int8):
    model = MLP((64, 16, 10), dtype=np.float64)
    model.parameters["b1"][:] = 0.123
    exact = model.copy()
    int8.round_weights(model, int8.FLOAT)
    np.testing.assert_array_equal(model.vector, exact.vector)
    int8.round_weights(model, 2)
    np.testing.assert_array_equal(model.parameters["b1"], exact.parameters["b1"])
    for name in ("W1", "W2"):
        levels = [len(np.unique(column)) for column in model.parameters[name].T]
        assert max(levels) <= 3 and not np.array_equal(
            model.parameters[name], exact.parameters[name]
        )


@pytest.mark.parametrize("bits", [2, 4])
def test_learning_while_rounded_is_the_loop_written_out(int8, bits):
    """The gradient at the rounded weights, used on those before rounding: one layer."""
    split, rate, steps = digits(np.float64).train, 0.5, 12
    model = MLP((64, 10), seed=4, dtype=np.float64)
    W, b = (model.parameters[name].copy() for name in ("W1", "b1"))
    optimizer = int8.StraightThrough(model, bits, SGD(rate, momentum=0))
    whole = {"steps": steps, "batch_size": len(split)}
    train(model, split, hard_labels(split), optimizer=optimizer, **whole)
    for _ in range(steps):
        rounded = int8.dequantised(*int8.quantised(W, bits))
        p = softmax(split.inputs @ rounded + b) - np.eye(10)[split.labels]
        W -= rate * split.inputs.T @ p / len(split)
        b -= rate * p.mean(axis=0)
    rounded = int8.dequantised(*int8.quantised(W, bits))
    np.testing.assert_allclose(model.parameters["W1"], rounded, atol=1e-12)
    np.testing.assert_allclose(model.parameters["b1"], b, atol=1e-12)
    exact = np.concatenate([W.ravel(), b])
    np.testing.assert_allclose(optimizer.exact, exact, atol=1e-12)


def test_with_all_bits_it_is_plain_training(int8):
    split = digits(np.float64).train
    models = [MLP((64, 10), seed=4, dtype=np.float64) for _ in range(2)]
    optimizers = [SGD(0.1), int8.StraightThrough(models[1], int8.FLOAT, SGD(0.1))]
    for model, optimizer in zip(models, optimizers, strict=True):
        train(model, split, hard_labels(split), optimizer=optimizer, steps=30)
    np.testing.assert_array_equal(models[0].vector, models[1].vector)


def test_fine_tuning_leaves_the_model_before_as_it_was(int8):
    split = digits(np.float64).train
    model = MLP((64, 10), dtype=np.float64)
    before = model.vector.copy()
    plan = {"rate": 0.01, "steps": 3, "batch_size": 32}
    int8.fine_tune(model, 2, split, hard_labels(split), 0, **plan)
    np.testing.assert_array_equal(model.vector, before)


def test_tuning_seeds_see_no_test_split(int8):
    assert not {*int8.TUNING_SEEDS} & {*recorded("int8")["seeds"]}
    setting = {"labels": 100, "bits": 4, "student": "64-16-10", "T": 4, "alpha": 0.1}
    plan = {"first_steps": 2, "first_rate": 0.1, "steps": 2, "batch_size": 32, "rate": 0.01}
    for method in ("rounded", "labels", "answers"):
        measures = int8.int8(method=method, seed=int8.TUNING_SEEDS[0], **setting, **plan)
        assert measures.keys() == {"validation"}
