"""Means of scores: over rows by their weights, over outputs evenly."""

import numpy as np

from skmdn._checks import check_law, check_weight_values, real_numbers


def mean_score(scores, sample_weight):
    """Weighted mean over rows of scores (n, ...), averaged over what else they have."""
    weights = checked_weights(sample_weight, len(scores))
    counts = weights > 0  # a score may be infinite
    per_row = scores.reshape(len(scores), -1).mean(axis=1)
    return float(np.average(per_row[counts], weights=weights[counts]))


def checked_weights(sample_weight, n):
    if n == 0:
        raise ValueError(
            "The law has no rows, so there is no mean of scores. Pass at least one "
            "observation."
        )
    if sample_weight is None:
        return np.ones(n)
    weights = real_numbers("sample_weight", sample_weight)
    if weights.shape != (n,):
        raise ValueError(
            f"sample_weight must have shape ({n},), one weight for each row; got "
            f"{weights.shape}."
        )
    check_weight_values(weights)
    return weights / weights.max()


def along_outputs(law, values, *levels):
    """Values (n, ..., D), the axis of outputs also where there is a single one."""
    return values.reshape(len(law), *levels, law.n_outputs)


def interval_ends(law, coverage):
    """Lower and upper ends, (n, D) each."""
    return np.moveaxis(along_outputs(law, check_law(law).interval(coverage), 2), 1, 0)
