"""What a model is judged by, against the definitions written out slowly."""

import re

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from oracles import BAD_LABELS, BAD_SCORES, NOT_WHOLE, cases
from sklearn.metrics import accuracy_score, log_loss

from distill_lib.metrics import (
    accuracy,
    calibration_bins,
    calibration_error,
    divergence,
    fidelity,
    negative_log_likelihood,
    report,
)

pytestmark = pytest.mark.filterwarnings("error")


def made(examples=200, classes=4, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (examples, classes)).astype(dtype)
    return logits, rng.integers(0, classes, examples), rng.normal(0, 2, (examples, classes))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_accuracy_and_likelihood_agree_with_scikit_learn(dtype):
    logits, labels, _ = made(dtype=dtype)
    assert accuracy(logits, labels) == accuracy_score(labels, logits.argmax(axis=1))
    p = scipy.special.softmax(logits.astype(np.float64), axis=1)
    assert negative_log_likelihood(logits, labels) == pytest.approx(log_loss(labels, p), rel=1e-6)


def test_accuracy_is_a_share():
    assert accuracy([[1, 0], [1, 0], [0, 1], [2, 5]], [0, 1, 1, 1]) == 0.75


def slow_calibration_error(logits, labels, n_bins):
    """Guo et al. 2017, equation 3, example by example."""
    p = scipy.special.softmax(logits, axis=1)
    total = 0.0
    for m in range(n_bins):
        inside = [
            (row.max(), row.argmax() == label)
            for row, label in zip(p, labels, strict=True)
            if m / n_bins < row.max() <= (m + 1) / n_bins
        ]
        if inside:
            confidence, correct = np.mean(inside, axis=0)
            total += len(inside) / len(labels) * abs(confidence - correct)
    return total


@pytest.mark.parametrize("n_bins", [1, 2, 10, 15, 100])
def test_calibration_error_is_its_definition(n_bins):
    logits, labels, _ = made()
    expected = slow_calibration_error(logits, labels, n_bins)
    assert calibration_error(logits, labels, n_bins) == pytest.approx(expected, rel=1e-12)


@given(arrays(np.float64, (7, 3), elements=st.floats(-30, 30)), st.integers(1, 20))
def test_calibration_error_is_its_definition_for_made_up_logits(logits, n_bins):
    labels = np.arange(7) % 3
    p = scipy.special.softmax(logits, axis=1).max(axis=1) * n_bins
    if (np.abs(p - np.round(p)) > 1e-9).all():  # on a bin's edge, rounding decides
        expected = slow_calibration_error(logits, labels, n_bins)
        assert calibration_error(logits, labels, n_bins) == pytest.approx(expected, abs=1e-12)


def test_calibration_bins_hold_every_example_once_and_nan_where_they_are_empty():
    logits, labels, _ = made()
    confidence, correct, count = calibration_bins(logits, labels, 10)
    assert count.sum() == len(labels) and len(confidence) == len(correct) == len(count) == 10
    assert (np.isnan(confidence) == (count == 0)).all() and (count[:2] == 0).all()  # p >= 1/4
    assert np.nansum(confidence * count) == pytest.approx(
        scipy.special.softmax(logits, axis=1).max(axis=1).sum()
    )
    assert np.nansum(correct * count) == pytest.approx(accuracy(logits, labels) * len(labels))


def test_calibration_error_is_0_for_a_model_that_is_as_right_as_it_says():
    logits = np.log([[0.8, 0.2]] * 10)
    assert calibration_error(logits, [0] * 8 + [1] * 2) == pytest.approx(0, abs=1e-12)
    assert calibration_error(logits, [1] * 10) == pytest.approx(0.8)


def test_certain_predictions_fall_in_the_last_bin():
    assert calibration_bins([[1e4, 0.0]], [0], 5)[2].tolist() == [0, 0, 0, 0, 1]


def test_fidelity_counts_equal_answers_right_or_wrong():
    assert fidelity([[1, 0], [0, 1], [3, 2], [0, 9]], [[5, 1], [1, 0], [9, 2], [1, 2]]) == 0.75


def test_divergence_is_scipys_kl_of_the_teacher_from_the_student():
    student, _, teacher = made()
    p, q = scipy.special.softmax(teacher, axis=1), scipy.special.softmax(student, axis=1)
    expected = scipy.stats.entropy(p, q, axis=1).mean()
    assert divergence(student, teacher) == pytest.approx(expected, rel=1e-12)
    assert divergence(teacher, teacher) == 0


def test_report_names_every_measure_and_fidelity_only_beside_a_teacher():
    logits, labels, teacher = made()
    alone, beside = report(logits, labels), report(logits, labels, teacher)
    assert alone == {
        "accuracy": accuracy(logits, labels),
        "nll": negative_log_likelihood(logits, labels),
        "calibration_error": calibration_error(logits, labels),
    }
    assert beside == alone | {"fidelity": fidelity(logits, teacher)}
    assert all(type(value) is float for value in beside.values())


JUDGE_BY_LABELS = [accuracy, negative_log_likelihood, calibration_error, calibration_bins, report]
JUDGE_BY_TEACHER = [fidelity, divergence]


@pytest.mark.parametrize("measure", JUDGE_BY_LABELS)
@pytest.mark.parametrize("bad, message", **cases(BAD_SCORES))
def test_bad_logits_are_refused_and_named(measure, bad, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        measure(bad, [0, 0])


@pytest.mark.parametrize("measure", JUDGE_BY_LABELS)
@pytest.mark.parametrize("bad, message", **cases(BAD_LABELS))
def test_bad_labels_are_refused_and_named(measure, bad, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        measure(np.zeros((2, 3)), bad)


@pytest.mark.parametrize("measure", JUDGE_BY_TEACHER)
@pytest.mark.parametrize("bad, message", **cases(BAD_SCORES))
def test_a_bad_teacher_or_student_is_refused_and_named(measure, bad, message):
    for both in [(bad, np.ones((2, 2))), (np.ones((2, 2)), bad)]:
        with pytest.raises(ValueError, match=re.escape(message)):
            measure(*both)


@pytest.mark.parametrize("measure", JUDGE_BY_TEACHER)
@pytest.mark.parametrize("teacher", [(1, 3), (2, 4), (3,), (3, 2)])
def test_a_teacher_of_another_shape_is_refused(measure, teacher):
    with pytest.raises(ValueError, match=re.escape(f"got {teacher} for the teacher and (2, 3)")):
        measure(np.ones((2, 3)), np.ones(teacher))


@pytest.mark.parametrize("n_bins", NOT_WHOLE, ids=repr)
def test_bins_are_counted_in_whole_numbers(n_bins):
    message = f"n_bins must be a whole number of at least 1, got {n_bins!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        calibration_error([[0.0, 1.0]], [0], n_bins)
