"""Columns: what live reads close by close, over all closed bars of one timeframe at once.

`gather_closes` is `features.on_bar` of one timeframe without its rules: the same aggregation and the same count of what
is missing. What is asked for most has a kernel of its own, whose memory stays
in registers once it is seeded; the others share `table.column`.
"""

import numpy as np
import numpy.typing as npt

from aister.kernels import kernel
from aister.kernels.averages import EMA, ema, follow, set_ema
from aister.kernels.features import book, is_bar
from aister.kernels.momentum import rsi, strength
from aister.kernels.state import State, allocate
from aister.kernels.timeframes import DAY_MS, FORMING, broke_off, gather, set_forming
from aister.kernels.volatility import atr, true_range
from aister.kernels.vwap import vwap

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CLOSE = np.dtype(
    [
        *(("open_ms", "i8"), ("known_ms", "i8"), ("last", "i8"), ("unbroken", "i8")),
        *(("o", "f8"), ("h", "f8"), ("l", "f8"), ("c", "f8"), ("v", "f8"), ("complete", "?")),
    ],
    align=True,
)
"""One closed bar. known_ms: close time of the base bar that closed it; last: index of the newest base bar that had been
taken then into the day's average price; unbroken: complete bars in a row up to this one."""

COUNT = np.dtype(
    [
        *(("forming", FORMING), ("n", "i8"), ("unbroken", "i8"), ("missing", "i8"), ("complete", "i8")),
        *(("open_time_ms", "i8"), ("known_at_ms", "i8")),
    ],
    align=True,
)
"""What `features.TIMEFRAME` remembers besides its rules."""


def count_state(interval_ms: int, base_ms: int) -> State:
    """Memory of one timeframe's aggregation from bars of base_ms."""
    state = allocate(COUNT)
    set_forming(state[0]["forming"], interval_ms, base_ms)
    return state


@kernel
def gather_closes(
    state: State, base_ms: int, open_ms: Ints, o: Floats, h: Floats, l: Floats, c: Floats, v: Floats, out: State
) -> int:
    """Write the bars of a timeframe that base bars close, in order, as CLOSE into `out` (a row per base bar suffices);
    return how many."""
    tf = state[0]
    bar = tf.forming
    rows = 0
    for i in range(open_ms.size):
        for turn in range(2):
            if turn == 0:
                closed = broke_off(bar, open_ms[i])
            else:
                closed = gather(bar, base_ms, open_ms[i], o[i], h[i], l[i], c[i], v[i])
            if closed:
                book(tf, base_ms, open_ms[i] + base_ms)
                row = out[rows]
                row.open_ms = tf.open_time_ms
                row.known_ms = tf.known_at_ms
                row.last = i - 1 + turn
                row.unbroken = tf.unbroken
                row.o = bar.o
                row.h = bar.h
                row.l = bar.l
                row.c = bar.c
                row.v = bar.v
                row.complete = tf.complete == 1
                rows += 1
    return rows


@kernel
def first_refused(base_ms: int, open_ms: Ints, o: Floats, h: Floats, l: Floats, c: Floats, v: Floats) -> int:
    """Index of the first base bar that `features.on_bar` would refuse, or -1."""
    before = -1
    for i in range(open_ms.size):
        at = open_ms[i]
        follows = i > 0 and at == before + base_ms  # then it is on a boundary, without the price of a division
        if not follows and (at <= before or at % base_ms != 0):
            return i
        if not is_bar(o[i], h[i], l[i], c[i], v[i]):
            return i
        before = at
    return -1


@kernel
def day_vwap(state: State, open_ms: Ints, h: Floats, l: Floats, c: Floats, v: Floats, out: Floats) -> None:
    """Volume-weighted average price of the UTC day after each base bar; nan where it is unknown."""
    s = state[0]
    for i in range(open_ms.size):
        out[i] = vwap(s, open_ms[i] // DAY_MS, open_ms[i] % DAY_MS == 0, h[i], l[i], c[i], v[i])


@kernel
def last_known(known_ms: Ints, open_ms: Ints, oldest_ms: int, times_ms: Ints, out: Ints) -> None:
    """For each time, rising: the index of the newest row known by then, or -1 where there is none or it opened more
    than `oldest_ms` before."""
    row = -1
    for i in range(times_ms.size):
        while row + 1 < known_ms.size and known_ms[row + 1] <= times_ms[i]:
            row += 1
        out[i] = row if row >= 0 and times_ms[i] - open_ms[row] <= oldest_ms else -1


@kernel
def _ema_columns(state: State, x: Floats, out: Floats) -> None:
    """As `ema` of every element of `state`, four at a time: each recursion waits for itself, four wait together."""
    for first in range(0, state.size, 4):
        j1 = min(first + 1, state.size - 1)
        j2 = min(first + 2, state.size - 1)
        j3 = min(first + 3, state.size - 1)
        seeded = 0
        for j in range(first, j3 + 1):
            for i in range(min(state[j].n, x.size)):
                out[j, i] = ema(state[j], x[i])
            seeded = max(seeded, min(state[j].n, x.size))
        for j in range(first, j3 + 1):
            for i in range(min(state[j].n, x.size), seeded):
                out[j, i] = ema(state[j], x[i])
        v0, v1, v2, v3 = state[first].v, state[j1].v, state[j2].v, state[j3].v
        a0, a1, a2, a3 = state[first].a, state[j1].a, state[j2].a, state[j3].a
        for i in range(seeded, x.size):
            v0 = follow(v0, a0, x[i])
            v1 = follow(v1, a1, x[i])
            v2 = follow(v2, a2, x[i])
            v3 = follow(v3, a3, x[i])
            out[first, i] = v0
            out[j1, i] = v1
            out[j2, i] = v2
            out[j3, i] = v3


def ema_columns(x: Floats, spans: list[int]) -> Floats:
    """Exponential averages of several spans, shape (spans, inputs); nan before the seed."""
    state = np.zeros(len(spans), EMA)
    for s, span in zip(state, spans, strict=True):
        set_ema(s, span)
    out = np.empty((len(spans), x.size))
    _ema_columns(state, x, out)
    return out


@kernel
def rsi_column(state: State, x: Floats, out: Floats) -> None:
    """As `rsi`."""
    s = state[0]
    seeded = min(s.gain.n + 1, x.size)
    for i in range(seeded):
        out[i] = rsi(s, x[i])
    gain = s.gain.v
    loss = s.loss.v
    a = s.gain.a
    for i in range(seeded, x.size):
        change = x[i] - x[i - 1]
        gain = follow(gain, a, max(change, 0.0))
        loss = follow(loss, a, max(-change, 0.0))
        out[i] = strength(gain, loss)


@kernel
def atr_column(state: State, h: Floats, l: Floats, c: Floats, out: Floats) -> None:
    """As `atr`."""
    s = state[0]
    seeded = min(s.average.n + 1, c.size)
    for i in range(seeded):
        out[i] = atr(s, h[i], l[i], c[i])
    v = s.average.v
    a = s.average.a
    for i in range(seeded, c.size):
        v = follow(v, a, true_range(c[i - 1], h[i], l[i]))
        out[i] = v
