"""The training loop, for all members at once."""

import warnings
from functools import partial
from typing import NamedTuple

import numpy as np

from skmdn._one_thread import one_thread
from skmdn.nn.arrays import (
    array_on,
    as_numpy,
    copy,
    device_of,
    library,
    without_autograd,
)
from skmdn.nn.countdown import Countdown
from skmdn.nn.gradient import FlatWeights
from skmdn.nn.record import Record
from skmdn.nn.schedule import REGULARISED, Annealed, Constant
from skmdn.nn.steps import Steps, blocks
from skmdn.nn.validation import Validation
from skmdn.nn.widths import fit_widths

AGAIN = 0.2  # share of the passes that start once more, from the best weights
LEAST_PATIENCE = 10  # passes without a gain, unless less is asked for


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
    fresh: bool  # the starting weights are random, not those of an earlier fit
    single: bool  # not a member of an ensemble, whose width is the pool's affair
    device: str
    verbose: bool


class State(NamedTuple):
    """All that training changes, as arrays with the members first."""

    coefs: list  # of (M, n_in, n_out)
    intercepts: list  # of (M, n_out)
    moments: tuple | None = None  # Adam's, (M, Q) each, where steps may go on
    n_steps: int = 0


class Result(NamedTuple):
    """What training found, and its history with a column per pass."""

    state: State
    losses: np.ndarray  # (M, E) mean negative log-likelihood while training
    scores: np.ndarray  # (M, E) mean log-likelihood of the validation rows
    best_iteration: np.ndarray  # (M,) passes behind the weights that were kept
    passes: np.ndarray | None  # (2, M) of these, those of either annealing
    width_shift: np.ndarray | None  # (M,) of raw standard deviations, in the weights
    outdone: np.ndarray  # (M,) whether the rival was ahead
    interrupted: bool


def train(state, head, data, options, seeds, passes=None):
    """Train all members of ``state``, each by its own seed and on its own rows.

    Parameters
    ----------
    state : State
    head : MixtureHead
    data : TrainingData
    options : TrainingOptions
    seeds : sequence of int
        One for each member; minibatches and dropout depend on nothing else.
    passes : ndarray of shape (2, M), optional
        How many to make of the first and of the second annealing, if that is known. If
        not, rows held out tell.

    Returns
    -------
    result : Result
        Losses and scores are in nats and units of y.
    """
    device = library(options.device)
    # Steps that diverge are undone, and need no warning; torch gives none either.
    with one_thread(), without_autograd(device), np.errstate(all="ignore"):
        table = array_on(data.table, device)
        batch_size = min(options.batch_size, data.train_rows.shape[1])
        row_weights = table[:, -1]
        row_weights /= batch_size  # so that the loss of a batch is a mean
        training = _Training(state, head, data, table, options, seeds, batch_size)
        result = training.run() if passes is None else training.repeat(passes)
        row_weights *= batch_size  # in place: a copy of a large table costs memory
        return result


class _Training:
    def __init__(self, state, head, data, table, options, seeds, batch_size):
        sizes = [state.coefs[0].shape[1], *(coef.shape[2] for coef in state.coefs)]
        self.options = options
        self.start = state
        self.head = head
        self.averaged = FlatWeights(sizes, len(seeds), table)
        self.averaged.load(state.coefs, state.intercepts)
        self.blocks = blocks(len(seeds), batch_size, sizes[1:-1], device_of(table))
        self.make_steps = partial(
            Steps,
            averaged=self.averaged,
            head=head,
            table=table,
            data=data,
            options=options,
            seeds=seeds,
        )
        self.steps = self._steps(state, run=0)
        self.validation = None
        if data.validation_rows.shape[1]:
            self.validation = Validation(
                self.averaged, head, options.activation, table, data
            )
        self.rival = data.rival
        self.record = Record(self.averaged, options, data.log_unit)
        self.n_again = int(AGAIN * options.max_iter)
        self.outdone = np.full(len(seeds), False)
        self.interrupted = False

    def _steps(self, state, run):
        """All members' steps, from the weights that are in ``averaged``."""
        return [
            self.make_steps(members, state=state, run=run) for members in self.blocks
        ]

    def run(self):
        """Pass over the rows until the last pass, a stop of all members or Ctrl-C."""
        record = self.record
        if self.validation is None:
            self._passes(self.options.max_iter)
            record.close()
            return self._result(record.best_iteration)
        record.start(self.validation.score())
        self._passes(self.options.max_iter - self.n_again)
        n_first, first = len(record.scores), record.best_iteration.copy()
        if self.n_again and not self.interrupted:
            self.averaged.flat[:] = record.best_flat
            patience = self.options.n_iter_no_change
            # Halved, for what is gained once more is gained soon.
            record.wait_anew(min(patience, max(patience // 2, LEAST_PATIENCE)))
            self._anneal_again()
        record.close()
        width_shift = self._settle()
        best = record.best_iteration
        passes = np.minimum(first, best), np.maximum(best - n_first, 0)
        return self._result(best, np.stack(passes), width_shift)

    def repeat(self, passes):
        """Make so many ``passes`` (2, M) of either annealing, along their schedules."""
        first, second = passes
        self.record = Countdown(first, self.options.verbose)
        self._passes(self.options.max_iter - self.n_again)
        if second.any() and not self.interrupted:
            self.record = Countdown(second, self.options.verbose)
            self._anneal_again()
        self.record.close()
        return self._result(first + second, passes)

    def _passes(self, n_passes, regularised=REGULARISED):
        """Make up to ``n_passes`` passes, along a schedule of their own."""
        self.plan(n_passes, regularised)
        for _ in range(n_passes):
            if self.interrupted or self.record.stopped().all():
                break
            self.record.add(self._one_pass(), self._validation_score())

    def plan(self, n_passes, regularised=REGULARISED):
        """Make a schedule for the steps of the next ``n_passes`` passes."""
        rate = self.options.learning_rate
        for steps in self.steps:
            n_steps = n_passes * steps.shuffle.n_steps
            steps.schedule = (
                Annealed(rate, n_steps, regularised)
                if self.options.annealed
                else Constant(rate)
            )

    def _anneal_again(self):
        """Start once more, from ``averaged`` weights (Loshchilov and Hutter, 2017).

        Best are often weights of half-way, while steps were long.
        """
        nothing = self.start._replace(moments=None, n_steps=0)
        self.steps = self._steps(nothing, run=1)
        self._passes(self.n_again, regularised=0)

    def _one_pass(self):
        """Mean loss (M,) of one more pass by all members who have not stopped."""
        losses = np.full(len(self.averaged.flat), np.nan)
        running = ~self.record.stopped()
        self.steps = [s for s in self.steps if running[s.members].any()]
        try:
            for steps in self.steps:
                steps.keep(running[steps.members])
                steps.one_pass(losses)
        except KeyboardInterrupt:
            self._interrupt()
        return losses

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
            "Training interrupted by user: what was learned so far is kept.",
            stacklevel=3,
        )

    def _settle(self):
        """Leave in ``averaged`` what is kept, one law or the best, with its widths.

        One law for all rows, or for all residuals of a line, is kept where no pass is
        better than the start, or the best do not beat that law beyond chance: the best
        of hundreds of passes is better on ten rows by luck alone, and one law is never
        absurd. Nor is it too narrow. Members of an ensemble are judged together.

        Returns the shift (M,) of raw standard deviations by which widths changed.
        """
        record, averaged, single = self.record, self.averaged, self.options.single
        learned = np.full(len(averaged.flat), True)
        if self.options.fresh:
            averaged.flat[:] = record.best_flat
            best = self.validation.rows()
            self._load_one_law()
            beat = best.beat if single else best.beat_together
            learned = beat(self.validation.rows()) & (record.best_iteration > 0)
            record.go_back(~learned, averaged.flat)
        averaged.flat[:] = record.best_flat
        shift = np.zeros(len(averaged.flat))
        if single:
            std_intercepts = averaged.layers[-1][:, -1, self.head.std_slice]
            shift = fit_widths(std_intercepts, self.validation, learned)
        if self.rival is not None:
            shift[self._go_back_where_outdone()] = 0
        return shift

    def _load_one_law(self):
        *coefs, head = self.start.coefs
        self.averaged.load([*coefs, np.zeros_like(head)], self.start.intercepts)

    def _go_back_where_outdone(self):
        """Leave one law to members (M,) that a rival is ahead of, and return which.

        Be it by luck: the rival is no more absurd than one law. Members of an ensemble
        are outdone together, or none is.
        """
        lead = self.validation.rows().lead_over(self.rival)
        lead = lead if self.options.single else np.full(len(lead), lead.mean())
        self.outdone = lead <= 0
        kept = copy(self.averaged.flat)
        self._load_one_law()
        self.record.go_back(self.outdone, self.averaged.flat)
        rows = np.flatnonzero(~self.outdone).tolist()
        self.averaged.flat[rows] = kept[rows]
        return self.outdone

    def _result(self, best_iteration, passes=None, width_shift=None):
        moments, n_steps = None, 0
        if not self.options.annealed:
            adams = [steps.adam for steps in self.steps]
            moments = (
                np.concatenate([as_numpy(adam.first) for adam in adams]),
                np.concatenate([as_numpy(adam.second) for adam in adams]),
            )
            n_steps = adams[0].n_steps
        state = State(*self.averaged.arrays(), moments, n_steps)
        losses, scores = self.record.history()
        return Result(
            state,
            losses,
            scores,
            best_iteration,
            passes,
            width_shift,
            self.outdone,
            self.interrupted,
        )
