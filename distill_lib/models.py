"""Models: a list of layers, one vector of parameters, and scores with names.

A model turns inputs into *named* scores: every linear score on the way ("hidden_1", "hidden_2",
…) and, last, "logits". Losses are free to look at any of them, and `backward` takes the gradient
with respect to any of them. That is all that the losses and the models know of one another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

import numpy as np
from numpy.random import Generator

from distill_lib.checks import Array, check_dtype, check_kind, check_scores, check_whole
from distill_lib.layers import KINDS, RATIONALE, Dropout, Layer, Linear, Memory, ReLU, few_threads


class Model(Protocol):
    """What training and distillation know of a model; `Network` is one.

    `vector` has all parameters, changed in place, and `gradient_vector` their gradients, in the
    same order; `multiply_adds` says what one example costs. In training `forward` gets an `rng`.
    """

    dtype: np.dtype

    @property
    def vector(self) -> Array: ...
    @property
    def gradient_vector(self) -> Array: ...
    @property
    def multiply_adds(self) -> int: ...
    def forward(self, inputs: Array, rng: Generator | None = None) -> Mapping[str, Array]: ...
    def backward(self, gradients: Mapping[str, Array]) -> None: ...
    def scores(self, inputs: Array) -> Mapping[str, Array]: ...
    def logits(self, inputs: Array) -> Array: ...


class Network:
    """Layers one after the other, all of their parameters in one vector.

    All gradients lie in another vector of the same layout, so that an optimiser is a few operations
    on whole vectors. `parameters` and `gradients` are named views into them: "W1", "b1", "W2", …

    Args:
        layers: the first one but for `Dropout` knows how many inputs it takes, each fits the one
            before, the last has the scores "logits", and no name occurs twice.
        seed: of the first parameters.
        dtype: np.float32 or np.float64.

    Attributes:
        units: how many scores there are of each name, in order.
        gradient_vector: the gradients of all parameters, as the last `backward` left them.

    ValueError for layers, seed or dtype not as described. Chapter 2, "Large, or well taught?".
    """

    def __init__(self, layers: Sequence[Layer], seed: int = 0, dtype: type = np.float32) -> None:
        check_dtype(dtype)
        check_whole("seed", seed, least=0)
        layers = tuple(layers)
        for layer in layers:
            check_kind("each layer", layer, Layer)
        names = [name for layer in layers for name in layer.scores]
        if not layers or "logits" not in layers[-1].scores or len(set(names)) < len(names):
            raise ValueError(f'the last layer must have "logits", and no name twice, got {names}')
        # Below the first layer that is no dropout there is nothing to teach.
        self._first = next(k for k, one in enumerate(layers) if not isinstance(one, Dropout))
        if not layers[self._first].sizes[0]:
            raise ValueError(f"the first layer must know its n_inputs, got {layers[self._first]}")
        for one, other in pairwise(layer for layer in layers if layer.sizes[0]):
            if one.sizes[1] != other.sizes[0]:
                raise ValueError(f"each layer must fit the one before, got {one} before {other}")
        size = sum(prod(shape) for layer in layers for shape in layer.shapes.values())
        self.layers, self.dtype = layers, np.dtype(dtype)
        self._vector: Array = np.zeros(size, dtype)
        self.gradient_vector: Array = np.zeros(size, dtype)
        self.parameters, self.gradients = dict[str, Array](), dict[str, Array]()
        self._memories, self._columns = list[Memory](), list[dict[str, slice]]()
        self._examples = 0  # in the last `forward`
        rng, start, number = np.random.default_rng(seed), 0, 0
        for layer in layers:
            memory = Memory({}, {})
            self._memories.append(memory)
            number += bool(layer.shapes)
            for name, shape in layer.shapes.items():
                place = slice(start, start + prod(shape))
                memory.parameters[name] = self._vector[place].reshape(shape)
                memory.gradients[name] = self.gradient_vector[place].reshape(shape)
                self.parameters[f"{name}{number}"] = memory.parameters[name]
                self.gradients[f"{name}{number}"] = memory.gradients[name]
                start = place.stop
            layer.start(memory.parameters, rng)
            # Where each of its scores stands among its outputs.
            ends = np.cumsum([0, *layer.scores.values()])
            self._columns.append({n: slice(*ends[k : k + 2]) for k, n in enumerate(layer.scores)})
        self.units = {name: n for layer in layers for name, n in layer.scores.items()}

    # A copied or pickled model is its layers and its parameters; the views are made anew, for
    # copies of them would no longer look into the vector.
    def __getstate__(self) -> tuple[tuple[Layer, ...], Array]:
        return self.layers, self._vector

    def __setstate__(self, state: tuple[tuple[Layer, ...], Array]) -> None:
        Network.__init__(self, state[0], dtype=state[1].dtype.type)
        self._vector[:] = state[1]

    def __repr__(self) -> str:
        units = ", ".join(f"{n} {name}" for name, n in self.units.items())
        size = f"{self.n_parameters:,} parameters"
        return f"{type(self).__name__}({self.n_inputs} inputs, {units}; {size}, {self.dtype})"

    @property
    def vector(self) -> Array:
        """All parameters. Assigning copies the values in, so that the named views stay right.

        ValueError for values that are not finite, or of another shape.
        """
        return self._vector

    @vector.setter
    def vector(self, values: Array) -> None:
        if values is self._vector:  # as after `model.vector += step`
            return
        with np.errstate(over="ignore"):  # checked in the same line
            values = check_scores("vector", check_scores("vector", values).astype(self.dtype))
        if values.shape != self._vector.shape:
            raise ValueError(f"vector must have shape {self._vector.shape}, got {values.shape}")
        self._vector[:] = values

    @property
    def n_inputs(self) -> int:
        """How many numbers an example has."""
        return self.layers[self._first].sizes[0]

    @property
    def n_parameters(self) -> int:
        """Number of trained values, weights and biases, without the map of a rationale."""
        return sum(layer.n_kept for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for the logits of one example (biases and ReLUs not counted)."""
        return sum(layer.multiply_adds for layer in self.layers)

    def copy(self) -> Self:
        """Another model with the same parameters and nothing shared."""
        return deepcopy(self)

    def forward(self, inputs: Array, rng: Generator | None = None) -> dict[str, Array]:
        """Named scores of a batch, each of shape (examples, units); remembers it for `backward`.

        With an `rng` it is a forward of training: layers such as dropout draw from it. The arrays
        belong to the model and hold until its next `forward`; `scores` copies them.
        ValueError for inputs not of shape (examples, inputs), or not of the model's dtype.
        """
        units = np.asarray(inputs)
        if units.ndim != 2 or units.shape[1] != self.n_inputs:
            expected = f"(examples, {self.n_inputs})"
            raise ValueError(f"inputs must have shape {expected}, got {units.shape}")
        if units.dtype != self.dtype:
            raise ValueError(f"inputs must be {self.dtype}, like the model, got {units.dtype}")
        scores: dict[str, Array] = {}
        self._examples = len(units)
        for layer, memory, columns in zip(self.layers, self._memories, self._columns, strict=True):
            memory.inputs, memory.rng = units, rng
            units = layer.forward(units, memory)
            scores |= {name: units[:, place] for name, place in columns.items()}
        return scores

    def backward(self, gradients: Mapping[str, Array]) -> None:
        """Turn gradients with respect to scores of the last `forward` into those of parameters.

        The gradients are by name of the scores, each in their shape; names left out count as zero.
        Fills `self.gradients` (and so `self.gradient_vector`). ValueError for no `forward` before,
        an unknown name, or a gradient of another shape. Chapter 2, "Backwards".
        """
        if not self._examples:
            raise ValueError("backward needs a forward before it, and there was none")
        for name, gradient in gradients.items():
            if name not in self.units:
                raise ValueError(f"no scores are called {name!r}; this model has {[*self.units]}")
            shape, array = (self._examples, self.units[name]), np.asarray(gradient)
            if array.shape != shape or array.dtype.kind != "f":
                must, got = f"floats of shape {shape}", f"{array.dtype} of shape {array.shape}"
                raise ValueError(f"the gradient of {name} must be {must}, got {got}")
        downstream: Array | None = None  # what the layers above ask of this layer's outputs
        for k in range(len(self.layers) - 1, self._first - 1, -1):
            layer, memory, columns = self.layers[k], self._memories[k], self._columns[k]
            if columns.keys() & gradients.keys():
                shape = (self._examples, layer.sizes[1])
                direct = memory.array("d outputs", shape, self.dtype)
                for name, place in columns.items():
                    direct[:, place] = gradients.get(name, 0)
                downstream = direct if downstream is None else np.add(downstream, direct, direct)
            if downstream is not None:
                downstream = layer.backward(downstream, memory, first=k == self._first)
            else:  # nothing above this layer is being taught
                for gradient in memory.gradients.values():
                    gradient[:] = 0

    def scores(self, inputs: Array) -> dict[str, Array]:
        """Named scores of any number of examples, as arrays of the caller's own.

        The inputs may be of any real type: they are taken in the model's. ValueError for inputs
        not of shape (examples, inputs), empty, or not finite in that type.
        """
        with np.errstate(over="ignore"):  # checked in the next line
            inputs = check_scores("inputs", inputs).astype(self.dtype, copy=False)
        check_scores(f"inputs, as {self.dtype},", inputs)
        parts: dict[str, list[Array]] = {name: [] for name in self.units}
        with few_threads(min(len(inputs), 1024) * self.multiply_adds):
            for start in range(0, len(inputs), 1024):
                for name, scores in self.forward(inputs[start : start + 1024]).items():
                    parts[name].append(scores.copy())
        self._examples = 0  # a backward after this would be of the last part only
        return {name: np.concatenate(arrays) for name, arrays in parts.items()}

    def logits(self, inputs: Array) -> Array:
        """Class scores, shape (examples, classes); `softmax` of them are the probabilities."""
        return self.scores(inputs)["logits"]

    def predict(self, inputs: Array) -> Array:
        """The class with the highest score, a whole number, shape (examples,)."""
        return self.logits(inputs).argmax(axis=1)

    def save(self, path: str | Path) -> None:
        """Write layers and parameters to a file of NumPy's, whose name must end in .npz.

        ValueError for another name, or a layer that `load` would not know.
        """
        if Path(path).suffix != ".npz":
            raise ValueError(f'a model is saved under a name that ends in ".npz", got {path}')
        if strange := [one for one in self.layers if type(one) not in KINDS.values()]:
            raise ValueError(f"only layers of `layers.KINDS` can be saved, got {strange}")
        described = [{"kind": type(one).__name__, **asdict(cast(Any, one))} for one in self.layers]
        layers = json.dumps(described, default=np.generic.item)
        np.savez(path, kind=type(self).__name__, layers=layers, vector=self._vector)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` has written: a model of the class that was saved.

        Nothing in the file is ever executed. ValueError for what is no such file, a model of
        another class than this one or one below it, or parameters that do not fit its layers.
        """
        kinds = {kind.__name__: kind for kind in (Network, MLP, LogisticRegression)}
        known = {name.lower(): kind for name, kind in KINDS.items()}
        try:
            with np.load(path, allow_pickle=False) as file:
                layers: list[dict[str, Any]] = json.loads(str(file["layers"]))
                vector, kind = file["vector"], kinds[str(file["kind"])]
            if not issubclass(kind, cls):
                raise ValueError(f"it is a {kind.__name__}, not a {cls.__name__}")
            # "AveragePool2d" was "average_pool2d" in earlier files, and the others likewise.
            made = [known[one.pop("kind").replace("_", "").lower()](**one) for one in layers]
            model = kind.__new__(kind)  # not by its own arguments, which the layers know better
            Network.__init__(model, made, dtype=vector.dtype.type)
            model.vector = vector
        except FileNotFoundError:
            raise
        except Exception as error:  # whatever a broken file comes up with
            raise ValueError(f"{path} is no model that was saved here: {error}") from error
        return cast(Self, model)


if TYPE_CHECKING:  # what training asks for is what a network is
    _network: Model = Network([])


class MLP(Network):
    """Linear layers with a ReLU between each two: the book's teacher, and most of its students.

    `sizes` are inputs, hidden units of each layer, and classes, for instance (64, 32, 10); seed and
    dtype are as for `Network`. `rationale` is how many more linear scores, called "rationale",
    stand beside the logits in the last layer: a map from the last hidden layer that is learned with
    the rest, and dropped after training.

    ValueError for what is not as described. Chapter 2, "Large, or well taught?"; the rationale in
    chapter 5.
    """

    def __init__(
        self, sizes: Sequence[int], seed: int = 0, dtype: type = np.float32, rationale: int = 0
    ) -> None:
        if not isinstance(sizes, Sequence) or len(sizes) < 2:
            raise ValueError(f"sizes must be two or more whole numbers, got {sizes!r}")
        check_whole("rationale", rationale, least=0)
        layers: list[Layer] = []
        for i, n in enumerate(sizes[1:-1], start=1):
            layers += [Linear(sizes[i - 1], {f"hidden_{i}": n}), ReLU()]
        last = {"logits": sizes[-1]} | ({RATIONALE: rationale} if rationale else {})
        super().__init__([*layers, Linear(sizes[-2], last, gain=1.0)], seed, dtype)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, hidden units of each layer, classes."""
        return (self.n_inputs, *(n for name, n in self.units.items() if name != RATIONALE))


class LogisticRegression(MLP):
    """One linear layer: the smallest student there is. Its only scores are its logits.

    `n_inputs` and `n_classes` are the sizes of an input and of the logits; seed, dtype and a
    ValueError are as for `MLP`. Chapter 2, "Large, or well taught?".
    """

    def __init__(
        self, n_inputs: int, n_classes: int, seed: int = 0, dtype: type = np.float32
    ) -> None:
        super().__init__((n_inputs, n_classes), seed, dtype)
