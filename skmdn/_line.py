"""The straight line under a network: a ridge regression.

From few rows for each feature a network learns a line worse than ridge regression does,
and from any number no line to more than three digits. So the line is fitted first and
the network is left with what remains, each row as a line through all the *other* rows
would leave it: residuals of rows that a line was fitted to are too small.
"""

import numpy as np

from skmdn._one_thread import one_thread

EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
ROWS_PER_FEATURE = 30
MOST_ROWS = 2000
PENALTIES = np.append(np.logspace(-6, 3, 37), np.inf)  # inf: no line at all


def are_few(n_rows, n_features):
    """Whether there are so few rows for each feature that a line may help."""
    return n_rows <= min(ROWS_PER_FEATURE * n_features, MOST_ROWS)


def fit_line(X, y, sample_weight):
    """Slopes (d, D) of a ridge regression, and residuals (n, D) of rows left out.

    Third come the factors 1 - h (n, D): an ordinary residual divided by its factor is
    the one of the row left out.

    The penalty of each output, per row, is the one of most evidence, eq. (14). A
    line that is not better than none by more than a standard error, on rows left out,
    is no line. Those need no refit, eq. (13) (Golub, Heath & Wahba, 1979).

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
    with one_thread():
        U, singular, Vt = np.linalg.svd(np.sqrt(weights) * X, full_matrices=False)
        lines = [_best_ridge(U, singular, weights, column[:, None]) for column in y.T]
        coefs, residuals, shares = (
            np.hstack(parts) for parts in zip(*lines, strict=True)
        )
    return Vt.T @ coefs, residuals, shares


def _best_ridge(U, singular, weights, y):
    """As `fit_line` answers of one output, its slopes as coordinates (r, 1) in Vt."""
    evidence = [log_evidence(U, singular, weights, y, penalty) for penalty in PENALTIES]
    line, none = (
        _ridge(U, singular, weights, y, penalty)
        for penalty in (PENALTIES[np.argmax(evidence)], np.inf)
    )
    gain = weights * (none[1] ** 2 - line[1] ** 2)
    return line if gain.mean() > gain.std() / np.sqrt(len(gain)) else none


def log_evidence(U, singular, weights, y, penalty):
    """Log density of y, up to a constant, under slopes that are normal, eq. (14).

    Their variance is that of the noise divided by n times the penalty (MacKay, 1992).
    """
    target = np.sqrt(weights) * y
    along = (U.T @ target)[:, 0]  # (r,)
    n_rows = len(y)
    gain = 1 + singular**2 / (n_rows * penalty)
    squares = np.sum(target**2) - np.sum(along**2 * (1 - 1 / gain))
    squares = max(squares, EPS * np.sum(target**2), TINY)  # of a y that never changes
    return -((n_rows - 1) * np.log(squares) + np.sum(np.log(gain))) / 2


def _ridge(U, singular, weights, y, penalty):
    """What `_best_ridge` returns, for one penalty."""
    root = np.sqrt(weights)
    target = U.T @ (root * y)  # (r, 1)
    kept = (singular**2 / (singular**2 + len(y) * penalty))[:, None]
    leverage = U**2 @ kept + weights / weights.sum()  # of the intercept too
    share = np.maximum(1 - leverage, 1e-12)
    residuals = (y - U @ (kept * target) / root) / share
    coefs = kept / np.where(singular > 0, singular, 1)[:, None] * target
    return coefs, residuals, share
