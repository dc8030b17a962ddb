"""Convolution and pooling beside SciPy, plain loops and finite differences; nets made of them."""

import re
import tracemalloc

import numpy as np
import pytest
from oracles import NOT_WHOLE, central_differences
from scipy.signal import correlate2d

from distill_lib import (
    AveragePool2d,
    Conv2d,
    Dropout,
    Linear,
    Network,
    ReLU,
    accuracy,
    convolution,
    cross_entropy,
    digits,
    hard_labels,
    train,
)
from distill_lib.layers import Memory

# Height and width differ, and are odd and even, so that no axis is taken for another.
CONVOLUTIONS = [
    Conv2d((5, 4, 2), 3),
    Conv2d((4, 5, 3), 2, size=5),
    Conv2d((6, 3, 1), 4),
    Conv2d((3, 2, 4), 5, size=1),
    Conv2d((2, 3, 1), 1, size=7),
]
POOLS = [AveragePool2d((4, 6, 3)), AveragePool2d((6, 3, 2), 3), AveragePool2d((3, 3, 5), 3)]
EVERY_CONVOLUTION = pytest.mark.parametrize("layer", CONVOLUTIONS, ids=str)
EVERY_POOL = pytest.mark.parametrize("layer", POOLS, ids=str)
EVERY_DTYPE = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def made(layer, examples=3, dtype=np.float64):
    """A batch, and what a network would keep for the layer on its own."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(examples, layer.sizes[0])).astype(dtype)
    parameters = {n: rng.normal(size=shape).astype(dtype) for n, shape in layer.shapes.items()}
    gradients = {n: np.full(shape, np.nan, dtype) for n, shape in layer.shapes.items()}
    return x, Memory(parameters, gradients, x)


@EVERY_DTYPE
@EVERY_CONVOLUTION
def test_a_convolution_is_scipys_correlation_of_every_channel(layer, dtype):
    x, memory = made(layer, dtype=dtype)
    W = memory.parameters["W"].reshape(layer.size, layer.size, -1, layer.filters)
    images, b = x.reshape(-1, *layer.image), memory.parameters["b"]
    ours = layer.forward(x, memory)
    assert ours.dtype == dtype and ours.shape == (3, layer.sizes[1])
    for image, found in zip(images, ours.reshape(-1, *layer.output_image), strict=True):
        for f in range(layer.filters):
            channels = range(layer.image[2])
            expected = sum(correlate2d(image[:, :, c], W[:, :, c, f], "same") for c in channels)
            expected += b[f]
            np.testing.assert_allclose(found[:, :, f], expected, rtol=1e-4, atol=1e-5)


@EVERY_POOL
def test_pooling_is_the_mean_of_each_square_written_out(layer):
    x, memory = made(layer)
    size, images = layer.size, x.reshape(-1, *layer.image)
    ours = layer.forward(x, memory).reshape(-1, *layer.output_image)
    for n, i, j, c in np.ndindex(ours.shape):
        square = images[n, i * size : (i + 1) * size, j * size : (j + 1) * size, c]
        assert ours[n, i, j, c] == pytest.approx(square.mean(), rel=1e-12)


@pytest.mark.parametrize("layer", [*CONVOLUTIONS, *POOLS], ids=str)
def test_gradients_of_inputs_and_parameters_are_those_of_finite_differences(layer):
    x, memory = made(layer)
    weights = np.random.default_rng(2).normal(size=(len(x), layer.sizes[1]))

    def value(_):
        return float(np.sum(weights * layer.forward(x, memory)))

    value(x)
    given = weights.copy()
    dx = layer.backward(given, memory, first=False)
    np.testing.assert_array_equal(given, weights)
    np.testing.assert_allclose(dx, central_differences(value, x), atol=1e-8)
    for name, gradient in memory.gradients.items():
        expected = central_differences(value, memory.parameters[name])
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


@EVERY_CONVOLUTION
def test_parts_of_a_batch_give_what_the_whole_gives(layer, monkeypatch):
    results = []
    for at_once in (2**20, 1, 250):  # all examples, one, and a few
        monkeypatch.setattr(convolution, "AT_ONCE", at_once)
        x, memory = made(layer, examples=5)
        z = layer.forward(x, memory).copy()
        dx = layer.backward(np.cos(z), memory, first=False)
        results.append([z, dx, *memory.gradients.values()])
    for other in results[1:]:
        for one, same in zip(results[0], other, strict=True):
            np.testing.assert_allclose(one, same, rtol=1e-10, atol=1e-10)


def test_the_first_layer_spares_the_gradient_of_its_inputs():
    layer = CONVOLUTIONS[0]
    x, memory = made(layer)
    assert layer.backward(layer.forward(x, memory), memory, first=True) is None
    assert "d inputs" not in memory._arrays and np.isfinite(memory.gradients["W"]).all()


# networks


def small(seed=0, dtype=np.float32, image=(8, 8, 1), mean=True):
    """Two convolutions, the mean of each channel of the second if asked for, and a linear layer."""
    one = Conv2d(image, 8, name="conv_1")
    half = AveragePool2d(one.output_image)
    two = Conv2d(half.output_image, 16, name="conv_2")
    means = [AveragePool2d(two.output_image, two.output_image[0])] if mean else []
    layers = [one, ReLU(), half, two, ReLU(), *means]
    last = Linear(16 if mean else two.sizes[1], {"logits": 10}, gain=1.0)
    return Network([*layers, last], seed, dtype)


def test_scores_have_the_names_of_their_layers_and_sizes_are_counted():
    model = small()
    assert model.units == {"conv_1": 512, "conv_2": 256, "logits": 10} and model.n_inputs == 64
    assert model.n_parameters == model.vector.size == 9 * 8 + 8 + 9 * 8 * 16 + 16 + 17 * 10
    assert model.multiply_adds == 64 * 9 * 8 + 16 * 9 * 8 * 16 + 160
    layer = Conv2d((28, 27, 3), 4, size=5)
    assert layer.output_image == (28, 27, 4) and layer.scores == {}
    assert layer.multiply_adds == 28 * 27 * 4 * 75


def test_first_weights_are_he_normal_and_biases_0():
    W, b = (Network([Conv2d((9, 9, 30), 40, 5, name="logits")]).parameters[n] for n in ("W1", "b1"))
    assert W.std() == pytest.approx(np.sqrt(2 / (25 * 30)), rel=0.02) and abs(W.mean()) < 1e-3
    assert not b.any()


def test_gradients_of_a_network_are_those_of_finite_differences():
    model = small(dtype=np.float64, image=(4, 4, 1))
    x, rng = np.random.default_rng(1).normal(size=(3, 16)), np.random.default_rng(2)
    given = {name: rng.normal(size=(3, n)) for name, n in model.units.items()}

    def value(_):
        scores = model.forward(x)
        return float(sum(np.sum(given[name] * scores[name]) for name in given))

    value(None)
    model.backward(given)
    found = model.gradient_vector.copy()
    np.testing.assert_allclose(found, central_differences(value, model.vector), atol=1e-6)


def test_float32_agrees_with_float64():
    wide, data = small(dtype=np.float64), digits(np.float64).train
    narrow, x, labels = small(), data.inputs[:50], data.labels[:50]
    narrow.vector = wide.vector
    for model, inputs in ((wide, x), (narrow, x.astype(np.float32))):
        model.backward({"logits": cross_entropy(model.forward(inputs)["logits"], labels).gradient})
    assert narrow.gradient_vector.dtype == np.float32
    np.testing.assert_allclose(narrow.gradient_vector, wide.gradient_vector, atol=1e-5)


def test_a_small_network_learns_the_digits_of_the_library():
    data, model = digits(), small(mean=False)
    train(model, data.train, hard_labels(data.train), steps=200)
    assert accuracy(model.logits(data.validation.inputs), data.validation.labels) > 0.93


@EVERY_DTYPE
def test_a_saved_network_comes_back_bit_for_bit(dtype, tmp_path):
    sizes = np.array([8, 8, 1])
    layers = [Conv2d(tuple(sizes), np.int64(2)), AveragePool2d(list(sizes))]
    for model in (small(3, dtype), Network([layers[0], Linear(128, {"logits": 3})], dtype=dtype)):
        model.save(tmp_path / "model.npz")
        again = Network.load(tmp_path / "model.npz")
        assert again.layers == model.layers and again.dtype == dtype
        assert again.vector.tobytes() == model.vector.tobytes()
    assert layers[1].image == (8, 8, 1)


def test_a_training_step_allocates_nothing_large():
    model, x = small(), np.ones((100, 64), np.float32)
    given = {name: s.copy() for name, s in model.forward(x).items()}
    model.backward(given)  # now all buffers are there
    for size in (100, 37, 100):
        tracemalloc.start()
        model.forward(x[:size])
        model.backward({name: gradient[:size] for name, gradient in given.items()})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 60_000  # the images of a batch are 26 kB, what conv_1 makes of them 205 kB


def test_what_is_laid_out_for_a_product_does_not_grow_with_the_batch():
    layer = Conv2d((28, 28, 1), 4, size=5)
    x, memory = made(layer, examples=400, dtype=np.float32)
    layer.forward(x, memory)
    laid_out = max(array.size for array in memory._arrays.values())
    assert laid_out <= max(convolution.AT_ONCE, 400 * layer.sizes[1])


def test_batches_of_any_size_in_any_order_give_what_a_fresh_network_gives():
    used, x = small(), digits().train.inputs
    for size in (40, 1, 17, 40, 3):
        fresh = small()
        for model in (used, fresh):
            model.backward({"logits": np.cos(model.forward(x[:size])["logits"])})
        np.testing.assert_array_equal(used.gradient_vector, fresh.gradient_vector)


# bad input


@pytest.mark.parametrize(
    "image", [(8, 8), (8, 8, 1, 1), 64, "881", None, np.ones((8, 8, 1))], ids=lambda image: "image"
)
@pytest.mark.parametrize("kind", [lambda image: Conv2d(image, 2), AveragePool2d])
def test_an_image_has_height_width_and_channels(kind, image):
    message = f"image must be (height, width, channels), got {image!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        kind(image)


@pytest.mark.parametrize("size", NOT_WHOLE, ids=repr)
def test_sizes_are_whole_numbers(size):
    for made_of in [
        lambda: Conv2d((size, 8, 1), 2),
        lambda: Conv2d((8, 8, size), 2),
        lambda: AveragePool2d((8, size, 1)),
        lambda: Conv2d((8, 8, 1), size),
        lambda: Conv2d((8, 8, 1), 2, size=size),
        lambda: AveragePool2d((8, 8, 1), size),
    ]:
        with pytest.raises(ValueError, match=re.escape(f"of at least 1, got {size!r}")):
            made_of()


@pytest.mark.parametrize(
    ("made_of", "message"),
    [
        (lambda: Conv2d((8, 8, 1), 2, size=4), "size must be odd, for a square with a middle, got"),
        (lambda: AveragePool2d((8, 6, 1), 4), "must divide height and width of (8, 6, 1), got 4"),
        (lambda: AveragePool2d((6, 8, 1), 4), "must divide height and width of (6, 8, 1), got 4"),
        (lambda: Conv2d((8, 8, 1), 2, name=None), "name must be a str, got NoneType"),
        (lambda: AveragePool2d((8, 8, 1), name=3), "name must be a str, got int"),
        (lambda: Network([Conv2d((8, 8, 1), 2), ReLU(), small().layers[-1]]), "must fit the one"),
        (lambda: Network([Linear(4, {"a": 60}), *small().layers]), "must fit the one before"),
        (lambda: Network([ReLU(), *small().layers]), "the first layer must know its n_inputs"),
    ],
)
def test_what_makes_no_layer_or_no_network_is_refused(made_of, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        made_of()


def test_dropout_may_stand_before_a_convolution():
    model = Network([Dropout(0.2), *small().layers])
    np.testing.assert_array_equal(model.vector, small().vector)
    assert model.n_inputs == 64
