"""The article's consistency under noise, and plain augmentation by the same noise, its control.

Behind the examples of each batch stand noisy copies of them; an objective is asked about both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from distill_lib.checks import Array, check_not_negative, check_positive
from distill_lib.distillation import WeightedTerms
from distill_lib.losses import consistency
from distill_lib.training import Augment, Objective, Outcome


def noisy_copies(noise: float) -> Augment:
    """For `train`: after the examples of a batch, copies of them with noise on their inputs.

    `noise` is the standard deviation of the normal noise, in units of the inputs. ValueError for
    noise not above 0. Chapter 6, "Consistency, and its control".
    """
    check_positive("noise", noise)

    def augment(inputs: Array, rng: np.random.Generator) -> Array:
        copies = inputs + noise * rng.standard_normal(inputs.shape, inputs.dtype)
        return np.concatenate([inputs, copies])

    return augment


def steadied(objective: WeightedTerms, weight: float) -> Objective:
    """The objective of the examples, and weight · consistency of their logits with the copies'.

    It needs `train(..., augment=noisy_copies(0.04))`. ValueError for a weight below 0 or not
    finite; in use, for another number of rows than two for each example.
    """
    check_not_negative("weight", weight)

    def both(scores: Mapping[str, Array], index: Array, epoch: float) -> Outcome:
        n, rows = len(index), len(scores["logits"])
        if rows != 2 * n:
            raise ValueError(f"consistency needs one copy of each of {n} examples, got {rows} rows")
        outcome = objective({name: z[:n] for name, z in scores.items()}, index, epoch)
        steady = consistency(scores["logits"])
        nothing = np.zeros_like  # is what the objective asks of the copies
        gradients = {k: np.concatenate([g, nothing(g)]) for k, g in outcome.gradients.items()}
        gradients["logits"] = gradients.get("logits", 0) + weight * steady.gradient
        parts, share = {**outcome.parts, "consistency": steady.value}, weight * steady.value
        shares = {**(outcome.shares or {}), "consistency": share}
        return Outcome(outcome.value + share, gradients, parts, shares)

    return both


def on_copies(objective: Objective) -> Objective:
    """The objective of examples and copies alike: what `noisy_copies` alone is worth."""
    return lambda scores, index, epoch: objective(scores, np.tile(index, 2), epoch)
