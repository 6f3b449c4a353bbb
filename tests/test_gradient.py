"""The gradient written by hand against autograd, in float64."""

import numpy as np
import pytest
import torch

from skmdn._covariance import COVARIANCE_TYPES, MixtureHead
from skmdn.nn import gradient as gradient_module
from skmdn.nn.gradient import ACTIVATIONS, BatchGradient, FlatWeights

M, B, D_IN, K = 3, 7, 2, 4

TORCH_ACTIVATIONS = {
    "relu": torch.relu,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "tanh": torch.tanh,
}


def make_head(covariance_type, n_outputs):
    std_unit = np.linspace(1.0, 1.7, n_outputs)
    return MixtureHead(K, n_outputs, covariance_type, 0.01, std_unit)


def make_problem(rng, head, activation):
    sizes = [D_IN, 6, 5, head.n_raw]
    weights = FlatWeights(sizes, M, dtype=torch.float64)
    weights.flat.copy_(torch.tensor(rng.normal(size=weights.flat.shape)))
    x = torch.tensor(rng.normal(size=(M, B, D_IN + 1)))
    x[..., -1] = 1
    y = torch.tensor(rng.normal(size=(M, head.n_outputs, B)))
    row_weights = torch.tensor(rng.uniform(size=(M, 1, B)))
    return weights, x, y, row_weights, BatchGradient(weights, head, activation, B)


@pytest.fixture(params=["numpy", "torch"])
def library(request, monkeypatch):
    """Where the likelihood computes: NumPy as on the CPU, or torch as on a GPU."""
    if request.param == "torch":
        monkeypatch.setattr(gradient_module, "as_array", lambda tensor: tensor)


def losses_and_gradient(gradient, x, y, row_weights, masks=None):
    """Losses (M, B) as a tensor; the gradient is left in its buffers."""
    array = gradient_module.as_array
    losses = gradient.forward(x.transpose(1, 2), array(y), masks)
    gradient.backward(x.transpose(1, 2), array(row_weights), masks)
    return torch.as_tensor(losses)


def autograd_loss(layers, activation, head, x, y, masks=None):
    """Losses (M, B) through torch.distributions, which knows nothing of ours."""
    hidden = x
    for depth, layer in enumerate(layers):
        hidden = hidden @ layer[:, :-1] + layer[:, -1:] if depth else hidden @ layer
        if depth < len(layers) - 1:
            hidden = TORCH_ACTIVATIONS[activation](hidden)
            if masks is not None:
                hidden = hidden * masks[depth].transpose(1, 2)
    logits, means, precisions = [], [], []
    for raw in hidden.transpose(1, 2):
        log_weights, mean, factor = head.parameters(raw[None], torch)
        logits.append(log_weights)
        means.append(mean)
        precisions.append(factor if factor.ndim == 4 else torch.diag_embed(factor))
    precisions = torch.stack(precisions)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=torch.stack(logits)),
        torch.distributions.MultivariateNormal(
            torch.stack(means),
            precision_matrix=precisions @ precisions.transpose(-1, -2),
        ),
    )
    return -mixture.log_prob(y.transpose(1, 2))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("n_outputs", [1, 2, 3])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.usefixtures("library")
def test_gradient_is_that_of_autograd(rng, covariance_type, n_outputs, weighted):
    head = make_head(covariance_type, n_outputs)
    check_against_autograd(rng, head, "silu", weighted=weighted)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.usefixtures("library")
def test_gradient_of_every_activation_is_that_of_autograd(rng, activation, dropout):
    head = make_head("diag", 2)
    check_against_autograd(rng, head, activation, dropout=dropout)


def check_against_autograd(rng, head, activation, dropout=False, weighted=True):
    weights, x, y, row_weights, gradient = make_problem(rng, head, activation)
    if not weighted:
        row_weights = torch.ones_like(row_weights)
    masks = None
    if dropout:
        masks = [torch.bernoulli(torch.full((M, h, B), 0.6)) / 0.6 for h in (6, 5)]
        masks = [mask.double() for mask in masks]
    losses = losses_and_gradient(gradient, x, y, row_weights, masks)

    layers = [layer.clone().requires_grad_() for layer in weights.layers]
    expected = autograd_loss(layers, activation, head, x, y, masks)
    (expected * row_weights[:, 0]).sum().backward()
    torch.testing.assert_close(losses, expected.detach(), rtol=1e-10, atol=1e-10)
    for ours, layer in zip(gradient.gradient.layers, layers, strict=True):
        torch.testing.assert_close(ours, layer.grad, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_members_do_not_see_each_other(rng, covariance_type):
    head = make_head(covariance_type, 2)
    weights, x, y, row_weights, gradient = make_problem(rng, head, "silu")
    losses_and_gradient(gradient, x, y, row_weights)
    before = gradient.gradient.flat.clone()
    for tensor in (weights.flat, x[..., :-1], y, row_weights):
        tensor[1:] *= 1.5
    losses_and_gradient(gradient, x, y, row_weights)
    assert torch.equal(gradient.gradient.flat[0], before[0])
    assert not torch.isclose(gradient.gradient.flat[1:], before[1:]).all()
