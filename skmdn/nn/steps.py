"""The steps of some members: minibatch, gradient, Adam, decay, running average."""

from itertools import compress

import numpy as np

from skmdn.nn.adam import Adam
from skmdn.nn.arrays import array_on, as_float64, device_of, zeros
from skmdn.nn.batches import Batch, Dropout, Shuffle
from skmdn.nn.gradient import BatchGradient

INTERVAL = 8  # steps, for all of which the last decays and enters the average
CACHED = 2**15  # numbers of one layer's states, beyond which calls cost little


def blocks(n_members, batch_size, hidden_sizes, device):
    """Lists of members that are best trained together.

    Members that share calls share their cost, which is most of a small step's. Of a
    large one it is little, and who trains alone keeps its own weights in the cache. A
    GPU takes all at once.
    """
    together = n_members
    if device is None and hidden_sizes:
        together = max(CACHED // (batch_size * max(hidden_sizes)), 1)
    members = list(range(n_members))
    return [members[first : first + together] for first in members[::together]]


class Steps:
    """Passes over the rows of some members, with all that a step needs in buffers.

    Parameters
    ----------
    members : list of int
        Of all members, those to train; what follows is of all.
    averaged : FlatWeights
        Where they start, and where every pass leaves the running average of their
        weights.
    state : State
        Of which Adam's moments are read.
    head : MixtureHead
    table : array of shape (n, d + 1 + D + 1)
    data : TrainingData
    options : TrainingOptions
    seeds : sequence of int
    run : int
        Number of the annealing: minibatches of each are their own.

    Attributes
    ----------
    schedule : Constant or Annealed
        Set before the first pass.
    """

    def __init__(
        self, members, averaged, state, head, table, data, options, seeds, run
    ):
        self.members = members
        self.all_averaged = averaged
        self.head, self.options = head, options
        self.table, self.n_outputs = table, data.n_outputs
        seeds = [seeds[member] for member in members]
        rows = data.train_rows[members]
        self.shuffle = Shuffle(rows, options.batch_size, seeds, run)
        moments = state.moments and [moment[members] for moment in state.moments]
        self._set_up(averaged.of(members), averaged.of(members), moments, state.n_steps)
        self.dropout = Dropout(self.gradient.active, seeds, table)
        self.n_settled = self.adam.n_steps  # that are in the average

    def _set_up(self, weights, averaged, moments, n_steps):
        """Go on from here, with buffers for as many members as there are weights."""
        self.weights, self.averaged = weights, averaged
        options, size = self.options, self.shuffle.size
        self.adam = Adam(weights, self.head, options.alpha, moments, n_steps)
        self.gradient = BatchGradient(weights, self.head, options.activation, size)
        self.batch = Batch(self.table, self.n_outputs, len(weights.flat), size)

    def keep(self, running):
        """Train those members alone that are still ``running`` (m,), at their cost."""
        if running.all():
            return
        self.members = list(compress(self.members, running))
        self.shuffle.keep(running)
        self.dropout.keep(running)
        rows = np.flatnonzero(running).tolist()
        adam = self.adam
        moments = [moment[rows] for moment in (adam.first, adam.second)]
        weights, averaged = self.weights.of(rows), self.averaged.of(rows)
        self._set_up(weights, averaged, moments, adam.n_steps)

    def one_pass(self, losses):
        """Pass over the rows, one step for each minibatch, also if cut short by Ctrl-C.

        ``losses`` (M,) of all members gets the mean loss of their steps.
        """
        before = self.adam.state()
        index = array_on(self.shuffle.draw(), device_of(self.weights.flat))
        total = zeros(self.gradient.raw[:, 0].shape, self.gradient.raw)
        done = 0
        try:
            for step_index in index:
                self.batch.load(step_index)
                total += self._step()
                done += 1
                if done % INTERVAL == 0:
                    self._decay_and_average()
        finally:
            self._decay_and_average()
            undone = self.adam.undo_if_not_finite(before)
            if undone:
                self.averaged.flat[undone] = self.weights.flat[undone]
            self.all_averaged.flat[self.members] = self.averaged.flat
            losses[self.members] = as_float64(total.sum(1)) / max(done, 1)

    def _step(self):
        batch, schedule, step = self.batch, self.schedule, self.adam.n_steps
        dropout = self.options.dropout * schedule.regularisation(step)
        masks = self.dropout.draw(dropout)
        losses = self.gradient.forward(batch.x, batch.y, masks)
        self.gradient.backward(batch.x, batch.weights)
        gradient = self.gradient.gradient.flat
        self.adam.step(gradient, schedule.learning_rate(step))
        return losses * batch.weights[:, 0]

    def _decay_and_average(self):
        """Decay for all steps since the last time, and average the weights for them."""
        schedule, last = self.schedule, self.adam.n_steps - 1
        n_new = last + 1 - self.n_settled
        if n_new == 0:
            return
        strength = schedule.regularisation(last)
        self.adam.decay(schedule.learning_rate(last), strength, n_new)
        rate = schedule.averaging_rate(last + 1, n_new)
        averaged = self.averaged.flat
        averaged += rate * (self.weights.flat - averaged)
        self.n_settled += n_new
