"""Rows on the device, and minibatches of them gathered into fixed buffers."""

import math
from itertools import compress
from typing import NamedTuple

import numpy as np

from skmdn.nn.arrays import gather, namespace, random_numbers, zeros

WINDOWS = 16  # steps that share the random numbers of their dropout


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
    # (n,) log-likelihoods of what else is known, which has to be beaten
    rival: np.ndarray | None = None

    def of(self, members):
        """The data of some members, by their numbers."""
        return self._replace(
            train_rows=self.train_rows[members],
            validation_rows=self.validation_rows[members],
        )


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

    Random numbers for every unit at every step would be a tenth of its cost. So masks
    are windows of a longer row, which is drawn anew every `WINDOWS` steps. Each window
    starts further on than the last, so that no number comes to the same place twice.

    Parameters
    ----------
    hidden : list of array of shape (M, H, B)
        States of each hidden layer, whose shapes the masks have.
    seeds : sequence of int
    like : array
        Of the library, type and device that the masks shall have.
    """

    def __init__(self, hidden, seeds, like):
        sizes = [math.prod(h.shape[1:]) for h in hidden]
        *starts, size = np.cumsum([0, *sizes]).tolist()
        shift = -(-size // WINDOWS)
        self.row = zeros((len(seeds), size + (WINDOWS - 1) * shift), like)
        self.windows = [
            [
                self.row[:, first + start : first + start + n].reshape(h.shape)
                for start, n, h in zip(starts, sizes, hidden, strict=True)
            ]
            for first in (window * shift for window in range(WINDOWS))
        ]
        self.rngs = [random_numbers(seed, like) for seed in seeds]
        self.turn = 0

    def keep(self, running):
        """Go on with those members alone that are ``running`` (M,)."""
        rows = np.flatnonzero(running).tolist()
        self.row[: len(rows)] = self.row[rows]
        self.row = self.row[: len(rows)]
        self.windows = [[mask[: len(rows)] for mask in masks] for masks in self.windows]
        self.rngs = list(compress(self.rngs, running))

    def draw(self, probability):
        """The masks of the next step; None if nothing is dropped."""
        if probability == 0:
            return None
        turn, self.turn = self.turn, (self.turn + 1) % WINDOWS
        if turn == 0:
            self._renew(probability)
        return self.windows[turn]

    def _renew(self, probability):
        for draw, row in zip(self.rngs, self.row, strict=True):
            draw(row)
        xp = namespace(self.row)
        xp.greater_equal(self.row, probability, out=self.row)
        self.row *= 1 / (1 - probability)
