"""The steps of some members: minibatch, gradient, Adam, running average."""

import math

from skmdn.nn.adam import Adam
from skmdn.nn.arrays import array_on, as_float64, device_of, namespace, zeros
from skmdn.nn.batches import Batch, Dropout, Shuffle
from skmdn.nn.gradient import BatchGradient

WARM_UP = 0.05  # share of the steps over which the learning rate rises
REGULARISED = 0.5  # share of the steps with dropout and with decay of all weights
HORIZON = 0.05  # of the running average of the weights, as a share of the steps
CACHED = 2**15  # numbers of one layer's states, beyond which calls cost no more


def blocks(n_members, batch_size, hidden_sizes, device):
    """Slices of members that are best trained together.

    Members that share calls share their cost, which is most of a small step's; but
    buffers that outgrow a core's cache cost more than that. A GPU takes all at once.
    """
    together = n_members
    if device is None and hidden_sizes:
        together = max(CACHED // (batch_size * max(hidden_sizes)), 1)
    starts = range(0, n_members, together)
    return [slice(start, start + together) for start in starts]


class Steps:
    """Passes over the rows of some members, with all that a step needs in buffers.

    Parameters
    ----------
    members : slice
        Of all members, those to train; what follows is of all.
    weights, averaged : FlatWeights
        The newest weights and their running average; both are changed.
    state : State
    head : MixtureHead
    table : array of shape (n, d + 1 + D + 1)
    data : TrainingData
    options : TrainingOptions
    seeds : sequence of int
    """

    def __init__(
        self, members, weights, averaged, state, head, table, data, options, seeds
    ):
        self.xp = namespace(table)
        self.members = members
        self.options = options
        self.weights, self.averaged = weights.of(members), averaged.of(members)
        moments = state.moments and [moment[members] for moment in state.moments]
        self.adam = Adam(self.weights, head, options.alpha, moments, state.n_steps)
        seeds = seeds[members]
        self.shuffle = Shuffle(data.train_rows[members], options.batch_size, seeds)
        self.n_steps = options.max_iter * self.shuffle.n_steps
        size = self.shuffle.size
        self.gradient = BatchGradient(self.weights, head, options.activation, size)
        self.batch = Batch(table, data.n_outputs, len(seeds), size)
        self.dropout = Dropout(self.gradient.active, seeds)

    def one_pass(self, losses):
        """Pass over the rows, one step for each minibatch, also if cut short by Ctrl-C.

        ``losses`` (M,) is filled with the mean loss of the steps.
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
        finally:
            self.adam.undo_if_not_finite(before)
            losses[:] = as_float64(total.sum(1)) / max(done, 1)

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


def _fall(progress):
    """From 1 to 0 along half a cosine."""
    return (1 + math.cos(math.pi * progress)) / 2
