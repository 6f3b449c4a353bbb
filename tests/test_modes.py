"""Modes: all of them, and nothing else."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import gentle, rows, wild
from scipy.special import log_softmax

from skmdn import MixtureDistribution, _modes
from skmdn._modes import _monotone, critical_points, mode, modes
from skmdn._univariate import logpdf

# dense around every component: 1e-3 of its std in the middle, out to 40 stds
OFFSETS = 40 * np.sinh(np.linspace(-8, 8, 401)) / np.sinh(8)


def mixtures_of_many_scales(n, K, seed):
    rng = np.random.default_rng(seed)
    spread, ratio = rng.uniform(-1, 2, size=(n, 1)), rng.choice([0.1, 0.5, 2], (n, 1))
    return (
        log_softmax(rng.uniform(0, 4, size=(n, 1)) * rng.normal(size=(n, K)), axis=1),
        rng.normal(size=(n, K)) * 10**spread,
        10 ** (rng.normal(size=(n, K)) * ratio),
    )


def modes_between_grid_points(log_weights, means, stds):
    """Return neighbours on a fine grid between which the density turns to fall."""
    y = np.concatenate([(means[:, None] + stds[:, None] * OFFSETS).ravel(), means])
    y = np.unique(np.concatenate([y, np.linspace(means.min(), means.max(), 1001)]))
    y = y[(y >= means.min()) & (y <= means.max())][:, None]
    z = (y - means) / stds
    log_terms = log_weights - 2 * np.log(stds) - 0.5 * z * z
    terms = -z * np.exp(log_terms - log_terms.max(axis=1, keepdims=True))
    slope, scale = terms.sum(axis=1), (np.abs(terms) * (1 + z * z)).sum(axis=1)
    clear = np.abs(slope) > 1e-12 * scale
    y = np.concatenate([[means.min()], y[clear, 0], [means.max()]])
    up = np.concatenate([[True], slope[clear] > 0, [False]])
    top = np.flatnonzero(up[:-1] & ~up[1:])
    return y[top], y[top + 1]


@pytest.mark.parametrize("K", range(1, 11))
def test_modes_are_those_of_a_fine_grid(K):
    mixtures = mixtures_of_many_scales(1000, K, K)
    for found, row in zip(modes(*mixtures), zip(*mixtures, strict=True), strict=True):
        low, high = modes_between_grid_points(*row)
        assert len(found) == len(low)
        assert np.all((low <= np.sort(found)) & (np.sort(found) <= high))


@pytest.mark.parametrize("make", [gentle, wild])
@pytest.mark.parametrize("K", [1, 2, 7])
def test_every_mode_is_a_local_maximum_and_the_first_is_global(make, K):
    mixtures = make(200, K, K)
    found = modes(*mixtures)
    row = np.repeat(np.arange(200), [len(places) for places in found])
    y = np.concatenate(found)[:, None]
    alive = np.isfinite(mixtures[0])
    step = 1e-3 * np.where(alive, mixtures[2], np.inf).min(axis=1)[row][:, None]
    height = logpdf(y, *rows(mixtures, row))
    rounding = 1e-12 * (1 + (y / step) ** 2)  # of z^2 at a spike far from zero
    for beside in (y - step, y + step):
        assert np.all(logpdf(beside, *rows(mixtures, row)) <= height + rounding)
    assert_array_equal(mode(*mixtures), [places[0] for places in found])
    for places, one in zip(found, zip(*mixtures, strict=True), strict=True):
        heights = logpdf(places[None], *(a[None] for a in one))[0]
        assert np.all(np.diff(heights) <= 0)
        # no component's centre is denser than the mode
        centres = logpdf(one[1][None], *(a[None] for a in one))[0]
        clear = np.isfinite(one[0])
        assert np.all(centres[clear] <= heights[0] + 1e-9)


def test_two_unit_normals_part_at_a_distance_of_two():
    for apart, m in (1.0, 1), (2.0, 1), (2 + 1e-6, 2), (3.0, 2):
        pair = np.log([[0.5, 0.5]]), np.array([[5.0, 5 + apart]]), np.ones((1, 2))
        assert len(modes(*pair)[0]) == m
        assert_allclose(modes(*pair)[0].mean(), 5 + apart / 2)


def test_a_spike_on_a_wide_component_is_a_mode():
    stds = np.array([[1e-6, 1e6]])
    centred = modes(np.log([[0.5, 0.5]]), np.array([[3.0, 3.0]]), stds)[0]
    assert_array_equal(centred, [3.0])
    aside = modes(np.log([[0.5, 0.5]]), np.array([[1e6, 0.0]]), stds)[0]
    assert_allclose(aside, [1e6, 0.0], atol=1e-6)


def test_modes_commute_with_units_and_reflection():
    log_weights, means, stds = gentle(100, 5, 0)
    found = modes(log_weights, means, stds)
    for unit in 2.0**-200, -1.0, -(2.0**300):
        scaled = modes(log_weights, unit * means, abs(unit) * stds)
        for here, there in zip(found, scaled, strict=True):
            assert_allclose(there, unit * here, rtol=1e-9)


@pytest.mark.parametrize("apart", [1e16, 1e27, 1e99, 1e101, 1e104])
@pytest.mark.parametrize("std", [1e-10, 1.0])
def test_means_may_be_as_far_apart_as_floats_tell(apart, std):
    pair = np.log([[0.5, 0.5]]), np.array([[0.0, apart]]), np.array([[1.0, std]])
    assert_array_equal(np.sort(modes(*pair)[0]), [0, apart])


def test_means_may_be_further_apart_than_that():
    pair = np.log([[0.6, 0.4]]), np.array([[0.0, 1e150]]), np.ones((1, 2))
    assert_array_equal(mode(*pair), [0])


def test_dead_faint_and_coinciding_components():
    with np.errstate(divide="ignore"):
        log_weights = np.log([[1.0, 0.0, 1e-300], [0.5, 0.5, 0.0]])
    means = np.array([[0.0, 50.0, 2.0], [1.0, 1.0, 9.0]])
    found = modes(log_weights, means, np.array([[1.0, 1e-6, 1.0], [1.0, 2.0, 1.0]]))
    assert len(found[0]) == len(found[1]) == 1
    assert_allclose([places[0] for places in found], [0, 1], atol=1e-290)


def test_modes_and_antimodes_alternate():
    row, y, is_mode = critical_points(*wild(200, 6, 0))
    same = row[1:] == row[:-1]
    assert np.all(y[1:][same] >= y[:-1][same])
    assert np.all(is_mode[1:][same] != is_mode[:-1][same])
    assert is_mode[0]
    assert np.all(is_mode[1:][~same] & is_mode[:-1][~same])


@pytest.mark.parametrize("K", [1, 9])
def test_rows_do_not_see_each_other(K):
    mixtures = wild(60, K, 2)
    found = modes(*mixtures)
    for i in (7, 59):
        assert_array_equal(modes(*rows(mixtures, [i]))[0], found[i])


def test_no_rows_no_modes():
    assert modes(*gentle(0, 3, 0)) == []
    assert mode(*gentle(0, 3, 0)).shape == (0,)


def test_a_plateau_is_little_work(monkeypatch):
    """Its ripple is below rounding, and any of its places is as good a mode."""
    looked_at = []

    def counted(low, *arguments):
        looked_at.append(low.size)
        return _monotone(low, *arguments)

    monkeypatch.setattr(_modes, "_monotone", counted)
    for K, step in [(30, 0.69), (40, 0.64), (40, 0.7)]:
        means = step * np.arange(K)[None]
        law = MixtureDistribution(np.full((1, K), 1 / K), means, np.ones((1, K)))
        grid = np.linspace(0, step * (K - 1), 10_001)
        highest = law[np.zeros(10_001, dtype=int)].pdf(grid).max()
        assert law.pdf(law.mode()) > (1 - 1e-6) * highest
        assert len(law.modes()[0]) < 100
    assert sum(looked_at) < 3 * 2 * 20 * _modes.CROWD
