"""Rows on the device, and minibatches of them gathered into fixed buffers."""

from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np

from skmdn.nn.arrays import RandomNumbers, array_like, gather, namespace, zeros


class TrainingData(NamedTuple):
    """What a fit learns from, in standardised units, and who learns from which rows.

    Columns of the table are the d features, a one for the intercepts, the D outputs and
    the sample weight: a minibatch is one gather.
    """

    table: np.ndarray  # (n, d + 1 + D + 1) float32
    n_outputs: int
    train_rows: np.ndarray  # (M, n_train) int32
    validation_rows: np.ndarray  # (M, n_validation) int32, possibly no column
    log_unit: float  # added to a negative log-likelihood to have it in units of y


class Batch:
    """A minibatch of every member: views x, y and weights of one buffer."""

    def __init__(self, table, n_outputs, n_members, size):
        n_columns = table.shape[1]
        self.table = table
        self.buffer = zeros((n_members * size, n_columns), table)
        columns = self.buffer.reshape(n_members, size, n_columns).swapaxes(1, 2)
        self.x = columns[:, : -n_outputs - 1]  # (M, d + 1, B)
        self.y = columns[:, -n_outputs - 1 : -1]  # (M, D, B)
        self.weights = columns[:, -1:]  # (M, 1, B)

    def load(self, index):
        """Gather the rows of ``index`` (M * B,)."""
        gather(self.table, index, out=self.buffer)


class Shuffle:
    """Minibatches (steps, M * B) of every pass, each member in an order of its own."""

    def __init__(self, train_rows, batch_size, seeds, run=0):
        self.rows = np.array(train_rows)
        self.rngs = [np.random.default_rng([seed, run]) for seed in seeds]
        n_rows = train_rows.shape[1]
        self.size = min(batch_size, n_rows)
        self.n_steps = n_rows // self.size

    def keep(self, running):
        """Go on with those members alone that are ``running`` (M,)."""
        self.rows = self.rows[running]
        self.rngs = list(compress(self.rngs, running))

    def draw(self):
        """Row numbers of one pass; rows that do not fill a minibatch are left out."""
        for rng, rows in zip(self.rngs, self.rows, strict=True):
            rng.shuffle(rows)
        used = self.rows[:, : self.n_steps * self.size]
        steps = used.reshape(len(used), self.n_steps, self.size).swapaxes(0, 1)
        return steps.reshape(self.n_steps, -1).astype(np.int64)


class Dropout:
    """Masks (M, H, B) for the hidden layers: 0, or 1 / (1 - p) where a unit is kept.

    A unit takes 8 random bits and is dropped if they make a number below 256 p. That is
    rounded down and its fraction carried to the next step, so that p, up to 255 / 256,
    is right on average.

    Parameters
    ----------
    hidden : list of array of shape (M, H, B)
        States of each hidden layer, whose shapes the masks have.
    seeds : sequence of int
    like : array
        Of the library, type and device that the masks shall have.
    """

    def __init__(self, hidden, seeds, like):
        sizes = [h.shape[1] * h.shape[2] for h in hidden]
        ends = np.cumsum([0, *sizes]).tolist()
        self.random = RandomNumbers(seeds, ends[-1], like)
        self.carried = 0.0
        self.flat = zeros((len(seeds), ends[-1]), like)
        self.masks = [
            self.flat[:, start:end].reshape(h.shape)
            for (start, end), h in zip(pairwise(ends), hidden, strict=True)
        ]

    def keep(self, running):
        """Go on with those members alone that are ``running`` (M,)."""
        self.random.keep(running)
        n_members = np.count_nonzero(running)
        self.flat = self.flat[:n_members]
        self.masks = [mask[:n_members] for mask in self.masks]

    def draw(self, probability):
        """Fill the masks anew; None if nothing is dropped."""
        threshold = 256 * probability + self.carried
        n_dropped = min(int(threshold), 255)
        self.carried = threshold % 1
        if n_dropped == 0:
            return None
        self.random.refill()
        kept = self.random.numbers >= n_dropped
        scale = array_like(256 / (256 - n_dropped), self.flat)
        namespace(self.flat).multiply(kept, scale, out=self.flat)
        return self.masks
