"""One memory under two libraries: on the CPU a tensor's numbers are a NumPy array too.

An operation on a few hundred numbers costs its call, and NumPy's call is a third of
torch's.
"""

import numpy as np
import torch


def as_array(tensor):
    """The tensor's numbers as a NumPy array on the CPU, and itself elsewhere."""
    return tensor.numpy() if tensor.device.type == "cpu" else tensor


def array_on(array, device):
    """A NumPy array as it is on the CPU, and as a tensor elsewhere."""
    return as_array(torch.from_numpy(array).to(device))


def namespace(array):
    """NumPy or torch, whichever ``array`` belongs to."""
    return np if isinstance(array, np.ndarray) else torch


def gather(array, index, out):
    """Rows ``index`` of a matrix, into ``out``; the index is within its bounds."""
    if isinstance(array, np.ndarray):
        array.take(index, 0, out, "clip")
    else:
        torch.index_select(array, 0, index, out=out)


def random_bits(words, seed):
    """A function that fills an array of int64 with random bits, anew at each call."""
    if isinstance(words, np.ndarray):
        bits = np.random.SFC64(seed)

        def fill():
            words[:] = bits.random_raw(words.size).view(np.int64)

    else:
        generator = torch.Generator(words.device).manual_seed(int(seed))
        smallest = torch.iinfo(torch.int64).min

        def fill():
            words.random_(smallest, None, generator=generator)

    return fill


def array_like(values, array):
    """An array of ``values`` of the library, type and device of ``array``."""
    if isinstance(array, np.ndarray):
        return np.asarray(values, dtype=array.dtype)
    return torch.as_tensor(values, dtype=array.dtype, device=array.device)


def as_float64(array):
    """A NumPy array in float64 of what is NumPy's or torch's."""
    if isinstance(array, torch.Tensor):
        array = array.cpu().numpy()
    return array.astype(np.float64)
