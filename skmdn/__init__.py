"""Conditional distributions for scikit-learn: mixture density networks."""

from skmdn._distribution import MixtureDistribution

__version__ = "0.1.0"

__all__ = ["MixtureDistribution", "__version__"]
