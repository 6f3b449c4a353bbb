"""Widths that held-out rows confirm: one shift of each member's raw deviations."""

import numpy as np

from skmdn._folds import MANY_ROWS, n_effective
from skmdn.nn.arrays import array_like, copy
from skmdn.nn.validation import FEW_ROWS

STEPS = [0.32, 0.16, 0.08, 0.04, 0.02, 0.01]  # of the search; their sum is the furthest


def fit_widths(std_intercepts, validation, learned):
    """Shift the intercepts of raw standard deviations to suit rows held out.

    Rows that weights were fitted to have smaller residuals than new rows, and standard
    deviations learned from them are too small: thirty rows or more may widen. Fewer
    than 500 may not narrow, for they may lack a tail by luck. Nor do n numbers know the
    width, and they have picked the pass as well. Had they told a mean and a variance,
    the next would be a Student's t, whose variance is (n + 1) / (n - 3) times their
    mean square: 4 n / (n + 1) times the shift, added to their log-likelihood, makes a
    normal law as wide.

    Parameters
    ----------
    std_intercepts : array of shape (M, S)
        A view of the weights that ``validation`` judges; changed in place. Below one,
        a standard deviation is nearly the exponential of its raw one: a shift is nearly
        the logarithm of a factor.
    validation : Validation
    learned : ndarray of shape (M,)
        Whose standard deviations were learned from rows, and may be shifted.

    Returns
    -------
    shift : ndarray of shape (M,)
    """
    trained = copy(std_intercepts)

    def move(shift):
        std_intercepts[:] = trained + array_like(shift[:, None], trained)

    def score(shift):
        move(shift)
        return validation.rows().mean() + wider * shift

    n_rows = n_effective(validation.rows().weights)
    n_numbers = n_rows * validation.n_outputs
    wider = 4 * n_numbers / (n_numbers + 1) / n_rows
    furthest = sum(STEPS)
    lowest = np.where(learned & (n_rows >= MANY_ROWS), -furthest, 0)
    highest = np.where(learned & (n_rows >= FEW_ROWS), furthest, 0)
    shift = np.zeros(len(trained))
    if not np.any(lowest < highest):
        return shift
    best = score(shift)
    for step in STEPS:
        for candidate in (shift - step, shift + step):
            candidate = candidate.clip(lowest, highest)
            found = score(candidate)
            better = found > best
            shift, best = np.where(better, (candidate, found), (shift, best))
    move(shift)
    return shift
