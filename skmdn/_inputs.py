"""What a fit is given: checked as scikit-learn checks it, its rows made canonical."""

import numpy as np
from sklearn import config_context, get_config
from sklearn.utils.validation import _check_sample_weight, validate_data

from skmdn._checks import check_weight_values, real_numbers
from skmdn._rows import canonical_samples, power_of_two

NEGLIGIBLE = 1e-30  # weight, beside the largest


class CheckedInputs:
    """The part of `MDNRegressor` that meets its users' data."""

    def _validated(self, *data, reset):
        """Rows as float arrays; array-API tensors become NumPy like everything else."""
        kwargs = {"multi_output": True, "y_numeric": True} if len(data) == 2 else {}
        kwargs |= {"dtype": (np.float64, np.float32), "reset": reset}
        if not get_config()["array_api_dispatch"]:
            return validate_data(self, *data, **kwargs)
        with config_context(array_api_dispatch=False):
            return validate_data(self, *data, **kwargs)

    def _samples(self, X, y, sample_weight, reset, name="sample_weight"):
        X, y = self._validated(X, y, reset=reset)
        y = _finite_numbers(y)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        check_weight_values(weights, name)
        self._check_outputs(y, reset)
        if name == "sample_weight":  # rows to learn from: answers are shaped like them
            self._y_ndim = y.ndim
        weights = weights / power_of_two(weights[:, None], np.arange(len(weights)))
        weights[weights < NEGLIGIBLE] = 0
        return canonical_samples(X, y.reshape(len(y), -1), weights)

    def _check_outputs(self, y, reset):
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if reset:
            self.n_outputs_ = n_outputs
        elif n_outputs != self.n_outputs_:
            raise ValueError(
                f"y has {n_outputs} outputs, but MDNRegressor was fitted with "
                f"{self.n_outputs_}."
            )

    def _held_out(self, X_val, y_val, sample_weight_val):
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together: pass both or neither.")
        if X_val is None:
            if sample_weight_val is not None:
                raise ValueError("sample_weight_val needs X_val and y_val.")
            return None
        if not self.early_stopping:
            raise ValueError(
                "X_val and y_val are for early stopping, which early_stopping=False "
                "switches off. Set early_stopping=True or leave them out."
            )
        name = "sample_weight_val"
        try:
            return self._samples(X_val, y_val, sample_weight_val, False, name)
        except (TypeError, ValueError) as error:
            raise type(error)(f"In X_val, y_val or {name}: {error}") from error


def _finite_numbers(y):
    """Targets in float64; what scikit-learn lets pass as objects may hide NaN."""
    y = real_numbers("y", y)
    missing = np.argwhere(~np.isfinite(y))
    if len(missing):
        raise ValueError(
            f"Input y contains NaN or infinity, first in row {missing[0, 0]}. Drop the "
            "rows without a target."
        )
    return y
