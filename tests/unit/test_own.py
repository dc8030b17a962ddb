"""A reader's table through the pipeline: what is refused, and in which words; what the report says.

Parquet and ONNX are tried where their packages are, in `test_bridge_own.py`.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from bridges import own, tables
from bridges.own import distil, in_words
from distill_lib import MLP, Estimate, softmax

ROOT = Path(own.__file__).resolve().parents[1]
QUICK = {"seeds": 2, "n_trials": 2, "steps": 40, "hidden": (4,)}
KINDS = np.array(["cat", "dog", "eel"])


def made(n=150, seed=0, n_classes=3):
    """Three clouds of points, and their kinds."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(n) % n_classes
    return rng.normal(0, 1, (n, 3)) + 2 * np.eye(3)[numbers], KINDS[numbers]


def guess(features):
    """A teacher who knows how the points were made."""
    return softmax(2 * features)


@cache
def done():
    x, y = made()
    return distil(x, y, guess, names=["a", "b", "c"], title="made <up>", **QUICK)


def refused(words, x=None, y=None, teacher=guess, **options):
    """The data are refused with these words; they begin with the good ones."""
    good = made()
    with pytest.raises(ValueError, match=words):
        distil(good[0] if x is None else x, good[1] if y is None else y, teacher, **options)


def changed(row, column, value, dtype=None):
    x = made()[0].astype(dtype or float)
    x[row, column] = value
    return x


# --- Arrays that cannot be right ------------------------------------------------------------------


def test_features_must_be_a_table_of_numbers():
    refused(r"shape \(rows, columns\), got \(150,\): x.reshape", np.arange(150.0))
    refused(r"have rows and columns, got shape \(0, 3\)", np.empty((0, 3)))
    refused(
        "feature '1' must be numbers, got 'red' in row 5: .*0 and 1", changed(5, 1, "red", object)
    )
    refused("feature '2' has no value in row 7: fill such cells in", changed(7, 2, np.nan))
    refused("feature '2' has no value in row 7", changed(7, 2, None, object))
    refused("feature '0' must be finite, got inf in row 9", changed(9, 0, np.inf))
    counted = "features count the rows: 'a'; .* hides that rows are equal: leave it out"
    refused(counted, changed(slice(None), 0, np.arange(7, 157)), names=["a", "b", "c"])
    sparse = csr_array(made()[0])
    refused("got a sparse matrix: x.toarray", sparse)
    refused("name of its own, got 2 names for 3", names=["a", "b"])


def test_labels_must_name_a_class_for_each_row():
    y = made()[1]
    refused(r"one for each of 150 rows, got shape \(149,\)", y=y[1:])
    refused(
        r"got shape \(150, 3\); for one-hot rows take labels.argmax",
        y=np.eye(3)[np.arange(150) % 3],
    )
    refused("two classes or more, got .'cat'.: is this the right column", y=["cat"] * 150)
    refused("got measured numbers, such as 0.5: .*cut them into ranges", y=np.arange(150) / 2)
    missing = [None, *y[1:]]
    refused(
        "1 of 150 have none, the first is row 0: leave them out, or allow 'unlabelled'", y=missing
    )
    refused("numbers or texts, and not both", y=np.array([1, *y[1:]], object))


def test_too_few_examples_are_refused_by_class_and_in_all():
    x, y = made()
    y = y.astype("U9")
    y[:4] = "rare"
    refused("5 different rows or more, got too few of 'rare: 4': more of them are needed", y=y)
    refused("10 labelled rows must be for validation, got 6 of 30: more rows", x[:30], y[4:34])


def test_a_feature_that_never_changes_is_refused_unless_allowed_and_then_harmless():
    x, y = changed(slice(None), 1, 7.0), made()[1]
    refused("never change in the rows of train: 'b'; leave them out", x, names=["a", "b", "c"])
    refused("all rows are equal: some feature must change", np.ones((150, 2)), allow=["constant"])
    result = distil(x, y, guess, allow=["constant"], **QUICK)
    assert (result.student.parameters["W1"][1] == 0).all()
    other = x.copy()
    other[:, 1] = 1e6
    assert np.array_equal(result.student.logits(x), result.student.logits(other))


def test_rows_without_a_label_say_how_a_feature_is_spread():
    """A feature that only they change is no constant one; means and spreads are those of all."""
    x, y = changed(slice(None), 1, 7.0), made()[1].astype(object)
    x[50:100, 1] = np.arange(50) % 3
    y[50:100] = None
    classes, numbers = tables.checked_labels(y, 150, ["unlabelled"])
    part = np.repeat(["train", "train", "train", "validation", "test"], 30)
    options = {"parts": part, "allow": ["unlabelled"]}
    data = tables.dataset(x, "abc", numbers, classes, **options)
    assert len(data.train) == 50 and len(data.transfer) == 90
    assert np.allclose(data.transfer.inputs.mean(axis=0), 0)
    assert np.allclose(data.transfer.inputs.std(axis=0), 1)


def test_equal_rows_are_refused_or_kept_on_one_side():
    x, y = made()
    x[100], y[100] = x[3], y[3]
    refused("1 of 150 are copies, such as rows 3 and 100: leave the copies out, or allow", x, y)
    x[:60] = np.repeat(x[:30], 2, axis=0)  # thirty rows, each twice
    y[:60] = np.repeat(y[:30], 2)
    classes, numbers = tables.checked_labels(y, 150, ())
    for seed in range(3):
        data = tables.dataset(x, "abc", numbers, classes, allow=["duplicates"], seed=seed)
        sides = {k: {int(i) // 2 for i in getattr(data, k).index if i < 60} for k in tables.PARTS}
        assert sum(map(len, sides.values())) == 30
    refused("can be allowed is 'constant', .* got 'everything'", allow=["everything"])


def test_splits_of_the_reader_are_taken_and_checked():
    x, y = made()
    part = np.repeat(["train", "validation", "test"], 50)
    classes, numbers = tables.checked_labels(y, 150, ())
    data = tables.dataset(x, "abc", numbers, classes, parts=part)
    assert np.array_equal(data.test.index, np.arange(100, 150))
    assert np.allclose(data.train.inputs.mean(axis=0), 0) and abs(data.test.inputs.mean()) > 1e-6
    refused("one of 'train', 'validation', 'test', each used, got 'learn'", split=["learn"] * 150)
    refused("for each of 150 rows, got 149", split=part[1:])
    more = y.astype("U9")
    more[120] = "yak"
    refused("train must have every class, but test has 'yak' beside them: move", y=more, split=part)
    x[110] = x[4]
    refused(
        r"rows 4 \(train\) and 110 \(test\), and 0 more such: move them together", x, split=part
    )


# --- Teachers that cannot be right ----------------------------------------------------------------


def test_a_teacher_of_other_classes_is_refused_with_what_it_lacks():
    x, y = made()
    forest = RandomForestClassifier(3, random_state=0).fit(x, np.where(y == "eel", "yak", y))
    refused("it lacks 'eel', and has 'yak': train it on these classes", teacher=forest)
    refused("2 columns for 3 classes", teacher=lambda x: guess(x)[:, :2])
    refused("lacks 'eel'", teacher=guess, teacher_classes=["cat", "dog", "owl"])


def test_answers_that_are_no_probabilities_are_refused():
    refused(
        "row of probabilities for each of 150 rows, got shape \\(150,\\)", teacher=lambda x: x[:, 0]
    )
    refused("row of probabilities for each of 150", teacher=guess(made()[0])[:9])
    refused("at least 0.*if they are logits, distill_lib.softmax", teacher=lambda x: x - 9)
    refused("must sum to 1", teacher=lambda x: 2 * guess(x))


def test_an_estimator_must_give_probabilities_of_these_features():
    x, y = made()
    refused("predict_proba, which SVC has not: CalibratedClassifierCV", teacher=SVC().fit(x, y))
    narrow = LogisticRegression().fit(x[:, :2], y)
    refused("takes 2 features, got 3: give it the columns", teacher=narrow)
    refused("can be fitted anew: give an estimator that is not fitted", teacher=guess, folds=3)
    refused("folds must be a whole number .*in 2 .. 30", teacher=LogisticRegression(), folds=31)


def test_a_pickle_is_not_opened(tmp_path):
    """A pickle runs what is in it; this one would leave a file."""
    import pickle

    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    for name in ("teacher.joblib", "teacher.pkl"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        refused("runs whatever code is in it.*load it yourself", teacher=tmp_path / name)
    assert not (tmp_path / "sprung").exists()
    refused('must end in ".onnx", got teacher.h5', teacher="teacher.h5")
    refused("there is no file", teacher="nowhere.onnx")


def test_columns_of_a_teacher_are_found_by_the_name_of_their_class():
    x, y = made()
    classes, numbers = tables.checked_labels(y, 150, ())
    data = tables.dataset(x, "abc", numbers, classes)
    p = guess(x)
    turned = own.ask(p[:, [2, 0, 1]], x, data, classes, ["eel", "cat", "dog"])
    by_name = own.ask({"dog": p[:, 1], "eel": p[:, 2], "cat": p[:, 0]}, x, data, classes, None)
    assert np.array_equal(turned, p) and np.array_equal(by_name, p)


def test_an_estimator_that_is_not_fitted_sees_the_rows_of_train_alone():
    x, y = made()
    classes, numbers = tables.checked_labels(y, 150, ())
    data = tables.dataset(x, "abc", numbers, classes)
    rows = data.train.index
    alone = LogisticRegression().fit(x[rows], y[rows]).predict_proba(x)
    assert np.allclose(own.ask(LogisticRegression(), x, data, classes, None), alone)
    forest = RandomForestClassifier(20, random_state=0)
    knows = {k: own.ask(forest, x, data, classes, None, k) for k in (0, 3)}
    right = {k: np.mean(p[rows].argmax(axis=1) == numbers[rows]) for k, p in knows.items()}
    assert right[0] > 0.95 and right[3] < 0.9  # by heart, and out of fold
    assert np.array_equal(knows[0][data.test.index], knows[3][data.test.index])


# --- The pipeline ---------------------------------------------------------------------------------


def test_every_method_has_as_many_trials_and_the_same_rates():
    every = {m: own.trials(m, 9) for m in (own.ALONE, own.SMOOTHING, own.ANSWERS, own.SOFT)}
    rates = {tuple(row["rate"] for row in rows) for rows in every.values()}
    assert len(rates) == 1 and len(rates.pop()) == 9
    assert len({(row["T"], row["alpha"]) for row in own.trials(own.SOFT, 16)}) == 16
    result = done()
    assert {len(one.trials) for one in result.methods.values()} == {2}
    assert [*result.methods] == ["labels alone", "label smoothing", "soft targets"]


def test_nothing_is_chosen_on_test():
    """Other labels of test: other results, the same choices."""
    x, y = made()
    other = y.copy()
    rows = done().data.test.index
    other[rows] = np.roll(y[rows], 1)
    part = np.full(150, "train", dtype="U10")
    part[rows], part[done().data.validation.index] = "test", "validation"
    with_labels = [distil(x, labels, guess, split=part, **QUICK) for labels in (y, other)]
    chosen = [[(m.choice, m.trials) for m in r.methods.values()] for r in with_labels]
    assert chosen[0] == chosen[1] and with_labels[0].exported == with_labels[1].exported
    right = [r.methods["soft targets"].accuracy.mean for r in with_labels]
    assert right[0] > right[1] + 10


def test_the_exported_student_takes_raw_features():
    result = done()
    test = result.data.test
    student = own.learn(
        own.Case(
            result.data,
            own.TeacherOutputs.from_probabilities(np.arange(150), guess(made()[0])),
            (4,),
            40,
            32,
        ),
        result.exported,
        result.methods[result.exported].choice,
        0,
    )
    assert np.allclose(result.student.logits(made()[0][test.index]), student.logits(test.inputs))
    assert result.float32 < 1e-5


def test_it_says_when_the_teacher_helps_when_not_and_when_it_harms():
    assert in_words(Estimate(3, 1, 5, 9), "x").startswith("The teacher helps: ")
    assert in_words(Estimate(-3, -5, -1, 9), "x").startswith("The teacher harms: ")
    none = in_words(Estimate(0.5, -1, 2, 9), "labels alone")
    assert none.startswith("No help") and "interval −1.0 to +2.0. A gain of 2.0 points" in none
    assert "gain of" not in in_words(Estimate(0, 0, 0, 9), "x")


def test_it_says_where_the_largest_class_alone_is_right_as_often():
    """Nine in ten are cats, and the features know nothing of it."""
    x = np.random.default_rng(0).normal(size=(200, 2))
    y = np.where(np.arange(200) % 10, "cat", "dog")
    result = distil(x, y, np.tile([0.9, 0.1], (200, 1)), **QUICK)
    assert "To say 'cat' of every row is right as often on validation" in " ".join(result.notes)
    assert result.verdict.startswith("No help")


def test_a_teacher_helps_where_few_rows_have_labels():
    x, y = made(600)
    part = np.where(
        np.arange(600) < 300, "train", np.where(np.arange(600) < 400, "validation", "test")
    )
    few = y.astype(object)
    x = np.hstack([x, np.random.default_rng(1).normal(0, 1, (600, 9))])  # nine inputs say nothing
    few[9:300] = None
    options = {"split": part, "allow": ["unlabelled"], "seeds": 4, "n_trials": 3, "steps": 100}
    result = distil(x, few, lambda x: guess(x[:, :3]), hidden=(8,), **options)
    assert [*result.methods][2] == "teacher's answers" and len(result.data.train) == 9
    assert result.verdict.startswith("The teacher helps")
    softer = own.gain(result.methods, own.ANSWERS).low > 0  # or it is only that rows have a label
    assert ("no help of softness can be seen" in " ".join(result.notes)) != softer
    shuffled = guess(x[:, :3])[np.random.default_rng(0).permutation(600)]
    result = distil(x, few, shuffled, hidden=(8,), **options)
    assert not result.verdict.startswith("The teacher helps")
    assert "do its rows or columns stand in another order?" in " ".join(result.notes)


@pytest.mark.parametrize(("soft", "note"), [(1.0, ""), (0.0, "do help: +100.0 ")])
def test_it_says_where_the_answers_help_and_soft_targets_are_not_seen_to(soft, note):
    """The verdict is about soft targets: the control may help where they do not."""
    shape = (3, 20)
    share = {own.ALONE: 0.0, own.SMOOTHING: 0.0, own.ANSWERS: 1.0, own.SOFT: soft}
    one = done().methods[own.SOFT]
    methods = {name: replace(one, right=np.full(shape, value)) for name, value in share.items()}
    said = " ".join(own._about_answers(methods, own.ALONE))
    assert note in said and ("do help" in said) == bool(note)
    assert ("no help of softness can be seen" in said) != bool(note)
    nobody = methods | {own.ANSWERS: methods[own.ALONE], own.SOFT: methods[own.ALONE]}
    assert own._about_answers(nobody, own.ALONE) == []


def test_what_was_interrupted_goes_on_and_comes_out_the_same(tmp_path, monkeypatch):
    x, y = made()
    measure, calls = own.measure, []

    def stopped(*given):
        calls.append(given)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return measure(*given)

    monkeypatch.setattr(own, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        distil(x, y, guess, out=tmp_path, **QUICK)
    with (tmp_path / "runs.jsonl").open("a") as file:
        file.write('{"key": "cut o')
    result = distil(x, y, guess, out=tmp_path, **QUICK)
    assert len(calls) == 1 + 3 * (2 * 3 + 2)  # the one that was stopped, and each once
    assert result.difference == done().difference and result.likelihood == done().likelihood
    distil(x, y, guess, out=tmp_path, **QUICK)
    assert len(calls) == 1 + 24
    distil(
        x, y, lambda x: guess(2 * x), out=tmp_path, **QUICK
    )  # of another teacher nothing is kept
    assert len(calls) == 1 + 48


# --- The report -----------------------------------------------------------------------------------


def test_the_report_asks_nobody_and_describes_its_figures(tmp_path):
    path = done().save(tmp_path)
    text = path.read_text("utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?!#)|@import|url\((?!#)|<script|<link""", text)
    assert "default-src 'none'" in text and '<html lang="en"' in text
    pictures = re.findall(r'<svg [^>]*role="img" aria-label="([^"]{40,})"', text)
    assert len(pictures) == text.count("<svg ") == 4
    assert done().verdict in text and "made &lt;up&gt;" in text and "made <up>" not in text
    assert all(f'<th scope="row">{name}</th>' in text for name in (*done().methods, "teacher"))
    assert "prefers-color-scheme:dark){[data-theme=auto] .explorer" in text and len(text) < 200_000
    student = MLP.load(tmp_path / "student.npz")
    assert np.array_equal(student.vector, done().student.vector)
    content = json.loads((tmp_path / "result.json").read_text())
    assert content["verdict"] == done().verdict and content["classes"] == ["cat", "dog", "eel"]


def test_lines_of_figures_are_told_apart_without_colour():
    from bridges import report

    for draw in (report.draw_calibration, report.draw_trials):
        (axes,) = draw(done())[0].axes
        lines = [line for line in axes.lines if not line.get_label().startswith("_")]
        assert len({line.get_marker() for line in lines}) == len(lines) == 3


# --- Files and the command ------------------------------------------------------------------------


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def misread(path, words, label="y", **options):
    with pytest.raises(ValueError, match=words):
        tables.read(path, label, **options)


def test_a_csv_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CHUNK", 2)
    text = '\ufeffid,a,"b, c",y,part\n1,1.5,2,9,train\n2,-3,4e2,10,test\n\n3,0,5,,train\n'
    table = tables.read(written(tmp_path / "t.csv", text), "y", split="part", drop=["id"])
    assert table.names == ["a", "b, c"]
    assert np.array_equal(table.features, [[1.5, 2], [-3, 400], [0, 5]])
    assert table.labels.tolist() == [9, 10, None]  # numbers: 10 comes after 9
    assert table.parts.tolist() == ["train", "test", "train"]
    text = "a;p_x;p_z;y\n1;0.5;0.5;x\n2;1;0;z\n"
    table = tables.read(written(tmp_path / "p.csv", text), "y", outputs="p_", delimiter=";")
    assert table.names == ["a"] and table.outputs["x"].tolist() == [0.5, 1]
    table = tables.read(written(tmp_path / "z.csv", "2026,y\n1,007\n2,7\n"), "y")
    assert table.names == ["2026"] and table.labels.tolist() == ["007", "7"]


def test_a_file_that_is_no_table_is_refused_with_the_line(tmp_path):
    path = tmp_path / "t.csv"
    misread(path, "there is no file .*check its name")
    misread(written(tmp_path / "t.xlsx", "a"), "is a .csv, .tsv or .parquet file, got t.xlsx")
    misread(written(path, ""), "t.csv is empty: its first line must hold the names")
    misread(written(path, "a,y\n"), "must have rows below its line of names")
    misread(
        written(path, "1,2\n3,4\n"), "first line of t.csv must hold the names .* got the number 1"
    )
    misread(written(path, "a;y\n1;x\n"), "single column, 'a;y': give delimiter=';'")
    misread(written(path, "a,a,y\n1,2,x\n"), "names of their own, got 'a' more than once")
    misread(
        written(path, "a,y\n1,x\n1,2,x\n"), 'line 3 has 3 cells, the line of names 2; .*"quotes"'
    )
    misread(written(path, 'a,y\n1,"x\n'), "broken at line")
    misread(written(path, "a,y\n1,x\nred,x\n"), "'a' must be numbers, got 'red' in line 3: make it")
    misread(written(path, "a,y\n1,x\n\n,x\n"), "'a' has no value in line 4: fill such cells in")
    misread(written(path, "a,y\n1,x\nnan,x\n"), "'a' has no value in line 3")
    misread(written(path, "a,y\n1,x\ninf,x\n"), "'a' must be finite, got inf in line 3")
    misread(written(path, "y\n,\n"), "single column")
    misread(
        written(path, ",a,y\n0,1,x\n1,2,z\n"), 'column 1 of t.csv has no name: .*drop "", or save'
    )
    assert tables.read(path, "y", drop=[""]).names == ["a"]
    misread(written(path, "a;y\n1,5;x\n"), "got '1,5' in line 2: write decimals", delimiter=";")
    misread(
        written(path, "5.1,3,x\n4.9,3,x\n"), "hold the names of the columns, got the number 5.1"
    )
    misread(written(path, "a,y\n1,x\n"), "cannot be dropped as well, got 'y'", drop=["y"])
    path.write_bytes("a,y\n1,caf\xe9\n".encode("latin-1"))
    misread(path, "no text in UTF-8 .*save it as CSV with the encoding UTF-8")


def test_a_column_that_is_not_there_is_named_and_the_nearest_one(tmp_path):
    path = written(tmp_path / "t.csv", "width,species\n1,x\n")
    misread(path, "no column 'spezies', only 'width', 'species': did you mean 'species'", "spezies")
    misread(path, "no column 'id'", "species", drop=["id"])
    misread(path, "must have columns p_CLASS, one for each class", "species", outputs="p_")
    misread(path, "columns of features beside the label; none is left", "species", drop=["width"])


def test_the_command_writes_a_report_or_says_in_a_line_what_is_wrong(tmp_path, capsys, monkeypatch):
    x, y = made()
    lines = [f"{','.join(map(repr, row.tolist()))},{kind}" for row, kind in zip(x, y, strict=True)]
    path = written(tmp_path / "t.csv", "\n".join(["a,b,c,kind", *lines]))
    command = [str(path), "--label", "kind", "--seeds", "2", "--trials", "1", "--steps", "20"]
    command += ["--out", str(tmp_path / "out")]
    own.main([*command, "--teacher", "forest"])
    said = capsys.readouterr().out
    assert "teacher" in said and (tmp_path / "out" / "report.html").exists()
    with pytest.raises(SystemExit, match=r"^own\.py: give either --teacher or --teacher-columns"):
        own.main(command)

    # Whole numbers for classes, and one row without: the forest takes them as they are.
    numbers = {"cat": "9", "dog": "10", "eel": "11"}
    numbered = re.sub("cat|dog|eel", lambda kind: numbers[kind[0]], path.read_text("utf-8"))
    written(path, re.sub(",9$", ",", numbered, count=1, flags=re.M))
    own.main([*command, "--teacher", "forest", "--allow", "unlabelled"])
    assert "teacher" in capsys.readouterr().out
    content = json.loads((tmp_path / "out/result.json").read_text("utf-8"))
    assert content["classes"] == ["9", "10", "11"]
    written(tmp_path / "file", "no folder")
    with pytest.raises(SystemExit, match=r"^own\.py: cannot read or write .*file"):
        more = ["--allow", "unlabelled", "--out", str(tmp_path / "file")]
        own.main([*command, "--teacher", "forest", *more])

    def interrupted(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(own, "distil", interrupted)
    with pytest.raises(SystemExit):
        own.main([*command, "--teacher", "forest"])
    assert "the same command goes on" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_runs_from_anywhere(tmp_path):
    command = [sys.executable, str(ROOT / "bridges/own.py"), "t.csv", "--label", "y"]
    run = subprocess.run(
        [*command, "--teacher", "forest"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 1 and run.stderr.strip().startswith("own.py: there is no file t.csv")


def test_iris_goes_through_whole():
    iris = load_iris(as_frame=False)
    with pytest.raises(ValueError, match="1 of 150 are copies, such as rows 101 and 142"):
        distil(iris.data, iris.target, RandomForestClassifier(5), **QUICK)
    result = distil(
        iris.data,
        iris.target_names[iris.target],
        RandomForestClassifier(5),
        allow=["duplicates"],
        **QUICK,
    )
    assert result.data.class_names == ("setosa", "versicolor", "virginica")
