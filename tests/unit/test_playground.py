"""The playground: its runs are what they say, and its panel runs, tells, and stops."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from distill_lib import recorded
from pictures import playground
from pictures import playground_panel as panels
from pictures import playground_runs as runs

pytestmark = pytest.mark.slow  # they train
QUICK = {"steps": 30, "student": 0, "data": "clouds"}


@pytest.fixture
def panel():
    one = panels.Panel()
    yield one
    one.close()


def put(panel, **values):
    for name, value in values.items():
        panel.controls[name].value = value


async def ended(panel):
    """Wait for the task that shows the training, as the kernel's loop would."""
    await asyncio.wait_for(panel.task, 30)


def in_a_loop(play):
    """As in a kernel. In a thread: where browsers are tested, a loop runs in this one already."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(lambda: asyncio.run(play())).result()


def press(panel, *, seeds=2, **values):
    """Choose, press Run, and wait until it is over."""

    async def play():
        put(panel, seeds=seeds, **(QUICK | values))
        panel.run.click()
        if panel.task:
            await ended(panel)

    in_a_loop(play)


# --- Runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", runs.METHODS)
def test_a_run_is_its_choice_and_its_seed(method):
    choice = runs.Choice(method=method, **QUICK)
    (one, curve), (two, _), (other, _) = (runs.learn(choice, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.vector, two.vector) and not np.array_equal(one.vector, other.vector)
    assert curve.step[-1] == choice.steps


def test_each_dial_of_a_method_moves_its_student():
    base = runs.Choice(method="step by step", T=2, alpha=0.3, beta=0.3, **QUICK)
    model, _ = runs.learn(base, 0)
    changes = {"T": 3.0, "alpha": 0.1, "beta": 0.1, "rate": 0.01, "noise": 0.5, "labels": 60}
    changes |= {"unlabelled": True, "teacher": runs.SAME, "method": "cosine-enhanced"}
    for name, value in changes.items():
        other, _ = runs.learn(replace(base, **{name: value}), 0)
        assert not np.array_equal(model.vector, other.vector), name


def test_at_alpha_1_a_teacher_changes_nothing():
    alone, _ = runs.learn(runs.Choice(method=runs.ALONE, **QUICK), 3)
    taught, _ = runs.learn(runs.Choice(alpha=1.0, **QUICK), 3)
    np.testing.assert_allclose(taught.vector, alone.vector, atol=1e-12)


def test_the_teacher_of_the_same_labels_never_sees_others():
    choice = runs.Choice(data="clouds", teacher=runs.SAME, labels=4, noise=0.0)
    few = runs.given(choice, 0).transfer
    assert len(few) == 4
    model = runs.teacher(choice, 0)
    assert np.array_equal(model.predict(few.inputs), few.labels)
    knowing = runs.teacher(replace(choice, teacher=runs.KNOWING), 0)
    test = runs.dataset("clouds").test
    better, worse = (np.mean(m.predict(test.inputs) == test.labels) for m in (knowing, model))
    assert better > worse


def test_a_share_of_the_labels_is_wrong_and_those_of_other_splits_are_right():
    data = runs.given(runs.Choice(labels=100, noise=0.3), 5)
    whole = runs.dataset("digits")
    right = dict(zip(whole.train.index, whole.train.labels, strict=True))
    pairs = zip(data.transfer.index, data.transfer.labels, strict=True)
    assert sum(right[i] != label for i, label in pairs) == 30
    assert data.validation is whole.validation and data.test is whole.test


def test_every_method_has_as_many_trials_and_none_twice():
    for method in runs.METHODS:
        trials = [tuple(trial.items()) for trial in runs.trials(method)]
        assert len(set(trials)) == len(trials) == 8


def test_the_live_panel_finds_what_is_recorded():
    """The record's last row of the dials, at its first seed, by the panel's own way."""
    record = recorded("playground_dials")
    row = record["rows"][-1]
    beta = (1 - row["alpha"]) / 2 if row["method"] in runs.METHODS[2:4] else 0.0
    choice = runs.Choice(
        method=row["method"],
        student=record["student"],
        labels=record["labels"],
        T=row["T"],
        alpha=row["alpha"],
        beta=beta,
        rate=record["rate"],
        steps=record["steps"],
    )
    job = panels.Job(choice, seeds=1)
    job()
    (run,) = job.runs
    right = run.logits[choice.method].argmax(axis=1) == runs.dataset("digits").test.labels
    assert right.mean() == pytest.approx(row["accuracy"][0], abs=2 / 400)


# --- The panel ------------------------------------------------------------------------------------


def test_a_run_fills_the_bar_and_shows_three_pictures_with_an_interval(panel):
    press(panel)
    assert panel.bar.value == panel.bar.max == panel.job.total > 0
    assert panel.words.value.count("Done: 2 of 2 seeds") == 1
    shown = panel.pictures.value
    assert shown.count("<svg") == 3
    assert re.search(r"2 of 2 seeds, on test: traditional \d\d\.\d ± \d+\.\d%", shown)
    assert "fidelity" in shown and "ECE" in shown and "Student and teacher differ on" in shown
    assert panel.stop.disabled and not panel.run.disabled


def test_one_seed_has_no_interval_and_it_says_so(panel):
    press(panel, seeds=1)
    assert (
        "An interval needs two seeds." in panel.pictures.value and "±" not in panel.pictures.value
    )


@pytest.mark.parametrize("method", runs.METHODS)
def test_every_method_runs_on_digits_and_is_counted_to_the_end(panel, method):
    press(panel, seeds=1, method=method, data="digits")
    assert panel.job.done == panel.job.total and not panel.job.error


def test_stop_ends_a_long_run_within_a_second_and_keeps_what_is_done(panel):
    async def play():
        put(panel, data="clouds", student=0, steps=400, seeds=50)
        panel.run.click()
        while not panel.job.runs:  # at least one seed
            await asyncio.sleep(0.02)
        panel.stop.click()
        began = time.process_time()  # all threads' work; what others do here does not count
        await ended(panel)
        return time.process_time() - began

    seconds = in_a_loop(play)
    n = len(panel.job.runs)
    assert 1 <= n < 50 and f"Stopped: {n} of 50 seeds" in panel.words.value
    assert f"{n} of 50 seeds, on test" in panel.pictures.value
    assert seconds < 1


def test_stop_is_heard_at_the_next_step():
    job = panels.Job(runs.Choice(**QUICK), seeds=3)
    seen = []

    def tick(model, tick=job.tick):
        seen.append(job.done)
        if len(seen) == 7:
            job.halt.set()
        tick(model)

    job.tick = tick
    runs._taught.clear()
    job()
    assert len(seen) == 7 and not job.runs and not job.error


def test_a_curve_grows_while_its_student_learns(panel):
    lengths = []
    job = panels.Job(runs.Choice(method=runs.SELF, **QUICK), seeds=1)
    watching = job.watching

    def watch(model):
        watching(model)
        lengths.append(len(job.curve))

    job.watching = watch
    job()
    each = [k // panels.LOOK for k in range(1, QUICK["steps"] + 1)]
    assert lengths == each * 3  # alone, the earlier generation, the student


@pytest.mark.parametrize(
    "values, words",
    [
        ({"T": 0.0}, "T must be a finite number above 0, got 0.0"),
        ({"alpha": 0.7, "beta": 0.5}, "the weights must sum to at most 1"),
        ({"labels": 2}, "labels must be a whole number in 4 .. 600, got 2"),
        ({"labels": 601}, "labels must be a whole number in 4 .. 600, got 601"),
        ({"noise": 1.5}, "noise must be a number in 0 .. 1, got 1.5"),
        ({"student": -1}, "student must be a whole number in 0 .. 512, got -1"),
        ({"steps": 0}, "steps must be a whole number in 1 .. 5000, got 0"),
        ({"rate": -0.1}, "rate must be a finite number above 0, got -0.1"),
        ({"seeds": 0}, "seeds must be a whole number in 1 .. 50, got 0"),
        ({"rate": 1e308}, "a learning rate lower than 1e+308 usually helps"),
    ],
)
def test_a_choice_that_cannot_be_is_told_in_words(panel, values, words):
    press(panel, **values)
    assert 'role="alert"' in panel.words.value and words in panel.words.value
    assert not panel.run.disabled and panel.stop.disabled


def test_a_picture_that_fails_is_told_and_the_panel_can_run_again(panel, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(panels, "in_words", lambda job: 1 / 0)
        press(panel)
    assert "division by zero" in panel.words.value and 'role="alert"' in panel.words.value
    assert panel.job.halt.is_set() and not panel.run.disabled
    press(panel)
    assert "Done: 2 of 2 seeds" in panel.words.value


def test_without_a_kernel_one_sentence_says_how_to_get_it(capsys, monkeypatch):
    playground.play()
    assert "Binder" in capsys.readouterr().out
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    monkeypatch.setenv("LIVEFIGURES_BUILD", "sphinx")
    playground.play()
    assert set(shown[0]) == {"text/html", "text/plain"} and "widget" not in str(shown)


def test_a_second_panel_stops_and_closes_the_first(monkeypatch):
    shown = []
    monkeypatch.setattr(panels, "display", lambda bundle, raw: shown.append(bundle))
    first = panels.show_panel()
    first.job = panels.Job(runs.Choice(**QUICK), seeds=1)
    second = panels.show_panel()
    assert first.job.halt.is_set() and first.box.comm is None and second.box.comm is not None
    assert all(set(b) == {"application/vnd.jupyter.widget-view+json", "text/plain"} for b in shown)
    second.close()
    panels._open.clear()
