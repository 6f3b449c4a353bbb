"""Expected distances between Gaussian vectors, of which the energy score is made.

No closed form is known beyond one output, but one integral over a smooth function is:
for Y ~ N(m, Σ), eq. (12),

    E‖Y‖ = π^(-1/2) ∫_0^∞ (1 - E exp(-ρ² ‖Y‖²)) ρ^(-2) dρ,

and the expectation inside is a product over the eigenvalues of Σ.
"""

import numpy as np

from skmdn._blocks import row_blocks

# With ρ = exp(t) the integrand falls like exp(-|t|) on both sides and is analytic in a
# strip, so the trapezoidal rule converges exponentially.
STEP = 0.2
LOG_SCALES = np.arange(-150, 151) * STEP


def expected_norm(means, eigenvalues):
    """E‖Y‖ (...) for Gaussian vectors of ``means`` (..., D) along the eigenvectors.

    ``eigenvalues`` (..., D) are those of the covariances.
    """
    unit = np.sqrt(np.sum(means**2 + eigenvalues, axis=-1))  # root mean square of ‖Y‖
    safe = np.where(unit > 0, unit, 1)[..., None]
    squares, eigenvalues = (means / safe) ** 2, eigenvalues / safe**2
    integral = np.zeros(unit.shape)
    for log_scale in LOG_SCALES:
        square = np.exp(2 * log_scale)
        growth = 2 * square * eigenvalues  # (..., D)
        terms = square * squares / (1 + growth) + np.log1p(growth) / 2
        log_mean = -np.sum(terms, axis=-1)
        integral -= np.expm1(log_mean) * np.exp(-log_scale)
    return unit * integral * STEP / np.sqrt(np.pi)


def energy_score(y, weights, means, covariances):
    """E‖Y - y‖ - E‖Y - Y'‖ / 2 of each mixture (n,) at ``y`` (n, D).

    Gneiting & Raftery (2007), eq. 22. ``covariances`` are (n, K, D, D), or variances
    (n, K, D).
    """
    infinite = np.isinf(y).any(axis=1)
    y = np.where(infinite[:, None], 0, y)
    _, n_components, n_outputs = means.shape
    blocks = row_blocks(len(y), (n_components * n_outputs) ** 2)
    parts = [_energy_score(y[b], weights[b], means[b], covariances[b]) for b in blocks]
    return np.where(infinite, np.inf, np.concatenate(parts))


def _energy_score(y, weights, means, covariances):
    to_y = _expected_distance(y[:, None] - means, covariances)  # (n, K)
    i, j = np.triu_indices(weights.shape[1])
    between = _expected_distance(
        means[:, i] - means[:, j], covariances[:, i] + covariances[:, j]
    )
    pair_weights = np.where(i == j, 1, 2) * weights[:, i] * weights[:, j]
    return np.sum(weights * to_y, axis=1) - np.sum(pair_weights * between, axis=1) / 2


def _expected_distance(means, covariances):
    if covariances.ndim == means.ndim:
        return expected_norm(means, covariances)
    eigenvalues, vectors = np.linalg.eigh(covariances)
    along = np.einsum("...de,...d->...e", vectors, means)
    return expected_norm(along, np.maximum(eigenvalues, 0))
