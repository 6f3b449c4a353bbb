"""Adam with decoupled weight decay and a clipped gradient, each member by itself.

Written out (Kingma & Ba, 2015; Loshchilov & Hutter, 2019), since building any optimiser
of torch costs a process two seconds and 80 MB.
"""

import torch

BETA_1, BETA_2 = 0.9, 0.999
EPSILON = 1e-8
MAX_GRADIENT_NORM = 5.0


class Adam:
    """Steps down the gradient of flat weights (M, Q), no member seeing another.

    Parameters
    ----------
    weights : FlatWeights
        What the steps change.
    alpha : float
        Weight decay; the intercepts, the last row of every layer, do not decay.
    moments : pair of ndarray of shape (M, Q), optional
        First and second moments after ``n_steps`` earlier steps.
    """

    def __init__(self, weights, alpha, moments=None, n_steps=0):
        self.weights = weights
        self.first = torch.zeros_like(weights.flat)
        self.second = torch.zeros_like(weights.flat)
        if moments is not None:
            device = weights.flat.device
            self.first.copy_(torch.tensor(moments[0], device=device))
            self.second.copy_(torch.tensor(moments[1], device=device))
        self.n_steps = n_steps
        self.decay = torch.cat([_decay(layer, alpha) for layer in weights.layers])

    def step(self, gradient, learning_rate):
        """Move the weights by one step; a gradient that is not finite moves nothing."""
        self.n_steps += 1
        _clip_(gradient)
        self.first.lerp_(gradient, 1 - BETA_1)
        self.second.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
        first_bias = 1 - BETA_1**self.n_steps
        second_bias = 1 - BETA_2**self.n_steps
        flat = self.weights.flat
        flat.addcmul_(flat, self.decay, value=-learning_rate)
        scale = self.second.sqrt().add_(EPSILON * second_bias**0.5)
        size = learning_rate * second_bias**0.5 / first_bias
        flat.addcdiv_(self.first, scale, value=-size)


def _decay(layer, alpha):
    """Rate of decay of a member's weights of one layer, flat."""
    rates = torch.full_like(layer[0], alpha)
    rates[-1] = 0
    return rates.flatten()


def _clip_(gradient):
    """Shorten each member's gradient (M, Q) if too long; drop it if not finite."""
    norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)  # (M, 1)
    gradient.mul_((MAX_GRADIENT_NORM / norm).clamp_(max=1))
    gradient.masked_fill_(~norm.isfinite(), 0)
