"""Tables in Parquet and teachers in ONNX go the way of CSV and callables; students come as ONNX.

Where their packages are not, the report says so, and what to do about it.
"""

import numpy as np
import pytest
from test_own import KINDS, QUICK, guess, made, refused

from bridges import own, tables
from bridges.own import distil
from distill_lib import MLP, softmax

WHERE = "`make torch` runs it in an environment with it"


@pytest.fixture
def parquet():
    pytest.importorskip("pyarrow", reason=f"needs pyarrow: {WHERE}")
    import pyarrow
    from pyarrow.parquet import write_table

    def write(path, **columns):
        write_table(pyarrow.table(columns), path)
        return path

    return write


@pytest.fixture
def export():
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package, reason=f"needs {package}: {WHERE}")
    from bridges.onnx_export import export

    return export


# --- Parquet --------------------------------------------------------------------------------------


def test_a_parquet_file_is_read_as_the_same_csv(parquet, tmp_path):
    columns = {"a": [1.5, -3.0, 0.0], "b": [2, 400, 5], "y": ["x", None, "z"]}
    path = parquet(tmp_path / "t.parquet", **columns, on=[True, False, True], id=["p", "q", "r"])
    table = tables.read(path, "y", drop=["id"])
    assert table.names == ["a", "b", "on"] and table.labels.tolist() == ["x", None, "z"]
    assert np.array_equal(table.features, [[1.5, 2, 1], [-3, 400, 0], [0, 5, 1]])
    lines = ["a,b,y,on", "1.5,2,x,1", "-3,400,,0", "0,5,z,1"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    same = tables.read(tmp_path / "t.csv", "y")
    assert np.array_equal(same.features, table.features[:, [0, 1, 2]])
    assert same.labels.tolist() == table.labels.tolist()


def test_a_parquet_file_that_is_no_table_of_numbers_is_refused(parquet, tmp_path):
    def misread(words, path=tmp_path / "t.parquet", **columns):
        if columns:
            parquet(path, **columns)
        with pytest.raises(ValueError, match=words):
            tables.read(path, "y")

    misread("'a' must be numbers, got 'red' in row 1", a=["red", "blue"], y=["x", "z"])
    misread("'a' has no value in row 2: fill such cells in", a=[1, None], y=["x", "z"])
    misread("'a' has no value in row 2: fill such cells in", a=[1.0, np.nan], y=["x", "z"])
    misread("'a' must be finite, got inf in row 2", a=[1.0, np.inf], y=["x", "z"])
    misread("has no column 'y', only 'a', 'yy': did you mean 'yy'", a=[1], yy=["x"])
    misread("must have rows; it has none", a=[], y=[])
    broken = tmp_path / "t.parquet"
    broken.write_bytes(broken.read_bytes()[:-20])
    misread("t.parquet is no whole Parquet file")


def test_without_pyarrow_the_message_says_what_to_do(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(
        ValueError, match=r"package pyarrow: pip install pyarrow .*save the table as CSV"
    ):
        tables.read(tmp_path / "t.parquet", "y")


# --- ONNX -----------------------------------------------------------------------------------------


def taught(n_inputs=3):
    model = MLP((n_inputs, 3))
    model.vector = np.zeros(model.n_parameters)
    model.parameters["W1"][:] = 2 * np.eye(n_inputs, 3)
    return model


def test_a_teacher_in_a_file_is_the_teacher(export, tmp_path):
    x, y = made()
    export(taught(), tmp_path / "teacher.onnx", classes=[*KINDS])
    from_file = distil(x, y, tmp_path / "teacher.onnx", **QUICK)
    callable_one = distil(x, y, guess, **QUICK)
    soft = [r.methods["soft targets"].nll.mean for r in (from_file, callable_one)]
    assert abs(soft[0] - soft[1]) < 1e-4
    export(taught(), tmp_path / "turned.onnx", classes=[*KINDS[::-1]])
    classes, numbers = tables.checked_labels(y, 150, ())
    data = tables.dataset(x, "abc", numbers, classes)
    turned = own.ask(tmp_path / "turned.onnx", x, data, classes, None)
    assert np.allclose(turned, guess(x)[:, ::-1], atol=1e-6)


def test_files_of_other_teachers_are_refused(export, tmp_path):
    export(taught(), tmp_path / "other.onnx", classes=["cat", "dog", "yak"])
    refused("lacks 'eel', and has 'yak'", teacher=tmp_path / "other.onnx")
    export(taught(4), tmp_path / "wide.onnx")
    words = r"must have one input of shape \(rows, 3\), got .*4"
    refused(words, teacher=tmp_path / "wide.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    refused("broken.onnx is no ONNX file that can be run", teacher=tmp_path / "broken.onnx")


def test_the_exported_file_answers_as_the_student_on_raw_rows(export, tmp_path):
    from bridges.onnx_export import Deployed

    x, y = made()
    x = 50 * x + [0, 1000, -20]
    result = distil(x, y, lambda x: guess((x - [0, 1000, -20]) / 50), **QUICK)
    assert "student.onnx" in result.save(tmp_path).read_text("utf-8")
    deployed = Deployed(tmp_path / "student.onnx")
    assert deployed.classes == ["cat", "dog", "eel"]
    student = MLP.load(tmp_path / "student.npz")
    assert np.abs(softmax(deployed.logits(x)) - softmax(student.logits(x))).max() < 1e-4
