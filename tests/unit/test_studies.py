"""The recorded studies: a slice of each, run again, is what was recorded; choices were fair."""

import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from distill_lib import recorded, results, softmax
from distill_lib.results import library_digest

pytestmark = pytest.mark.slow  # they train
STUDIES = Path(__file__).resolve().parents[2] / "studies"
# The longest first: it holds the most studies, and takes the longest to check.
BY_LENGTH = sorted(STUDIES.glob("*.py"), key=lambda path: (-path.stat().st_size, path))
# A run of those of MNIST takes minutes: they have tests of their own, test_study_mnist and
# test_study_hidden_traits. Some files are no studies, but what some of them share.
MNIST = ("deep_mnist", "mnist", "mnist_closer", "mnist_mistakes", "hidden_traits")
APART = ("common", "engine", "features", "noisy", "regularise", *MNIST)
FILES = [path.stem for path in BY_LENGTH if path.stem not in APART]
# Where a seed is dear, or each stands for many runs (never_shown leaves out each of ten digits; one
# of own_trials cuts a table for a whole report of ten students each way).
FEWEST = {
    "never_shown": 5,
    "teacher_size": 10,
    "patience": 10,
    "controls_random": 10,
    "own_trials": 1,
    "own_trials_more_trials": 1,
    "own_trials_splits": 6,
}
EVERY_FILE = pytest.mark.parametrize("file", FILES)


@pytest.fixture(scope="module")
def engine(study):
    return study("engine")


@pytest.fixture(scope="module")
def studies_of(study, engine):
    """From a file's name to its studies."""

    def find(file):
        study(file)
        return list(engine.STUDIES[file].values())

    return find


@pytest.fixture
def folders(engine, tmp_path, monkeypatch):
    """Records and unfinished runs of this process go to a folder of their own."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(engine, "UNFINISHED", tmp_path / "unfinished")
    monkeypatch.setattr(engine, "JOBS", 1)
    return tmp_path


# --- A slice of each record -----------------------------------------------------------------------


@EVERY_FILE
def test_a_slice_of_each_record_is_what_was_recorded(file, studies_of, capsys):
    """A row at one seed, in this process: in each new one the book's teacher is trained anew."""
    for one in studies_of(file):
        content = recorded(one.file)
        rows = [row for row in one.rows(content) if one.checked(row)]
        assert replace(one, rows=lambda _, rows=rows: rows[-1:]).check() == []
        lines = capsys.readouterr().out.splitlines()
        about = [line for line in lines if line.startswith((f"{one.file}:", f"{one.file},"))]
        assert sum(", again " in line for line in about) == 1
        older = content.get("library") != library_digest()
        assert any(f": older, of {content['date']}, by " in line for line in about) == older


def test_who_imports_the_studies_starts_other_programs_as_before():
    """A variable set for one's own progress bars would reach every program started afterwards."""
    code = (
        "import os, sys, sklearn; from importlib import import_module\n"
        "before = {**os.environ}  # scikit-learn has a variable of its own\n"
        f"sys.path.insert(0, {str(STUDIES)!r}); [import_module(name) for name in sys.argv[1:]]\n"
        "print(*sorted({*os.environ} - {*before}))"
    )
    ours = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # of the engine, for the runs it starts
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    command = [sys.executable, "-c", code, *(path.stem for path in BY_LENGTH)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*ours]


def test_the_readers_command_repeats_three_rows(studies_of):
    command = [sys.executable, str(STUDIES / "comparison_weights.py"), "--check"]
    done = subprocess.run(command, env=os.environ | {"JOBS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, verdict = done.stdout.splitlines()
    assert verdict == "All is what was recorded, but for rounding."
    (one,) = studies_of("comparison_weights")
    assert sum(line.startswith(f"{one.file},") and ", again " in line for line in lines) == 3


@pytest.fixture
def copy(folders):
    """A copy of two records for `--check` to look at, within this process."""
    copies = folders / "results"
    copies.mkdir()
    for name in ("comparison_weights", "comparison"):
        shutil.copy(STUDIES.parent / "results" / f"{name}.json", copies)
    return copies / "comparison_weights.json"


def checked(engine, path, capsys, **changes):
    """What `--check` prints, and its faults, where the record has these changes."""
    content = json.loads(path.read_text("utf-8"))
    changed = {name: value for name, value in (content | changes).items() if value is not None}
    path.write_text(json.dumps(changed), "utf-8")
    before = {path: path.read_bytes() for path in path.parent.iterdir()}
    try:
        engine.main(f"{path.stem}.py", ["--check"])
        faults = ""
    except SystemExit as stop:
        faults = str(stop)
    assert {path: path.read_bytes() for path in path.parent.iterdir()} == before
    return capsys.readouterr().out, faults


def test_a_check_fails_where_a_number_was_changed_and_writes_nothing(study, engine, copy, capsys):
    study("comparison_weights")
    rows = json.loads(copy.read_text("utf-8"))["rows"]
    rows[-1]["accuracy"][engine.CHECKED] += 0.01  # four digits of the test split
    printed, faults = checked(engine, copy, capsys, rows=rows)
    assert faults.splitlines()[0] == "Not as recorded:" and len(faults.splitlines()) == 2
    assert "T 8.0, alpha 0.5, beta 0.5: accuracy" in faults
    assert printed.splitlines()[-1].endswith("DIFFERS: accuracy")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"command": "python elsewhere.py"}, "command is python elsewhere.py in the record"),
        ({"seeds": [*range(19), 20]}, "seeds is [0, 1, 2,"),
        ({"setting": "noisy labels"}, "setting is noisy labels in the record, few labels in"),
        ({"setting": None}, "setting is nothing in the record, few labels in the study"),
        ({"batch_size": 64}, "batch_size is 64 in the record, 32 in the study"),
        ({"extra": 1}, "extra is 1 in the record, nothing in the study"),
    ],
)
def test_a_check_reads_the_head_and_names_what_has_drifted(
    study, engine, copy, capsys, monkeypatch, changes, fault
):
    study("comparison_weights")
    monkeypatch.setattr(engine, "compare", lambda *_: [])
    _, faults = checked(engine, copy, capsys, **changes)
    assert fault in faults and len(faults.splitlines()) == 2


def test_a_record_of_an_older_library_is_told(study, engine, copy, capsys, monkeypatch):
    study("comparison_weights")
    monkeypatch.setattr(engine, "compare", lambda *_: [])
    printed, faults = checked(engine, copy, capsys, library="0" * 12)
    assert ", by 000000000000; today's is " in printed and not faults
    printed, faults = checked(engine, copy, capsys, library=library_digest())
    assert "older" not in printed and not faults


def test_a_repetition_may_differ_by_two_digits_of_the_test_split(engine, studies_of):
    one = next(one for one in studies_of("traditional") if one.file == "traditional_grid")
    assert not engine.compare(one, {}, {"accuracy": 0.9}, {"accuracy": 0.905})
    assert engine.compare(one, {}, {"accuracy": 0.9}, {"accuracy": 0.9075})


@EVERY_FILE
def test_an_unknown_study_is_refused(file, engine, study, capsys):
    with pytest.raises(SystemExit):
        engine.main(f"{file}.py", ["no such thing"])
    assert "no studies called ['no such thing']" in capsys.readouterr().err


# --- Records, and how the learning rate was chosen ------------------------------------------------


@EVERY_FILE
def test_records_say_how_to_get_them_again(file, studies_of):
    for one in studies_of(file):
        content = recorded(one.file)
        assert content["command"] == one.head["command"]
        assert content["command"].startswith(f"python studies/{file}.py")
        assert content["seeds"] == list(one.seeds) and len(one.seeds) >= FEWEST.get(one.file, 20)
        assert {"python", "numpy", "scipy", "scikit-learn"} <= set(content["versions"])
        rows = one.rows(content)
        assert all(len(row[m]) == len(one.seeds) for row in rows for m in one.allowed if m in row)
        if one.settings:
            ordered = sorted(rows, key=lambda row: one.settings.index(settings_in(row, one)))
            assert len(ordered) == len(one.settings)


def settings_in(row, one):
    """The settings of a row, as the study lists them."""
    return {name: row[name] for name in one.settings[0]}


@EVERY_FILE
def test_each_setting_had_the_same_trials_and_took_the_best(file, studies_of):
    for one in studies_of(file):
        content = recorded(one.file)
        assert not set(content.get("tuning_seeds", ())) & set(content["seeds"])
        for row in one.rows(content) if one.rates and one.settings else ():
            assert [float(rate) for rate in row["trials"]] == list(one.rates)
            assert row["trials"][str(row["rate"])] == max(row["trials"].values())


def other(value):
    """Another value of the same kind."""
    texts = {
        "64-16-10": "64-10",
        "64-10": "64-16-10",
        "64-64-10": "64-10",
        "4-8": "2-4",
        "8-16": "4-8",
        "60 labels": "300 labels",
        "few labels": "clouds",
        "all tuned": "own rate",
        "a unit a year": "modulo 28",
        "modulo 28": "a unit a year",
    }
    if isinstance(value, str):
        return texts[value]
    if isinstance(value, dict):
        return {name: other(each) for name, each in value.items()}
    if isinstance(value, list):
        return value[:-1]
    if isinstance(value, int):
        return value // 2 or (2 if value else 1)
    return value / 2


def steps_of(one, steps):
    """As few steps, where a study has them and they are no setting of its rows."""
    has = "steps" in inspect.signature(one.run).parameters
    return {"steps": steps} if has and "steps" not in (one.settings or [{}])[0] else {}


@EVERY_FILE
def test_what_the_head_says_is_what_runs(file, study, studies_of, engine, monkeypatch):
    """Each fixed setting of a record, changed, changes what a run comes to, in at least one row."""
    monkeypatch.setattr(study("comparison"), "TEACHER_STEPS", 20)
    study("comparison").train_teacher.cache_clear()
    for one in studies_of(file):
        quick = one.fixed | steps_of(one, 30)
        settings = [one.setting(row) for row in one.rows(recorded(one.file))]

        def run(fixed, k, one=one, settings=settings):
            measures = one.run(**fixed, **settings[k], seed=engine.CHECKED)
            return json.dumps(measures, default=lambda x: x.tolist())

        as_recorded = cache(partial(run, quick))

        for name, value in quick.items():
            if name == "optuna":  # the version of a package, which need not be there
                continue
            changed = quick | {name: other(value)}
            shown = (as_recorded(k) != run(changed, k) for k in range(len(settings)))
            assert any(shown), f"{one.file}: {name}"
    study("comparison").train_teacher.cache_clear()


@EVERY_FILE
def test_a_new_record_is_built_like_the_one_that_chapters_read(
    file, study, studies_of, engine, monkeypatch
):
    """All that is made of the runs, from one short run that stands for all."""

    def runs(one, settings, seeds, run=None):
        short = one.fixed | steps_of(one, 2) | {"seed": seeds[0]}
        alike = len({frozenset(row) for row in one.rows(recorded(one.file))}) == 1
        first = (run or one.run)(**short, **settings[0]) if alike else None
        return [[first or (run or one.run)(**short, **s)] * len(seeds) for s in settings]

    monkeypatch.setattr(engine.Study, "runs", runs)
    monkeypatch.setattr(study("comparison"), "TEACHER_STEPS", 20)
    monkeypatch.setattr(study("cosine"), "SEEDS", range(1))
    if find_spec("optuna") is None:  # its own test runs in `make torch`; any search has such a row
        searches = study("tuning_search").SEARCHES
        monkeypatch.setitem(searches, "Optuna", searches["random"])
    study("comparison").train_teacher.cache_clear()
    for one in studies_of(file):
        old, new = recorded(one.file), json.loads(json.dumps(one.content(one)))
        assert {*new} <= {*old}, one.file
        before, now = one.rows(old), one.rows(new)
        assert [{*row} for row in now] == [{*row} for row in before], one.file
        assert [one.setting(row).keys() for row in now] == [
            one.setting(row).keys() for row in before
        ]
    study("comparison").train_teacher.cache_clear()


# --- The engine -----------------------------------------------------------------------------------

CALLS = []


def parabola(best, steps, rate, seed):
    """A study whose accuracy is best where validation is worst."""
    CALLS.append((best, rate, seed))
    distance = abs(rate - best) + seed / 1000
    return {"validation": 1 - distance, "accuracy": distance}


BEST = [{"best": 0.2}, {"best": 0.3}]


@pytest.mark.parametrize(("tuning", "runs"), [((), 6 * 3), (range(10, 12), 6 * 2 + 2 * 3)])
def test_a_rate_is_chosen_on_validation_and_nothing_is_run_twice(engine, folders, tuning, runs):
    CALLS.clear()
    rates = [0.1, 0.2, 0.3]
    one = engine.Study(
        parabola, BEST, fixed={"steps": 7}, rates=rates, tuning=tuning, seeds=range(3)
    )
    written = one.record()
    assert len(CALLS) == runs == len(set(CALLS))
    assert [*(folders / "results").iterdir()] == [written] and not [*engine.UNFINISHED.iterdir()]
    content = json.loads(written.read_text("utf-8"))
    assert content["steps"] == 7 and ("tuning_seeds" in content) == bool(tuning)
    assert content["library"] == library_digest() and content["rates_tried"] == rates
    for row, best in zip(content["rows"], [0.2, 0.3], strict=True):
        assert row["best"] == row["rate"] == best and [*row["trials"]] == [*map(str, rates)]
        assert row["accuracy"] == [0, 0.001, 0.002]
    assert one.check() == []


def test_what_cannot_be_recorded_is_not_lost(engine, folders):
    """A slip in the last line must not cost hours: the runs are there, and are taken up again."""
    options = {"fixed": {"steps": 7}, "rates": [0.1, 0.2], "tuning": [10], "seeds": range(3)}
    CALLS.clear()

    def slip(study):
        return {"rows": study.table(), "slip": float("nan")}

    with pytest.raises(ValueError, match="not JSON compliant"):
        engine.Study(parabola, BEST[:1], content=slip, **options).record()
    assert len(CALLS) == 5
    engine.Study(parabola, BEST[:1], **options).record()
    assert len(CALLS) == 5


def test_a_study_whose_code_is_edited_while_it_runs_is_not_recorded(engine, folders, monkeypatch):
    one = engine.Study(parabola, BEST, fixed={"steps": 7, "rate": 0.1}, seeds=range(3))
    monkeypatch.setattr(engine, "fingerprint", lambda: str(len(CALLS)))
    with pytest.raises(ValueError, match=r"edited while .*parabola ran: run it again"):
        one.record()
    assert not (folders / "results").exists()


@pytest.mark.parametrize(
    ("settings", "fixed"),
    [
        (BEST, {"rate": 0.1}),  # no steps: a default would run, and nobody would know
        (BEST, {"rate": 0.1, "steps": 7, "batch_size": 32}),  # a note that nothing reads
        (BEST, {"rate": 0.1, "steps": 7, "best": 0.5}),  # two values
        ([*BEST, {}], {"rate": 0.1, "steps": 7}),
    ],
)
def test_a_study_gives_exactly_the_arguments_of_its_function(engine, settings, fixed):
    with pytest.raises(
        ValueError, match=r"parabola takes \['best', 'rate', 'seed', 'steps'\], its"
    ):
        engine.Study(parabola, settings, fixed=fixed)


TOY = """
from engine import main, study

import time
from pathlib import Path

from distill_lib import results

HERE, FACTOR = Path(__file__).parent, 1
results.RESULTS = HERE / "results"


@study({"x": [1, 2, 3]}, fixed={"steps": 2}, seeds=range(4))
def toy(x, steps, seed):
    if x == 2 and seed and (HERE / "hang").exists():
        (HERE / f"hangs_{seed}").touch()
        time.sleep(600)
    with (HERE / "runs.txt").open("a") as file:
        file.write(f"{FACTOR} {x} {seed}\\n")
    return {"accuracy": FACTOR * (x * steps + seed)}


if __name__ == "__main__":
    main(__file__)
"""


@pytest.fixture
def toy(tmp_path):
    """A made-up study in a folder of its own: start it, kill it in the middle, see what it did."""
    shutil.copy(STUDIES / "engine.py", tmp_path)
    (tmp_path / "toy.py").write_text(TOY, "utf-8")
    return tmp_path


def start(toy, jobs):
    environment = os.environ | {"JOBS": str(jobs), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, str(toy / "toy.py")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def stop_in_the_middle(toy, jobs, how=signal.SIGKILL):
    """Stop it once every process hangs in a run; the runs that are done by then."""
    (toy / "hang").touch()
    process = start(toy, jobs)
    while len([*toy.glob("hangs_*")]) < jobs:
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    os.killpg(process.pid, how)
    process.communicate(timeout=120)
    (toy / "hang").unlink()
    return (toy / "runs.txt").read_text("utf-8").splitlines()


def finish(toy, jobs):
    process = start(toy, jobs)
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    rows = json.loads((toy / "results" / "toy.json").read_text("utf-8"))["rows"]
    return printed, rows, (toy / "runs.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("jobs", "how"), [(1, signal.SIGKILL), (2, signal.SIGKILL), (1, signal.SIGINT)]
)
def test_a_study_that_was_stopped_goes_on_where_it_was(toy, jobs, how):
    """By `kill -9` (or a power cut), or by Ctrl+C."""
    done = stop_in_the_middle(toy, jobs, how)
    assert 3 <= len(done) < 12
    (toy / "another.py").write_text("x = 1")  # of no concern to this one
    printed, rows, runs = finish(toy, jobs)
    assert "starting afresh" not in printed
    assert runs[: len(done)] == done and len(runs) == len({*runs}) == 12
    assert [row["accuracy"] for row in rows] == [
        [2 * x + seed for seed in range(4)] for x in (1, 2, 3)
    ]
    assert not [*(toy / ".unfinished").iterdir()]


def test_after_an_edit_of_the_code_nothing_old_is_mixed_in(toy):
    done = stop_in_the_middle(toy, 1)
    assert {run[0] for run in done} == {"1"}
    (toy / "toy.py").write_text(
        TOY.replace("FACTOR = Path(__file__).parent, 1", "FACTOR = Path(__file__).parent, 2"),
        "utf-8",
    )
    printed, rows, runs = finish(toy, 1)
    assert "toy: what was begun is of other code or packages; starting afresh" in printed
    assert [run[0] for run in runs[len(done) :]] == ["2"] * 12
    assert rows[0]["accuracy"] == [4, 6, 8, 10]
    assert not [*(toy / ".unfinished").iterdir()]


def test_what_tunes_on_seeds_of_its_own_sees_no_test_split_there(study, studies_of, monkeypatch):
    cosine, scores = study("cosine"), np.random.default_rng(0).normal(size=(1197, 10))
    monkeypatch.setattr(cosine, "teacher_scores", lambda: scores)
    for one in studies_of("cosine"):
        measures = one.run(**one.fixed, **one.settings[0], rate=0.1, seed=cosine.TUNING_SEEDS[0])
        assert measures.keys() <= {"validation", "curve", "factor"}, one.file


def test_without_the_teacher_the_temperature_cannot_matter():
    rows = [row for row in recorded("traditional_grid")["rows"] if row["alpha"] == 1]
    assert len(rows) == 5
    assert all(row["accuracy"] == rows[0]["accuracy"] for row in rows)


# --- Formulas -------------------------------------------------------------------------------------


def test_the_floor_is_what_a_mixture_reaches(study):
    floor, logits = study("traditional").floor, np.random.default_rng(0).normal(size=(50, 4))
    assert floor(logits, 0.0, 2.0) == pytest.approx(0, abs=1e-12)
    p = softmax(logits, 2.0)
    spread = 4 * np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1))
    assert floor(logits, 1.0, 2.0) == pytest.approx(spread)
    assert 0 < floor(logits, 0.5, 2.0) < spread


def test_the_negative_loss_has_its_gradient(study):
    negative_loss, rng, step = study("traditional").negative_loss, np.random.default_rng(0), 1e-6
    z, v = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    numeric = np.zeros_like(z)
    for place in np.ndindex(z.shape):
        nudge = np.zeros_like(z)
        nudge[place] = step
        up, down = (negative_loss(z + sign * nudge, v, 3.0).value for sign in (1, -1))
        numeric[place] = (up - down) / (2 * step)
    loss = negative_loss(z, v, 3.0)
    assert loss.value < 0
    np.testing.assert_allclose(loss.gradient, numeric, atol=1e-8)


def test_answers_and_carries_add_up(study):
    inputs, answer, carries = study("step_by_step").sums(200, seed=0)
    digits = inputs.reshape(-1, 6, 10).argmax(axis=-1)
    before = np.concatenate([np.zeros((200, 1), int), carries[:, :-1]], axis=1)
    total = digits[:, :3] + digits[:, 3:] + before  # last place first
    np.testing.assert_array_equal(total, answer[:, :3] + 10 * carries)
    np.testing.assert_array_equal(carries[:, 2], answer[:, 3])


def test_the_teachers_parity_is_the_sum_of_its_probabilities(study):
    logits = 5 * np.random.default_rng(0).normal(size=(7, 10))
    p = softmax(logits)
    expected = np.stack([p[:, ::2].sum(axis=1), p[:, 1::2].sum(axis=1)], axis=1)
    np.testing.assert_allclose(softmax(study("common").parity(logits)), expected)
