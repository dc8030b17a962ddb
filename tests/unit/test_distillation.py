"""A teacher's outputs beside their examples, and the objectives made of them."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import BAD_SCORES, BAD_TEMPERATURES, NOT_A_SHARE, cases, central_differences

from distill_lib.checks import check_weights
from distill_lib.data import UNLABELLED, Split, digits
from distill_lib.distillation import (
    Aligned,
    TeacherOutputs,
    Term,
    WeightedTerms,
    cosine_enhanced,
    hard_label_loss,
    hard_labels,
    step_by_step,
    traditional,
)
from distill_lib.losses import Loss, cross_entropy, rationale_mse, soft_target_loss, softmax
from distill_lib.models import MLP
from distill_lib.training import SGD, train

DIGITS = digits()
TEACHER = MLP((64, 20, 10), seed=1)
OUTPUTS = TeacherOutputs.of(TEACHER, DIGITS.transfer)


def small_split(labels=(0, 1, 2, 0, 1), start=10):
    labels = np.array(labels)
    inputs = np.random.default_rng(0).normal(0, 1, (len(labels), 4))
    return Split(inputs, labels, np.arange(start, start + len(labels)))


def small_outputs(split, classes=3, seed=1):
    rng = np.random.default_rng(seed)
    return TeacherOutputs(split.index, {"logits": rng.normal(0, 2, (len(split), classes))})


# rows by index


@given(st.lists(st.integers(0, 500), min_size=1, unique=True), st.randoms())
def test_rows_are_found_by_index_in_any_order_and_as_often_as_asked(index, random):
    aligned = Aligned(np.array(index), np.array(index) * 10.0)
    asked = random.choices(index, k=20)
    np.testing.assert_array_equal(aligned.at(np.array(asked)), np.array(asked) * 10.0)


@pytest.mark.parametrize("missing", [4, 9, 11, 10**9])
def test_an_example_without_a_row_is_refused_and_named(missing):
    aligned = Aligned(np.array([3, 5, 10]), np.zeros(3))
    with pytest.raises(ValueError, match=f"nothing is known of example {missing} of the data set"):
        aligned.at(np.array([3, missing]))


@pytest.mark.parametrize(
    "index, rows, message",
    [
        ([1, 2, 2], 3, "got 3 rows for 2 different indices of 3"),
        ([1, 2], 3, "got 3 rows for 2 different indices of 2"),
        ([1, 2, 3], 2, "got 2 rows for 3 different indices of 3"),
        ([2, -1], 2, "an index must be at least 0, got -1"),
        ([1.0, 2.0], 2, "whole numbers along one axis, got array([1., 2.])"),
    ],
)
def test_an_index_that_does_not_name_the_rows_is_refused(index, rows, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Aligned(np.array(index), np.zeros(rows))


# the teacher's outputs


def test_the_teacher_is_asked_once_about_every_example():
    at = np.array([7, 3, 900])
    rows, index = DIGITS.transfer.inputs[at], DIGITS.transfer.index[at]
    for name, scores in TEACHER.scores(rows).items():
        np.testing.assert_allclose(OUTPUTS.at(index, name), scores, atol=1e-5)
    np.testing.assert_array_equal(OUTPUTS.at(index), OUTPUTS.at(index, "logits"))


def test_a_permuted_transfer_set_has_the_same_objective():
    order = np.random.default_rng(0).permutation(len(DIGITS.transfer))
    permuted = DIGITS.transfer.take(order)
    student = MLP((64, 10))
    index = DIGITS.transfer.index[:50]
    scores = {"logits": student.logits(DIGITS.transfer.inputs[:50])}
    outcomes = [
        traditional(split, TeacherOutputs.of(TEACHER, split), 4.0, 0.3)(scores, index, 0.0)
        for split in (DIGITS.transfer, permuted)
    ]
    assert outcomes[0].value == pytest.approx(outcomes[1].value, rel=1e-6)
    for one, other in zip(*(o.gradients["logits"] for o in outcomes), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


@given(st.floats(0, 1), st.integers(0, 5))
def test_misaligned_moves_exactly_the_share_it_says(share, seed):
    wrong = OUTPUTS.misaligned(share, seed)
    ours, theirs = (o.at(DIGITS.transfer.index) for o in (OUTPUTS, wrong))
    moved = (ours != theirs).any(axis=1).sum()
    expected = round(share * 1197)
    assert moved == (0 if expected == 1 else expected)  # a single row has nowhere to go
    # nothing is lost: the same rows, in other places
    np.testing.assert_array_equal(np.unique(ours, axis=0), np.unique(theirs, axis=0))


def test_misaligned_moves_all_scores_of_an_example_together_and_leaves_the_original_alone():
    before = OUTPUTS.at(DIGITS.transfer.index).copy()
    wrong = OUTPUTS.misaligned(1.0)
    np.testing.assert_array_equal(OUTPUTS.at(DIGITS.transfer.index), before)
    hidden, logits = (wrong.at(DIGITS.transfer.index, name) for name in ("hidden_1", "logits"))
    W, b = TEACHER.parameters["W2"], TEACHER.parameters["b2"]
    np.testing.assert_allclose(np.maximum(hidden, 0) @ W + b, logits, atol=1e-4)


def test_misaligned_is_decided_by_its_seed():
    first, same, other = (OUTPUTS.misaligned(0.5, s).at(DIGITS.transfer.index) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


@pytest.mark.parametrize("share", NOT_A_SHARE, ids=repr)
def test_misaligned_refuses_what_is_no_share(share):
    message = f"share must be a number in 0 .. 1, got {share!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        OUTPUTS.misaligned(share)


def test_teachers_outputs_need_logits_and_one_row_each():
    with pytest.raises(ValueError, match=re.escape("""must hold "logits", got ['hidden_1']""")):
        TeacherOutputs(np.arange(2), {"hidden_1": np.zeros((2, 3))})
    with pytest.raises(ValueError, match="got 3 rows for 2 different indices"):
        TeacherOutputs(np.arange(2), {"logits": np.zeros((3, 3))})
    message = "the teacher has no scores 'hidden_2', only ['hidden_1', 'logits']"
    with pytest.raises(ValueError, match=re.escape(message)):
        OUTPUTS.at(DIGITS.transfer.index, "hidden_2")


@pytest.mark.parametrize("bad, message", **cases(BAD_SCORES))
def test_bad_teachers_scores_are_refused_and_named(bad, message):
    with pytest.raises(ValueError, match="logits .*" + re.escape(message)):
        TeacherOutputs(np.arange(2), {"logits": bad})


# weighted terms


def square(centre):
    return lambda scores, index: Loss(float(np.sum((scores - centre) ** 2)), 2 * (scores - centre))


def test_gradients_of_weighted_terms_are_those_of_finite_differences():
    """Two terms on the logits and one on hidden scores, with a weight that depends on the epoch."""
    split = small_split([0, UNLABELLED, 2, 1, UNLABELLED])
    teacher = small_outputs(split)
    objective = WeightedTerms(
        Term("hard", 0.3, hard_label_loss(split)),
        Term(
            "soft", lambda epoch: 0.1 * epoch, lambda s, i: soft_target_loss(s, teacher.at(i), 3.0)
        ),
        Term("rationale", 0.5, lambda s, i: rationale_mse(s, teacher.at(i)), on="hidden_1"),
    )
    rng = np.random.default_rng(2)
    scores = {name: rng.normal(0, 1, (5, 3)) for name in ("hidden_1", "logits")}
    outcome = objective(scores, split.index, 2.0)
    for name, ours in outcome.gradients.items():

        def value(x, name=name):
            return objective(scores | {name: x}, split.index, 2.0).value

        np.testing.assert_allclose(ours, central_differences(value, scores[name]), atol=1e-8)
    assert set(outcome.gradients) == {"logits", "hidden_1"}


def test_the_value_is_the_weighted_sum_of_the_parts():
    objective = WeightedTerms(Term("a", 0.25, square(1.0)), Term("b", 3.0, square(-1.0)))
    outcome = objective({"logits": np.array([2.0])}, np.array([0]), 0.0)
    assert outcome.parts == {"a": 1.0, "b": 9.0}
    assert outcome.value == 0.25 * 1 + 3 * 9
    assert outcome.gradients["logits"].tolist() == [0.25 * 2 + 3 * 6]


def test_a_curriculum_weighs_by_the_epoch_and_a_weight_of_0_is_not_even_computed():
    def never(scores, index):
        raise AssertionError("a term of weight 0 was computed")

    asked = []

    def late(epoch):
        asked.append(epoch)
        return max(0.0, epoch - 1)

    objective = WeightedTerms(Term("a", 1.0, square(0.0)), Term("b", late, square(5.0)))
    at = [objective({"logits": np.zeros(1)}, np.array([0]), epoch) for epoch in (0.5, 1.5)]
    assert [o.value for o in at] == [0, 12.5] and asked == [0.5, 1.5]
    assert [set(o.parts) for o in at] == [{"a"}, {"a", "b"}]
    nothing = WeightedTerms(Term("a", 0.0, never), Term("b", lambda epoch: 0.0, never))
    assert nothing({"logits": np.zeros(1)}, np.array([0]), 0.0) == (
        0.0,
        {},
        {},
        {"a": 0.0, "b": 0.0},
    )


def test_a_curriculum_trains_from_its_first_step_to_its_last():
    objective = WeightedTerms(
        Term("hard", lambda epoch: float(epoch < 1), hard_label_loss(DIGITS.transfer)),
        Term(
            "soft",
            lambda epoch: float(epoch >= 1),
            lambda s, i: soft_target_loss(s, OUTPUTS.at(i), 2.0),
        ),
    )
    history = train(MLP((64, 10)), DIGITS.transfer, objective, steps=60, look_every=30)
    assert [set(parts) for parts in history.parts] == [set(), {"hard"}, {"hard", "soft"}]


# hard labels


def test_hard_labels_are_the_mean_over_the_labelled_of_a_batch():
    split = small_split([0, UNLABELLED, 2, 1, UNLABELLED])
    logits = np.random.default_rng(0).normal(0, 1, (5, 3))
    outcome = hard_labels(split)({"logits": logits}, split.index, 0.0)
    expected = cross_entropy(logits[[0, 2, 3]], [0, 2, 1])
    assert outcome.value == expected.value and outcome.parts == {"hard": expected.value}
    np.testing.assert_array_equal(outcome.gradients["logits"][[0, 2, 3]], expected.gradient)
    assert not outcome.gradients["logits"][[1, 4]].any()


def test_a_batch_without_any_label_teaches_nothing_and_has_no_loss():
    split = small_split([0, UNLABELLED, UNLABELLED])
    assert hard_label_loss(split)(np.ones((2, 3)), split.index[1:]) is None
    outcome = hard_labels(split)({"logits": np.ones((2, 3))}, split.index[1:], 0.0)
    assert outcome == (0.0, {}, {}, {})


def test_the_curve_of_the_hard_loss_is_of_labelled_examples_alone():
    """Most batches of 32 have none of the 30 labels: they must not count as a loss of 0."""
    few, model = DIGITS.with_few_labels(30).transfer, MLP((64, 10))
    teacher = TeacherOutputs(few.index, {"logits": np.zeros((len(few), 10))})
    objective = traditional(few, teacher, T=1, alpha=0.5)
    history = train(model, few, objective, steps=760, optimizer=SGD(1e-12), look_every=760)
    own = few.labelled
    frozen = cross_entropy(model.logits(own.inputs), own.labels).value
    assert history.parts[-1]["hard"] == pytest.approx(frozen, rel=0.05)
    soft = soft_target_loss(model.logits(few.inputs), np.zeros((len(few), 10)), 1.0).value
    assert history.loss[-1] == pytest.approx(0.5 * frozen + 0.5 * soft, rel=0.05)
    history = train(model, few, hard_labels(few), steps=760, optimizer=SGD(1e-12), look_every=760)
    assert history.loss[-1] == history.parts[-1]["hard"] == pytest.approx(frozen, rel=0.05)


def test_a_curve_says_nothing_where_no_batch_had_a_label():
    split = small_split([0, UNLABELLED, UNLABELLED, UNLABELLED])
    plan = {"steps": 4, "batch_size": 1, "look_every": 1, "optimizer": SGD(1e-12)}
    history = train(MLP((4, 3)), split, hard_labels(split), **plan)
    known = ["hard" in parts for parts in history.parts]
    assert sum(known) == 1 and known == [np.isfinite(loss) for loss in history.loss]


def test_a_term_without_weight_counts_as_0_in_the_curve_of_the_loss():
    def ones(s, i):
        return Loss(1.0, np.zeros_like(s))

    growing = WeightedTerms(Term("always", 2.0, ones), Term("later", lambda epoch: epoch, ones))
    history = train(MLP((64, 10)), DIGITS.transfer, growing, steps=76, look_every=76)
    epochs = np.arange(76) / 38
    assert history.loss[-1] == pytest.approx(2 + epochs.mean())


def test_unlabelled_examples_are_never_learned_from():
    """Whatever the student says of them, and whatever their hidden labels were."""
    few = DIGITS.with_few_labels(50).transfer
    rows = np.arange(200)
    unlabelled = few.labels[rows] == UNLABELLED
    assert 0 < unlabelled.sum() < 200
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1, (200, 10))
    others = np.where(unlabelled[:, None], rng.normal(0, 1, (200, 10)), logits)
    one, other = (hard_label_loss(few)(x, few.index[rows]) for x in (logits, others))
    assert one.value == other.value
    np.testing.assert_array_equal(one.gradient, other.gradient)


def test_hard_labels_need_a_label():
    with pytest.raises(ValueError, match="need at least one label, got a split with none"):
        hard_labels(small_split([UNLABELLED] * 3))


# traditional distillation


@pytest.mark.parametrize("T", [1.0, 4.0, 20.0])
@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9])
def test_traditional_is_its_formula(alpha, T):
    split = small_split()
    teacher = small_outputs(split)
    logits = np.random.default_rng(3).normal(0, 1, (5, 3))
    outcome = traditional(split, teacher, T, alpha)({"logits": logits}, split.index, 0.0)
    hard = cross_entropy(logits, split.labels)
    soft = soft_target_loss(logits, teacher.at(split.index), T)
    assert outcome.value == pytest.approx(alpha * hard.value + (1 - alpha) * soft.value)
    assert outcome.parts == {"hard": hard.value, "soft": soft.value}
    np.testing.assert_allclose(
        outcome.gradients["logits"], alpha * hard.gradient + (1 - alpha) * soft.gradient
    )


def student_after(objective, steps=60):
    student = MLP((64, 10), seed=2)
    train(student, DIGITS.transfer, objective, steps=steps, seed=3)
    return student.vector


def test_alpha_1_is_hard_labels_bit_for_bit():
    np.testing.assert_array_equal(
        student_after(traditional(DIGITS.transfer, OUTPUTS, 4.0, 1.0)),
        student_after(hard_labels(DIGITS.transfer)),
    )


def test_alpha_0_does_not_depend_on_the_labels():
    wrong = DIGITS.with_label_noise(1.0).transfer
    none = replace(wrong, labels=np.full_like(wrong.labels, UNLABELLED))
    first, *others = (
        student_after(traditional(split, OUTPUTS, 4.0, 0.0))
        for split in (DIGITS.transfer, wrong, none)
    )
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_a_student_that_is_its_teacher_has_nothing_to_learn_at_alpha_0():
    twin = TEACHER.copy()
    train(twin, DIGITS.transfer, traditional(DIGITS.transfer, OUTPUTS, 4.0, 0.0), steps=1)
    np.testing.assert_allclose(twin.vector, TEACHER.vector, atol=0.011)  # one step of Adam at most
    scores = {"logits": OUTPUTS.at(DIGITS.transfer.index)}
    objective = traditional(DIGITS.transfer, OUTPUTS, 4.0, 0.0)
    outcome = objective(scores, DIGITS.transfer.index, 0.0)
    assert outcome.value == 0 and not outcome.gradients["logits"].any()


@pytest.mark.parametrize("bad, message", **cases(BAD_TEMPERATURES))
def test_traditional_refuses_a_bad_temperature_at_once(bad, message):
    with pytest.raises(ValueError, match="T must be .* above 0, " + re.escape(message)):
        traditional(DIGITS.transfer, OUTPUTS, bad, 0.5)


@pytest.mark.parametrize("alpha", NOT_A_SHARE, ids=repr)
def test_traditional_refuses_a_weight_outside_the_simplex_at_once(alpha):
    message = f"alpha must be a number in 0 .. 1, got {alpha!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        traditional(DIGITS.transfer, OUTPUTS, 4.0, alpha)


def test_weights_may_sum_to_1_and_not_to_more():
    check_weights(alpha=0.3, beta=0.7)
    check_weights(alpha=0.1, beta=0.2, gamma=0.7)
    check_weights(alpha=0, beta=1)
    message = "the weights must sum to at most 1, got {'alpha': 0.5, 'beta': 0.6}"
    with pytest.raises(ValueError, match=re.escape(message)):
        check_weights(alpha=0.5, beta=0.6)
    for beta in NOT_A_SHARE:
        message = f"beta must be a number in 0 .. 1, got {beta!r}"
        with pytest.raises(ValueError, match=re.escape(message)):
            check_weights(alpha=0.0, beta=beta)


def test_a_teacher_of_another_width_is_refused():
    split = small_split()
    objective = traditional(split, small_outputs(split, classes=4), 4.0, 0.5)
    with pytest.raises(ValueError, match=re.escape("got (5, 4) for the teacher and (5, 3)")):
        objective({"logits": np.zeros((5, 3))}, split.index, 0.0)


def test_a_teacher_that_was_asked_about_other_examples_is_refused():
    split = small_split()
    objective = traditional(split, small_outputs(small_split(start=12)), 4.0, 0.5)
    with pytest.raises(ValueError, match="nothing is known of example 10 of the data set"):
        objective({"logits": np.zeros((5, 3))}, split.index, 0.0)


# what would be lost or guessed is refused


@pytest.mark.parametrize("index", [[False, True, True], [1.0], [], ["1"], [[1]], 1])
def test_rows_are_found_by_whole_numbers_alone(index):
    """A mask of True and False would be taken for the examples 0 and 1."""
    rows = Aligned(np.arange(3), np.arange(3))
    with pytest.raises(ValueError, match="an index must hold whole numbers along one axis"):
        rows.at(np.array(index))


def test_an_index_may_be_as_large_as_it_likes():
    rows = Aligned(np.array([10**13, 5]), np.array([7.0, 8.0]))
    assert rows.at(np.array([5, 10**13, 5])).tolist() == [8, 7, 8]
    with pytest.raises(ValueError, match="need one row for each"):
        Aligned(np.empty(0, int), np.empty(0))


def test_outputs_do_not_change_with_the_array_they_came_from():
    logits = np.zeros((3, 2))
    outputs = TeacherOutputs(np.arange(3), {"logits": logits})
    logits[:] = 7
    assert not outputs.at(np.arange(3)).any()


def term(**given):
    return Term(**{"name": "a", "weight": 1.0, "loss": lambda z, _: Loss(0.0, 0 * z)} | given)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ([], "needs terms, of different names, got []"),
        ([term(), term()], "needs terms, of different names, got ['a', 'a']"),
        (["hard"], "each term must be a Term, got str"),
    ],
)
def test_an_objective_that_makes_no_sense_is_refused(terms, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        WeightedTerms(*terms)


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf, "1", True])
@pytest.mark.parametrize("curriculum", [False, True])
def test_a_weight_below_0_or_not_finite_is_refused(weight, curriculum):
    objective = WeightedTerms(term(weight=(lambda epoch: weight) if curriculum else weight))
    with pytest.raises(ValueError, match=re.escape(f"at least 0, got {weight!r}")):
        objective({"logits": np.zeros((2, 2))}, np.arange(2), 0.0)


def test_scores_that_the_student_lacks_are_named():
    objective = WeightedTerms(term(on="hidden_9"))
    message = "'a' looks at the student's 'hidden_9'; it has only ['logits']"
    with pytest.raises(ValueError, match=re.escape(message)):
        objective({"logits": np.zeros((2, 2))}, np.arange(2), 0.0)


@pytest.mark.parametrize(("alpha", "beta"), [(0.9, 0.1), (0.7, 0.3), (1, 0)])
@pytest.mark.parametrize("method", [step_by_step, cosine_enhanced])
def test_weights_that_sum_to_1_leave_nothing_for_the_soft_targets(method, alpha, beta):
    """1 - 0.9 - 0.1 is not quite 0."""
    split = small_split()
    objective = method(split, small_outputs(split), 1, alpha, beta)
    outcome = objective({"logits": np.ones((5, 3))}, split.index, 0.0)
    assert "soft" not in outcome.parts


# doors for a reader's own teacher


def test_probabilities_become_logits_whose_softmax_they_are():
    p = np.random.default_rng(0).dirichlet(np.ones(4), 6)
    outputs = TeacherOutputs.from_probabilities(np.arange(6), p)
    np.testing.assert_allclose(softmax(outputs.at(np.arange(6))), p, atol=1e-12)


def test_a_class_that_the_teacher_rules_out_gets_the_floor():
    outputs = TeacherOutputs.from_probabilities([7, 3], [[1.0, 0.0], [0.25, 0.75]], floor=0.01)
    expected = [[0.25, 0.75], [1 / 1.01, 0.01 / 1.01]]
    np.testing.assert_allclose(softmax(outputs.at([3, 7])), expected)


@pytest.mark.parametrize(
    ("p", "floor", "message"),
    [
        ([[0.5, 0.6]], 1e-6, "probabilities must sum to 1, got a sum of 1.1"),
        ([[1.5, -0.5]], 1e-6, "probabilities must be at least 0, got -0.5"),
        ([0.5, 0.5], 1e-6, "probabilities must have shape (examples, classes), got (2,)"),
        ([[0.3333, 0.6666]], 1e-6, "divide each row by its sum"),
        ([[0.5, 0.5]], 0, "floor must lie above 0 and below 1 / classes, got 0"),
        ([[0.5, 0.5]], 0.5, "floor must lie above 0 and below 1 / classes, got 0.5"),
        ([[0.5, 0.5]], "x", "floor must be a finite number of at least 0, got 'x'"),
    ],
)
def test_what_is_no_probability_is_refused(p, floor, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        TeacherOutputs.from_probabilities([0], p, floor)


def test_probabilities_in_the_place_of_logits_are_warned_of():
    p = np.random.default_rng(0).dirichlet(np.ones(4), 6)
    for rows in (p, p.round(3)):
        with pytest.warns(UserWarning, match="from_probabilities takes them"):
            TeacherOutputs(np.arange(6), {"logits": rows})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TeacherOutputs(np.arange(6), {"logits": np.log(p)})
        TeacherOutputs(np.arange(6), {"logits": 2 * p, "probabilities": p})
        TeacherOutputs(np.arange(6), {"logits": np.ones((6, 1))})


def test_the_logarithm_of_0_is_explained():
    with pytest.raises(ValueError, match=r"got -inf at index .*from_probabilities"):
        TeacherOutputs([0], {"logits": [[0.0, -np.inf]]})


class Forest:
    """What a reader's teacher may look like."""

    def predict_proba(self, inputs):
        return np.ones((len(inputs), 3)) / 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TeacherOutputs.of(Forest(), DIGITS.test), "model of this library, got Forest"),
        (lambda: TeacherOutputs.of(MLP((64, 10)), DIGITS), "split must be a Split, got Dataset"),
        (lambda: TeacherOutputs([0], np.zeros((1, 3))), "scores must be a Mapping, got ndarray"),
        (lambda: traditional(DIGITS, OUTPUTS, 2, 0.5), "split must be a Split, got Dataset"),
        (lambda: traditional(DIGITS.train, MLP((64, 10)), 2, 0.5), "a TeacherOutputs, got MLP"),
        (lambda: step_by_step(DIGITS.train, None, 2, 0.5, 0.5), "TeacherOutputs, got NoneType"),
        (lambda: hard_labels(DIGITS), "split must be a Split, got Dataset"),
        (lambda: TeacherOutputs.of(MLP, DIGITS.test), "model of this library, got type"),
        (
            lambda: TeacherOutputs([0, 1], {"logits": [1.0, 2.0]}),
            "components), got (2,)",
        ),
    ],
)
def test_objects_of_another_kind_are_refused_at_the_door(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_outputs_introduce_themselves_in_a_line():
    outputs = TeacherOutputs.of(MLP((64, 8, 10)), DIGITS.test)
    assert repr(outputs) == "TeacherOutputs(400 examples: hidden_1 (8,), logits (10,))"
