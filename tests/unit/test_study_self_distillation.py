"""The study of self-distillation does what its formulas say."""

import numpy as np
import pytest

from distill_lib import packed, recorded, softmax
from distill_lib.data import UNLABELLED, Split
from pictures import ch10

pytestmark = pytest.mark.slow  # the digits, and all that a study imports
RNG = np.random.default_rng(0)


@pytest.fixture
def sd(study):
    return study("self_distillation")


@pytest.fixture
def split():
    labels = np.array([3, 1, UNLABELLED, 0, 9, UNLABELLED])
    return Split(RNG.normal(size=(6, 64)), labels, np.array([7, 2, 5, 11, 3, 4]))


def loss(sd, z, y, q, w):
    return sd.pull(softmax(z), y, q, w)[0]


@pytest.mark.parametrize("w", [0.0, 0.3, 1.0])
def test_the_pull_is_the_slope_of_its_loss(sd, w):
    z, q = RNG.normal(size=(4, 10)), softmax(RNG.normal(size=(4, 10)))
    y = np.eye(10)[[1, 2, 3, 4]]
    y[2] = 0  # no label
    _, gradient = sd.pull(softmax(z), y, q, w)
    for place in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[place] = 1e-6
        slope = (loss(sd, z + step, y, q, w) - loss(sd, z - step, y, q, w)) / 2e-6
        assert gradient[place] == pytest.approx(slope, abs=1e-7)


def test_with_all_labels_the_pull_is_towards_the_mixture(sd):
    p, q = softmax(RNG.normal(size=(2, 5, 10)))
    y = np.eye(10)[[0, 1, 2, 3, 4]]
    _, gradient = sd.pull(p, y, q, 0.3)
    np.testing.assert_allclose(gradient, (p - (0.7 * y + 0.3 * q)) / 5)


def test_an_example_without_a_label_is_pulled_by_the_answer_alone(sd, split):
    labels = sd.one_hot(split)[split.index]
    assert labels.sum(axis=1).tolist() == [1, 1, 0, 1, 1, 0]
    p, q = softmax(RNG.normal(size=(2, 6, 10)))
    _, gradient = sd.pull(p, labels, q, 0.4)
    np.testing.assert_allclose(gradient[2], 0.4 * (p[2] - q[2]) / 6)
    np.testing.assert_allclose(gradient[0], 0.6 * (p[0] - labels[0]) / 4 + 0.4 * (p[0] - q[0]) / 6)


def test_progressive_targets_are_the_answers_of_the_pass_before(sd, split):
    before = sd.Before(split)
    first, second = (RNG.normal(size=(6, 10)) for _ in range(2))
    start = before({"logits": first}, split.index, 0.0)
    np.testing.assert_array_equal(start, sd.one_hot(split)[split.index])
    again = before({"logits": second[::-1]}, split.index[::-1], 1.0)
    np.testing.assert_allclose(again, softmax(first)[::-1])
    last = before({"logits": first}, split.index, 2.0)
    np.testing.assert_allclose(last, softmax(second))


def test_the_target_of_a_view_is_the_answer_to_the_other(sd, split):
    z = RNG.normal(size=(12, 10))
    q = sd.other_view({"logits": z}, split.index, 0.0)
    np.testing.assert_allclose(q[:6], softmax(z[6:]))
    np.testing.assert_allclose(q[6:], softmax(z[:6]))


def test_two_views_differ_by_noise_of_the_stated_size(sd):
    x = np.full((500, 64), 0.5)
    views = sd.two_views(0.3)(x, np.random.default_rng(0))
    assert views.shape == (1000, 64) and not np.array_equal(views[:500], views[500:])
    assert np.std(views) == pytest.approx(0.3, rel=0.02)
    assert np.corrcoef(views[:500].ravel(), views[500:].ravel())[0, 1] == pytest.approx(0, abs=0.02)


def test_what_is_kept_for_an_exit_neither_enters_the_body_nor_pulls_it_from_above(sd):
    model = sd.with_exit(0)
    x = RNG.normal(size=(5, 64))
    scores = model.scores(x)
    assert scores["exit"].shape == scores["logits"].shape == (5, 10)
    W, b = (model.parameters[f"{name}2"] for name in "Wb")
    W[:, 64:] += 1
    b[64:] += 1
    np.testing.assert_array_equal(model.logits(x), scores["logits"])
    assert not np.array_equal(model.scores(x)["exit"], scores["exit"])


def test_the_gradients_through_an_exit_are_those_of_finite_differences(sd):
    model, x = sd.with_exit(0), RNG.normal(size=(5, 64))
    pulls = {"logits": RNG.normal(size=(5, 10)), "exit": RNG.normal(size=(5, 10))}
    model.forward(x)
    model.backward(pulls)
    gradient = model.gradient_vector.copy()

    def value(vector):
        model.vector = vector
        scores = model.scores(x)
        return sum(np.sum(scores[name] * pull) for name, pull in pulls.items())

    start = model.vector.copy()
    for k in RNG.choice(len(start), 60, replace=False):
        step = np.zeros_like(start)
        step[k] = 1e-5
        slope = (value(start + step) - value(start - step)) / 2e-5
        assert gradient[k] == pytest.approx(slope, abs=1e-6)


def test_the_late_exit_learns_labels_alone_whatever_the_early_one_is_taught(sd, split):
    whole = split.labelled
    scores = {name: RNG.normal(size=(4, 10)) for name in ("logits", "exit")}
    plain, taught = (sd.exits(whole, w)(scores, whole.index, 0.0).gradients for w in (0, 0.7))
    np.testing.assert_array_equal(plain["logits"], taught["logits"])
    p, q, y = softmax(scores["exit"]), softmax(scores["logits"]), np.eye(10)[whole.labels]
    np.testing.assert_allclose(taught["exit"], (p - 0.3 * y - 0.7 * q) / 4)


def test_two_students_without_a_word_to_each_other_learn_as_if_alone(sd):
    whole = sd.mislabelled(60, 0.3, 1)
    plan = sd.Plan(0.003, 30, 32, 1)
    pair = [sd.student(1), sd.student(501)]
    sd.together(pair, whole, 0.0, plan)
    for model, start in zip(pair, (0, sd.OTHER), strict=True):
        alone = sd.on_labels(whole, plan, start)
        np.testing.assert_allclose(model.vector, alone.vector, atol=1e-12)
    alone = [model.vector.copy() for model in pair]
    pair = [sd.student(1), sd.student(501)]
    sd.together(pair, whole, 0.5, plan)
    assert not np.allclose(pair[0].vector, alone[0])


def test_an_untrained_teacher_has_the_spread_of_a_trained_one(sd):
    whole = sd.mislabelled(60, 0.3, 1)
    model = sd.on_labels(whole, sd.Plan(0.003, 30, 32, 1))
    z = np.log(sd.untrained(whole, model, 5))
    like = model.logits(whole.inputs)
    raw = sd.student(5).logits(whole.inputs)
    raw = raw * like.std() / raw.std()
    np.testing.assert_allclose(
        z - z.mean(axis=1, keepdims=True), raw - raw.mean(axis=1, keepdims=True), atol=1e-9
    )


def test_the_share_of_wrong_labels_is_the_one_asked_for(sd):
    right = sd.mislabelled(300, 0, 4)
    wrong = sd.mislabelled(300, 0.3, 4)
    assert np.array_equal(right.index, wrong.index)
    assert np.mean(right.labels != wrong.labels) == 0.3


def test_half_of_a_balanced_split_is_labelled_and_each_copy_is_whole(sd, split):
    pool = sd.balanced(split)
    known = pool.labels != UNLABELLED
    assert known.sum() == 4 and (~known).sum() == 2
    many = Split(
        np.repeat(split.inputs, 3, axis=0), np.array([5, *[UNLABELLED] * 17]), np.arange(18)
    )
    pool = sd.balanced(many)
    known = pool.labels != UNLABELLED
    assert known.sum() == 17 and (pool.labels[known] == 5).all()
    assert (pool.inputs[known] == many.inputs[0]).all()
    assert len(np.unique(pool.index)) == len(pool)


def test_every_method_has_as_many_trials_and_those_without_a_weight_the_same_rates(sd):
    assert len(sd.PAIRS) == len(sd.RATES) == len(sd.TRIALS)
    assert {rate for rate, _ in sd.PAIRS} < set(sd.RATES)
    assert all(sd.dials("labels", k) == (sd.RATES[k], 0) for k in sd.TRIALS)
    assert [sd.dials("mutual", k) for k in sd.TRIALS] == sd.PAIRS


def test_the_chapter_reads_a_trial_as_the_study_did(sd):
    assert ch10.PAIRS == sd.PAIRS and ch10.RATES == sd.RATES
    for method in sd.METHODS:
        for trial in sd.TRIALS:
            row = {"method": method, "rate": trial}
            assert ch10.chosen(row) == sd.dials(method, trial), (method, trial)


def test_a_pair_is_judged_by_its_mean_answer(sd, study):
    pair, test = [sd.student(0), sd.student(1)], study("common").data().test
    measures = sd.judged(pair, study("common").data())
    mean = (softmax(pair[0].logits(test.inputs)) + softmax(pair[1].logits(test.inputs))) / 2
    right = mean.argmax(axis=1) == test.labels
    assert measures["pair"] == right.mean() and measures["right_pair"] == packed(right)
    assert "pair" not in sd.judged(pair[:1], study("common").data())


# --- Second looks, at fixed rates -----------------------------------------------------------------


def record(name, *by):
    return {tuple(row[k] for k in by): row for row in recorded(name)["rows"]}


def test_a_fixed_rate_that_was_chosen_before_gives_the_same_students():
    fixed = record("self_distillation_rates", "share", "method", "learning_rate", "w")
    wrong = record("self_distillation_wrong", "share", "method")
    assert ch10.chosen(wrong[0.3, "smoothing"]) == (0.003, 0.5)
    assert fixed[0.3, "smoothing", 0.003, 0.5]["right"] == wrong[0.3, "smoothing"]["right"]


def test_one_of_the_two_students_of_one_teacher_is_the_one_of_the_table():
    same = record("self_distillation_rates_same", "inputs")
    few = record("self_distillation_unlabelled", "labels", "method")
    assert same["all",]["right"] == few[30, "born again, all inputs"]["right"]
    assert same["labelled",]["right"] != few[30, "born again, labelled inputs"]["right"]


def test_a_student_that_believes_every_label_is_right_on_none_of_the_wrong_ones(
    sd, study, monkeypatch
):
    rates = study("self_distillation_rates")

    class Believer:
        def __init__(self, split):
            self.known = {x.tobytes(): k for x, k in zip(split.inputs, split.labels, strict=True)}

        def logits(self, inputs):
            return np.eye(10)[[self.known.get(x.tobytes(), 0) for x in inputs]]

    monkeypatch.setattr(rates, "models_of", lambda method, split, *_: [Believer(split)])
    run = {"method": "labels", "learning_rate": 0.003, "w": 0.0, "seed": 1}
    run |= {"digits": 60, "steps": 1, "batch_size": 32}
    assert rates.self_distillation_rates(share=0.3, **run)["on_wrong"] == 0
    assert "on_wrong" not in rates.self_distillation_rates(share=0, **run)
