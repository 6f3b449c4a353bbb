"""Mathematics of Gaussian mixtures with any number of outputs.

Pure functions of arrays. A batch of mixtures is given by ``log_weights`` (n, K),
``means`` (n, K, D) and ``factors``, the Cholesky factors of the precisions in
scikit-learn's convention: ``C`` upper triangular with ``C Cᵀ = Σ⁻¹``. Factors have
shape (n, K, D, D), or (n, K, D) when they are diagonal, in which case they are the
reciprocals of the standard deviations. Equations are those of ``docs/theory``.
"""

from functools import cache

import numpy as np
from scipy.special import entr, logsumexp, ndtri
from scipy.stats import qmc

from skmdn._blocks import row_blocks, total

LOG_2PI = np.log(2 * np.pi)
TINY = np.finfo(np.float64).tiny
LOG2_POINTS = 9  # of the rule for the entropy


def is_diagonal(factors):
    """Whether the factors are stored as their diagonals, (n, K, D)."""
    return factors.ndim == 3


def diagonal(factors):
    """Diagonal of each factor, (n, K, D)."""
    if is_diagonal(factors):
        return factors
    return np.diagonal(factors, axis1=-2, axis2=-1)


def log_det(factors):
    """Logarithm of each factor's determinant, (n, K)."""
    return np.sum(np.log(diagonal(factors)), axis=-1)


def apply_factor(factors, residuals):
    """Whitened residuals ``Cᵀ δ``, of the shape of ``residuals`` (..., n, K, D)."""
    if is_diagonal(factors):
        return factors * residuals
    return np.einsum("nkde,...nkd->...nke", factors, residuals)


def covariance_root(factors):
    """Lower triangular roots L of the covariances, ``L Lᵀ = Σ``, (n, K, D, D)."""
    if is_diagonal(factors):
        return embed_diagonal(1 / factors)
    return np.swapaxes(np.linalg.inv(factors), -1, -2)


def factor_of_root(roots):
    """Factors C of the precisions of ``Σ = R Rᵀ``, for any wide root R (..., D, E).

    The triangle of a QR decomposition of ``Rᵀ`` is the Cholesky factor of Σ up to
    signs, found without forming Σ, which would square the condition number.
    """
    triangle = np.linalg.qr(np.swapaxes(roots, -1, -2), mode="r")
    factors = np.linalg.inv(triangle)
    signs = np.sign(np.diagonal(factors, axis1=-2, axis2=-1))
    return np.triu(factors * signs[..., None, :])


def factor_of_covariance(covariances):
    """Factors of covariance matrices, or of variances given as (n, K, D)."""
    if covariances.ndim == 3:
        return 1 / np.sqrt(covariances)
    return factor_of_root(np.linalg.cholesky(covariances))


def covariances(factors):
    """Covariance matrices, (n, K, D, D)."""
    roots = covariance_root(factors)
    return np.einsum("...de,...fe->...df", roots, roots)


def precisions(factors):
    """Inverses of the covariances, (..., D, D), of full factors."""
    return np.einsum("...de,...fe->...df", factors, factors)


def variances(factors):
    """Variances of each output, (n, K, D): the diagonals of the covariances."""
    if is_diagonal(factors):
        return factors**-2.0
    return np.sum(covariance_root(factors) ** 2, axis=-1)


def embed_diagonal(values):
    """Diagonal matrices, (..., D, D), with the given diagonals, (..., D)."""
    return values[..., None] * np.eye(values.shape[-1])


def compact(factors):
    """Factors of a single output stored as diagonals, all others as they are."""
    single = not is_diagonal(factors) and factors.shape[-1] == 1
    return factors[..., 0] if single else factors


def concatenate(mixtures):
    """Parameters of all rows, one after the other, of several log-weights, ..."""
    log_weights, means, factors = zip(*mixtures, strict=True)
    if not all(is_diagonal(some) for some in factors):
        factors = [embed_diagonal(f) if is_diagonal(f) else f for f in factors]
    return tuple(np.concatenate(parts) for parts in (log_weights, means, factors))


def component_logpdf(y, means, factors):
    """Log-density of every component, (..., n, K), at ``y`` (..., n, D), eq. (2)."""
    # Beyond 1e154 standard deviations: density 0
    with np.errstate(over="ignore", invalid="ignore"):
        z = apply_factor(factors, y[..., None, :] - means)
        distance = np.sum(z**2, axis=-1)
    distance = np.where(np.isnan(distance), np.inf, distance)  # y infinite: inf - inf
    return log_det(factors) - (distance + z.shape[-1] * LOG_2PI) / 2


def logpdf(y, log_weights, means, factors):
    """Log-density of the mixtures, (..., n), at ``y`` (..., n, D), eq. (1)."""
    return logsumexp(log_weights + component_logpdf(y, means, factors), axis=-1)


def log_responsibilities(y, log_weights, means, factors):
    """Log-probability of each component given ``y`` (n, D), (n, K), eq. (3)."""
    joint = log_weights + component_logpdf(y, means, factors)
    lost = np.isneginf(joint).all(axis=-1)  # all densities underflow
    if lost.any():
        far = (values[lost] for values in (y, log_weights, means, factors))
        joint[lost] = _of_the_nearest(*far)
    joint -= joint.max(axis=-1, keepdims=True)  # or logs of sums are lost beside it
    return joint - logsumexp(joint, axis=-1, keepdims=True)


def _of_the_nearest(y, log_weights, means, factors):
    """What `log_responsibilities` tend to, up to a constant, infinitely far away.

    Those components have them that are nearest in standard deviations.
    """
    residuals = y[:, None] - means
    residuals /= np.abs(residuals).max(axis=(1, 2), keepdims=True)
    distance = np.linalg.norm(apply_factor(factors, residuals), axis=-1)
    distance = np.where(np.isneginf(log_weights), np.inf, distance)
    nearest = distance == distance.min(axis=-1, keepdims=True)
    return np.where(nearest, log_weights + log_det(factors), -np.inf)


def mean(weights, means):
    """Mean of the mixtures, (n, D), eq. (4)."""
    return np.einsum("nk,nkd->nd", weights, means)


def variance(weights, means, component_variances):
    """Variance of each output of the mixtures, (n, D), eq. (4)."""
    centred = _centred(weights, means)
    centred = np.where(weights[..., None] > 0, centred, 0)  # or 0 times infinity is NaN
    return np.einsum("nk,nkd->nd", weights, component_variances + centred**2)


def covariance(weights, means, component_covariances):
    """Covariance matrices of the mixtures, (n, D, D), eq. (4)."""
    centred = _centred(weights, means)
    between = np.einsum("nk,nkd,nke->nde", weights, centred, centred)
    return np.einsum("nk,nkde->nde", weights, component_covariances) + between


def _centred(weights, means):
    """Means of components less that of their mixture, (n, K, D).

    First less that of the heaviest, so that close means far from zero lose no digits.
    """
    heaviest = weights.argmax(axis=-1)[:, None, None]
    means = means - np.take_along_axis(means, heaviest, axis=1)
    return means - mean(weights, means)[:, None]


def marginal(outputs, means, factors):
    """Means and factors of ``outputs`` alone, in that order, eq. (5).

    Rows of a root of Σ are a root of the sub-block of Σ.
    """
    if is_diagonal(factors):
        return means[..., outputs], factors[..., outputs]
    roots = covariance_root(factors)[..., outputs, :]
    return means[..., outputs], compact(factor_of_root(roots))


def univariate(output, means, factors):
    """Means and standard deviations (n, K) of one output."""
    if is_diagonal(factors):
        return means[..., output], 1 / factors[..., output]
    roots = covariance_root(factors)[..., output, :]
    return means[..., output], np.sqrt(np.sum(roots**2, axis=-1))


def conditional(given, y, log_weights, means, factors):
    """Parameters of the law of the other outputs, given ``y`` (n, G), eq. (6)."""
    free = [d for d in range(means.shape[-1]) if d not in given]
    responsibilities = log_responsibilities(
        y, log_weights, *marginal(given, means, factors)
    )
    if is_diagonal(factors):
        return responsibilities, means[..., free], factors[..., free]
    _, ordered = marginal([*given, *free], means, factors)
    free_factors = ordered[..., len(given) :, len(given) :]
    shift = regression(ordered, y[:, None] - means[..., given])
    return responsibilities, means[..., free] + shift, compact(free_factors)


def regression(factors, residuals):
    """Shift (n, K, D - G) of the last outputs' means by the first ones' residuals.

    Split after the G given outputs, the whitened residuals of the free outputs F,
    ``C_GFᵀ δ_G + C_FFᵀ δ_F``, have mean zero: so δ_F has ``-C_FF⁻ᵀ C_GFᵀ δ_G``.
    """
    n_given = residuals.shape[-1]
    cross = factors[..., :n_given, n_given:]
    free_inverse = np.linalg.inv(factors[..., n_given:, n_given:])
    return -np.einsum("nkgf,nkfe,nkg->nke", cross, free_inverse, residuals)


def sample(n_samples, rng, log_weights, means, factors):
    """Draws (n, S, D): a component by its weight, then a point from that component."""
    blocks = row_blocks(len(means), n_samples * means.shape[-1] ** 2)
    parts = [
        _sample(n_samples, rng, log_weights[b], means[b], factors[b]) for b in blocks
    ]
    return np.concatenate(parts)


def _sample(n_samples, rng, log_weights, means, factors):
    n, _, n_outputs = means.shape
    components = sample_components(n_samples, rng, np.exp(log_weights))  # (n, S)
    noise = rng.standard_normal((n, n_samples, n_outputs))
    rows = np.arange(n)[:, None]
    if is_diagonal(factors):
        return means[rows, components] + noise / factors[rows, components]
    roots = covariance_root(factors)[rows, components]  # (n, S, D, D)
    return means[rows, components] + np.einsum("nsde,nse->nsd", roots, noise)


def sample_components(n_samples, rng, weights):
    """Indices of components (n, S) drawn by their weights (n, K)."""
    cumulative = np.cumsum(weights, axis=-1)
    cumulative /= cumulative[:, -1:]  # rounding must not leave room for an index K
    uniform = rng.uniform(size=(len(weights), n_samples))
    components = np.zeros(uniform.shape, dtype=np.intp)
    for edge in cumulative[:, :-1].T:
        components += uniform >= edge[:, None]
    return components


def entropy(log_weights, means, factors):
    """Entropy of the mixtures (n,), by a rule of S equal normal points, eq. (11).

    The part known in closed form is split off: with ``r_k`` the responsibility of
    component k, ``H = Σ π_k (H_k - log π_k + E_k[log r_k])``, so the rule only has to
    carry the last term, which vanishes where components do not overlap.
    """
    _, n_components, n_outputs = means.shape
    blocks = row_blocks(len(means), 2**LOG2_POINTS * n_components * n_outputs)
    parts = [_entropy(log_weights[b], means[b], factors[b]) for b in blocks]
    return np.concatenate(parts)


def _entropy(log_weights, means, factors):
    """As `entropy`, of few rows; points come last, for there are many of them."""
    weights = np.exp(log_weights)
    noise = normal_points(means.shape[-1]).T[:, None]  # (D, 1, S)
    component_entropy = means.shape[-1] * (LOG_2PI + 1) / 2 - log_det(factors)
    surprise = component_entropy + entr(weights) / np.maximum(weights, TINY)
    constants = (log_weights + log_det(factors)).T[..., None]  # (K, n, 1)
    means = means.transpose(1, 2, 0)[..., None]  # (K, D, n, 1)
    roots, whitening = _lower_triangles(factors)
    for k, mean in enumerate(means):
        offsets = _times_lower(roots[k], noise)  # (D, n, S)
        residuals = (offsets + (mean - other) for other in means)
        with np.errstate(over="ignore", invalid="ignore"):  # of those without weight
            distances = [
                total(_times_lower(matrices, residual) ** 2)
                for matrices, residual in zip(whitening, residuals, strict=True)
            ]
            joint = constants - np.stack(distances) / 2  # (K, n, S), but for a constant
            joint -= joint.max(axis=0)
            log_share = joint[k] - np.log(total(np.exp(joint)))
        surprise[:, k] += np.where(weights[:, k] > 0, log_share.mean(axis=-1), 0)
    return np.sum(weights * surprise, axis=-1)


def _lower_triangles(factors):
    """Roots L and whitening matrices Cᵀ, (K, D, D, n, 1), or diagonals (K, D, n, 1)."""
    if is_diagonal(factors):
        whitening = factors.transpose(1, 2, 0)[..., None]
        return 1 / whitening, whitening
    roots = covariance_root(factors).transpose(1, 2, 3, 0)
    return roots[..., None], factors.transpose(1, 3, 2, 0)[..., None]


def _times_lower(matrices, vectors):
    """Products (D, ...) with lower triangles (D, D, ...), or diagonals (D, ...)."""
    if matrices.ndim == vectors.ndim:
        return matrices * vectors
    rows = enumerate(matrices, start=1)
    return np.stack([total(row[:d] * vectors[:d]) for d, row in rows])


@cache
def normal_points(n_outputs):
    """Sobol' points mapped to a standard normal, (S, D): the same in every process."""
    sobol = qmc.Sobol(n_outputs, scramble=False).random_base2(LOG2_POINTS)
    return ndtri(sobol + 0.5 / 2**LOG2_POINTS)


def change_units(means, factors, offset, unit):
    """Means and factors of ``offset + unit * u``, eq. (7).

    ``offset`` is (D,) or (n, D), and ``unit`` (D,) is positive.
    """
    unit_of_rows = unit if is_diagonal(factors) else unit[:, None]
    return change_location(means, offset, unit), factors / unit_of_rows


def change_location(means, offset, unit):
    """Means of ``offset + unit * u``, of `change_units`."""
    if offset.ndim == 2:
        offset = offset[:, None]
    return offset + unit * means
