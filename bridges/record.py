"""Run the distillation of `torch_training` in every way, and record how the curves compare.

    .venv-torch/bin/python bridges/record.py

Readers without PyTorch see results/bridge_torch.json instead. It takes half a minute.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bridges import torch_training
from bridges.torch_training import PLAN, distill, experiment, twin
from distill_lib import MLP, Adam, accuracy, record, traditional, train

STEPS, EVERY, FAIL_AT = 400, 50, 130


def library() -> tuple[list[float], np.ndarray]:
    """The curve of the loss, step by step, and the student's test logits, by `distill_lib`."""
    data, student, outputs = experiment()
    objective = traditional(data.transfer, outputs, PLAN["T"], PLAN["alpha"])
    plan = {name: PLAN[name] for name in ("batch_size", "seed")}
    optimizer = Adam(PLAN["rate"])
    history = train(
        student, data.transfer, objective, steps=STEPS, optimizer=optimizer, look_every=1, **plan
    )
    return history.loss[1:], student.logits(data.test.inputs)


def plain() -> tuple[list[float], np.ndarray]:
    """The same, by PyTorch in this process."""
    data, model, outputs = experiment()
    split, student = data.transfer, twin(model)
    arrays = (split.inputs, split.labels, outputs.at(split.index))
    curve = distill(student, *map(torch.tensor, arrays), steps=STEPS)
    return curve, logits(student)


def torchrun(processes: int, *options: str) -> tuple[list[float], np.ndarray]:
    """The same, by torchrun with so many processes, which may start again once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "run.pt")
        engine = ["--standalone", f"--nproc-per-node={processes}", "--max-restarts=1"]
        script = [torch_training.__file__, "--checkpoint", str(file), "--steps", str(STEPS)]
        command = [sys.executable, "-m", "torch.distributed.run", *engine, *script, *options]
        environment = os.environ | {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode or ("--fail-at" in options) != ("exitcode: -9" in done.stderr):
            raise RuntimeError(done.stderr)
        state = torch.load(file)
    student = twin(MLP((64, 16, 10), dtype=np.float64))
    student.load_state_dict(state["student"])
    return state["losses"], logits(student)


def logits(student: torch.nn.Module) -> np.ndarray:
    """Of the test split."""
    return student(torch.tensor(experiment()[0].test.inputs)).detach().numpy()


def main() -> None:
    """Write results/bridge_torch.json."""
    torch.set_num_threads(1)
    ways: dict[str, dict[str, Any]] = {
        "distill_lib": {"processes": 1, "run": library()},
        "PyTorch": {"processes": 1, "run": plain()},
        "torchrun, one process": {"processes": 1, "run": torchrun(1)},
        "torchrun, two processes": {"processes": 2, "run": torchrun(2)},
        "torchrun, two, one of them killed": {
            "processes": 2,
            "killed_at": FAIL_AT,
            "went_on_after": FAIL_AT // EVERY * EVERY,
            "run": torchrun(2, "--every", str(EVERY), "--fail-at", str(FAIL_AT)),
        },
    }
    labels = experiment()[0].test.labels
    curve, answers = ways["distill_lib"]["run"]
    rows = []
    for name, way in ways.items():
        losses, scores = way.pop("run")
        way["largest_difference_of_the_loss"] = float(np.abs(np.subtract(losses, curve)).max())
        way["same_test_answers"] = int((scores.argmax(axis=1) == answers.argmax(axis=1)).sum())
        way["test_accuracy"] = accuracy(scores, labels)
        rows.append({"way": name} | way)
        print(rows[-1])
    head = {"plan": PLAN, "steps": STEPS, "n_test": len(labels), "torch": torch.__version__}
    content = head | {"loss": np.round(curve, 6), "rows": rows}
    record("bridge_torch", content, [PLAN["seed"]], "python bridges/record.py")


if __name__ == "__main__":
    main()
