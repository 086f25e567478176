"""Signals that need a memory: the crossing of two averages, confirmed by momentum, with its stop and target in
ticks."""

import math

import numpy as np

from aister.kernels import Record, kernel, step
from aister.kernels.state import State, allocate

UNIT = 100_000_000.0

CROSS = np.dtype(
    [
        *(("spread", "f8"), ("tick_e8", "f8"), ("stop_atr", "f8"), ("target_atr", "f8")),
        *(("entry_ticks", "i8"), ("stop_ticks", "i8"), ("target_ticks", "i8")),
    ],
    align=True,
)
"""spread: fast less slow at the close before, nan if unknown; tick_e8: price grid in 1e-8; stop_atr, target_atr:
distances in ATR; entry_ticks, stop_ticks, target_ticks: of the last signal."""

SETUP = np.dtype(
    [
        *(("time_ms", "i8"), ("side", "i8"), ("limit", "i8"), ("entry_ticks", "i8"), ("stop_ticks", "i8")),
        *(("targets", "i8"), ("target_ticks", "i8", (3,)), ("share_e4", "i8", (3,))),
        *(("horizon_ms", "i8"), ("life_ms", "i8")),
    ],
    align=True,
)
"""What a batch run is driven by, by rising time_ms, one row a close at most: the close of the bar that decided; side: 1
long, -1 short; limit: 1 = rests at entry_ticks, 0 = market, entry_ticks the reference close; targets: how many (1 to
3), of each price and share of the position in 1e-4 (the last takes what is left); horizon_ms > 0: time stop, counted
from the first fill; life_ms > 0: how long an entry may wait to be filled."""

EXIT = np.dtype([("time_ms", "i8"), ("side", "i8")], align=True)
"""At this close a position of that side is closed at market. By rising time_ms; two rows of one time for both sides."""


def cross_state(tick_e8: int, stop_atr: float, target_atr: float) -> State:
    """Memory of the crossing rule of one symbol: nothing seen yet."""
    state = allocate(CROSS)
    state["spread"], state["tick_e8"] = np.nan, tick_e8
    state["stop_atr"], state["target_atr"] = stop_atr, target_atr
    return state


@step
def tick_below(price: float, tick_e8: float) -> int:
    """The last tick at or below a computed price, as `Instrument.ticks_below`."""
    return math.floor(price * UNIT / tick_e8 + 1e-9)


@step
def tick_above(price: float, tick_e8: float) -> int:
    """The first tick at or above a computed price, as `Instrument.ticks_above`."""
    return math.ceil(price * UNIT / tick_e8 - 1e-9)


@step
def ema_cross(s: Record, fast: float, slow: float, rsi: float, close: float, atr: float) -> int:
    """1 when fast crosses above slow with rsi > 50, -1 when it crosses below with rsi < 50, else 0. Prices; rsi 0
    to 100.

    Stop = close - side x stop_atr x atr, target = close + side x target_atr x atr, both rounded outward to ticks. A
    nan input gives 0 and the crossing before it is forgotten. Two equal averages are no crossing yet: the side
    before them counts.
    """
    before = s.spread
    spread = fast - slow
    if not (spread == spread and rsi == rsi and atr > 0.0):
        s.spread = np.nan
        return 0
    if spread == 0.0:
        return 0
    s.spread = spread
    side = 0
    if before < 0.0 < spread and rsi > 50.0:
        side = 1
    elif before > 0.0 > spread and rsi < 50.0:
        side = -1
    if side != 0:
        s.entry_ticks = int(np.rint(close * UNIT / s.tick_e8))
        stop = close - side * s.stop_atr * atr
        target = close + side * s.target_atr * atr
        s.stop_ticks = tick_below(stop, s.tick_e8) if side > 0 else tick_above(stop, s.tick_e8)
        s.target_ticks = tick_above(target, s.tick_e8) if side > 0 else tick_below(target, s.tick_e8)
    return side


@kernel
def ema_cross_live(state: State, fast: float, slow: float, rsi: float, close: float, atr: float) -> int:
    """One close into a 1-element state. Drive it through `entry(ema_cross_live, state, 1.0, 1.0, 50.0, 1.0, 1.0)`."""
    return ema_cross(state[0], fast, slow, rsi, close, atr)
