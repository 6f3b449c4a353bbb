"""The line under a fit of few rows, against regressions made again without each row."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge

from skmdn import MDNRegressor
from skmdn._line import PENALTIES, fit_line, is_wanted


def standardised(values, weights):
    mean = np.average(values, axis=0, weights=weights)
    return (values - mean) / np.sqrt(
        np.average((values - mean) ** 2, axis=0, weights=weights)
    )


def problem(rng, n_rows, n_features, noise=0.5):
    weights = rng.uniform(0.5, 2, n_rows)
    weights /= weights.mean()
    X = standardised(rng.normal(size=(n_rows, n_features)), weights)
    y = X[:, :1] + noise * rng.normal(size=(n_rows, 1))
    return X, standardised(y, weights), weights


def left_out(X, y, weights, penalty):
    """Residuals (n,) of rows under ridge regressions of the others."""
    model = Ridge(alpha=penalty * len(y), tol=1e-12)
    if penalty == np.inf:
        model = DummyRegressor()
    residuals = []
    for row in range(len(y)):
        others = np.arange(len(y)) != row
        model.fit(X[others], y[others, 0], sample_weight=weights[others])
        residuals.append(y[row, 0] - model.predict(X[[row]])[0])
    return np.array(residuals)


@pytest.mark.parametrize("shape", [(30, 3), (20, 20), (30, 40)])
def test_the_line_is_the_best_ridge_regression_of_the_other_rows(rng, shape):
    X, y, weights = problem(rng, *shape)
    every = [left_out(X, y, weights, penalty) for penalty in PENALTIES]
    press = [np.sum(weights * residuals**2) for residuals in every]
    best = int(np.argmin(press))
    gain = weights * (every[-1] ** 2 - every[best] ** 2)
    if gain.mean() <= gain.std() / len(y) ** 0.5:
        best = -1
    slopes, residuals = fit_line(X, y, weights)
    np.testing.assert_allclose(residuals[:, 0], every[best], atol=1e-8)
    expected = np.zeros(shape[1])
    if PENALTIES[best] < np.inf:
        ridge = Ridge(alpha=PENALTIES[best] * len(y), tol=1e-12)
        expected = ridge.fit(X, y[:, 0], weights).coef_
    np.testing.assert_allclose(slopes[:, 0], expected, atol=1e-8)


def test_there_is_no_line_where_the_features_say_nothing(rng):
    X, _, weights = problem(rng, 60, 10)
    y = standardised(rng.normal(size=(60, 1)) ** 2, weights)
    shuffled = rng.permutation(60)
    slopes, _ = fit_line(X, y[shuffled], weights)
    assert np.abs(slopes).max() < 0.2
    slopes, residuals = fit_line(np.zeros_like(X), y, weights)
    assert not slopes.any()
    np.testing.assert_allclose(residuals, y / (1 - weights[:, None] / 60))


def test_each_output_has_a_penalty_of_its_own(rng):
    X, y, weights = problem(rng, 40, 5)
    _, other, _ = problem(rng, 40, 5, noise=100)
    together, _ = fit_line(X, np.hstack([y, other]), weights)
    for column, alone in enumerate((y, other)):
        slopes, _ = fit_line(X, alone, weights)
        np.testing.assert_allclose(together[:, [column]], slopes, atol=1e-12)


def test_a_line_is_for_few_rows_of_each_feature():
    assert is_wanted(100, 5)
    assert not is_wanted(151, 5)
    assert not is_wanted(2001, 10_000)
    assert not is_wanted(2, 10)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_few_rows_of_a_line_are_predicted_like_one(rng, n_outputs):
    X = rng.normal(size=(80, 8))
    coef = rng.normal(size=(8, n_outputs))
    y = 100 + 10 * (X @ coef + 0.3 * rng.normal(size=(80, n_outputs)))
    model = MDNRegressor(random_state=0).fit(X, y)
    assert model.y_slopes_.shape == (8, n_outputs)
    far = 3 * rng.normal(size=(1000, 8))
    truth = 100 + 10 * far @ coef
    ours = np.sqrt(np.mean((model.predict(far) - truth) ** 2))
    ridge = Ridge().fit(X, y).predict(far).reshape(truth.shape)
    assert ours < 1.5 * np.sqrt(np.mean((ridge - truth) ** 2))
    covered = [
        np.mean((y[:, d] > ends[:, 0]) & (y[:, d] < ends[:, 1]))
        for d, ends in enumerate(
            np.moveaxis(model.predict_interval(X).reshape(80, 2, -1), 2, 0)
        )
    ]
    assert np.all((np.array(covered) > 0.8) & (np.array(covered) <= 1))


def test_the_torch_module_has_the_line_too(rng):
    torch = pytest.importorskip("torch")
    X = rng.normal(size=(60, 5))
    model = MDNRegressor(max_iter=20, random_state=0).fit(X, X[:, 0] + X[:, 1])
    assert model.y_slopes_.any()
    means = model.to_torch()(torch.tensor(X)).means.detach().numpy()
    np.testing.assert_allclose(means, model.predict_distribution(X).means, atol=1e-8)
