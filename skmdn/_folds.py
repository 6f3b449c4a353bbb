"""Which rows each member learns from, and which it is judged by."""

import numpy as np

FEWEST_VALIDATION_ROWS = 2
MANY_ROWS = 500  # held out, that may narrow a law


def n_validation_rows(n_rows, fraction):
    """Rows to hold out of ``n_rows``; none where too few would be left to judge by."""
    n_held_out = min(round(n_rows * fraction), n_rows - 1)
    return n_held_out if n_held_out >= FEWEST_VALIDATION_ROWS else 0


def folds(n_rows, n_held_out, n_members, rng, groups=None):
    """Row numbers to train on (M, n - h) and to validate on (M, h).

    Members hold out one stretch after the other of a common random order, so that
    together they learn from all rows. With ``groups`` (n,), the numbers of groups of
    rows, these stay together in it, and nobody learns from a group that it is judged
    by: the stretch begins and ends within a group, whose other rows nobody has.
    """
    order = rng.permutation(n_rows).astype(np.int32)
    if groups is not None:
        place = rng.permutation(groups.max() + 1)[groups]
        order = order[np.argsort(place[order], kind="stable")]
    rolled = np.stack([np.roll(order, -m * n_held_out) for m in range(n_members)])
    held_out, train = rolled[:, :n_held_out], rolled[:, n_held_out:]
    if groups is not None:
        first, last = groups[held_out[:, :1]], groups[held_out[:, -1:]]
        begun, ended = (np.sum(groups[train] == g, axis=1).max() for g in (last, first))
        train = train[:, begun : train.shape[1] - ended]
    return train, held_out


def n_effective(weights):
    """Kish's number of rows (M,) of ``weights`` (M, n): n for n rows of equal weight.

    Rounded, so that no rounding error decides who has enough.
    """
    weights = weights.astype(np.float64)
    return np.round(weights.sum(axis=1) ** 2 / np.sum(weights**2, axis=1))
