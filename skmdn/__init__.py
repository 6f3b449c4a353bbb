"""Conditional distributions for scikit-learn: mixture density networks."""

from skmdn._distribution import MixtureDistribution
from skmdn._plot import (
    ConditionalDensityDisplay,
    LossCurveDisplay,
    PITDisplay,
    PredictiveDistributionDisplay,
    ReliabilityDisplay,
)
from skmdn._regressor import MDNRegressor

__version__ = "0.1.0"

__all__ = [
    "ConditionalDensityDisplay",
    "LossCurveDisplay",
    "MDNRegressor",
    "MixtureDistribution",
    "PITDisplay",
    "PredictiveDistributionDisplay",
    "ReliabilityDisplay",
    "__version__",
]
