"""Adam with decoupled weight decay and a clipped gradient, each member by itself.

Written out (Kingma & Ba, 2015; Loshchilov & Hutter, 2019) and in place. The arrays are
NumPy's or torch's.
"""

from math import sqrt

import numpy as np

from skmdn.nn.arrays import array_like, as_numpy, constant, copy, namespace

BETA_1, BETA_2 = 0.9, 0.999
EPSILON = 1e-13  # added to the sum of squares: the root of their mean is above 1e-8
MAX_GRADIENT_NORM = 5.0


class Adam:
    """Steps down the gradient of flat weights (M, Q), no member seeing another.

    Moments are kept as sums of gradients and of their squares, each ``beta`` times as
    heavy as the next. That they should be means is left to the length of the step,
    which saves operations on all weights.

    Parameters
    ----------
    weights : FlatWeights
        What the steps change.
    head : MixtureHead
        Which of the last layer's weights make standard deviations.
    alpha : float
        Weight decay; the intercepts, the last row of every layer, do not decay.
    moments : pair of ndarray of shape (M, Q), optional
        First and second moments, such sums, after ``n_steps`` earlier steps.
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
        self.alpha = alpha
        # The share that decay leaves of every weight, filled by views.
        kept = weights.zeros(1)
        self.kept = kept.flat
        self.kept[:] = 1  # of intercepts, all
        *hidden, last = (layer[0, :-1] for layer in kept.layers)
        std = head.std_slice
        self.kept_stds = last[:, std]
        self.kept_others = [*hidden, last[:, : std.start], last[:, std.stop :]]
        self.beta_1, self.beta_2, self.epsilon = (
            constant(value, flat) for value in (BETA_1, BETA_2, EPSILON)
        )
        self.longest_square = array_like(MAX_GRADIENT_NORM**2, flat)

    def step(self, gradient, learning_rate):
        """Move the weights by one step along ``gradient`` (M, Q), which is used up."""
        self.n_steps += 1
        gradient *= self._clip(gradient)
        self.first *= self.beta_1
        self.first += gradient
        gradient *= gradient
        self.second *= self.beta_2
        self.second += gradient
        self.xp.add(self.second, self.epsilon, out=gradient)
        self.xp.sqrt(gradient, out=gradient)
        self.xp.divide(self.first, gradient, out=gradient)
        gradient *= learning_rate * self._mean_over_root_mean()
        self.flat -= gradient

    def decay(self, learning_rate, strength=1.0, n_steps=1):
        """Shrink the weights as much as ``n_steps`` steps of this length ask for.

        ``strength`` multiplies the decay of all weights but those of raw standard
        deviations, lest a component collapse on a few rows in a corner of X.
        """
        self.kept_stds[:] = max(1 - learning_rate * self.alpha, 0) ** n_steps
        for kept in self.kept_others:
            kept[:] = max(1 - learning_rate * strength * self.alpha, 0) ** n_steps
        self.flat *= self.kept

    def _clip(self, gradient):
        """Factors (M, 1) that make no gradient longer than the longest allowed."""
        xp, longest = self.xp, self.longest_square
        square = xp.matmul(gradient[:, None], gradient[:, :, None])  # (M, 1, 1)
        return xp.sqrt(longest / xp.maximum(square[:, 0], longest))

    def _mean_over_root_mean(self):
        """What the ratio of the sums, of second to a root, has to be multiplied by."""
        first_total = (1 - BETA_1**self.n_steps) / (1 - BETA_1)
        second_total = (1 - BETA_2**self.n_steps) / (1 - BETA_2)
        return sqrt(second_total) / first_total

    def state(self):
        """Copies of all that a step changes, each (M, Q)."""
        return [copy(array) for array in self._changing()]

    def undo_if_not_finite(self, before):
        """Bring members back to ``before`` that have a weight which is not finite.

        Returns their numbers.
        """
        broken = np.flatnonzero(~np.isfinite(as_numpy(self.flat.sum(1)))).tolist()
        if broken:
            for array, earlier in zip(self._changing(), before, strict=True):
                array[broken] = earlier[broken]
        return broken

    def _changing(self):
        return self.flat, self.first, self.second
