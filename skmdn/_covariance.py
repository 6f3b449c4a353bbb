"""From raw network outputs to mixture parameters: the covariance types, one row each.

Everything here takes the array namespace ``xp``, NumPy or torch, and is written once
for both. Arrays of the network have the rows on their last axis, where they are
contiguous: raw outputs are (M, P, B) for M members, P raw outputs and B rows. The
other letters are K components, D outputs and T = D (D - 1) / 2 couplings.
"""

from math import log, prod
from typing import NamedTuple

import numpy as np

# By how much eq. (16) may raise the variance of a law, as a share of it
ADDED_VARIANCE = 0.25
NEGLIGIBLE = 1e-12  # weight
FAR = 1e12  # in standardised units: squares of more might overflow


class CovarianceType(NamedTuple):
    """What the network has to say of the covariances of a row's mixture."""

    per_component: bool  # every component has standard deviations of its own
    per_output: bool  # every output has; else they are equal in the units of y
    coupled: bool  # outputs are correlated
    learned: bool  # the network says it at all; else it is ``noise_std``


COVARIANCE_TYPES = {
    "full": CovarianceType(True, True, True, True),
    "diag": CovarianceType(True, True, False, True),
    "spherical": CovarianceType(True, False, False, True),
    "tied_spherical": CovarianceType(False, False, False, True),
    "fixed_spherical": CovarianceType(False, False, False, False),
}


class MixtureHead(NamedTuple):
    """The last step of the network, which gives its raw outputs their meaning.

    Standard deviations are ``std_unit * (min_std + softplus(raw))``, in standardised
    units of y, eq. (8). ``std_unit`` (D,) is 1 where every output has a standard
    deviation of its own, and undoes the standardisation where the covariance is
    spherical, for it has to be so in the units of y.

    ``std_precision`` is that of a normal prior on every raw standard deviation: of the
    steps of `fit`, and of `predicted_parameters` where a component explains next to
    nothing.
    """

    n_components: int
    n_outputs: int
    covariance_type: str
    min_std: float
    std_unit: np.ndarray
    std_precision: float = 0.0

    @property
    def kind(self):
        return COVARIANCE_TYPES[self.covariance_type]

    @property
    def n_couplings(self):
        return self.kind.coupled * self.n_outputs * (self.n_outputs - 1) // 2

    @property
    def std_shape(self):
        """Axes of components and outputs of the raw standard deviations."""
        return (
            self.kind.learned * (self.n_components if self.kind.per_component else 1),
            self.n_outputs if self.kind.per_output else 1,
        )

    @property
    def sizes(self):
        """Raw outputs that are logits, means, standard deviations and couplings."""
        K, D = self.n_components, self.n_outputs
        return K, K * D, self.std_shape[0] * self.std_shape[1], K * self.n_couplings

    @property
    def std_slice(self):
        """Where the raw standard deviations lie among the raw outputs."""
        n_logits, n_means, n_stds, _ = self.sizes
        return slice(n_logits + n_means, n_logits + n_means + n_stds)

    @property
    def n_raw(self):
        return sum(self.sizes)

    def split(self, raw):
        """Views of raw outputs (M, P, B): logits, means, raw stds, couplings.

        Returns arrays of shapes (M, K, B), (M, K, D, B), (M, K or 1 or 0, D or 1, B)
        and (M, K, T, B).
        """
        K, T = self.n_components, self.n_couplings
        shapes = (K,), (K, self.n_outputs), self.std_shape, (K, T)
        M, _, B = raw.shape
        end, parts = 0, []
        for shape in shapes:
            start, end = end, end + prod(shape)
            parts.append(raw[:, start:end].reshape(M, *shape, B))
        return tuple(parts)

    def parameters(self, raw, xp):
        """Log-weights (B, M K), means (B, M K, D) and factors, all members pooled.

        An ensemble of mixtures is a mixture of all their components, each weighing one
        M-th of what it weighed.
        """
        _, _, raw_stds, _ = self.split(raw)
        return self._parameters(raw, self._widths(raw_stds, xp), xp)

    def predicted_parameters(self, raw, xp, least_raw_stds=None):
        """As `parameters`, but wide where little is known.

        No raw standard deviation is below ``least_raw_stds`` (M, K or 1, D or 1), and
        components of next to no weight are widened, eq. (16): not where all share a
        standard deviation, nor where outputs are coupled, which would widen others too.
        """
        logits, means, raw_stds, _ = self.split(raw)
        if least_raw_stds is not None:
            raw_stds = xp.maximum(raw_stds, least_raw_stds[..., None])
        own = self.kind.per_component and not self.n_couplings
        if not (own and self.std_precision):
            return self._parameters(raw, self._widths(raw_stds, xp), xp)
        weights = xp.exp(log_softmax(logits, xp))[:, :, None]
        widths = self._doubted_widths(raw_stds, weights, means, xp)
        return self._parameters(raw, widths, xp)

    def _parameters(self, raw, widths, xp):
        *_, couplings = self.split(raw)
        factors = self._factors(widths, couplings, xp)
        return *self.weights_and_means(raw, xp), _pool(factors)

    def weights_and_means(self, raw, xp):
        """The first two of `parameters`: all that the mean of the law depends on."""
        logits, means, _, _ = self.split(raw)
        log_weights = log_softmax(logits, xp) - log(len(raw))
        return _pool(log_weights), _pool(means)

    def _widths(self, raw_stds, xp):
        """Standard deviations in ``std_unit``, shaped like the raw ones, eq. (8).

        Of a coupled output it is the deviation that remains once the outputs before it
        are known.
        """
        return self.min_std + xp.logaddexp(raw_stds, xp.zeros_like(raw_stds))

    def _doubted_widths(self, raw_stds, weights, means, xp):
        """The `_widths` of eq. (16), for weights (M, K, 1, B)."""
        widths = self._widths(raw_stds, xp)
        squares = weights**2
        believed = squares / (squares + (self.std_precision / 2 * (1 - weights)) ** 2)
        wide = self._widths(xp.maximum(raw_stds, raw_stds * believed), xp)
        near = widths.clip(0, FAR)
        variance = self._variance(near, weights, means.clip(-FAR, FAR), xp)
        added = ADDED_VARIANCE / self.n_components * variance / weights.clip(NEGLIGIBLE)
        return xp.maximum(widths, xp.minimum(wide, xp.sqrt(near**2 + added)))

    def _variance(self, widths, weights, means, xp):
        """Variance of each member's law by ``std_unit`` squared, least where shared."""
        means = means / self._units(means, xp)
        spread = (means - (weights * means).sum(1, keepdims=True)) ** 2
        variance = (weights * (widths**2 + spread)).sum(1, keepdims=True)
        if self.kind.per_output:
            return variance
        return xp.amin(variance, axis=2, keepdims=True)

    def _units(self, like, xp):
        return xp.asarray(self.std_unit, dtype=like.dtype)[:, None]

    def _factors(self, widths, couplings, xp):
        """Precision factors, (M, K, D, B), or (M, K, D, D, B) where outputs couple.

        ``C = Γ diag(1 / std)`` with Γ unit upper triangular: column d of Γ holds the
        couplings of output d to those before it, and whitened residuals are
        ``z_d = (δ_d + Σ_e γ_ed δ_e) / std_d``, the modified Cholesky decomposition of
        Pourahmadi (1999).
        """
        unit = self._units(widths, xp)
        stds = unit * widths if self.kind.learned else unit[None, None]
        if not self.n_couplings:
            (M, _, _, B), D = widths.shape, self.n_outputs
            return xp.broadcast_to(1 / stds, (M, self.n_components, D, B))
        zero = xp.zeros_like(couplings[:, :, :1])
        entries = xp.concatenate([couplings, zero + 1, zero], axis=2)
        return entries[:, :, _unit_upper_index(self.n_outputs)] / stds[:, :, None]


def make_head(
    n_components, covariance_type, min_std, noise_std, y_std, std_precision=0.0
):
    """Head of a network for outputs of standard deviations ``y_std`` (D,)."""
    if covariance_type not in COVARIANCE_TYPES:
        raise ValueError(
            f"covariance_type must be one of {sorted(COVARIANCE_TYPES)}, got "
            f"{covariance_type!r}."
        )
    kind = COVARIANCE_TYPES[covariance_type]
    _check_noise_std(noise_std, covariance_type, kind.learned)
    if not kind.learned:
        std_unit = noise_std / y_std
    elif kind.per_output:
        std_unit = np.ones_like(y_std)
    else:
        std_unit = y_std.max() / y_std
    return MixtureHead(
        n_components, len(y_std), covariance_type, min_std, std_unit, std_precision
    )


def _check_noise_std(noise_std, covariance_type, learned):
    if learned and noise_std is not None:
        raise ValueError(
            f"noise_std={noise_std!r} has no meaning for covariance_type="
            f"{covariance_type!r}, whose standard deviations are learned. Leave it at "
            "None, or choose covariance_type='fixed_spherical'."
        )
    if not learned and (noise_std is None or not noise_std > 0):
        raise ValueError(
            f"covariance_type={covariance_type!r} needs noise_std, the positive "
            f"standard deviation of all components in units of y; got {noise_std!r}."
        )


def coupled_pairs(n_outputs):
    """Rows e and columns d, with e < d, of the T couplings of D outputs."""
    columns, rows = np.tril_indices(n_outputs, -1)
    return rows, columns


def coupled_slices(n_outputs):
    """For each output d but the first, the couplings of d to the d before it."""
    return [(d, slice(d * (d - 1) // 2, d * (d + 1) // 2)) for d in range(1, n_outputs)]


def _unit_upper_index(n_outputs):
    """Where each entry (D, D) of a unit upper triangle lies in [couplings, 1, 0]."""
    rows, columns = coupled_pairs(n_outputs)
    index = np.full((n_outputs, n_outputs), len(rows) + 1)
    np.fill_diagonal(index, len(rows))
    index[rows, columns] = np.arange(len(rows))
    return index


def log_softmax(logits, xp):
    """Log-weights (M, K, B), eq. (1)."""
    above_top = logits - xp.amax(logits, axis=1, keepdims=True)
    return above_top - xp.log(xp.exp(above_top).sum(axis=1, keepdims=True))


def _pool(values):
    """(M, K, ..., B) with the rows brought to the front: (B, M K, ...)."""
    M, K, *inner, B = values.shape
    return values.reshape(M * K * prod(inner), B).T.reshape(B, M * K, *inner)
