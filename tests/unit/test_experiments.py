"""Intervals against SciPy and by simulation, sweeps that resume, results that come back."""

import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from distill_lib.experiments import (
    Estimate,
    interval,
    library_digest,
    over_seeds,
    paired_difference,
    record,
    recorded,
    sweep,
)
from hypothesis import given
from hypothesis import strategies as st
from oracles import BAD_SCORES, cases

from distill_lib import experiments

samples = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30).filter(lambda x: np.std(x) > 1e-3)


# intervals


@given(samples)
def test_the_interval_is_that_of_scipys_t(values):
    ours = interval(values)
    low, high = scipy.stats.t.interval(
        0.95, len(values) - 1, loc=np.mean(values), scale=scipy.stats.sem(values)
    )
    assert ours.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9, abs=1e-6)
    assert ours.n == len(values)


def test_the_interval_of_four_numbers_by_hand():
    """t of 3 degrees of freedom at 97.5% is 3.18245 in every table."""
    ours = interval([1, 2, 3, 4])
    half = 3.18245 * np.sqrt(5 / 3) / 2
    assert ours == pytest.approx((2.5, 2.5 - half, 2.5 + half, 4), rel=1e-5)


@pytest.mark.parametrize("n", [2, 5, 20])
def test_95_of_100_intervals_cover_the_truth(n):
    draws = np.random.default_rng(n).normal(7, 3, (2000, n))
    covered = np.mean([e.low <= 7 <= e.high for e in map(interval, draws)])
    assert covered == pytest.approx(0.95, abs=0.015)


def test_values_that_never_differ_have_an_interval_of_no_width():
    assert interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5, 3)


@given(samples, st.floats(-100, 100))
def test_a_paired_difference_is_scipys_paired_test_turned_into_an_interval(baseline, gain):
    noise = np.random.default_rng(0).normal(0, 1, len(baseline))
    values = np.array(baseline) + gain + noise
    ours = paired_difference(values, baseline)
    theirs = scipy.stats.ttest_rel(values, baseline).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), rel=1e-6, abs=1e-6)


def test_a_paired_difference_forgets_what_both_have_in_common():
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 10, 20)
    values, baseline = luck + 1 + rng.normal(0, 0.1, 20), luck
    ours = paired_difference(values, baseline)
    assert 0.9 < ours.low < 1 < ours.high < 1.1
    assert interval(values).high - interval(values).low > 5


def test_estimates_print_as_mean_and_half_width_and_can_be_scaled():
    e = Estimate(0.876, 0.861, 0.891, 20)
    assert f"{e.scaled(100):.1f}" == "87.6 ± 1.5"
    assert f"{e.scaled(100):+.1f}" == "+87.6 ± 1.5"
    assert e.scaled(-1) == (-0.876, -0.891, -0.861, 20)
    assert f"{e.scaled(-100):.1f}" == "-87.6 ± 1.5"


@pytest.mark.parametrize("bad, message", **cases(BAD_SCORES))
def test_bad_values_are_refused_and_named(bad, message):
    with pytest.raises(ValueError, match="values .*" + re.escape(message)):
        interval(bad)


@pytest.mark.parametrize("values", [[1.0], [[1.0, 2.0], [3.0, 4.0]]])
def test_an_interval_needs_two_values_along_one_axis(values):
    message = f"two or more along one axis, got shape {np.shape(values)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        interval(values)


@pytest.mark.parametrize("baseline", [[1.0, 2.0], [1.0], [[1.0, 2.0, 3.0]]])
def test_a_paired_difference_needs_the_same_seeds(baseline):
    message = f"needs the same seeds, got (3,) and {np.shape(baseline)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        paired_difference([1.0, 2.0, 3.0], baseline)


# many seeds


def test_over_seeds_gives_each_measure_over_the_seeds():
    ours = over_seeds(lambda seed: {"a": seed, "b": seed**2}, iter([3, 1, 2]))
    assert {name: values.tolist() for name, values in ours.items()} == {
        "a": [3, 1, 2],
        "b": [9, 1, 4],
    }
    with pytest.raises(ValueError, match="need at least one seed, got none"):
        over_seeds(dict, [])
    message = "all seeds must give ['a'], one gave ['a', 'b']"
    with pytest.raises(ValueError, match=re.escape(message)):
        over_seeds(lambda seed: dict.fromkeys("ab"[: seed + 1], 0.0), [0, 1])


# sweeps

CALLS = []


def run(T, alpha, seed):
    """What a study runs; it breaks down where BREAK says."""
    CALLS.append((T, alpha, seed))
    if BREAK.get("at") == (T, alpha, seed):
        raise BREAK["with"]
    return {"score": T * 100 + seed, "more": {"alpha": alpha}}


BREAK = {}
SETTINGS = {"T": [1, 2.5], "alpha": [0.1, 0.9]}
ROWS = [
    {"T": T, "alpha": alpha, "seed": seed, "score": T * 100 + seed, "more": {"alpha": alpha}}
    for T in (1, 2.5)
    for alpha in (0.1, 0.9)
    for seed in (0, 1, 2)
]


@pytest.fixture
def unfinished(tmp_path, monkeypatch):
    CALLS.clear()
    BREAK.clear()
    return tmp_path / "study.unfinished.jsonl"


def here(*args, **options):
    """A sweep in this process, so that calls can be counted."""
    return sweep(*args, jobs=1, **options)


def test_a_sweep_runs_every_combination_and_seed_in_order(unfinished):
    assert here(run, SETTINGS, range(3)) == ROWS
    assert len(CALLS) == 12


def test_a_sweep_in_other_processes_gives_the_same_rows():
    assert sweep(abs_of, {"x": [-1, 2]}, range(2), jobs=2) == [
        {"x": x, "seed": seed, "y": abs(x)} for x in (-1, 2) for seed in (0, 1)
    ]


def abs_of(x, seed):
    return {"y": abs(x)}


@pytest.mark.parametrize("seeds", [iter(range(3)), np.arange(3), (s for s in range(3))])
def test_seeds_may_be_any_iterable(unfinished, seeds):
    assert here(run, SETTINGS, seeds, unfinished=unfinished) == ROWS


def test_a_sweep_without_settings_runs_its_seeds(unfinished):
    assert [row["seed"] for row in here(lambda seed: {}, {}, range(3))] == [0, 1, 2]


@pytest.mark.parametrize("stop", [RuntimeError("power"), KeyboardInterrupt()], ids=repr)
def test_an_interrupted_sweep_goes_on_where_it_stopped(unfinished, stop):
    BREAK.update({"at": (2.5, 0.1, 1), "with": stop})
    with pytest.raises(type(stop)):
        here(run, SETTINGS, range(3), unfinished=unfinished)
    assert unfinished.exists() and len(CALLS) == 8  # seven that went well
    BREAK.clear()
    CALLS.clear()
    assert here(run, SETTINGS, range(3), unfinished=unfinished) == ROWS
    assert [(2.5, 0.1, 1), (2.5, 0.1, 2), *((2.5, 0.9, seed) for seed in range(3))] == CALLS
    assert not unfinished.exists()


def interrupted(unfinished):
    BREAK.update({"at": (2.5, 0.9, 2), "with": RuntimeError("power")})
    with pytest.raises(RuntimeError, match="power"):
        here(run, SETTINGS, range(3), unfinished=unfinished)
    BREAK.clear()
    CALLS.clear()


@pytest.mark.parametrize("cut", [1, 2, 10])
def test_a_last_line_that_was_cut_is_run_again(unfinished, cut):
    interrupted(unfinished)
    unfinished.write_text(unfinished.read_text()[:-cut])  # at "}\n" and within nested braces
    assert here(run, SETTINGS, range(3), unfinished=unfinished) == ROWS
    assert CALLS == [(2.5, 0.9, 1), (2.5, 0.9, 2)]


def test_rows_of_settings_that_are_no_longer_asked_for_are_not_returned(unfinished):
    interrupted(unfinished)
    assert here(run, SETTINGS | {"T": [2.5]}, [0], unfinished=unfinished) == [ROWS[6], ROWS[9]]
    assert CALLS == []


def test_a_changed_library_starts_anew(unfinished, monkeypatch):
    interrupted(unfinished)
    monkeypatch.setattr(experiments, "library_digest", lambda: "another")
    assert here(run, SETTINGS, range(3), unfinished=unfinished) == ROWS
    assert len(CALLS) == 12


def test_another_run_starts_anew(unfinished):
    interrupted(unfinished)
    rows = here(lambda T, alpha, seed: {"score": 0}, SETTINGS, range(3), unfinished=unfinished)
    assert {row["score"] for row in rows} == {0}


@pytest.mark.parametrize("content", ["", "{", '{"unfinished sweep of": "ru'])
def test_a_first_line_that_was_cut_is_started_anew(unfinished, content):
    unfinished.write_text(content)
    assert here(run, SETTINGS, range(3), unfinished=unfinished) == ROWS


@pytest.mark.parametrize("content", ["nonsense\nmore\n", '{"rows": []}\n'])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(unfinished, content):
    unfinished.write_text(content)
    with pytest.raises(ValueError, match="not of an unfinished sweep: move it away"):
        here(run, SETTINGS, range(3), unfinished=unfinished)
    assert unfinished.read_text() == content and CALLS == []


def test_a_sweep_that_is_kept_leaves_its_file_and_is_not_run_again(unfinished):
    for _ in range(2):
        assert here(run, SETTINGS, range(3), unfinished=unfinished, keep=True) == ROWS
    assert unfinished.exists() and len(CALLS) == 12


def test_taking_a_sweep_up_again_never_leaves_less_than_there_was(unfinished, monkeypatch):
    """Even where the disk is full: what is there is not written anew."""
    interrupted(unfinished)
    before = unfinished.read_text()
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: pytest.fail("written anew"))
    BREAK.update({"at": (2.5, 0.9, 2), "with": RuntimeError("power")})
    with pytest.raises(RuntimeError, match="power"):
        here(run, SETTINGS, range(3), unfinished=unfinished)
    assert unfinished.read_text() == before


def test_a_change_of_what_run_calls_starts_anew_and_is_said(tmp_path, monkeypatch, capsys):
    source = "RATE = {rate}\n\ndef helper():\n    return RATE\n"
    (tmp_path / "study.py").write_text("from parts import helper\n\ndef go(seed):\n"
                                       "    if seed == 3:\n        raise RuntimeError('power')\n"
                                       "    return {'rate': helper()}\n")  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    kept = tmp_path / "rows.unfinished.jsonl"
    for rate in (1, 2):
        (tmp_path / "parts.py").write_text(source.format(rate=rate))
        for name in ("study", "parts"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        go = importlib.import_module("study").go
        with pytest.raises(RuntimeError, match="power"):
            here(go, {}, range(4), unfinished=kept)
        assert {json.loads(line)["rate"] for line in kept.read_text().splitlines()[1:]} == {rate}
    assert "is of other code or packages: starting afresh" in capsys.readouterr().out


def test_a_run_that_is_in_no_file_cannot_be_taken_up_again(unfinished):
    spoken = {}
    exec("def run(seed):\n    return {}", spoken)
    assert here(spoken["run"], {}, [0]) == [{"seed": 0}]
    with pytest.raises(ValueError, match="run must be in a file"):
        here(spoken["run"], {}, [0], unfinished=unfinished)


@pytest.mark.parametrize(
    ("settings", "seeds", "message"),
    [
        ({"seed": [1]}, [0], '"seed" must not be among the settings'),
        ({}, [0.9], "seed must be a whole number of at least 0, got 0.9"),
        ({}, [-1], "seed must be a whole number of at least 0, got -1"),
        ({"score": [1]}, [0], "measures must not be called like settings, got ['score']"),
    ],
)
def test_a_sweep_that_would_lose_something_is_refused(settings, seeds, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        here(lambda seed, **_: {"score": 1}, settings, seeds)


def test_settings_and_measures_may_be_numpys(unfinished):
    rows = here(as_given, {"T": np.array([0.5], np.float32)}, np.arange(2), unfinished=unfinished)
    assert [row["y"].tolist() for row in rows] == [[0.5], [0.5]]


def as_given(T, seed):
    return {"y": np.array([T])}


def test_the_librarys_digest_changes_with_any_edit_of_what_computes(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "__file__", str(tmp_path / "experiments.py"))
    seen = {library_digest()}
    for name, text in [("a.py", "x = 1"), ("a.py", "x = 2"), ("b.py", "")]:
        (tmp_path / name).write_text(text)
        assert library_digest() == library_digest()
        seen.add(library_digest())
    assert len(seen) == 4
    (tmp_path / "figures.py").write_text("a colour")
    assert library_digest() in seen


# recorded results


def test_what_is_recorded_comes_back_with_what_made_it(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "RESULTS", tmp_path / "results")
    path = record("study", {"rows": ROWS}, range(3), "python studies/study.py")
    assert path == tmp_path / "results" / "study.json"
    result = recorded("study")
    assert result["rows"] == ROWS and result["seeds"] == [0, 1, 2]
    assert result["command"] == "python studies/study.py"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", result["date"])
    assert set(result["versions"]) == {"python", "numpy", "scipy", "scikit-learn"}
    assert "cores" in result["machine"]
    assert result["library"] == library_digest()
    assert json.loads(path.read_text("utf-8")) == result


def test_numpys_numbers_are_recorded_as_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "RESULTS", tmp_path)
    record("study", {"x": np.float32(0.5), "y": np.arange(2), "z": range(2)}, np.arange(2), "")
    found = recorded("study")
    assert (found["x"], found["y"], found["z"], found["seeds"]) == (0.5, [0, 1], [0, 1], [0, 1])


def test_what_is_not_json_is_refused_and_the_former_record_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "RESULTS", tmp_path)
    record("study", {"x": 1}, [0], "")
    with pytest.raises(ValueError, match="not JSON compliant"):
        record("study", {"x": float("nan")}, [0], "")
    assert recorded("study")["x"] == 1 and [p.name for p in tmp_path.iterdir()] == ["study.json"]


def test_a_result_that_is_not_there_is_refused_and_those_that_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "RESULTS", tmp_path)
    for name in ("b", "a"):
        record(name, {}, [0], "")
    message = "no recorded result 'c'; there are ['a', 'b']"
    with pytest.raises(ValueError, match=re.escape(message)):
        recorded("c")
