"""One law around a straight line: what a network has to beat, however many its rows."""

from typing import NamedTuple

import numpy as np

from skmdn import _gaussian
from skmdn._network import Network
from skmdn._scaling import around_a_line


class LineLaw(NamedTuple):
    """A network that says no more than a line, and what it says of the rows."""

    network: Network
    scores: np.ndarray  # (n,) log-likelihoods in the units of the network to beat


def law_around_a_line(start, make_head, samples, y, held_out=None):
    """The `LineLaw` of samples without a line; None where no line is better than none.

    Parameters
    ----------
    start : Network
        As it starts.
    make_head : callable
        Head of a network for a `Scaling`.
    samples : Samples
    y : ndarray of shape (m, D)
        Of the samples, in the units of ``start``.
    held_out : Samples, optional
        More rows, to which the line was not fitted.
    """
    from skmdn.nn.initialization import starting_intercepts

    around = around_a_line(samples, start.scaling, y)
    if around is None:
        return None
    scaling, rest = around
    head = make_head(scaling)
    intercepts = starting_intercepts(head, rest, samples.weights)
    *hidden, last = start.coefs
    network = start._replace(
        coefs=[*hidden, np.zeros_like(last)],
        intercepts=[*start.intercepts[:-1], np.tile(intercepts, (len(last), 1))],
        head=head,
        scaling=scaling,
    )
    if held_out is not None:
        rest = np.concatenate([rest, scaling.outputs(held_out)])
    law = head.parameters(intercepts[None, :, None], np)
    scores = _gaussian.logpdf(rest[:, None], *law)[:, 0]
    return LineLaw(network, scores - np.log(scaling.y_std / start.scaling.y_std).sum())
