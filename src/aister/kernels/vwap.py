"""Volume-weighted average price of a session."""

import numpy as np

from aister.kernels import Record, step

VWAP = np.dtype(
    [
        ("value", "f8"),
        ("base", "f8"),
        ("sum", "f8"),
        ("volume", "f8"),
        ("anchor", "i8"),
        ("whole", "i8"),
        ("seen", "i8"),
    ],
    align=True,
)
"""value: the average; sum: of volume x (price - base), base: the session's first price; anchor: id of the session;
whole: 1 if it was seen from its first bar; seen: 0 before the first bar."""


@step
def vwap(s: Record, anchor: int, opens: bool, h: float, l: float, c: float, v: float) -> float:
    """sum(v p) / sum(v) over the session's bars, p = (h + l + c) / 3. Unit of price. Not a rule of TA-Lib.

    A new `anchor` begins a session; `opens` says that this bar is the session's first. nan for the whole of a session
    whose first bar was not seen, and until something traded. Warm-up: none beyond that.
    """
    price = (h + l + c) / 3.0
    if s.seen == 0 or anchor != s.anchor:
        s.seen = 1
        s.anchor = anchor
        s.whole = 1 if opens else 0
        s.base = price
        s.sum = 0.0
        s.volume = 0.0
    s.sum += v * (price - s.base)
    s.volume += v
    s.value = s.base + s.sum / s.volume if s.whole == 1 and s.volume > 0.0 else np.nan
    return s.value
