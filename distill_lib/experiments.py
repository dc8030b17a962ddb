"""Many seeds, fair comparisons, intervals, and results written down with what made them."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from scipy import stats
from tqdm import tqdm  # as text: a widget would end up in the built page

from distill_lib.losses import check_scores, check_whole

RESULTS = Path(__file__).resolve().parent.parent / "results"
Row = dict[str, Any]


class Estimate(NamedTuple):
    """A mean over seeds with its 95% confidence interval."""

    mean: float
    low: float
    high: float
    n: int

    def __format__(self, spec: str) -> str:
        """`f"{estimate:.1f}"` gives "87.6 ± 1.5"; `:+.1f` signs the mean."""
        half = (self.high - self.low) / 2
        return f"{self.mean:{spec}} ± {half:{spec.replace('+', '')}}"

    def scaled(self, factor: float) -> Estimate:
        """The same in other units, for instance percent."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Estimate(self.mean * factor, low, high, self.n)


def interval(values: ArrayLike) -> Estimate:
    """Mean and 95% confidence interval by Student's t, for values that are independent.

    Args:
        values: shape (seeds,), at least two, finite.

    Raises:
        ValueError: values not as described.

    Chapter 2, "One seed proves nothing".
    """
    values = check_scores("values", values).astype(float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values must be two or more along one axis, got shape {values.shape}")
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = values.mean()
    return Estimate(float(mean), float(mean - half), float(mean + half), len(values))


def paired_difference(values: ArrayLike, baseline: ArrayLike) -> Estimate:
    """Interval of values - baseline, seed by seed.

    What a seed does to both (an easy draw of labels, a lucky start) cancels, so this interval is
    narrower than one would guess from the two separate ones.

    Args:
        values, baseline: shape (seeds,), the same seeds in the same order.

    Raises:
        ValueError: shapes that differ, or fewer than two seeds.
    """
    values, baseline = check_scores("values", values), check_scores("baseline", baseline)
    if values.shape != baseline.shape:
        raise ValueError(
            f"a paired difference needs the same seeds, got {values.shape} and {baseline.shape}"
        )
    return interval(values - baseline)


def over_seeds(run: Callable[[int], Mapping[str, float]], seeds: Iterable[int]) -> dict[str, Any]:
    """Call `run(seed)` for each seed; return each of its measures as an array over the seeds.

    Raises:
        ValueError: no seeds, or a seed with other measures than the first.
    """
    rows = [run(seed) for seed in tqdm(list(seeds), desc="seeds", delay=2, leave=False)]
    if not rows:
        raise ValueError("need at least one seed, got none")
    for row in rows:
        if row.keys() != rows[0].keys():
            raise ValueError(f"all seeds must give {[*rows[0]]}, one gave {[*row]}")
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def sweep(
    run: Callable[..., Mapping[str, Any]],
    settings: Mapping[str, Sequence[Any]],
    seeds: Iterable[int],
    unfinished: Path | None = None,
    jobs: int = -1,
    keep: bool = False,
) -> list[Row]:
    """Call `run(seed=..., **setting)` for every combination of settings and every seed.

    Uses all cores and shows progress. With `unfinished`, each result is written there as it comes,
    and a sweep that was interrupted goes on where it stopped; the file is removed at the end. It
    is used again only by the same code (the library, all of the folder that holds `run`) and the
    same packages, so that old and new never mix; otherwise the sweep says so and starts afresh.

    Args:
        run: a function at the top of a module (other processes must find it) that gives measures:
            numbers, lists and texts, under names that are not those of settings.
        settings: by name, the values to try.
        seeds: whole numbers.
        unfinished: a file for what is done so far (JSON lines).
        jobs: processes; -1 for one a core.
        keep: leave the file when all is done, for a run of several sweeps, whose last part may yet
            be interrupted; the caller removes it.

    Returns:
        One row per combination and seed, in that order: settings, seed and measures.

    Raises:
        ValueError: a setting called "seed", a measure called like a setting, seeds that are not
            whole numbers, an `unfinished` that holds something else (it is left as it is), or
            one for a `run` that is not in a file.
    """
    if "seed" in settings:
        raise ValueError('"seed" must not be among the settings: the seeds are given on their own')
    seeds = list(seeds)
    for seed in seeds:
        check_whole("seed", seed, least=0)
    named = {**settings, "seed": [int(seed) for seed in seeds]}
    tasks = [dict(zip(named, values, strict=True)) for values in product(*named.values())]
    done: dict[str, Row] = {}
    if unfinished is not None:
        done = {_task_key(row, named): row for row in _take_up(unfinished, run)}
    todo = [task for task in tasks if _task_key(task, named) not in done]
    results = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(_one)(run, task) for task in todo
    )
    for row in tqdm(results, total=len(tasks), initial=len(done), desc=run.__name__, delay=1):
        done[_task_key(row, named)] = row
        if unfinished is not None:
            with unfinished.open("a", encoding="utf-8") as file:
                file.write(_line(row))
    if unfinished is not None and not keep:
        unfinished.unlink()
    return [done[_task_key(task, named)] for task in tasks]


def _one(run: Callable[..., Mapping[str, Any]], task: Row) -> Row:
    measures = dict(run(**task))
    if clash := measures.keys() & task.keys():
        raise ValueError(f"measures must not be called like settings, got {sorted(clash)}")
    return measures | task


def _task_key(row: Row, names: Iterable[str]) -> str:
    return _line([row[name] for name in names])


def _line(content: Any) -> str:
    """JSON in one line, with NumPy's numbers and arrays as Python's."""
    return json.dumps(content, default=_plain) + "\n"


def _plain(x: Any) -> list[Any]:
    return x.tolist() if hasattr(x, "tolist") else list(x)


def _take_up(unfinished: Path, run: Callable[..., Any]) -> list[Row]:
    """The rows that an interrupted sweep of the same code left; the file is ready for more."""
    source = Path(inspect.getsourcefile(inspect.unwrap(run)) or "")
    if not source.is_file():
        raise ValueError(f"to go on after an interruption, {run.__name__} must be in a file")
    code = digest(source.parent.glob("*.py"))
    stamp = _line({"unfinished sweep of": run.__name__, "code": code, "with": _origin()})
    found = unfinished.read_text(encoding="utf-8") if unfinished.exists() else ""
    first, _, rest = found.partition("\n")
    if not (stamp.startswith(found) or first.startswith(stamp[: stamp.index(":")])):
        raise ValueError(f"{unfinished} is not of an unfinished sweep: move it away")
    rest = rest[: rest.rfind("\n") + 1]  # a last line may have been cut
    if first + "\n" != stamp:
        if rest:
            tqdm.write(f"{unfinished.name} is of other code or packages: starting afresh")
        rest = ""
    if stamp + rest != found:
        _write(unfinished, stamp + rest)
    return [json.loads(line) for line in rest.splitlines()]


def _write(path: Path, text: str) -> None:
    """Write a file so that an interruption leaves the old one or the new one, never a part."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def digest(paths: Iterable[Path]) -> str:
    """A short fingerprint of the text of these files, which any edit changes."""
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:12]


def library_digest() -> str:
    """The fingerprint of all of the library that computes; what only draws is left out."""
    drawing = {"explore.py", "figures.py", "style.py", "svg.py", "exercises.py"}
    return digest(p for p in Path(__file__).parent.glob("*.py") if p.name not in drawing)


def _origin() -> Row:
    """The code and the packages that make a result what it is."""
    packages = ("numpy", "scipy", "scikit-learn")
    versions = {"python": platform.python_version()} | {p: version(p) for p in packages}
    return {"library": library_digest(), "versions": versions}


def record(name: str, content: Mapping[str, Any], seeds: Iterable[int], command: str) -> Path:
    """Write `results/NAME.json`: the content, and what it takes to get it again.

    Returns:
        Where it was written.

    Raises:
        ValueError: a content with nan or infinity, which JSON does not know.
    """
    origin = {
        "command": command,
        "date": date.today().isoformat(),
        "seeds": [int(seed) for seed in seeds],
        **_origin(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    path = RESULTS / f"{name}.json"
    text = json.dumps(origin | dict(content), indent=1, allow_nan=False, default=_plain)
    _write(path, text + "\n")
    return path


def recorded(name: str) -> dict[str, Any]:
    """Read `results/NAME.json`.

    Raises:
        ValueError: no such result; the message lists those that there are.
    """
    path = RESULTS / f"{name}.json"
    if not path.exists():
        there = sorted(p.stem for p in RESULTS.glob("*.json"))
        raise ValueError(f"no recorded result {name!r}; there are {there}")
    return json.loads(path.read_text(encoding="utf-8"))
