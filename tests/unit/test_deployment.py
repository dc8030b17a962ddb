"""A card says what the record says, and what few bits cost is what was right before and is not."""

import copy
import re

import numpy as np
import pytest

from distill_lib import crossed_interval, digits, interval, recorded, softmax, unpacked
from pictures.deployment import (
    FLOAT,
    added,
    answers,
    cost,
    draw_alarm,
    draw_asked,
    draw_speed,
    error,
    model_card,
    on_a_page,
    sized,
    won_back,
)

RECORD = recorded("int8")
CASES = {(row["labels"], row["bits"], row["method"]): row for row in RECORD["rows"]}
ROW, DIGITS = CASES[100, 3, "teacher"], digits()
ABOUT = {
    "name": "A student",
    "teacher": "64-256-256-10",
    "use": "To be read about.",
    "limits": ["No"],
}


def card(record=RECORD, row=ROW, data=DIGITS, **changes):
    return model_card(record, row, data, **ABOUT | changes)


def cells(text):
    """By the first column of its tables, the second."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    rows = [re.split(r"(?<!\\)\|", line.strip("| ")) for line in lines]
    assert all(len(row) >= 2 for row in rows)
    return {row[0].strip(): row[1].strip() for row in rows}


def test_a_card_says_how_to_get_it_again():
    text = card()
    for what in ("command", "date", "library", "machine"):
        assert RECORD[what] in text
    assert all(version in text for version in RECORD["versions"].values())
    assert cells(text)["seeds"] == "20: 0 to 19"


def test_a_card_says_all_that_was_set():
    said = cells(card())
    assert said["student"] == "64-16-10" and said["teacher"] == "64-256-256-10"
    assert said["temperature T of the soft targets in training (in use it is 1)"] == "4"
    assert said["α, the weight of the hard labels"] == "0.1"
    assert said["examples"] == "train 1197, transfer 1197, validation 200, test 400"
    assert (said["bits"], said["method"], said["bytes of its parameters"]) == (
        "3",
        "teacher",
        "652",
    )
    assert said["learning rate"] == str(ROW["rate"]) and str(max(ROW["trials"].values())) in str(
        said
    )
    known = {"command", "date", "library", "versions", "machine", "rows", "seeds"}
    for name, value in RECORD.items():
        if name not in known and not isinstance(value, list):
            assert str(value) in said.values(), name


def test_a_card_says_no_rate_where_none_mattered():
    said = cells(card(row=CASES[100, 3, "rounded"]))
    assert "learning rate" not in said and said["method"] == "rounded"


def test_its_figures_are_the_records_with_their_intervals():
    said, right = cells(card()), unpacked(ROW["right"], 400).astype(float)
    assert right.mean(axis=1) == pytest.approx(ROW["accuracy"])
    assert said["accuracy, %"] == f"{crossed_interval(right).scaled(100):.2f}"
    assert said["expected calibration error"] == f"{interval(ROW['calibration_error']):.4f}"
    assert said["negative log-likelihood, nats"] == f"{interval(ROW['nll']):.4f}"


def test_it_is_a_function_of_what_it_gets_and_leaves_that_as_it_was():
    before = copy.deepcopy((RECORD, ROW))
    assert card() == card() and before == (RECORD, ROW)
    other = copy.deepcopy(RECORD) | {"date": "2031-01-01", "alpha": 0.77}
    assert (
        "2031-01-01" in card(other)
        and cells(card(other))["α, the weight of the hard labels"] == "0.77"
    )


def test_limits_are_a_list_and_a_bar_does_not_break_a_table():
    text = card(limits=["Upright digits\nalone.", "No letters."], teacher="a | b")
    assert "- Upright digits alone.\n- No letters.\n" in text
    assert cells(text)["teacher"] == r"a \| b"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limits": []}, "limits must be one sentence or more"),
        ({"limits": "None."}, "limits must be one sentence or more, in a list, got 'None.'"),
        ({"name": " "}, "name must be a line of text, got ' '"),
        ({"use": None}, "use must be a line of text, got None"),
        ({"row": ROW | {"bits": 4}}, "row must be one of the record's"),
    ],
    ids=["no limits", "a text", "no name", "no use", "another row"],
)
def test_what_a_card_cannot_do_without_is_asked_for(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        card(**changes)


def test_a_row_without_a_measure_is_refused():
    row = {name: value for name, value in ROW.items() if name != "nll"}
    with pytest.raises(ValueError, match=re.escape("it lacks ['nll']")):
        card(RECORD | {"rows": [row]}, row)


# --- What few bits cost ---------------------------------------------------------------------------


def test_costs_are_differences_of_what_is_right():
    before, after = (
        np.array(CASES[100, bits, m]["accuracy"]) for bits, m in ((32, "rounded"), (3, "teacher"))
    )
    assert cost(CASES, 100, 3, "teacher").mean == pytest.approx(100 * (before - after).mean())
    labels = np.array(CASES[100, 3, "labels"]["accuracy"])
    gained = won_back(CASES, 100, 3, "teacher", "labels")
    assert gained.mean == pytest.approx(100 * (after - labels).mean())
    assert error(ROW).mean == pytest.approx(100 - 100 * after.mean())


def test_what_bits_add_to_a_lead_is_the_lead_less_that_without_rounding():
    few, all_bits = (won_back(CASES, 100, bits, "teacher", "labels") for bits in (2, FLOAT))
    found = added(CASES, 100, 2, "teacher", "labels")
    assert found.mean == pytest.approx(few.mean - all_bits.mean)
    assert added(CASES, 100, FLOAT, "teacher", "labels").mean == 0


def test_before_rounding_every_way_starts_from_the_same_student():
    for labels in (100, 1197):
        assert cost(CASES, labels, FLOAT, "rounded").mean == 0


def test_what_the_chapter_says_of_bits_is_so():
    """8 bits cost nothing that could be seen; 3 do; soft targets win most of it back."""
    for labels in (100, 1197):
        assert abs(cost(CASES, labels, 8, "rounded").mean) < 0.1
        assert cost(CASES, labels, 3, "rounded").low > 3
        assert cost(CASES, labels, 3, "teacher").high < 2.5
        assert won_back(CASES, labels, 3, "teacher", "closest").low > 0
    assert won_back(CASES, 100, 3, "teacher", "labels").low > 0
    assert won_back(CASES, 1197, 3, "teacher", "labels").high < 0.5  # with all labels, not ahead
    assert won_back(CASES, 1197, 2, "teacher", "labels").low > 0
    assert (
        added(CASES, 100, 3, "teacher", "labels").low
        < 0
        < added(CASES, 100, 2, "teacher", "labels").low
    )


# --- On the page ----------------------------------------------------------------------------------


def test_a_card_within_a_page_has_no_headings_and_all_of_its_lines():
    whole = card()
    text = on_a_page(whole)
    assert not re.search("^#", text, re.M) and "**A student**\n" in text
    assert len(text.splitlines()) == len(whole.splitlines())


def test_answers_are_two_short_lines_for_each_request():
    served = recorded("served")["requests"]
    lines = [*answers(served)]
    assert len(lines) == 2 * len(served) and max(map(len, lines)) <= 80
    assert lines[0] == "one digit: 200" and re.fullmatch(r" +9, with 0\.\d{4}", lines[1])
    assert all(line.endswith(": 422") for line in lines[2::2])


def test_times_are_those_of_the_pair_and_engine_asked_for():
    record = recorded("deployment")
    rows = sized(record, "large", "ONNX Runtime")
    assert {*rows} == {"teacher", "student"}
    _, text = draw_speed(record, "large", "ONNX Runtime", "a batch of 256")
    ratio = record["large"]["teacher_by_student"]["ONNX Runtime"]["batch"]
    assert f"{ratio['median']:.1f} times the time" in text
    assert f"{rows['student']['batch_us']['p99']:.0f}." in text


def test_what_the_chapter_says_of_speed_is_so():
    """The ratio of times is below that of the work, most of all for one example."""
    record = recorded("deployment")
    for pair in ("digits", "large"):
        ratios = record[pair]["teacher_by_student"]
        for engine in ("NumPy", "ONNX Runtime"):
            single, batch = (ratios[engine][kind]["median"] for kind in ("single", "batch"))
            assert 1 < single < batch < ratios["parameters"]
    assert record["digits"]["teacher_by_student"]["NumPy"]["single"]["low"] < 1


def test_an_alarm_is_told_from_where_the_digits_turn():
    evidence = {"early": np.ones(30), "late": np.r_[np.zeros(24), np.ones(6)], "no": np.zeros(30)}
    _, text = draw_alarm({90: np.zeros(64)}, {90: evidence}, 20, 90)
    assert "early fires before they turn, at digit 1; late fires after 5; no does not fire." in text


def test_T_changes_no_answer_and_every_confidence():
    test = DIGITS.test
    logits = np.random.default_rng(0).normal(0, 3, (len(test), 10))
    _, text = draw_asked(test.inputs, logits, test.labels, {"it": 7}, "it", 4)
    assert "Of all 400 digits 0 have another answer" in text
    assert f"confidence is {100 * softmax(logits, 4).max(axis=1).mean():.1f}%" in text
