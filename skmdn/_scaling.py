"""Standardised units: every column's mean and standard deviation become 0 and 1.

Where a straight line helps, y is measured from it.
"""

from typing import NamedTuple

import numpy as np

from skmdn._line import MOST_ROWS, are_few, fit_line
from skmdn._rows import evenly, power_of_two
from skmdn._tails import Tails, bounds, draw_in

EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
FEWEST_ROWS_OF_A_LINE = 3
SMALLEST_SPREAD = 1e-3  # around a line, as a fraction of the spread of y
ROUNDING = 4 * EPS  # relative spread up to which a column is constant


class Scaling(NamedTuple):
    """Where zero lies and how long one is, for the columns of X (d,) and y (D,)."""

    x_mean: np.ndarray
    x_std: np.ndarray
    y_mean: np.ndarray
    y_std: np.ndarray
    y_slopes: np.ndarray  # (d, D), units of y per standardised feature; often zero
    x_tails: Tails | None = None  # if any are heavy

    def features(self, X):
        """Standardised features (n, d), along which a line is straight."""
        return (X - self.x_mean) / self.x_std

    def inputs(self, X):
        """What a network sees of X: the `features`, with heavy tails drawn in."""
        return self.features(X) if self.x_tails is None else self.x_tails.inputs(X)

    def tails(self):
        """Tails to the same effect also where none is heavy."""
        if self.x_tails is not None:
            return self.x_tails
        nowhere = np.full_like(self.x_mean, np.inf)
        return Tails(-nowhere, nowhere, self.x_mean, self.x_std)

    def y_origin(self, X):
        """Where the standardised y is zero, (n, D) or (D,)."""
        if not self.y_slopes.any():
            return self.y_mean
        return self.y_mean + self.features(X) @ self.y_slopes

    def outputs(self, samples):
        """Standardised y (m, D) of the samples."""
        y = samples.y[samples.rows]
        if not self.y_slopes.any():
            return (y - self.y_mean) / self.y_std
        for block in samples.blocks():
            y[block] -= self.y_origin(samples.X[samples.rows[block]])
        return y / self.y_std


def fit_scaling(samples, with_line=True):
    """Units of the samples' columns, and the standardised y (m, D) to learn from.

    That is of rows left out of the line, where there is one; ``with_line=False`` rules
    it out.
    """
    *x_units, _ = _column_statistics(samples.X, samples)
    tails = _tails(samples, *x_units)
    y_mean, y_std, constant = _column_statistics(samples.y, samples)
    if not constant.all():  # lest outputs share a width that is made up
        y_std[constant] = np.minimum(y_std[constant], y_std[~constant].min())
    slopes = np.zeros((len(x_units[0]), len(y_mean)))
    scaling = Scaling(*x_units, y_mean, y_std, slopes, tails)
    y = scaling.outputs(samples)
    if len(y) < FEWEST_ROWS_OF_A_LINE or not with_line:
        return scaling, y
    weights = samples.weights / samples.weights.mean()
    slopes, rest = _lines(samples, scaling, y, weights)
    if rest is y:
        return scaling, y
    return _around(scaling, slopes, rest, weights)


def _tails(samples, x_mean, x_std):
    """The `Tails` of the samples' features; None if all are light."""
    found = [bounds(column[samples.rows], samples.weights) for column in samples.X.T]
    lower, upper = np.array(found).T
    heavy = np.flatnonzero(np.isfinite(upper))
    if not len(heavy):
        return None
    mean, std = x_mean.copy(), x_std.copy()
    for one in heavy[:, None]:  # lest many rows be copied whole
        drawn_in = draw_in(samples.X[:, one], lower[one], upper[one])
        mean[one], std[one], _ = _column_statistics(drawn_in, samples)
    return Tails(lower, upper, mean, std)


def _around(scaling, slopes, rest, weights):
    """Units in which y is measured from a line, and what it leaves of y in them."""
    spread = np.maximum(_spread(rest, weights), SMALLEST_SPREAD)
    y_std = scaling.y_std
    scaling = scaling._replace(y_std=spread * y_std, y_slopes=slopes * y_std)
    return scaling, rest / spread


def around_a_line(samples, scaling, y):
    """Units of y measured from a line where `fit_scaling` put none, and that y (m, D).

    ``y`` is that of ``scaling``. None if a line is no better than none, if there is one
    already, or if there are more than 2000 rows.
    """
    if scaling.y_slopes.any() or not FEWEST_ROWS_OF_A_LINE <= len(y) <= MOST_ROWS:
        return None
    weights = samples.weights / samples.weights.mean()
    features = scaling.features(samples.X[samples.rows])
    slopes, rest, _ = fit_line(features, y, weights)
    return _around(scaling, slopes, rest, weights) if slopes.any() else None


def outputs_left_out(samples, scaling):
    """Standardised y (m, D) to learn more from, in the units of an earlier fit.

    Of samples that the line was fitted to these are residuals of rows left out, whose
    spread is the unit; of others all are left out. Each output takes what is nearer to
    a spread of one. Among many rows none moves a line.
    """
    y = scaling.outputs(samples)
    if not (scaling.y_slopes.any() and are_few(len(y), len(scaling.x_mean))):
        return y
    level = scaling._replace(y_slopes=np.zeros_like(scaling.y_slopes))
    features = scaling.features(samples.X[samples.rows])
    weights = samples.weights / samples.weights.mean()
    *_, shares = fit_line(features, level.outputs(samples), weights)
    return np.where(_off(y / shares, weights) < _off(y, weights), y / shares, y)


def _off(values, weights):
    """By what factor, as a logarithm, the spreads (D,) of columns are not one."""
    return np.abs(np.log(np.maximum(_spread(values, weights), TINY)))


def varying_features(samples, scaling):
    """Which features (d,) are not constant: with a std of 1, they are 1 somewhere."""
    blocks = (samples.X[samples.rows[block]] for block in samples.blocks())
    largest = [np.abs(scaling.inputs(X)).max(axis=0) for X in blocks]
    return np.max(largest, axis=0) > 0.5


def _lines(samples, scaling, y, weights):
    """Slopes (d, D) of the lines under the outputs, and what they leave of y (m, D).

    From few rows for each feature any line will do. From more, only one that leaves
    less than the smallest spread, on rows that it was not fitted to.
    """
    some = evenly(len(y), MOST_ROWS)
    features = scaling.features(samples.X[samples.rows[some]])
    slopes, residuals, _ = fit_line(features, y[some], weights[some])
    if are_few(len(y), features.shape[1]):
        return slopes, residuals
    straight = _spread(residuals, weights[some]) < SMALLEST_SPREAD
    if not straight.any():
        return slopes, y
    rest = scaling._replace(y_slopes=slopes * scaling.y_std).outputs(samples)
    rest[some] = residuals
    straight = _spread(rest, weights) < SMALLEST_SPREAD
    return slopes * straight, np.where(straight, rest, y)


def _spread(values, weights):
    """Root mean squares (D,) of the columns."""
    return np.sqrt(np.average(values**2, axis=0, weights=weights))


def _column_statistics(values, samples):
    """Weighted mean and standard deviation of each column; whether it is constant.

    Columns are first divided by their power of two, so that numbers of any size have a
    square and a change of units by a power of two changes no digit. A column that never
    changes, but for rounding, gets that power as its standard deviation.
    """
    unit = power_of_two(values, samples.rows)
    mean = _average(lambda rows: values[rows] / unit, samples)
    std = np.sqrt(_average(lambda rows: (values[rows] / unit - mean) ** 2, samples))
    # The mean of many rows is not exact, but differences of nearly equal numbers are.
    close = std <= len(samples.rows) * EPS * np.abs(mean)
    if close.any():
        first = values[samples.rows[0], close] / unit[close]

        def above_first(rows):
            return values[rows][:, close] / unit[close] - first

        rest = _average(above_first, samples)
        mean[close] = first + rest
        std[close] = np.sqrt(
            _average(lambda rows: (above_first(rows) - rest) ** 2, samples)
        )
    constant = std <= ROUNDING * np.abs(mean)
    return mean * unit, np.where(constant, 1.0, std) * unit, constant


def _average(of_rows, samples):
    """Weighted average; not by BLAS, whose sums may depend on the number of threads."""
    weights = samples.weights / samples.weights.sum()
    sums = [
        np.sum(weights[block, None] * of_rows(samples.rows[block]), axis=0)
        for block in samples.blocks()
    ]
    return np.sum(sums, axis=0)


def standardised_table(parts, scaling, n_blank=0):
    """One float32 table of all samples: X, a one, y, the weight.

    ``parts`` are pairs of samples and their standardised y (m, D). Weights are divided
    by the mean weight of their part. Built block by block, so that nothing of the
    size of X is copied besides. The last ``n_blank`` rows are zeros, weights and all.
    """
    n_rows = sum(len(y) for _, y in parts)
    n_features, n_outputs = len(scaling.x_mean), len(scaling.y_mean)
    shape = n_rows + n_blank, n_features + n_outputs + 2
    table = np.empty(shape, dtype=np.float32)
    table[:, n_features] = 1
    table[n_rows:] = 0
    filled = 0
    for samples, y in parts:
        mean_weight = samples.weights.mean()
        for block in samples.blocks():
            rows = samples.rows[block]
            out = table[filled : filled + len(rows)]
            out[:, :n_features] = scaling.inputs(samples.X[rows])
            out[:, n_features + 1 : -1] = y[block]
            out[:, -1] = samples.weights[block] / mean_weight
            filled += len(rows)
    return table
