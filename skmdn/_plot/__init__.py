"""Displays: laws in pictures, computed once and drawn as often as you like."""

from skmdn._plot.conditional_density import ConditionalDensityDisplay
from skmdn._plot.loss_curve import LossCurveDisplay
from skmdn._plot.pit import PITDisplay
from skmdn._plot.predictive_distribution import PredictiveDistributionDisplay
from skmdn._plot.reliability import ReliabilityDisplay

__all__ = [
    "ConditionalDensityDisplay",
    "LossCurveDisplay",
    "PITDisplay",
    "PredictiveDistributionDisplay",
    "ReliabilityDisplay",
]
