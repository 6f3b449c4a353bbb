"""A pool that is as wide as it errs, whatever its members disagree about."""

import numpy as np
import pytest
from scipy import stats

from skmdn import MDNRegressor, MixtureDistribution
from skmdn import _fitting as fitting
from skmdn._covariance import make_head
from skmdn._network import Network, mixture_parameters
from skmdn._pooling import SMALLEST_FACTOR, spread_adjusted
from skmdn._rows import canonical_samples
from skmdn._scaling import Scaling

N_FEATURES, N_ROWS = 40, 4000


def linear_members(rng, n_members, noise, error, n_outputs=1, kind="diag"):
    """Rows X and y, and members that err by ``error`` and say how far they are off.

    A network without hidden layers, of one component, that knows its mean squared
    error, noise² + error², and has it for its variance.
    """
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    slopes = rng.normal(size=(N_FEATURES, n_outputs))
    y = X @ slopes + noise * rng.normal(size=(N_ROWS, n_outputs))
    errors = rng.normal(size=(n_members, N_FEATURES, n_outputs))
    errors *= error / np.linalg.norm(errors, axis=1, keepdims=True)
    units = np.zeros(N_FEATURES), np.ones(N_FEATURES)
    y_units = np.zeros(n_outputs), np.ones(n_outputs)
    scaling = Scaling(*units, *y_units, np.zeros((N_FEATURES, n_outputs)))
    noise_std = 0.3 if kind == "fixed_spherical" else None
    head = make_head(1, kind, 1e-3, noise_std, np.ones(n_outputs))
    coefs = np.zeros((n_members, N_FEATURES, head.n_raw))
    coefs[:, :, 1 : 1 + n_outputs] = slopes + errors
    intercepts = np.zeros((n_members, head.n_raw))
    intercepts[:, head.std_slice] = np.log(np.expm1(np.hypot(noise, error) - 1e-3))
    return X, y, Network([coefs], [intercepts], "silu", head, scaling)


def adjusted(network, X, y, weights=None):
    weights = np.ones(len(X)) if weights is None else weights
    return spread_adjusted(network, canonical_samples(X, y, weights))


def law_of(network, X):
    return MixtureDistribution._from_factors(
        *mixture_parameters(X, network), n_members=len(network.coefs[0])
    )


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("n_members", [2, 4, 8])
@pytest.mark.parametrize("error", [0.05, 0.1, 0.15])
def test_the_pool_is_as_wide_as_it_errs(rng, n_members, error, n_outputs):
    noise = 0.2
    X, y, network = linear_members(rng, n_members, noise, error, n_outputs)
    plain, law = law_of(network, X), law_of(adjusted(network, X, y), X)
    squared_error = np.mean((law.mean().reshape(y.shape) - y) ** 2)
    assert law.var().mean() == pytest.approx(squared_error, rel=0.1)
    assert plain.var().mean() == pytest.approx(
        noise**2 + 2 * error**2 - error**2 / n_members, rel=0.05
    )
    np.testing.assert_array_equal(law.mean(), plain.mean())


@pytest.mark.parametrize("error", [0.1, 0.15])
def test_its_intervals_hold_what_they_say(rng, error):
    X, y, network = linear_members(rng, 8, 0.2, error)
    low, high = law_of(adjusted(network, X, y), X).interval(0.9).T
    n_inside = int(np.sum((low < y[:, 0]) & (y[:, 0] < high)))
    assert stats.binomtest(n_inside, N_ROWS, 0.9).pvalue > 1e-4
    low, high = law_of(network, X).interval(0.9).T
    too_many = int(np.sum((low < y[:, 0]) & (y[:, 0] < high)))
    assert stats.binomtest(too_many, N_ROWS, 0.9).pvalue < 1e-4


def test_members_that_agree_stay_as_they_are(rng):
    X, y, network = linear_members(rng, 4, 0.2, 0.0)
    np.testing.assert_array_equal(
        adjusted(network, X, y).intercepts[0], network.intercepts[0]
    )


def test_members_that_disagree_wildly_become_half_as_wide_and_no_less(rng):
    X, y, network = linear_members(rng, 8, 0.05, 0.2)
    shift = adjusted(network, X, y).intercepts[0] - network.intercepts[0]
    expected = np.zeros_like(shift)
    expected[:, network.head.std_slice] = np.log(SMALLEST_FACTOR)
    np.testing.assert_allclose(shift, expected, atol=5e-3)


def test_a_given_width_stays(rng):
    X, y, network = linear_members(rng, 4, 0.2, 0.2, kind="fixed_spherical")
    np.testing.assert_array_equal(
        adjusted(network, X, y).intercepts[0], network.intercepts[0]
    )


def test_rows_of_no_weight_say_nothing(rng):
    X, y, network = linear_members(rng, 4, 0.2, 0.15)
    X[100:] *= 3
    weights = (np.arange(N_ROWS) < 100).astype(float)
    np.testing.assert_array_equal(
        adjusted(network, X, y, weights).intercepts[0],
        adjusted(network, X[:100], y[:100]).intercepts[0],
    )


def test_an_ensemble_is_adjusted_once_and_a_single_network_never(rng, monkeypatch):
    X = rng.normal(size=(80, 2))
    asked = []

    def count(network, samples):
        asked.append(len(network.coefs[0]))
        return spread_adjusted(network, samples)

    monkeypatch.setattr(fitting, "spread_adjusted", count)
    model = MDNRegressor(n_estimators=3, max_iter=2, random_state=0)
    model.fit(X, X[:, 0])
    model.partial_fit(X, X[:, 0])
    model.set_params(n_estimators=1).fit(X, X[:, 0])
    assert asked == [3]
