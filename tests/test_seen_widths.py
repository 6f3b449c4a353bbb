"""Beyond the training rows no component is narrower than it was among them."""

import numpy as np
import pytest

from skmdn import MDNRegressor, MixtureDistribution
from skmdn._network import mixture_parameters

FAR = np.array([[-300.0], [-20.0], [-2.0], [2.0], [20.0], [300.0]])


def wave(rng, n_outputs=1):
    """A wave on [0, 1], of which networks know nothing further on."""
    X = rng.uniform(size=(200, 1))
    y = np.sin(6 * X + np.arange(n_outputs)) + 0.3 * rng.normal(size=(200, n_outputs))
    return X, y if n_outputs > 1 else y[:, 0]


def component_stds(law):
    return np.sqrt(np.diagonal(law.covariances, axis1=-2, axis2=-1))


@pytest.mark.parametrize("n_estimators", [1, 3])
@pytest.mark.parametrize(
    ("covariance_type", "n_outputs"),
    [("diag", 1), ("diag", 2), ("spherical", 2), ("tied_spherical", 2)],
)
def test_nothing_is_narrower_than_where_rows_were_seen(
    rng, covariance_type, n_outputs, n_estimators
):
    X, y = wave(rng, n_outputs)
    model = MDNRegressor(2, covariance_type=covariance_type, random_state=0)
    model.set_params(n_estimators=n_estimators, max_iter=60).fit(X, y)
    far = model.predict_distribution(FAR)
    network = model._network()
    undoubted = network._replace(head=network.head._replace(std_precision=0.0))
    seen = MixtureDistribution._from_factors(*mixture_parameters(X, undoubted))
    shared = covariance_type == "tied_spherical"
    counts = shared | (seen.weights * n_estimators >= 0.01)[..., None]
    least = np.where(counts, component_stds(seen), np.inf).min(axis=0)
    least = np.where(np.isinf(least), least.min(axis=0), least)
    assert np.all(component_stds(far) >= (1 - 1e-9) * least)


def test_noise_does_not_end_where_the_rows_do():
    rng = np.random.default_rng(4)
    X = rng.uniform(size=(400, 1))
    y = np.sin(6 * X[:, 0]) + 0.3 * rng.normal(size=400)
    model = MDNRegressor(random_state=4, refit=False).fit(X, y)
    assert model.predict_distribution(FAR).std().min() > 0.2
    model.least_raw_stds_ = np.full_like(model.least_raw_stds_, -np.inf)
    assert model.predict_distribution(FAR).std().min() < 0.002


def test_the_rows_that_were_seen_keep_their_laws(rng):
    X, y = wave(rng)
    model = MDNRegressor(3, max_iter=60, random_state=0).fit(X, y)
    law = model.predict_distribution(X)
    model.least_raw_stds_ = np.full_like(model.least_raw_stds_, -np.inf)
    without = model.predict_distribution(X)
    heavy = without.weights >= 0.01
    np.testing.assert_array_equal(law.weights, without.weights)
    np.testing.assert_array_equal(law.means, without.means)
    np.testing.assert_array_equal(law.covariances[heavy], without.covariances[heavy])


def test_chunks_add_to_what_was_seen(rng):
    X, y = wave(rng)
    left, right = X[:, 0] < 0.5, X[:, 0] >= 0.5
    model = MDNRegressor(2, random_state=0)
    seen = []
    for chunk in (left, right, left):
        model.partial_fit(X[chunk], y[chunk])
        seen.append(model.least_raw_stds_)
    assert np.all(seen[1] <= seen[0])
    assert np.all(seen[2] <= seen[1])


def test_torch_predicts_as_wide(rng):
    torch = pytest.importorskip("torch")
    X, y = wave(rng)
    model = MDNRegressor(3, max_iter=60, random_state=0).fit(X, y)
    factors = model.to_torch()(torch.from_numpy(FAR)).precisions_cholesky
    expected = 1 / component_stds(model.predict_distribution(FAR))
    np.testing.assert_allclose(factors.detach(), expected, rtol=1e-9)
