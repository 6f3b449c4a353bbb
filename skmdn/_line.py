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

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Standardised features.
    y : ndarray of shape (n, D)
        Standardised outputs.
    sample_weight : ndarray of shape (n,)
        With mean 1.
    """
    root = np.sqrt(sample_weight)[:, None]
    with threadpool_limits(limits=1, user_api="blas"):  # digits depend on threads
        U, singular, Vt = np.linalg.svd(root * X, full_matrices=False)
        lines = [_best_ridge(U, singular, root, column[:, None]) for column in y.T]
        slopes = Vt.T @ np.hstack([coefs for coefs, _ in lines])
    return slopes, np.hstack([residuals for _, residuals in lines])


def _best_ridge(U, singular, root, y):
    """Coordinates (r, 1) of the slopes in Vt, and residuals (n, 1) of rows left out."""
    target = U.T @ (root * y)  # (r, 1)
    intercept_leverage = root**2 / np.sum(root**2)
    best = None
    for penalty in PENALTIES:
        kept = singular**2 / (singular**2 + len(y) * penalty)  # (r,)
        leverage = (U**2 @ kept)[:, None] + intercept_leverage
        fitted = U @ (kept[:, None] * target) / root
        residuals = (y - fitted) / np.maximum(1 - leverage, 1e-6)
        press = np.sum(root**2 * residuals**2)
        if best is None or press <= best[0]:
            inverse = kept / np.where(singular > 0, singular, 1)
            best = press, inverse[:, None] * target, residuals
    return best[1:]
