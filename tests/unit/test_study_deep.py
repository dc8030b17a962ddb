"""The methods on features, their controls, and the teachers of the capacity gap, by definitions."""

from itertools import pairwise

import numpy as np
import pytest
from oracles import central_differences, real_mnist, tiny_mnist

from distill_lib import MLP, WeightedTerms, recorded, softmax, unpacked

pytestmark = pytest.mark.slow  # they train, and the digits are read


@pytest.fixture(scope="module")
def deep(study):
    return study("deep")


@pytest.fixture(scope="module")
def gap(study):
    return study("deep_gap")


@pytest.fixture(scope="module")
def quick(deep):
    """The plan of the study, with next to no training."""
    return deep.PLAN | {"steps": 4, "teacher_steps": 3}


def outputs_of(deep, whose, seed=1):
    return deep.taught(whose, seed, deep.PLAN["teacher"], 3)[1]


# --- Teachers -------------------------------------------------------------------------------------


def test_a_random_teacher_is_the_trained_one_before_its_training(deep):
    random, _ = deep.taught("random", 1, "8-16", 3)
    trained, _ = deep.taught("trained", 1, "8-16", 3)
    start = deep.convolutional("8-16", 30_001)
    np.testing.assert_array_equal(random.vector, start.vector)
    assert (trained.vector != start.vector).any()


def test_anothers_features_are_those_of_another_image_each(deep):
    right, others = (outputs_of(deep, whose) for whose in ("trained", "another's"))
    index = right.index
    rows, moved = right.at(index, "pool_2"), others.at(index, "pool_2")
    assert (rows != moved).any(axis=1).all()
    assert np.array_equal(np.sort(rows.sum(axis=1)), np.sort(moved.sum(axis=1)))


@pytest.mark.parametrize(("name", "channels"), [("conv_1", 8), ("conv_2", 16), ("pool_1", 8)])
def test_a_map_that_was_worked_out_gives_the_loss_of_the_features_themselves(deep, name, channels):
    outputs = outputs_of(deep, "trained")
    index = outputs.index[:6]
    features = np.maximum(outputs.at(index, name), 0)
    places = features.shape[1] // channels
    student = np.random.default_rng(0).normal(size=(6, 4 * places))
    expected = deep.attention(student, features, 4, channels)
    found = deep.alike(student, index, outputs, name, 4)
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    np.testing.assert_allclose(found.gradient, expected.gradient, rtol=1e-10)


# --- Methods --------------------------------------------------------------------------------------


def test_every_method_has_as_many_trials_and_every_case_a_method(deep):
    assert {len(deep.trials_of(method)) for method in deep.METHODS} == {4}
    cases = [case for every in deep.CASES.values() for case in every]
    assert {method for _, method in cases} == {*deep.METHODS}
    assert len(set(cases)) == len(cases)


@pytest.mark.parametrize("feature", ["attention", "attention, late from early"])
def test_the_gradient_reaches_the_filters_through_the_features(deep, feature):
    """Of the whole term on the network's own layers, against finite differences in its weights."""
    outputs, split = outputs_of(deep, "trained"), deep.data().transfer.take(np.arange(3))
    student = deep.convolutional("4-8", 5)
    objective = WeightedTerms(*deep.feature_terms(feature, outputs, 2.0, student, 0.01, 5))

    def value(vector):
        student.vector = vector
        return objective(student.forward(split.inputs), split.index, 0.0)

    start = student.vector.copy()
    student.backward(value(start).gradients)
    found = student.gradient_vector.copy()
    places = np.random.default_rng(0).choice(np.flatnonzero(found), 12, replace=False)

    def at(few):
        vector = start.copy()
        vector[places] = few
        return value(vector).value

    expected = central_differences(at, start[places])
    np.testing.assert_allclose(found[places], expected, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("feature", ["hint", "hint, early from late"])
def test_a_hint_looks_at_the_layers_that_it_names(deep, feature):
    outputs, split = outputs_of(deep, "trained"), deep.data().transfer.take(np.arange(5))
    student = deep.convolutional("4-8", 5)
    [term] = deep.feature_terms(feature, outputs, 2.0, student, 0.01, 5)
    [(on, name)] = deep.LAYERS[feature]
    features = student.scores(split.inputs)[on]
    before = term.loss.W.copy()
    expected = np.mean((features @ before - outputs.at(split.index, name)) ** 2)
    assert term.on == on and term.loss(features, split.index).value == pytest.approx(expected)
    assert (before != term.loss.W).any(), "the map is learned"


def test_even_targets_are_label_smoothing(deep):
    split = deep.given("60 labels", 3).transfer.labelled.take(np.arange(5))
    terms = deep.base_terms("even", split, None, {"weight": 0.2}, 4.0)
    scores = np.random.default_rng(0).normal(0, 2, (5, 10))
    got = WeightedTerms(*terms)({"logits": scores}, split.index, 0.0).gradients["logits"]
    smoothed = 0.8 * np.eye(10)[split.labels] + 0.02
    np.testing.assert_allclose(got, (softmax(scores) - smoothed) / 5)


def test_first_features_on_all_images_then_labels_on_those_that_have_one(deep, quick, monkeypatch):
    seen = []

    def train(model, split, objective, **plan):
        seen.append((len(split), [term.name for term in objective.terms], plan["steps"]))

    deep.taught("trained", 1, "8-16", 3)
    monkeypatch.setattr(deep, "train", train)
    choice = {"weight": 1.0, "rate": 0.02}
    deep.student_of("60 labels, all images", "hint, then labels", choice, seed=1, **quick)
    assert seen == [(1197, ["hint, pool_2"], 2), (60, ["hard"], 2)]
    seen.clear()
    deep.student_of("60 labels, all images", "soft and hint", choice, seed=1, **quick)
    assert seen == [(1197, ["soft", "hint, pool_2"], 4)]


def test_at_weight_0_a_feature_teaches_nothing(deep, quick):
    alone = deep.student_of("60 labels", "labels alone", {"rate": 0.02}, seed=1, **quick)[0]
    none = deep.student_of("60 labels", "hint", {"weight": 0.0, "rate": 0.02}, seed=1, **quick)[0]
    np.testing.assert_array_equal(alone.vector, none.vector)


def test_the_choice_and_the_report_are_of_the_same_student(deep, quick):
    one = {"setting": "60 labels", "method": "soft and attention", "seed": 1} | quick
    one["choice"] = {"weight": 1.0, "rate": 0.02}
    assert deep.validated(**one)["validation"] == deep.deep(**one)["validation"]


# --- At equal dials, and for longer ---------------------------------------------------------------


def test_features_brought_to_one_size_have_the_mean_and_the_spread_of_the_others(study):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(50, 3)) * [1, 10, 0] + [5, 0, 2]  # the last is always the same
    like = rng.normal(3, [1, 2, 3, 4], (60, 4))
    got = study("deep_equal").one_size(features, like)
    spread = np.sqrt(np.mean(like.var(axis=0)))
    np.testing.assert_allclose(got.mean(axis=0), like.mean())
    np.testing.assert_allclose(got.std(axis=0), [spread, spread, 0], atol=1e-12)
    for one, other in zip(got.T[:2], features.T[:2], strict=True):
        assert np.corrcoef(one, other)[0, 1] == pytest.approx(1)


def test_the_random_mlp_is_the_mlp_before_its_training(deep, study):
    outputs = study("deep_equal").further("random MLP", 1, "8-16", 3)
    start = MLP((64, 128, 128, 10), 30_001, np.float64)
    trained, _ = deep.taught("MLP", 1, "8-16", 3)
    expected = start.scores(deep.data().transfer.inputs)["hidden_2"]
    np.testing.assert_array_equal(outputs.at(outputs.index, "hidden_2"), expected)
    assert trained.vector.shape == start.vector.shape and (trained.vector != start.vector).any()


def test_a_control_of_its_own_is_trained_as_the_methods_are(deep, study, quick, monkeypatch):
    """With the trained teacher's features in place of the control's it is that very method."""
    equal, choice = study("deep_equal"), {"weight": 1.0, "rate": 0.02}
    monkeypatch.setitem(equal.METHODS, "ours", ("soft", "hint", "trained"))
    ours = equal.student_of("ours", choice, seed=1, **quick)
    theirs = equal.student_of("soft and hint", choice, seed=1, **quick)
    start = deep.convolutional("4-8", 1)
    np.testing.assert_array_equal(ours.vector, theirs.vector)
    assert (ours.vector != start.vector).any()


def test_twice_the_steps_are_chosen_for_from_the_same_trials(deep, study):
    longer = study("deep_longer")
    assert longer.chosen_rows is deep.chosen_rows and longer.TUNING_SEEDS == deep.TUNING_SEEDS
    [one] = study("engine").STUDIES["deep_longer"].values()
    [first] = [s for s in study("engine").STUDIES["deep"].values() if s.name == "deep"]
    assert one.fixed == first.fixed | {"steps": 2 * first.fixed["steps"]}


# --- The capacity gap -----------------------------------------------------------------------------


def test_a_teacher_is_kept_at_its_stops_of_one_training(gap):
    kept = gap.stages("2-4", 1, 10, 32, 0.02)
    assert {*kept} == {0.0, *gap.STOPS}
    np.testing.assert_array_equal(kept[0.0].vector, gap.convolutional("2-4", 40_001).vector)
    vectors = [kept[stop].vector for stop in (0.0, *sorted(gap.STOPS))]
    assert all((one != two).any() for one, two in pairwise(vectors))


def test_a_student_of_the_gap_learns_what_its_lesson_says(gap, monkeypatch):
    seen = {}

    def train(model, split, objective, **plan):
        scores = np.random.default_rng(0).normal(0, 2, (4, 10))
        seen["got"] = objective({"logits": scores}, split.index[:4], 0.0).gradients["logits"]
        seen["scores"], seen["labels"] = scores, split.labels[:4]

    teachers = gap.stages("2-4", 1, 10, 32, 0.02)
    monkeypatch.setattr(gap, "train", train)
    plan = {"teacher_rate": 0.02, "student": "4-8", "steps": 10, "batch_size": 32, "seed": 1}
    choice = {"T": 2.0, "weight": 0.3, "rate": 0.02}
    gap.student_of("2-4", 0.5, "taught", choice, **plan)
    p = softmax(teachers[0.5].logits(gap.data().transfer.inputs[:4]), 2.0)
    np.testing.assert_allclose(seen["got"], 2 * (softmax(seen["scores"], 2.0) - p) / 4)
    gap.student_of(gap.NONE, 1.0, "even", choice, **plan)
    smoothed = 0.7 * np.eye(10)[seen["labels"]] + 0.03
    np.testing.assert_allclose(seen["got"], (softmax(seen["scores"]) - smoothed) / 4)


def test_every_teacher_of_the_gap_has_as_many_trials(gap):
    assert {len(trials) for trials in gap.TRIALS.values()} == {4}


# --- MNIST ----------------------------------------------------------------------------------------


def test_the_study_of_mnist_runs_whole_on_a_few_pictures(study, monkeypatch):
    module, tiny = study("deep_mnist"), tiny_mnist((240, 80, 80))
    caches = (module.taught, module.hits_of_teacher)
    [cached.cache_clear() for cached in caches]
    monkeypatch.setattr(module, "data", lambda: tiny)
    short = {"teacher_labels": 200, "labels": 40, "teacher_steps": 3, "steps": 2}

    class Fake:
        seeds, tuning = range(2), [1000]

        def runs(self, tasks, seeds, run=None):
            run = run or module.deep_mnist
            fixed = module.PLAN | short
            return [[run(**fixed | task, seed=seed) for seed in seeds] for task in tasks]

    rows = module.contents(Fake())["rows"]
    [cached.cache_clear() for cached in caches]
    assert [row["method"] for row in rows] == module.FIRST
    for row in rows:
        right = unpacked(row["right"], 80).mean(axis=1)
        np.testing.assert_allclose(right, row["accuracy"], atol=1e-6)
        assert row["choice"] in study("deep").trials_of(row["method"])


def test_a_student_of_mnist_sees_some_of_its_teachers_images(study, monkeypatch):
    module, tiny = study("deep_mnist"), tiny_mnist((240, 80, 80))
    monkeypatch.setattr(module, "data", lambda: tiny)
    theirs, few = module.shown(30, 100, 2)
    assert len(theirs) == 100 and len(few) == 30 and np.isin(few.index, theirs.index).all()
    assert not np.array_equal(few.index, module.shown(30, 100, 3)[1].index)


def test_the_record_of_mnist_says_how_to_get_it_again(study):
    study("deep_mnist")
    [one] = study("engine").STUDIES["deep_mnist"].values()
    content = recorded("deep_mnist")
    assert content["command"] == one.head["command"] and content["seeds"] == [*range(5)]
    for row in content["rows"]:
        right = unpacked(row["right"], 10_000).mean(axis=1)
        np.testing.assert_allclose(right, row["accuracy"], atol=1e-6)
        trials = study("deep").trials_of(row["method"])
        assert row["choice"] == trials[int(np.argmax(row["trials"]))]


@pytest.mark.skipif(real_mnist() is None, reason="needs the files of MNIST")
def test_a_row_of_mnist_is_found_again(study, monkeypatch):
    monkeypatch.setenv("DISTILL_MNIST", str(real_mnist()))
    module = study("deep_mnist")
    row = recorded("deep_mnist")["rows"][0]
    found = module.deep_mnist(row["method"], row["choice"], seed=1, **module.PLAN)
    assert found["accuracy"] == pytest.approx(row["accuracy"][1], abs=0.01)
