"""Training rows made canonical: twins merged, in an order that is the data's own.

A row of weight 2 and the same row given twice are one and the same to the fit, and so
are a table and the same table shuffled, or in other units. It also keeps twins from
sitting on both sides of a validation split, unless they are no copies but counts.
"""

import math
from typing import NamedTuple

import numpy as np

ROWS_PER_BLOCK = 4096
MOST_TWINS = 100_000  # rows of a table of counts
FEWEST_GROUPS, MOST_GROUPED = 30, 100_000


class Samples(NamedTuple):
    """The rows of a data set that count, in canonical order; twins are one row.

    Those of a table of counts are as many as there are.
    """

    X: np.ndarray  # (n, d)
    y: np.ndarray  # (n, D)
    rows: np.ndarray  # (m,) row numbers of X and y
    weights: np.ndarray  # (m,)

    def blocks(self):
        """Slices of the m rows, each small enough to be copied without thought."""
        starts = range(0, len(self.rows), ROWS_PER_BLOCK)
        return [slice(start, start + ROWS_PER_BLOCK) for start in starts]


def canonical_samples(X, y, sample_weight):
    """Rows that count, in canonical order, with the weights of their twins.

    Rows are sorted by y, and where it ties by X, column by column: a change of units
    leaves that order alone.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n, D)
    sample_weight : ndarray of shape (n,)

    Returns
    -------
    samples : Samples
    """
    order = np.argsort(sample_weight, kind="stable")  # of twins, whose weights add up
    order = order[np.count_nonzero(sample_weight == 0) :]
    order, same = _sorted(order, [*y.T, *X.T])
    first = np.flatnonzero(~same)
    weights = np.add.reduceat(sample_weight[order], first)
    samples = Samples(X, y, order[first], weights)
    counts = _counts(weights)
    if counts is None or counts.max() == 1 or not _take_few_values(samples):
        return samples
    return _with_twins(samples, counts)


def _sorted(order, columns):
    """Row numbers ``order`` sorted by one column after the other.

    And which of them are the same as the row before, in all columns.
    """
    same = np.ones(len(order), dtype=bool)  # in all columns so far
    same[:1] = False
    for column in columns:
        tied = same.copy()
        tied[:-1] |= same[1:]
        if not tied.any():
            break
        rows = order[tied]
        values = column[rows]
        sorting = np.lexsort((values, np.cumsum(~same[tied])))
        order[tied] = rows[sorting]
        values = values[sorting]
        same[tied] &= np.append(False, values[1:] == values[:-1])
    return order, same


def _counts(weights):
    """Rows that each weight (m,) stands for, None if they are no multiples of a unit.

    The unit is the greatest common divisor, by Euclid's algorithm.
    """
    rounding, unit = 1e-9 * weights.max(), 0.0
    for weight in np.unique(weights).tolist():
        while weight > rounding:
            unit, weight = weight, math.fmod(unit, weight)
        if unit < 100 * rounding:
            return None
    return np.round(weights / unit)


def _take_few_values(samples):
    """Whether rows have twins because x and y take few values, not by copying.

    On average every x is seen with two y and every y with two x, or every x with ten y.
    """
    per_x, per_y = (
        len(samples.rows) / _n_distinct(samples.rows, values)
        for values in (samples.X, samples.y)
    )
    return per_x >= 10 or min(per_x, per_y) >= 2


def groups_of_twins(samples):
    """Numbers (m,) of the groups of rows that share their x; None if there are none.

    New rows will have an x of their own, so none should be judged by rows that share
    it. That is taken for granted if every x is met twice on average and one column has
    half as many values as there are x, thirty of them at least: fewer are the levels of
    a factor, all of which have been seen. Of more than a hundred thousand rows none is
    asked.
    """
    n = len(samples.rows)
    if not 2 * FEWEST_GROUPS <= n <= MOST_GROUPED:
        return None
    X = samples.X[samples.rows]
    order, same = _sorted(np.arange(n), X.T)
    n_groups = np.count_nonzero(~same)
    if not FEWEST_GROUPS <= n_groups <= n / 2:
        return None
    if max(len(np.unique(column)) for column in X.T) < n_groups / 2:
        return None
    groups = np.empty(n, dtype=int)
    groups[order] = np.cumsum(~same) - 1
    return groups


def _n_distinct(rows, values):
    _, same = _sorted(rows.copy(), values.T)
    return np.count_nonzero(~same)


def _with_twins(samples, counts):
    """The samples as often as they are counted.

    Beyond a hundred thousand in all as much less often, and weigh as much more.
    """
    copies = np.round(counts * min(1, MOST_TWINS / counts.sum()))
    copies = np.maximum(copies, 1).astype(int)
    return samples._replace(
        rows=np.repeat(samples.rows, copies),
        weights=np.repeat(samples.weights / copies, copies),
    )


def evenly(n_rows, most):
    """Positions of at most ``most`` of n rows, from the first to the last.

    The first rows alone would be those of the least y.
    """
    return np.linspace(0, n_rows - 1, min(n_rows, most)).astype(np.intp)


def power_of_two(values, rows):
    """Smallest power of two above the magnitudes of each column, or 1 for zeros."""
    peaks = np.zeros(values.shape[1])
    for start in range(0, len(rows), ROWS_PER_BLOCK):
        block = np.abs(values[rows[start : start + ROWS_PER_BLOCK]])
        peaks = np.maximum(peaks, block.max(axis=0))
    exponents = np.frexp(peaks)[1]
    return np.where(peaks > 0, np.ldexp(1.0, np.minimum(exponents, 1023)), 1.0)
