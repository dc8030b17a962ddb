"""The small library of the book: everything that a chapter calls, in NumPy, one concept a file.

Read it from the ground up: `losses`, `metrics`, `models`, `data`, `training`, `distillation`,
`experiments`; then `figures`, `explore` and `exercises`, which the chapters use to show things.
"""

from distill_lib import figures
from distill_lib.data import UNLABELLED, Dataset, Split, digits, synthetic, synthetic_posterior
from distill_lib.distillation import (
    TeacherOutputs,
    Term,
    WeightedTerms,
    cosine_enhanced,
    hard_labels,
    step_by_step,
    traditional,
)
from distill_lib.exercises import check
from distill_lib.experiments import (
    Estimate,
    interval,
    over_seeds,
    paired_difference,
    record,
    recorded,
    sweep,
)
from distill_lib.explore import Choices, explore, show
from distill_lib.losses import (
    Loss,
    consistency,
    cross_entropy,
    entropy,
    log_softmax,
    rationale_cosine,
    rationale_mse,
    soft_target_loss,
    softmax,
)
from distill_lib.metrics import (
    accuracy,
    calibration_bins,
    calibration_error,
    divergence,
    fidelity,
    negative_log_likelihood,
    report,
)
from distill_lib.models import MLP, LogisticRegression
from distill_lib.training import SGD, Adam, History, constant, cosine_decay, train
