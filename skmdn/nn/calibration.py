"""Components made as wide as rows held out find them: one shift for each member."""

import numpy as np

from skmdn.nn.arrays import array_like, as_float64, copy
from skmdn.nn.validation import FEW_ROWS

STEPS = [0.32, 0.16, 0.08, 0.04, 0.02, 0.01]  # of the search; their sum is the furthest


def calibrate(std_intercepts, validation):
    """Raise the intercepts of raw standard deviations to suit rows held out.

    Rows that weights were fitted to have smaller residuals than new rows, and standard
    deviations learned from them are too small. Members judged by thirty rows or fewer
    stay as they are. None is narrowed: rows held out may lack a tail by luck.

    Parameters
    ----------
    std_intercepts : array of shape (M, S)
        A view of the weights that ``validation`` judges; changed in place. Below one,
        a standard deviation is nearly the exponential of its raw one: a shift is nearly
        the logarithm of a factor.
    validation : Validation
    """
    trained = copy(std_intercepts)

    def score(shift):
        std_intercepts[:] = trained + array_like(shift[:, None], trained)
        return as_float64(validation.score())

    shift = np.zeros(len(trained))
    best = score(shift)
    for step in STEPS:
        for candidate in (np.maximum(shift - step, 0), shift + step):
            found = score(candidate)
            better = found > best
            shift, best = np.where(better, (candidate, found), (shift, best))
    many = np.round(validation.rows().n_effective()) > FEW_ROWS
    score(np.where(many, shift, 0))
