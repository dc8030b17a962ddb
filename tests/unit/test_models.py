"""Models: shapes, every gradient by finite differences, memory, copies."""

import pickle
import re
import tracemalloc
from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
from oracles import BAD_SCORES, NOT_WHOLE, cases, central_differences

from distill_lib.convolution import AveragePool2d, Conv2d
from distill_lib.layers import Dropout, Linear, ReLU
from distill_lib.losses import cross_entropy
from distill_lib.models import MLP, LogisticRegression, Network

SIZES = [(5, 3), (5, 4, 3), (5, 6, 4, 3), (1, 2, 1)]
EVERY_SIZE = pytest.mark.parametrize("sizes", SIZES, ids=str)


def made(sizes=(5, 6, 4, 3), examples=7, dtype=np.float64):
    """A model with biases that are not 0, and a batch of inputs for it."""
    rng = np.random.default_rng(len(sizes))
    model = MLP(sizes, seed=1, dtype=dtype)
    model.vector += rng.normal(0, 0.1, model.vector.shape).astype(dtype)
    return model, rng.normal(0, 1, (examples, sizes[0])).astype(dtype)


def by_hand(model, x):
    """Named scores, one example and one unit at a time."""
    scores = {name: [] for name in model.units}
    for units in x:
        for i, name in enumerate(model.units, start=1):
            W, b = model.parameters[f"W{i}"], model.parameters[f"b{i}"]
            z = [
                sum(u * w for u, w in zip(units, W[:, k], strict=True)) + b[k]
                for k in range(len(b))
            ]
            scores[name].append(z)
            units = [max(value, 0) for value in z]
    return scores


@EVERY_SIZE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_is_the_sums_written_out(sizes, dtype):
    model, x = made(sizes, dtype=dtype)
    scores = model.forward(x)
    assert list(scores) == [f"hidden_{i}" for i in range(1, len(sizes) - 1)] + ["logits"]
    for name, expected in by_hand(model, x).items():
        assert scores[name].dtype == dtype
        np.testing.assert_allclose(scores[name], expected, rtol=1e-4, atol=1e-5)


def test_a_relu_stands_between_each_two_layers_and_not_after_the_last():
    model = MLP((1, 1, 1), dtype=np.float64)
    model.vector[:] = [1, 0, -1, 0]  # W1, b1, W2, b2
    assert model.logits([[3.0], [-3.0]]).tolist() == [[-3.0], [0.0]]


@EVERY_SIZE
def test_parameters_are_counted(sizes):
    model = MLP(sizes)
    layers = list(pairwise(sizes))
    assert model.n_parameters == sum(n * m + m for n, m in layers) == model.vector.size
    assert model.multiply_adds == sum(n * m for n, m in layers)
    assert {name: p.shape for name, p in model.parameters.items()} == {
        name: shape
        for i, (n, m) in enumerate(layers, start=1)
        for name, shape in ((f"W{i}", (n, m)), (f"b{i}", (m,)))
    }


def test_parameters_of_known_models_are_the_known_numbers():
    assert MLP((784, 800, 800, 10)).n_parameters == 1_276_810
    assert LogisticRegression(64, 10).n_parameters == 650
    assert LogisticRegression(64, 10).multiply_adds == 640


def test_parameters_are_views_that_tile_the_vector():
    for views, vector in [
        (lambda m: m.parameters, lambda m: m.vector),
        (lambda m: m.gradients, lambda m: m.gradient_vector),
    ]:
        model, _ = made()
        vector(model)[:] = np.arange(model.n_parameters)
        in_order = np.concatenate([view.ravel() for view in views(model).values()])
        np.testing.assert_array_equal(in_order, np.arange(model.n_parameters))


def test_first_weights_are_he_normal_the_last_layers_half_of_it_and_biases_0():
    model = MLP((400, 300, 200), seed=3)
    W1, W2 = model.parameters["W1"], model.parameters["W2"]
    assert W1.std() == pytest.approx(np.sqrt(2 / 400), rel=0.02) and abs(W1.mean()) < 1e-3
    assert W2.std() == pytest.approx(np.sqrt(1 / 300), rel=0.02) and abs(W2.mean()) < 1e-3
    assert not model.parameters["b1"].any() and not model.parameters["b2"].any()


def test_the_seed_decides_the_weights():
    first, same, other = (MLP((5, 4, 3), seed=s).vector for s in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


# gradients


@EVERY_SIZE
def test_gradients_of_every_parameter_are_those_of_finite_differences(sizes):
    """For a sum of all scores with fixed weights, into each score alone and into all of them."""
    model, x = made(sizes)
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, 1, s.shape) for name, s in model.forward(x).items()}
    for chosen in [*([name] for name in model.units), [*model.units]]:

        def value(_, chosen=chosen):
            scores = model.forward(x)
            return float(sum(np.sum(weights[name] * scores[name]) for name in chosen))

        model.forward(x)
        model.backward({name: weights[name] for name in chosen})
        ours = model.gradient_vector.copy()
        np.testing.assert_allclose(ours, central_differences(value, model.vector), atol=1e-7)
        assert ours.any()


def test_gradients_of_a_real_loss_are_those_of_finite_differences():
    model, x = made()
    labels = np.arange(7) % 3

    def loss(_=None):
        return cross_entropy(model.forward(x)["logits"], labels)

    model.backward({"logits": loss().gradient})
    ours = model.gradient_vector.copy()
    expected = central_differences(lambda _: loss().value, model.vector)
    np.testing.assert_allclose(ours, expected, atol=1e-9)


def test_layers_above_the_scores_that_are_taught_have_no_gradient():
    model, x = made()
    model.gradient_vector[:] = 7  # what an earlier step left there
    scores = model.forward(x)
    model.backward({"hidden_1": np.ones_like(scores["hidden_1"])})
    assert model.gradients["W1"].any()
    assert not any(model.gradients[name].any() for name in ("W2", "b2", "W3", "b3"))


def test_no_gradients_at_all_are_gradients_of_0():
    model, x = made()
    model.gradient_vector[:] = 7
    model.forward(x)
    model.backward({})
    assert not model.gradient_vector.any()


def test_gradients_of_the_caller_are_left_as_they_were():
    model, x = made()
    given = {name: np.ones_like(s) for name, s in model.forward(x).items()}
    model.backward(given)
    assert all((g == 1).all() for g in given.values())


def test_backward_twice_gives_the_same_twice():
    model, x = made()
    given = {name: s.copy() for name, s in model.forward(x).items()}
    model.backward(given)
    first = model.gradient_vector.copy()
    model.backward(given)
    np.testing.assert_array_equal(model.gradient_vector, first)


def test_float32_agrees_with_float64():
    wide, x = made()
    narrow = MLP(wide.sizes)
    narrow.vector[:] = wide.vector
    labels = np.arange(7) % 3
    for model, inputs in ((wide, x), (narrow, x.astype(np.float32))):
        loss = cross_entropy(model.forward(inputs)["logits"], labels)
        model.backward({"logits": loss.gradient})
    assert narrow.gradient_vector.dtype == np.float32
    np.testing.assert_allclose(narrow.gradient_vector, wide.gradient_vector, atol=1e-6)


# memory


def test_a_training_step_allocates_nothing_large():
    model = MLP((100, 400, 500, 10))
    x = np.ones((256, 100), np.float32)
    given = {name: s.copy() for name, s in model.forward(x).items()}
    model.backward(given)  # now all buffers are there
    for part in (lambda: model.forward(x), lambda: model.backward(given)):
        tracemalloc.start()
        part()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # NumPy's own buffer between two types is 32 kB whatever the model; the smallest array that
        # a layer could ask for here, a mask of its units, is 100 kB.
        assert peak < 40_000


def test_batches_of_any_size_in_any_order_give_what_a_fresh_model_gives():
    used, x = made(examples=40)
    for size in (40, 1, 17, 40, 3):
        fresh, _ = made()
        given = np.linspace(-1, 1, size * 3).reshape(size, 3)
        for model in (used, fresh):
            scores = model.forward(x[:size])
            model.backward({"logits": given, "hidden_1": np.ones_like(scores["hidden_1"])})
        for name in used.units:
            np.testing.assert_array_equal(used.scores(x[:size])[name], fresh.scores(x[:size])[name])
        np.testing.assert_array_equal(used.gradient_vector, fresh.gradient_vector)


def test_scores_belong_to_the_caller_and_forward_scores_to_the_model():
    model, x = made()
    mine, again = model.scores(x)["logits"], model.scores(-x)["logits"]
    assert not np.shares_memory(mine, again)
    assert np.shares_memory(model.forward(x)["logits"], model.forward(-x)["logits"])


def test_scores_of_many_examples_are_those_of_each():
    model, _ = made()
    x = np.random.default_rng(0).normal(0, 1, (2500, 5))
    one_by_one = np.concatenate([model.logits(row[None]) for row in x[[0, 1023, 1024, 2499]]])
    np.testing.assert_allclose(model.logits(x)[[0, 1023, 1024, 2499]], one_by_one, rtol=1e-12)


@pytest.mark.parametrize(
    "twin_of",
    [MLP.copy, deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["copy", "deepcopy", "pickle"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_copy_shares_nothing_and_is_whole(twin_of, dtype):
    model, x = made(dtype=dtype)
    model.forward(x)
    twin = twin_of(model)
    assert twin.dtype == twin.vector.dtype == dtype
    np.testing.assert_array_equal(twin.logits(x), model.logits(x))
    before = model.logits(x)
    for name in ("vector", "gradient_vector"):
        assert not np.shares_memory(getattr(twin, name), getattr(model, name))
    twin.vector *= 2  # as an optimiser would
    np.testing.assert_array_equal(twin.parameters["W1"], 2 * model.parameters["W1"])
    np.testing.assert_array_equal(model.logits(x), before)
    assert (twin.logits(x) != before).any()
    twin.backward({"logits": twin.forward(x)["logits"]})
    assert twin.gradient_vector.any() and not model.gradient_vector.any()


def test_logistic_regression_is_one_layer_and_stays_one_when_copied():
    model = LogisticRegression(5, 3, seed=1, dtype=np.float64)
    assert [*model.units] == ["logits"] and model.sizes == (5, 3)
    np.testing.assert_array_equal(model.vector, MLP((5, 3), seed=1, dtype=np.float64).vector)
    assert type(model.copy()) is LogisticRegression


# bad input


@pytest.mark.parametrize("size", NOT_WHOLE, ids=repr)
def test_sizes_are_whole_numbers(size):
    message = f"must be a whole number of at least 1, got {size!r}"
    for sizes in [(size, 3), (5, size, 3), (5, size)]:
        with pytest.raises(ValueError, match=re.escape(message)):
            MLP(sizes)


@pytest.mark.parametrize("sizes", [(), (5,)])
def test_a_model_has_at_least_inputs_and_classes(sizes):
    with pytest.raises(ValueError, match=re.escape(f"two or more whole numbers, got {sizes}")):
        MLP(sizes)


@pytest.mark.parametrize("dtype", [int, np.float16, np.complex64, "float33", None, float, bool])
def test_other_types_are_refused(dtype):
    with pytest.raises(ValueError, match=re.escape(f"float32 or np.float64, got {dtype!r}")):
        MLP((5, 3), dtype=dtype)


@pytest.mark.parametrize("shape", [(5,), (7, 4), (7, 6), (2, 7, 5), ()])
def test_inputs_of_another_shape_are_refused(shape):
    model, _ = made()
    with pytest.raises(ValueError, match=re.escape(f"(examples, 5), got {shape}")):
        model.forward(np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.float32, int, bool, complex])
def test_inputs_of_another_type_are_refused(dtype):
    with pytest.raises(ValueError, match=f"must be float64, like the model, got {np.dtype(dtype)}"):
        made()[0].forward(np.zeros((7, 5), dtype))


@pytest.mark.parametrize("bad, message", **cases(BAD_SCORES))
def test_bad_inputs_to_scores_are_refused_and_named(bad, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        MLP((2, 3)).scores(bad)


def test_backward_needs_a_forward():
    model, x = made()
    with pytest.raises(ValueError, match="backward needs a forward before it"):
        model.backward({"logits": np.zeros((7, 3))})
    model.forward(x)
    model.scores(x)  # which works in the same memory
    with pytest.raises(ValueError, match="backward needs a forward before it"):
        model.backward({"logits": np.zeros((7, 3))})


@pytest.mark.parametrize("shape", [(1, 3), (7, 1), (3,), (7, 4), (8, 3), ()])
def test_gradients_of_another_shape_are_refused(shape):
    model, x = made()
    model.forward(x)
    message = f"logits must be floats of shape (7, 3), got float64 of shape {shape}"
    with pytest.raises(ValueError, match=re.escape(message)):
        model.backward({"logits": np.zeros(shape)})


def test_gradients_of_unknown_scores_are_refused():
    model, x = made()
    model.forward(x)
    with pytest.raises(ValueError, match="no scores are called 'hidden_3'; this model has"):
        model.backward({"hidden_3": np.zeros((7, 3))})


@pytest.mark.parametrize("kind", [str, complex, int, object])
def test_gradients_that_are_not_floats_are_refused(kind):
    model = MLP((4, 3))
    model.forward(np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match="the gradient of logits must be floats"):
        model.backward({"logits": np.ones((2, 3)).astype(kind)})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sizes": 5}, "sizes must be two or more whole numbers, got 5"),
        ({"seed": None}, "seed must be a whole number of at least 0, got None"),
        ({"seed": 1.5}, "seed must be a whole number of at least 0, got 1.5"),
        ({"rationale": 0.0}, "rationale must be a whole number of at least 0, got 0.0"),
    ],
)
def test_a_model_that_cannot_be_made_again_is_refused(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        MLP(**{"sizes": (4, 3)} | given)


def test_inputs_too_large_for_the_models_type_are_refused():
    with pytest.raises(ValueError, match="inputs, as float32, must be finite, got inf"):
        MLP((2, 3)).logits([[0.0, 1e39]])


# the parameters as one vector


def test_assigning_the_vector_changes_what_the_model_computes():
    model, x = made()
    other = MLP(model.sizes, seed=9, dtype=np.float64)
    memory = model.vector.ctypes.data
    model.vector = other.vector
    np.testing.assert_array_equal(model.logits(x), other.logits(x))
    assert model.vector.ctypes.data == memory and not np.shares_memory(model.vector, other.vector)
    model.vector *= 0
    assert not model.parameters["W1"].any()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(3), "vector must have shape (18,), got (3,)"),
        (np.full(18, np.nan), "vector must be finite, got nan at index (0,)"),
        (["W"] * 18, "vector must be real numbers"),
        (np.full(18, 1e300), "vector must be finite, got inf"),
    ],
)
def test_a_vector_that_does_not_fit_is_refused(values, message):
    model = MLP((5, 3))
    before = model.vector.copy()
    with pytest.raises(ValueError, match=re.escape(message)):
        model.vector = values
    np.testing.assert_array_equal(model.vector, before)


# answers, files, names


def test_predictions_are_the_classes_with_the_highest_scores():
    model, x = made()
    predicted = model.predict(x)
    assert predicted.dtype.kind == "i"
    np.testing.assert_array_equal(predicted, model.logits(x).argmax(axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "model_of",
    [
        lambda dtype: MLP((5, 6, 4, 3), seed=1, dtype=dtype, rationale=2),
        lambda dtype: MLP(tuple(np.array([5, 3])), dtype=dtype),
        lambda dtype: LogisticRegression(5, 3, seed=1, dtype=dtype),
        lambda dtype: Network([Linear(5, {"a": 4, "b": 2}), ReLU(), Linear(6, {"logits": 3})]),
    ],
)
def test_a_saved_model_comes_back_bit_for_bit(model_of, dtype, tmp_path):
    model, x = model_of(dtype), np.random.default_rng(0).normal(size=(7, 5))
    model.save(tmp_path / "student.npz")
    again = type(model).load(tmp_path / "student.npz")
    assert type(again) is type(model) and again.layers == model.layers
    assert again.vector.tobytes() == model.vector.tobytes() and again.dtype == model.dtype
    for name, scores in model.scores(x).items():
        np.testing.assert_array_equal(again.scores(x)[name], scores)


def test_a_model_is_saved_under_a_name_that_says_what_it_is(tmp_path):
    with pytest.raises(ValueError, match=r'a name that ends in "\.npz", got .*student'):
        MLP((5, 3)).save(tmp_path / "student")


def test_a_file_gives_the_class_that_was_saved_and_no_other(tmp_path):
    path = tmp_path / "student.npz"
    LogisticRegression(5, 3).save(path)
    assert type(MLP.load(path)) is type(Network.load(path)) is LogisticRegression
    MLP((5, 4, 3)).save(path)
    with pytest.raises(ValueError, match="it is a MLP, not a LogisticRegression"):
        LogisticRegression.load(path)


def test_a_layer_that_could_not_be_read_again_is_not_saved(tmp_path):
    class Twice(ReLU):
        pass

    model = Network([Linear(5, {"hidden": 4}), Twice(), Linear(4, {"logits": 3})])
    with pytest.raises(ValueError, match=r"only layers of `layers\.KINDS` can be saved"):
        model.save(tmp_path / "student.npz")


def saved(path, **arrays):
    """A file with the entries of a saved model, or with others in their place."""
    layers = '[{"kind": "Linear", "n_inputs": 5, "scores": {"logits": 3}, "gain": 1.0}]'
    np.savez(path, **{"kind": "MLP", "layers": layers, "vector": np.zeros(18, np.float32)} | arrays)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: saved(path, vector=np.zeros(17, np.float32)),
        lambda path: saved(path, vector=np.full(18, np.inf, np.float32)),
        lambda path: saved(path, vector=np.zeros(18, int)),
        lambda path: saved(path, vector=np.array([print], object)),
        lambda path: saved(path, layers="[{"),
        lambda path: saved(path, layers="{}"),
        lambda path: saved(path, layers='[{"kind": "Linear", "n_inputs": 5, "scores": [3]}]'),
        lambda path: saved(path, kind="Forest"),
        lambda path: saved(path, layers='[{"kind": "spell"}]'),
        lambda path: saved(path, layers='[{"kind": "Linear", "n_inputs": 5}]'),
        lambda path: np.savez(path, vector=np.zeros(18, np.float32)),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PK\x03\x04 and no more"),
        lambda path: path.write_bytes(pickle.dumps(MLP((5, 3)))),
        lambda path: (saved(path), path.write_bytes(path.read_bytes()[:-40])),
    ],
)
def test_a_file_that_is_no_saved_model_is_named_and_nothing_in_it_is_run(spoil, tmp_path):
    path = tmp_path / "student.npz"
    spoil(path)
    with pytest.raises(ValueError, match=r"student\.npz is no model that was saved here: "):
        MLP.load(path)


def test_a_file_of_the_names_that_layers_had_before_can_still_be_read(tmp_path):
    layers = """[{"kind": "conv2d", "image": [2, 2, 1], "filters": 2, "size": 1, "name": ""},
        {"kind": "relu"}, {"kind": "average_pool2d", "image": [2, 2, 2], "size": 2, "name": ""},
        {"kind": "dropout", "rate": 0.5},
        {"kind": "linear", "n_inputs": 2, "scores": {"logits": 3}, "gain": 1.0}]"""
    path, vector = tmp_path / "student.npz", np.arange(13, dtype=np.float32)
    saved(path, kind="Network", layers=layers, vector=vector)
    model = Network.load(path)
    image = (2, 2, 1), 2, 1
    pool = AveragePool2d((2, 2, 2), 2)
    expected = [Conv2d(*image), ReLU(), pool, Dropout(0.5), Linear(2, {"logits": 3}, 1.0)]
    assert list(model.layers) == expected and (model.vector == vector).all()


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="student"):
        MLP.load(tmp_path / "student.npz")


def test_a_model_introduces_itself_in_a_line():
    assert repr(MLP((64, 16, 10), rationale=2)) == (
        "MLP(64 inputs, 16 hidden_1, 10 logits, 2 rationale; 1,210 parameters, float32)"
    )
