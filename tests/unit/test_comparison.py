"""The comparison of chapter 6: fair by construction, blind to the test split, and repeatable."""

import importlib.util
import sys
from copy import copy
from pathlib import Path

import numpy as np
import pytest

from distill_lib import MLP, SGD, Split, hard_labels, log_softmax, recorded, train

STUDIES = Path(__file__).resolve().parents[2] / "studies"
TWO_DIGITS = 0.005 + 1e-9  # of 400: another machine's rounding may move the odd digit


@pytest.fixture(scope="module")
def study():
    """studies/comparison.py as a module, under the name that studies/comparison_weights.py uses."""
    spec = importlib.util.spec_from_file_location("comparison", STUDIES / "comparison.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def weights(study):
    """studies/comparison_weights.py as a module."""
    path = STUDIES / "comparison_weights.py"
    spec = importlib.util.spec_from_file_location("comparison_weights", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def rows():
    return recorded("comparison")["rows"]


def row_of(rows, setting, regime, method):
    wanted = {"setting": setting, "regime": regime, "method": method}
    return next(row for row in rows if row.items() >= wanted.items())


# --- The record is what comes out ---------------------------------------------------------------

SLICES = [
    ("few labels", "one rate", "step by step"),
    ("few labels", "all tuned", "cosine"),
    ("noisy labels", "all tuned", "alone"),
    ("wrong scale", "own rate", "traditional"),
    ("odd or even", "all tuned", "step by step"),
    ("clouds", "all tuned", "smoothing"),
]


@pytest.mark.parametrize(("setting", "regime", "method"), SLICES, ids=lambda x: x)
def test_a_slice_comes_out_as_recorded(study, rows, setting, regime, method):
    row, seed = row_of(rows, setting, regime, method), 1
    again = study.final(setting, regime, method, row["choice"], row["target"], seed)
    assert set(again) == set(study.MEASURES)
    for measure in ("accuracy", "fidelity"):
        assert again[measure] == pytest.approx(row[measure][seed], abs=TWO_DIGITS), measure
    assert again["nll"] == pytest.approx(row["nll"][seed], rel=0.05)
    assert again["diverged"] == row["diverged"][seed]


def test_the_dials_come_out_as_recorded(weights):
    seed, names = 1, ("method", "T", "alpha", "beta")
    for row in recorded("comparison_weights")["rows"][7::40]:
        again = weights.dial(*(row[name] for name in names), seed=seed)
        assert again["accuracy"] == pytest.approx(row["accuracy"][seed], abs=TWO_DIGITS)


def test_the_record_says_how_to_get_it_again(study, rows):
    content = recorded("comparison")
    assert content["command"] == "python studies/comparison.py"
    assert content["seeds"] == list(study.SEEDS) and len(study.SEEDS) >= 30
    assert {"python", "numpy", "scipy", "scikit-learn"} <= set(content["versions"])
    assert content["date"].count("-") == 2
    names = [(row["setting"], row["regime"], row["method"]) for row in rows]
    assert len(set(names)) == len(names)
    assert len(names) == len(study.SETTINGS) * len(study.REGIMES) * len(study.METHODS)
    assert all(len(row[m]) == len(study.SEEDS) for row in rows for m in study.MEASURES)


def test_the_dials_say_how_to_get_them_again(weights):
    content = recorded("comparison_weights")
    assert content["command"] == "python studies/comparison_weights.py"
    assert content["seeds"] == list(weights.SEEDS) and len(weights.SEEDS) >= 20
    assert len(content["rows"]) == np.prod([len(values) for values in weights.GRID.values()])
    assert {"date", "versions"} <= set(content)


def test_without_a_rationale_the_dials_are_traditional_distillation():
    """At beta 0 and the same rate the two methods are one; here their rates may differ."""
    rows = recorded("comparison_weights")["rows"]
    none = [row for row in rows if row["beta"] == 0]
    by_method = [
        [r["accuracy"] for r in none if r["method"] == m] for m in ("step by step", "cosine")
    ]
    assert np.abs(np.mean(by_method[0], axis=1) - np.mean(by_method[1], axis=1)).max() < 0.03


# --- The rules ----------------------------------------------------------------------------------


class Unreadable(Split):
    """A test split that nobody may look at: everything about it raises."""

    def __init__(self):
        pass

    def __getattribute__(self, name):
        raise AssertionError(f"the test split was touched: {name}")

    __len__ = __bool__ = lambda self: self.touched  # raises


@pytest.fixture
def forbidden(study, monkeypatch):
    """The comparison's data sets, with a test split that raises on any access."""
    whole = study.data_of

    def data_of(setting):
        data = copy(whole(setting))
        object.__setattr__(data, "test", Unreadable())  # `replace` would look at it
        return data

    monkeypatch.setattr(study, "data_of", data_of)
    monkeypatch.setattr(study, "STEPS", 20)  # enough to go through everything once
    study.train_teacher.cache_clear()
    yield
    study.train_teacher.cache_clear()


SETTINGS = ("few labels", "noisy labels", "wrong scale", "odd or even", "clouds")


@pytest.mark.parametrize("setting", SETTINGS)
def test_tuning_does_not_touch_the_test_split(study, forbidden, setting):
    for regime in ("own rate", "all tuned"):
        for method in study.METHODS:
            found = study.trial(setting, regime, method, 10, 1000)
            assert 0 <= found["validation"] <= 1


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_test_split_that_raises_is_noticed(study, forbidden, setting):
    """The test above could fail: the report, which does look, meets the error."""
    choice = study.choices("alone", "one rate")[0]
    with pytest.raises(AssertionError, match="the test split was touched"):
        study.final(setting, "one rate", "alone", choice, 2.0, 0)


def test_choices_follow_validation_alone(study):
    """The best trial is that of the highest validation accuracy, whatever else a row holds."""
    keys = {"setting": "clouds", "regime": "all tuned", "method": "alone"}
    found = [(0, 0.7, 0.9), (1, 0.8, 0.1), (2, 0.6, 1.0)]
    made = [keys | {"number": n, "validation": v, "accuracy": a} for n, v, a in found]
    choice, validation = study.tuned(made)["clouds", "all tuned", "alone"]
    assert choice == study.choices("alone", "all tuned")[1] and validation == 0.8


def test_every_method_has_the_same_trials(study):
    for regime, number in (
        ("one rate", 1),
        ("own rate", study.TRIALS),
        ("all tuned", study.TRIALS),
    ):
        trials = [study.choices(method, regime) for method in study.METHODS]
        assert [len(t) for t in trials] == [number] * len(study.METHODS)
        assert len({tuple(c["rate"] for c in t) for t in trials}) == 1  # and the same rates
    assert recorded("comparison")["trials"] == study.TRIALS


def test_every_choice_was_among_the_trials(study, rows):
    for row in rows:
        trials = study.choices(row["method"], row["regime"])
        assert any(row["choice"] == pytest.approx(trial) for trial in trials)


def test_every_method_is_judged_by_the_same_target(rows):
    for setting in {row["setting"] for row in rows}:
        assert len({row["target"] for row in rows if row["setting"] == setting}) == 1


def test_weights_lie_in_the_simplex(study):
    for method in study.METHODS:
        for choice in study.choices(method, "all tuned"):
            assert choice["alpha"] >= 0 and choice["beta"] >= 0
            if method in ("step by step", "cosine"):
                assert choice["alpha"] + choice["beta"] <= 1 + 1e-12


def test_tuning_and_report_share_no_seed(study):
    content = recorded("comparison")
    assert content["tuning_seeds"] == list(study.TUNING_SEEDS)
    assert not set(content["tuning_seeds"]) & set(content["seeds"])


def test_methods_start_alike_and_see_the_same_order(study):
    """With all weight on the hard labels, every method is the student alone, to the last bit."""
    data = study.untested(study.data_of("few labels"))
    choice = study.SHARED | {"alpha": 1.0, "beta": 0.0}
    vectors = [
        study.run(data, "few labels", method, "one rate", choice, 0, 2.0)[0].vector
        for method in study.METHODS
    ]
    assert all(np.array_equal(vector, vectors[0]) for vector in vectors)


def test_seeds_draw_other_labels_and_other_teachers(study):
    data = study.untested(study.data_of("few labels"))
    one, two = (study.problem(data, "few labels", seed) for seed in (0, 1))
    assert set(one.data.transfer.index) != set(two.data.transfer.index)
    shared = np.intersect1d(one.data.transfer.index, two.data.transfer.index)
    if len(shared):
        assert not np.array_equal(one.teacher.at(shared), two.teacher.at(shared))


def test_a_training_that_explodes_is_counted(study):
    wild = study.SHARED | {"rate": 1e3}
    case = study.final("few labels", "one rate", "step by step", wild, 0.9, 0)
    assert case["diverged"] == 1 and case["steps"] == study.STEPS and case["accuracy"] < 0.5


# --- Label smoothing, as a distillation ----------------------------------------------------------


def test_label_smoothing_is_cross_entropy_with_smoothed_labels(study):
    """The gradient of a teacher who knows nothing is that of labels mixed with even ones."""
    data, alpha = study.untested(study.data_of("few labels")), 0.9
    case = study.problem(data, "few labels", 0)
    split = case.data.transfer
    objective = study.objective_of("smoothing", case, study.SHARED | {"alpha": alpha})
    logits = np.random.default_rng(0).normal(0, 3, (len(split), 10))
    smoothed = alpha * np.eye(10)[split.labels] + (1 - alpha) / 10

    def loss(logits):
        return -np.mean(np.sum(smoothed * log_softmax(logits), axis=1))

    outcome, step = objective({"logits": logits}, split.index, 0.0), 1e-6
    for place in ((0, 0), (3, 7), (11, int(split.labels[11]))):
        nudge = np.zeros_like(logits)
        nudge[place] = step
        numeric = (loss(logits + nudge) - loss(logits - nudge)) / (2 * step)
        assert outcome.gradients["logits"][place] == pytest.approx(numeric, abs=1e-9)
    by_hand = (np.exp(log_softmax(logits)) - smoothed) / len(split)
    np.testing.assert_allclose(outcome.gradients["logits"], by_hand, atol=1e-12)


def test_plain_descent_is_what_one_rate_means(study):
    """The regime's optimiser is plain gradient descent at a constant rate."""
    data = study.untested(study.data_of("few labels"))
    choice = study.choices("alone", "one rate")[0]
    student, case, _ = study.run(data, "few labels", "alone", "one rate", choice, 0, 2.0)
    other = MLP((64, 10), seed=0, dtype=np.float64)
    train(
        other,
        case.data.transfer,
        hard_labels(case.data.transfer),
        steps=study.STEPS,
        batch_size=study.BATCH,
        optimizer=SGD(choice["rate"], momentum=0),
        seed=0,
    )
    assert np.array_equal(student.vector, other.vector)
