"""Momentum: Wilder's relative strength index and average directional index (Wilder, New Concepts in Technical Trading,
1978)."""

import numpy as np

from aister.kernels import Record, step
from aister.kernels.averages import EMA, decay_bars, ema, set_wilder, warmup_wilder
from aister.kernels.volatility import true_range

RSI = np.dtype([("gain", EMA), ("loss", EMA), ("last", "f8"), ("seen", "i8")], align=True)
"""gain, loss: Wilder averages of rises and falls; last: the input before; seen: 0 before the first input."""


def set_rsi(s: np.void, n: int) -> None:
    """Prepare an RSI over n."""
    set_wilder(s["gain"], n)
    set_wilder(s["loss"], n)


@step
def strength(gain: float, loss: float) -> float:
    """100 gain / (gain + loss); nan where neither is."""
    return 100.0 * gain / (gain + loss)


@step
def rsi(s: Record, x: float) -> float:
    """100 gain / (gain + loss), averages of rises and falls seeded with the mean of the first n changes (as TA-Lib). 0
    to 100.

    First value at input n + 1. nan while the input has never moved, where TA-Lib says 0.
    """
    if s.seen == 0:
        s.seen = 1
        s.last = x
        return np.nan
    change = x - s.last
    s.last = x
    gain = ema(s.gain, max(change, 0.0))
    loss = ema(s.loss, max(-change, 0.0))
    return strength(gain, loss)


def warmup_rsi(n: int) -> int:
    """One input for the first change, then Wilder's smoothing."""
    return 1 + warmup_wilder(n)


ADX = np.dtype(
    [
        ("plus", "f8"),
        ("minus", "f8"),
        ("range", "f8"),
        ("adx", EMA),
        ("h", "f8"),
        ("l", "f8"),
        ("c", "f8"),
        ("n", "i8"),
        ("count", "i8"),
    ],
    align=True,
)
"""plus, minus, range: Wilder sums of directional movement and true range; adx: average of DX; h, l, c: the bar before;
count: bars."""


def set_adx(s: np.void, n: int) -> None:
    """Prepare an ADX over n."""
    s["n"] = n
    set_wilder(s["adx"], n)


@step
def adx(s: Record, h: float, l: float, c: float) -> tuple[float, float, float]:
    """(ADX, +DI, -DI), each 0 to 100. +DI = 100 sum(+DM) / sum(TR), DX = 100 |+DI - -DI| / (+DI + -DI), ADX = Wilder
    average of DX.

    As TA-Lib: sums start as plain sums over n - 1 changes, then S += x - S / n. DI from bar n + 1, ADX from bar 2n.
    Where nothing ever moved DI is nan and DX counts as 0 (TA-Lib: 0 for both).
    """
    s.count += 1
    up = h - s.h
    down = s.l - l
    tr = true_range(s.c, h, l)
    s.h = h
    s.l = l
    s.c = c
    if s.count == 1:
        return np.nan, np.nan, np.nan
    plus = up if up > 0.0 and up > down else 0.0
    minus = down if down > 0.0 and down > up else 0.0
    if s.count > s.n:
        plus -= s.plus / s.n
        minus -= s.minus / s.n
        tr -= s.range / s.n
    s.plus += plus
    s.minus += minus
    s.range += tr
    if s.count <= s.n:
        return np.nan, np.nan, np.nan
    plus_di = 100.0 * s.plus / s.range
    minus_di = 100.0 * s.minus / s.range
    total = plus_di + minus_di
    dx = 100.0 * abs(plus_di - minus_di) / total if total > 0.0 else 0.0
    return ema(s.adx, dx), plus_di, minus_di


def warmup_adx(n: int) -> int:
    """Seeds of 2n, then two recursions in a row at Wilder's decay."""
    return 2 * n + decay_bars((n - 1) / n, stages=2)


def warmup_di(n: int) -> int:
    """Seed of n + 1 bars, then Wilder's decay, of numerator and denominator alike."""
    return n + 1 + decay_bars((n - 1) / n)
