"""The two kinds of model in the book, written out: forward, backward, parameters.

A model turns inputs into *named* scores: every linear score on the way ("hidden_1", "hidden_2",
…) and, last, "logits". Losses are free to look at any of them, and `backward` takes the gradient
with respect to any of them. That is all that the losses and the models know of one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from functools import cache
from itertools import pairwise
from typing import Self

import numpy as np
from threadpoolctl import ThreadpoolController

from distill_lib.losses import Array, check_dtype, check_scores, check_whole


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def few_threads(multiply_adds: int) -> AbstractContextManager:
    """One thread for small matrix products, as many as there are for large ones.

    Threads that wait for one another cost more than a small product is worth; where they outnumber
    the free cores (a shared server, two notebooks at once) training gets tens of times slower.
    """
    return _blas().limit(limits=1) if multiply_adds < 2e7 else nullcontext()


class MLP:
    """Linear layers with a ReLU between each two: the book's teacher, and most of its students.

    All parameters lie in one vector, and all gradients in another of the same layout, so that an
    optimiser is a few operations on whole vectors. `parameters` and `gradients` are named views
    into them. Work arrays are kept from one batch to the next: a step of training allocates nothing
    large.

    Args:
        sizes: inputs, hidden units of each layer, classes; for instance (64, 32, 10).
        seed: seeds the first weights (He et al. 2015: normal, variance 2 / inputs of the layer;
            1 / inputs for the last layer, which no ReLU follows). Biases start at 0.
        dtype: np.float32 or np.float64.
        rationale: this many more linear scores, called "rationale", beside the logits in the last
            layer: a map from the last hidden layer that is learned with the rest, and dropped
            after training.

    Raises:
        ValueError: fewer than two sizes, a size that is not a whole number of at least 1, another
            dtype, or a rationale that is not a whole number of at least 0.

    Chapter 2, "Two models"; the rationale in chapter 4.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        seed: int = 0,
        dtype: type = np.float32,
        rationale: int = 0,
    ) -> None:
        if not isinstance(sizes, Sequence) or len(sizes) < 2:
            raise ValueError(f"sizes must be two or more whole numbers, got {sizes!r}")
        sizes = tuple(sizes)
        for size in sizes:
            check_whole("each of the sizes", size)
        check_dtype(dtype)
        check_whole("rationale", rationale, least=0)
        check_whole("seed", seed, least=0)
        widths = (*sizes[:-1], sizes[-1] + rationale)
        n_parameters = sum((n + 1) * m for n, m in pairwise(widths))
        self.__setstate__((sizes, rationale, np.zeros(n_parameters, dtype)))
        rng = np.random.default_rng(seed)
        for i, n in enumerate(sizes[:-1], start=1):
            scale = np.sqrt((2 if i < len(sizes) - 1 else 1) / n)
            weights = self.parameters[f"W{i}"]
            # The rationale's columns last: with and without them, the rest starts the same.
            for part in (weights[:, : sizes[i]], weights[:, sizes[i] :]):
                part[:] = rng.normal(0, scale, part.shape)

    # A copied or pickled model (`copy`, other processes) is its sizes and its parameters; the
    # views are made anew, for copies of them would no longer look into the vector.
    def __getstate__(self) -> tuple[tuple[int, ...], int, Array]:
        return self.sizes, self.rationale, self.vector

    def __setstate__(self, state: tuple[tuple[int, ...], int, Array]) -> None:
        self.sizes, self.rationale, self.vector = state
        self._widths = (*self.sizes[:-1], self.sizes[-1] + self.rationale)
        self.dtype = self.vector.dtype
        self.gradient_vector = np.zeros_like(self.vector)
        self.parameters = self._views(self.vector)
        self.gradients = self._views(self.gradient_vector)
        hidden = [f"hidden_{i}" for i in range(1, len(self.sizes) - 1)]
        self.units = dict(zip([*hidden, "logits"], self.sizes[1:], strict=True))
        if self.rationale:
            self.units["rationale"] = self.rationale
        self.names = [*self.units]
        self._buffers: dict[str, Array] = {}
        self._inputs: list[Array] = []

    def _views(self, vector: Array) -> dict[str, Array]:
        views, start = {}, 0
        for i, (n, m) in enumerate(pairwise(self._widths), start=1):
            views[f"W{i}"] = vector[start : start + n * m].reshape(n, m)
            views[f"b{i}"] = vector[start + n * m : start + (n + 1) * m]
            start += (n + 1) * m
        return views

    @property
    def n_parameters(self) -> int:
        """Number of trained values, weights and biases, without the map of a rationale."""
        return sum((n + 1) * m for n, m in pairwise(self.sizes))

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for the logits of one example (biases and ReLUs not counted)."""
        return sum(n * m for n, m in pairwise(self.sizes))

    def copy(self) -> Self:
        """Another model with the same parameters and nothing shared."""
        return deepcopy(self)

    def _work(self, name: str, rows: int, columns: int, dtype: type | None = None) -> Array:
        """An uninitialised array: at each call the same memory, as long as it is large enough."""
        array = self._buffers.get(name)
        if array is None or len(array) < rows:
            array = self._buffers[name] = np.empty((rows, columns), dtype or self.dtype)
        return array[:rows]

    def forward(self, inputs: Array) -> dict[str, Array]:
        """Named scores of a batch, each of shape (examples, units); remembers it for `backward`.

        The arrays belong to the model and hold until its next `forward`; `scores` copies them.

        Raises:
            ValueError: inputs not of shape (examples, inputs), or not of the model's dtype.
        """
        inputs = np.asarray(inputs)
        if inputs.ndim != 2 or inputs.shape[1] != self.sizes[0]:
            raise ValueError(
                f"inputs must have shape (examples, {self.sizes[0]}), got {inputs.shape}"
            )
        if inputs.dtype != self.dtype:
            raise ValueError(f"inputs must be {self.dtype}, like the model, got {inputs.dtype}")
        scores: dict[str, Array] = {}
        self._inputs = []
        units, last = inputs, len(self.sizes) - 1
        for i in range(1, last + 1):
            self._inputs.append(units)
            z = self._work(f"scores_{i}", len(inputs), self._widths[i])
            np.matmul(units, self.parameters[f"W{i}"], out=z)
            z += self.parameters[f"b{i}"]
            if i < last:
                scores[f"hidden_{i}"] = z
                units = np.maximum(z, 0, out=self._work(f"relu_{i}", *z.shape))
        scores["logits"] = z[:, : self.sizes[-1]]
        if self.rationale:
            scores["rationale"] = z[:, self.sizes[-1] :]
        return scores

    def backward(self, gradients: Mapping[str, Array]) -> None:
        """Turn gradients with respect to scores of the last `forward` into those of parameters.

        Args:
            gradients: by name of the scores, each in their shape; names left out count as zero.

        Fills `self.gradients` (and so `self.gradient_vector`).

        Raises:
            ValueError: no `forward` before, an unknown name, or a gradient of another shape.

        Chapter 2, "Backwards".
        """
        if not self._inputs:
            raise ValueError("backward needs a forward before it, and there was none")
        for name, gradient in gradients.items():
            if name not in self.units:
                raise ValueError(f"no scores are called {name!r}; this model has {self.names}")
            expected = (len(self._inputs[0]), self.units[name])
            gradient = np.asarray(gradient)
            if gradient.shape != expected or gradient.dtype.kind != "f":
                raise ValueError(
                    f"the gradient of {name} must be floats of shape {expected}, got "
                    f"{gradient.dtype} of shape {gradient.shape}"
                )
        downstream: Array | None = None  # what the layers above say of this layer's scores
        last = len(self.sizes) - 1
        for i in range(last, 0, -1):
            own = gradients.get(f"hidden_{i}") if i < last else self._last_layer(gradients)
            if downstream is None and own is None:  # nothing above this layer is being taught
                self.gradients[f"W{i}"][:] = 0
                self.gradients[f"b{i}"][:] = 0
                continue
            if downstream is None:
                g = np.asarray(own, self.dtype)
            elif own is None:
                g = downstream
            else:
                g = np.add(downstream, own, out=downstream)
            np.matmul(self._inputs[i - 1].T, g, out=self.gradients[f"W{i}"])
            g.sum(axis=0, out=self.gradients[f"b{i}"])
            if i > 1:
                units = self._inputs[i - 1]
                downstream = self._work(f"backward_{i}", *units.shape)
                np.matmul(g, self.parameters[f"W{i}"].T, out=downstream)
                # The ReLU lets through only where it was open.
                downstream *= np.greater(units, 0, out=self._work(f"open_{i}", *units.shape, bool))

    def _last_layer(self, gradients: Mapping[str, Array]) -> Array | None:
        """The gradients with respect to logits and rationale, side by side."""
        if not self.rationale or not {"logits", "rationale"} & set(gradients):
            return gradients.get("logits")
        g = self._work("backward_last", len(self._inputs[0]), self._widths[-1])
        g[:, : self.sizes[-1]] = gradients.get("logits", 0)
        g[:, self.sizes[-1] :] = gradients.get("rationale", 0)
        return g

    def scores(self, inputs: Array) -> dict[str, Array]:
        """Named scores of any number of examples, as arrays of the caller's own.

        The inputs may be of any real type: they are taken in the model's.

        Raises:
            ValueError: inputs not of shape (examples, inputs), empty, or not finite in that type.
        """
        with np.errstate(over="ignore"):  # checked in the next line
            inputs = check_scores("inputs", inputs).astype(self.dtype, copy=False)
        check_scores(f"inputs, as {self.dtype},", inputs)
        parts: dict[str, list[Array]] = {name: [] for name in self.names}
        with few_threads(min(len(inputs), 1024) * self.multiply_adds):
            for start in range(0, len(inputs), 1024):
                for name, scores in self.forward(inputs[start : start + 1024]).items():
                    parts[name].append(scores.copy())
        self._inputs = []  # a backward after this would be of the last part only
        return {name: np.concatenate(arrays) for name, arrays in parts.items()}

    def logits(self, inputs: Array) -> Array:
        """Class scores, shape (examples, classes); `softmax` of them are the probabilities."""
        return self.scores(inputs)["logits"]


class LogisticRegression(MLP):
    """One linear layer: the smallest student there is. Its only scores are its logits.

    Args:
        n_inputs, n_classes: sizes of an input and of the logits.
        seed, dtype: as for `MLP`.

    Raises:
        ValueError: as `MLP`.

    Chapter 2, "Two models".
    """

    def __init__(
        self, n_inputs: int, n_classes: int, seed: int = 0, dtype: type = np.float32
    ) -> None:
        super().__init__((n_inputs, n_classes), seed, dtype)
