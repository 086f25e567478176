"""An opcode table: indicators with parameters, as many as are asked for, in one compiled function.

Each indicator is a slot: an opcode (`family` and `part`), its parameters and the memory of its rule. `take` drives the
rule of a slot with one closed bar; `live_table` does so for all slots when their timeframe closes, `table_columns` for
one slot over the bars of a timeframe. So a new strategy compiles nothing live, and over columns no kind of indicator
twice; live = batch = restored, to the byte.
"""

import numpy as np

from aister.kernels import Record, kernel, step
from aister.kernels.averages import (
    EMA,
    MACD,
    WINDOW,
    WMA,
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
from aister.kernels.features import SLOTS, begin, close_bar, ends, refusal
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

RINGS = {WINDOWED: 1, VOLUME_MEAN: 1, WEIGHTED: 1, CHANGE: 1, DEVIATION: 1, BALANCE: 1}
RINGS |= {MAXIMUM: 2, MINIMUM: 2, MIDDLE: 2, STOCHASTICS: 2}
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
def _third(part: int, x: float, y: float, z: float) -> float:
    return x if part == 0 else y if part == 1 else z


@step
def of_window(s: Record, r: Record, x: float) -> float:
    """Mean, upper and lower band, place in the bands, their width, or deviations from the mean."""
    middle, deviation = window_in(s.window, r, x)
    upper = middle + s.factor * deviation
    lower = middle - s.factor * deviation
    if s.part < 3:
        return _third(s.part, middle, upper, lower)
    if s.part == 3:
        return (x - lower) / (upper - lower)
    return (upper - lower) / middle if s.part == 4 else (x - middle) / deviation


@step
def of_average(s: Record, h: float, l: float, c: float, day_vwap: float) -> float:
    """What is made of exponential averages and the average true range."""
    family = s.family
    reach = atr(s.atr, h, l, c)
    if family == TRUE_RANGE:
        return reach
    if family == DISTANCE:
        return (c - day_vwap) / reach
    middle = ema(s.ema, c)
    if family == ENVELOPE:
        return middle + s.factor * reach if s.part == 0 else middle - s.factor * reach
    before = s.before
    s.before = middle
    if family == SPREAD:
        before = ema(s.slow, c)
    return (middle - before) / reach


@step
def of_extremes(s: Record, a: Record, b: Record, h: float, l: float) -> float:
    """The highest high, the lowest low, or the middle of both; part 0: with this bar, 1: of the bars before it."""
    high = extreme_before(s.high)
    low = -extreme_before(s.low)
    if s.family != MINIMUM:
        now = highest(s.high, a, h)
        high = now if s.part == 0 else high
    if s.family != MAXIMUM:
        now = lowest(s.low, b, l)
        low = now if s.part == 0 else low
    return high if s.family == MAXIMUM else low if s.family == MINIMUM else (high + low) / 2.0


@step
def of_direction(s: Record, h: float, l: float, c: float) -> float:
    """The directional index or one of its lines."""
    x, y, z = adx(s.adx, h, l, c)
    return _third(s.part, x, y, z)


@step
def of_convergence(s: Record, c: float) -> float:
    """The difference of two averages, its signal or what lies between them."""
    x, y, z = macd(s.macd, c)
    return _third(s.part, x, y, z)


@step
def of_stochastic(s: Record, a: Record, b: Record, h: float, l: float, c: float) -> float:
    """The place in the range, or its signal."""
    x, y = stochastic(s.stochastic, a, b, h, l, c)
    return x if s.part == 0 else y


@step
def of_trend(s: Record, h: float, l: float, c: float) -> float:
    """The trailing line, or its direction."""
    x, y = supertrend(s.supertrend, h, l, c)
    return x if s.part == 0 else y


@step
def of_pivots(s: Record, open_time_ms: int, known_at_ms: int, h: float, l: float, c: float) -> float:
    """What is known of the confirmed swings."""
    swings(s.swings, open_time_ms, known_at_ms, h, l)
    return pivot_value(s.swings, s.part, c)


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
    if family == EXPONENTIAL:
        return ema(s.ema, c)
    if family in (WINDOWED, VOLUME_MEAN):
        return of_window(s, a, c if family == WINDOWED else v)
    if family in (MAXIMUM, MINIMUM, MIDDLE):
        return of_extremes(s, a, b, h, l)
    if family in (TRUE_RANGE, DISTANCE, ENVELOPE, SLOPE, SPREAD):
        return of_average(s, h, l, c, day_vwap)
    if family == STRENGTH:
        return rsi(s.rsi, c)
    if family == DIRECTIONAL:
        return of_direction(s, h, l, c)
    if family == CONVERGENCE:
        return of_convergence(s, c)
    if family == WEIGHTED:
        return wma(s.wma, a, c)
    if family == STOCHASTICS:
        return of_stochastic(s, a, b, h, l, c)
    if family == TREND:
        return of_trend(s, h, l, c)
    if family == CHANGE:
        return c / delay(s.window, a, c) - 1.0
    if family == DEVIATION:
        return volatility_in(s.returns, a, c)
    if family == BALANCE:
        return obv(s.obv, a, c, v)
    if family == PIVOTS:
        return of_pivots(s, open_time_ms, known_at_ms, h, l, c)
    return np.nan


@step
def _at_close(s: Record, a: Record, b: Record, tf: Record) -> float:
    bar = tf.out
    return take(s, a, b, tf.open_time_ms, tf.known_at_ms, bar.vwap, bar.high, bar.low, bar.close, bar.volume)


@kernel
def live_table(
    state: State, slots: State, rings: State, open_time_ms: int, o: float, h: float, l: float, c: float, v: float
) -> int:
    """One base bar into a symbol's state and its table: as `features.on_bar`, each close followed by the slots of its
    timeframe."""
    s = state[0]
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
                for j in range(slots.size):
                    slot = slots[j]
                    if slot.timeframe == k:
                        slot.out = _at_close(slot, rings[slot.a], rings[slot.b], tf)
    return answer
