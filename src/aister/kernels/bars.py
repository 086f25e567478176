"""Bars as the batch loops read them: one row each, so that looking into a bar is one visit to memory."""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, step
from aister.kernels.cost import RATE_ONE
from aister.kernels.impact import DAY_MS, close_day, volume_in_steps
from aister.kernels.state import State

BAR = np.dtype(
    [("o", "i4"), ("h", "i4"), ("l", "i4"), ("c", "i4"), ("volume", "i8"), ("impact", "f8")],
    align=True,
)
"""o, h, l, c: prices in ticks; volume in steps; impact: impact(1) in force, of the days complete before the bar's
own."""

RANGE_BARS = 14

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_LINE = 64


def room_for(bars: int) -> State:
    """Rows not written yet, two to a line of the processor's cache."""
    raw = np.empty(bars * BAR.itemsize + _LINE, "u1")
    skipped = -raw.ctypes.data % _LINE
    return raw[skipped : skipped + bars * BAR.itemsize].view(BAR)


@kernel
def write_bars(
    days: State,
    open_ms: Ints,
    o: Floats,
    h: Floats,
    l: Floats,
    c: Floats,
    v: Floats,
    interval_ms: int,
    ticks_per_quote: float,
    steps_per_base: float,
    rows: State,
) -> None:
    """Write a row of BAR for each bar, its numbers the nearest whole ones; `days`: `impact.days_state`."""
    s = days[0]
    first = 0
    total = 0
    ends_ms = 0
    for i in range(open_ms.size):
        if i == 0 or open_ms[i] >= ends_ms:
            if i > 0:
                close_day(s, open_ms[first], open_ms[i - 1] + interval_ms, c[i - 1], total)
            ends_ms = (open_ms[i] // DAY_MS + 1) * DAY_MS
            first = i
            total = 0
        row = rows[i]
        row.o = np.int32(np.rint(o[i] * ticks_per_quote))
        row.h = np.int32(np.rint(h[i] * ticks_per_quote))
        row.l = np.int32(np.rint(l[i] * ticks_per_quote))
        row.c = np.int32(np.rint(c[i] * ticks_per_quote))
        row.volume = volume_in_steps(v[i], steps_per_base)
        row.impact = s.impact
        total += row.volume


@step
def mean_range(bars: State, first: int, i: int) -> int:
    """Plain mean of the last 14 true ranges before bar `i` (of fewer, while there are fewer; 0 before the second), in
    1e-8 ticks, rounded up, from rows that begin at bar `first`. A true range is max(high, close before) - min(low,
    close before). Unlike Wilder's average it is exact, so whoever remembers 15 bars gets the same integer."""
    begin = max(first + 1, i - RANGE_BARS)
    total = 0
    for j in range(begin, i):
        bar: Record = bars[j]
        before = bars[j - 1].c
        total += max(bar.h, before) - min(bar.l, before)
    count = i - begin
    return (total * RATE_ONE + count - 1) // count if count > 0 else 0
