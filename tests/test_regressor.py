"""MDNRegressor as its users meet it: laws, units, seeds, weights, mistakes."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import simpson
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import shuffle

from skmdn import MDNRegressor, _fitting

TYPES = ["full", "diag", "spherical", "tied_spherical", "fixed_spherical"]


def make_model(covariance_type="diag", **parameters):
    noise_std = 0.4 if covariance_type == "fixed_spherical" else None
    defaults = {"n_components": 3, "max_iter": 20, "random_state": 0}
    return MDNRegressor(
        covariance_type=covariance_type, noise_std=noise_std, **defaults | parameters
    )


def make_data(rng, n=200, n_outputs=1):
    """Noise grows with the first feature; each output leans on the one before."""
    X = rng.uniform(-1, 1, (n, 2))
    noise = rng.normal(size=(n, n_outputs)) * (0.2 + 0.3 * np.abs(X[:, :1]))
    y = X[:, :1] + np.cumsum(noise, axis=1)
    return X, y[:, 0] if n_outputs == 1 else y


def make_curved_data(rng, n):
    """A wave, which no line can follow."""
    X, y = make_data(rng, n)
    return X, y + np.sin(5 * X[:, 0])


def same_arrays(one, other):
    return all(
        np.array_equal(a, b)
        for a, b in zip(
            [*one.coefs_, *one.intercepts_],
            [*other.coefs_, *other.intercepts_],
            strict=True,
        )
    )


# The law


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_fitted_law_of_one_output_integrates_to_one(rng, covariance_type):
    X, y = make_data(rng)
    model = make_model(covariance_type).fit(X, y)
    grid = np.linspace(-15, 15, 6001)
    for row in X[:3]:
        density = np.exp(model.score_samples(np.tile(row, (6001, 1)), grid))
        assert simpson(density, x=grid) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_fitted_law_of_two_outputs_integrates_to_one(rng, covariance_type):
    X, y = make_data(rng, n_outputs=2)
    model = make_model(covariance_type).fit(X, y)
    axis = np.linspace(-8, 8, 321)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    density = np.exp(model.score_samples(np.tile(X[0], (len(grid), 1)), grid))
    total = simpson(simpson(density.reshape(321, 321), x=axis, axis=1), x=axis)
    assert total == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_fitted_densities_are_those_of_scipy(rng, covariance_type):
    X, y = make_data(rng, n_outputs=3)
    model = make_model(covariance_type, n_estimators=2).fit(X, y)
    law = model.predict_distribution(X[:5])
    expected = [
        np.log(
            sum(
                weight * stats.multivariate_normal(mean, cov).pdf(observed)
                for weight, mean, cov in zip(*parameters, strict=True)
            )
        )
        for *parameters, observed in zip(
            law.weights, law.means, law.covariances, y[:5], strict=True
        )
    ]
    np.testing.assert_allclose(
        model.score_samples(X[:5], y[:5]), expected, rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("covariance_type", TYPES[2:])
def test_spherical_means_so_in_units_of_y(rng, covariance_type):
    X, y = make_data(rng, n_outputs=3)
    model = make_model(covariance_type).fit(X, y * [1e-2, 1.0, 1e2])
    law = model.predict_distribution(X[:10])
    first = law.covariances[..., :1, :1]
    np.testing.assert_allclose(law.covariances, first * np.eye(3), rtol=1e-12)
    if covariance_type != "spherical":
        assert np.ptp(first, axis=1).max() <= 1e-12 * first.max()
    if covariance_type == "fixed_spherical":
        np.testing.assert_allclose(first, 0.4**2)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_what_is_learned_shrinks_the_loss(rng, covariance_type):
    X, y = make_data(rng, n=400, n_outputs=2)
    model = make_model(covariance_type, max_iter=60).fit(X, y)
    assert model.loss_curve_[0, -1] < model.loss_curve_[0, 0] - 0.2


def test_noise_that_grows_and_outputs_that_lean_on_each_other_are_found(rng):
    X, y = make_data(rng, n=4000, n_outputs=2)
    model = MDNRegressor(n_components=1, covariance_type="full", random_state=0)
    model.set_params(hidden_layer_sizes=(32, 32))
    law = model.fit(X, y).predict_distribution(np.array([[0.25, 0.0], [1.0, 0.0]]))
    truth = np.array([0.275, 0.5])[:, None, None] ** 2 * np.array([[1, 1], [1, 2]])
    np.testing.assert_allclose(law.cov(), truth, rtol=0.25)


def test_no_component_is_narrower_than_the_floor(rng):
    X = rng.uniform(size=(300, 1))
    y = rng.integers(0, 3, 300) * 10.0
    model = make_model(min_std=0.05, max_iter=200).fit(X, y)
    stds = np.sqrt(model.predict_distribution(X).covariances)
    assert stds.min() >= 0.05 * y.std() * (1 - 1e-9)
    assert stds.min() < 0.1 * y.std()


# Shapes


@pytest.mark.parametrize("shape", [(50,), (50, 1), (50, 3)])
def test_answers_are_shaped_like_y(rng, shape):
    X = rng.normal(size=(50, 2))
    model = make_model(max_iter=2).fit(X, rng.normal(size=shape))
    one = (7, *shape[1:])
    mean, std = model.predict(X[:7], return_std=True)
    assert mean.shape == std.shape == one
    np.testing.assert_array_equal(mean, model.predict(X[:7]))
    assert model.sample(X[:7], 4, random_state=0).shape == (7, 4, *shape[1:])
    assert model.score_samples(X[:7]).shape == (7,)
    law = model.predict(X[:7], output_type="distribution")
    assert (len(law), law.n_outputs) == (7, shape[1] if len(shape) == 2 else 1)
    assert model.n_outputs_ == law.n_outputs


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_estimators", [1, 3])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_predict_is_the_mean_of_the_law(rng, covariance_type, n_estimators, n_outputs):
    X = rng.normal(size=(50, 2))  # few enough for a line under the network
    y = X[:, :n_outputs] + rng.normal(size=(50, n_outputs))
    model = make_model(covariance_type, n_estimators=n_estimators).fit(X, y)
    assert model.y_slopes_.any()
    law = model.predict_distribution(X)
    np.testing.assert_array_equal(
        model.predict(X).reshape(law.mean().shape), law.mean()
    )


def test_the_history_has_a_row_for_every_member(rng):
    X, y = make_data(rng)
    model = make_model(n_estimators=3, n_init=2, max_iter=5).fit(X, y)
    assert model.n_iter_ == 5
    assert model.loss_curve_.shape == model.validation_scores_.shape == (3, 5)
    assert model.best_iteration_.shape == (3,)
    assert {coef.shape[0] for coef in model.coefs_} == {3}
    assert model.predict_distribution(X).n_components == 9


def test_validation_scores_are_in_units_of_y(rng):
    X, y = make_data(rng)
    X_val, y_val = make_data(rng)
    model = make_model("fixed_spherical").set_params(noise_std=20)
    model.fit(X, 100 * y, X_val=X_val, y_val=100 * y_val)
    best = model.validation_scores_[0, model.best_iteration_[0] - 1]
    scores = model.score_samples(X_val, 100 * y_val)
    assert best == pytest.approx(judged(model, scores), abs=1e-4)


def judged(model, scores):
    """Their mean, of rows that are unlikely by ten nats in standardised units at most.

    One row alone must not decide.
    """
    return np.maximum(scores, -10 - np.log(model.y_std_).sum()).mean()


# Early stopping


def test_the_best_weights_are_restored(rng):
    X, y = make_curved_data(rng, n=60)
    X_val, y_val = make_curved_data(rng, n=500)
    model = MDNRegressor(max_iter=300, learning_rate_init=0.05, random_state=0)
    # a width that is given, so that rows held out do not change it in the end
    model.set_params(covariance_type="fixed_spherical", noise_std=0.3)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    scores = model.validation_scores_[0]
    assert model.best_iteration_[0] == scores.argmax() + 1 < model.n_iter_ < 300
    restored = judged(model, model.score_samples(X_val, y_val))
    assert restored == pytest.approx(scores.max(), abs=1e-4)
    assert restored > scores[-1] + 0.01


def test_members_stop_by_themselves(rng):
    X, y = make_curved_data(rng, n=400)
    model = MDNRegressor(n_estimators=4, n_iter_no_change=150, random_state=0)
    model.fit(X, y)
    stopped = np.isnan(model.validation_scores_).sum(axis=1)
    assert len(set(stopped)) > 1
    for scores, best in zip(
        model.validation_scores_, model.best_iteration_, strict=True
    ):
        assert best == np.nanargmax(scores) + 1


def test_validation_rows_that_judge_nothing_are_told(rng):
    X, y = make_data(rng)
    with pytest.warns(UserWarning, match="No pass had a finite score"):
        model = make_model().fit(X, y, X_val=X[:9], y_val=1e30 * y[:9])
    assert model.best_iteration_ == 0


def test_steps_that_all_diverge_are_told(rng):
    X, y = make_data(rng)
    model = make_model(early_stopping=False, learning_rate_init=1e10)
    with pytest.warns(UserWarning, match="The loss of the last pass is not finite"):
        model.fit(X, y)
    model = make_model().partial_fit(X, y)
    with pytest.warns(UserWarning, match="many orders of magnitude off"):
        model.partial_fit(X, 1e25 * y)


def test_validation_weights_count(rng):
    X, y = make_data(rng)
    weights = np.r_[np.ones(100), np.zeros(100)]
    one = make_model().fit(X, y, X_val=X, y_val=y, sample_weight_val=weights)
    other = make_model().fit(X, y, X_val=X[:100], y_val=y[:100])
    np.testing.assert_allclose(one.validation_scores_, other.validation_scores_)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_too_few_rows_to_split_are_all_learned_from(rng, n):
    X, y = make_data(rng, n=n)
    model = make_model().fit(X, y)
    assert model.validation_scores_.shape == (1, 0)
    assert np.all(np.isfinite(model.predict(X)))


def test_the_starting_weights_are_kept_where_no_pass_is_better(rng):
    X, y = make_curved_data(rng, n=300)
    X_val, y_val = make_curved_data(rng, n=3000)
    y_val = 2 * y.mean() - y_val  # whatever is learned is wrong there
    model = make_model(max_iter=100).fit(X, y, X_val=X_val, y_val=y_val)
    assert model.best_iteration_ == [0]
    assert model.score_samples(X_val, y_val).mean() > model.validation_scores_.max()


@pytest.mark.parametrize(
    ("value", "n_estimators"), [(0.0, 2), (5.0, 1), (-1e12, 1), (1e-12, 1)]
)
def test_a_y_that_never_changes_is_predicted(value, n_estimators):
    X = np.random.default_rng(0).normal(size=(50, 2))
    model = MDNRegressor(n_estimators=n_estimators, random_state=0)
    model.fit(X, np.full(50, value))
    mean, std = model.predict(X, return_std=True)
    size = abs(value) if value else 1
    assert np.abs(mean - value).max() < 0.01 * size
    assert np.all((std > 0) & (std < 0.1 * size))


# Restarts and ensembles


@pytest.mark.parametrize("early_stopping", [True, False])
def test_restarts_keep_the_best_of_each_member(rng, monkeypatch, early_stopping):
    tried = []

    def best_restarts(fit, n, choose=_fitting._best_restarts):
        tried.append(fit)
        return choose(fit, n)

    monkeypatch.setattr(_fitting, "_best_restarts", best_restarts)
    X, y = make_curved_data(rng, n=200)
    model = make_model(n_estimators=2, n_init=3, early_stopping=early_stopping)
    model.fit(X, y)
    (fit,) = tried
    if early_stopping:
        best = np.nanmax(fit.scores, axis=1).reshape(2, 3).argmax(axis=1)
    else:
        best = fit.losses[:, -1].reshape(2, 3).argmin(axis=1)
    kept = best + np.array([0, 3])
    np.testing.assert_array_equal(model.coefs_[0], fit.network.coefs[0][kept])
    np.testing.assert_array_equal(model.loss_curve_, fit.losses[kept])


def test_a_restart_that_learned_nothing_is_kept_only_if_all_are(rng, monkeypatch):
    tried = []
    choose = _fitting._best_restarts
    monkeypatch.setattr(
        _fitting, "_best_restarts", lambda fit, n: choose(tried.append(fit) or fit, n)
    )
    make_model(n_init=3).fit(*make_curved_data(rng, n=200))
    (fit,) = tried
    order = np.nanmax(fit.scores, axis=1).argsort()
    for n_learned, expected in [(3, order[2]), (2, order[1]), (1, order[0])]:
        iterations = fit.best_iteration.copy()
        iterations[order[n_learned:]] = 0
        kept = choose(fit._replace(best_iteration=iterations), 3)
        np.testing.assert_array_equal(kept, [expected])


def test_an_ensemble_of_mixtures_is_a_mixture(rng):
    X, y = make_curved_data(rng, n=200)
    model = make_model(n_estimators=3).fit(X, y)
    members = []
    for m in range(3):
        member = copy.deepcopy(model)
        member.coefs_ = [coef[m : m + 1] for coef in model.coefs_]
        member.intercepts_ = [intercept[m : m + 1] for intercept in model.intercepts_]
        member.least_raw_stds_ = model.least_raw_stds_[m : m + 1]
        members.append(np.exp(member.score_samples(X, y)))
    np.testing.assert_allclose(
        np.exp(model.score_samples(X, y)), np.mean(members, axis=0), rtol=1e-10
    )
    assert np.std(members, axis=0).max() > 1e-3


# Units


def test_powers_of_two_change_no_digit(rng):
    X, y = make_data(rng, n_outputs=2)
    one = make_model("full").fit(X, y)
    a, b = 2.0**-7, np.array([2.0**11, 2.0**-3])
    other = make_model("full").fit(a * X, b * y)
    assert same_arrays(one, other)
    np.testing.assert_array_equal(other.predict(a * X), b * one.predict(X))
    np.testing.assert_allclose(
        other.score_samples(a * X, b * y),
        one.score_samples(X, y) - np.log(b).sum(),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("a", "c", "b", "e"),
    [(1e9, -3e9, 1e-9, 2e-9), (1e-9, 1e-8, 1e9, -1e10), (3.7, 100.0, 0.3, -1e3)],
)
def test_units_do_not_matter(a, c, b, e):
    rng = np.random.default_rng(0)
    X, y = make_data(rng, n=1000)
    X_test, y_test = make_data(rng, n=1000)
    model = MDNRegressor(n_components=2, random_state=0)
    plain = model.fit(X, y).score_samples(X_test, y_test)
    scaled = model.fit(a * X + c, b * y + e)
    scores = scaled.score_samples(a * X_test + c, b * y_test + e)
    np.testing.assert_allclose(scores + np.log(b), plain, atol=1e-5)


def test_a_constant_feature_does_no_harm(rng):
    X, y = make_data(rng)
    constant = np.column_stack([X, np.full(len(X), 0.1 + 1e-17)])
    model = make_model().fit(constant, y)
    assert np.abs(model.predict(constant) - y).mean() < 0.5


@pytest.mark.parametrize("parameters", [{}, {"hidden_layer_sizes": ()}])
def test_a_feature_that_never_changed_has_no_say_when_it_does(rng, parameters):
    X, y = make_data(rng)
    X[:, 1] = 0.1
    model = make_model(n_estimators=2, **parameters).fit(X, y)
    expected = model.predict_distribution(X)
    X[:, 1] += 100
    law = model.predict_distribution(X)
    np.testing.assert_array_equal(law.means, expected.means)
    np.testing.assert_array_equal(law.covariances, expected.covariances)


@pytest.mark.parametrize("covariance_type", ["diag", "spherical", "tied_spherical"])
def test_a_constant_output_does_no_harm(rng, covariance_type):
    X, y = make_data(rng, n=400)
    alone = make_model(covariance_type, max_iter=200).fit(X, y)
    both = clone(alone).fit(X, np.column_stack([y, np.full(400, 1e6)]))
    law = both.predict_distribution(X)
    expected = alone.score_samples(X, y).mean()
    assert law.marginal(0).logpdf(y).mean() > expected - 0.3
    np.testing.assert_allclose(law.mean()[:, 1], 1e6, rtol=1e-8)


# Seeds


def test_the_same_seed_gives_the_same_numbers(rng):
    X, y = make_data(rng)
    one, other = (make_model(n_estimators=2).fit(X, y) for _ in range(2))
    assert same_arrays(one, other)
    assert not same_arrays(one, make_model(n_estimators=2, random_state=1).fit(X, y))


def test_no_seed_follows_numpy(rng):
    X, y = make_data(rng)
    state = np.random.get_state()  # noqa: NPY002
    try:
        fits = []
        for _ in range(2):
            np.random.seed(3)  # noqa: NPY002
            fits.append(make_model(random_state=None).fit(X, y))
        fits.append(make_model(random_state=None).fit(X, y))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    assert same_arrays(*fits[:2])
    assert not same_arrays(*fits[1:])


def test_a_random_state_is_consumed(rng):
    X, y = make_data(rng)
    model = make_model(random_state=np.random.RandomState(0))
    assert not same_arrays(clone(model).fit(X, y), clone(model.fit(X, y)).fit(X, y))


def test_the_order_of_rows_does_not_matter(rng):
    X, y = make_data(rng)
    assert same_arrays(
        make_model().fit(X, y), make_model().fit(*shuffle(X, y, random_state=1))
    )


# Sample weights


@pytest.mark.parametrize("parameters", [{}, {"batch_size": 16}, {"n_estimators": 2}])
def test_a_weight_of_two_is_the_row_given_twice(rng, parameters):
    X, y = make_data(rng)
    times = rng.integers(0, 4, len(X))
    weighted = make_model(**parameters).fit(X, y, sample_weight=times)
    repeated = make_model(**parameters).fit(
        np.repeat(X, times, axis=0), np.repeat(y, times)
    )
    assert same_arrays(weighted, repeated)


@pytest.mark.parametrize("exponent", [-1000, -130, 150, 1020])
def test_the_unit_of_weights_does_not_matter(rng, exponent):
    X, y = make_data(rng)
    weights = rng.uniform(0.5, 2, len(X))
    unit = 2.0**exponent
    held_out = {"X_val": X[:50], "y_val": y[:50]}
    one = make_model().fit(X, y, weights, **held_out)
    assert same_arrays(make_model().fit(X, y, unit * weights, **held_out), one)
    held_out["sample_weight_val"] = np.full(50, unit)
    assert same_arrays(make_model().fit(X, y, weights, **held_out), one)


def test_a_weight_beside_which_others_vanish_is_the_only_one(rng):
    X, y = make_data(rng)
    weights = np.where(np.arange(len(X)) < 100, 1.0, 1e-60)
    assert same_arrays(
        make_model().fit(X, y, weights), make_model().fit(X[:100], y[:100])
    )


def test_weights_draw_the_law_to_where_they_are(rng):
    X = rng.normal(size=(400, 1))
    y = np.r_[np.full(200, -1.0), np.full(200, 1.0)] + 0.1 * rng.normal(size=400)
    model = make_model(max_iter=100, n_components=2)
    law = model.fit(X, y, np.where(y > 0, 9.0, 1.0)).predict_distribution([[0.0]])
    assert law.mean() == pytest.approx(0.8, abs=0.15)


def test_score_is_weighted(rng):
    X, y = make_data(rng)
    model = make_model().fit(X, y)
    weights = np.r_[np.ones(50), np.zeros(150)]
    assert model.score(X, y, weights) == pytest.approx(model.score(X[:50], y[:50]))


# Continuing


def test_a_second_fit_starts_anew_unless_it_is_warm(rng):
    X, y = make_data(rng)
    model = make_model(max_iter=3, random_state=0).fit(X, y)
    first = copy.deepcopy(model)
    assert same_arrays(model.fit(X, y), first)
    model.set_params(warm_start=True, max_iter=100).fit(X, y)
    assert model.score_samples(X, y).mean() > first.score_samples(X, y).mean()
    assert model.validation_scores_[0, 0] > first.validation_scores_[0, 0]


@pytest.mark.parametrize(
    "change",
    [
        {"n_components": 4},
        {"hidden_layer_sizes": (64, 32)},
        {"covariance_type": "full"},
        {"activation": "relu"},
        {"n_estimators": 2},
        {"min_std": 0.1},
        {"covariance_type": "fixed_spherical", "noise_std": 0.1},
    ],
)
def test_a_warm_start_of_another_network_is_refused(rng, change):
    X, y = make_data(rng, n_outputs=2)
    model = make_model(warm_start=True, max_iter=2).fit(X, y)
    before = copy.deepcopy(model)
    model.set_params(**change)
    with pytest.raises(ValueError, match=rf"{next(iter(change))}.*warm_start=False"):
        model.fit(X, y)
    assert same_arrays(model, before)


@pytest.mark.parametrize("n_estimators", [1, 3])
def test_without_hidden_layers_the_mean_is_linear(rng, n_estimators):
    X, y = make_data(rng)
    model = make_model(
        hidden_layer_sizes=(), n_components=1, n_estimators=n_estimators, max_iter=100
    ).fit(X, y)
    mean = model.predict(X)
    rows = np.column_stack([X, np.ones(len(X))])
    line = rows @ np.linalg.lstsq(rows, mean, rcond=None)[0]
    assert mean.std() > 0.1
    np.testing.assert_allclose(mean, line, atol=1e-10)
    chunks = make_model(hidden_layer_sizes=()).partial_fit(X, y).partial_fit(X, y)
    assert np.isfinite(chunks.score_samples(X, y)).all()


def test_chunks_teach(rng):
    X, y = make_data(rng, n=2000)
    model = make_model()
    for _ in range(10):
        for rows in np.array_split(np.arange(2000), 4):
            model.partial_fit(X[rows], y[rows])
    assert model.n_iter_ == 40
    assert model.loss_curve_.shape == (1, 40)
    reference = make_model(max_iter=40).fit(X, y).score_samples(X, y).mean()
    assert model.score_samples(X, y).mean() > reference - 0.1


@pytest.mark.parametrize("n_rows", [1, 63, 65, 100, 1000])
def test_every_row_of_a_chunk_is_passed_over(rng, n_rows):
    """With steps of no length the loss of the pass is that of all rows."""
    X, y = make_data(rng, n=2000)
    model = make_model(n_components=1).partial_fit(X, y)
    model.set_params(learning_rate_init=1e-15, dropout=0.0)
    weights = rng.uniform(0.5, 2, n_rows)
    model.partial_fit(X[:n_rows], y[:n_rows], weights)
    scores = model.score_samples(X[:n_rows], y[:n_rows])
    expected = -np.average(scores, weights=weights)
    assert model.loss_curve_[0, -1] == pytest.approx(expected, abs=1e-5)


def test_chunks_teach_what_the_first_row_could_not_show(rng):
    """A constant feature of the first chunk is not one of all data."""
    X, y = make_data(rng)
    model = make_model().partial_fit(X[:1], y[:1])
    assert model.coefs_[0].all()
    for _ in range(20):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.1


def test_chunks_go_on_from_where_a_saved_model_was(rng):
    X, y = make_data(rng)
    one = make_model(n_estimators=2).partial_fit(X, y)
    other = pickle.loads(pickle.dumps(one))
    assert same_arrays(one.partial_fit(X, y), other.partial_fit(X, y))


def test_the_first_chunk_fixes_the_units(rng):
    X, y = make_data(rng)
    model = make_model().partial_fit(X, y)
    x_std = model.x_std_.copy()
    model.partial_fit(10 * X, y)
    np.testing.assert_array_equal(model.x_std_, x_std)


def test_chunks_must_have_the_outputs_of_the_first(rng):
    X, y = make_data(rng, n_outputs=2)
    model = make_model().partial_fit(X, y)
    with pytest.raises(ValueError, match=r"3 outputs, but .* 2"):
        model.partial_fit(X, y[:, [0, 1, 1]])


# Saving


@pytest.mark.parametrize("covariance_type", TYPES)
def test_copies_predict_the_same(rng, covariance_type):
    X, y = make_data(rng, n_outputs=2)
    model = make_model(covariance_type, n_estimators=2, max_iter=2).fit(X, y)
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    copies = [
        pickle.loads(pickle.dumps(model)),
        joblib.load(buffer),
        copy.deepcopy(model),
        clone(model).fit(X, y),
    ]
    for twin in copies:
        np.testing.assert_array_equal(twin.predict(X), model.predict(X))
        np.testing.assert_array_equal(
            twin.score_samples(X, y), model.score_samples(X, y)
        )


def test_fitted_state_is_arrays_numbers_and_strings(rng):
    X, y = make_data(rng)
    fits = [make_model(max_iter=2).fit(X, y), make_model().partial_fit(X, y)]
    plain = (np.ndarray, int, float, str, type(None))
    for model in fits:
        learned = {k: v for k, v in vars(model).items() if k not in model.get_params()}
        for name, value in learned.items():
            parts = value if isinstance(value, list | tuple) else [value]
            assert all(isinstance(part, plain) for part in parts), name


def test_a_change_of_parameters_after_the_fit_changes_no_prediction(rng):
    X, y = make_data(rng)
    model = make_model().fit(X, y)
    before = model.predict_distribution(X).logpdf(y)
    model.set_params(
        n_components=1, covariance_type="full", min_std=0.5, activation="relu"
    )
    np.testing.assert_array_equal(model.predict_distribution(X).logpdf(y), before)


# Progress and interruption


def test_nothing_is_printed_unless_asked_for(rng, capfd):
    X, y = make_data(rng)
    make_model().fit(X, y)
    assert capfd.readouterr() == ("", "")
    make_model(verbose=True, max_iter=3).fit(X, y)
    printed = capfd.readouterr().out
    assert "pass 3/3  loss " in printed
    assert "validation score" in printed
    assert printed.endswith("\n")


@pytest.mark.parametrize(
    ("where", "method", "call"),
    [("Steps", "_step", 120), ("Validation", "score", 40)],
)
def test_ctrl_c_keeps_the_best_model_so_far(rng, monkeypatch, where, method, call):
    from skmdn.nn import training

    X, y = make_curved_data(rng, n=200)
    calls = []
    place = getattr(training, where)
    original = getattr(place, method)

    def interrupted(self):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return original(self)

    monkeypatch.setattr(place, method, interrupted)
    model = make_model(max_iter=100)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, y)
    assert 1 < model.n_iter_ < 80
    assert model.refit_iterations_ == [0]
    best = np.argmax(model.validation_scores_[0]) + 1
    assert model.best_iteration_[0] == best
    assert np.all(np.isfinite(model.predict(X)))


@pytest.mark.parametrize("early_stopping", [True, False])
def test_steps_that_are_not_finite_are_undone(rng, monkeypatch, early_stopping):
    from skmdn.nn.adam import Adam

    X, y = make_data(rng)
    steps = []

    def step(self, gradient, *rates, step=Adam.step):
        steps.append(1)
        if len(steps) == 5:
            gradient[0, 3] = np.nan
        if len(steps) == 6:
            gradient[0, 3] = np.inf
        return step(self, gradient, *rates)

    monkeypatch.setattr(Adam, "step", step)
    model = make_model(n_estimators=2, early_stopping=early_stopping).fit(X, y)
    assert all(np.isfinite(coef).all() for coef in model.coefs_)
    assert model.score(X, y) > 0.5


@pytest.mark.parametrize("learning_rate", [100.0, 1e30])
def test_steps_that_are_far_too_long_leave_a_finite_model(rng, learning_rate):
    X, y = make_curved_data(rng, n=300)
    model = make_model(learning_rate_init=learning_rate).fit(X, y)
    assert np.all(np.isfinite(model.score_samples(X, y)))


# Mistakes


def replace_fourth(values, value):
    values = values.copy()
    values.flat[3] = value
    return values


BAD_DATA = {
    "NaN in X": (lambda X, y: (replace_fourth(X, np.nan), y), "NaN"),
    "infinity in X": (
        lambda X, y: (replace_fourth(X, np.inf), y),
        "infinity",
    ),
    "NaN in y": (lambda X, y: (X, replace_fourth(y, np.nan)), "NaN"),
    "None in y": (lambda X, y: (X, replace_fourth(y.astype(object), None)), "NaN"),
    "infinity in strings": (
        lambda X, y: (X, replace_fourth(y.astype("U32"), "inf")),
        "first in row 3",
    ),
    "strings": (lambda X, y: (np.full(X.shape, "a"), y), "could not convert"),
    "y too short": (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
    "X of one dimension": (lambda X, y: (X[:, 0], y), "Expected 2D array"),
    "y of three dimensions": (lambda X, y: (X, np.zeros((len(y), 2, 2))), "dim"),
    "negative weight": (lambda X, y: (X, y, -np.ones(len(y))), "not negative, got"),
    "no weight": (
        lambda X, y: (X, y, np.zeros(len(y))),
        "(?i)weight.* zero|zero.* weight|non-zero",
    ),
    "NaN in weights": (lambda X, y: (X, y, np.full(len(y), np.nan)), "NaN"),
    "weights too short": (lambda X, y: (X, y, np.ones(3)), "sample_weight.shape"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_refused_and_changes_nothing(rng, case, method):
    X, y = make_data(rng)
    spoil, message = BAD_DATA[case]
    model = make_model(max_iter=2).fit(X[:, :1], y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(*spoil(X[:, :1], y))
    assert vars(model) == before
    fresh = make_model()
    with pytest.raises(ValueError, match=message):
        getattr(fresh, method)(*spoil(X, y))
    assert vars(fresh) == vars(make_model())


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "wrong", [{"covariance_type": "fixed_spherical"}, {"hidden_layer_sizes": [0]}]
)
def test_a_refusal_draws_no_random_number(rng, method, wrong):
    X, y = make_data(rng)
    random_state = np.random.RandomState(0)
    model = MDNRegressor(random_state=random_state, **wrong)
    with pytest.raises(ValueError, match=r"noise_std|hidden_layer_sizes"):
        getattr(model, method)(X, y)
    assert random_state.randint(2**31) == np.random.RandomState(0).randint(2**31)


def test_a_width_far_below_the_spread_of_y_warns_of_nothing(rng):
    X, y = make_data(rng)
    model = MDNRegressor(covariance_type="fixed_spherical", noise_std=1e-3, max_iter=2)
    assert np.isfinite(model.fit(X, 1000 * y).predict(X)).all()


@pytest.mark.parametrize("go_on", ["fit", "partial_fit"])
def test_answers_have_the_shape_of_the_latest_y(rng, go_on):
    X, y = make_data(rng)
    model = make_model(max_iter=2, warm_start=True).fit(X, y)
    assert getattr(model, go_on)(X, y[:, None]).predict(X).shape == (200, 1)
    assert getattr(model, go_on)(X, y).predict(X).shape == (200,)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_targets_of_another_kind_are_refused(rng, method):
    X, _ = make_data(rng)
    for y in [np.arange(200).astype("M8[s]"), csr_array(np.ones((200, 1)))]:
        with pytest.raises(ValueError, match="y must be real numbers in a dense array"):
            getattr(make_model(), method)(X, y)


def test_rows_held_out_are_named_if_they_are_bad(rng):
    X, y = make_data(rng)
    for X_val, y_val in [(X, y[:3]), (np.full_like(X, np.nan), y), (X[:, :1], y)]:
        with pytest.raises(ValueError, match="In X_val, y_val or sample_weight_val"):
            make_model().fit(X, y, X_val=X_val, y_val=y_val)


NARROW = {
    "max_iter": np.int8(100),
    "batch_size": np.uint8(64),
    "n_components": np.int8(100),
    "n_estimators": np.int8(2),
    "n_init": np.int8(2),
    "n_iter_no_change": np.int8(127),
}


@pytest.mark.parametrize("name", NARROW)
def test_integers_of_any_type_are_the_same(rng, name):
    X, y = make_data(rng)
    value = NARROW[name]
    fits = [
        make_model(**{"max_iter": 2, name: v}).fit(X, y) for v in (value, int(value))
    ]
    assert same_arrays(*fits)
    assert fits[0].sample(X, np.int8(3), random_state=0).shape == (200, 3)


BAD_PARAMETERS = [
    ({"n_components": 0}, "'n_components' .* Got 0"),
    ({"covariance_type": "round"}, "'covariance_type' .* Got 'round'"),
    ({"noise_std": 0.5}, "noise_std=0.5 has no meaning .*'fixed_spherical'"),
    ({"covariance_type": "fixed_spherical"}, "needs noise_std"),
    ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (5, 2.5)}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": [True]}, "hidden_layer_sizes"),
    ({"activation": "sigmoid"}, "'activation' .* Got 'sigmoid'"),
    ({"min_std": 0.0}, "'min_std' .* Got 0.0"),
    ({"dropout": 1.0}, "'dropout' .* Got 1.0"),
    ({"max_iter": "many"}, "'max_iter' .* Got 'many'"),
    ({"device": "abacus"}, "device='abacus'"),
    ({"device": "cuda:77"}, "device='cuda:77'"),
    ({"device": "meta"}, "device='meta'"),
]


@pytest.mark.parametrize(("parameters", "message"), BAD_PARAMETERS)
def test_bad_parameters_are_refused_and_change_nothing(rng, parameters, message):
    X, y = make_data(rng)
    model = make_model(max_iter=2).fit(X, y).set_params(**parameters)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert vars(model) == before


def test_rows_to_validate_on_come_with_their_targets(rng):
    X, y = make_data(rng)
    with pytest.raises(ValueError, match="go together"):
        make_model().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="needs X_val"):
        make_model().fit(X, y, sample_weight_val=y)
    with pytest.raises(ValueError, match="features"):
        make_model().fit(X, y, X_val=X[:, :1], y_val=y)
    with pytest.raises(ValueError, match="early_stopping=True"):
        make_model(early_stopping=False).fit(X, y, X_val=X, y_val=y)
    with pytest.raises(
        ValueError, match="sample_weight_val must be finite and not negative"
    ):
        make_model().fit(X, y, X_val=X, y_val=y, sample_weight_val=-np.ones(len(y)))


def test_questions_before_the_fit_are_refused():
    model = MDNRegressor()
    for ask in (model.predict, model.predict_distribution, model.sample):
        with pytest.raises(NotFittedError):
            ask([[0.0]])
    with pytest.raises(NotFittedError):
        model.to_torch()


def test_bad_questions_are_refused(rng):
    X, y = make_data(rng)
    model = make_model(max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match=r"output_type must be one of .*'median_'"):
        model.predict(X, output_type="median_")
    with pytest.raises(ValueError, match="return_std"):
        model.predict(X, return_std=True, output_type="distribution")
    with pytest.raises(ValueError, match="3 features"):
        model.predict(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"y must have shape \(200,\)"):
        model.score_samples(X, y[:5])


def test_tensors_are_taken_like_arrays(rng):
    import torch

    X, y = make_data(rng)
    expected = make_model(max_iter=2).fit(X, y).predict(X)
    X, y = torch.tensor(X), torch.tensor(y)
    np.testing.assert_array_equal(make_model(max_iter=2).fit(X, y).predict(X), expected)
