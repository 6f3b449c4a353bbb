"""Standardised units: every column's mean and standard deviation become 0 and 1."""

from typing import NamedTuple

import numpy as np

from skmdn._rows import power_of_two

EPS = np.finfo(np.float64).eps


class Scaling(NamedTuple):
    """Means and standard deviations of the columns of X (d,) and y (D,)."""

    x_mean: np.ndarray
    x_std: np.ndarray
    y_mean: np.ndarray
    y_std: np.ndarray


def fit_scaling(samples):
    """Weighted statistics of the samples' columns."""
    return Scaling(
        *_column_statistics(samples.X, samples), *_column_statistics(samples.y, samples)
    )


def _column_statistics(values, samples):
    """Weighted mean and standard deviation of each column.

    Columns are first divided by their power of two, so that numbers of any size have a
    square and a change of units by a power of two changes no digit. A column that never
    changes, but for rounding, gets that power as its standard deviation.
    """
    unit = power_of_two(values, samples.rows)
    mean = _average(lambda rows: values[rows] / unit, samples)
    std = np.sqrt(_average(lambda rows: (values[rows] / unit - mean) ** 2, samples))
    constant = std <= len(samples.rows) * EPS * np.abs(mean)
    return mean * unit, np.where(constant, 1.0, std) * unit


def _average(of_rows, samples):
    """Weighted average; not by BLAS, whose sums may depend on the number of threads."""
    weights = samples.weights / samples.weights.sum()
    sums = [
        np.sum(weights[block, None] * of_rows(samples.rows[block]), axis=0)
        for block in samples.blocks()
    ]
    return np.sum(sums, axis=0)


def standardised_table(parts, scaling):
    """One float32 table of all samples of ``parts``: X, a one, y, the weight.

    Weights are divided by the mean weight of the first part. Built block by block, so
    that nothing of the size of X is copied besides.
    """
    n_rows = sum(len(samples.rows) for samples in parts)
    n_features, n_outputs = len(scaling.x_mean), len(scaling.y_mean)
    table = np.empty((n_rows, n_features + n_outputs + 2), dtype=np.float32)
    table[:, n_features] = 1
    mean_weight = parts[0].weights.mean()
    filled = 0
    for samples in parts:
        for block in samples.blocks():
            rows = samples.rows[block]
            out = table[filled : filled + len(rows)]
            out[:, :n_features] = (samples.X[rows] - scaling.x_mean) / scaling.x_std
            out[:, n_features + 1 : -1] = (
                samples.y[rows] - scaling.y_mean
            ) / scaling.y_std
            out[:, -1] = samples.weights[block] / mean_weight
            filled += len(rows)
    return table
