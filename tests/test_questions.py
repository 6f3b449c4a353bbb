"""What a law is asked about its outputs, through the law itself."""

import numpy as np
import pytest
from conftest import random_law
from scipy import optimize, stats
from scipy.integrate import quad

from skmdn import MDNRegressor, MixtureDistribution, _mean_shift


def pooled(laws):
    """The law of an ensemble whose members are these laws."""
    weights = np.concatenate([law.weights for law in laws], axis=1)
    return MixtureDistribution._from_factors(
        np.log(weights / len(laws)),
        np.concatenate([law.means for law in laws], axis=1),
        np.concatenate([law._factors for law in laws], axis=1),
        n_members=len(laws),
    )


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_questions_of_an_output_are_those_of_its_marginal(rng, kind):
    law = random_law(rng, n_outputs=5, kind=kind)
    y = rng.normal(size=(len(law), 5))
    levels = [0.0, 1e-9, 0.3, 1.0]
    answers = {
        "cdf": law.cdf(y),
        "sf": law.sf(y),
        "logcdf": law.logcdf(y),
        "logsf": law.logsf(y),
        "ppf": law.ppf(levels),
        "median": law.median(),
        "interval": law.interval(0.8),
        "crps": law.crps(y),
        "skewness": law.skewness(),
        "kurtosis": law.kurtosis(),
        "value_at_risk": law.value_at_risk(0.1),
        "expected_shortfall": law.expected_shortfall(0.1),
    }
    for d in range(5):
        one = law.marginal(d)
        asked = dict.fromkeys(["cdf", "sf", "logcdf", "logsf", "crps"], y[:, d])
        asked |= {"ppf": levels, "interval": 0.8}
        for name, answer in answers.items():
            argument = asked.get(
                name, 0.1 if "risk" in name or "short" in name else None
            )
            question = getattr(one, name)
            alone = question() if argument is None else question(argument)
            np.testing.assert_allclose(answer[..., d], alone, rtol=1e-9)


def test_tails_have_all_their_digits():
    law = MixtureDistribution([[0.3, 0.7]] * 3, [[0.0, 1.0]] * 3, [[1.0, 4.0]] * 3)
    y = np.array([-2.0, 12.0, 200.0])
    tail = 0.3 * stats.norm.sf(y) + 0.7 * stats.norm(1, 2).sf(y)
    np.testing.assert_allclose(law.sf(y), tail, rtol=1e-12)
    np.testing.assert_allclose(law.cdf(y), 1 - tail, rtol=1e-12)
    last = np.log(0.7) + stats.norm(1, 2).logsf(y[2])
    np.testing.assert_allclose(law.logsf(y), [*np.log(tail[:2]), last], rtol=1e-12)
    far = np.full(3, 30.0)
    np.testing.assert_allclose(law.logcdf(far), -law.sf(far), rtol=1e-12)
    np.testing.assert_array_equal(law.logcdf(np.full(3, np.inf)), 0)
    mirrored = MixtureDistribution(law.weights, -law.means, law.covariances)
    np.testing.assert_array_equal(mirrored.logcdf(-y), law.logsf(y))


def test_cdf_and_ppf_are_inverse_and_agree_with_scipy(rng):
    law = random_law(rng, n=20, n_outputs=1)
    levels = np.array([1e-10, 0.01, 0.5, 0.9, 1 - 1e-9])
    quantiles = law.ppf(levels)
    assert quantiles.shape == (20, 5)
    assert np.all(np.diff(quantiles, axis=1) > 0)
    for column, level in zip(quantiles.T, levels, strict=True):
        np.testing.assert_allclose(law.cdf(column), level, rtol=1e-10)
    stds = np.sqrt(law.covariances[..., 0, 0])
    z = (0.7 - law.means[..., 0]) / stds
    expected = np.sum(law.weights * stats.norm.cdf(z), axis=1)
    np.testing.assert_allclose(law.cdf(np.full(20, 0.7)), expected, rtol=1e-12)
    np.testing.assert_array_equal(law.ppf([0, 1]), np.tile([-np.inf, np.inf], (20, 1)))
    np.testing.assert_array_equal(law.cdf(np.full(20, np.inf)), 1)


def test_units_carry_through_every_question(rng):
    law = random_law(rng, n_outputs=1)
    a, b = 2.0**7, 3.0
    other = MixtureDistribution(
        law.weights, a * law.means + b, a**2 * law.covariances[..., 0]
    )
    y = rng.normal(size=len(law))
    for ask in ("median", "mode", "interval", "value_at_risk", "expected_shortfall"):
        np.testing.assert_allclose(
            getattr(other, ask)(), a * getattr(law, ask)() + b, rtol=1e-9
        )
    for name in ("modes", "highest_density_region"):
        for ours, theirs in zip(
            getattr(law, name)(), getattr(other, name)(), strict=True
        ):
            np.testing.assert_allclose(theirs, a * ours + b, rtol=1e-7)
    np.testing.assert_allclose(other.crps(a * y + b), a * law.crps(y))
    np.testing.assert_allclose(other.entropy(), law.entropy() + np.log(a))


def test_value_at_risk_and_shortfall_are_of_the_lower_tail(rng):
    law = random_law(rng, n=3, n_outputs=1)
    level = 0.07
    quantile = law.value_at_risk(level)
    np.testing.assert_allclose(law.cdf(quantile), level)
    for i, q in enumerate(quantile):
        row = law[i]
        tail = quad(lambda y, row=row: y * row.pdf([y])[0], -60, q, limit=200)[0]
        assert law.expected_shortfall(level)[i] == pytest.approx(tail / level, rel=1e-6)
    np.testing.assert_allclose(law.expected_shortfall(1.0), law.mean(), rtol=1e-9)
    assert np.all(law.expected_shortfall(level) < quantile)


@pytest.mark.parametrize("n_outputs", [2, 5])
def test_energy_score_is_the_mean_over_draws(rng, n_outputs):
    law = random_law(rng, n=3, n_outputs=n_outputs)
    y = rng.normal(scale=2, size=(3, n_outputs))
    one, other = (law.sample(40_000, random_state=seed) for seed in (0, 1))
    to_y = np.linalg.norm(one - y[:, None], axis=-1)
    between = np.linalg.norm(one - other, axis=-1)
    terms = to_y - between / 2
    error = terms.std(axis=1) / np.sqrt(40_000)
    assert np.all(np.abs(law.energy_score(y) - terms.mean(axis=1)) < 4.5 * error)


def test_energy_score_of_one_output_is_the_crps(rng):
    from skmdn._energy import energy_score

    law = random_law(rng, n_outputs=1)
    y = rng.normal(size=(len(law), 1))
    np.testing.assert_array_equal(law.energy_score(y), law.crps(y))
    variances = law.covariances[..., 0]
    exact = energy_score(y, law.weights, law.means, variances)
    np.testing.assert_allclose(exact, law.crps(y), rtol=1e-9)


def test_energy_score_of_a_diagonal_law_is_that_of_its_matrices(rng):
    diagonal = random_law(rng, kind="diag")
    full = MixtureDistribution(diagonal.weights, diagonal.means, diagonal.covariances)
    y = rng.normal(size=(len(full), 2))
    np.testing.assert_allclose(
        diagonal.energy_score(y), full.energy_score(y), rtol=1e-9
    )


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_modes_of_two_outputs_are_those_of_a_grid(rng, kind):
    """Every peak of a grid, climbed to its top by scipy, is a mode."""
    law = random_law(rng, n=6, n_components=5, kind=kind)
    axis = np.linspace(-9, 9, 241)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    for i, found in enumerate(law.modes()):
        row = law[i]
        density = law[np.full(len(grid), i)].logpdf(grid).reshape(241, 241)
        peaks = np.argwhere(_above_neighbours(density)) + 1
        tops = [
            optimize.minimize(
                lambda y, row=row: -row.logpdf(y[None])[0],
                axis[peak],
                method="Nelder-Mead",
                options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000},
            ).x
            for peak in peaks
        ]
        for top in tops:
            assert np.linalg.norm(found - top, axis=1).min() < 1e-4
        for mode in found:
            assert np.linalg.norm(np.array(tops) - mode, axis=1).min() < 1e-4
        heights = law[np.full(len(found), i)].logpdf(found)
        assert np.all(np.diff(heights) <= 1e-12)
        np.testing.assert_array_equal(law.mode()[i], found[0])


def test_the_mode_of_many_components_is_the_highest_of_all_modes(rng):
    law = random_law(rng, n=6, n_components=12)
    highest = np.stack([found[0] for found in law.modes()])
    np.testing.assert_allclose(law.logpdf(law.mode()), law.logpdf(highest))


def _above_neighbours(values):
    centre = values[1:-1, 1:-1]
    around = [
        values[1 + i : values.shape[0] - 1 + i, 1 + j : values.shape[1] - 1 + j]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if i or j
    ]
    return np.all([centre > neighbour for neighbour in around], axis=0)


@pytest.mark.parametrize("exponents", [(8, -8, 0), (-8, 0, 8), (0, 8, -8)])
def test_units_of_three_outputs_carry_through_modes(rng, exponents):
    unit = 10.0 ** np.array(exponents)
    roots = rng.normal(size=(30, 4, 3, 3))
    covariances = roots @ roots.swapaxes(-1, -2) + 0.1 * np.eye(3)
    weights, means = rng.dirichlet(np.ones(4), 30), 2 * rng.normal(size=(30, 4, 3))
    law = MixtureDistribution(weights, means, covariances)
    other = MixtureDistribution(
        weights, means * unit, covariances * unit[:, None] * unit
    )
    for ours, theirs in zip(law.modes(), other.modes(), strict=True):
        assert len(ours) == len(theirs)
        np.testing.assert_allclose(theirs / unit, ours, rtol=1e-6, atol=1e-6)


def test_a_singular_matrix_spoils_no_other_solution(rng):
    matrices, vectors = rng.normal(size=(9, 3, 3)), rng.normal(size=(9, 3))
    expected = np.linalg.solve(matrices, vectors[..., None])[..., 0]
    matrices[4], expected[4] = 1, 0
    np.testing.assert_array_equal(_mean_shift._solve(matrices, vectors), expected)


def test_outputs_that_are_nearly_copies_still_have_a_mode():
    means = [[[0.0, 0.0], [9.0, 9.0]]] * 6
    for correlation in 1 - 10.0 ** -np.arange(4, 16, 2):
        matrix = np.array([[1, correlation], [correlation, 1]])
        law = MixtureDistribution([[0.6, 0.4]] * 6, means, [[matrix, matrix]] * 6)
        np.testing.assert_allclose(law.mode(), 0, atol=1e-6)


def test_a_precision_that_is_singular_to_rounding_still_has_a_mode():
    """As of a row far from all that were learned from."""
    factors = np.array([[[[1.0, 1e10], [0.0, 1.0]]] * 2])
    parameters = np.log([[0.6, 0.4]]), np.array([[[0.0, 0.0], [5.0, 1.0]]]), factors
    law = MixtureDistribution._from_factors(*parameters)
    heights = law[[0, 0, 0]].logpdf([law.mode()[0], [0, 0], [5, 1]])
    assert np.all(heights[0] >= heights[1:])


def test_an_infinite_observation_is_infinitely_far(rng):
    law = random_law(rng, n=4)
    y = np.where(np.eye(4, 2) > 0, [np.inf, -np.inf], rng.normal(size=(4, 2)))
    scores = law.energy_score(y)
    assert np.all(np.isinf(scores[:2]))
    np.testing.assert_array_equal(scores[2:], law[2:].energy_score(y[2:]))


@pytest.mark.parametrize("missed", [2.0**-53, 2.0**-40, 1e-3, 0.5, 1.0])
def test_both_tails_of_an_interval_are_equal(rng, missed):
    law = random_law(rng, n_outputs=1)
    mirrored = MixtureDistribution(law.weights, -law.means, law.covariances)
    lower, upper = law.interval(1 - missed).T
    np.testing.assert_allclose(law.cdf(lower), missed / 2, rtol=1e-9)
    np.testing.assert_allclose(mirrored.cdf(-upper), missed / 2, rtol=1e-9)
    np.testing.assert_allclose(
        np.column_stack([-upper, -lower]), mirrored.interval(1 - missed)
    )


def test_a_component_of_weight_zero_makes_no_mode():
    law = MixtureDistribution(
        [[1.0, 0.0]], [[[0.0, 0.0], [9.0, 9.0]]], [[[1.0, 1.0], [1.0, 1.0]]]
    )
    (modes,) = law.modes()
    np.testing.assert_allclose(modes, [[0.0, 0.0]], atol=1e-9)


def test_a_region_of_a_bimodal_row_is_two_intervals():
    law = MixtureDistribution([[0.4, 0.6]], [[-3.0, 3.0]], [[1.0, 0.25]])
    (region,) = law.highest_density_region(0.9)
    assert region.shape == (2, 2)
    ends = [law.cdf([end])[0] for end in region.ravel()]
    assert ends[1] - ends[0] + ends[3] - ends[2] == pytest.approx(0.9, abs=1e-6)
    assert np.ptp([law.pdf([end])[0] for end in region.ravel()]) < 1e-7
    lower, upper = law.interval(0.9)[0]
    assert np.diff(region, axis=1).sum() < upper - lower


# Ensembles


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_noise_and_ignorance_add_up(rng, n_outputs):
    laws = [random_law(rng, n_outputs=n_outputs) for _ in range(3)]
    law = pooled(laws)
    np.testing.assert_allclose(law.aleatoric_var() + law.epistemic_var(), law.var())
    np.testing.assert_allclose(
        law.aleatoric_entropy() + law.epistemic_entropy(), law.entropy()
    )
    noise = np.mean([member.var() for member in laws], axis=0)
    np.testing.assert_allclose(law.aleatoric_var(), noise)
    entropies = np.mean([member.entropy() for member in laws], axis=0)
    np.testing.assert_allclose(law.aleatoric_entropy(), entropies, rtol=1e-9)
    assert np.all(law.epistemic_entropy() > 0)


def test_members_that_agree_leave_no_ignorance(rng):
    law = random_law(rng, n_outputs=1)
    same = pooled([law, law])
    np.testing.assert_allclose(same.epistemic_var(), 0, atol=1e-12)
    np.testing.assert_allclose(same.epistemic_entropy(), 0, atol=1e-9)


def test_a_member_that_did_not_foresee_what_is_known_loses_its_weight():
    far = MixtureDistribution([[1.0]], [[[1e3, 1e3]]], [[[1.0, 1.0]]])
    near = MixtureDistribution([[1.0]], [[[0.0, 0.0]]], [[[1.0, 1.0]]])
    known = pooled([far, near]).conditional(0, [0.0])
    np.testing.assert_allclose(known.epistemic_var(), 0, atol=1e-9)
    np.testing.assert_allclose(known.aleatoric_var(), 1)
    np.testing.assert_allclose(known.aleatoric_entropy(), near.marginal(1).entropy())


def test_the_estimators_members_are_known_to_its_law(rng):
    X = rng.uniform(-1, 1, (200, 1))
    y = np.sin(3 * X[:, 0]) + 0.1 * rng.normal(size=200)
    model = MDNRegressor(n_estimators=3, max_iter=20, random_state=0).fit(X, y)
    law = model.predict_distribution([[0.0], [30.0]])
    np.testing.assert_allclose(law.aleatoric_var() + law.epistemic_var(), law.var())
    assert law.epistemic_var()[1] > 10 * law.epistemic_var()[0]
    np.testing.assert_allclose(law[1].epistemic_var(), law.epistemic_var()[1:])


# Edges


def test_no_row_has_no_answer(rng):
    for n_outputs in (1, 2):
        law = random_law(rng, n_outputs=n_outputs)[[]]
        one = (0,) if n_outputs == 1 else (0, 2)
        y = np.empty(one)
        for answer in (law.median(), law.mode(), law.cdf(y), law.crps(y)):
            assert answer.shape == one
        assert law.ppf([0.1, 0.2, 0.3]).shape == (0, 3, *one[1:])
        assert law.modes() == []
        for answer in (law.entropy(), law.energy_score(y), law.epistemic_entropy()):
            assert answer.shape == (0,)
    assert law.marginal(0).highest_density_region() == []


def test_entropy_of_a_row_does_not_depend_on_its_neighbours(rng):
    for n_outputs in (1, 3):
        law = random_law(rng, n=9, n_outputs=n_outputs)
        alone = np.concatenate([law[i].entropy() for i in range(9)])
        np.testing.assert_array_equal(alone, law.entropy())


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda law: law.ppf(1.5), r"q must lie between 0 and 1, got 1.5"),
        (lambda law: law.ppf([0.5, np.nan]), "q must lie between 0 and 1"),
        (lambda law: law.ppf([[0.5]]), "q must be a number or a list"),
        (lambda law: law.ppf([]), "q must be a number or a list"),
        (lambda law: law.interval(90), "divided by 100"),
        (lambda law: law.interval([0.5, 0.9]), "coverage must be a number"),
        (lambda law: law.highest_density_region(0.0), "coverage must be above 0"),
        (lambda law: law.value_at_risk(-0.1), "level must lie between"),
        (lambda law: law.cdf([np.nan] * 4), "NaN, first in row 0"),
        (lambda law: law.crps(np.zeros(3)), r"y must have shape \(4,\)"),
    ],
)
def test_questions_without_an_answer_are_refused(rng, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(random_law(rng, n=4, n_outputs=1))


def test_regions_are_for_one_output(rng):
    with pytest.raises(
        ValueError, match=r"Take the marginal of one: law.marginal\(0\)"
    ):
        random_law(rng).highest_density_region(0.9)


# On the estimator


@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 3)])
def test_the_estimator_answers_in_the_shape_of_y(rng, shape):
    X = rng.normal(size=(60, 2))
    model = MDNRegressor(max_iter=2, random_state=0).fit(X, rng.normal(size=shape))
    law, outputs = model.predict_distribution(X[:7]), shape[1:]
    for output_type in ("median", "mode"):
        answer = model.predict(X[:7], output_type=output_type)
        assert answer.shape == (7, *outputs)
        np.testing.assert_array_equal(
            answer.ravel(), getattr(law, output_type)().ravel()
        )
    assert model.predict_quantiles(X[:7], 0.3).shape == (7, *outputs)
    quantiles = model.predict(X[:7], output_type="quantiles", quantiles=[0.1, 0.5, 0.9])
    assert quantiles.shape == (7, 3, *outputs)
    np.testing.assert_array_equal(
        quantiles, model.predict_quantiles(X[:7], [0.1, 0.5, 0.9])
    )
    interval = model.predict_interval(X[:7], coverage=0.8)
    assert interval.shape == (7, 2, *outputs)
    np.testing.assert_allclose(interval, np.take(quantiles, [0, 2], axis=1))


def test_quantiles_and_their_output_type_go_together(rng):
    X = rng.normal(size=(30, 2))
    model = MDNRegressor(max_iter=2).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"quantiles=\[0.1, 0.9\]"):
        model.predict(X, output_type="quantiles")
    with pytest.raises(ValueError, match="quantiles go with"):
        model.predict(X, quantiles=[0.1])
