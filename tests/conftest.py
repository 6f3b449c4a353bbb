"""Random mixtures that several test modules ask about, and a thread for each worker."""

import os

os.environ.update(  # heeded only before NumPy is imported
    MPLBACKEND="Agg",
    # Two threads of a small product wait for a core that another worker has.
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

import numpy as np
import pytest

from skmdn import MixtureDistribution


@pytest.fixture(params=range(3))
def rng(request):
    return np.random.default_rng(request.param)


def random_covariances(rng, n, n_components, n_outputs, kind="full"):
    """Variances (n, K, D) for "diag", matrices (n, K, D, D) for "full"."""
    if kind == "diag":
        return rng.uniform(0.2, 2.0, (n, n_components, n_outputs))
    roots = rng.normal(size=(n, n_components, n_outputs, n_outputs))
    return roots @ np.swapaxes(roots, -1, -2) + 0.1 * np.eye(n_outputs)


def random_law(rng, n=4, n_components=3, n_outputs=2, kind="full"):
    weights = rng.dirichlet(np.ones(n_components), n)
    means = rng.normal(scale=2.0, size=(n, n_components, n_outputs))
    covariances = random_covariances(rng, n, n_components, n_outputs, kind)
    return MixtureDistribution(weights, means, covariances)
