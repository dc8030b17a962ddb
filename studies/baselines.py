"""The student alone at its best, for chapters 2 and 3: what labels give to methods made for few.

    python studies/baselines.py            # about two minutes on one core
    python studies/baselines.py --check    # repeat a slice of the record, write nothing

A linear student is a logistic regression; with a penalty on its weights, and trained to the end, it
is what the linear student of `labels.py` could be. Beside it stands a support vector machine, which
is not linear. Both learn the labels that each seed draws there. Their one dial, C (the larger, the
less penalty), is called `rate` here and chosen as rates are: by mean accuracy on validation.
"""

from __future__ import annotations

from common import data
from engine import Row, main, study

import numpy as np
from labels import LABELS, few
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from distill_lib.metrics import report
from distill_lib.results import packed


@study(
    {"model": ["penalised logistic regression", "support vector machine"], "labels": LABELS},
    rates=np.geomspace(0.001, 1000, 13).round(4).tolist(),
)
def baselines(model: str, labels: int, rate: float, seed: int) -> Row:
    """Labels alone; of the machine, which gives no probabilities, the likelihood is left out."""
    split, validation, test = few(labels, seed), data().validation, data().test
    logistic = model != "support vector machine"
    kind = LogisticRegression(C=rate, max_iter=5000) if logistic else SVC(C=rate)
    fitted = kind.fit(split.inputs, split.labels)
    right = fitted.predict(test.inputs) == test.labels
    measures = {
        "validation": float(np.mean(fitted.predict(validation.inputs) == validation.labels)),
        "accuracy": float(np.mean(right)),
        "right": packed(right),
    }
    if logistic:
        judged = report(fitted.predict_log_proba(test.inputs), test.labels)
        measures |= {name: judged[name] for name in ("nll", "calibration_error")}
    return measures


if __name__ == "__main__":
    main(__file__)
