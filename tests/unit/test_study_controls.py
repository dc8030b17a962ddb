"""The controls of the studies are what they are called."""

import numpy as np
import pytest

from distill_lib import TeacherOutputs, recorded, softmax
from distill_lib.data import Split

pytestmark = pytest.mark.slow  # the digits, and all that a study imports


@pytest.fixture
def scores():
    return np.random.default_rng(0).normal(size=(1197, 10))


@pytest.fixture
def outputs(study, scores):
    return TeacherOutputs(study("common").data().transfer.index, {"logits": scores})


@pytest.fixture
def few(study):
    return study("common").data().with_few_labels(30, 0).transfer.labelled


def test_evened_targets_keep_the_confidence_and_no_preference(study, outputs, few):
    p = softmax(outputs.at(few.index), 4.0)
    q = softmax(study("common").evened(outputs, few, 4.0).at(few.index), 4.0)
    np.testing.assert_allclose(q.max(axis=1), p.max(axis=1))
    assert np.array_equal(q.argmax(axis=1), p.argmax(axis=1))
    assert np.allclose(np.sort(q)[:, :-1], np.sort(q)[:, :1])


def test_the_mean_of_a_class_is_the_same_for_all_its_images(study, outputs, scores, few):
    pool = study("common").data().transfer
    q = softmax(study("controls").class_means(outputs, few, 4.0).at(few.index), 4.0)
    for digit in range(10):
        expected = softmax(scores, 4.0)[pool.labels == digit].mean(axis=0)
        for row in q[few.labels == digit]:
            np.testing.assert_allclose(row, expected)


@pytest.mark.parametrize("seed", [0, 1])
def test_anothers_target_is_of_the_same_class_and_never_ones_own(study, outputs, few, seed):
    pool = study("common").data().transfer
    own = TeacherOutputs(pool.index, {"logits": 2 * np.eye(len(pool))})  # row k points at example k
    given = study("controls").of_another(own, few, seed).at(few.index).argmax(axis=1)
    assert np.array_equal(pool.labels[given], few.labels)
    assert not np.any(pool.index[given] == few.index)


def test_the_random_teacher_is_untrained_and_of_the_spread_asked_for(study, few):
    model, outputs = study("controls").random_teacher(0, 9.0)
    every = outputs.at(study("common").data().transfer.index)
    assert every.std() == pytest.approx(9.0)
    assert np.array_equal(
        every.argmax(axis=1), model.logits(study("common").data().transfer.inputs).argmax(axis=1)
    )
    assert np.mean(outputs.at(few.index).argmax(axis=1) == few.labels) < 0.4


def test_a_digit_that_is_taken_out_leaves_the_others_in_place(study):
    split = Split(np.zeros((5, 2)), np.array([3, 1, 3, 2, 0]), np.arange(5))
    rest = study("never_shown").without(split, 3)
    assert rest.labels.tolist() == [1, 2, 0] and rest.index.tolist() == [1, 3, 4]


def test_a_student_of_evened_targets_never_finds_the_missing_digit(study):
    rows = recorded("never_shown")["rows"]
    found = {
        lesson: np.mean([row["found"] for row in rows if row["lesson"] == lesson])
        for lesson in ("evened", "ignorant teacher", "soft targets")
    }
    assert found["evened"] < 0.01 and found["ignorant teacher"] < 0.05 < found["soft targets"]


def test_rows_of_a_picture_are_normalised_off_the_diagonal(study):
    rows = study("class_similarity").by_row(np.random.default_rng(0).normal(size=(10, 10)) * 7)
    assert np.isnan(np.diag(rows)).all()
    np.testing.assert_allclose(np.nanmean(rows, axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(rows, axis=1), 1)


def test_at_its_own_dials_a_method_does_what_the_comparison_recorded():
    compared = {
        (row["setting"], row["method"]): row
        for row in recorded("comparison")["rows"]
        if row["regime"] == "all tuned"
    }
    rows = [r for r in recorded("comparison_equal")["rows"] if r["dials_of"] == r["method"]]
    assert len(rows) == 18
    for row in rows:
        before = compared[row["setting"], row["method"]]
        for measure in ("accuracy", "steps"):
            off = np.abs(np.subtract(row[measure], before[measure]))
            assert np.mean(off) <= (0.001 if measure == "accuracy" else 2), row["setting"]


def test_idle_digits_are_true_of_the_inputs(study, monkeypatch):
    steps, seen = study("step_by_step"), []
    monkeypatch.setattr(steps, "train", lambda model, split, objective, **_: seen.append(objective))
    steps.addition(20, "idle digits", 0.01, 0, steps=1, batch_size=2)
    inputs, _, _ = steps.sums(20 + 2 * steps.UNSEEN, 0)
    odd = inputs[:20, :30].reshape(20, 3, 10).argmax(axis=-1) % 2
    certain = 50 * np.eye(2)[odd].reshape(20, 6)
    rationale = next(term for term in seen[0].terms if term.on == "rationale")
    assert rationale.loss(certain, np.arange(20)).value == pytest.approx(0, abs=1e-9)
