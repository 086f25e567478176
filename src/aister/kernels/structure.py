"""Structure: swing highs and lows, known only when confirmed."""

import numpy as np

from aister.kernels import Record, step

PIVOT = np.dtype([("price", "f8"), ("formed_at_ms", "i8"), ("known_at_ms", "i8")], align=True)
"""price: the extreme, nan if there is none yet; formed_at_ms: open time of its bar; known_at_ms: when the confirming
bar closed."""


def swings_layout(k: int) -> np.dtype[np.void]:
    """The last two confirmed highs and lows, and a ring of the last 2k + 1 bars (next to be written at `head`)."""
    size = 2 * k + 1
    bars = [("h", "f8", (size,)), ("l", "f8", (size,)), ("t", "i8", (size,))]
    pivots = [(name, PIVOT) for name in ("high", "high_before", "low", "low_before")]
    return np.dtype([*pivots, ("k", "i8"), ("count", "i8"), ("head", "i8"), *bars], align=True)


def set_swings(s: np.void) -> None:
    """Prepare swings of k = half the ring: no pivot yet."""
    s["k"] = s["h"].size // 2
    for name in ("high", "high_before", "low", "low_before"):
        s[name]["price"] = np.nan


@step
def _keep(last: Record, before: Record, price: float, formed_at_ms: int, known_at_ms: int) -> None:
    before.price = last.price
    before.formed_at_ms = last.formed_at_ms
    before.known_at_ms = last.known_at_ms
    last.price = price
    last.formed_at_ms = formed_at_ms
    last.known_at_ms = known_at_ms


@step
def swings(s: Record, open_time_ms: int, known_at_ms: int, h: float, l: float) -> int:
    """Take the bar that opened at `open_time_ms` and was known at `known_at_ms`; return 1 if it confirms a high, 2 a
    low, 3 both.

    The bar k bars ago is a swing high if its high is above the highs of the k bars before it and not below those of the
    k bars after it: of equal highs the first counts. Lows likewise. Unit of price. First answer at bar 2k + 1. Not a
    rule of TA-Lib.
    """
    size = 2 * s.k + 1
    s.h[s.head] = h
    s.l[s.head] = l
    s.t[s.head] = open_time_ms
    middle = s.head - s.k
    if middle < 0:
        middle += size
    s.head += 1
    if s.head == size:
        s.head = 0
    if s.count < size:
        s.count += 1
        if s.count < size:
            return 0
    high = s.h[middle]
    low = s.l[middle]
    is_high = True
    is_low = True
    before = middle
    after = middle
    for _ in range(s.k):
        before = before - 1 if before > 0 else size - 1
        after = after + 1 if after < size - 1 else 0
        is_high = is_high and s.h[before] < high and s.h[after] <= high
        is_low = is_low and s.l[before] > low and s.l[after] >= low
    if is_high:
        _keep(s.high, s.high_before, high, s.t[middle], known_at_ms)
    if is_low:
        _keep(s.low, s.low_before, low, s.t[middle], known_at_ms)
    return int(is_high) + 2 * int(is_low)


@step
def _pivot_part(pivot: Record, part: int) -> float:
    if pivot.known_at_ms == 0:
        return np.nan
    return pivot.price if part == 0 else float(pivot.formed_at_ms) if part == 1 else float(pivot.known_at_ms)


@step
def pivot_value(s: Record, part: int, c: float) -> float:
    """One number of the swings: part 0 to 11 = price, formed at, known at of the last high, the high before it, the
    last low, the low before it; 12 = where `c` lies between the last low (0) and the last high (1). nan where there is
    none."""
    if part < 3:
        return _pivot_part(s.high, part)
    if part < 6:
        return _pivot_part(s.high_before, part - 3)
    if part < 9:
        return _pivot_part(s.low, part - 6)
    if part < 12:
        return _pivot_part(s.low_before, part - 9)
    return (c - s.low.price) / (s.high.price - s.low.price)


def warmup_swings(k: int) -> int:
    """2k + 1 bars decide a pivot; nothing before them has an effect. How long until a pivot occurs is the market's
    business."""
    return 2 * k + 1
