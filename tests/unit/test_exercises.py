"""What a reader is told of an answer."""

import numpy as np
import pytest

from distill_lib import softmax
from pictures.exercises import check


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
            "Not yet: every number is -1 times what is expected. Think of T.",
        ),
        ([1, 2], [1, 2, 3], "Not yet: expected shape (3,), yours is (2,). Think of T."),
        (3.0, [3.0], "Not yet: expected shape (1,), yours is (). Think of T."),
        ("four", 4, "Not yet: expected numbers, got str. Think of T."),
        ([[1], [1, 2]], [1], "Not yet: expected numbers, got list. Think of T."),
        (1j, 1, "Not yet: expected numbers, got complex. Think of T."),
        (np.nan, 1, "Not yet: nan or infinity came out where a number is expected. Think of T."),
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


LOGITS = [
    (np.array([1.0, 2.0, 3.0]), 5.0),
    (np.array([[1.0, 0.0, -1.0], [2.0, 0.0, 0.5]]), 1.0),
    (np.array([[1000.0, 0.0, -1000.0]]), 1.0),
]


def naive(z, T):
    e = np.exp(z / T)
    return e / e.sum(axis=-1, keepdims=True)


def wrong_axis(z, T):
    e = np.exp((z - z.max()) / T)
    return e / e.sum(axis=0)


MISTAKES = {
    "large logits overflow: subtract the largest first": naive,
    "that is softmax over the wrong axis": wrong_axis,
    "T is forgotten": lambda z, T: softmax(z),
}


@pytest.mark.parametrize(
    "answer, message",
    [
        (softmax, "Right."),
        (lambda z, T: softmax(z, T).round(7), "Right."),
        *[(wrong, f"Not yet: {words}.") for words, wrong in MISTAKES.items()],
        (
            lambda z, T: 1 / 0,
            "Not yet: your function raised ZeroDivisionError (division by zero), ",
        ),
        (lambda z: z, "Not yet: your function raised TypeError ("),
        (lambda z, T: None, "Over to you: put your code in place of the dots, and return "),
        (
            lambda z, T: "no",
            "Not yet: expected numbers, got str, for logits of shape (3,), T = 5. Hm.",
        ),
        (lambda z, T: softmax(z, T)[..., :1], "Not yet: expected shape (3,), yours is (1,), for "),
        (lambda z, T: 2 * softmax(z, T), "Not yet: every number is 2 times what is expected, for "),
        (3.0, "Not yet: expected a function, got a number or array. Hm."),
    ],
)
def test_a_function_is_tried_on_made_inputs_and_its_mistake_is_named(capsys, answer, message):
    check(answer, softmax, "Hm.", tries=LOGITS, mistakes=MISTAKES)
    assert capsys.readouterr().out.startswith(message)


def test_a_function_that_changes_its_input_is_told_so_and_does_no_harm(capsys):
    def greedy(z, T):
        z -= z.max(axis=-1, keepdims=True)
        return softmax(z, T)

    before = LOGITS[0][0].copy()
    check(greedy, softmax, tries=LOGITS)
    assert "changes its input" in capsys.readouterr().out
    assert np.array_equal(LOGITS[0][0], before)


@pytest.mark.parametrize("answer", [1.44, 1.4427, 1.442695, 1.4377, 1.4476])
def test_numbers_rounded_by_hand_to_the_digits_asked_for_are_right(capsys, answer):
    check(answer, 1 / np.log(2), decimals=2)
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize("answer", [1.43, 1.45, 1.437, 14.4])
def test_a_number_that_rounds_to_another_is_not(capsys, answer):
    check(answer, 1 / np.log(2), decimals=2)
    assert capsys.readouterr().out.startswith("Not yet")


def test_a_typical_wrong_number_gets_its_own_words_and_no_hint(capsys):
    check(0.7, 0.3, "Hm.", mistakes={"α and 1 − α are exchanged": 0.7}, decimals=1)
    assert capsys.readouterr().out == "Not yet: α and 1 − α are exchanged.\n"


def test_a_function_needs_something_to_be_tried_on():
    with pytest.raises(ValueError, match="expected tries, got none"):
        check(naive, softmax)
