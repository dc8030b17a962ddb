"""The benchmark of deployment measures what it says; how fast a machine is, no test can know."""

import importlib.util
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # a trial of it trains
FILE = Path(__file__).resolve().parents[2] / "benchmarks/deployment.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("benchmark_of_deployment", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_latencies_are_of_all_calls_in_microseconds(bench):
    seconds = np.arange(1, 101).reshape(4, 25) * 1e-6
    assert bench.latency(seconds) == {"p50": 50.5, "p95": 95.05, "p99": 99.01}


def test_a_ratio_is_one_within_a_round(bench):
    """A round in which the machine was slow for both changes nothing."""
    slow = np.array([[1.0], [10.0], [1.0]])
    teacher, student = 6 * slow * np.ones((3, 5)), 2 * slow * np.ones((3, 5))
    assert bench.ratio(teacher, student) == {"median": 3.0, "low": 3.0, "high": 3.0}
    teacher[2] *= 2
    assert bench.ratio(teacher, student) == {"median": 3.0, "low": 3.0, "high": 6.0}


def test_all_take_turns_with_other_examples_each_time(bench):
    order, inputs = [], np.arange(20.0).reshape(10, 2)

    def way(name):
        return lambda rows: order.append((name, len(rows), rows[0, 0]))

    seconds = bench.interleaved({"a": way("a"), "b": way("b")}, inputs, 3, 4, 2)
    assert seconds["a"].shape == seconds["b"].shape == (3, 4) and (seconds["a"] > 0).all()
    turns = order[6:]  # after the warming up
    assert [name for name, *_ in turns[::4]] == ["b", "a", "a", "b", "b", "a"]
    assert [first for *_, first in turns[:4]] == [0.0, 4.0, 8.0, 12.0]
    assert {rows for _, rows, _ in turns} == {2}


def test_a_second_is_a_second(bench):
    (seconds,) = bench.seconds_of(lambda rows: time.sleep(0.02), np.zeros((3, 2)), 1, 1)
    assert seconds >= 0.02


def test_work_and_size_are_those_of_the_layers(bench, tmp_path):
    for pair in (bench.SMALL, bench.LARGE):
        for name, sizes in pair.items():
            model = bench.MLP(sizes)
            assert model.multiply_adds == sum(a * b for a, b in pairwise(sizes))
            model.save(tmp_path / f"{name}.npz")
            assert (tmp_path / f"{name}.npz").stat().st_size >= 4 * model.n_parameters


def test_a_trial_runs_and_leaves_no_record(root):
    record = root / "results/deployment.json"
    before = record.read_bytes() if record.exists() else None
    few = ["--rounds", "2", "--calls", "3", "--steps", "5", "--no-record"]
    command = [sys.executable, str(FILE), *few]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    assert (record.read_bytes() if record.exists() else None) == before
    lines = done.stdout.splitlines()
    assert {"digits", "large"} <= set(lines)
    assert sum(line.startswith(("teacher  NumPy", "student  NumPy")) for line in lines) == 4
    assert sum("'parameters': " in line for line in lines) == 2
