"""The gradient of a multilayer perceptron's loss, by hand, all members at once.

A layer is one batched product. Its intercept is the last row of its weights, met by a
row of ones in its input: W is (M, n_in + 1, n_out). Hidden states are (M, H + 1, B),
with the rows of the batch on the last axis.
"""

from itertools import pairwise
from typing import NamedTuple

import torch

from skmdn.nn.likelihood import MixtureLikelihood
from skmdn.nn.memory import as_array

aten = torch.ops.aten


class Activation(NamedTuple):
    """An activation, and its backward pass as the engine's own fused kernels."""

    forward: object  # (pre-activation, out)
    backward: object  # (gradient, pre-activation, out)


ACTIVATIONS = {
    "relu": Activation(
        lambda x, out: torch.clamp_min(x, 0, out=out),
        lambda g, x, out: aten.threshold_backward.grad_input(g, x, 0, grad_input=out),
    ),
    "silu": Activation(
        lambda x, out: aten.silu.out(x, out=out),
        lambda g, x, out: aten.silu_backward.grad_input(g, x, grad_input=out),
    ),
    "gelu": Activation(
        lambda x, out: aten.gelu.out(x, out=out),
        lambda g, x, out: aten.gelu_backward.grad_input(g, x, grad_input=out),
    ),
    "tanh": Activation(
        lambda x, out: torch.tanh(x, out=out),
        lambda g, x, out: aten.tanh_backward.grad_input(g, x.tanh(), grad_input=out),
    ),
}


class FlatWeights:
    """All weights of all members in one tensor (M, Q), and a view of it per layer.

    One tensor makes the optimiser's step, the clipping and the copy of the best weights
    a handful of operations each, whatever the number of layers.
    """

    def __init__(self, layer_sizes, n_members, **kind):
        shapes = [(n_in + 1, n_out) for n_in, n_out in pairwise(layer_sizes)]
        sizes = [rows * columns for rows, columns in shapes]
        self.flat = torch.zeros(n_members, sum(sizes), **kind)
        self.layers = [
            part.view(n_members, *shape)
            for part, shape in zip(self.flat.split(sizes, 1), shapes, strict=True)
        ]

    def load(self, coefs, intercepts):
        """Copy arrays (M, n_in, n_out) and (M, n_out) of each layer into the views."""
        for layer, coef, intercept in zip(self.layers, coefs, intercepts, strict=True):
            layer[:, :-1] = torch.tensor(coef, device=layer.device)
            layer[:, -1] = torch.tensor(intercept, device=layer.device)

    def arrays(self):
        """Arrays ``coefs`` and ``intercepts``, in float64, one of each per layer."""
        layers = [layer.detach().cpu().double().numpy() for layer in self.layers]
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
        Of the weighted sum of the rows' losses, each member's own.
    """

    def __init__(self, weights, head, activation, batch_size):
        flat = weights.flat
        M = len(flat)
        self.weights = weights
        self.activation = ACTIVATIONS[activation]
        sizes = [layer.shape[2] for layer in weights.layers]
        self.gradient = FlatWeights(
            [weights.layers[0].shape[1] - 1, *sizes],
            M,
            dtype=flat.dtype,
            device=flat.device,
        )
        *hidden_sizes, n_raw = sizes
        self.pre = [flat.new_empty(M, size, batch_size) for size in hidden_sizes]
        self.d_pre = [torch.empty_like(pre) for pre in self.pre]
        self.hidden = [flat.new_ones(M, s + 1, batch_size) for s in hidden_sizes]
        self.raw = flat.new_empty(M, n_raw, batch_size)
        self.d_raw = torch.zeros_like(self.raw)
        self.likelihood = MixtureLikelihood(
            head, as_array(self.raw), as_array(self.d_raw)
        )
        # Views are made once: making one costs as much as a small operation.
        self.active = [hidden[:, :-1] for hidden in self.hidden]
        self.transposed = [layer.transpose(1, 2) for layer in weights.layers]
        self.without_intercepts = [layer[:, :-1] for layer in weights.layers]
        self.d_outputs = [*self.d_pre, self.d_raw]
        self.d_transposed = [d_output.transpose(1, 2) for d_output in self.d_outputs]

    def forward(self, x, y, masks=None):
        """Losses (M, B) of ``x`` (M, d + 1, B), last row ones, and ``y`` (M, D, B).

        ``masks`` are the dropout masks, (M, H, B) for each hidden layer. What is not
        multiplied by weights, ``y`` and the losses, is an array of `as_array`.
        """
        state = x
        for depth, active in enumerate(self.active):
            torch.bmm(self.transposed[depth], state, out=self.pre[depth])
            self.activation.forward(self.pre[depth], out=active)
            if masks is not None:
                active.mul_(masks[depth])
            state = self.hidden[depth]
        torch.bmm(self.transposed[-1], state, out=self.raw)
        return self.likelihood.forward(y)

    def backward(self, x, row_weights, masks=None):
        """Fill `gradient`, each row weighing as ``row_weights`` (M, 1, B) says."""
        self.likelihood.backward(row_weights)
        d_layers = self.gradient.layers
        for depth in range(len(self.hidden), 0, -1):
            torch.bmm(
                self.hidden[depth - 1], self.d_transposed[depth], out=d_layers[depth]
            )
            d_pre = self.d_pre[depth - 1]
            torch.bmm(self.without_intercepts[depth], self.d_outputs[depth], out=d_pre)
            if masks is not None:
                d_pre.mul_(masks[depth - 1])
            self.activation.backward(d_pre, self.pre[depth - 1], out=d_pre)
        torch.bmm(x, self.d_transposed[0], out=d_layers[0])
