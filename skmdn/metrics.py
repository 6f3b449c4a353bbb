"""Scores of a law against observations, and the scorers made of them.

A function takes observations and the law predicted for them, ``crps(y, law)``, and is
better when lower unless it says otherwise. A scorer takes an estimator and data,
``neg_crps(estimator, X, y)``, is better when greater, and goes into
``GridSearchCV(scoring=...)``: `neg_log_likelihood` is minus `negative_log_likelihood`.
Scorers take the defaults of their functions: `neg_interval_score` a coverage of 0.9,
`neg_pinball` the deciles. If unsure, select by `neg_crps` and report
`negative_log_likelihood` and `calibration_error` too.
"""

import numpy as np

from skmdn._checks import check_law, check_weight_values
from skmdn._scorer import LawScorer

__all__ = [
    "calibration_error",
    "crps",
    "energy_score",
    "interval_coverage",
    "interval_score",
    "interval_width",
    "neg_crps",
    "neg_interval_score",
    "neg_log_likelihood",
    "neg_pinball",
    "negative_log_likelihood",
    "pinball_loss",
    "pit_values",
]

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
    return _mean(-check_law(law).logpdf(y), sample_weight)


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
    return _mean(check_law(law).crps(y), sample_weight)


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
    return _mean(check_law(law).energy_score(y), sample_weight)


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
    levels = np.atleast_1d(quantiles)
    if np.isin(levels, (0, 1)).any():
        raise ValueError(
            f"quantiles must lie strictly between 0 and 1, got {quantiles!r}: the "
            "quantiles at 0 and 1 are infinite. Leave them out."
        )
    ppf = check_law(law).ppf(levels)
    predicted = _along_outputs(law, ppf, len(levels))  # (n, Q, D)
    levels = levels[:, None]
    above = law._observations(y)[:, None] - predicted
    return _mean(np.maximum(levels * above, (levels - 1) * above), sample_weight)


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
    if coverage == 1:
        raise ValueError(
            "coverage must be below 1, got 1: an interval that is sure to hold y is "
            "infinite. Take 0.99, say."
        )
    lower, upper = _interval(law, coverage)
    y = law._observations(y)
    outside = np.maximum(lower - y, 0) + np.maximum(y - upper, 0)
    return _mean(upper - lower + 2 / (1 - coverage) * outside, sample_weight)


def interval_coverage(y, law, coverage=0.9, sample_weight=None):
    """Share of observations inside their equal-tailed interval; `coverage` is best.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, D)
        Observations, one for each law.
    law : MixtureDistribution
        What was predicted for them.
    coverage : float, default=0.9
        Probability that the interval is to have.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    share : float
        Between 0 and 1, averaged over outputs. A larger share is not better: the laws
        are then too wide.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If `coverage` is not between 0 and 1, if `y` is not of the shape of the law or
        has NaN, if there are no rows, or if the weights are not of shape (n,), are
        negative, not finite or all zero.

    See Also
    --------
    interval_width : What the coverage is paid with.
    calibration_error : The same question for all intervals at once.

    References
    ----------
    T. Gneiting, F. Balabdaoui, A. E. Raftery (2007). Probabilistic forecasts,
    calibration and sharpness. JRSS B 69, 243-268.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import interval_coverage
    >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [4.0]])
    >>> interval_coverage([0.0, 5.0], law, coverage=0.9)
    0.5
    """
    lower, upper = _interval(law, coverage)
    y = law._observations(y)
    return _mean((lower <= y) & (y <= upper), sample_weight)


def interval_width(y, law, coverage=0.9, sample_weight=None):
    """Mean width of the equal-tailed intervals; lower is better at equal coverage.

    Parameters
    ----------
    y : object
        Not used, and may be None; here so that all metrics are called alike.
    law : MixtureDistribution
        What was predicted.
    coverage : float, default=0.9
        Probability of the interval.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    width : float
        In units of y, averaged over outputs.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If `coverage` is not between 0 and 1, if there are no rows, or if the weights
        are not of shape (n,), are negative, not finite or all zero.

    See Also
    --------
    interval_score : Width and coverage in one number.

    References
    ----------
    T. Gneiting, F. Balabdaoui, A. E. Raftery (2007). Probabilistic forecasts,
    calibration and sharpness. JRSS B 69, 243-268.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import interval_width
    >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [4.0]])
    >>> round(interval_width(None, law, coverage=0.9), 4)
    4.9346
    """
    lower, upper = _interval(law, coverage)
    return _mean(upper - lower, sample_weight)


def pit_values(y, law):
    """Probability integral transforms, the law's cdf at the observations.

    If the laws are right they are uniform between 0 and 1. A histogram with a hump says
    that the laws are too wide, a trough too narrow, a slope biased.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, D)
        Observations, one for each law.
    law : MixtureDistribution
        What was predicted for them.

    Returns
    -------
    pit : ndarray of shape (n,) or (n, D)
        Of each output's marginal, without unit.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If `y` is not of the shape of the law or has NaN.

    References
    ----------
    A. P. Dawid (1984). Statistical theory: the prequential approach. JRSS A 147,
    278-292.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import pit_values
    >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [4.0]])
    >>> pit_values([0.0, 3.0], law).round(4)
    array([0.5   , 0.8413])
    """
    return check_law(law).cdf(y)


def calibration_error(y, law, sample_weight=None):
    r"""Area between the calibration curve and the diagonal; lower is better.

    The curve gives, for every level p, the share of observations at or below the law's
    quantile at p, which is :math:`\hat F(p)`, the distribution function of the PIT
    values. The area is

    .. math:: \int_0^1 |\hat F(p) - p| \, dp,

    the mean absolute gap between nominal and observed frequency over all levels. It is
    exact: no levels or bins are chosen.

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
    error : float
        A probability from 0 to 0.5, of each output's marginal and averaged over
        outputs. By chance alone the right laws have about 0.31 / √n.

    Raises
    ------
    TypeError
        If `law` is no law.
    ValueError
        If `y` is not of the shape of the law or has NaN, if there are no rows, or if
        the weights are not of shape (n,), are negative, not finite or all zero.

    See Also
    --------
    crps : Being calibrated is not enough, the law of y without any x is.

    References
    ----------
    V. Kuleshov, N. Fenner, S. Ermon (2018). Accurate uncertainties for deep learning
    using calibrated regression. ICML, eq. 7 to 9: the curve, with squares for the
    absolute values and at chosen levels.

    Examples
    --------
    >>> from skmdn import MixtureDistribution
    >>> from skmdn.metrics import calibration_error
    >>> law = MixtureDistribution([[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [4.0]])
    >>> round(calibration_error([-0.6745, 2.3490], law), 4)
    0.125
    """
    pit = _along_outputs(law, check_law(law).cdf(y))
    weights = _checked_weights(sample_weight, len(pit))
    return float(np.mean([_area(column, weights) for column in pit.T]))


def _area(pit, weights):
    """Area between the steps of the distribution function and the diagonal."""
    order = np.argsort(pit)
    edges = np.concatenate([[0], pit[order], [1]])
    steps = np.concatenate([[0], np.cumsum(weights[order])]) / weights.sum()
    right, left = edges[1:] - steps, edges[:-1] - steps
    return np.sum(right * np.abs(right) - left * np.abs(left)) / 2


def _along_outputs(law, values, *levels):
    """Values (n, ..., D), the axis of outputs also where there is a single one."""
    return values.reshape(len(law), *levels, law.n_outputs)


def _interval(law, coverage):
    """Lower and upper ends, (n, D) each."""
    return np.moveaxis(_along_outputs(law, check_law(law).interval(coverage), 2), 1, 0)


def _mean(scores, sample_weight):
    """Weighted mean over rows of scores (n, ...), averaged over what else they have."""
    weights = _checked_weights(sample_weight, len(scores))
    counts = weights > 0  # a score may be infinite
    per_row = scores.reshape(len(scores), -1).mean(axis=1)
    return float(np.average(per_row[counts], weights=weights[counts]))


def _checked_weights(sample_weight, n):
    if n == 0:
        raise ValueError(
            "The law has no rows, so there is no mean of scores. Pass at least one "
            "observation."
        )
    if sample_weight is None:
        return np.ones(n)
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n,):
        raise ValueError(
            f"sample_weight must have shape ({n},), one weight for each row; got "
            f"{weights.shape}."
        )
    check_weight_values(weights)
    return weights


neg_log_likelihood = LawScorer("neg_log_likelihood", negative_log_likelihood)
neg_crps = LawScorer("neg_crps", crps)
neg_interval_score = LawScorer("neg_interval_score", interval_score)
neg_pinball = LawScorer("neg_pinball", pinball_loss)
