"""Training rows made canonical: twins merged, in an order that is the data's own.

A row of weight 2 and the same row given twice are one and the same to the fit, and so
are a table and the same table shuffled. It also keeps twins from sitting on both sides
of a validation split.
"""

from typing import NamedTuple

import numpy as np

ROWS_PER_BLOCK = 4096
MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing
SHIFT = np.uint64(29)


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

    The order does not change when a column is multiplied by a power of two.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n, D)
    sample_weight : ndarray of shape (n,)

    Returns
    -------
    samples : Samples
    """
    counted = np.flatnonzero(sample_weight)
    keys = row_hashes(X, y, counted)
    order = counted[np.lexsort((sample_weight[counted], keys))]
    new = _differs_from_previous(X, y, order)
    # Rows of one hash must be identical; else sort by the rows themselves.
    if np.any(new[1:] & (np.diff(np.sort(keys)) == 0)):
        columns = np.column_stack([sample_weight, y, X])[counted].T
        order = counted[np.lexsort(columns)]
        new = _differs_from_previous(X, y, order)
    first = np.flatnonzero(new)
    weights = np.add.reduceat(sample_weight[order], first)
    return Samples(X, y, order[first], weights)


def row_hashes(X, y, rows):
    """Hash (m,) of each of the rows, after division by each column's power of two."""
    unit = np.append(power_of_two(X, rows), power_of_two(y, rows))
    hashes = np.zeros(len(rows), dtype=np.uint64)
    for start in range(0, len(rows), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        # Adding 0.0 makes -0.0 and 0.0, the same number, the same bits.
        scaled = np.hstack([X[rows[block]], y[rows[block]]]) / unit + 0.0
        for bits in scaled.view(np.uint64).T:
            hashes[block] = (hashes[block] ^ bits) * MIX
            hashes[block] ^= hashes[block] >> SHIFT
    return hashes


def power_of_two(values, rows):
    """Smallest power of two above the magnitudes of each column, or 1 for zeros."""
    peaks = np.zeros(values.shape[1])
    for start in range(0, len(rows), ROWS_PER_BLOCK):
        block = np.abs(values[rows[start : start + ROWS_PER_BLOCK]])
        peaks = np.maximum(peaks, block.max(axis=0))
    exponents = np.frexp(peaks)[1]
    return np.where(peaks > 0, np.ldexp(1.0, np.minimum(exponents, 1023)), 1.0)


def _differs_from_previous(X, y, order):
    """Whether each row, taken in this order, is another than the one before it."""
    new = np.ones(len(order), dtype=bool)
    for start in range(1, len(order), ROWS_PER_BLOCK):
        here = order[start : start + ROWS_PER_BLOCK]
        before = order[start - 1 : start - 1 + len(here)]
        new[start : start + len(here)] = np.any(X[here] != X[before], axis=1) | np.any(
            y[here] != y[before], axis=1
        )
    return new
