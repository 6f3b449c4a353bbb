"""Rows that differ in one feature and are typical in all others."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from skmdn._checks import real_numbers


class Line(NamedTuple):
    """A line through the features, parallel to one of them."""

    rows: Any  # of the kind of X, one for each value of x
    x: np.ndarray  # (n_x,)
    observed: np.ndarray  # (n,), the feature in X
    name: str


def line_through(estimator, X, feature, held, x):
    """Line along ``feature``, the others at what ``held`` says or at typical values."""
    X = X if hasattr(X, "iloc") else np.asarray(X)
    if X.ndim != 2 or len(X) == 0:
        raise ValueError(
            f"X must have shape (n, n_features) and at least one row, got {X.shape}."
        )
    names = _feature_names(X, estimator)
    index = _index("feature", feature, names)
    held = _held(held, names)
    observed = real_numbers(f"feature {names[index]!r}", _column(X, index))
    if x is None:
        x = np.linspace(np.nanmin(observed), np.nanmax(observed), 200)
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 1 or len(x) == 0:
        raise ValueError(
            f"x must be a list of values of the feature, (n_x,); got shape {x.shape}."
        )
    return Line(_rows(X, {**held, index: x}, len(x)), x, observed, names[index])


def _held(held, names):
    """Values by the position of their feature."""
    if held is None:
        return {}
    if not isinstance(held, Mapping):
        raise ValueError(
            f"held must be a dict of values by feature, such as {{{names[0]!r}: 0.5}}; "
            f"got {held!r}. Leave it at None to hold all others at typical values."
        )
    for key, value in held.items():
        if np.ndim(value) > 0:
            raise ValueError(
                f"held must have one value for each feature, got {value!r} for {key!r}."
            )
    return {_index("held", key, names): value for key, value in held.items()}


def _feature_names(X, estimator):
    """Names of the columns; without any x0, x1, ... as scikit-learn has them."""
    if hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    default = [f"x{i}" for i in range(X.shape[1])]
    return list(getattr(estimator, "feature_names_in_", default))


def _index(what, feature, names):
    """Position of a feature given by its name or by its position."""
    if isinstance(feature, str) and feature in names:
        return names.index(feature)
    if isinstance(feature, int | np.integer) and 0 <= feature < len(names):
        return int(feature)
    raise ValueError(
        f"{what} must name features by 0 to {len(names) - 1} or by {names}, got "
        f"{feature!r}."
    )


def _rows(X, held, n):
    """Rows like those of X (n, n_features), from a value or n values per column."""
    columns = range(X.shape[1])
    held = {i: held[i] if i in held else _typical(_column(X, i)) for i in columns}
    if not hasattr(X, "iloc"):
        return np.column_stack([np.broadcast_to(held[i], n) for i in columns])
    rows = X.iloc[np.zeros(n, dtype=int)].reset_index(drop=True)
    for i, name in enumerate(X.columns):
        rows[name] = held[i]
        if not _is_number(X[name]):
            rows[name] = rows[name].astype(X[name].dtype)
    return rows


def _typical(values):
    """Median, of whole numbers one of them, or the most frequent value."""
    kind = getattr(values.dtype, "kind", "O")
    if kind in "iub":  # may be codes, of which only those that are there mean something
        return np.sort(np.asarray(values))[(len(values) - 1) // 2]
    if kind == "f":
        return np.nanmedian(np.asarray(values, dtype=np.float64))
    names, counts = np.unique(np.asarray(values).astype(str), return_counts=True)
    return next(v for v in values if str(v) == names[np.argmax(counts)])


def _is_number(values):
    return getattr(values.dtype, "kind", "O") in "iufb"


def _column(X, index):
    return X.iloc[:, index] if hasattr(X, "iloc") else X[:, index]
