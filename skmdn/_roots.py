"""Roots of many increasing functions at once: Newton's method inside a bracket."""

import numpy as np


def increasing_root(step, low, high, start, *columns):
    """Solve N scalar equations, each with its root in [low, high] (N,) -> (N,).

    ``step(y, *columns)`` returns the residual, of the sign of y - root, or 0 where y is
    as good as rounding allows, and the move that Newton (or a relative) proposes. The
    arrays in `columns` have N as their last axis; equations that are solved leave.

    A move that leaves the bracket, is not finite, or is over half the move before last
    is replaced by bisection (Brent 1973, ch. 4), so a flat valley costs a halving and
    no more. An equation ends at residual 0, or when no float is left in its bracket, at
    the place of least residual: there is no tolerance in y.
    """
    root = np.array(start)
    index = np.arange(root.size)
    recent = np.full((2, root.size), np.inf)  # the last two moves
    least = np.full(root.size, np.inf)
    y = root
    while y.size:
        residual, move = step(y, *columns)
        low, high = np.where(residual < 0, y, low), np.where(residual > 0, y, high)
        middle = 0.5 * low + 0.5 * high
        proposal = _at_least_one_float(y, move)
        bold = np.abs(proposal - y) > 0.5 * recent[0]
        inside = (low < proposal) & (proposal < high) & ~bold
        y_next = np.where(inside, proposal, middle)
        going = (np.abs(residual) > 0) & (low < middle) & (middle < high)
        better = ~(np.abs(residual) > least)
        root[index[better]] = y[better]
        least = np.minimum(least, np.abs(residual))
        if not going.all():
            keep = np.flatnonzero(going)
            index, low, high, y, y_next, recent, least, *columns = (
                a.take(keep, axis=-1)
                for a in (index, low, high, y, y_next, recent, least, *columns)
            )
        recent = np.stack([recent[1], np.abs(y_next - y)])
        y = y_next
    return root


def _at_least_one_float(y, move):
    """Return y + move, or the neighbour of y that way if the sum rounds back to y."""
    moved = y + move
    return np.where(moved == y, np.nextafter(y, y + np.copysign(np.inf, move)), moved)
