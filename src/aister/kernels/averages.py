"""Averages: exponential, windowed mean and deviation, linearly weighted, MACD, Bollinger bands.

Every rule answers nan until it can be computed at all. Its declared warm-up is longer: the number of inputs after which
the point where history started changes the answer by less than `START_EFFECT` relative to its own scale.
"""

import math

import numpy as np

from aister.kernels import Record, step

START_EFFECT = 1e-6

_FAR = 1e3


def decay_bars(retained: float, stages: int = 1) -> int:
    """Inputs until a unit error at the start of `stages` recursions in a row, each keeping `retained`, has vanished.

    One recursion leaves r^k of the error; a second one behind it, smoothing that error again, r^k (1 + k (1 - r)).
    """
    k = math.ceil(math.log(START_EFFECT) / math.log(retained))
    while retained**k * (1.0 + k * (1.0 - retained)) ** (stages - 1) >= START_EFFECT:
        k += 1
    return k


EMA = np.dtype([("v", "f8"), ("a", "f8"), ("n", "i8"), ("count", "i8")], align=True)
"""v: the average (the sum, while seeding); a: weight of the newest input; n: inputs in the seed; count: inputs seen, up
to n."""


def set_ema(s: np.void, n: int) -> None:
    """Prepare an EMA of span n: a = 2 / (n + 1)."""
    s["n"], s["a"] = n, 2.0 / (n + 1)


def set_wilder(s: np.void, n: int) -> None:
    """Prepare Wilder's smoothing over n: an EMA with a = 1 / n."""
    s["n"], s["a"] = n, 1.0 / n


@step
def follow(v: float, a: float, x: float) -> float:
    """The recursion of an EMA: v + a (x - v)."""
    return v + a * (x - v)


@step
def ema(s: Record, x: float) -> float:
    """v += a (x - v), seeded with the mean of the first n inputs (as TA-Lib). Unit of x."""
    if s.count < s.n:
        s.count += 1
        s.v += x
        if s.count < s.n:
            return np.nan
        s.v /= s.n
        return s.v
    s.v = follow(s.v, s.a, x)
    return s.v


def warmup_ema(n: int) -> int:
    """Seed of n, then (1 - a)^k < START_EFFECT with a = 2 / (n + 1)."""
    return n + decay_bars((n - 1) / (n + 1))


def warmup_wilder(n: int) -> int:
    """Seed of n, then (1 - 1/n)^k < START_EFFECT."""
    return n + decay_bars((n - 1) / n)


_SUMS = [("base", "f8"), ("sum", "f8"), ("squares", "f8")]
_PLACE = [("count", "i8"), ("head", "i8"), ("n", "i8")]

WINDOW = np.dtype([*_PLACE, *_SUMS], align=True)
"""Sum and sum of squares of the last n inputs, measured from base, a value nearby; the inputs themselves (oldest at
head) lie in the `ring` of another record, which may be longer than n. Its order differs from that of a window with its
ring inside, which numba would else take for a subtype of it."""


def window_layout(n: int) -> np.dtype[np.void]:
    """A WINDOW with its ring of n inputs inside."""
    return np.dtype([*_SUMS, *_PLACE, ("ring", "f8", (n,))], align=True)


def set_window(s: np.void) -> None:
    """Prepare a window over as many inputs as its ring holds."""
    s["n"] = s["ring"].size


@step
def _rebase(s: Record, r: Record) -> None:
    """Recompute both sums from the ring, measured from its mean: each lap forgets the rounding of the one before."""
    s.base += s.sum / s.n
    total = 0.0
    squares = 0.0
    for i in range(s.n):
        d = r.ring[i] - s.base
        total += d
        squares += d * d
    s.sum = total
    s.squares = squares


@step
def window_in(s: Record, r: Record, x: float) -> tuple[float, float]:
    """As `window`, for a WINDOW `s` whose ring is that of the record `r`."""
    if s.count < s.n:
        if s.count == 0:
            s.base = x
        s.count += 1
        old = 0.0
    else:
        old = r.ring[s.head] - s.base
    d = x - s.base
    r.ring[s.head] = x
    s.head = s.head + 1 if s.head + 1 < s.n else 0
    s.sum += d - old
    s.squares += d * d - old * old
    if s.count < s.n:
        return np.nan, np.nan
    mean = s.sum / s.n
    variance = s.squares / s.n - mean * mean
    if s.head == 0 or mean * mean > _FAR * variance:
        _rebase(s, r)
        mean = s.sum / s.n
        variance = s.squares / s.n - mean * mean
    return s.base + mean, math.sqrt(max(variance, 0.0))


@step
def window(s: Record, x: float) -> tuple[float, float]:
    """Mean and population standard deviation of the last n inputs; (nan, nan) before n. Unit of x. Warm-up n, exactly.

    The sums are taken anew once a lap, and whenever the mean has moved so far from base that squares would cancel.
    """
    return window_in(s, s, x)


@step
def sma(s: Record, x: float) -> float:
    """Mean of the last n inputs (a window); nan before n. Unit of x. Warm-up n, exactly."""
    return window(s, x)[0]


def warmup_window(n: int) -> int:
    """A window forgets its start completely after n inputs."""
    return n


@step
def bollinger(s: Record, width: float, x: float) -> tuple[float, float, float]:
    """(upper, middle, lower) = mean +- width x population deviation of the last n inputs (a window). Unit of x
    (Bollinger, 1983)."""
    middle, deviation = window(s, x)
    return middle + width * deviation, middle, middle - width * deviation


WMA = np.dtype(
    [("base", "f8"), ("sum", "f8"), ("weighted", "f8"), ("count", "i8"), ("head", "i8"), ("n", "i8")], align=True
)
"""sum, weighted: of the last n inputs less base, plain and with weights 1 (oldest) to n (newest); their ring lies in
another record."""


@step
def wma(s: Record, r: Record, x: float) -> float:
    """sum(k x_k) / sum(k), k = 1 for the oldest to n for the newest of the last n inputs. Unit of x. Warm-up n,
    exactly.

    Both sums are taken anew once a lap, measured from the mean, so rounding does not pile up.
    """
    if s.count == 0:
        s.base = x
    d = x - s.base
    if s.count < s.n:
        s.count += 1
        s.weighted += s.count * d
        s.sum += d
    else:
        s.weighted += s.n * d - s.sum
        s.sum += d - (r.ring[s.head] - s.base)
    r.ring[s.head] = x
    s.head = s.head + 1 if s.head + 1 < s.n else 0
    if s.count < s.n:
        return np.nan
    if s.head == 0:
        s.base += s.sum / s.n
        s.sum = 0.0
        s.weighted = 0.0
        for i in range(s.n):
            s.sum += r.ring[i] - s.base
            s.weighted += (i + 1) * (r.ring[i] - s.base)
    return s.base + s.weighted / (0.5 * s.n * (s.n + 1))


MACD = np.dtype([("fast", EMA), ("slow", EMA), ("signal", EMA), ("wait", "i8")], align=True)
"""fast, slow: EMAs of the input; signal: EMA of their difference; wait: inputs the fast one still lets pass."""


def set_macd(s: np.void, fast: int, slow: int, signal: int) -> None:
    """Prepare a MACD of these spans, fast < slow."""
    set_ema(s["fast"], fast)
    set_ema(s["slow"], slow)
    set_ema(s["signal"], signal)
    s["wait"] = slow - fast


@step
def macd(s: Record, x: float) -> tuple[float, float, float]:
    """(line, signal, histogram): line = EMA(fast) - EMA(slow), signal = EMA of the line, histogram = line - signal.
    Unit of x.

    As TA-Lib: the fast average is seeded with the inputs just before the slow one's first value, so both begin at bar
    `slow`; the signal at bar slow + signal - 1. The line itself is given from bar `slow` (TA-Lib holds it back until
    the signal exists).
    """
    slow = ema(s.slow, x)
    fast = np.nan
    if s.wait > 0:
        s.wait -= 1
    else:
        fast = ema(s.fast, x)
    line = fast - slow
    signal = np.nan
    if s.slow.count == s.slow.n:
        signal = ema(s.signal, line)
    return line, signal, line - signal


def warmup_macd(slow: int, signal: int) -> int:
    """Seeds of both, then two recursions in a row at the slower decay."""
    longest = max(slow, signal)
    return slow + signal + decay_bars((longest - 1) / (longest + 1), stages=2)
