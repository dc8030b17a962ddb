"""The library beside PyTorch. Where there is none, the report says so, and what to do about it."""

import numpy as np
import pytest

from distill_lib.convolution import AveragePool2d, Conv2d
from distill_lib.data import digits
from distill_lib.distillation import TeacherOutputs, traditional
from distill_lib.layers import Dropout, Linear, ReLU
from distill_lib.losses import (
    cross_entropy,
    log_softmax,
    rationale_cosine,
    rationale_mse,
    soft_target_loss,
    softmax,
)
from distill_lib.models import MLP, Network
from distill_lib.training import SGD, Adam, train

torch = pytest.importorskip(
    "torch",
    reason="needs PyTorch: `make torch` runs it in its own environment (or pip install torch)",
)
F = torch.nn.functional
SHAPES = [(4,), (5, 4), (1, 7), (2, 3, 4)]
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-11}
EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES, ids=str)
EVERY_DTYPE = pytest.mark.parametrize("dtype", TOLERANCE)
DIGITS = digits()
torch.set_num_threads(1)  # small matrices: more threads only wait for each other


def made(shape, size, dtype):
    rng = np.random.default_rng(0)
    student, teacher = (rng.uniform(-size, size, shape).astype(dtype) for _ in range(2))
    return student, teacher, rng.integers(0, shape[-1], shape[:-1])


def agree(ours, theirs, student, dtype):
    """Value and gradient; `theirs` is a function of the student's scores as a tensor."""
    scores = torch.tensor(student, requires_grad=True)
    value = theirs(scores)
    value.backward()
    tolerance = TOLERANCE[dtype]
    assert ours.value == pytest.approx(value.item(), rel=10 * tolerance, abs=tolerance)
    expected = scores.grad.numpy()
    assert ours.gradient.dtype == expected.dtype
    scale = np.abs(expected).max() + 1e-30
    np.testing.assert_allclose(ours.gradient / scale, expected / scale, atol=20 * tolerance)


@EVERY_DTYPE
@pytest.mark.parametrize("T", [0.1, 1.0, 5.0, 100.0])
@pytest.mark.parametrize("size", [3.0, 1e4])
@EVERY_SHAPE
def test_softmax(shape, size, T, dtype):
    logits = made(shape, size, dtype)[0]
    for ours, theirs in ((softmax, torch.softmax), (log_softmax, torch.log_softmax)):
        expected = theirs(torch.tensor(logits, dtype=torch.float64) / T, dim=-1).numpy()
        np.testing.assert_allclose(ours(logits, T), expected, rtol=TOLERANCE[dtype], atol=1e-11)


@EVERY_DTYPE
@EVERY_SHAPE
def test_cross_entropy(shape, dtype):
    student, _, labels = made(shape, 3.0, dtype)
    target = torch.tensor(labels).reshape(-1)
    agree(
        cross_entropy(student, labels),
        lambda s: F.cross_entropy(s.reshape(-1, shape[-1]), target),
        student,
        dtype,
    )


@pytest.mark.parametrize("T", [0.5, 1.0, 4.0, 20.0])
@EVERY_SHAPE
def test_soft_target_loss_is_kl_div_batchmean_times_T_squared(shape, T):
    student, teacher, _ = made(shape, 3.0, np.float64)
    p = torch.softmax(torch.tensor(teacher).reshape(-1, shape[-1]) / T, dim=-1)

    def theirs(s):
        log_q = torch.log_softmax(s.reshape(-1, shape[-1]) / T, dim=-1)
        return T**2 * F.kl_div(log_q, p, reduction="batchmean")

    agree(soft_target_loss(student, teacher, T), theirs, student, np.float64)


@EVERY_DTYPE
@EVERY_SHAPE
def test_rationale_losses(shape, dtype):
    student, teacher, _ = made(shape, 3.0, dtype)
    target = torch.tensor(teacher)
    agree(rationale_mse(student, teacher), lambda s: F.mse_loss(s, target), student, dtype)
    agree(
        rationale_cosine(student, teacher),
        lambda s: (1 - F.cosine_similarity(s, target, dim=-1)).mean(),
        student,
        dtype,
    )


class Twin(torch.nn.Module):
    """The same network in PyTorch, with the same parameters."""

    def __init__(self, model):
        super().__init__()
        self.layers = torch.nn.ModuleList()
        dtype = torch.float64 if model.dtype == np.float64 else torch.float32
        for i in range(1, len(model.sizes)):
            W, b = (torch.tensor(model.parameters[f"{kind}{i}"]) for kind in "Wb")
            layer = torch.nn.Linear(*W.shape, dtype=dtype)
            layer.weight.data, layer.bias.data = W.T.contiguous(), b
            self.layers.append(layer)

    def forward(self, x):
        scores = [self.layers[0](x)]
        for layer in self.layers[1:]:
            scores.append(layer(torch.relu(scores[-1])))
        return scores

    def vector(self, of=lambda parameter: parameter.detach()):
        """Its parameters, or what else is asked of them, in the order of our vector."""
        parts = [p for layer in self.layers for p in (of(layer.weight).T, of(layer.bias))]
        return torch.cat([part.reshape(-1) for part in parts]).numpy()


@EVERY_DTYPE
@pytest.mark.parametrize("on", ["logits", "hidden_1", "both"])
def test_gradients_of_a_network_into_logits_hidden_scores_and_both(on, dtype):
    model = MLP((64, 30, 20, 10), seed=1, dtype=dtype)
    x = DIGITS.train.inputs[:40].astype(dtype)
    twin, rng = Twin(model), np.random.default_rng(0)
    scores = model.forward(x)
    theirs = dict(zip(model.units, twin(torch.tensor(x)), strict=True))
    for name in model.units:
        np.testing.assert_allclose(scores[name], theirs[name].detach(), atol=TOLERANCE[dtype])
    names = ["logits", "hidden_1"] if on == "both" else [on]
    given = {name: rng.normal(0, 1, scores[name].shape).astype(dtype) for name in names}
    for p in twin.parameters():
        p.grad = torch.zeros_like(p)
    sum((theirs[name] * torch.tensor(given[name])).sum() for name in names).backward()
    model.backward(given)
    expected = twin.vector(of=lambda parameter: parameter.grad)
    np.testing.assert_allclose(model.gradient_vector, expected, atol=40 * TOLERANCE[dtype])


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (SGD(0.05, 0.0), lambda p: torch.optim.SGD(p, 0.05)),
        (SGD(0.05, 0.9), lambda p: torch.optim.SGD(p, 0.05, momentum=0.9)),
        (Adam(), lambda p: torch.optim.Adam(p, 0.01)),
        (
            Adam(0.003, 0.8, 0.95, 1e-4),
            lambda p: torch.optim.Adam(p, 0.003, betas=(0.8, 0.95), eps=1e-4),
        ),
    ],
    ids=["SGD", "momentum", "Adam", "Adam_with_other_settings"],
)
def test_a_whole_distillation_goes_the_same_way(ours, theirs):
    """Sixty steps: batches, temperature, T squared, alpha, backward, optimiser."""
    T, alpha, split = 4.0, 0.3, DIGITS.transfer
    student = MLP((64, 16, 10), seed=2, dtype=np.float64)
    teacher = TeacherOutputs.of(MLP((64, 20, 10), seed=1, dtype=np.float64), split)
    objective, batches = traditional(split, teacher, T, alpha), []

    def remembering(scores, index, epoch):
        batches.append(index.copy())
        return objective(scores, index, epoch)

    twin = Twin(student)
    train(student, split, remembering, steps=60, batch_size=32, optimizer=ours)
    optimizer = theirs(twin.parameters())
    row = {index: i for i, index in enumerate(split.index)}
    for batch in batches:
        rows = [row[i] for i in batch]
        logits = twin(torch.tensor(split.inputs[rows], dtype=torch.float64))[-1]
        p = torch.softmax(torch.tensor(teacher.at(batch)) / T, dim=-1)
        soft = F.kl_div(torch.log_softmax(logits / T, dim=-1), p, reduction="batchmean")
        loss = alpha * F.cross_entropy(logits, torch.tensor(split.labels[rows]))
        loss = loss + (1 - alpha) * T**2 * soft
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(student.vector, twin.vector(), atol=1e-8)


def test_gradients_behind_the_same_dropout():
    """PyTorch multiplies by the masks that our layers drew."""
    layers = [Dropout(0.2), Linear(64, {"hidden_1": 20}), ReLU(), Dropout(0.5)]
    model = Network([*layers, Linear(20, {"logits": 10}, 1.0)], 1, np.float64)
    plain = MLP((64, 20, 10), seed=1, dtype=np.float64)
    x, rng = DIGITS.train.inputs[:40].astype(float), np.random.default_rng(5)
    masks = [torch.tensor((rng.random((40, n)) >= p) / (1 - p)) for n, p in ((64, 0.2), (20, 0.5))]
    twin = Twin(plain)
    hidden = torch.relu(twin.layers[0](torch.tensor(x) * masks[0])) * masks[1]
    loss = F.cross_entropy(twin.layers[1](hidden), torch.tensor(DIGITS.train.labels[:40]))
    loss.backward()
    scores = model.forward(x, np.random.default_rng(5))
    ours = cross_entropy(scores["logits"], DIGITS.train.labels[:40])
    model.backward({"logits": ours.gradient})
    assert ours.value == pytest.approx(loss.item(), rel=1e-10)
    expected = twin.vector(of=lambda parameter: parameter.grad)
    np.testing.assert_allclose(model.gradient_vector, expected, atol=1e-11)


@EVERY_DTYPE
@pytest.mark.parametrize("size, pooled", [(1, 4), (3, 2), (5, 8)])
def test_convolution_and_pooling(size, pooled, dtype):
    """Values and gradients of conv2d and avg_pool2d, whose channels come first."""
    one = Conv2d((8, 8, 2), 3, size, name="conv_1")
    pool = AveragePool2d(one.output_image, pooled)
    model = Network([one, ReLU(), pool, Conv2d(pool.output_image, 4, name="logits")], 1, dtype)
    rng = np.random.default_rng(0)
    model.vector += rng.normal(0, 0.1, model.vector.shape).astype(dtype)
    x = rng.normal(size=(5, 128)).astype(dtype)
    parameters = [torch.tensor(p, requires_grad=True) for p in model.parameters.values()]
    W1, W2 = (
        W.reshape(k, k, -1, W.shape[1]).permute(3, 2, 0, 1)
        for W, k in zip(parameters[::2], (size, 3), strict=True)
    )
    images = torch.tensor(x).reshape(5, 8, 8, 2).permute(0, 3, 1, 2)
    theirs = [F.conv2d(images, W1, parameters[1], padding=size // 2)]
    means = F.avg_pool2d(torch.relu(theirs[0]), pooled)
    theirs.append(F.conv2d(means, W2, parameters[3], padding=1))
    theirs = [scores.permute(0, 2, 3, 1).reshape(5, -1) for scores in theirs]
    ours, given = model.forward(x), {}
    for name, expected in zip(model.units, theirs, strict=True):
        np.testing.assert_allclose(ours[name], expected.detach(), atol=10 * TOLERANCE[dtype])
        given[name] = rng.normal(0, 1, expected.shape).astype(dtype)
    sum((s * torch.tensor(g)).sum() for s, g in zip(theirs, given.values(), strict=True)).backward()
    model.backward(given)
    for name, parameter in zip(model.gradients, parameters, strict=True):
        expected = parameter.grad.numpy()
        np.testing.assert_allclose(model.gradients[name], expected, atol=100 * TOLERANCE[dtype])


def test_max_norm_is_renorm(study):
    model = MLP((64, 30, 10), seed=1, dtype=np.float64)
    expected = [torch.renorm(torch.tensor(model.parameters[n]), 2, 1, 1.2) for n in ("W1", "W2")]
    study("regularise").max_norm(1.2)(model)
    for name, theirs in zip(("W1", "W2"), expected, strict=True):
        np.testing.assert_allclose(model.parameters[name], theirs, rtol=1e-6)
