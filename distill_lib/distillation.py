"""From a teacher to a student: outputs kept beside their examples, and the methods' objectives.

An objective is a list of terms, each a weight times a loss on some of the student's scores. A new
method is a new list. One convention of weights through the whole book: alpha weighs the hard
labels, beta the rationale, and what is left, 1 - alpha - beta, the soft targets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from distill_lib.data import UNLABELLED, Split
from distill_lib.losses import (
    Array,
    Loss,
    check_positive,
    check_scores,
    check_share,
    consistency,
    cross_entropy,
    number,
    rationale_cosine,
    rationale_mse,
    soft_target_loss,
)
from distill_lib.models import MLP
from distill_lib.training import Outcome


class Aligned:
    """Rows that are found by their example's index, never by their place in an array.

    Args:
        index: shape (examples,), each example's place in the data set.
        rows: shape (examples, ...), one row for each; a copy of them is kept.

    Raises:
        ValueError: lengths that differ, no rows, an index that occurs twice, or one that is not a
            whole number of at least 0.
    """

    def __init__(self, index: Array, rows: Array) -> None:
        index = _check_index(index)
        if (index < 0).any():
            raise ValueError(f"an index must hold whole numbers of at least 0, got {index}")
        self._sorted, first = np.unique(index, return_index=True)
        if not 0 < len(index) == len(rows) == len(self._sorted):
            raise ValueError(
                f"need one row for each of the different indices, got {len(rows)} rows for "
                f"{len(self._sorted)} different indices of {len(index)}"
            )
        self.rows = np.array(rows)
        self._order = first

    def at(self, index: Array) -> Array:
        """The rows of these examples, in this order.

        Raises:
            ValueError: an example that has no row, or an index that is not whole numbers (a mask
                of True and False is not).
        """
        index = _check_index(index)
        places = np.searchsorted(self._sorted, index).clip(max=len(self._sorted) - 1)
        missing = self._sorted[places] != index
        if missing.any():
            raise ValueError(f"nothing is known of example {index[missing][0]} of the data set")
        return self.rows[self._order[places]]


def _check_index(index: Array) -> Array:
    index = np.asarray(index)
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise ValueError(f"an index must hold whole numbers along one axis, got {index!r}")
    return index


class TeacherOutputs:
    """A teacher's named scores for the examples of a split, bound to their indices.

    Args:
        index: shape (examples,), as in `Split`.
        scores: by name ("logits", "hidden_1", …), each of shape (examples, components).

    Raises:
        ValueError: no "logits" among the scores, or index and scores that `Aligned` refuses.

    Chapter 3, "The bug lab", shows what happens where outputs are stored in one order and used in
    another.
    """

    def __init__(self, index: Array, scores: Mapping[str, Array]) -> None:
        if "logits" not in scores:
            raise ValueError(f'scores must hold "logits", got {sorted(scores)}')
        self.index = np.asarray(index)
        self._scores = {n: Aligned(self.index, check_scores(n, s)) for n, s in scores.items()}

    @classmethod
    def of(cls, teacher: MLP, split: Split) -> TeacherOutputs:
        """Ask the teacher once about every example of the split, and keep what it says."""
        return cls(split.index, teacher.scores(split.inputs))

    def at(self, index: Array, name: str = "logits") -> Array:
        """The scores called `name` of these examples, in this order.

        Raises:
            ValueError: an example or a name that the teacher was not asked about, or an index that
                is not whole numbers.
        """
        if name not in self._scores:
            raise ValueError(f"the teacher has no scores {name!r}, only {sorted(self._scores)}")
        return self._scores[name].at(index)

    def misaligned(self, share: float = 1.0, seed: int = 0) -> TeacherOutputs:
        """The bug, on purpose: this share of the rows, each given to another's example.

        Exactly round(share · examples) rows move (a single one has nowhere to go).

        Raises:
            ValueError: a share outside 0 .. 1.
        """
        check_share("share", share)
        rng = np.random.default_rng(seed)
        moved = rng.choice(len(self.index), round(share * len(self.index)), replace=False)
        order = np.arange(len(self.index))
        order[moved] = np.roll(moved, 1)  # round in a ring: a shuffle would leave some in place
        return TeacherOutputs(self.index, {n: a.rows[order] for n, a in self._scores.items()})


@dataclass(frozen=True)
class Term:
    """One part of an objective.

    Attributes:
        name: what the curves call it: "hard", "soft", "rationale", …
        weight: a number of at least 0, or a function of the epoch that gives one (a curriculum).
        loss: (student's scores, their examples' indices) -> `Loss`, or None where these examples
            have nothing to learn from (a batch without labels).
        on: which of the student's scores it looks at.
        copies: whether it sees the noisy copies of the examples too, after the examples.
    """

    name: str
    weight: float | Callable[[float], float]
    loss: Callable[[Array, Array], Loss | None]
    on: str = "logits"
    copies: bool = False

    def weight_at(self, epoch: float) -> float:
        """The weight at this epoch.

        Raises:
            ValueError: not a finite number of at least 0.
        """
        weight = self.weight(epoch) if callable(self.weight) else self.weight
        if not 0 <= number(weight) < np.inf:
            raise ValueError(
                f"the weight of {self.name!r} must be a finite number of at least 0, got {weight!r}"
            )
        return weight


class WeightedTerms:
    """The objective Σ weight · loss over its terms. Terms of weight 0 are not even computed.

    `noise` above 0 asks the training loop for noisy copies (see `training.Objective`); only terms
    with `copies` see them.

    Raises:
        ValueError: no terms, two of the same name, noise below 0 or not finite, or copies without
            noise; in use, a weight below 0 or not finite, or scores that the student does not have.
    """

    def __init__(self, *terms: Term, noise: float = 0.0) -> None:
        names = [term.name for term in terms]
        if not terms or len(set(names)) < len(names):
            raise ValueError(f"an objective needs terms, of different names, got {names}")
        if not 0 <= number(noise) < np.inf:
            raise ValueError(f"noise must be a finite number of at least 0, got {noise!r}")
        if not noise and any(term.copies for term in terms):
            raise ValueError(f"a term with copies needs noise above 0, got noise={noise!r}")
        self.terms, self.noise = terms, noise

    def __call__(self, scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        value, gradients, parts = 0.0, {}, {}
        for term in self.terms:
            if (weight := term.weight_at(epoch)) == 0:
                continue
            if term.on not in scores:
                raise ValueError(
                    f"the term {term.name!r} looks at the student's {term.on!r}; it has only "
                    f"{sorted(scores)}"
                )
            seen = len(index) // 2 if self.noise and not term.copies else len(index)
            loss = term.loss(scores[term.on][:seen], index[:seen])
            if loss is None:
                continue
            value += weight * loss.value
            own = weight * loss.gradient
            if self.noise and not term.copies:
                own = np.concatenate([own, np.zeros_like(own)])
            gradients[term.on] = gradients[term.on] + own if term.on in gradients else own
            parts[term.name] = loss.value
        return Outcome(value, gradients, parts)


def check_weights(**weights: float) -> None:
    """Refuse weights outside the simplex: each at least 0, together at most 1.

    Raises:
        ValueError: naming the weight, or all of them where only their sum is wrong.
    """
    for name, weight in weights.items():
        check_share(name, weight)
    if sum(weights.values()) > 1 + 1e-12:
        raise ValueError(f"the weights must sum to at most 1, got {weights}")


def _rest(*weights: float) -> float:
    """What the weights leave of 1: exactly 0 where 1 - 0.9 - 0.1 is only nearly 0."""
    rest = 1 - sum(weights)
    return rest if rest > 1e-12 else 0.0


def hard_label_loss(split: Split) -> Callable[[Array, Array], Loss | None]:
    """Cross entropy with the split's labels: the mean over those of a batch that have one.

    Of a batch without any label it says nothing: None.
    """
    labels = Aligned(split.index, split.labels)

    def loss(logits: Array, index: Array) -> Loss | None:
        own = labels.at(index)
        known = own != UNLABELLED
        if known.all():
            return cross_entropy(logits, own)
        if not known.any():
            return None
        gradient = np.zeros_like(logits)
        value, gradient[known] = cross_entropy(logits[known], own[known])
        return Loss(value, gradient)

    return loss


def hard_labels(split: Split) -> WeightedTerms:
    """The student alone: cross entropy with whatever labels the split has. The baseline of all.

    Raises:
        ValueError: a split without a single label.

    Chapter 2.
    """
    if (split.labels == UNLABELLED).all():
        raise ValueError("hard labels need at least one label, got a split with none")
    return WeightedTerms(Term("hard", 1.0, hard_label_loss(split)))


def traditional(split: Split, teacher: TeacherOutputs, T: float, alpha: float) -> WeightedTerms:
    """alpha · cross entropy + (1 - alpha) · T² · KL(teacher at T ‖ student at T).

    Args:
        split: where the labels come from; unlabelled examples feel the teacher alone.
        teacher: its outputs for the examples of the split.
        T: temperature of teacher and student in training; at inference T is 1.
        alpha: weight of the hard labels, 0 to 1. Some of the field calls this 1 - alpha.

    Raises:
        ValueError: T or alpha not as described; in use, an example the teacher was not asked about.

    Hinton, Vinyals & Dean 2015, section 2. Chapter 3.
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
) -> WeightedTerms:
    """alpha · cross entropy + beta · MSE of rationales + (1 - alpha - beta) · soft targets.

    Args:
        split, teacher, T, alpha: as for `traditional`.
        beta: weight of the rationale, at least 0; alpha + beta at most 1.
        rationale: which of the teacher's scores are the rationale.
        on: which of the student's scores learn it, as many as the teacher's.

    Raises:
        ValueError: T or the weights not as described; in use, scores that do not fit.

    Chapter 4.
    """
    check_weights(alpha=alpha, beta=beta)
    return WeightedTerms(
        Term("hard", alpha, hard_label_loss(split)),
        Term("rationale", beta, _against(rationale_mse, teacher, rationale), on),
        Term("soft", _rest(alpha, beta), soft_targets(teacher, T)),
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
    consistency_weight: float = 0,
    noise: float = 0.04,
) -> WeightedTerms:
    """Step by step, with the rationale compared by its direction: 1 - cosine in place of the MSE.

    Args:
        split, teacher, T, alpha, beta, rationale, on: as for `step_by_step`.
        curriculum: epochs over which the rationale's weight grows evenly from 0 to beta (the soft
            targets have the rest meanwhile); 0 for beta from the start.
        consistency_weight: of the `consistency` of the student's logits under noise, on top of the
            other weights; 0 leaves it out.
        noise: its standard deviation, in units of the inputs.

    Raises:
        ValueError: T, weights, curriculum or noise not as described; in use, scores that do not
            fit, or a row of zeros.

    Chapter 5.
    """
    check_weights(alpha=alpha, beta=beta)
    for name, value in (("curriculum", curriculum), ("consistency_weight", consistency_weight)):
        if value != 0:
            check_positive(name, value)
    check_positive("noise", noise)

    def beta_at(epoch: float) -> float:
        return beta * min(1.0, epoch / curriculum) if curriculum else beta

    terms = [
        Term("hard", alpha, hard_label_loss(split)),
        Term("rationale", beta_at, _against(rationale_cosine, teacher, rationale), on),
        Term("soft", lambda epoch: _rest(alpha, beta_at(epoch)), soft_targets(teacher, T)),
    ]
    if not consistency_weight:
        return WeightedTerms(*terms)
    steady = Term(
        "consistency", consistency_weight, lambda logits, _: consistency(logits), copies=True
    )
    return WeightedTerms(*terms, steady, noise=noise)


def soft_targets(teacher: TeacherOutputs, T: float) -> Callable[[Array, Array], Loss]:
    """`soft_target_loss` against the teacher's logits for the same examples.

    Raises:
        ValueError: T not above 0.
    """
    check_positive("T", T)
    return lambda logits, index: soft_target_loss(logits, teacher.at(index), T)


def _against(
    loss: Callable[[Array, Array], Loss], teacher: TeacherOutputs, name: str
) -> Callable[[Array, Array], Loss]:
    return lambda scores, index: loss(scores, teacher.at(index, name))
