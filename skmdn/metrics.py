"""Scores of a law against observations, and the scorers made of them.

A function takes observations and the law predicted for them, ``crps(y, law)``, and is
better when lower unless it says otherwise. A scorer takes an estimator and data,
``neg_crps(estimator, X, y)``, is better when greater, and goes into
``GridSearchCV(scoring=...)``. If unsure, select by `neg_crps` and report
`negative_log_likelihood` and `calibration_error` too.
"""

import copy
import warnings

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.validation import check_is_fitted

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
    return _mean(-law.logpdf(y), sample_weight)


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
    return _mean(law.crps(y), sample_weight)


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
    return _mean(law.energy_score(y), sample_weight)


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
    predicted = _along_outputs(law, law.ppf(levels), len(levels))  # (n, Q, D)
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
    return law.cdf(y)


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
    pit = _along_outputs(law, law.cdf(y))
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
    return np.moveaxis(_along_outputs(law, law.interval(coverage), 2), 1, 0)


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
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise ValueError(
            f"sample_weight must be finite and not negative, got {weights[wrong][0]}. "
            "Give rows that shall not count a weight of zero."
        )
    if not weights.any():
        raise ValueError(
            "All of sample_weight is zero, so there is no mean of scores. At least one "
            "weight must be positive."
        )
    return weights


class _LawScorer:
    """Minus the mean score of the laws that an estimator predicts; greater is better.

    It goes wherever scikit-learn takes ``scoring``, by itself or in a dict, and scores
    as the function of its name does. The laws may come through a Pipeline, a search or
    a TransformedTargetRegressor. For the last the score is that of the law of y in its
    own units: a density has the Jacobian of the transformer (by differences, to about
    1e-7 nats), quantiles go through its inverse, and the CRPS is integrated over them
    (to about 1e-8 of its size if the inverse is smooth). So transformations can be
    compared.

    Under metadata routing `sample_weight` is requested unless `set_score_request` says
    otherwise, so that weights given to a search reach its scores.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `predict_distribution` or wrapped around one that has it.
    X : array-like of shape (n, n_features)
        Features.
    y : array-like of shape (n,) or (n, D)
        Observations.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    score : float
        Minus what the function gives, in its units.

    Raises
    ------
    TypeError
        If the estimator predicts no law.
    ValueError
        If y or weights are not what the function takes, or the transformer of the
        target leaves no such score: it must be smooth and invertible for a density,
        monotone for quantiles and the CRPS.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skmdn import MDNRegressor
    >>> from skmdn.metrics import neg_crps
    >>> grid = {"n_components": [1, 5]}
    >>> search = GridSearchCV(MDNRegressor(), grid, scoring=neg_crps)
    """

    def __init__(self, name, score):
        self._name = name
        self._score = score
        self._request = True

    def __repr__(self):
        return self._name

    def __call__(self, estimator, X, y, sample_weight=None):
        law = predicted_law(estimator, X)
        return -self._score(y, law, sample_weight=sample_weight)

    def set_score_request(self, *, sample_weight):
        """Request `sample_weight` otherwise under metadata routing.

        Parameters
        ----------
        sample_weight : bool, str or None
            True takes the weights, False ignores them, None refuses them, and a string
            is the name under which they are passed.

        Returns
        -------
        scorer : scorer
            A new one; this one, which all code in the process shares, stays as it is.
        """
        scorer = copy.copy(self)
        scorer._request = sample_weight
        scorer.get_metadata_routing()  # refuses what is no request
        return scorer

    def get_metadata_routing(self):
        """Metadata that the scorer requests.

        Returns
        -------
        routing : MetadataRequest
            With a request for `sample_weight`.
        """
        routing = MetadataRequest(owner=self._name)
        routing.score.add_request(param="sample_weight", alias=self._request)
        return routing

    def _accept_sample_weight(self):
        return True


neg_log_likelihood = _LawScorer("neg_log_likelihood", negative_log_likelihood)
neg_crps = _LawScorer("neg_crps", crps)
neg_interval_score = _LawScorer("neg_interval_score", interval_score)
neg_pinball = _LawScorer("neg_pinball", pinball_loss)


def predicted_law(estimator, X):
    """Law of y, in the units in which the outermost estimator knows it."""
    law, transformers = _innermost_law(estimator, X)
    return _TransformedLaw(law, transformers) if transformers else law


def _innermost_law(estimator, X):
    """Law that is predicted, and what was done to the target on the way to it."""
    if hasattr(estimator, "predict_distribution"):
        return estimator.predict_distribution(X), []
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps[:-1]:
            if hasattr(step, "transform"):  # "passthrough" and samplers have none
                X = step.transform(X)
        return _innermost_law(estimator.steps[-1][1], X)
    if isinstance(estimator, TransformedTargetRegressor):
        check_is_fitted(estimator)
        law, transformers = _innermost_law(estimator.regressor_, X)
        return law, [estimator.transformer_, *transformers]
    if isinstance(estimator, FrozenEstimator):
        return _innermost_law(estimator.estimator, X)
    if hasattr(estimator, "best_estimator_"):
        return _innermost_law(estimator.best_estimator_, X)
    raise TypeError(
        f"{type(estimator).__name__} has no predict_distribution, so there is no law "
        "to score. Score a fitted MDNRegressor, or a Pipeline, a "
        "TransformedTargetRegressor or a search (fitted, with refit) around one."
    )


# Step of a difference quotient in stds of z, and relative to z at the least
STEP, LEAST_STEP = 1e-5, 1e-8
# Edges of panels in units of each component's std, and Gauss's rule within them
HALF_EDGES = np.array([2.0, 4.5, 9.0])
EDGES = np.concatenate([-HALF_EDGES[::-1], [0.0], HALF_EDGES])
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
# Levels at which an inverse is looked at
LADDER = np.array([0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
NUMBERS = 2**20  # in one temporary array
NEGLIGIBLE = 1e-6  # probability


class _TransformedLaw:
    """Law of y where the law of z = transform(y) is what was predicted.

    It answers what the scorers ask of a law, and draws nothing: a density is that of z
    over a difference quotient, a quantile goes through the inverse, and the CRPS is an
    integral over z.
    """

    def __init__(self, law, transformers):
        self._law = law
        self._transformers = transformers
        self.n_outputs = law.n_outputs

    def __len__(self):
        return len(self._law)

    def _observations(self, y):
        if np.ndim(y) == 2 and np.shape(y)[1] != self.n_outputs:
            raise ValueError(
                f"The transformer of the target makes {self.n_outputs} outputs of "
                f"{np.shape(y)[1]}, which leaves no law of y to score. Take one that "
                "can be inverted."
            )
        return self._law._observations(y)

    def logpdf(self, y):
        """With z = transform(y), log p(z) - log|det dy/dz|."""
        y = self._observations(y)
        z = self._transform(y)
        with np.errstate(all="ignore"):
            log_slope = self._log_slope(z, y)
        usable = np.isfinite(log_slope)
        if not usable.all():
            row = int(np.argmin(usable))
            raise ValueError(
                f"The law has no density at y = {np.squeeze(y[row])}, in row {row}: "
                "the transformer of the target is not smooth and invertible there. "
                "Score by neg_crps, which needs no density, or take a transformer that "
                "is so wherever y may be."
            )
        return self._law.logpdf(z) - log_slope

    def ppf(self, q):
        """Quantiles (n, Q, D); where y falls with z, those at 1 - q turn into them."""
        q = np.asarray(q)
        with np.errstate(all="ignore"):
            rising = self._rising()[:, None]
            y = np.where(rising, self._quantiles_of_z(q), self._quantiles_of_z(1 - q))
            if not (np.diff(y[:, np.argsort(q)], axis=1) >= 0).all():
                raise _not_monotone()
        return y

    def interval(self, coverage):
        return self.ppf([(1 - coverage) / 2, (1 + coverage) / 2])

    def crps(self, y):
        """CRPS of each output, (n, D): 2 ∫ (1{t > y} - F(t)) (t - y) dF(t)."""
        y = self._observations(y)
        z, scores = self._transform(y), np.empty_like(y)
        with np.errstate(all="ignore"):
            rising = self._rising()
            for d in range(self.n_outputs):
                for rows in _blocks(self._law):
                    at, up = (a[rows, d, None] for a in (y, rising))
                    nodes, cdf, mass = _nodes(self._law[rows].marginal(d), z[rows, d])
                    t = self._inverse_of_output(d, rows, nodes)
                    mass = _where_monotone(t, up, mass)
                    above = np.where(mass > 0, t - at, 0)
                    gap = (above > 0) - np.where(up, cdf, 1 - cdf)
                    scores[rows, d] = 2 * np.sum(mass * gap * above, axis=1)
        return scores

    def _with_outputs(self, values, *levels):
        return values.reshape(len(self), *levels, self.n_outputs)

    def _transform(self, y):
        for transformer in self._transformers:
            y = _quietly(transformer.transform, y)
        return y

    def _inverse(self, z):
        for transformer in reversed(self._transformers):
            z = _quietly(transformer.inverse_transform, z)
        return z

    def _quantiles_of_z(self, q):
        """Quantiles of z in units of y, (n, Q, D)."""
        z = self._with_outputs(self._law.ppf(q), len(q))
        return self._inverse(z.reshape(-1, self.n_outputs)).reshape(z.shape)

    def _inverse_of_output(self, d, rows, nodes):
        """One output's y at nodes z (n, N), the other outputs at their medians."""
        z = self._with_outputs(self._law.median())[rows]
        z = np.repeat(z, nodes.shape[1], axis=0)
        z[:, d] = nodes.ravel()
        return self._inverse(z)[:, d].reshape(nodes.shape)

    def _rising(self):
        """Whether each output of y rises with its z, (n, D)."""
        self._refuse_mixing()
        change = np.diff(self._quantiles_of_z(LADDER), axis=1)
        rising, falling = (change >= 0).all(axis=1), (change <= 0).all(axis=1)
        if not (rising | falling).all():
            raise _not_monotone()
        return rising

    def _refuse_mixing(self):
        low, high = (self._with_outputs(self._law.ppf(q)) for q in LADDER[[0, -1]])
        start = self._inverse(low)
        for d in range(self.n_outputs):
            moved = low.copy()
            moved[:, d] = high[:, d]
            change = np.delete(self._inverse(moved) - start, d, axis=1)
            if np.nan_to_num(change).any():
                raise ValueError(
                    "The transformer of the target mixes the outputs, so there are no "
                    "quantiles and no CRPS of single outputs. Score by "
                    "neg_log_likelihood."
                )

    def _log_slope(self, z, y):
        """log|det dy/dz| (n,), NaN or infinite where there is none to be had."""
        std = self._with_outputs(self._law.std())
        steps = np.maximum(STEP * std, LEAST_STEP * np.abs(z))
        slopes = np.empty((*z.shape, self.n_outputs))  # (n, D of y, D of z)
        reach = np.zeros_like(y)
        for d, step in enumerate(steps.T):
            shift = step[:, None] * np.eye(self.n_outputs)[d]
            upper, lower = self._inverse(z + shift), self._inverse(z - shift)
            # through the transformer again, so that rounding of y cancels
            run = (self._transform(upper) - self._transform(lower))[:, d]
            slopes[:, :, d] = (upper - lower) / run[:, None]
            reach += np.abs(upper - lower)
        returned = np.abs(self._inverse(z) - y) <= 10 * reach + 1e-12 * np.abs(y)
        log_slope = np.linalg.slogdet(slopes)[1]
        return np.where(returned.all(axis=1), log_slope, np.nan)


def _quietly(transform, values):
    """What a transformer makes of rows of values; NaN where it is undefined."""
    finite = np.isfinite(values).all(axis=1)
    if not finite.any():
        return np.full_like(values, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = np.asarray(transform(values[finite]), dtype=np.float64)
    made = made.reshape(finite.sum(), -1)
    every = np.full((len(values), made.shape[1]), np.nan)
    every[finite] = made
    return every


def _blocks(law):
    """Slices of so many rows that their nodes fit into memory."""
    step = max(1, NUMBERS // (len(EDGES) * len(NODES) * law.n_components**2))
    return [slice(start, start + step) for start in range(0, len(law), step)]


def _nodes(law, z):
    """Nodes (n, N) of an integral over dF(z), with F and the mass at each.

    Panels end at multiples of every component's std, between which the law is smooth at
    their scale, and at ``z``, where the integrand has a kink.
    """
    means = law.means[..., 0]
    stds = np.sqrt(law.covariances[..., 0, 0])
    edges = (means[..., None] + stds[..., None] * EDGES).reshape(len(law), -1)
    kink = np.where(np.isfinite(z), z, means[:, 0])
    edges = np.sort(np.column_stack([edges, kink]), axis=1)
    half = np.diff(edges)[..., None] / 2  # (n, panels, 1)
    nodes = (edges[:, :-1, None] + half * (1 + NODES)).reshape(len(law), -1)
    every = law[np.repeat(np.arange(len(law)), nodes.shape[1])]
    cdf = every.cdf(nodes.ravel()).reshape(nodes.shape)
    pdf = every.pdf(nodes.ravel()).reshape(nodes.shape)
    return nodes, cdf, pdf * (half * NODE_WEIGHTS).reshape(nodes.shape)


def _where_monotone(y, rising, mass):
    """Mass of nodes, 0 where y is undefined or turns back; little of it may be."""
    change = np.where(rising, 1, -1) * np.diff(y, axis=1, prepend=y[:, :1])
    monotone = np.isfinite(y) & (change >= -1e-9 * np.abs(y))
    if (np.sum(mass * ~monotone, axis=1) > NEGLIGIBLE).any():
        raise _not_monotone()
    return mass * monotone


def _not_monotone():
    return ValueError(
        "The inverse of the target's transformer is not defined, or not monotone, "
        "everywhere that the law has probability. Take a transformer whose inverse "
        "is, for instance one without bounds, or score by neg_log_likelihood."
    )
