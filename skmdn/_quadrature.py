"""Entropy of a univariate Gaussian mixture, by quadrature at its own scales."""

import numpy as np
from scipy.special import xlogy

from skmdn._blocks import blockwise, components_first, total

SQRT_2PI = np.sqrt(2 * np.pi)
# Edges of the panels in units of each component's std: fine where its density lies
HALF_EDGES = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.5, 8.5, 12.0])
EDGES = np.concatenate([-HALF_EDGES[::-1], [0.0], HALF_EDGES])
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)


@blockwise(lambda K: 4 * len(EDGES) * len(NODES))
def entropy(log_weights, means, stds):
    """Return the differential entropy - int f log f in nats, (n,).

    Between neighbours among all components' edges every component is smooth at the
    panel's scale, or negligible: Gauss-Legendre converges at once, whatever the scales.
    """
    weights, means, stds = components_first(log_weights, means, stds)  # (K, n)
    unit = stds.max(axis=0)
    mixture = np.stack([weights, means / unit, stds / unit])
    edge, rest = _edges(*mixture[1:])  # (E, n)
    half = 0.5 * (np.diff(edge, axis=0) + np.diff(rest, axis=0))  # (E - 1, n)
    parts = (
        weight * total(half * _minus_f_log_f(edge[:-1], rest[:-1] + half * x, *mixture))
        for x, weight in zip(1 + NODES, NODE_WEIGHTS, strict=True)
    )
    return np.log(unit) + total(parts)


def _edges(means, stds):
    """Return the edges of all components in order, as unevaluated sums of two, (E, n).

    The second number is what rounding took from the first (Knuth's two-sum): a spike
    far from zero may be only a few thousand floats wide.
    """
    offset = stds * EDGES[:, None, None]  # (edges, K, n)
    edge = means + offset
    part = edge - means
    rest = (means - (edge - part)) + (offset - part)
    edge, rest = (a.reshape(len(EDGES) * len(means), -1) for a in (edge, rest))
    order = edge.argsort(axis=0, kind="stable")
    return tuple(np.take_along_axis(a, order, axis=0) for a in (edge, rest))


def _minus_f_log_f(edge, step, weights, means, stds):
    """Evaluate - f log f at edge + step, (P, n)."""
    density = np.zeros_like(edge)
    for weight, mean, std in zip(weights, means, stds, strict=True):
        z = ((edge - mean) + step) / std
        density += weight / (SQRT_2PI * std) * np.exp(-0.5 * z * z)
    return -xlogy(density, density)
