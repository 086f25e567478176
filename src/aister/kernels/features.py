"""The feature state of one symbol: five timeframes fed from one stream of base bars, closed bars only.

`on_bar` is the composition; `live` and `batch` drive it, and `table.live_table` repeats it with the indicators that
were asked for after each close (a step around the loop would be compiled once more in every driver). Python crosses
once per base bar (`entry(live, ...)`) and reads the values of a timeframe from a view of the same memory (`values`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, step
from aister.kernels import outputs as use
from aister.kernels.averages import EMA, MACD, bollinger, ema, macd, set_ema, set_macd, set_window, window_layout
from aister.kernels.momentum import ADX, RSI, adx, rsi, set_adx, set_rsi
from aister.kernels.outputs import OUT, OUTPUTS
from aister.kernels.state import State, allocate
from aister.kernels.structure import set_swings, swings, swings_layout
from aister.kernels.timeframes import DAY_MS, FORMING, broke_off, gather, set_forming
from aister.kernels.volatility import ATR, atr, set_atr, set_volatility, volatility, volatility_layout
from aister.kernels.vwap import VWAP, vwap

TIMEFRAMES: tuple[tuple[str, int], ...] = (
    ("1m", 60_000),
    ("5m", 300_000),
    ("15m", 900_000),
    ("1h", 3_600_000),
    ("4h", 14_400_000),
)
"""Name and length in ms of each slot; slot k is bit k of what `on_bar` returns."""

SLOTS = len(TIMEFRAMES)

BAD_BAR, LATE_BAR, MISPLACED_BAR = -1, -2, -3
"""`on_bar` refused: not 0 < l <= o, c <= h < inf with 0 <= v < inf; not later than the bar before; not on a base
boundary."""

TIMEFRAME = np.dtype(
    [
        *(
            ("n", "i8"),
            ("unbroken", "i8"),
            ("missing", "i8"),
            ("complete", "i8"),
            ("open_time_ms", "i8"),
            ("known_at_ms", "i8"),
        ),
        *(
            ("forming", FORMING),
            ("ema_20", EMA),
            ("ema_50", EMA),
            ("bands", window_layout(use.SMA_SPAN)),
            ("rsi", RSI),
            ("macd", MACD),
        ),
        *(
            ("atr", ATR),
            ("adx", ADX),
            ("swings", swings_layout(use.SWING_SIDE)),
            ("volatility", volatility_layout(use.VOLATILITY_SPAN)),
        ),
        ("out", OUT),
    ],
    align=True,
)
"""n: bars closed; unbroken: complete bars in a row up to the last one; missing: base bars that never came, inside
closed bars or between them; complete, open_time_ms, known_at_ms: of the last closed bar (known_at_ms: close time of the
base bar that closed it); out: the values at that close, as OUTPUTS."""

SYMBOL = np.dtype(
    [("bars", "i8"), ("open_time_ms", "i8"), ("base_ms", "i8"), ("vwap", VWAP), ("tf", TIMEFRAME, (SLOTS,))], align=True
)
"""bars: base bars taken; open_time_ms: of the last one; base_ms: interval of the feed; vwap: of the UTC day; tf: one
per slot."""


def symbol_state(base_ms: int) -> State:
    """Feature state of a symbol fed with bars of base_ms: slots shorter than that, or not a multiple, stay
    unavailable."""
    state = allocate(SYMBOL)
    s = state[0]
    s["base_ms"] = base_ms
    s["vwap"]["value"] = np.nan
    for (_, interval_ms), tf in zip(TIMEFRAMES, s["tf"], strict=True):
        set_forming(tf["forming"], interval_ms, base_ms)
        set_ema(tf["ema_20"], use.EMA_FAST)
        set_ema(tf["ema_50"], use.EMA_SLOW)
        set_window(tf["bands"])
        set_rsi(tf["rsi"], use.WILDER)
        set_macd(tf["macd"], use.MACD_FAST, use.MACD_SLOW, use.MACD_SIGNAL)
        set_atr(tf["atr"], use.WILDER)
        set_adx(tf["adx"], use.WILDER)
        set_swings(tf["swings"])
        set_volatility(tf["volatility"])
        for name in OUT.fields or ():
            tf["out"][name] = np.nan
    return state


@step
def book(tf: Record, base_ms: int, known_at_ms: int) -> None:
    """Book the bar that just closed: how whole it is, and what is missing since the one before."""
    bar = tf.forming
    tf.complete = 1 if bar.count == bar.expected else 0
    tf.missing += bar.expected - bar.count
    between = bar.open_time_ms - tf.open_time_ms - bar.interval_ms
    if tf.n > 0 and between > 0:
        tf.missing += between // base_ms
        tf.unbroken = 0
    tf.unbroken = tf.unbroken + 1 if tf.complete == 1 else 0
    tf.n += 1
    tf.open_time_ms = bar.open_time_ms
    tf.known_at_ms = known_at_ms
    bar.count = 0


@step
def _write_pivots(out: Record, sw: Record) -> None:
    out.swing_high = sw.high.price
    out.swing_high_formed_at = sw.high.formed_at_ms if sw.high.known_at_ms > 0 else np.nan
    out.swing_high_known_at = sw.high.known_at_ms if sw.high.known_at_ms > 0 else np.nan
    out.swing_high_before = sw.high_before.price
    out.swing_high_before_formed_at = sw.high_before.formed_at_ms if sw.high_before.known_at_ms > 0 else np.nan
    out.swing_high_before_known_at = sw.high_before.known_at_ms if sw.high_before.known_at_ms > 0 else np.nan
    out.swing_low = sw.low.price
    out.swing_low_formed_at = sw.low.formed_at_ms if sw.low.known_at_ms > 0 else np.nan
    out.swing_low_known_at = sw.low.known_at_ms if sw.low.known_at_ms > 0 else np.nan
    out.swing_low_before = sw.low_before.price
    out.swing_low_before_formed_at = sw.low_before.formed_at_ms if sw.low_before.known_at_ms > 0 else np.nan
    out.swing_low_before_known_at = sw.low_before.known_at_ms if sw.low_before.known_at_ms > 0 else np.nan


@step
def close_bar(tf: Record, base_ms: int, known_at_ms: int, day_vwap: float) -> None:
    """Close the bar being built of this timeframe: every rule takes it, and `out` holds the values as of this close."""
    book(tf, base_ms, known_at_ms)
    bar = tf.forming
    out = tf.out
    h = bar.h
    l = bar.l
    c = bar.c
    fast_before = out.ema_20
    slow_before = out.ema_50
    out.open = bar.o
    out.high = h
    out.low = l
    out.close = c
    out.volume = bar.v
    out.ema_20 = ema(tf.ema_20, c)
    out.ema_50 = ema(tf.ema_50, c)
    out.rsi_14 = rsi(tf.rsi, c)
    out.macd, out.macd_signal, out.macd_histogram = macd(tf.macd, c)
    upper, middle, lower = bollinger(tf.bands, use.BOLLINGER_WIDTH, c)
    out.sma_20 = middle
    out.bollinger_upper = upper
    out.bollinger_lower = lower
    out.bollinger_position = (c - lower) / (upper - lower)
    out.bollinger_bandwidth = (upper - lower) / middle
    true_range = atr(tf.atr, h, l, c)
    out.atr_14 = true_range
    out.adx_14, out.plus_di_14, out.minus_di_14 = adx(tf.adx, h, l, c)
    if swings(tf.swings, tf.open_time_ms, known_at_ms, h, l) > 0:
        _write_pivots(out, tf.swings)
    out.swing_position = (c - out.swing_low) / (out.swing_high - out.swing_low)
    out.volatility_96 = volatility(tf.volatility, c)
    out.vwap = day_vwap
    out.vwap_distance = (c - day_vwap) / true_range
    out.ema_20_slope = (out.ema_20 - fast_before) / true_range
    out.ema_50_slope = (out.ema_50 - slow_before) / true_range
    out.ema_spread = (out.ema_20 - out.ema_50) / true_range


@step
def is_bar(o: float, h: float, l: float, c: float, v: float) -> bool:
    """Whether prices and volume can be those of a bar."""
    return 0.0 < l <= o <= h and l <= c <= h < np.inf and 0.0 <= v < np.inf


@step
def refusal(s: Record, open_time_ms: int, o: float, h: float, l: float, c: float, v: float) -> int:
    """Why this base bar cannot follow what was taken: BAD_BAR, LATE_BAR, MISPLACED_BAR; 0 where it can."""
    if not is_bar(o, h, l, c, v):
        return BAD_BAR
    if s.bars > 0 and open_time_ms <= s.open_time_ms:
        return LATE_BAR
    if open_time_ms < 0 or open_time_ms % s.base_ms != 0:
        return MISPLACED_BAR
    return 0


@step
def begin(s: Record, open_time_ms: int, h: float, l: float, c: float, v: float) -> None:
    """Book a base bar that is not refused: its time, and the day's average price with it."""
    s.bars += 1
    s.open_time_ms = open_time_ms
    vwap(s.vwap, open_time_ms // DAY_MS, open_time_ms % DAY_MS == 0, h, l, c, v)


@step
def ends(
    tf: Record, base_ms: int, turn: int, open_time_ms: int, o: float, h: float, l: float, c: float, v: float
) -> bool:
    """Whether the bar being built ends. Turn 0: because its last base bar never came, as this one shows; turn 1: with
    this base bar, which it takes."""
    if tf.forming.interval_ms == 0:
        return False
    if turn == 0:
        return broke_off(tf.forming, open_time_ms)
    return gather(tf.forming, base_ms, open_time_ms, o, h, l, c, v)


@step
def on_bar(s: Record, open_time_ms: int, o: float, h: float, l: float, c: float, v: float) -> int:
    """Take one closed base bar; return the timeframes it closed, bit k for slot k, or a refusal (< 0), which changes
    nothing.

    A timeframe closes with the base bar whose close time is its boundary. If that bar never came, the next one closes
    what there is, marked incomplete, before it is taken itself; should it close a bar of its own, `out` then holds that
    one.
    """
    answer = refusal(s, open_time_ms, o, h, l, c, v)
    if answer < 0:
        return answer
    for turn in range(2):
        if turn == 1:
            begin(s, open_time_ms, h, l, c, v)
        for k in range(SLOTS):
            tf = s.tf[k]
            if ends(tf, s.base_ms, turn, open_time_ms, o, h, l, c, v):
                close_bar(tf, s.base_ms, open_time_ms + s.base_ms, s.vwap.value)
                answer |= 1 << k
    return answer


@kernel
def live(state: State, open_time_ms: int, o: float, h: float, l: float, c: float, v: float) -> int:
    """One base bar into a 1-element state: as `on_bar`. Drive it through `entry(live, state, 0, 1.0, 1.0, 1.0, 1.0,
    0.0)`."""
    return on_bar(state[0], open_time_ms, o, h, l, c, v)


@kernel
def batch(
    state: State,
    open_time_ms: npt.NDArray[np.int64],
    o: npt.NDArray[np.float64],
    h: npt.NDArray[np.float64],
    l: npt.NDArray[np.float64],
    c: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    slot: int,
    opened: npt.NDArray[np.int64],
    out: npt.NDArray[np.void],
) -> int:
    """Take all bars; at each close of `slot` append its open time and values, just what a live reader would have read
    then.

    Returns the rows written, or -1 - i if bar i was refused (those before it are taken). Needs a row per close, at most
    one per bar; slot -1 writes none.
    """
    s = state[0]
    rows = 0
    for i in range(open_time_ms.size):
        closed = on_bar(s, open_time_ms[i], o[i], h[i], l[i], c[i], v[i])
        if closed < 0:
            return -1 - i
        if slot >= 0 and closed >> slot & 1:
            opened[rows] = s.tf[slot].open_time_ms
            out[rows] = s.tf[slot].out
            rows += 1
    return rows


def tabulate(
    state: State,
    open_time_ms: npt.NDArray[np.int64],
    o: npt.NDArray[np.float64],
    h: npt.NDArray[np.float64],
    l: npt.NDArray[np.float64],
    c: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    slot: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.void]]:
    """Take all bars; return (open times, table with a column per output) of the closes of `slot`.

    Raises ValueError naming the bar that was refused.
    """
    opened = np.zeros(open_time_ms.size, "i8")
    out = np.zeros(open_time_ms.size, OUT)
    rows = batch(state, open_time_ms, o, h, l, c, v, slot, opened, out)
    if rows < 0:
        i = -1 - rows
        raise ValueError(
            f"bar {i} (open time {open_time_ms[i]} ms) is malformed, out of order or off the base interval"
        )
    return opened[:rows], out[:rows]


def values(state: State) -> npt.NDArray[np.float64]:
    """A view (slot, output) of the values in `state`, in the order of OUTPUTS: `values(state)[slot].tolist()` after
    each close."""
    _, tf_offset = _field(SYMBOL, "tf")
    _, out_offset = _field(TIMEFRAME, "out")
    strides = (TIMEFRAME.itemsize, 8)
    return np.ndarray((SLOTS, len(OUTPUTS)), "f8", state.view("u1").data, tf_offset + out_offset, strides)


def _field(layout: np.dtype[Any], name: str) -> tuple[np.dtype[Any], int]:
    assert layout.fields is not None
    kind, offset = layout.fields[name][:2]
    return kind, offset
