"""What is kept of a teacher's answers is biased or not, and costs what it says."""

import numpy as np
import pytest

from distill_lib import calibration_error, cross_entropy, recorded, soft_target_loss, softmax

pytestmark = pytest.mark.slow  # all that a study imports
RNG = np.random.default_rng(0)
LOGITS = 2 * RNG.normal(size=(7, 20))
P = softmax(LOGITS)


@pytest.fixture(scope="module")
def sparse(study):
    return study("sparse_storage")


# Biased or not


def bound(q, n, times):
    """How far a mean of `times` unbiased estimates may be off: Bernstein's, in one of 10⁵ tries."""
    variance, largest, log = P**2 * (1 - q) / q / n / times, P / q / n / times, 12.5
    return np.sqrt(2 * log * variance) + log / 3 * largest


@pytest.mark.parametrize("power", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("n", [1, 20])
def test_the_mean_of_drawn_weights_is_the_teachers_probability(sparse, n, power):
    """At any power there is no bias, as far as 4,000 tries can see; they see that of a top."""
    q = P**power / np.sum(P**power, axis=1, keepdims=True)
    rng, times = np.random.default_rng(n), 4000
    mean = np.mean([sparse.drawn(P, n, rng, power).targets for _ in range(times)], axis=0)
    rounding = 0 if power == 1 else 2**-11 * P + 2**-25  # of half precision
    assert (np.abs(mean - P) <= bound(q, n, times) + rounding + 1e-12).all()
    assert (np.abs(sparse.top(P, 3, False).targets - P) > bound(q, n, times) + 0.01).any()


def test_the_expected_gradient_of_draws_is_that_of_the_whole_answer(sparse):
    student, rng = RNG.normal(size=P.shape), np.random.default_rng(1)
    full = sparse.weighted_cross_entropy(student, P).gradient
    drawn = [
        sparse.weighted_cross_entropy(student, sparse.drawn(P, 5, rng).targets).gradient
        for _ in range(4000)
    ]
    far = np.abs(np.mean(drawn, axis=0) - full) * len(P)
    assert (far <= bound(P, 5, len(drawn)) + 1e-12).all()


def by_hand(p, k, tail):
    """The target of one context, word by word."""
    kept = sorted(range(len(p)), key=lambda i: -p[i])[:k]
    mass = sum(p[i] for i in kept)
    rest = (1 - mass) / (len(p) - k) if tail else 0.0
    return [(p[i] if tail else p[i] / mass) if i in kept else rest for i in range(len(p))]


@pytest.mark.parametrize("tail", [True, False])
@pytest.mark.parametrize("k", [1, 3, 12])
def test_the_top_is_what_it_is_by_hand(sparse, k, tail):
    expected = [by_hand(p.tolist(), k, tail) for p in P]
    np.testing.assert_allclose(sparse.top(P, k, tail).targets, expected, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("k", [1, 3, 12])
def test_the_bias_of_the_top_is_the_mass_that_it_leaves_out(sparse, k):
    """In total variation; a tail leaves only what is uneven in it, and never more."""
    left_out = 1 - np.sort(P, axis=1)[:, -k:].sum(axis=1)
    bias = np.abs(sparse.top(P, k, False).targets - P).sum(axis=1) / 2
    np.testing.assert_allclose(bias, left_out, atol=2e-3)
    even = np.abs(sparse.top(P, k, True).targets - P).sum(axis=1) / 2
    assert (even <= left_out + 1e-3).all()


def test_a_student_that_could_say_anything_would_learn_the_bias_and_be_too_sure(sparse):
    """At the top's optimum its confidence in the first word is that of the teacher / mass."""
    target = sparse.top(P, 3, False).targets
    mass = np.sort(P, axis=1)[:, -3:].sum(axis=1)
    np.testing.assert_allclose(target.max(axis=1), P.max(axis=1) / mass, rtol=2e-3)
    logits = np.log(target + 1e-12)
    gap = np.mean(target.max(axis=1) - P.max(axis=1))
    assert sparse.expected_calibration(logits, LOGITS) == pytest.approx(gap, rel=0.01)
    assert sparse.expected_calibration(LOGITS, LOGITS) == 0


@pytest.mark.parametrize("tail", [True, False])
def test_the_top_of_all_words_is_the_whole_answer(sparse, tail):
    np.testing.assert_allclose(sparse.top(P, 20, tail).targets, P, atol=1e-3)


def test_half_precision_is_off_by_no_more_than_its_rounding(sparse):
    half = sparse.whole(LOGITS, np.float16).targets
    # A logit is off by 2**-11 of its size at most, and a probability by twice that share.
    share = 2 * 2.0**-11 * np.abs(LOGITS).max()
    assert (np.abs(half - P) <= share * P).all() and (half != P).any()


# What it costs


def test_bytes_are_those_of_the_arrays_that_would_be_written(sparse):
    assert sparse.whole(LOGITS, np.float32).bytes == 80
    assert sparse.whole(LOGITS, np.float16).bytes == 40
    assert sparse.top(P, 3, True).bytes == 3 * (1 + 2) and sparse.top(P, 3, True).ids == 3
    many = softmax(RNG.normal(size=(2, 300)))
    assert sparse.top(many, 3, False).bytes == 3 * (2 + 2)  # ids beyond a byte
    kept = sparse.drawn(P, 20, np.random.default_rng(3))
    ids = np.count_nonzero(kept.targets) / len(P)
    assert kept.ids == ids and kept.bytes == pytest.approx(1 + 2 * ids)
    kept = sparse.drawn(P, 20, np.random.default_rng(3), 0.5)
    assert kept.bytes == pytest.approx(1 + 3 * np.count_nonzero(kept.targets) / len(P))


def test_so_many_draws_are_as_many_words_as_chance_makes_them(sparse):
    rng = np.random.default_rng(0)
    ids = np.mean([sparse.drawn(P, 20, rng).ids for _ in range(500)])
    assert ids == pytest.approx(np.sum(1 - (1 - P) ** 20, axis=1).mean(), abs=0.05)


# The loss and the measure


def test_the_loss_has_its_gradient_and_agrees_with_the_librarys(sparse):
    student, step = RNG.normal(size=P.shape), 1e-6
    weights = sparse.drawn(P, 5, np.random.default_rng(0), 0.5).targets  # do not sum to 1
    loss, numeric = sparse.weighted_cross_entropy(student, weights), np.zeros_like(P)
    for place in np.ndindex(P.shape):
        nudge = np.zeros_like(P)
        nudge[place] = step
        up, down = (
            sparse.weighted_cross_entropy(student + sign * nudge, weights).value for sign in (1, -1)
        )
        numeric[place] = (up - down) / (2 * step)
    np.testing.assert_allclose(loss.gradient, numeric, atol=1e-8)
    labels = P.argmax(axis=1)
    hard, plain = sparse.weighted_cross_entropy(student, np.eye(20)[labels]), cross_entropy
    assert hard.value == pytest.approx(plain(student, labels).value)
    whole, library = sparse.weighted_cross_entropy(student, P), soft_target_loss(student, LOGITS, 1)
    np.testing.assert_allclose(whole.gradient, library.gradient, atol=1e-12)
    entropy = -np.mean(np.sum(P * np.log(P), axis=1))
    assert whole.value == pytest.approx(library.value + entropy)


def test_the_calibration_error_is_the_librarys_where_the_teacher_is_certain(sparse):
    student, labels = 2 * RNG.normal(size=(500, 5)), RNG.integers(0, 5, 500)
    certain = 100 * np.eye(5)[labels]
    expected = calibration_error(student, labels)
    assert sparse.expected_calibration(student, certain) == pytest.approx(expected)


def test_the_words_of_a_language_come_as_often_as_the_teacher_says(sparse):
    world = sparse.language(10, 3000, 0)
    p = softmax(world.logits)
    counts = np.bincount(world.stored.labels, minlength=10)
    error = np.sqrt(np.sum(p * (1 - p), axis=0))
    assert (np.abs(counts - p.sum(axis=0)) <= 5 * error).all()
    sets = [world.stored.inputs, world.validation.inputs, world.test]
    assert len(np.unique(np.concatenate(sets), axis=0)) == sum(map(len, sets))


# What was recorded


def row(keep, n, stop=False):
    rows = recorded("sparse_storage")["rows"]
    return next(r for r in rows if (r["keep"], r["n"], r["stop"]) == (keep, n, stop))


def mean(measure, *which, **options):
    return np.mean(row(*which, **options)[measure])


def test_the_record_has_the_order_of_the_first_trial():
    kl = {n: mean("kl", "drawn", n) for n in (1, 20)}
    assert mean("kl", "all", 100) < kl[20] < mean("kl", "top, even tail", 12)
    assert mean("kl", "top, even tail", 12) < mean("kl", "top", 12) < mean("kl", "top", 3) < kl[1]
    assert mean("calibration", "drawn", 20) < mean("calibration", "top", 12) / 3


def test_in_the_record_half_precision_costs_nothing_that_shows():
    for measure in ("kl", "calibration", "accuracy"):
        one, other = row("all", 100, True), row("all, half precision", 100, True)
        np.testing.assert_allclose(one[measure], other[measure], atol=2e-3)
    assert set(other["bytes"]) == {200.0} and set(one["bytes"]) == {400.0}


def test_in_the_record_draws_lose_less_than_any_top_of_as_many_bytes():
    rows = [r for r in recorded("sparse_storage")["rows"] if r["stop"]]
    drawn = row("drawn", 20, True)
    for r in rows:
        if r["keep"].startswith("top") and np.mean(r["bytes"]) <= 24:
            assert np.mean(r["kl"]) > np.mean(drawn["kl"]) and np.mean(drawn["bytes"]) < 24
