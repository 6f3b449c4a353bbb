"""Adam with decoupled weight decay and a clipped gradient, each member by itself.

Written out (Kingma & Ba, 2015; Loshchilov & Hutter, 2019), since building any optimiser
of torch costs a process two seconds and 80 MB.
"""

import torch

BETA_1, BETA_2 = 0.9, 0.999
EPSILON = 1e-16  # added to the second moment, so that its root is above 1e-8
MAX_GRADIENT_NORM = 5.0
STD_DECAY = 5.0  # of the weights of raw standard deviations, as a multiple of alpha


class Adam:
    """Steps down the gradient of flat weights (M, Q), no member seeing another.

    Parameters
    ----------
    weights : FlatWeights
        What the steps change.
    head : MixtureHead
        Which of the last layer's weights make standard deviations.
    alpha : float
        Weight decay; the intercepts, the last row of every layer, do not decay.
    moments : pair of ndarray of shape (M, Q), optional
        First and second moments after ``n_steps`` earlier steps.
    """

    def __init__(self, weights, head, alpha, moments=None, n_steps=0):
        self.weights = weights
        self.first = torch.zeros_like(weights.flat)
        self.second = torch.zeros_like(weights.flat)
        if moments is not None:
            device = weights.flat.device
            self.first.copy_(torch.tensor(moments[0], device=device))
            self.second.copy_(torch.tensor(moments[1], device=device))
        self.n_steps = n_steps
        self.std_alpha = STD_DECAY * alpha
        self.std_weights = weights.layers[-1][:, :-1, head.std_slice]
        self.decay = _decay(weights, head, alpha)
        # A number in Python is converted at every call, a tensor is not.
        self.epsilon = weights.flat.new_tensor(EPSILON)
        self.longest = weights.flat.new_tensor(MAX_GRADIENT_NORM)

    def step(self, gradient, learning_rate, decay_strength=1.0):
        """Move the weights by one step along ``gradient`` (M, Q), which is used up.

        ``decay_strength`` multiplies the decay of all weights but those of raw standard
        deviations, lest a component collapse on a few rows in a corner of X.
        """
        self.n_steps += 1
        flat = self.weights.flat
        norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)  # (M, 1)
        gradient.mul_((self.longest / norm).clamp_(max=1))
        self.first.lerp_(gradient, 1 - BETA_1)
        self.second.lerp_(gradient.square_(), 1 - BETA_2)
        if decay_strength > 0:
            flat.addcmul_(flat, self.decay, value=-learning_rate * decay_strength)
        self.std_weights.mul_(1 - learning_rate * self.std_alpha)
        inverse = torch.add(self.second, self.epsilon, out=gradient).rsqrt_()
        first_bias = 1 - BETA_1**self.n_steps
        second_bias = 1 - BETA_2**self.n_steps
        size = learning_rate * second_bias**0.5 / first_bias
        flat.addcmul_(self.first, inverse, value=-size)

    def state(self):
        """Copies of all that a step changes, each (M, Q)."""
        return [tensor.clone() for tensor in self._changing()]

    def undo_if_not_finite(self, before):
        """Bring members back to ``before`` that have a weight which is not finite."""
        broken = ~self.weights.flat.sum(dim=1, keepdim=True).isfinite()  # (M, 1)
        if not broken.any():
            return
        for tensor, earlier in zip(self._changing(), before, strict=True):
            torch.where(broken, earlier, tensor, out=tensor)

    def _changing(self):
        return self.weights.flat, self.first, self.second


def _decay(weights, head, alpha):
    """Rates of decay (Q,) of a member's weights that decay at a common rate."""
    rates = [torch.full_like(layer[0], alpha) for layer in weights.layers]
    for layer_rates in rates:
        layer_rates[-1] = 0
    rates[-1][:, head.std_slice] = 0
    return torch.cat([layer_rates.flatten() for layer_rates in rates])
