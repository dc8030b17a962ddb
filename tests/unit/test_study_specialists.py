"""The rule of the weekday, how dates are written, and the specialists' combination are right."""

from datetime import date

import numpy as np
import pytest

from distill_lib import cross_entropy, softmax

pytestmark = pytest.mark.slow  # what a study imports


@pytest.fixture
def rule(study):
    return study("weekday")


# --- The weekday ----------------------------------------------------------------------------------


def test_the_rule_is_pythons_calendar_over_four_hundred_years_and_more(rule):
    dates = rule.calendar(1583, 2410)
    python = [date(*map(int, row)) for row in dates]
    assert len(dates) == (python[-1] - python[0]).days + 1
    np.testing.assert_array_equal(rule.weekday(dates), [day.weekday() for day in python])


@pytest.mark.parametrize(
    "day, name", [((1900, 2, 28), "Wed"), ((2000, 2, 29), "Tue"), ((2100, 3, 1), "Mon")]
)
def test_the_days_around_a_centurys_end_of_february_are_right(rule, day, name):
    assert date(*day).strftime("%a") == name
    assert rule.weekday(np.array([day]))[0] == date(*day).weekday()


def test_the_terms_are_whole_and_sum_to_the_weekday(rule):
    dates = rule.calendar(1999, 2001)
    terms = rule.terms(dates)
    assert terms.min() == 0 and terms.max() == 6
    np.testing.assert_array_equal(terms.sum(axis=1) % 7, rule.weekday(dates))
    corrected = set(map(tuple, dates[terms[:, 4] > 0, :2]))
    assert corrected == {(2000, 1), (2000, 2)}


def test_running_sums_end_one_step_before_the_answer(rule):
    dates = rule.calendar(1996, 2004)
    january, first, day = rule.running_sums(dates).T
    np.testing.assert_array_equal((first + day - 1) % 7, rule.weekday(dates))
    for row in dates[::97]:
        python = date(*map(int, row))
        k = np.flatnonzero((dates == row).all(axis=1))[0]
        assert january[k] == python.replace(month=1, day=1).weekday()
        assert first[k] == python.replace(day=1).weekday()


def test_no_date_is_in_two_parts_and_none_is_lost(rule):
    parts = [rule.dates_of(part) for part in ("train", "validation", "test")]
    every = {tuple(row) for part in parts for row in part}
    assert len(every) == sum(map(len, parts)) == len(rule.calendar(1900, 2079))
    assert rule.dates_of("future")[:, 0].min() == 2080
    chosen, _ = rule.some_dates(500, 3)
    assert len({tuple(row) for row in chosen}) == 500


@pytest.mark.parametrize(
    "encoding, width", [("digits", 40), ("modulo 28", 28), ("clock hands", 18)]
)
def test_every_encoding_but_the_unit_a_year_knows_years_it_has_not_seen(rule, encoding, width):
    inputs = rule.encode(np.array([[2085, 3, 1], [1985, 3, 1]]), encoding)
    assert inputs.shape == (2, width + 12 + 31)
    assert not np.array_equal(*inputs[:, :width])
    assert not rule.encode(np.array([[2085, 3, 1]]), "a unit a year")[:, :180].any()


def test_hands_and_modulo_28_tell_the_weekday_within_a_period_and_not_across_2100(rule):
    dates = rule.calendar(1901, 2070)
    later = dates + np.array([28, 0, 0])
    np.testing.assert_array_equal(rule.weekday(dates), rule.weekday(later))
    inputs = [rule.encode(d, "modulo 28") for d in (dates, later)]
    np.testing.assert_array_equal(*inputs)
    assert rule.weekday(np.array([[2100, 3, 1]])) != rule.weekday(np.array([[2072, 3, 1]]))


def test_the_loss_of_the_steps_is_the_sum_over_its_heads(rule):
    dates = rule.calendar(2000, 2000)[:6]
    split = rule.split_of(dates, "digits")
    rationale = rule.terms(dates)
    scores = np.random.default_rng(0).normal(size=(6, 35))
    term = rule.in_steps(split, rationale, 0.5).terms[1]
    loss = term.loss(scores, split.index)
    each = [cross_entropy(scores[:, 7 * k : 7 * k + 7], rationale[:, k]).value for k in range(5)]
    assert loss.value == pytest.approx(sum(each))
    nudge = np.zeros_like(scores)
    nudge[2, 9] = 1e-6
    numeric = (term.loss(scores + nudge, split.index).value - loss.value) / 1e-6
    assert loss.gradient[2, 9] == pytest.approx(numeric, abs=1e-5)


def test_others_terms_are_true_terms_of_another_date(rule):
    dates = rule.calendar(2000, 2000)
    moved = rule.rationale_of("others' terms", dates)
    np.testing.assert_array_equal(moved[1:], rule.terms(dates)[:-1])


@pytest.mark.parametrize("kind", ["neighbours", "another circle", "fixed orders", "even", "random"])
def test_a_soft_rule_still_says_the_right_day(rule, kind):
    days, rng = np.arange(7), np.random.default_rng(0)
    scores = rule.scores_of(kind, days, rng)
    assert np.array_equal(scores.argmax(axis=1), days)
    assert np.array_equal(np.sort(scores, axis=1)[:, -1], np.zeros(7))
    p = softmax(scores, 1.0).max(axis=1)
    np.testing.assert_allclose(p, p[0])


def test_two_circles_hold_the_same_distances_in_another_order(rule):
    near, other = (rule.distance(kind) for kind in ("neighbours", "another circle"))
    assert np.array_equal(np.sort(near), np.sort(other)) and not np.array_equal(near, other)
    assert near[0].tolist() == [0, 1, 2, 3, 3, 2, 1]


def test_a_fixed_order_is_the_same_for_every_date_of_a_day_and_a_random_one_is_not(rule):
    days = np.repeat(3, 40)
    fixed, drawn = (
        rule.scores_of(kind, days, np.random.default_rng(0)) for kind in ("fixed orders", "random")
    )
    assert len(np.unique(fixed, axis=0)) == 1 and len(np.unique(drawn, axis=0)) > 20
    assert np.array_equal(np.sort(fixed), np.sort(drawn))
