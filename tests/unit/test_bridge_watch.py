"""A watch fires where examples have changed, and, where they have not, as seldom as it says."""

import re
from math import comb

import numpy as np
import pytest
from oracles import NOT_A_SHARE, NOT_WHOLE

from bridges.watch import Watch, at_most, disagrees, far, unsure
from distill_lib import MLP, Adam, TeacherOutputs, digits, hard_labels, softmax, traditional, train

pytestmark = pytest.mark.slow  # it trains a teacher
DIGITS = digits()
STREAMS, LENGTH = 200, 1000
RNG = np.random.default_rng


def flags(inputs, logits):
    """For streams of yes and no: the input says it."""
    return inputs[:, 0] > 0


def stream(rate, n, seed):
    return (RNG(seed).random((n, 1)) < rate).astype(float)


@pytest.fixture(scope="module")
def models():
    teacher, student = MLP((64, 100, 10), seed=1), MLP((64, 16, 10), seed=2)
    train(teacher, DIGITS.train, hard_labels(DIGITS.train), steps=600, optimizer=Adam(0.005))
    outputs = TeacherOutputs.of(teacher, DIGITS.transfer)
    objective = traditional(DIGITS.transfer, outputs, T=4, alpha=0.1)
    train(student, DIGITS.transfer, objective, steps=600, optimizer=Adam(0.02))
    return teacher, student


@pytest.fixture(scope="module")
def watches(models):
    """New watches of all three kinds, set up on validation."""
    teacher, student = models
    x = DIGITS.validation.inputs
    z = student.logits(x)
    kinds = {
        "unsure": unsure(z),
        "far": far(DIGITS.train.inputs, x),
        "disagrees": disagrees(teacher.logits),
    }

    def new(**options):
        return [Watch.of(name, odd, x, z, **options) for name, odd in kinds.items()]

    return new


# --- Fires where it should ------------------------------------------------------------------------

IMAGES = (-1, 8, 8)
SHIFTS = {
    "rotated": lambda x, rng: np.rot90(x.reshape(IMAGES), axes=(1, 2)).reshape(x.shape),
    "noise": lambda x, rng: x + rng.normal(0, 0.4, x.shape),
    "offset": lambda x, rng: x + 0.3,
    "one pixel to the right": lambda x, rng: np.roll(x.reshape(IMAGES), 1, axis=2).reshape(x.shape),
    "faint": lambda x, rng: 0.4 * x,
}
# After so many shifted digits at most, in any of the streams. No alarm sees every shift.
WITHIN = {
    "rotated": {"far": 40},  # and the student is as sure of them as of upright ones
    "noise": {"far": 40, "disagrees": 250},
    "offset": {"far": 40},
    "one pixel to the right": {"far": 60, "unsure": 400},
    "faint": {"unsure": 400},  # which no input is far from: they are nearer to the mean
}


@pytest.mark.parametrize("shift", SHIFTS)
def test_it_fires_soon_after_the_digits_have_changed(shift, models, watches, report):
    _, student = models
    took = {watch.name: [] for watch in watches()}
    for seed in range(10):
        rng, every = RNG(seed), watches()
        before, after = (DIGITS.test.inputs[rng.integers(0, 400, 400)] for _ in range(2))
        for inputs in (before, SHIFTS[shift](after, rng).astype(np.float32)):
            assert not any(watch.fired_at for watch in every), "before anything had changed"
            logits = student.logits(inputs)
            for watch in every:
                watch.see(inputs, logits)
        for watch in every:
            took[watch.name].append((watch.fired_at or np.inf) - len(before))
    worst = {name: max(after) for name, after in took.items()}
    report.append(
        f"{shift}: digits until the alarm, median and most of 10 streams: "
        + str({name: (float(np.median(after)), worst[name]) for name, after in took.items()})
    )
    for name, limit in WITHIN[shift].items():
        assert worst[name] <= limit, (name, took[name])


# --- And not where it should not ------------------------------------------------------------------


def test_unshifted_digits_set_off_no_more_alarms_than_it_says(models, watches, report):
    """200 streams, each of a thousand test digits drawn again: 1% of them may fire, and 5 sigma."""
    _, student = models
    false = {watch.name: 0 for watch in watches()}
    logits = student.logits(DIGITS.test.inputs)
    answers = {w.name: w.is_odd(DIGITS.test.inputs, logits) for w in watches()}
    for seed in range(STREAMS):
        rows = RNG(seed).integers(0, 400, LENGTH)
        for watch in watches(horizon=LENGTH, false_alarms=0.01):
            watch.is_odd = lambda x, z, name=watch.name, rows=rows: answers[name][rows]
            watch.see(DIGITS.test.inputs[rows], logits[rows])
            false[watch.name] += watch.fired_at is not None
    report.append(f"false alarms in {STREAMS} streams of {LENGTH} unshifted digits: {false}")
    assert max(false.values()) <= 0.01 * STREAMS + 5 * np.sqrt(0.01 * STREAMS)


def test_at_the_largest_usual_share_its_false_alarms_are_as_rare_as_stated(report):
    """At a stated 20%, so that there are some to count: no more than that, and not never."""
    fired = {0.02: 0, 0.1: 0, 0.3: 0}
    for usual in fired:
        for seed in range(STREAMS):
            watch = Watch("", flags, usual, horizon=400, false_alarms=0.2)
            fired[usual] += watch.see(stream(usual, 400, seed), np.zeros(400))
    report.append(f"alarms in {STREAMS} streams at the usual share itself, 40 allowed: {fired}")
    assert 0 < max(fired.values()) <= 0.2 * STREAMS


def test_the_evidence_is_pages_and_below_the_sum_that_the_promise_is_made_of():
    """CUSUM by its definition, the best of all starts; below Shiryaev & Roberts', of mean n."""
    usual, unusual = 0.1, 0.3
    odd = stream(0.2, 60, 0)[:, 0]
    ratios = np.where(odd, unusual / usual, (1 - unusual) / (1 - usual))
    watch, sums = Watch("", flags, usual, unusual, horizon=10), 0.0
    limit = np.log(10 / 0.01)
    for n, x in enumerate(odd, start=1):
        watch.see(np.array([[x]]), np.zeros(1))
        best = max(np.prod(ratios[start:n]) for start in range(n))
        assert watch.evidence == pytest.approx(min(1, np.log(best) / limit))
        sums = (1 + sums) * ratios[n - 1]
        assert best <= sums
    # The mean of that sum is n: over all streams of five, weighed by their probability.
    mean = 0.0
    for k in range(32):
        bits, total = [k >> i & 1 for i in range(5)], 0.0
        for bit in bits:
            total = (1 + total) * (unusual / usual if bit else (1 - unusual) / (1 - usual))
        mean += usual ** sum(bits) * (1 - usual) ** (5 - sum(bits)) * total
    assert mean == pytest.approx(5)


def test_a_change_that_comes_late_is_seen_as_soon_as_one_at_once():
    def wait(before):
        watch = Watch("", flags, 0.1)
        watch.see(np.zeros((before, 1)), np.zeros(before))
        watch.see(np.ones((100, 1)), np.zeros(100))
        return watch.fired_at - before

    assert wait(0) == wait(1) == wait(100_000) < 15


def test_it_stays_fired_and_batches_are_their_examples_one_after_the_other():
    x = stream(0.5, 200, 3)
    whole, single = Watch("", flags, 0.1), Watch("", flags, 0.1)
    assert whole.see(x, np.zeros(200)) and whole.see(np.zeros((500, 1)), np.zeros(500))
    seen = [single.see(x[k : k + 1], np.zeros(1)) for k in range(200)]
    assert seen.index(True) + 1 == single.fired_at == whole.fired_at and all(
        seen[seen.index(True) :]
    )
    assert (single.seen, single.odd) == (200, x.sum()) and whole.seen == 700


def test_a_dear_question_is_asked_of_a_share_alone():
    asked = []

    def dear(inputs, logits):
        asked.append(len(inputs))
        assert len(inputs) == len(logits)
        return np.zeros(len(inputs), bool)

    watch = Watch("", dear, 0.1, asked=0.1)
    for _ in range(500):
        watch.see(np.zeros((10, 1)), np.zeros((10, 2)))
    assert watch.seen == sum(asked) and abs(sum(asked) - 500) < 5 * np.sqrt(5000 * 0.09)
    assert watch.report()["odd"] == 0 and Watch("", dear, 0.1).report()["odd"] is None


# --- What is odd, and how often it may be ---------------------------------------------------------


@pytest.mark.parametrize(("odd", "n"), [(0, 30), (3, 30), (10, 200), (29, 30)])
def test_at_most_is_where_so_few_would_be_seen_once_in_a_hundred_times(odd, n):
    p = at_most(odd, n)
    seen = sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(odd + 1))
    assert seen == pytest.approx(0.01)
    assert at_most(n, n) == 1


def test_unsure_and_far_are_so_of_their_share_of_the_reference_and_of_strange_ones(models):
    _, student = models
    x = DIGITS.validation.inputs
    z = student.logits(x)
    for is_odd in (unsure(z, 0.1), far(DIGITS.train.inputs, x, 0.1)):
        assert is_odd(x, z).sum() == 20
        assert 0.02 < is_odd(DIGITS.test.inputs, student.logits(DIGITS.test.inputs)).mean() < 0.2
    least = softmax(z).max(axis=1) < np.quantile(softmax(z).max(axis=1), 0.1)
    np.testing.assert_array_equal(unsure(z, 0.1)(x, z), least)
    assert far(DIGITS.train.inputs, x)(1 - x, z).all()


def test_disagreement_is_with_the_teacher_about_the_same_inputs():
    odd = disagrees(lambda x: x @ np.eye(3))
    logits = np.eye(3)[[0, 1, 2, 2]]
    assert odd(np.eye(3)[[0, 1, 2, 1]], logits).tolist() == [False, False, False, True]


def test_a_watch_of_reference_examples_takes_what_they_allow():
    x, z = stream(0.1, 200, 0), np.zeros((200, 2))
    watch = Watch.of("flags", flags, x, z, horizon=50)
    assert watch.usual == at_most(int(x.sum()), 200) > x.mean() and watch.horizon == 50
    with pytest.raises(ValueError, match="need logits for each of the inputs, got 9 for 200"):
        Watch.of("flags", flags, x, z[:9])


@pytest.mark.parametrize("name", ["usual", "false_alarms", "asked"])
@pytest.mark.parametrize("value", NOT_A_SHARE, ids=repr)
def test_bad_shares_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        Watch("", flags, **{"usual": 0.1, name: value})


@pytest.mark.parametrize("value", NOT_WHOLE, ids=repr)
def test_a_horizon_is_whole(value):
    with pytest.raises(ValueError, match=re.escape(f"got {value!r}")):
        Watch("", flags, 0.1, horizon=value)


@pytest.mark.parametrize("unusual", [0.1, 0.05, 1.0, 2.0])
def test_the_unusual_share_is_above_the_usual_one(unusual):
    with pytest.raises(ValueError, match="unusual must be above usual"):
        Watch("", flags, 0.1, unusual)
