"""The losses of `distill_lib`, in PyTorch: the same values, and gradients by autograd.

Pure functions of tensors, each a mean over the batch as there. Scores have shape (..., classes) or
(..., components), with any leading axes. They compute in the type that they are given, and nothing
is broadcast. The teacher's scores are constants: no gradient goes back to the teacher.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from distill_lib.checks import check_positive, check_weights


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of -log softmax(logits)[label]: the loss of hard labels, in nats.

    `logits` have shape (..., classes), `labels` integers in 0 .. classes - 1, shape (...).
    ValueError for other shapes; PyTorch's IndexError for labels out of range, but not for -100, its
    mark of an example without a label, which it leaves out. Chapter 2.
    """
    if labels.shape != logits.shape[:-1]:
        expected = f"labels must have shape {tuple(logits.shape[:-1])}, like the logits without"
        raise ValueError(f"{expected} their classes, got {tuple(labels.shape)}")
    return F.cross_entropy(_rows(logits), labels.reshape(-1))


def soft_target_loss(student_logits: Tensor, teacher_logits: Tensor, T: float) -> Tensor:
    """T² · KL(softmax(teacher / T) ‖ softmax(student / T)), mean over the batch, in nats.

    `kl_div` takes the student's log-probabilities first, and "batchmean" is the sum over classes
    and the mean over examples; its default is a mean over the classes as well, K times smaller.

    ValueError for T not above 0, or shapes that differ. Hinton, Vinyals & Dean 2015, section 2.
    Chapter 4.
    """
    student, teacher = _pair(student_logits, teacher_logits)
    T = check_positive("T", T)
    log_p, log_q = F.log_softmax(teacher / T, dim=-1), F.log_softmax(student / T, dim=-1)
    return T**2 * F.kl_div(_rows(log_q), _rows(log_p), reduction="batchmean", log_target=True)


def rationale_mse(student_scores: Tensor, teacher_scores: Tensor) -> Tensor:
    """Mean squared difference of two rationales, over the batch and the components.

    ValueError for shapes that differ. Chapter 5.
    """
    return F.mse_loss(*_pair(student_scores, teacher_scores))


def rationale_cosine(student_scores: Tensor, teacher_scores: Tensor) -> Tensor:
    """1 - cosine of the angle between two rationales, row by row, mean over the batch.

    A row of zeros has no direction: the library refuses it, PyTorch counts it as a cosine of 0.
    ValueError for shapes that differ. Chapter 6.
    """
    student, teacher = _pair(student_scores, teacher_scores)
    return (1 - F.cosine_similarity(student, teacher, dim=-1)).mean()


def objective(
    logits: Tensor,
    labels: Tensor,
    teacher_logits: Tensor,
    *,
    T: float,
    alpha: float,
    beta: float = 0.0,
    rationale: Tensor | None = None,
) -> Tensor:
    """alpha · cross entropy + beta · rationale + (1 - alpha - beta) · soft targets.

    `rationale` is a loss already taken, such as `rationale_mse(hidden, teacher_hidden)`. With its
    weight beta at 0 this is traditional distillation. A term of weight 0 is not computed. The
    library has a hard loss over the labelled examples of a batch; here each has its label.

    ValueError for T or the weights not as described, shapes that differ, or a beta above 0 without
    a rationale. Chapters 4 to 6.
    """
    check_positive("T", T)
    check_weights(alpha=alpha, beta=beta)
    if beta and rationale is None:
        raise ValueError(f"beta = {beta} weighs a rationale, got none")
    soft = 1 - alpha - beta if alpha + beta < 1 - 1e-12 else 0.0
    loss = logits.new_zeros(())
    if alpha:
        loss = loss + alpha * cross_entropy(logits, labels)
    if beta and rationale is not None:
        loss = loss + beta * rationale
    if soft:
        loss = loss + soft * soft_target_loss(logits, teacher_logits, T)
    return loss


def _pair(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Both, if they have one shape; the teacher's without its history."""
    if student.shape != teacher.shape:
        shapes = f"{tuple(student.shape)} and {tuple(teacher.shape)}"
        raise ValueError(f"student and teacher must have one shape, got {shapes}")
    return student, teacher.detach()


def _rows(scores: Tensor) -> Tensor:
    """All leading axes as one: shape (examples, classes)."""
    return scores.reshape(-1, scores.shape[-1])
