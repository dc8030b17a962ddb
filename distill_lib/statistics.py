"""Intervals over seeds, and what one method gains on another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm  # as text: a widget would end up in the built page

from distill_lib.checks import Array, check_scores


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

    They have shape (seeds,), at least two, finite; else a ValueError. Chapter 3, "The interval".
    """
    values = check_scores("values", values).astype(float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values must be two or more along one axis, got shape {values.shape}")
    return _around(values.mean(), values.std(ddof=1) / np.sqrt(len(values)), len(values))


def _around(mean: float, error: float, n: int) -> Estimate:
    """The interval of this standard error."""
    from scipy.special import stdtrit  # here: it takes long to import, and few need it

    half = stdtrit(n - 1, 0.975) * error  # the quantile of Student's distribution
    return Estimate(float(mean), float(mean - half), float(mean + half), n)


def paired_difference(values: ArrayLike, baseline: ArrayLike) -> Estimate:
    """Interval of values - baseline, seed by seed.

    What a seed does to both (an easy draw of labels, a lucky start) cancels, so this interval is
    narrower than one would guess from the two separate ones. Both have shape (seeds,), the same
    seeds in the same order; ValueError for shapes that differ, or fewer than two seeds.
    """
    values, baseline = check_scores("values", values), check_scores("baseline", baseline)
    if values.shape != baseline.shape:
        got = f"{values.shape} and {baseline.shape}"
        raise ValueError(f"a paired difference needs the same seeds, got {got}")
    return interval(values - baseline)


def crossed_interval(values: ArrayLike) -> Estimate:
    """Mean and 95% confidence interval where seeds *and* test examples are drawn by chance.

    An interval over seeds alone takes the examples of the test split as all that there are. Here
    the mean's variance is that of two crossed samples, (S + E - R) / (seeds · examples), with the
    mean squares between seeds, between examples and of what remains.

    The values have shape (seeds, examples), at least two of each, finite: such as 1 where a student
    is right; or, for a paired difference, that minus the same of another student. The estimate's
    `n` is the smaller of seeds and examples, which also sets Student's t. ValueError for values not
    as described. Owen 2007 (doi 10.1214/07-AOAS122) on data drawn by rows and by columns. Chapter
    3, "The test digits are drawn, too".
    """
    values = check_scores("values", values).astype(float)
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"values must have shape (seeds, examples), got {values.shape}")
    by_seed, by_example, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    of_seeds = values.shape[1] * by_seed.var(ddof=1)
    of_examples = values.shape[0] * by_example.var(ddof=1)
    remains = np.sum((values - by_seed[:, None] - by_example + mean) ** 2)
    remains /= (values.shape[0] - 1) * (values.shape[1] - 1)
    # Each alone is a lower bound; the sum less the rest can fall below them by chance.
    square = max(of_seeds, of_examples, of_seeds + of_examples - remains) / values.size
    return _around(mean, np.sqrt(square), min(values.shape))


def over_seeds(run: Callable[[int], Mapping[str, float]], seeds: Iterable[int]) -> dict[str, Array]:
    """Call `run(seed)` for each seed; return each of its measures as an array over the seeds.

    ValueError for no seeds, or a seed with other measures than the first.
    """
    rows = [run(seed) for seed in tqdm(list(seeds), desc="seeds", delay=2, leave=False)]
    if not rows:
        raise ValueError("need at least one seed, got none")
    for row in rows:
        if row.keys() != rows[0].keys():
            raise ValueError(f"all seeds must give {[*rows[0]]}, one gave {[*row]}")
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
