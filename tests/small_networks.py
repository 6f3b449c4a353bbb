"""Small networks that train within a blink, and what they are trained on."""

import numpy as np

from skmdn._covariance import make_head
from skmdn.nn.batches import TrainingData
from skmdn.nn.initialization import starting_members
from skmdn.nn.training import State, TrainingOptions, train


def make_data(rng, n=300, n_outputs=1):
    X = rng.normal(size=(n, 3))
    y = np.sin(X[:, :n_outputs]) + 0.2 * rng.normal(size=(n, n_outputs))
    return X, y[:, 0] if n_outputs == 1 else y


def train_members(rows, seeds, **changes):
    """Train a member for each seed; ``rows[m]`` are those that member m learns from."""
    return train(*task_of_members(rows, seeds, **changes))


def task_of_members(rows, seeds, **changes):
    """What `train` has to know to train them."""
    rng = np.random.default_rng(0)
    X, y = make_data(rng)
    table = np.column_stack([X, np.ones(300), y, np.ones(300)]).astype(np.float32)
    head = make_head(3, "diag", 1e-3, None, np.ones(1), std_precision=0.01)
    sizes = [3, 8, 8, head.n_raw]
    coefs, intercepts = starting_members(sizes, head, y[:, None], np.ones(300), seeds)
    rows = np.asarray(rows, dtype=np.int32)
    data = TrainingData(table, 1, rows[:, 40:], rows[:, :40], 0.0)
    options = TrainingOptions(
        activation="silu",
        alpha=0.1,
        dropout=0.1,
        learning_rate=0.01,
        batch_size=32,
        max_iter=30,
        n_iter_no_change=5,
        tol=1e-4,
        annealed=True,
        fresh=True,
        single=True,
        device="cpu",
        verbose=False,
    )._replace(**changes)
    return State(coefs, intercepts), head, data, options, seeds
