"""What "auto" means, and that a fit which goes on keeps what it meant at first."""

import numpy as np
import pytest

from skmdn import MDNRegressor
from skmdn._budget import (
    auto_batch_size,
    auto_hidden_layer_sizes,
    auto_max_iter,
    auto_patience,
    auto_refit,
    auto_validation_fraction,
)


@pytest.mark.parametrize("n_members", [1, 2, 8])
@pytest.mark.parametrize("n_rows", [1, 30, 300, 1999, 2000, 50_000, 10**7])
def test_rules_hold_for_any_number_of_rows(n_rows, n_members):
    batch_size = auto_batch_size(n_rows, n_members)
    assert batch_size in ((64, 128, 256) if n_members == 1 else (64, 128))
    max_iter = auto_max_iter(n_rows, batch_size)
    assert max_iter >= 25
    assert max_iter * max(n_rows // batch_size, 1) >= 7500
    assert auto_patience(max_iter) == max(max_iter // 10, 10)


def test_a_single_network_of_few_rows_is_refit():
    assert auto_refit(1999)
    assert not auto_refit(2000)
    assert not auto_refit(100, n_members=2)


@pytest.mark.parametrize(
    ("n_rows", "n_features", "n_members", "hidden_layer_sizes"),
    [
        (1, 1, 1, (32, 32, 32)),
        (1999, 4, 8, (32, 32, 32)),
        (1, 5, 1, (64, 64)),
        (1999, 5, 8, (64, 64)),
        (2000, 1, 1, (128, 128, 128)),
        (2000, 5, 2, (64, 64, 64, 64)),
        (7999, 5, 1, (128, 128, 128)),
        (7999, 5, 8, (64, 64, 64, 64)),
        (8000, 4, 1, (96, 96, 96, 96, 96)),
        (10**7, 4, 8, (64, 64, 64, 64, 64)),
    ],
)
def test_more_rows_make_more_layers(n_rows, n_features, n_members, hidden_layer_sizes):
    sizes = auto_hidden_layer_sizes(n_rows, n_features, n_members)
    assert sizes == hidden_layer_sizes


@pytest.mark.parametrize(
    ("n_rows", "n_members", "batch_size", "n_steps"),
    [
        (300, 1, 64, 7500),
        (300, 8, 64, 7500),
        (3900, 1, 128, 7500),
        (3900, 8, 64, 7500),
        (8000, 1, 256, 13_600),
        (8000, 8, 128, 13_600),
        (60_000, 1, 256, 19_000),
        (60_000, 2, 128, 19_000),
    ],
)
def test_members_of_many_rows_take_as_many_steps_with_half_the_batch(
    n_rows, n_members, batch_size, n_steps
):
    assert auto_batch_size(n_rows, n_members) == batch_size
    steps_per_pass = n_rows // batch_size
    steps = auto_max_iter(n_rows, batch_size) * steps_per_pass
    assert n_steps <= steps < n_steps + steps_per_pass


@pytest.mark.parametrize(
    ("n_rows", "held_out"), [(30, 10), (90, 30), (120, 30), (300, 30), (1000, 100)]
)
def test_thirty_rows_are_held_out_if_they_are_not_more_than_a_third(n_rows, held_out):
    assert round(auto_validation_fraction(n_rows) * n_rows) == held_out


def data(rng, n_rows):
    X = rng.normal(size=(n_rows, 2))
    return X, X[:, 0] + 0.1 * rng.normal(size=n_rows)


def sizes(model):
    return [coef.shape[2] for coef in model.coefs_[:-1]]


def test_more_rows_later_do_not_change_the_layers(rng):
    model = MDNRegressor(max_iter=1, warm_start=True, random_state=0)
    model.fit(*data(rng, 100))
    assert sizes(model) == [32, 32, 32]
    assert sizes(model.fit(*data(rng, 2500))) == [32, 32, 32]
    model.set_params(warm_start=False)
    assert sizes(model.fit(*data(rng, 2500))) == [128, 128, 128]
    chunks = MDNRegressor(random_state=0).partial_fit(*data(rng, 2500))
    assert sizes(chunks.partial_fit(*data(rng, 100))) == [128, 128, 128]


def test_a_word_that_is_no_rule_is_refused(rng):
    for name in ("hidden_layer_sizes", "validation_fraction", "max_iter"):
        with pytest.raises(ValueError, match=name):
            MDNRegressor(**{name: "all"}).fit(*data(rng, 50))


def test_the_same_rule_written_out_gives_the_same_fit(rng):
    X, y = data(rng, 200)
    auto = MDNRegressor(max_iter=5, random_state=0).fit(X, y)
    written = MDNRegressor(
        hidden_layer_sizes=(32, 32, 32),
        alpha=0.1,
        validation_fraction=0.15,
        batch_size=64,
        max_iter=5,
        random_state=0,
    ).fit(X, y)
    for ours, theirs in zip(auto.coefs_, written.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
