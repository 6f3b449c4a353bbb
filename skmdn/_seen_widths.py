"""How narrow components are where rows were seen: nowhere are they predicted narrower.

Raw outputs go on along straight lines where there are no rows, and a standard deviation
that falls there falls to its floor, which no row has asked for.
"""

from itertools import chain

import numpy as np

from skmdn._covariance import log_softmax
from skmdn._network import chunks, raw_outputs
from skmdn._one_thread import one_thread
from skmdn._rows import evenly

MOST_ROWS = 10_000
SEEN = 0.01  # weight from which on a row tells how narrow a component may be


def least_raw_stds(network, parts):
    """Least raw standard deviations on the samples, (M, K, D), or 1 where shared.

    Of each component where it has a weight of a hundredth or more; of one that never
    has, the least of its member's others. Of many rows, 10 000 are asked.

    Parameters
    ----------
    network : Network
    parts : list of Samples
        Rows that were learned from, and those that judged.

    Returns
    -------
    least : ndarray of shape (M, *std_shape)
    """
    head = network.head
    least = np.full((len(network.coefs[0]), *head.std_shape), np.inf)
    rows = [s.X[s.rows[evenly(len(s.rows), MOST_ROWS)]] for s in parts]
    for X in chain.from_iterable(chunks(some, network) for some in rows):
        with one_thread():
            raw = raw_outputs(network.scaling.inputs(X), network)
        logits, _, raw_stds, _ = head.split(raw)
        if head.kind.per_component:
            share = np.exp(log_softmax(logits, np))[:, :, None]  # (M, K, 1, B)
            seen = share >= min(SEEN, 0.5 / head.n_components)
            raw_stds = np.where(seen, raw_stds, np.inf)
        least = np.minimum(least, raw_stds.min(axis=-1))
    of_others = least.min(axis=1, keepdims=True, initial=np.inf)
    return np.where(np.isinf(least), of_others, least)
