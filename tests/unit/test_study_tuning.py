"""The tuning studies do what their records say; their formulas, against others."""

import inspect
from importlib.util import find_spec

import numpy as np
import pytest

from distill_lib import MLP, hard_labels, recorded, softmax, traditional
from pictures import tuning as pictures

pytestmark = pytest.mark.slow  # the digits, and all that a study imports


@pytest.fixture
def schedule(study):
    return study("tuning_schedule")


@pytest.fixture
def search(study):
    return study("tuning_search")


@pytest.fixture
def teachers(study):
    return study("tuning_teachers")


# --- Schedules ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["linear", "step"])
def test_a_schedule_begins_and_ends_where_it_says_and_never_turns(schedule, shape):
    values = [schedule.temperature(done, 32, 4, shape) for done in np.linspace(0, 1, 101)]
    assert values[0] == pytest.approx(32) and values[-1] == pytest.approx(4)
    assert np.all(np.diff(values) <= 1e-12)


def test_the_line_is_half_way_at_half_time_and_the_step_has_no_between(schedule):
    assert schedule.temperature(0.5, 10, 2, "linear") == pytest.approx(6)
    values = {schedule.temperature(done, 10, 2, "step") for done in np.linspace(0, 1, 50)}
    assert values == {10, 2}


def test_the_picture_draws_the_schedule_that_the_study_ran(schedule):
    done = np.linspace(0, 1, 21)
    for shape in pictures.SHAPES:
        drawn = pictures.temperature(done, 8, 1, shape)
        np.testing.assert_allclose(
            drawn, [schedule.temperature(d, 8, 1, shape) for d in done], atol=1e-12
        )


def test_a_temperature_that_stays_is_traditional_to_the_last_digit(study, schedule):
    common = study("common")
    split, (_, outputs) = common.data().with_few_labels(60, 1).transfer.labelled, common.teacher()
    scores = {"logits": np.random.default_rng(0).normal(size=(60, 10))}
    one = schedule.annealed(split, outputs, 0.5, 100.0, 4, 4, "fixed")(scores, split.index, 3.5)
    two = traditional(split, outputs, 4, 0.5)(scores, split.index, 3.5)
    assert one.value == two.value
    assert np.array_equal(one.gradients["logits"], two.gradients["logits"])


def test_a_changing_temperature_is_that_of_the_share_of_passes_done(study, schedule):
    common = study("common")
    split, (_, outputs) = common.data().with_few_labels(60, 1).transfer.labelled, common.teacher()
    scores = {"logits": np.random.default_rng(0).normal(size=(60, 10))}
    one = schedule.annealed(split, outputs, 0, 200.0, 8, 2, "linear")(scores, split.index, 50.0)
    assert one.value == traditional(split, outputs, 6.5, 0)(scores, split.index, 0).value


def test_each_kind_of_schedule_has_as_many_trials(schedule):
    kinds = [schedule.kind(**one) for one in schedule.SCHEDULES]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert set(counts.values()) == {3} and len(counts) == 5


# --- Searches -------------------------------------------------------------------------------------


def tried_by(search, name, seed, trials=27):
    found = []
    search.SEARCHES[name](lambda one: found.append(one) or 0.0, seed, trials)
    return np.array(found)


@pytest.mark.parametrize("name", ["grid", "random"])
def test_a_search_makes_its_trials_within_bounds_and_again_the_same(search, name):
    one = tried_by(search, name, 3)
    assert one.shape == (27, 3)
    assert np.all(one >= np.array(search.LOW) - 1e-12)
    assert np.all(one <= np.array(search.HIGH) + 1e-12)
    assert np.array_equal(one, tried_by(search, name, 3))
    assert not np.array_equal(one, tried_by(search, name, 4))


@pytest.mark.parametrize("dial, name", [*enumerate(["T alone", "alpha alone", "rate alone"])])
def test_a_search_on_one_dial_moves_it_from_end_to_end_and_no_other(search, dial, name):
    found = tried_by(search, name, 0)
    assert found[0, dial] == pytest.approx(search.LOW[dial])
    assert found[-1, dial] == pytest.approx(search.HIGH[dial])
    others = np.delete(found, dial, axis=1)
    assert np.all(others == np.delete(search.DEFAULT, dial))


def test_a_grid_has_three_values_of_each_dial_and_random_search_as_many_as_trials(search):
    grid, chance = tried_by(search, "grid", 0), tried_by(search, "random", 0)
    assert [len(np.unique(column.round(9))) for column in grid.T] == [3, 3, 3]
    assert [len(np.unique(column)) for column in chance.T] == [27, 27, 27]


@pytest.mark.skipif(find_spec("optuna") is None, reason="needs Optuna (pip install optuna==5.0.0)")
def test_optuna_learns_from_what_it_has_tried(search):
    """Where only a low T is any good, it comes to try low ones."""
    tried = []

    def score(one):
        tried.append(one[0])
        return -one[0]

    search.by_optuna(score, 0, 64)
    assert np.median(tried[32:]) < 0.5 * np.median(tried[:10])


def test_the_study_knows_the_optuna_that_the_extras_ask_for(search, pytestconfig):
    lines = (pytestconfig.rootpath / "requirements-torch.txt").read_text("utf-8").splitlines()
    assert f"optuna=={search.OPTUNA}" in lines
    assert recorded("tuning_search")["optuna"] == search.OPTUNA


def test_the_winner_is_the_first_of_the_best_of_those_looked_at(search):
    assert search.best_of([0.2, 0.9, 0.9, 1.0], 3) == 1
    row = {"validation": [[0.2, 0.9, 0.9, 1.0]], "accuracy": [[0.1, 0.2, 0.3, 0.4]]}
    assert pictures.of_chosen(row, "accuracy", 3).tolist() == [0.2]


def test_a_trial_is_where_the_search_drew_it(search):
    u = np.random.default_rng(0).random((5, 4, 3))
    tried = [[search.from_shares(one) for one in trials] for trials in u]
    np.testing.assert_allclose(pictures.shares(tried), u, atol=1e-12)


def made_up(rng, tried, quality, spread=0.012):
    """Searches whose validation digits are the easier, the better the student; and their luck."""
    luck, other = rng.normal(scale=spread, size=(2, *quality.shape))
    easier = 0.06 * (quality - 0.5)
    found = {"validation": quality + easier + luck, "accuracy": quality + other}
    return {"tried": tried} | {key: v.tolist() for key, v in found.items()}, luck


def quality_at(tried):
    """Best at T 8 and rate 0.03, far away much worse; alpha hardly matters."""
    away = pictures.shares(tried) - pictures.shares((8.0, 0.45, 0.03))
    return 0.92 - away**2 @ np.array([0.3, 0.01, 0.9])


@pytest.mark.parametrize("name", ["grid", "random"])
def test_optimism_is_the_luck_of_the_chosen_and_not_what_every_good_student_has(search, name):
    """Where luck is known: within a quarter of a point, and the mean over all trials is not."""
    rng, found, true, naive = np.random.default_rng(0), [], [], []
    for k in range(30):
        tried = [tried_by(search, name, seed) for seed in range(20 * k, 20 * k + 20)]
        row, luck = made_up(rng, tried, quality_at(tried))
        found.append(pictures.optimism(row, 27).mean)
        true.append(100 * np.mean(luck[np.arange(20), pictures.chosen(row, 27)]))
        gaps = np.array(row["validation"]) - np.array(row["accuracy"])
        best = gaps[np.arange(20), pictures.chosen(row, 27)]
        naive.append(100 * np.mean(best - gaps.mean(axis=1)))
    assert np.mean(true) > 0.4
    assert np.mean(found) == pytest.approx(np.mean(true), abs=0.25)
    assert np.mean(naive) > np.mean(true) + 0.5


def test_of_equal_trials_optimism_is_the_expected_maximum(search):
    """Of 8 normal ones it is 1.4236 standard deviations."""
    tried = np.broadcast_to((8.0, 0.45, 0.03), (1500, 8, 3))
    row, _ = made_up(np.random.default_rng(1), tried, np.full((1500, 8), 0.9), spread=0.01)
    found = pictures.optimism(row, 8)
    assert found.mean == pytest.approx(1.4236, abs=0.15)


def test_what_the_gap_is_anyway_comes_from_the_same_dials_in_other_seeds():
    hot, cold = (32.0, 0.0, 0.03), (1.0, 0.9, 0.03)
    row = {"tried": [[hot, cold], [cold, hot], [hot, cold]]}
    row |= {"validation": [[0.9, 0.5], [0.6, 0.8], [0.7, 0.75]]}
    row |= {"accuracy": [[0.8, 0.5], [0.5, 0.75], [0.7, 0.55]]}
    assert pictures.anyway(row, 2) == pytest.approx([0.025, 0.05, 0.05])
    gaps = np.array([0.1, 0.05, 0.2]) - [0.025, 0.05, 0.05]
    assert pictures.optimism(row, 2).mean == pytest.approx(100 * gaps.mean())


# --- Teachers -------------------------------------------------------------------------------------


def test_who_picks_by_a_measure_gets_that_seed_s_best_teacher_and_no_control():
    nll = {"one": [0.3, 0.1], "two": [0.2, 0.2], "random": [0.0, 0.0]}
    teachers = {name: {"teacher_nll": values} for name, values in nll.items()}
    rows = {(n, 1, 0): {"trials": {"0.1": 1}, "right": [f"{n} 0", f"{n} 1"]} for n in nll}
    found = pictures.picked(teachers, rows, "NLL")
    assert found == {"teacher": ["two", "one"], "right": ["two 0", "one 1"]}


def test_the_fitted_temperature_undoes_a_factor(teachers):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 10)) * 2
    labels = np.array([rng.choice(10, p=p) for p in softmax(logits)])
    assert teachers.fitted(3 * logits, labels) == pytest.approx(3, rel=0.06)
    one, two = teachers.described(logits, labels), teachers.described(3 * logits, labels)
    assert two["teacher_accuracy"] == one["teacher_accuracy"]
    assert two["teacher_fitted_nll"] == pytest.approx(one["teacher_fitted_nll"], abs=1e-3)
    assert two["teacher_ece"] > one["teacher_ece"] + 0.1


def test_wrong_labels_are_wrong_and_as_many_as_asked_for(study, teachers):
    split = study("common").data().train
    wrong = teachers.with_wrong(split, 0.2, 5)
    assert np.sum(wrong.labels != split.labels) == round(0.2 * len(split))
    assert wrong.labels.min() >= 0 and wrong.labels.max() <= 9


def test_one_stopped_early_is_where_the_whole_training_was_then(study, teachers, monkeypatch):
    """Its rate follows the schedule of the whole, so it is a look at that training."""
    monkeypatch.setattr(teachers, "TEACHERS", {"whole": {}, "part": {"stop": 3}})
    monkeypatch.setattr(teachers, "STEPS", 3)
    kept = []
    real = teachers.train

    def spy(model, *args, **plan):
        kept.append([plan["schedule"](k / plan["steps"]) for k in range(plan["steps"])])
        return real(model, *args, **plan)

    monkeypatch.setattr(teachers, "train", spy)
    teachers.trained.cache_clear()
    whole, part = teachers.trained("whole", 0), teachers.trained("part", 0)
    teachers.trained.cache_clear()
    assert np.allclose(*kept) and np.allclose(whole.vector, part.vector)


def test_no_student_is_recorded_that_was_chosen_on_its_own_seeds():
    for name in ("tuning_teachers", "tuning_schedule"):
        record = recorded(name)
        assert not set(record["seeds"]) & set(record["tuning_seeds"])
        assert len(record["tuning_seeds"]) >= 2


def test_a_scaled_teacher_at_a_scaled_temperature_has_the_same_targets_and_not_the_same_loss():
    z, s = np.random.default_rng(0).normal(size=(2, 5, 10))
    np.testing.assert_allclose(softmax(3 * z, 3 * 4.0), softmax(z, 4.0))
    assert inspect.signature(traditional).parameters["T"]  # of both: the student is heated, too
    assert not np.allclose(softmax(s, 12.0), softmax(s, 4.0))


def test_labels_alone_are_the_library_s(study, teachers):
    common = study("common")
    split = common.data().with_few_labels(60, 1).transfer.labelled
    plan = {"rate": 0.03, "steps": 3, "batch_size": 32}
    one = teachers.student_of("none", 1, 1, 1, student="64-16-10", labels=60, **plan)
    two, _ = common.learn("64-16-10", split, hard_labels(split), 1, **plan)
    assert isinstance(one, MLP) and np.array_equal(one.vector, two.vector)
