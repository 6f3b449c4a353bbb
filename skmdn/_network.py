"""The network at prediction time, in NumPy float64: rows of X to mixture parameters."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from skmdn import _gaussian
from skmdn._blocks import row_blocks
from skmdn._covariance import MixtureHead
from skmdn._scaling import Scaling


def relu(x):
    """max(0, x)."""
    return np.maximum(x, 0)


def silu(x):
    """``x`` times its logistic function, in one array and without overflow."""
    values = np.maximum(x, -700)
    np.exp(np.negative(values, out=values), out=values)
    values += 1
    return np.divide(x, values, out=values)


def gelu(x):
    """``x`` times the standard normal distribution function of ``x``."""
    return x * ndtr(x)


ACTIVATIONS = {"relu": relu, "silu": silu, "gelu": gelu, "tanh": np.tanh}


class Network(NamedTuple):
    """A fitted network: weights, the meaning of its outputs, the units of X and y."""

    coefs: list  # of arrays (M, n_in, n_out)
    intercepts: list  # of arrays (M, n_out)
    activation: str
    head: MixtureHead
    scaling: Scaling
    least_raw_stds: np.ndarray | None = None  # (M, K or 1, D or 1)

    def with_members(self, chosen, other):
        """The network with those members of ``other`` that are ``chosen`` (M,)."""
        return self._replace(
            coefs=[
                np.where(chosen[:, None, None], new, old)
                for new, old in zip(other.coefs, self.coefs, strict=True)
            ],
            intercepts=[
                np.where(chosen[:, None], new, old)
                for new, old in zip(other.intercepts, self.intercepts, strict=True)
            ],
        )

    def of(self, members):
        """The network of some members, by their numbers."""
        least = self.least_raw_stds
        return self._replace(
            coefs=[coef[members] for coef in self.coefs],
            intercepts=[intercept[members] for intercept in self.intercepts],
            least_raw_stds=None if least is None else least[members],
        )


def raw_outputs(inputs, network):
    """Raw outputs (M, P, B) for `Scaling.inputs` (B, d)."""
    activation = ACTIVATIONS[network.activation]
    layers = list(zip(network.coefs, network.intercepts, strict=True))
    hidden = inputs.T
    for coef, intercept in layers[:-1]:
        hidden = activation(_affine(hidden, coef, intercept))  # (M, H, B)
    return _affine(hidden, *layers[-1])


def _affine(hidden, coef, intercept):
    values = np.matmul(np.swapaxes(coef, 1, 2), hidden)
    values += intercept[..., None]
    return values


def mixture_parameters(X, network):
    """Log-weights, means and factors, in units of y, for rows X (n, d)."""
    found = [_chunk_parameters(chunk, network) for chunk in chunks(X, network)]
    if len(found) == 1:
        return found[0]
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def mixture_mean(X, network):
    """Means (n, D) of the laws, in units of y, without what else there is to them."""
    found = [_chunk_mean(chunk, network) for chunk in chunks(X, network)]
    return found[0] if len(found) == 1 else np.concatenate(found)


def chunks(X, network):
    """Parts of X of so many rows that what is computed of them stays in the cache."""
    n_units = max(coef.shape[0] * coef.shape[2] for coef in network.coefs)
    blocks = row_blocks(len(X), n_units)
    return [X[block].astype(np.float64, copy=False) for block in blocks]


def _chunk_parameters(X, network):
    scaling = network.scaling
    raw = raw_outputs(scaling.inputs(X), network)
    least = network.least_raw_stds
    log_weights, means, factors = network.head.predicted_parameters(raw, np, least)
    units = _gaussian.change_units(means, factors, scaling.y_origin(X), scaling.y_std)
    return log_weights, *units


def _chunk_mean(X, network):
    scaling = network.scaling
    raw = raw_outputs(scaling.inputs(X), network)
    log_weights, means = network.head.weights_and_means(raw, np)
    means = _gaussian.change_location(means, scaling.y_origin(X), scaling.y_std)
    means, weights = (np.ascontiguousarray(a) for a in (means, np.exp(log_weights)))
    return _gaussian.mean(weights, means)
