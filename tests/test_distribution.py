"""The law against independent oracles: scipy, brute-force integration, draws."""

import copy
import pickle
from itertools import combinations

import numpy as np
import pytest
from conftest import random_law
from scipy import stats
from scipy.integrate import simpson
from scipy.special import logsumexp

from skmdn import MixtureDistribution

KINDS = ["full", "diag"]


def scipy_logpdf(law, row, y):
    """Log-density of one row's mixture at points (S, D), by scipy."""
    components = [
        stats.multivariate_normal(mean, cov).logpdf(y)
        for mean, cov in zip(law.means[row], law.covariances[row], strict=True)
    ]
    return logsumexp(law.log_weights[row] + np.transpose(components), axis=-1)


def integrate(density, *axes):
    for axis in reversed(axes):
        density = simpson(density, x=axis, axis=-1)
    return density


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_outputs", [1, 2, 3, 5])
def test_logpdf_is_that_of_scipy(rng, kind, n_outputs):
    law = random_law(rng, n_outputs=n_outputs, kind=kind)
    y = rng.normal(scale=3.0, size=(len(law), n_outputs))
    expected = [scipy_logpdf(law, i, y[[i, i]])[0] for i in range(len(law))]
    np.testing.assert_allclose(law.logpdf(y), expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(law.pdf(y), np.exp(expected), rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_two_outputs_integrate_to_one(rng, kind):
    law = random_law(rng, n=1, kind=kind)
    axis = np.linspace(-25, 25, 401)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    density = law[np.zeros(len(grid), dtype=int)].pdf(grid).reshape(401, 401)
    np.testing.assert_allclose(integrate(density, axis, axis), 1, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_moments_are_those_of_many_draws(rng, kind, n_outputs):
    law = random_law(rng, n=2, n_outputs=n_outputs, kind=kind)
    draws = law.sample(200_000, random_state=0).reshape(2, -1, n_outputs)
    covariance = np.stack(
        [np.cov(row.T).reshape(n_outputs, n_outputs) for row in draws]
    )
    se = law.std().reshape(2, n_outputs) / np.sqrt(200_000)
    assert np.all(np.abs(law.mean().reshape(2, -1) - draws.mean(1)) < 5 * se)
    np.testing.assert_allclose(law.cov(), covariance, atol=0.03 * law.var().max())


def test_moments_agree_with_each_other(rng):
    law = random_law(rng, n_outputs=3)
    np.testing.assert_allclose(law.var(), np.diagonal(law.cov(), axis1=1, axis2=2))
    np.testing.assert_allclose(law.std() ** 2, law.var())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outputs", [[0], [1], [2], [0, 1], [0, 2], [2, 1], [2, 0, 1]])
def test_marginal_is_made_of_sub_blocks(rng, kind, outputs):
    law = random_law(rng, n_outputs=3, kind=kind)
    expected = MixtureDistribution(
        law.weights,
        law.means[..., outputs],
        law.covariances[..., outputs, :][..., outputs],
    )
    y = rng.normal(scale=2.0, size=(len(law), len(outputs)))
    marginal = law.marginal(outputs)
    np.testing.assert_allclose(marginal.logpdf(y), expected.logpdf(y), atol=1e-10)
    np.testing.assert_allclose(marginal.cov(), expected.cov(), rtol=1e-10)


@pytest.mark.parametrize("outputs", [[0], [1], [2], [0, 1], [0, 2], [1, 2]])
def test_marginal_integrates_the_joint_density(outputs):
    law = random_law(np.random.default_rng(0), n=1, n_outputs=3)
    hidden = [d for d in range(3) if d not in outputs]
    axes = [np.linspace(-22, 22, 201)] * len(hidden)
    point = law.mean()[0] + 0.3
    grid = np.tile(point, (201 ** len(hidden), 1))
    grid[:, hidden] = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(
        -1, len(hidden)
    )
    joint = np.exp(scipy_logpdf(law, 0, grid)).reshape([201] * len(hidden))
    brute_force = integrate(joint, *axes)
    np.testing.assert_allclose(
        law.marginal(outputs).pdf(point[None, outputs]), brute_force, rtol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "given", [list(g) for size in (1, 2) for g in combinations(range(3), size)]
)
def test_marginal_times_conditional_is_joint(rng, kind, given):
    law = random_law(rng, n_outputs=3, kind=kind)
    free = [d for d in range(3) if d not in given]
    y = rng.normal(scale=2.0, size=(len(law), 3))
    marginal = law.marginal(given).logpdf(y[:, given])
    conditional = law.conditional(given, y[:, given]).logpdf(y[:, free])
    np.testing.assert_allclose(marginal + conditional, law.logpdf(y), atol=1e-10)


def test_conditional_does_not_mind_the_order_of_what_is_given(rng):
    law = random_law(rng, n_outputs=4)
    y = rng.normal(size=(len(law), 2))
    one = law.conditional([3, 1], y)
    other = law.conditional([1, 3], y[:, ::-1])
    np.testing.assert_allclose(one.mean(), other.mean(), rtol=1e-10)
    np.testing.assert_allclose(one.cov(), other.cov(), rtol=1e-10)


def test_conditional_keeps_its_digits_when_outputs_are_nearly_copies():
    variances = np.array([[[[1.0, 1.0], [1.0, 1.0 + 1e-10]]]])
    law = MixtureDistribution([[1.0]], [[[0.0, 0.0]]], variances)
    conditional = law.conditional(0, [3.0])
    np.testing.assert_allclose(conditional.mean(), 3.0, rtol=1e-5)
    np.testing.assert_allclose(conditional.std(), 1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_pass_a_kolmogorov_smirnov_test(rng, kind):
    law = random_law(rng, n=2, n_outputs=2, kind=kind)
    draws = law.sample(5_000, random_state=rng.integers(1000))
    assert draws.shape == (2, 5_000, 2)
    stds = np.sqrt(np.diagonal(law.covariances, axis1=2, axis2=3))  # (n, K, D)
    for row in range(2):
        for output in range(2):

            def cdf(y, row=row, output=output):
                z = (y[:, None] - law.means[row, :, output]) / stds[row, :, output]
                return stats.norm.cdf(z) @ law.weights[row]

            assert stats.kstest(draws[row, :, output], cdf).pvalue > 1e-3


def test_a_component_of_weight_zero_is_never_drawn():
    law = MixtureDistribution([[0.0, 1.0, 0.0]], [[-9.0, 0.0, 9.0]], [[1e-4] * 3])
    assert np.abs(law.sample(10_000, random_state=0)).max() < 1


def test_responsibilities_are_bayes_rule(rng):
    law = random_law(rng)
    y = rng.normal(size=(len(law), 2))
    joint = np.array(
        [
            [
                weight * stats.multivariate_normal(mean, cov).pdf(y[row])
                for weight, mean, cov in zip(
                    law.weights[row], law.means[row], law.covariances[row], strict=True
                )
            ]
            for row in range(len(law))
        ]
    )
    expected = joint / joint.sum(1, keepdims=True)
    np.testing.assert_allclose(law.responsibilities(y), expected, rtol=1e-9)


def test_far_away_observations_still_have_a_density(rng):
    law = random_law(rng)
    y = np.full((len(law), 2), 1e6)
    assert np.all(np.isfinite(law.logpdf(y)))
    np.testing.assert_allclose(law.responsibilities(y).sum(1), 1)
    assert np.all(law.pdf(np.full((len(law), 2), 1e200)) == 0)


@pytest.mark.parametrize("far", [1e9, 1e100, 1e200, -1e200])
def test_what_is_far_from_all_is_nearest_to_the_widest(far):
    law = MixtureDistribution(
        [[0.5, 0.3, 0.2]], [[[0, 0], [1, 2], [0, 5]]], [[[1, 1], [4, 1], [4, 9]]]
    )
    one = law.marginal(0)[[0]].responsibilities([far])[0]
    assert one[0] == 0
    assert one.sum() == pytest.approx(1)
    conditional = law.conditional(0, [far])
    np.testing.assert_array_equal(conditional.weights[0], one)
    assert np.isfinite(conditional.mean()).all()


@pytest.mark.parametrize("kind", KINDS)
def test_entropy_of_one_component_is_exact(rng, kind):
    law = random_law(rng, n_components=1, n_outputs=3, kind=kind)
    expected = [
        stats.multivariate_normal(law.means[i, 0], law.covariances[i, 0]).entropy()
        for i in range(len(law))
    ]
    np.testing.assert_allclose(law.entropy(), expected, rtol=1e-10)


def test_entropy_is_the_expected_surprise_of_draws(rng):
    law = random_law(rng, n=2, n_outputs=2)
    draws = law.sample(100_000, random_state=0)
    for row in range(2):
        surprise = -scipy_logpdf(law, row, draws[row])
        error = surprise.std() / np.sqrt(len(surprise))
        assert abs(law.entropy()[row] - surprise.mean()) < 5 * error + 5e-3


def test_a_diagonal_law_is_the_full_law_of_diagonal_matrices(rng):
    diagonal = random_law(rng, kind="diag")
    full = MixtureDistribution(diagonal.weights, diagonal.means, diagonal.covariances)
    y = rng.normal(size=(len(full), 2))
    np.testing.assert_allclose(full.logpdf(y), diagonal.logpdf(y), rtol=1e-12)
    np.testing.assert_allclose(full.cov(), diagonal.cov(), rtol=1e-12)


def test_indexing_keeps_rows(rng):
    law = random_law(rng, n=5)
    y = rng.normal(size=(5, 2))
    mask = np.array([True, False, True, False, True])
    for rows in [mask, slice(1, 3), [4, 0], np.array([2])]:
        np.testing.assert_array_equal(law[rows].logpdf(y[rows]), law.logpdf(y)[rows])
    assert len(law[-1]) == 1
    np.testing.assert_array_equal(law[-1].means[0], law.means[4])
    np.testing.assert_array_equal(law[np.array(1)].means, law[[1]].means)
    with pytest.raises(IndexError):
        law[5]
    for nothing in (None, (0, 1), 0.5, [0.0], True, [[0]], [True]):
        with pytest.raises(IndexError):
            law[nothing]


def test_no_row_is_a_law_too(rng):
    law = random_law(rng)[[]]
    assert len(law) == 0
    assert law.mean().shape == (0, 2)
    assert law.cov().shape == (0, 2, 2)
    assert law.logpdf(np.empty((0, 2))).shape == (0,)
    assert law.sample(3, random_state=0).shape == (0, 3, 2)
    assert repr(law) == "MixtureDistribution(n=0, n_components=3, n_outputs=2)"


def test_the_law_is_frozen(rng):
    law = random_law(rng)
    with pytest.raises(AttributeError, match="frozen"):
        law.means = 0
    with pytest.raises(AttributeError, match="frozen"):
        del law._means
    with pytest.raises(ValueError, match="read-only"):
        law.means[0] = 0


def test_the_law_does_not_follow_its_ingredients():
    means = np.array([[0.0, 1.0]])
    law = MixtureDistribution([[0.5, 0.5]], means, [[1.0, 1.0]])
    means += 10
    assert law.mean() == [0.5]
    assert means.flags.writeable


@pytest.mark.parametrize("kind", KINDS)
def test_copies_give_the_same_answers(rng, kind):
    law = random_law(rng, kind=kind)
    y = rng.normal(size=(len(law), 2))
    for twin in [pickle.loads(pickle.dumps(law)), copy.deepcopy(law), copy.copy(law)]:
        np.testing.assert_array_equal(twin.logpdf(y), law.logpdf(y))
        assert not twin.means.flags.writeable


@pytest.mark.parametrize("layout", [np.asfortranarray, np.ascontiguousarray])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_rows_do_not_see_each_other(rng, layout, n_outputs):
    K, n = 12, 60
    weights = rng.dirichlet(np.ones(K), n)
    means = rng.normal(size=(n, K, n_outputs))
    variances = rng.gamma(2, size=(n, K, n_outputs))
    law = MixtureDistribution(*(layout(a) for a in (weights, means, variances)))
    y = rng.normal(size=(n, n_outputs))
    for ask in (
        lambda law, y: law.mean(),
        lambda law, y: law.var(),
        lambda law, y: law.cov(),
        lambda law, y: law.logpdf(y),
        lambda law, y: law.responsibilities(y),
        lambda law, y: law.entropy(),
        lambda law, y: law.ppf(0.3),
        lambda law, y: law.energy_score(y),
        lambda law, y: law.aleatoric_var(),
    ):
        together = ask(law, y)
        for i in range(0, n, 7):
            np.testing.assert_array_equal(ask(law[i], y[[i]])[0], together[i])


def test_moments_keep_their_digits_far_from_zero(rng):
    weights = rng.dirichlet(np.ones(4), 50)
    means = np.round(rng.normal(size=(50, 4, 2)) * 16) / 2**14
    variances = rng.gamma(2, size=(50, 4, 2)) * 1e-6
    near = MixtureDistribution(weights, means, variances)
    far = MixtureDistribution(weights, 2**27 + means, variances)
    np.testing.assert_allclose(far.var(), near.var(), rtol=1e-13)
    np.testing.assert_allclose(far.cov(), near.cov(), rtol=1e-13, atol=1e-18)


def test_a_law_is_no_array(rng):
    law = random_law(rng, n=1200)
    for use in (np.asarray, lambda law: np.zeros(1200) - law):
        with pytest.raises(TypeError):
            use(law)
    with pytest.raises(TypeError, match=r"law\.mean\(\)"):
        np.asarray(law)
    means = [row.mean()[0] for row in law]
    np.testing.assert_array_equal(means, law.mean())


@pytest.mark.parametrize("kinds", [["diag"] * 3, ["full", "diag", "full"]])
def test_laws_are_joined_row_by_row(rng, kinds):
    laws = [random_law(rng, n=n, kind=kind) for n, kind in enumerate(kinds, 2)]
    law = np.concatenate(laws)
    assert len(law) == 2 + 3 + 4
    y = rng.normal(size=(9, law.n_outputs))
    parts = np.split(y, [2, 5])
    expected = [one.logpdf(part) for one, part in zip(laws, parts, strict=True)]
    np.testing.assert_allclose(law.logpdf(y), np.hstack(expected), rtol=1e-12)
    np.testing.assert_allclose(law.cov()[2:5], laws[1].cov(), rtol=1e-12)


def test_laws_of_different_kinds_are_not_joined(rng):
    law = random_law(rng, n_outputs=2)
    other = random_law(rng, n_outputs=3)
    with pytest.raises(ValueError, match="as many components, outputs and members"):
        np.concatenate([law, other])
    for wrong in [lambda: np.concatenate([law, law], axis=1), lambda: np.mean(law)]:
        with pytest.raises(TypeError, match=r"law\.mean\(\)"):
            wrong()
    for wrong in [[law, np.ones(3)], (one for one in [law])]:
        with pytest.raises(TypeError, match="joins a list of laws, no others"):
            np.concatenate(wrong)
    np.testing.assert_array_equal(np.concatenate({1: law}.values()).means, law.means)


def test_repr_spells_out_the_first_rows(rng):
    lines = repr(random_law(rng, n=9, n_components=5)).splitlines()
    assert lines[0] == "MixtureDistribution(n=9, n_components=5, n_outputs=2)"
    assert lines[1].startswith("  [0] ")
    assert lines[-1] == "  ..."


@pytest.mark.parametrize(
    ("weights", "means", "covariances", "message"),
    [
        ([[0.5, 0.6]], [[0, 1]], [[1, 1]], "sum of 1.1"),
        ([[1.5, -0.5]], [[0, 1]], [[1, 1]], "negative, got -0.5"),
        ([[0.5, 0.5]], [[0, 1]], [[1, 0]], "positive, got 0.0"),
        ([[0.5, 0.5]], [[0, np.nan]], [[1, 1]], r"means must be finite.*\(0, 1, 0\)"),
        ([[0.5j, 0.5]], [[0, 1]], [[1, 1]], "weights must be real numbers"),
        ([[0.5, 0.5]], [["a", "b"]], [[1, 1]], "means must be real numbers"),
        ([[0.5, 0.5]], [[0, 1]], [[1], [1, 1]], "covariances must be real numbers"),
        ([[0.5, 0.5]], [[0, 1, 2]], [[1, 1, 1]], "means must have shape"),
        ([[0.5, 0.5]], [[0, 1]], [[1]], "covariances must have the shape of means"),
        ([0.5, 0.5], [[0, 1]], [[1, 1]], r"weights must have shape \(n, K\)"),
        ([[1]], [[[0, 0]]], [[[[1, 2], [2, 1]]]], "positive definite"),
        ([[1]], [[[0, 0]]], [[[[1, 0.5], [0, 1]]]], "symmetric, got 0.5 where"),
    ],
)
def test_parameters_that_are_no_law_are_refused(weights, means, covariances, message):
    with pytest.raises(ValueError, match=message):
        MixtureDistribution(weights, means, covariances)


def test_a_far_row_warns_of_no_other():
    """Nor does the row that lies on all means at once."""
    law = MixtureDistribution([[0.5, 0.5]] * 2, [[0, 0]] * 2, [[1e-6, 4e-6]] * 2)
    np.testing.assert_allclose(
        law.responsibilities([0, 1e307]), [[2 / 3, 1 / 3], [0, 1]]
    )


def test_matrices_may_be_as_symmetric_as_rounding_lets_them(rng):
    for dtype in (np.float32, np.float64):
        turns = np.linalg.qr(rng.normal(size=(20, 1, 4, 4)))[0].astype(dtype)
        matrices = 3 * turns @ turns.swapaxes(-1, -2)
        law = MixtureDistribution(np.ones((20, 1)), np.zeros((20, 1, 4)), matrices)
        np.testing.assert_allclose(law.covariances, matrices, atol=1e-5)
        other = MixtureDistribution(
            np.ones((20, 1)), np.zeros((20, 1, 4)), matrices.swapaxes(-1, -2)
        )
        np.testing.assert_array_equal(law.covariances, other.covariances)


def test_questions_that_have_no_answer_are_refused(rng):
    law = random_law(rng, n=4, n_outputs=3)
    with pytest.raises(ValueError, match=r"shape \(4, 3\)"):
        law.logpdf(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="NaN, first in row 2"):
        law.logpdf(np.where(np.arange(4)[:, None] == 2, np.nan, np.zeros((4, 3))))
    with pytest.raises(ValueError, match="integers from 0 to 2"):
        law.marginal(3)
    with pytest.raises(ValueError, match="integers from 0 to 2"):
        law.marginal([])
    with pytest.raises(ValueError, match="twice"):
        law.marginal([1, 1])
    with pytest.raises(ValueError, match="none is left"):
        law.conditional([0, 1, 2], np.zeros((4, 3)))
    for infinite in (np.inf, -np.inf):
        with pytest.raises(ValueError, match=r"y must be finite, got -?inf"):
            law.conditional(0, np.full(4, infinite))
        with pytest.raises(ValueError, match=r"y must be finite, got -?inf"):
            law.responsibilities(np.full((4, 3), infinite))
    for number in (0, True, 1.5):
        with pytest.raises(ValueError, match="at least 1"):
            law.sample(number)


def test_one_output_is_never_broadcast(rng):
    law = random_law(rng, n=4, n_outputs=1)
    column = law.logpdf(np.zeros((4, 1)))
    assert column.shape == (4,)
    np.testing.assert_array_equal(column, law.logpdf(np.zeros(4)))
    for shape in [(), (1,), (3,), (1, 4), (4, 4), (4, 1, 1)]:
        with pytest.raises(ValueError, match=r"\(4,\) or \(4, 1\)"):
            law.logpdf(np.zeros(shape))


@pytest.mark.parametrize("y", [[np.inf, 0.0], [0.0, -np.inf], [np.inf, -np.inf]])
def test_infinity_is_out_of_reach_of_all_types(y):
    covariances = [np.eye(2), [[1.0, 0.5], [0.5, 1.0]]]
    full = MixtureDistribution([[0.5, 0.5]], [[[0, 0], [1, 1]]], [covariances])
    diagonal = MixtureDistribution([[1.0]], [[[0.0, 0.0]]], [[[1.0, 1.0]]])
    for law in (full, diagonal):
        assert law.logpdf([y]) == -np.inf
        assert law.pdf([y]) == 0


@pytest.mark.parametrize("means", [[0.0, 1e155], [1e155, 0.0]])
def test_a_component_without_weight_is_not_there(means):
    law = MixtureDistribution([[1.0, 0.0]], [means], [[1.0, 1.0]])
    assert law.var() == law.std() == 1
    assert law.crps([np.inf]) == np.inf


def test_means_as_far_apart_as_numbers_go_have_a_median():
    law = MixtureDistribution([[0.5, 0.5]], [[-1e155, 1e155]], [[1.0, 1.0]])
    assert np.abs(law.median()) <= 1e155
    np.testing.assert_allclose(law.interval(0.9), [[-1e155, 1e155]])
    region = law.highest_density_region(0.9)[0]
    np.testing.assert_allclose(region[[0, -1], [0, 1]], [-1e155, 1e155])


def test_a_shortfall_is_below_its_quantile_however_that_rounds():
    narrow = MixtureDistribution([[1.0]], [[1e8]], [[1e-24]])
    assert narrow.expected_shortfall(1e-20) == 1e8
    coarse = MixtureDistribution([[1.0]], [[1e8]], [[9e-20]])
    assert coarse.expected_shortfall(stats.norm.cdf(-30)) == pytest.approx(1e8)
    pair = MixtureDistribution([[0.5, 0.5]], [[-1.0, 1.0]], [[1.0, 1.0]])
    for level in (1e-300, 1e-320):
        below = pair.expected_shortfall(level) - pair.ppf(level)
        assert -1 < below < 0
