"""The line under a fit, against regressions made again without each row."""

from functools import partial

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.stats import multivariate_normal, norm
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import BayesianRidge, Ridge

from skmdn import MDNRegressor, MixtureDistribution
from skmdn._covariance import make_head
from skmdn._line import PENALTIES, are_few, fit_line, log_evidence
from skmdn._line_law import law_around_a_line
from skmdn._network import Network, mixture_parameters
from skmdn._rows import canonical_samples
from skmdn._scaling import fit_scaling, outputs_left_out
from skmdn.metrics import interval_coverage
from skmdn.nn.initialization import starting_members


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


def restricted_log_likelihood(X, y, weights, penalty):
    """Of y (n,) under slopes of variance 1 / (n penalty), whatever their origin."""
    root = np.sqrt(weights)[:, None]
    contrasts = null_space(root.T)  # what a change of the origin leaves alone
    design = contrasts.T @ (root * X)
    target = contrasts.T @ (root[:, 0] * y)
    covariance = np.eye(len(target)) + design @ design.T / (len(y) * penalty)
    variance = target @ np.linalg.solve(covariance, target) / len(target)
    return multivariate_normal.logpdf(target, cov=variance * covariance)


@pytest.mark.parametrize("shape", [(30, 3), (20, 20), (30, 40)])
def test_evidence_is_the_restricted_likelihood(rng, shape):
    X, y, weights = problem(rng, *shape)
    U, singular, _ = np.linalg.svd(np.sqrt(weights)[:, None] * X, full_matrices=False)
    penalties = [1e-3, 0.1, 1.0, 10.0, np.inf]
    ours, oracle = (
        np.array([f(penalty) for penalty in penalties])
        for f in (
            lambda penalty: log_evidence(U, singular, weights[:, None], y, penalty),
            lambda penalty: restricted_log_likelihood(X, y[:, 0], weights, penalty),
        )
    )
    np.testing.assert_allclose(np.diff(ours), np.diff(oracle), atol=1e-8)


@pytest.mark.parametrize("shape", [(30, 3), (20, 20), (30, 40)])
def test_the_line_is_the_ridge_regression_of_most_evidence(rng, shape):
    X, y, weights = problem(rng, *shape)
    evidence = [
        restricted_log_likelihood(X, y[:, 0], weights, penalty) for penalty in PENALTIES
    ]
    penalty = PENALTIES[np.argmax(evidence)]
    line, none = (left_out(X, y, weights, p) for p in (penalty, np.inf))
    gain = weights * (none**2 - line**2)
    ridge = Ridge(alpha=penalty * len(y), tol=1e-12).fit(X, y[:, 0], weights)
    is_line = gain.mean() > gain.std() / len(y) ** 0.5
    slopes, residuals, _ = fit_line(X, y, weights)
    expected = (line, ridge.coef_) if is_line else (none, np.zeros(shape[1]))
    np.testing.assert_allclose(residuals[:, 0], expected[0], atol=1e-7)
    np.testing.assert_allclose(slopes[:, 0], expected[1], atol=1e-7)


def test_the_line_is_that_of_bayesian_ridge(rng):
    X, y, _ = problem(rng, 60, 10)
    slopes, *_ = fit_line(X, y, np.ones(60))
    expected = BayesianRidge().fit(X, y[:, 0]).coef_
    np.testing.assert_allclose(slopes[:, 0], expected, atol=0.02)


def test_there_is_no_line_where_the_features_say_nothing(rng):
    X, _, weights = problem(rng, 60, 10)
    y = standardised(rng.normal(size=(60, 1)) ** 2, weights)
    shuffled = rng.permutation(60)
    slopes, *_ = fit_line(X, y[shuffled], weights)
    assert np.abs(slopes).max() < 0.2
    slopes, residuals, _ = fit_line(np.zeros_like(X), y, weights)
    assert not slopes.any()
    np.testing.assert_allclose(residuals, y / (1 - weights[:, None] / 60))


def test_each_output_has_a_penalty_of_its_own(rng):
    X, y, weights = problem(rng, 40, 5)
    _, other, _ = problem(rng, 40, 5, noise=100)
    together, *_ = fit_line(X, np.hstack([y, other]), weights)
    for column, alone in enumerate((y, other)):
        slopes, *_ = fit_line(X, alone, weights)
        np.testing.assert_allclose(together[:, [column]], slopes, atol=1e-12)


def test_any_line_is_for_few_rows_of_each_feature():
    assert are_few(150, 5)
    assert not are_few(151, 5)
    assert not are_few(2001, 10_000)


def units(X, y):
    """Units and standardised y of a fit to these rows."""
    y = y.reshape(len(X), -1)
    samples = canonical_samples(X, y, np.ones(len(X)))
    scaling, rest = fit_scaling(samples)
    return scaling, samples, rest


@pytest.mark.parametrize("n_rows", [200, 5000])
def test_many_rows_are_measured_from_a_line_that_leaves_nothing(rng, n_rows):
    X = rng.normal(size=(n_rows, 3))
    y = np.column_stack(
        [1e3 + 10 * X[:, 0] - X[:, 1], X[:, 0] + rng.normal(size=n_rows)]
    )
    scaling, samples, rest = units(X, y)
    expected = X.std(axis=0) * [10, -1, 0]
    np.testing.assert_allclose(scaling.y_slopes[:, 0], expected, rtol=2e-6, atol=1e-5)
    assert not scaling.y_slopes[:, 1].any()
    np.testing.assert_allclose(scaling.y_std, [1e-3 * y[:, 0].std(), y[:, 1].std()])
    np.testing.assert_allclose(rest, scaling.outputs(samples), atol=1e-3)


@pytest.mark.parametrize("n_features", [2, 8, 80])
def test_rows_that_come_back_are_left_out_of_their_line_again(rng, n_features):
    X = rng.normal(size=(50, n_features))
    y = np.column_stack([X[:, 0] + 0.3 * rng.normal(size=50), rng.normal(size=50)])
    samples = canonical_samples(X, y, rng.uniform(0.5, 2, 50))
    scaling, expected = fit_scaling(samples)
    assert scaling.y_slopes[:, 0].any()
    assert np.abs(scaling.outputs(samples) / expected)[:, 0].max() < 1
    np.testing.assert_allclose(outputs_left_out(samples, scaling), expected, rtol=1e-6)


def test_rows_that_the_line_has_not_seen_are_left_out_as_they_are(rng):
    X = rng.normal(size=(200, 10))
    y = X.sum(axis=1, keepdims=True) + 0.5 * rng.normal(size=(200, 1))
    scaling, _ = fit_scaling(canonical_samples(X, y, np.ones(200)))
    for n_rows in (5, 16, 100):
        X = rng.normal(size=(n_rows, 10))
        y = X.sum(axis=1, keepdims=True) + 0.5 * rng.normal(size=(n_rows, 1))
        fresh = canonical_samples(X, y, np.ones(n_rows))
        units = [outputs_left_out(fresh, scaling), scaling.outputs(fresh)]
        off, off_as_they_are = (abs(np.log(np.sqrt(np.mean(u**2)))) for u in units)
        assert off <= off_as_they_are < 1


def test_there_is_no_line_under_chunks(rng):
    X = rng.normal(size=(50, 8))
    y = X[:, 0] + 0.3 * rng.normal(size=50)
    assert MDNRegressor(max_iter=1).fit(X, y).y_slopes_.any()
    assert not MDNRegressor().partial_fit(X, y).y_slopes_.any()


def test_a_line_that_some_rows_leave_is_not_under_many_rows(rng):
    X = rng.normal(size=(5000, 2))
    y = X @ [1.0, 2.0]
    _, samples, _ = units(X, y)
    y[samples.rows[-1]] += 1  # none of those that the line is fitted to
    scaling, _, rest = units(X, y)
    assert not scaling.y_slopes.any()
    assert rest.std() == pytest.approx(1)


def test_an_exact_line_is_predicted_to_more_digits_than_the_floor(rng):
    X = rng.normal(size=(300, 2))
    y = 5 + X @ [1.0, -2.0]
    model = MDNRegressor(max_iter=50, random_state=0).fit(X, y)
    fresh = rng.normal(size=(100, 2))
    law = model.predict_distribution(fresh)
    assert np.abs(law.mean() - (5 + fresh @ [1.0, -2.0])).max() < 1e-3
    assert law.std().max() < 1e-3


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
    fresh = rng.normal(size=(1000, 8))
    y_fresh = 100 + 10 * fresh @ coef + 3 * rng.normal(size=truth.shape)
    coverage = interval_coverage(y_fresh, model.predict_distribution(fresh))
    assert 0.8 < coverage < 0.97


def test_the_torch_module_has_the_line_too(rng):
    torch = pytest.importorskip("torch")
    X = rng.normal(size=(60, 5))
    model = MDNRegressor(max_iter=20, random_state=0).fit(X, X[:, 0] + X[:, 1])
    assert model.y_slopes_.any()
    means = model.to_torch()(torch.tensor(X)).means.detach().numpy()
    np.testing.assert_allclose(means, model.predict_distribution(X).means, atol=1e-8)


@pytest.mark.parametrize("n_estimators", [1, 3])
def test_many_rows_of_a_line_are_predicted_like_ridge_regression(rng, n_estimators):
    """Too many for a line under the network, which it has to be ahead of instead."""
    X = rng.normal(size=(3000, 3))
    y = X @ [2.0, -1.0, 0.5] + rng.normal(size=3000)
    train, test = slice(1000), slice(1000, None)
    assert not are_few(1000, 3)
    model = MDNRegressor(n_estimators=n_estimators, max_iter=60, random_state=0)
    model.fit(X[train], y[train])
    mean, std = BayesianRidge().fit(X[train], y[train]).predict(X[test], True)
    theirs = norm.logpdf(y[test], mean, std).mean()
    assert model.score_samples(X[test], y[test]).mean() > theirs - 0.01
    np.testing.assert_array_equal(model.best_iteration_, 0)
    assert model.y_slopes_.all()


@pytest.mark.parametrize("n_estimators", [1, 3])
def test_a_network_that_is_ahead_of_a_line_has_none_under_it(rng, n_estimators):
    X = rng.normal(size=(400, 3))
    y = 0.5 * X[:, 0] + np.cos(2 * X[:, 1]) + 0.1 * rng.normal(size=400)
    model = MDNRegressor(n_estimators=n_estimators, max_iter=200, random_state=0)
    model.fit(X, y)
    assert model.best_iteration_.all()
    assert not model.y_slopes_.any()


def test_what_a_law_around_a_line_says_of_the_rows_it_was_fitted_to(rng):
    """Less, the fewer they are, than the law that is predicted: they are left out."""
    X = rng.normal(size=(100, 3))
    y = X[:, :1] + rng.normal(size=(100, 1))
    samples = canonical_samples(X, y, np.ones(100))
    scaling, outputs = fit_scaling(samples)
    make_head = partial(head_around, "diag")
    sizes = [3, 4, make_head(scaling).n_raw]
    coefs, intercepts = starting_members(
        sizes, make_head(scaling), outputs, samples.weights, [0]
    )
    start = Network(coefs, intercepts, "silu", make_head(scaling), scaling)
    line = law_around_a_line(start, make_head, samples, outputs)
    law = MixtureDistribution._from_factors(*mixture_parameters(X, line.network))
    said = law.logpdf(y)[samples.rows] + np.log(scaling.y_std)
    assert said.mean() - 0.1 < line.scores.mean() < said.mean()
    # rows to which it was not fitted are scored as they are
    fresh = canonical_samples(X + 1, y, np.ones(100))
    scores = law_around_a_line(start, make_head, samples, outputs, fresh).scores
    law = MixtureDistribution._from_factors(*mixture_parameters(X + 1, line.network))
    expected = law.logpdf(y)[fresh.rows] + np.log(scaling.y_std)
    np.testing.assert_allclose(scores[100:], expected)


def head_around(covariance_type, scaling):
    return make_head(3, covariance_type, 1e-3, None, scaling.y_std)


def test_a_law_around_a_line_is_no_pool(rng):
    """The width that rows held out ask of members that are not predicted is theirs."""
    X, X_val = rng.normal(size=(2, 800, 3))
    y, y_val = (x.sum(axis=1) + rng.normal(size=800) for x in (X, X_val))
    model = MDNRegressor(n_estimators=2, max_iter=3, random_state=0)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert not model.best_iteration_.any()
    assert 0.85 < interval_coverage(y_val, model.predict_distribution(X_val)) < 0.95
    assert model._pool_shift == 0
