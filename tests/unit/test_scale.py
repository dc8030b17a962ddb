"""The arithmetic of scale, held against figures that were published and against counting."""

from math import inf

import numpy as np
import pytest

from pictures.scale import (
    PUBLISHED,
    bytes_per_example,
    different_ids,
    must_save,
    seconds_to_send,
    teacher_share,
    when_a_teacher_pays,
)


def test_bytes_are_those_that_were_published():
    paper = PUBLISHED["sparse logits"]
    assert bytes_per_example(paper["vocabulary"], "sampled", paper["ids"]) == paper["bytes"]


@pytest.mark.parametrize(
    "kind, k, expected", [("label", 0, 1), ("full", 0, 20), ("top-k", 3, 8), ("sampled", 3, 5)]
)
def test_bytes_of_ten_classes(kind, k, expected):
    """An id takes 4 bits, a number 16, a count 7: 4; 10 · 16; 3 · (4 + 16); 3 · (4 + 7)."""
    assert bytes_per_example(10, kind, k) == expected


def test_numbers_of_other_widths():
    assert bytes_per_example(10, "full", bits=32) == 2 * bytes_per_example(10, "full")
    assert bytes_per_example(256, "top-k", 4, bits=8) == 4 * 2


def test_all_ids_of_the_top_cost_more_than_the_full_answer():
    full = bytes_per_example(1000, "full")
    assert bytes_per_example(1000, "top-k", 615) < full < bytes_per_example(1000, "top-k", 616)


@pytest.mark.parametrize("kind, k", [("top-k", 0), ("sampled", 11), ("some", 3), ("top-k", 2.5)])
def test_what_is_no_way_to_store_an_answer_is_refused(kind, k):
    with pytest.raises(ValueError, match="must be"):
        bytes_per_example(10, kind, k)


def test_different_ids_are_those_that_are_drawn():
    p = np.array([0.6, 0.3, 0.05, 0.03, 0.02])
    rng = np.random.default_rng(0)
    counted = [len(set(rng.choice(5, 10, p=p))) for _ in range(4000)]
    error = np.std(counted) / len(counted) ** 0.5
    assert different_ids(p, 10) == pytest.approx(np.mean(counted), abs=4 * error)
    assert different_ids(p, 1) == pytest.approx(1)


def test_a_gigabyte_through_a_gigabit_takes_eight_seconds():
    assert seconds_to_send(1e9, 1) == 8


def test_stored_outputs_are_made_once_and_others_at_every_turn():
    """A teacher three times as large asks for as many operations as its student trains with."""
    assert teacher_share(3, 1) == 0.5
    assert teacher_share(3, 1, students=3, passes=3) == pytest.approx(1 / 10)
    assert teacher_share(3, 1, students=3, passes=3, stored=False) == 0.5


def test_a_teacher_pays_where_both_ways_cost_the_same():
    teacher, student, alone, distilled, first = 70e9, 1e9, 9e12, 3e12, 1e12
    n = when_a_teacher_pays(teacher, student, alone, distilled, first)
    without = n * 6 * student * alone
    with_it = n * 6 * student * distilled + 2 * teacher * distilled + 6 * teacher * first
    assert without == pytest.approx(with_it)
    assert when_a_teacher_pays(teacher, student, alone, distilled) < n, "it exists already"
    assert when_a_teacher_pays(teacher, student, alone, alone) == inf, "it saves nothing"


def test_the_published_share_of_the_logits():
    card = PUBLISHED["Llama 3.2"]
    hours = card["training_hours"], card["logits_hours"]
    assert round(100 * hours[1] / sum(hours), 1) == 9.4
    assert must_save(*hours) == pytest.approx(0.104, abs=5e-4)
