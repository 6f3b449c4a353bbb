"""Among scikit-learn's own tools, on real data."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_linnerud
from sklearn.inspection import permutation_importance
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmdn import MDNRegressor, MixtureDistribution


def make_model(**parameters):
    return MDNRegressor(
        **{"n_components": 2, "max_iter": 50, "random_state": 0} | parameters
    )


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return train_test_split(X, y, random_state=0)


def test_in_a_pipeline_predict_answers_every_question(diabetes):
    X, X_test, y, _ = diabetes
    pipe = make_pipeline(StandardScaler(), make_model()).fit(X, y)
    direct = make_model().fit(pipe[0].transform(X), y)
    np.testing.assert_array_equal(
        pipe.predict(X_test), direct.predict(pipe[0].transform(X_test))
    )
    mean, std = pipe.predict(X_test, return_std=True)
    law = pipe.predict(X_test, output_type="distribution")
    assert isinstance(law, MixtureDistribution)
    np.testing.assert_array_equal(law.mean(), mean)
    np.testing.assert_array_equal(law.std(), std)
    assert pipe.score_samples(X_test).shape == (len(X_test),)


def test_a_search_in_parallel_is_the_search_in_series(diabetes):
    X, X_test, y, _ = diabetes
    grid = {"n_components": [1, 2], "covariance_type": ["diag", "tied_spherical"]}
    search = GridSearchCV(make_model(max_iter=20), grid, n_jobs=2, cv=2).fit(X, y)
    serial = GridSearchCV(make_model(max_iter=20), grid, cv=2).fit(X, y)
    assert search.best_params_ == serial.best_params_
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"]
    )
    direct = make_model(max_iter=20, **search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.predict(X_test), direct.predict(X_test))


def test_cross_validation(diabetes):
    X, _, y, _ = diabetes
    scores = cross_val_score(make_model(), X, y, cv=3)
    assert scores.shape == (3,)
    assert scores.mean() > 0.3
    assert cross_val_predict(make_model(), X, y, cv=3).shape == y.shape


def test_laws_of_folds_are_joined(diabetes):
    X, _, y, _ = diabetes
    model, tests = make_model(n_estimators=2), np.array_split(np.arange(len(X)), 3)
    laws = [
        model.fit(X.drop(X.index[test]), y.drop(y.index[test])).predict_distribution(
            X.iloc[test]
        )
        for test in tests
    ]
    law = np.concatenate(laws)
    for test, alone in zip(tests, laws, strict=True):
        of_test, observed = law[test], y.iloc[test]
        np.testing.assert_array_equal(of_test.logpdf(observed), alone.logpdf(observed))
        np.testing.assert_array_equal(of_test.epistemic_var(), alone.epistemic_var())


def test_a_frame_gives_its_names(diabetes):
    X, X_test, y, _ = diabetes
    model = make_model().fit(X, y)
    np.testing.assert_array_equal(model.feature_names_in_, X.columns)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X_test[X_test.columns[::-1]])
    with pytest.warns(UserWarning, match="valid feature names"):
        model.predict(X_test.to_numpy())


def test_one_network_for_each_output_or_one_for_all():
    X, y = load_linnerud(return_X_y=True)
    apart = MultiOutputRegressor(make_model()).fit(X, y)
    together = make_model(covariance_type="full").fit(X, y)
    for d, column in enumerate(y.T):
        np.testing.assert_array_equal(
            apart.predict(X)[:, d], make_model().fit(X, column).predict(X)
        )
    assert together.predict(X).shape == y.shape
    assert together.predict_distribution(X).n_outputs == 3


def test_a_transformed_target_comes_back_in_its_units(diabetes):
    X, X_test, y, _ = diabetes
    model = TransformedTargetRegressor(make_model(), func=np.log, inverse_func=np.exp)
    direct = make_model().fit(X, np.log(y))
    np.testing.assert_allclose(
        model.fit(X, y).predict(X_test), np.exp(direct.predict(X_test))
    )


def test_permutation_importance_finds_what_matters(diabetes):
    X, X_test, y, y_test = diabetes
    model = make_model().fit(X, y)
    importance = permutation_importance(model, X_test, y_test, random_state=0)
    names = X.columns[np.argsort(importance.importances_mean)[-3:]]
    assert {"bmi", "s5"} <= set(names)


def test_sample_weights_are_routed(diabetes):
    X, _, y, _ = diabetes
    weights = np.where(np.arange(len(y)) % 2, 1.0, 3.0)
    with config_context(enable_metadata_routing=True):
        model = make_model().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = make_pipeline(scaler, model).fit(X, y, sample_weight=weights)
        scaled = StandardScaler().fit_transform(X)
        direct = make_model().fit(scaled, y, weights)
        np.testing.assert_array_equal(pipe[-1].coefs_[0], direct.coefs_[0])
        scores = cross_val_score(model, X, y, cv=2, params={"sample_weight": weights})
        assert np.all(scores > 0.2)
