"""What a student costs to deploy, beside its teacher: size, work, latency, throughput, memory.

    python benchmarks/deployment.py [--rounds 30] [--calls 200] [--no-record]

Two pairs: the book's teacher and student of 8 × 8 digits, trained; and a teacher and a student for
images of MNIST's size, as they start, for speed does not ask what the weights are. Each answers one
example at a time, and batches, on one thread, in float32: by this library, and by ONNX Runtime
where it is installed (`make torch` makes an environment with it). All take turns within each round,
so that whatever else the machine does hits all alike; a ratio is one within a round. Memory is the
peak of a process of its own for each, beside one that has loaded the engine and no model (Linux
alone says it). The result goes to results/deployment.json.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from distill_lib.checks import Array
from distill_lib.data import digits
from distill_lib.distillation import TeacherOutputs, hard_labels, traditional
from distill_lib.metrics import accuracy
from distill_lib.models import MLP, Network
from distill_lib.results import record
from distill_lib.training import Adam, cosine_decay, train

BATCH = 256
LARGE = {"teacher": (784, 1200, 1200, 10), "student": (784, 30, 10)}
SMALL = {"teacher": (64, 256, 256, 10), "student": (64, 16, 10)}
ONNX = importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxruntime")
Answer = Callable[[Array], Array]  # from inputs to logits


def trained(steps: int) -> tuple[dict[str, Network], Array, dict[str, float]]:
    """The pair of 8 × 8 digits, test inputs, and accuracies on them."""
    data = digits()
    teacher, student = (MLP(sizes, seed=0) for sizes in SMALL.values())
    plan = {"steps": steps, "schedule": cosine_decay}
    train(
        teacher, data.train, hard_labels(data.train), batch_size=64, optimizer=Adam(0.003), **plan
    )
    outputs = TeacherOutputs.of(teacher, data.transfer)
    objective = traditional(data.transfer, outputs, T=4, alpha=0.1)
    train(student, data.transfer, objective, batch_size=32, optimizer=Adam(0.03), **plan)
    pair: dict[str, Network] = {"teacher": teacher, "student": student}
    inputs, labels = data.test.inputs, data.test.labels
    return pair, inputs, {n: accuracy(model.logits(inputs), labels) for n, model in pair.items()}


def untrained() -> tuple[dict[str, Network], Array]:
    """The pair for images of MNIST's size, and random ones."""
    inputs = np.random.default_rng(0).random((400, 784), np.float32)
    return {name: MLP(sizes, seed=0) for name, sizes in LARGE.items()}, inputs


def engines(name: str, model: Network, folder: Path) -> dict[str, tuple[Path, Answer]]:
    """By engine, the model's file and how it answers from there."""
    path = folder / f"{name}.npz"
    model.save(path)
    ways: dict[str, tuple[Path, Answer]] = {"NumPy": (path, Network.load(path).logits)}
    if ONNX:
        from bridges.onnx_export import Deployed, export

        path = folder / f"{name}.onnx"
        export(model, path)
        ways["ONNX Runtime"] = path, Deployed(path).logits
    return ways


def seconds_of(answer: Answer, inputs: Array, calls: int, rows: int) -> list[float]:
    """Of each of so many calls, with so many examples each: other ones at every call."""
    seconds = []
    for k in range(calls):
        start = k * rows % (len(inputs) - rows + 1)
        batch = inputs[start : start + rows]
        began = time.perf_counter()
        answer(batch)
        seconds.append(time.perf_counter() - began)
    return seconds


def interleaved(
    ways: Mapping[Any, Answer], inputs: Array, rounds: int, calls: int, rows: int
) -> dict[Any, Array]:
    """Seconds of each way, shape (rounds, calls): all take turns in each round."""
    for answer in ways.values():
        seconds_of(answer, inputs, max(3, calls // 10), rows)  # warm up
    every: dict[Any, list[list[float]]] = {way: [] for way in ways}
    for k in range(rounds):
        for way in [*ways][:: 1 if k % 2 else -1]:  # nobody is always the first
            every[way].append(seconds_of(ways[way], inputs, calls, rows))
    return {way: np.array(seconds) for way, seconds in every.items()}


def latency(seconds: Array) -> dict[str, float]:
    """Of all calls, in microseconds: what half, 95% and 99% of them stay below."""
    p50, p95, p99 = np.quantile(1e6 * seconds, [0.5, 0.95, 0.99]).round(2).tolist()
    return {"p50": p50, "p95": p95, "p99": p99}


def ratio(teacher: Array, student: Array) -> dict[str, float]:
    """How many times longer the teacher takes: median over the rounds, and their range."""
    ratios = np.median(teacher, axis=1) / np.median(student, axis=1)
    low, middle, high = np.quantile(ratios, [0, 0.5, 1]).round(3).tolist()
    return {"median": middle, "low": low, "high": high}


# --- Memory, in processes of their own ------------------------------------------------------------


def peak_megabytes(path: Path) -> float | None:
    """Of this process, after it has answered batches by this file; where there is none, of none."""
    deployed: Any = Network.load
    if path.suffix == ".onnx":
        import onnxruntime  # noqa: F401  also where there is no file

        from bridges.onnx_export import Deployed as deployed
    if path.exists():
        model = deployed(path)
        for _ in range(3):
            model.logits(np.zeros((BATCH, model.n_inputs), np.float32))
    # Not `getrusage`: on Linux a process begins with the peak of the one that started it.
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 2**10


def peak_elsewhere(path: Path) -> float | None:
    """The same, of a new process."""
    command = [sys.executable, __file__, "--peak", str(path)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return None if text == "None" else round(float(text), 2)


# --- The run --------------------------------------------------------------------------------------


def measured(
    pair: Mapping[str, Network], inputs: Array, rounds: int, calls: int, folder: Path
) -> dict[str, Any]:
    """A row for each model and engine, and for each engine the teacher's times by the student's."""
    files, ways = {}, {}
    for name, model in pair.items():
        for engine, (path, answer) in engines(name, model, folder).items():
            files[name, engine], ways[name, engine] = path, answer
    single = interleaved(ways, inputs, rounds, calls, 1)
    batches = interleaved(ways, inputs, rounds, max(1, calls // 10), BATCH)
    kinds = {engine: path.suffix for (_, engine), path in files.items()}
    idle = {engine: peak_elsewhere(folder / f"none{kind}") for engine, kind in kinds.items()}
    rows = [
        {
            "model": name,
            "engine": engine,
            "layers": [pair[name].n_inputs, *pair[name].units.values()],
            "parameters": pair[name].n_parameters,
            "multiply_adds": pair[name].multiply_adds,
            "file_bytes": files[name, engine].stat().st_size,
            "single_us": latency(single[name, engine]),
            "batch_us": latency(batches[name, engine]),
            "examples_per_second": round(BATCH / float(np.median(batches[name, engine]))),
            "peak_mb": peak_elsewhere(files[name, engine]),
            "idle_mb": idle[engine],
        }
        for name, engine in ways
    ]
    ratios = {
        engine: {
            what: ratio(seconds["teacher", engine], seconds["student", engine])
            for what, seconds in (("single", single), ("batch", batches))
        }
        for engine in dict.fromkeys(engine for _, engine in ways)
    }
    first, second = (pair[name] for name in ("teacher", "student"))
    ratios["parameters"] = round(first.n_parameters / second.n_parameters, 3)
    ratios["multiply_adds"] = round(first.multiply_adds / second.multiply_adds, 3)
    return {"rows": rows, "teacher_by_student": ratios}


def table(found: Mapping[str, Any]) -> str:
    """The rows for a person."""
    lines = []
    for row in found["rows"]:
        one, many = row["single_us"], row["batch_us"]
        lines.append(
            f"{row['model']:8} {row['engine']:13} {row['file_bytes']:>9,} bytes"
            f"  one {one['p50']:7.1f} {one['p95']:7.1f} {one['p99']:7.1f} µs"
            f"  batch {many['p50']:8.1f} {many['p95']:8.1f} {many['p99']:8.1f} µs"
            f"  {row['examples_per_second']:>10,} a second"
            f"  peak {row['peak_mb']} MB, idle {row['idle_mb']}"
        )
    return "\n".join([*lines, f"teacher / student: {found['teacher_by_student']}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="turns of all")
    parser.add_argument("--calls", type=int, default=200, help="single examples in a turn")
    parser.add_argument("--steps", type=int, default=1000, help="of each training")
    parser.add_argument("--no-record", action="store_true", help="write nothing into results/")
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak_megabytes(options.peak))
        return
    plan = {"rounds": options.rounds, "calls": options.calls, "steps": options.steps}
    found: dict[str, Any] = {"threads": 1, "batch_size": BATCH, "dtype": "float32", **plan}
    if ONNX:
        import onnxruntime

        found["onnxruntime"] = onnxruntime.__version__
    else:
        print("ONNX Runtime   absent; `make torch` makes an environment with it")
    small, digit_inputs, right = trained(options.steps)
    for name, pair, inputs in (("digits", small, digit_inputs), ("large", *untrained())):
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measured(pair, inputs, options.rounds, options.calls, Path(folder))
        print(f"{name}\n{table(found[name])}")
    found["digits"]["accuracy"] = right
    if not options.no_record:
        settings = " ".join(f"--{name} {value}" for name, value in plan.items())
        record("deployment", found, [0], f"python benchmarks/deployment.py {settings}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
