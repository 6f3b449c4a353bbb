"""The negative log-likelihood of a batch and its gradient in closed form.

Equations (1) to (3) of ``docs/theory``, with the rows on the last axis as everywhere in
the network: M members, K components, D outputs, T couplings, B rows.
"""

import math

import torch

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
        Of the loss of each row with respect to its raw outputs; `backward` fills it.
    """

    def __init__(self, head, raw):
        M, _, B = raw.shape
        K, D = head.n_components, head.n_outputs
        self.std_unit = torch.as_tensor(
            head.std_unit, dtype=raw.dtype, device=raw.device
        )[:, None]
        self.head = head = head._replace(std_unit=self.std_unit[:, 0])
        self.logits, self.means, self.raw_stds, self.couplings = head.split(raw)
        self.gradient = torch.zeros_like(raw)
        self.d_logits, self.d_means, self.d_raw_stds, self.d_couplings = head.split(
            self.gradient
        )
        # Both softmaxes, of the logits and of the joint log-densities, go as one: the
        # first gives the weights, the second the responsibilities.
        self.shares = raw.new_empty(M, 2, K, B)
        self.residuals = raw.new_empty(M, K, D, B)
        self.z = raw.new_empty(M, K, D, B)
        self.pairs = tuple(
            torch.as_tensor(index, device=raw.device) for index in coupled_pairs(D)
        )
        if not head.kind.learned:
            self.stds = head.stds(self.raw_stds, torch)

    def forward(self, y):
        """Negative log-likelihood (M, B) of targets ``y`` (M, D, B)."""
        weights, responsibilities = self.shares.unbind(1)
        if self.head.kind.learned:
            softplus = torch.nn.functional.softplus(self.raw_stds)
            self.stds = softplus.add_(self.head.min_std) * self.std_unit
        torch.sub(y[:, None], self.means, out=self.residuals)
        self._whiten()
        log_kernel = self.z.square().mul_(-0.5).sub_(self.stds.log()).sum(2)
        weights.copy_(self.logits)
        torch.add(self.logits, log_kernel, out=responsibilities)
        log_sums = _softmax_(self.shares)  # (M, 2, B)
        return log_sums[:, 0] - log_sums[:, 1] + y.shape[1] * LOG_2PI / 2

    def _whiten(self):
        """Fill ``z_d = (r_d + Σ_e U_ed r_e) / std_d``, (M, K, D, B)."""
        if not self.head.n_couplings:
            torch.div(self.residuals, self.stds, out=self.z)
            return
        rows, columns = self.pairs
        explained = self.couplings * self.residuals.index_select(2, rows)
        self.z.copy_(self.residuals).index_add_(2, columns, explained).div_(self.stds)

    def backward(self, row_weights):
        """Fill `gradient`, each row's times its weight in ``row_weights`` (M, 1, B)."""
        self.shares.mul_(row_weights[:, None])
        weights, responsibilities = self.shares.unbind(1)
        torch.sub(weights, responsibilities, out=self.d_logits)
        share = responsibilities[:, :, None]  # (M, K, 1, B)
        pull = share * self.z / self.stds  # (M, K, D, B)
        if self.head.kind.learned:
            self._std_gradient(share, pull)
        if self.head.n_couplings:
            self._coupling_gradient(pull)
        torch.neg(pull, out=self.d_means)

    def _std_gradient(self, share, pull):
        """``r_k (1 - z_d²) / std_d`` through softplus, summed where stds are shared."""
        d_stds = (share / self.stds - pull * self.z) * self.std_unit
        d_stds = d_stds.sum_to_size(self.d_raw_stds.shape)
        torch.mul(d_stds, self.raw_stds.sigmoid(), out=self.d_raw_stds)

    def _coupling_gradient(self, pull):
        """``r_k z_d r_e / std_d``; a mean also pulls at the outputs coupled to it."""
        rows, columns = self.pairs
        pair_pull = pull.index_select(2, columns)
        torch.mul(pair_pull, self.residuals.index_select(2, rows), out=self.d_couplings)
        pull.index_add_(2, rows, pair_pull.mul_(self.couplings))


def _softmax_(x):
    """Softmax over the third axis of ``x`` (M, 2, K, B), in place; its log-sums.

    By hand, since the library's is slow along an axis that is short.
    """
    top = x.amax(2, keepdim=True)
    total = x.sub_(top).exp_().sum(2, keepdim=True)
    x.div_(total)
    return top.add_(total.log_()).squeeze(2)
