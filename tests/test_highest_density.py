"""Highest-density regions: the right mass, and no shorter set has it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import gentle, rows, wild
from scipy.special import ndtri

from skmdn._highest_density import highest_density_region
from skmdn._univariate import cdf, logpdf

COVERAGES = [0.01, 0.5, 0.9, 0.999]


def flat(regions):
    row = np.repeat(np.arange(len(regions)), [len(region) for region in regions])
    return row, np.concatenate(regions)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("K", [1, 2, 5, 20])
def test_mass_is_the_coverage_and_all_ends_are_equally_dense(K, coverage, seed):
    mixtures = gentle(40, K, seed)
    row, ends = flat(highest_density_region(coverage, *mixtures))
    mass = np.diff(cdf(ends, *rows(mixtures, row)), axis=1)[:, 0]
    assert_allclose(np.bincount(row, mass), coverage, atol=1e-9)
    height = logpdf(ends, *rows(mixtures, row))
    first = np.searchsorted(row, np.arange(40))
    assert_allclose(height, height[first[row], :1] + [0, 0], atol=1e-9)
    assert np.all(ends[:, 0] < ends[:, 1])
    assert np.all((ends[1:, 0] > ends[:-1, 1]) | (row[1:] != row[:-1]))


@pytest.mark.parametrize("coverage", COVERAGES)
def test_mass_is_the_coverage_for_spikes_beside_wide_components(coverage):
    mixtures = wild(60, 5, 0, spread=-2)
    row, ends = flat(highest_density_region(coverage, *mixtures))
    mass = np.diff(cdf(ends, *rows(mixtures, row)), axis=1)[:, 0]
    assert_allclose(np.bincount(row, mass), coverage, atol=1e-6)


@pytest.mark.parametrize("coverage", [0.3, 0.8, 0.95])
def test_no_set_of_grid_cells_with_that_mass_is_shorter(coverage):
    mixtures = gentle(30, 4, 3)
    regions = highest_density_region(coverage, *mixtures)
    edges, width = np.linspace(-20, 20, 40_001, retstep=True)
    for i, region in enumerate(regions):
        mass = np.diff(cdf(edges[None], *rows(mixtures, [i]))[0])
        shortest = np.searchsorted(np.cumsum(np.sort(mass)[::-1]), coverage) * width
        assert np.diff(region).sum() <= shortest + 1.5 * width
        assert np.diff(region).sum() >= shortest - 4 * len(region) * width


def test_two_separate_modes_give_two_intervals():
    pair = np.log([[0.5, 0.5]]), np.array([[-30.0, 30.0]]), np.ones((1, 2))
    reach = ndtri(0.95)
    expected = [[-30 - reach, -30 + reach], [30 - reach, 30 + reach]]
    assert_allclose(highest_density_region(0.9, *pair)[0], expected)


def test_intervals_that_touch_are_one():
    pair = np.log([[0.5, 0.5]]), np.array([[-1.0, 1.0]]), np.ones((1, 2))
    assert highest_density_region(0.01, *pair)[0].shape == (1, 2)
    apart = np.log([[0.5, 0.5]]), np.array([[-2.0, 2.0]]), np.ones((1, 2))
    sizes = [len(highest_density_region(c, *apart)[0]) for c in (0.3, 0.6, 0.99)]
    assert sizes == [2, 2, 1]


def test_a_gaussian_has_its_central_interval():
    one = np.zeros((2, 1)), np.array([[0.0], [5.0]]), np.array([[1.0], [1e-3]])
    regions = highest_density_region(np.array([0.95, 0.5]), *one)
    assert_allclose(regions[0], [[-ndtri(0.975), ndtri(0.975)]], rtol=1e-12)
    assert_allclose(
        regions[1], 5 + 1e-3 * ndtri(0.75) * np.array([[-1, 1]]), rtol=1e-12
    )


def test_all_but_the_last_bit_of_mass_is_a_region():
    for missed in 2.0**-53, 2.0**-50, 1e-12:
        coverage = np.array([1 - missed])
        (region,) = highest_density_region(
            coverage, np.log([[0.5, 0.5]]), np.array([[0.0, 3.0]]), np.ones((1, 2))
        )
        ends = 1.5 + np.array([-1, 1]) * (1.5 - ndtri(missed))  # of the outer tails
        assert_allclose(region, [ends], atol=0.2)


def test_full_coverage_is_the_line_and_none_is_the_mode():
    one = np.zeros((1, 1)), np.array([[4.0]]), np.ones((1, 1))
    assert_array_equal(highest_density_region(1.0, *one)[0], [[-np.inf, np.inf]])
    assert_allclose(highest_density_region(0.0, *one)[0], [[4, 4]], atol=1e-6)


@pytest.mark.parametrize("K", [1, 9])
def test_rows_do_not_see_each_other(K):
    mixtures = wild(40, K, 2)
    found = highest_density_region(0.8, *mixtures)
    for i in (7, 39):
        one = highest_density_region(0.8, *rows(mixtures, [i]))[0]
        assert_array_equal(one, found[i])


def test_no_rows_no_regions():
    assert highest_density_region(0.5, *gentle(0, 3, 0)) == []


def regular_grid(K, spacing):
    return np.full((1, K), -np.log(K)), spacing * np.arange(K)[None], np.ones((1, K))


@pytest.mark.parametrize("coverage", [1e-12, 1e-8, 1e-4, 1e-3, 0.1, 0.5])
@pytest.mark.parametrize(
    "mixture",
    [
        (np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1))),
        (np.log([[0.5, 0.5]]), np.array([[-1.0, 1.0]]), np.ones((1, 2))),
        regular_grid(20, 0.65),
        regular_grid(40, 0.7),
    ],
    ids=["normal", "quartic top", "ripple", "plateau"],
)
def test_mass_is_the_coverage_where_the_density_is_flat(mixture, coverage):
    row, ends = flat(highest_density_region(np.array([coverage]), *mixture))
    mass = np.diff(cdf(ends, *rows(mixture, row)), axis=1).sum()
    assert_allclose(mass, coverage, rtol=1e-8, atol=1e-15)
    law = rows(mixture, row)
    peak = logpdf(np.linspace(-2, 30, 10_001)[None], *rows(mixture, [0])).max()
    outside = logpdf(np.add(ends, [[-1e-9, 1e-9]]), *law)
    assert np.all(logpdf(ends.mean(axis=1), *law) >= outside.max() - 1e-6)
    if coverage <= 1e-3:
        assert_allclose(outside, peak, atol=1e-5)
