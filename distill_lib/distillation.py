"""From a teacher to a student: outputs kept beside their examples, and the methods' objectives.

An objective is a list of terms, each a weight times a loss on some of the student's scores. A new
method is a new list. One convention of weights through the whole book: alpha weighs the hard
labels, beta the rationale, and what is left, 1 - alpha - beta, the soft targets.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from distill_lib import checks, losses
from distill_lib.checks import Array
from distill_lib.data import UNLABELLED, Split
from distill_lib.losses import Loss
from distill_lib.models import Model
from distill_lib.training import Outcome


class Aligned:
    """Rows that are found by their example's index, never by their place in an array.

    `index` has shape (examples,), each example's place in the data set, and `rows` shape (examples,
    ...), one row for each; a copy of them is kept. ValueError for no rows, lengths that differ, an
    index that is repeated, negative or not whole.
    """

    def __init__(self, index: Array, rows: Array) -> None:
        index = checks.check_index(index)
        self._sorted, self._order = np.unique(index, return_index=True)
        if not 0 < len(index) == len(rows) == len(self._sorted):
            got = f"{len(rows)} rows for {len(self._sorted)} different indices of {len(index)}"
            raise ValueError(f"need one row for each of the different indices, got {got}")
        self.rows = np.array(rows)

    def at(self, index: Array) -> Array:
        """The rows of these examples, in this order.

        ValueError for an example without a row, or an index not of whole numbers, such as a mask.
        """
        index = checks.check_index(index)
        places = np.searchsorted(self._sorted, index).clip(max=len(self._sorted) - 1)
        missing = self._sorted[places] != index
        if missing.any():
            raise ValueError(f"nothing is known of example {index[missing][0]} of the data set")
        return self.rows[self._order[places]]


class TeacherOutputs:
    """A teacher's named scores for the examples of a split, bound to their indices.

    Args:
        index: shape (examples,), as in `Split`.
        scores: by name ("logits", "hidden_1", …), each of shape (examples, components). Where the
            logits look like probabilities there is a warning: `from_probabilities` takes those.

    ValueError for no "logits" among the scores, or index and scores that `Aligned` refuses. Chapter
    4, "The bug lab", stores outputs in one order and uses them in another.
    """

    def __init__(self, index: ArrayLike, scores: Mapping[str, ArrayLike]) -> None:
        checks.check_kind("scores", scores, Mapping, 'by name, such as {"logits": logits}')
        if "logits" not in scores:
            raise ValueError(f'scores must hold "logits", got {sorted(scores)}')
        self.index = checks.check_index(index)
        tables = ((n, checks.check_table(n, s, "components")) for n, s in scores.items())
        self._scores = {name: Aligned(self.index, table) for name, table in tables}
        rows = self._scores["logits"].rows
        if rows.shape[1] > 1 and (rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=0.01):
            seen = "every row of the logits is at least 0 and sums to 1, as probabilities do"
            advice = "if that is what they are, TeacherOutputs.from_probabilities takes them"
            warnings.warn(f"{seen}; {advice}", stacklevel=2)

    @classmethod
    def of(cls, teacher: Model, split: Split) -> TeacherOutputs:
        """Ask the teacher once about every example of the split, and keep what it says.

        ValueError for a teacher without named scores, or no split.
        """
        if isinstance(teacher, type) or not callable(getattr(teacher, "scores", None)):
            advice = "give its own answers to TeacherOutputs.from_probabilities(split.index, …)"
            got = f"{type(teacher).__name__}: {advice}"
            raise ValueError(f"teacher must be a model of this library, got {got}")
        checks.check_kind("split", split, Split, "take one of a data set, such as data.transfer")
        return cls(split.index, teacher.scores(split.inputs))

    @classmethod
    def from_probabilities(
        cls, index: ArrayLike, probabilities: ArrayLike, floor: float = 1e-6
    ) -> TeacherOutputs:
        """The outputs of a teacher that gives probabilities, such as a forest's `predict_proba`.

        Their logarithms are logits: softmax at T = 1 gives them back, but for the floor.

        `index` is as in `Split`; the probabilities have shape (examples, classes), each row summing
        to 1. To `floor`, above 0 and below 1 / classes, is raised what is smaller, such as 0, which
        has no logarithm; then the row is divided by its new sum. ValueError for others.
        """
        checks.check_table("probabilities", probabilities, "classes")
        p = checks.check_probabilities("probabilities", probabilities).astype(np.float64)
        if not 0 < checks.check_not_negative("floor", floor) < 1 / p.shape[-1]:
            raise ValueError(f"floor must lie above 0 and below 1 / classes, got {floor!r}")
        p = np.maximum(p, floor)
        return cls(index, {"logits": np.log(p / p.sum(axis=-1, keepdims=True))})

    def __repr__(self) -> str:
        scores = ", ".join(f"{n} {self.at(self.index[:1], n).shape[1:]}" for n in self._scores)
        return f"{type(self).__name__}({len(self.index)} examples: {scores})"

    def at(self, index: Array, name: str = "logits") -> Array:
        """The scores called `name` of these examples, in this order.

        ValueError for an example or a name that was not asked about, or no index of whole numbers.
        """
        if name not in self._scores:
            raise ValueError(f"the teacher has no scores {name!r}, only {sorted(self._scores)}")
        return self._scores[name].at(index)

    def misaligned(self, share: float = 1.0, seed: int = 0) -> TeacherOutputs:
        """The bug, on purpose: this share of the rows, each given to another's example.

        Exactly round(share · examples) rows move (a single one has nowhere to go). ValueError for
        a share outside 0 .. 1.
        """
        checks.check_share("share", share)
        rng = np.random.default_rng(seed)
        moved = rng.choice(len(self.index), round(share * len(self.index)), replace=False)
        order = np.arange(len(self.index))
        order[moved] = np.roll(moved, 1)  # round in a ring: a shuffle would leave some in place
        return TeacherOutputs(self.index, {n: self.at(self.index, n)[order] for n in self._scores})


@dataclass(frozen=True)
class Term:
    """One part of an objective.

    Attributes:
        name: what the curves call it: "hard", "soft", "rationale", …
        weight: a number of at least 0, or a function of the epoch that gives one (a curriculum).
        loss: (student's scores, their examples' indices) -> `Loss`, or None where these examples
            have nothing to learn from (a batch without labels).
        on: which of the student's scores it looks at.
    """

    name: str
    weight: float | Callable[[float], float]
    loss: Callable[[Array, Array], Loss | None]
    on: str = "logits"


class WeightedTerms:
    """The objective Σ weight · loss over its terms. Terms of weight 0 are not even computed.

    ValueError for no terms, or two of the same name; in use, for a weight below 0 or not finite, or
    scores that the student lacks, or has not for each example one row.
    """

    def __init__(self, *terms: Term) -> None:
        for term in terms:
            checks.check_kind("each term", term, Term)
        names = [t.name for t in terms]
        if not terms or len(set(names)) < len(names):
            raise ValueError(f"an objective needs terms, of different names, got {names}")
        self.terms = terms

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        gradients, parts, shares = dict[str, Array](), dict[str, float](), dict[str, float]()
        for term in self.terms:
            weight = term.weight(epoch) if callable(term.weight) else term.weight
            weight = checks.check_not_negative(f"the weight of {term.name!r}", weight)
            if weight == 0:
                shares[term.name] = 0.0
                continue
            if term.on not in scores:
                looks = f"the term {term.name!r} looks at the student's {term.on!r}"
                raise ValueError(f"{looks}; it has only {sorted(scores)}")
            if (n := len(scores[term.on])) != len(index):  # made by an `augment` of `train`
                raise ValueError(f"a term needs scores of its {len(index)} examples, got {n} rows")
            loss = term.loss(scores[term.on], index)
            if loss is None:
                continue
            gradient, before = weight * loss.gradient, gradients.get(term.on)
            gradients[term.on] = gradient if before is None else before + gradient
            parts[term.name], shares[term.name] = loss.value, weight * loss.value
        return Outcome(sum(shares.values(), 0.0), gradients, parts, shares)


def hard_label_loss(split: Split) -> Callable[[Array, Array], Loss | None]:
    """Cross entropy with the split's labels: the mean over those of a batch that have one.

    Of a batch without any label it says nothing: None. ValueError for what is no split.
    """
    checks.check_kind("split", split, Split, "take one of a data set, such as data.transfer")
    labels = Aligned(split.index, split.labels)

    def loss(logits: Array, index: Array) -> Loss | None:
        batch = labels.at(index)
        known = batch != UNLABELLED
        if not known.any():
            return None
        gradient = np.zeros_like(logits)
        value, gradient[known] = losses.cross_entropy(logits[known], batch[known])
        return Loss(value, gradient)

    return loss


def hard_labels(split: Split) -> WeightedTerms:
    """The student alone: cross entropy with whatever labels the split has. The baseline of all.

    ValueError for no split, or one without a single label. Chapter 2.
    """
    hard = Term("hard", 1.0, hard_label_loss(split))
    if (split.labels == UNLABELLED).all():
        raise ValueError("hard labels need at least one label, got a split with none")
    return WeightedTerms(hard)


def traditional(split: Split, teacher: TeacherOutputs, T: float, alpha: float) -> WeightedTerms:
    """alpha · cross entropy + (1 - alpha) · T² · KL(teacher at T ‖ student at T).

    The labels are those of `split`; examples without one feel the teacher alone, of whom `teacher`
    has the outputs. `T` is the temperature of both in training; at inference it is 1. `alpha`, the
    weight of the hard labels, is 0 to 1; some of the field calls this 1 - alpha. ValueError for T
    or alpha not as described; in use, for an example the teacher was not asked about. Hinton,
    Vinyals & Dean 2015, section 2. Chapter 4.
    """
    return step_by_step(split, teacher, T, alpha, beta=0)


def step_by_step(
    split: Split,
    teacher: TeacherOutputs,
    T: float,
    alpha: float,
    beta: float,
    rationale: str = "logits",
    on: str = "logits",
    curriculum: float = 0,
    compare: Callable[[Array, Array], Loss] = losses.rationale_mse,
) -> WeightedTerms:
    """alpha · cross entropy + beta · MSE of rationales + (1 - alpha - beta) · soft targets.

    What is new beside `traditional`: `beta`, the weight of the rationale, is at least 0, and
    alpha + beta at most 1; `rationale` names the teacher's scores that are the rationale, and `on`
    the student's that learn it, as many. Over the first epochs, `curriculum` of them, beta grows
    evenly from 0, and the soft targets have the rest meanwhile. `compare` may be another loss than
    the MSE. ValueError for T, weights or curriculum not as described; in use, for scores that do
    not fit. Chapter 5.
    """
    checks.check_weights(alpha=alpha, beta=beta)
    checks.check_not_negative("curriculum", curriculum)

    def beta_at(epoch: float) -> float:
        return beta * min(1.0, epoch / curriculum) if curriculum else beta

    def rest_at(epoch: float) -> float:
        rest = 1 - (alpha + beta_at(epoch))
        return rest if rest > 1e-12 else 0.0  # of 1 - (0.9 + 0.1) rounding may leave something

    return WeightedTerms(
        Term("hard", alpha, hard_label_loss(split)),
        Term("rationale", beta_at, lambda z, i: compare(z, teacher.at(i, rationale)), on),
        Term("soft", rest_at, soft_targets(teacher, T)),
    )


def cosine_enhanced(
    split: Split,
    teacher: TeacherOutputs,
    T: float,
    alpha: float,
    beta: float,
    rationale: str = "logits",
    on: str = "logits",
    curriculum: float = 0,
) -> WeightedTerms:
    """`step_by_step` with rationales compared by their directions: 1 - cosine in place of the MSE.

    Arguments and ValueErrors are the same; in use, a row of zeros is refused as well. Chapter 6.
    """
    cosine = losses.rationale_cosine
    return step_by_step(split, teacher, T, alpha, beta, rationale, on, curriculum, cosine)


def soft_targets(teacher: TeacherOutputs, T: float) -> Callable[[Array, Array], Loss]:
    """`soft_target_loss` against the teacher's logits for the same examples.

    ValueError for T not above 0, or no `TeacherOutputs`.
    """
    checks.check_positive("T", T)
    advice = "TeacherOutputs.of(model, split) asks a model"
    checks.check_kind("teacher", teacher, TeacherOutputs, advice)
    return lambda logits, index: losses.soft_target_loss(logits, teacher.at(index), T)
