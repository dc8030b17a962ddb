"""The recorded studies: a slice of each, run again, is what was recorded; choices were fair."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from distill_lib import experiments, recorded, softmax

STUDIES = Path(__file__).resolve().parents[2] / "studies"
# The longest first: it holds the most studies, and takes the longest to check.
BY_LENGTH = sorted(STUDIES.glob("*.py"), key=lambda path: (-path.stat().st_size, path))
FILES = [path.stem for path in BY_LENGTH if path.stem != "common"]
EVERY_FILE = pytest.mark.parametrize("file", FILES)


@pytest.fixture(scope="module")
def common(study):
    return study("common")


@pytest.fixture(scope="module")
def studies_of(study, common):
    """From a file's name to its studies."""

    def find(file):
        study(file)
        return list(common.STUDIES[file].values())

    return find


# --- A slice of each record, by the reader's command ----------------------------------------------


# Several processes where they cost little. Elsewhere each would train the book's teacher anew.
JOBS = dict.fromkeys(FILES, "1") | {"comparison_weights": "2"}


@pytest.mark.slow
@EVERY_FILE
def test_the_command_repeats_a_slice_and_finds_what_was_recorded(file, studies_of):
    command = [sys.executable, str(STUDIES / f"{file}.py"), "--check"]
    environment = os.environ | {"JOBS": JOBS[file]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    *rows, verdict = done.stdout.splitlines()
    expected = [min(3, len(one.rows(recorded(one.file)))) for one in studies_of(file)]
    assert len(rows) == sum(expected) and verdict.startswith(f"All {len(rows)} rows")


@pytest.fixture
def copy(tmp_path, monkeypatch, common):
    """A copy of the records for `--check` to look at, within this process."""
    for path in experiments.RESULTS.glob("comparison*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(experiments, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "JOBS", 1)
    return tmp_path


def test_a_check_fails_where_a_number_was_changed_and_writes_nothing(study, common, copy, capsys):
    study("comparison_weights")
    path = copy / "comparison_weights.json"
    content = json.loads(path.read_text("utf-8"))
    content["rows"][-1]["accuracy"][common.CHECKED] += 0.01  # four digits of the test split
    path.write_text(json.dumps(content), "utf-8")
    before = {path: path.read_bytes() for path in copy.iterdir()}
    with pytest.raises(SystemExit, match="1 of 3 rows are not what was recorded"):
        common.main("comparison_weights.py", ["--check"])
    said = capsys.readouterr().out.splitlines()
    assert ["DIFFERS: accuracy" in line for line in said] == [False, False, True]
    assert {path: path.read_bytes() for path in copy.iterdir()} == before


def test_a_repetition_may_differ_by_two_digits_of_the_test_split(common, studies_of):
    one = next(one for one in studies_of("traditional") if one.file == "traditional_grid")
    assert one.agree({}, {"accuracy": 0.9}, {"accuracy": 0.905})
    assert not one.agree({}, {"accuracy": 0.9}, {"accuracy": 0.9075})


@EVERY_FILE
def test_an_unknown_study_is_refused(file, common, study, capsys):
    with pytest.raises(SystemExit):
        common.main(f"{file}.py", ["no such thing"])
    assert "no studies called ['no such thing']" in capsys.readouterr().err


# --- Records, and how the learning rate was chosen ------------------------------------------------


@EVERY_FILE
def test_records_say_how_to_get_them_again(file, studies_of):
    for one in studies_of(file):
        content = recorded(one.file)
        assert content["command"] == one.command
        assert content["command"].startswith(f"python studies/{file}.py")
        assert content["seeds"] == list(one.seeds) and len(one.seeds) >= 20
        assert {"python", "numpy", "scipy", "scikit-learn"} <= set(content["versions"])
        rows = one.rows(content)
        assert all(len(row[m]) == len(one.seeds) for row in rows for m in one.allowed if m in row)
        for row, setting in zip(rows, one.settings or rows, strict=True):
            assert row.items() >= setting.items()


@EVERY_FILE
def test_each_setting_had_the_same_trials_and_took_the_best(file, studies_of):
    for one in studies_of(file):
        content = recorded(one.file)
        assert not set(content.get("tuning_seeds", ())) & set(content["seeds"])
        for row in content["rows"] if one.rates else ():
            assert [float(rate) for rate in row["trials"]] == one.rates == content["rates_tried"]
            assert row["trials"][str(row["rate"])] == max(row["trials"].values())


CALLS = []


def parabola(best, rate, seed):
    """A study whose accuracy is best where validation is worst."""
    CALLS.append((best, rate, seed))
    distance = abs(rate - best) + seed / 1000
    return {"validation": 1 - distance, "accuracy": distance}


@pytest.mark.parametrize(("tuning", "runs"), [(None, 6 * 3), (range(10, 12), 6 * 2 + 2 * 3)])
def test_a_rate_is_chosen_on_validation_and_nothing_is_run_twice(
    common, tmp_path, monkeypatch, tuning, runs
):
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "JOBS", 1)
    CALLS.clear()
    rates = [0.1, 0.2, 0.3]
    one = common.Study(
        parabola, {"best": [0.2, 0.3]}, rates=rates, tuning=tuning, seeds=range(3), steps=7
    )
    monkeypatch.setattr(experiments, "RESULTS", tmp_path)
    written = one.record()
    assert len(CALLS) == runs == len(set(CALLS)) and [*tmp_path.iterdir()] == [written]
    content = json.loads(written.read_text("utf-8"))
    assert content["steps"] == 7 and ("tuning_seeds" in content) == bool(tuning)
    for row, best in zip(content["rows"], [0.2, 0.3], strict=True):
        assert row["best"] == row["rate"] == best and [*row["trials"]] == [*map(str, rates)]
        assert row["accuracy"] == [0, 0.001, 0.002]


def test_what_cannot_be_recorded_is_not_lost(common, tmp_path, monkeypatch):
    """A slip in the last line must not cost hours: the runs are there, and are taken up again."""
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(experiments, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "JOBS", 1)
    options = {"rates": [0.1, 0.2], "tuning": [10], "seeds": range(3)}
    CALLS.clear()
    with pytest.raises(ValueError, match="not JSON compliant"):
        common.Study(parabola, {"best": [0.2]}, **options, slip=float("nan")).record()
    before = len(CALLS)
    common.Study(parabola, {"best": [0.2]}, **options).record()
    assert len(CALLS) == before == 5


def test_what_tunes_on_seeds_of_its_own_sees_no_test_split_there(study, studies_of, monkeypatch):
    cosine, scores = study("cosine"), np.random.default_rng(0).normal(size=(1197, 10))
    monkeypatch.setattr(cosine, "teacher_scores", lambda: scores)
    for one in studies_of("cosine"):
        found = one.run(**one.settings[0], rate=0.1, seed=cosine.TUNING_SEEDS[0])
        assert found.keys() <= {"validation", "curve", "factor"}, one.file


def test_without_the_teacher_the_temperature_cannot_matter():
    rows = [row for row in recorded("traditional_grid")["rows"] if row["alpha"] == 1]
    assert len(rows) == 5
    assert all(row["accuracy"] == rows[0]["accuracy"] for row in rows)


# --- Formulas -------------------------------------------------------------------------------------


def test_the_floor_is_what_a_mixture_reaches(study):
    floor, logits = study("traditional").floor, np.random.default_rng(0).normal(size=(50, 4))
    assert floor(logits, 0.0, 2.0) == pytest.approx(0, abs=1e-12)
    p = softmax(logits, 2.0)
    spread = 4 * np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1))
    assert floor(logits, 1.0, 2.0) == pytest.approx(spread)
    assert 0 < floor(logits, 0.5, 2.0) < spread


def test_the_negative_loss_has_its_gradient(study):
    negative_loss, rng, step = study("traditional").negative_loss, np.random.default_rng(0), 1e-6
    z, v = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    numeric = np.zeros_like(z)
    for place in np.ndindex(z.shape):
        nudge = np.zeros_like(z)
        nudge[place] = step
        up, down = (negative_loss(z + sign * nudge, v, 3.0).value for sign in (1, -1))
        numeric[place] = (up - down) / (2 * step)
    loss = negative_loss(z, v, 3.0)
    assert loss.value < 0
    np.testing.assert_allclose(loss.gradient, numeric, atol=1e-8)


def test_answers_and_carries_add_up(study):
    inputs, answer, carries = study("step_by_step").sums(200, seed=0)
    digits = inputs.reshape(-1, 6, 10).argmax(axis=-1)
    before = np.concatenate([np.zeros((200, 1), int), carries[:, :-1]], axis=1)
    total = digits[:, :3] + digits[:, 3:] + before  # last place first
    np.testing.assert_array_equal(total, answer[:, :3] + 10 * carries)
    np.testing.assert_array_equal(carries[:, 2], answer[:, 3])


def test_the_teachers_parity_is_the_sum_of_its_probabilities(common):
    logits = 5 * np.random.default_rng(0).normal(size=(7, 10))
    p = softmax(logits)
    expected = np.stack([p[:, ::2].sum(axis=1), p[:, 1::2].sum(axis=1)], axis=1)
    np.testing.assert_allclose(softmax(common.parity(logits)), expected)
