"""Softmax, entropy and every loss, against closed forms, SciPy and finite differences."""

import re
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from oracles import BAD_LABELS, BAD_SCORES, BAD_TEMPERATURES, cases, central_differences

from distill_lib.losses import (
    Loss,
    cross_entropy,
    entropy,
    log_softmax,
    rationale_cosine,
    rationale_mse,
    soft_target_loss,
    softmax,
)

pytestmark = pytest.mark.filterwarnings("error")  # no loss may warn of what it does

SHAPES = [(3,), (1,), (5, 4), (1, 7), (6, 1), (2, 3, 4)]
FLOATS = [np.float32, np.float64]
TEMPERATURES = [1e-2, 0.5, 1, 4.0, 20, 1e3]
SIZES = [1.0, 30.0, 1e4]  # of logits
CLOSE = {np.float32: 2e-6, np.float64: 1e-9}
GRADIENT_OF = {
    "cross_entropy": lambda s, t: cross_entropy(s, np.argmax(t, axis=-1)),
    "soft_target_loss": lambda s, t: soft_target_loss(s, t, 3.0),
    "rationale_mse": rationale_mse,
    "rationale_cosine": rationale_cosine,
}
EVERY_LOSS = pytest.mark.parametrize("loss", GRADIENT_OF.values(), ids=GRADIENT_OF)
PAIRED = {
    "soft_target_loss": lambda s, t: soft_target_loss(s, t, 2.0),
    "rationale_mse": rationale_mse,
    "rationale_cosine": rationale_cosine,
}
EVERY_PAIRED_LOSS = pytest.mark.parametrize("loss", PAIRED.values(), ids=PAIRED)

temperatures = st.floats(1e-2, 1e3)


def scores(shape=None, size=1e4, dtype=np.float64):
    """Made-up scores; also ones that are equal, tiny or at the bounds."""
    shape = array_shapes(min_dims=1, max_dims=3, max_side=5) if shape is None else shape
    width = 32 if dtype == np.float32 else 64
    return arrays(dtype, shape, elements=st.floats(-size, size, width=width))


def pairs(size=1e4, min_classes=1):
    """Two sets of scores of the same shape."""
    shapes = array_shapes(min_dims=1, max_dims=3, max_side=5)
    return shapes.filter(lambda shape: shape[-1] >= min_classes).flatmap(
        lambda shape: st.tuples(scores(shape, size), scores(shape, size))
    )


def made(shape, size=1.0, dtype=np.float64, seed=0):
    """Student's scores, teacher's scores and labels of one batch."""
    rng = np.random.default_rng([seed, len(shape), shape[-1]])
    student, teacher = (rng.uniform(-size, size, shape).astype(dtype) for _ in range(2))
    return student, teacher, rng.integers(0, shape[-1], shape[:-1])


# softmax and its logarithm


@pytest.mark.parametrize(
    "T, published", [(1, [0.0900, 0.2447, 0.6652]), (5, [0.2693, 0.3289, 0.4018])]
)
def test_softmax_of_1_2_3_is_the_published_one(T, published):
    assert np.round(softmax([1, 2, 3], T), 4).tolist() == published


def test_softmax_is_the_ratio_of_exponentials_to_the_last_digit():
    ours = softmax([0.0, np.log(2.0), np.log(5.0)])
    np.testing.assert_allclose(ours, [1 / 8, 2 / 8, 5 / 8], rtol=4e-16)


@pytest.mark.parametrize("T", TEMPERATURES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_and_its_logarithm_agree_with_scipy(shape, dtype, size, T):
    logits = made(shape, size, dtype)[0]
    scaled = logits.astype(np.float64) / T
    for ours, theirs in [
        (softmax(logits, T), scipy.special.softmax(scaled, axis=-1)),
        (log_softmax(logits, T), scipy.special.log_softmax(scaled, axis=-1)),
    ]:
        assert ours.dtype == dtype and ours.shape == shape
        floor = 1e-12 if dtype == np.float64 else 1e-40  # float32 knows no smaller probability
        np.testing.assert_allclose(ours, theirs, rtol=CLOSE[dtype], atol=floor)


@given(scores(), temperatures)
def test_softmax_sums_to_one_and_its_logarithm_is_its_logarithm(logits, T):
    p = softmax(logits, T)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.exp(log_softmax(logits, T)), p, rtol=1e-9)
    assert (log_softmax(logits, T) <= 0).all()


@given(scores(size=50), st.floats(-1e3, 1e3))
def test_softmax_does_not_see_a_shift_of_all_logits(logits, shift):
    np.testing.assert_allclose(softmax(logits + shift), softmax(logits), rtol=1e-9)


@given(scores(), temperatures)
def test_softmax_keeps_the_order_at_any_temperature(logits, T):
    p = softmax(logits, T)
    order = np.argsort(logits, axis=-1)
    assert (np.diff(np.take_along_axis(p, order, axis=-1), axis=-1) >= 0).all()


@given(scores(size=100), temperatures)
def test_temperature_is_a_division_of_the_logits(logits, T):
    np.testing.assert_allclose(softmax(logits, T), softmax(logits / T), rtol=1e-8, atol=1e-300)


@pytest.mark.parametrize("call", [softmax, log_softmax])
@pytest.mark.parametrize("integer", [int, np.int8, np.uint8, np.int64])
def test_integers_become_float64(call, integer):
    ours = call(np.array([[1, 2, 3]], integer))
    assert ours.dtype == np.float64
    np.testing.assert_array_equal(ours, call([[1.0, 2.0, 3.0]]))


@pytest.mark.parametrize("T", [2, np.float32(2), np.int64(2), Fraction(2)], ids=repr)
def test_any_kind_of_real_number_is_a_temperature(T):
    np.testing.assert_array_equal(softmax([1.0, 2.0], T), softmax([1.0, 2.0], 2.0))


@pytest.mark.parametrize("T", [5e-324, 1e-2, 1, 1e3, 1e308])
@pytest.mark.parametrize(
    "logits, cold, hot",
    [
        ([1.0, 3.0, 3.0], [0, 0.5, 0.5], [1 / 3] * 3),
        ([1e300, -1e300, 1e300], [0.5, 0, 0.5], [1 / 3] * 3),
        ([-1e300, -1e300], [0.5, 0.5], [0.5, 0.5]),
        ([1.7e308, -1.7e308], [1, 0], [0.967, 0.033]),
    ],
)
def test_softmax_holds_at_the_ends_of_what_a_float_can_be(logits, cold, hot, T):
    p = softmax(logits, T)
    if T == 1e308:
        np.testing.assert_allclose(p, hot, atol=1e-3)
    elif T <= 1e-2 or max(logits) > 1e10:
        np.testing.assert_allclose(p, cold, atol=1e-15)
    assert p.sum() == pytest.approx(1)
    assert not np.isnan(log_softmax(logits, T)).any()


def test_log_softmax_does_not_take_the_log_of_a_rounded_zero():
    assert log_softmax([0.0, 10_000.0]).tolist() == [-10_000.0, 0.0]
    assert softmax([0.0, 10_000.0]).tolist() == [0.0, 1.0]


def test_log_softmax_of_float32_may_exceed_what_float32_holds_without_a_warning():
    assert log_softmax(np.float32([-3e38, 3e38])).tolist() == [-np.inf, 0.0]


@pytest.mark.parametrize("call", [softmax, log_softmax])
def test_the_logits_are_left_as_they_were(call):
    logits = np.array([[1.0, 2.0], [3.0, 5.0]])
    before = logits.copy()
    call(logits, 2.0)
    np.testing.assert_array_equal(logits, before)


# entropy


@given(scores(size=30))
def test_entropy_agrees_with_scipy_and_lies_between_0_and_log_classes(logits):
    p = softmax(logits)
    ours = entropy(p)
    assert ours.shape == logits.shape[:-1]
    np.testing.assert_allclose(ours, scipy.stats.entropy(p, axis=-1), rtol=1e-9, atol=1e-12)
    assert (ours >= -1e-12).all() and (ours <= np.log(logits.shape[-1]) + 1e-12).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("classes", [1, 2, 10])
def test_entropy_is_0_when_certain_and_log_classes_when_all_are_alike(classes, dtype):
    certain = entropy(np.eye(classes, dtype=dtype))
    assert certain.tolist() == [0.0] * classes and not np.signbit(certain).any()
    even = entropy(np.full((2, classes), 1 / classes, dtype))
    np.testing.assert_allclose(even, np.log(classes), rtol=1e-6, atol=1e-7)
    assert certain.dtype == even.dtype == dtype


@given(scores(size=30), st.floats(0.1, 100), st.floats(1, 10))
def test_entropy_never_falls_when_the_temperature_rises(logits, T, factor):
    cold, hot = entropy(softmax(logits, T)), entropy(softmax(logits, T * factor))
    assert (hot >= cold - 1e-9).all()


@pytest.mark.parametrize(
    "probabilities, message",
    [
        ([[0.5, 0.5], [0.3, 0.3]], "must sum to 1, got a sum of 0.6"),
        ([0.5, 0.6], "must sum to 1, got a sum of 1.1"),
        ([1.2, -0.2], "must be at least 0, got -0.2"),
        ([0.5, np.nan], "must be finite, got nan at index (1,)"),
        ([True, False], "got dtype bool"),
        (1.0, "got the scalar 1.0"),
    ],
)
def test_entropy_refuses_what_is_no_distribution_and_names_it(probabilities, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        entropy(probabilities)


# the losses: values


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_cross_entropy_is_the_mean_of_minus_scipys_log_softmax_at_the_label(shape, dtype, size):
    logits, _, labels = made(shape, size, dtype)
    wide = logits.astype(np.float64)
    log_p = scipy.special.log_softmax(wide, axis=-1).reshape(-1, shape[-1])
    loss = cross_entropy(logits, labels)
    expected = -np.mean([row[k] for row, k in zip(log_p, np.ravel(labels), strict=True)])
    assert loss.value == pytest.approx(expected, rel=1e-12, abs=1e-15)
    one_hot = np.eye(shape[-1])[labels]
    gradient = (scipy.special.softmax(wide, axis=-1) - one_hot) / max(labels.size, 1)
    np.testing.assert_allclose(loss.gradient, gradient, rtol=CLOSE[dtype], atol=1e-12)


def test_cross_entropy_of_a_student_with_no_idea_is_log_classes():
    assert cross_entropy(np.zeros((4, 10)), [0, 3, 9, 9]).value == pytest.approx(np.log(10))


def test_cross_entropy_of_a_certain_student_is_0_if_right_and_the_gap_if_wrong():
    assert cross_entropy([[1e4, 0.0]], [0]).value == 0
    assert cross_entropy([[1e4, 0.0]], [1]).value == 1e4


@pytest.mark.parametrize("T", TEMPERATURES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_soft_target_loss_is_T_squared_times_the_divergence_of_scipy(shape, dtype, size, T):
    student, teacher, labels = made(shape, size, dtype)
    log_p, log_q = (
        scipy.special.log_softmax(x.astype(np.float64) / T, axis=-1) for x in (teacher, student)
    )
    p, q = np.exp(log_p), np.exp(log_q)
    divergences = np.sum(p * (log_p - log_q), axis=-1)
    if (q > 1e-290).all():  # where p / q does not overflow in SciPy, the two oracles must agree
        theirs = scipy.stats.entropy(p, q, axis=-1)
        np.testing.assert_allclose(divergences, theirs, rtol=1e-8, atol=1e-12)
    loss = soft_target_loss(student, teacher, T)
    assert loss.value == pytest.approx(T**2 * np.mean(divergences), rel=1e-8, abs=T**2 * 1e-14)
    expected = T * (q - p) / max(labels.size, 1)
    np.testing.assert_allclose(loss.gradient, expected, rtol=CLOSE[dtype], atol=T * 1e-9)


def test_soft_target_loss_of_two_classes_is_the_bernoulli_divergence_by_hand():
    p, q, T = 0.8, 0.3, 2.0
    student, teacher = [[T * np.log(q / (1 - q)), 0.0]], [[T * np.log(p / (1 - p)), 0.0]]
    divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    loss = soft_target_loss(student, teacher, T)
    assert loss.value == pytest.approx(T**2 * divergence, rel=1e-14)
    np.testing.assert_allclose(loss.gradient, [[T * (q - p), T * (p - q)]], rtol=1e-14)


@given(pairs(), temperatures)
def test_soft_target_loss_is_never_negative_and_0_for_the_teacher_itself(pair, T):
    student, teacher = pair
    assert soft_target_loss(student, teacher, T).value >= 0
    itself = soft_target_loss(teacher, teacher, T)
    assert itself.value == 0 and not itself.gradient.any()


def test_soft_target_loss_is_not_negative_by_rounding_where_student_and_teacher_nearly_agree():
    rng = np.random.default_rng(0)
    for teacher in rng.normal(0, 3, (200, 10)):
        assert soft_target_loss(teacher + rng.normal(0, 1e-9, 10), teacher, 2.0).value >= 0


def test_a_class_to_which_the_teacher_gives_no_chance_adds_nothing():
    loss = soft_target_loss([[0.0, 0.0, 0.0]], [[0.0, 0.0, -1e4]], 1.0)
    assert loss.value == pytest.approx(np.log(3 / 2))


def test_soft_targets_of_a_certain_teacher_at_T_1_are_hard_labels():
    student, _, labels = made((5, 4), 3)
    certain = 1e4 * np.eye(4)[labels]
    soft, hard = soft_target_loss(student, certain, 1.0), cross_entropy(student, labels)
    assert soft.value == pytest.approx(hard.value, rel=1e-12)
    np.testing.assert_allclose(soft.gradient, hard.gradient, atol=1e-15)


def test_soft_target_gradient_is_that_of_matched_centred_logits_when_T_is_large():
    student, teacher, _ = made((5, 4), 1)
    centred = [x - x.mean(axis=-1, keepdims=True) for x in (student, teacher)]
    expected = (centred[0] - centred[1]) / 4 / 5
    loss = soft_target_loss(student, teacher, 1e4)
    np.testing.assert_allclose(loss.gradient, expected, atol=1e-4 * np.abs(expected).max())


def test_soft_target_loss_survives_a_temperature_whose_square_is_no_float():
    student, teacher, _ = made((5, 4))
    loss = soft_target_loss(student, teacher, 1e200)
    assert not np.isnan(loss.value) and np.isfinite(loss.gradient).all()


@pytest.mark.parametrize("size", [*SIZES, 1e150])
@pytest.mark.parametrize("shape", SHAPES)
def test_rationale_mse_is_the_mean_over_all_scores(shape, size):
    student, teacher, _ = made(shape, size)
    loss = rationale_mse(student, teacher)
    pairs_of_scores = list(zip(student.ravel(), teacher.ravel(), strict=True))
    by_hand = sum((s - t) ** 2 for s, t in pairs_of_scores) / len(pairs_of_scores)
    assert loss.value == pytest.approx(by_hand, rel=1e-12)
    np.testing.assert_allclose(loss.gradient, 2 * (student - teacher) / student.size, rtol=1e-14)


@pytest.mark.parametrize("size", [1e-300, *SIZES, 1e300])
@pytest.mark.parametrize("shape", SHAPES)
def test_rationale_cosine_is_one_minus_the_cosine_of_scipy(shape, size):
    student, teacher, _ = made(shape)
    rows = zip(student.reshape(-1, shape[-1]), teacher.reshape(-1, shape[-1]), strict=True)
    expected = np.mean([scipy.spatial.distance.cosine(s, t) for s, t in rows])
    loss = rationale_cosine(student * size, teacher * size)
    assert loss.value == pytest.approx(expected, rel=1e-9, abs=1e-15)
    # at right angles to the student's scores: the length does not matter
    np.testing.assert_allclose(np.sum(loss.gradient * student, -1) * size, 0, atol=1e-12)


def test_rationale_cosine_keeps_its_digits_for_rationales_that_nearly_agree():
    angle = 1e-7
    loss = rationale_cosine([[np.cos(angle), np.sin(angle)]], [[1.0, 0.0]])
    assert loss.value == pytest.approx(angle**2 / 2, rel=1e-6)  # 1 - cos would be 0 or 2e-16 off


@pytest.mark.parametrize("s, t, value", [(3.0, 5.0, 0.0), (-3.0, 5.0, 2.0), (1e-9, -7e8, 2.0)])
def test_rationale_cosine_of_one_component_is_a_sign_and_its_gradient_exactly_0(s, t, value):
    loss = rationale_cosine([[s], [s]], [[t], [t]])
    assert loss.value == value and not loss.gradient.any()


@given(pairs(1e3), st.floats(0.01, 100))
def test_rationale_cosine_does_not_see_length_and_lies_between_0_and_2(pair, factor):
    student, teacher = pair
    assume((np.abs(student).max(-1) > 1e-3).all() and (np.abs(teacher).max(-1) > 1e-3).all())
    value = rationale_cosine(student, teacher).value
    assert -1e-12 <= value <= 2 + 1e-12
    assert rationale_cosine(student * factor, teacher).value == pytest.approx(value, abs=1e-9)


# the losses: gradients


@EVERY_LOSS
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_is_that_of_finite_differences(loss, shape):
    student, teacher, _ = made(shape, 2.0)
    expected = central_differences(lambda s: loss(s, teacher).value, student)
    np.testing.assert_allclose(loss(student, teacher).gradient, expected, atol=1e-8)


@pytest.mark.parametrize("T", TEMPERATURES)
def test_gradient_of_soft_targets_is_that_of_finite_differences_at_any_temperature(T):
    student, teacher, _ = made((5, 4), 3 * T)
    expected = central_differences(
        lambda s: soft_target_loss(s, teacher, T).value, student, T / 1e4
    )
    ours = soft_target_loss(student, teacher, T).gradient
    np.testing.assert_allclose(ours, expected, atol=1e-7 * T)


@EVERY_LOSS
def test_gradient_passes_scipys_check(loss):
    student, teacher, _ = made((4, 3), 2.0)

    def value(flat):
        return loss(flat.reshape(4, 3), teacher).value

    def gradient(flat):
        return loss(flat.reshape(4, 3), teacher).gradient.ravel()

    assert scipy.optimize.check_grad(value, gradient, student.ravel()) < 1e-6


@EVERY_LOSS
@given(pair=pairs(20))
def test_gradient_is_that_of_finite_differences_for_made_up_scores(loss, pair):
    student, teacher = pair
    if loss is rationale_cosine:
        assume((np.abs(student).max(-1) > 0.1).all() and (np.abs(teacher).max(-1) > 0.1).all())
    expected = central_differences(lambda s: loss(s, teacher).value, student.copy())
    np.testing.assert_allclose(loss(student, teacher).gradient, expected, atol=1e-6)


@given(pairs(1e4), temperatures)
def test_gradients_with_respect_to_logits_sum_to_0_in_each_row(pair, T):
    student, teacher = pair
    hard = cross_entropy(student, np.argmax(teacher, axis=-1))
    soft = soft_target_loss(student, teacher, T)
    np.testing.assert_allclose(hard.gradient.sum(-1), 0, atol=1e-12)
    np.testing.assert_allclose(soft.gradient.sum(-1), 0, atol=1e-12 * T)


# what all losses promise


@EVERY_LOSS
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_loss_is_a_plain_float_and_a_gradient_like_the_students_scores(loss, shape, dtype):
    student, teacher, _ = made(shape, 2.0, dtype)
    result = loss(student, teacher.astype(np.float64))
    assert isinstance(result, Loss) and type(result.value) is float
    assert result.gradient.shape == shape and result.gradient.dtype == dtype
    assert not np.shares_memory(result.gradient, student)
    wide = loss(student.astype(np.float64), teacher.astype(np.float64))
    assert result.value == pytest.approx(wide.value, rel=1e-13)  # computed in float64 either way
    np.testing.assert_allclose(result.gradient, wide.gradient, rtol=1e-6, atol=1e-9)


@EVERY_LOSS
def test_a_loss_is_the_mean_over_the_batch(loss):
    student, teacher, _ = made((6, 4), 2.0)
    rows = [loss(student[i : i + 1], teacher[i : i + 1]) for i in range(6)]
    both = loss(student, teacher)
    assert both.value == pytest.approx(np.mean([row.value for row in rows]), rel=1e-12)
    np.testing.assert_allclose(both.gradient, np.concatenate([r.gradient for r in rows]) / 6)


@EVERY_LOSS
def test_leading_axes_are_only_a_batch(loss):
    student, teacher, _ = made((2, 3, 4), 2.0)
    cube, flat = loss(student, teacher), loss(student.reshape(6, 4), teacher.reshape(6, 4))
    assert cube.value == pytest.approx(flat.value, rel=1e-14)
    np.testing.assert_allclose(cube.gradient, flat.gradient.reshape(2, 3, 4), rtol=1e-14)


@EVERY_LOSS
def test_a_loss_leaves_its_input_as_it_was_and_takes_lists_of_integers(loss):
    student, teacher, _ = made((5, 4), 2.0)
    before = student.copy(), teacher.copy()
    loss(student, teacher)
    np.testing.assert_array_equal([student, teacher], before)
    result = loss([[1, 2, 4], [3, 1, 1]], [[1, 0, 2], [2, 5, 1]])
    assert result.gradient.dtype == np.float64


# bad input

ONES = np.ones((2, 2))
TAKES_SCORES = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "entropy": entropy,
    "cross_entropy": lambda bad: cross_entropy(bad, [0, 0]),
    **{f"student_of_{name}": lambda bad, f=f: f(bad, ONES) for name, f in PAIRED.items()},
    **{f"teacher_of_{name}": lambda bad, f=f: f(ONES, bad) for name, f in PAIRED.items()},
}


@pytest.mark.parametrize("call", TAKES_SCORES.values(), ids=TAKES_SCORES)
@pytest.mark.parametrize("bad, message", **cases(BAD_SCORES))
def test_bad_scores_are_refused_and_named(call, bad, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(bad)


TAKES_T = {
    "softmax": lambda T: softmax([1.0, 2.0], T),
    "log_softmax": lambda T: log_softmax([1.0, 2.0], T),
    "soft_target_loss": lambda T: soft_target_loss([1.0, 2.0], [2.0, 1.0], T),
}


@pytest.mark.parametrize("call", TAKES_T.values(), ids=TAKES_T)
@pytest.mark.parametrize("bad, message", **cases(BAD_TEMPERATURES))
def test_a_bad_temperature_is_refused_and_named(call, bad, message):
    with pytest.raises(ValueError, match="T must be .* above 0, " + re.escape(message)):
        call(bad)


@pytest.mark.parametrize("bad, message", **cases(BAD_LABELS))
def test_bad_labels_are_refused_and_named(bad, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        cross_entropy(np.zeros((2, 3)), bad)


@EVERY_PAIRED_LOSS
@pytest.mark.parametrize(
    "teacher",
    [(5, 3), (4, 4), (1, 4), (5, 1), (4,), (1, 5, 4), (4, 5)],
    ids=["width", "batch", "batch_of_1", "one_class", "one_row", "more_axes", "transposed"],
)
def test_a_teacher_that_does_not_stand_one_for_one_is_refused(loss, teacher):
    message = f"must have the same shape, got {teacher} for the teacher and (5, 4) for the student"
    with pytest.raises(ValueError, match=re.escape(message)):
        loss(np.ones((5, 4)), np.ones(teacher))


@EVERY_PAIRED_LOSS
def test_a_student_that_would_broadcast_is_refused_too(loss):
    with pytest.raises(ValueError, match="must have the same shape"):
        loss(np.ones((1, 4)), np.ones((5, 4)))


@pytest.mark.parametrize("who", ["student", "teacher"])
def test_a_row_of_zeros_has_no_direction(who):
    rows = {"student": np.ones((2, 3, 4)), "teacher": np.ones((2, 3, 4))}
    rows[who][1, 2] = 0
    message = f"{who}_scores must not hold a row of zeros (no direction), got one at (1, 2)"
    with pytest.raises(ValueError, match=re.escape(message)):
        rationale_cosine(rows["student"], rows["teacher"])


# what float64 cannot hold, or NumPy would drop


@pytest.mark.parametrize("loss", [softmax, log_softmax, lambda x: cross_entropy(x, 0)])
def test_a_masked_array_is_refused_for_its_mask_would_be_lost(loss):
    with pytest.raises(ValueError, match="must not be a masked array"):
        loss(np.ma.array([1.0, 2.0, 1e9], mask=[0, 0, 1]))


@pytest.mark.parametrize("wide", [2**53 + 1, -(2**53) - 1])
def test_whole_numbers_that_float64_would_round_are_refused(wide):
    assert softmax([2**53, 2**53 - 2])[0] == pytest.approx(1 / (1 + np.exp(-2)))
    with pytest.raises(ValueError, match="float64 would round them"):
        softmax([0, wide])


@pytest.mark.skipif(np.finfo(np.longdouble).bits <= 64, reason="no wider type on this machine")
def test_wider_floats_are_refused():
    with pytest.raises(ValueError, match="at most 64 bits, got dtype"):
        softmax(np.array([1, 2], np.longdouble))


@pytest.mark.parametrize("T", [10**400, Fraction(1, 10**400)], ids=["huge", "tiny"])
def test_a_temperature_that_no_float_can_hold_is_refused(T):
    with pytest.raises(ValueError, match="T must be a finite number above 0"):
        softmax([1.0, 2.0], T)


@pytest.mark.parametrize("T", [1.0, 30.0, 1e3])
@pytest.mark.parametrize("apart", [1e-6, 1e-3, 1.0, 30.0])
def test_the_soft_target_loss_is_exact_even_where_the_two_nearly_agree(T, apart):
    """Against fractions of fifty digits: the sum of p log(p / q) itself would cancel."""
    from decimal import Decimal, localcontext

    rng = np.random.default_rng(0)
    z, v = rng.normal(0, apart, (2, 5))
    with localcontext(prec=50):
        exact = [[(Decimal(float(x)) / Decimal(T)).exp() for x in row] for row in (v, z)]
        p, q = ([x / sum(row) for x in row] for row in exact)
        divergence = sum(a * (a / b).ln() for a, b in zip(p, q, strict=True))
        expected = float(Decimal(T) ** 2 * divergence)
    assert soft_target_loss(z, v, T).value == pytest.approx(expected, rel=1e-6)
