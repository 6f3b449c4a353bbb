"""Proper scores of laws against observations: lower is better."""

import numpy as np

from skmdn._averages import along_outputs, interval_ends, mean_score
from skmdn._checks import check_law, check_levels

DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def negative_log_likelihood(y, law, sample_weight=None):
    """Mean of -log p(y), the logarithmic score; lower is better.

    Strictly proper, and the loss that `MDNRegressor` is trained by. It is unforgiving
    of observations where the law has next to no density.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, D)
        Observations, one for each law.
    law : MixtureDistribution
        What was predicted for them.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    score : float
        In nats per row, of the joint density of all outputs. Another unit of y adds a
        constant: compare scores of the same data only.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If `y` is not of the shape of the law or has NaN, if there are no rows, or if
        the weights are not of shape (n,), are negative, not finite or all zero.

    References
    ----------
    I. J. Good (1952). Rational decisions. JRSS B 14, 107-114.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import negative_log_likelihood
    >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [4.0]])
    >>> round(negative_log_likelihood([0.5, 0.5], law), 4)
    1.3436
    """
    return mean_score(-check_law(law).logpdf(y), sample_weight)


def crps(y, law, sample_weight=None):
    """Mean continuous ranked probability score; lower is better.

    The integral of the squared distance between the law's distribution function and
    that of the observation. Strictly proper; for a law that is one certain number, it
    is the absolute error.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, D)
        Observations, one for each law.
    law : MixtureDistribution
        What was predicted for them.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    score : float
        In units of y. Each output's marginal is scored by itself, and the scores of the
        outputs are averaged; for the joint law see `energy_score`.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If `y` is not of the shape of the law or has NaN, if there are no rows, or if
        the weights are not of shape (n,), are negative, not finite or all zero.

    References
    ----------
    T. Gneiting, A. E. Raftery (2007). Strictly proper scoring rules, prediction, and
    estimation. JASA 102, 359-378, eq. 20.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import crps
    >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [4.0]])
    >>> round(crps([0.0, 1.0], law), 4)
    0.3505
    """
    return mean_score(check_law(law).crps(y), sample_weight)


def energy_score(y, law, sample_weight=None):
    """Mean energy score, the CRPS of all outputs together; lower is better.

    E‖Y - y‖ - E‖Y - Y'‖ / 2 with Y and Y' independent draws from the law. Strictly
    proper for the joint law, so it sees dependence between outputs, if only a little.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, D)
        Observations, one for each law.
    law : MixtureDistribution
        What was predicted for them.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    score : float
        In units of y, which should be the same for all outputs.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If `y` is not of the shape of the law or has NaN, if there are no rows, or if
        the weights are not of shape (n,), are negative, not finite or all zero.

    References
    ----------
    T. Gneiting, A. E. Raftery (2007). Strictly proper scoring rules, prediction, and
    estimation. JASA 102, 359-378, eq. 22.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import energy_score
    >>> law = MixtureDistribution([[1.0]], [[[0.0, 0.0]]], [[[1.0, 1.0]]])
    >>> round(energy_score([[0.0, 0.0]], law), 4)
    0.3671
    """
    return mean_score(check_law(law).energy_score(y), sample_weight)


def pinball_loss(y, law, quantiles=DECILES, sample_weight=None):
    """Mean pinball loss of the law's quantiles; lower is better.

    A quantile at level q costs q for each unit by which the observation is above it and
    1 - q for each unit below. Over all levels the mean is half the CRPS.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, D)
        Observations, one for each law.
    law : MixtureDistribution
        What was predicted for them.
    quantiles : float or array-like of shape (Q,), default=(0.1, 0.2, ..., 0.9)
        Levels strictly between 0 and 1.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    loss : float
        In units of y, averaged over levels and outputs.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If a level is not between 0 and 1, if `y` is not of the shape of the law or has
        NaN, if there are no rows, or if the weights are not of shape (n,), are
        negative, not finite or all zero.

    See Also
    --------
    sklearn.metrics.mean_pinball_loss : The loss of one quantile, given as numbers.

    References
    ----------
    R. Koenker, G. Bassett (1978). Regression quantiles. Econometrica 46, 33-50.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import pinball_loss
    >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [4.0]])
    >>> pinball_loss([1.0, 0.0], law, quantiles=0.5)
    0.5
    """
    levels = np.atleast_1d(check_levels("quantiles", quantiles))
    if np.isin(levels, (0, 1)).any():
        raise ValueError(
            f"quantiles must lie strictly between 0 and 1, got {quantiles!r}: the "
            "quantiles at 0 and 1 are infinite. Leave them out."
        )
    ppf = check_law(law).ppf(levels)
    predicted = along_outputs(law, ppf, len(levels))  # (n, Q, D)
    levels = levels[:, None]
    above = law._observations(y)[:, None] - predicted
    return mean_score(np.maximum(levels * above, (levels - 1) * above), sample_weight)


def interval_score(y, law, coverage=0.9, sample_weight=None):
    """Mean interval score of Winkler; lower is better.

    The width of the equal-tailed interval, plus a fine of 2 / (1 - coverage) for each
    unit by which the observation is outside. Proper for the two quantiles.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, D)
        Observations, one for each law.
    law : MixtureDistribution
        What was predicted for them.
    coverage : float, default=0.9
        Probability of the interval, below 1.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    score : float
        In units of y, averaged over outputs.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If `coverage` is not between 0 and 1, or is 1, if `y` is not of the shape of the
        law or has NaN, if there are no rows, or if the weights are not of shape (n,),
        are negative, not finite or all zero.

    References
    ----------
    T. Gneiting, A. E. Raftery (2007). Strictly proper scoring rules, prediction, and
    estimation. JASA 102, 359-378, eq. 43.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import interval_score
    >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [4.0]])
    >>> round(interval_score([0.0, 5.0], law, coverage=0.9), 4)
    12.0375
    """
    if check_levels("coverage", coverage, scalar=True) == 1:
        raise ValueError(
            "coverage must be below 1, got 1: an interval that is sure to hold y is "
            "infinite. Take 0.99, say."
        )
    lower, upper = interval_ends(law, coverage)
    y = law._observations(y)
    outside = np.maximum(lower - y, 0) + np.maximum(y - upper, 0)
    return mean_score(upper - lower + 2 / (1 - coverage) * outside, sample_weight)
