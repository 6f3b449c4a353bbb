"""The gradient written by hand against autograd, in float64."""

import numpy as np
import pytest
import torch

from skmdn._covariance import COVARIANCE_TYPES, MixtureHead
from skmdn.nn.activations import ACTIVATIONS
from skmdn.nn.arrays import as_numpy, namespace
from skmdn.nn.gradient import BatchGradient, FlatWeights

M, B, D_IN, K = 3, 7, 2, 4

TORCH_ACTIVATIONS = {
    "relu": torch.relu,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "tanh": torch.tanh,
}


def make_head(covariance_type, n_outputs, std_precision=0.0):
    std_unit = np.linspace(1.0, 1.7, n_outputs)
    return MixtureHead(K, n_outputs, covariance_type, 0.01, std_unit, std_precision)


class Problem:
    """Random weights, rows and dropout masks, as arrays of one ``library``."""

    def __init__(self, rng, library, head, activation, dropout=False):
        def array(values):
            return library(np.asarray(values, dtype=np.float64))

        self.head, self.activation = head, activation
        self.weights = FlatWeights([D_IN, 6, 5, head.n_raw], M, array(0))
        self.weights.flat[:] = array(rng.normal(size=self.weights.flat.shape))
        x = rng.normal(size=(M, B, D_IN + 1))
        x[..., -1] = 1
        self.x = array(x).swapaxes(1, 2)
        self.y = array(rng.normal(size=(M, head.n_outputs, B)))
        self.row_weights = array(rng.uniform(size=(M, 1, B)))
        self.masks = None
        if dropout:
            kept = [rng.uniform(size=(M, h, B)) < 0.6 for h in (6, 5)]
            self.masks = [array(mask / 0.6) for mask in kept]
        self.gradient = BatchGradient(self.weights, head, activation, B)

    def losses(self):
        """Losses (M, B); the gradient is left in its buffers."""
        losses = self.gradient.forward(self.x, self.y, self.masks)
        self.gradient.backward(self.x, self.row_weights)
        return losses


@pytest.fixture(params=[np.array, torch.tensor], ids=["numpy", "torch"])
def library(request):
    """Makes the arrays: NumPy's as on the CPU, or torch's as on a GPU."""
    return request.param


def autograd_loss(layers, activation, head, x, y, masks=None):
    """Losses (M, B) through torch.distributions, which knows nothing of ours.

    With them the halves (M, B) of the squares of the raw standard deviations.
    """
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
    raw_stds = hidden[..., head.std_slice]
    return -mixture.log_prob(y.transpose(1, 2)), (raw_stds**2).sum(-1) / 2


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("n_outputs", [1, 2, 3])
@pytest.mark.parametrize("weighted", [True, False])
def test_gradient_is_that_of_autograd(
    rng, library, covariance_type, n_outputs, weighted
):
    problem = Problem(rng, library, make_head(covariance_type, n_outputs), "silu")
    if not weighted:
        problem.row_weights[:] = 1
    check_against_autograd(problem)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dropout", [False, True])
def test_gradient_of_every_activation_is_that_of_autograd(
    rng, library, activation, dropout
):
    problem = Problem(rng, library, make_head("diag", 2), activation, dropout)
    check_against_autograd(problem)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_prior_on_widths_is_in_the_gradient_and_not_in_the_loss(
    rng, library, covariance_type, n_outputs
):
    head = make_head(covariance_type, n_outputs, std_precision=0.3)
    check_against_autograd(Problem(rng, library, head, "silu"))


def check_against_autograd(problem):
    losses = problem.losses()
    x, y, row_weights = (
        torch.as_tensor(array)
        for array in (problem.x.swapaxes(1, 2), problem.y, problem.row_weights)
    )
    masks = problem.masks and [torch.as_tensor(mask) for mask in problem.masks]
    layers = [
        torch.tensor(as_numpy(layer), requires_grad=True)
        for layer in problem.weights.layers
    ]
    without_prior = problem.head._replace(std_precision=0.0)
    expected, halves = autograd_loss(
        layers, problem.activation, without_prior, x, y, masks
    )
    penalised = expected + problem.head.std_precision * halves
    (penalised * row_weights[:, 0]).sum().backward()
    np.testing.assert_allclose(losses, expected.detach(), rtol=1e-10, atol=1e-10)
    for ours, layer in zip(problem.gradient.gradient.layers, layers, strict=True):
        np.testing.assert_allclose(ours, layer.grad, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_members_do_not_see_each_other(rng, covariance_type):
    head = make_head(covariance_type, 2)
    problem = Problem(rng, np.array, head, "silu")
    problem.losses()
    gradient = problem.gradient.gradient.flat
    before = gradient.copy()
    for array in (
        problem.weights.flat,
        problem.x[:, :-1],
        problem.y,
        problem.row_weights,
    ):
        array[1:] *= 1.5
    problem.losses()
    np.testing.assert_array_equal(gradient[0], before[0])
    assert not np.isclose(gradient[1:], before[1:]).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_far_out_are_finite_and_right(library, activation):
    x = np.r_[np.linspace(-40, 40, 2001), -1e4, 1e4]
    expected = torch.tensor(x, requires_grad=True)
    values = TORCH_ACTIVATIONS[activation](expected)
    values.sum().backward()
    ours, out, slope = library(x), library(x), library(x)
    with np.errstate(over="ignore"):  # as in training
        ACTIVATIONS[activation](namespace(ours), ours, out, slope)
    np.testing.assert_allclose(out, values.detach(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(slope, expected.grad, rtol=1e-12, atol=1e-12)
