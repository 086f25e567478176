"""An opcode table: indicators with parameters, as many as are asked for, in one compiled function.

Each indicator is a slot: an opcode (`family` and `part`), its parameters and the memory of its rule. `take` drives the
rule of a slot with one closed bar; `live_table` does so for all slots when their timeframe closes, `column` for one
slot over the bars of a timeframe. So a new strategy compiles nothing, and live = batch = restored, to the byte.
"""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, step
from aister.kernels.averages import (
    EMA,
    MACD,
    WINDOW,
    WMA,
    bollinger_in,
    ema,
    macd,
    set_ema,
    set_macd,
    window_in,
    wma,
)
from aister.kernels.channels import (
    EXTREME,
    STOCHASTIC,
    SUPERTREND,
    extreme_before,
    highest,
    lowest,
    set_stochastic,
    set_supertrend,
    stochastic,
    supertrend,
)
from aister.kernels.features import break_off, refusal, take_bar
from aister.kernels.momentum import ADX, RSI, adx, rsi, set_adx, set_rsi
from aister.kernels.state import State
from aister.kernels.structure import pivot_value, set_swings, swings, swings_layout
from aister.kernels.volatility import ATR, atr, set_atr, volatility_in
from aister.kernels.volume import OBV, obv

SPAN_MAX = 500
"""The longest span of an indicator, in bars."""

SIDE_MAX = 20
"""The most bars on either side of a swing."""

(
    EXPONENTIAL,
    WINDOWED,
    VOLUME_MEAN,
    WEIGHTED,
    STRENGTH,
    TRUE_RANGE,
    DIRECTIONAL,
    CONVERGENCE,
    MAXIMUM,
    MINIMUM,
    MIDDLE,
    STOCHASTICS,
    TREND,
    ENVELOPE,
    CHANGE,
    DEVIATION,
    BALANCE,
    DISTANCE,
    PIVOTS,
    SLOPE,
    SPREAD,
) = range(21)
"""Families: one rule each; `part` chooses among its outputs."""

ATR_SPAN = 14
"""Of the true range in which slopes and spreads of averages are measured."""

RETURNS = np.dtype([("returns", WINDOW), ("last", "f8"), ("seen", "i8")], align=True)
"""Volatility with its ring elsewhere."""

SLOT = np.dtype(
    [
        *(("family", "i8"), ("part", "i8"), ("timeframe", "i8"), ("a", "i8"), ("b", "i8")),
        *(("factor", "f8"), ("before", "f8"), ("out", "f8")),
        *(("ema", EMA), ("slow", EMA), ("rsi", RSI), ("atr", ATR), ("adx", ADX), ("macd", MACD), ("window", WINDOW)),
        *(("wma", WMA), ("high", EXTREME), ("low", EXTREME), ("returns", RETURNS), ("obv", OBV)),
        *(("stochastic", STOCHASTIC), ("supertrend", SUPERTREND), ("swings", swings_layout(SIDE_MAX))),
    ],
    align=True,
)
"""One indicator. timeframe: slot of `features.TIMEFRAMES`; a, b: its rings; factor: a width or multiple; before: the
value at the close before, where the rule needs it; out: the value at the last close; then the memory of each rule, of
which its own is used."""

RING = np.dtype([("ring", "f8", (SPAN_MAX,))])
"""The inputs that a window remembers, kept apart from the slots because most of these need none."""

RINGS = {WINDOWED: 1, VOLUME_MEAN: 1, WEIGHTED: 1, MAXIMUM: 1, MINIMUM: 1, MIDDLE: 2, STOCHASTICS: 2}
RINGS |= {CHANGE: 1, DEVIATION: 1, BALANCE: 1}
"""How many rings the families take that take any."""


def table(asked: list[tuple[int, int, int, tuple[float, ...]]]) -> tuple[State, State]:
    """(slots, rings) for (timeframe, family, part, parameters) each; at least two rings, which those that need none
    name."""
    slots = np.zeros(len(asked), SLOT)
    used = 0
    for slot, (timeframe, family, part, parameters) in zip(slots, asked, strict=True):
        slot["timeframe"], slot["family"], slot["part"] = timeframe, family, part
        slot["before"] = slot["out"] = np.nan
        count = RINGS.get(family, 0)
        slot["a"], slot["b"] = (used if count else 0), (used + 1 if count == 2 else 0)
        used += count
        _prepare(slot, family, parameters)
    return slots, np.zeros(max(used, 2), RING)


def _prepare(slot: np.void, family: int, parameters: tuple[float, ...]) -> None:
    n = [int(value) for value in parameters]
    if family in (EXPONENTIAL, SLOPE, ENVELOPE, SPREAD):
        set_ema(slot["ema"], n[0])
    if family in (WINDOWED, VOLUME_MEAN):
        slot["window"]["n"] = n[0]
    if family in (WINDOWED, ENVELOPE) and len(n) > 1:
        slot["factor"] = parameters[1]
    if family in (STRENGTH,):
        set_rsi(slot["rsi"], n[0])
    if family in (TRUE_RANGE, DISTANCE, ENVELOPE):
        set_atr(slot["atr"], n[0])
    if family in (SLOPE, SPREAD):
        set_atr(slot["atr"], ATR_SPAN)
    if family == SPREAD:
        set_ema(slot["slow"], n[1])
    if family == WEIGHTED:
        slot["wma"]["n"] = n[0]
    if family == DIRECTIONAL:
        set_adx(slot["adx"], n[0])
    if family == CONVERGENCE:
        set_macd(slot["macd"], n[0], n[1], n[2])
    if family in (MAXIMUM, MIDDLE):
        slot["high"]["n"] = n[0]
    if family in (MINIMUM, MIDDLE):
        slot["low"]["n"] = n[0]
    if family == CHANGE:
        slot["window"]["n"] = n[0]
    if family == DEVIATION:
        slot["returns"]["returns"]["n"] = n[0]
    if family == BALANCE:
        slot["obv"]["signed"]["n"] = n[0]
    if family == STOCHASTICS:
        set_stochastic(slot["stochastic"], n[0], n[1], n[2] if len(n) > 2 else 1)
    if family == TREND:
        set_supertrend(slot["supertrend"], n[0], parameters[1])
    if family == PIVOTS:
        set_swings(slot["swings"])
        slot["swings"]["k"] = n[0]


@step
def delay(s: Record, r: Record, x: float) -> float:
    """The input n inputs ago; nan before n + 1. `s` is a WINDOW of which only count and head are used."""
    old = np.nan
    if s.count < s.n:
        s.count += 1
    else:
        old = r.ring[s.head]
    r.ring[s.head] = x
    s.head = s.head + 1 if s.head + 1 < s.n else 0
    return old


@step
def _windowed(s: Record, r: Record, x: float) -> float:
    upper, middle, lower = bollinger_in(s.window, r, s.factor, x)
    if s.part == 0:
        return middle
    if s.part == 1:
        return upper
    if s.part == 2:
        return lower
    if s.part == 3:
        return (x - lower) / (upper - lower)
    return (upper - lower) / middle


@step
def _zscore(s: Record, r: Record, x: float) -> float:
    middle, deviation = window_in(s.window, r, x)
    return (x - middle) / deviation


@step
def _third(part: int, x: float, y: float, z: float) -> float:
    return x if part == 0 else y if part == 1 else z


@step
def _maximum(s: Record, r: Record, h: float) -> float:
    before = extreme_before(s.high)
    now = highest(s.high, r, h)
    return now if s.part == 0 else before


@step
def _minimum(s: Record, r: Record, l: float) -> float:
    before = -extreme_before(s.low)
    now = lowest(s.low, r, l)
    return now if s.part == 0 else before


@step
def _middle(s: Record, a: Record, b: Record, h: float, l: float) -> float:
    middle = (extreme_before(s.high) - extreme_before(s.low)) / 2.0
    highest(s.high, a, h)
    lowest(s.low, b, l)
    return middle


@step
def _envelope(s: Record, h: float, l: float, c: float) -> float:
    middle = ema(s.ema, c)
    reach = s.factor * atr(s.atr, h, l, c)
    return middle + reach if s.part == 0 else middle - reach


@step
def _slope(s: Record, h: float, l: float, c: float) -> float:
    before = s.before
    s.before = ema(s.ema, c)
    return (s.before - before) / atr(s.atr, h, l, c)


@step
def take(
    s: Record,
    a: Record,
    b: Record,
    open_time_ms: int,
    known_at_ms: int,
    day_vwap: float,
    h: float,
    l: float,
    c: float,
    v: float,
) -> float:
    """The value of slot `s`, with rings `a` and `b`, at the close of this bar; nan where it cannot be computed.

    known_at_ms: close time of the base bar that closed it; day_vwap: of the UTC day at that moment.
    """
    family = s.family
    value = np.nan
    if family == EXPONENTIAL:
        value = ema(s.ema, c)
    elif family == WINDOWED:
        value = _zscore(s, a, c) if s.part == 5 else _windowed(s, a, c)
    elif family == VOLUME_MEAN:
        value = window_in(s.window, a, v)[0]
    elif family == WEIGHTED:
        value = wma(s.wma, a, c)
    elif family == STRENGTH:
        value = rsi(s.rsi, c)
    elif family == TRUE_RANGE:
        value = atr(s.atr, h, l, c)
    elif family == DIRECTIONAL:
        x, y, z = adx(s.adx, h, l, c)
        value = _third(s.part, x, y, z)
    elif family == CONVERGENCE:
        x, y, z = macd(s.macd, c)
        value = _third(s.part, x, y, z)
    elif family == MAXIMUM:
        value = _maximum(s, a, h)
    elif family == MINIMUM:
        value = _minimum(s, a, l)
    elif family == MIDDLE:
        value = _middle(s, a, b, h, l)
    elif family == STOCHASTICS:
        x, y = stochastic(s.stochastic, a, b, h, l, c)
        value = x if s.part == 0 else y
    elif family == TREND:
        x, y = supertrend(s.supertrend, h, l, c)
        value = x if s.part == 0 else y
    elif family == ENVELOPE:
        value = _envelope(s, h, l, c)
    elif family == CHANGE:
        value = c / delay(s.window, a, c) - 1.0
    elif family == DEVIATION:
        value = volatility_in(s.returns, a, c)
    elif family == BALANCE:
        value = obv(s.obv, a, c, v)
    elif family == DISTANCE:
        value = (c - day_vwap) / atr(s.atr, h, l, c)
    elif family == PIVOTS:
        swings(s.swings, open_time_ms, known_at_ms, h, l)
        value = pivot_value(s.swings, s.part, c)
    elif family == SLOPE:
        value = _slope(s, h, l, c)
    elif family == SPREAD:
        value = (ema(s.ema, c) - ema(s.slow, c)) / atr(s.atr, h, l, c)
    return value


@step
def _at_close(s: Record, a: Record, b: Record, tf: Record) -> float:
    bar = tf.out
    return take(s, a, b, tf.open_time_ms, tf.known_at_ms, bar.vwap, bar.high, bar.low, bar.close, bar.volume)


@kernel
def live_table(
    state: State, slots: State, rings: State, open_time_ms: int, o: float, h: float, l: float, c: float, v: float
) -> int:
    """One base bar into a symbol's state and its table: as `features.live`. A timeframe that this bar breaks off and
    closes again feeds its slots twice, in that order."""
    s = state[0]
    answer = refusal(s, open_time_ms, o, h, l, c, v)
    if answer < 0:
        return answer
    for turn in range(2):
        closed = break_off(s, open_time_ms) if turn == 0 else take_bar(s, open_time_ms, o, h, l, c, v)
        answer |= closed
        if closed == 0:
            continue
        for j in range(slots.size):
            slot = slots[j]
            if closed >> slot.timeframe & 1:
                slot.out = _at_close(slot, rings[slot.a], rings[slot.b], s.tf[slot.timeframe])
    return answer


@kernel
def column(
    slots: State,
    rings: State,
    open_time_ms: npt.NDArray[np.int64],
    known_at_ms: npt.NDArray[np.int64],
    day_vwap: npt.NDArray[np.float64],
    h: npt.NDArray[np.float64],
    l: npt.NDArray[np.float64],
    c: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    """The values of the first slot over the closed bars of a timeframe; what is not finite is nan."""
    s = slots[0]
    a = rings[s.a]
    b = rings[s.b]
    for i in range(c.size):
        value = take(s, a, b, open_time_ms[i], known_at_ms[i], day_vwap[i], h[i], l[i], c[i], v[i])
        out[i] = value if np.isfinite(value) else np.nan
