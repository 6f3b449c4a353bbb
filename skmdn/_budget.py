"""How large a network and how long to train: the rules behind "auto"."""

import math

SMALLEST_BATCH, LARGEST_BATCH = 64, 256
STEPS_PER_ROW = 1.7
FEWEST_STEPS, MOST_STEPS = 7500, 19_000
FEWEST_PASSES = 25
MANY_ROWS, VERY_MANY_ROWS = 2000, 8000
FEW_FEATURES = 4
VALIDATION_SHARE = 0.1
ENOUGH_VALIDATION_ROWS = 30


def auto_hidden_layer_sizes(n_rows, n_features, n_members=1):
    """Units of each hidden layer, fewer for few rows, few features and members."""
    if n_rows < MANY_ROWS:
        return (32,) * 3 if n_features <= FEW_FEATURES else (64,) * 2
    if n_rows < VERY_MANY_ROWS:
        return (128,) * 3 if n_members == 1 else (64,) * 4
    return (96,) * 5 if n_members == 1 else (64,) * 5


def auto_validation_fraction(n_rows):
    """A tenth, but as much as makes 30 rows, up to a third."""
    return min(max(VALIDATION_SHARE, ENOUGH_VALIDATION_ROWS / n_rows), 1 / 3)


def auto_refit(n_rows, n_members=1):
    """Whether rows are so few that those held out are missed; a pool has seen all."""
    return n_members == 1 and n_rows < MANY_ROWS


def auto_batch_size(n_rows, n_members=1):
    """Power of two near n / 32, from 64 to 256; half as much, from 64, for members."""
    size = 2 ** round(math.log2(max(n_rows, 1) / 32))
    size = min(max(size, SMALLEST_BATCH), LARGEST_BATCH)
    return int(size if n_members == 1 else max(size // 2, SMALLEST_BATCH))


def auto_max_iter(n_rows, batch_size):
    """Passes that make 1.7 steps a row, but 7500 to 19 000, and at least 25 passes."""
    steps = min(max(STEPS_PER_ROW * n_rows, FEWEST_STEPS), MOST_STEPS)
    steps_per_pass = max(n_rows // batch_size, 1)
    return max(math.ceil(steps / steps_per_pass), FEWEST_PASSES)


def auto_patience(max_iter):
    """A tenth of the passes, at least 10."""
    return max(max_iter // 10, 10)
