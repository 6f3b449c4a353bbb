"""Conditional distributions for scikit-learn: mixture density networks."""

from importlib import import_module

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

_SUBMODULES = ("metrics", "nn")  # imported when they are asked for

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


def __getattr__(name):
    if name not in _SUBMODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")


def __dir__():
    return sorted({*globals(), *_SUBMODULES})
