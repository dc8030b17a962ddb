"""The engine of the studies: many runs that can be interrupted, a fair choice of a rate, a record.

A study is a function that trains one student and measures it. All that it depends on are its
arguments; `@study(...)` says what they are, and makes it a command:

    python studies/NAME.py                 run all studies of the file, and record them in results/
    python studies/NAME.py one other       run these
    python studies/NAME.py --check [...]   compare the records with what comes out today

One process a core, or as many as `JOBS=2` in front says. What was interrupted goes on where it
stopped.
"""

from __future__ import annotations

import os

# Many small trainings: one thread each is fastest. NumPy reads this when it is imported, so this
# module comes before all others (`pyproject.toml` tells the linter).
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from inspect import Parameter, signature
from itertools import product
from pathlib import Path
from shutil import rmtree
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from distill_lib.results import digest, library_digest, origin, record, recorded

Row = dict[str, Any]  # settings or measures, by name

STUDIES_FOLDER = Path(__file__).resolve().parent
UNFINISHED = STUDIES_FOLDER / ".unfinished"  # the runs of studies without their record yet
JOBS = int(os.environ.get("JOBS", joblib.cpu_count()))
SEEDS = range(20)

CHECKED = 1  # the seed that a check repeats, where a study has it
TWO_DIGITS = 2 / 400  # of the test split: another machine's rounding may move the odd one
ALLOWED = {"accuracy": TWO_DIGITS, "fidelity": TWO_DIGITS, "validation": 2 / 200, "nll": 0.02}


def fingerprint() -> str:
    """Of all that makes a measure what it is: the library, the study, the packages.

    Of the folders of studies and of pictures (the playground trains there), the files that are
    imported: an edit of another one costs nothing.
    """
    files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
    paths = {Path(file).resolve() for file in files if file}
    folders = (STUDIES_FOLDER, STUDIES_FOLDER.parent / "pictures")
    return joblib.hash([origin(), digest(p for p in paths if p.parent in folders)])[:12]


def combinations(values: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Every combination of these values by name."""
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


def by_seed(rows: Sequence[Row]) -> Row:
    """From a row for each seed to a list for each measure, to six decimals; texts as they are."""
    measures = {name: [row[name] for row in rows] for name in rows[0]}
    texts = {name for name, values in measures.items() if isinstance(values[0], str)}
    return {n: v if n in texts else np.round(v, 6).tolist() for n, v in measures.items()}


def rows_alone(study: Study) -> Row:
    """What is recorded of most studies: a row for each of the settings."""
    return {"rows": study.table()}


@dataclass(frozen=True)
class Study:
    """A function that trains one student, and all that its record and its check need.

    Attributes:
        run: arguments by name, among them `seed` -> measures by name. If `rates` are to choose
            from, it has an argument `rate` and a measure "validation".
        settings: the arguments that vary; a row of the record for each.
        name: on the command line and in the record's file; the function's, if empty.
        fixed: the arguments that are the same in all runs; they stand at the head of the record.
        rates: learning rates. The one with the best mean accuracy on validation is chosen for each
            of the settings.
        tuning: seeds for that choice alone; if none, it is made on the seeds of the report.
        seeds: of the report.
        summary: from the rows of all seeds to what is recorded of them.
        content: what is recorded below the head.
        rows: from a record to rows that can be repeated: the settings by name, and by measure a
            value for each seed.
        checked: whether a check may repeat such a row: where most take minutes, some take seconds.
        allowed: by measure, how far a repetition may be from the record.

    Raises:
        ValueError: an argument of the function that neither settings nor `fixed` give, or one that
            the function does not have: the record would not say what was run.
    """

    run: Callable[..., Row]
    settings: Sequence[Row] = ()
    name: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    rates: Sequence[float] = ()
    tuning: Sequence[int] = ()
    seeds: Sequence[int] = SEEDS
    summary: Callable[[Sequence[Row]], Row] = by_seed
    content: Callable[[Study], Row] = rows_alone
    rows: Callable[[Row], list[Row]] = lambda content: content["rows"]
    checked: Callable[[Row], bool] = lambda row: True
    allowed: Mapping[str, float] = field(default_factory=lambda: ALLOWED)

    def __post_init__(self) -> None:
        arguments = signature(self.run).parameters.values()
        named = {a.name for a in arguments if a.kind != Parameter.VAR_KEYWORD}
        further = len(named) < len(arguments)  # such as **plan, which is handed on
        unknown = [] if further else sorted({*self.fixed} - named)
        if not self.settings and (unknown or self.content is rows_alone):
            raise ValueError(f"the study of {self.run.__name__} has no {unknown or 'settings'}")
        for setting in self.settings:
            given = {*setting, *self.fixed, "seed"} | ({"rate"} if self.rates else set())
            if named - given or (given - named and not further) or {*setting} & {*self.fixed}:
                raise ValueError(
                    f"{self.run.__name__} takes {sorted(named)}, its study gives {sorted(given)}"
                )

    @property
    def file(self) -> str:
        """The name of the record."""
        module, name = self.run.__module__, self.name or self.run.__name__
        return module if name == module else f"{module}_{name}"

    @property
    def head(self) -> Row:
        """What the record says of the run, beside date, versions and machine."""
        name = self.file.removeprefix(self.run.__module__).lstrip("_")
        command = f"python studies/{self.run.__module__}.py {name}".strip()
        head = {"command": command, "seeds": list(self.seeds), **self.fixed}
        head |= {"rates_tried": list(self.rates)} if self.rates else {}
        return head | ({"tuning_seeds": list(self.tuning)} if self.tuning else {})

    def runs(
        self, settings: Sequence[Row], seeds: Sequence[int], run: Callable[..., Row] | None = None
    ) -> list[list[Row]]:
        """For each of the settings, the measures of every seed.

        Each is kept on disk under its arguments and the fingerprint of the code until the study is
        recorded, and is run only once.
        """
        folder = UNFINISHED / self.file / fingerprint()
        kept = joblib.Memory(folder, verbose=0).cache(run or self.run)
        # A seed at a time, in few batches: its teachers, which a process keeps, serve many runs.
        tasks = [{**self.fixed, **s, "seed": int(seed)} for seed in seeds for s in settings]
        parallel = joblib.Parallel(
            JOBS, batch_size=max(1, len(settings) // 4), return_as="generator"
        )
        results = parallel(joblib.delayed(kept)(**task) for task in tasks)
        rows = list(tqdm(results, desc=self.file, total=len(tasks), unit="run", delay=1))
        return [rows[k :: len(settings)] for k in range(len(settings))]

    def chosen(
        self, settings: Sequence[Row], run: Callable[..., Row] | None = None
    ) -> list[tuple[Row, Row]]:
        """Each of the settings with its best rate, and the mean validation accuracy by rate."""
        every = [{**setting, "rate": rate} for setting in settings for rate in self.rates]
        rows = self.runs(every, self.tuning or self.seeds, run)
        means = [float(np.mean([row["validation"] for row in of_seeds])) for of_seeds in rows]
        by_setting = np.reshape(means, (len(settings), len(self.rates)))
        return [
            (
                {**setting, "rate": self.rates[int(np.argmax(of_rates))]},
                {"trials": dict(zip(self.rates, of_rates.round(6).tolist(), strict=True))},
            )
            for setting, of_rates in zip(settings, by_setting, strict=True)
        ]

    def table(self) -> list[Row]:
        """A row for each of the settings: they, the rate and how it was chosen, the measures."""
        pairs = self.chosen(self.settings) if self.rates else [(s, {}) for s in self.settings]
        measures = self.runs([setting for setting, _ in pairs], self.seeds)
        return [
            {**setting, **trials, **self.summary(rows)}
            for (setting, trials), rows in zip(pairs, measures, strict=True)
        ]

    def record(self) -> Path:
        """Run all, and write `results/FILE.json`.

        Raises:
            ValueError: the code was edited meanwhile, or something that cannot be recorded.
        """
        code, folder = fingerprint(), UNFINISHED / self.file
        if folder.exists() and not (folder / code).exists():
            print(f"{self.file}: what was begun is of other code or packages; starting afresh")
        notes = {n: value for n, value in self.head.items() if n not in ("command", "seeds")}
        content = notes | self.content(self)
        if fingerprint() != code:
            raise ValueError(f"the code was edited while {self.file} ran: run it again")
        path = record(self.file, content, self.seeds, self.head["command"])
        rmtree(folder, ignore_errors=True)
        return path

    def setting(self, row: Row) -> Row:
        """Those arguments of the function that vary, from a row of the record."""
        names = [n for n in (*signature(self.run).parameters, "rate") if n not in self.fixed]
        return {name: row[name] for name in names if name in row}

    def check(self) -> list[str]:
        """Compare the record with what the study does today, and print it.

        Returns:
            What differs, a line each: of the head; of the first, the middle and the last row,
            repeated at one seed.
        """
        content = recorded(self.file)
        every = [row for row in self.rows(content) if self.checked(row)]
        seed = CHECKED if CHECKED in self.seeds else self.seeds[0]
        place = list(self.seeds).index(seed)
        rows = [every[k] for k in sorted({0, len(every) // 2, len(every) - 1})]
        settings = [self.setting(row) for row in rows]
        differences = check_head(self, content)
        again = joblib.Parallel(min(JOBS, len(rows)))(
            joblib.delayed(self.run)(**{**self.fixed, **setting, "seed": seed})
            for setting in settings
        )
        for setting, row, measures in zip(settings, rows, again, strict=True):
            before = {name: row[name][place] for name in self.allowed if name in row}
            if not before.keys() & measures.keys():
                differences.append(f"{self.file}: nothing to compare in {setting}")
            differences += compare(self, setting, before, measures)
        return differences


# --- Checks ---------------------------------------------------------------------------------------


def check_head(study: Study, content: Row) -> list[str]:
    """What the head of a record says otherwise than the study would today; print it."""
    library, today = content["library"], library_digest()
    if library != today:
        print(f"{study.file}: older, of {content['date']}, by {library}; today's is {today}")
    expected = json.loads(json.dumps(study.head, default=list))
    names = set(content) - {"date", "library", "versions", "machine", "rows"}
    if study.content is not rows_alone:  # what it adds is not known before it has run
        names -= set(content) - {*expected}
    differences, absent = [], "nothing"
    for name in dict.fromkeys([*expected, *sorted(names)]):
        before, now = content.get(name, absent), expected.get(name, absent)
        if before == now:
            continue
        line = f"{study.file}: {name} is {before} in the record, {now} in the study"
        print(f"{line}; DIFFERS")
        differences.append(line)
    return differences


def compare(study: Study, setting: Row, before: Row, again: Row) -> list[str]:
    """Which measures are further from each other than is allowed; print all."""
    measures = [name for name in before if name in again]
    title = ", ".join([study.file, *(f"{name} {value}" for name, value in setting.items())])
    values = [f"{n} {in_line(before[n])}, again {in_line(again[n])}" for n in measures]
    far = [
        name
        for name in measures
        if not np.abs(np.subtract(again[name], before[name])).max() <= study.allowed[name] + 1e-9
    ]
    print(f"{title}: {'; '.join(values)}", *(f"DIFFERS: {name}" for name in far), sep="; ")
    return [f"{title}: {name}" for name in far]


def in_line(measure: Any) -> str:
    """A number, or several, rounded and without a line break."""
    return " ".join(str(np.round(measure, 4)).split())


# --- Commands -------------------------------------------------------------------------------------

STUDIES: dict[str, dict[str, Study]] = {}  # by module, and name within it


def study(
    *groups: Mapping[str, Sequence[Any]], name: str = "", **options: Any
) -> Callable[..., Any]:
    """Make a `Study` of the function below, which stays what it is: other processes look for it.

    Args:
        groups: settings, by name the values to combine; one group after the other.
        name: on the command line; the function's, if not given. One that is called as its file
            has no name there.
        options: of `Study`.
    """

    def register(run: Callable[..., Row]) -> Callable[..., Row]:
        settings = [setting for group in groups for setting in combinations(group)]
        one = Study(run, settings, name or run.__name__, **options)
        STUDIES.setdefault(run.__module__, {})[one.name] = one
        return run

    return register


def main(file: str, arguments: Sequence[str] | None = None) -> None:
    """The command of a file of studies."""
    # By its name as a module, other processes find its functions, and keep their caches.
    module = import_module(Path(file).stem)
    studies = STUDIES[module.__name__]
    parser = ArgumentParser(description=module.__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(studies)}")
    parser.add_argument("--check", action="store_true", help="compare the records with today")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - set(studies):
        parser.error(f"no studies called {sorted(unknown)}; there are {list(studies)}")
    chosen = [studies[name] for name in asked.names or studies]
    if not asked.check:
        for one in chosen:
            print(one.record())
        return
    differences = [line for one in chosen for line in one.check()]
    if differences:
        sys.exit("\n".join(["Not as recorded:", *differences]))
    print("All is what was recorded, but for rounding.")
