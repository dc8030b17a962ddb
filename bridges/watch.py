"""Is a served student still where it was tested? Alarms with a stated rate of false ones.

    watch = Watch.of("confidence", unsure(student.logits(x)), x, student.logits(x))
    watch.see(inputs, logits)      # at each request
    watch.fired_at                 # None, or after how many examples

Every watch asks one yes-or-no question of each live example: is it odd? On examples of the kind
that the student was tested on, a known share of the answers is yes; a watch fires once there are
too many. Labels, which come late or never, are not needed. It needs NumPy and SciPy alone, and
stands here beside `serve`, which it serves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, log1p

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from distill_lib.checks import Array, check_positive, check_share, check_table, check_whole
from distill_lib.losses import softmax

Odd = Callable[[Array, Array], Array]
"""From inputs and the student's logits to whether each example is odd, shape (examples,)."""


# --- What is odd ----------------------------------------------------------------------------------


def unsure(logits: ArrayLike, share: float = 0.05) -> Odd:
    """The student is less sure than in all but this share of the reference `logits`.

    Sure is the largest probability. ValueError for logits or a share not as described.
    """
    check_share("share", share)
    floor = np.quantile(_confidence(check_table("logits", logits, "classes")), share)
    return lambda inputs, logits: _confidence(logits) < floor


def far(learned: ArrayLike, inputs: ArrayLike, share: float = 0.05) -> Odd:
    """The input is further from what was learned than all but this share of the reference `inputs`.

    Far is the mean square of what each number differs from its mean over the inputs `learned` from,
    in units of its standard deviation there, or of a tenth of the largest one if that is more: a
    pixel that never changes must not decide alone. ValueError for inputs or a share not as
    described.
    """
    check_share("share", share)
    x = check_table("learned", learned, "inputs").astype(np.float64)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    check_positive("the largest spread of the inputs", float(spread.max()))
    spread = np.maximum(spread, spread.max() / 10)

    def distance(rows: Array) -> Array:
        return np.mean(((rows - mean) / spread) ** 2, axis=1)

    limit = np.quantile(distance(check_table("inputs", inputs, "inputs")), 1 - share)
    return lambda inputs, logits: distance(np.asarray(inputs)) > limit


def disagrees(teacher: Callable[[Array], Array]) -> Odd:
    """The student's answer is not the teacher's, of whom `teacher` gives the logits of inputs."""
    return lambda inputs, logits: logits.argmax(axis=1) != teacher(inputs).argmax(axis=1)


def _confidence(logits: Array) -> Array:
    return softmax(np.asarray(logits, np.float64)).max(axis=1)


def at_most(odd: int, examples: int, doubt: float = 0.01) -> float:
    """How large the share of odd examples may be where so many of so many were.

    The bound of Clopper & Pearson 1934: too low with a probability of at most `doubt`. It holds as
    well where odd is what lies beyond a quantile of these same examples. ValueError for numbers
    not as described.
    """
    check_whole("examples", examples)
    check_whole("odd", odd, least=0, most=examples)
    check_positive("doubt", doubt), check_share("doubt", doubt, below_1=True)
    return 1.0 if odd == examples else float(betaincinv(odd + 1, examples - odd, 1 - doubt))


# --- Too many of them -----------------------------------------------------------------------------


@dataclass
class Watch:
    """Counts odd examples, and fires once there are too many to be the usual share.

    After each example its evidence is multiplied by unusual / usual if it is odd, and by
    (1 - unusual) / (1 - usual) if not, but starts from 1 or more each time: whatever was before, a
    change is seen as soon as it comes (Page 1954, CUSUM). It fires where the evidence reaches
    horizon / false_alarms.

    While the share of odd examples is `usual` or less, it fires within the first `horizon` examples
    with a probability of at most `false_alarms`: the evidence is no more than a sum whose mean,
    after n examples, is n (Shiryaev & Roberts), and Doob's inequality does the rest. That supposes
    examples that are independent of one another.

    Attributes:
        name: what the report calls it.
        is_odd: see `Odd`.
        usual: the largest share of odd examples that is still as it should be.
        unusual: the share for which it is quickest; three times the usual one, or half of the way
            from there to 1 if that is less.
        asked: the share of live examples of which the question is asked, drawn at random: of a
            dear teacher not about all. `horizon` counts those.
        seed: of that draw.
        seen, odd: how many examples were asked about, and how many of them were odd.
        fired_at: the example asked about at which it fired, counted from 1; None if it has not.

    ValueError for shares outside 0 .. 1 or in another order, or a horizon that is not whole.
    """

    name: str
    is_odd: Odd
    usual: float
    unusual: float | None = None
    horizon: int = 10_000
    false_alarms: float = 0.01
    asked: float = 1.0
    seed: int = 0
    seen: int = 0
    odd: int = 0
    fired_at: int | None = None

    def __post_init__(self) -> None:
        check_whole("horizon", self.horizon)
        for name in ("usual", "false_alarms"):
            check_positive(name, getattr(self, name))
            check_share(name, getattr(self, name), below_1=True)
        check_positive("asked", self.asked), check_share("asked", self.asked)
        if self.unusual is None:
            self.unusual = min(3 * self.usual, (1 + self.usual) / 2)
        if not self.usual < self.unusual < 1:
            must = f"above usual = {self.usual!r} and below 1"
            raise ValueError(f"unusual must be {must}, got {self.unusual!r}")
        self._odd, self._even = log(self.unusual / self.usual), log1p(-self.unusual)
        self._even -= log1p(-self.usual)
        self._limit = log(self.horizon / self.false_alarms)
        self._evidence, self._rng = 0.0, np.random.default_rng(self.seed)

    @classmethod
    def of(
        cls, name: str, is_odd: Odd, inputs: ArrayLike, logits: ArrayLike, **options: float
    ) -> Watch:
        """A watch whose usual share is `at_most` what these reference examples allow.

        They are not those that the student has learned from, on which it is too sure. `options` are
        the other attributes. ValueError for examples not as described.
        """
        x, z = check_table("inputs", inputs, "inputs"), check_table("logits", logits, "classes")
        if len(x) != len(z):
            raise ValueError(f"need logits for each of the inputs, got {len(z)} for {len(x)}")
        return cls(name, is_odd, at_most(int(np.sum(is_odd(x, z))), len(x)), **options)

    @property
    def evidence(self) -> float:
        """From 0 to 1, where it fires: the logarithm of the evidence over that of the limit."""
        return min(1.0, self._evidence / self._limit)

    def see(self, inputs: Array, logits: Array) -> bool:
        """Take a batch of live examples in; whether it has fired by now, which stays so."""
        if self.asked < 1:
            rows = np.flatnonzero(self._rng.random(len(inputs)) < self.asked)
            inputs, logits = inputs[rows], logits[rows]
        for odd in self.is_odd(inputs, logits) if len(inputs) else ():
            self.seen, self.odd = self.seen + 1, self.odd + bool(odd)
            self._evidence = max(0.0, self._evidence) + (self._odd if odd else self._even)
            if self.fired_at is None and self._evidence >= self._limit:
                self.fired_at = self.seen
        return self.fired_at is not None

    def report(self) -> dict[str, float | str | None]:
        """What a page of health shows of it."""
        share = self.odd / self.seen if self.seen else None
        return {
            "name": self.name, "asked_about": self.seen, "odd": share, "usual": self.usual,
            "evidence": max(0.0, self.evidence), "fired_at": self.fired_at,
        }  # fmt: skip
