"""The two figures that benchmarks draw: 30 bar charts, and 80 line charts under two sliders."""

import numpy as np

from distill_lib import softmax
from distill_lib.figures import bars, curves

T = [float(f"{t:.2g}") for t in np.geomspace(0.25, 20, 30)]
LINES_T, ALPHA = T[9::2][:8], [float(a) for a in np.linspace(0.1, 1, 10).round(6)]
X = np.linspace(-6, 6, 100)


def shares(T):
    return softmax([1.0, 2.0, 3.0, 2.5, 0.5, 1.5], T)


def curves_at(T, alpha):
    y = {"first": np.tanh(alpha * X / T), "second": alpha * np.cos(X / T)}
    return y | {"third": y["first"] + np.exp(-alpha * X * X) / T}


def draw(T):
    p = shares(T)
    return bars(p, list("abcdef"), numbers=".2f"), f"At T = {T}, {p.max():.3f} at most."


def lines(T, alpha):
    figure = curves(X, curves_at(T, alpha), ylim=(-2, 3))
    return figure, f"Three lines at T = {T} and α = {alpha}."
