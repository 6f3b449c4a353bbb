"""Highest-density regions of a univariate Gaussian mixture: {y: f(y) >= level}.

Between neighbouring critical points the density is monotone and crosses a level at most
once, so the region is found from its crossings and its mass falls as the level rises.
Where the density is flat to rounding no level has the mass asked for: of the least
region that has more the right end is left out, where it is as dense as elsewhere.
"""

from itertools import pairwise

import numpy as np
from scipy.special import ndtri

from skmdn._blocks import blockwise, components_first, total
from skmdn._modes import critical_points
from skmdn._quantile import equal_tailed_interval, ppf
from skmdn._roots import increasing_root
from skmdn._univariate import cdf, logpdf

EPS = np.finfo(float).eps
TOLERANCE = 1e-9  # of the mass, relative
# A level is lowered by less than this: pieces reach 1 below the lowest that is tried
FURTHEST_DOWN = 0.1
LOST = 1e-3  # of the mass, to pieces out of reach of numbers
SQRT_2PI = np.sqrt(2 * np.pi)


@np.errstate(over="ignore", invalid="ignore")  # then the mass is not found
@blockwise(lambda K: 4 * K)
def highest_density_region(coverage, log_weights, means, stds):
    """Return the shortest sets of mass `coverage` (n,), a list of n arrays (m, 2).

    The intervals of a row stand from left to right.
    """
    whole, coverage = coverage >= 1, np.where(coverage >= 1, 0.5, coverage)
    laws = log_weights, means, stds
    peak, floor, pieces = _pieces(coverage, laws)
    level = _level(coverage, peak, floor, laws, pieces)
    level, mass = _low_enough(coverage, level, laws, pieces)
    row, ends, _ = _crossings(level, laws, pieces)
    region, row = ends.reshape(-1, 2), row[::2]
    bounds = np.searchsorted(row, np.arange(len(means) + 1))
    regions = [region[i:j] for i, j in pairwise(bounds)]
    for i in np.flatnonzero(mass > coverage * (1 + TOLERANCE)):
        regions[i] = _right_end_left_out(coverage[i], regions[i], _of([i], laws))
    lost = ~(mass >= coverage * (1 - LOST))
    if lost.any():  # what has the mass for sure
        interval = equal_tailed_interval(coverage, *laws)
        for i in np.flatnonzero(lost):
            regions[i] = interval[i : i + 1]
    for i in np.flatnonzero(whole):
        regions[i] = np.array([[-np.inf, np.inf]])
    return regions


def _pieces(coverage, laws):
    """Return greatest and least log-level worth trying (n,), and the monotone pieces.

    A piece is row, place of both ends (2, P), log-density at both ends (2, P). The
    least level is the lowest on the equal-tailed interval: its region has at least the
    mass asked for.
    """
    row, y, _ = critical_points(*laws)
    height = logpdf(y, *_of(row, laws))
    peak = np.maximum.reduceat(height, np.searchsorted(row, np.arange(len(coverage))))
    interval = equal_tailed_interval(coverage, *laws)
    floor = logpdf(interval, *laws).min(axis=1)
    between = (interval[row, 0] < y) & (y < interval[row, 1])
    np.minimum.at(floor, row[between], height[between])
    ends = _beyond(floor - 1 - 1e-8 * np.abs(floor), laws)  # (n, 2)
    below = np.minimum(logpdf(ends, *laws), floor[:, None] - 1)
    rows = np.arange(len(coverage))
    row = np.concatenate([rows, row, rows])
    y = np.concatenate([ends[:, 0], y, ends[:, 1]])
    height = np.concatenate([below[:, 0], height, below[:, 1]])
    order = np.lexsort((y, row))
    row, y, height = row[order], y[order], height[order]
    same = np.flatnonzero(row[1:] == row[:-1])
    return (
        peak,
        floor,
        (row[same], *(np.stack([a[same], a[same + 1]]) for a in (y, height))),
    )


def _beyond(level, laws):
    """Return the places, (n, 2), outside which f is below a log-level (n,).

    A mixture is below a level where every component's own density is.
    """
    _, means, stds = components_first(*laws)
    reach = stds * np.sqrt(2 * np.maximum(0, -np.log(SQRT_2PI * stds) - level))
    ends = np.stack([(means - reach).min(axis=0), (means + reach).max(axis=0)], axis=1)
    return np.nextafter(ends, [-np.inf, np.inf])


def _level(coverage, peak, floor, laws, pieces):
    """Solve mass of {log f >= level} = coverage for the level, (n,).

    In depth = sqrt(2 (peak - level)) and probit of the mass the equation is linear for
    one Gaussian.
    """

    def step(depth, row, coverage, target):
        level = np.full(len(peak), np.nan)  # rows already solved cross nothing
        level[row] = peak[row] - 0.5 * depth**2
        mass, growth = (a[row] for a in _mass(level, laws, pieces))
        probit = -ndtri(0.5 - 0.5 * np.clip(mass, 0, 1))
        with np.errstate(all="ignore"):
            slope = growth * depth * 0.5 * SQRT_2PI * np.exp(0.5 * probit**2)
            move = (target - probit) / slope
        close = np.abs(mass - coverage) <= 64 * EPS
        return np.where(close, 0, probit - target), move

    target = -ndtri(0.5 - 0.5 * coverage)
    deepest = np.sqrt(2 * np.maximum(peak - floor, 0))
    row = np.arange(len(peak))
    depth = increasing_root(
        step, 0 * deepest, deepest, np.minimum(target, deepest), row, coverage, target
    )
    return peak - 0.5 * depth**2


def _low_enough(coverage, level, laws, pieces):
    """Lower the level (n,), no more than need be, until it has the mass; and that."""
    step = EPS * (1 + np.abs(level))
    while True:
        mass, _ = _mass(level, laws, pieces)
        short = (mass < coverage * (1 - TOLERANCE)) & (step < FURTHEST_DOWN)
        if not short.any():
            return level, mass
        level = np.where(short, level - step, level)
        step = 2 * step


def _right_end_left_out(coverage, region, law):
    """Return the left part (m, 2) of a region, of the mass asked for."""
    below = cdf(region, *(np.repeat(a, len(region), axis=0) for a in law))
    masses = np.diff(below, axis=1)[:, 0]
    before = np.cumsum(masses) - masses
    last = np.flatnonzero(before < coverage)[-1]
    region = region[: last + 1].copy()
    at = below[last, 0] + coverage - before[last]
    region[-1, 1] = ppf(np.clip([[at]], 0, 1), *law)[0, 0]
    return region


def _mass(level, laws, pieces):
    """Return the mass of {log f >= level} and its growth as the level falls, (n,)."""
    row, y, rising = _crossings(level, laws, pieces)
    below = np.where(rising, -1, 1) * cdf(y, *_of(row, laws))
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.exp(level[row]) / np.abs(_log_slope(y, *_mixtures(row, laws))[1])
    return tuple(np.bincount(row, a, minlength=len(level)) for a in (below, growth))


def _crossings(level, laws, pieces):
    """Return row, place and whether f rises, where log f crosses a level (n,)."""
    row, y, height = pieces
    crossing = (height.min(axis=0) < level[row]) & (level[row] <= height.max(axis=0))
    row, y, height = row[crossing], y[:, crossing], height[:, crossing]
    level, rising = level[row], height[0] < height[1]
    top = height.max(axis=0)
    share = np.sqrt((top - level) / (top - height.min(axis=0)))
    start = np.where(rising, y[1] - (y[1] - y[0]) * share, y[0] + (y[1] - y[0]) * share)
    return (
        row,
        increasing_root(
            _level_step, *y, start, level, top, rising, _mixtures(row, laws)
        ),
        rising,
    )


def _level_step(y, level, top, rising, mixtures):
    """Newton's move for log f = level in sqrt(top - log f), linear for one Gaussian."""
    height, slope = _log_slope(y, *mixtures)
    depth, target = (np.sqrt(np.maximum(top - a, 0)) for a in (height, level))
    with np.errstate(divide="ignore", invalid="ignore"):
        move = 2 * (depth - target) * depth / slope
    close = np.abs(height - level) <= 8 * EPS * (1 + np.abs(level))
    residual = np.where(rising, target - depth, depth - target)
    return np.where(close, 0, residual), move


def _log_slope(y, log_weights, means, stds):
    """Return log f and its derivative at y (N,), mixtures (K, N)."""
    z = (y - means) / stds
    log_terms = log_weights - np.log(SQRT_2PI * stds) - 0.5 * z * z
    greatest = log_terms.max(axis=0)
    terms = np.exp(log_terms - greatest)
    density = total(terms)
    return np.log(density) + greatest, -total(terms * z / stds) / density


def _of(row, laws):
    return tuple(a[row] for a in laws)


def _mixtures(row, laws):
    """Stack the laws of the rows as (3, K, N)."""
    return np.stack([a[row].T for a in laws])
