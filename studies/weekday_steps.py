"""The steps of the weekday's rule as a rationale, for chapter 9: see `weekday`.

    python studies/weekday_steps.py            # about five minutes on one core
    python studies/weekday_steps.py --check    # repeat a slice of the record, write nothing

Four trials for each method, of its rate and, where there is a rationale, of its weight.
"""

from __future__ import annotations

from engine import Row, Study, by_seed, main, study

import numpy as np
from weekday import DAYS, LIKELY_ENOUGH, judge, learn, running_sums, some_dates, split_of, terms

from distill_lib.checks import Array
from distill_lib.data import Split
from distill_lib.distillation import Term, WeightedTerms, hard_label_loss, hard_labels
from distill_lib.losses import Loss, cross_entropy

# --- The rule's steps as a rationale --------------------------------------------------------------

METHODS = ["answer alone", "terms", "running sums", "others' terms"]
SIZES = [3000, 10000]


def dials(method: str) -> list[Row]:
    """Four trials for each method: of the rate, and of beta where there is a rationale."""
    if method == "answer alone":
        return [{"rate": rate, "beta": 0.0} for rate in (0.005, 0.01, 0.02, 0.04)]
    return [{"rate": rate, "beta": beta} for rate in (0.01, 0.02) for beta in (0.5, 0.8)]


def in_steps(split: Split, rationale: Array, beta: float) -> WeightedTerms:
    """(1 - beta) · cross entropy of the answer + beta · the sum of those of the rationale.

    Args:
        rationale: whole numbers from 0 to 6, shape (examples, heads).
    """
    heads = rationale.shape[1]

    def loss(scores: Array, index: Array) -> Loss:
        value, gradient = cross_entropy(scores.reshape(len(index), heads, DAYS), rationale[index])
        return Loss(heads * value, heads * gradient.reshape(scores.shape))

    answer = Term("answer", 1 - beta, hard_label_loss(split))
    return WeightedTerms(answer, Term("rationale", beta, loss, "rationale"))


def rationale_of(method: str, dates: Array) -> Array:
    """What the rule says on its way; of the next date in place of this one, for the control."""
    if method == "running sums":
        return running_sums(dates)
    return terms(dates) if method == "terms" else np.roll(terms(dates), 1, axis=0)


def with_chosen_dials(study: Study) -> Row:
    """Choose each method's dials at 10,000 dates, by validation on other seeds; then run all."""
    every = [{"method": m, "dates": 10000, **dial} for m in METHODS for dial in dials(m)]
    tried = study.runs(every, study.tuning)
    means = [float(np.mean([row["validation"] for row in rows])) for rows in tried]
    trials = {m: [k for k, one in enumerate(every) if one["method"] == m] for m in METHODS}
    best = {m: dials(m)[int(np.argmax([means[k] for k in ks]))] for m, ks in trials.items()}
    wanted = [(m, n) for m in METHODS[:3] for n in SIZES] + [(METHODS[3], 10000)]
    settings = [{"method": m, "dates": n, **best[m]} for m, n in wanted]
    measures = study.runs(settings, study.seeds)
    rows = [s | by_seed(rows) for s, rows in zip(settings, measures, strict=True)]
    notes = [one | {"validation": round(mean, 4)} for one, mean in zip(every, means, strict=True)]
    return {"rows": rows, "trials": notes}


@study(
    name="weekday_steps",
    fixed={"encoding": "a unit a year", "steps": 1000, "batch_size": 64},
    tuning=range(1000, 1002),
    content=with_chosen_dials,
    allowed=LIKELY_ENOUGH,
)
def in_words(method: str, dates: int, encoding: str, beta: float, seed: int, **plan: float) -> Row:
    """The answer alone, with the terms of the rule, with its running sums, with others' terms."""
    chosen, _ = some_dates(dates, seed)
    split = split_of(chosen, encoding)
    if method == "answer alone":
        return judge(learn(split, hard_labels(split), seed, **plan), encoding, split)
    rationale = rationale_of(method, chosen)
    objective = in_steps(split, rationale, beta)
    model = learn(split, objective, seed, heads=rationale.shape[1], **plan)
    return judge(model, encoding, split)


if __name__ == "__main__":
    main(__file__)
