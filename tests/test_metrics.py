"""Scores and scorers: laws they obey, and scikit-learn's tools they go into."""

import copy
import pickle

import numpy as np
import pytest
from conftest import random_law
from scipy import integrate, stats
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skmdn import MDNRegressor, MixtureDistribution, _transformed_law, metrics
from skmdn._scores import DECILES

MEANS = {
    "negative_log_likelihood": metrics.negative_log_likelihood,
    "crps": metrics.crps,
    "energy_score": metrics.energy_score,
    "pinball_loss": metrics.pinball_loss,
    "interval_score": metrics.interval_score,
    "interval_coverage": metrics.interval_coverage,
    "interval_width": metrics.interval_width,
    "calibration_error": metrics.calibration_error,
}
PROPER = list(MEANS)[:5]
OF_MARGINALS = [name for name in MEANS if name not in {PROPER[0], PROPER[2]}]
SCORERS = {
    metrics.neg_log_likelihood: metrics.negative_log_likelihood,
    metrics.neg_crps: metrics.crps,
    metrics.neg_interval_score: metrics.interval_score,
    metrics.neg_pinball: metrics.pinball_loss,
}
OF_QUANTILES = list(SCORERS)[1:]


class Line(RegressorMixin, BaseEstimator):
    """Laws with known means, the first columns of X, and nothing to learn."""

    def __init__(self, std=1.0, shift=0.0, n_outputs=1):
        self.std = std
        self.shift = shift
        self.n_outputs = n_outputs

    def fit(self, X, y, sample_weight=None):
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return self.predict_distribution(X).mean()

    def predict_distribution(self, X):
        means = np.asarray(X)[:, None, : self.n_outputs] + self.shift
        return MixtureDistribution(
            np.ones((len(means), 1)), means, np.full(means.shape, self.std**2)
        )


def draws(law, random_state=0):
    return law.sample(1, random_state=random_state)[:, 0]


def repeated(law, n):
    return law[np.zeros(n, dtype=int)]


def scaled(law, shift, factor):
    """Law of shift + factor * y."""
    return MixtureDistribution(
        law.weights, shift + factor * law.means, factor**2 * law.covariances
    )


# Scores


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_crps_is_its_integral(rng, n_outputs):
    law = random_law(rng, n_outputs=n_outputs)
    y = draws(law)
    grid = np.linspace(-30, 30, 60_001)
    integrals = [
        integrate.simpson(
            (repeated(law[i].marginal(d), len(grid)).cdf(grid) - (grid >= at)) ** 2,
            x=grid,
        )
        for (i, d), at in np.ndenumerate(y.reshape(len(law), -1))
    ]
    assert metrics.crps(y, law) == pytest.approx(np.mean(integrals), abs=1e-3)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_mean_pinball_loss_is_half_the_crps(rng, n_outputs):
    law = random_law(rng, n_outputs=n_outputs)
    y = draws(law)
    levels = (np.arange(2000) + 0.5) / 2000
    loss = metrics.pinball_loss(y, law, levels)
    assert 2 * loss == pytest.approx(metrics.crps(y, law), rel=1e-3)


@pytest.mark.parametrize("coverage", [0.0, 0.3, 0.9, 0.999])
def test_the_interval_score_is_the_pinball_loss_of_its_ends(rng, coverage):
    law = random_law(rng, n=50)
    y = draws(law)
    tail = (1 - coverage) / 2
    loss = metrics.pinball_loss(y, law, [tail, 1 - tail])
    score = metrics.interval_score(y, law, coverage)
    assert score == pytest.approx(2 * loss / tail, rel=1e-9)


def test_the_median_has_the_least_absolute_error(rng):
    law = random_law(rng, n_outputs=1)
    y = draws(law)
    loss = metrics.pinball_loss(y, law, 0.5)
    assert 2 * loss == pytest.approx(np.abs(y - law.median()).mean())


@pytest.mark.parametrize("name", PROPER)
def test_the_true_law_has_the_best_expected_score(rng, name):
    truth = repeated(random_law(rng, n=1, n_components=2, n_outputs=2), 2000)
    y = draws(truth)
    wrong = {
        "moved": scaled(truth, 0.3 * truth.std()[0], 1.0),
        "wide": scaled(truth, -0.5 * truth.mean()[0], 1.5),
        "narrow": scaled(truth, 0.4 * truth.mean()[0], 0.6),
        "one Gaussian": MixtureDistribution(
            np.ones((2000, 1)), truth.mean()[:, None], 0.5 * truth.cov()[:, None]
        ),
    }
    best = MEANS[name](y, truth)
    for change, law in wrong.items():
        assert MEANS[name](y, law) > best, change


@pytest.mark.parametrize("name", ["negative_log_likelihood", "energy_score"])
def test_scores_of_the_joint_law_see_dependence(name):
    cov = np.array([[1.0, 0.9], [0.9, 1.0]])
    ones, means = np.ones((5000, 1)), np.zeros((5000, 1, 2))
    truth = MixtureDistribution(ones, means, np.broadcast_to(cov, (5000, 1, 2, 2)))
    independent = MixtureDistribution(ones, means, np.ones((5000, 1, 2)))
    y = draws(truth)
    assert MEANS[name](y, truth) < MEANS[name](y, independent)
    assert metrics.crps(y, truth) == pytest.approx(metrics.crps(y, independent))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_pit_values_of_draws_are_uniform(rng, n_outputs):
    law = random_law(rng, n=3000, n_outputs=n_outputs)
    pit = metrics.pit_values(draws(law), law)
    assert pit.shape == ((3000,) if n_outputs == 1 else (3000, 2))
    for column in pit.reshape(3000, -1).T:
        assert stats.kstest(column, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.95])
def test_intervals_cover_as_many_draws_as_they_say(rng, coverage):
    law = random_law(rng, n=4000)
    share = metrics.interval_coverage(draws(law), law, coverage)
    assert share == pytest.approx(coverage, abs=4 * 0.5 / np.sqrt(4000))


def test_the_width_is_that_of_the_interval(rng):
    law = random_law(rng)
    lower, upper = np.moveaxis(law.interval(0.8), 1, 0)
    width = metrics.interval_width(None, law, 0.8)
    assert width == pytest.approx((upper - lower).mean())
    assert metrics.interval_width(None, law, 1.0) == np.inf


def test_the_calibration_error_of_draws_is_what_chance_allows(rng):
    law = random_law(rng, n=400, n_outputs=1)
    errors = [metrics.calibration_error(draws(law, seed), law) for seed in range(300)]
    by_chance = np.sqrt(2 * np.pi) / 8 / np.sqrt(400)  # E ∫ |Brownian bridge|
    assert np.mean(errors) == pytest.approx(by_chance, rel=0.1)


def test_the_calibration_error_is_the_area_beside_the_diagonal(rng):
    law = random_law(rng, n=30, n_outputs=1)
    y, weights = rng.normal(size=30), rng.uniform(size=30)
    levels = (np.arange(5000) + 0.5) / 5000
    below = y[:, None] <= law.ppf(levels)
    observed = np.average(below, axis=0, weights=weights)
    error = metrics.calibration_error(y, law, weights)
    assert error == pytest.approx(np.abs(observed - levels).mean(), abs=1e-3)


def test_the_calibration_error_is_from_zero_to_a_half(rng):
    law = random_law(rng, n=1000, n_outputs=1)
    far = law.mean() + 100 * law.std()
    assert metrics.calibration_error(far, law) == pytest.approx(0.5)
    every = np.array([law[i].ppf((i + 0.5) / 1000)[0] for i in range(1000)])
    assert metrics.calibration_error(every, law) == pytest.approx(0.25 / 1000)


@pytest.mark.parametrize("name", MEANS)
def test_a_weight_of_two_is_the_row_given_twice(rng, name):
    law = random_law(rng, n=40)
    y, times = rng.normal(size=(40, 2)), rng.integers(0, 4, 40)
    twice = np.repeat(np.arange(40), times)
    assert MEANS[name](y, law, sample_weight=times) == pytest.approx(
        MEANS[name](y[twice], law[twice]), rel=1e-12
    )
    assert MEANS[name](y, law, sample_weight=np.full(40, 7)) == pytest.approx(
        MEANS[name](y, law), rel=1e-12
    )


def test_a_row_of_weight_zero_may_score_infinity(rng):
    law = random_law(rng, n=2, n_outputs=1)
    assert np.isinf(metrics.negative_log_likelihood([0.0, np.inf], law))
    score = metrics.negative_log_likelihood([0.0, np.inf], law, sample_weight=[1, 0])
    assert score == pytest.approx(-law[0].logpdf([0.0])[0])


@pytest.mark.parametrize("name", OF_MARGINALS)
def test_outputs_are_scored_by_themselves_and_averaged(rng, name):
    law = random_law(rng, n=20, n_outputs=3)
    y = draws(law)
    each = [MEANS[name](y[:, d], law.marginal(d)) for d in range(3)]
    assert MEANS[name](y, law) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("name", MEANS)
def test_a_column_is_scored_as_a_vector(rng, name):
    law = random_law(rng, n=20, n_outputs=1)
    y = draws(law)
    score = MEANS[name](y, law)
    assert type(score) is float
    assert MEANS[name](y[:, None], law) == score
    assert MEANS[name](list(y), law) == score


@pytest.mark.parametrize("name", MEANS)
@pytest.mark.parametrize("factor", [1e-6, -3.0, 1e9])
def test_scores_are_in_units_of_y(rng, name, factor):
    law = random_law(rng, n=20, n_outputs=2)
    y = draws(law)
    before = MEANS[name](y, law)
    after = MEANS[name](5 + factor * y, scaled(law, 5.0, factor))
    if name == "negative_log_likelihood":
        after -= 2 * np.log(abs(factor))
    elif name not in {"interval_coverage", "calibration_error"}:
        after /= abs(factor)
    assert after == pytest.approx(before, rel=1e-6)


def test_no_rows_have_no_mean_but_no_pit_values_either(rng):
    law = random_law(rng, n_outputs=1)[:0]
    assert metrics.pit_values([], law).shape == (0,)
    for score in MEANS.values():
        with pytest.raises(ValueError, match="no rows"):
            score(np.zeros(0), law)


BAD_CALLS = {
    "rows missing": (lambda s, y, law: s(y[:-1], law), r"y must have shape \(4,\)"),
    "two outputs for one": (
        lambda s, y, law: s(np.c_[y, y], law),
        r"y must have shape \(4,\)",
    ),
    "NaN": (lambda s, y, law: s(np.r_[y[:3], np.nan], law), "NaN, first in row 3"),
    "weights missing": (
        lambda s, y, law: s(y, law, sample_weight=[1, 2]),
        r"shape \(4,\).*got \(2,\)",
    ),
    "negative weight": (
        lambda s, y, law: s(y, law, sample_weight=[1, 1, 1, -2]),
        "not negative, got -2.0",
    ),
    "NaN in weights": (
        lambda s, y, law: s(y, law, sample_weight=[1, 1, 1, np.nan]),
        "must be finite .*got nan",
    ),
    "no weight": (
        lambda s, y, law: s(y, law, sample_weight=np.zeros(4)),
        "sample_weight is zero.*must be positive",
    ),
}


@pytest.mark.parametrize(
    ("name", "case"),
    [
        (name, case)
        for name in MEANS
        for case in BAD_CALLS
        if name != "interval_width" or "weight" in case  # which does not use y
    ],
)
def test_bad_calls_are_refused(rng, name, case):
    call, message = BAD_CALLS[case]
    law = random_law(rng, n_outputs=1)
    with pytest.raises(ValueError, match=message):
        call(MEANS[name], np.zeros(4), law)


@pytest.mark.parametrize("name", [n for n in metrics.__all__ if n[:4] != "neg_"])
def test_what_is_no_law_is_refused(name):
    law = MixtureDistribution(*np.ones((3, 4, 1)))
    score, y = getattr(metrics, name), np.zeros(4)
    others = [y, MDNRegressor(), stats.norm(y, 1)]
    for arguments in [*((y, other) for other in others), (law, y)]:
        with pytest.raises(TypeError, match=r"law must be .* got (ndarray|MDN|rv_)"):
            score(*arguments)


def test_levels_that_have_no_score_are_refused(rng):
    law = random_law(rng, n_outputs=1)
    y = np.zeros(4)
    for quantiles in ([0.5, 1.0], 0.0):
        with pytest.raises(ValueError, match="strictly between 0 and 1"):
            metrics.pinball_loss(y, law, quantiles)
    with pytest.raises(ValueError, match="divided by 100"):
        metrics.pinball_loss(y, law, [5, 95])
    with pytest.raises(ValueError, match="below 1, got 1"):
        metrics.interval_score(y, law, coverage=1)
    for score in (metrics.interval_score, metrics.interval_coverage):
        with pytest.raises(ValueError, match=r"coverage must .*got 90"):
            score(y, law, coverage=90)


# Scorers


def line_data(rng, n=60, n_outputs=1):
    X = rng.normal(size=(n, max(2, n_outputs)))
    y = X[:, :n_outputs] + rng.normal(size=(n, n_outputs))
    return X, y[:, 0] if n_outputs == 1 else y


def fitted_around(X, y):
    """Ways to wrap a Line so that its laws are those of Line() itself."""
    same = FunctionTransformer(None)
    search = GridSearchCV(Line(), {"std": [1.0]}, cv=2)
    return {
        "pipeline": make_pipeline(same, "passthrough", Line()),
        "search": search,
        "search of a pipeline": GridSearchCV(
            make_pipeline(same, Line()), {"line__std": [1.0]}, cv=2
        ),
        "pipeline of a search": make_pipeline(same, search),
        "transformed target": TransformedTargetRegressor(Line()),
        "transformed pipeline": TransformedTargetRegressor(make_pipeline(same, search)),
        "transformed twice": TransformedTargetRegressor(
            TransformedTargetRegressor(
                Line(), func=np.negative, inverse_func=np.negative
            ),
            func=np.negative,
            inverse_func=np.negative,
        ),
        "frozen": FrozenEstimator(make_pipeline(same, Line()).fit(X, y)),
    }


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_scorer_is_minus_the_score_of_the_predicted_law(rng, scorer, n_outputs):
    X, y = line_data(rng, n_outputs=n_outputs)
    weights = rng.uniform(size=len(X))
    model = MDNRegressor(max_iter=2, random_state=0).fit(X, y)
    law = model.predict_distribution(X)
    assert scorer(model, X, y) == -SCORERS[scorer](y, law)
    assert scorer(model, X, y, sample_weight=weights) == -SCORERS[scorer](
        y, law, sample_weight=weights
    )


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_scorers_see_through_what_is_wrapped_around(rng, scorer):
    X, y = line_data(rng)
    expected = -SCORERS[scorer](y, Line().predict_distribution(X))
    for name, model in fitted_around(X, y).items():
        score = scorer(model.fit(X, y), X, y)
        assert score == pytest.approx(expected, rel=1e-8), name


def test_an_estimator_without_a_law_is_refused(rng):
    X, y = line_data(rng)
    for model in (
        LinearRegression(),
        make_pipeline(StandardScaler(), LinearRegression()),
        GridSearchCV(LinearRegression(), {"fit_intercept": [True]}),
    ):
        message = r"LinearRegression has no predict_distribution.*MDNRegressor"
        with pytest.raises(TypeError, match=message):
            metrics.neg_crps(model.fit(X, y), X, y)
    search = GridSearchCV(Line(), {"std": [1.0]}, refit=False).fit(X, y)
    with pytest.raises(TypeError, match=r"GridSearchCV has .*refit"):
        metrics.neg_crps(search, X, y)
    with pytest.raises(NotFittedError):
        metrics.neg_crps(TransformedTargetRegressor(Line()), X, y)
    assert not hasattr(MDNRegressor, "predict_proba")


def test_scorers_survive_copies(rng):
    X, y = line_data(rng)
    for scorer in SCORERS:
        assert hasattr(metrics, repr(scorer))
        for twin in (
            pickle.loads(pickle.dumps(scorer)),
            copy.deepcopy(scorer),
            clone(GridSearchCV(Line(), {}, scoring=scorer)).scoring,
        ):
            assert twin(Line(), X, y) == scorer(Line(), X, y)


def test_scorers_go_into_cross_validation():
    X, y = line_data(np.random.default_rng(0))
    model = MDNRegressor(max_iter=2, random_state=0)
    scoring = {repr(scorer): scorer for scorer in SCORERS} | {"R2": "r2"}
    cv = KFold(3)
    results = cross_validate(
        model, X, y, cv=cv, scoring=scoring, n_jobs=2, error_score="raise"
    )
    for i, (train, test) in enumerate(cv.split(X)):
        law = clone(model).fit(X[train], y[train]).predict_distribution(X[test])
        for scorer, score in SCORERS.items():
            expected = -score(y[test], law)
            assert results[f"test_{scorer}"][i] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_a_search_picks_the_best_law(rng, scorer):
    X, y = line_data(rng, n=300)
    grid = {"std": [0.3, 1.0, 3.0], "shift": [-1.0, 0.0, 1.0]}
    search = GridSearchCV(Line(), grid, scoring=scorer, error_score="raise").fit(X, y)
    assert search.best_params_ == {"std": 1.0, "shift": 0.0}
    assert search.score(X, y) == scorer(Line(), X, y)


# Sample weights in scorers


def take_column(X, column):
    return X[:, [column]]


def two_groups(rng, n=240):
    """Most rows follow the first column; those with nearly all weight the second."""
    X = rng.normal(size=(n, 2))
    few = rng.uniform(size=n) < 0.25
    y = np.where(few, X[:, 1], X[:, 0]) + 0.1 * rng.normal(size=n)
    return X, y, np.where(few, 50.0, 1.0)


def choice_of_a_column():
    model = MDNRegressor(n_components=2, max_iter=20, random_state=0)
    pipe = make_pipeline(FunctionTransformer(take_column), model)
    return pipe, {"functiontransformer__kw_args": [{"column": 0}, {"column": 1}]}


def test_weights_reach_the_scores_of_a_search(rng):
    X, y, weights = two_groups(rng)
    pipe, grid = choice_of_a_column()
    cv = KFold(3)
    with config_context(enable_metadata_routing=True):
        pipe[-1].set_fit_request(sample_weight=True)
        search = GridSearchCV(
            pipe, grid, scoring=metrics.neg_crps, cv=cv, n_jobs=2, error_score="raise"
        )
        weighted = clone(search).fit(X, y, sample_weight=weights)
        plain = clone(search).fit(X, y)
        unweighted_scores = clone(search).set_params(
            scoring=metrics.neg_crps.set_score_request(sample_weight=False)
        )
        unweighted_scores.fit(X, y, sample_weight=weights)
    assert weighted.best_index_ == 1
    assert plain.best_index_ == unweighted_scores.best_index_ == 0
    for setting, parameters in enumerate(weighted.cv_results_["params"]):
        for fold, (train, test) in enumerate(cv.split(X)):
            model = clone(pipe).set_params(**parameters)
            model.fit(X[train], y[train], mdnregressor__sample_weight=weights[train])
            column = take_column(X[test], setting)
            law = model[-1].predict_distribution(column)
            expected = -metrics.crps(y[test], law, weights[test])
            observed = weighted.cv_results_[f"split{fold}_test_score"][setting]
            assert observed == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_weights_reach_every_scorer_by_routing(rng, scorer):
    X, y = line_data(rng)
    weights = np.where(y > X[:, 0], 1.0, 1e-9)
    grid = {"shift": [-0.8, 0.8]}
    with config_context(enable_metadata_routing=True):
        line = Line().set_fit_request(sample_weight=False)
        for multimetric in (False, True):
            scoring = (
                {"one": scorer, "two": copy.copy(scorer)} if multimetric else scorer
            )
            search = GridSearchCV(
                line, grid, scoring=scoring, refit="one" if multimetric else True
            )
            for w in (weights, 1 - weights):
                search.fit(X, y, sample_weight=w)
                assert search.best_params_["shift"] == (0.8 if w is weights else -0.8)


@pytest.mark.skipif(
    not hasattr(GridSearchCV, "_check_scorers_accept_sample_weight"),
    reason="this scikit-learn hands weights to scorers by routing only",
)
def test_weights_reach_the_scorer_without_routing_too(rng):
    X, y, weights = two_groups(rng)
    search = GridSearchCV(
        Line(), {"shift": [-0.8, 0.8]}, scoring={"law": metrics.neg_crps}, refit="law"
    )
    y = X[:, 0] + np.where(weights > 1, 1.0, -1.0)
    assert search.fit(X, y).best_params_["shift"] == -0.8
    assert search.fit(X, y, sample_weight=weights).best_params_["shift"] == 0.8


def test_a_request_makes_a_new_scorer(rng):
    X, y = line_data(rng)
    with config_context(enable_metadata_routing=True):
        line = Line().set_fit_request(sample_weight=True)

        def search(request, **metadata):
            scorer = metrics.neg_crps.set_score_request(sample_weight=request)
            return cross_validate(line, X, y, scoring=scorer, params=metadata)

        weights = np.where(y > 0, 1.0, 0.1)
        by_name = search("w", w=weights, sample_weight=weights)["test_score"]
        np.testing.assert_array_equal(
            by_name, search(True, sample_weight=weights)["test_score"]
        )
        ignored = search(False, sample_weight=weights)["test_score"]
        assert np.abs(by_name - ignored).max() > 1e-3
        with pytest.raises(ValueError, match=r"sample_weight.* not explicitly set"):
            search(None, sample_weight=weights)
        with pytest.raises(ValueError, match="3"):
            metrics.neg_crps.set_score_request(sample_weight=3)
        assert metrics.neg_crps.get_metadata_routing().score.requests == {
            "sample_weight": True
        }
    with pytest.raises(RuntimeError, match="enable_metadata_routing=True"):
        metrics.neg_crps.set_score_request(sample_weight=False)


# Transformed targets

# Function of y, its inverse, and its slope
FUNCTIONS = {
    "log": (np.log, np.exp, lambda y: 1 / y),
    "log1p": (np.log1p, np.expm1, lambda y: 1 / (1 + y)),
    "arcsinh": (np.arcsinh, np.sinh, lambda y: 1 / np.sqrt(1 + y**2)),
    "falling": (lambda y: -np.log(y), lambda z: np.exp(-z), lambda y: 1 / y),
    "affine": (
        lambda y: (y - 1e4) / 3,
        lambda z: 3 * z + 1e4,
        lambda y: np.full_like(y, 1 / 3),
    ),
    "logit": (
        lambda y: np.log(y) - np.log1p(-y),
        lambda z: 1 / (1 + np.exp(-z)),
        lambda y: 1 / (y * (1 - y)),
    ),
}


def cube(z):
    return z**3


def test_no_density_where_the_transformer_has_no_slope(rng):
    """Differences at a singular point are finite, and wrong."""
    X, y = line_data(rng)
    model = TransformedTargetRegressor(
        Line(), func=np.cbrt, inverse_func=lambda z: z**3, check_inverse=False
    ).fit(X, y)
    for value in (0.0, 1e-300):
        with pytest.raises(ValueError, match="not smooth and invertible"):
            metrics.neg_log_likelihood(model, X[:1], [value])
    assert np.isfinite(metrics.neg_log_likelihood(model, X[:1], [1e-6]))


def transformed(X, y, line=None, **transformation):
    model = TransformedTargetRegressor(line or Line(0.7), **transformation)
    return model.fit(X, y)


def transformed_data(rng, name, n=200):
    """A fitted model, X, y, the law of z = func(y), and the functions."""
    func, inverse, slope = FUNCTIONS[name]
    X = rng.normal(size=(n, 2))
    law = Line(0.7).predict_distribution(X)
    y = inverse(draws(law))
    model = transformed(X, y, func=func, inverse_func=inverse)
    return model, X, y, law, (func, inverse, slope)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_density_of_a_transformed_target_has_the_jacobian(rng, name):
    model, X, y, law, (func, _, slope) = transformed_data(rng, name)
    score = metrics.neg_log_likelihood(model, X, y)
    expected = np.mean(law.logpdf(func(y)) + np.log(slope(y)))
    assert score == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_quantiles_of_a_transformed_target_go_through_the_inverse(rng, name):
    model, X, y, law, (_, inverse, _) = transformed_data(rng, name)

    def ppf(q):
        return inverse(law.ppf(1 - q if name == "falling" else q))

    loss = [np.maximum(q * (y - ppf(q)), (q - 1) * (y - ppf(q))) for q in DECILES]
    assert metrics.neg_pinball(model, X, y) == pytest.approx(-np.mean(loss), rel=1e-9)
    low, high = ppf(0.05), ppf(0.95)
    outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    expected = -np.mean(high - low + 20 * outside)
    assert metrics.neg_interval_score(model, X, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_crps_of_a_transformed_target_is_its_integral(rng, name):
    model, X, y, law, (func, inverse, _) = transformed_data(rng, name, n=20)
    z = np.linspace(-12, 12, 40_001)
    integrals = []
    for i, at in enumerate(func(y)):
        step = (repeated(law[i], len(z)).cdf(z) - (z >= at)) ** 2
        integrals.append(abs(integrate.trapezoid(step, x=inverse(z))))
    score = metrics.neg_crps(model, X, y)
    assert score == pytest.approx(-np.mean(integrals), rel=1e-3)


def lognormal_crps(y, mean, std):
    w = (np.log(y) - mean) / std
    rest = stats.norm.cdf(w - std) + stats.norm.cdf(std / np.sqrt(2)) - 1
    size = np.exp(mean + std**2 / 2)
    return y * (2 * stats.norm.cdf(w) - 1) - 2 * size * rest


@pytest.mark.parametrize("std", [1e-3, 0.5, 2.0])
def test_the_crps_of_a_lognormal_law_is_its_closed_form(rng, std):
    X = rng.normal(size=(200, 2))
    y = np.exp(X[:, 0] + 1.5 * std * rng.normal(size=200))
    model = transformed(X, y, Line(std), func=np.log, inverse_func=np.exp)
    expected = -np.mean(lognormal_crps(y, X[:, 0], std))
    assert metrics.neg_crps(model, X, y) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
@pytest.mark.parametrize("transformer", [StandardScaler(), RobustScaler()])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_scaling_the_target_changes_its_units_alone(
    rng, scorer, transformer, n_outputs
):
    X, y = line_data(rng, n_outputs=n_outputs)
    y = y * np.array([1e-3, 5.0, 1e4])[:n_outputs] + 2
    model = MDNRegressor(n_components=3, max_iter=5, random_state=0)
    model = TransformedTargetRegressor(model, transformer=transformer).fit(X, y)
    inner, outer = model.regressor_.predict_distribution(X), model.transformer_
    shift = outer.inverse_transform(np.zeros((1, n_outputs)))
    factor = outer.inverse_transform(np.ones((1, n_outputs))) - shift
    law = MixtureDistribution(
        inner.weights,
        inner.means * factor + shift,
        inner.covariances * factor[0] * factor[0][:, None],
    )
    expected = -SCORERS[scorer](y, law)
    assert scorer(model, X, y) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("method", ["yeo-johnson", "box-cox"])
def test_the_density_has_the_jacobian_of_a_power_transformer(rng, method):
    X, y = rng.normal(size=(300, 2)), rng.gamma(2.0, size=300) + 0.01
    if method == "yeo-johnson":
        y -= 1
    model = transformed(X, y, transformer=PowerTransformer(method))
    power, z = model.transformer_, model.transformer_.transform(y[:, None])
    base = y if method == "box-cox" else 1 + np.abs(y)
    rise = base ** ((power.lambdas_[0] - 1) * np.where(y < 0, -1, 1))
    log_slope = np.log(rise / power._scaler.scale_[0])
    expected = np.mean(Line(0.7).predict_distribution(X).logpdf(z) + log_slope)
    score = metrics.neg_log_likelihood(model, X, y)
    assert score == pytest.approx(expected, abs=1e-8)


def test_the_density_has_the_jacobian_of_a_quantile_transformer(rng):
    X, y = rng.normal(size=(300, 2)), rng.gamma(2.0, size=300)
    transformer = QuantileTransformer(n_quantiles=50, output_distribution="normal")
    model = transformed(X, y, transformer=transformer)
    knots, levels = model.transformer_.quantiles_[:, 0], model.transformer_.references_
    y = rng.uniform(knots[1], knots[-2], 300)
    panel = np.searchsorted(knots, y) - 1
    z = stats.norm.ppf(np.interp(y, knots, levels))
    rise = np.diff(levels)[panel] / np.diff(knots)[panel]
    log_slope = np.log(rise) - stats.norm.logpdf(z)
    expected = np.mean(Line(0.7).predict_distribution(X).logpdf(z) + log_slope)
    score = metrics.neg_log_likelihood(model, X, y)
    assert score == pytest.approx(expected, abs=1e-3)  # y beside a knot: mean slope


@pytest.mark.parametrize(
    "transformer",
    [
        PowerTransformer(),
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    ],
)
def test_the_crps_of_a_transformed_target_is_that_of_draws(rng, transformer):
    X, y = rng.normal(size=(100, 2)), rng.gamma(2.0, size=100)
    model = transformed(X, y, Line(0.3), transformer=transformer)
    z = Line(0.3).predict_distribution(X).sample(4000, random_state=0)
    drawn = model.transformer_.inverse_transform(z.reshape(-1, 1)).reshape(z.shape)
    distance = np.abs(drawn[:, :2000] - drawn[:, 2000:]).mean()
    expected = distance / 2 - np.abs(drawn - y[:, None]).mean()
    assert metrics.neg_crps(model, X, y) == pytest.approx(expected, abs=3e-3)


def test_outputs_that_are_mixed_have_a_joint_density_only(rng):
    X, y = line_data(rng, n_outputs=2)
    model = transformed(X, y, Line(0.7, n_outputs=2), transformer=PCA(whiten=True))
    inverse = model.transformer_.inverse_transform
    matrix = (inverse(np.eye(2)) - inverse(np.zeros((2, 2)))).T
    inner = Line(0.7, n_outputs=2).predict_distribution(X)
    law = MixtureDistribution(
        inner.weights,
        inner.means @ matrix.T + model.transformer_.mean_,
        matrix @ inner.covariances @ matrix.T,
    )
    expected = law.logpdf(y).mean()
    score = metrics.neg_log_likelihood(model, X, y)
    assert score == pytest.approx(expected, abs=1e-8)
    for scorer in OF_QUANTILES:
        with pytest.raises(ValueError, match=r"mixes the outputs.*neg_log_likelihood"):
            scorer(model, X, y)
    model = transformed(X, y, transformer=PCA(1), check_inverse=False)
    with pytest.raises(ValueError, match="makes 1 outputs of 2"):
        metrics.neg_log_likelihood(model, X, y)


def test_transformations_in_each_other_are_undone_in_order(rng):
    X = rng.normal(size=(50, 2))
    y = np.exp(5 + 3 * rng.normal(size=50))
    inner = TransformedTargetRegressor(Line(), transformer=StandardScaler())
    model = transformed(X, y, inner, func=np.log, inverse_func=np.exp)
    z = np.log(y)
    law = scaled(Line().predict_distribution(X), z.mean(), z.std())
    score = metrics.neg_log_likelihood(model, X, y)
    assert score == pytest.approx(np.mean(law.logpdf(z) - z), abs=1e-8)
    expected = -np.mean(lognormal_crps(y, law.mean(), law.std()))
    assert metrics.neg_crps(model, X, y) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_scores_of_different_transformations_can_be_compared(rng, scorer):
    X = rng.normal(size=(500, 2))
    y = np.exp(X[:, 0] + rng.normal(size=500))
    log = FunctionTransformer(np.log, np.exp)
    search = GridSearchCV(
        TransformedTargetRegressor(Line()),
        {
            "transformer": [
                None,
                StandardScaler(),
                log,
                FunctionTransformer(np.cbrt, cube),
            ]
        },
        scoring=scorer,
        error_score="raise",
    )
    assert search.fit(X, y).best_index_ == 2


def test_blocks_of_rows_do_not_matter(rng, monkeypatch):
    model, X, y, *_ = transformed_data(rng, "log")
    expected = metrics.neg_crps(model, X, y)
    monkeypatch.setattr(_transformed_law, "NUMBERS", 1)
    assert metrics.neg_crps(model, X, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("at", [0.0, -1.0])
def test_where_the_transformation_ends_there_is_no_density_but_a_crps(rng, at):
    model, X, y, *_ = transformed_data(rng, "log")
    y[7] = at
    with pytest.raises(
        ValueError, match=rf"no density at y = {at}, in row 7: .*neg_crps"
    ):
        metrics.neg_log_likelihood(model, X, y)
    row = transformed(X[7:8], [1.0], func=np.log, inverse_func=np.exp)
    mean, distance = np.exp(X[7, 0] + 0.7**2 / 2), 2 * stats.norm.cdf(0.7 / 2**0.5) - 1
    expected = mean - at - mean * distance
    score = metrics.neg_crps(row, X[7:8], [at])
    assert score == pytest.approx(-expected, rel=1e-8)


def test_a_constant_transformation_has_no_density(rng):
    X, y = rng.normal(size=(100, 2)), rng.uniform(size=100)
    transformer = QuantileTransformer(n_quantiles=20, output_distribution="normal")
    model = transformed(X, y, transformer=transformer)
    with pytest.raises(ValueError, match=r"no density at y = 2.0"):
        metrics.neg_log_likelihood(model, X[:1], [2.0])
    assert metrics.neg_crps(model, X[:1], [2.0]) > -3


def test_a_transformation_that_turns_back_is_refused():
    X, y = np.full((5, 2), -0.1), np.full(5, 0.1)
    model = transformed(X, y, func=np.sqrt, inverse_func=np.square)
    for scorer in OF_QUANTILES:
        with pytest.raises(ValueError, match=r"not monotone.*neg_log_likelihood"):
            scorer(model, X, y)
    X += 1.6  # 2 % of the law are below zero
    assert metrics.neg_pinball(model, X, y) > -1
    with pytest.raises(ValueError, match="not monotone"):
        metrics.neg_crps(model, X, y)


def test_a_bounded_transformation_takes_laws_that_keep_inside(rng):
    X, y = np.zeros((300, 2)), np.exp(rng.normal(size=300))
    model = transformed(X, y, Line(0.35), transformer=PowerTransformer())
    power = model.transformer_
    bound = power._scaler.transform([-1 / power.lambdas_])
    assert 0 < bound < 9 * 0.35
    levels = (np.arange(20_000) + 0.5) / 20_000
    z = Line(0.35).predict_distribution(X[:1]).ppf(levels)
    values = power.inverse_transform(z.T)[:, 0]
    loss = (levels - (y[:20, None] < values)) * (y[:20, None] - values)
    score = metrics.neg_crps(model, X[:20], y[:20])
    assert score == pytest.approx(-2 * loss.mean(), rel=1e-4)
    model.regressor_.set_params(std=2.0)
    for scorer in OF_QUANTILES:
        with pytest.raises(ValueError, match=r"not defined.*without bounds"):
            scorer(model, X, y)


@pytest.mark.parametrize(("shift", "unit"), [(1e9, 10.0), (-1e6, 1e-3), (0, 1e200)])
def test_the_jacobian_is_exact_far_from_zero(rng, shift, unit):
    X = rng.normal(size=(100, 2))
    law = Line(0.7).predict_distribution(X)
    transformation = {
        "func": lambda y: (y - shift) / unit,
        "inverse_func": lambda z: shift + unit * z,
    }
    y = shift + unit * draws(law)
    model = transformed(X, y, **transformation)
    expected = np.mean(law.logpdf((y - shift) / unit)) - np.log(unit)
    score = metrics.neg_log_likelihood(model, X, y)
    assert score == pytest.approx(expected, abs=1e-8)


def test_infinity_on_the_way_is_no_warning(rng):
    X = rng.normal(size=(5, 2))
    y = np.exp(X[:, 0])
    model = transformed(X, y, Line(100.0), func=np.log, inverse_func=np.exp)
    assert metrics.neg_crps(model, X, y) < -1e200
    inner = TransformedTargetRegressor(Line(), func=np.log, inverse_func=np.exp)
    model = transformed(X, 1 + y, inner, func=np.log, inverse_func=np.exp)
    with pytest.raises(ValueError, match=r"no density at y = 1.0, in row 0"):
        metrics.neg_log_likelihood(model, X, np.ones(5))


def test_an_inverse_that_is_none_has_no_density(rng):
    X = rng.normal(size=(50, 2))
    biased = {"func": np.log, "inverse_func": lambda z: 1.02 * np.exp(z)}
    model = transformed(X, np.exp(X[:, 0]), check_inverse=False, **biased)
    with pytest.raises(ValueError, match="not smooth and invertible"):
        metrics.neg_log_likelihood(model, X, np.exp(X[:, 0]))


def normal_through(func, inverse_func, mean=0.0):
    z = MixtureDistribution(*np.ones((3, 2, 1)))
    z = MixtureDistribution(z.weights, z.means * mean, z.covariances)
    pair = FunctionTransformer(func, inverse_func).fit(np.ones((3, 1)))
    return _transformed_law.TransformedLaw(z, [pair])


def test_the_cdf_of_a_transformed_law_is_that_of_its_draws():
    law = normal_through(np.cbrt, lambda z: z**3)
    y = np.array([-0.3, 2.0])
    np.testing.assert_allclose(law.cdf(y)[:, 0], stats.norm.cdf(np.cbrt(y)), rtol=1e-12)
    clipped = normal_through(lambda y: np.clip(y, -1, 1), lambda z: np.clip(z, -1, 1))
    y = np.array([-1.1, 0.5])
    np.testing.assert_allclose(clipped.cdf(y)[:, 0], [0, stats.norm.cdf(0.5)])


@pytest.mark.parametrize(
    ("func", "inverse_func", "message"),
    [
        (np.sqrt, np.square, "not monotone"),
        (np.floor, lambda z: z, r"no inverse at y = 0\.5, in row 1"),
    ],
)
def test_there_is_no_cdf_without_an_inverse(func, inverse_func, message):
    with pytest.raises(ValueError, match=message):
        normal_through(func, inverse_func, mean=1.66).cdf([0.0, 0.5])
