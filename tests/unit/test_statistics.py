"""Intervals against SciPy and by simulation; what one method gains on another."""

import re

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from oracles import BAD_SCORES, cases

from distill_lib.statistics import (
    Estimate,
    crossed_interval,
    interval,
    over_seeds,
    paired_difference,
)

samples = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30).filter(lambda x: np.std(x) > 1e-3)


# intervals


@given(samples)
def test_the_interval_is_that_of_scipys_t(values):
    ours = interval(values)
    low, high = scipy.stats.t.interval(
        0.95, len(values) - 1, loc=np.mean(values), scale=scipy.stats.sem(values)
    )
    assert ours.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9, abs=1e-6)
    assert ours.n == len(values)


def test_the_interval_of_four_numbers_by_hand():
    """t of 3 degrees of freedom at 97.5% is 3.18245 in every table."""
    ours = interval([1, 2, 3, 4])
    half = 3.18245 * np.sqrt(5 / 3) / 2
    assert ours == pytest.approx((2.5, 2.5 - half, 2.5 + half, 4), rel=1e-5)


@pytest.mark.parametrize("n", [2, 5, 20])
def test_95_of_100_intervals_cover_the_truth(n):
    draws = np.random.default_rng(n).normal(7, 3, (2000, n))
    covered = np.mean([e.low <= 7 <= e.high for e in map(interval, draws)])
    assert covered == pytest.approx(0.95, abs=0.015)


def test_values_that_never_differ_have_an_interval_of_no_width():
    assert interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5, 3)


@given(samples, st.floats(-100, 100))
def test_a_paired_difference_is_scipys_paired_test_turned_into_an_interval(baseline, gain):
    noise = np.random.default_rng(0).normal(0, 1, len(baseline))
    values = np.array(baseline) + gain + noise
    ours = paired_difference(values, baseline)
    theirs = scipy.stats.ttest_rel(values, baseline).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), rel=1e-6, abs=1e-6)


def test_a_paired_difference_forgets_what_both_have_in_common():
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 10, 20)
    values, baseline = luck + 1 + rng.normal(0, 0.1, 20), luck
    ours = paired_difference(values, baseline)
    assert 0.9 < ours.low < 1 < ours.high < 1.1
    assert interval(values).high - interval(values).low > 5


def test_estimates_print_as_mean_and_half_width_and_can_be_scaled():
    e = Estimate(0.876, 0.861, 0.891, 20)
    assert f"{e.scaled(100):.1f}" == "87.6 ± 1.5"
    assert f"{e.scaled(100):+.1f}" == "+87.6 ± 1.5"
    assert e.scaled(-1) == (-0.876, -0.891, -0.861, 20)
    assert f"{e.scaled(-100):.1f}" == "-87.6 ± 1.5"


@pytest.mark.parametrize("bad, message", **cases(BAD_SCORES))
def test_bad_values_are_refused_and_named(bad, message):
    with pytest.raises(ValueError, match="values .*" + re.escape(message)):
        interval(bad)


@pytest.mark.parametrize("values", [[1.0], [[1.0, 2.0], [3.0, 4.0]]])
def test_an_interval_needs_two_values_along_one_axis(values):
    message = f"two or more along one axis, got shape {np.shape(values)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        interval(values)


@pytest.mark.parametrize("baseline", [[1.0, 2.0], [1.0], [[1.0, 2.0, 3.0]]])
def test_a_paired_difference_needs_the_same_seeds(baseline):
    message = f"needs the same seeds, got (3,) and {np.shape(baseline)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        paired_difference([1.0, 2.0, 3.0], baseline)


# seeds and examples


def crossed(rng, seeds=15, examples=40, of_seed=0.0, of_example=0.0, rest=1.0):
    """Values around 2 with luck of the seed, of the example and of both."""
    luck = of_seed * rng.normal(size=(seeds, 1)) + of_example * rng.normal(size=examples)
    return 2 + luck + rest * rng.normal(size=(seeds, examples))


@pytest.mark.parametrize(
    "lucky", [{"of_seed": 1}, {"of_example": 1}, {"of_seed": 1, "of_example": 2}]
)
def test_95_of_100_intervals_cover_the_truth_whoever_is_lucky(lucky):
    rng = np.random.default_rng(len(lucky))
    found = [crossed_interval(crossed(rng, **lucky)) for _ in range(2000)]
    covered = np.mean([e.low <= 2 <= e.high for e in found])
    assert 0.94 < covered < 0.985  # t of the smaller number: a little wide where the other counts


def test_an_interval_over_seeds_alone_misses_the_luck_of_the_examples():
    rng = np.random.default_rng(0)
    draws = [crossed(rng, of_example=1).mean(axis=1) for _ in range(500)]
    assert np.mean([e.low <= 2 <= e.high for e in map(interval, draws)]) < 0.6


def test_where_examples_do_not_matter_both_intervals_agree():
    values = np.repeat(np.random.default_rng(0).normal(size=(12, 1)), 50, axis=1)
    assert crossed_interval(values) == pytest.approx(interval(values[:, 0]))


def test_a_crossed_interval_by_hand():
    """Two by two: seeds differ by 2, examples by 1, nothing else does."""
    ours, half = crossed_interval([[0, 1], [2, 3]]), 12.7062 * np.sqrt((2 * 2 + 2 * 0.5) / 4)
    assert ours == pytest.approx((1.5, 1.5 - half, 1.5 + half, 2), rel=1e-5)


@pytest.mark.parametrize("values", [[1.0, 2.0], [[1.0, 2.0]], [[1.0], [2.0]]])
def test_a_crossed_interval_needs_seeds_and_examples(values):
    with pytest.raises(ValueError, match=re.escape(f"(seeds, examples), got {np.shape(values)}")):
        crossed_interval(values)


# many seeds


def test_over_seeds_gives_each_measure_over_the_seeds():
    ours = over_seeds(lambda seed: {"a": seed, "b": seed**2}, iter([3, 1, 2]))
    assert {name: values.tolist() for name, values in ours.items()} == {
        "a": [3, 1, 2],
        "b": [9, 1, 4],
    }
    with pytest.raises(ValueError, match="need at least one seed, got none"):
        over_seeds(dict, [])
    message = "all seeds must give ['a'], one gave ['a', 'b']"
    with pytest.raises(ValueError, match=re.escape(message)):
        over_seeds(lambda seed: dict.fromkeys("ab"[: seed + 1], 0.0), [0, 1])
