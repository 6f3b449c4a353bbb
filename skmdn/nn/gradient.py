"""The gradient of a multilayer perceptron's loss, by hand, all members at once.

A layer is one batched product. Its intercept is the last row of its weights, met by a
row of ones in its input: W is (M, n_in + 1, n_out). Hidden states are (M, H + 1, B),
with the rows of the batch on the last axis.
"""

from itertools import pairwise
from typing import NamedTuple

import torch

from skmdn.nn.likelihood import MixtureLikelihood

aten = torch.ops.aten


class Activation(NamedTuple):
    """An activation, and its backward pass as the engine's own fused kernels."""

    forward: object  # (pre-activation, out)
    backward: object  # (gradient, pre-activation, out)


ACTIVATIONS = {
    "relu": Activation(
        lambda x, out: torch.clamp_min(x, 0, out=out),
        lambda g, x, out: aten.threshold_backward(g, x, 0, grad_input=out),
    ),
    "silu": Activation(
        lambda x, out: aten.silu(x, out=out),
        lambda g, x, out: aten.silu_backward(g, x, grad_input=out),
    ),
    "gelu": Activation(
        lambda x, out: aten.gelu(x, out=out),
        lambda g, x, out: aten.gelu_backward(g, x, grad_input=out),
    ),
    "tanh": Activation(
        lambda x, out: torch.tanh(x, out=out),
        lambda g, x, out: aten.tanh_backward(g, x.tanh(), grad_input=out),
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
        self.likelihood = MixtureLikelihood(head, self.raw)

    def forward(self, x, y, masks=None):
        """Losses (M, B) of ``x`` (M, B, d + 1), last column ones, and ``y`` (M, D, B).

        ``masks`` are the dropout masks, (M, H, B) for each hidden layer.
        """
        states = [x.transpose(1, 2), *self.hidden]
        outputs = [*self.pre, self.raw]
        for depth, layer in enumerate(self.weights.layers):
            torch.bmm(layer.transpose(1, 2), states[depth], out=outputs[depth])
            if depth < len(self.hidden):
                active = self.hidden[depth][:, :-1]
                self.activation.forward(self.pre[depth], out=active)
                if masks is not None:
                    active.mul_(masks[depth])
        return self.likelihood.forward(y)

    def backward(self, x, row_weights, masks=None):
        """Fill `gradient`, each row weighing as ``row_weights`` (M, 1, B) says."""
        self.likelihood.backward(row_weights)
        inputs = [x.transpose(1, 2), *self.hidden]
        d_output = self.likelihood.gradient
        for depth in reversed(range(len(inputs))):
            torch.bmm(
                inputs[depth],
                d_output.transpose(1, 2),
                out=self.gradient.layers[depth],
            )
            if depth == 0:
                break
            d_output = self._into_activation(depth - 1, d_output, masks)

    def _into_activation(self, depth, d_output, masks):
        """Gradient (M, H, B) at a pre-activation, from that at the layer's output."""
        pre, d_pre = self.pre[depth], self.d_pre[depth]
        torch.bmm(self.weights.layers[depth + 1][:, :-1], d_output, out=d_pre)
        if masks is not None:
            d_pre.mul_(masks[depth])
        self.activation.backward(d_pre, pre, out=d_pre)
        return d_pre
