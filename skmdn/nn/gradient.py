"""The gradient of a multilayer perceptron's loss, by hand, all members at once.

A layer is one batched product. Its intercept is the last row of its weights, met by a
row of ones in its input: W is (M, n_in + 1, n_out). Hidden states are (M, H + 1, B),
with the rows of the batch on the last axis. The arrays are NumPy's or torch's.
"""

import math
from itertools import pairwise

import numpy as np

from skmdn.nn.activations import ACTIVATIONS
from skmdn.nn.arrays import array_like, as_float64, namespace, zeros
from skmdn.nn.likelihood import MixtureLikelihood


class FlatWeights:
    """All weights of all members in one array (M, Q), and a view of it per layer.

    One array makes clipping, Adam, the average and the copy of the best weights a
    handful of operations each, whatever the number of layers.

    Parameters
    ----------
    layer_sizes : list of int
        Inputs, hidden units of each layer, raw outputs.
    n_members : int
    like : array
        Of the library, type and device that the weights shall have.
    """

    def __init__(self, layer_sizes, n_members, like):
        shapes = [(n_in + 1, n_out) for n_in, n_out in pairwise(layer_sizes)]
        ends = np.cumsum([0, *(rows * columns for rows, columns in shapes)]).tolist()
        self.flat = zeros((n_members, ends[-1]), like)
        self.layers = [
            self.flat[:, start:end].reshape(n_members, *shape)
            for (start, end), shape in zip(pairwise(ends), shapes, strict=True)
        ]

    def zeros(self, n_members):
        """Weights of ``n_members`` with the same layers, all zero."""
        n_features = self.layers[0].shape[1] - 1
        n_outs = [layer.shape[2] for layer in self.layers]
        return FlatWeights([n_features, *n_outs], n_members, self.flat)

    def load(self, coefs, intercepts):
        """Copy arrays (M, n_in, n_out) and (M, n_out) of each layer into the views."""
        for layer, coef, intercept in zip(self.layers, coefs, intercepts, strict=True):
            layer[:, :-1] = array_like(coef, layer)
            layer[:, -1] = array_like(intercept, layer)

    def of(self, members):
        """A copy of the weights of some ``members``, a list of their numbers."""
        part = self.zeros(len(members))
        part.flat[:] = self.flat[members]
        return part

    def arrays(self):
        """Arrays ``coefs`` and ``intercepts``, in float64, one of each per layer."""
        layers = [as_float64(layer) for layer in self.layers]
        return [w[:, :-1].copy() for w in layers], [w[:, -1].copy() for w in layers]


class BatchGradient:
    """Loss of a batch and its gradient with respect to all weights, in fixed buffers.

    Parameters
    ----------
    weights : FlatWeights
        The network's weights; read, never written.
    head : MixtureHead
        What the raw outputs mean.
    activation : {"relu", "silu", "gelu", "tanh"}
    batch_size : int
        Rows B of every batch of every member.

    Attributes
    ----------
    gradient : FlatWeights
        Of the weighted sum of the rows' losses, and of minus their log-priors, each
        member's own.
    """

    def __init__(self, weights, head, activation, batch_size):
        flat = weights.flat
        M = len(flat)
        self.xp = namespace(flat)
        self.activate = ACTIVATIONS[activation]
        self.gradient = weights.zeros(M)
        *hidden_sizes, n_raw = [layer.shape[2] for layer in weights.layers]
        shapes = [(M, size, batch_size) for size in hidden_sizes]
        # One array for all layers: what it holds is used up before the next.
        scratch = zeros(M * batch_size * max(hidden_sizes, default=0), flat)
        self.scratch = [scratch[: math.prod(shape)].reshape(shape) for shape in shapes]
        self.slopes = [zeros(shape, flat) for shape in shapes]
        self.hidden = [zeros((M, size + 1, batch_size), flat) for size in hidden_sizes]
        for hidden in self.hidden:
            hidden[:, -1] = 1
        self.raw = zeros((M, n_raw, batch_size), flat)
        self.d_raw = zeros((M, n_raw, batch_size), flat)
        self.likelihood = MixtureLikelihood(head, self.raw, self.d_raw)
        # Views are made once: making one costs as much as a small operation.
        self.active = [hidden[:, :-1] for hidden in self.hidden]
        self.transposed = [layer.swapaxes(1, 2) for layer in weights.layers]
        self.without_intercepts = [layer[:, :-1] for layer in weights.layers]
        # A layer's derivatives become the gradient by its outputs, in place.
        self.d_outputs = [*self.slopes, self.d_raw]
        self.d_transposed = [d_output.swapaxes(1, 2) for d_output in self.d_outputs]

    def forward(self, x, y, masks=None):
        """Losses (M, B) of ``x`` (M, d + 1, B), last row ones, and ``y`` (M, D, B).

        ``masks`` are the dropout masks, (M, H, B) for each hidden layer.
        """
        xp, state = self.xp, x
        for depth, (active, slope) in enumerate(
            zip(self.active, self.slopes, strict=True)
        ):
            xp.matmul(self.transposed[depth], state, out=self.scratch[depth])
            self.activate(xp, self.scratch[depth], active, slope)
            if masks is not None:
                active *= masks[depth]
                slope *= masks[depth]
            state = self.hidden[depth]
        xp.matmul(self.transposed[-1], state, out=self.raw)
        return self.likelihood.forward(y)

    def backward(self, x, row_weights):
        """Fill `gradient`, each row weighing as ``row_weights`` (M, 1, B) says.

        Once after each `forward`, whose slopes it uses up.
        """
        xp, d_layers = self.xp, self.gradient.layers
        self.likelihood.backward(row_weights)
        for depth in range(len(self.hidden), 0, -1):
            state, d_output = self.hidden[depth - 1], self.d_outputs[depth]
            xp.matmul(state, self.d_transposed[depth], out=d_layers[depth])
            d_state, d_pre = self.scratch[depth - 1], self.d_outputs[depth - 1]
            xp.matmul(self.without_intercepts[depth], d_output, out=d_state)
            d_pre *= d_state
        xp.matmul(x, self.d_transposed[0], out=d_layers[0])
