"""Whether weights are better on the rows held out by more than luck."""

import numpy as np
import pytest
from scipy import stats

from skmdn import MDNRegressor
from skmdn.nn.validation import RowScores


def scores_of(scores, weights):
    """Scores of members who hold out rows of their own."""
    return RowScores(scores, weights, np.arange(scores.size).reshape(scores.shape))


@pytest.mark.parametrize(("n_rows", "n_errors"), [(12, 2), (30, 2), (31, 1), (80, 1)])
def test_the_standard_error_is_that_of_a_paired_difference(rng, n_rows, n_errors):
    before, after = rng.normal(size=(2, 4, n_rows))
    weights = np.full((4, n_rows), 0.7)
    seen = []
    for shift in np.linspace(-1, 1, 21):
        beaten = scores_of(after + shift, weights).beat(scores_of(before, weights))
        gain = after + shift - before - 1 / n_rows  # one nat for the pass they picked
        test = stats.ttest_1samp(gain, 0, axis=1, alternative="greater")
        np.testing.assert_array_equal(beaten, test.pvalue < stats.norm.sf(n_errors))
        seen += beaten.tolist()
    assert len(set(seen)) == 2


def test_rows_of_no_weight_say_nothing(rng):
    before, after = rng.normal(size=(2, 1, 40))
    weights = np.repeat([[0.0, 1.0]], 20, axis=1).reshape(1, 40)
    for shift in np.linspace(-1, 1, 21):
        every = scores_of(after + shift, weights).beat(scores_of(before, weights))
        kept = scores_of(after[:, 20:] + shift, weights[:, 20:])
        np.testing.assert_array_equal(
            every, kept.beat(scores_of(before[:, 20:], weights[:, 20:]))
        )


def test_a_row_that_was_impossible_is_beaten_by_any_that_is_not(rng):
    scores = rng.normal(size=(1, 40))
    impossible = np.where(np.arange(40) == 3, -np.inf, scores)
    fine, broken = (scores_of(s, np.ones((1, 40))) for s in (scores, impossible))
    with np.errstate(invalid="ignore"):
        assert fine.beat(broken)
        assert not broken.beat(fine)
        assert not broken.beat(broken)


def test_no_row_alone_decides(rng):
    before = rng.normal(size=(1, 40))
    after = before + rng.uniform(1, 2, size=(1, 40))
    after[0, 3] -= 1000
    weights = np.ones((1, 40))
    assert scores_of(after, weights).beat(scores_of(before, weights))
    after[0, :30] = before[0, :30] - 1
    after[0, 3] = before[0, 3] + 1000
    assert not scores_of(after, weights).beat(scores_of(before, weights))


@pytest.mark.parametrize("seed", [1, 9])
def test_one_mistyped_row_does_not_keep_a_fit_from_learning(seed):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = X[:, 0] + X[:, 1] / 2 + 0.3 * rng.normal(size=300)
    X_test = rng.normal(size=(1000, 2))
    X[0, 0] = 20
    model = MDNRegressor(random_state=seed).fit(X, y)
    assert model.score(X_test, X_test[:, 0] + X_test[:, 1] / 2) > 0.98


@pytest.mark.parametrize("gain", [-0.5, 0.0, 0.5])
def test_members_whose_rows_are_few_decide_together(rng, gain):
    before = rng.normal(size=(6, 30))
    noise = 2 * rng.normal(size=(6, 30))
    gains = gain + noise - noise.mean()
    weights = np.ones((6, 30))
    mine, theirs = scores_of(before + gains, weights), scores_of(before, weights)
    better = gains.mean(axis=1) > 1 / 30
    error = np.sqrt(np.mean(gains.var(axis=1, ddof=1) / 30) / 6)
    quantile = stats.t.ppf(stats.norm.cdf(1), 179)
    expected = better & (gains.mean() - 1 / 30 > quantile * error)
    np.testing.assert_array_equal(mine.beat_together(theirs), expected)
    assert expected.any() == (gain > 0)
    assert gain <= 0 or expected.sum() > mine.beat(theirs).sum()
    few = [scores_of(part.scores[:2, :15], weights[:2, :15]) for part in (mine, theirs)]
    gains = gains[:2, :15]
    error = np.sqrt(np.mean(gains.var(axis=1, ddof=1) / 15) / 2)
    quantile = stats.t.ppf(stats.norm.cdf(2), 29)
    expected = gains.mean(axis=1) > 1 / 15
    expected &= gains.mean() - 1 / 15 > quantile * error
    np.testing.assert_array_equal(few[0].beat_together(few[1]), expected)


@pytest.mark.parametrize("n_rows", [20, 50])
def test_members_who_hold_out_the_same_rows_decide_as_one(rng, n_rows):
    before = rng.normal(size=(1, n_rows))
    noise = rng.normal(size=(1, n_rows))
    weights, rows = rng.uniform(0.5, 1, size=(1, n_rows)), np.arange(n_rows)[None]
    decisions = []
    for gain in np.linspace(-0.5, 1.5, 41):
        after = before + gain + noise
        alone = scores_of(after, weights).beat(scores_of(before, weights))
        mine, theirs = (
            RowScores(*(np.repeat(a, 8, axis=0) for a in (scores, weights, rows)))
            for scores in (after, before)
        )
        together = mine.beat_together(theirs)
        np.testing.assert_array_equal(together, np.repeat(alone, 8))
        decisions += alone.tolist()
    assert len(set(decisions)) == 2


def test_one_row_is_never_beyond_chance():
    one = np.ones((2, 1))
    mine, theirs = scores_of(5 * one, one), scores_of(one, one)
    assert not mine.beat(theirs).any()
    assert not mine.beat_together(theirs).any()


@pytest.mark.parametrize("seed", range(3))
def test_means_of_counts_are_found(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 10, 1000)
    y = rng.poisson(4 + 3 * np.sin(x))
    model = MDNRegressor(max_iter=150, random_state=0).fit(x[:, None], y)
    assert model.best_iteration_[0] > 0
    values = np.arange(10)
    means = [y[x == value].mean() for value in values]
    np.testing.assert_allclose(model.predict(values[:, None]), means, atol=0.8)


def test_a_start_that_no_pass_beats_is_not_kept():
    """Its random weights are no better than one law for all rows but by luck."""
    rng = np.random.default_rng(11)
    X, y = rng.normal(size=(300, 10)), rng.normal(size=300)
    model = MDNRegressor(random_state=11).fit(X, y)
    assert model.best_iteration_ == [0]
    law = model.predict_distribution(100 * X)
    np.testing.assert_allclose(law.var(), law.var()[0], rtol=1e-12)


def test_members_do_not_give_up_one_by_one():
    rng = np.random.default_rng([0, 5])
    X = rng.normal(size=(300, 5))
    noise = 0.3 + 0.5 / (1 + np.exp(-2 * X[:, 0]))
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] / 2 + noise * rng.normal(size=300)
    model = MDNRegressor(n_estimators=4, random_state=0).fit(X, y)
    assert np.all(model.best_iteration_ > 0)


@pytest.mark.parametrize("seed", range(5))
def test_luck_on_few_rows_does_not_keep_what_was_learned(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    model = MDNRegressor(random_state=0).fit(X, y)
    gain = model.validation_scores_[0].max() - model.validation_scores_[0, 0]
    assert model.best_iteration_[0] == 0 or gain > 0.05
    fresh = rng.normal(size=5000)
    law = model.predict_distribution(rng.normal(size=(5000, 3)))
    marginal = stats.norm(y.mean(), y.std()).logpdf(fresh).mean()
    assert law.logpdf(fresh).mean() > marginal - 0.3


@pytest.mark.parametrize("n_rows", [60, 110])
@pytest.mark.parametrize("slope", [0, 3])
def test_who_learns_nothing_has_one_law_around_the_mean_or_a_line(n_rows, slope):
    rng = np.random.default_rng(n_rows)
    X, noise = rng.normal(size=(n_rows, 4)), rng.standard_t(4, size=n_rows)
    model = MDNRegressor(learning_rate_init=1e-12, max_iter=2, random_state=0)
    model.fit(X, slope * X[:, 0] + noise)
    assert model.best_iteration_ == [0]
    new = rng.normal(size=(50, 4))
    law = model.predict_distribution(new)
    np.testing.assert_allclose(law.var(), law.var()[0], rtol=1e-12)
    np.testing.assert_allclose(law.entropy(), law.entropy()[0], rtol=1e-12)
    line = np.linalg.lstsq(np.c_[np.ones(50), new], law.mean(), rcond=None)[0]
    np.testing.assert_allclose(law.mean(), np.c_[np.ones(50), new] @ line, atol=1e-9)
    assert line[1] == pytest.approx(slope, abs=0.5)
    # all rows say how wide it is, and those held out do not say it again
    assert law.std()[0] == pytest.approx(noise.std(), rel=0.1)


def test_going_on_from_an_earlier_fit_keeps_every_gain(rng):
    X = rng.uniform(-2, 2, size=(60, 1))
    y = np.sin(3 * X[:, 0]) + 0.1 * rng.normal(size=60)
    model = MDNRegressor(max_iter=5, warm_start=True, random_state=0)
    # a width that is given, so that rows held out do not change it in the end
    model.set_params(covariance_type="fixed_spherical", noise_std=0.3).fit(X, y)
    for _ in range(3):
        validation = X[:20], y[:20]
        before = model.score_samples(*validation).mean()
        model.fit(X[20:], y[20:], X_val=validation[0], y_val=validation[1])
        after = model.score_samples(*validation).mean()
        scores = model.validation_scores_[0]
        assert after == pytest.approx(max(before, scores.max()), abs=1e-5)
