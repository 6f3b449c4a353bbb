"""Training rows: what the fit learns from does not depend on how they are written."""

import numpy as np
import pytest

from skmdn import MDNRegressor
from skmdn._folds import folds, n_validation_rows
from skmdn._rows import canonical_samples, evenly, groups_of_twins
from skmdn._scaling import fit_scaling, standardised_table
from skmdn.metrics import interval_coverage


def as_rows(samples):
    rows = samples.rows
    return np.column_stack([samples.X[rows], samples.y[rows], samples.weights])


def random_data(rng, n=60):
    """Rows of which some are copies of others."""
    rows = rng.integers(0, n, n)
    X, y = rng.normal(size=(n, 2))[rows], rng.integers(0, 9, (n, 1))[rows] * 1.0
    return X, y, rng.integers(0, 4, n) * 1.0


def counts(rng, n=3000):
    """Rows whose x and y take few values, so that many are alike."""
    X = rng.integers(0, 3, (n, 2)) * 0.5
    return X, rng.poisson(2 + 4 * X[:, :1]) * 1.0, rng.integers(0, 4, n) * 1.0


def test_repeated_rows_are_one_row_of_their_total_weight(rng):
    X, y, weights = random_data(rng)
    times = weights.astype(int)
    repeated = canonical_samples(
        np.repeat(X, times, axis=0), np.repeat(y, times, axis=0), np.ones(times.sum())
    )
    np.testing.assert_array_equal(
        as_rows(canonical_samples(X, y, weights)), as_rows(repeated)
    )
    kept = as_rows(repeated)
    assert len(np.unique(kept[:, :3], axis=0)) == len(kept)
    assert kept[:, -1].sum() == weights.sum()


@pytest.mark.parametrize("unit", [1.0, 0.25, 3e-5])
def test_counts_are_not_copies_and_stay_apart(rng, unit):
    X, y, weights = counts(rng)
    times = weights.astype(int)
    data = X, y, unit * weights
    repeated = [np.repeat(a, times, axis=0) for a in (X, y, np.full(len(X), unit))]
    one, other = canonical_samples(*data), canonical_samples(*repeated)
    np.testing.assert_allclose(as_rows(one), as_rows(other), rtol=1e-12)
    assert len(one.rows) == times.sum()
    np.testing.assert_allclose(one.weights, unit, rtol=1e-12)
    order = rng.permutation(len(X))
    shuffled = canonical_samples(*(a[order] for a in data))
    np.testing.assert_allclose(as_rows(one), as_rows(shuffled), rtol=1e-12)


def test_very_many_counts_weigh_more_instead(rng):
    X, y, weights = counts(rng)
    few = canonical_samples(X, y, weights)
    many = canonical_samples(X, y, np.where(weights > 0, 10_000 * weights + 1, 0))
    assert 100_000 - 500 < len(many.rows) < 100_000 + 500
    assert many.weights.sum() == pytest.approx(np.sum(10_000 * weights + (weights > 0)))
    share = [np.average(s.y[s.rows, 0] == 3, weights=s.weights) for s in (few, many)]
    assert share[0] == pytest.approx(share[1], rel=1e-3)


def test_copies_of_rows_with_few_x_or_few_y_are_no_counts(rng):
    rows = rng.integers(0, 300, 600)
    few, many = rng.integers(0, 3, (300, 1)) * 1.0, rng.normal(size=(300, 1))
    few_x = np.repeat(np.arange(100), 3)[:, None] * 1.0
    for X, y in [(many, few), (many, many), (few_x, many)]:
        samples = canonical_samples(X[rows], y[rows], np.ones(600))
        assert len(np.unique(as_rows(samples)[:, :-1], axis=0)) == len(samples.rows)
    X, y, _ = counts(rng)
    samples = canonical_samples(X, y, rng.uniform(1, 2, len(X)))  # no counts of rows
    assert len(np.unique(as_rows(samples)[:, :3], axis=0)) == len(samples.rows)


@pytest.mark.parametrize("n", [1, 2, 60, 5000])
def test_the_order_of_rows_does_not_matter(rng, n):
    X, y, weights = random_data(rng, n)
    weights[0] = 1
    order = rng.permutation(len(X))
    one = canonical_samples(X, y, weights)
    other = canonical_samples(X[order], y[order], weights[order])
    np.testing.assert_array_equal(as_rows(one), as_rows(other))
    assert len(np.unique(as_rows(one)[:, :3], axis=0)) == len(one.rows)


@pytest.mark.parametrize("n_values", [1, 3, 10**9])
def test_units_do_not_change_the_order(rng, n_values):
    X = rng.normal(size=(500, 3))
    y = rng.integers(n_values, size=(500, 2)) * 1.0
    one = canonical_samples(X, y, np.ones(500))
    for unit in (1e-9, 0.3, 1e9):
        other = canonical_samples(X * unit + 7, y / unit - 1, np.ones(500))
        np.testing.assert_array_equal(one.rows, other.rows)


def test_some_rows_are_from_all_over():
    np.testing.assert_array_equal(evenly(5, 9), np.arange(5))
    for n_rows in (9, 10, 100_000):
        some = evenly(n_rows, 9)
        assert (some[0], some[-1], len(some)) == (0, n_rows - 1, 9)
        assert np.ptp(np.diff(some)) <= 1
    assert len(evenly(0, 9)) == 0


def test_a_row_of_weight_zero_might_as_well_not_be_there(rng):
    X, y, weights = random_data(rng)
    more = np.vstack([X, [[1e300, -1e-300]]]), np.vstack([y, [[1e9]]])
    one = canonical_samples(X, y, weights)
    other = canonical_samples(*more, np.append(weights, 0.0))
    np.testing.assert_array_equal(as_rows(one), as_rows(other))
    pairs = zip(fit_scaling(one)[0], fit_scaling(other)[0], strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)


def test_zero_has_one_sign():
    X, y = np.array([[0.0], [-0.0]]), np.ones((2, 1))
    assert len(canonical_samples(X, y, np.ones(2)).rows) == 1


def test_statistics_are_weighted(rng):
    X = rng.normal(5, 3, (200, 2))
    y = rng.normal(-1, 0.1, (200, 1))
    weights = rng.uniform(size=200)
    scaling, standardised = fit_scaling(canonical_samples(X, y, weights))
    assert not scaling.y_slopes.any()
    np.testing.assert_allclose(standardised.std(), 1, rtol=0.1)
    mean = np.average(X, axis=0, weights=weights)
    std = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights))
    np.testing.assert_allclose(scaling.x_mean, mean)
    np.testing.assert_allclose(scaling.x_std, std)
    np.testing.assert_allclose(scaling.y_std, y.std(), rtol=0.1)


@pytest.mark.parametrize("constant", [0.0, 0.1, -7.3, 1e-300, 1e300])
def test_a_constant_column_becomes_zeros(rng, constant):
    X = np.full((11_000, 1), constant)
    samples = canonical_samples(X, rng.normal(size=(11_000, 1)), np.ones(11_000))
    scaling, standardised = fit_scaling(samples)
    table = standardised_table([(samples, standardised)], scaling)
    assert np.all(scaling.x_std > 0)
    assert np.abs(table[:, 0]).max() < 1e-12


@pytest.mark.parametrize(("mean", "std"), [(1.7e9, 1e-3), (-2.46e6, 3e-5)])
def test_a_column_that_varies_far_from_zero_is_not_constant(rng, mean, std):
    steps = rng.normal(size=(50_000, 1))
    X = mean + std * steps
    scaling, _ = fit_scaling(canonical_samples(X, steps, np.ones(50_000)))
    exact = (X - mean).std()  # differences of numbers so close are exact
    np.testing.assert_allclose(scaling.x_std, exact, rtol=1e-3)


def test_a_column_that_varies_by_rounding_is_constant(rng):
    X = 1.7e9 * (1 + np.finfo(float).eps * rng.integers(-1, 2, size=(50_000, 1)))
    samples = canonical_samples(X, rng.normal(size=(50_000, 1)), np.ones(50_000))
    scaling, standardised = fit_scaling(samples)
    table = standardised_table([(samples, standardised)], scaling)
    assert np.abs(table[:, 0]).max() < 1e-12


def test_a_constant_output_has_no_larger_unit_than_others(rng):
    y = np.column_stack([rng.normal(size=100), np.full(100, 1e6), np.zeros(100)])
    samples = canonical_samples(rng.normal(size=(100, 2)), y, np.ones(100))
    stds = fit_scaling(samples)[0].y_std
    assert np.all(stds[1:] <= stds[0])
    assert np.all(stds > 0)


def test_numbers_of_any_size_are_standardised(rng):
    X = rng.normal(size=(500, 3)) * [1e-300, 1.0, 1e300]
    samples = canonical_samples(X, X[:, 1:2], np.ones(500))
    scaling, standardised = fit_scaling(samples)
    table = standardised_table([(samples, standardised)], scaling)
    np.testing.assert_allclose(table[:, :3].std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(table[:, :3].mean(axis=0), 0, atol=1e-5)
    assert np.all(table[:, 3] == 1)


def test_members_hold_out_different_rows_and_together_learn_from_all():
    train, validation = folds(103, 10, 5, np.random.RandomState(0))
    assert len(np.unique(validation)) == 50
    assert len(np.unique(train)) == 103
    for of_train, of_validation in zip(train, validation, strict=True):
        assert set(of_train) | set(of_validation) == set(range(103))
        assert not set(of_train) & set(of_validation)


def repeated(rng, n_groups, n_times, n_features=2):
    """Rows of which each x is met several times, with another y."""
    X = np.repeat(rng.normal(size=(n_groups, n_features)), n_times, axis=0)
    n = len(X)
    return canonical_samples(X, rng.normal(size=(n, 1)), np.ones(n))


@pytest.mark.parametrize("n_times", [2, 5, 20])
def test_rows_that_share_their_x_are_a_group(rng, n_times):
    samples = repeated(rng, 40, n_times)
    groups = groups_of_twins(samples)
    X = samples.X[samples.rows]
    same_x = (X[:, None] == X).all(axis=2)
    np.testing.assert_array_equal(groups[:, None] == groups, same_x)


def test_most_rows_are_no_groups(rng):
    assert groups_of_twins(repeated(rng, 200, 1)) is None
    assert groups_of_twins(repeated(rng, 20, 10)) is None  # levels of a factor
    levels = np.eye(50)[np.repeat(np.arange(50), 10)]  # of one that is one-hot
    one_hot = canonical_samples(levels, rng.normal(size=(500, 1)), np.ones(500))
    assert groups_of_twins(one_hot) is None


@pytest.mark.parametrize("n_members", [1, 4])
@pytest.mark.parametrize("n_held_out", [2, 17, 40])
def test_nobody_is_judged_by_a_group_it_learned_from(rng, n_members, n_held_out):
    groups = groups_of_twins(repeated(rng, 40, 5))
    seed = np.random.RandomState(0)
    train, held_out = folds(200, n_held_out, n_members, seed, groups)
    assert held_out.shape == (n_members, n_held_out)
    assert len(np.unique(held_out)) == n_members * n_held_out
    assert train.shape[1] >= 200 - n_held_out - 8
    for learned, judges in zip(train, held_out, strict=True):
        assert len(np.unique(learned)) == len(learned)
        assert not set(groups[learned]) & set(groups[judges])


def test_what_repeats_itself_is_not_taken_for_known(rng):
    """Each of 120 things is measured five times, and differs from what x says."""
    x, x_test = rng.uniform(-1, 1, (120, 3)), rng.uniform(-1, 1, (2000, 3))
    own = 0.5 * rng.normal(size=120)
    X = np.repeat(x, 5, axis=0)
    y = np.repeat(x[:, 0] + own, 5) + 0.05 * rng.normal(size=600)
    y_test = x_test[:, 0] + np.hypot(0.5, 0.05) * rng.normal(size=2000)
    model = MDNRegressor(random_state=0).fit(X, y)
    assert interval_coverage(y_test, model.predict_distribution(x_test)) > 0.75


@pytest.mark.parametrize(("n_rows", "expected"), [(1, 0), (10, 0), (20, 2), (500, 50)])
def test_too_few_rows_are_not_split(n_rows, expected):
    assert n_validation_rows(n_rows, 0.1) == expected
