"""Is the picture of look-alike classes in the data, or one teacher's whim? Chapter 1 reads this.

For each seed, the training digits are cut into two random halves. Teachers A and A' learn the
first half from different starts and are asked about the second; teacher B learns the second and is
asked about the first. So A and B share neither a digit that they learn nor one that they judge.

    python studies/class_similarity.py      # about two minutes on two cores; resumes if stopped
"""

import numpy as np

from distill_lib import (
    MLP,
    Adam,
    cosine_decay,
    digits,
    hard_labels,
    interval,
    record,
    softmax,
    sweep,
    train,
)
from distill_lib.data import Split
from distill_lib.experiments import RESULTS

TEMPERATURES = [1, 2, 4, 8, 16]
OFF_DIAGONAL = ~np.eye(10, dtype=bool)


def teach(split: Split, seed: int) -> MLP:
    """The chapter's teacher: half the digits, half the steps, as many passes."""
    model = MLP((64, 256, 256, 10), seed=seed, dtype=np.float64)
    how = {"batch_size": 64, "optimizer": Adam(0.003), "schedule": cosine_decay}
    train(model, split, hard_labels(split), steps=1000, seed=seed, **how)
    return model


def picture(logits: np.ndarray, labels: np.ndarray, T: float) -> np.ndarray:
    """Mean soft target by true class: what goes to each other class, in shares; diagonal nan."""
    p = softmax(logits, T)
    mean = np.array([p[labels == digit].mean(axis=0) for digit in range(10)])
    mean[~OFF_DIAGONAL] = np.nan
    return mean / np.nansum(mean, axis=1, keepdims=True)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's, over the 90 squares off the diagonal."""
    return float(np.corrcoef(one[OFF_DIAGONAL], other[OFF_DIAGONAL])[0, 1])


def run(seed: int) -> dict[str, list[float]]:
    """Correlations of A's picture with others, one for each temperature."""
    data = digits(np.float64)
    rng = np.random.default_rng(seed)
    first, second = (data.train.take(rows) for rows in np.array_split(rng.permutation(1197), 2))
    a = teach(first, seed=3 * seed).logits(second.inputs)
    b = teach(second, seed=3 * seed + 1).logits(first.inputs)
    again = teach(first, seed=3 * seed + 2).logits(second.inputs)
    average = np.array([first.inputs[first.labels == digit].mean(axis=0) for digit in range(10)])
    closeness = -np.sum((average[:, None] - average) ** 2, axis=-1)
    names = rng.permutation(10)

    rows = []
    for T in TEMPERATURES:
        mine, other = picture(a, second.labels, T), picture(b, first.labels, T)
        rows.append(
            {
                "same digits": correlation(mine, picture(again, second.labels, T)),
                "other digits": correlation(mine, other),
                "average images": correlation(mine, closeness),
                "renamed": correlation(mine, other[names][:, names]),
            }
        )
    return {name: [row[name] for row in rows] for name in rows[0]}


def main() -> None:
    """Twenty seeds, and an interval for each correlation and temperature."""
    seeds = range(20)
    rows = sweep(run, {}, seeds, unfinished=RESULTS / "class_similarity.unfinished.jsonl")
    correlations = {name: [row[name] for row in rows] for name in rows[0] if name != "seed"}
    content = {"T": TEMPERATURES, "correlations": correlations}  # (seeds, temperatures) by name
    record("class_similarity", content, seeds, "python studies/class_similarity.py")
    for name, values in correlations.items():
        print(name, [f"{interval(column):.2f}" for column in np.transpose(values)])


if __name__ == "__main__":
    main()
