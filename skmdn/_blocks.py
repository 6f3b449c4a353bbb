"""Rows in blocks: a function of many mixtures meets only a few of them at a time."""

from functools import reduce, wraps
from itertools import chain

import numpy as np

BLOCK = 2**17  # float64 numbers in one temporary array: a megabyte stays in cache


def row_blocks(n, numbers_per_row):
    """Slices of n rows, so small that a temporary array of each fits into the cache.

    There is always one, if need be of no rows.
    """
    step = max(1, BLOCK // max(1, numbers_per_row))
    return [slice(start, start + step) for start in range(0, max(n, 1), step)]


def blockwise(scratch):
    """Decorate a function whose arguments are arrays of n rows, the last (n, K).

    Temporaries of the function may hold ``scratch(K)`` numbers per entry of its first
    argument. A scalar argument is repeated for every row. Each row's answer depends on
    that row alone, to the last bit: blocks are copied to C order, so that a sum over
    components adds in the same order whatever the layout of the caller's arrays.
    """

    def decorate(function):
        @wraps(function)
        def blocked(*arrays):
            n, K = np.shape(arrays[-1])
            arrays = [np.asarray(a, float) for a in arrays]
            arrays = [np.broadcast_to(a, n) if a.ndim == 0 else a for a in arrays]
            entries = max(1, int(np.prod(arrays[0].shape[1:])))
            return _join(
                function(*(np.array(a[block], order="C") for a in arrays))
                for block in row_blocks(n, entries * scratch(K))
            )

        return blocked

    return decorate


def _join(parts):
    """Join arrays of rows, or lists with an item for each row."""
    parts = list(parts)
    if isinstance(parts[0], list):
        return list(chain.from_iterable(parts))
    return np.concatenate(parts)


def total(terms):
    """Sum over components, terms (K, ...) -> (...), always in the order 0, 1, ..., K-1.

    ``terms.sum(axis=0)`` changes its order of summation with the number of rows.
    """
    return reduce(np.add, terms)


def components_first(log_weights, means, stds):
    """Stack weights, means and stds as (3, K, n), the layout of the iterations.

    A component of weight zero becomes a weightless copy of its row's heaviest, so that
    it can stretch no bracket and asks for no mask.
    """
    weights = np.exp(log_weights)
    heaviest = weights.argmax(axis=1)[:, None]
    means, stds = (
        np.where(weights > 0, a, np.take_along_axis(a, heaviest, axis=1))
        for a in (means, stds)
    )
    return np.stack([weights.T, means.T, stds.T])
