"""How long and in what bites to train: the rules of n behind "auto"."""

import math

SMALLEST_BATCH, LARGEST_BATCH = 64, 256
FEWEST_STEPS, MOST_STEPS = 3000, 10_000
FEWEST_PASSES = 20


def auto_batch_size(n_rows):
    """Power of two near n / 32, from 64 to 256."""
    size = 2 ** round(math.log2(max(n_rows, 1) / 32))
    return int(min(max(size, SMALLEST_BATCH), LARGEST_BATCH))


def auto_max_iter(n_rows, batch_size):
    """Passes that make 110 √n steps, but 3000 to 10 000, and at least 20 passes."""
    steps = min(max(110 * math.sqrt(n_rows), FEWEST_STEPS), MOST_STEPS)
    steps_per_pass = max(n_rows // batch_size, 1)
    return max(math.ceil(steps / steps_per_pass), FEWEST_PASSES)


def auto_patience(max_iter):
    """A quarter of the passes, at least 10."""
    return max(max_iter // 4, 10)
