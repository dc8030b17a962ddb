"""Is the picture of look-alike classes in the data, or one teacher's whim? Chapter 1 reads this.

For each seed, the training digits are cut into two random halves. Teachers A and A' learn the
first half from different starts and are asked about the second; teacher B learns the second and is
asked about the first. So A and B share neither a digit that they learn nor one that they judge.

    python studies/class_similarity.py            # about two minutes on two cores
    python studies/class_similarity.py --check    # repeat one seed, write nothing
"""

from __future__ import annotations

from common import data, teach
from engine import Row, Study, main, study

import numpy as np

from distill_lib import Split, softmax

OFF_DIAGONAL = ~np.eye(10, dtype=bool)


def picture(logits: np.ndarray, labels: np.ndarray, T: float) -> np.ndarray:
    """Mean soft target by true class: what goes to each other class, in shares; diagonal nan."""
    p = softmax(logits, T)
    mean = np.array([p[labels == digit].mean(axis=0) for digit in range(10)])
    mean[~OFF_DIAGONAL] = np.nan
    return mean / np.nansum(mean, axis=1, keepdims=True)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's, over the 90 squares off the diagonal."""
    return float(np.corrcoef(one[OFF_DIAGONAL], other[OFF_DIAGONAL])[0, 1])


def by_row(one: np.ndarray) -> np.ndarray:
    """Each row of a picture less its mean, divided by its standard deviation; diagonal nan."""
    one = np.where(OFF_DIAGONAL, one, np.nan)
    return (one - np.nanmean(one, axis=1, keepdims=True)) / np.nanstd(one, axis=1, keepdims=True)


def closeness(split: Split) -> np.ndarray:
    """Minus the squared distance of the classes' mean images."""
    mean = np.array([split.inputs[split.labels == digit].mean(axis=0) for digit in range(10)])
    return -np.sum((mean[:, None] - mean) ** 2, axis=-1)


def correlations(study: Study) -> Row:
    """Of each correlation: by seed, a value for each temperature."""
    [row] = study.table()
    return {"correlations": row}


@study(
    {},
    fixed={"T": [1, 2, 4, 8, 16], "steps": 1000},
    content=correlations,
    rows=lambda content: [content["correlations"]],
    allowed=dict.fromkeys(["other digits", "same digits", "average images", "renamed"], 0.01),
)
def class_similarity(T: list[float], steps: int, seed: int) -> dict[str, list[float]]:
    """Correlations of A's picture with others, one for each temperature.

    The teachers are the chapter's: half the digits, half the steps, as many passes.
    """
    rng = np.random.default_rng(seed)
    halves = np.array_split(rng.permutation(1197), 2)
    first, second = (data().train.take(rows) for rows in halves)
    a = teach(first, 3 * seed, steps).logits(second.inputs)
    b = teach(second, 3 * seed + 1, steps).logits(first.inputs)
    again = teach(first, 3 * seed + 2, steps).logits(second.inputs)
    names = rng.permutation(10)

    rows = []
    for t in T:
        of_a, of_b = picture(a, second.labels, t), picture(b, first.labels, t)
        rows.append(
            {
                "same digits": correlation(of_a, picture(again, second.labels, t)),
                "other digits": correlation(of_a, of_b),
                "average images": correlation(of_a, closeness(first)),
                "renamed": correlation(of_a, of_b[names][:, names]),
            }
        )
    return {name: [row[name] for row in rows] for name in rows[0]}


@study(
    {},
    fixed={"T": [1, 2, 4, 8, 16], "steps": 1000},
    content=correlations,
    rows=lambda content: [content["correlations"]],
    allowed=dict.fromkeys(["other digits", "average images", "images in shares"], 0.01),
)
def alike(T: list[float], steps: int, seed: int) -> dict[str, list[float]]:
    """Does B know A's picture better than the pixels do, once both are normalised alike?

    In a picture every row sums to 1; the closeness of mean images knows no such rule, and so loses
    what is only a matter of rows. Here all are brought to mean 0 and standard deviation 1 by row.
    "images in shares" makes a picture of the closeness first: softmax off the diagonal, at the one
    scale at which it resembles A's picture most (chosen on A's, so if anything in its favour).
    """
    rng = np.random.default_rng(seed)
    first, second = (data().train.take(rows) for rows in np.array_split(rng.permutation(1197), 2))
    a = teach(first, 3 * seed, steps).logits(second.inputs)
    b = teach(second, 3 * seed + 1, steps).logits(first.inputs)
    rows, images = [], closeness(first)
    for t in T:
        of_a, of_b = picture(a, second.labels, t), picture(b, first.labels, t)
        shares = [picture(images / s, np.arange(10), 1) for s in np.geomspace(0.1, 100, 61)]
        rows.append(
            {
                "other digits": correlation(by_row(of_a), by_row(of_b)),
                "average images": correlation(by_row(of_a), by_row(images)),
                "images in shares": max(correlation(of_a, s) for s in shares),
                "other digits in shares": correlation(of_a, of_b),
            }
        )
    return {name: [row[name] for row in rows] for name in rows[0]}


if __name__ == "__main__":
    main(__file__)
