"""How wide the components are, as rows held out find it: one shift for each member."""

import numpy as np
import torch

from skmdn.nn.memory import as_float64

STEPS = [0.32, 0.16, 0.08, 0.04, 0.02, 0.01]  # of the search; their sum is the furthest


def calibrate(std_intercepts, validation):
    """Shift the intercepts of raw standard deviations to suit rows held out.

    Rows that weights were fitted to have smaller residuals than new rows, and standard
    deviations learned from them are too small. The shift of a member is the one with
    which its rows score best, if they score better than without beyond chance.

    Parameters
    ----------
    std_intercepts : Tensor of shape (M, S)
        A view of the weights that ``validation`` judges; changed in place. Below one,
        a standard deviation is nearly the exponential of its raw one: a shift is nearly
        the logarithm of a factor. The floor stays where it is.
    validation : Validation
    """
    trained = std_intercepts.clone()

    def shifted(shift):
        torch.add(
            trained, torch.from_numpy(shift).to(trained)[:, None], out=std_intercepts
        )
        return validation

    none = np.zeros(len(trained))
    shift, best = none, as_float64(validation.score())
    for step in STEPS:
        for candidate in (shift - step, shift + step):
            score = as_float64(shifted(candidate).score())
            better = score > best
            shift, best = np.where(better, (candidate, score), (shift, best))
    beyond_chance = shifted(shift).rows().beat(shifted(none).rows())
    shifted(np.where(beyond_chance, shift, none))
