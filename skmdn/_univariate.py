"""Closed forms of a univariate Gaussian mixture: density, cdf, CRPS and moments."""

import numpy as np
from scipy.special import erf, log_ndtr, ndtr

from skmdn._blocks import blockwise, components_first, total

LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
SQRT_2PI = np.sqrt(2 * np.pi)


@blockwise(lambda K: K)
def logpdf(y, log_weights, means, stds):
    """Return the log-density at y, (n,) or (n, Q)."""
    z = _z(y, means, stds)
    with np.errstate(over="ignore"):
        log_normal = -0.5 * z * z - np.log(_align(stds, y)) - LOG_SQRT_2PI
    return _logsumexp(_align(log_weights, y) + log_normal)


@blockwise(lambda K: K)
def cdf(y, log_weights, means, stds):
    """Return P(Y <= y), (n,) or (n, Q)."""
    return _below(_z(y, means, stds), _align(log_weights, y))


@blockwise(lambda K: K)
def sf(y, log_weights, means, stds):
    """Return P(Y > y), (n,) or (n, Q)."""
    return _below(-_z(y, means, stds), _align(log_weights, y))


@blockwise(lambda K: K)
def logcdf(y, log_weights, means, stds):
    """Return log P(Y <= y), (n,) or (n, Q)."""
    return _log_below(_z(y, means, stds), _align(log_weights, y))


@blockwise(lambda K: K)
def logsf(y, log_weights, means, stds):
    """Return log P(Y > y), (n,) or (n, Q)."""
    return _log_below(-_z(y, means, stds), _align(log_weights, y))


def _below(z, log_weights):
    """Return P(Z <= z), (K, ...) -> (...)."""
    weights = np.exp(log_weights)
    # 1 at infinity, whatever the rounding of weights
    return total(weights * ndtr(z)) / total(weights)


def _log_below(z, log_weights):
    """Return log P(Z <= z), (K, ...) -> (...), by what is above where that is less."""
    below = _logsumexp(log_weights + log_ndtr(z)) - _logsumexp(log_weights)
    with np.errstate(divide="ignore"):
        return np.where(below > -0.5, np.log1p(-_below(-z, log_weights)), below)


def _align(parameter, y):
    """Put the components of (n, K) before the axes of y: (K, n) or (K, n, 1)."""
    return parameter.T.reshape(parameter.shape[::-1] + (1,) * (y.ndim - 1))


def _z(y, means, stds):
    with np.errstate(over="ignore"):
        return (y - _align(means, y)) / _align(stds, y)


def _logsumexp(terms):
    """Log of the sum of exp(terms), (K, ...) -> (...); -inf where every term is."""
    greatest = terms.max(axis=0)
    greatest = np.where(np.isneginf(greatest), 0, greatest)
    with np.errstate(divide="ignore"):
        return np.log(total(np.exp(terms - greatest))) + greatest


@blockwise(lambda K: K * K)
def crps(y, log_weights, means, stds):
    """Return the continuous ranked probability score at y, (n,) -> (n,), eq. (10).

    CRPS = E|Y - y| - E|Y - Y'| / 2 (Gneiting and Raftery 2007, eq. 21), where both
    expectations are of |normal|, one for each component or pair (Grimit et al. 2006).
    """
    weights, means, stds = components_first(log_weights, means, stds)  # (K, n)
    i, j = np.triu_indices(len(means), k=1)
    to_y = total(weights * np.where(weights > 0, _mean_abs(y - means, stds), 0))
    pairs = (
        weights[i]
        * weights[j]
        * _mean_abs(means[i] - means[j], np.hypot(stds[i], stds[j]))
    )
    same = weights**2 * stds / np.sqrt(np.pi)
    return np.maximum(to_y - total(np.concatenate([same, pairs])), 0)


def _mean_abs(mean, std):
    """Return E|X| for X normal."""
    with np.errstate(over="ignore"):
        z = mean / std
        return mean * erf(z / np.sqrt(2)) + 2 * std / SQRT_2PI * np.exp(-0.5 * z * z)


@blockwise(lambda K: K)
def skewness(log_weights, means, stds):
    """Return the third standardised moment, (n,)."""
    weights, shift, spread = _standardised(log_weights, means, stds)
    return total(weights * shift * (shift**2 + 3 * spread**2))


@blockwise(lambda K: K)
def kurtosis(log_weights, means, stds):
    """Return the fourth standardised moment less the 3 of a Gaussian, (n,)."""
    weights, shift, spread = _standardised(log_weights, means, stds)
    return total(weights * (shift**4 + 6 * (shift * spread) ** 2 + 3 * spread**4)) - 3


def _standardised(log_weights, means, stds):
    """Return the mixture in units of its own mean and std, components first, (K, n).

    The mean is taken from the heaviest component's, so that close means far from zero
    lose no digits; the variance in units of the largest term, so that no square
    overflows.
    """
    weights, means, stds = components_first(log_weights, means, stds)
    heaviest = weights.argmax(axis=0)[None]
    shift = means - np.take_along_axis(means, heaviest, axis=0)
    shift = shift - total(weights * shift)
    unit = np.maximum(np.abs(shift), stds).max(axis=0)
    shift, stds = shift / unit, stds / unit
    std = np.sqrt(total(weights * (shift**2 + stds**2)))
    return weights, shift / std, stds / std
