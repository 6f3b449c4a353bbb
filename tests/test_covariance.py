"""What raw outputs mean: standard deviations are those that rows have paid for."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, logsumexp

from skmdn import MDNRegressor
from skmdn._covariance import COVARIANCE_TYPES, MixtureHead
from tests.small_networks import make_data

M, K, B = 2, 4, 6


def make_head(covariance_type, n_outputs, std_precision, n_components=K):
    std_unit = np.linspace(1.0, 1.7, n_outputs)
    return MixtureHead(
        n_components, n_outputs, covariance_type, 0.01, std_unit, std_precision
    )


def random_raw(rng, head):
    """Raw outputs of which some make components of next to no weight."""
    raw = rng.normal(scale=2, size=(M, head.n_raw, B))
    raw[:, : head.n_components] *= 4
    return raw


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("array", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_a_component_is_believed_by_its_odds(rng, covariance_type, n_outputs, array):
    head = make_head(covariance_type, n_outputs, std_precision=0.02)
    raw = random_raw(rng, head)
    believed = raw.copy()
    log_weights = log_softmax(raw[:, :K], axis=1)
    rest = np.stack(
        [logsumexp(np.delete(log_weights, k, axis=1), axis=1) for k in range(K)], axis=1
    )
    shares = expit(2 * (log_weights - rest - np.log(0.01)))  # (M, K, B)
    stds = believed[:, head.std_slice].reshape(M, K, -1, B)
    narrow = stds < 0  # a view of `believed`, which only those change
    stds[narrow] *= np.broadcast_to(shares[:, :, None], stds.shape)[narrow]
    xp = np if array is np.array else torch
    plain = head._replace(std_precision=0.0)
    for ours, expected in zip(
        head.parameters(array(raw), xp), plain.parameters(believed, np), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("n_components", [1, K])
def test_who_explains_all_rows_is_believed_to_the_last_digit(
    rng, covariance_type, n_components
):
    head = make_head(covariance_type, 2, 0.02, n_components)
    raw = random_raw(rng, head)
    shared = not head.kind.per_component
    if not (shared or n_components == 1):
        raw[:, 0] = 1e3  # has all the weight
    plain = head._replace(std_precision=0.0).parameters(raw, np)
    sure = slice(None) if shared else slice(None, None, n_components)
    for ours, expected in zip(head.parameters(raw, np), plain, strict=True):
        np.testing.assert_array_equal(ours[:, sure], expected[:, sure])


@pytest.mark.parametrize("n_estimators", [1, 2])
def test_a_component_that_explains_nothing_is_as_wide_as_y(rng, n_estimators):
    X, y = make_data(rng, n=400)
    y = np.where(X[:, 0] > 0, y, 50 + y / 10)  # a narrow branch, and a steep end to it
    model = MDNRegressor(
        n_components=3, n_estimators=n_estimators, max_iter=60, random_state=0
    )
    law = model.fit(X, y).predict_distribution(2 * X)
    stds = np.sqrt(law.covariances[..., 0, 0])
    idle = n_estimators * law.weights < 1e-4
    assert idle.any()
    assert stds[idle].min() > 0.68 * y.std()
    assert stds[~idle].min() < 0.1 * y.std()
