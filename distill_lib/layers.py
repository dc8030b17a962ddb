"""The layers that networks are made of: forward, backward, and where their parameters begin.

A layer is a description and nothing else: its sizes and the names of its scores. The arrays belong
to the network (`models`), which hands them in as `Memory`. A new kind of layer is a new class here,
with `forward` and `backward` and, where it has parameters, `shapes` and `start`, and its name in
`KINDS`. What behaves otherwise in training finds random numbers in its memory then, or else none.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from distill_lib.checks import Array, check_positive, check_share, check_whole

RATIONALE = "rationale"
"""Scores of this name serve training alone: they do not count as part of the trained model."""

_blas = cache(ThreadpoolController)


def few_threads(multiply_adds: int) -> AbstractContextManager:
    """One thread for small matrix products, as many as there are for large ones.

    Threads that wait for one another cost more than a small product is worth; where they outnumber
    the free cores (a shared server, two notebooks at once) training gets tens of times slower.
    """
    return _blas().limit(limits=1) if multiply_adds < 2e7 else nullcontext()


@dataclass
class Memory:
    """What a network keeps for one of its layers.

    Attributes:
        parameters, gradients: by name, views into the network's vectors.
        inputs: of the last forward.
        rng: what the last forward draws from if it was one of training, or else None.
    """

    parameters: dict[str, Array]
    gradients: dict[str, Array]
    inputs: Array = field(default_factory=lambda: np.empty(0))
    rng: np.random.Generator | None = None
    _arrays: dict[str, Array] = field(default_factory=dict)

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype | type) -> Array:
        """An uninitialised array of this shape: at each request the same memory, if it suffices.

        So a step of training allocates nothing large, also where the last batch is a smaller one.
        """
        array = self._arrays.get(name)
        if array is None or len(array) < shape[0]:
            array = self._arrays[name] = np.empty(shape, dtype)
        return array[: shape[0]]


class Layer:
    """What a network asks of its layers; this one has no parameters and no scores.

    Attributes:
        sizes: inputs and outputs of one example; 0 and 0 for any number, which stays what it is.
        shapes: of its parameters, by name.
        scores: which of its outputs have names: so many for each, in order, all of them or none.
        multiply_adds, n_kept: products for one example, and parameters, without a rationale's.
    """

    sizes: tuple[int, int] = (0, 0)
    scores: Mapping[str, int] = {}
    shapes: Mapping[str, tuple[int, ...]] = {}
    multiply_adds: int = 0
    n_kept: int = 0

    def start(self, parameters: Mapping[str, Array], rng: np.random.Generator) -> None:
        """Fill in the first parameters, which are 0 before."""

    def forward(self, inputs: Array, memory: Memory) -> Array:
        """The outputs of a batch; the inputs stay as they are."""
        raise NotImplementedError

    def backward(self, gradient: Array, memory: Memory, first: bool) -> Array | None:
        """From the gradient of the outputs, fill the parameters'; return that of the inputs.

        The `first` layer need not return any. It may overwrite `gradient`.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Linear(Layer):
    """inputs @ W + b: every output sees every input.

    Attributes:
        n_inputs: the inputs have shape (examples, n_inputs).
        scores: by name, how many; the layer has as many outputs as they are together.
        gain: the first weights are normal with variance gain / n_inputs: 2 before a ReLU
            (He et al. 2015), 1 where none follows. Biases start at 0.

    ValueError for sizes below 1 or not whole, no scores, or a gain ≤ 0. Chapter 2, "Backwards".
    """

    n_inputs: int
    scores: Mapping[str, int] = field()  # or the attribute of `Layer` would be a default
    gain: float = 2.0

    def __post_init__(self) -> None:
        if not isinstance(self.scores, Mapping) or not self.scores:
            raise ValueError(
                f'scores must be how many by name: {{"logits": 10}}, got {self.scores}'
            )
        for size in (self.n_inputs, *self.scores.values()):
            check_whole("each of the sizes", size)
        check_positive("gain", self.gain)
        n_outputs = sum(self.scores.values())
        n_kept = n_outputs - self.scores.get(RATIONALE, 0)
        vars(self).update(  # no fields: they follow from those
            sizes=(self.n_inputs, n_outputs),
            shapes={"W": (self.n_inputs, n_outputs), "b": (n_outputs,)},
            multiply_adds=self.n_inputs * n_kept,  # without the biases
            n_kept=(self.n_inputs + 1) * n_kept,
        )

    def start(self, parameters: Mapping[str, Array], rng: np.random.Generator) -> None:
        """Draw the weights, scores by scores: with and without the last ones, the rest is equal."""
        for columns in np.split(parameters["W"], np.cumsum([*self.scores.values()])[:-1], axis=1):
            columns[:] = rng.normal(0, np.sqrt(self.gain / self.n_inputs), columns.shape)

    def forward(self, inputs: Array, memory: Memory) -> Array:
        """Shape (examples, outputs)."""
        W, b = memory.parameters["W"], memory.parameters["b"]
        z = memory.array("outputs", (len(inputs), len(b)), W.dtype)
        np.matmul(inputs, W, out=z)
        z += b
        return z

    def backward(self, gradient: Array, memory: Memory, first: bool) -> Array | None:
        """dW = inputsᵀ · gradient, db its sum over the examples, d inputs = gradient · Wᵀ."""
        inputs, W = memory.inputs, memory.parameters["W"]
        np.matmul(inputs.T, gradient, out=memory.gradients["W"])
        gradient.sum(axis=0, out=memory.gradients["b"])
        if first:
            return None
        return np.matmul(gradient, W.T, out=memory.array("d inputs", inputs.shape, W.dtype))


@dataclass(frozen=True)
class ReLU(Layer):
    """max(inputs, 0): without it, two linear layers would be one. Chapter 2, "Backwards"."""

    def forward(self, inputs: Array, memory: Memory) -> Array:
        """The same shape as the inputs."""
        return np.maximum(inputs, 0, out=memory.array("outputs", inputs.shape, inputs.dtype))

    def backward(self, gradient: Array, memory: Memory, first: bool) -> Array | None:
        """It lets through only where it was open."""
        is_open = memory.array("open", memory.inputs.shape, bool)
        gradient *= np.greater(memory.inputs, 0, out=is_open)
        return gradient


@dataclass(frozen=True)
class Dropout(Layer):
    """In training, each input is 0 with probability `rate`, and the others are / (1 - rate).

    So the mean is what it was, and a model that answers hands the inputs on as they are. It may
    also be the first layer. ValueError for a rate outside 0 .. 1 (1 excluded). Srivastava et al.
    2014, "Dropout".
    """

    rate: float

    def __post_init__(self) -> None:
        check_share("rate", self.rate, below_1=True)

    def forward(self, inputs: Array, memory: Memory) -> Array:
        """The same shape as the inputs."""
        if memory.rng is None:
            return inputs
        kept = memory.array("kept", inputs.shape, inputs.dtype)
        memory.rng.random(out=kept, dtype=inputs.dtype.type)
        np.greater_equal(kept, self.rate, out=kept)
        kept /= 1 - self.rate
        return np.multiply(inputs, kept, out=memory.array("outputs", inputs.shape, inputs.dtype))

    def backward(self, gradient: Array, memory: Memory, first: bool) -> Array | None:
        """It lets through what `forward` did, and as many times larger."""
        if memory.rng is not None:
            gradient *= memory.array("kept", gradient.shape, gradient.dtype)
        return gradient


KINDS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Linear, ReLU, Dropout)}
"""What a saved model may hold, by name; of each, it has the fields of its dataclass."""
