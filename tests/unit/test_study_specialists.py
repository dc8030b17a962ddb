"""The rule of the weekday, how dates are written, and the specialists' combination are right."""

from datetime import date
from itertools import permutations

import numpy as np
import pytest
from scipy import optimize

from distill_lib import Split, cross_entropy, softmax

pytestmark = pytest.mark.slow  # what a study imports


@pytest.fixture
def rule(study):
    return study("weekday")


@pytest.fixture
def steps(study):
    return study("weekday_steps")


@pytest.fixture
def soft(study):
    return study("weekday_soft")


@pytest.fixture
def turned(study):
    return study("weekday_turned")


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


class Perpetual:
    """A perfect student of the year modulo 28: it finds that year in 1901 to 1928."""

    def __init__(self, rule):
        self.rule = rule

    def logits(self, inputs):
        parts = np.split(inputs, [28, 40], axis=1)
        code, month, day = (part.argmax(axis=1) for part in parts)
        years = 1901 + (code - 1901) % 28
        dates = np.stack([years, month + 1, day + 1], axis=1)
        return np.eye(7)[self.rule.weekday(dates)]


def test_a_perfect_student_of_28_years_is_one_day_late_after_february_2100(rule):
    measures = rule.by_decade(Perpetual(rule), "modulo 28")
    assert measures["decades"][11:30] == [1] * 19  # 1910 to 2099
    late = rule.dates_of("after")
    still = np.mean((late[:, 0] == 2100) & (late[:, 1] <= 2))
    assert measures["after"] == pytest.approx(still)
    np.testing.assert_allclose(measures["off"], [still, 0, 0, 0, 0, 0, 1 - still], atol=1e-4)
    assert measures["before"] == 0


def test_the_loss_of_the_steps_is_the_sum_over_its_heads(rule, steps):
    dates = rule.calendar(2000, 2000)[:6]
    split = rule.split_of(dates, "digits")
    rationale = rule.terms(dates)
    scores = np.random.default_rng(0).normal(size=(6, 35))
    term = steps.in_steps(split, rationale, 0.5).terms[1]
    loss = term.loss(scores, split.index)
    each = [cross_entropy(scores[:, 7 * k : 7 * k + 7], rationale[:, k]).value for k in range(5)]
    assert loss.value == pytest.approx(sum(each))
    nudge = np.zeros_like(scores)
    nudge[2, 9] = 1e-6
    numeric = (term.loss(scores + nudge, split.index).value - loss.value) / 1e-6
    assert loss.gradient[2, 9] == pytest.approx(numeric, abs=1e-5)


def test_others_terms_are_true_terms_of_another_date(rule, steps):
    dates = rule.calendar(2000, 2000)
    moved = steps.rationale_of("others' terms", dates)
    np.testing.assert_array_equal(moved[1:], rule.terms(dates)[:-1])


@pytest.mark.parametrize("kind", ["neighbours", "another circle", "fixed orders", "even", "random"])
def test_a_soft_rule_still_says_the_right_day(soft, kind):
    days, rng = np.arange(7), np.random.default_rng(0)
    scores = soft.scores_of(kind, days, rng)
    assert np.array_equal(scores.argmax(axis=1), days)
    assert np.array_equal(np.sort(scores, axis=1)[:, -1], np.zeros(7))
    p = softmax(scores, 1.0).max(axis=1)
    np.testing.assert_allclose(p, p[0])


def test_two_circles_hold_the_same_distances_in_another_order(soft):
    near, other = (soft.distance(kind) for kind in ("neighbours", "another circle"))
    assert np.array_equal(np.sort(near), np.sort(other)) and not np.array_equal(near, other)
    assert near[0].tolist() == [0, 1, 2, 3, 3, 2, 1]


def test_a_fixed_order_is_the_same_for_every_date_of_a_day_and_a_random_one_is_not(soft):
    days = np.repeat(3, 40)
    fixed, drawn = (
        soft.scores_of(kind, days, np.random.default_rng(0)) for kind in ("fixed orders", "random")
    )
    assert len(np.unique(fixed, axis=0)) == 1 and len(np.unique(drawn, axis=0)) > 20
    assert np.array_equal(np.sort(fixed), np.sort(drawn))


@pytest.mark.parametrize("kind", ["turned, no circle", "turned, reversed"])
def test_a_turned_pattern_shifts_with_the_day_and_is_no_circle(soft, turned, kind):
    apart = turned.apart(kind, None)
    near = soft.distance("neighbours")
    assert np.array_equal(np.roll(apart, (1, 1), axis=(0, 1)), apart)
    assert np.array_equal(apart, apart.T) and np.array_equal(np.sort(apart), np.sort(near))
    orders = ([0, *rest] for rest in permutations(range(1, 7)))  # of the week, round a circle
    assert not any(np.array_equal(near[np.ix_(order, order)], apart) for order in orders)


def test_a_shuffled_circle_is_a_circle_and_not_one_of_the_weeks_turns(soft, rule, turned):
    near = soft.distance("neighbours")
    for seed in range(20):  # those of the record
        apart = turned.apart("shuffled circle", rule.some_dates(3000, seed)[1])
        orders = ([0, *rest] for rest in permutations(range(1, 7)))
        assert any(np.array_equal(near[np.ix_(order, order)], apart) for order in orders)
        assert not np.array_equal(np.roll(apart, (1, 1), axis=(0, 1)), apart)


# --- Specialists ----------------------------------------------------------------------------------


@pytest.fixture
def committees(study):
    return study("specialists")


def members(rng, n, groups):
    """Made-up answers: of a generalist, and of a specialist for each group."""
    general = softmax(rng.normal(0, 2, (n, 10)))
    answers = [softmax(rng.normal(0, 2, (n, len(group) + 1))) for group in groups]
    return general, list(zip(groups, answers, strict=True))


def divergence(p, q):
    return float(np.sum(p * np.log(p / q)))


def total_divergence(logits, general, asked):
    """KL(generalist ‖ q) + Σ KL(member ‖ q) of one example, by its definition."""
    q = softmax(logits)
    value = divergence(general, q)
    for group, p in asked:
        inside = q[list(group)]
        value += divergence(p, np.append(inside, 1 - inside.sum()))
    return value


@pytest.mark.parametrize("seed", range(6))
def test_the_combination_has_the_least_divergence_that_a_direct_search_finds(committees, seed):
    rng = np.random.default_rng(seed)
    general, every = members(rng, 1, [(0, 1, 2), (2, 3, 4), (0, 5, 6), (7, 8, 9)])
    asked = [(g, p[0]) for g, p in every if general[0].argmax() in g]
    found = optimize.minimize(total_divergence, np.log(general[0]), (general[0], asked), tol=1e-12)
    q = committees.combined(general, every)[0]
    np.testing.assert_allclose(q, softmax(found.x), atol=1e-4)
    assert total_divergence(np.log(q), general[0], asked) <= found.fun + 1e-7


def test_with_one_member_asked_the_second_round_changes_nothing(committees):
    general, every = members(np.random.default_rng(0), 40, [(0, 1, 2), (3, 4, 5)])
    once, often = (committees.combined(general, every, rounds) for rounds in (1, 50))
    np.testing.assert_allclose(once, often, atol=1e-12)
    np.testing.assert_allclose(once.sum(axis=1), 1)


def test_who_is_not_asked_changes_nothing(committees):
    general, every = members(np.random.default_rng(1), 40, [(0, 1, 2)])
    idle = general.argmax(axis=1) > 2
    np.testing.assert_allclose(committees.combined(general, every)[idle], general[idle])
    assert not np.allclose(committees.combined(general, every)[~idle], general[~idle])


def test_a_dustbin_is_shared_out_and_the_digits_of_the_group_are_kept(committees):
    general, ((group, p),) = members(np.random.default_rng(2), 5, [(1, 4, 7)])
    whole = committees.spread(p, group, general)
    np.testing.assert_allclose(whole[:, list(group)], p[:, :3])
    rest = np.delete(whole, group, axis=1)
    np.testing.assert_allclose(rest.sum(axis=1), p[:, 3])
    ratio = rest / np.delete(general, group, axis=1)
    np.testing.assert_allclose(ratio, np.repeat(ratio[:, :1], 7, axis=1))


def test_groups_are_the_most_alike_and_share_no_pair(committees):
    likeness = np.zeros((10, 10))
    for a, b in ((3, 8), (3, 9), (8, 9), (1, 7)):
        likeness[a, b] = likeness[b, a] = 2 - (a == 1)
    groups = committees.groups_of(likeness, 4)
    assert groups[0] == (3, 8, 9) and {1, 7} < {*groups[1]}
    shared = [len({*a} & {*b}) for i, a in enumerate(groups) for b in groups[:i]]
    assert max(shared) < 2
    assert committees.groups_of(likeness, 2) == groups[:2]


def test_both_halves_of_a_specialists_examples_are_as_large(committees):
    labels = np.repeat(np.arange(10), 12)
    split = Split(np.arange(120.0)[:, None], labels, np.arange(120))
    halved = committees.relabelled(split, (2, 5, 6))
    counts = np.bincount(halved.labels)
    assert len(counts) == 4 and counts[3] == counts[:3].sum() == 84
    original = labels[halved.inputs[:, 0].astype(int)]
    for k, digit in enumerate((2, 5, 6)):
        assert set(original[halved.labels == k]) == {digit}
    assert not {2, 5, 6} & set(original[halved.labels == 3])


def test_a_specialist_starts_as_its_generalist_but_for_the_correction(committees, monkeypatch):
    monkeypatch.setattr(committees, "train", lambda *args, **options: None)
    plan = {"rate": 0.01, "steps": 3, "batch_size": 32}
    committees.specialist.cache_clear()
    whole = committees.generalist.__wrapped__("few units", 0, 0, **plan)
    model = committees.specialist.__wrapped__("few units", 0, 1, (0, 4, 9), **plan)
    inputs = committees.data().test.inputs[:5]
    committees.generalist.cache_clear()
    np.testing.assert_allclose(model.logits(inputs)[:, :3], whole.logits(inputs)[:, [0, 4, 9]])
    labels = committees.labelled("few units", 0).labels
    share = np.mean(np.isin(labels, (0, 4, 9)))
    dustbin = whole.logits(inputs)[:, [1, 2, 3, 5, 6, 7, 8]].mean(axis=1)
    np.testing.assert_allclose(
        model.logits(inputs)[:, 3], dustbin + np.log(1 - share) - np.log(share)
    )
