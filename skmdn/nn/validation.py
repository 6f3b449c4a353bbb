"""Scores of weights on held-out rows, and whether a gain is more than luck."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, stdtrit

from skmdn._folds import n_effective
from skmdn.nn.arrays import array_on, as_float64, device_of
from skmdn.nn.batches import Batch
from skmdn.nn.gradient import BatchGradient

BATCH = 1024
FEW_ROWS = 30
MOST_SAID = 10.0  # nats that one row may say for or against, or be unlikely by


class RowScores(NamedTuple):
    """Log-likelihood of every row held out, what it weighs, and its number."""

    scores: np.ndarray  # (M, n)
    weights: np.ndarray  # (M, n)
    rows: np.ndarray  # (M, n), of which members may hold out the same

    def mean(self):
        """Mean log-likelihood (M,)."""
        return np.average(self.scores, axis=1, weights=self.weights)

    def beat(self, others):
        """Members (M,) whose mean is above that of ``others`` beyond chance.

        By one standard error of the mean difference, row by row: what both find hard
        says nothing. By two where the rows count as thirty of equal weight or less. A
        mean that is not finite beats nobody, and everybody beats it; nor is one row
        alone beyond chance.
        """
        gain, errors = self._gain(others)
        error = np.sqrt(np.sum(errors**2, axis=1))
        return gain > _n_errors(n_effective(self.weights)) * error

    def beat_together(self, others):
        """Members (M,) with a higher mean, if the rows of all beat ``others`` so.

        A row that several hold out is one row, whatever it says to each of them.
        """
        gain, errors = self._gain(others)
        _, row = np.unique(self.rows.ravel(), return_inverse=True)
        errors, weights = (np.bincount(row, a.ravel()) for a in (errors, self.weights))
        error = np.sqrt(np.sum(errors**2)) / len(gain)
        together = np.mean(gain) > _n_errors(n_effective(weights[None])) * error
        return together & (gain > 0)

    def lead_over(self, scores):
        """By how much (M,) the mean is above that of ``scores``, flattery taken off.

        These (n,) somebody gives to all rows, also to those that are not held out.
        """
        return self._gain(self._replace(scores=scores[self.rows]))[0]

    def _gain(self, others):
        """Mean difference (M,), and what each row adds to its error (M, n).

        The squares of that have the sum of the squared standard error. The rows have
        picked the pass that they judge, a number, and flatter it by one nat in all
        (Akaike, 1974). No row alone decides. A mean that is infinite makes the
        difference so, with no error.
        """
        share = self.weights / self.weights.sum(axis=1, keepdims=True)
        means = [np.sum(share * rows.scores, axis=1) for rows in (self, others)]
        lost, won = (~np.isfinite(mean) for mean in means)
        gains = np.clip(self.scores - others.scores, -MOST_SAID, MOST_SAID)
        gain = np.sum(share * gains, axis=1)
        n = n_effective(self.weights)
        unbiased = np.sqrt(n / np.maximum(n - 1, 1))
        errors = unbiased[:, None] * share * (gains - gain[:, None])
        errors[n < 2] = np.inf
        errors[lost | won] = 0
        gain = np.where(lost, -np.inf, np.where(won, np.inf, gain))
        return gain - 1 / n, errors


def _n_errors(n_rows):
    """One standard error, or two for few rows: quantiles of Student's t as likely.

    For the rows have told the error too.
    """
    level = ndtr(np.where(n_rows <= FEW_ROWS, 2, 1))
    return stdtrit(np.maximum(n_rows - 1, 1), level)


class Validation:
    """Log-likelihood of every member's own validation rows, in standardised units."""

    def __init__(self, weights, head, activation, table, data):
        M, n_rows = data.validation_rows.shape
        size = min(n_rows, BATCH)
        self.n_outputs = data.n_outputs
        self.row_numbers = data.validation_rows
        self.gradient = BatchGradient(weights, head, activation, size)
        self.batch = Batch(table, data.n_outputs, M, size)
        n_batches = -(-n_rows // size)
        padded = np.pad(data.validation_rows, [(0, 0), (0, n_batches * size - n_rows)])
        index = padded.reshape(M, n_batches, size).swapaxes(0, 1).reshape(n_batches, -1)
        real = np.arange(n_batches * size).reshape(n_batches, size) < n_rows
        device = device_of(table)
        self.index = array_on(index.astype(np.int64), device)
        # 0 for padding
        self.real = array_on(real.astype(data.table.dtype), device)

    def score(self):
        """Mean log-likelihood (M,) of the rows by the weights as they are now.

        None is taken for more unlikely than e to the minus ten: a row that was mistyped
        would otherwise pick the pass alone.
        """
        total, weight = 0, 0
        for losses, row_weights in self._batches():
            total += (losses.clip(None, MOST_SAID) * row_weights).sum(1)
            weight += row_weights.sum(1)
        return -total / weight

    def rows(self):
        """The `RowScores` of the weights as they are now."""
        batches = [[as_float64(a) for a in batch] for batch in self._batches()]
        losses, weights = (np.hstack(parts) for parts in zip(*batches, strict=True))
        n_rows = self.row_numbers.shape[1]
        return RowScores(-losses[:, :n_rows], weights[:, :n_rows], self.row_numbers)

    def _batches(self):
        """Losses and weights (M, B) of one batch after the other."""
        for index, real in zip(self.index, self.real, strict=True):
            self.batch.load(index)
            losses = self.gradient.forward(self.batch.x, self.batch.y)
            yield losses, self.batch.weights[:, 0] * real
