"""How far chance alone moves the counts of uniform values, everywhere at once.

A pointwise band of 95 % is left somewhere by most curves that have done no wrong. Here
the pointwise level is lowered until, in simulations of uniform values, 95 % of the
whole curves stay inside.

References
----------
T. Säilynoja, P.-C. Bürkner, A. Vehtari (2022). Graphical test for discrete uniformity
and its applications in goodness-of-fit evaluation and multiple sample comparison.
Statistics and Computing 32, 32.
"""

import numpy as np
from scipy.stats import binom

N_SIMULATIONS = 10_000


def band_of_counts(n, probabilities, confidence, cumulative=False):
    """Lowest and highest counts (2, L) that n uniform values allow.

    ``probabilities`` (L,) are those of L disjoint bins or, if ``cumulative``, of L
    growing sets, each inside the next.
    """
    tails = _tail_probabilities(n, probabilities, cumulative)
    level = np.quantile(tails.min(axis=1), 1 - confidence, method="lower")
    # A simulated curve is inside if each of its tails has at least this probability.
    # Counts are discrete, hence the hair's breadth.
    level = level * (1 - 1e-9) / 2
    lower = binom.ppf(level, n, probabilities)
    return np.stack([lower, binom.isf(level, n, probabilities)])


def _tail_probabilities(n, probabilities, cumulative):
    """Two-sided p-values (S, L) of simulated counts."""
    rng = np.random.default_rng(0)  # the same data have the same band
    shares = np.diff(probabilities, prepend=0) if cumulative else probabilities
    rest = max(0.0, 1 - np.sum(shares))
    counts = rng.multinomial(n, [*shares, rest], size=N_SIMULATIONS)[:, :-1]
    if cumulative:
        counts = counts.cumsum(axis=1)
    below = binom.cdf(counts, n, probabilities)
    above = binom.sf(counts - 1, n, probabilities)
    return 2 * np.minimum(below, above)
