"""The negative log-likelihood of a batch and its gradient in closed form.

Equations (1) to (3) and (9) of ``docs/theory``, with the rows on the last axis as
everywhere in the network: M members, K components, D outputs, B rows. The arrays are
NumPy's or torch's.
"""

import numpy as np

from skmdn._covariance import coupled_slices
from skmdn.nn.arrays import array_like, constant, namespace, zeros

HALF_LOG_2PI = float(np.log(2 * np.pi) / 2)


class MixtureLikelihood:
    """Loss of raw outputs (M, P, B) and its gradient with respect to them.

    Parameters
    ----------
    head : MixtureHead
        What the raw outputs mean.
    raw : array of shape (M, P, B)
        The buffer in which the network leaves its raw outputs at every step.
    gradient : array of shape (M, P, B)
        The buffer in which `backward` leaves the gradient with respect to them.

    Notes
    -----
    The head's prior on raw standard deviations, normal with mean 0 at every row, counts
    in the gradient and not in the loss: half its precision times their squares.
    """

    def __init__(self, head, raw, gradient):
        self.xp = namespace(raw)
        self.head = head
        self.logits, self.means, self.raw_stds, self.couplings = head.split(raw)
        self.d_logits, self.d_means, self.d_raw_stds, self.d_couplings = head.split(
            gradient
        )
        self.amax = np.maximum.reduce if self.xp is np else self.xp.amax
        self.scores = zeros((2, *self.logits.shape), raw)
        self.log_2pi_term, self.min_std, self.half, self.one = (
            constant(float(value), raw)
            for value in (head.n_outputs * HALF_LOG_2PI, head.min_std, 0.5, 1.0)
        )
        self.zero = self.xp.zeros_like(raw[0, 0, 0])
        self.std_unit = array_like(head.std_unit[:, None], raw)
        self.has_std_unit = bool((head.std_unit != 1).any())
        self.slices = coupled_slices(head.n_outputs) if head.n_couplings else ()
        self.has_prior = head.kind.learned and head.std_precision > 0
        self.std_precision = constant(head.std_precision, raw)
        if not head.kind.learned:
            self.stds = self.xp.broadcast_to(self.std_unit, self.means.shape)

    def forward(self, y):
        """Negative log-likelihood (M, B) of targets ``y`` (M, D, B)."""
        xp = self.xp
        if self.head.kind.learned:
            self.stds = self._stds()
        self.residuals = y[:, None] - self.means  # (M, K, D, B)
        self.z = self._whitened()
        log_kernel = _sum_outputs(xp.log(self.stds) + self.z * self.z * self.half)
        self.scores[0] = self.logits
        xp.subtract(self.logits, log_kernel, out=self.scores[1])
        self.shares, log_totals = self._softmax()
        return log_totals[0] - log_totals[1] + self.log_2pi_term

    def _softmax(self):
        """Softmax of the scores over the components, and logs (2, M, B) of its totals.

        Both at once, the components' shares before and after y is seen.
        """
        top = self.amax(self.scores, axis=2, keepdims=True)
        kernel = self.xp.exp(self.scores - top)
        total = kernel.sum(2, keepdims=True)
        return kernel / total, (top + self.xp.log(total))[:, :, 0]

    def _stds(self):
        """Standard deviations (M, K or 1, D, B), eq. (8).

        The logarithm of 1 + e is wrong by the rounding error of 1, as the residuals of
        standardised targets are; NumPy's log1p is not, but takes five times as long.
        """
        xp, raw = self.xp, self.raw_stds
        bend = xp.log(xp.exp(-abs(raw)) + self.one)
        self.softplus = xp.maximum(raw, self.zero) + bend
        stds = self.softplus + self.min_std
        return stds * self.std_unit if self.has_std_unit else stds

    def _whitened(self):
        """``z_d = (δ_d + Σ_e γ_ed δ_e) / std_d``, (M, K, D, B)."""
        z = self.residuals / self.stds
        for d, pairs in self.slices:
            explained = (self.couplings[:, :, pairs] * self.residuals[:, :, :d]).sum(2)
            z[:, :, d] += explained / self.stds[:, :, d]
        return z

    def backward(self, row_weights):
        """Leave the gradient, each row's times its weight in ``row_weights`` (M, 1, B).

        The shares are the weights and the responsibilities, eqs. (3) and (9).
        """
        xp = self.xp
        weights, share = self.shares * row_weights  # (M, K, B) each
        xp.subtract(weights, share, out=self.d_logits)
        tightness = share[:, :, None] / self.stds  # (M, K, D, B)
        pull = tightness * self.z
        if self.head.kind.learned:
            self._std_gradient(tightness, pull)
        if self.has_prior:
            precisions = row_weights * self.std_precision  # (M, 1, B)
            self.d_raw_stds += precisions[:, None] * self.raw_stds
        for d, pairs in self.slices:
            self._coupling_gradient(pull, d, pairs)
        xp.negative(pull, out=self.d_means)

    def _std_gradient(self, tightness, pull):
        """``r_k (1 - z_d²) / std_d`` through softplus, summed where stds are shared."""
        xp = self.xp
        d_stds = tightness - pull * self.z
        if self.has_std_unit:
            d_stds *= self.std_unit
        for axis in (1, 2):
            if d_stds.shape[axis] > self.d_raw_stds.shape[axis]:
                d_stds = d_stds.sum(axis, keepdims=True)
        slope = xp.exp(self.raw_stds - self.softplus)  # of softplus, the sigmoid
        xp.multiply(d_stds, slope, out=self.d_raw_stds)

    def _coupling_gradient(self, pull, d, pairs):
        """``r_k z_d δ_e / std_d``; a mean also pulls at the outputs coupled to it.

        Pulls of earlier outputs change, so the outputs have to come in order.
        """
        pull_d = pull[:, :, d : d + 1]
        self.xp.multiply(
            pull_d, self.residuals[:, :, :d], out=self.d_couplings[:, :, pairs]
        )
        pull[:, :, :d] += pull_d * self.couplings[:, :, pairs]


def _sum_outputs(values):
    """Sum (M, K, D, B) over the outputs; a view where there is only one."""
    return values[:, :, 0] if values.shape[2] == 1 else values.sum(2)
