"""How training changes on the way, and what its second annealing does and leaves."""

import numpy as np
import pytest
from small_networks import task_of_members, train_members

from skmdn import MDNRegressor
from skmdn.nn import steps as steps_module
from skmdn.nn import training
from skmdn.nn.gradient import BatchGradient
from skmdn.nn.record import Record
from skmdn.nn.schedule import Annealed, Constant
from skmdn.nn.steps import Steps


@pytest.mark.parametrize("n_steps", [20, 333, 10_000])
def test_the_learning_rate_rises_for_a_twentieth_and_falls_to_zero(n_steps):
    schedule = Annealed(0.02, n_steps)
    rates = np.array([schedule.learning_rate(step) for step in range(n_steps + 1)])
    top = rates.argmax()
    assert abs(top - n_steps / 20) <= 1
    assert 0 < rates[0] < 0.001
    assert 0.019 < rates[top] < 0.02
    assert np.all(np.diff(rates[: top + 1]) > 0)
    assert np.all(np.diff(rates[top:]) < 0)
    assert rates[-1] == 0
    assert rates.mean() == pytest.approx(0.02 * 0.475, rel=0.1)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_regularisation_falls_to_zero_within_its_share_of_the_steps(share):
    schedule = Annealed(0.02, 1000, share)
    strengths = np.array([schedule.regularisation(step) for step in range(1001)])
    end = int(1000 * share)
    np.testing.assert_array_equal(strengths[end:], 0)
    if share:
        assert strengths[0] == 1
        assert np.all(np.diff(strengths[: end + 1]) < 0)
        assert strengths[: end + 1].mean() == pytest.approx(0.5, abs=1e-3)


def test_the_average_is_of_all_steps_then_of_a_twentieth_then_of_the_last():
    schedule = Annealed(0.02, 1000)
    rates = [schedule.averaging_rate(step, 1) for step in (1, 2, 10, 500, 1000)]
    assert rates == pytest.approx([1, 1 / 2, 1 / 10, 1 / 25, 1])


def test_weights_that_stand_for_several_steps_weigh_as_much_as_all_of_them():
    schedule = Annealed(0.02, 1000)
    rates = [schedule.averaging_rate(step, 8) for step in (8, 16, 40, 500, 1000)]
    assert rates == pytest.approx([1, 1 / 2, 1 / 5, 8 / 25, 1])


def test_chunks_are_learned_from_at_a_constant_pace():
    schedule = Constant(0.02)
    for step in (0, 10, 10**6):
        assert schedule.learning_rate(step) == 0.02
        assert schedule.regularisation(step) == schedule.averaging_rate(step, 1) == 1


def recorded_pass(monkeypatch, n_steps, annealed):
    """Average after a pass of ``n_steps``, and the weights (steps + 1, M, Q) of it.

    Those of a step that decay follows are as decay leaves them.
    """
    rows = np.stack([np.arange(40 + 32 * n_steps)] * 2)
    state, head, data, *rest = task_of_members(rows, [1, 2], annealed=annealed)
    learning = training._Training(state, head, data, data.table, *rest, batch_size=32)
    learning.plan(100)
    (steps,) = learning.steps
    weights = [steps.weights.flat.copy()]
    step, decay = steps.adam.step, steps.adam.decay

    def record_step(*arguments):
        step(*arguments)
        weights.append(steps.weights.flat.copy())

    def record_decay(*arguments):
        decay(*arguments)
        weights[-1] = steps.weights.flat.copy()

    monkeypatch.setattr(steps.adam, "step", record_step)
    monkeypatch.setattr(steps.adam, "decay", record_decay)
    steps.one_pass(np.zeros(2))
    assert len(weights) == n_steps + 1
    return steps.averaged.flat, np.array(weights)


@pytest.mark.parametrize("n_steps", [1, 7, 8])
def test_without_annealing_there_is_no_average(monkeypatch, n_steps):
    averaged, weights = recorded_pass(monkeypatch, n_steps, annealed=False)
    np.testing.assert_allclose(averaged, weights[-1], rtol=1e-6, atol=1e-7)


def test_every_eighth_step_and_the_last_stand_for_all_in_the_average(monkeypatch):
    monkeypatch.setattr(steps_module, "INTERVAL", 3)
    averaged, weights = recorded_pass(monkeypatch, 8, annealed=True)
    expected = np.average(weights[[3, 6, 8]], axis=0, weights=[3, 3, 2])
    np.testing.assert_allclose(averaged, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("n_components", "expected"), [(1, 0.01), (5, 0.01), (50, 0.001)]
)
def test_priors_on_widths_outweigh_no_row_however_many_components(
    monkeypatch, n_components, expected
):
    found = []

    class Spied(BatchGradient):
        def __init__(self, weights, head, *others):
            found.append(head.std_precision)
            super().__init__(weights, head, *others)

    monkeypatch.setattr(steps_module, "BatchGradient", Spied)
    X = np.arange(50.0)[:, None]
    MDNRegressor(n_components=n_components, max_iter=1, random_state=0).fit(X, X[:, 0])
    assert found == [pytest.approx(expected)]


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    return np.stack([rng.permutation(300)[:200] for _ in range(4)])


def best_before(result, passes):
    scores = result.scores[:, :passes]
    return np.nanmax(np.where(np.isnan(scores), -np.inf, scores), axis=1)


def test_a_second_annealing_loses_nothing_and_gains_something(rows, monkeypatch):
    seeds = [1, 2, 3, 4]
    twice = train_members(rows, seeds, max_iter=50, n_iter_no_change=20)
    monkeypatch.setattr(training, "AGAIN", 0)
    once = train_members(rows, seeds, max_iter=40, n_iter_no_change=20)
    n_first = once.scores.shape[1]
    np.testing.assert_array_equal(twice.scores[:, :n_first], once.scores)
    gains = best_before(twice, 50) - best_before(once, 40)
    assert np.all(gains >= 0)
    assert np.any(gains > 0)
    changed = twice.best_iteration != once.best_iteration
    np.testing.assert_array_equal(changed, gains > 0)
    assert np.all(twice.best_iteration[changed] > n_first)


def test_it_starts_from_each_members_best(rows, monkeypatch):
    # learning rates so small that the score after its first pass is the starting one
    monkeypatch.setattr(training, "Annealed", StandsStillAtLast)
    result = train_members(rows, [1, 2, 3, 4], max_iter=50, n_iter_no_change=5)
    counts = np.isfinite(result.losses).sum(axis=1)
    n_first = result.losses.shape[1] - 5  # so long is the patience of the second
    assert counts.min() < counts.max()
    expected = best_before(result, n_first)[:, None] + np.zeros((4, 5))
    np.testing.assert_allclose(result.scores[:, n_first:], expected, atol=1e-6)
    assert np.all(result.best_iteration <= n_first)


@pytest.mark.parametrize(("patience", "second"), [(5, 5), (14, 10), (30, 15)])
def test_the_second_annealing_has_half_the_patience(
    rows, monkeypatch, patience, second
):
    asked = []
    monkeypatch.setattr(Record, "wait_anew", lambda _, passes: asked.append(passes))
    train_members(rows, [1, 2, 3, 4], max_iter=10, n_iter_no_change=patience)
    assert asked == [second]


class StandsStillAtLast(Annealed):
    """An annealing whose learning rate is tiny if there is no regularisation."""

    def __init__(self, learning_rate, n_steps, regularised):
        rate = learning_rate if regularised else 1e-12
        super().__init__(rate, n_steps, regularised)


@pytest.mark.parametrize("blocks", [[[0], [1], [2], [3]], [[0, 1], [2, 3]], [range(4)]])
def test_members_who_have_stopped_take_no_steps(rows, monkeypatch, blocks):
    monkeypatch.setattr(training, "blocks", lambda *_: [list(b) for b in blocks])
    passes = np.zeros(4, dtype=int)
    one_pass = Steps.one_pass

    def counted(self, losses):
        passes[self.members] += 1
        assert len(self.gradient.raw) == len(self.members)
        one_pass(self, losses)

    monkeypatch.setattr(Steps, "one_pass", counted)
    result = train_members(rows, [1, 2, 3, 4], max_iter=60)
    np.testing.assert_array_equal(passes, np.isfinite(result.losses).sum(axis=1))
    assert passes.min() < passes.max()


@pytest.mark.parametrize("max_iter", [1, 4, 5, 23])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_both_fit_into_the_passes_that_were_asked_for(rng, max_iter, early_stopping):
    X = rng.normal(size=(50, 2))
    model = MDNRegressor(max_iter=max_iter, early_stopping=early_stopping)
    model.set_params(n_iter_no_change=100, random_state=0).fit(X, X[:, 0])
    assert model.n_iter_ == max_iter
