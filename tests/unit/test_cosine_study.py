"""The recorded studies of chapter 5: a slice of each, run again, must be what was recorded."""

import importlib.util
import sys
from pathlib import Path

import pytest

from distill_lib import recorded

STUDIES = Path(__file__).resolve().parents[2] / "studies"
TWO_DIGITS = 0.005 + 1e-9  # of 400: another machine's rounding may move the odd digit
SLICES = [
    ("scale", "run_scale", {"rows": 100, "spread": 1, "method": "cosine"}),
    ("scale", "run_scale", {"rows": 1197, "spread": 0.5, "method": "KL, T = 4"}),
    ("corrupted", "run_corrupted", {"fault": "20% swapped", "method": "cosine"}),
    ("offset", "run_offset", {"rows": 100, "offset": 30, "method": "centred cosine"}),
    ("committee", "run_committee", {"units": "per row", "method": "MSE"}),
    ("grid", "run_grid", {"T": 4, "alpha": 0.2, "beta": 0.6}),
    ("curriculum", "run_curriculum", {"curriculum": 8, "beta": 0.6, "T": 1}),
    ("adaptive", "run_adaptive", {"spread": 1, "weights": "adaptive"}),
    ("steady", "run_steady", {"extra": "augmentation", "noise": 0.04}),
]


@pytest.fixture(scope="module")
def study():
    """studies/cosine.py as a module."""
    spec = importlib.util.spec_from_file_location("cosine_study", STUDIES / "cosine.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "run", "setting"), SLICES, ids=lambda x: str(x))
def test_a_slice_comes_out_as_recorded(study, name, run, setting):
    rows, seed = recorded(f"cosine_{name}")["rows"], 1
    row = next(row for row in rows if all(row[k] == v for k, v in setting.items()))
    again = getattr(study, run)(**setting, rate=row["rate"], seed=seed)
    assert again["validation"] == pytest.approx(row["validation"][seed], abs=0.01 + 1e-9)
    assert again["accuracy"] == pytest.approx(row["accuracy"][seed], abs=TWO_DIGITS)


@pytest.mark.parametrize("name", sorted({name for name, *_ in SLICES}))
def test_each_setting_had_the_same_trials_and_took_the_best(study, name):
    content = recorded(f"cosine_{name}")
    assert content["command"] == f"python studies/cosine.py {name}"
    assert len(content["seeds"]) >= 20 and not set(content["seeds"]) & set(content["tuning_seeds"])
    for row in content["rows"]:
        assert [float(rate) for rate in row["trials"]] == study.RATES
        assert row["trials"][str(row["rate"])] == max(row["trials"].values())
        assert len(row["accuracy"]) == len(content["seeds"])


def test_tuning_does_not_see_the_test_split(study):
    for seed in study.TUNING_SEEDS:
        assert [*study.run_scale(100, 1, "cosine", 0.1, seed)] == ["validation"]


def test_an_unknown_study_is_refused(study):
    with pytest.raises(ValueError, match="no studies called"):
        study.main(["no such thing"])
