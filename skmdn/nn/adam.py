"""Adam with decoupled weight decay and a clipped gradient, each member by itself.

Written out (Kingma & Ba, 2015; Loshchilov & Hutter, 2019) and in place. The arrays are
NumPy's or torch's.
"""

import numpy as np

from skmdn.nn.arrays import array_like, as_numpy, copy, namespace

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
        flat = weights.flat
        self.xp = namespace(flat)
        self.flat = flat
        self.first, self.second = (
            (array_like(moment, flat) for moment in moments)
            if moments is not None
            else (self.xp.zeros_like(flat) for _ in range(2))
        )
        self.n_steps = n_steps
        self.std_alpha = STD_DECAY * alpha
        self.std_weights = weights.layers[-1][:, :-1, head.std_slice]
        self.rates = array_like(_rates_of_decay(weights, head, alpha), flat)
        self.longest = array_like(MAX_GRADIENT_NORM, flat)

    def step(self, gradient, learning_rate, decay_strength=1.0):
        """Move the weights by one step along ``gradient`` (M, Q), which is used up.

        ``decay_strength`` multiplies the decay of all weights but those of raw standard
        deviations, lest a component collapse on a few rows in a corner of X.
        """
        self.n_steps += 1
        gradient *= self._clip(gradient) * (1 - BETA_1)
        self.first *= BETA_1
        self.first += gradient
        gradient *= gradient
        gradient *= (1 - BETA_2) / (1 - BETA_1) ** 2
        self.second *= BETA_2
        self.second += gradient
        first_bias = 1 - BETA_1**self.n_steps
        second_bias = 1 - BETA_2**self.n_steps
        if decay_strength > 0:
            self.xp.multiply(self.flat, self.rates, out=gradient)
            gradient *= learning_rate * decay_strength
            self.flat -= gradient
        self.std_weights *= 1 - learning_rate * self.std_alpha
        self.xp.add(self.second, EPSILON, out=gradient)
        self.xp.sqrt(gradient, out=gradient)
        self.xp.divide(self.first, gradient, out=gradient)
        gradient *= learning_rate * second_bias**0.5 / first_bias
        self.flat -= gradient

    def _clip(self, gradient):
        """Factors (M, 1) that make no gradient longer than the longest allowed."""
        squares = self.xp.matmul(gradient[:, None], gradient[:, :, None])  # (M, 1, 1)
        return self.longest / self.xp.maximum(squares[:, 0] ** 0.5, self.longest)

    def forget(self):
        """Be as before the first step."""
        self.n_steps = 0
        for moment in (self.first, self.second):
            moment[:] = 0

    def state(self):
        """Copies of all that a step changes, each (M, Q)."""
        return [copy(array) for array in self._changing()]

    def undo_if_not_finite(self, before):
        """Bring members back to ``before`` that have a weight which is not finite.

        Returns their numbers.
        """
        broken = np.flatnonzero(~np.isfinite(as_numpy(self.flat.sum(1)))).tolist()
        for array, earlier in zip(self._changing(), before, strict=True):
            array[broken] = earlier[broken]
        return broken

    def _changing(self):
        return self.flat, self.first, self.second


def _rates_of_decay(weights, head, alpha):
    """Rates (Q,) of a member's weights that decay at a common rate."""
    rates = [np.full(layer.shape[1:], alpha) for layer in weights.layers]
    for layer_rates in rates:
        layer_rates[-1] = 0
    rates[-1][:, head.std_slice] = 0
    return np.concatenate([layer_rates.ravel() for layer_rates in rates])
