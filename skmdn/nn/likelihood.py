"""The negative log-likelihood of a batch and its gradient in closed form.

Equations (1) to (3) of ``docs/theory``, with the rows on the last axis as everywhere in
the network: M members, K components, D outputs, T couplings, B rows.
"""

import math

import torch
from torch.nn.functional import softplus

from skmdn._covariance import coupled_pairs

LOG_2PI = math.log(2 * math.pi)


class MixtureLikelihood:
    """Loss of raw outputs (M, P, B) and its gradient with respect to them.

    Parameters
    ----------
    head : MixtureHead
        What the raw outputs mean.
    raw : Tensor of shape (M, P, B)
        The buffer in which the network leaves its raw outputs at every step.

    Attributes
    ----------
    gradient : Tensor of shape (M, P, B)
        Of the weighted losses with respect to the raw outputs; `backward` fills it.
    """

    def __init__(self, head, raw):
        unit = torch.as_tensor(head.std_unit, dtype=raw.dtype, device=raw.device)
        self.head = head = head._replace(std_unit=unit)
        self.logits, self.means, self.raw_stds, self.couplings = head.split(raw)
        self.gradient = torch.zeros_like(raw)
        self.d_logits, self.d_means, self.d_raw_stds, self.d_couplings = head.split(
            self.gradient
        )
        self.std_unit = unit[:, None] if (unit != 1).any() else None
        # A number in Python is converted at every call, a tensor is not.
        self.min_std = raw.new_tensor(head.min_std)
        self.constant = raw.new_tensor(head.n_outputs * LOG_2PI / 2)
        self.pairs = tuple(
            torch.as_tensor(index, device=raw.device)
            for index in coupled_pairs(head.n_outputs)
        )
        if not head.kind.learned:
            self.stds = head.stds(self.raw_stds, torch)

    def forward(self, y):
        """Negative log-likelihood (M, B) of targets ``y`` (M, D, B)."""
        if self.head.kind.learned:
            self.stds = softplus(self.raw_stds).add_(self.min_std)
            if self.std_unit is not None:
                self.stds = self.stds * self.std_unit
        self.residuals = y[:, None] - self.means  # (M, K, D, B)
        self.z = self._whitened()
        self.log_weights = self.logits.log_softmax(1)  # (M, K, B)
        log_kernel = torch.addcmul(self.stds.log(), self.z, self.z, value=0.5)
        joint = self.log_weights - _sum_outputs(log_kernel)
        log_share = joint.log_softmax(1)
        self.share = log_share.exp()  # the responsibilities
        # -log p = log_share - joint for every component; averaged, no digit is lost.
        surprise = log_share.sub_(joint).mul_(self.share).sum(1)
        return surprise.add_(self.constant)

    def _whitened(self):
        """``z_d = (r_d + Σ_e U_ed r_e) / std_d``, (M, K, D, B)."""
        if not self.head.n_couplings:
            return self.residuals / self.stds
        rows, columns = self.pairs
        explained = self.couplings * self.residuals.index_select(2, rows)
        return self.residuals.index_add(2, columns, explained).div_(self.stds)

    def backward(self, row_weights):
        """Fill `gradient`, each row's times its weight in ``row_weights`` (M, 1, B)."""
        share = self.share.mul_(row_weights)
        weights = self.log_weights.exp_().mul_(row_weights)
        torch.sub(weights, share, out=self.d_logits)
        tightness = share[:, :, None] / self.stds  # (M, K, D, B)
        pull = tightness * self.z
        if self.head.kind.learned:
            self._std_gradient(tightness, pull)
        if self.head.n_couplings:
            self._coupling_gradient(pull)
        torch.neg(pull, out=self.d_means)

    def _std_gradient(self, tightness, pull):
        """``r_k (1 - z_d²) / std_d`` through softplus, summed where stds are shared."""
        d_stds = tightness.addcmul_(pull, self.z, value=-1)
        if self.std_unit is not None:
            d_stds.mul_(self.std_unit)
        d_stds = d_stds.sum_to_size(self.d_raw_stds.shape)
        torch.mul(d_stds, self.raw_stds.sigmoid(), out=self.d_raw_stds)

    def _coupling_gradient(self, pull):
        """``r_k z_d r_e / std_d``; a mean also pulls at the outputs coupled to it."""
        rows, columns = self.pairs
        pair_pull = pull.index_select(2, columns)
        torch.mul(pair_pull, self.residuals.index_select(2, rows), out=self.d_couplings)
        pull.index_add_(2, rows, pair_pull.mul_(self.couplings))


def _sum_outputs(values):
    """Sum (M, K, D, B) over the outputs; a view where there is only one."""
    return values[:, :, 0] if values.shape[2] == 1 else values.sum(2)
