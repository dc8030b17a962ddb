"""Each command, from its words to what it leaves, prints and ends with; and what it refuses."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import commands
from commands import cli, export, process
from commands import mnist as mnist_command
from distill_lib import MLP, Dataset, Network, digits, fingerprint, load_outputs, softmax

RNG = np.random.default_rng(0)
# It hangs in its fourth run of twelve, as long as there is a file that says so.
TOY = '''"""A made-up study."""
from engine import main, study

import time
from pathlib import Path

from distill_lib import results

HERE = Path(__file__).parent
results.RESULTS = HERE / "results"


@study({"x": [1, 2, 3]}, fixed={"steps": 2}, seeds=range(4))
def toy(x, steps, seed):
    if seed == 1 and (HERE / "hang").exists():
        (HERE / f"hangs_{x}").touch()
        time.sleep(600)
    with (HERE / "runs.txt").open("a") as file:
        file.write(f"{x} {seed}\\n")
    return {"accuracy": x * steps + seed}


if __name__ == "__main__":
    main(__file__)
'''
QUICK = ["--steps", "20", "--seeds", "2", "--student", "3-4-3"]
PROGRAM = [sys.executable, "-m", "distill_lib"]


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a command in an empty folder: exit code, what it printed, what it printed as an error."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as end:  # argparse's
            code = end.code
        return SimpleNamespace(code=code, **capsys.readouterr()._asdict())

    return run


@pytest.fixture
def done(run):
    """Run it, see that it worked, and return what it printed."""

    def done(*words):
        ended = run(*words)
        assert ended.code == 0, ended.err
        return ended.out

    return done


@pytest.fixture
def refused(run):
    """Run it, see that one line says why it failed."""

    def refused(*words, code=1):
        ended = run(*words)
        assert ended.code == code and "Traceback" not in ended.err
        return ended.err

    return refused


@pytest.fixture
def made(tmp_path):
    """Arrays of three clouds, and a teacher of them, in the folder."""
    labels = np.arange(150) % 3
    inputs = 5 + RNG.normal(size=(150, 3)) + 2 * np.eye(3)[labels]
    kinds = np.array(["cat", "dog", "eel"])[labels]
    np.savez(tmp_path / "arrays.npz", inputs=inputs, labels=kinds)
    MLP((3, 8, 3), seed=1).save(tmp_path / "teacher.npz")
    return Dataset.from_arrays(inputs, kinds)


# --- The help -------------------------------------------------------------------------------------


def modules():
    return {name: cli.import_module(f"commands.{name}") for name in cli.NAMES}


def test_the_help_names_every_command_and_no_file_is_forgotten(done, root):
    text = done()
    assert text == done("--help") and re.search("Exit codes: 0 .* 1 .* 2 .* 130", text)
    assert all(re.search(rf"^    {name} +\w", text, re.MULTILINE) for name in cli.NAMES)
    files = {path.stem for path in (root / "commands").glob("*.py")}
    assert files == {*cli.NAMES, "__init__", "cli", "process"}


@pytest.mark.parametrize("name", ["", *cli.NAMES])
def test_a_help_has_examples_that_parse(name):
    found = {"": commands, **modules()}
    text = found[name].__doc__
    examples = re.findall(r"^    python -m distill_lib (.*)$", text, re.MULTILINE)
    assert examples and len(text.split("\n")[0]) <= 80
    for example in examples:
        words = example.partition(" >")[0].split()
        assert name in ("", words[0])
        asked = cli.reader(modules()).parse_known_args(words)[0]
        assert asked.command == words[0]
        if hasattr(found[words[0]], "arguments"):
            cli.reader(modules()).parse_args(words)


@pytest.mark.parametrize("name", [n for n, m in modules().items() if hasattr(m, "arguments")])
def test_each_explains_itself_and_how_to_go_on(done, name):
    text = " ".join(done(name, "--help").split())
    assert " ".join(modules()[name].__doc__.split()) in text
    assert modules()[name].STOPPED


@pytest.mark.parametrize(
    "words",
    [
        *(["nothing"], ["store"], ["store", "x"], ["store", "x", "--check", "--teacher", "y"]),
        *(["distil"], ["distil", "--teacher", "x", "--T", "warm"], ["predict", "x"], ["export"]),
        *(["teach"], ["teach", "--out", "x.npz", "--sizes", "64-x"], ["study", "--chek"]),
    ],
)
def test_wrong_usage_ends_with_2(refused, words):
    assert "usage: python -m distill_lib" in refused(*words, code=2)


def test_without_the_repository_the_library_says_what_is_missing(tmp_path, root):
    shutil.copytree(root / "distill_lib", tmp_path / "distill_lib")
    code = f"""import runpy, sys
sys.path[:] = [{str(tmp_path)!r}, *(path for path in sys.path if path not in ("", {str(root)!r}))]
runpy.run_module("distill_lib", run_name="__main__")"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("distill_lib: the commands are in the book's repository")
    assert "Traceback" not in ended.stderr


def test_a_reader_who_has_seen_enough_ends_it_quietly(root):
    with subprocess.Popen(
        [*PROGRAM, "results"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == "" and process.wait() == 0


# --- From a teacher to a student ------------------------------------------------------------------


def test_teach_saves_a_teacher(done, tmp_path):
    printed = done("teach", "--out", "teacher.npz", "--sizes", "64-16-10", "--steps", 150)
    teacher = Network.load(tmp_path / "teacher.npz")
    right = teacher.predict(digits().validation.inputs) == digits().validation.labels
    assert f"On validation: accuracy {right.mean():.4f}, nll" in printed and right.mean() > 0.8


def test_teach_says_what_is_wrong(refused, made):
    start = ["teach", "--data", "arrays.npz", "--out", "new.npz"]
    assert "end with 3 classes, got 3-4" in refused(*start, "--sizes", "3-4")
    assert "steps must be" in refused(*start, "--steps", 0)
    assert "in a folder that exists" in refused("teach", "--out", "nowhere/new.npz")


def test_store_writes_what_the_teacher_says_and_goes_on(done, made, tmp_path):
    words = ["store", "answers", "--teacher", "teacher.npz", "--data", "arrays.npz"]
    assert "90 examples; 3 new files of 3" in done(*words, "--shard", 40)
    (tmp_path / "answers" / "00001.npy").unlink()
    assert "90 examples; 1 new files of 3" in done(*words, "--shard", 40)
    teacher = Network.load(tmp_path / "teacher.npz")
    stored = load_outputs(tmp_path / "answers", teacher, made.transfer)
    expected = teacher.logits(made.transfer.inputs)
    np.testing.assert_allclose(stored.at(made.transfer.index), expected, rtol=1e-5, atol=1e-6)
    checked = done("store", "answers", "--check")
    assert checked == "Whole: StoredOutputs(90 examples: logits (3,)), in 3 files.\n"


def test_store_keeps_half_of_the_bits(done, made, tmp_path):
    done("store", "answers", "--teacher", "teacher.npz", "--data", "arrays.npz", "--half")
    assert json.loads((tmp_path / "answers/manifest.json").read_text("utf-8"))["type"] == "<f2"


def test_store_says_what_is_wrong(refused, done, made, tmp_path):
    words = ["store", "answers", "--data", "arrays.npz", "--teacher"]
    assert "there is no file none.npz" in refused(*words, "none.npz")
    assert "is no model that was saved here" in refused(*words, "arrays.npz")
    assert "must have shape (examples, 3)" in refused("store", "a", "--teacher", "teacher.npz")
    assert "shard must be" in refused(*words, "teacher.npz", "--shard", 0)
    assert "has no manifest.json" in refused("store", "nowhere", "--check")
    done(*words, "teacher.npz", "--shard", 40)
    MLP((3, 8, 3), seed=2).save(tmp_path / "other.npz")
    assert "has another teacher" in refused(*words, "other.npz", "--shard", 40)
    path = tmp_path / "answers/00001.npy"
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    assert "cut off, changed or foreign" in refused("store", "answers", "--check")
    path.unlink()
    assert "lacks 1 of 3 files: the command that" in refused("store", "answers", "--check")
    (tmp_path / "answers/manifest.json").write_text("[]", "utf-8")
    assert "is no manifest of a store" in refused("store", "answers", "--check")


def test_distil_compares_two_students_and_saves_one(done, made, tmp_path):
    done("store", "answers", "--teacher", "teacher.npz", "--data", "arrays.npz")
    words = ["distil", "--data", "arrays.npz", *QUICK]
    printed = done(*words, "--teacher", "answers", "--out", "student.npz", "--labels", 30)
    on, alone, taught, gain, _, saved = printed.splitlines()
    assert on == "On validation; mean over 2 seeds and its 95% interval:"
    values = r": accuracy 0\.\d{4} ± \d.*, nll \d.*, calibration error \d"
    assert re.match("    labels alone" + values, alone)
    assert re.match("with the teacher" + values, taught)
    assert re.match(r"  the difference: accuracy [+-]0\.\d{4} ± ", gain)
    student = Network.load(tmp_path / "student.npz")
    assert saved == f"student.npz: {student}" and student.sizes == (3, 4, 3)
    # From the teacher itself, all is the same; with --test, another table.
    again = done(*words, "--teacher", "teacher.npz", "--labels", 30, "--test").splitlines()
    assert again[:4] == [on, alone, taught, gain]
    assert again[4].startswith("On test, to be looked at once") and len(again) == 8


def test_with_labels_alone_in_the_loss_the_teacher_changes_nothing(done, made):
    words = ["distil", "--teacher", "teacher.npz", "--data", "arrays.npz", *QUICK, "--alpha", 1]
    assert "the difference: accuracy +0.0000 ± 0.0000" in done(*words)


@pytest.mark.parametrize(
    "words, message",
    [
        (["--T", 0], "T must be a finite number above 0, got 0.0"),
        (["--alpha", 1.5], "alpha"),
        (["--steps", 0], "steps must be"),
        (["--seeds", 1], "seeds must be 2 or more: one has no interval, got 1"),
        (["--seed", -1], "seed must be"),
        (["--labels", 0], "n_labels must be"),
        (["--rate", -1], "learning_rate must be"),
        (["--student", "4-3"], "sizes must begin with 3 inputs and end with 3 classes, got 4-3"),
        (["--student", "3-4-2"], "end with 3 classes, got 3-4-2"),
        (["--teacher", "none"], "there is no file none: `python -m distill_lib teach` makes"),
        (["--teacher", "."], "has no manifest.json"),
        (["--data", "none.npz"], "there is no file none.npz; it must be an .npz file with inputs"),
        (["--data", "teacher.npz"], "teacher.npz must be an .npz file with inputs and labels"),
        (["--out", "student.txt"], 'needs a name that ends in ".npz"'),
        (["--out", "nowhere/student.npz"], "in a folder that exists, got nowhere/student.npz"),
    ],
)
def test_distil_says_what_is_wrong(refused, made, words, message):
    start = ["distil", "--teacher", "teacher.npz", "--data", "arrays.npz", *QUICK]
    assert message in refused(*start, *words)


def test_a_store_of_other_data_is_refused(refused, done, made):
    done("store", "answers", "--teacher", "teacher.npz", "--data", "arrays.npz")
    words = ["distil", "--teacher", "answers", "--labels", 100, "--seeds", 2]
    assert "has another examples: 90, not 1197" in refused(*words)


def test_predict_answers_a_line_for_each_example(done, made, tmp_path):
    raw = RNG.normal(size=(4, 3))
    np.savez(tmp_path / "inputs.npz", inputs=raw)
    model = Network.load(tmp_path / "teacher.npz")
    for words, inputs, names in (
        ([], raw, "012"),
        (["--like", "arrays.npz"], made.standardised(raw), ("cat", "dog", "eel")),
    ):
        p = softmax(model.logits(inputs).astype(float))
        rows = [f"{k},{names[row.argmax()]},{row.max():.4f}" for k, row in enumerate(p)]
        printed = done("predict", "teacher.npz", "inputs.npz", *words)
        assert printed.splitlines() == ["row,answer,probability", *rows]


def test_predict_says_what_is_wrong(refused, made, tmp_path):
    np.savez(tmp_path / "wide.npz", inputs=np.ones((2, 4)))
    np.savez(tmp_path / "objects.npz", inputs=np.array([[{}]]))
    for path, message in {
        "wide.npz": "inputs must have shape (examples, 3), got (2, 4)",
        "objects.npz": "objects.npz must be an .npz file with inputs",
        "none.npz": "there is no file none.npz",
    }.items():
        assert message in refused("predict", "teacher.npz", path)
    assert "there is no file x.npz" in refused("predict", "x.npz", "wide.npz")


# --- Beyond the library ---------------------------------------------------------------------------


def test_export_hands_the_student_to_the_bridge(done, made, monkeypatch):
    written, deployed = [], SimpleNamespace(logits=lambda inputs: np.zeros((len(inputs), 3)))
    bridge = SimpleNamespace(
        export=lambda model, path, classes: written.append((fingerprint(model), path, classes)),
        Deployed=lambda path: deployed,
    )
    monkeypatch.setattr(export, "import_module", lambda name: bridge)
    printed = done("export", "teacher.npz", "student.onnx", "--data", "arrays.npz")
    teacher = Network.load("teacher.npz")
    assert written == [(fingerprint(teacher), "student.onnx", ("cat", "dog", "eel"))]
    far = np.abs(teacher.logits(made.validation.inputs)).max()
    assert f"On 30 examples no logit differs by more than {far:.2g}." in printed


def test_export_writes_a_file_that_answers_the_same(done, made):
    pytest.importorskip("onnxruntime")
    printed = done("export", "teacher.npz", "student.onnx", "--data", "arrays.npz")
    assert float(re.search(r"more than (.*)\.$", printed)[1]) < 1e-5


def test_export_says_what_is_wrong(refused, made, monkeypatch):
    assert 'ends in ".onnx"' in refused("export", "teacher.npz", "student.npz")
    assert "there is no file x.npz" in refused("export", "x.npz", "student.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "bridges.onnx_export", raising=False)
    assert "needs onnx and onnxruntime, which" in refused("export", "teacher.npz", "student.onnx")


def test_own_and_serve_hand_on_their_words(run, monkeypatch):
    asked = []
    monkeypatch.setattr(process, "find_spec", lambda name: True)
    monkeypatch.setattr(
        process, "Popen", lambda words: asked.append(words) or SimpleNamespace(wait=lambda: 3)
    )
    assert run("own", "--help", "t.csv", "--label", "y").code == 3
    assert run("serve", "student.npz", "8001").code == 3
    assert [(os.path.basename(w[2]), w[3:]) for w in asked] == [
        ("own.py", ["--help", "t.csv", "--label", "y"]),
        ("serve.py", ["student.npz", "8001"]),
    ]


def test_what_is_missing_is_said(run, refused, monkeypatch, tmp_path):
    monkeypatch.setattr(process, "find_spec", lambda name: None)
    assert "needs fastapi, uvicorn, which this Python lacks: `make torch`" in refused("serve", "x")
    ended = run("serve", "--help")  # which can be read all the same
    assert "curl localhost:8000/predict" in ended.out and "needs fastapi" in ended.err
    monkeypatch.setattr(process, "ROOT", tmp_path)
    assert "there is no bridges/own.py: it is in a whole copy" in refused("own", "x.csv")


def test_mnist_says_where_the_files_are(done, refused, monkeypatch, tmp_path):
    monkeypatch.setenv("DISTILL_MNIST", str(tmp_path / "cache"))
    monkeypatch.setattr(mnist_command, "mnist", lambda folder: f"from {folder}")
    assert done("mnist").splitlines()[1].endswith(f"in {tmp_path / 'cache'}")
    assert done("mnist", "--folder", "here") == "from here\nThe files are right, and in here\n"
    monkeypatch.undo()


def test_mnist_refuses_wrong_files(refused, tmp_path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"no")
    assert "is not what it should be" in refused("mnist", "--folder", tmp_path)


def test_results_lists_the_records(done, refused, root):
    lines = done("results").splitlines()
    assert len(lines) == len([*(root / "results").glob("*.json")])
    pattern = r"\w+ +20\d\d-\d\d-\d\d  library (today's|older  |unknown)  python \w"
    assert all(re.match(pattern, line) for line in lines)
    assert len(done("results", "traditional_").splitlines()) < len(lines)
    assert "has 'nothing' in its name" in refused("results", "nothing")


def test_study_lists_what_can_be_run(done, refused, root):
    text = done("study")
    files = {path.stem: path.read_text("utf-8") for path in (root / "studies").glob("*.py")}
    there = [name for name, text in files.items() if "@study(" in text and name != "engine"]
    listed = re.findall(r"^(\w+): .*\n    takes: .*\n    results: .", text, re.MULTILINE)
    assert {*listed} >= {*there} and not {*listed} & {"engine", "common"}
    assert "takes: not said" not in text
    assert "there is no study 'nope' in" in refused("study", "nope")


# --- In processes, with Ctrl-C --------------------------------------------------------------------


def start(words, folder):
    """As from a terminal, in a group of processes of its own."""
    environment = os.environ | {"JOBS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [*PROGRAM, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process):
    printed, error = process.communicate(timeout=120)
    return process.returncode, printed, error


def until(happened, process):
    while not happened():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)


@pytest.mark.slow
def test_a_store_that_was_stopped_goes_on(tmp_path):
    MLP((64, 8, 10)).save(tmp_path / "teacher.npz")
    words = ["store", "answers", "--teacher", "teacher.npz", "--shard", "1"]
    process = start(words, tmp_path)
    until((tmp_path / "answers" / "00003.npy").exists, process)
    process.send_signal(signal.SIGINT)
    code, _, error = ended(process)
    there = len([*(tmp_path / "answers").glob("*.npy")])
    assert (code, error) == (
        130,
        "\nStopped. What is stored is kept: the same command goes on there.\n",
    )
    assert 4 <= there < 1197
    code, printed, error = ended(start(words, tmp_path))
    assert (code, printed) == (
        0,
        f"answers: 1197 examples; {1197 - there} new files of 1197\n",
    ), error


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [True, False])
def test_a_study_that_was_stopped_goes_on(tmp_path, root, whole_group):
    """By Ctrl-C in a terminal, which all of its processes get, or by a signal to the first."""
    for folder in ("commands", "distill_lib"):
        shutil.copytree(root / folder, tmp_path / folder)
    toy = tmp_path / "studies"
    toy.mkdir()
    shutil.copy(root / "studies" / "engine.py", toy)
    (toy / "toy.py").write_text(TOY, "utf-8")
    (toy / "hang").touch()
    process = start(["study", "toy"], tmp_path)
    until(lambda: [*toy.glob("hangs_*")], process)
    if whole_group:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    code, _, error = ended(process)
    last = "Stopped. The runs that are done are kept: the same command goes on there."
    assert (code, error.splitlines()[-1]) == (130, last) and "Traceback" not in error
    done = (toy / "runs.txt").read_text("utf-8").splitlines()
    (toy / "hang").unlink()
    code, printed, error = ended(start(["study", "toy"], tmp_path))
    assert code == 0, error
    assert printed.strip() == str(toy / "results" / "toy.json")
    runs = (toy / "runs.txt").read_text("utf-8").splitlines()
    assert 3 <= len(done) < 12 and runs[: len(done)] == done and len({*runs}) == len(runs) == 12
    code, _, error = ended(start(["study", "toy", "none"], tmp_path))
    assert code == 2 and "no studies called ['none']" in error
