"""Quantiles of a univariate Gaussian mixture, to the last digits of either tail."""

import numpy as np
from scipy.special import ndtr, ndtri

from skmdn._blocks import blockwise, components_first, total
from skmdn._roots import increasing_root

EPS = np.finfo(float).eps
SQRT_2PI = np.sqrt(2 * np.pi)
LARGE_SHIFT = 1e-3  # of the level of a quantile by its rounding


@blockwise(lambda K: K)
def ppf(q, log_weights, means, stds):
    """Return the quantiles (n, Q) at levels q (n, Q).

    A level above 1/2 is the level 1 - q (exact there) of the mirrored mixture, so both
    tails are lower tails and keep all their digits.
    """
    n, Q = q.shape
    rows = np.repeat(np.arange(n), Q)
    mirror = np.where(q > 0.5, -1.0, 1.0).ravel()
    tail = np.where(q > 0.5, 1 - q, q).ravel()
    y = np.full(n * Q, -np.inf)
    open_ = tail > 0
    rows, side = rows[open_], mirror[open_]
    mixtures = components_first(log_weights, means, stds)[:, :, rows]  # (3, K, N)
    mixtures[1] *= side
    y[open_] = _lower_quantile(ndtri(tail[open_]), *mixtures)
    return (mirror * y).reshape(n, Q)


def equal_tailed_interval(coverage, log_weights, means, stds):
    """Return the quantiles (n, 2) that leave half of 1 - coverage (n,) at either side.

    The upper one is a lower one of the mirrored mixture: where coverage is close to 1,
    (1 + coverage) / 2 would have lost the tail.
    """
    tail = (0.5 - 0.5 * coverage)[:, None]
    lower = ppf(tail, log_weights, means, stds)
    upper = -ppf(tail, log_weights, -means, stds)
    return np.hstack([lower, np.maximum(lower, upper)])


@blockwise(lambda K: K)
def expected_shortfall(level, log_weights, means, stds):
    """Return E[Y | Y <= ppf(level)] for level (n,) -> (n,).

    With v the quantile, it is v - int_{-inf}^v cdf / level, and a component's part of
    the integral is std * (z ndtr(z) + phi(z)). To first order it does not feel the
    rounding of v. Where that moves cdf(v) far from the level, what is below v is
    averaged. Level 1 gives the mean.
    """
    v = ppf(level[:, None], log_weights, means, stds)[:, 0]
    weights, means, stds = components_first(log_weights, means, stds)
    centre = np.where(np.isfinite(v), v, total(weights * means))
    z = (v - means) / stds  # (K, n)
    below, lowest = ndtr(z), level == 0
    partial = (means - centre) * below - stds * np.exp(-0.5 * z * z) / SQRT_2PI
    share = total(weights * below)
    near = np.abs(share - level) < LARGE_SHIFT * level
    share = np.where(near | (share == 0), level, share)
    shortfall = centre + total(weights * partial) / np.where(lowest, 1, share)
    return np.where(lowest, -np.inf, shortfall)


def _lower_quantile(target, weights, means, stds):
    """Solve cdf(y) = ndtr(target) <= 1/2, target (N,), mixtures (K, N) -> (N,).

    The components' own quantiles bracket the root: at the least of them every component
    has cdf <= q, hence so has their average; at the greatest every one has cdf >= q.
    """
    own = means + stds * target
    low, high = own.min(axis=0), own.max(axis=0)
    mean = total(weights * means)
    with np.errstate(over="ignore", invalid="ignore"):
        std = np.sqrt(total(weights * (stds**2 + (means - mean) ** 2)))
        start = np.clip(mean + std * target, low, high)
    start = np.where(np.isnan(start), 0.5 * low + 0.5 * high, start)
    return increasing_root(_probit_step, low, high, start, target, weights, means, stds)


@np.errstate(over="ignore")  # of z², whose exponential is then 0
def _probit_step(y, target, weights, means, stds):
    """Halley's move for ndtri(cdf(y)) = target, which is linear for one Gaussian."""
    z = (y - means) / stds  # (K, N)
    density = weights / stds * np.exp(-0.5 * z * z)  # times sqrt(2 pi), as all below
    probit = ndtri(np.minimum(total(weights * ndtr(z)), 1))
    pdf, slope = total(density), -total(density * z / stds)
    residual = probit - target
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        growth = pdf * np.exp(0.5 * probit**2)  # d probit / dy
        newton = -residual / growth
        bend = slope / pdf + probit * growth
        move = newton / np.maximum(1 + 0.5 * newton * bend, 0.5)
    rounding = 16 * EPS * np.maximum(1, np.abs(target))
    return np.where(np.abs(residual) <= rounding, 0, residual), move
