"""The one door to torch: arrays in, arrays out.

Public is :class:`MixtureDensityNetwork`, for people who work in torch themselves.
"""

from skmdn.nn.network import MixtureDensityNetwork

__all__ = ["MixtureDensityNetwork"]
