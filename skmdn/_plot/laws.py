"""What may be drawn: one law of one output for each row, one observation for each."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmdn._checks import check_law, real_numbers


def mixture_to_draw(estimator, X):
    """Law of each row of X as a mixture, whose units must be those of y."""
    from skmdn._predicted_law import innermost_law  # brings scikit-learn's pipelines

    check_is_fitted(estimator)
    law, transformers = innermost_law(estimator, X)
    if transformers:
        raise ValueError(
            f"{type(estimator).__name__} transforms y, and its law of y is no mixture, "
            "as it has to be drawn here. MDNRegressor scales y by itself. For another "
            "transform, draw on its scale: from_predictions(transformed_y, "
            "estimator.regressor_.predict(X, output_type='distribution'))."
        )
    return law


def law_to_judge(estimator, X):
    """Law of each row of X, also of a y that was transformed: its probabilities."""
    from skmdn._predicted_law import predicted_law  # brings scikit-learn's pipelines

    check_is_fitted(estimator)
    return predicted_law(estimator, X)


def law_of_one_output(law):
    if check_law(law).n_outputs > 1:
        raise ValueError(
            f"This law is of {law.n_outputs} outputs, a display shows one. Take the "
            "marginal of one: from_predictions(y[:, 0], law.marginal(0), ...), where "
            "law is what predict_distribution(X) returns."
        )
    return law


def uniform_values(y, law):
    """Probability integral transform (n,): cdf at y, uniform if the law is right."""
    if len(check_law(law)) == 0:
        raise ValueError("There are no rows to judge the laws by, give at least one.")
    return law_of_one_output(law).cdf(y).reshape(len(law))


def observations(y):
    """Finite observations of one output as (n,); None stays None."""
    if y is None:
        return None
    y = real_numbers("y", y)
    missing = np.argwhere(~np.isfinite(y))
    if len(missing):
        raise ValueError(
            f"y must be finite to be drawn, got {y[tuple(missing[0])]} in row "
            f"{missing[0, 0]}. Leave such rows out."
        )
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def one_for_each(name, values, rows):
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (len(rows),):
        raise ValueError(
            f"{name} must have shape ({len(rows)},), one value for each row; got "
            f"{values.shape}."
        )
    return values


def pairs(x_observed, y, x):
    """Observations (n, 2), at x unless x_observed is given; None without y."""
    y = observations(y)
    if y is None:
        return None
    if x_observed is None:
        return np.column_stack([x, one_for_each("y", y, x)])
    return np.column_stack([one_for_each("x_observed", x_observed, y), y])


def check_fraction(name, value):
    if not isinstance(value, Real) or not 0 < value < 1:
        raise ValueError(
            f"{name} must be above 0 and below 1, got {value!r}. Percentages are to be "
            "divided by 100."
        )


def name_of(values, default):
    """Name of a pandas Series."""
    return str(getattr(values, "name", None) or default)
