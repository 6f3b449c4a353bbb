"""Standard deviations as wide as rows held out find them, if they are enough."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from skmdn import MDNRegressor, MixtureDistribution
from skmdn._covariance import COVARIANCE_TYPES, make_head
from skmdn.nn import training, widths
from skmdn.nn.batches import TrainingData
from skmdn.nn.gradient import FlatWeights
from skmdn.nn.validation import Validation
from skmdn.nn.widths import fit_widths

N_ROWS, MIN_STD = 400, 1e-3


class Members:
    """Random weights of networks of one hidden layer, and rows to judge each by."""

    def __init__(
        self, seeds, covariance_type="diag", n_outputs=1, width=1.0, n_rows=N_ROWS
    ):
        noise_std = 0.3 if covariance_type == "fixed_spherical" else None
        unit = np.ones(n_outputs)
        head = make_head(2, covariance_type, MIN_STD, noise_std, unit)
        self.head, self.n_outputs = head, n_outputs
        self.weights = FlatWeights(
            [3, 6, head.n_raw], len(seeds), np.zeros(0, np.float32)
        )
        X, y = [], []
        for seed, flat in zip(seeds, self.weights.flat, strict=True):
            rng = np.random.default_rng(seed)
            flat[:] = rng.normal(size=len(flat)) / 2
            X.append(rng.normal(size=(n_rows, 3)))
            y.append(width * rng.normal(size=(n_rows, n_outputs)))
        self.X, self.y = np.float32(X), np.float32(y)
        ones = np.ones((len(seeds) * n_rows, 1), dtype=np.float32)
        table = np.hstack([np.vstack(self.X), ones, np.vstack(self.y), ones])
        rows = np.arange(len(table), dtype=np.int32).reshape(len(seeds), n_rows)
        data = TrainingData(table, n_outputs, rows[:, :0], rows, 0.0)
        self.validation = Validation(self.weights, head, "tanh", table, data)

    @property
    def std_intercepts(self):
        return self.weights.layers[-1][:, -1, self.head.std_slice]

    def calibrated(self, learned=True):
        """Shifts (M,) that calibrating found."""
        before = self.std_intercepts.copy()
        fit_widths(self.std_intercepts, self.validation, np.array(learned))
        shifts = self.std_intercepts - before
        np.testing.assert_allclose(shifts, shifts[:, :1] + 0 * shifts, atol=1e-6)
        return shifts[:, 0]

    def log_likelihood(self, shift):
        """Mean of member 0's rows, in scipy's words, of one output."""
        (hidden, out), x = (w[0].astype(float) for w in self.weights.layers), self.X
        state = np.tanh(x[0] @ hidden[:-1] + hidden[-1])
        raw = state @ out[:-1] + out[-1]
        stds = MIN_STD + np.log1p(np.exp(raw[:, 4:] + shift))
        log_weights = np.log(softmax(raw[:, :2], axis=1))
        return logsumexp(
            log_weights + stats.norm(raw[:, 2:4], stds).logpdf(self.y[0]), axis=1
        ).mean()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("width", [0.6, 1.2])
@pytest.mark.parametrize("n_rows", [400, 600])
def test_the_shift_is_the_one_scipy_finds(seed, width, n_rows):
    members = Members([seed], width=width, n_rows=n_rows)
    best = minimize_scalar(
        lambda shift: -members.log_likelihood(shift) - 4 * shift / (n_rows + 1),
        bounds=(-2, 2),
        method="bounded",
    )
    furthest = sum(widths.STEPS)
    expected = np.clip(best.x, -furthest * (n_rows >= 500), furthest)
    assert members.calibrated()[0] == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_variance_is_that_of_the_students_t_that_rows_leave(seed, n_outputs):
    n_rows, width = 40, 0.06
    members = Members([seed], n_outputs=n_outputs, width=width, n_rows=n_rows)
    members.weights.flat[:] = 0  # one law, around 0
    members.std_intercepts[:] = np.log(0.05)
    n = n_rows * n_outputs
    variance = np.sum(members.y[0].astype(float) ** 2) / (n - 1)
    posterior = stats.t(n - 1, scale=np.sqrt(variance * (1 + 1 / n)))
    members.calibrated()
    std = MIN_STD + np.log1p(np.exp(members.std_intercepts[0, 0]))
    assert np.log(std) == pytest.approx(np.log(posterior.std()), abs=0.011)


LEARNED = sorted(name for name, kind in COVARIANCE_TYPES.items() if kind.learned)
CASES = [(kind, 200) for kind in LEARNED] + [("diag", 30), ("diag", 29), ("diag", 5)]


@pytest.mark.parametrize("width", [0.5, 0.9])
@pytest.mark.parametrize(("covariance_type", "n_rows"), CASES)
def test_no_wider_shift_scores_better_and_few_rows_say_nothing(
    covariance_type, n_rows, width
):
    members = Members(range(6), covariance_type, 2, width, n_rows)
    trained = members.std_intercepts.copy()
    shifts, scores = np.arange(64) / 100, []
    for shift in shifts:
        members.std_intercepts[:] = trained + np.float32(shift)
        known = members.validation.rows().mean()
        scores.append(known + 4 * shift * 2 / (2 * n_rows + 1))
    members.std_intercepts[:] = trained
    best = shifts[np.argmax(scores, axis=0)]
    assert best.any()
    expected = best if n_rows >= 30 else np.zeros(6)
    np.testing.assert_allclose(members.calibrated(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("n_counted", "width", "moves"),
    [(29, 1.2, False), (30, 1.2, True), (499, 0.5, False), (500, 0.5, True)],
)
def test_rows_of_no_weight_are_no_rows(n_counted, width, moves):
    members = Members([0], n_rows=2 * n_counted, width=width)
    members.validation.batch.table[n_counted:, -1] = 0
    assert (members.calibrated()[0] != 0) == moves


@pytest.mark.parametrize(("n_rows", "width"), [(400, 1.2), (600, 0.4)])
def test_a_width_that_was_not_learned_stays(n_rows, width):
    members = Members(range(4), n_rows=n_rows, width=width)
    assert members.calibrated(learned=[True] * 4).all()
    members = Members(range(4), n_rows=n_rows, width=width)
    shifts = members.calibrated(learned=[True, False, True, False])
    np.testing.assert_array_equal(shifts != 0, [True, False, True, False])


def test_a_given_width_stays():
    members = Members([0], "fixed_spherical", width=0.5)
    before = members.weights.flat.copy()
    fit_widths(members.std_intercepts, members.validation, np.array([True]))
    np.testing.assert_array_equal(members.weights.flat, before)


def test_members_are_calibrated_each_by_itself():
    alone = [Members([seed], width=1.2).calibrated() for seed in range(4)]
    together = Members(range(4), width=1.2).calibrated()
    assert together.any()
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-6)


@pytest.mark.parametrize(
    ("factor", "n_held_out", "n_members", "least", "most"),
    [
        (0.7, 499, 1, -1, -0.1),  # too wide, but nothing is narrowed
        (0.7, 500, 1, -0.01, 0.01),
        (0.7, 500, 2, -0.01, 0.01),
        (1.6, 499, 1, -0.11, 0.01),
    ],
)
def test_rows_held_out_widen_one_network_and_many_rows_narrow_any(
    rng, factor, n_held_out, n_members, least, most
):
    X = rng.normal(size=(600, 2))
    y, y_val = np.sin(2 * X[:, 0]) + 0.2 * rng.normal(size=(2, 600)) * [[1], [factor]]
    X_val, y_val = X[:n_held_out], y_val[:n_held_out]
    model = MDNRegressor(
        n_components=1, max_iter=60, n_estimators=n_members, random_state=0
    ).fit(X, y, X_val=X_val, y_val=y_val)
    law = model.predict_distribution(X_val)

    def loss(log_factor):
        variances = np.exp(2 * log_factor) * law.covariances[:, :, 0, 0]
        wider = MixtureDistribution(law.weights, law.means[:, :, 0], variances)
        return -wider.logpdf(y_val).mean()

    assert least < minimize_scalar(loss, bounds=(-1, 1)).x < most


def test_only_single_networks_with_rows_held_out_are_calibrated(rng, monkeypatch):
    def refuse(*_):
        raise AssertionError("calibrated")

    monkeypatch.setattr(training, "fit_widths", refuse)
    X = rng.normal(size=(60, 2))
    model = MDNRegressor(max_iter=2, random_state=0)
    with pytest.raises(AssertionError, match="calibrated"):
        model.fit(X, X[:, 0])
    MDNRegressor(n_estimators=2, max_iter=2, random_state=0).fit(X, X[:, 0])
    model.set_params(early_stopping=False).fit(X, X[:, 0])
    model.partial_fit(X, X[:, 0])
