"""The recorded studies of chapter 4: a tiny slice of each, run again, must be what was recorded."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from distill_lib import recorded, softmax

STUDIES = Path(__file__).resolve().parents[2] / "studies"
TWO_DIGITS = 0.005 + 1e-9  # of 400: another machine's rounding may move the odd digit


@pytest.fixture(scope="module")
def study():
    """studies/step_by_step.py as a module."""
    spec = importlib.util.spec_from_file_location("step_study", STUDIES / "step_by_step.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def row_of(name, setting):
    rows = recorded(f"step_by_step_{name}")["rows"]
    return next(row for row in rows if all(row.get(k) == v for k, v in setting.items()))


SLICES = [
    ("labels", "run_labels", {"name": "odd or even", "labels": 50, "method": "step by step"}),
    ("labels", "run_labels", {"name": "odd or even", "labels": 20, "method": "digit in a word"}),
    ("labels", "run_labels", {"name": "ten classes", "labels": 50, "method": "hidden scores"}),
    ("grid", "run_grid", {"T": 16, "alpha": 0.25, "beta": 0.1}),
    ("high", "run_high", {"T": 8}),
]


@pytest.mark.parametrize(("name", "run", "setting"), SLICES, ids=lambda x: str(x))
def test_a_slice_comes_out_as_recorded(study, name, run, setting):
    row, seed = row_of(name, setting), 1
    again = getattr(study, run)(**setting, rate=row["rate"], seed=seed)
    for measure in ("validation", "accuracy", "fidelity"):
        assert again[measure] == pytest.approx(row[measure][seed], abs=TWO_DIGITS), measure


def test_sums_come_out_as_recorded(study):
    setting = {"examples": 2000, "method": "with carries"}
    row = row_of("addition", setting)
    again = study.run_addition(**setting, rate=row["rate"], seed=1)
    assert again["accuracy"] == pytest.approx(row["accuracy"][1], abs=0.03)  # float32


def test_answers_and_carries_add_up(study):
    inputs, answer, carries = study.sums(200, seed=0)
    digits = inputs.reshape(-1, 6, 10).argmax(axis=-1)
    before = np.concatenate([np.zeros((200, 1), int), carries[:, :-1]], axis=1)
    total = digits[:, :3] + digits[:, 3:] + before  # last place first
    np.testing.assert_array_equal(total, answer[:, :3] + 10 * carries)
    np.testing.assert_array_equal(carries[:, 2], answer[:, 3])


def test_the_teachers_parity_is_the_sum_of_its_probabilities(study):
    logits = 5 * np.random.default_rng(0).normal(size=(7, 10))
    p = softmax(logits)
    expected = np.stack([p[:, ::2].sum(axis=1), p[:, 1::2].sum(axis=1)], axis=1)
    np.testing.assert_allclose(softmax(study.parity(logits)), expected)


@pytest.mark.parametrize("name", ["labels", "grid", "high", "addition"])
def test_records_say_how_to_get_them_again(study, name):
    content = recorded(f"step_by_step_{name}")
    assert content["command"] == f"python studies/step_by_step.py {name}"
    assert len(content["seeds"]) >= 20
    assert name in study.STUDIES
    for row in content["rows"]:
        assert len(row["accuracy"]) == len(content["seeds"])
        assert [float(rate) for rate in row["trials"]] == content["rates_tried"]
        assert row["trials"][str(row["rate"])] == max(row["trials"].values())
