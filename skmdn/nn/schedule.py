"""How learning, regularisation and averaging change from step to step."""

import math

WARM_UP = 0.05  # share of the steps over which the learning rate rises
REGULARISED = 0.5  # share of the steps with dropout and with decay of all weights
HORIZON = 0.05  # of the running average of the weights, as a share of the steps


class Constant:
    """Nothing changes: for chunks of data of which nobody knows how many will come."""

    def __init__(self, learning_rate):
        self.peak = learning_rate

    def learning_rate(self, step):
        """Length of steps."""
        return self.peak

    def regularisation(self, step):
        """Strength of dropout and of weight decay."""
        return 1.0

    def averaging_rate(self, step, n_new):
        """Share of the newest weights in their running average: there is none."""
        return 1.0


class Annealed:
    """The learning rate rises, then falls to zero along half a cosine.

    Parameters
    ----------
    learning_rate : float
        Its peak.
    n_steps : int
        After which it is zero.
    regularised : float
        Share of the steps with dropout and with decay of all weights.
    """

    def __init__(self, learning_rate, n_steps, regularised=REGULARISED):
        self.peak = learning_rate
        self.n_steps = n_steps
        self.regularised = regularised

    def learning_rate(self, step):
        """Length of steps, which rises for a twentieth of them and then falls."""
        progress = step / self.n_steps
        rise = min(1.0, progress / WARM_UP + 1e-3)
        return self.peak * rise * _fall(progress)

    def regularisation(self, step):
        """Strength of dropout and of weight decay, which falls from 1 to 0 on the way.

        Dropout and decay keep few rows from being learned by heart. But dropout is
        itself a noise below which no standard deviation can fall, and small weights
        make no steep functions. Early stopping finds out which of the two matters.
        """
        regularised = self.regularised * self.n_steps
        return _fall(step / regularised) if step < regularised else 0.0

    def averaging_rate(self, step, n_new):
        """Share of the newest weights, for ``n_new`` steps, in their running average.

        Single weights jump from step to step, and the few rows held out would pick a
        lucky jump; the average is better, and changes slowly. Jumps are as long as the
        learning rate, so the average is over ever fewer steps: standard deviations
        that still shrink at the end are not held up.
        """
        horizon = HORIZON * self.n_steps * _fall(step / self.n_steps)
        return n_new / max(n_new, min(horizon, step))


def _fall(progress):
    """From 1 to 0 along half a cosine."""
    return (1 + math.cos(math.pi * progress)) / 2
