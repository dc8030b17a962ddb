"""What a trained model is judged by: accuracy, likelihood, calibration, fidelity.

Each measure takes logits, shape (examples, classes), and gives one float. Chapter 3 defines and
computes each of them by hand before it uses these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from distill_lib.checks import check_labels, check_pair, check_scores, check_whole
from distill_lib.losses import cross_entropy, soft_target_loss, softmax


def accuracy(logits: ArrayLike, labels: ArrayLike) -> float:
    """Share of examples whose largest logit is the label's, from 0 to 1.

    ValueError for logits or labels that `cross_entropy` would refuse.
    """
    logits = check_scores("logits", logits)
    labels = check_labels(labels, logits.shape[:-1], logits.shape[-1])
    return float(np.mean(logits.argmax(axis=-1) == labels))


def negative_log_likelihood(logits: ArrayLike, labels: ArrayLike) -> float:
    """Mean of -log p(label), in nats: how surprised the model is by the truth.

    ValueError for logits or labels that `cross_entropy` would refuse.
    """
    return cross_entropy(logits, labels).value


def calibration_bins(
    logits: ArrayLike, labels: ArrayLike, n_bins: int = 15
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, accuracy and number of examples in each of `n_bins` equal bins of confidence.

    Returns three arrays of shape (n_bins,); confidence and accuracy are nan in an empty bin.
    ValueError for logits or labels not as `cross_entropy` wants them, or n_bins below 1.
    """
    check_whole("n_bins", n_bins)
    logits = check_scores("logits", logits)
    labels = check_labels(labels, logits.shape[:-1], logits.shape[-1])
    probabilities = softmax(logits.astype(np.float64))
    confidence = probabilities.max(axis=-1).ravel()
    correct = (probabilities.argmax(axis=-1) == labels).ravel()
    # Bins are open on the left and closed on the right; a confidence of 1 falls in the last.
    which = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    count = np.bincount(which, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(which, confidence, n_bins) / count
        mean_accuracy = np.bincount(which, correct, n_bins) / count
    return mean_confidence, mean_accuracy, count


def calibration_error(logits: ArrayLike, labels: ArrayLike, n_bins: int = 15) -> float:
    """Expected calibration error: the mean gap of confidence and accuracy, weighted by bin size.

    0 is perfect: of the answers given with 80% confidence, 80% are right.

    ValueError as for the bins. Naeini et al. 2015; Guo et al. 2017 (arXiv 1706.04599). Chapter 3.
    """
    confidence, correct, count = calibration_bins(logits, labels, n_bins)
    filled = count > 0
    gaps = np.abs(confidence[filled] - correct[filled])
    return float(np.sum(gaps * count[filled]) / count.sum())


def fidelity(student_logits: ArrayLike, teacher_logits: ArrayLike) -> float:
    """Share of examples on which student and teacher give the same answer, right or wrong.

    ValueError for bad logits or other shapes. Stanton et al. 2021 (arXiv 2106.05945). Chapter 3.
    """
    student, teacher = check_pair("logits", student_logits, teacher_logits)
    return float(np.mean(student.argmax(axis=-1) == teacher.argmax(axis=-1)))


def divergence(student_logits: ArrayLike, teacher_logits: ArrayLike) -> float:
    """Mean KL(teacher ‖ student) at T = 1, in nats: fidelity that looks at the probabilities too.

    ValueError for bad logits or other shapes. Stanton et al. 2021 (arXiv 2106.05945). Chapter 3.
    """
    return soft_target_loss(student_logits, teacher_logits, T=1.0).value


def report(
    logits: ArrayLike, labels: ArrayLike, teacher_logits: ArrayLike | None = None
) -> dict[str, float]:
    """Accuracy, likelihood ("nll"), calibration error and, beside a teacher, fidelity, by name.

    ValueError as from these measures.
    """
    measures = {
        "accuracy": accuracy(logits, labels),
        "nll": negative_log_likelihood(logits, labels),
        "calibration_error": calibration_error(logits, labels),
    }
    if teacher_logits is not None:
        measures["fidelity"] = fidelity(logits, teacher_logits)
    return measures
