"""What a reader is told of an answer."""

import numpy as np
import pytest

from distill_lib.exercises import check


def said(capsys, *args):
    check(*args)
    return capsys.readouterr().out


@pytest.mark.parametrize("answer", [..., None])
def test_an_answer_that_is_not_there_yet_is_no_mistake(capsys, answer):
    assert said(capsys, answer, 3.0, "a hint") == (
        "Over to you: put your answer in place of the dots.\n"
    )


@pytest.mark.parametrize(
    "answer, expected",
    [
        (0.5, 0.5),
        (1, 1.0),
        (0.3333333, 1 / 3),
        ([1, 2], np.array([1.0, 2.0])),
        (np.float32(0.1), 0.1),
        (np.zeros((2, 2)), np.zeros((2, 2))),
        (1e-12, 0.0),
        (True, 1),
    ],
)
def test_six_digits_are_right(capsys, answer, expected):
    assert said(capsys, answer, expected, "a hint") == "Right.\n"


@pytest.mark.parametrize(
    "answer, expected, message",
    [
        (0.5001, 0.5, "Not yet: the largest difference is 0.0001. Think of T."),
        ([1, 2, 3.5], [1, 2, 3], "Not yet: the largest difference is 0.5 at (2,). Think of T."),
        (
            [[0, 0], [-1, 0]],
            [[0, 0], [1, 0]],
            "Not yet: the largest difference is 2 at (1, 0). Think of T.",
        ),
        ([1, 2], [1, 2, 3], "Not yet: expected shape (3,), yours is (2,). Think of T."),
        (3.0, [3.0], "Not yet: expected shape (1,), yours is (). Think of T."),
        ("four", 4, "Not yet: expected numbers, got str. Think of T."),
        ([[1], [1, 2]], [1], "Not yet: expected numbers, got list. Think of T."),
        (1j, 1, "Not yet: expected numbers, got complex. Think of T."),
        (np.nan, 1, "Not yet: the largest difference is nan. Think of T."),
    ],
)
def test_a_wrong_answer_is_told_where_and_by_how_much_and_given_the_hint(
    capsys, answer, expected, message
):
    assert said(capsys, answer, expected, "Think of T.") == message + "\n"
    without = message.removesuffix(" Think of T.")
    assert said(capsys, answer, expected) == without + "\n"


@pytest.mark.parametrize("answer", ["0.5", np.array([0.5 + 2j]), [None]])
def test_only_numbers_can_be_right(answer, capsys):
    check(answer, 0.5)
    assert "Not yet: expected numbers" in capsys.readouterr().out
