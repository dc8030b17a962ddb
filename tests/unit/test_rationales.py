"""The rationale, and its losses in an objective."""

import re

import numpy as np
import pytest

from distill_lib import (
    MLP,
    SGD,
    TeacherOutputs,
    consistency,
    cosine_enhanced,
    digits,
    hard_labels,
    rationale_cosine,
    rationale_mse,
    soft_target_loss,
    step_by_step,
    traditional,
    train,
)
from distill_lib.losses import cross_entropy


@pytest.fixture(scope="module")
def data():
    return digits(np.float64).with_n_examples(40)


@pytest.fixture(scope="module")
def teacher(data):
    model = MLP((64, 12, 10), seed=5, dtype=np.float64)
    return TeacherOutputs.of(model, data.transfer)


def scores_of(data, seed=1):
    rng = np.random.default_rng(seed)
    return {"logits": rng.normal(size=(40, 10)), "hidden_1": rng.normal(size=(40, 12))}


def test_step_by_step_is_its_formula(data, teacher):
    scores, index = scores_of(data), data.transfer.index
    z, v = scores["logits"], teacher.at(data.transfer.index)
    outcome = step_by_step(data.transfer, teacher, T=3, alpha=0.2, beta=0.3)(scores, index, 0.0)
    hard, mse = cross_entropy(z, data.transfer.labels), rationale_mse(z, v)
    soft = soft_target_loss(z, v, 3)
    assert outcome.value == pytest.approx(0.2 * hard.value + 0.3 * mse.value + 0.5 * soft.value)
    expected = 0.2 * hard.gradient + 0.3 * mse.gradient + 0.5 * soft.gradient
    np.testing.assert_allclose(outcome.gradients["logits"], expected, atol=1e-14)


def test_cosine_enhanced_is_its_formula_and_its_curriculum_grows_evenly(data, teacher):
    scores, index = scores_of(data), data.transfer.index
    z, v = scores["logits"], teacher.at(index)
    objective = cosine_enhanced(data.transfer, teacher, T=2, alpha=0.5, beta=0.4, curriculum=8)
    hard, cosine = cross_entropy(z, data.transfer.labels), rationale_cosine(z, v)
    soft = soft_target_loss(z, v, 2)
    for epoch, beta in ((0, 0), (2, 0.1), (8, 0.4), (99, 0.4)):
        value = objective(scores, index, epoch).value
        expected = 0.5 * hard.value + beta * cosine.value + (0.5 - beta) * soft.value
        assert value == pytest.approx(expected)


def test_step_by_step_takes_a_curriculum_and_any_comparison(data, teacher):
    scores, index = scores_of(data), data.transfer.index
    plan = {"T": 2, "alpha": 0.5, "beta": 0.4, "curriculum": 8}
    cosine = cosine_enhanced(data.transfer, teacher, **plan)
    same = step_by_step(data.transfer, teacher, **plan, compare=rationale_cosine)
    squares = step_by_step(data.transfer, teacher, **plan)
    for epoch in (0, 2, 9):
        one, other = cosine(scores, index, epoch), same(scores, index, epoch)
        assert one.value == other.value and one.shares == other.shares
    assert squares(scores, index, 2).shares["rationale"] == pytest.approx(
        0.1 * rationale_mse(scores["logits"], teacher.at(index)).value
    )


def test_without_a_rationale_both_methods_are_the_traditional_one(data, teacher):
    trained = []
    for make in (traditional, step_by_step, cosine_enhanced):
        beta = {} if make is traditional else {"beta": 0}
        model = MLP((64, 10), dtype=np.float64)
        objective = make(data.transfer, teacher, T=4, alpha=0.3, **beta)
        train(model, data.transfer, objective, steps=20, optimizer=SGD(0.1))
        trained.append(model.vector)
    assert np.array_equal(trained[0], trained[1]) and np.array_equal(trained[0], trained[2])


def test_a_rationale_on_hidden_scores_has_the_gradient_of_its_value(data, teacher):
    scores, index = scores_of(data), data.transfer.index
    objective = cosine_enhanced(data.transfer, teacher, 2, 0.2, 0.5, "hidden_1", "hidden_1")
    gradient = objective(scores, index, 0).gradients["hidden_1"]
    step = np.zeros_like(scores["hidden_1"])
    step[3, 4] = 1e-6
    values = [
        objective(scores | {"hidden_1": scores["hidden_1"] + s * step}, index, 0).value
        for s in (1, -1)
    ]
    assert gradient[3, 4] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5)


def test_the_learned_map_of_a_rationale_has_right_gradients_and_is_not_counted():
    model = MLP((5, 4, 3), seed=2, dtype=np.float64, rationale=6)
    plain = MLP((5, 4, 3), seed=2, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(7, 5))
    assert np.array_equal(model.logits(x), plain.logits(x))  # the map starts nothing differently
    assert model.n_parameters == plain.n_parameters == plain.vector.size
    assert model.multiply_adds == plain.multiply_adds
    weights = {n: np.random.default_rng(1).normal(size=s.shape) for n, s in model.scores(x).items()}
    for names in (["rationale"], ["logits"], ["logits", "rationale"], ["hidden_1"], [*weights]):
        model.forward(x)
        model.backward({n: weights[n] for n in names})
        found = model.gradient_vector.copy()

        def value(names=names):
            return sum(float(np.sum(weights[n] * model.scores(x)[n])) for n in names)

        for k in range(model.vector.size):
            kept = model.vector[k]
            model.vector[k] = kept + 1e-6
            up = value()
            model.vector[k] = kept - 1e-6
            down = value()
            model.vector[k] = kept
            assert found[k] == pytest.approx((up - down) / 2e-6, abs=1e-6)


def test_a_copy_keeps_the_map_of_its_rationale():
    model = MLP((5, 4, 3), rationale=6)
    x = np.ones((2, 5), np.float32)
    assert np.array_equal(model.copy().scores(x)["rationale"], model.scores(x)["rationale"])


def test_consistency_is_the_mean_squared_difference_and_pulls_both_halves():
    scores = np.random.default_rng(0).normal(size=(8, 3))
    value, gradient = consistency(scores)
    assert value == pytest.approx(np.mean((scores[:4] - scores[4:]) ** 2))
    for k in range(8):
        step = np.zeros_like(scores)
        step[k, 1] = 1e-6
        slope = (consistency(scores + step).value - consistency(scores - step).value) / 2e-6
        assert gradient[k, 1] == pytest.approx(slope, abs=1e-8)
    with pytest.raises(ValueError, match="two equal halves"):
        consistency(scores[:7])


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (lambda x, rng: x[:-1], "scores of its 32 examples, got 31 rows"),
        (lambda x, rng: np.concatenate([x, x]), "scores of its 32 examples, got 64 rows"),
        (lambda x, rng: x[:0], "scores of its 32 examples, got 0 rows"),
        (lambda x, rng: x[:, :5], "inputs must have shape (examples, 64), got (32, 5)"),
        (lambda x, rng: x.astype(float), "inputs must be float32, like the model, got float64"),
        (lambda x, rng: None, "inputs must have shape (examples, 64), got ()"),
    ],
)
def test_an_augmentation_that_loses_examples_or_inputs_is_refused(data, augment, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        train(MLP((64, 10)), data.transfer, hard_labels(data.transfer), steps=1, augment=augment)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 0.8, "beta": 0.3}, "sum to at most 1"),
        ({"beta": -0.1}, "beta"),
        ({"T": 0}, "T"),
        ({"curriculum": -1}, "curriculum"),
    ],
)
def test_bad_settings_of_the_enhanced_method_are_refused(data, teacher, change, message):
    settings = {"T": 2, "alpha": 0.5, "beta": 0.2} | change
    with pytest.raises(ValueError, match=message):
        cosine_enhanced(data.transfer, teacher, **settings)
