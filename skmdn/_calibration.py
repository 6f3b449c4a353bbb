"""Whether laws keep their word: what intervals hold, and PIT values."""

import numpy as np

from skmdn._averages import along_outputs, checked_weights, interval_ends, mean_score
from skmdn._checks import check_law


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
    lower, upper = interval_ends(law, coverage)
    y = law._observations(y)
    return mean_score((lower <= y) & (y <= upper), sample_weight)


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
    lower, upper = interval_ends(law, coverage)
    return mean_score(upper - lower, sample_weight)


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
        outputs. By chance alone the right laws have about 0.31 / √n, with weights w
        that of n = (Σ w)² / Σ w² rows.

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
    pit = along_outputs(law, check_law(law).cdf(y))
    weights = checked_weights(sample_weight, len(pit))
    return float(np.mean([_area(column, weights) for column in pit.T]))


def _area(pit, weights):
    """Area between the steps of the distribution function and the diagonal."""
    order = np.argsort(pit)
    edges = np.concatenate([[0], pit[order], [1]])
    steps = np.concatenate([[0], np.cumsum(weights[order])]) / weights.sum()
    right, left = edges[1:] - steps, edges[:-1] - steps
    return np.sum(right * np.abs(right) - left * np.abs(left)) / 2
