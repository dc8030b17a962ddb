"""Grid, random search, and Optuna's TPE on T, alpha and the rate, for the tuning chapter.

    pip install optuna==5.0.0                    # for one of the three searches
    python studies/tuning_search.py              # about five minutes on one core
    python studies/tuning_search.py --check      # repeat a slice of the record, write nothing

A run is a whole search: 27 trials, each a student of the images of 60 labelled digits, judged by
its validation accuracy; or eight along one dial alone. What the best of the first n does on test is
kept, too; no search sees it. All trials of a seed have its labels and its first weights. Without
Optuna a check leaves its search out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from itertools import product
from typing import Any

from common import data, learn, teacher
from engine import Row, main, study

import numpy as np

from distill_lib.distillation import traditional
from distill_lib.metrics import accuracy
from distill_lib.results import packed

Trial = tuple[float, float, float]  # T, alpha, rate

LOW, HIGH = (1.0, 0.0, 0.003), (32.0, 0.9, 0.3)  # of T, alpha and the rate
EACH = 3  # values of each in the grid
COUNTS = (1, 3, 8, 16, 27)
TRIALS = EACH**3
DEFAULT: Trial = (4.0, 0.5, 0.01)  # a guess, as good as any: nobody has tuned it
ALONE = 8  # trials of a search on one dial
OPTUNA = "5.0.0"


def from_shares(u: Any) -> Trial:
    """From three numbers in 0 .. 1 to a trial: T and the rate on a logarithmic scale."""
    T, rate = (float(LOW[k] * (HIGH[k] / LOW[k]) ** u[k]) for k in (0, 2))
    return T, float(LOW[1] + (HIGH[1] - LOW[1]) * u[1]), rate


def by_grid(score: Callable[[Trial], float], seed: int, trials: int) -> None:
    """Every combination, in an order drawn by chance: a grid has none of its own."""
    grid = [from_shares(u) for u in product(np.linspace(0, 1, EACH), repeat=3)]
    for k in np.random.default_rng([seed, 1]).permutation(len(grid))[:trials]:
        score(grid[k])


def by_chance(score: Callable[[Trial], float], seed: int, trials: int) -> None:
    """Each trial drawn on its own."""
    for u in np.random.default_rng([seed, 2]).random((trials, 3)):
        score(from_shares(u))


def by_optuna(score: Callable[[Trial], float], seed: int, trials: int) -> None:
    """Optuna with its default sampler, the tree-structured Parzen estimator."""
    import optuna

    if optuna.__version__ != OPTUNA:
        raise ValueError(f"the record is of Optuna {OPTUNA}; got {optuna.__version__}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: Any) -> float:
        T = trial.suggest_float("T", LOW[0], HIGH[0], log=True)
        alpha = trial.suggest_float("alpha", LOW[1], HIGH[1])
        return score((T, alpha, trial.suggest_float("rate", LOW[2], HIGH[2], log=True)))

    sampler = optuna.samplers.TPESampler(seed=seed)
    optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, trials)


def default(score: Callable[[Trial], float], seed: int, trials: int) -> None:
    """No search at all."""
    score(DEFAULT)


def along(dial: int, score: Callable[[Trial], float], seed: int, trials: int) -> None:
    """One dial from end to end, the others as guessed."""
    for share in np.linspace(0, 1, ALONE):
        one = [*DEFAULT]
        one[dial] = from_shares([share] * 3)[dial]
        score((one[0], one[1], one[2]))


SEARCHES: dict[str, Callable[[Callable[[Trial], float], int, int], None]] = {
    "default": default,
    "T alone": partial(along, 0),
    "alpha alone": partial(along, 1),
    "rate alone": partial(along, 2),
    "grid": by_grid,
    "Optuna": by_optuna,
    "random": by_chance,
}


def best_of(validation: list[float], n: int) -> int:
    """Which of the first n trials a search would choose: the first of the best."""
    return int(np.argmax(validation[:n]))


@study(
    {"search": [*SEARCHES]},
    fixed={
        "student": "64-16-10",
        "labels": 60,
        "trials": TRIALS,
        "steps": 400,
        "batch_size": 32,
        "optuna": OPTUNA,
    },
    checked=lambda row: row["search"] != "Optuna" or find_spec("optuna") is not None,
)
def tuning_search(
    search: str, student: str, labels: int, trials: int, seed: int, optuna: str, **plan: Any
) -> Row:
    """One search; "tried", "validation" and "accuracy" (on test) have an entry for each trial.

    "right_8", packed, is which test digits the best of the first 8 gets right.
    """
    split, (_, outputs) = data().with_few_labels(labels, seed).transfer.labelled, teacher()
    validation, test = data().validation, data().test
    found: dict[str, list[Any]] = {"tried": [], "validation": [], "accuracy": [], "right": []}

    def score(one: Trial) -> float:
        T, alpha, rate = one
        objective = traditional(split, outputs, T, alpha)
        small, _ = learn(student, split, objective, seed, rate=rate, **plan)
        right = small.logits(test.inputs).argmax(axis=-1) == test.labels
        hits = accuracy(small.logits(validation.inputs), validation.labels)
        values = (list(one), hits, float(right.mean()), packed(right))
        for name, value in zip(found, values, strict=True):
            found[name].append(value)
        return hits

    SEARCHES[search](score, seed, trials)
    rights = found.pop("right")
    counts = [n for n in COUNTS if n <= len(rights)]
    return found | {f"right_{n}": rights[best_of(found["validation"], n)] for n in counts}


if __name__ == "__main__":
    main(__file__)
