"""A card says what the record says, and what few bits cost is what was right before and is not."""

import copy
import re

import numpy as np
import pytest

from distill_lib import crossed_interval, digits, interval, recorded, unpacked
from pictures.deployment import FLOAT, cost, error, model_card, won_back

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


def test_before_rounding_every_way_starts_from_the_same_student():
    for labels in (100, 1197):
        assert cost(CASES, labels, FLOAT, "rounded").mean == 0


def test_what_the_chapter_says_of_bits_is_so():
    """8 bits cost nothing that could be seen; 3 do; soft targets win most of it back."""
    for labels in (100, 1197):
        assert abs(cost(CASES, labels, 8, "rounded").mean) < 0.1
        assert cost(CASES, labels, 3, "rounded").low > 3
        assert cost(CASES, labels, 3, "teacher").high < 2
        assert won_back(CASES, labels, 3, "teacher", "closest").low > 0
    assert won_back(CASES, 100, 3, "teacher", "labels").low > 0
    many = won_back(CASES, 1197, 3, "teacher", "labels")  # with all labels there is no difference
    assert many.low < 0 < many.high
