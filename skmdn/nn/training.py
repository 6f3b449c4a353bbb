"""The training loop, for all members at once."""

import math
import warnings
from typing import NamedTuple

import numpy as np

from skmdn._one_thread import one_thread
from skmdn.nn.adam import Adam
from skmdn.nn.arrays import (
    array_on,
    as_numpy,
    device_of,
    library,
    namespace,
    without_autograd,
    zeros,
)
from skmdn.nn.batches import Batch, Dropout, Shuffle
from skmdn.nn.calibration import calibrate
from skmdn.nn.gradient import BatchGradient, FlatWeights
from skmdn.nn.record import Record
from skmdn.nn.validation import Validation

WARM_UP = 0.05  # share of the steps over which the learning rate rises
REGULARISED = 0.5  # share of the steps with dropout and with decay of all weights
HORIZON = 0.05  # of the running average of the weights, as a share of the steps


class TrainingOptions(NamedTuple):
    """What the loop needs to know beside the data, in the words of the estimator."""

    activation: str
    alpha: float
    dropout: float
    learning_rate: float
    batch_size: int
    max_iter: int
    n_iter_no_change: int
    tol: float
    annealed: bool  # the learning rate rises, then falls to zero at the last step
    fresh: bool  # the weights at the start are nobody's, not those of an earlier fit
    single: bool  # rows held out may widen the components in the end
    device: str
    verbose: bool


class State(NamedTuple):
    """All that training changes, as arrays with the members first."""

    coefs: list  # of (M, n_in, n_out)
    intercepts: list  # of (M, n_out)
    moments: tuple | None = None  # Adam's first and second, (M, Q) each
    n_steps: int = 0


class Result(NamedTuple):
    """What training found, and its history with a column per pass."""

    state: State
    losses: np.ndarray  # (M, E) mean negative log-likelihood while training
    scores: np.ndarray  # (M, E) mean log-likelihood of the validation rows
    best_iteration: np.ndarray  # (M,) passes behind the weights that were kept


def train(state, head, data, options, seeds):
    """Train all members of ``state``, each by its own seed and on its own rows.

    Parameters
    ----------
    state : State
    head : MixtureHead
    data : TrainingData
    options : TrainingOptions
    seeds : sequence of int
        One for each member; minibatches and dropout depend on nothing else.

    Returns
    -------
    result : Result
        Losses and scores are in nats and units of y.
    """
    device = library(options.device)
    # Steps that diverge are undone, and need no warning; torch gives none either.
    with one_thread(), without_autograd(device), np.errstate(all="ignore"):
        return _Training(state, head, data, options, seeds, device).run()


class _Training:
    def __init__(self, state, head, data, options, seeds, device):
        sizes = [state.coefs[0].shape[1], *(coef.shape[2] for coef in state.coefs)]
        table = array_on(data.table, device)
        self.xp = namespace(table)
        self.options = options
        self.head = head
        self.weights = FlatWeights(sizes, len(seeds), table)
        self.weights.load(state.coefs, state.intercepts)
        self.averaged = FlatWeights(sizes, len(seeds), table)
        self.averaged.load(state.coefs, state.intercepts)
        self.adam = Adam(
            self.weights, head, options.alpha, state.moments, state.n_steps
        )
        self.shuffle = Shuffle(data.train_rows, options.batch_size, seeds)
        self.n_steps = options.max_iter * self.shuffle.n_steps
        size = self.shuffle.size
        self.gradient = BatchGradient(self.weights, head, options.activation, size)
        self.batch = Batch(table, data.n_outputs, len(seeds), size)
        table[:, -1] /= size  # so that the loss of a batch is a mean
        self.dropout = Dropout(self.gradient.active, seeds)
        self.validation = None
        if data.validation_rows.shape[1]:
            self.validation = Validation(
                self.averaged, head, options.activation, table, data
            )
        self.record = Record(self.averaged, options, data.log_unit)
        self.interrupted = False

    def run(self):
        """Pass over the rows until the last pass, a stop of all members or Ctrl-C."""
        if self.validation:
            start = self.validation.rows()
            self.record.start(self.validation.score())
        for _ in range(self.options.max_iter):
            before = self.adam.state()
            loss = self._one_pass()
            self.adam.undo_if_not_finite(before)
            self.record.add(loss, self._validation_score())
            if self.interrupted or self.record.stopped().all():
                break
        self.record.close()
        if self.validation:
            self._settle(start)
        return self._result()

    def _one_pass(self):
        """Mean loss (M,) of one pass over the rows, one step for each minibatch."""
        index = array_on(self.shuffle.draw(), device_of(self.weights.flat))
        losses = zeros(self.gradient.raw[:, 0].shape, self.gradient.raw)
        done = 0
        try:
            for step_index in index:
                self.batch.load(step_index)
                losses += self._step()
                done += 1
        except KeyboardInterrupt:
            self._interrupt()
        return losses.sum(1) / max(done, 1)

    def _validation_score(self):
        """Scores (M,) by the rows held out; None if there are none."""
        if self.validation is None:
            return None
        try:
            return self.validation.score()
        except KeyboardInterrupt:
            self._interrupt()
            return self.validation.score()

    def _interrupt(self):
        self.interrupted = True
        warnings.warn(
            "Training interrupted by user: the best weights so far are kept.",
            stacklevel=3,
        )

    def _step(self):
        batch, strength = self.batch, self._regularisation()
        masks = self.dropout.draw(self.options.dropout * strength)
        losses = self.gradient.forward(batch.x, batch.y, masks)
        self.gradient.backward(batch.x, batch.weights)
        gradient = self.gradient.gradient.flat
        self.adam.step(gradient, self._learning_rate(), strength)
        self._average(buffer=gradient)
        return losses * batch.weights[:, 0]

    def _average(self, buffer):
        """Move the average of the weights towards the newest."""
        averaged = self.averaged.flat
        self.xp.subtract(self.weights.flat, averaged, out=buffer)
        buffer *= self._averaging_rate()
        averaged += buffer

    def _learning_rate(self):
        if not self.options.annealed:
            return self.options.learning_rate
        progress = self.adam.n_steps / self.n_steps
        rise = min(1.0, progress / WARM_UP + 1e-3)
        return self.options.learning_rate * rise * _fall(progress)

    def _regularisation(self):
        """Strength of dropout and of weight decay, which falls from 1 to 0 on the way.

        Dropout and decay keep few rows from being learned by heart. But dropout is
        itself a noise below which no standard deviation can fall, and small weights
        make no steep functions. Early stopping finds out which of the two matters.
        """
        if not self.options.annealed:
            return 1.0
        return _fall(min(1.0, self.adam.n_steps / self.n_steps / REGULARISED))

    def _averaging_rate(self):
        """Share of the newest weights in their running average.

        Single weights jump from step to step, and the few rows held out would pick a
        lucky jump; the average is better, and changes slowly. Jumps are as long as the
        learning rate, so the average is over ever fewer steps: standard deviations
        that still shrink at the end are not held up.
        """
        if not self.options.annealed:
            return 1.0
        horizon = HORIZON * self.n_steps * _fall(self.adam.n_steps / self.n_steps)
        return 1 / max(1.0, min(horizon, self.adam.n_steps))

    def _settle(self, start):
        """Leave in ``averaged`` what is kept, the start or the best, and calibrate it.

        The start is kept where the best do not beat it beyond chance: the best of
        hundreds of passes is better on ten rows by luck alone, and the start, one law
        for all rows or a line with one, is never absurd.
        """
        record, averaged = self.record, self.averaged
        averaged.flat[:] = record.best_flat
        if self.options.fresh:
            record.go_back(~self.validation.rows().beat(start))
            averaged.flat[:] = record.best_flat
        std_intercepts = averaged.layers[-1][:, -1, self.head.std_slice]
        calibrate(std_intercepts, self.validation, may_widen=self.options.single)

    def _result(self):
        moments = tuple(as_numpy(m) for m in (self.adam.first, self.adam.second))
        state = State(*self.averaged.arrays(), moments, self.adam.n_steps)
        losses, scores = self.record.history()
        return Result(state, losses, scores, self.record.best_iteration)


def _fall(progress):
    """From 1 to 0 along half a cosine."""
    return (1 + math.cos(math.pi * progress)) / 2
