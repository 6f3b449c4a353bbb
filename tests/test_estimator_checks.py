"""Everything that scikit-learn demands of an estimator, with no expected failure."""

import pytest
from sklearn.base import is_regressor
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_inplace_ensure_writeable,
    check_param_validation,
    parametrize_with_checks,
)

from skmdn import MDNRegressor

BRIEFLY = {"max_iter": 20, "random_state": 0}


@parametrize_with_checks(
    [
        MDNRegressor(),
        MDNRegressor(n_components=1, **BRIEFLY),
        MDNRegressor(n_components=3, **BRIEFLY),
        MDNRegressor(covariance_type="full", **BRIEFLY),
        MDNRegressor(covariance_type="spherical", **BRIEFLY),
        MDNRegressor(covariance_type="tied_spherical", **BRIEFLY),
        MDNRegressor(covariance_type="fixed_spherical", noise_std=0.5, **BRIEFLY),
        MDNRegressor(n_estimators=3, **BRIEFLY),
        MDNRegressor(n_init=2, **BRIEFLY),
        MDNRegressor(early_stopping=False, **BRIEFLY),
        MDNRegressor(dropout=0.0, **BRIEFLY),
    ]
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
        check_param_validation,
    ],
)
def test_it_passes_the_checks_that_are_not_asked_of_everybody(check):
    check("MDNRegressor", MDNRegressor(**BRIEFLY))


def test_it_is_a_regressor():
    assert is_regressor(MDNRegressor())
