"""Features with heavy tails: far from the others a value counts by its logarithm.

One income of ten million among thousands, or a mistyped one, would make all others one
and the same to a network whose inputs have a standard deviation of one.
"""

from typing import NamedTuple

import numpy as np

FAR = 10  # from the median, in robust standard deviations
ROBUST_STD = 1 / 1.3489795003921634  # over the interquartile range, of a normal law
QUARTERS = np.array([0.25, 0.5, 0.75])
ROUNDING = 1e-9  # of sums of weights


class Tails(NamedTuple):
    """Bounds beyond which features (d,) are drawn in, and their units after that."""

    lower: np.ndarray  # minus infinity, and upper infinity, where none is drawn in
    upper: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    def inputs(self, X):
        """Standardised features (n, d), their tails drawn in."""
        return (draw_in(X, self.lower, self.upper) - self.mean) / self.std


def draw_in(X, lower, upper):
    """X (n, d) with the logarithms of what lies beyond bounds (d,), eq. (20)."""
    drawn_in = np.minimum(np.maximum(X, lower), upper)
    row, column = np.nonzero(drawn_in != X)
    unit = ((upper - lower) / (2 * FAR))[column]
    excess = X[row, column] - drawn_in[row, column]
    drawn_in[row, column] += np.sign(excess) * unit * np.log1p(np.abs(excess) / unit)
    return drawn_in


def bounds(values, weights):
    """Bounds of one feature (n,): so many robust deviations around its median.

    Infinite if the middle half of the values is one value, or if none lies beyond.
    """
    values = values.astype(np.float64)
    order = np.argsort(values, kind="stable")
    totals = np.cumsum(weights[order])
    at = np.searchsorted(totals, QUARTERS * (1 - ROUNDING) * totals[-1])
    low, median, high = values[order[at]]
    with np.errstate(over="ignore"):
        reach = FAR * ROBUST_STD * (high - low)
        lower, upper = median - reach, median + reach
    beyond = values[order[0]] < lower or values[order[-1]] > upper
    return (lower, upper) if lower < upper and beyond else (-np.inf, np.inf)
