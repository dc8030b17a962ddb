"""What the studies share: data and teacher, the fair choice of a learning rate, record and check.

A study is a function that trains one student: settings, perhaps a learning rate, and a seed go in,
measures come out. `@study(...)` above it tells which settings it is run on, and makes it a command:

    python studies/NAME.py                 run all studies of the file, and record them in results/
    python studies/NAME.py one other       run these
    python studies/NAME.py --check [...]   repeat a slice of the records, and write nothing

One process a core, or as many as `JOBS=2` in front says. What was interrupted goes on where it
stopped.
"""

from __future__ import annotations

import os

# Many small trainings: one thread each is fastest. NumPy reads this when it is imported, so the
# studies import this module first (`pyproject.toml` tells the linter).
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from inspect import signature
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count

from distill_lib.data import Dataset, Split, digits
from distill_lib.distillation import TeacherOutputs, WeightedTerms, hard_labels
from distill_lib.experiments import RESULTS, Row, record, recorded, sweep
from distill_lib.losses import Array
from distill_lib.metrics import accuracy, report
from distill_lib.models import MLP
from distill_lib.training import Adam, History, Objective, cosine_decay, train

JOBS = int(os.environ.get("JOBS", cpu_count()))
SEEDS = range(20)

# --- Data, teacher, student -----------------------------------------------------------------------


@cache
def data() -> Dataset:
    """The digits, in float64, so that a run elsewhere finds the same figures."""
    return digits(np.float64)


def teach(
    split: Split,
    seed: int = 0,
    steps: int = 2000,
    sizes: Sequence[int] = (64, 256, 256, 10),
    **options: Any,
) -> MLP:
    """The book's teacher, trained on this split; or one of other sizes."""
    model = MLP(sizes, seed=seed, dtype=np.float64)
    plan = {"batch_size": 64, "optimizer": Adam(0.003), "schedule": cosine_decay}
    train(model, split, hard_labels(split), steps=steps, seed=seed, **plan, **options)
    return model.copy()  # without the work arrays of its training


@cache
def teacher() -> tuple[MLP, TeacherOutputs]:
    """The teacher of chapter 2, and what it says of every input of the transfer set."""
    model = teach(data().train)
    return model, TeacherOutputs.of(model, data().transfer)


def learn(
    student: str,
    split: Split,
    objective: Objective,
    rate: float,
    seed: int,
    steps: int = 600,
    rationale: int = 0,
    **options: Any,
) -> tuple[MLP, History]:
    """Train a student such as "64-16-10"; the same for every method but for the objective."""
    sizes = [int(n) for n in student.split("-")]
    model = MLP(sizes, seed=seed, dtype=np.float64, rationale=rationale)
    plan = {"steps": steps, "optimizer": Adam(rate), "schedule": cosine_decay, "seed": seed}
    return model, train(model, split, objective, **plan, **options)


def judge(
    model: MLP, own: Dataset, expert: Callable[[Array], Array] | None = None, scale: float = 1.0
) -> Row:
    """Validation accuracy, and every measure on the test split, beside a teacher's logits.

    `scale` multiplies the student's test logits first.
    """
    found = accuracy(model.logits(own.validation.inputs), own.validation.labels)
    inputs, labels = own.test.inputs, own.test.labels
    measures = report(scale * model.logits(inputs), labels, expert and expert(inputs))
    return {"validation": found} | measures


def answers(split: Split, outputs: TeacherOutputs) -> WeightedTerms:
    """The teacher's answers as if they were labels."""
    return hard_labels(replace(split, labels=outputs.at(split.index).argmax(axis=-1)))


# --- Odd or even ----------------------------------------------------------------------------------


def odd_or_even(own: Dataset) -> Dataset:
    """The same examples, labelled 0 where the digit is even, 1 where it is odd."""
    splits = {name: getattr(own, name) for name in ("train", "transfer", "validation", "test")}
    halved = {n: s and replace(s, labels=s.labels % 2) for n, s in splits.items()}
    return replace(own, n_classes=2, **halved)


def parity(logits: Array) -> Array:
    """Logits of even and odd, from those of ten digits: log of the sum of the exponentials."""
    return np.stack([np.logaddexp.reduce(logits[:, k::2], axis=1) for k in (0, 1)], axis=1)


# --- Many runs ------------------------------------------------------------------------------------


def combinations(values: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Every combination of these values by name."""
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


class At:
    """`run`, given its settings in one dict; looks like `run` to whoever reads its source."""

    def __init__(self, run: Callable[..., Row]) -> None:
        self.run, self.__wrapped__, self.__name__ = run, run, run.__name__

    def __call__(self, at: Row, seed: int) -> Row:
        return self.run(**at, seed=seed)


def unfinished(run: Callable[..., Row]) -> Path:
    """Where its interrupted runs are."""
    return RESULTS / f"{run.__module__}_{run.__name__}.unfinished.jsonl"


KEPT: set[Path] = set()  # what `runs` has written, until it is in a record


def runs(run: Callable[..., Row], settings: Sequence[Row], seeds: Sequence[int]) -> list[list[Row]]:
    """For each of the settings, the measures of every seed."""
    KEPT.add(unfinished(run))
    rows = sweep(At(run), {"at": settings}, seeds, unfinished(run), JOBS, keep=True)
    measures = [{n: v for n, v in row.items() if n not in ("at", "seed")} for row in rows]
    return parts(measures, len(seeds))


def parts(values: Sequence[Any], n: int) -> list[Sequence[Any]]:
    """Cut into parts of `n` values."""
    return [values[k : k + n] for k in range(0, len(values), n)]


def by_seed(rows: Sequence[Row], places: int = 6) -> Row:
    """From a row for each seed to a list for each measure."""
    return {name: np.round([row[name] for row in rows], places).tolist() for name in rows[0]}


# --- A study --------------------------------------------------------------------------------------

STUDIES: dict[str, dict[str, Study]] = {}  # by module, and name within it
CHECKED = 1  # the seed that a check repeats
TWO_DIGITS = 2 / 400  # of the test split: another machine's rounding may move the odd one
ALLOWED = {"accuracy": TWO_DIGITS, "fidelity": TWO_DIGITS, "validation": 2 / 200, "nll": 0.02}


class Study:
    """A function that trains one student, and all that its record and its check need.

    Args:
        run: settings and seed -> measures.
        groups: settings, by name the values to combine; one group after the other.
        name: on the command line; the function's, if not given. One that is called as its file
            has no name there.
        rates: learning rates. The one with the best mean accuracy on validation is chosen for each
            combination; without rates there is no such choice.
        tuning: seeds for that choice alone; if not given, it is made on the seeds of the report.
        also: measures whose means by rate are recorded too.
        summary: from the rows of all seeds to what is recorded of them.
        content: makes what is recorded, where that is not a table made in this way.
        rows: from the record to rows that can be repeated: the settings by name, and by measure a
            value for each seed.
        allowed: by measure, how far a repetition may be from the record.
        notes: what the record is to tell besides; a function is called first.
    """

    def __init__(
        self,
        run: Callable[..., Row],
        *groups: Mapping[str, Sequence[Any]],
        name: str = "",
        rates: Sequence[float] = (),
        tuning: Sequence[int] | None = None,
        seeds: Sequence[int] = SEEDS,
        also: Sequence[str] = (),
        places: int = 6,
        summary: Callable[[Sequence[Row]], Row] | None = None,
        content: Callable[[], Row] | None = None,
        rows: Callable[[Row], list[Row]] = lambda content: content["rows"],
        allowed: Mapping[str, float] = ALLOWED,
        **notes: Any,
    ) -> None:
        self.run, self.settings = run, [s for group in groups for s in combinations(group)]
        self.rates, self.tuning, self.seeds, self.also = rates, tuning, seeds, also
        self.places, self.summary = places, summary or (lambda rows: by_seed(rows, places))
        self.content, self.rows = content or self.table, rows
        self.allowed, self.notes = allowed, notes
        name, module = name or run.__name__, run.__module__
        self.file = module if name == module else f"{module}_{name}"
        self.command = f"python studies/{module}.py" + (f" {name}" if name != module else "")
        STUDIES.setdefault(module, {})[name] = self

    def record(self) -> Path:
        """Run all, and write `results/FILE.json`."""
        written = record(self.file, self.content(), self.seeds, self.command)
        while KEPT:
            KEPT.pop().unlink()
        return written

    def table(self) -> Row:
        """What is recorded: notes, and a row for each of the settings."""
        notes = {name: note() if callable(note) else note for name, note in self.notes.items()}
        cases, trials = self.settings, [{} for _ in self.settings]
        if self.rates:
            notes |= {"rates_tried": self.rates}
            notes |= {"tuning_seeds": list(self.tuning)} if self.tuning else {}
            every = [setting | {"rate": rate} for setting in cases for rate in self.rates]
            # Where these seeds are those of the report, its runs are among them already.
            tried = parts(runs(self.run, every, self.tuning or self.seeds), len(self.rates))
            cases, trials = zip(*map(self.choose, cases, tried), strict=True)
        found = map(self.summary, runs(self.run, cases, self.seeds))
        return notes | {"rows": [c | t | f for c, t, f in zip(cases, trials, found, strict=True)]}

    def choose(self, setting: Row, trials: Sequence[Sequence[Row]]) -> tuple[Row, Row]:
        """The setting at its best rate, and the means over seeds that led to that."""
        told = {}
        for name in ("validation", *self.also):
            means = [float(np.mean([row[name] for row in rows])) for rows in trials]
            if name == "validation":
                best = self.rates[int(np.argmax(means))]
            by_rate = dict(zip(self.rates, np.round(means, self.places).tolist(), strict=True))
            told["trials" if name == "validation" else f"{name}_by_rate"] = by_rate
        return setting | {"rate": best}, told

    def check(self) -> list[bool]:
        """Repeat the first, the middle and the last row of the record at one seed; say what came.

        Returns:
            For each of these rows, whether it agrees.
        """
        content = recorded(self.file)
        every, place = self.rows(content), content["seeds"].index(CHECKED)
        rows = [every[k] for k in sorted({0, len(every) // 2, len(every) - 1})]
        names = [name for name in signature(self.run).parameters if name != "seed"]
        settings = [{name: row[name] for name in names} for row in rows]
        found = sweep(At(self.run), {"at": settings}, [CHECKED], jobs=min(JOBS, len(rows)))
        return [
            self.agree(at, {m: row[m][place] for m in self.allowed if m in row}, again)
            for at, row, again in zip(settings, rows, found, strict=True)
        ]

    def agree(self, setting: Row, before: Row, again: Row) -> bool:
        """Print both, and tell whether they are as near to each other as is allowed."""
        measures = [name for name in before if name in again]
        far = [
            name
            for name in measures
            if np.abs(np.subtract(again[name], before[name])).max() > self.allowed[name] + 1e-9
        ]
        said = [
            f"{name} {np.round(before[name], 4)}, again {np.round(again[name], 4)}"
            for name in measures
        ]
        title = ", ".join([self.file, *(f"{name} {value}" for name, value in setting.items())])
        print(f"{title}: {'; '.join(said)}", *(f"DIFFERS: {name}" for name in far), sep="; ")
        return not far


def study(*groups: Mapping[str, Sequence[Any]], **options: Any) -> Callable[..., Any]:
    """Make a `Study` of the function below, which stays what it is: other processes look for it."""

    def register(run: Callable[..., Row]) -> Callable[..., Row]:
        Study(run, *groups, **options)
        return run

    return register


def main(file: str, arguments: Sequence[str] | None = None) -> None:
    """The command of a file of studies."""
    # By its name as a module, other processes find its functions, and keep their caches.
    module = import_module(Path(file).stem)
    own = STUDIES[module.__name__]
    parser = ArgumentParser(description=module.__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(own)}")
    parser.add_argument("--check", action="store_true", help="repeat a slice of the records")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - set(own):
        parser.error(f"no studies called {sorted(unknown)}; there are {list(own)}")
    studies = [own[name] for name in asked.names or own]
    if not asked.check:
        for each in studies:
            print(each.record())
        return
    verdicts = [verdict for each in studies for verdict in each.check()]
    if not all(verdicts):
        sys.exit(f"{verdicts.count(False)} of {len(verdicts)} rows are not what was recorded.")
    print(f"All {len(verdicts)} rows are what was recorded, but for rounding.")
