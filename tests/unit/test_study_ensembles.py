"""The ensembles, their controls and what is made of their record are what they are called."""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from distill_lib import crossed_interval, softmax
from distill_lib.data import Split
from pictures import ch08

pytestmark = pytest.mark.slow  # the digits, and all that a study imports


@pytest.fixture
def ensembles(study):
    return study("ensembles")


def fewest(spoken, heard):
    """The definition, word for word: try all three changes everywhere."""

    @cache
    def of(i, j):
        if i == 0 or j == 0:
            return i + j
        same = spoken[i - 1] == heard[j - 1]
        return min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (not same))

    return of(len(spoken), len(heard))


def test_word_errors_are_the_fewest_changes():
    assert ch08.word_errors(["a", "b", "c"], ["a", "b", "c"]) == 0
    assert ch08.word_errors([], ["a", "b"]) == ch08.word_errors(["a", "b"], []) == 2
    assert (
        ch08.word_errors(["a", "b", "c", "d"], ["b", "c", "d", "e"]) == 2
    )  # not four in their place
    rng = np.random.default_rng(0)
    for _ in range(40):
        spoken, heard = (rng.choice(list("abc"), rng.integers(0, 7)) for _ in range(2))
        assert ch08.word_errors(spoken, heard) == fewest(tuple(spoken), tuple(heard))


@pytest.mark.parametrize("setting", ["300 right", "20% wrong", "20% wrong, too long", "all right"])
def test_a_setting_has_the_labels_that_it_is_called_after(ensembles, setting):
    known, wrong, _ = ensembles.SETTINGS[setting]
    whole, clean = ensembles.given(setting, 3), ensembles.data()
    few = whole.transfer.labelled
    right = dict(zip(clean.train.index, clean.train.labels, strict=True))
    differ = np.mean([right[i] != y for i, y in zip(few.index, few.labels, strict=True)])
    assert len(few) == known and differ == pytest.approx(wrong)
    assert np.array_equal(whole.validation.labels, clean.validation.labels)
    assert np.array_equal(whole.test.labels, clean.test.labels)


def test_members_share_their_labels_and_nothing_else(ensembles, monkeypatch):
    seen = []

    def learn(network, split, objective, seed, **plan):
        seen.append((seed, split.labels.tolist()))
        return ensembles.MLP((64, 10), seed=seed), None

    monkeypatch.setattr(ensembles, "learn", learn)
    seeds = range(20)
    for seed in (*seeds, *ensembles.TUNING_SEEDS):
        for k in range(ensembles.TEN):
            ensembles.member("20% wrong", {"rate": 1, "steps": 1}, seed, k, "64-10", 32)
    starts = [seed for seed, _ in seen]
    assert len(set(starts)) == len(starts)
    assert not {*starts} & {*seeds, *ensembles.TUNING_SEEDS}, "a student would start as a member"
    assert seen[0][1] == seen[9][1] != seen[10][1]


def test_every_method_had_as_many_trials(ensembles):
    assert len(ensembles.MEMBER_PLANS) == len(ensembles.TAUGHT) == len(ensembles.KNOWS_NOTHING)
    assert len({len(of) for of in ensembles.TRIALS.values()}) == 1


def test_who_has_a_teacher_may_keep_half_of_the_weight_on_the_labels(ensembles):
    """Whoever is denied a dial that others have is not compared with them."""
    for kind in ("soft", "even"):
        trials = ensembles.TRIALS[kind]
        assert {one["rate"] for one in trials if one["alpha"] == 0.5} == {*ensembles.RATES}


@pytest.mark.parametrize(("inputs", "n"), [("same", 300), ("more", 1197)])
def test_even_targets_of_the_members_plan_are_label_smoothing_at_T_1(
    ensembles, monkeypatch, inputs, n
):
    seen = []

    def learn(network, split, objective, seed, **plan):
        seen.append((split, objective, plan))
        return ensembles.MLP((64, 10), seed=seed), None

    monkeypatch.setattr(ensembles, "learn", learn)
    plan = {"rate": 0.03, "steps": 600, "batch_size": 32}
    more = {"setting": ensembles.TOO_LONG, "network": "64-10", "seed": 3}
    ensembles.own_even(inputs=inputs, alpha=0.8, T=1.0, **plan, **more)
    [(split, objective, its_plan)] = seen
    known = np.flatnonzero(split.labels >= 0)[:5]
    scores = np.random.default_rng(0).normal(0, 2, (5, 10))
    got = objective({"logits": scores}, split.index[known], 0.0)
    smoothed = 0.8 * np.eye(10)[split.labels[known]] + 0.02
    np.testing.assert_allclose(got.gradients["logits"], (softmax(scores) - smoothed) / 5)
    assert len(split) == n and its_plan == plan


def test_the_choice_and_the_report_are_of_the_same_student(ensembles):
    one = {"percent": 3, "choice": {"T": 2.0, "alpha": 0.5, "rate": 0.03}, "seed": 1}
    one |= {"network": "64-10", "steps": 15, "batch_size": 32, "teacher": "the same share"}
    assert ensembles.validated(**one)["validation"] == ensembles.share(**one)["validation"]


def test_the_best_trial_on_validation_is_taken_of_each_case(ensembles):
    class Fake:
        tuning = (7, 8)

        def runs(self, tasks, seeds, run):
            assert seeds == [7, 8]
            return [[{"validation": task["x"] * task["t"] + s} for s in (0, 2)] for task in tasks]

    cases = [{"x": 1}, {"x": -1}]
    found = ensembles.best(Fake(), cases, "t", [[1, 3, 2], [4, 5]], None)
    assert found == [(3, [2, 4, 3]), (4, [-3, -4])]


@pytest.fixture
def asked():
    rng = np.random.default_rng(0)
    return Split(rng.random((50, 64)), np.arange(50) % 10, np.arange(50) + 7)


def test_an_ensemble_teaches_its_mean(ensembles, asked):
    members = softmax(np.random.default_rng(1).normal(0, 2, (3, 50, 10)))
    outputs = ensembles.taught("ensemble", asked, members.mean(axis=0), 0, "64-10")
    np.testing.assert_allclose(softmax(outputs.at(asked.index)), members.mean(axis=0), atol=1e-5)


def test_the_controls_know_nothing(ensembles, asked):
    p = softmax(np.random.default_rng(1).normal(0, 4, (50, 10)))
    even = ensembles.taught("even", asked, p, 0, "64-10").at(asked.index)
    np.testing.assert_allclose(softmax(even), 0.1)
    spread = ensembles.taught("ensemble", asked, p, 0, "64-10").at(asked.index).std()
    random = [ensembles.taught("random", asked, p, s, "64-10").at(asked.index) for s in (0, 1)]
    assert random[0].std() == pytest.approx(spread) and not np.allclose(*random)
    assert np.mean(random[0].argmax(axis=1) == p.argmax(axis=1)) < 0.4


def test_looks_are_of_both_splits_and_end_with_the_last_step(ensembles, asked):
    model = ensembles.MLP((64, 10), seed=0, dtype=np.float64)
    looks = ensembles.Looks(asked, asked.take(np.arange(20)))
    for _ in range(2 * ensembles.LOOK):
        looks(model)
    assert len(looks.curves) == 3 and looks.curves[0] == looks.curves[-1]
    right = model.predict(asked.inputs) == asked.labels
    assert looks.curves[-1][:2] == [right.mean(), right[:20].mean()]


# --- Which share of the gain is kept --------------------------------------------------------------


def test_the_share_kept_is_fiellers_where_the_digits_are_all_alike():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0.9, 0.5, 20), rng.normal(1.2, 0.5, 20)
    found = ch08.kept(*(np.repeat(v[:, None], 30, axis=1) for v in (x, y)))
    t = stats.t.ppf(0.975, 19) ** 2 / 20
    c = np.cov(x, y)
    square = [y.mean() ** 2 - t * c[1, 1], -2 * (x.mean() * y.mean() - t * c[0, 1])]
    ends = np.sort(np.roots([*square, x.mean() ** 2 - t * c[0, 0]]))
    np.testing.assert_allclose([found.low, found.high], ends, atol=2e-3)


def test_who_is_the_ensemble_keeps_all_of_it_and_half_of_it_a_half():
    gain = np.random.default_rng(0).choice([-1.0, 0, 1], (20, 400), p=[0.1, 0.6, 0.3])
    assert ch08.kept(gain, gain) == pytest.approx((1, 1, 1, 20), abs=1e-3)
    assert ch08.kept(gain / 2, gain) == pytest.approx((0.5, 0.5, 0.5, 20), abs=1e-3)


def test_of_a_gain_that_is_not_sure_no_share_can_be_told():
    gain = np.random.default_rng(0).choice([-1.0, 0, 1], (20, 400))
    assert crossed_interval(gain).low < 0 < crossed_interval(gain).high
    found = ch08.kept(gain, gain)
    assert ch08.kept_words(found) == "cannot be told" and found.high == np.inf
