"""A pool that is as wide as it errs, whatever its members disagree about."""

import numpy as np
import pytest
from scipy import stats

from skmdn import MDNRegressor, MixtureDistribution
from skmdn import _fitting as fitting
from skmdn._covariance import make_head
from skmdn._network import Network, mixture_parameters
from skmdn._pooling import (
    SMALLEST_FACTOR,
    held_out_adjustment,
    shifted,
    spread_adjustment,
)
from skmdn._rows import canonical_samples
from skmdn._scaling import Scaling
from skmdn.nn.batches import TrainingData

N_FEATURES, N_ROWS = 40, 4000


def linear_members(
    rng, n_members, noise, error, n_outputs=1, kind="diag", n_features=N_FEATURES
):
    """Rows X and y, and members that err by ``error`` and say how far they are off.

    A network without hidden layers, of one component, that knows its mean squared
    error, noise² + error², and has it for its variance.
    """
    X = rng.normal(size=(N_ROWS, n_features))
    slopes = rng.normal(size=(n_features, n_outputs))
    y = X @ slopes + noise * rng.normal(size=(N_ROWS, n_outputs))
    errors = rng.normal(size=(n_members, n_features, n_outputs))
    errors *= error / np.linalg.norm(errors, axis=1, keepdims=True)
    units = np.zeros(n_features), np.ones(n_features)
    y_units = np.zeros(n_outputs), np.ones(n_outputs)
    scaling = Scaling(*units, *y_units, np.zeros((n_features, n_outputs)))
    noise_std = 0.3 if kind == "fixed_spherical" else None
    head = make_head(1, kind, 1e-3, noise_std, np.ones(n_outputs))
    coefs = np.zeros((n_members, n_features, head.n_raw))
    coefs[:, :, 1 : 1 + n_outputs] = slopes + errors
    intercepts = np.zeros((n_members, head.n_raw))
    intercepts[:, head.std_slice] = np.log(np.expm1(np.hypot(noise, error) - 1e-3))
    return X, y, Network([coefs], [intercepts], "silu", head, scaling)


def adjusted(network, X, y, weights=None):
    weights = np.ones(len(X)) if weights is None else weights
    samples = canonical_samples(X, y, weights)
    return shifted(network, spread_adjustment(network, samples))


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


def test_members_may_disagree_where_y_is_great(rng):
    """Rows are in the order of y, and all of them tell."""
    X, y, network = linear_members(rng, 4, 0.2, 0.1, n_features=1)
    ((coefs,), (intercepts,)) = network.coefs, network.intercepts
    coefs[:, :, 1] = np.array([[1.0], [1.03], [0.97], [1.0]])
    intercepts[:, 1] = 3 * coefs[:, 0, 1]  # all agree at X = -3, where y is least
    y = X + 3
    law = law_of(network, X)
    ratio = np.mean(law.epistemic_var() / law.aleatoric_var())
    shift = adjusted(network, X, y).intercepts[0] - intercepts
    expected = np.log(1 - 2 * ratio) / 2
    np.testing.assert_allclose(shift[:, network.head.std_slice], expected, atol=0.006)


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


# By rows held out


def rows_to_learn_from(X, y, held_out, weights=None):
    """Training data whose members learn from all rows but those ``held_out`` (M, h)."""
    weights = np.ones(len(X)) if weights is None else weights
    table = np.column_stack([X, np.ones(len(X)), y, weights]).astype(np.float32)
    trained = np.stack([np.setdiff1d(np.arange(len(X)), rows) for rows in held_out])
    return TrainingData(table, y.shape[1], trained, held_out, 0.0)


def best_shift(network, X, y):
    """The shift that rows X, y find likeliest, from a grid and a finer one."""

    def score(shift):
        intercepts = network.intercepts[-1].copy()
        intercepts[:, network.head.std_slice] += shift
        law = law_of(network._replace(intercepts=[intercepts]), X)
        return law.logpdf(y).mean()

    best = 0.0
    for step in (0.1, 0.01):
        best = max(best + step * np.arange(-10, 11), key=score)
    return best


def overfitted_members(rng, n_members, n_outputs, kind):
    """Least squares on too few rows, with the widths that these rows show."""
    X, y, network = linear_members(rng, n_members, 0.5, 0.0, n_outputs, kind, 160)
    n_rows, n_held_out = 1600, 400
    held_out = np.arange(n_members * n_held_out).reshape(n_members, -1) % n_rows
    data = rows_to_learn_from(X[:n_rows], y[:n_rows], held_out)
    coefs, intercepts = network.coefs[0].copy(), network.intercepts[0].copy()
    for m, rows in enumerate(data.train_rows):
        slopes, squares, *_ = np.linalg.lstsq(X[rows], y[rows], rcond=None)
        coefs[m][:, 1 : 1 + n_outputs] = slopes
        std = np.sqrt(squares.mean() / len(rows))
        intercepts[m][network.head.std_slice] = np.log(np.expm1(std - 1e-3))
    return (
        X[n_rows:],
        y[n_rows:],
        network._replace(coefs=[coefs], intercepts=[intercepts]),
        data,
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_outputs", "kind"), [(1, "diag"), (2, "spherical")])
def test_rows_held_out_from_one_member_each_tell_how_wide_the_pool_has_to_be(
    seed, n_outputs, kind
):
    rng = np.random.default_rng(seed)
    X, y, network, data = overfitted_members(rng, 4, n_outputs, kind)
    expected = best_shift(network, X, y)
    assert held_out_adjustment(network, data) == pytest.approx(expected, abs=0.06)
    by_trained_rows = best_shift(network, *X_and_y(data))
    assert by_trained_rows < expected - 0.06


def X_and_y(data):
    table = data.table.astype(float)
    n_features = table.shape[1] - data.n_outputs - 2
    return table[:, :n_features], table[:, n_features + 1 : -1]


@pytest.mark.parametrize("n_members", [2, 8])
@pytest.mark.parametrize("too_wide", [-0.5, 0.0, 0.4])
def test_rows_held_out_from_all_members_judge_the_pool(rng, n_members, too_wide):
    X, y, network = linear_members(rng, n_members, 0.2, 0.15)
    network.intercepts[0][:, network.head.std_slice] += too_wide
    rows = np.arange(1000)
    data = rows_to_learn_from(X, y, np.tile(rows, (n_members, 1)))
    expected = best_shift(network, X[rows], y[rows])
    assert held_out_adjustment(network, data) == pytest.approx(expected, abs=0.011)


def test_judges_of_the_pool_are_not_those_of_the_greatest_y_alone(rng):
    """Rows of X_val are in order of y, and those at its end may be others."""
    X, y, network = linear_members(rng, 2, 0.2, 0.15)
    y[:1500] += 0.4 * rng.normal(size=(1500, 1))
    data = rows_to_learn_from(X, y, np.tile(np.arange(N_ROWS), (2, 1)))
    expected = best_shift(network, X, y)
    assert held_out_adjustment(network, data) == pytest.approx(expected, abs=0.03)
    assert abs(best_shift(network, X[-2000:], y[-2000:]) - expected) > 0.1


def test_rows_held_out_that_weigh_nothing_say_nothing(rng):
    X, y, network = linear_members(rng, 2, 0.2, 0.15)
    rows = np.tile(np.arange(1000), (2, 1))
    few = held_out_adjustment(network, rows_to_learn_from(X, y, rows[:, :100]))
    y[100:] *= 3
    weights = (np.arange(N_ROWS) < 100).astype(float)
    assert held_out_adjustment(network, rows_to_learn_from(X, y, rows, weights)) == few


def test_a_given_width_stays_whatever_rows_say(rng):
    X, y, network = linear_members(rng, 4, 0.2, 0.2, kind="fixed_spherical")
    data = rows_to_learn_from(X, y, np.arange(2000).reshape(4, 500))
    moved = shifted(network, held_out_adjustment(network, data))
    np.testing.assert_array_equal(moved.intercepts[0], network.intercepts[0])


@pytest.mark.parametrize(
    ("n_weighed", "who"),
    [
        (0, "spread_adjustment"),
        (499, "spread_adjustment"),
        (500, "held_out_adjustment"),
    ],
)
@pytest.mark.parametrize("batch_size", [64, 30, 7])
def test_many_rows_held_out_know_better_than_disagreement(
    rng, monkeypatch, n_weighed, who, batch_size
):
    def refuse(*_):
        raise AssertionError(who)

    monkeypatch.setattr(fitting, who, refuse)
    X = rng.normal(size=(80, 2))
    X_val = rng.normal(size=(n_weighed, 2))
    model = MDNRegressor(n_estimators=2, max_iter=1, random_state=0)
    model.set_params(batch_size=batch_size)
    held_out = {"X_val": X_val, "y_val": X_val[:, 0]} if n_weighed else {}
    with pytest.raises(AssertionError, match=who):
        model.fit(X, X[:, 0], **held_out)


def test_an_ensemble_is_adjusted_once_and_a_single_network_never(rng, monkeypatch):
    X = rng.normal(size=(80, 2))
    asked = []

    def count(network, samples):
        asked.append(len(network.coefs[0]))
        return spread_adjustment(network, samples)

    monkeypatch.setattr(fitting, "spread_adjustment", count)
    model = MDNRegressor(n_estimators=3, max_iter=2, random_state=0)
    model.fit(X, X[:, 0])
    model.partial_fit(X, X[:, 0])
    model.set_params(n_estimators=1).fit(X, X[:, 0])
    assert asked == [3]


@pytest.mark.parametrize("go_on", ["fit", "partial_fit"])
@pytest.mark.parametrize("n_held_out", [0, 600])
def test_a_pool_that_learns_no_more_stays_as_wide(rng, go_on, n_held_out):
    """Steps of no length: what is adjusted is the members, not the pool once more."""
    X = rng.normal(size=(200, 3))
    y = np.sin(2 * X[:, 0]) + rng.normal(size=200) / 2
    given = {}
    if n_held_out:
        X_val = rng.normal(size=(n_held_out, 3))
        y_val = np.sin(2 * X_val[:, 0]) + rng.normal(size=n_held_out) / 2
        given = {"X_val": X_val, "y_val": y_val}
    model = MDNRegressor(n_estimators=4, max_iter=30, random_state=1)
    before = model.fit(X, y, **given).score_samples(X, y)
    assert model._pool_shift != 0
    model.set_params(warm_start=True, max_iter=1, learning_rate_init=1e-15)
    for _ in range(3):
        getattr(model, go_on)(X, y, **(given if go_on == "fit" else {}))
    np.testing.assert_allclose(model.score_samples(X, y), before, atol=1e-5)
