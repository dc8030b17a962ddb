r"""One distillation in plain PyTorch, in one process or in several that share each batch.

    python bridges/torch_training.py
    torchrun --standalone --nproc-per-node=2 bridges/torch_training.py
    TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 torchrun --standalone --nproc-per-node=2 \
        --max-restarts=1 bridges/torch_training.py --checkpoint run.pt --fail-at 130

All three end with the same curve of the loss, which is also that of `distill_lib`: the same start,
batches, objective and optimiser. In the third a process is killed on the way, and torchrun starts
all of them again, from the last checkpoint. (Without that variable the new processes may find the
addresses of the dead: https://github.com/pytorch/pytorch/issues/135712.) What holds for processes
holds for machines, if they share the disk of the checkpoint.
"""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from bridges.torch_losses import objective
from distill_lib import (
    MLP,
    Adam,
    Dataset,
    TeacherOutputs,
    accuracy,
    digits,
    hard_labels,
    train,
)

PLAN: dict[str, Any] = {"T": 4.0, "alpha": 0.1, "rate": 0.01, "batch_size": 32, "seed": 1}


def experiment() -> tuple[Dataset, MLP, TeacherOutputs]:
    """The digits in float64, an untrained student, and a teacher's outputs, all by the library."""
    data = digits(np.float64)
    teacher = MLP((64, 128, 10), seed=0, dtype=np.float64)
    train(teacher, data.train, hard_labels(data.train), steps=300, optimizer=Adam(0.003))
    student = MLP((64, 16, 10), seed=PLAN["seed"], dtype=np.float64)
    return data, student, TeacherOutputs.of(teacher, data.transfer)


def twin(model: MLP) -> nn.Sequential:
    """The same network in PyTorch, whose weights have shape (outputs, inputs): ours, transposed."""
    layers: list[nn.Module] = []
    for i in range(1, len(model.sizes)):
        W, b = (torch.tensor(model.parameters[f"{kind}{i}"]) for kind in "Wb")
        layer = nn.Linear(*W.shape, dtype=W.dtype)
        with torch.no_grad():
            layer.weight.copy_(W.T)
            layer.bias.copy_(b)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def batches(n: int, batch_size: int, seed: int) -> Iterator[np.ndarray]:
    """Rows of one batch after the other without end, in the order of `distill_lib.train`."""
    rng = np.random.default_rng([seed])
    while True:
        order = rng.permutation(n)
        yield from (order[k : k + batch_size] for k in range(0, n, batch_size))


def distill(
    student: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    teacher_logits: Tensor,
    *,
    steps: int,
    checkpoint: Path | None = None,
    every: int = 50,
    fail_at: int | None = None,
) -> list[float]:
    """Train the student in place, with the other processes if there are any; the loss by step.

    A `checkpoint` is written every so many steps, and read at the start where there is one. Of a
    checkpoint by another plan, or a batch with fewer examples than processes, a ValueError.
    """
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    model = DistributedDataParallel(student) if world > 1 else student
    optimizer = torch.optim.Adam(model.parameters(), PLAN["rate"])
    losses = load(checkpoint, student, optimizer) if checkpoint and checkpoint.exists() else []
    if losses and rank == 0:
        print(f"going on after step {len(losses)}")
    order = batches(len(inputs), PLAN["batch_size"], PLAN["seed"])
    for step, batch in zip(range(1, steps + 1), order, strict=False):
        if step <= len(losses):  # taken before the checkpoint: only its batch is drawn
            continue
        if len(batch) < world:
            raise ValueError(f"a batch of {len(batch)} examples cannot feed {world} processes")
        mine = batch[rank::world]
        logits = model(inputs[mine])
        weights = {"T": PLAN["T"], "alpha": PLAN["alpha"]}
        loss = objective(logits, labels[mine], teacher_logits[mine], **weights)
        # The processes' gradients are averaged, as if all had equally many examples. So that the
        # mean is one over the examples of the batch, each counts by its share of them.
        loss = loss * (len(mine) * world / len(batch))
        optimizer.zero_grad()
        loss.backward()
        if step == fail_at and rank == world - 1 and os.getenv("TORCHELASTIC_RESTART_COUNT") == "0":
            os.kill(os.getpid(), signal.SIGKILL)
        optimizer.step()
        value = loss.detach() / world
        if world > 1:
            dist.all_reduce(value)
        losses.append(value.item())
        if checkpoint and rank == 0 and (step % every == 0 or step == steps):
            save(checkpoint, student, optimizer, losses)
    return losses


def save(
    path: Path, student: nn.Module, optimizer: torch.optim.Optimizer, losses: list[float]
) -> None:
    """Write all that a run needs to go on; whoever is killed meanwhile leaves the old file."""
    state = {"student": student.state_dict(), "optimizer": optimizer.state_dict()}
    beside = path.with_name(path.name + ".new")
    torch.save({"plan": PLAN, "losses": losses, **state}, beside)
    beside.replace(path)


def load(path: Path, student: nn.Module, optimizer: torch.optim.Optimizer) -> list[float]:
    """Go back to what `save` wrote; the losses until then. ValueError for another plan."""
    state = torch.load(path, weights_only=True)
    if state["plan"] != PLAN:
        raise ValueError(f"{path} is of another plan, {state['plan']}: delete it or name another")
    student.load_state_dict(state["student"])
    optimizer.load_state_dict(state["optimizer"])
    return state["losses"]


def main() -> None:
    """Run it, and say how it ended."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--checkpoint", type=Path, help="where to go on from, if it is there")
    parser.add_argument("--every", type=int, default=50, help="steps from checkpoint to checkpoint")
    parser.add_argument("--fail-at", type=int, help="the last process is killed here, once")
    options = vars(parser.parse_args())
    torch.set_num_threads(1)  # small matrices: more threads only wait for each other
    if dist.is_torchelastic_launched():
        dist.init_process_group("gloo")  # processors; "nccl" is for graphics cards
    data, model, outputs = experiment()
    split, student = data.transfer, twin(model)
    teacher_logits = torch.tensor(outputs.at(split.index))
    if dist.is_initialized():
        dist.broadcast(teacher_logits, src=0)  # one teacher for all, whatever machine they are on
    inputs, labels = torch.tensor(split.inputs), torch.tensor(split.labels)
    losses = distill(student, inputs, labels, teacher_logits, **options)
    if not dist.is_initialized() or dist.get_rank() == 0:
        logits = student(torch.tensor(data.test.inputs)).detach().numpy()
        right = accuracy(logits, data.test.labels)
        print(f"{len(losses)} steps, last loss {losses[-1]:.6f}, test accuracy {right:.4f}")
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
