"""Channels: highest and lowest of a window, the stochastic oscillator, the supertrend."""

import numpy as np

from aister.kernels import Record, step
from aister.kernels.averages import WINDOW, window_in
from aister.kernels.volatility import ATR, atr, set_atr, warmup_atr

EXTREME = np.dtype([("value", "f8"), ("age", "i8"), ("count", "i8"), ("head", "i8"), ("n", "i8")], align=True)
"""value: highest of the last n inputs; age: inputs since it came; the inputs themselves (oldest at head) lie in the
`ring` of another record."""


@step
def highest(s: Record, r: Record, x: float) -> float:
    """Maximum of the last n inputs; nan before n. Unit of x. Warm-up n, exactly.

    The ring is searched only when the maximum falls out of the window: on a random walk about sqrt(n) / 2 steps an
    input, n at worst.
    """
    r.ring[s.head] = x
    s.head = s.head + 1 if s.head + 1 < s.n else 0
    if s.count < s.n:
        s.count += 1
    s.age += 1
    if s.count == 1 or x >= s.value:
        s.value = x
        s.age = 0
    elif s.age >= s.n:
        s.value = -np.inf
        at = s.head
        for i in range(s.n):
            if r.ring[at] >= s.value:
                s.value = r.ring[at]
                s.age = s.n - 1 - i
            at = at + 1 if at + 1 < s.n else 0
    return s.value if s.count == s.n else np.nan


@step
def lowest(s: Record, r: Record, x: float) -> float:
    """Minimum of the last n inputs, as `highest` of the negative ones. Do not mix the two on one memory."""
    return -highest(s, r, -x)


@step
def extreme_before(s: Record) -> float:
    """The highest of the n inputs taken so far, before the next one: what a breakout is measured against; nan before
    n."""
    return s.value if s.count == s.n else np.nan


SMOOTHING_MAX = 50

_SHORT = np.dtype([("ring", "f8", (SMOOTHING_MAX,))])

STOCHASTIC = np.dtype(
    [
        *(("high", EXTREME), ("low", EXTREME), ("clear", "i8")),
        *(("smooth", WINDOW), ("signal", WINDOW), ("smoothed", _SHORT), ("signalled", _SHORT)),
    ],
    align=True,
)
"""high, low: of the range; smooth, signal: windows over %K and over its average, their rings beside them; clear: bars
in a row with a range."""


def set_stochastic(s: np.void, span: int, smooth: int, signal: int) -> None:
    """Prepare a stochastic oscillator: range of `span` bars, averages of `smooth` and `signal` values."""
    s["high"]["n"] = s["low"]["n"] = span
    s["smooth"]["n"], s["signal"]["n"] = smooth, signal


@step
def stochastic(s: Record, a: Record, b: Record, h: float, l: float, c: float) -> tuple[float, float]:
    """(%K, %D), 0 to 100: %K = mean of `smooth` values of 100 (c - L) / (H - L), H and L the extremes of the last
    `span` bars, this one included; %D = mean of `signal` values of %K (Lane, 1984).

    nan while a bar without a range (H = L) is among those averaged, where TA-Lib counts it as 0.
    """
    high = highest(s.high, a, h)
    low = lowest(s.low, b, l)
    if s.high.count < s.high.n:
        return np.nan, np.nan
    raw = 50.0
    if high > low:
        raw = 100.0 * (c - low) / (high - low)
        s.clear += 1
    else:
        s.clear = 0
    k = window_in(s.smooth, s.smoothed, raw)[0]
    if s.smooth.count < s.smooth.n:
        return np.nan, np.nan
    d = window_in(s.signal, s.signalled, k)[0]
    if s.clear < s.smooth.n:
        k = np.nan
    if s.clear < s.smooth.n + s.signal.n - 1:
        d = np.nan
    return k, d


def warmup_stochastic(span: int, smooth: int, signal: int = 1) -> int:
    """All windows full; nothing before them has an effect."""
    return span + smooth + signal - 2


BAND = np.dtype([("low", "f8"), ("high", "f8")], align=True)
"""Where a trailing band must be, whatever came before the data: between low and high, equal once it is determined."""

SUPERTREND = np.dtype(
    [
        *(("atr", ATR), ("multiple", "f8"), ("wait", "i8"), ("upper", BAND), ("lower", BAND)),
        *(("last", "f8"), ("direction", "i8")),
    ],
    align=True,
)
"""wait: bars until the ATR has warmed up; upper, lower: the trailing bands (lower negated); last: the close before;
direction: 1 up, -1 down, 0 not determined yet."""


def set_supertrend(s: np.void, span: int, multiple: float) -> None:
    """Prepare a supertrend of `multiple` ATR of `span`; nothing is determined yet."""
    set_atr(s["atr"], span)
    s["multiple"], s["wait"] = multiple, warmup_atr(span) - 1
    for name in ("upper", "lower"):
        s[name]["low"], s[name]["high"] = -np.inf, np.inf


@step
def ratchet(s: Record, basic: float, last: float) -> None:
    """Trail the upper band: it becomes `basic` if that is lower or the close before broke the band, else it stays.

    Applied to every place where the band may be, as the start of the data leaves open: they soon meet in one.
    """
    low = max(s.low, last)
    high = min(s.high, basic)
    if low > high:
        s.low = basic
        s.high = basic
    elif s.low < last or s.high > basic:
        s.low = low
        s.high = basic


@step
def supertrend(s: Record, h: float, l: float, c: float) -> tuple[float, float]:
    """(band, direction): the trailing stop at (h + l) / 2 -+ multiple x ATR, below price in a rise (1), above it in a
    fall (-1). Unit of price (Seban, 2009).

    A rise ends when the close is below the lower band, a fall when it is above the upper one. nan until what came
    before the data can no longer matter: each band and the direction is followed for every state they could be in.
    """
    reach = s.multiple * atr(s.atr, h, l, c)
    last = s.last
    s.last = c
    if s.wait > 0:
        s.wait -= 1
        return np.nan, np.nan
    middle = (h + l) / 2.0
    ratchet(s.upper, middle + reach, last)
    ratchet(s.lower, -(middle - reach), -last)
    after_rise = 0
    if c < -s.lower.high:
        after_rise = -1
    elif c >= -s.lower.low:
        after_rise = 1
    after_fall = 0
    if c > s.upper.high:
        after_fall = 1
    elif c <= s.upper.low:
        after_fall = -1
    if s.direction == 1:
        s.direction = after_rise
    elif s.direction == -1:
        s.direction = after_fall
    else:
        s.direction = after_rise if after_rise == after_fall else 0
    band = np.nan
    if s.direction == 1 and s.lower.low == s.lower.high:
        band = -s.lower.low
    elif s.direction == -1 and s.upper.low == s.upper.high:
        band = s.upper.low
    return band, float(s.direction) if s.direction != 0 else np.nan
