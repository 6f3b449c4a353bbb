"""Adam by hand against torch's, each member by itself and every weight by its decay."""

import numpy as np
import pytest
import torch

from skmdn._covariance import make_head
from skmdn.nn import adam as adam_module
from skmdn.nn.adam import MAX_GRADIENT_NORM, Adam
from skmdn.nn.arrays import as_numpy
from skmdn.nn.gradient import FlatWeights

ALPHA = 0.3


def make_weights(head, n_members, library=np.array):
    weights = FlatWeights([4, 6, head.n_raw], n_members, library(np.zeros(())))
    rng = np.random.default_rng(0)
    weights.flat[:] = library(rng.normal(size=weights.flat.shape))
    return weights


def torch_adamw(weights, member, head, strength):
    """Weights of a member as parameters, and torch's optimiser of them."""
    std = head.std_slice
    hidden, last = (torch.tensor(as_numpy(layer[member])) for layer in weights.layers)
    parts = {
        "hidden": hidden[:-1],
        "last, before the stds": last[:-1, : std.start],
        "stds": last[:-1, std],
        "last, after the stds": last[:-1, std.stop :],
        "hidden intercepts": hidden[-1:],
        "last intercepts": last[-1:],
    }
    decays = {"stds": ALPHA}
    decays |= {"hidden intercepts": 0.0, "last intercepts": 0.0}
    parameters = {
        name: torch.nn.Parameter(part.clone()) for name, part in parts.items()
    }
    groups = [
        {"params": [p], "weight_decay": decays.get(name, strength * ALPHA)}
        for name, p in parameters.items()
    ]
    return parameters, torch.optim.AdamW(groups, lr=0.01, eps=1e-30)


def rejoined(parameters):
    """A member's flat weights (Q,) of its parts."""
    p = parameters
    hidden = torch.cat([p["hidden"], p["hidden intercepts"]])
    names = "last, before the stds", "stds", "last, after the stds"
    last = torch.cat([torch.cat([p[n] for n in names], 1), p["last intercepts"]])
    return torch.cat([hidden.flatten(), last.flatten()])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("strength", [1.0, 0.25, 0.0])
@pytest.mark.parametrize("covariance_type", ["full", "diag", "tied_spherical"])
@pytest.mark.parametrize("library", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_steps_are_those_of_torch(
    library, covariance_type, strength, seed, monkeypatch
):
    monkeypatch.setattr(adam_module, "EPSILON", 0.0)  # torch adds it to the root
    head = make_head(3, covariance_type, 1e-3, None, np.ones(2))
    weights = make_weights(head, 2, library)
    references = [torch_adamw(weights, m, head, strength) for m in range(2)]
    adam = Adam(weights, head, ALPHA)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        gradient = torch.tensor(rng.normal(size=weights.flat.shape))
        gradient[1] *= 0.01  # the second member's is not clipped
        for member, (parameters, optimizer) in enumerate(references):
            length = gradient[member].norm()
            clipped = gradient[member] * min(1, MAX_GRADIENT_NORM / length)
            # The derivative of <clipped, weights> is the gradient to be used.
            optimizer.zero_grad()
            (rejoined(parameters) @ clipped).backward()
            optimizer.step()
        adam.decay(0.01, strength)
        adam.step(library(gradient.numpy()), 0.01)
    assert length < MAX_GRADIENT_NORM
    for member, (parameters, _) in enumerate(references):
        expected = rejoined(parameters).detach()
        np.testing.assert_allclose(
            weights.flat[member], expected, rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("alpha", [150.0, 250.0, 1e300])
def test_decay_of_any_strength_never_turns_weights_over(alpha):
    head = make_head(3, "diag", 1e-3, None, np.ones(2))
    weights = make_weights(head, 2, np.array)
    adam = Adam(weights, head, alpha)
    adam.decay(0.01, n_steps=8)
    for layer in weights.layers:
        np.testing.assert_array_equal(layer[:, :-1], 0)
        assert layer[:, -1].all()


@pytest.mark.parametrize("strength", [1.0, 0.25, 0.0])
def test_decay_of_many_steps_is_decay_of_one_many_times(strength):
    head = make_head(3, "diag", 1e-3, None, np.ones(2))
    once, often = (make_weights(head, 2) for _ in range(2))
    Adam(once, head, ALPHA).decay(0.01, strength, 8)
    for _ in range(8):
        Adam(often, head, ALPHA).decay(0.01, strength)
    np.testing.assert_allclose(once.flat, often.flat, rtol=1e-13)


def test_fixed_standard_deviations_have_no_weights_to_decay():
    head = make_head(3, "fixed_spherical", 1e-3, 0.5, np.ones(2))
    weights = make_weights(head, 1)
    before = weights.flat.copy()
    Adam(weights, head, ALPHA).decay(0.01)
    for layer, start in zip(weights.layers, np.split(before, [30], 1), strict=True):
        start = start.reshape(layer.shape)
        np.testing.assert_allclose(layer[:, :-1], start[:, :-1] * (1 - 0.01 * ALPHA))
        np.testing.assert_allclose(layer[:, -1], start[:, -1])


def test_tiny_gradients_make_tiny_steps():
    # As if every gradient had 1e-16 added to its square.
    head = make_head(1, "diag", 1e-3, None, np.ones(1))
    weights = FlatWeights([1, head.n_raw], 1, np.zeros(()))
    adam = Adam(weights, head, alpha=0.0)
    gradient = np.array([[0, 1e-10, 1e-8, 1e-6, 1e-4, 1]])
    for _ in range(20_000):
        before = weights.flat.copy()
        adam.step(gradient.copy(), 0.01)
    expected = 0.01 * gradient / np.sqrt(gradient**2 + 1e-16)
    np.testing.assert_allclose(before - weights.flat, expected, rtol=1e-6)
