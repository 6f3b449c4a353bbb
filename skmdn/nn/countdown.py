"""Passes that are still to be made, where it is known how many."""

import numpy as np

from skmdn.nn.record import mean_of_numbers


class Countdown:
    """Stands in for a `Record` where nothing is judged.

    Parameters
    ----------
    n_passes : ndarray of shape (M,)
        That each member shall make.
    verbose : bool
    """

    def __init__(self, n_passes, verbose):
        self.left = np.array(n_passes)
        self.verbose = verbose

    def add(self, loss, score=None):
        """Note one more pass."""
        self.left -= 1
        if self.verbose:
            mean = mean_of_numbers(loss)
            line = f"refit, passes left {self.left.max():4}  loss {mean:.4f}"
            print(f"\r{line}", end="", flush=True)

    def stopped(self):
        """Members (M,) that have made all."""
        return self.left <= 0

    def close(self):
        """End the progress line."""
        if self.verbose:
            print()

    def history(self):
        """No losses and no scores, as arrays (M, 0)."""
        nothing = np.empty((len(self.left), 0))
        return nothing, nothing
