"""Entropy against adaptive quadrature and its laws."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_mixtures import gentle, rows, wild
from scipy import integrate

from skmdn._quadrature import entropy
from skmdn._univariate import logpdf

OFFSETS = np.array([-30, -9, -5, -3, -1, 0, 1, 3, 5, 9, 30])


def adaptive_entropy(log_weights, means, stds):
    alive = np.isfinite(log_weights)
    one = log_weights[None], means[None], stds[None]
    edges = np.unique(means[alive, None] + stds[alive, None] * OFFSETS)

    def integrand(y):
        height = logpdf(np.array([y]), *one)[0]
        return -np.exp(height) * height if height > -700 else 0.0

    parts = [
        integrate.quad(integrand, a, b, epsabs=1e-10, epsrel=1e-8, limit=200)[0]
        for a, b in pairwise(edges)
    ]
    return sum(parts)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", [gentle, wild])
def test_entropy_is_its_integral(make, seed):
    options = {} if make is gentle else {"spread": 0}
    mixtures = make(4, 3, seed, **options)
    truth = [adaptive_entropy(*row) for row in zip(*mixtures, strict=True)]
    assert_allclose(entropy(*mixtures), truth, atol=1e-6)


@pytest.mark.parametrize("std", [1e-300, 1e-6, 1.0, 1e6, 1e300])
def test_entropy_of_one_gaussian(std):
    truth = np.log(std) + 0.5 * np.log(2 * np.pi * np.e)
    assert_allclose(entropy([[0.0]], [[7.0 * std]], [[std]]), truth, atol=1e-12)


def test_entropy_of_a_spike_beside_a_wide_component():
    weights, stds = np.array([[0.3, 0.7]]), np.array([[1e-6, 1e6]])
    means = np.array(
        [[1e6, 0.0]]
    )  # apart in scale: the parts' entropies and the choice
    parts = np.log(stds) + 0.5 * np.log(2 * np.pi * np.e) - np.log(weights)
    truth = (weights * parts).sum()
    assert_allclose(entropy(np.log(weights), means, stds), truth, atol=1e-9)


@pytest.mark.parametrize("make", [gentle, wild])
def test_entropy_shifts_by_the_log_of_a_unit(make):
    log_weights, means, stds = make(20, 4, 5)
    here = entropy(log_weights, means, stds)
    there = entropy(log_weights, 1e3 * means, 1e3 * stds)
    assert_allclose(there, here + np.log(1e3), atol=1e-10)


@pytest.mark.parametrize("K", [1, 9])
def test_rows_do_not_see_each_other(K):
    mixtures = wild(60, K, 2)
    all_rows = entropy(*mixtures)
    for some in ([7], [7, 3, 59]):
        assert_array_equal(entropy(*rows(mixtures, some)), all_rows[some])


def test_no_rows_no_entropy():
    assert entropy(*gentle(0, 3, 0)).shape == (0,)
