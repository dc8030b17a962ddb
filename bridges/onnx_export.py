"""A trained network as an ONNX file, for runtimes that know nothing of this library, and back.

    export(model, "student.onnx", classes=["0", "1", "2"])
    Deployed("student.onnx").predict(inputs)

It stands here and not in `distill_lib`, since it needs the packages `onnx` and `onnxruntime`; in
NumPy's own format, `model.save("student.npz")` and `Network.load` need neither. The file computes
in float32, whatever the network was trained in. Its outputs are the network's named scores and,
called "probabilities", the softmax of the logits at T = 1: a temperature serves training alone, and
so does a rationale in the last layer, whose columns are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

from distill_lib.checks import Array, check_scores
from distill_lib.convolution import AveragePool2d, Conv2d, ImageLayer
from distill_lib.layers import RATIONALE, Dropout, Linear, ReLU
from distill_lib.models import Network
from distill_lib.results import library_digest

INPUTS, PROBABILITIES = "inputs", "probabilities"
OPSET, IR = 17, 8  # of 2022: what runs on telephones and in browsers is rarely newer
EXPORTED = (Linear, ReLU, Dropout, Conv2d, AveragePool2d)
Int8 = Mapping[str, tuple[Array, Array]]


class _Graph:
    """The nodes and the constants of a file, as they come."""

    def __init__(self, parameters: Mapping[str, Array], int8: Int8) -> None:
        self.parameters, self.int8 = parameters, int8
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def node(self, kind: str, inputs: Sequence[str], *outputs: str, **settings: object) -> str:
        """Add a node; the name of its first output."""
        self.nodes.append(helper.make_node(kind, list(inputs), list(outputs), **settings))
        return outputs[0]

    def constant(self, name: str, values: Array) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def weights(self, name: str, image: tuple[int, ...] = (), columns: Array | None = None) -> str:
        """A matrix of weights, or some of its columns; for an `image`, as ONNX has filters."""

        def arranged(W: Array) -> Array:
            W = W if columns is None else W[:, columns]
            return W.reshape(*image, -1).transpose(3, 2, 0, 1) if image else W

        if name not in self.int8:
            return self.constant(name, arranged(self.parameters[name]).astype(np.float32))
        whole, scale = self.int8[name]
        parts = [self.constant(f"{name} int8", arranged(whole))]
        scale = scale if columns is None else scale[columns]
        parts += [self.constant(f"{name} scale", scale.astype(np.float32))]
        return self.node("DequantizeLinear", parts, name, axis=0 if image else 1)

    def bias(self, name: str, columns: Array | None = None) -> str:
        b = self.parameters[name]
        return self.constant(name, (b if columns is None else b[columns]).astype(np.float32))

    def as_image(self, tensor: str, layer: ImageLayer, label: str) -> str:
        """From a row of an image, channels last, to channels, height, width."""
        shape = self.constant(f"{label} shape", np.array([0, *layer.image]))  # 0: as many as come
        places = self.node("Reshape", [tensor, shape], f"{label} places")
        return self.node("Transpose", [places], f"{label} image", perm=[0, 3, 1, 2])

    def as_row(self, tensor: str, layer: ImageLayer, label: str, output: str) -> str:
        """And back."""
        last = self.node("Transpose", [tensor], f"{label} last", perm=[0, 2, 3, 1])
        shape = self.constant(f"{label} row", np.array([0, layer.sizes[1]]))
        return self.node("Reshape", [last, shape], output)

    def layer(self, layer: object, number: int, tensor: str, output: str, kept: Array) -> str:
        """Add a layer; the name of what comes out of it."""
        W, b = f"W{number}", f"b{number}"
        if isinstance(layer, Dropout):
            return tensor
        if isinstance(layer, ReLU):
            return self.node("Relu", [tensor], output)
        if isinstance(layer, Linear):
            parts = [tensor, self.weights(W, columns=kept), self.bias(b, kept)]
            return self.node("Gemm", parts, output)
        assert isinstance(layer, Conv2d | AveragePool2d)
        image, size = self.as_image(tensor, layer, output), [layer.size] * 2
        if isinstance(layer, Conv2d):
            parts = [image, self.weights(W, (*size, layer.image[2])), self.bias(b)]
            edges = [layer.size // 2] * 4
            made = self.node("Conv", parts, f"{output} made", kernel_shape=size, pads=edges)
        else:
            parts = [image]
            made = self.node(
                "AveragePool", parts, f"{output} made", kernel_shape=size, strides=size
            )
        return self.as_row(made, layer, output, output)


def export(
    model: Network, path: str | Path, *, classes: Sequence[str] = (), int8: Int8 | None = None
) -> None:
    """Write the network as an ONNX file, whose name must end in .onnx.

    Args:
        classes: what the classes are called, in the order of their logits.
        int8: for some of the weights, such as "W1", whole numbers of their shape and a scale for
            each column, in place of the network's own: a quarter of the bytes. A runtime multiplies
            them out; left to itself, ONNX Runtime rounds units as well, which `Deployed` forbids.

    In the file stand the names of the classes, the library's fingerprint, parameters and
    multiply-adds. ValueError for another name of the file, a layer that ONNX is not told of here,
    not as many classes as logits, whole numbers that do not fit, or scores called as the inputs or
    the probabilities are.
    """
    path, int8 = Path(path), dict(int8 or {})
    if path.suffix != ".onnx":
        raise ValueError(f'a model is exported under a name that ends in ".onnx", got {path}')
    if strange := [one for one in model.layers if type(one) not in EXPORTED]:
        names = [kind.__name__ for kind in EXPORTED]
        raise ValueError(f"only layers of {names} can be exported, got {strange}")
    if classes and len(classes) != model.units["logits"]:
        got = f"{len(classes)} for {model.units['logits']}"
        raise ValueError(f"classes must be named for each of the logits, or not at all, got {got}")
    for name, (whole, scale) in int8.items():
        W = model.parameters.get(name, np.empty(0))
        fits = W.ndim == 2 and whole.shape == W.shape and scale.shape == W.shape[1:]
        if not fits or whole.dtype != np.int8:
            must = "int8 numbers in the shape of such a matrix of weights, and a scale a column"
            got = f"{whole.dtype} {whole.shape}, {scale.shape}"
            raise ValueError(f"int8 of {name!r} must be {must}, got {got}")
    if taken := {INPUTS, PROBABILITIES} & {*model.units}:
        raise ValueError(f"scores must have names of their own, got {sorted(taken)}")

    graph, tensor, number, shown = _Graph(model.parameters, int8), INPUTS, 0, dict[str, int]()
    for k, layer in enumerate(model.layers):
        number += bool(layer.shapes)
        kept = {
            n: u for n, u in layer.scores.items() if n != RATIONALE or layer is not model.layers[-1]
        }
        ends = np.cumsum([0, *layer.scores.values()])
        columns = [np.arange(*ends[j : j + 2]) for j, n in enumerate(layer.scores) if n in kept]
        together = np.concatenate(columns) if columns else np.empty(0, int)
        output = next(iter(kept)) if len(kept) == 1 else f"layer {k}"
        tensor = graph.layer(layer, number, tensor, output, together)
        if len(kept) > 1:
            sizes = graph.constant(f"{output} sizes", np.array([*kept.values()]))
            graph.node("Split", [tensor, sizes], *kept, axis=1)
        shown |= kept
    graph.node("Softmax", ["logits"], PROBABILITIES, axis=1)
    shown[PROBABILITIES] = shown["logits"]
    notes = {"classes": json.dumps([*classes]), "library": library_digest()}
    notes |= {"parameters": str(model.n_parameters), "multiply_adds": str(model.multiply_adds)}
    _write(path, graph, model.n_inputs, shown, notes)


def _write(
    path: Path, graph: _Graph, n_inputs: int, shown: Mapping[str, int], notes: Mapping[str, str]
) -> None:
    """Check the file by ONNX's own rules, and write it."""

    def described(name: str, n: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["examples", n])

    whole = helper.make_graph(
        graph.nodes,
        "student",
        [described(INPUTS, n_inputs)],
        [described(name, n) for name, n in shown.items()],
        [*graph.constants.values()],
    )
    made = helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="book"
    )
    helper.set_model_props(made, dict(notes))
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, path)


class Deployed:
    """An exported file in ONNX Runtime, asked as a network is: `scores`, `logits`, `predict`.

    Args:
        path: of the file.
        threads: of the runtime. One is best where examples come one at a time.

    Attributes:
        n_inputs: how many numbers an example has.
        classes: what they are called; empty if the file does not say it.
        notes: what else stands in the file, by name.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # Or it would round the units as well wherever the weights are whole numbers.
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
        self.session = onnxruntime.InferenceSession(str(path), options)
        self.names = [output.name for output in self.session.get_outputs()]
        self.n_inputs = int(self.session.get_inputs()[0].shape[1])
        self.notes = self.session.get_modelmeta().custom_metadata_map
        self.classes: list[str] = json.loads(self.notes.get("classes", "[]"))

    def scores(self, inputs: ArrayLike) -> dict[str, Array]:
        """Named scores, and the probabilities, of any number of examples.

        ValueError for inputs that are not of shape (examples, inputs), or not finite.
        """
        with np.errstate(over="ignore"):  # checked in the same line
            rows = check_scores("inputs", check_scores("inputs", inputs).astype(np.float32))
        if rows.ndim != 2 or rows.shape[1] != self.n_inputs:
            expected = f"(examples, {self.n_inputs})"
            raise ValueError(f"inputs must have shape {expected}, got {rows.shape}")
        return dict(zip(self.names, self.session.run(None, {INPUTS: rows}), strict=True))

    def logits(self, inputs: ArrayLike) -> Array:
        """Class scores, shape (examples, classes)."""
        return self.scores(inputs)["logits"]

    def predict(self, inputs: ArrayLike) -> Array:
        """The class with the highest score, a whole number, shape (examples,)."""
        return self.logits(inputs).argmax(axis=1)
