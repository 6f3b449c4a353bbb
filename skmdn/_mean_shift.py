"""Modes of Gaussian mixtures with several outputs, climbed to from many starts.

From y the mean-shift goes to the average of the components' means, each weighing as
much as its precision times its responsibility for y, and never loses density
(Carreira-Perpiñán, 2000). Where the density is concave, Newton's step is taken if it
gains more. The starts are the means and the crossings of ridges, where elongated
components have modes that no mean leads to; that there is no other is not proved.
"""

from typing import NamedTuple

import numpy as np

from skmdn._blocks import row_blocks
from skmdn._gaussian import (
    apply_factor,
    embed_diagonal,
    is_diagonal,
    log_responsibilities,
    logpdf,
    precisions,
)

MAX_STEPS = 1000
CONVERGED = 1e-10  # length of a step, in the metric of the local precision
FEW_CROSSINGS = 10  # of ridges, all of which are climbed from
APART = 1e-3  # points closer than this, in that metric, are one mode


class Terrain(NamedTuple):
    """What the log-densities look like at N points."""

    height: np.ndarray  # (N,)
    gradient: np.ndarray  # (N, D)
    hessian: np.ndarray  # (N, D, D)
    precision: np.ndarray  # (N, D, D), averaged by responsibility


def mode(log_weights, means, factors):
    """Highest mode of each mixture, (n, D).

    Climbed to from the means and from as many crossings, ten at least, those of most
    density: no climb ends lower than it starts. Up to five components it is the first
    of `modes`.
    """
    n, n_components, n_outputs = means.shape
    n_crossings = max(n_components, FEW_CROSSINGS)
    found = _climbed_to(log_weights, means, factors, n_crossings)
    return np.reshape([points[0] for points in found], (n, n_outputs))


def modes(log_weights, means, factors):
    """Modes of each mixture, a list of n arrays (m, D), highest density first."""
    return _climbed_to(log_weights, means, factors)


def _climbed_to(log_weights, means, factors, n_crossings=None):
    n, n_components, n_outputs = means.shape
    full = embed_diagonal(factors) if is_diagonal(factors) else factors
    unit = _units(full)
    means, full = means / unit[:, None], full * unit[:, None, :, None]
    found = []
    for block in row_blocks(n, n_components**3 * n_outputs**2):
        mixtures = log_weights[block], means[block], full[block]
        found += _modes(*mixtures, n_crossings)
    return [points * unit for points, unit in zip(found, unit, strict=True)]


def _units(factors):
    """Units (n, D), exact to divide by, in which outputs are of one size.

    Curvatures of very different outputs would be lost beside one another.
    """
    tightest = np.linalg.norm(factors, axis=-1).max(axis=1)  # (n, D)
    return np.ldexp(1.0, -np.frexp(tightest)[1])


def _modes(log_weights, means, factors, n_crossings):
    precision = precisions(factors)
    start = _starts(log_weights, means, precision)  # (n, S, D)
    n_means = means.shape[1]
    if n_crossings is not None and n_crossings < start.shape[1] - n_means:
        crossings, mixtures = start[:, n_means:], (log_weights, means, factors)
        highest = _densest(crossings, mixtures, n_crossings)
        start = np.concatenate([start[:, :n_means], highest], axis=1)
    n, n_starts, n_outputs = start.shape
    row = np.repeat(np.arange(n), n_starts)
    mixtures = [values[row] for values in (log_weights, means, factors)]
    y, terrain = _climb(start.reshape(-1, n_outputs), mixtures, precision[row])
    maximal = np.linalg.eigvalsh(terrain.hessian)[:, -1] < 0
    rank = np.where(maximal, terrain.height, -np.inf).reshape(n, n_starts)
    flat = np.isneginf(rank).all(axis=1)  # as far as rounding lets see
    rank[flat] = terrain.height.reshape(n, n_starts)[flat]
    order = np.argsort(-rank, axis=1, kind="stable")

    def ranked(values):
        values = values.reshape(n, n_starts, *values.shape[1:])
        return values[np.arange(n)[:, None], order]

    y, kept = ranked(y), np.take_along_axis(rank, order, axis=1) > -np.inf
    kept &= ~_repeats_a_higher_one(y, ranked(terrain.precision))
    return [points[mask] for points, mask in zip(y, kept, strict=True)]


def _starts(log_weights, means, precision):
    """Means, and where each two components' ridges cross, (n, K + K (K - 1) / 2, D).

    A crossing is the mean of the product of both. Components of weight zero are
    replaced by the heaviest of their row.
    """
    heaviest = log_weights.argmax(axis=1)
    weightless = np.isneginf(log_weights)
    rows = np.arange(len(means))
    means = np.where(weightless[..., None], means[rows, heaviest][:, None], means)
    i, j = np.triu_indices(means.shape[1], k=1)
    pull = np.einsum("npde,npe->npd", precision[:, j], means[:, j] - means[:, i])
    crossings = means[:, i] + _solve(precision[:, i] + precision[:, j], pull)
    return np.concatenate([means, crossings], axis=1)


def _densest(points, mixtures, n_points):
    """Those of the points (n, S, D) where density is highest, ``n_points`` of them."""
    height = logpdf(np.swapaxes(points, 0, 1), *mixtures)  # (S, n)
    densest = np.argsort(-height, axis=0, kind="stable")[:n_points].T
    return np.take_along_axis(points, densest[..., None], axis=1)


def _solve(matrices, vectors):
    """Solutions (..., D); zero where rounding has made a matrix singular."""
    vectors = vectors[..., None]
    try:
        return np.linalg.solve(matrices, vectors)[..., 0]
    except np.linalg.LinAlgError:  # for one of them, there is no answer for any
        singular = (np.linalg.slogdet(matrices)[0] == 0)[..., None, None]
        regular = np.where(singular, np.eye(matrices.shape[-1]), matrices)
        return np.linalg.solve(regular, np.where(singular, 0, vectors))[..., 0]


def _climb(y, mixtures, precision):
    """Stationary points (N, D) above each of the points, and the terrain there."""
    y = y.copy()
    active = np.arange(len(y))
    for _ in range(MAX_STEPS):
        here = [values[active] for values in mixtures]
        step, length = _step(y[active], here, precision[active])
        y[active] += step
        active = active[length > CONVERGED]
        if not len(active):
            break
    return y, _terrain(y, *mixtures, precision)


def _step(y, mixtures, precision):
    """Step to go from each point (N, D), and its length in the local metric (N,)."""
    terrain = _terrain(y, *mixtures, precision)
    shift = _solve(terrain.precision, terrain.gradient)
    concave = np.linalg.eigvalsh(terrain.hessian)[:, -1] < 0
    hessian = np.where(concave[:, None, None], terrain.hessian, -terrain.precision)
    newton = -_solve(hessian, terrain.gradient)
    gains = logpdf(y + newton, *mixtures) >= logpdf(y + shift, *mixtures)
    step = np.where(gains[:, None], newton, shift)
    square = np.sum(np.einsum("nde,ne->nd", terrain.precision, step) * step, axis=1)
    return step, np.sqrt(np.maximum(square, 0))


def _terrain(y, log_weights, means, factors, precision):
    """Log-density at ``y`` (N, D) with its gradient and Hessian.

    ``precision`` (N, K, D, D) is that of each component.
    """
    height = logpdf(y, log_weights, means, factors)
    share = np.exp(log_responsibilities(y, log_weights, means, factors))  # (N, K)
    z = apply_factor(factors, means - y[:, None])
    pulls = np.einsum("nkde,nke->nkd", factors, z)  # precision times residual
    precision = np.einsum("nk,nkde->nde", share, precision)
    gradient = np.einsum("nk,nkd->nd", share, pulls)
    outer = np.matmul(np.swapaxes(share[..., None] * pulls, 1, 2), pulls)
    hessian = outer - precision - gradient[:, :, None] * gradient[:, None]
    return Terrain(height, gradient, hessian, precision)


def _repeats_a_higher_one(y, precision):
    """Whether each ranked point (n, S) lies on one that ranks before it."""
    gaps = y[:, :, None] - y[:, None]  # (n, S, S, D)
    distances = np.einsum("nijd,njde,nije->nij", gaps, precision, gaps)
    close = distances < APART**2
    return np.any(np.tril(close, -1), axis=2)
