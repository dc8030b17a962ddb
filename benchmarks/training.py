"""How fast does the library train? One epoch of a 784-800-800-10 network, beside PyTorch's.

    python benchmarks/training.py [--epochs 7] [--steps 235] [--no-record]

Both do the same work on the same random data (60,000 × 784, float32, batches of 256, momentum SGD,
cross entropy) on two threads, epoch by epoch in turn, so that whatever else the machine does hits
both alike. Of PyTorch's own ways to take a step, the fastest one is used; install it with
`pip install torch` to see the comparison. The result goes to results/training.json.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from distill_lib.data import Split
from distill_lib.distillation import hard_labels
from distill_lib.models import MLP
from distill_lib.results import record
from distill_lib.training import SGD, train

try:
    import torch
except ImportError:
    torch = None

SIZES, EXAMPLES, BATCH, THREADS = (784, 800, 800, 10), 60_000, 256, 2
RATE, MOMENTUM = 0.01, 0.9
EPOCH = -(-EXAMPLES // BATCH)  # steps, the last one with the examples that are left
Epoch = Callable[[int], None]  # trains for so many steps


def library(split: Split) -> Epoch:
    """The library as a chapter uses it: everything goes through `train`."""
    model, objective = MLP(SIZES), hard_labels(split)

    def epoch(steps: int) -> None:
        train(
            model, split, objective,
            steps=steps, batch_size=BATCH, optimizer=SGD(RATE, MOMENTUM), look_every=steps,
        )  # fmt: skip

    return epoch


def pytorch(split: Split, set_to_none: bool, **way: bool) -> Epoch:
    """PyTorch as one writes it by hand: batches by index, the loss read only at the end."""
    layers: list[Any] = []
    for n, m in pairwise(SIZES):
        layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM, **way)
    criterion = torch.nn.CrossEntropyLoss()
    inputs, labels = torch.from_numpy(split.inputs), torch.from_numpy(split.labels)

    def epoch(steps: int) -> None:
        order = torch.randperm(len(inputs))
        for rows in order.split(BATCH)[:steps]:
            optimizer.zero_grad(set_to_none=set_to_none)
            loss = criterion(model(inputs[rows]), labels[rows])
            loss.backward()
            optimizer.step()
        loss.item()

    return epoch


def fastest_pytorch(split: Split) -> tuple[str, Epoch]:
    """The quickest of PyTorch's ways to clear gradients and to update parameters."""
    best: tuple[float, str, Epoch] | None = None
    for way in ({}, {"foreach": False}, {"foreach": True}, {"fused": True}):
        for set_to_none in (True, False):
            epoch = pytorch(split, set_to_none, **way)
            epoch(5)
            seconds = min(seconds_of(lambda: epoch(20)) for _ in range(2))  # noqa: B023
            if best is None or seconds < best[0]:
                best = seconds, str({"set_to_none": set_to_none} | way), epoch
    return best[1:]


def peak() -> Callable[[], float]:
    """A large float32 matrix product, as multiply-adds a second: what the machine can do."""
    n = 3000
    a, b, out = (np.ones((n, n), np.float32) for _ in range(3))

    def measure() -> float:
        return n**3 / seconds_of(lambda: np.matmul(a, b, out=out))

    return measure


def seconds_of(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def multiply_adds(examples: int) -> int:
    """Each layer counts three times, the first one twice: nobody needs the inputs' gradient."""
    layers = [n * m for n, m in pairwise(SIZES)]
    return examples * (3 * sum(layers) - layers[0])


def spread(values: list[float], digits: int) -> str:
    """Median and range."""
    low, middle, high = np.quantile(values, [0, 0.5, 1])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=7, help="repeats")
    parser.add_argument("--steps", type=int, default=EPOCH, help="steps of a shorter trial epoch")
    parser.add_argument("--no-record", action="store_true", help="write nothing into results/")
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    inputs = rng.random((EXAMPLES, SIZES[0]), np.float32)
    split = Split(inputs, rng.integers(0, SIZES[-1], EXAMPLES), np.arange(EXAMPLES))
    measure_peak, ours = peak(), library(split)
    measure_peak(), ours(10)  # warm up
    if torch is not None:
        torch.set_num_threads(THREADS)
        way, theirs = fastest_pytorch(split)

    peaks, seconds, theirs_seconds = [], [], []
    for _ in range(options.epochs):
        peaks += [measure_peak() for _ in range(3)]
        seconds.append(seconds_of(lambda: ours(options.steps)))
        if torch is not None:
            theirs_seconds.append(seconds_of(lambda: theirs(options.steps)))

    examples = min(options.steps * BATCH, EXAMPLES)
    share = multiply_adds(examples) / np.median(seconds) / max(peaks)
    print(f"this library   {spread(seconds, 2)} s for an epoch of {options.steps} steps")
    print(f"float32 peak   {2e-9 * max(peaks):.0f} GFLOP/s; share reached {share:.0%}")
    found: dict[str, Any] = {
        "threads": THREADS, "steps": options.steps, "batch_size": BATCH, "sizes": SIZES,
        "seconds": seconds, "peak_gflops": 2e-9 * max(peaks), "share_of_peak": share,
    }  # fmt: skip
    if torch is None:
        print("PyTorch        absent; `pip install torch` (its CPU build) for the comparison")
    else:
        ratios = [a / b for a, b in zip(seconds, theirs_seconds, strict=True)]
        print(f"PyTorch {torch.__version__}  {spread(theirs_seconds, 2)} s, with {way}")
        print(f"ratio          {spread(ratios, 3)}, this library's time / PyTorch's; bar: 1.0")
        found |= {
            "pytorch": torch.__version__, "pytorch_way": way, "pytorch_seconds": theirs_seconds,
            "ratio": float(np.median(ratios)), "ratios": ratios,
        }  # fmt: skip
    if not options.no_record:
        record("training", found, [0], f"python benchmarks/training.py --epochs {options.epochs}")


if __name__ == "__main__":
    with threadpool_limits(THREADS):
        main()
