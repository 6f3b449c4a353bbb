"""History of the passes, and the best weights that each member had on the way."""

import numpy as np

from skmdn.nn.arrays import as_float64, copy


def mean_of_numbers(values):
    """Mean of what is not NaN; NaN of nothing, without NumPy's warning."""
    numbers = values[~np.isnan(values)]
    return numbers.mean() if len(numbers) else np.nan


class Record:
    """State of every member: losses, scores, best weights, whether it has stopped.

    Parameters
    ----------
    weights : FlatWeights
        Copied for a member whenever its validation score is the best so far.
    options : TrainingOptions
    log_unit : float
        Added to a negative log-likelihood to have it in units of y.
    """

    def __init__(self, weights, options, log_unit):
        n_members = len(weights.flat)
        self.weights = weights
        self.options = options
        self.log_unit = log_unit
        self.losses, self.scores = [], []
        self.best_flat = copy(weights.flat)
        self.best_score = np.full(n_members, -np.inf)
        self.best_iteration = np.zeros(n_members, dtype=int)
        self.score_to_beat = np.full(n_members, -np.inf)
        self.last_gain = np.zeros(n_members, dtype=int)
        self.patience = options.n_iter_no_change

    def start(self, score):
        """Take the starting weights, of this validation score (M,), as the best."""
        score = as_float64(score) - self.log_unit
        known = np.isfinite(score)
        self.best_score[known] = self.score_to_beat[known] = score[known]

    def wait_anew(self, patience):
        """Let nobody have stopped yet, nor wait longer than ``patience`` passes."""
        self.last_gain[:] = len(self.scores)
        self.patience = patience

    def go_back(self, members, flat):
        """Take weights ``flat`` (M, Q) of no pass as the best of ``members`` (M,)."""
        self.best_iteration[members] = 0
        rows = np.flatnonzero(members).tolist()
        self.best_flat[rows] = flat[rows]

    def add(self, loss, score=None):
        """Note the mean loss and validation score (M,) of one more pass."""
        running = ~self.stopped()
        loss = as_float64(loss) + self.log_unit
        self.losses.append(np.where(running, loss, np.nan))
        if score is None:
            self.best_iteration[:] = len(self.losses)
        else:
            score = as_float64(score) - self.log_unit
            self.scores.append(np.where(running, score, np.nan))
            self._keep_best(self.scores[-1])
        if self.options.verbose:
            print(f"\r{self._line()}", end="", flush=True)

    def _keep_best(self, score):
        best = score > self.best_score
        if not best.any():
            return
        self.best_score[best] = score[best]
        self.best_iteration[best] = len(self.scores)
        rows = np.flatnonzero(best).tolist()
        self.best_flat[rows] = self.weights.flat[rows]
        gained = score > self.score_to_beat + self.options.tol
        self.score_to_beat[gained] = score[gained]
        self.last_gain[gained] = len(self.scores)

    def stopped(self):
        """Members (M,) that have gained nothing for too many passes."""
        return len(self.scores) - self.last_gain >= self.patience

    def _line(self):
        line = f"pass {len(self.losses)}/{self.options.max_iter}"
        line += f"  loss {mean_of_numbers(self.losses[-1]):.4f}"
        if self.scores:
            line += f"  validation score {mean_of_numbers(self.scores[-1]):.4f}"
            line += f"  best {self.best_score.mean():.4f}"
        return line

    def close(self):
        """End the progress line."""
        if self.options.verbose:
            print()

    def history(self):
        """Losses and scores as arrays (M, E), NaN where a member had stopped."""
        n_members = len(self.best_score)
        columns = [np.reshape(h, (-1, n_members)).T for h in (self.losses, self.scores)]
        return tuple(columns)
