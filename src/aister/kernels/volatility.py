"""Volatility: average true range and realised volatility of log returns."""

import math

import numpy as np

from aister.kernels import Record, step
from aister.kernels.averages import EMA, ema, set_wilder, set_window, warmup_wilder, window_in, window_layout

ATR = np.dtype([("average", EMA), ("last", "f8"), ("seen", "i8")], align=True)
"""average: Wilder average of true ranges; last: the close before; seen: 0 before the first bar."""


def set_atr(s: np.void, n: int) -> None:
    """Prepare an ATR over n."""
    set_wilder(s["average"], n)


@step
def true_range(last: float, h: float, l: float) -> float:
    """max(h, last) - min(l, last): how far price went in the bar, the gap from the close before included. Unit of
    price."""
    return max(h, last) - min(l, last)


@step
def atr(s: Record, h: float, l: float, c: float) -> float:
    """Wilder average of true ranges, seeded with the mean of the first n of them (as TA-Lib). Unit of price (Wilder,
    1978).

    The first bar has no close before it and no true range: first value at bar n + 1.
    """
    last = s.last
    s.last = c
    if s.seen == 0:
        s.seen = 1
        return np.nan
    return ema(s.average, true_range(last, h, l))


def warmup_atr(n: int) -> int:
    """One bar for the first true range, then Wilder's smoothing."""
    return 1 + warmup_wilder(n)


def volatility_layout(n: int) -> np.dtype[np.void]:
    """returns: window over the last n log returns; last: the close before; seen: 0 before the first bar."""
    return np.dtype([("returns", window_layout(n)), ("last", "f8"), ("seen", "i8")], align=True)


def set_volatility(s: np.void) -> None:
    """Prepare realised volatility over as many returns as its window holds."""
    set_window(s["returns"])


@step
def volatility_in(s: Record, r: Record, x: float) -> float:
    """As `volatility`, for a WINDOW of returns whose ring is that of the record `r`."""
    last = s.last
    s.last = x
    if s.seen == 0:
        s.seen = 1
        return np.nan
    return window_in(s.returns, r, math.log(x / last))[1]


@step
def volatility(s: Record, x: float) -> float:
    """Population standard deviation of the last n log returns ln(x / x before). Per bar, not annualised; 0.01 is 1 %.

    First value at input n + 1, where history's start has no effect any more. Not a rule of TA-Lib.
    """
    return volatility_in(s, s.returns, x)


def warmup_volatility(n: int) -> int:
    """n returns need n + 1 inputs; nothing before them has an effect."""
    return n + 1
