"""Training rows made canonical: twins merged, in an order that is the data's own.

A row of weight 2 and the same row given twice are one and the same to the fit, and so
are a table and the same table shuffled, or in other units. It also keeps twins from
sitting on both sides of a validation split.
"""

from typing import NamedTuple

import numpy as np

ROWS_PER_BLOCK = 4096


class Samples(NamedTuple):
    """The distinct rows of a data set that count, in canonical order."""

    X: np.ndarray  # (n, d)
    y: np.ndarray  # (n, D)
    rows: np.ndarray  # (m,) row numbers of X and y
    weights: np.ndarray  # (m,)

    def blocks(self):
        """Slices of the m rows, each small enough to be copied without thought."""
        starts = range(0, len(self.rows), ROWS_PER_BLOCK)
        return [slice(start, start + ROWS_PER_BLOCK) for start in starts]


def canonical_samples(X, y, sample_weight):
    """Distinct rows that count, in canonical order, with the weights of their twins.

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
    same = np.ones(len(order), dtype=bool)  # as the row before, in all columns so far
    same[:1] = False
    for column in (*y.T, *X.T):
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
    first = np.flatnonzero(~same)
    weights = np.add.reduceat(sample_weight[order], first)
    return Samples(X, y, order[first], weights)


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
