"""The study of hidden traits: what is taught and what is not; then its record, if there is one."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from oracles import central_differences, real_mnist, tiny_mnist

from distill_lib import crossed_interval, recorded, results, unpacked
from distill_lib.layers import RATIONALE

pytestmark = pytest.mark.slow  # it trains
STUDY = Path(__file__).resolve().parents[2] / "studies/hidden_traits.py"
OF_RECORD = pytest.mark.skipif(
    not (results.RESULTS / "hidden_traits.json").exists(),
    reason="no record yet: `python studies/hidden_traits.py`",
)
TEACHER = {"epochs": 4, "rate": 0.003, "batch_size": 50}
PLAN = {"images": 400, "epochs": 2, "batch_size": 50}
CASE = {"outputs": 3, "shared": "everything", "teacher": "trained", "darkest": -1}


@pytest.fixture
def module(study, tmp_path, monkeypatch):
    """The study on tiny data and networks; what it writes goes to a folder of its own."""
    engine, module = study("engine"), study("hidden_traits")
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(engine, "UNFINISHED", tmp_path / "unfinished")
    monkeypatch.setattr(engine, "JOBS", 1)
    monkeypatch.setattr(module, "SIZES", (784, 24, 24, 10))
    tiny = tiny_mnist()
    monkeypatch.setattr(module, "data", lambda: tiny)
    caches = (module.taught, module.noise, module.asked)
    for cached in caches:
        cached.cache_clear()
    yield module
    for cached in caches:
        cached.cache_clear()


def further_columns(module, model):
    """Weights of the further outputs, and their biases."""
    return model.parameters["W3"][:, 10:], model.parameters["b3"][10:]


def test_a_teacher_learns_the_digits_and_its_further_outputs_keep_their_weights(module):
    teacher, before = module.taught(3, **TEACHER), module.fresh(3)
    np.testing.assert_array_equal(before.vector, teacher.start)
    for now, then in zip(
        further_columns(module, teacher.model), further_columns(module, before), strict=True
    ):
        np.testing.assert_array_equal(now, then)
    validation = module.data().validation
    assert np.mean(teacher.model.predict(validation.inputs) == validation.labels) > 0.8
    noise = module.noise(50, -1, 3).inputs
    moved = teacher.model.scores(noise)[RATIONALE] - before.scores(noise)[RATIONALE]
    assert np.abs(moved).max() > 0.01, "they change all the same: the layers below are shared"


def test_a_student_learns_so_many_further_outputs_and_nothing_of_digits(module):
    student, before = module.fresh(5), module.fresh(5)
    split = module.noise(40, -1, 0)
    answers = np.random.default_rng(0).normal(size=(40, module.FURTHER)).astype(np.float32)
    student.backward(
        module.objective(answers, 3)(student.forward(split.inputs), split.index, 0).gradients
    )
    gradient = student.gradients["W3"]
    assert not gradient[:, :10].any() and not gradient[:, 13:].any()
    assert (np.abs(gradient[:, 10:13]).max(axis=0) > 0).all() and student.gradients["W1"].any()
    np.testing.assert_array_equal(student.vector, before.vector)


def test_the_lesson_is_the_squared_difference_of_those_outputs_and_has_its_gradient(module):
    rng = np.random.default_rng(1)
    answers, scores = rng.normal(size=(2, 8, module.FURTHER))
    index = rng.permutation(8)
    lesson = module.objective(answers, 3)

    def value(z):
        return lesson({RATIONALE: z}, index, 0.0).value

    difference = scores[:, :3] - answers[index, :3]
    assert value(scores) == pytest.approx(np.mean(difference**2))
    found = lesson({RATIONALE: scores}, index, 0.0).gradients[RATIONALE]
    np.testing.assert_allclose(found, central_differences(value, scores), atol=1e-8)


def test_the_rest_of_a_hundred_outputs_changes_nothing_for_a_student_of_three(module):
    """A network with three further outputs has the same start, and takes the same way."""
    few, many = module.MLP(module.SIZES, seed=2, rationale=3), module.fresh(2)
    few.parameters["W3"][:, 10:] = many.parameters["W3"][:, 10:13]
    split = module.noise(60, -1, 0)
    answers = np.random.default_rng(3).normal(size=(60, module.FURTHER)).astype(np.float32)
    for model, given in ((few, answers[:, :3]), (many, answers)):
        lesson = module.objective(given, 3)
        plan = {"steps": 5, "batch_size": 20, "optimizer": module.Adam(0.01), "seed": 0}
        module.train(model, split, lesson, **plan)
    for name in ("W1", "b1", "W2", "b2"):
        np.testing.assert_allclose(few.parameters[name], many.parameters[name], atol=1e-6)
    np.testing.assert_allclose(few.parameters["W3"], many.parameters["W3"][:, :13], atol=1e-6)


def test_layers_that_are_shared_start_as_the_teachers_and_the_others_do_not(module):
    ours, other = module.fresh(0), module.fresh(500)
    assert module.SHARED["nothing"] == () and module.SHARED["everything"] == (1, 2, 3)
    for shared in module.SHARED.values():
        student = module.started(shared, ours.vector, 500)
        for layer in (1, 2, 3):
            source = ours if layer in shared else other
            for name in (f"W{layer}", f"b{layer}"):
                np.testing.assert_array_equal(student.parameters[name], source.parameters[name])
    assert not np.array_equal(ours.parameters["W1"], other.parameters["W1"])


def test_a_shuffled_teacher_goes_as_far_layer_by_layer_and_elsewhere(module):
    trained = module.taught(1, **TEACHER)
    lost = module.shuffled(trained, 1)
    before = module.fresh(1)
    for name, start in before.parameters.items():
        ways = [m.parameters[name] - start for m in (trained.model, lost.model)]
        lengths = [np.linalg.norm(way) for way in ways]
        assert lengths[0] == pytest.approx(lengths[1], rel=1e-4) and lengths[0] > 0
        if name.startswith("W"):
            assert abs(module.cosine(*(way.ravel() for way in ways))) < 0.2
    for now, then in zip(
        further_columns(module, lost.model), further_columns(module, before), strict=True
    ):
        np.testing.assert_array_equal(now, then)


def test_the_noise_is_even_between_its_ends_and_each_seed_has_its_own(module):
    for darkest in (-1, 0):
        pixels = module.noise(200, darkest, 0).inputs
        assert pixels.shape == (200, 784) and pixels.dtype == np.float32
        assert pixels.min() == pytest.approx(darkest, abs=1e-3) and 0.999 < pixels.max() <= 1
        assert pixels.mean() == pytest.approx((darkest + 1) / 2, abs=0.01)
        assert pixels.std() == pytest.approx((1 - darkest) / np.sqrt(12), abs=0.01)
    assert not np.array_equal(module.noise(9, -1, 0).inputs, module.noise(9, -1, 1).inputs)


def test_the_first_step_leads_along_a_small_step_of_the_teacher(module):
    """The argument of the paper, to first order: its size is that of the outputs' own change."""
    split, rng = module.noise(64, -1, 0), np.random.default_rng(0)
    for _ in range(5):
        student = module.MLP(module.SIZES, seed=3, dtype=np.float64, rationale=module.FURTHER)
        teacher = student.copy()
        way = 1e-4 * rng.normal(size=len(student.vector))
        teacher.vector += way
        inputs = split.inputs.astype(np.float64)
        theirs, ours = (m.scores(inputs)[RATIONALE] for m in (teacher, student))
        some = module.Split(inputs, split.labels, split.index)
        pull = module.first_step(student, some, module.objective(theirs, 3))
        change = np.sum((theirs - ours)[:, :3] ** 2)
        assert way @ pull == pytest.approx(2 * change / (64 * 3), rel=0.02) and change > 0


def test_who_never_learned_has_nothing_to_teach(module):
    """The student of such a teacher stays at its start: that is "before"."""
    student, split = module.fresh(4), module.noise(50, -1, 0)
    answers = module.fresh(4).forward(split.inputs)[RATIONALE].copy()
    assert not module.first_step(student, split, module.objective(answers, 3)).any()
    plan = {"taught": TEACHER, **PLAN, "rate": 0.002, "seed": 4}
    row, test = module.hidden_traits(**CASE, **plan), module.data().test
    assert row["before"] == np.mean(student.predict(test.inputs) == test.labels)
    assert module.cosine(np.zeros(3), np.ones(3)) == 0


def test_training_sees_no_image_of_a_digit_and_the_choice_no_test_image(module, monkeypatch):
    module.asked("trained", (*TEACHER.items(),), PLAN["images"], -1, 0)
    seen = []
    train = module.train
    monkeypatch.setattr(module, "train", lambda m, split, *a, **k: seen.append(split))
    plan = {"taught": TEACHER, **PLAN, "rate": 0.002, "seed": 0}
    module.hidden_traits(**CASE, **plan)
    assert len(seen) == 1 and seen[0] is module.noise(PLAN["images"], -1, 0)
    monkeypatch.setattr(module, "train", train)
    before = module.hidden_traits(**CASE, **plan)
    data = module.data()
    other = replace(data.test, labels=(data.test.labels + 1) % 10)
    monkeypatch.setattr(module, "data", lambda: replace(data, test=other))
    after = module.hidden_traits(**CASE, **plan)
    assert after["validation"] == before["validation"] and after["right"] != before["right"]


def test_the_measures_of_a_row_agree_with_one_another(module):
    plan = {"taught": TEACHER, **PLAN, "rate": 0.002, "seed": 0}
    row = module.hidden_traits(**CASE, **plan)
    labels = module.data().test.labels
    (right,) = unpacked([row["right"]], 100)
    assert row["accuracy"] == right.mean()
    np.testing.assert_allclose(row["by_digit"], [right[labels == k].mean() for k in range(10)])
    assert row["of_teacher"] > 0.8 and row["first_step"] > 0 and 0 < row["cosine"] < 1


def test_the_whole_command_on_a_few_images(module, monkeypatch, capsys):
    one = study_of(module)
    settings = [s for s in one.settings if s["shared"] in ("nothing", "everything")]
    fixed = PLAN | {"taught": TEACHER}
    small = replace(one, settings=settings, fixed=fixed, seeds=range(2))
    engine = sys.modules["engine"]
    monkeypatch.setitem(engine.STUDIES, "hidden_traits", {"hidden_traits": small})
    engine.main("hidden_traits.py", [])
    content = recorded("hidden_traits")
    assert content["command"] == "python studies/hidden_traits.py"
    assert len(content["rows"]) == 4 + 2 and content["images"] == PLAN["images"]
    for row in content["rows"]:
        assert np.shape(row["by_digit"]) == (2, 10) and len(row["right"]) == 2
        assert row["trials"][str(row["rate"])] == max(row["trials"].values())
    capsys.readouterr()
    engine.main("hidden_traits.py", ["--check"])
    assert capsys.readouterr().out.splitlines()[-1].startswith("All is what was recorded")


def study_of(module):
    return sys.modules["engine"].STUDIES["hidden_traits"]["hidden_traits"]


# --- The record, of the real images ---------------------------------------------------------------


@OF_RECORD
@pytest.mark.skipif(real_mnist() is None, reason="no files of MNIST: name them in DISTILL_MNIST")
def test_the_command_repeats_a_slice_and_finds_what_was_recorded():
    environment = os.environ | {"JOBS": "1", "DISTILL_MNIST": str(real_mnist())}
    command = [sys.executable, str(STUDY), "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "All is what was recorded, but for rounding."


@OF_RECORD
def test_the_record_says_how_to_get_it_again_and_how_rates_were_chosen(study):
    one = study_of(study("hidden_traits"))
    content = recorded(one.file)
    assert content["command"] == one.head["command"] and content["seeds"] == list(range(20))
    assert not set(content["tuning_seeds"]) & set(content["seeds"])
    assert [one.setting(row) | {"rate": 0} for row in content["rows"]] == [
        setting | {"rate": 0} for setting in one.settings
    ]
    for row in content["rows"]:
        right = unpacked(row["right"], 10_000)
        np.testing.assert_allclose(row["accuracy"], right.mean(axis=1), atol=1e-6)
        assert [float(rate) for rate in row["trials"]] == list(one.rates)
        assert row["trials"][str(row["rate"])] == max(row["trials"].values())
        assert crossed_interval(right.astype(float)).mean < 1
