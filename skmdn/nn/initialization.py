"""Starting weights: components spread over y, every one of them as likely as the next.

Left to chance, the components start in one heap, where one of them swallows all data
and the others die.
"""

from itertools import pairwise

import numpy as np

from skmdn._folds import n_effective

# Half-way between one Gaussian for all and a component for each stretch of y: the first
# is slow to split, the second learns who is responsible before it learns the means.
CENTRE_SPREAD = 0.5
HEAD_GAIN = 0.1
SMALLEST_START = 0.1  # standard deviation, as a fraction of y's
UNCORRELATED = 0.1  # of a row, which are counted to those that tell a correlation
LINEAR = 40.0  # from here on softplus changes no digit


def starting_members(layer_sizes, head, y, sample_weight, seeds):
    """Arrays ``coefs`` (M, n_in, n_out) and ``intercepts`` (M, n_out) of each layer.

    Parameters
    ----------
    layer_sizes : list of int
        Inputs, hidden units of each layer, raw outputs.
    head : MixtureHead
    y : ndarray of shape (n, D)
        Standardised targets.
    sample_weight : ndarray of shape (n,)
    seeds : sequence of int
        One for each member.
    """
    starts = [
        starting_weights(
            layer_sizes, head, y, sample_weight, np.random.RandomState(seed)
        )
        for seed in seeds
    ]
    return tuple(
        [np.stack(layer) for layer in zip(*parts, strict=True)]
        for parts in zip(*starts, strict=True)
    )


def starting_weights(layer_sizes, head, y, sample_weight, rng):
    """Those of one member, (n_in, n_out) and (n_out,), drawn by ``rng``."""
    coefs, intercepts = [], []
    for n_in, n_out in pairwise(layer_sizes):
        coefs.append(rng.normal(scale=np.sqrt(2 / n_in), size=(n_in, n_out)))
        intercepts.append(rng.uniform(-1, 1, size=n_out))
    coefs[-1] *= HEAD_GAIN / np.sqrt(2)
    intercepts[-1] = starting_intercepts(head, y, sample_weight)
    return coefs, intercepts


def starting_intercepts(head, y, sample_weight):
    """Raw outputs (P,) of one mixture that covers all of y, whatever the row."""
    quantiles = spread_centres(y, sample_weight, head.n_components)  # (K, D)
    centres = CENTRE_SPREAD * quantiles
    total = np.average(y**2, axis=0, weights=sample_weight)
    within = (total - centres.var(axis=0)).clip(SMALLEST_START**2) / head.std_unit**2
    couplings = np.zeros(head.n_couplings)
    if head.n_couplings:
        within, couplings = _coupled(y, sample_weight, centres)
    if not head.kind.per_output:
        varies = total >= total.max() / 2  # all that vary have the same
        within = within[varies].mean(keepdims=True)
    softplus = np.maximum(np.sqrt(within) - head.min_std, SMALLEST_START / 10)
    inverse = np.log(np.expm1(np.minimum(softplus, LINEAR)))
    raw_stds = np.where(softplus > LINEAR, softplus, inverse)
    raw_stds = np.broadcast_to(raw_stds, head.std_shape)
    couplings = np.tile(couplings, head.n_components)
    parts = [np.zeros(head.n_components), centres, raw_stds, couplings]
    return np.concatenate([part.ravel() for part in parts])


def _coupled(y, sample_weight, centres):
    """Variances (D,) of outputs given those before them, and couplings (T,).

    Of what the centres leave of the covariance of y, to which a tenth of a row is added
    that knows of no correlation: nor are copies of an output copies for certain.
    """
    n_rows = n_effective(sample_weight[None])[0]
    total = np.einsum("n,nd,ne->de", sample_weight / sample_weight.sum(), y, y)
    total = (n_rows * total + UNCORRELATED * np.diag(np.diag(total))) / (
        n_rows + UNCORRELATED
    )
    total += np.diag((SMALLEST_START**2 - np.diag(total)).clip(0))  # of a constant
    root = np.linalg.cholesky(total - np.cov(centres.T, ddof=0))
    stds = np.diag(root)
    whitening = stds[:, None] * np.linalg.inv(root)  # Γᵀ, unit lower triangular
    return stds**2, whitening[np.tril_indices(len(stds), -1)]


def spread_centres(y, sample_weight, n_components):
    """Quantiles of y (n, D) along the direction in which it varies most, (K, D).

    Of two outputs that direction has entries of one size, be they of two signs. The
    first is made positive: which is larger in the last digit, units of y decide.
    """
    mean = np.average(y, axis=0, weights=sample_weight)
    centred = y - mean
    covariance = np.einsum("n,nd,ne->de", sample_weight, centred, centred)
    direction = np.linalg.eigh(covariance)[1][:, -1]
    sizes = np.abs(direction)
    first_of_the_largest = np.argmax(sizes > (1 - 1e-6) * sizes.max())
    direction = direction * np.sign(direction[first_of_the_largest])
    position = np.einsum("nd,d->n", centred, direction)
    order = np.argsort(position, kind="stable")
    cumulative = np.cumsum(sample_weight[order])
    middle = (cumulative - sample_weight[order] / 2) / cumulative[-1]
    levels = (np.arange(n_components) + 0.5) / n_components
    return mean + np.interp(levels, middle, position[order])[:, None] * direction
