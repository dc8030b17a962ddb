"""What the founding paper's teacher is made of, beside dropout: for `augment` and `after_step`.

Images moved at random, weights kept short (Hinton et al. 2012), and averaged parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from distill_lib.checks import Array, check_positive, check_share, check_whole
from distill_lib.models import Model, Network
from distill_lib.training import Augment


def jitter(pixels: int) -> Augment:
    """For `train`: square images, each moved to any side by up to so many pixels; 0 comes in.

    All (2 · pixels + 1)² moves are equally likely. ValueError for pixels not whole or below 1; in
    use, for inputs that are no square images.
    """
    check_whole("pixels", pixels)

    def augment(inputs: Array, rng: np.random.Generator) -> Array:
        n, side = len(inputs), isqrt(inputs.shape[1])
        if side**2 != inputs.shape[1]:
            raise ValueError(f"jitter needs square images, got {inputs.shape[1]} inputs")
        border = (pixels, pixels)
        padded = np.pad(inputs.reshape(n, side, side), ((0, 0), border, border))
        moved = sliding_window_view(padded, (side, side), axis=(1, 2))
        down, right = rng.integers(0, 2 * pixels + 1, (2, n))
        return moved[np.arange(n), down, right].reshape(n, -1)

    return augment


def max_norm(length: float) -> Callable[[Network], None]:
    """For `train`, after each step: no unit's incoming weights are longer, as a vector, than this.

    ValueError for a length not above 0. Hinton et al. 2012 (arXiv 1207.0580).
    """
    check_positive("length", length)

    def shorten(model: Network) -> None:
        for W in (p for p in model.parameters.values() if p.ndim == 2):
            lengths = np.sqrt(np.einsum("ij,ij->j", W, W))
            if (lengths > length).any():
                W *= length / np.maximum(lengths, length)

    return shorten


class Average:
    """For `train`, after each step: an exponential mean of the parameters, in its `vector`.

    Every so many steps it keeps the share `decay` of what it was (at first less: it begins as a
    plain mean). `model.vector = average.vector` puts it to use. ValueError for a decay outside
    0 .. 1 (1 excluded), or `every` not a whole number above 0. Polyak & Juditsky 1992.
    """

    def __init__(self, decay: float, every: int = 1) -> None:
        check_share("decay", decay, below_1=True)
        check_whole("every", every)
        self.decay, self.every, self.vector, self._steps = decay, every, np.empty(0), 0

    def __call__(self, model: Model) -> None:
        self._steps += 1
        if self._steps == self.every:
            self.vector = model.vector.copy()
        elif self._steps % self.every == 0:
            share = max(1 - self.decay, self.every / self._steps)
            self.vector += share * (model.vector - self.vector)
