"""Layers: gradients by finite differences, the memory between batches, networks of other shapes."""

import re

import numpy as np
import pytest
from oracles import NOT_POSITIVE, NOT_WHOLE, central_differences

from distill_lib import MLP, SGD, Dropout, Linear, Network, ReLU, digits, hard_labels, train
from distill_lib.convolution import ImageLayer
from distill_lib.layers import KINDS, Layer, Memory


def memory_of(layer, inputs, seed=0):
    """What a network would keep for a layer on its own."""
    rng = np.random.default_rng(seed)
    parameters = {name: rng.normal(size=shape) for name, shape in layer.shapes.items()}
    gradients = {name: np.full(shape, np.nan) for name, shape in layer.shapes.items()}
    return Memory(parameters, gradients, inputs)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "layer",
    [Linear(4, {"one": 2, "other": 3}), ReLU(), Dropout(0.4)],
    ids=lambda layer: type(layer).__name__,
)
def test_gradients_of_inputs_and_parameters_are_those_of_finite_differences(layer, training):
    x = np.random.default_rng(1).normal(size=(6, 4))
    memory = memory_of(layer, x)
    weights = np.random.default_rng(2).normal(size=layer.forward(x, memory).shape)

    def value(_):
        memory.rng = np.random.default_rng(3) if training else None  # each time the same draws
        return float(np.sum(weights * layer.forward(x, memory)))

    value(x)

    dx = layer.backward(weights.copy(), memory, first=False)
    np.testing.assert_allclose(dx, central_differences(value, x), atol=1e-8)
    for name, gradient in memory.gradients.items():
        expected = central_differences(value, memory.parameters[name])
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_the_first_layer_spares_the_gradient_of_its_inputs():
    layer, x = Linear(4, {"logits": 3}), np.ones((2, 4))
    assert layer.backward(np.ones((2, 3)), memory_of(layer, x), first=True) is None


def test_memory_gives_the_same_memory_as_long_as_it_suffices():
    memory = Memory({}, {})
    large = memory.array("a", (5, 3), float)
    assert np.shares_memory(large, memory.array("a", (2, 3), float))
    assert not np.shares_memory(large, memory.array("b", (5, 3), float))
    assert memory.array("a", (9, 3), float).shape == (9, 3)


def test_a_rationale_is_no_part_of_the_trained_model():
    with_map = Linear(16, {"logits": 10, "rationale": 256})
    assert with_map.multiply_adds == 160 and with_map.n_kept == 170
    assert with_map.shapes == {"W": (16, 266), "b": (266,)}


def test_scores_beside_others_leave_their_first_weights_as_they_are():
    alone, beside = (
        Network([Linear(5, scores)], seed=3)
        for scores in ({"logits": 3}, {"logits": 3, "rationale": 4})
    )
    W = beside.parameters["W1"]
    np.testing.assert_array_equal(alone.parameters["W1"], W[:, :3])
    assert W[:, 3:].std() > 0.1


def test_an_mlp_is_a_list_of_layers():
    model = MLP((64, 16, 10), seed=1, rationale=4)
    layers = [Linear(64, {"hidden_1": 16}), ReLU(), Linear(16, {"logits": 10, "rationale": 4}, 1.0)]
    assert list(model.layers) == layers
    np.testing.assert_array_equal(model.vector, Network(layers, seed=1).vector)


class Square(Layer):
    """A layer that the library does not have."""

    kind = "square"

    def forward(self, inputs, memory):
        return np.multiply(inputs, inputs, out=memory.array("y", inputs.shape, inputs.dtype))

    def backward(self, gradient, memory, first):
        gradient *= 2 * memory.inputs
        return gradient


def test_a_new_layer_is_a_new_class_and_nothing_else():
    layers = [Linear(5, {"hidden_1": 4}), Square(), Linear(4, {"logits": 3})]
    model, x = Network(layers, dtype=np.float64), np.random.default_rng(0).normal(size=(7, 5))
    weights = np.random.default_rng(1).normal(size=(7, 3))

    def value(_):
        return float(np.sum(weights * model.forward(x)["logits"]))

    model.forward(x)
    model.backward({"logits": weights})
    found = model.gradient_vector.copy()
    np.testing.assert_allclose(found, central_differences(value, model.vector), atol=1e-6)


def test_training_takes_any_list_of_layers():
    data = digits()
    layers = [Linear(64, {"first": 24}), ReLU(), Linear(24, {"second": 16}), ReLU()]
    model = Network([*layers, Linear(16, {"logits": 10}, gain=1.0)])
    history = train(model, data.train, hard_labels(data.train), steps=300, look_every=100)
    assert history.loss[-1] < 0.3 and [*model.units] == ["first", "second", "logits"]


# dropout


def dropped(rate, x, seed=0):
    """What dropout makes of inputs in training."""
    memory = Memory({}, {}, x, np.random.default_rng(seed))
    return Dropout(rate).forward(x, memory)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(rate, dtype):
    x = np.ones((300, 200), dtype)
    y = dropped(rate, x)
    assert y.dtype == dtype and (x == 1).all()
    values = np.unique(y)
    np.testing.assert_allclose(values, [0, 1 / (1 - rate)], rtol=1e-6)
    share = np.mean(y == 0)  # of 60,000: five standard errors
    assert abs(share - rate) < 5 * np.sqrt(rate * (1 - rate) / y.size)
    by_place = np.mean(y == 0, axis=0)  # each unit has draws of its own in each example
    assert by_place.std() == pytest.approx(np.sqrt(rate * (1 - rate) / 300), rel=0.2)


def test_dropout_follows_its_random_numbers_and_nothing_else():
    x = np.ones((20, 30))
    np.testing.assert_array_equal(dropped(0.5, x, 1), dropped(0.5, x, 1))
    assert (dropped(0.5, x, 1) != dropped(0.5, x, 2)).any()
    np.testing.assert_array_equal(dropped(0.0, x), x)


def regularised(seed=0, dtype=np.float64, width=12):
    layers = [Dropout(0.2), Linear(64, {"hidden_1": width}), ReLU(), Dropout(0.5)]
    return Network([*layers, Linear(width, {"logits": 10}, gain=1.0)], seed, dtype)


def test_a_model_that_answers_knows_no_dropout():
    model, x = regularised(), digits(np.float64).test.inputs
    assert model.n_inputs == 64
    plain = MLP((64, 12, 10), dtype=np.float64)
    np.testing.assert_array_equal(model.vector, plain.vector)
    rng = np.random.default_rng(0)
    assert (model.forward(x, rng)["logits"] != plain.logits(x)).any()
    for answer in (model.logits(x), model.forward(x)["logits"]):
        np.testing.assert_array_equal(answer, plain.logits(x))
    np.testing.assert_array_equal(model.predict(x), plain.predict(x))
    assert (model.n_parameters, model.multiply_adds) == (plain.n_parameters, plain.multiply_adds)


def test_gradients_through_dropout_are_those_of_finite_differences():
    model, x = regularised(), np.random.default_rng(1).normal(size=(7, 64))
    given = {n: np.random.default_rng(2).normal(size=(7, k)) for n, k in model.units.items()}

    def value(_):
        scores = model.forward(x, np.random.default_rng(3))
        return float(sum(np.sum(given[name] * scores[name]) for name in given))

    value(None)
    model.backward({name: gradient.copy() for name, gradient in given.items()})
    found = model.gradient_vector.copy()
    np.testing.assert_allclose(found, central_differences(value, model.vector), atol=1e-6)


def test_training_with_dropout_is_repeated_by_its_seed_also_by_a_copy(tmp_path):
    data, models = digits(), []
    regularised(dtype=np.float32).save(tmp_path / "model.npz")
    used = regularised(dtype=np.float32)
    used.forward(data.train.inputs, np.random.default_rng(7))  # whatever it drew before
    made = [used, used.copy(), Network.load(tmp_path / "model.npz")]
    for model, seed in zip([*made, used.copy()], (4, 4, 4, 5), strict=True):
        train(model, data.train, hard_labels(data.train), steps=30, seed=seed)
        models.append(model)
    first, copied, loaded, other = (model.vector for model in models)
    np.testing.assert_array_equal(first, copied)
    np.testing.assert_array_equal(first, loaded)
    assert (first != other).any()


def test_dropout_leaves_the_order_of_the_examples_alone():
    data, seen = digits(), ([], [])
    for model, index in zip((regularised(dtype=np.float32), MLP((64, 10))), seen, strict=True):
        objective = hard_labels(data.train)

        def watch(scores, rows, epoch, objective=objective, index=index):
            index.append(rows.copy())
            return objective(scores, rows, epoch)

        train(model, data.train, watch, steps=9, seed=2, optimizer=SGD())
    np.testing.assert_array_equal(*seen)


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, np.nan, np.inf, "0.5", None, True], ids=repr)
def test_a_rate_of_dropout_lies_in_0_to_1(rate):
    with pytest.raises(ValueError, match=re.escape(f"1 excluded, got {rate!r}")):
        Dropout(rate)


# bad input


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Dropout(0.5), ReLU(), Linear(4, {"logits": 2})], "must know its n_inputs, got ReLU"),
        ([Linear(4, {"a": 5}), Dropout(0.5), Linear(4, {"logits": 2})], "must fit the one before"),
        ([ReLU(), Linear(4, {"logits": 2})], "the first layer must know its n_inputs"),
        ([Linear(4, {"a": 5}), ReLU(), Linear(4, {"logits": 2})], "must fit the one before"),
        ([Linear, Linear(4, {"logits": 2})], "each layer must be a Layer, got type"),
    ],
)
def test_layers_that_make_no_network_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        Network(layers)


@pytest.mark.parametrize(
    ("scores", "message"), [({}, "got {}"), (5, "scores must be how many by name")]
)
def test_a_linear_layer_has_named_scores(scores, message):
    with pytest.raises(ValueError, match=message):
        Linear(4, scores)


@pytest.mark.parametrize("layers", [[], [Dropout(0.5)], [Linear(4, {"scores": 2})]])
def test_a_network_ends_in_logits(layers):
    with pytest.raises(ValueError, match='the last layer must have "logits", and no name twice'):
        Network(layers)


def test_no_name_of_scores_occurs_twice():
    layers = [Linear(4, {"logits": 4}), ReLU(), Linear(4, {"logits": 2})]
    with pytest.raises(ValueError, match=re.escape("got ['logits', 'logits']")):
        Network(layers)


@pytest.mark.parametrize("size", NOT_WHOLE, ids=repr)
def test_sizes_of_a_layer_are_whole_numbers(size):
    for given in [(size, {"logits": 2}), (2, {"logits": size})]:
        with pytest.raises(ValueError, match=re.escape(f"at least 1, got {size!r}")):
            Linear(*given)


@pytest.mark.parametrize("gain", NOT_POSITIVE, ids=repr)
def test_a_gain_is_above_0(gain):
    with pytest.raises(ValueError, match=re.escape(f"above 0, got {gain!r}")):
        Linear(2, {"logits": 2}, gain)


def test_a_saved_layer_keeps_numbers_of_numpys_kinds(tmp_path):
    layers = [Linear(np.int64(4), {"a": np.int32(3)}, np.float32(0.5)), Dropout(np.float32(0.25))]
    Network([*layers, Linear(3, {"logits": 2})]).save(tmp_path / "model.npz")
    again = Network.load(tmp_path / "model.npz").layers
    assert list(again) == [*layers, Linear(3, {"logits": 2})]


def test_every_layer_of_the_library_can_be_saved_under_its_kind():
    classes = [*Layer.__subclasses__(), *ImageLayer.__subclasses__()]
    assert {
        c.__name__: c for c in classes if not c.__subclasses__() and "distill_lib" in c.__module__
    } == KINDS
