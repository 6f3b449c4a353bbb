"""Training on one thread that leaves torch as it found it."""

import re
import threading
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_fits_under_way = 0
_threads_before = 1


@contextmanager
def isolated():
    """Run the body on one thread, outside of autograd.

    Float32 sums depend on the number of threads, and two threads on small tensors are
    far slower than one while another process works. The limit of OpenMP is the calling
    thread's own.
    """
    with _controller().limit(limits=1, user_api="openmp"), torch.inference_mode():
        _lower_mkl_threads()
        try:
            yield
        finally:
            _restore_mkl_threads()


@cache
def _controller():
    return ThreadpoolController()


def _mkl_threads():
    """Threads of MKL, which follows OpenMP's limit unless somebody set its number."""
    report = torch.__config__.parallel_info()
    found = re.search(r"mkl_get_max_threads\(\) : (\d+)", report)
    return int(found.group(1)) if found else 1


def _lower_mkl_threads():
    """Undo ``torch.set_num_threads`` of the process while any fit is under way."""
    global _fits_under_way, _threads_before
    with _lock:
        if _fits_under_way == 0:
            _threads_before = _mkl_threads()
            if _threads_before > 1:
                torch.set_num_threads(1)
        _fits_under_way += 1


def _restore_mkl_threads():
    global _fits_under_way
    with _lock:
        _fits_under_way -= 1
        if _fits_under_way == 0 and _threads_before > 1:
            torch.set_num_threads(_threads_before)
