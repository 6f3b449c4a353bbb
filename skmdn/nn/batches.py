"""Rows on the device, and minibatches of them gathered into fixed buffers."""

from typing import NamedTuple

import numpy as np
import torch


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
        self.buffer = table.new_empty(n_members * size, n_columns)
        rows = self.buffer.view(n_members, size, n_columns)
        x, y, weights = rows.split([n_columns - n_outputs - 1, n_outputs, 1], dim=2)
        self.x = x  # (M, B, d + 1)
        self.y = y.transpose(1, 2)  # (M, D, B)
        self.weights = weights.transpose(1, 2)  # (M, 1, B)

    def load(self, index):
        """Gather the rows of ``index`` (M * B,), member after member."""
        torch.index_select(self.table, 0, index, out=self.buffer)


class Shuffle:
    """Minibatches (steps, M * B) of every pass, each member in an order of its own."""

    def __init__(self, train_rows, batch_size, seeds):
        self.rows = np.array(train_rows)
        self.rngs = [np.random.default_rng(seed) for seed in seeds]
        n_rows = train_rows.shape[1]
        self.size = min(batch_size, n_rows)
        self.n_steps = n_rows // self.size

    def draw(self):
        """Row numbers of one pass; rows that do not fill a minibatch are left out."""
        for rng, rows in zip(self.rngs, self.rows, strict=True):
            rng.shuffle(rows)
        used = self.rows[:, : self.n_steps * self.size]
        steps = used.reshape(len(used), self.n_steps, self.size).swapaxes(0, 1)
        return torch.from_numpy(steps.reshape(self.n_steps, -1))


class Dropout:
    """Masks (M, H, B) for the hidden layers: 0, or 1 / (1 - p) where a unit is kept."""

    def __init__(self, probability, hidden, seeds):
        self.kept = 1 - probability
        self.masks = [torch.empty_like(h[:, :-1]) for h in hidden]
        self.generators = [torch.Generator(hidden[0].device) for _ in seeds]
        for generator, seed in zip(self.generators, seeds, strict=True):
            generator.manual_seed(int(seed))

    def draw(self):
        """Fill the masks anew; None if nothing is ever dropped."""
        if self.kept == 1:
            return None
        for mask in self.masks:
            for of_member, generator in zip(mask, self.generators, strict=True):
                of_member.bernoulli_(self.kept, generator=generator)
            mask.div_(self.kept)
        return self.masks
