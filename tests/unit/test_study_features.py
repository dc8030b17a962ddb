"""Losses on features: by their definitions, by finite differences, and in training."""

import re

import numpy as np
import pytest
from oracles import central_differences

from distill_lib import (
    AveragePool2d,
    Conv2d,
    Linear,
    Network,
    ReLU,
    TeacherOutputs,
    Term,
    WeightedTerms,
    digits,
    hard_label_loss,
    rationale_cosine,
    train,
)


@pytest.fixture(scope="module")
def features(study):
    return study("features")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_hint_is_its_definition_and_its_gradients_are_finite_differences(features, rng):
    student, W = rng.normal(size=(5, 3)), rng.normal(size=(3, 4))
    teacher = rng.normal(size=(5, 4))
    loss, dW = features.hint(student, teacher, W)
    by_hand = [
        (sum(student[n, i] * W[i, k] for i in range(3)) - teacher[n, k]) ** 2
        for n, k in np.ndindex(5, 4)
    ]
    assert loss.value == pytest.approx(np.mean(by_hand), rel=1e-12)
    of_student = central_differences(lambda x: features.hint(x, teacher, W)[0].value, student)
    of_map = central_differences(lambda x: features.hint(student, teacher, x)[0].value, W)
    np.testing.assert_allclose(loss.gradient, of_student, atol=1e-9)
    np.testing.assert_allclose(dW, of_map, atol=1e-9)


def test_a_map_of_attention_is_the_sum_of_squared_channels(features, rng):
    images = rng.normal(size=(4, 3, 2, 5))  # examples, lines, columns, channels
    found = features.attention_map(images.reshape(4, -1), 5)
    np.testing.assert_allclose(found, (images**2).sum(axis=-1).reshape(4, 6), rtol=1e-12)


def test_attention_is_its_definition_and_twice_the_cosine_loss_of_the_maps(features, rng):
    student, teacher = rng.normal(size=(4, 6 * 2)), rng.normal(size=(4, 6 * 5))
    q, p = features.attention_map(student, 2), features.attention_map(teacher, 5)
    loss = features.attention(student, teacher, 2, 5)
    distances = [
        np.sum((one / np.linalg.norm(one) - other / np.linalg.norm(other)) ** 2)
        for one, other in zip(q, p, strict=True)
    ]
    assert loss.value == pytest.approx(np.mean(distances), rel=1e-12)
    assert loss.value == pytest.approx(2 * rationale_cosine(q, p).value, rel=1e-12)


def test_gradients_of_attention_are_those_of_finite_differences(features, rng):
    student, teacher = rng.normal(size=(3, 4 * 2)), rng.normal(size=(3, 4 * 3))
    found = features.attention(student, teacher, 2, 3).gradient
    expected = central_differences(lambda x: features.attention(x, teacher, 2, 3).value, student)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    behind = features.behind_relu(lambda z, _: features.attention(z, teacher, 2, 3))
    expected = central_differences(lambda x: behind(x, None).value, student)
    np.testing.assert_allclose(behind(student, None).gradient, expected, atol=1e-9)
    assert (behind(student, None).gradient[student < 0] == 0).all()


def test_attention_looks_at_no_size_and_at_no_order_of_channels(features, rng):
    teacher = rng.normal(size=(4, 6 * 3))
    same = 7 * teacher.reshape(4, 6, 3)[:, :, [2, 0, 1]].reshape(4, -1)
    loss = features.attention(same, teacher, 3, 3)
    assert loss.value == pytest.approx(0, abs=1e-12) and np.abs(loss.gradient).max() < 1e-12


def test_a_map_of_zeros_is_at_a_distance_of_1_and_has_no_gradient(features, rng):
    student, teacher = rng.normal(size=(2, 8)), rng.normal(size=(2, 8))
    alone = features.attention(student[:1], teacher[:1], 2, 2)
    student[1] = 0
    loss = features.attention(student, teacher, 2, 2)
    assert loss.value == pytest.approx((alone.value + 1) / 2, rel=1e-12)
    assert not loss.gradient[1].any()
    np.testing.assert_allclose(loss.gradient[0], alone.gradient[0] / 2, rtol=1e-12)


def net(filters, seed=0):
    one = Conv2d((8, 8, 1), filters, name="conv_1")
    pool = AveragePool2d(one.output_image)
    layers = [one, ReLU(), pool, Linear(pool.sizes[1], {"logits": 10}, gain=1.0)]
    return Network(layers, seed, np.float64)


@pytest.fixture(scope="module")
def taught():
    """Some digits, and what a teacher of other channels computes of them."""
    split = digits(np.float64).train.take(np.arange(200))
    return split, TeacherOutputs.of(net(6, seed=1), split)


def test_a_student_learns_attention_and_hints(features, taught):
    split, outputs = taught

    def attended(z, index):
        return features.attention(z, outputs.at(index, "conv_1"), 3, 6)

    hinted = features.LearnedHint(outputs, "conv_1", 192, rate=0.003, seed=0)
    for loss in (attended, features.behind_relu(attended), hinted):
        student = net(3)
        terms = Term("hard", 0.2, hard_label_loss(split)), Term("features", 1.0, loss, "conv_1")
        history = train(student, split, WeightedTerms(*terms), steps=120, look_every=20)
        values = [part["features"] for part in history.parts[1:]]
        assert values[-1] < 0.6 * values[0]


def test_the_map_of_a_hint_is_repeated_by_its_seed(features, taught):
    _, outputs = taught
    made = [features.LearnedHint(outputs, "conv_1", 192, rate=0.1, seed=s).W for s in (1, 1, 2)]
    np.testing.assert_array_equal(made[0], made[1])
    assert made[0].shape == (192, 384) and (made[0] != made[2]).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, x: f.hint(x, x, np.ones((3, 8))), "features has as many rows, got (3, 8)"),
        (lambda f, x: f.hint(x, x, np.ones((8, 3))), "must have the same shape"),
        (lambda f, x: f.attention_map(x, 3), "must have shape (examples, places · 3), got (2, 8)"),
        (lambda f, x: f.attention_map(x, 0), "channels must be a whole number of at least 1"),
        (lambda f, x: f.attention_map(x * np.nan, 2), "features must be finite"),
        (lambda f, x: f.attention(x, x, 2, 4), "the same examples and places, got (2, 4), (2, 2)"),
    ],
)
def test_features_that_do_not_fit_are_refused(features, call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(features, np.ones((2, 8)))
