"""Modes of a univariate Gaussian mixture, by proof: all but the ripples of a plateau.

The critical points lie between the least and the greatest mean. That range is halved
until, on every interval, bounds on the derivatives of the density f show that f' keeps
its sign or is monotone, or until f' is zero to rounding. So f' changes sign at most
once between neighbouring points of the division, and its signs there count the modes.

A derivative of f is a sum of terms (-1)^j He_j(z) exp(-z^2/2) in z = (y - mean) / std,
with He_j the Hermite polynomials; such a term has its extremes over an interval at the
ends or at the roots of He_{j+1}, so its range there is exact.
"""

from itertools import pairwise

import numpy as np
from numpy.polynomial.hermite_e import hermeroots

from skmdn._blocks import blockwise, components_first, total
from skmdn._roots import increasing_root
from skmdn._univariate import logpdf

EPS = np.finfo(float).eps
# A row with more open intervals than a crowd is a plateau whose ripple nobody sees:
# there f' counts as zero where it is below FLAT times the sum of its terms' sizes.
CROWD, FLAT = 2000, 1e-6
# (-1)^j He_j, and where such a term has its extremes: the ends, the roots of He_{j+1}
HERMITE = {
    1: lambda z: -z,
    2: lambda z: z * z - 1,
    3: lambda z: (3 - z * z) * z,
}
EXTREMES = {
    j: np.concatenate([[-np.inf], hermeroots([0] * (j + 1) + [1]), [np.inf]])
    for j in HERMITE
}


@blockwise(lambda K: 16)
def modes(log_weights, means, stds):
    """Return the modes of each row, a list of n arrays (m,), highest density first."""
    row, y = _ranked_modes(log_weights, means, stds)
    bounds = np.searchsorted(row, np.arange(len(means) + 1))
    return [y[i:j] for i, j in pairwise(bounds)]


@blockwise(lambda K: 16)
def mode(log_weights, means, stds):
    """Return the global mode of each row, (n,)."""
    row, y = _ranked_modes(log_weights, means, stds)
    return y[np.searchsorted(row, np.arange(len(means)))]


def _ranked_modes(log_weights, means, stds):
    """Return row and place of all modes, by row, then highest first."""
    row, y, is_mode = critical_points(log_weights, means, stds)
    row, y = row[is_mode], y[is_mode]
    height = logpdf(y, log_weights[row], means[row], stds[row])
    order = np.lexsort((y, -height, row))
    return row[order], y[order]


def critical_points(log_weights, means, stds):
    """Return row, place and whether it is a mode, for the sign changes of f'.

    By row, then left to right: mode, antimode, mode, ..., mode. A saddle is neither.
    """
    weights, means, stds = components_first(log_weights, means, stds)
    unit = np.ldexp(1.0, np.frexp(stds.max(axis=0))[1])  # (n,), exact to divide by
    means, stds = means / unit, stds / unit
    mixtures = np.stack([_log_amplitudes(weights, stds), means, stds])  # (3, K, n)
    row, y, sign = _signed_points(mixtures)
    change = np.flatnonzero((sign[1:] != sign[:-1]) & (row[1:] == row[:-1]))
    row, rising = row[change], sign[change + 1]
    # one float wider, so that a mean at an end of its bracket is itself tried
    low, high = np.nextafter(y[change], -np.inf), np.nextafter(y[change + 1], np.inf)
    middle = 0.5 * low + 0.5 * high
    y = increasing_root(
        _derivative_step, low, high, middle, rising, mixtures[:, :, row]
    )
    return row, y * unit[row], rising < 0


def _log_amplitudes(weights, stds):
    with np.errstate(divide="ignore"):
        return np.log(weights) - np.log(stds)


def _signed_points(mixtures):
    """Return row, y and the sign of f' at points between which it changes at most once.

    Sorted by row, then y. Points where the sign is lost to rounding are left out: f'
    changes sign at most once between the neighbours that remain.
    """
    means = mixtures[1]
    row, y = _subdivide(mixtures)
    residual, _ = _derivative_step(y, 1.0, mixtures[:, :, row])
    known = np.flatnonzero(residual)
    ends = np.arange(means.shape[1])
    row = np.concatenate([ends, row[known], ends])
    y = np.concatenate([means.min(axis=0), y[known], means.max(axis=0)])
    up = np.ones(len(ends))  # f' >= 0 at the least mean, f' <= 0 at the greatest
    sign = np.concatenate([up, np.sign(residual[known]), -up])
    order = np.lexsort((y, row))  # stable: a row with one mean keeps up before down
    return row[order], y[order], sign[order]


def _subdivide(mixtures):
    """Halve [min mean, max mean] until f' is understood on every interval.

    Return row and place of all points of the division but the outermost two.
    """
    edges = np.sort(mixtures[1], axis=0)  # (K, n)
    row = np.broadcast_to(np.arange(edges.shape[1]), edges.shape)
    points = [(row[1:-1].ravel(), edges[1:-1].ravel())]
    row, low, high = row[1:].ravel(), edges[:-1].ravel(), edges[1:].ravel()
    while row.size:
        middle = 0.5 * low + 0.5 * high
        split = (low < middle) & (middle < high)
        flat = np.where(np.bincount(row)[row] > CROWD, FLAT, 0.0)
        for understood in _monotone, _led:
            keep = np.flatnonzero(split)
            mixture = mixtures[:, :, row[keep]]
            split[keep] = ~understood(low[keep], high[keep], mixture, flat[keep])
        row, low, middle, high = row[split], low[split], middle[split], high[split]
        points.append((row, middle))
        row, low, high = (
            np.concatenate(pair) for pair in ((row, row), (low, middle), (middle, high))
        )
    return tuple(np.concatenate(parts) for parts in zip(*points, strict=True))


@np.errstate(over="ignore", invalid="ignore")  # then nothing is understood
def _monotone(low, high, mixtures, flat):
    """Whether f' keeps its sign, is monotone or is lost to rounding on [low, high].

    Lost is also what is below the share ``flat`` of the sizes of its terms.
    """
    _, means, stds = mixtures  # (K, N)
    first, last = _z(low, means, stds), _z(high, means, stds)
    nearest = np.maximum(np.maximum(first, -last), 0)
    log_scale = _log_scale(nearest, mixtures)
    slope = None
    signed = {}
    for j in (3, 2, 1):
        z = np.clip(EXTREMES[j][:, None, None], first, last)  # (j + 3, K, N)
        terms = HERMITE[j](z) * np.exp(log_scale - 0.5 * z * z) / stds**j
        sizes = np.abs(terms).max(axis=0)
        noise = total(sizes * _slack(nearest))
        ends = total(terms[0]), total(terms[-1])
        least, greatest = total(terms.min(axis=0)), total(terms.max(axis=0))
        if slope:
            least = np.fmax(least, _floor(*ends, *slope, high - low))
            greatest = np.fmin(greatest, _ceiling(*ends, *slope, high - low))
        slope = least - noise, greatest + noise
        signed[j] = (slope[0] > 0) | (slope[1] < 0)
    size = total(sizes)
    largest = np.maximum(-least, greatest)
    lost = (largest <= noise) & (noise < 1e-3 * size) | (largest <= flat * size)
    lost |= np.all(first == last, axis=0)  # out of reach of all components
    return signed[1] | signed[2] | lost


def _led(low, high, mixtures, _flat):
    """Whether one component's term of f' tells its sign on [low, high].

    Far from all means the terms fall too fast for _monotone, but their ratios to the
    leading term are exp of a quadratic in y, whose range is exact, times a ratio of
    distances, monotone because no mean is inside the interval.
    """
    log_amplitudes, means, stds = mixtures  # (K, N)
    z = _z(0.5 * low + 0.5 * high, means, stds)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_terms = log_amplitudes + np.log(np.abs(z) / stds) - 0.5 * z * z
        leader = log_terms.argmax(axis=0)[None]
        lead_mean, lead_std = (np.take_along_axis(a, leader, 0) for a in (means, stds))
        vertex = lead_mean + (means - lead_mean) / (1 - (stds / lead_std) ** 2)
        vertex = np.fmin(np.fmax(vertex, low), high)
        y = np.stack(np.broadcast_arrays(low, vertex, high))
        z, lead_z = _z(y, means, stds), _z(y, lead_mean, lead_std)  # (3, K, N)
        quadratic = 0.5 * (lead_z - z) * (lead_z + z)
        distance = np.log(np.abs(y[::2] - means) / np.abs(y[::2] - lead_mean))
        slack = (_slack(z) + _slack(lead_z)).max(axis=0)
        np.put_along_axis(slack, leader, 0, axis=0)  # its ratio to itself is exact
        scale = log_amplitudes - 2 * np.log(stds)
        scale = scale - np.take_along_axis(scale, leader, 0)
        most = np.exp(scale + quadratic.max(axis=0) + np.fmax(*distance) + slack)
        least = np.exp(scale + quadratic.min(axis=0) + np.fmin(*distance) - slack)
    rising = means >= high
    lower = total(np.where(rising, least, -most))
    upper = total(np.where(rising, most, -least))
    distance = np.maximum(np.abs(low - means), np.abs(high - means)).min(axis=0)
    return (lower > 0) | (upper < 0) | (high - low <= 4 * EPS * distance)


def _floor(at_low, at_high, slope_least, slope_greatest, width):
    """Return the least value between two ends of a function with bounded slope.

    It is where the steepest fall from the left end meets the steepest rise to the right
    one (Piyavskii 1972); NaN where the function is constant.
    """
    fall, rise = np.minimum(slope_least, 0), np.maximum(slope_greatest, 0)
    with np.errstate(invalid="ignore", over="ignore"):
        share = rise / (rise - fall)
        return at_low * share + at_high * (1 - share) + width * fall * share


def _ceiling(at_low, at_high, slope_least, slope_greatest, width):
    """Return the greatest value: the floor of the mirror image."""
    return -_floor(-at_low, -at_high, -slope_greatest, -slope_least, width)


def _derivative_step(y, sign, mixtures):
    """Newton's move for sign * f'(y) = 0; the residual is 0 where rounding hides f'."""
    log_amplitudes, means, stds = mixtures  # (K, N)
    z = _z(y, means, stds)
    kernel = np.exp(_log_scale(z, mixtures) - 0.5 * z * z)
    derivative, curvature = (total(HERMITE[j](z) * kernel / stds**j) for j in (1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        move = -derivative / curvature
    return sign * _certain_sign(z, log_amplitudes, stds) * np.abs(derivative), move


def _certain_sign(z, log_amplitudes, stds):
    """Return the sign of f', 0 where the terms' rounding errors could turn it."""
    with np.errstate(divide="ignore", over="ignore"):
        log_terms = log_amplitudes + np.log(np.abs(z) / stds) - 0.5 * z * z
        least, most = log_terms - _slack(z), log_terms + _slack(z)
        greatest = np.maximum(least.max(axis=0), -1e300)
        least, most = np.exp(least - greatest), np.exp(most - greatest)
    up = z < 0
    rises = total(np.where(up, least, 0)) > total(np.where(up, 0, most))
    falls = total(np.where(up, 0, least)) > total(np.where(up, most, 0))
    return rises.astype(float) - falls


def _z(y, means, stds):
    """Standardise, short of overflow in the third power."""
    return np.clip((y - means) / stds, -1e100, 1e100)


def _log_scale(nearest, mixtures):
    """Return log amplitudes (K, N) such that the greatest term at `nearest` is 1."""
    log_amplitudes = mixtures[0]
    return log_amplitudes - (log_amplitudes - 0.5 * nearest**2).max(axis=0)


def _slack(z):
    """Bound the rounding error of log(z exp(-z^2/2)), the relative error of a term."""
    return 8 * EPS * (1 + z * z)
