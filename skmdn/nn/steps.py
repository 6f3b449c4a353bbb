"""The steps of some members: minibatch, gradient, Adam, running average."""

from skmdn.nn.adam import Adam
from skmdn.nn.arrays import array_on, as_float64, device_of, zeros
from skmdn.nn.batches import Batch, Dropout, Shuffle
from skmdn.nn.gradient import BatchGradient

AVERAGED = 8  # steps after which the average takes the newest weights in
CACHED = 2**15  # numbers of one layer's states, beyond which calls cost little


def blocks(n_members, batch_size, hidden_sizes, device):
    """Slices of members that are best trained together.

    Members that share calls share their cost, which is most of a small step's. Of a
    large one it is little, and who trains alone can stop alone. A GPU takes all at
    once.
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

    Attributes
    ----------
    schedule : Constant or Annealed
        Set before each annealing.
    """

    def __init__(
        self, members, weights, averaged, state, head, table, data, options, seeds
    ):
        self.members = members
        self.options = options
        self.weights, self.averaged = weights.of(members), averaged.of(members)
        moments = state.moments and [moment[members] for moment in state.moments]
        self.adam = Adam(self.weights, head, options.alpha, moments, state.n_steps)
        seeds = seeds[members]
        self.shuffle = Shuffle(data.train_rows[members], options.batch_size, seeds)
        size = self.shuffle.size
        self.gradient = BatchGradient(self.weights, head, options.activation, size)
        self.batch = Batch(table, data.n_outputs, len(seeds), size)
        self.dropout = Dropout(self.gradient.active, seeds, table)
        self.n_averaged = self.adam.n_steps  # that the average has taken in

    def start_again(self):
        """Forget all steps so far, whose number depends on neighbours."""
        self.adam.forget()
        self.n_averaged = 0
        self.shuffle.start(1)

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
                if done % AVERAGED == 0:
                    self._average()
        finally:
            self._average()
            undone = self.adam.undo_if_not_finite(before)
            self.averaged.flat[undone] = self.weights.flat[undone]
            losses[:] = as_float64(total.sum(1)) / max(done, 1)

    def _step(self):
        batch, schedule, step = self.batch, self.schedule, self.adam.n_steps
        strength = schedule.regularisation(step)
        masks = self.dropout.draw(self.options.dropout * strength)
        losses = self.gradient.forward(batch.x, batch.y, masks)
        self.gradient.backward(batch.x, batch.weights)
        gradient = self.gradient.gradient.flat
        self.adam.step(gradient, schedule.learning_rate(step), strength)
        return losses * batch.weights[:, 0]

    def _average(self):
        """Let the newest weights stand in the average for all steps that it lacks."""
        n_steps = self.adam.n_steps
        if n_steps > self.n_averaged:
            rate = self.schedule.averaging_rate(n_steps, n_steps - self.n_averaged)
            averaged = self.averaged.flat
            averaged += rate * (self.weights.flat - averaged)
            self.n_averaged = n_steps
