"""What the parameters of a network may be, in scikit-learn's terms."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skmdn._checks import is_integer
from skmdn._covariance import COVARIANCE_TYPES
from skmdn._network import ACTIVATIONS

COUNT = Interval(Integral, 1, None, closed="left")
POSITIVE = Interval(Real, 0, None, closed="neither")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="neither")
AUTO = StrOptions({"auto"})

NETWORK_CONSTRAINTS = {
    "n_components": [COUNT],
    "covariance_type": [StrOptions(set(COVARIANCE_TYPES))],
    "noise_std": [POSITIVE, None],
    "hidden_layer_sizes": [COUNT, "array-like"],
    "activation": [StrOptions(set(ACTIVATIONS))],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "min_std": [POSITIVE],
}


def plain_number(value):
    """A number of NumPy's, or a bool, as Python's number; all else as it is."""
    if isinstance(value, Integral):
        return int(value)
    return value.item() if isinstance(value, np.generic) else value


def layer_sizes(hidden_layer_sizes):
    """Units of each hidden layer, as a tuple, of one layer if a number is given."""
    sizes = np.atleast_1d(hidden_layer_sizes).tolist()
    if not all(is_integer(size) and size > 0 for size in sizes):
        raise ValueError(
            "hidden_layer_sizes must be positive integers, the units of each hidden "
            f"layer; got {hidden_layer_sizes!r}."
        )
    return tuple(sizes)
