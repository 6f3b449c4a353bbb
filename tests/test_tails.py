"""Features with heavy tails: where they are drawn in, and what that is good for."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import BayesianRidge

from skmdn import MDNRegressor, _tails
from skmdn._rows import canonical_samples
from skmdn._scaling import fit_scaling
from skmdn._tails import bounds, draw_in

QUARTILE = 0.6744897501960817  # of the standard normal law


def drawn_in(value, values):
    """Equation (20) for one number, by its words."""
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf")
    unit = (high - low) / (2 * QUARTILE)
    excess = abs(value - median) - 10 * unit
    if excess <= 0:
        return value
    reach = 10 * unit + unit * math.log(1 + excess / unit)
    return median + math.copysign(reach, value - median)


def scaling_of(X):
    y = np.random.default_rng(0).normal(size=(len(X), 1))
    return fit_scaling(canonical_samples(X, y, np.ones(len(X))))[0]


def test_what_is_far_is_drawn_in(rng):
    values = np.append(rng.standard_t(1, 301), [1e12, -1e12])
    lower, upper = bounds(values, np.ones(len(values)))
    ours = draw_in(values[:, None], np.array([lower]), np.array([upper]))[:, 0]
    expected = [drawn_in(value, values) for value in values]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
    inside = (lower <= values) & (values <= upper)
    assert 200 < inside.sum() < len(values)
    np.testing.assert_array_equal(ours[inside], values[inside])
    assert np.all(np.diff(ours[np.argsort(values)]) > 0)


def test_it_is_smooth_where_it_begins(rng):
    values = rng.standard_t(1, 301)
    lower, upper = bounds(values, np.ones(301))
    for bound in (lower, upper):
        step = 1e-6 * (upper - lower)
        at = np.array([[bound - step], [bound], [bound + step]])
        below, here, above = draw_in(at, np.array([lower]), np.array([upper]))[:, 0]
        assert (here - below) / step == pytest.approx(1, rel=1e-4)
        assert (above - here) / step == pytest.approx(1, rel=1e-4)


def test_weights_are_repeated_rows(rng):
    values, counts = rng.standard_t(1, 50), rng.integers(1, 5, 50)
    repeated = np.repeat(values, counts)
    expected = bounds(repeated, np.ones(len(repeated)))
    assert np.isfinite(expected).all()
    for unit in (1.0, 0.1, 3.0, 1 / 3):
        assert bounds(values, unit * counts) == expected


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).uniform(size=500),
        np.random.default_rng(0).normal(size=500),
        np.repeat([0.0, 1.0], [400, 100]),
        np.append(np.zeros(90), np.logspace(0, 9, 10)),
        np.full(10, 3.0),
        np.array([-1.7e308, -1.6e308, 1.6e308, 1.7e308]),
    ],
    ids=["uniform", "normal", "binary", "zeros", "constant", "wide"],
)
def test_features_without_heavy_tails_stay(values):
    assert bounds(values, np.ones(len(values))) == (-np.inf, np.inf)


def test_numbers_of_any_size_are_drawn_in():
    values = np.array([[-1.7e308], [-1.0], [0.0], [1.0], [1.7e308]])
    assert np.isfinite(scaling_of(np.vstack([values] * 3)).inputs(values)).all()


def test_only_heavy_columns_change(rng):
    X = np.column_stack([rng.normal(size=400), np.exp(2 * rng.normal(size=400))])
    scaling = scaling_of(X)
    inputs, features = scaling.inputs(X), scaling.features(X)
    np.testing.assert_array_equal(inputs[:, 0], features[:, 0])
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(inputs.std(axis=0), 1)
    assert np.abs(inputs).max() < 5 < np.abs(features).max()
    assert scaling_of(X[:, :1]).x_tails is None


def test_units_do_not_matter(rng):
    X = rng.standard_t(1, (200, 3))
    expected = scaling_of(X).inputs(X)
    for other in (X * [2.0**900, 2.0**-900, 4.0], X.astype(np.float64) * 0.125):
        np.testing.assert_array_equal(scaling_of(other).inputs(other), expected)
    other = 3.7 * X + 40
    np.testing.assert_allclose(scaling_of(other).inputs(other), expected, atol=1e-9)
    single = X.astype(np.float32)
    double = single.astype(np.float64)
    np.testing.assert_array_equal(
        scaling_of(single).inputs(double), scaling_of(double).inputs(double)
    )


def signal(rng, n):
    """Two features, one of them like an income, and y by its logarithm."""
    logs = rng.normal(size=(n, 2))
    y = np.sin(2 * logs[:, 0]) + logs[:, 1] + 0.3 * rng.normal(size=n)
    return np.column_stack([np.exp(2 * logs[:, 0]), logs[:, 1]]), y


def test_the_module_sees_the_same(rng):
    X, y = signal(rng, 200)
    X[0, 0] = 1e8
    model = MDNRegressor(max_iter=3, random_state=0).fit(X, y)
    assert model.x_tails_ is not None
    net = model.to_torch()
    law = model.predict_distribution(X)
    found = net(torch.tensor(X))
    np.testing.assert_allclose(found.means.detach(), law.means, rtol=1e-9)
    other = MDNRegressor(max_iter=3, random_state=1).fit(X[:, ::-1], y).to_torch()
    other.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(
        other(torch.tensor(X)).means.detach(), found.means.detach()
    )
    x = torch.tensor(X, requires_grad=True)
    net(x).means.sum().backward()
    assert x.grad.isfinite().all()


def test_one_mistyped_number_hides_nothing():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1300, 2))
    y = np.sin(2 * X[:, 0]) + X[:, 1] + 0.3 * rng.normal(size=1300)
    new = X[300:], y[300:]
    clean = MDNRegressor(random_state=0).fit(X[:300], y[:300])
    X[7, 1] = 1e6
    mistyped = MDNRegressor(random_state=0).fit(X[:300], y[:300])
    assert mistyped.score_samples(*new).mean() > clean.score_samples(*new).mean() - 0.1


def test_incomes_are_seen_by_their_logarithm(monkeypatch):
    rng = np.random.default_rng(0)
    logs = rng.normal(size=(2600, 3))
    y = np.sin(2 * logs[:, 0]) + logs[:, 1] + 0.3 * rng.normal(size=2600)
    X = np.exp(3 * logs)

    def score():
        model = MDNRegressor(random_state=0).fit(X[:600], y[:600])
        return model.score_samples(X[600:], y[600:]).mean()

    drawn_in = score()
    monkeypatch.setattr(_tails, "FAR", 1e12)
    assert drawn_in > score() + 0.15


def test_a_line_along_heavy_tails_stays_a_line():
    rng = np.random.default_rng(0)
    X = rng.standard_t(2, (2500, 5))
    y = X @ [1, 0.5, 0, 0, 0] + 0.3 * rng.normal(size=2500)
    model = MDNRegressor(random_state=0).fit(X[:500], y[:500])
    mean, std = BayesianRidge().fit(X[:500], y[:500]).predict(X[500:], return_std=True)
    theirs = -(((y[500:] - mean) / std) ** 2) / 2 - np.log(std * np.sqrt(2 * np.pi))
    assert model.score_samples(X[500:], y[500:]).mean() > theirs.mean() - 0.03


def test_partial_fit_goes_on_in_the_bounds_of_the_first_chunk(rng):
    X, y = signal(rng, 300)
    model = MDNRegressor(random_state=0).partial_fit(X, y)
    first = model.x_tails_
    model.partial_fit(100 * X, y)
    for ours, theirs in zip(model.x_tails_, first, strict=True):
        np.testing.assert_array_equal(ours, theirs)
