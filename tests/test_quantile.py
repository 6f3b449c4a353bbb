"""Quantiles and expected shortfall."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import gentle, rows, wild
from scipy import integrate
from scipy.special import ndtr, ndtri

from skmdn._quantile import expected_shortfall, ppf

SEEDS = range(3)
LEVELS = np.array([1e-12, 1e-9, 1e-4, 0.01, 0.3, 0.5, 0.6, 0.99, 1 - 1e-9, 1 - 1e-12])


def tails(y, log_weights, means, stds):
    z = (y[..., None] - means[:, None]) / stds[:, None]
    weights = np.exp(log_weights)[:, None]
    return (weights * ndtr(z)).sum(axis=-1), (weights * ndtr(-z)).sum(axis=-1)


def misses(q, y, mixtures):
    below, above = tails(y, *mixtures)
    return np.where(q < 0.5, below - q, (1 - q) - above) / np.minimum(q, 1 - q)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("K", [1, 2, 5, 13, 40])
def test_cdf_of_ppf_is_the_level(K, seed):
    mixtures = wild(70, K, seed, spread=0)
    q = np.broadcast_to(LEVELS, (70, len(LEVELS)))
    y = ppf(q, *mixtures)
    # a spike may leave no float where the cdf is the level: then two embrace it
    left = misses(q, np.nextafter(y, -np.inf), mixtures)
    right = misses(q, np.nextafter(y, np.inf), mixtures)
    embraced = (left <= 0) & (right >= 0)
    assert np.all((np.abs(misses(q, y, mixtures)) < 1e-10) | embraced)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_tails_keep_their_digits(seed):
    mixtures = gentle(200, 5, seed)
    q = np.broadcast_to(LEVELS, (200, len(LEVELS)))
    assert np.abs(misses(q, ppf(q, *mixtures), mixtures)).max() < 1e-12


@pytest.mark.parametrize("spread", [0, 6, 9])
def test_quantiles_never_cross(spread):
    mixtures = wild(200, 6, 3, spread)
    q = np.random.default_rng(0).uniform(size=(200, 40))
    q = np.sort(np.column_stack([q, np.tile(LEVELS, (200, 1))]), axis=1)
    assert np.all(np.diff(ppf(q, *mixtures), axis=1) >= 0)


def test_one_gaussian_has_its_own_quantiles():
    q = np.array([[0.0, 1e-300, 0.1, 0.5, 0.9, 1.0]])
    y = ppf(q, [[0.0]], [[3.0]], [[2.0]])
    assert_allclose(y, 3 + 2 * ndtri(q), rtol=1e-14)


@pytest.mark.parametrize("power", [-300, -20, 7, 300])
def test_quantiles_commute_with_units(power):
    log_weights, means, stds = gentle(50, 4, 1)
    q = np.broadcast_to(LEVELS, (50, len(LEVELS)))
    unit = 2.0**power
    scaled = ppf(q, log_weights, means * unit, stds * unit)
    assert_allclose(scaled, ppf(q, log_weights, means, stds) * unit, rtol=1e-12)


def test_reflection_swaps_the_tails():
    log_weights, means, stds = gentle(50, 4, 1)
    q = np.tile([2.0**-40, 0.125, 0.25], (50, 1))
    mirrored = -ppf(1 - q, log_weights, -means, stds)
    assert_array_equal(mirrored, ppf(q, log_weights, means, stds))


def test_a_flat_valley_is_no_trap():
    q = np.array([[0.3 - 1e-12, 0.3, 0.3 + 1e-12, 0.999]])
    mixtures = np.log([[0.3, 0.7]]), np.array([[-1e5, 1e5]]), np.ones((1, 2))
    y = ppf(q, *mixtures)
    assert np.all(np.abs(misses(q, y, mixtures)) < 1e-10)
    assert np.all(np.diff(y) >= 0)


@pytest.mark.parametrize(("n", "K", "Q"), [(0, 3, 2), (3, 1, 0), (1, 1, 1)])
def test_small_shapes(n, K, Q):
    assert ppf(np.full((n, Q), 0.3), *gentle(n, K, 0)).shape == (n, Q)


@pytest.mark.parametrize("K", [1, 9, 20])
def test_rows_do_not_see_each_other(K):
    mixtures = wild(300, K, 2)
    q = np.tile(LEVELS, (300, 1))
    y = ppf(q, *mixtures)
    some = np.array([7, 3, 299])
    assert_array_equal(ppf(q[some], *rows(mixtures, some)), y[some])
    assert_array_equal(ppf(q[7:8, 2:3], *rows(mixtures, [7])), y[7:8, 2:3])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("level", [1e-6, 0.05, 0.5, 0.99])
def test_expected_shortfall_is_the_mean_below_the_quantile(level, seed):
    mixtures = gentle(3, 3, seed)
    for i, shortfall in enumerate(expected_shortfall(level, *mixtures)):
        one = rows(mixtures, [i])
        v = ppf(np.array([[level]]), *one)[0, 0]
        gap, _ = integrate.quad(
            lambda y, one=one: tails(np.array([[y]]), *one)[0][0, 0],
            *(v - 60, v),
            points=[v - 1, v - 5],
            limit=500,
            epsabs=0,
            epsrel=1e-11,
        )  # E[v - Y; Y <= v] is the integral of the cdf
        assert_allclose(shortfall, v - gap / level, rtol=1e-10)


def test_expected_shortfall_ends_at_the_mean():
    log_weights, means, _ = mixtures = gentle(20, 3, 0)
    mean = (np.exp(log_weights) * means).sum(axis=1)
    for level in 1.0, 1 - 1e-15:
        assert_allclose(expected_shortfall(level, *mixtures), mean, atol=1e-13)
    levels = np.linspace(0, 1, 20)
    path = [expected_shortfall(level, *mixtures) for level in levels]
    assert np.all(np.diff(path, axis=0) > 0)
    assert np.all(np.isneginf(path[0]))


def test_expected_shortfall_of_one_gaussian():
    level = np.array([1e-12, 0.01, 0.7])
    z = ndtri(level)
    truth = 5 - 2 * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) / level
    one = np.zeros((3, 1)), np.full((3, 1), 5.0), np.full((3, 1), 2.0)
    assert_allclose(expected_shortfall(level, *one), truth, rtol=1e-13)
