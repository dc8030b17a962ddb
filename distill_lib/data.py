"""Data sets, each cut into named splits once and for all.

Every example has an index, its place in the whole data set, which travels with it through every
split and every shuffle. A teacher's outputs are found by that index, so that they cannot end up
beside the wrong example.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import distribution

import numpy as np
from numpy.typing import ArrayLike

from distill_lib import checks
from distill_lib.checks import Array

UNLABELLED = -1
"""The label of an example whose label is not known. No loss accepts it."""
SPLITS = ("train", "transfer", "validation", "test")


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Some examples of a data set.

    Attributes:
        inputs: shape (examples, inputs), floats.
        labels: shape (examples,), integers; `UNLABELLED` where there is none.
        index: shape (examples,), each example's place in the data set that it comes from.

    ValueError for shapes or types not as described, lengths that differ, an index that occurs
    twice, or a split without examples.
    """

    inputs: Array
    labels: Array
    index: Array

    def __post_init__(self) -> None:
        inputs = checks.check_table("inputs", self.inputs, "inputs")
        labels = checks.check_one_each("labels", self.labels, (len(inputs),))
        index = checks.check_one_each("index", self.index, (len(inputs),))
        checks.check_integers("labels", labels, least=UNLABELLED)
        checks.check_integers("index", index, least=0)
        if len(np.unique(index)) != len(index):
            raise ValueError("index must name each example once")
        vars(self).update(inputs=inputs, labels=labels, index=index)  # lists have become arrays

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        known = int(np.sum(self.labels != UNLABELLED))
        return f"Split({len(self)} examples of {self.inputs.shape[1]} inputs, {known} labelled)"

    @property
    def labelled(self) -> Split:
        """The examples whose label is known; a ValueError where there is none."""
        return self.take(np.flatnonzero(self.labels != UNLABELLED))

    def take(self, rows: Array) -> Split:
        """The examples at these rows of the split (not their indices in the data set)."""
        return Split(self.inputs[rows], self.labels[rows], self.index[rows])


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set and its splits.

    Attributes:
        name: what it is called in figures and results.
        n_classes: number of classes.
        train: labelled examples for the teacher.
        transfer: what the student is trained on; its labels may be missing or wrong.
        validation: for every choice: learning rate, T, weights, when to stop.
        test: looked at once, at the end; None in a data set for tuning, which must not see it.
        class_names: what the classes are called, in the order of their labels; may be empty.
        mean, scale: shape (inputs,), what `standardised` subtracts and divides by.

    ValueError for fewer than two classes, a label beyond them, or an example of `train` or
    `transfer` that is also used to validate or to test.
    """

    name: str
    n_classes: int
    train: Split
    transfer: Split
    validation: Split
    test: Split | None
    class_names: tuple[str, ...] = ()
    mean: Array | float = 0.0
    scale: Array | float = 1.0

    def __post_init__(self) -> None:
        checks.check_whole("n_classes", self.n_classes, least=2)
        seen: Array = np.empty(0, int)
        for name in SPLITS:
            split: Split = getattr(self, name)
            if split is None and name == "test":
                continue
            checks.check_kind(name, split, Split)
            checks.check_integers(f"labels of {name}", split.labels, -1, self.n_classes - 1)
            if name in ("validation", "test") and np.isin(split.index, seen).any():
                raise ValueError(f"{name} must hold none of the examples of another split")
            seen = np.concatenate([seen, split.index])

    def __repr__(self) -> str:
        sizes = [f"{n} {s and len(s)}" for n in SPLITS for s in [getattr(self, n)]]
        return f"Dataset({self.name!r}, {self.n_classes} classes; {', '.join(sizes)})"

    @classmethod
    def from_arrays(
        cls,
        inputs: ArrayLike,
        labels: ArrayLike,
        *,
        name: str = "your data",
        validation: float = 0.2,
        test: float = 0.2,
        seed: int = 0,
        dtype: type = np.float32,
    ) -> Dataset:
        """A data set from your own arrays, or from a table and one of its columns.

        The inputs are standardised: the mean and the spread of each are those of the training
        split, so that nothing of the other two is known in training. `standardised` does the same
        to examples that come later.

        Args:
            inputs: shape (examples, inputs), numbers.
            labels: shape (examples,): numbers or texts, the classes in their sorted order. All are
                known: `with_few_labels` hides some.
            validation, test: shares of the examples for these splits, drawn at random but always
                the same; the rest is for training, and is the transfer set as well.
            seed: of that draw.
            dtype: np.float32 or np.float64.

        ValueError for arrays, shares or dtype not as described, or a class of which no example is
        left for training. "Your own data" walks through it.
        """
        x = checks.check_table("inputs", inputs, "inputs").astype(np.float64)
        given = checks.check_one_each("labels", labels, (len(x),))
        checks.check_dtype(dtype)
        checks.check_share("validation", validation)
        checks.check_share("test", test)
        n_validation, n_test = round(validation * len(x)), round(test * len(x))
        sizes = (len(x) - n_validation - n_test, n_validation, n_test)
        if given.dtype.kind in "fO" and any(label != label for label in given):  # as nan alone is
            raise ValueError("labels must name a class for each example, got nan: leave those out")
        try:
            classes, numbers = np.unique(given, return_inverse=True)
        except TypeError as error:
            raise ValueError(f"labels must be numbers or texts, and not both: {error}") from error
        if len(classes) > 2 and classes[0] == UNLABELLED:
            raise ValueError(f"labels hold {UNLABELLED}, which marks examples without a label")
        n_classes = max(2, len(classes))
        train = make_dataset(name, x, numbers, n_classes, sizes, seed).train
        missing = [str(c) for k, c in enumerate(classes) if k not in train.labels]
        if missing or len(classes) < 2:
            got = f"{len(classes)} classes, and none of {missing[:9]}"
            raise ValueError(f"training needs two classes or more, each with an example, got {got}")
        with np.errstate(over="ignore", invalid="ignore"):  # checked in the next line
            mean, spread = train.inputs.mean(axis=0), train.inputs.std(axis=0)
        checks.check_scores("the spread of the inputs", np.stack([mean, spread]))
        # An input that never changes, but for rounding, says nothing, and must not explode.
        scale = np.where(spread > 1e-12 * np.abs(train.inputs).max(axis=0), spread, 1)
        scaled: Array = ((x - mean) / scale).astype(dtype)
        whole = make_dataset(name, scaled, numbers, n_classes, sizes, seed)
        return replace(whole, class_names=tuple(map(str, classes)), mean=mean, scale=scale)

    def standardised(self, inputs: ArrayLike) -> Array:
        """(inputs - mean) / scale, with what `from_arrays` took from the training split.

        Returns shape (examples, inputs), float64; ValueError for inputs that are not numbers, or
        not of that shape.
        """
        x = checks.check_table("inputs", inputs, self.train.inputs.shape[1])
        return (x.astype(np.float64) - self.mean) / self.scale

    def with_few_labels(self, n_labels: int, seed: int = 0) -> Dataset:
        """Keep `n_labels` labels of the transfer set, as even over the classes as can be.

        The inputs all stay: the rest of the transfer set is unlabelled. The teacher's `train` split
        is not touched: the teacher had more labels than the student will see. ValueError for
        n_labels below 1 or above the labels that there are, or no seed.
        """
        checks.check_whole("seed", seed, least=0)
        labels = self.transfer.labels
        known = np.flatnonzero(labels != UNLABELLED)
        checks.check_whole("n_labels", n_labels, most=len(known))
        shuffled = np.random.default_rng(seed).permutation(known)
        # Deal the examples out class by class, a card to each in turn: rank within the class.
        member = labels[shuffled][:, None] == np.unique(labels[known])
        rank = member.cumsum(axis=0)[member]
        kept = shuffled[np.argsort(rank, kind="stable")][:n_labels]
        few = np.full_like(labels, UNLABELLED)
        few[kept] = labels[kept]
        return replace(self, transfer=replace(self.transfer, labels=few))

    def with_label_noise(self, rate: float, seed: int = 0) -> Dataset:
        """Give this share of the transfer set's labels another class, drawn evenly.

        Exactly round(rate · labels) labels are changed, each to a class that is not its own.
        `train`, `validation` and `test` stay clean; to train a teacher on the same noise, train
        it on `transfer`. ValueError for a rate outside 0 .. 1, or no seed.
        """
        checks.check_share("rate", rate)
        checks.check_whole("seed", seed, least=0)
        rng = np.random.default_rng(seed)
        labels = self.transfer.labels.copy()
        known = np.flatnonzero(labels != UNLABELLED)
        wrong = rng.choice(known, size=round(rate * len(known)), replace=False)
        shift = rng.integers(1, self.n_classes, size=len(wrong))
        labels[wrong] = (labels[wrong] + shift) % self.n_classes
        return replace(self, transfer=replace(self.transfer, labels=labels))

    def with_n_examples(self, n: int, seed: int = 0) -> Dataset:
        """Keep `n` examples, drawn evenly, of both `train` and `transfer` (the same ones).

        ValueError for n outside 1 .. size of `train`, splits of different examples, or no seed.
        """
        checks.check_whole("seed", seed, least=0)
        checks.check_whole("n", n, most=len(self.train))
        if not np.array_equal(self.train.index, self.transfer.index):
            raise ValueError("train and transfer must hold the same examples in the same order")
        rows = np.random.default_rng(seed).choice(len(self.train), n, replace=False)
        return replace(self, train=self.train.take(rows), transfer=self.transfer.take(rows))


def make_dataset(
    name: str, inputs: Array, labels: Array, n_classes: int, sizes: tuple[int, int, int], seed: int
) -> Dataset:
    """Cut arrays into train (also the transfer set), validation and test, at random but fixed.

    `inputs` has shape (examples, inputs), `labels` (examples,); `sizes` are of train, validation
    and test, all examples together; `seed` is the shuffle's. ValueError for labels not as
    described, or sizes that do not add up.
    """
    inputs = checks.check_scores("inputs", inputs)
    checks.check_whole("n_classes", n_classes, least=2)
    checks.check_whole("seed", seed, least=0)
    labels = checks.check_labels(labels, (len(inputs),), n_classes)
    if len(sizes) != 3 or sum(sizes) != len(inputs) or min(sizes) < 1:
        expected = f"three, of the splits, at least 1 each and {len(inputs)} in all"
        raise ValueError(f"sizes must be {expected}, got {sizes}")
    order = np.random.default_rng(seed).permutation(len(inputs))
    parts = np.split(order, np.cumsum(sizes)[:-1])
    train, validation, test = (Split(inputs[rows], labels[rows], rows) for rows in parts)
    return Dataset(name, n_classes, train, train, validation, test)


def digits(dtype: type = np.float32) -> Dataset:
    """The 1,797 handwritten digits of scikit-learn, 8 × 8 pixels from 0 to 1; no network needed.

    1,197 to train on (and as the transfer set), 200 for validation, 400 for test; always the same.
    Source: E. Alpaydin and C. Kaynak, UCI repository, "Optical Recognition of Handwritten Digits"
    (the part that scikit-learn ships). Chapter 1 meets it first. ValueError for a dtype other than
    np.float32 or np.float64.
    """
    checks.check_dtype(dtype)
    # Read without importing scikit-learn, which takes longer than all else that a chapter imports.
    path = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    table = np.loadtxt(str(path), delimiter=",")
    inputs: Array = (table[:, :-1] / 16).astype(dtype)
    labels = table[:, -1].astype(int)
    return make_dataset("digits", inputs, labels, 10, (1197, 200, 400), seed=2015)


def synthetic(
    n_examples: int = 3000, n_classes: int = 4, spread: float = 1.0, seed: int = 0
) -> Dataset:
    """Points in the plane from one round Gaussian cloud per class, centres on a circle.

    Because the clouds are known, so is the right answer to "how likely is each class here?":
    `synthetic_posterior`. A fifth of the points goes to validation, two fifths to test.

    `n_examples` are the points in all, at least 5; the `n_classes` clouds, at least 2, are equally
    likely; `spread` is the standard deviation of each, and the circle's radius 2. ValueError for
    numbers out of these bounds.
    """
    checks.check_whole("n_examples", n_examples, least=5)
    checks.check_whole("n_classes", n_classes, least=2)
    checks.check_positive("spread", spread)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n_examples)
    inputs = _centres(n_classes)[labels] + rng.normal(0, spread, (n_examples, 2))
    n_validation, n_test = n_examples // 5, 2 * n_examples // 5
    sizes = (n_examples - n_validation - n_test, n_validation, n_test)
    return make_dataset("clouds", inputs.astype(np.float32), labels, n_classes, sizes, seed)


def synthetic_posterior(inputs: Array, n_classes: int = 4, spread: float = 1.0) -> Array:
    """Exact log-probability, up to a constant per row, of each class of `synthetic`: its logits.

    Returns -|x - centre|² / (2 spread²), shape (examples, n_classes). ValueError for inputs not of
    shape (examples, 2), or numbers that `synthetic` would refuse.
    """
    inputs = checks.check_table("inputs", inputs, 2).astype(np.float64)
    checks.check_whole("n_classes", n_classes, least=2)
    checks.check_positive("spread", spread)
    difference = inputs[:, None, :] - _centres(n_classes)
    return -np.sum(difference**2, axis=-1) / (2 * spread**2)


def _centres(n_classes: int) -> Array:
    angles = 2 * np.pi * np.arange(n_classes) / n_classes
    return 2 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
