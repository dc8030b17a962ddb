"""The parameters of a figure: their values, what kind they are, how a reader sees them."""

import itertools
import math
import sys
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Self

MOST_RADIOS = 6  # more are a list


class Choices(tuple):
    """Values with nothing in between: `explore(draw, units=Choices([10, 30, 300]))`."""


def label(value: Any) -> str:
    """How a reader sees a value: 5, 0.25, −1, yes."""
    if isinstance(value, str | bool):
        return {"True": "yes", "False": "no"}[str(value)] if isinstance(value, bool) else value
    text = str(value) if isinstance(value, Integral) else f"{float(value):.6g}"
    return text.replace("-", "−", 1) if value < 0 else text


@dataclass(frozen=True)
class Parameter:
    """A name and its values; `start` is an index.

    `kind` is "radio" or, for many, "select" (strings), "checkbox" (false and true), or of numbers
    "whole", "continuous" or, with nothing in between, "stops"; "one" is a single value of any kind.
    """

    name: str
    values: tuple[Any, ...]
    kind: str
    start: int

    @classmethod
    def of(cls, name: str, given: Iterable[Any], start: dict[str, Any]) -> Self:
        """Check the values that were given, and take NumPy's numbers as Python's.

        Raises:
            ValueError: not one or more different finite numbers that increase, or strings or
                bools; a start that is not among them.
        """
        if isinstance(given, (str, bytes, dict)) or not isinstance(given, Iterable):
            raise ValueError(f"{name} must be a list of values; got {given!r}")
        values = [v.item() if hasattr(v, "item") else v for v in given]
        if not values:
            raise ValueError(f"{name} must have at least one value; got {given!r}")
        if not all(isinstance(v, (str, Real)) for v in values):
            raise ValueError(f"values of {name} must be numbers, strings or bools; got {values!r}")
        if not all(isinstance(v, str) or abs(v) <= sys.float_info.max for v in values):
            raise ValueError(f"values of {name} must be finite floats; got {values!r}")
        if len({label(v) for v in values}) < len(values):
            raise ValueError(f"values of {name} must differ, in six digits; got {values!r}")
        if any(isinstance(v, (str, bool)) for v in values):
            kind = "radio" if len(values) <= MOST_RADIOS else "select"
            kind = "checkbox" if all(isinstance(v, bool) for v in values) else kind
        elif isinstance(given, Choices):
            kind = "stops"
        elif values != sorted(values):
            raise ValueError(f"values of {name} must increase; got {values!r}")
        else:
            kind = "whole" if all(isinstance(v, Integral) for v in values) else "continuous"
        if (now := start.get(name, values[0])) not in values:
            raise ValueError(f"{name} cannot start at {now!r}: not among {values!r}")
        return cls(name, (*values,), kind if len(values) > 1 else "one", values.index(now))

    @property
    def title(self) -> str:
        """The name as a reader sees it: `alpha` is α, `learning_rate` is learning rate."""
        return " ".join(_greek(word) for word in self.name.split("_") if word)

    def says(self, value: Any) -> str:
        """How a reader sees the parameter at a value: T = 5, teacher: A."""
        sign = ": " if self.kind in ("radio", "select", "checkbox") else " = "
        return self.title + sign + label(value)

    def takes(self, value: Any) -> bool:
        """Whether a live control can stand at a value of another."""
        if self.kind not in ("whole", "continuous") or isinstance(value, str):
            return value in self.values
        between = self.values[0] <= value <= self.values[-1]
        return between and (self.kind == "continuous" or value % 1 == 0)

    @property
    def geometric(self) -> bool:
        """Whether the values' ratios are more alike than their differences."""
        if self.values[0] <= 0 or len(self.values) < 3:
            return False
        pairs = [*itertools.pairwise(self.values)]
        steps, ratios = [b - a for a, b in pairs], [math.log(b / a) for a, b in pairs]
        return max(ratios) / min(ratios) < max(steps) / min(steps)


def _greek(word: str) -> str:
    with suppress(KeyError):
        return unicodedata.lookup(f"GREEK SMALL LETTER {word.replace('lambda', 'lamda')}")
    return word
