"""Training: members apart, NumPy and torch left as they were; a module for torch."""

import copy
import threading
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from small_networks import make_data, train_members
from threadpoolctl import threadpool_info, threadpool_limits

from skmdn import MDNRegressor, MixtureDistribution, _network
from skmdn._covariance import make_head
from skmdn.nn import MixtureDensityNetwork, network, training
from skmdn.nn.arrays import as_numpy
from skmdn.nn.batches import WINDOWS, Dropout
from skmdn.nn.initialization import spread_centres, starting_intercepts
from skmdn.nn.steps import blocks
from skmdn.nn.training import State

TYPES = {
    "full": {},
    "diag": {},
    "spherical": {},
    "tied_spherical": {},
    "fixed_spherical": {"noise_std": 0.3},
}


def test_a_member_does_not_see_its_neighbours():
    rng = np.random.default_rng(1)
    seeds = [11, 12, 13, 14, 15]
    rows = np.stack([rng.permutation(300)[:200] for _ in seeds])
    one = train_members(rows, seeds)
    other_rows = np.stack([rng.permutation(300)[:200] for _ in seeds])
    other_rows[2] = rows[2]
    other = train_members(other_rows, [1, 2, 13, 4, 5])
    for a, b in zip(one.state.coefs, other.state.coefs, strict=True):
        np.testing.assert_allclose(a[2], b[2], atol=1e-6)
        assert np.abs(a[[0, 1, 3, 4]] - b[[0, 1, 3, 4]]).max() > 1e-2
    assert one.best_iteration[2] == other.best_iteration[2]
    np.testing.assert_allclose(one.scores[2], other.scores[2, : one.scores.shape[1]])


def test_a_member_alone_is_the_member_in_company():
    rng = np.random.default_rng(1)
    rows = np.stack([rng.permutation(300)[:200] for _ in range(3)])
    company = train_members(rows, [1, 2, 3], max_iter=2)
    alone = train_members(rows[1:2], [2], max_iter=2)
    for a, b in zip(company.state.coefs, alone.state.coefs, strict=True):
        np.testing.assert_allclose(a[1], b[0], atol=1e-5)


@pytest.mark.parametrize("together", [1, 2, 3])
def test_members_are_the_same_however_many_take_their_steps_together(
    monkeypatch, together
):
    rng = np.random.default_rng(1)
    rows = np.stack([rng.permutation(300)[:200] for _ in range(5)])
    seeds = [1, 2, 3, 4, 5]
    at_once = train_members(rows, seeds)
    starts = range(0, 5, together)
    parts = [list(range(5))[start : start + together] for start in starts]
    monkeypatch.setattr(training, "blocks", lambda *_: parts)
    in_parts = train_members(rows, seeds)
    for a, b in zip(at_once, in_parts, strict=True):
        if isinstance(a, State):
            a, b = np.hstack(a.coefs[0]), np.hstack(b.coefs[0])
        np.testing.assert_array_equal(a, b)
    stops = np.isfinite(at_once.losses).sum(axis=1)
    assert stops.min() < stops.max()


def test_small_members_take_their_steps_together_and_large_ones_alone():
    together = [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert blocks(8, 64, [64, 64], None) == together
    assert blocks(3, 256, [64, 64], None) == [[0, 1], [2]]
    assert blocks(8, 128, [64] * 5, None) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    alone = [[0], [1], [2], [3], [4], [5], [6], [7]]
    assert blocks(8, 256, [128] * 3, None) == alone
    assert blocks(8, 10_000, [1000], None) == alone
    assert blocks(8, 64, [], None) == together
    assert blocks(8, 10_000, [1000], torch.device("cuda")) == together


@pytest.mark.parametrize("single", [True, False])
def test_torch_trains_as_numpy_does(monkeypatch, single):
    rng = np.random.default_rng(1)
    rows = np.stack([rng.permutation(300)[:200] for _ in range(3)])
    changes = {"max_iter": 5, "dropout": 0.0, "single": single}
    numpys = train_members(rows, [1, 2, 3], **changes)
    monkeypatch.setattr(training, "library", lambda device: torch.device(device))
    torchs = train_members(rows, [1, 2, 3], **changes)
    for a, b in zip(numpys.state.coefs, torchs.state.coefs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    np.testing.assert_allclose(numpys.scores, torchs.scores, atol=1e-4)


@pytest.mark.parametrize("library", [np.array, torch.tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize("probability", [0.0007, 0.1, 0.5, 0.9])
def test_dropout_drops_units_by_chance_and_keeps_the_mean(probability, library):
    hidden = [library(np.empty((3, units, 33))) for units in (64, 7)]
    dropout = Dropout(hidden, [1, 2, 3], hidden[0])
    n_rows, n_units = 20, 33 * (64 + 7)  # rows of random numbers
    draws = [
        np.hstack([as_numpy(m).reshape(3, -1) for m in dropout.draw(probability)])
        for _ in range(n_rows * WINDOWS)
    ]
    masks = np.stack(draws)  # (draws, M, units)
    values = np.array([0, 1 / (1 - probability)])
    assert np.all(np.isclose(masks[..., None], values, rtol=1e-12).any(-1))
    odds = probability / (1 - probability)
    error = 5 * (odds / (n_rows * n_units)) ** 0.5
    assert np.all(np.abs(masks.mean(axis=(0, 2)) - 1) < error)
    error = 5 * (probability * (1 - probability) / (n_rows * n_units)) ** 0.5
    assert np.all(np.abs(np.mean(masks == 0, axis=(0, 2)) - probability) < error)
    assert dropout.draw(0.0) is None


@pytest.mark.parametrize("probability", [0.1, 0.5])
@pytest.mark.parametrize("units", [(64, 7), (2,)], ids=["many", "two"])
def test_no_unit_has_a_mask_of_dropout_twice(probability, units):
    hidden = [np.empty((2, n, 400)) for n in units]
    dropout = Dropout(hidden, [1, 2], hidden[0])
    draws = [
        np.concatenate([m.copy() for m in dropout.draw(probability)], axis=1)
        for _ in range(3 * WINDOWS)
    ]
    masks = np.stack(draws, axis=2)  # (M, units, draws, rows)
    by_unit = masks.swapaxes(0, 1).reshape(sum(units), -1, 400)
    for of_unit in by_unit:
        chance = np.corrcoef(of_unit) - np.eye(len(of_unit))
        assert np.abs(chance).max() < 6 / 400**0.5


def test_members_that_go_on_keep_their_masks():
    hidden = [np.empty((3, 8, 16)), np.empty((3, 4, 16))]
    everyone, without = (Dropout(hidden, [1, 2, 3], hidden[0]) for _ in range(2))
    for step in range(3 * WINDOWS):
        if step == 5:
            without.keep(np.array([True, False, True]))
        expected, masks = everyone.draw(0.3), without.draw(0.3)
        if step >= 5:
            for ours, theirs in zip(masks, expected, strict=True):
                np.testing.assert_array_equal(ours, theirs[[0, 2]])


def fit(seed_before=0, threads=None):
    torch.manual_seed(seed_before)
    X, y = make_data(np.random.default_rng(0), 1000)
    model = MDNRegressor(
        hidden_layer_sizes=128,  # large enough for more than one thread
        batch_size=256,
        n_estimators=2,
        max_iter=10,
        dropout=0.2,
        random_state=0,
    )
    with threadpool_limits(limits=threads) if threads else nullcontext():
        model.fit(X, y)
    return [*model.coefs_, *model.intercepts_, model.least_raw_stds_]


def blas_threads():
    """Threads of every BLAS that the process has loaded."""
    return [
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_seeds_hold_whatever_the_jobs_and_the_threads(backend):
    expected = fit()
    fits = Parallel(n_jobs=2, backend=backend)(delayed(fit)(s) for s in range(3))
    fits += [fit(5, threads) for threads in (1, 2, 4)]
    for fitted in fits:
        for ours, theirs in zip(fitted, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_is_left_as_it_was(dtype):
    X, y = make_data(np.random.default_rng(0))
    torch.manual_seed(7)
    before_dtype = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    state = torch.get_rng_state()
    threads = torch.get_num_threads(), blas_threads()
    try:
        model = MDNRegressor(max_iter=3, random_state=0).fit(X, y)
        model.predict(X)
        model.sample(X, random_state=0)
        model.to_torch()
        assert torch.get_default_dtype() is dtype
    finally:
        torch.set_default_dtype(before_dtype)
    assert torch.equal(torch.get_rng_state(), state)
    assert (torch.get_num_threads(), blas_threads()) == threads
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize(
    "surroundings", [torch.no_grad, torch.inference_mode, lambda: torch.device("meta")]
)
def test_the_callers_modes_do_not_reach_the_fit(surroundings):
    expected = fit()
    with surroundings():
        ours = fit()
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_fits_in_threads_do_not_disturb_each_other():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2, user_api="blas"):
            before_blas = blas_threads()
            expected, found = fit(), []
            threads = [
                threading.Thread(target=lambda: found.append(fit())) for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert torch.get_num_threads() == 2
            assert set(before_blas) == {2}
            assert blas_threads() == before_blas
    finally:
        torch.set_num_threads(before)
    for coefs in found:
        for ours, theirs in zip(coefs, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("activation", network.ACTIVATIONS)
def test_activations_in_numpy_are_those_of_torch(activation):
    assert list(network.ACTIVATIONS) == list(_network.ACTIVATIONS)
    x = np.r_[np.linspace(-40, 40, 2001), -1e4, 1e4]
    np.testing.assert_allclose(
        _network.ACTIVATIONS[activation](x),
        network.ACTIVATIONS[activation](torch.tensor(x)).numpy(),
        rtol=1e-12,
        atol=4e-15,
    )


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_to_torch_agrees_with_the_estimator(rng, covariance_type, n_outputs):
    X, y = make_data(rng, n_outputs=n_outputs)
    X, y = 1e3 * X + 7, 1e-3 * y - 5
    model = MDNRegressor(
        n_estimators=2,
        covariance_type=covariance_type,
        max_iter=5,
        random_state=0,
        **{name: 1e-3 * value for name, value in TYPES[covariance_type].items()},
    ).fit(X, y)
    net = model.to_torch()
    law = model.predict_distribution(X)
    with torch.no_grad():
        log_weights, means, factors = net(torch.tensor(X))
        loss = net.loss(torch.tensor(X), torch.tensor(y))
    np.testing.assert_allclose(log_weights, law.log_weights, atol=1e-10)
    np.testing.assert_allclose(means, law.means, rtol=1e-10)
    np.testing.assert_allclose(factors, law._factors, rtol=1e-10, atol=1e-6)
    np.testing.assert_allclose(-loss, model.score_samples(X, y), atol=1e-8)
    single = net.float()
    with torch.no_grad():
        means = single(torch.tensor(X, dtype=torch.float32)).means
    np.testing.assert_allclose(means, law.means, rtol=1e-5)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_module_trains_with_the_users_optimiser(covariance_type, n_outputs):
    X, y = make_data(np.random.default_rng(0), n_outputs=n_outputs)
    x, y = (torch.tensor(values, dtype=torch.float32) for values in (X, y))
    net = MixtureDensityNetwork(
        3,
        n_outputs,
        n_components=3,
        hidden_layer_sizes=(50, 50),
        covariance_type=covariance_type,
        generator=torch.Generator().manual_seed(0),
        **TYPES[covariance_type],
    )
    before = net.loss(x, y).mean().item()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for _ in range(100):
        optimizer.zero_grad()
        loss = net.loss(x, y).mean()
        loss.backward()
        optimizer.step()
    assert net.loss(x, y).shape == (300,)
    assert loss.item() < before - 0.3


def test_the_modules_seed_is_torchs():
    torch.manual_seed(3)
    one = MixtureDensityNetwork(2)
    torch.manual_seed(3)
    other = MixtureDensityNetwork(2)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.coefs[0], MixtureDensityNetwork(2).coefs[0])


def test_the_modules_dropout_is_for_training_only():
    net = MixtureDensityNetwork(2, dropout=0.5)
    x = torch.randn(5, 2)
    assert not torch.equal(net(x).means, net(x).means)
    net.eval()
    assert torch.equal(net(x).means, net(x).means)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_the_module_draws_from_its_own_law(covariance_type):
    net = MixtureDensityNetwork(
        2, 2, covariance_type=covariance_type, n_members=2
    ).double()
    with torch.no_grad():
        for coef in net.coefs:
            coef.mul_(2)
    x = torch.randn(3, 2, dtype=torch.float64)
    draws = net.sample(x, 50_000, generator=torch.Generator().manual_seed(0))
    assert draws.shape == (3, 50_000, 2)
    log_weights, means, factors = (p.detach().numpy() for p in net(x))

    law = MixtureDistribution._from_factors(log_weights, means, factors)
    error = 5 * law.std() / np.sqrt(50_000)
    assert np.all(np.abs(draws.numpy().mean(axis=1) - law.mean()) < error)
    covariances = [np.cov(row.T) for row in draws.numpy()]
    np.testing.assert_allclose(covariances, law.cov(), atol=0.05 * law.var().max())


def test_the_module_is_copied_and_saved_like_any_other():
    net = MixtureDensityNetwork(2, n_components=2)
    other = MixtureDensityNetwork(2, n_components=2)
    other.load_state_dict(net.state_dict())
    x = torch.randn(4, 2)
    for twin in (other, copy.deepcopy(net)):
        assert torch.equal(twin(x).means, net(x).means)


@pytest.mark.parametrize("covariance_type", ["diag", "full"])
def test_the_state_of_a_fitted_module_is_all_there_is_to_it(covariance_type):
    X, y = make_data(np.random.default_rng(0), n_outputs=2)
    asked = {"covariance_type": covariance_type, "hidden_layer_sizes": (8,)}
    model = MDNRegressor(max_iter=30, min_std=0.01, random_state=0, **asked)
    net = model.fit(X, y).to_torch()
    other = MixtureDensityNetwork(X.shape[1], 2, **asked).double()
    other.load_state_dict(net.state_dict())
    x = torch.tensor(5 * X)  # also where nothing was seen
    for ours, theirs in zip(net(x), other(x), strict=True):
        assert torch.equal(ours, theirs)


def test_mistakes_with_the_module_are_named():
    with pytest.raises(ValueError, match="needs noise_std"):
        MixtureDensityNetwork(2, covariance_type="fixed_spherical")
    net = MixtureDensityNetwork(2)
    x = torch.zeros(4, 2)
    for wrong in (x[:, :1], x[0], torch.zeros(4, 3)):
        with pytest.raises(ValueError, match=r"x must have shape \(n, 2\).*x\[None\]"):
            net(wrong)
    for score in (lambda y: net.loss(x, y), lambda y: net(x).log_prob(y)):
        for shape in [(1, 4), (1, 1), (4, 4)]:
            with pytest.raises(ValueError, match=r"y must have shape \(4, 1\)"):
                score(torch.zeros(shape))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_features", 0),
        ("n_outputs", 0),
        ("n_members", 0),
        ("n_components", 0),
        ("covariance_type", "round"),
        ("covariance_type", ["diag"]),
        ("noise_std", "a"),
        ("activation", "step"),
        ("dropout", 1.0),
        ("min_std", 0.0),
        ("min_std", float("nan")),
        ("hidden_layer_sizes", (0,)),
    ],
)
def test_parameters_of_the_module_are_those_of_the_estimator(name, value):
    with pytest.raises(ValueError, match=name):
        MixtureDensityNetwork(**{"n_features": 2, name: value})


@pytest.mark.parametrize("covariance_type", ["full", "diag", "tied_spherical"])
def test_no_rows_make_no_mixture(covariance_type):
    net = MixtureDensityNetwork(2, 3, covariance_type=covariance_type)
    x = torch.zeros(0, 2)
    assert net(x).means.shape == (0, 5, 3)
    assert net.loss(x, torch.zeros(0, 3)).shape == (0,)
    assert net.sample(x, 4).shape == (0, 4, 3)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_starting_centres_cover_y_evenly(rng, n_outputs):
    y = rng.normal(size=(1000, n_outputs)) * np.arange(1, n_outputs + 1)
    centres = spread_centres(y, np.ones(1000), 4)
    widest = np.sort(centres[:, -1])
    np.testing.assert_allclose(
        np.searchsorted(np.sort(y[:, -1]), widest) / 1000,
        [0.125, 0.375, 0.625, 0.875],
        atol=0.06,
    )


@pytest.mark.parametrize("n_components", [1, 3])
def test_one_law_for_all_rows_is_correlated_like_y(rng, n_components):
    y = rng.normal(size=(1000, 3)) @ [[1, 0.9, -0.8], [0, 0.5, 0.1], [0, 0, 0.3]]
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    head = make_head(n_components, "full", 1e-3, None, np.ones(3))
    start = starting_intercepts(head, y, np.ones(1000))
    law = MixtureDistribution._from_factors(*head.parameters(start[None, :, None], np))
    np.testing.assert_allclose(law.cov()[0], np.cov(y.T, ddof=0), atol=1e-3)


def test_copies_and_constants_among_outputs_make_a_law_too(rng):
    y = np.column_stack([rng.normal(size=(50, 1))] * 3 + [np.zeros(50)])
    head = make_head(5, "full", 1e-3, None, np.ones(4))
    start = starting_intercepts(head, y, np.ones(50))
    law = MixtureDistribution._from_factors(*head.parameters(start[None, :, None], np))
    assert np.all(np.isfinite(law.logpdf(y[:1])))


@pytest.mark.parametrize("unit", [3, 0.1, 1000, 2.54])
def test_units_do_not_turn_the_starting_centres_around(rng, unit):
    """Standardised, two outputs that fall with each other vary along (1, -1)."""
    for _ in range(20):
        y = rng.normal(size=(100, 2)) @ [[1, -1], [0.1, 0.2]]
        ours, theirs = (
            spread_centres((v - v.mean(0)) / v.std(0), np.ones(100), 3)
            for v in (y, unit * y)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_a_weight_of_two_starts_like_two_rows(rng):
    y = rng.normal(size=(50, 2))
    one = spread_centres(y, np.full(50, 2.0), 3)
    np.testing.assert_allclose(one, spread_centres(y, np.ones(50), 3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_gpu_finds_the_same_law(rng, covariance_type):
    X, y = make_data(rng, n_outputs=2)
    scores = [
        MDNRegressor(
            covariance_type=covariance_type,
            device=device,
            dropout=0.0,
            random_state=0,
            **TYPES[covariance_type],
        )
        .fit(X, y)
        .score_samples(X, y)
        .mean()
        for device in ("cpu", "cuda")
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.1)
