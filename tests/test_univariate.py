"""Closed forms of one output against independent computations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import gentle, rows, wild
from scipy import integrate, stats

from skmdn import _univariate as univariate

SEEDS = range(3)
SHAPES = [(0, 3), (1, 1), (7, 1), (50, 4)]


@pytest.mark.parametrize("seed", SEEDS)
def test_density_and_cdf_are_those_of_scipy(seed):
    log_weights, means, stds = mixtures = gentle(20, 4, seed)
    y = np.random.default_rng(seed).normal(size=(20, 3)) * 3
    law = stats.norm(means[:, None], stds[:, None])
    weights = np.exp(log_weights)[:, None]
    pdf = (weights * law.pdf(y[..., None])).sum(axis=-1)
    cdf = (weights * law.cdf(y[..., None])).sum(axis=-1)
    sf = (weights * law.sf(y[..., None])).sum(axis=-1)
    assert_allclose(univariate.logpdf(y, *mixtures), np.log(pdf), rtol=1e-12)
    assert_allclose(univariate.cdf(y, *mixtures), cdf, rtol=1e-12)
    assert_allclose(univariate.sf(y, *mixtures), sf, rtol=1e-12)
    assert_allclose(univariate.logcdf(y, *mixtures), np.log(cdf), atol=1e-12)
    assert_allclose(univariate.logsf(y, *mixtures), np.log(sf), atol=1e-12)


@pytest.mark.parametrize("name", ["logpdf", "cdf", "sf", "logcdf", "logsf"])
@pytest.mark.parametrize(("n", "K"), SHAPES)
def test_the_answer_has_the_shape_of_y(name, n, K):
    mixtures = wild(n, K, 0)
    assert getattr(univariate, name)(np.zeros(n), *mixtures).shape == (n,)
    assert getattr(univariate, name)(np.zeros((n, 2)), *mixtures).shape == (n, 2)


def test_limits_at_infinity():
    mixtures = wild(5, 3, 0)
    y = np.tile([-np.inf, np.inf, 1e308], (5, 1))
    assert_array_equal(univariate.logpdf(y, *mixtures), np.full((5, 3), -np.inf))
    assert_allclose(univariate.cdf(y, *mixtures), [[0, 1, 1]] * 5)
    assert_allclose(univariate.sf(y, *mixtures), [[1, 0, 0]] * 5)
    assert_allclose(univariate.logcdf(y, *mixtures), [[-np.inf, 0, 0]] * 5, atol=1e-15)
    assert univariate.logcdf(np.array([-1e3]), [[0.0]], [[0.0]], [[1.0]]) > -5.1e5


def test_crps_of_a_standard_normal_at_zero():
    score = univariate.crps(np.zeros(1), [[0.0]], [[0.0]], [[1.0]])
    assert_allclose(score, (np.sqrt(2) - 1) / np.sqrt(np.pi), rtol=1e-15)


@pytest.mark.parametrize("seed", SEEDS)
def test_crps_is_its_integral(seed):
    mixtures = gentle(5, 3, seed)
    y = np.random.default_rng(seed).normal(size=5) * 3
    for i, score in enumerate(univariate.crps(y, *mixtures)):
        one = rows(mixtures, [i])

        def squared(x, one=one, log_tail=univariate.logcdf):
            return np.exp(2 * log_tail(np.array([x]), *one)[0])

        left = integrate.quad(squared, -50, y[i], limit=500, epsabs=1e-12)
        right = integrate.quad(
            squared, y[i], 50, (one, univariate.logsf), limit=500, epsabs=1e-12
        )
        assert_allclose(score, left[0] + right[0], rtol=1e-8)


@pytest.mark.parametrize("K", [1, 2, 5, 40])
@pytest.mark.parametrize("make", [gentle, wild])
def test_crps_is_that_of_scoringrules(make, K):
    log_weights, means, stds = mixtures = make(50, K, K)
    y = means[:, 0] + stds[:, 0]
    score = univariate.crps(y, *mixtures)
    scoringrules = pytest.importorskip("scoringrules")  # wants NumPy 1.25
    theirs = scoringrules.crps_mixnorm(y, means, stds, np.exp(log_weights))
    scale = np.abs(y[:, None] - means) + stds
    scale = (np.exp(log_weights) * scale).sum(axis=1)
    assert np.all(np.abs(score - theirs) <= 1e-12 * scale)
    assert np.all(score >= 0)


def test_crps_of_a_spike_beside_a_wide_component_keeps_its_digits():
    mpmath = pytest.importorskip("mpmath")
    weights, means, stds, y = [0.9, 0.1], [0.0, 1.0], [1e-6, 1e6], 2e-6

    def mean_abs(m, s):
        return m * mpmath.erf(m / s / mpmath.sqrt(2)) + 2 * s * mpmath.npdf(m / s)

    with mpmath.workdps(50):
        w, m, s = ([mpmath.mpf(x) for x in xs] for xs in (weights, means, stds))
        pairs = sum(
            w[i] * w[j] * mean_abs(m[i] - m[j], mpmath.hypot(s[i], s[j]))
            for i in range(2)
            for j in range(2)
        )
        truth = sum(w[i] * mean_abs(y - m[i], s[i]) for i in range(2)) - pairs / 2
    score = univariate.crps(np.array([y]), np.log([weights]), [means], [stds])
    assert_allclose(score, float(truth), rtol=1e-14)


def test_crps_far_away_is_the_distance():
    mixtures = wild(4, 3, 1)
    far = univariate.crps(np.array([1e308, -1e308, np.inf, -np.inf]), *mixtures)
    assert_allclose(far, [1e308, 1e308, np.inf, np.inf])


@pytest.mark.parametrize("seed", SEEDS)
def test_skewness_and_kurtosis_are_those_of_quadrature(seed):
    mixtures = gentle(5, 3, seed)
    x, dx = np.linspace(-40, 40, 20_001, retstep=True)
    pdf = np.exp(univariate.logpdf(np.tile(x, (5, 1)), *mixtures))
    mean = (pdf * x).sum(axis=1) * dx
    moment = [
        (pdf * (x - mean[:, None]) ** p).sum(axis=1) * dx for p in range(5)
    ]  # the trapezoidal rule is exact to rounding on a smooth bump
    skew = moment[3] / moment[2] ** 1.5
    assert_allclose(univariate.skewness(*mixtures), skew, atol=1e-11)
    excess = moment[4] / moment[2] ** 2 - 3
    assert_allclose(univariate.kurtosis(*mixtures), excess, atol=1e-11)


@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize("far", [1e6, 1e12])
def test_shape_does_not_feel_a_far_component_of_no_weight(far, place):
    alone = np.array([[0.3, 0.7]]), np.array([[0.0, 0.003]]), np.array([[1e-3, 2e-3]])
    weights, means, stds = (
        np.insert(values, place, more, axis=1)
        for values, more in zip(alone, (1e-100, far, 1.0), strict=True)
    )
    for moment in (univariate.skewness, univariate.kurtosis):
        expected = moment(np.log(alone[0]), *alone[1:])
        assert_allclose(moment(np.log(weights), means, stds), expected, rtol=1e-12)


def test_shape_does_not_feel_units_or_a_far_origin():
    log_weights, means, stds = gentle(20, 3, 0)
    means = np.round(means * 2**20) / 2**20  # so that the shift below is exact
    for moment in univariate.skewness, univariate.kurtosis:
        here = moment(log_weights, means, stds)
        assert_allclose(moment(log_weights, means + 2**30, stds), here, atol=1e-11)
        large = moment(log_weights, means * 1e200, stds * 1e200)
        assert_allclose(large, here, atol=1e-11)
    same = np.full((1, 3), 1e6 + 0.1)
    assert (
        univariate.skewness(np.log([[0.2, 0.3, 0.5]]), same, np.full((1, 3), 1e-6)) == 0
    )


@pytest.mark.parametrize("K", [1, 9, 20])
def test_rows_do_not_see_each_other(K):
    mixtures = wild(300, K, 2)
    y = mixtures[1][:, 0]
    some = np.array([7, 3, 299])
    fortran = tuple(np.asfortranarray(a) for a in mixtures)
    for law in (univariate.crps, univariate.logpdf, univariate.cdf):
        all_rows = law(y, *mixtures)
        assert_array_equal(law(y[some], *rows(mixtures, some)), all_rows[some])
        assert_array_equal(law(y[7:8], *rows(mixtures, [7])), all_rows[7:8])
        assert_array_equal(law(y, *fortran), all_rows)


def test_a_component_of_weight_zero_changes_nothing():
    log_weights, means, stds = gentle(10, 3, 0)
    more = (
        np.column_stack([log_weights, np.full(10, -np.inf)]),
        np.column_stack([means, np.full(10, 1e9)]),
        np.column_stack([stds, np.full(10, 1e-9)]),
    )
    y = np.zeros(10)
    less = log_weights, means, stds
    for law in (univariate.crps, univariate.logpdf, univariate.cdf):
        assert_allclose(law(y, *more), law(y, *less), rtol=1e-14)
    assert_allclose(univariate.kurtosis(*more), univariate.kurtosis(*less), rtol=1e-12)
