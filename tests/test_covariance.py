"""Raw outputs become parameters, and a component that explains nothing is wide."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, logsumexp
from small_networks import make_data

from skmdn import MDNRegressor, MixtureDistribution
from skmdn._covariance import COVARIANCE_TYPES, MixtureHead
from skmdn.nn import MixtureDensityNetwork

M, K, B = 2, 4, 6
DOUBTED = [("full", 1), ("diag", 1), ("diag", 3), ("spherical", 1), ("spherical", 3)]


def make_head(covariance_type, n_outputs, std_precision=0.02, n_components=K):
    std_unit = np.linspace(1.0, 1.7, n_outputs)
    return MixtureHead(
        n_components, n_outputs, covariance_type, 0.01, std_unit, std_precision
    )


def random_raw(rng, head):
    """Raw outputs of which some make components of next to no weight, all narrow."""
    raw = rng.normal(scale=2, size=(M, head.n_raw, B))
    raw[:, : head.n_components] *= 4
    raw[:, head.std_slice] -= 4
    return raw


def widths_by_the_book(head, raw):
    """Eq. (16) member by member, row by row, component by component, on a log scale."""
    logits, means, raw_stds, _ = head.split(raw)
    widths = head.min_std + np.log1p(np.exp(raw_stds))
    for m, b in np.ndindex(M, B):
        log_weights = log_softmax(logits[m, :, b])
        weights, centres = np.exp(log_weights), means[m, :, :, b] / head.std_unit
        noise = weights @ widths[m, :, :, b] ** 2
        spread = np.stack([np.cov(c, aweights=weights, ddof=0) for c in centres.T])
        variance = noise + (spread if head.kind.per_output else spread.min())
        for k in range(K):
            rest = logsumexp(np.delete(log_weights, k))
            believed = expit(2 * (log_weights[k] - rest - np.log(0.01)))
            s, width = raw_stds[m, k, :, b], widths[m, k, :, b]
            wide = head.min_std + np.log1p(np.exp(np.maximum(s, believed * s)))
            most = np.sqrt(width**2 + variance / (4 * K * weights[k]))
            widths[m, k, :, b] = np.minimum(wide, most)
    return widths


@pytest.mark.parametrize(("covariance_type", "n_outputs"), DOUBTED)
@pytest.mark.parametrize("array", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_a_component_is_believed_by_its_odds(rng, covariance_type, n_outputs, array):
    head = make_head(covariance_type, n_outputs)
    raw = random_raw(rng, head)
    as_said = raw.copy()
    widths = widths_by_the_book(head, raw) - head.min_std
    head.split(as_said)[2][:] = np.log(np.expm1(widths))
    ours = head.predicted_parameters(array(raw), np if array is np.array else torch)
    for values, expected in zip(ours, head.parameters(as_said, np), strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("n_components", [1, K])
def test_who_explains_all_rows_is_believed_to_the_last_digit(
    rng, covariance_type, n_components
):
    head = make_head(covariance_type, 2, n_components=n_components)
    raw = random_raw(rng, head)
    never_doubted = covariance_type not in ("diag", "spherical")
    if not (never_doubted or n_components == 1):
        raw[:, 0] = 1e3  # has all the weight
    sure = slice(None) if never_doubted else slice(None, None, n_components)
    ours, said = head.predicted_parameters(raw, np), head.parameters(raw, np)
    for values, expected in zip(ours, said, strict=True):
        np.testing.assert_array_equal(values[:, sure], expected[:, sure])


@pytest.mark.parametrize(("covariance_type", "n_outputs"), DOUBTED)
def test_doubt_narrows_nothing_and_hardly_widens_the_law(
    rng, covariance_type, n_outputs
):
    head = make_head(covariance_type, n_outputs)
    raw = random_raw(rng, head)
    doubted, said = (
        MixtureDistribution._from_factors(*parameters)
        for parameters in (
            head.predicted_parameters(raw, np),
            head.parameters(raw, np),
        )
    )
    more = np.linalg.eigvalsh(doubted.covariances - said.covariances)
    assert more.min() > -1e-12
    assert more.max() > 0.01
    assert (doubted.var() <= 1.25 * said.var() * (1 + 1e-12)).all()


@pytest.mark.parametrize("distance", [1e20, 1e100, 1e200, 1e300])
def test_laws_far_from_all_rows_are_laws(rng, distance):
    X, y = make_data(rng, n=60)
    model = MDNRegressor(n_components=3, max_iter=30, random_state=0).fit(X, y)
    law = model.predict_distribution(distance * X)
    assert np.isfinite(law.means).all()
    assert np.isfinite(law._factors).all()
    assert (law._factors > 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_of_zero_and_one_have_gradients(dtype):
    head = make_head("diag", 2)
    raw = torch.zeros((1, head.n_raw, 3), dtype=dtype)
    raw[:, 0, 1], raw[:, 0, 2] = 40, 1e6
    raw.requires_grad_()
    for values in head.predicted_parameters(raw, torch):
        assert torch.isfinite(values).all()
        (gradient,) = torch.autograd.grad(values.sum(), raw, retain_graph=True)
        assert torch.isfinite(gradient).all()


def test_doubt_is_the_estimators_and_its_modules_alone(rng):
    X, y = make_data(rng, n=60)
    assert MixtureDensityNetwork(3).head.std_precision == 0
    for n_components, precision in [(3, 0.01), (5, 0.01), (10, 0.005)]:
        model = MDNRegressor(n_components, max_iter=1, random_state=0).fit(X, y)
        assert model.to_torch().head.std_precision == pytest.approx(precision)


@pytest.mark.parametrize("n_estimators", [1, 2])
def test_a_component_that_explains_nothing_is_wide(rng, n_estimators):
    X, y = make_data(rng, n=400)
    y = np.where(X[:, 0] > 0, y, 50 + y / 10)  # a narrow branch, and a steep end to it
    model = MDNRegressor(
        n_components=3, n_estimators=n_estimators, max_iter=60, random_state=0
    )
    law = model.fit(X, y).predict_distribution(2 * X)
    stds = np.sqrt(law.covariances[..., 0, 0])
    weights = n_estimators * law.weights
    idle = weights < 1e-4
    within = np.sqrt((weights * stds**2).sum(1, keepdims=True) / n_estimators)
    assert idle.any()
    wide = np.minimum(10 * np.broadcast_to(within, stds.shape), 0.68 * y.std())
    assert (stds[idle] > wide[idle]).all()
    assert stds[~idle].min() < 0.1 * y.std()
