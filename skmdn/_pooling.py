"""An ensemble's components, narrowed by what its members disagree about."""

import numpy as np

from skmdn._distribution import MixtureDistribution
from skmdn._network import mixture_parameters

MOST_ROWS = 1000  # that tell how much members disagree
SMALLEST_FACTOR = 0.5  # of standard deviations


def spread_adjusted(network, samples):
    """The network of an ensemble, with the spread of its members taken off their width.

    The mean of the members errs less than they do: its squared error is less than
    theirs by E, their variance about it (Krogh and Vedelsby, 1995). Yet their mixture
    is wider than they are, by E again. The variances of components are therefore
    multiplied by 1 - 2 E / V, with V the mean variance of the members and the ratio
    averaged over rows, eq. (14): a spread-adjusted linear pool (Gneiting and Ranjan,
    2013) whose factor is not fitted.

    Parameters
    ----------
    network : Network
        Not changed itself.
    samples : Samples
        Rows to average over.

    Returns
    -------
    network : Network
    """
    head = network.head
    X = samples.X[samples.rows[:MOST_ROWS]]
    parameters = mixture_parameters(X, network)
    law = MixtureDistribution._from_factors(
        *parameters, n_members=len(network.coefs[0])
    )
    ratio = law.epistemic_var() / law.aleatoric_var()
    ratio = ratio.reshape(len(X), -1).mean(axis=1)
    ratio = np.average(ratio, weights=samples.weights[:MOST_ROWS])
    shift = np.log(max(1 - 2 * ratio, SMALLEST_FACTOR**2)) / 2
    *hidden, last = network.intercepts
    last = last.copy()
    # Rounded, so that rounding errors of other numbers of threads make no difference.
    last[:, head.std_slice] += np.round(shift, 2)
    return network._replace(intercepts=[*hidden, last])
