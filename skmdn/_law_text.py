"""A law in words: how many mixtures, and the first few spelt out."""

import numpy as np

from skmdn import _gaussian

ROWS, TERMS = 3, 3  # that are spelt out


def in_words(law):
    """Lines for the repr of a `MixtureDistribution`."""
    head = (
        f"{type(law).__name__}(n={len(law)}, n_components={law.n_components}, "
        f"n_outputs={law.n_outputs})"
    )
    rows = [_mixture(law, row) for row in range(min(len(law), ROWS))]
    more = ["  ..."] if len(law) > ROWS else []
    return "\n".join([head, *rows, *more])


def _mixture(law, row):
    """One line: the mixture of a row."""
    stds = np.sqrt(_gaussian.variances(law._factors[[row]]))[0]
    terms = [
        f"{weight:.3g} N({_plain(mean)}, {_plain(std)}²)"
        for weight, mean, std in zip(
            law.weights[row], law.means[row], stds, strict=True
        )
    ]
    shown = terms if len(terms) <= TERMS else [*terms[:TERMS], "..."]
    return f"  [{row}] " + " + ".join(shown)


def _plain(values):
    text = " ".join(f"{value:.3g}" for value in values)
    return text if len(values) == 1 else f"[{text}]"
