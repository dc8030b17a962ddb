"""An exported student is the student: the same scores from ONNX Runtime, on real inputs.

Where there is no ONNX, the report says so, and what to do about it.
"""

import json
import re

import numpy as np
import pytest

from distill_lib import (
    MLP,
    AveragePool2d,
    Conv2d,
    Dropout,
    Linear,
    LogisticRegression,
    Network,
    ReLU,
    accuracy,
    digits,
    hard_labels,
    softmax,
    train,
)
from distill_lib.layers import Layer
from distill_lib.results import library_digest

WHERE = "`make torch` runs it in an environment with ONNX (or pip install onnx onnxruntime)"
onnx = pytest.importorskip("onnx", reason=f"needs ONNX: {WHERE}")
runtime = pytest.importorskip("onnxruntime", reason=f"needs ONNX Runtime: {WHERE}")
from bridges.onnx_export import Deployed, export  # noqa: E402

DIGITS = digits()
NAMES = [str(k) for k in range(10)]


def convolutional(dtype=np.float32):
    layers = [Conv2d((8, 8, 1), 6, name="edges"), ReLU(), AveragePool2d((8, 8, 6)), Dropout(0.3)]
    layers += [Conv2d((4, 4, 6), 5, size=1), AveragePool2d((4, 4, 5), 4, name="means")]
    return Network([Dropout(0.1), *layers, Linear(5, {"logits": 10}, 1.0)], 3, dtype)


def side_by_side():
    """Scores with names beside each other in a layer on the way."""
    first = Linear(64, {"left": 7, "right": 4})
    return Network([first, ReLU(), Linear(11, {"logits": 10, "more": 3})], 5)


def oblong():
    layers = [Conv2d((4, 16, 1), 3, size=5), ReLU(), AveragePool2d((4, 16, 3), 4)]
    return Network([*layers, Linear(12, {"logits": 3})], 8)


MODELS = {
    "logistic regression": LogisticRegression(64, 10, seed=1),
    "MLP": MLP((64, 32, 16, 10), seed=2),
    "MLP in float64": MLP((64, 32, 10), seed=2, dtype=np.float64),
    "convolutional": convolutional(),
    "convolutional in float64": convolutional(np.float64),
    "side by side": side_by_side(),
    "oblong images": oblong(),
}
for network in MODELS.values():  # biases of 0 would hide that they are missing
    network.vector += 0.1 * np.random.default_rng(0).normal(size=network.vector.shape)
EVERY_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(scope="module")
def student():
    model = MLP((64, 16, 10), seed=1)
    train(model, DIGITS.train, hard_labels(DIGITS.train), steps=300)
    return model


def near(a, b):
    """Equal to a millionth of the largest of them: float32 keeps seven digits of a sum."""
    assert a.shape == b.shape
    assert np.abs(a.astype(np.float64) - b).max() <= 1e-6 * max(1, np.abs(b).max())


def exported(model, folder, **options):
    export(model, folder / "student.onnx", **options)
    return Deployed(folder / "student.onnx")


@EVERY_MODEL
@pytest.mark.parametrize("examples", [1, 400])
def test_every_named_score_of_real_digits_is_the_same(model, examples, tmp_path):
    inputs = DIGITS.test.inputs[:examples]
    theirs, ours = exported(model, tmp_path).scores(inputs), model.scores(inputs)
    assert set(theirs) == {*model.units, "probabilities"}
    for name, scores in ours.items():
        near(theirs[name], scores)
    np.testing.assert_allclose(theirs["probabilities"], softmax(ours["logits"]), atol=1e-6)


@EVERY_MODEL
def test_and_of_random_inputs_far_from_any_digit(model, tmp_path):
    inputs = np.random.default_rng(1).normal(0, 10, (50, 64)).astype(np.float32)
    near(exported(model, tmp_path).logits(inputs), model.logits(inputs))


def test_a_trained_student_answers_the_same_in_all_three_forms(student, tmp_path):
    student.save(tmp_path / "student.npz")
    again, deployed = MLP.load(tmp_path / "student.npz"), exported(student, tmp_path)
    inputs, labels = DIGITS.test.inputs, DIGITS.test.labels
    assert accuracy(student.logits(inputs), labels) > 0.9
    np.testing.assert_array_equal(again.logits(inputs), student.logits(inputs))
    np.testing.assert_array_equal(deployed.predict(inputs), student.predict(inputs))
    p = softmax(student.logits(inputs))
    np.testing.assert_allclose(deployed.scores(inputs)["probabilities"], p, atol=1e-6)


def test_a_rationale_in_the_last_layer_stays_behind(tmp_path):
    model = MLP((64, 8, 10), seed=1, rationale=5)
    deployed = exported(model, tmp_path)
    assert deployed.names == ["hidden_1", "logits", "probabilities"]
    near(deployed.logits(DIGITS.test.inputs), model.logits(DIGITS.test.inputs))
    constants = onnx.load(tmp_path / "student.onnx").graph.initializer
    assert sum(int(np.prod(c.dims)) for c in constants) == model.n_parameters


def test_whole_numbers_are_multiplied_out(student, study, tmp_path):
    int8 = study("int8")
    names = ("W1", "W2")
    whole = {name: int8.quantised(student.parameters[name], 8) for name in names}
    deployed = exported(student, tmp_path, int8=whole)
    rounded = student.copy()
    int8.round_weights(rounded, 8)
    inputs = DIGITS.test.inputs
    near(deployed.logits(inputs), rounded.logits(inputs))
    assert np.abs(deployed.logits(inputs) - student.logits(inputs)).max() > 1e-3
    small = (tmp_path / "student.onnx").stat().st_size
    exported(student, tmp_path)
    assert small < 0.5 * (tmp_path / "student.onnx").stat().st_size  # names and graph stay


def test_whole_numbers_of_filters_too(study, tmp_path):
    int8, model = study("int8"), convolutional()
    whole = {n: int8.quantised(W, 8) for n, W in model.parameters.items() if W.ndim == 2}
    int8.round_weights(model, 8)
    deployed = exported(model, tmp_path, int8=whole)
    near(deployed.logits(DIGITS.test.inputs), model.logits(DIGITS.test.inputs))


def test_the_file_says_what_it_is(student, tmp_path):
    deployed = exported(student, tmp_path, classes=NAMES)
    assert deployed.classes == NAMES and deployed.n_inputs == 64
    assert deployed.notes["library"] == library_digest()
    assert int(deployed.notes["parameters"]) == student.n_parameters == 64 * 16 + 16 + 170
    assert int(deployed.notes["multiply_adds"]) == 64 * 16 + 160
    assert json.loads(exported(student, tmp_path).notes["classes"]) == []


@pytest.mark.parametrize("shape", [(3, 63), (3, 65), (64,), (3, 8, 8)], ids=str)
def test_inputs_of_another_shape_are_refused_by_the_file_and_by_us(student, shape, tmp_path):
    deployed, inputs = exported(student, tmp_path), np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=re.escape(f"(examples, 64), got {shape}")):
        deployed.logits(inputs)
    with pytest.raises(Exception, match=r"inputs|[Ii]nvalid"):  # the runtime's own words
        deployed.session.run(None, {"inputs": inputs})


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39], ids=str)
def test_inputs_that_are_not_finite_in_float32_are_refused(student, value, tmp_path):
    inputs = np.zeros((2, 64))
    inputs[1, 5] = value
    with pytest.raises(ValueError, match="inputs must be finite"):
        exported(student, tmp_path).logits(inputs)


class Doubled(Layer):
    """A layer that nobody has told ONNX of."""


def test_what_cannot_be_exported_is_refused_and_leaves_no_file(student, tmp_path):
    def refused(message, model=student, name="student.onnx", **options):
        with pytest.raises(ValueError, match=message):
            export(model, tmp_path / name, **options)

    refused(r'ends in ".onnx", got .*student\.npz', name="student.npz")
    refused(
        "can be exported, got", Network([Linear(4, {"a": 3}), Doubled(), Linear(3, {"logits": 2})])
    )
    refused("got 9 for 10", classes=NAMES[:9])
    W, s = np.zeros((64, 16), np.int8), np.ones(16)
    refused("int8 of 'W1' must be", int8={"W1": (W.T, s)})
    refused("int8 of 'W1' must be", int8={"W1": (W, s[:-1])})
    refused("int8 of 'W1' must be", int8={"W1": (W.astype(float), s)})
    refused("int8 of 'b1' must be", int8={"b1": (W[0], s)})
    refused("int8 of 'W9' must be", int8={"W9": (W, s)})
    refused("names of their own", Network([Linear(4, {"inputs": 3}), Linear(3, {"logits": 2})]))
    assert not [*tmp_path.iterdir()]
