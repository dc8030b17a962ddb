"""The bridge to PyTorch: its losses are the library's, and its training, on several processes too.

Where there is no PyTorch, the report says so, and what to do about it.
"""

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from distill_lib import (
    Adam,
    cosine_enhanced,
    losses,
    recorded,
    step_by_step,
    traditional,
    train,
)

torch = pytest.importorskip(
    "torch",
    reason="needs PyTorch: `make torch` runs it in its own environment (or pip install torch)",
)
from bridges import torch_losses, torch_training  # noqa: E402
from bridges.torch_training import PLAN, distill, experiment, twin  # noqa: E402

torch.set_num_threads(1)  # small matrices: more threads only wait for each other
STEPS = 120  # three passes and a little: the last batch of each is a smaller, odd one
EVERY_SHAPE = pytest.mark.parametrize("shape", [(4,), (5, 4), (1, 7), (2, 3, 4)], ids=str)


def made(shape, seed=0):
    """Scores of a student and a teacher, and labels."""
    rng = np.random.default_rng(seed)
    student, teacher = rng.normal(0, 3, (2, *shape))
    return student, teacher, rng.integers(0, shape[-1], shape[:-1])


setting = cache(experiment)  # data, student and outputs of the script, made once


def agree(ours, theirs, student, tolerance=1e-12):
    """Value and gradient; `theirs` is a function of the student's scores as a tensor."""
    scores = torch.tensor(student, requires_grad=True)
    value = theirs(scores)
    value.backward()
    assert value.dtype == scores.dtype and value.shape == ()
    assert ours.value == pytest.approx(value.item(), rel=tolerance, abs=tolerance)
    np.testing.assert_allclose(ours.gradient, scores.grad, rtol=tolerance, atol=tolerance)


@EVERY_SHAPE
def test_cross_entropy_is_the_librarys(shape):
    student, _, labels = made(shape)
    theirs = torch.tensor(labels)
    agree(
        losses.cross_entropy(student, labels),
        lambda s: torch_losses.cross_entropy(s, theirs),
        student,
    )


@pytest.mark.parametrize("T", [0.5, 1.0, 4.0, 20.0, 100.0])
@EVERY_SHAPE
def test_soft_target_loss_is_the_librarys(shape, T):
    student, teacher, _ = made(shape)
    agree(
        losses.soft_target_loss(student, teacher, T),
        lambda s: torch_losses.soft_target_loss(s, torch.tensor(teacher), T),
        student,
        1e-11,
    )


@pytest.mark.parametrize("name", ["rationale_mse", "rationale_cosine"])
@EVERY_SHAPE
def test_rationale_losses_are_the_librarys(shape, name):
    student, teacher, _ = made(shape)
    ours, theirs = getattr(losses, name), getattr(torch_losses, name)
    agree(ours(student, teacher), lambda s: theirs(s, torch.tensor(teacher)), student)


WEIGHTS = [(0.3, 0.2), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.9, 0.1), (0.0, 0.4), (0.4, 0.0)]
METHODS = {"rationale_mse": step_by_step, "rationale_cosine": cosine_enhanced}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("alpha, beta", WEIGHTS)
def test_the_weighted_objective_is_the_librarys(alpha, beta, name):
    """Its rationale is what the student's logits have in common with the teacher's."""
    data, _, outputs = setting()
    split, T = data.transfer.take(np.arange(20)), 4.0
    student, _, _ = made((20, 10))
    outcome = METHODS[name](split, outputs, T, alpha, beta)({"logits": student}, split.index, 0.0)
    teacher, labels = torch.tensor(outputs.at(split.index)), torch.tensor(split.labels)

    def theirs(s):
        rationale = getattr(torch_losses, name)(s, teacher)
        weights = {"alpha": alpha, "beta": beta, "rationale": rationale}
        return torch_losses.objective(s, labels, teacher, T=T, **weights)

    agree(losses.Loss(outcome.value, outcome.gradients["logits"]), theirs, student)


def test_a_term_of_weight_0_is_not_computed():
    student, teacher, _ = (torch.tensor(array) for array in made((5, 4)))
    strange = {"labels": torch.full((5,), 99), "rationale": torch.tensor(torch.nan)}
    value = torch_losses.objective(student, teacher_logits=teacher, T=2.0, alpha=0.0, **strange)
    assert value == torch_losses.soft_target_loss(student, teacher, 2.0)


def test_the_teacher_learns_nothing():
    student, teacher = (torch.tensor(a, requires_grad=True) for a in made((5, 4))[:2])
    for loss in (torch_losses.rationale_mse, torch_losses.rationale_cosine):
        loss(student, teacher).backward()
    torch_losses.soft_target_loss(student, teacher, 2.0).backward()
    assert teacher.grad is None and student.grad is not None


@pytest.mark.parametrize(
    "message, call",
    [
        ("one shape", lambda s, y: torch_losses.rationale_mse(s, s[:1])),
        ("one shape", lambda s, y: torch_losses.rationale_cosine(s, s[:1])),
        ("one shape", lambda s, y: torch_losses.soft_target_loss(s, s[:1], 2.0)),
        ("shape", lambda s, y: torch_losses.cross_entropy(s, y[:, None])),
        ("T must", lambda s, y: torch_losses.soft_target_loss(s, s, 0.0)),
        ("T must", lambda s, y: torch_losses.objective(s, y, s, T=-1.0, alpha=1.0)),
        ("at most 1", lambda s, y: torch_losses.objective(s, y, s, T=1.0, alpha=0.7, beta=0.7)),
        ("alpha", lambda s, y: torch_losses.objective(s, y, s, T=1.0, alpha=-0.1)),
        ("got none", lambda s, y: torch_losses.objective(s, y, s, T=1.0, alpha=0.5, beta=0.1)),
    ],
)
def test_nothing_is_broadcast_and_no_weight_taken_that_the_library_refuses(message, call):
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(5, 4), torch.zeros(5, dtype=torch.int64))


# --- Training -------------------------------------------------------------------------------------


def tensors():
    """What `distill` takes, beside the student."""
    data, _, outputs = setting()
    split = data.transfer
    return [torch.tensor(a) for a in (split.inputs, split.labels, outputs.at(split.index))]


@cache
def alone():
    """The student and the curve of the loss by one process, nothing cut."""
    student = twin(setting()[1])
    return student, distill(student, *tensors(), steps=STEPS)


def test_the_curve_and_the_predictions_are_the_librarys():
    data, untrained, outputs = setting()
    objective, model = (
        traditional(data.transfer, outputs, PLAN["T"], PLAN["alpha"]),
        untrained.copy(),
    )
    plan = {name: PLAN[name] for name in ("batch_size", "seed")}
    optimizer = Adam(PLAN["rate"])
    history = train(
        model, data.transfer, objective, steps=STEPS, optimizer=optimizer, look_every=1, **plan
    )
    student, curve = alone()
    assert curve[-1] < 0.5 * curve[0], "it learns"
    np.testing.assert_allclose(curve, history.loss[1:], rtol=0, atol=1e-9)
    ours, theirs = model.logits(data.test.inputs), student(torch.tensor(data.test.inputs))
    np.testing.assert_allclose(theirs.detach(), ours, rtol=0, atol=1e-6)
    assert (theirs.argmax(dim=1).numpy() == ours.argmax(axis=1)).all()


def test_a_run_that_is_cut_goes_on_as_if_nothing_had_been(tmp_path, monkeypatch):
    """Cut at step 50, after the checkpoint of step 40."""
    file, steps = tmp_path / "run.pt", []

    def cut(*scores, **weights):
        steps.append(1)
        if len(steps) == 50:
            raise KeyboardInterrupt
        return torch_losses.objective(*scores, **weights)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch_training, "objective", cut)
        distill(twin(setting()[1]), *tensors(), steps=STEPS, checkpoint=file, every=20)
    assert len(torch.load(file)["losses"]) == 40
    student = twin(setting()[1])
    assert distill(student, *tensors(), steps=STEPS, checkpoint=file) == alone()[1]
    for ours, theirs in zip(student.parameters(), alone()[0].parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_run_that_is_cut_while_it_saves_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    file = tmp_path / "run.pt"
    distill(twin(setting()[1]), *tensors(), steps=10, checkpoint=file)
    before = file.read_bytes()

    def cut(state, path):
        path.write_bytes(b"half of")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", cut)
    with pytest.raises(KeyboardInterrupt):
        distill(twin(setting()[1]), *tensors(), steps=20, checkpoint=file)
    assert file.read_bytes() == before


def test_a_checkpoint_of_another_plan_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "run.pt"
    distill(twin(setting()[1]), *tensors(), steps=2, checkpoint=file)
    monkeypatch.setitem(PLAN, "T", 2.0)
    with pytest.raises(ValueError, match="another plan"):
        distill(twin(setting()[1]), *tensors(), steps=4, checkpoint=file)


def torchrun(file, *options, restarts=0):
    """Two processes run the script; what they and torchrun print."""
    here = [torch_training.__file__, "--checkpoint", file, "--steps", STEPS, *options]
    engine = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *engine, f"--max-restarts={restarts}", *here]
    environment = os.environ | {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    how = {"env": environment, "capture_output": True, "text": True, "timeout": 1800}
    done = subprocess.run([*map(str, command)], **how)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def same(file, tolerance):
    """The curve and the student in this checkpoint, beside those of one process."""
    state, (student, curve) = torch.load(file), alone()
    np.testing.assert_allclose(state["losses"], curve, rtol=0, atol=tolerance)
    for name, parameter in student.state_dict().items():
        np.testing.assert_allclose(state["student"][name], parameter, rtol=0, atol=tolerance)


def test_two_processes_have_the_curve_of_one_and_one_can_go_on_alone(tmp_path):
    """They share each batch, also the odd ones; and any number goes on from their checkpoint."""
    file = tmp_path / "run.pt"
    said = torchrun(file, "--steps", 80)
    assert "80 steps" in said and "going on" not in said
    curve = distill(twin(setting()[1]), *tensors(), steps=STEPS, checkpoint=file)
    assert len(curve) == STEPS
    same(file, 1e-9)


def test_a_run_survives_the_death_of_one_of_its_processes(tmp_path):
    """Killed at step 70: torchrun starts both again, which go on from the checkpoint of step 50."""
    file = tmp_path / "run.pt"
    said = torchrun(file, "--fail-at", 70, "--every", 50, restarts=1)
    assert "exitcode: -9" in said and "going on after step 50" in said
    same(file, 1e-9)


def test_the_record_is_what_readers_without_pytorch_would_see():
    """Its first steps are those of today, and every way of it ended alike."""
    record = recorded("bridge_torch")
    assert record["plan"] == PLAN and len(record["loss"]) == record["steps"]
    np.testing.assert_allclose(record["loss"][:STEPS], alone()[1], rtol=0, atol=2e-6)
    assert len(record["rows"]) == 5
    for row in record["rows"]:
        assert row["largest_difference_of_the_loss"] < 1e-9, row
        assert row["same_test_answers"] == record["n_test"], row
