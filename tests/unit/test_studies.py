"""The recorded studies of chapter 3: a tiny slice of each, run again, must be what was recorded."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from distill_lib import recorded

STUDIES = Path(__file__).resolve().parents[2] / "studies"
TWO_DIGITS = 0.005 + 1e-9  # of 400: another machine's rounding may move the odd digit


@pytest.fixture(scope="module")
def study():
    """studies/traditional.py as a module."""
    spec = importlib.util.spec_from_file_location("traditional_study", STUDIES / "traditional.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SLICES = [
    ("grid", "run_grid", {"T": 4, "alpha": 0.5}),
    ("grid", "run_grid", {"T": 16, "alpha": 0}),
    ("labels", "run_labels", {"labels": 30, "method": "soft targets", "T": 4}),
    ("labels", "run_labels", {"labels": 1197, "method": "teacher's answers", "T": 4}),
    ("capacity", "run_capacity", {"student": "64-10", "T": 8}),
    ("other_digits", "run_resplit", {"student": "64-10", "T": 8}),
    ("noise", "run_noise", {"teacher_labels": "stopped early", "alpha": 0.25}),
    ("mistakes", "run_mistakes", {"where": "student forgets T"}),
    ("mistakes", "run_mistakes", {"where": "softmax for log-softmax"}),
]


def row_of(name, setting):
    rows = recorded(f"traditional_{name}")["rows"]
    return next(row for row in rows if all(row[k] == v for k, v in setting.items()))


@pytest.mark.parametrize(("name", "run", "setting"), SLICES, ids=lambda x: str(x))
def test_a_slice_comes_out_as_recorded(study, name, run, setting):
    row, seed = row_of(name, setting), 1
    again = getattr(study, run)(**setting, rate=row["rate"], seed=seed)
    for measure in ("validation", "accuracy", "fidelity"):
        assert again[measure] == pytest.approx(row[measure][seed], abs=TWO_DIGITS), measure
    assert again["nll"] == pytest.approx(row["nll"][seed], rel=0.02)


@pytest.mark.parametrize(("share", "alpha"), [(0, 0), (0.5, 0.5), (1, 0)])
def test_the_bug_lab_comes_out_as_recorded(study, share, alpha):
    row, seed = row_of("bug", {"share": share, "alpha": alpha}), 1
    again = study.run_bug(share, alpha, seed)
    assert again["step"] == row["step"]
    assert again["accuracy"] == pytest.approx(row["accuracy"][seed], abs=TWO_DIGITS)
    assert again["teacher_at"] == pytest.approx(row["teacher_at"][seed], abs=1e-6)
    assert again["loss"][-1] == pytest.approx(row["loss"][-1], rel=0.3)  # one seed, not the mean


@pytest.mark.parametrize(
    "name", ["grid", "labels", "capacity", "other_digits", "noise", "mistakes", "bug"]
)
def test_records_say_how_to_get_them_again(study, name):
    content = recorded(f"traditional_{name}")
    assert content["command"] == f"python studies/traditional.py {name}"
    assert len(content["seeds"]) >= 20
    assert name in study.STUDIES
    assert all(len(row["accuracy"]) == len(content["seeds"]) for row in content["rows"])


def test_every_method_had_the_same_trials(study):
    for name in ("grid", "labels", "capacity", "other_digits", "noise", "mistakes"):
        for row in recorded(f"traditional_{name}")["rows"]:
            assert [float(rate) for rate in row["trials"]] == study.RATES
            assert row["trials"][str(row["rate"])] == max(row["trials"].values())


def test_without_the_teacher_the_temperature_cannot_matter():
    rows = [row for row in recorded("traditional_grid")["rows"] if row["alpha"] == 1]
    assert len(rows) == 5
    assert all(row["accuracy"] == rows[0]["accuracy"] for row in rows)


def test_the_floor_is_what_a_mixture_reaches(study):
    logits = np.random.default_rng(0).normal(size=(50, 4))
    assert study.floor(logits, 0.0, 2.0) == pytest.approx(0, abs=1e-12)
    p = study.softmax(logits, 2.0)
    spread = 4 * np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1))
    assert study.floor(logits, 1.0, 2.0) == pytest.approx(spread)
    assert 0 < study.floor(logits, 0.5, 2.0) < spread


def test_the_negative_loss_has_its_gradient(study):
    rng = np.random.default_rng(0)
    z, v, step = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), 1e-6
    numeric = np.zeros_like(z)
    for place in np.ndindex(z.shape):
        nudge = np.zeros_like(z)
        nudge[place] = step
        up, down = (study.negative_loss(z + sign * nudge, v, 3.0).value for sign in (1, -1))
        numeric[place] = (up - down) / (2 * step)
    loss = study.negative_loss(z, v, 3.0)
    assert loss.value < 0
    np.testing.assert_allclose(loss.gradient, numeric, atol=1e-8)


def test_an_unknown_study_is_refused(study):
    with pytest.raises(ValueError, match="no studies called"):
        study.main(["no such thing"])
