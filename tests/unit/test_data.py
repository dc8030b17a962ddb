"""Data sets: splits that never change, labels that are hidden or wrong, and nothing leaking."""

import re
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from oracles import BAD_LABELS, BAD_SCORES, NOT_A_SHARE, NOT_POSITIVE, NOT_WHOLE, cases
from sklearn.datasets import load_digits

from distill_lib.data import (
    UNLABELLED,
    Dataset,
    Split,
    digits,
    make_dataset,
    synthetic,
    synthetic_posterior,
)

DIGITS = digits()
SETS = {"digits": DIGITS, "clouds": synthetic()}
EVERY_SET = pytest.mark.parametrize("dataset", SETS.values(), ids=SETS)


def fingerprint(*arrays):
    return sha256(b"".join(np.ascontiguousarray(a).astype("<i8") for a in arrays)).hexdigest()[:16]


# splits


@EVERY_SET
def test_splits_share_no_example_and_together_hold_all(dataset):
    parts = [dataset.train.index, dataset.validation.index, dataset.test.index]
    together = np.concatenate(parts)
    np.testing.assert_array_equal(np.sort(together), np.arange(len(together)))
    np.testing.assert_array_equal(dataset.transfer.index, dataset.train.index)


def test_the_digits_are_those_of_scikit_learn_at_their_index():
    bunch = load_digits()
    assert [len(s) for s in (DIGITS.train, DIGITS.validation, DIGITS.test)] == [1197, 200, 400]
    for split in (DIGITS.train, DIGITS.transfer, DIGITS.validation, DIGITS.test):
        np.testing.assert_array_equal(split.inputs * 16, bunch.data[split.index])
        np.testing.assert_array_equal(split.labels, bunch.target[split.index])
        assert split.inputs.dtype == np.float32
        assert (split.inputs.min(), split.inputs.max()) == (0, 1)


def test_the_digits_splits_are_the_same_for_ever():
    """A change here changes every number in the book."""
    splits = (DIGITS.train, DIGITS.validation, DIGITS.test)
    assert fingerprint(*(s.index for s in splits)) == "a35348ac80398fc7"
    assert fingerprint(*(s.labels for s in splits)) == "53b39387653cf681"


def test_the_clouds_are_the_same_for_ever():
    splits = (SETS["clouds"].train, SETS["clouds"].validation, SETS["clouds"].test)
    assert fingerprint(*(s.index for s in splits)) == "28d6373142f94485"
    assert fingerprint(*(np.round(s.inputs * 1e3) for s in splits)) == "bd367595e355c125"


def test_digits_come_in_float64_too():
    assert digits(np.float64).train.inputs.dtype == np.float64


def test_taking_rows_takes_their_index_along():
    part = DIGITS.train.take(np.array([5, 2]))
    assert part.index.tolist() == DIGITS.train.index[[5, 2]].tolist()
    np.testing.assert_array_equal(part.inputs, DIGITS.train.inputs[[5, 2]])
    assert len(part) == 2


# few labels


@given(st.integers(1, 1197), st.integers(0, 5))
def test_few_labels_are_as_many_as_asked_and_as_even_as_can_be(n_labels, seed):
    few = DIGITS.with_few_labels(n_labels, seed).transfer
    kept = few.labels != UNLABELLED
    assert kept.sum() == n_labels == len(few.labelled)
    counts = np.bincount(few.labels[kept], minlength=10)
    all_there_are = np.bincount(DIGITS.transfer.labels, minlength=10)
    for own, there_are in zip(counts, all_there_are, strict=True):
        assert own >= counts.max() - 1 or own == there_are
    np.testing.assert_array_equal(few.labels[kept], DIGITS.transfer.labels[kept])
    np.testing.assert_array_equal(few.index, DIGITS.transfer.index)
    np.testing.assert_array_equal(few.inputs, DIGITS.transfer.inputs)


def test_another_seed_keeps_other_labels_and_the_same_seed_the_same():
    first, same, other = (DIGITS.with_few_labels(50, s).transfer.labels for s in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_fewer_labels_of_a_set_are_drawn_from_those_it_has():
    few = DIGITS.with_few_labels(100)
    fewer = few.with_few_labels(20).transfer.labels
    assert (few.transfer.labels[fewer != UNLABELLED] != UNLABELLED).all()
    with pytest.raises(ValueError, match=re.escape("n_labels must be a whole number in 1 .. 100")):
        few.with_few_labels(101)


@pytest.mark.parametrize("change", ["with_few_labels", "with_label_noise", "with_n_examples"])
def test_a_changed_set_leaves_the_original_and_its_other_splits_alone(change):
    before = [s.labels.copy() for s in (DIGITS.train, DIGITS.transfer)]
    changed = getattr(DIGITS, change)(0.5 if change == "with_label_noise" else 500)
    for split, labels in zip((DIGITS.train, DIGITS.transfer), before, strict=True):
        np.testing.assert_array_equal(split.labels, labels)
    assert changed.validation is DIGITS.validation and changed.test is DIGITS.test
    assert (changed.train is DIGITS.train) == (change != "with_n_examples")


# label noise


@given(st.floats(0, 1), st.integers(0, 5))
def test_noise_changes_exactly_its_share_each_to_another_class(rate, seed):
    noisy = DIGITS.with_label_noise(rate, seed).transfer.labels
    wrong = noisy != DIGITS.transfer.labels
    assert wrong.sum() == round(rate * 1197)
    assert ((noisy >= 0) & (noisy < 10)).all()


def test_noise_spreads_evenly_over_the_other_classes():
    shift = (DIGITS.with_label_noise(1.0).transfer.labels - DIGITS.transfer.labels) % 10
    counts = np.bincount(shift, minlength=10)
    assert counts[0] == 0 and scipy.stats.chisquare(counts[1:]).pvalue > 0.001


def test_noise_leaves_the_unlabelled_unlabelled():
    few = DIGITS.with_few_labels(100)
    noisy = few.with_label_noise(0.5).transfer.labels
    unlabelled = few.transfer.labels == UNLABELLED
    assert (noisy[unlabelled] == UNLABELLED).all()
    assert (noisy[~unlabelled] != few.transfer.labels[~unlabelled]).sum() == 50


# fewer examples


@given(st.integers(1, 1197), st.integers(0, 3))
def test_fewer_examples_are_different_ones_and_the_same_for_teacher_and_student(n, seed):
    small = DIGITS.with_n_examples(n, seed)
    assert len(small.train) == n == len(np.unique(small.train.index))
    np.testing.assert_array_equal(small.train.index, small.transfer.index)
    np.testing.assert_array_equal(small.train.labels, load_digits().target[small.train.index])


def test_fewer_examples_keep_the_transfer_sets_own_labels():
    small = DIGITS.with_few_labels(100).with_n_examples(300)
    assert (small.train.labels != UNLABELLED).all()
    assert 0 < (small.transfer.labels != UNLABELLED).sum() < 100


def test_fewer_examples_of_splits_that_differ_are_refused():
    other = replace(DIGITS, transfer=DIGITS.transfer.take(np.arange(50)))
    with pytest.raises(ValueError, match="must hold the same examples in the same order"):
        other.with_n_examples(10)


# the synthetic set


@pytest.mark.parametrize("n_classes, spread", [(2, 1.0), (4, 1.0), (5, 0.4)])
def test_the_posterior_of_the_clouds_is_bayes_rule_with_scipys_densities(n_classes, spread):
    x = np.random.default_rng(0).normal(0, 2, (50, 2))
    angles = [2 * np.pi * k / n_classes for k in range(n_classes)]
    density = np.stack(
        [
            scipy.stats.multivariate_normal((2 * np.cos(a), 2 * np.sin(a)), spread**2).pdf(x)
            for a in angles
        ],
        axis=1,
    )
    posterior = density / density.sum(axis=1, keepdims=True)
    logits = synthetic_posterior(x, n_classes, spread)
    np.testing.assert_allclose(scipy.special.softmax(logits, axis=1), posterior, rtol=1e-9)


def test_the_clouds_have_their_centres_their_spread_and_even_classes():
    clouds = synthetic(20_000, 4, 0.5, seed=1)
    inputs = np.concatenate([s.inputs for s in (clouds.train, clouds.validation, clouds.test)])
    labels = np.concatenate([s.labels for s in (clouds.train, clouds.validation, clouds.test)])
    for k, centre in enumerate([(2, 0), (0, 2), (-2, 0), (0, -2)]):
        own = inputs[labels == k]
        np.testing.assert_allclose(own.mean(axis=0), centre, atol=0.03)
        np.testing.assert_allclose(own.std(axis=0), 0.5, atol=0.02)
        assert abs(len(own) / 20_000 - 0.25) < 0.02


def test_no_model_beats_the_posterior_on_the_clouds():
    clouds = synthetic(20_000, seed=1)
    right = synthetic_posterior(clouds.test.inputs).argmax(axis=1) == clouds.test.labels
    half = np.sqrt(2)  # two neighbouring centres are 2 * sqrt(2) apart
    at_least = scipy.stats.norm.cdf(half) ** 2  # both neighbours' borders kept: exact for 4 classes
    assert right.mean() == pytest.approx(at_least, abs=0.01)


def test_a_fifth_of_the_points_is_for_validation_and_two_fifths_for_test():
    clouds = synthetic(1000)
    assert [len(s) for s in (clouds.train, clouds.validation, clouds.test)] == [400, 200, 400]
    assert len(synthetic(5).train) == 2


# bad input


@pytest.mark.parametrize("n", NOT_WHOLE, ids=repr)
def test_numbers_of_labels_and_examples_are_whole(n):
    for change, name in [("with_few_labels", "n_labels"), ("with_n_examples", "n")]:
        message = f"{name} must be a whole number in 1 .. 1197, got {n!r}"
        with pytest.raises(ValueError, match=re.escape(message)):
            getattr(DIGITS, change)(n)


def test_more_than_there_are_is_refused():
    for change in (DIGITS.with_few_labels, DIGITS.with_n_examples):
        with pytest.raises(ValueError, match=re.escape("in 1 .. 1197, got 1198")):
            change(1198)


@pytest.mark.parametrize("rate", NOT_A_SHARE, ids=repr)
def test_a_rate_is_a_share(rate):
    message = f"rate must be a number in 0 .. 1, got {rate!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        DIGITS.with_label_noise(rate)


@pytest.mark.parametrize(
    "name, values, bound",
    [
        ("n_examples", [*NOT_WHOLE, 4], "a whole number of at least 5"),
        ("n_classes", [*NOT_WHOLE, 1], "a whole number of at least 2"),
        ("spread", NOT_POSITIVE, "a finite number above 0"),
    ],
)
def test_clouds_need_points_classes_and_a_spread(name, values, bound):
    for value in values:
        with pytest.raises(ValueError, match=re.escape(f"{name} must be {bound}, got {value!r}")):
            synthetic(**{name: value})


@pytest.mark.parametrize("bad, message", **cases(BAD_SCORES))
def test_a_split_refuses_bad_inputs(bad, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Split(bad, np.zeros(2, int), np.arange(2))


@pytest.mark.parametrize("lengths", [(3, 2, 2), (2, 3, 2), (2, 2, 3)])
def test_a_split_refuses_lengths_that_differ(lengths):
    a, b, c = lengths
    got = (f"labels must have shape ({a},)", f"got ({b},)") if a != b else ("index", f"got ({c},)")
    with pytest.raises(ValueError, match=".*".join(map(re.escape, got))):
        Split(np.zeros((a, 4)), np.zeros(b, int), np.arange(c))


def test_a_split_refuses_an_example_that_comes_twice():
    with pytest.raises(ValueError, match="name each example once"):
        Split(np.zeros((3, 4)), np.zeros(3, int), np.array([0, 1, 1]))


@pytest.mark.parametrize("bad, message", **cases(BAD_LABELS))
def test_a_data_set_refuses_bad_labels(bad, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make_dataset("bad", np.zeros((2, 4)), bad, 3, (1, 1, 0), seed=0)


@pytest.mark.parametrize("sizes", [(1, 1, 0), (2, 1, 1), (4, 0, -1), (3, 0, 0)])
def test_a_data_set_refuses_sizes_that_do_not_add_up(sizes):
    with pytest.raises(ValueError, match=re.escape(f"3 in all, got {sizes}")):
        make_dataset("bad", np.zeros((3, 4)), np.zeros(3, int), 3, sizes, seed=0)


@pytest.mark.parametrize(
    ("labels", "index"),
    [
        ([0.0, np.nan], [0, 1]),
        (["a", "b"], [0, 1]),
        ([[0], [1]], [0, 1]),
        ([0, -7], [0, 1]),
        ([0, 1], [0.0, 1.0]),
        ([0, 1], [0, -1]),
        ([0, 1], ["a", "b"]),
    ],
)
def test_a_split_needs_whole_labels_and_indices(labels, index):
    with pytest.raises(ValueError, match=r"(labels|index) must (be|have)"):
        Split(np.zeros((2, 4)), labels, index)


@pytest.mark.parametrize("shape", [(2,), (2, 2, 2)])
def test_a_split_needs_a_row_of_inputs_for_each_example(shape):
    with pytest.raises(ValueError, match=re.escape(f"shape (examples, inputs), got {shape}")):
        Split(np.zeros(shape), np.zeros(2, int), np.arange(2))


def test_a_split_of_lists_is_one_of_arrays():
    split = Split([[0, 1], [2, 3]], [UNLABELLED, 1], [5, 6])
    assert split.labelled.index.tolist() == [6] and split.inputs.dtype == np.float64


def test_what_is_tested_on_is_in_no_other_split():
    whole = digits()
    for name in ("train", "transfer", "validation"):
        with pytest.raises(ValueError, match="must hold none of the examples of another split"):
            replace(whole, test=getattr(whole, name))
    assert replace(whole, test=None).test is None


def test_labels_beyond_the_classes_are_refused():
    with pytest.raises(ValueError, match=r"labels of train must lie in -1 \.\. 8, got 9"):
        replace(digits(), n_classes=9)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float16, str])
def test_digits_come_in_two_types_alone(dtype):
    """As whole numbers, 15 shades of 16 would become 0."""
    with pytest.raises(ValueError, match=re.escape("dtype must be np.float32 or np.float64")):
        digits(dtype)


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ([[0.0], [1.0]], {}, "inputs must have shape (examples, 2), got (2, 1)"),
        ([0.0, 1.0], {}, "inputs must have shape (examples, 2), got (2,)"),
        ([[0.0, np.nan]], {}, "inputs must be finite"),
        ([[0.0, 1.0]], {"spread": 0}, "spread must be a finite number above 0, got 0"),
        ([[0.0, 1.0]], {"n_classes": 1}, "n_classes must be a whole number of at least 2, got 1"),
    ],
)
def test_the_posterior_of_the_clouds_refuses_what_the_clouds_would(inputs, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        synthetic_posterior(inputs, **options)


@pytest.mark.parametrize("sizes", [(2, 1), (1, 1, 1, 1)])
def test_a_data_set_has_three_sizes(sizes):
    with pytest.raises(ValueError, match="sizes must be three"):
        make_dataset("x", np.zeros((sum(sizes), 2)), np.zeros(sum(sizes), int), 2, sizes, 0)


@pytest.mark.parametrize("how", ["with_few_labels", "with_n_examples", "with_label_noise"])
@pytest.mark.parametrize("seed", [None, 0.5, -1])
def test_a_draw_without_a_seed_is_refused(how, seed):
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0"):
        getattr(digits(), how)(1, seed)


# a reader's own arrays


RNG = np.random.default_rng(0)
TABLE = RNG.normal([5.0, -3.0, 7.0], [2.0, 0.1, 0.0], (50, 3))  # the last never changes
NAMES = np.array(["no", "yes"])[(TABLE[:, 0] > 5).astype(int)]


def test_arrays_become_three_splits_that_hold_each_example_once():
    dataset = Dataset.from_arrays(TABLE, NAMES, validation=0.1, test=0.3)
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [30, 5, 15]
    together = [getattr(dataset, n).index for n in ("train", "validation", "test")]
    np.testing.assert_array_equal(np.sort(np.concatenate(together)), np.arange(50))
    again = Dataset.from_arrays(TABLE, NAMES, validation=0.1, test=0.3)
    np.testing.assert_array_equal(again.test.index, dataset.test.index)
    other = Dataset.from_arrays(TABLE, NAMES, validation=0.1, test=0.3, seed=1)
    assert (other.test.index != dataset.test.index).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inputs_are_standardised_by_the_training_split_alone(dtype):
    dataset = Dataset.from_arrays(TABLE, NAMES, dtype=dtype)
    rows = dataset.train.index
    mean, spread = TABLE[rows].mean(axis=0), TABLE[rows].std(axis=0)
    for split in (dataset.train, dataset.validation, dataset.test):
        assert split.inputs.dtype == dtype
        expected = (TABLE[split.index, :2] - mean[:2]) / spread[:2]
        np.testing.assert_allclose(split.inputs[:, :2], expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(split.inputs[:, 2], 0, atol=1e-6)
    later = dataset.standardised(TABLE[dataset.test.index])
    np.testing.assert_allclose(later, dataset.test.inputs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (NAMES, ("no", "yes")),
        (NAMES.astype(object), ("no", "yes")),
        (np.where(NAMES == "yes", 7, 3), ("3", "7")),
        (NAMES == "yes", ("False", "True")),
        (list(NAMES), ("no", "yes")),
    ],
)
def test_classes_are_numbered_in_their_sorted_order_and_keep_their_names(labels, names):
    dataset = Dataset.from_arrays(TABLE, labels)
    assert dataset.class_names == names and dataset.n_classes == 2
    for split in (dataset.train, dataset.validation, dataset.test):
        np.testing.assert_array_equal(split.labels, NAMES[split.index] == "yes")


def test_few_labels_can_be_had_of_own_data_too():
    few = Dataset.from_arrays(TABLE, NAMES).with_few_labels(6)
    assert len(few.transfer.labelled) == 6 and few.class_names == ("no", "yes")
    np.testing.assert_allclose(few.standardised(TABLE[:2])[:, 2], 0, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": TABLE[:, 0]}, "inputs must have shape (examples, inputs), got (50,)"),
        ({"labels": NAMES[:9]}, "labels must have shape (50,), one per example, got (9,)"),
        ({"inputs": np.full((50, 3), np.nan)}, "inputs must be finite, got nan at index (0, 0)"),
        ({"labels": np.zeros(50, int)}, "training needs two classes or more"),
        ({"labels": np.arange(50)}, "and none of ["),
        ({"labels": NAMES[:, None]}, "got (50, 1); for a column, take labels[:, 0]"),
        ({"labels": np.eye(2)[[0, 1] * 25]}, "for one-hot rows, take labels.argmax(axis=1)"),
        ({"labels": np.array(["a", None] * 25, object)}, "numbers or texts, and not both"),
        ({"labels": np.array([-1, 0, 1, 1, 0] * 10)}, "which marks examples without a label"),
        ({"inputs": TABLE * [1, 1e300, 1]}, "the spread of the inputs must be finite, got inf"),
        ({"validation": np.inf}, "validation must be a number in 0 .. 1, got inf"),
        ({"labels": np.array(["a", np.nan] * 25, object)}, "got nan: leave those out"),
        ({"labels": np.array([0, np.nan] * 25)}, "got nan: leave those out"),
        ({"validation": 0}, "at least 1 each and 50 in all, got (40, 0, 10)"),
        ({"test": 0.9}, "got (-5, 10, 45)"),
        ({"test": "half"}, "test must be a number in 0 .. 1, got 'half'"),
        ({"validation": 0.001}, "got (40, 0, 10)"),
        ({"dtype": int}, "dtype must be np.float32 or np.float64"),
        ({"seed": None}, "seed must be a whole number"),
    ],
)
def test_arrays_that_make_no_data_set_are_refused(change, message):
    given = {"inputs": TABLE, "labels": NAMES} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        Dataset.from_arrays(**given)


def test_later_examples_of_another_width_are_refused():
    dataset = Dataset.from_arrays(TABLE, NAMES)
    for wrong, shape in ((TABLE[:, :2], "3), got (50, 2)"), (TABLE[0], "3), got (3,)")):
        with pytest.raises(ValueError, match=re.escape(f"shape (examples, {shape}")):
            dataset.standardised(wrong)
    with pytest.raises(ValueError, match=re.escape("shape (examples, 64), got (50, 3)")):
        DIGITS.standardised(TABLE)


def test_data_sets_and_splits_introduce_themselves_in_a_line():
    few = DIGITS.with_few_labels(30)
    assert repr(few) == (
        "Dataset('digits', 10 classes; train 1197, transfer 1197, validation 200, test 400)"
    )
    assert repr(few.transfer) == "Split(1197 examples of 64 inputs, 30 labelled)"
    assert "test None" in repr(replace(few, test=None))


def test_something_else_in_the_place_of_a_split_is_refused():
    with pytest.raises(ValueError, match="validation must be a Split, got tuple"):
        replace(DIGITS, validation=(1, 2))


def test_labels_of_a_split_show_the_first_that_is_wrong():
    wrong = np.zeros(178)
    with pytest.raises(ValueError, match=r"labels must be integers, got 0\.0 .*astype\(int\)"):
        Split(np.zeros((178, 2)), wrong, np.arange(178))
    with pytest.raises(ValueError, match="labels must be at least -1, got -7"):
        Split(np.zeros((2, 2)), np.array([0, -7]), np.arange(2))


def test_an_input_that_changes_by_rounding_alone_does_not_explode():
    """The spread of a column of 0.1 is not quite 0."""
    table = np.column_stack([TABLE[:, 0], np.full(50, 0.1)])
    assert Dataset.from_arrays(table, NAMES).train.inputs[:, 0].std() > 0
    rows = Dataset.from_arrays(table, NAMES).test.index
    table[rows, 1] = 1.0
    dataset = Dataset.from_arrays(table, NAMES)
    assert np.abs(dataset.train.inputs[:, 1]).max() < 1e-6
    np.testing.assert_allclose(dataset.test.inputs[:, 1], 0.9, atol=1e-6)


def test_labels_of_minus_1_and_1_are_two_classes():
    assert Dataset.from_arrays(TABLE, np.where(NAMES == "yes", 1, -1)).class_names == ("-1", "1")


def test_masked_labels_are_refused_and_data_sets_can_be_keys():
    with pytest.raises(ValueError, match="labels must not be a masked array"):
        Split(np.zeros((2, 2)), np.ma.masked_array([0, 1], [True, False]), np.arange(2))
    dataset = Dataset.from_arrays(TABLE, NAMES)
    assert {dataset: 1}[dataset] == 1 and dataset != replace(dataset)
