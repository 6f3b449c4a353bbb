"""Activations with their derivatives, in NumPy or torch, in place.

Each takes the namespace, pre-activations ``x`` that it may spoil, and two arrays of the
shape of x: the activations go into ``out`` and their derivatives into ``slope``.
"""

import math

from skmdn.nn.arrays import normal_cdf, sigmoid


def relu(xp, x, out, slope):
    """The larger of x and 0; its derivative is 0 or 1."""
    xp.multiply(x, 0, out=slope)
    xp.maximum(x, slope, out=out)
    xp.sign(out, out=slope)


def silu(xp, x, out, slope):
    """Of x, with s the sigmoid, x s(x); its derivative is s + s (x - x s)."""
    sigmoid(x, out=slope)
    xp.multiply(x, slope, out=out)
    xp.subtract(x, out, out=x)
    xp.multiply(x, slope, out=x)
    xp.add(slope, x, out=slope)


def gelu(xp, x, out, slope):
    """Of x, x Φ(x); its derivative is Φ + x φ."""
    normal_cdf(x, out=slope)
    xp.multiply(x, slope, out=out)
    density = xp.exp(x * x * -0.5)
    xp.multiply(x, density, out=x)
    xp.multiply(x, 1 / math.sqrt(2 * math.pi), out=x)
    xp.add(slope, x, out=slope)


def tanh(xp, x, out, slope):
    """The hyperbolic tangent; its derivative is 1 - tanh²."""
    xp.tanh(x, out=out)
    xp.multiply(out, out, out=slope)
    xp.negative(slope, out=slope)
    xp.add(slope, 1, out=slope)


ACTIVATIONS = {"relu": relu, "silu": silu, "gelu": gelu, "tanh": tanh}
