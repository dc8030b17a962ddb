"""Views: moved as it says, targets mixed as images are, a teacher asked about what is seen."""

import numpy as np
import pytest

from distill_lib import TeacherOutputs, cross_entropy, soft_target_loss, softmax
from distill_lib.data import Split
from distill_lib.distillation import Aligned

pytestmark = pytest.mark.slow  # all that a study imports
RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 64))
SCORES = RNG.normal(size=(6, 10))


@pytest.fixture(scope="module")
def views(study):
    return study("offline_views")


class Fixed:
    """A generator whose moves are given."""

    def __init__(self, shifts):
        self.shifts = np.asarray(shifts, float)

    def uniform(self, low, high, shape):
        assert (low, high) == (-1, 1)
        return np.broadcast_to(self.shifts.reshape(2, 1, 1, 1), shape)


def test_a_move_of_a_whole_pixel_brings_each_to_its_neighbours_place(views):
    image = IMAGES[0].reshape(8, 8)
    moved = views.moved(IMAGES[:1], Fixed([1, -1])).reshape(8, 8)
    expected = np.zeros((8, 8))
    expected[1:, :-1] = image[:-1, 1:]  # down, and to the left
    np.testing.assert_allclose(moved, expected)


def test_a_move_of_half_a_pixel_is_the_mean_of_two_and_none_changes_nothing(views):
    np.testing.assert_allclose(views.moved(IMAGES, Fixed([0, 0])), IMAGES)
    none, one, half = (views.moved(IMAGES, Fixed([0, s])) for s in (0, 1, 0.5))
    np.testing.assert_allclose(half, (none + one) / 2)


def test_images_move_each_its_own_way_and_no_further_than_a_pixel(views):
    dot = np.zeros((2000, 8, 8))
    dot[:, 4, 4] = 1
    moved = views.moved(dot.reshape(-1, 64), np.random.default_rng(0)).reshape(-1, 8, 8)
    np.testing.assert_allclose(moved.sum(axis=(1, 2)), 1)
    assert np.count_nonzero(moved.sum(axis=0)) == 9 and len(np.unique(moved, axis=0)) == 2000
    place = (moved.sum(axis=2) @ np.arange(8), moved.sum(axis=1) @ np.arange(8))
    for centre in place:
        assert abs(centre.mean() - 4) < 0.05 and abs(centre.std() - 1 / np.sqrt(3)) < 0.05


def test_targets_are_mixed_as_the_images_are(views):
    """Of images that are one-hot, the mixed image is its own target."""
    hot, index = np.eye(10)[:6], np.arange(6)
    alike = views.MixedAlike(Aligned(index, hot), T=1)
    seen = alike.augment(hot, np.random.default_rng(0))
    assert np.allclose(seen.sum(axis=1), 1) and (np.count_nonzero(seen, axis=1) == 2).any()
    best = alike({"logits": np.log(np.maximum(seen, 1e-9))}, index, 0.0)
    assert best.value == pytest.approx(0, abs=1e-6)
    assert np.abs(best.gradients["logits"]).max() < 1e-6


def test_what_is_not_mixed_is_the_plain_loss(views):
    index, labels = np.arange(6), RNG.integers(0, 10, 6)
    for targets, T in ((np.eye(10)[labels], 1), (softmax(2 * SCORES, 4), 4)):
        alike = views.MixedAlike(Aligned(index, targets), T)
        alike.shares = np.eye(6)
        got = alike({"logits": SCORES}, index, 0.0)
        plain = cross_entropy(SCORES, labels) if T == 1 else soft_target_loss(SCORES, 2 * SCORES, 4)
        np.testing.assert_allclose(got.gradients["logits"], plain.gradient, atol=1e-7)


def test_views_that_are_drawn_once_are_examples_with_their_images_labels(views):
    labels = np.arange(6)
    split = views.drawn_once(Split(IMAGES, labels, labels + 100), views.moved, 3, seed=0)
    assert len(split) == len(np.unique(split.index)) == 18
    assert split.labels.tolist() == 3 * labels.tolist()
    assert len(np.unique(split.inputs.round(9), axis=0)) == 18
    other = views.drawn_once(Split(IMAGES, labels, labels), views.moved, 3, seed=1)
    assert not np.allclose(split.inputs, other.inputs)


class Teacher:
    """Its logits are the first ten inputs."""

    def logits(self, inputs):
        return 5 * inputs[:, :10]

    def scores(self, inputs):
        return {"logits": self.logits(inputs)}


@pytest.mark.parametrize("change", ["moved", "mixed"])
def test_only_a_teacher_at_hand_is_asked_about_what_the_student_sees(views, change, monkeypatch):
    monkeypatch.setattr(views, "teacher", Teacher)
    split, index, rng = (
        Split(IMAGES, np.arange(6), np.arange(6)),
        np.arange(6),
        np.random.default_rng,
    )
    stored = TeacherOutputs.of(Teacher(), split)
    for way, right in (("same view", True), ("other view", False)):
        _, objective, augment = views.lesson(change, way, split, 0, 4, seed=0)
        seen = augment(IMAGES, rng(0))
        assert not np.allclose(seen, IMAGES)
        got = objective({"logits": SCORES}, index, 0.0).gradients["logits"]
        asked = Teacher().logits(seen) if right else stored.at(index)
        np.testing.assert_allclose(got, soft_target_loss(SCORES, asked, 4).gradient)
    once, objective, augment = views.lesson(change, "stored views", split, 2, 4, seed=0)
    assert augment is None and len(once) == 12
    got = objective({"logits": SCORES}, once.index[:6], 0.0).gradients["logits"]
    expected = soft_target_loss(SCORES, Teacher().logits(once.inputs[:6]), 4).gradient
    np.testing.assert_allclose(got, expected)


def test_labels_are_mixed_with_mixed_images_and_stay_with_moved_ones(views, monkeypatch):
    monkeypatch.setattr(views, "teacher", Teacher)
    split, index = Split(IMAGES, np.arange(6), np.arange(6)), np.arange(6)
    _, mixed, _ = views.lesson("mixed", "labels", split, 0, 4, seed=0)
    assert isinstance(mixed, views.MixedAlike) and mixed.T == 1
    _, moved, _ = views.lesson("moved", "labels", split, 0, 4, seed=0)
    got = moved({"logits": SCORES}, index, 0.0).gradients["logits"]
    np.testing.assert_allclose(got, cross_entropy(SCORES, split.labels).gradient)
