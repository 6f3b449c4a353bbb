"""One code for two libraries: NumPy's arrays on the CPU, torch's elsewhere.

A step through two layers is some seventy operations on a few thousand numbers, and what
each costs is its call. NumPy's calls cost a third of torch's, and less still where they
take turns with others: they share most of their instructions, which have to fit a cache
too.
"""

from contextlib import nullcontext

import numpy as np

ONE = np.array(1, np.float32)  # exact in any type


def library(device):
    """What a fit computes with: None, which is NumPy, or the torch.device to use.

    ``device`` is "cpu", "cuda", "auto" or anything that torch.device takes; "auto" is a
    GPU if there is one. torch is imported for others than "cpu" alone.
    """
    if isinstance(device, str) and device == "cpu":
        return None
    import torch

    if isinstance(device, str) and device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        resolved = torch.device(device)
        torch.zeros(1, device=resolved).item()
    except (RuntimeError, TypeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} cannot be used here: {error} Set device='auto' to take "
            "a GPU only where there is one."
        ) from error
    return None if resolved.type == "cpu" else resolved


def without_autograd(device):
    """A context in which torch, where it computes, keeps no graph."""
    if device is None:
        return nullcontext()
    import torch

    return torch.inference_mode()


def namespace(array):
    """NumPy or torch, whichever ``array`` belongs to."""
    if isinstance(array, np.ndarray):
        return np
    import torch

    return torch


def array_on(values, device):
    """A NumPy array itself, or as a tensor on the ``device`` that `library` named."""
    if device is None:
        return values
    import torch

    return torch.from_numpy(values).to(device)


def device_of(array):
    """Where an array is, as `library` would say it."""
    return None if isinstance(array, np.ndarray) else array.device


def array_like(values, array):
    """An array of ``values`` of the library, type and device of ``array``."""
    if isinstance(array, np.ndarray):
        return np.array(values, dtype=array.dtype)
    return namespace(array).as_tensor(values, dtype=array.dtype, device=array.device)


def constant(value, array):
    """A number for arithmetic with ``array``, in the form that costs least.

    NumPy converts a number of Python's at every call, for half the time of a call.
    """
    return array_like(value, array) if isinstance(array, np.ndarray) else value


def zeros(shape, array):
    """Zeros of the library, type and device of ``array``."""
    if isinstance(array, np.ndarray):
        return np.zeros(shape, dtype=array.dtype)
    return array.new_zeros(shape)


def copy(array):
    """A copy of NumPy's or torch's."""
    return array.copy() if isinstance(array, np.ndarray) else array.clone()


def as_numpy(array):
    """A NumPy array of what is NumPy's or torch's."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def as_float64(array):
    """A NumPy array in float64 of what is NumPy's or torch's."""
    return as_numpy(array).astype(np.float64)


def gather(array, index, out):
    """Rows ``index`` of a matrix, into ``out``; the index is within its bounds."""
    if isinstance(array, np.ndarray):
        array.take(index, 0, out, "clip")
    else:
        namespace(array).index_select(array, 0, index, out=out)


def sigmoid(x, out):
    """1 / (1 + exp(-x)), which is 0 where the exponential overflows."""
    if isinstance(x, np.ndarray):
        np.negative(x, out=out)
        np.exp(out, out=out)
        np.add(out, ONE, out=out)
        np.divide(ONE, out, out=out)
    else:
        namespace(x).sigmoid(x, out=out)


def normal_cdf(x, out):
    """The standard normal distribution function Φ(x)."""
    if isinstance(x, np.ndarray):
        from scipy.special import ndtr

        ndtr(x, out=out)
    else:
        namespace(x).special.ndtr(x, out=out)


def random_numbers(seed, array):
    """A function that fills arrays like ``array`` with numbers uniform in [0, 1)."""
    if isinstance(array, np.ndarray):
        rng = np.random.Generator(np.random.SFC64(seed))
        return lambda out: rng.random(out=out, dtype=out.dtype)
    generator = namespace(array).Generator(array.device).manual_seed(int(seed))
    return lambda out: out.uniform_(generator=generator)
