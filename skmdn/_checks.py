"""Checks of what a law is made of and asked: value, rule and way out in each error."""

from numbers import Integral

import numpy as np

from skmdn import _gaussian


def is_integer(value):
    """Whether it is an integer, of Python or of NumPy; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_weight_values(weights, name="sample_weight"):
    """Refuse weights that are negative, not finite or all zero."""
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise ValueError(
            f"{name} must be finite and not negative, got {weights[wrong][0]}. Give "
            "rows that shall not count a weight of zero."
        )
    if not weights.any():
        raise ValueError(
            f"All of {name} is zero, so no row counts. At least one weight must be "
            "positive."
        )


def check_law(law):
    """The law itself; refuse numbers, an estimator, or observations in its place."""
    if not (hasattr(law, "ppf") and hasattr(law, "n_outputs")):
        raise TypeError(
            f"law must be what predict_distribution(X) returns, got "
            f"{type(law).__name__}. It comes after the observations: "
            "crps(y, model.predict_distribution(X))."
        )
    return law


def real_numbers(name, values):
    """Values as a float64 array; nothing is dropped to make them such."""
    try:
        array = np.asarray(values)
        if array.dtype.kind in "cmM":
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be real numbers in a dense array, got "
            f"{type(values).__name__}: {values!r:.60}. Convert them before."
        ) from error


def check_observations(y, shape, finite=False):
    """Observations as a float64 array of ``shape``, (n, D).

    A single output may come as (n,). Nothing is broadcast: (n, 1) against (n,) would
    silently become (n, n).
    """
    y = real_numbers("y", y)
    n, n_outputs = shape
    if y.shape != shape and not (n_outputs == 1 and y.shape == (n,)):
        rule = f"({n},) or ({n}, 1)" if n_outputs == 1 else f"({n}, {n_outputs})"
        raise ValueError(
            f"y must have shape {rule}, one observation for each of the {n} laws; got "
            f"{y.shape}."
        )
    if finite and np.isinf(y).any():
        raise ValueError(
            f"y must be finite, got {y[np.isinf(y)][0]}: no component is nearer to "
            "infinity than another. Drop such rows: law[mask] keeps the laws of others."
        )
    if np.isnan(y).any():
        row = int(np.argwhere(np.isnan(y))[0, 0])
        raise ValueError(
            f"y contains NaN, first in row {row}. Drop the rows without an "
            "observation: law[mask] keeps the laws of the others."
        )
    return y.reshape(shape)


def check_levels(name, levels, scalar=False):
    """Probabilities as a float64 array, or as a float if one alone is asked for."""
    array = real_numbers(name, levels)
    if array.ndim > (0 if scalar else 1) or array.size == 0:
        shape = "a number" if scalar else "a number or a list of numbers"
        raise ValueError(f"{name} must be {shape} between 0 and 1, got {levels!r}.")
    if not np.all((array >= 0) & (array <= 1)):
        raise ValueError(
            f"{name} must lie between 0 and 1, got {levels!r}. Percentages are to be "
            "divided by 100."
        )
    return float(array) if scalar else array


def check_mixture(weights, means, covariances):
    """Refuse weights, means and covariances that do not fit together."""
    for name, values in [
        ("weights", weights),
        ("means", means),
        ("covariances", covariances),
    ]:
        if not np.isfinite(values).all():
            place = tuple(np.argwhere(~np.isfinite(values))[0].tolist())
            raise ValueError(
                f"{name} must be finite, got NaN or infinity, first at {place}. Leave "
                "such laws out, or give a component that shall not count a weight of 0."
            )
    if weights.ndim != 2 or weights.shape[1] == 0:
        raise ValueError(f"weights must have shape (n, K), got {weights.shape}.")
    if means.ndim != 3 or means.shape[:2] != weights.shape or means.shape[2] == 0:
        raise ValueError(
            f"means must have shape (n, K) or (n, K, D) with (n, K) = {weights.shape} "
            f"as in weights, got {means.shape}."
        )
    if covariances.shape not in {means.shape, (*means.shape, means.shape[-1])}:
        raise ValueError(
            f"covariances must have the shape of means, {means.shape}, for variances, "
            f"or one axis more, {(*means.shape, means.shape[-1])}, for matrices; got "
            f"{covariances.shape}."
        )
    _check_weights(weights)


def _check_weights(weights):
    if (weights < 0).any():
        raise ValueError(
            f"weights must not be negative, got {weights.min()}. Of logits take "
            "scipy.special.softmax(logits, axis=1)."
        )
    totals = weights.sum(axis=-1)
    if not np.allclose(totals, 1, rtol=0, atol=1e-6):
        worst = totals[np.argmax(np.abs(totals - 1))]
        raise ValueError(
            f"The weights of each row must sum to 1, got a sum of {worst}. Divide them "
            "by weights.sum(axis=1, keepdims=True)."
        )


def _symmetric(covariances):
    """Mean of the two halves, which may differ by no more than rounding to float32."""
    transposed = np.swapaxes(covariances, -1, -2)
    size = np.sqrt(np.abs(np.diagonal(covariances, axis1=-2, axis2=-1)))
    tolerance = 1e-6 * size[..., :, None] * size[..., None, :]
    wrong = np.abs(covariances - transposed) > tolerance
    if wrong.any():
        raise ValueError(
            f"Covariance matrices must be symmetric, got {covariances[wrong][0]} where "
            f"the transposed has {transposed[wrong][0]}. Take the mean of both: "
            "(covariances + covariances.swapaxes(-1, -2)) / 2."
        )
    return covariances / 2 + transposed / 2


def checked_factors(covariances):
    """Factors of variances (n, K, D) or of covariance matrices (n, K, D, D)."""
    if covariances.ndim == 3 and not (covariances > 0).all():
        raise ValueError(
            f"Variances must be positive, got {covariances.min()}. Put a floor under "
            "them: covariances.clip(1e-12)."
        )
    if covariances.ndim == 4:
        covariances = _symmetric(covariances)
    try:
        return _gaussian.factor_of_covariance(covariances)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "Covariance matrices must be positive definite. Two outputs may be copies "
            "of each other: leave one out, or add a little variance to the diagonal."
        ) from error
