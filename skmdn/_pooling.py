"""Widths of an ensemble's components, so that the pool is as wide as its errors."""

import numpy as np
from scipy.optimize import minimize_scalar

from skmdn._distribution import MixtureDistribution
from skmdn._folds import MANY_ROWS, n_effective
from skmdn._network import raw_outputs
from skmdn._rows import evenly

MOST_ROWS = 1000  # that tell how much members disagree
MOST_JUDGES = 2000  # rows, of each member, that tell how wide to be
SMALLEST_FACTOR = 0.5  # of standard deviations
FURTHEST = 1.0  # shift of raw standard deviations


def spread_adjustment(network, samples):
    """By how much to shift raw deviations to take the members' spread off their width.

    The mean of the members errs less than they do: its squared error is less than
    theirs by Δ, their variance about it, eq. (17) (Krogh and Vedelsby, 1995). Yet their
    mixture is wider than they are, by Δ again. The variances of components are
    therefore multiplied by 1 - 2 Δ / v, with v the mean variance of the members and the
    ratio averaged over rows, eq. (18): a spread-adjusted linear pool (Gneiting and
    Ranjan, 2013) whose factor is not fitted.

    Parameters
    ----------
    network : Network
        Its members as they were trained.
    samples : Samples
        Rows to average over.

    Returns
    -------
    shift : float
        For `shifted`; half the logarithm of that factor, which the variance of a
        component is nearly multiplied by.
    """
    some = evenly(len(samples.rows), MOST_ROWS)
    inputs = network.scaling.inputs(samples.X[samples.rows[some]])
    law = _law(raw_outputs(inputs, network), network.head)
    ratio = law.epistemic_var() / law.aleatoric_var()
    ratio = ratio.reshape(len(inputs), -1).mean(axis=1)
    ratio = np.average(ratio, weights=samples.weights[some])
    return _rounded(np.log(max(1 - 2 * ratio, SMALLEST_FACTOR**2)) / 2)


def held_out_adjustment(network, data):
    """The shift of raw deviations that rows held out ask for, eq. (19).

    A row is held out from some members alone, so that no row judges the pool. On rows
    that members were trained on the best shift of raw standard deviations is found for
    the pool and for the members; what the members' falls short of by rows held out,
    the pool's does too. Rows held out from all members judge the pool themselves.

    Parameters
    ----------
    network : Network
        Its members as they were trained.
    data : TrainingData

    Returns
    -------
    shift : float
        For `shifted`.
    """
    trained, held_out = data.train_rows, data.validation_rows
    if np.array_equal(held_out[0], held_out[1]):  # rows of X_val, in order of y
        some = evenly(held_out.shape[1], MOST_JUDGES)
        return _rounded(_best_shift([network], data, held_out[:1, some]))
    trained, held_out = trained[:, -MOST_JUDGES:], held_out[:, -MOST_JUDGES:]
    members = [network.of([m]) for m in range(len(held_out))]
    shift = _best_shift([network], data, trained[:1])
    shift += _best_shift(members, data, held_out) - _best_shift(members, data, trained)
    return _rounded(shift)


def shifted(network, shift):
    """The network with ``shift`` added to the intercepts of raw standard deviations."""
    *hidden, last = network.intercepts
    last = last.copy()
    last[:, network.head.std_slice] += shift
    return network._replace(intercepts=[*hidden, last])


def has_many_judges(data):
    """Whether each member holds out enough rows to measure a pool's width by."""
    rows = data.validation_rows
    return rows.size > 0 and np.all(n_effective(data.table[rows, -1]) >= MANY_ROWS)


def _best_shift(networks, data, rows):
    """Shift at which each network finds its own ``rows`` (M, B) likeliest, all in all.

    In standardised units, where the likelihood differs by a constant.
    """
    head, n_features = networks[0].head, data.table.shape[1] - data.n_outputs - 2
    table = data.table[rows].astype(np.float64)  # (M, B, d + 1 + D + 1)
    raw = np.concatenate(
        [
            raw_outputs(features, network)
            for features, network in zip(table[..., :n_features], networks, strict=True)
        ],
        axis=-1,
    )  # (1 or M, P, M B)
    answers = table[..., n_features + 1 :].reshape(raw.shape[-1], -1)
    y, weights = answers[:, :-1], answers[:, -1]

    def loss(shift):
        moved = raw.copy()
        moved[:, head.std_slice] += shift
        return -np.average(_law(moved, head).logpdf(y), weights=weights)

    bounds = -FURTHEST, FURTHEST
    return minimize_scalar(loss, bounds=bounds, options={"xatol": 1e-3}).x


def _law(raw, head):
    """What the network says of raw outputs (M, P, B), in standardised units."""
    parameters = head.parameters(raw, np)
    return MixtureDistribution._from_factors(*parameters, n_members=len(raw))


def _rounded(shift):
    """To 0.01, so that rounding errors of other numbers of threads disappear."""
    return float(np.round(shift, 2))
