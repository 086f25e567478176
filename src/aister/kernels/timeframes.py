"""Larger bars from the base stream: UTC boundaries, closed bars only, nothing filled."""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, step

DAY_MS = 86_400_000
NEVER_MS = 1 << 62

FORMING = np.dtype(
    [
        *(("o", "f8"), ("h", "f8"), ("l", "f8"), ("c", "f8"), ("v", "f8"), ("open_time_ms", "i8"), ("count", "i8")),
        *(("interval_ms", "i8"), ("expected", "i8"), ("end_ms", "i8"), ("first_ms", "i8")),
    ],
    align=True,
)
"""The bar being built, of `count` base bars so far out of `expected`, ending at end_ms. No bar that began before
first_ms, the first base bar, is built: it would be a truncated one. interval_ms 0: this timeframe is unavailable."""


def set_forming(s: np.void, interval_ms: int, base_ms: int) -> None:
    """Prepare bars of interval_ms out of bars of base_ms; unavailable (interval_ms 0) if base_ms is larger or does not
    divide it."""
    possible = interval_ms >= base_ms and interval_ms % base_ms == 0
    s["interval_ms"] = interval_ms if possible else 0
    s["expected"] = interval_ms // base_ms if possible else 0
    s["first_ms"] = -1


@step
def broke_off(s: Record, open_time_ms: int) -> bool:
    """Whether this base bar shows that the bar being built ended without its last base bar: it is then closed as
    incomplete."""
    return s.count > 0 and open_time_ms >= s.end_ms


@step
def gather(s: Record, base_ms: int, open_time_ms: int, o: float, h: float, l: float, c: float, v: float) -> bool:
    """Add a base bar (later than any before it); return True if it closes the bar being built, which is then read and
    cleared.

    A bar closes when the base bar arrives whose close time is its end. Call `broke_off` first.
    """
    if s.first_ms < 0:
        s.first_ms = open_time_ms
    if s.count == 0:
        s.open_time_ms = open_time_ms - open_time_ms % s.interval_ms
        s.end_ms = s.open_time_ms + s.interval_ms
        if s.open_time_ms < s.first_ms:
            return False
        s.o = o
        s.h = h
        s.l = l
        s.v = 0.0
    s.h = max(s.h, h)
    s.l = min(s.l, l)
    s.c = c
    s.v += v
    s.count += 1
    return open_time_ms + base_ms == s.end_ms


@kernel
def decision_bars(open_ms: npt.NDArray[np.int64], interval_ms: int, decides_ms: int, out: npt.NDArray[np.int32]) -> int:
    """The bars at whose close a timeframe of `decides_ms` closes, as the features see it: the base bar that ends with
    it, or the first one after an end that is missing; never the truncated one at the very beginning. Returns how
    many."""
    count = 0
    began = NEVER_MS
    window = NEVER_MS
    for i in range(open_ms.size):
        at = open_ms[i]
        if i == 0 or at >= window + decides_ms:
            window = at - at % decides_ms
        closed = False
        if began != NEVER_MS and window > began:
            closed = True
            began = NEVER_MS
        if began == NEVER_MS and window >= open_ms[0]:
            began = window
        if began == window and at + interval_ms == window + decides_ms:
            closed = True
            began = NEVER_MS
        if closed:
            out[count] = i
            count += 1
    return count
