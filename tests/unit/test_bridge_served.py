"""What the chapter on deployment shows of engines is what they do, and its blocks of code run.

Where there is no ONNX Runtime or FastAPI, the report says so, and what to do about it.
"""

import json
import re

import numpy as np
import pytest

from distill_lib import MLP, recorded, softmax

WHERE = "`make torch` runs it in an environment with them"
for package in ("onnx", "onnxruntime", "fastapi", "httpx2"):
    pytest.importorskip(package, reason=f"needs {package}: {WHERE}")
from bridges import record_served  # noqa: E402

RECORD = recorded("served")


@pytest.fixture(scope="module")
def again():
    return record_served.run()


def test_the_exported_student_is_the_student(again):
    assert RECORD["largest_difference"] <= 1e-6
    assert again["largest_difference"] <= 2e-6  # another processor sums in another order
    assert RECORD["same_answers"] == again["same_answers"] == RECORD["n_test"] == 400
    for kind in ("npz_bytes", "onnx_bytes"):
        assert abs(RECORD[kind] - again[kind]) < 200, kind


def test_requests_are_answered_as_recorded(again):
    (first, *bad), (other, *others) = RECORD["requests"], again["requests"]
    assert first["status"] == other["status"] == 200
    (one,), (two,) = (each["answer"]["predictions"] for each in (first, other))
    assert one["answer"] == two["answer"] == "9"
    assert one["probabilities"] == pytest.approx(two["probabilities"], abs=1e-5)
    assert bad == others and {request["status"] for request in bad} == {422}


def test_the_alarm_is_silent_before_the_digits_turn_and_not_after(again):
    for record in (RECORD, again):
        before, after = record["health"]
        assert (before["status"], after["status"]) == ("ok", "alarm")
        (watch,) = after["watches"]
        assert 1 < watch["fired_at"] <= 15


def cells(root, kind):
    """The text of the chapter's cells of a kind, by their names."""
    whole = json.loads((root / "chapters/15_deployment.ipynb").read_text("utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in whole if cell["cell_type"] == kind}


def blocks(root):
    """The Python of the chapter's text that is no solution of an exercise, in its order."""
    text = "\n".join(cells(root, "markdown").values())
    text = re.sub(r":::\{solution\}.*?\n:::\n", "", text, flags=re.S)
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


def test_the_chapters_blocks_run_as_they_stand(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data, student = record_served.student()
    names = {"student": student, "x": data.test.inputs, "softmax": softmax, "np": np}
    export, serve = blocks(root)
    exec(export, names)
    assert float(capsys.readouterr().out) <= 2e-6
    exec(serve, names)
    assert capsys.readouterr().out.split() == ["200", "9"]


def test_the_recorded_student_is_the_chapters(root):
    """Trained by the chapter's own cells."""
    code = cells(root, "code")
    names: dict[str, object] = {"MLP": MLP, "np": np}
    exec("from distill_lib import digits", names)
    exec(code["pair"] + "\n" + code["student"], names)
    _, student = record_served.student()
    np.testing.assert_array_equal(names["student"].vector, student.vector)
