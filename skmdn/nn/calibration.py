"""How wide the components are, as rows held out find it: one shift for each member."""

import numpy as np
import torch

from skmdn.nn.memory import as_float64
from skmdn.nn.validation import FEW_ROWS

STEPS = [0.32, 0.16, 0.08, 0.04, 0.02, 0.01]  # of the search; their sum is the furthest


def calibrate(std_intercepts, validation, may_widen):
    """Shift the intercepts of raw standard deviations to suit rows held out.

    Of a member the shift is sought with which its rows score best. One that narrows is
    taken if it is better beyond chance. One that widens needs no proof where more than
    thirty rows judge: rows that weights were fitted to have smaller residuals than new
    rows, and standard deviations learned from them are too small.

    Parameters
    ----------
    std_intercepts : Tensor of shape (M, S)
        A view of the weights that ``validation`` judges; changed in place. Below one,
        a standard deviation is nearly the exponential of its raw one: a shift is nearly
        the logarithm of a factor. The floor stays where it is.
    validation : Validation
    may_widen : bool
        False for members that will be pooled, which widens them all.
    """
    trained = std_intercepts.clone()

    def shifted(shift):
        offset = torch.from_numpy(shift).to(trained)[:, None]
        torch.add(trained, offset, out=std_intercepts)
        return validation

    none = np.zeros(len(trained))
    shift, best = none, as_float64(validation.score())
    for step in STEPS:
        for candidate in (shift - step, shift + step):
            score = as_float64(shifted(candidate).score())
            better = score > best
            shift, best = np.where(better, (candidate, score), (shift, best))
    before, after = shifted(none).rows(), shifted(shift).rows()
    many = np.round(after.n_effective()) > FEW_ROWS
    taken = after.beat(before) | (many & (shift > 0))
    if not may_widen:
        taken &= shift < 0
    shifted(np.where(taken, shift, none))
