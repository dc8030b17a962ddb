"""The weekday of a date, and six ways to write a date, for chapter 9.

    python studies/weekday.py            # about ten minutes on one core
    python studies/weekday.py --check    # repeat a slice of the record, write nothing

The teacher is a rule that is never wrong. The student is a network that sees dates and what the
rule says of them, never the rule. It learns from dates of 1900 to 2079. Every fifth day (by the
number of the day) is a test date and the day after it is for validation: neither is ever trained
on, whatever the seed draws. Nothing about the test dates is drawn, so that intervals over seeds
leave nothing out. Rates are chosen on validation, on seeds of their own. All is float64.

`weekday_steps` and `weekday_soft` go on from here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from engine import Row, main, study

import numpy as np

from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.distillation import hard_labels
from distill_lib.metrics import accuracy
from distill_lib.models import MLP
from distill_lib.training import Adam, Objective, cosine_decay, train

DAYS = 7
LIKELY_ENOUGH = {"accuracy": 0.02, "validation": 0.02}
"""What a check allows: a network on the point of finding the rule magnifies another's rounding."""

# --- The rule -------------------------------------------------------------------------------------

MONTH = np.array([0, 3, 3, 6, 1, 4, 6, 2, 5, 0, 3, 5])  # days before it, of a common year, mod 7
CENTURY = np.array([5, 3, 1, 6])  # of 2000, 2100, 2200, 2300, and again after 400 years


def calendar(first: int, last: int) -> Array:
    """Every date of these years: year, month and day, shape (dates, 3)."""
    days = np.arange(f"{first}-01-01", f"{last + 1}-01-01", dtype="datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    parts = years.astype(int) + 1970, months.astype(int) % 12 + 1, (days - months).astype(int) + 1
    return np.stack(parts, axis=1)


def leap(year: Array) -> Array:
    """Whether a year has a 29 February: every fourth, but of the centuries only every fourth."""
    return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))


def terms(dates: Array) -> Array:
    """The five terms of the rule, each from 0 to 6: day, month, year, century, leap correction."""
    year, month, day = dates.T
    short = year % 100
    early = leap(year) & (month <= 2)  # the leap day that the year counts is still to come
    parts = day, MONTH[month - 1], short + short // 4, CENTURY[year // 100 % 4], -early.astype(int)
    return np.stack(parts, axis=1) % DAYS


def weekday(dates: Array) -> Array:
    """0 for a Monday to 6 for a Sunday: the sum of the five terms."""
    return terms(dates).sum(axis=1) % DAYS


def running_sums(dates: Array) -> Array:
    """The rule step by step: 1 January of the year, the first of the month; and the day's term."""
    first, january = dates.copy(), dates.copy()
    first[:, 2], january[:, 1:] = 1, 1
    return np.stack([weekday(january), weekday(first), dates[:, 2] % DAYS], axis=1)


# --- What the student sees of a date --------------------------------------------------------------


def units(values: Array, first: int, last: int) -> Array:
    """One-hot, for whole numbers from the first to the last; any other has no unit at all."""
    return (values[:, None] == np.arange(first, last + 1)).astype(float)


def hands(year: Array) -> Array:
    """Nine clocks that take 2, 3, … 10 years for a round: where the hand of each points."""
    angle = 2 * np.pi * year[:, None] / np.arange(2, 11)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


YEARS: dict[str, Callable[[Array], Array]] = {
    "a unit a year": lambda y: units(y, 1900, 2079),
    "century and year": lambda y: np.concatenate(
        [units(y // 100, 18, 21), units(y % 100, 0, 99)], axis=1
    ),
    "digits": lambda y: np.concatenate([units(y // 10**k % 10, 0, 9) for k in range(4)], axis=1),
    "clock hands": hands,
    "modulo 28": lambda y: units(y % 28, 0, 27),
}
ENCODINGS = ["three numbers", *YEARS]


def encode(dates: Array, encoding: str) -> Array:
    """Inputs of a network: the year in one of five ways, month and day one-hot; or three numbers.

    The three numbers are shifted and scaled to a spread of about 1.
    """
    year, month, day = dates.T
    if encoding == "three numbers":
        return (dates - [1990, 6.5, 15.7]) / [52, 3.45, 8.8]
    return np.concatenate([YEARS[encoding](year), units(month, 1, 12), units(day, 1, 31)], axis=1)


# --- Dates to learn from, and to be tested on -----------------------------------------------------


@cache
def dates_of(part: str) -> Array:
    """Dates of 1900 to 2079, three for training for each of validation and test; or of others."""
    first, last = {"before": (1800, 1899), "future": (2080, 2099), "after": (2100, 2199)}.get(
        part, (1900, 2079)
    )
    dates = calendar(first, last)
    place = np.arange(len(dates)) % 5
    return dates[{"train": place > 1, "validation": place == 1}.get(part, place == 0)]


def some_dates(number: int, seed: int) -> tuple[Array, np.random.Generator]:
    """So many different dates to learn from; and the generator that drew them."""
    rng, pool = np.random.default_rng(seed), dates_of("train")
    return pool[rng.choice(len(pool), number, replace=False)], rng


def split_of(dates: Array, encoding: str) -> Split:
    """The dates as examples, with what the rule says of them as labels."""
    return Split(encode(dates, encoding), weekday(dates), np.arange(len(dates)))


def learn(
    split: Split,
    objective: Objective,
    seed: int,
    *,
    rate: float,
    steps: int,
    batch_size: int,
    heads: int = 0,
) -> MLP:
    """A network of two hidden layers of 128; `heads` further answers of seven scores each."""
    sizes = (split.inputs.shape[1], 128, 128, DAYS)
    model = MLP(sizes, seed=seed, dtype=np.float64, rationale=DAYS * heads)
    options = {"optimizer": Adam(rate), "schedule": cosine_decay, "seed": seed}
    train(model, split, objective, steps=steps, batch_size=batch_size, **options)
    return model


def right(model: MLP, encoding: str, part: str) -> float:
    """The share of the dates of a part whose weekday is right."""
    dates = dates_of(part)
    return accuracy(model.logits(encode(dates, encoding)), weekday(dates))


def judge(model: MLP, encoding: str, split: Split) -> Row:
    """The share of right weekdays of each part."""
    return {
        "train": accuracy(model.logits(split.inputs), split.labels),
        "validation": right(model, encoding, "validation"),
        "accuracy": right(model, encoding, "test"),
        "future": right(model, encoding, "future"),
    }


# --- Six encodings --------------------------------------------------------------------------------


def by_decade(model: MLP, encoding: str) -> Row:
    """Right in each decade from 1800 to 2199; and in 2100 to 2199, how many days it is off.

    "off" has the shares of 0 days off, one too few, two too few, … one too many.
    """
    parts = [dates_of(part) for part in ("before", "test", "future", "after")]
    late = [(weekday(d) - model.logits(encode(d, encoding)).argmax(axis=1)) % DAYS for d in parts]
    decade = np.concatenate(parts)[:, 0] // 10 - 180
    hits = np.bincount(decade, np.concatenate(late) == 0) / np.bincount(decade)
    off = np.bincount(late[-1], minlength=DAYS) / len(late[-1])
    shares = {"before": np.mean(late[0] == 0), "after": np.mean(late[-1] == 0)}
    return shares | {"decades": hits.round(4).tolist(), "off": off.round(4).tolist()}


@study(
    {"encoding": ENCODINGS},
    fixed={"dates": 39000, "steps": 3000, "batch_size": 128},
    rates=[0.003, 0.005],
    tuning=range(1000, 1002),
    allowed=LIKELY_ENOUGH,
)
def encodings(encoding: str, dates: int, seed: int, **plan: float) -> Row:
    """What a network makes of the same dates, written in six ways."""
    chosen, _ = some_dates(dates, seed)
    split = split_of(chosen, encoding)
    model = learn(split, hard_labels(split), seed, **plan)
    return judge(model, encoding, split) | by_decade(model, encoding)


if __name__ == "__main__":
    main(__file__)
