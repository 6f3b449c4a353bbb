"""The straight line under a network that has few rows for each feature, eq. (12).

From so few rows a network learns a line worse than ridge regression does. So the line
is fitted first and the network is left with what remains, each row as a line through
all the *other* rows would leave it: residuals of rows that a line was fitted to are too
small.
"""

import numpy as np
from threadpoolctl import threadpool_limits

ROWS_PER_FEATURE = 30
MOST_ROWS = 2000
PENALTIES = np.append(np.logspace(-4, 3, 15), np.inf)  # inf: no line at all


def is_wanted(n_rows, n_features):
    """Whether there are so few rows for each feature."""
    return 2 < n_rows <= min(ROWS_PER_FEATURE * n_features, MOST_ROWS)


def fit_line(X, y, sample_weight):
    """Slopes (d, D) of a ridge regression, and residuals (n, D) of rows left out.

    The penalty of each output, per row, is the one whose squared residuals of rows left
    out are least (PRESS; Allen, 1974). They need no refit (Golub, Heath & Wahba, 1979).
    A line that is not better than none by more than the standard error is no line.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Standardised features.
    y : ndarray of shape (n, D)
        Standardised outputs.
    sample_weight : ndarray of shape (n,)
        With mean 1.
    """
    weights = sample_weight[:, None]
    with threadpool_limits(limits=1, user_api="blas"):  # digits depend on threads
        U, singular, Vt = np.linalg.svd(np.sqrt(weights) * X, full_matrices=False)
        lines = [_best_ridge(U, singular, weights, column[:, None]) for column in y.T]
        slopes = Vt.T @ np.hstack([coefs for coefs, _ in lines])
    return slopes, np.hstack([residuals for _, residuals in lines])


def _best_ridge(U, singular, weights, y):
    """Coordinates (r, 1) of the slopes in Vt, and residuals (n, 1) of rows left out."""
    ridges = [_ridge(U, singular, weights, y, penalty) for penalty in PENALTIES]
    losses = [weights * residuals**2 for _, residuals in ridges]  # (n, 1) each
    best = int(np.argmin([loss.sum() for loss in losses]))
    gain = losses[-1] - losses[best]
    if gain.mean() <= gain.std() / np.sqrt(len(gain)):
        best = -1
    return ridges[best]


def _ridge(U, singular, weights, y, penalty):
    """What `_best_ridge` returns, for one penalty."""
    root = np.sqrt(weights)
    target = U.T @ (root * y)  # (r, 1)
    kept = (singular**2 / (singular**2 + len(y) * penalty))[:, None]
    leverage = U**2 @ kept + weights / weights.sum()  # of the intercept too
    residuals = (y - U @ (kept * target) / root) / np.maximum(1 - leverage, 1e-6)
    return kept / np.where(singular > 0, singular, 1)[:, None] * target, residuals
