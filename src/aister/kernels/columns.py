"""Columns: what live reads close by close, over all closed bars of one timeframe at once.

`gather_closes` is `features.on_bar` of one timeframe without its rules: the same aggregation and the same count of what
is missing. What is asked for most is `smoothed` together, its memory in registers once it is seeded; the others share
`table_columns`.
"""

import numpy as np
import numpy.typing as npt

from aister.kernels import kernel
from aister.kernels.averages import EMA, ema, follow, set_ema
from aister.kernels.features import book, is_bar
from aister.kernels.momentum import RSI, rsi, set_rsi, strength
from aister.kernels.state import State, allocate
from aister.kernels.timeframes import DAY_MS, FORMING, broke_off, gather, set_forming
from aister.kernels.volatility import ATR, atr, set_atr, true_range
from aister.kernels.vwap import vwap

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

SMOOTH = np.dtype([("one", EMA), ("other", EMA), ("rsi", RSI), ("atr", ATR)], align=True)
"""What `smoothed` remembers: two exponential averages, a relative strength, an average true range."""
_LANES = ("ema", "ema", "rsi", "atr")

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
    before = -base_ms
    for i in range(open_ms.size):
        at = open_ms[i]
        if at != before + base_ms and (at <= before or at % base_ms != 0):  # mostly the next one: nothing is divided
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
def smoothed(
    state: State,
    h: Floats,
    l: Floats,
    c: Floats,
    one: Floats,
    other: Floats,
    rsis: Floats,
    atrs: Floats,
    seeded: int,
    keep: int,
) -> None:
    """Two exponential averages, a relative strength and a true range in one pass, as `ema`, `rsi` and `atr` of SMOOTH:
    each recursion waits for its own last step, so all of them together take little longer than one.

    `seeded`: rows after which all are seeded; `keep` has bit k where column k is wanted, the others have one row."""
    s = state[0]
    a, b = (-1 if keep & 1 else 0), (-1 if keep & 2 else 0)
    r, t = (-1 if keep & 4 else 0), (-1 if keep & 8 else 0)
    for i in range(min(seeded, c.size)):
        one[i & a] = ema(s.one, c[i])
        other[i & b] = ema(s.other, c[i])
        rsis[i & r] = rsi(s.rsi, c[i])
        atrs[i & t] = atr(s.atr, h[i], l[i], c[i])
    first, second, gain, loss, width = s.one.v, s.other.v, s.rsi.gain.v, s.rsi.loss.v, s.atr.average.v
    first_a, second_a, rsi_a, atr_a = s.one.a, s.other.a, s.rsi.gain.a, s.atr.average.a
    for i in range(seeded, c.size):
        x = c[i]
        last = c[i - 1]
        change = x - last
        first = follow(first, first_a, x)
        second = follow(second, second_a, x)
        gain = follow(gain, rsi_a, max(change, 0.0))
        loss = follow(loss, rsi_a, max(-change, 0.0))
        width = follow(width, atr_a, true_range(last, h[i], l[i]))
        one[i & a] = first
        other[i & b] = second
        rsis[i & r] = strength(gain, loss)
        atrs[i & t] = width


def smoothed_columns(wanted: list[tuple[str, int]], h: Floats, l: Floats, c: Floats) -> list[Floats]:
    """A column for each (`ema`, `rsi` or `atr`, span): nan before its seed."""
    spans = {kind: [span for other, span in wanted if other == kind] for kind in ("ema", "rsi", "atr")}
    made: dict[tuple[str, int], Floats] = {}
    while any(spans.values()):
        pairs = [spans["ema"][:2], spans["rsi"][:1], spans["atr"][:1]]
        taken = [*pairs[0], *[0] * (2 - len(pairs[0])), *(pairs[1] or [0]), *(pairs[2] or [0])]
        spans = {"ema": spans["ema"][2:], "rsi": spans["rsi"][1:], "atr": spans["atr"][1:]}
        state = allocate(SMOOTH)
        set_ema(state[0]["one"], taken[0] or 1)
        set_ema(state[0]["other"], taken[1] or 1)
        set_rsi(state[0]["rsi"], taken[2] or 1)
        set_atr(state[0]["atr"], taken[3] or 1)
        out = [np.empty(c.size if span else 1) for span in taken]
        keep = sum(1 << lane for lane, span in enumerate(taken) if span)
        smoothed(state, h, l, c, out[0], out[1], out[2], out[3], max(taken) + 1, keep)
        made |= {(kind, span): x for kind, span, x in zip(_LANES, taken, out, strict=True) if span}
    return [made[one] for one in wanted]
