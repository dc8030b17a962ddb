"""Records come back whole with what made them, and what is not a record is refused by name."""

import json
import re

import numpy as np
import pytest

from distill_lib import results
from distill_lib.results import library_digest, packed, record, recorded, unpacked

ROWS = [{"T": 4, "accuracy": [0.5, 0.25]}, {"T": 8, "accuracy": [1.0, 0.75]}]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The records' folder, which is not there yet."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


# What is recorded


def test_what_is_recorded_comes_back_with_what_made_it(folder):
    path = record("study_1", {"rows": ROWS}, range(3), "python studies/study.py")
    assert path == folder / "study_1.json"
    result = recorded("study_1")
    assert result["rows"] == ROWS and result["seeds"] == [0, 1, 2]
    assert result["command"] == "python studies/study.py"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", result["date"])
    assert set(result["versions"]) == {"python", "numpy", "scipy", "scikit-learn"}
    assert "cores" in result["machine"]
    assert result["library"] == library_digest()
    assert json.loads(path.read_text("utf-8")) == result


def test_numpys_numbers_are_recorded_as_numbers(folder):
    record("study", {"x": np.float32(0.5), "y": np.arange(2), "z": range(2)}, np.arange(2), "")
    result = recorded("study")
    assert (result["x"], result["y"], result["z"]) == (0.5, [0, 1], [0, 1])
    assert result["seeds"] == [0, 1]


def test_what_is_not_json_is_refused_and_the_former_record_stays(folder):
    record("study", {"x": 1}, [0], "")
    with pytest.raises(ValueError, match="not JSON compliant"):
        record("study", {"x": float("nan")}, [0], "")
    assert recorded("study")["x"] == 1 and [p.name for p in folder.iterdir()] == ["study.json"]


@pytest.mark.parametrize("seed", [0.5, -1, True, "0"])
def test_seeds_are_whole_numbers(folder, seed):
    with pytest.raises(
        ValueError, match=re.escape(f"seed must be a whole number of at least 0, got {seed!r}")
    ):
        record("study", {}, [0, seed], "")
    assert not folder.exists()


@pytest.mark.parametrize("name", ["../evil", "a/b", "/etc/passwd", "", ".", "a.b", "a b", "a\n", 3])
def test_a_name_cannot_climb_out_of_the_folder(folder, name):
    message = f"letters, digits and underscores, got {name!r}"
    for call in (lambda: record(name, {}, [0], ""), lambda: recorded(name)):
        with pytest.raises(ValueError, match=re.escape(message)):
            call()
    assert [*folder.parent.iterdir()] == []


# What is not there, or no record


def test_a_result_that_is_not_there_is_refused_and_those_that_are_named(folder):
    for name in ("b", "a"):
        record(name, {}, [0], "")
    message = f"no recorded result 'c' in {folder}; there are ['a', 'b']"
    with pytest.raises(ValueError, match=re.escape(message)):
        recorded("c")


def test_installed_without_its_repository_the_library_says_where_its_results_are(folder):
    with pytest.raises(ValueError, match=re.escape(f"in {folder}; there are none: run `pip")):
        recorded("labels")


def test_a_content_cannot_say_otherwise_what_the_record_says(folder):
    with pytest.raises(ValueError, match=re.escape("says itself: ['library', 'seeds']")):
        record("study", {"library": "another", "seeds": [9]}, [0], "")


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_record_that_is_cut_off_names_its_file(folder, share):
    path = record("study", {"rows": ROWS}, range(3), "")
    text = path.read_text("utf-8").rstrip()
    path.write_text(text[: int(share * len(text))], "utf-8")
    with pytest.raises(ValueError, match=re.escape(f"{path} is no whole JSON file: ")):
        recorded("study")


@pytest.mark.parametrize("content", [[1, 2], {}, {"command": "", "date": ""}, "text", None])
def test_json_of_another_kind_is_no_record_and_names_its_file(folder, content):
    path = record("study", {}, [0], "")
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ValueError, match=re.escape(f"{path} is no record")):
        recorded("study")


# Fingerprints


def test_the_librarys_fingerprint_changes_with_any_edit_of_what_computes(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "__file__", str(tmp_path / "results.py"))
    seen = {library_digest()}
    for name, text in [("a.py", "x = 1"), ("a.py", "x = 2"), ("b.py", "x = 2"), ("c.py", "")]:
        (tmp_path / name).write_text(text)
        assert library_digest() == library_digest()
        seen.add(library_digest())
    (tmp_path / "b.py").unlink()
    seen.add(library_digest())
    assert len(seen) == 6
    (tmp_path / "figures.py").write_text("a colour")
    assert library_digest() in seen


def test_what_only_draws_is_there_and_computes_nothing(root):
    """A module that is renamed must not fall silently under those that compute, or out of them."""
    assert {path.name for path in (root / "distill_lib").glob("*.py")} >= results.DRAWING


@pytest.mark.parametrize("n", [1, 8, 13, 400])
def test_what_was_packed_comes_out_again(n):
    flags = np.random.default_rng(n).random((3, n)) < 0.8
    texts = [packed(row) for row in flags]
    assert all(len(text) <= n / 4 + 2 for text in texts)
    assert np.array_equal(unpacked(texts, n), flags)


@pytest.mark.parametrize("texts", [[], ["ff"], ["ffff", "ff"]])
def test_texts_of_another_length_are_refused(texts):
    with pytest.raises(ValueError, match="need texts of 16 examples each, got "):
        unpacked(texts, 16)
