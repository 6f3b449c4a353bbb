"""The one door to torch: arrays in, arrays out.

Public is :class:`MixtureDensityNetwork`, for people who work in torch themselves. It is
imported when it is asked for, since a fit on the CPU needs no torch.
"""

__all__ = ["MixtureDensityNetwork"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from skmdn.nn.network import MixtureDensityNetwork

    return MixtureDensityNetwork


def __dir__():
    return sorted([*globals(), *__all__])
