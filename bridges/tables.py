"""A reader's table, from a CSV or a Parquet file or from arrays, and its splits.

What cannot be right is refused with a ValueError: what was wrong, what was expected, what to do.
Nothing is filled in, turned into numbers or left out in silence. CSV needs the standard library
alone, Parquet the package `pyarrow` (`make torch`).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import train_test_split

from distill_lib.checks import Array, check_whole
from distill_lib.data import UNLABELLED, Dataset, Split

ALLOWED = ("constant", "duplicates", "unlabelled")
"""What is refused unless the reader allows it: then it is kept, and does no harm."""
MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
PARTS = ("train", "validation", "test")
FEWEST, SMALLEST = 5, 10  # different rows of a class; rows of validation and of test
CHUNK = 10_000


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds.

    Attributes:
        names, features: of the columns of numbers; shape (rows, columns), float64.
        labels: shape (rows,), numbers where all are whole, else texts; None where there is none.
        outputs: a teacher's probabilities by class, where the file has them.
        parts: the split of each row, where the file says it.
    """

    names: list[str]
    features: Array
    labels: Array
    outputs: dict[str, Array]
    parts: Array | None


# --- Files ----------------------------------------------------------------------------------------


def read(
    path: str | Path,
    label: str,
    *,
    outputs: str = "",
    split: str = "",
    drop: Collection[str] = (),
    delimiter: str = ",",
) -> Table:
    """Read a .csv (.tsv, .txt) file, its names in the first line, or a .parquet file.

    Args:
        label: the column of the classes. An empty cell is a row without a label.
        outputs: how the columns of a teacher's probabilities begin: "p_" for p_cat, p_dog, …
        split: the column that says train, validation or test, if there is one.
        drop: columns that are no features, such as a number of the row.

    ValueError for a file that is no such table, a column that is not there, or a feature that is
    not a number in every row; with the line.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no file {path}: check its name and its folder")
    texts = [name for name in (label, split) if name]
    if dropped := [name for name in texts if name in drop]:
        raise ValueError(f"what is used cannot be dropped as well, got {some(dropped)}")
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        tab = "\t" if path.suffix.lower() == ".tsv" and delimiter == "," else delimiter
        columns = _read_csv(path, texts, drop, tab)
    elif path.suffix.lower() in (".parquet", ".pq"):
        columns = _read_parquet(path, texts, drop)
    else:
        raise ValueError(
            f"a table is a .csv, .tsv or .parquet file, got {path.name}: save it as CSV"
        )
    labels, parts = columns.pop(label), columns.pop(split) if split else None
    of_class = {n.removeprefix(outputs): n for n in columns if outputs and n.startswith(outputs)}
    if outputs and not of_class:
        expected = f"columns {outputs}CLASS, one for each class, with the teacher's probabilities"
        raise ValueError(f"{path.name} must have {expected}; it has {some(columns)}")
    probabilities = {name: columns.pop(n) for name, n in of_class.items()}
    if not columns:
        raise ValueError(
            f"{path.name} must have columns of features beside the label; none is left"
        )
    features = np.stack([*columns.values()], axis=1)
    return Table([*columns], features, _numbers(labels), probabilities, parts)


def _wanted(path: Path, names: Sequence[str], texts: Sequence[str], drop: Collection[str]) -> None:
    """ValueError for no name, one that occurs twice, or one that was asked for and is not there."""
    if (place := [*names].index("") if "" in names else -1) >= 0 and "" not in drop:
        advice = 'if it numbers the rows, as pandas writes it, drop "", or save with index=False'
        raise ValueError(f"column {place + 1} of {path.name} has no name: {advice}")
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise ValueError(f"columns must have names of their own, got {some(twice)} more than once")
    for name in (*texts, *drop):
        if name not in names:
            near = get_close_matches(name, names, 1)
            advice = f"did you mean {near[0]!r}?" if near else "check the spelling"
            raise ValueError(f"{path.name} has no column {name!r}, only {some(names)}: {advice}")


def _read_csv(
    path: Path, texts: Sequence[str], drop: Collection[str], delimiter: str
) -> dict[str, Array]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            names = [name.strip() for name in next(reader, [])]
            _check_header(path, names, delimiter)
            _wanted(path, names, texts, drop)
            parts: dict[str, list[Any]] = {name: [] for name in names if name not in drop}
            for lines, rows in _chunks(reader, len(names), path):
                for name, cells in zip(names, zip(*rows, strict=True), strict=True):
                    if name in texts:
                        parts[name].append(np.array([cell.strip() for cell in cells], object))
                    elif name in parts:
                        parts[name].append(_floats(name, cells, lines))
    except UnicodeDecodeError as error:
        advice = "save it as CSV with the encoding UTF-8"
        raise ValueError(f"{path.name} is no text in UTF-8 ({error.reason}): {advice}") from error
    except csv.Error as error:
        raise ValueError(f"{path.name} is broken at line {reader.line_num}: {error}") from error
    if not next(iter(parts.values()), []):
        raise ValueError(f"{path.name} must have rows below its line of names; it has none")
    return {name: np.concatenate(chunks) for name, chunks in parts.items()}


def _check_header(path: Path, names: Sequence[str], delimiter: str) -> None:
    if not any(names):
        raise ValueError(f"{path.name} is empty: its first line must hold the names of the columns")
    if len(names) == 1:
        others = [one for one in ";\t,|" if one != delimiter and one in names[0]]
        advice = f"give delimiter={others[0]!r}" if others else "has it a delimiter?"
        got = names[0] if len(names[0]) < 40 else names[0][:36] + " …"
        raise ValueError(f"{path.name} seems to have a single column, {got!r}: {advice}")
    measured = [name for name in names if _is_number(name) and not name.isdigit()]
    if measured or all(name.isdigit() for name in names):  # a column may be called 2026
        got = f"got the number {[*measured, *names][0]}: write a line of names above it"
        raise ValueError(f"the first line of {path.name} must hold the names of the columns, {got}")


def _chunks(reader: Any, width: int, path: Path) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Some thousand rows at a time, with their lines: all of a file as texts needs much room."""

    def whole() -> Iterator[tuple[int, list[str]]]:
        for row in reader:
            if not row:  # an empty line
                continue
            if len(row) != width:
                got = f"line {reader.line_num} has {len(row)} cells, the line of names {width}"
                advice = 'a cell with the delimiter in it must stand in "quotes"'
                raise ValueError(f"{path.name} is broken: {got}; {advice}")
            yield reader.line_num, row

    rows = whole()
    while chunk := [*islice(rows, CHUNK)]:
        lines, cells = zip(*chunk, strict=True)
        yield [*lines], [*cells]


def _floats(name: str, cells: Sequence[str], lines: Sequence[int]) -> Array:
    """A column's numbers; ValueError for a text or nothing in place of one."""
    try:
        values = np.array(cells, float)
    except ValueError as error:
        row = next(k for k, cell in enumerate(cells) if not _is_number(cell))
        raise _no_number(name, cells[row].strip(), f"line {lines[row]}") from error
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise _no_number(name, cells[row].strip(), f"line {lines[row]}")
    return values


def _no_number(name: str, value: object, place: str) -> ValueError:
    """What to say of a cell that is no number, or none that can be computed with."""
    if str(value).lower() in MISSING:
        advice = "fill such cells in, or leave their rows or the column out (drop)"
        return ValueError(f"the feature {name!r} has no value in {place}: {advice}")
    if _is_number(str(value)):
        return ValueError(f"the feature {name!r} must be finite, got {value} in {place}")
    advice = (
        "make it numbers (a category: a column of 0 and 1 for each value), or leave it out (drop)"
    )
    if _is_number(str(value).replace(",", ".", 1)):
        advice = "write decimals with a point"
    return ValueError(f"the feature {name!r} must be numbers, got {value!r} in {place}: {advice}")


def _read_parquet(path: Path, texts: Sequence[str], drop: Collection[str]) -> dict[str, Array]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        advice = "pip install pyarrow (`make torch` does), or save the table as CSV"
        raise ValueError(f"to read {path.name} needs the package pyarrow: {advice}") from error
    try:
        table = pyarrow.parquet.ParquetFile(path).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path.name} is no whole Parquet file: {error}") from error
    _wanted(path, table.column_names, texts, drop)
    if not table.num_rows:
        raise ValueError(f"{path.name} must have rows; it has none")
    columns: dict[str, Array] = {}
    for name in table.column_names:
        column = table[name]
        if name in texts:
            columns[name] = np.array(
                ["" if v is None else str(v) for v in column.to_pylist()], object
            )
        elif name not in drop:
            columns[name] = _arrow_floats(name, column)
    return columns


def _arrow_floats(name: str, column: Any) -> Array:
    from pyarrow import types

    kind, first = column.type, column.is_null(nan_is_null=True).to_pylist
    if column.null_count or (types.is_floating(kind) and any(first())):
        raise _no_number(name, "", f"row {first().index(True) + 1}")
    if not any(
        is_kind(kind) for is_kind in (types.is_integer, types.is_floating, types.is_boolean)
    ):
        raise _no_number(name, column[0].as_py(), f"row 1 (its type is {kind})")
    values = np.asarray(column.to_numpy()).astype(float)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise _no_number(name, values[row], f"row {row + 1}")
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(labels: Array) -> Array:
    """Labels of a file as whole numbers where all are: "10" comes after "9"; None for no label."""
    known = [str(one) for one in labels if str(one).lower() not in MISSING]
    whole = all(re.fullmatch(r"-?(0|[1-9]\d{0,14})(\.0*)?", one) for one in known)  # 007 is a name
    made = [
        None if str(one).lower() in MISSING else int(float(one)) if whole else str(one)
        for one in labels
    ]
    return np.array(made, object)


def some(names: Collection[Any], most: int = 8) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(repr(str(name)) for name in list(names)[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


# --- Arrays ---------------------------------------------------------------------------------------


def checked_features(features: ArrayLike, names: Sequence[str] | None) -> tuple[Array, list[str]]:
    """Features as float64, and their names: a table's own, those given, or "0", "1", …

    ValueError for what is no table of finite numbers, with the column and the row (from 0 on).
    """
    names = getattr(features, "columns", None) if names is None else names
    if hasattr(features, "toarray"):
        raise ValueError("features must be an array, got a sparse matrix: x.toarray() makes it so")
    try:
        array = np.asarray(features)
    except ValueError as error:
        raise ValueError(f"features must have rows of equal length: {error}") from error
    if array.ndim != 2:
        advice = "x.reshape(len(x), -1) makes it so"
        raise ValueError(f"features must have shape (rows, columns), got {array.shape}: {advice}")
    if 0 in array.shape:
        raise ValueError(f"features must have rows and columns, got shape {array.shape}")
    names = [str(name) for name in (range(array.shape[1]) if names is None else names)]
    if len(names) != array.shape[1] or len(set(names)) < len(names):
        got = f"{len(names)} names for {array.shape[1]} columns, {len(set(names))} different"
        raise ValueError(f"each column of the features must have a name of its own, got {got}")
    if array.dtype.kind not in "biuf":
        columns = [_object_floats(name, array[:, k]) for k, name in enumerate(names)]
        array = np.stack(columns, axis=1)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        row, column = (int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise _no_number(names[column], array[row, column], f"row {row}")
    if counting := [n for n, c in zip(names, array.T, strict=True) if _counts(c)]:
        advice = (
            "a number of the row is no measurement, and hides that rows are equal: leave it out"
        )
        raise ValueError(f"features count the rows: {some(counting)}; {advice} (drop)")
    return array, names


def _counts(column: Array) -> bool:
    """Whether each value is one more than the one before."""
    return len(column) > SMALLEST and bool((np.diff(column) == 1).all())


def _object_floats(name: str, column: Array) -> Array:
    for row, value in enumerate(column):
        real = isinstance(value, int | float | np.number | np.bool_)
        if not real or np.iscomplexobj(value) or not np.isfinite(value):
            raise _no_number(name, "" if value is None else value, f"row {row}")
    return column.astype(float)


def class_name(value: object) -> str:
    """What a class is called: 1, 1.0 and "1" are one class."""
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def checked_labels(labels: ArrayLike, n: int, allow: Collection[str]) -> tuple[Array, Array]:
    """The classes in their sorted order, and each row's number among them or `UNLABELLED`.

    ValueError for others than one label for each of `n` rows, rows without one that are not
    allowed, a single class, or what looks like measurements.
    """
    given = np.asarray(labels)
    if given.shape != (n,):
        advice = "; for one-hot rows take labels.argmax(axis=1)" if given.ndim == 2 else ""
        raise ValueError(
            f"labels must be one for each of {n} rows, got shape {given.shape}{advice}"
        )
    known = np.array([one is not None and one == one and one != "" for one in given.tolist()])
    if not known.all() and "unlabelled" not in allow:
        got = f"{n - known.sum()} of {n} have none, the first is row {int(np.argmin(known))}"
        advice = "leave them out, or allow 'unlabelled': the teacher speaks about them, nobody else"
        raise ValueError(f"every row must have a label, but {got}: {advice}")
    try:
        classes, numbers = np.unique(given[known], return_inverse=True)
    except TypeError as error:
        raise ValueError(f"labels must be numbers or texts, and not both: {error}") from error
    classes = np.array(classes.tolist())  # of a file they are objects, which no estimator takes
    if len(classes) < 2:
        got = f"got {[class_name(one) for one in classes]}"
        advice = "is this the right column, and are rows of the other classes missing?"
        raise ValueError(f"there must be two classes or more, {got}: {advice}")
    if classes.dtype.kind == "f" and (classes != np.floor(classes)).any():
        got = f"such as {classes[classes != np.floor(classes)][0]}"
        advice = "for classes from measurements, cut them into ranges first"
        raise ValueError(f"labels must name classes, got measured numbers, {got}: {advice}")
    every = np.full(n, UNLABELLED)
    every[known] = numbers
    return classes, every


# --- Splits ---------------------------------------------------------------------------------------


def dataset(
    features: Array,
    names: Sequence[str],
    labels: Array,
    classes: Array,
    *,
    parts: ArrayLike | None = None,
    allow: Collection[str] = (),
    seed: int = 0,
    name: str = "your data",
) -> Dataset:
    """The data set: three fifths train, a fifth each validates and tests, as even over the classes.

    Args:
        features, names, labels, classes: as `checked_features` and `checked_labels` give them.
        parts: "train", "validation" or "test" for each row, where they are cut already.
        allow: some of `ALLOWED`. "constant" features are 0 to the student; equal rows,
            "duplicates", come to one side; rows without label are in the transfer set alone.
        seed: of the draw.

    Inputs are standardised by the rows of train, those without a label as well. ValueError for too
    few rows, equal rows on two sides, a class that is not among the rows of train, or a feature
    that never changes there.
    """
    check_whole("seed", seed, least=0)
    if unknown := set(allow) - set(ALLOWED):
        raise ValueError(f"what can be allowed is {some(ALLOWED)}, got {some(sorted(unknown))}")
    if (features == features[0]).all():
        raise ValueError("all rows are equal: some feature must change; is the file the right one?")
    called = [class_name(one) for one in classes]
    group = _groups(features)
    if parts is None:
        part = _drawn(group, labels, called, allow, seed)
    else:
        part = _given(parts, group, labels, called)
    rows = {p: np.flatnonzero((part == p) & (labels != UNLABELLED)) for p in PARTS}
    for p in PARTS[1:]:
        if len(rows[p]) < SMALLEST:
            got = f"{len(rows[p])} of {len(labels)}"
            advice = "more rows are needed; so few would tell nothing"
            raise ValueError(
                f"at least {SMALLEST} labelled rows must be for {p}, got {got}: {advice}"
            )
    transfer = np.flatnonzero(part == "train")  # those without a label, too
    shown = features[transfer]
    mean, spread = shown.mean(axis=0), shown.std(axis=0)
    constant = spread <= 1e-12 * np.abs(shown).max(axis=0)
    if constant.any() and ("constant" not in allow or constant.all()):
        which = some([n for n, c in zip(names, constant, strict=True) if c])
        advice = "leave them out (drop), or allow 'constant': they are 0 to the student then"
        raise ValueError(f"features never change in the rows of train: {which}; {advice}")
    inputs = (features - mean) / np.where(constant, np.inf, spread)

    def split(chosen: Array) -> Split:
        return Split(inputs[chosen], labels[chosen], chosen)

    validation, test = split(rows["validation"]), split(rows["test"])
    scale = np.where(constant, np.inf, spread)
    splits = (split(rows["train"]), split(transfer), validation, test)
    return Dataset(name, len(classes), *splits, tuple(called), mean, scale)


def _groups(features: Array) -> Array:
    """A number for each row, the same for equal rows."""
    plain = np.ascontiguousarray(features + 0.0)  # -0 is 0
    rows = plain.view(np.dtype((np.void, plain.itemsize * plain.shape[1]))).ravel()
    return np.unique(rows, return_inverse=True)[1]


def _drawn(
    group: Array, labels: Array, called: Sequence[str], allow: Collection[str], seed: int
) -> Array:
    """The split of each row: all rows of a group in one, drawn with each class in its share."""
    first = np.unique(group, return_index=True)[1]
    if len(first) < len(group) and "duplicates" not in allow:
        a, b = _pair(group)
        got = f"{len(group) - len(first)} of {len(group)} are copies, such as rows {a} and {b}"
        advice = "leave the copies out, or allow 'duplicates': equal rows come to one side then"
        raise ValueError(f"rows must differ, or the test asks what was shown; {got}: {advice}")
    known = np.flatnonzero(labels != UNLABELLED)
    groups, places = np.unique(group[known], return_index=True)
    of_group = labels[known[places]]
    counts = np.bincount(of_group, minlength=len(called))
    if counts.min() < FEWEST:
        few = [f"{called[int(k)]}: {counts[k]}" for k in np.flatnonzero(counts < FEWEST)]
        advice = "more of them are needed, or leave the class out, or join it with another"
        got = f"got too few of {some(few)}"
        raise ValueError(f"each class must have {FEWEST} different rows or more, {got}: {advice}")
    part = np.full(len(group), "train", dtype="U10")
    try:
        kept, test = train_test_split(groups, test_size=0.2, stratify=of_group, random_state=seed)
        stratify = of_group[np.searchsorted(groups, kept)]
        _, validation = train_test_split(kept, test_size=0.25, stratify=stratify, random_state=seed)
    except ValueError as error:  # fewer rows in a split than there are classes
        advice = "more rows are needed, or fewer classes"
        got = f"{len(group)} rows for {len(called)} classes"
        raise ValueError(
            f"there must be some rows of each class to test, got {got}: {advice}"
        ) from error
    part[np.isin(group, validation)], part[np.isin(group, test)] = "validation", "test"
    return part


def _given(parts: ArrayLike, group: Array, labels: Array, called: Sequence[str]) -> Array:
    """The reader's own splits, checked."""
    part = np.array([str(one) for one in np.asarray(parts).ravel()])
    if len(part) != len(labels):
        raise ValueError(f"the split must be said for each of {len(labels)} rows, got {len(part)}")
    if set(part) != set(PARTS):
        raise ValueError(
            f"the split must be one of {some(PARTS)}, each used, got {some(set(part))}"
        )
    in_train = np.unique(labels[(part == "train") & (labels != UNLABELLED)])
    for p in PARTS[1:]:
        seen = np.unique(labels[(part == p) & (labels != UNLABELLED)])
        if new := [called[int(k)] for k in np.setdiff1d(seen, in_train)]:
            advice = "move some of their rows to train, or leave the classes out"
            got = f"{p} has {some(new)} beside them"
            raise ValueError(f"the rows of train must have every class, but {got}: {advice}")
    sides = np.unique(np.stack([group, np.unique(part, return_inverse=True)[1]]), axis=1)[0]
    if len(torn := sides[1:][sides[1:] == sides[:-1]]):
        rows = np.flatnonzero(group == torn[0])
        a, b = rows[0], rows[part[rows] != part[rows[0]]][0]
        got = f"rows {a} ({part[a]}) and {b} ({part[b]}), and {len(torn) - 1} more such"
        raise ValueError(
            f"equal rows must not lie on two sides of the split, got {got}: move them together"
        )
    return part


def _pair(group: Array) -> tuple[int, int]:
    """Two rows that are equal."""
    order = np.argsort(group, kind="stable")
    k = int(np.flatnonzero(group[order][1:] == group[order][:-1])[0])
    return int(order[k]), int(order[k + 1])
