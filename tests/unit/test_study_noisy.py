"""Noisy copies: what they are, who sees them, and what the consistency with them adds."""

import re

import numpy as np
import pytest
from oracles import NOT_POSITIVE

from distill_lib import (
    MLP,
    TeacherOutputs,
    consistency,
    cosine_enhanced,
    digits,
    hard_labels,
    train,
)
from distill_lib.training import Outcome


@pytest.fixture(scope="module")
def noisy(study):
    return study("noisy")


@pytest.fixture(scope="module")
def data():
    return digits(np.float64).with_n_examples(40)


@pytest.fixture(scope="module")
def plain(data):
    """The enhanced method without the consistency, of a teacher that is not trained."""
    model = MLP((64, 12, 10), seed=5, dtype=np.float64)
    teacher = TeacherOutputs.of(model, data.transfer)
    return cosine_enhanced(data.transfer, teacher, 2, 0.5, 0.2)


def test_only_the_consistency_sees_noisy_copies(noisy, data, plain):
    seen = []

    class Spy(MLP):
        def forward(self, inputs, rng=None):
            seen.append(inputs.copy())
            return super().forward(inputs, rng)

    objective = noisy.steadied(plain, 0.25)
    plan = {"steps": 5, "batch_size": 8, "augment": noisy.noisy_copies(0.1)}
    train(Spy((64, 10), dtype=np.float64), data.transfer, objective, **plan)
    clean, copies = np.split(seen[-1], 2)
    assert len(clean) == 8 and 0.08 < (copies - clean).std() < 0.12
    scores, index = np.random.default_rng(2).normal(size=(80, 10)), data.transfer.index
    outcome, base = (
        objective({"logits": scores}, index, 0),
        plain({"logits": scores[:40]}, index, 0),
    )
    extra = consistency(scores)
    assert outcome.value == pytest.approx(base.value + 0.25 * extra.value)
    assert outcome.value == sum(outcome.shares.values())
    assert outcome.parts == {**base.parts, "consistency": extra.value}
    expected = 0.25 * extra.gradient
    expected[:40] += base.gradients["logits"]
    np.testing.assert_allclose(outcome.gradients["logits"], expected, atol=1e-14)


def test_scores_without_one_copy_of_each_example_are_refused(noisy, plain):
    for rows in (2, 6):  # none, and two of each
        with pytest.raises(ValueError, match=f"one copy of each of 2 examples, got {rows} rows"):
            noisy.steadied(plain, 0.25)({"logits": np.zeros((rows, 10))}, np.arange(2), 0.0)


def test_on_copies_asks_about_each_example_and_its_copy(noisy):
    asked = []

    def objective(scores, index, epoch):
        asked.append((len(scores["logits"]), index.tolist(), epoch))
        return Outcome(0.0, {}, {})

    noisy.on_copies(objective)({"logits": np.zeros((4, 3))}, np.array([7, 5]), 0.5)
    assert asked == [(4, [7, 5, 7, 5], 0.5)]


def test_noise_leaves_the_order_of_the_examples_as_it_is(noisy, data):
    orders = []
    for augment in (None, noisy.noisy_copies(0.1)):
        seen, base = [], hard_labels(data.transfer)

        def objective(scores, index, epoch, seen=seen, base=base):
            seen.append(index)
            return base(scores, index, epoch)

        plan = {"steps": 9, "batch_size": 8, "seed": 3, "augment": augment}
        both = noisy.steadied(objective, 0.25) if augment else objective
        train(MLP((64, 10)), data.transfer, both, **plan)
        orders.append(np.concatenate(seen))
    assert np.array_equal(*orders)


@pytest.mark.parametrize("noise", NOT_POSITIVE, ids=repr)
def test_noise_is_above_0(noisy, noise):
    with pytest.raises(ValueError, match=re.escape(f"above 0, got {noise!r}")):
        noisy.noisy_copies(noise)


@pytest.mark.parametrize("weight", [-0.1, np.nan, None])
def test_the_weight_of_the_consistency_is_at_least_0(noisy, plain, weight):
    with pytest.raises(ValueError, match="weight must be a finite number of at least 0"):
        noisy.steadied(plain, weight)
