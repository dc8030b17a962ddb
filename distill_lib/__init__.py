"""The small library of the book: everything that a chapter calls, in NumPy, one concept a file.

Read it from the ground up: `checks`, `losses`, `metrics`, `layers`, `convolution`, `models`,
`data`, `mnist`, `training`, `distillation`, `statistics`, `results`, `store`; then `figures`, with
which chapters show things. The slider is a package of its own, `livefigures`, handed on here.
"""

from distill_lib import figures
from distill_lib.convolution import AveragePool2d, Conv2d
from distill_lib.data import UNLABELLED, Dataset, Split, digits, synthetic, synthetic_posterior
from distill_lib.distillation import (
    TeacherOutputs,
    Term,
    WeightedTerms,
    cosine_enhanced,
    hard_label_loss,
    hard_labels,
    step_by_step,
    traditional,
)
from distill_lib.layers import Dropout, Linear, ReLU
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
from distill_lib.mnist import mnist
from distill_lib.models import MLP, LogisticRegression, Network
from distill_lib.results import RESULTS, packed, record, recorded, unpacked
from distill_lib.statistics import (
    Estimate,
    crossed_interval,
    interval,
    over_seeds,
    paired_difference,
)
from distill_lib.store import fingerprint, load_outputs, store_outputs
from distill_lib.training import SGD, Adam, History, constant, cosine_decay, train
from livefigures import Choices, explore, show
