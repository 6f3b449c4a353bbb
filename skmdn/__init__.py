"""Conditional distributions for scikit-learn: mixture density networks."""

from skmdn._distribution import MixtureDistribution
from skmdn._regressor import MDNRegressor

__version__ = "0.1.0"

__all__ = ["MDNRegressor", "MixtureDistribution", "__version__"]
