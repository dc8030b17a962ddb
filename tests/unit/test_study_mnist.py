"""The study of MNIST, whole, on a few images that the test makes; then its records, if any."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from oracles import real_mnist, tiny_mnist

from distill_lib import (
    Dropout,
    Linear,
    Network,
    TeacherOutputs,
    cosine_decay,
    recorded,
    results,
    soft_target_loss,
    traditional,
    unpacked,
)
from distill_lib.data import Split
from distill_lib.training import Diverged

pytestmark = pytest.mark.slow  # it trains
STUDIES = Path(__file__).resolve().parents[2] / "studies"
RECORDS = ("mnist_teachers", "mnist", "mnist_unseen")
TEACHER = {
    "width": 16,
    "rate": 0.1,
    "batch_size": 50,
    "dropout_of_inputs": 0.1,
    "dropout": 0.2,
    "longest": 3.0,
    "pixels": 1,
}
TINY = ["784-12-12-10", "784-8-8-10"]


@pytest.fixture
def module(study, tmp_path, monkeypatch):
    """The study on tiny data, with tiny teachers; what it writes goes to a folder of its own."""
    engine, module = study("engine"), study("mnist")
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(engine, "UNFINISHED", tmp_path / "unfinished")
    monkeypatch.setattr(engine, "JOBS", 1)
    tiny = tiny_mnist()
    monkeypatch.setattr(module, "data", lambda: tiny)
    caches = (module.images, module.asked)
    for cached in caches:
        cached.cache_clear()
    yield module
    for cached in caches:
        cached.cache_clear()


def tiny(module, name):
    """A study with little to do."""
    one = module.engine.STUDIES["mnist"][name]
    sizes = dict(zip(module.STUDENTS, [*TINY, TINY[1]], strict=True))
    settings = [
        setting
        | {"taught": min(setting["taught"], 3)}
        | ({"student": sizes[setting["student"]]} if "student" in setting else {})
        for setting in one.settings
    ]
    fixed = {**one.fixed, "teacher": TEACHER}
    fixed |= {"epochs": 3, "batch_size": 50} if "epochs" in fixed else {}
    checked = {"checked": lambda row: row["taught"] < 3}
    return replace(one, settings=settings, fixed=fixed, seeds=range(2), **checked)


def test_the_report_learns_from_all_images_and_a_choice_from_those_that_do_not_validate(module):
    data = module.data()
    assert module.images(True) is data.train
    whole = module.images(False)
    assert sorted(whole.index) == sorted([*data.train.index, *data.validation.index])
    row = int(np.flatnonzero(whole.index == data.validation.index[7])[0])
    np.testing.assert_array_equal(whole.inputs[row], data.validation.inputs[7])
    assert whole.labels[row] == data.validation.labels[7]


def test_a_split_of_some_digits_has_all_of_these_and_no_others(module):
    split = module.images(False)
    shown = module.only(split, "78")
    assert set(shown.labels) == {7, 8} and len(shown) == np.isin(split.labels, [7, 8]).sum()


def test_a_teacher_is_what_the_paper_says(module, monkeypatch):
    plans = {}
    monkeypatch.setattr(module, "train", lambda model, *_, **plan: plans.update(plan))
    plan = module.TEACHER | {"dropout_of_inputs": 0.1}  # the plan that was chosen has none there
    model = module.teach(module.images(True), 3, epochs=2, **plan)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Dropout", *["Linear", "ReLU", "Dropout"] * 2, "Linear"]
    assert model.units == {"hidden_1": 1200, "hidden_2": 1200, "logits": 10}
    rates = [layer.rate for layer in model.layers if isinstance(layer, Dropout)]
    assert rates == [0.1, plan["dropout"], plan["dropout"]] and min(rates) > 0
    dot = np.zeros((500, 784), np.float32)
    dot[:, 14 * 28 + 14] = 1
    rows, columns = np.divmod(plans["augment"](dot, np.random.default_rng(0)).argmax(axis=1), 28)
    assert {*rows} == {*columns} == {12, 13, 14, 15, 16}
    model.vector *= 100
    plans["after_step"](model)
    assert np.linalg.norm(model.parameters["W2"], axis=0).max() == pytest.approx(
        plan["longest"], rel=1e-5
    )
    assert (plans["steps"], plans["seed"]) == (2 * 5, 3)


def test_a_teacher_is_trained_once_and_read_from_disk_after_that(module, monkeypatch):
    first = module.teacher_of(TEACHER, 1, True, 0)
    taught = []
    teach = module.teach
    monkeypatch.setattr(module, "getsource", lambda function: "as it was")
    monkeypatch.setattr(module, "teach", lambda *a, **k: taught.append(k) or teach(*a, **k))
    for change in ((TEACHER, 1, True, 0), (TEACHER, 1, False, 0), (TEACHER, 1, True, 1)):
        for _ in range(2):
            again = module.teacher_of(*change)
        if change == (TEACHER, 1, True, 0):
            np.testing.assert_array_equal(again.vector, first.vector)
    assert len(taught) == 3
    module.teacher_of(TEACHER | {"dropout": 0.3}, 1, True, 0)
    monkeypatch.setattr(module, "getsource", lambda function: "edited")
    module.teacher_of(TEACHER, 1, True, 0)
    assert len(taught) == 5


def test_an_interrupted_teacher_leaves_no_file_that_would_be_read(module, monkeypatch):
    def interrupt(model, path):
        path.write_bytes(b"the beginning")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Network, "save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            module.teacher_of(TEACHER, 1, True, 0)
    assert isinstance(module.teacher_of(TEACHER, 1, True, 0), Network)


def test_the_bias_makes_all_classes_equally_likely_by_the_teachers_probabilities(module):
    rng = np.random.default_rng(0)
    split = Split(np.zeros((40, 2)), rng.integers(0, 10, 40), rng.permutation(60)[:40])
    logits = 3 * rng.normal(size=(60, 10)) - 4 * (np.arange(10) == 3)
    outputs = TeacherOutputs(np.arange(60), {"logits": logits})
    p = np.exp(logits[split.index])
    implied = (p / p.sum(axis=1, keepdims=True)).mean(axis=0)
    bias = module.bias_of(outputs, split)
    np.testing.assert_allclose(implied * np.exp(bias), 0.1)
    assert bias.argmax() == 3 and bias[3] > 1


def test_a_student_warms_up_and_ends_at_rest(module, monkeypatch):
    plans = {}
    monkeypatch.setattr(module, "train", lambda model, *_, **plan: plans.update(plan))
    plan = {"rate": 0.1, "epochs": 3, "batch_size": 100}
    model = module.learn("784-30-20-10", module.images(True), None, 4, **plan)
    assert model.sizes == (784, 30, 20, 10)
    assert (plans["steps"], plans["batch_size"], plans["seed"]) == (15, 100, 4)
    assert not {"augment", "after_step", "patience"} & {*plans}
    schedule = [plans["schedule"](done) for done in np.linspace(0, 1, 101)]
    assert schedule[0] == 0 and schedule[-1] == pytest.approx(0) and 0.95 < max(schedule) <= 1
    assert np.argmax(schedule) == 10 and (np.diff(schedule[10:]) < 0).all()
    np.testing.assert_allclose(schedule[5], 0.5 * cosine_decay(0.05))


def test_neither_choice_nor_bias_looks_at_the_test_set(module, monkeypatch):
    """While they are made, there is none."""
    whole = module.data()
    monkeypatch.setattr(module, "data", lambda: replace(whole, test=None))
    teacher, plan = (1, TEACHER, True, 0), {"rate": 0.03, "epochs": 1, "batch_size": 50}
    monkeypatch.setattr(module, "asked", without_test(module))
    module.mnist(TINY[0], 4, *teacher, **plan)
    module.mnist(TINY[0], None, *teacher, **plan)
    module.unseen("78", 4, TINY[0], *teacher, **plan)


def test_a_rate_that_diverges_is_not_chosen_and_never_reported(module, monkeypatch):
    def diverge(*_, **__):
        raise Diverged("as it happens")

    monkeypatch.setattr(module, "learn", diverge)
    plan = {"rate": 1.0, "epochs": 1, "batch_size": 50}
    for run in (partial(module.mnist, TINY[0], 4), partial(module.unseen, "78", 4, TINY[0])):
        assert run(1, TEACHER, True, 0, **plan)["validation"] <= 0
        with pytest.raises(Diverged):
            run(1, TEACHER, False, 0, **plan)


def test_rates_for_digits_never_shown_are_chosen_by_the_soft_targets_of_those_shown(module):
    plan = {"rate": 0.03, "epochs": 1, "batch_size": 50}
    row = module.unseen("78", 4, TINY[0], 1, TEACHER, True, 0, **plan)
    split = module.images(True)
    teacher = module.teacher_of(TEACHER, 1, True, 0)
    split = split.take(np.flatnonzero((split.labels == 7) | (split.labels == 8)))
    outputs = TeacherOutputs.of(teacher, split)
    student = module.learn(TINY[0], split, traditional(split, outputs, 4, 0.0), 0, **plan)
    validation = module.data().validation
    inputs = validation.inputs[(validation.labels == 7) | (validation.labels == 8)]
    loss = soft_target_loss(student.logits(inputs), teacher.logits(inputs), 4.0)
    assert row == {"validation": pytest.approx(-loss.value, rel=1e-5)}


def without_test(module):
    """Of `asked` the part that training needs."""

    def asked(plan, epochs, validating, seed):
        model = module.teacher_of(dict(plan), epochs, validating, seed)
        split = module.images(validating)
        return None, TeacherOutputs(split.index, {"logits": model.logits(split.inputs)})

    return asked


def test_the_whole_command_on_a_few_images(module, monkeypatch, capsys, tmp_path):
    studies = {name: tiny(module, name) for name in ("teachers", "mnist", "unseen")}
    monkeypatch.setitem(module.engine.STUDIES, "mnist", studies)
    module.engine.main("mnist.py", [])
    written = (results.RESULTS / "mnist_teachers.json").stat().st_mtime_ns
    kept = [*tmp_path.glob("unfinished/teachers_of_mnist/*")]
    assert len(kept) == 2 * 3, "their record is written, and they are there for the students"
    assert all(path.stat().st_mtime_ns <= written for path in kept), "none was trained twice"
    teachers, table, unseen = map(recorded, RECORDS)
    labels = module.data().test.labels
    assert [row["taught"] for row in teachers["rows"]] == [1, 3]
    assert {*teachers["validation_errors"]} == {"1", "3"}
    assert len(table["rows"]) == 16 and table["tuning_seeds"] == [1000]
    assert table["command"] == "python studies/mnist.py"
    for row in [*teachers["rows"], *table["rows"]]:
        right = unpacked(row["right"], 100)
        assert row["errors"] == (~right).sum(axis=1).tolist() and len(row["errors"]) == 2
    for row in table["rows"]:
        assert row["trials"][str(row["rate"])] == max(row["trials"].values())
        assert ("fidelity" in row) == (row["T"] is not None) and "validating" not in row
    for row in unseen["rows"]:
        others = ~np.isin(labels, [int(digit) for digit in row["shown"]])
        for name in ("", "corrected_"):
            right = unpacked(row[f"{name}right"], 100)
            assert row[f"{name}errors"] == (~right).sum(axis=1).tolist()
            np.testing.assert_allclose(
                row[f"{name}unseen"], right[:, others].mean(axis=1), atol=1e-6
            )
        assert np.shape(row["bias"]) == (2, 10)
    capsys.readouterr()
    module.engine.main("mnist.py", ["--check"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "All is what was recorded, but for rounding."
    assert sum(", again " in line for line in printed) == 1 + 3 + 1
    texts = [path.stat().st_size for path in results.RESULTS.iterdir()]
    assert sum(texts) < 100_000, "a run leaves no more than its right and wrong answers"


def test_what_was_interrupted_goes_on_where_it_stopped(module, monkeypatch, tmp_path):
    one, learned = tiny(module, "unseen"), []
    learn = module.learn

    def interrupted(*given, **plan):
        learned.append(plan)
        if len(learned) == 5:
            raise KeyboardInterrupt
        return learn(*given, **plan)

    monkeypatch.setattr(module, "learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.record()
    folder = tmp_path / "unfinished/teachers_of_mnist"
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*")}
    one.record()
    again = {path: path.stat().st_mtime_ns for path in folder.glob("*")}
    assert kept == again and len(kept) == 2 * 3
    settings, rates, seeds = len(one.settings), len(one.rates), len(one.seeds)
    assert len(learned) == settings * (rates + seeds) + 1


# --- Attempts to come closer ----------------------------------------------------------------------


@pytest.fixture
def closer(module, study):
    """The attempts, on the same tiny data and with the same tiny teachers."""
    return study("mnist_closer")


PLAN = {"T": 4, "rate": 0.1, "epochs": 1, "batch_size": 50, "teacher": TEACHER}


def test_each_attempt_is_made_and_changes_what_it_says(module, closer, monkeypatch):
    rows, plans, learn = {}, {}, module.learn

    def watched(**plan):
        plans[len(plans)] = plan
        return learn(**plan)

    monkeypatch.setattr(module, "learn", watched)
    without_test = replace(module.data(), test=None)
    monkeypatch.setattr(module, "data", lambda: without_test)
    every = closer.ATTEMPTS | closer.CONTROLS
    for attempt in every:
        rows[attempt] = closer.mnist_closer(
            attempt=attempt, student=TINY[0], taught=1, teacher_seed=3, seed=0, **PLAN
        )
    assert len({row["teacher_errors"] for row in rows.values()}) == 1
    for attempt, plan in zip(every, plans.values(), strict=True):
        for name in ("epochs", "batch_size", "rate", "student"):
            expected = ({"student": TINY[0]} | PLAN | every[attempt])[name]
            assert plan[name] == expected, attempt
        options = {"asked": "augment", "augment": "augment", "decay": "after_step"}
        assert {options[name] for name in every[attempt] if name in options} == {
            name for name in ("augment", "after_step") if name in plan
        }, attempt
        row = rows[attempt]
        assert 0 <= row["mended"] <= min(row["teacher_errors"], 100 - row["errors"])


@pytest.mark.parametrize("change", ["moved", "mixed"])
def test_a_teacher_is_asked_about_the_images_as_they_were_changed(module, closer, change):
    teacher = Network([Linear(784, {"logits": 10})], seed=1)
    change = closer.CHANGED[change]
    asking, x = closer.Asking(teacher, change, 4.0), module.data().train.inputs[:20]
    changed = asking.augment(x, np.random.default_rng(0))
    np.testing.assert_array_equal(changed, change(x, np.random.default_rng(0)))
    scores = np.random.default_rng(1).normal(size=(20, 10))
    outcome = asking({"logits": scores}, np.arange(20), 0.0)
    expected = soft_target_loss(scores, teacher.logits(changed), 4.0)
    assert outcome.value == expected.value
    np.testing.assert_array_equal(outcome.gradients["logits"], expected.gradient)


def test_a_mixed_image_lies_between_two_of_its_batch(closer):
    x = np.eye(30, dtype=np.float32)  # so that the shares of the mixture can be read off
    changed = closer.mixed(x, np.random.default_rng(0))
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(changed.sum(axis=0).sum(), 30, rtol=1e-6)
    shares = np.diag(changed)
    assert ((changed > 0).sum(axis=1) <= 2).all() and shares.min() < 0.1 and shares.max() > 0.9


# --- The records, of the real images --------------------------------------------------------------


@pytest.mark.parametrize("name", ["mnist", "mnist_closer", "mnist_mistakes"])
@pytest.mark.skipif(real_mnist() is None, reason="no files of MNIST: name them in DISTILL_MNIST")
def test_the_command_repeats_a_slice_and_finds_what_was_recorded(name):
    environment = os.environ | {"JOBS": "1", "DISTILL_MNIST": str(real_mnist())}
    command = [sys.executable, str(STUDIES / f"{name}.py"), "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "All is what was recorded, but for rounding."


def test_records_say_how_to_get_them_again_and_how_rates_were_chosen(study):
    study("mnist")
    for one in study("engine").STUDIES["mnist"].values():
        content = recorded(one.file)
        assert content["command"] == one.head["command"]
        assert content["seeds"] == list(one.seeds) and len(one.seeds) >= 5
        assert not set(content.get("tuning_seeds", ())) & set(content["seeds"])
        rows = one.rows(content)
        assert [one.setting(row) | {"rate": 0} for row in rows] == [
            setting | {"rate": 0} for setting in one.settings
        ]
        for row in rows:
            right = unpacked(row["right"], 10_000)
            assert row["errors"] == (~right).sum(axis=1).tolist()
            if one.rates:
                assert [float(rate) for rate in row["trials"]] == list(one.rates)
                assert row["trials"][str(row["rate"])] == max(row["trials"].values())
