"""A refit: the passes that paid once more, with the rows that told so."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_networks import make_data, task_of_members

from skmdn import MDNRegressor
from skmdn.nn import training
from skmdn.nn.training import train

SEEDS = [1, 2, 3, 4]


@pytest.fixture
def judged():
    """A task of four members, and what came of it by rows held out."""
    rng = np.random.default_rng(1)
    rows = np.stack([rng.permutation(300)[:200] for _ in SEEDS])
    task = task_of_members(rows, SEEDS, single=False, max_iter=60)
    return task, train(*task)


def without_judges(data, members=...):
    held_out = data.validation_rows[members, :0]
    return data._replace(train_rows=data.train_rows[members], validation_rows=held_out)


def test_the_passes_that_paid_lead_to_the_weights_that_were_kept(judged):
    (state, head, data, options, seeds), result = judged
    first, second = result.passes
    assert np.all(first > 0)
    assert np.any(second > 0)
    again = train(state, head, without_judges(data), options, seeds, result.passes)
    for a, b in zip(result.state.coefs, again.state.coefs, strict=True):
        assert_array_equal(a, b)


def test_members_that_repeat_their_passes_do_not_see_each_other(judged):
    (state, head, data, options, seeds), result = judged
    some = [2, 0]
    fewer = state._replace(
        coefs=[coef[some] for coef in state.coefs],
        intercepts=[intercept[some] for intercept in state.intercepts],
    )
    data, passes = without_judges(data, some), result.passes[:, some]
    seeds = [seeds[member] for member in some]
    again = train(fewer, head, data, options, seeds, passes)
    for a, b in zip(result.state.coefs, again.state.coefs, strict=True):
        assert_allclose(a[some], b, atol=1e-5)


def test_training_leaves_its_rows_as_they_were(judged):
    (_, _, data, _, _), _ = judged
    assert_array_equal(data.table[:, -1], 1)


def noisy_curve(seed, n=80, n_test=2000):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n + n_test, 2))
    y = np.sin(2 * X[:, 0]) + 0.3 * rng.normal(size=n + n_test)
    return X[:n], y[:n], X[n:], y[n:]


def test_a_refit_pays():
    gains = []
    for seed in range(4):
        X, y, X_test, y_test = noisy_curve(seed)
        scores = [
            MDNRegressor(refit=refit, random_state=seed)
            .fit(X, y)
            .score_samples(X_test, y_test)
            .mean()
            for refit in (False, True)
        ]
        gains.append(scores[1] - scores[0])
    assert np.mean(gains) > 0.03


def small_model(**parameters):
    parameters = {"hidden_layer_sizes": 8, "max_iter": 40} | parameters
    return MDNRegressor(random_state=0, **parameters)


def assert_same_network(one, other):
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        assert_array_equal(a, b)
    for a, b in zip(one.intercepts_, other.intercepts_, strict=True):
        assert_array_equal(a, b)


def test_a_refit_has_other_weights_and_the_same_history(rng):
    X, y = make_data(rng)
    once, again = (
        small_model(n_estimators=3, n_init=2, refit=refit).fit(X, y)
        for refit in (False, True)
    )
    assert_array_equal(once.refit_iterations_, [0, 0, 0])
    assert np.all(again.refit_iterations_ > 0)
    assert np.all(again.refit_iterations_ <= again.best_iteration_)
    assert_array_equal(once.validation_scores_, again.validation_scores_)
    assert_array_equal(once.best_iteration_, again.best_iteration_)
    for member in range(3):
        assert np.any(once.coefs_[0][member] != again.coefs_[0][member])


@pytest.mark.parametrize("n_estimators", [1, 3])
def test_auto_is_a_refit_of_a_single_network(rng, n_estimators):
    X, y = make_data(rng)
    found = small_model(n_estimators=n_estimators).fit(X, y)
    asked = small_model(n_estimators=n_estimators, refit=n_estimators == 1).fit(X, y)
    assert_same_network(found, asked)


@pytest.mark.parametrize("case", ["X_val", "early_stopping", "nothing learned"])
def test_there_is_nothing_to_refit(rng, case):
    (X, y), rows = make_data(rng, n=200), {}
    if case == "X_val":
        rows = dict(zip(["X_val", "y_val"], make_data(rng, n=100), strict=True))
    elif case == "nothing learned":
        y = rng.normal(size=200)
    one, other = (
        small_model(refit=refit, early_stopping=case != "early_stopping").fit(
            X, y, **rows
        )
        for refit in (False, True)
    )
    assert_same_network(one, other)
    assert_array_equal(other.refit_iterations_, [0])


def test_ctrl_c_in_a_refit_keeps_what_was_judged(rng, monkeypatch):
    X, y = make_data(rng)
    judged = small_model(refit=False).fit(X, y)
    repeat = training._Training.repeat

    def interrupted(self, passes):
        monkeypatch.setattr(training.Steps, "one_pass", interrupt)
        return repeat(self, passes)

    monkeypatch.setattr(training._Training, "repeat", interrupted)
    with pytest.warns(UserWarning, match="interrupted by user"):
        kept = small_model().fit(X, y)
    assert_same_network(judged, kept)


def interrupt(*_):
    raise KeyboardInterrupt
