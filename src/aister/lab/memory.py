"""Freed memory stays with the process: a run needs the same columns and rows as the one before it."""

import ctypes
from functools import cache

__all__ = ["keep_freed"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_NEVER, _MOST = 2**31 - 1, 32 * 2**20
"""The highest values glibc takes: nothing is given back, and up to 32 MB an array comes from the heap."""


@cache
def keep_freed() -> bool:
    """Ask the allocator to keep what is freed; whether it could be asked (glibc; elsewhere nothing changes).

    By default glibc gives every array above 128 kB back to the system and asks anew, and each of its pages is zeroed
    and mapped at the first touch: of a run over a year that was 40 % of the time. Peak memory is the same; it is
    the process's until it ends. Source: mallopt(3)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_TRIM_THRESHOLD, _NEVER)) and bool(mallopt(_MMAP_THRESHOLD, _MOST))
