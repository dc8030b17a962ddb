"""Own tables are tried as the study says, and what was recorded is what the report decides."""

import numpy as np
import pytest

from bridges.own import in_words
from distill_lib import Estimate, recorded

pytestmark = pytest.mark.slow  # all that a study imports
QUICK = {"hidden": 4, "trials": 1, "steps": 30, "students": 2}


@pytest.fixture(scope="module")
def trials(study):
    return study("own_trials")


@pytest.mark.parametrize("table", ["wine", "breast cancer", "digits"])
def test_a_table_is_cut_in_fifths_and_few_labels_are_as_many_of_each_class(trials, table):
    x, y, data, part = trials.cut(table, seed=3)
    shares = [np.mean(part == name) for name in ("train", "validation", "test")]
    np.testing.assert_allclose(shares, [0.6, 0.2, 0.2], atol=0.01)
    n = trials.TABLES[table][1]
    kept = trials.few(y, data, n, seed=3)
    gone = np.array([one is None for one in kept])
    assert (kept[~gone] == y[~gone]).all() and set(part[gone]) == {"train"}
    _, counts = np.unique(kept[(part == "train") & ~gone].astype(str), return_counts=True)
    assert counts.sum() == n and len(counts) == data.n_classes and np.ptp(counts) <= 1
    assert len(x) == len(y) == len(part)


def test_each_case_gives_the_student_and_the_teacher_what_it_says(trials):
    reports = {case: trials.report_of("wine", case, **QUICK, seed=0) for case in trials.FEW}
    teachers = [reports[case].teacher.mean for case in trials.FEW]
    assert teachers[0] >= teachers[1] > teachers[2] + 20
    assert all(len(r.data.train) == 30 and len(r.data.transfer) == 106 for r in reports.values())
    shuffled = " ".join(reports[trials.FEW[2]].notes)
    assert "do its rows or columns stand in another order?" in shuffled
    every = trials.report_of("wine", trials.ALL[1], **QUICK, seed=0)
    assert len(every.data.train) == len(every.data.transfer) == 106 and every.plan["folds"] == 5


def test_the_recorded_words_are_those_of_the_recorded_numbers(trials):
    for name in ("own_trials", "own_trials_splits", "own_trials_more_trials"):
        for row in recorded(name)["rows"]:
            for k, words in enumerate(row["verdict"]):
                e = Estimate(*row["difference"][k], n=0)
                assert words == in_words(e, row["baseline"][k])
    large = recorded("own_large")
    e = Estimate(**large["difference"])
    assert large["verdict"] == in_words(e, large["baseline"])
    assert (
        large["rows_of_table"] == 100_000
        and sum(large["splits"][name] for name in ("train", "validation", "test")) == 100_000
    )


def test_the_large_table_goes_through_the_command_and_says_its_time_and_memory():
    from bridges import record_own

    options = ["--seeds", "2", "--trials", "1", "--steps", "20"]
    content = record_own.run(600, *options)
    assert {*content} <= {*recorded("own_large")}
    assert 0 < content["seconds"] < content["seconds_by_the_clock"]
    assert content["megabytes"] > 20 and "report.html" in content["files"]
