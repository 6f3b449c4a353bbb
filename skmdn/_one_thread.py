"""BLAS on one thread: digits depend on their number, and small matrices are slower."""

import threading
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_n_inside = 0
_limit = None


@contextmanager
def one_thread():
    """Run the body on one thread of BLAS.

    The number is the process's, and several of its threads may be inside at a time: the
    first to come in sets it, and the last to leave sets it back.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter():
    global _n_inside, _limit
    with _lock:
        if _n_inside == 0:
            _limit = _controller().limit(limits=1, user_api="blas")
        _n_inside += 1


def _leave():
    global _n_inside
    with _lock:
        _n_inside -= 1
        if _n_inside == 0:
            _limit.restore_original_limits()


@cache
def _controller():
    return ThreadpoolController()
