"""Random batches of univariate mixtures, gentle and wild, for the tests."""

import numpy as np
from scipy.special import log_softmax


def gentle(n, K, seed):
    """Return mixtures like those that a network predicts."""
    rng = np.random.default_rng(seed)
    return (
        log_softmax(rng.normal(size=(n, K)), axis=1),
        2 * rng.normal(size=(n, K)),
        np.exp(0.5 * rng.normal(size=(n, K)) - 0.5),
    )


def wild(n, K, seed, spread=6):
    """Return mixtures with stds from 1e-6 to 1e6 in one row, and some dead weights."""
    rng = np.random.default_rng(seed)
    weights = rng.gamma(0.5, size=(n, K)) * (rng.uniform(size=(n, K)) < 0.9)
    weights[:, 0] += 0.01
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights / weights.sum(axis=1, keepdims=True))
    means = rng.normal(size=(n, K)) * 10 ** rng.uniform(-3, spread, size=(n, 1))
    return log_weights, means, 10 ** rng.uniform(-6, 6, size=(n, K))


def rows(mixtures, index):
    """Take some rows."""
    return tuple(a[index] for a in mixtures)
