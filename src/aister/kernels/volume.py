"""Volume: on-balance volume of a window."""

import numpy as np

from aister.kernels import Record, step
from aister.kernels.averages import WINDOW, window_in

OBV = np.dtype([("signed", WINDOW), ("last", "f8"), ("seen", "i8")], align=True)
"""signed: window over volumes with the sign of the bar's change; last: the close before; seen: 0 before the first
bar."""


@step
def obv(s: Record, r: Record, c: float, v: float) -> float:
    """Volume of the bars that closed higher less that of those that closed lower than the bar before, over the last n
    bars. Unit of volume (after Granville, 1963).

    TA-Lib's OBV is the running total since the data began, a level that depends on where they begin; this is its change
    over n bars. First value at bar n + 1, where history's start has no effect.
    """
    last = s.last
    s.last = c
    if s.seen == 0:
        s.seen = 1
        return np.nan
    signed = v if c > last else -v if c < last else 0.0
    return window_in(s.signed, r, signed)[0] * s.signed.n
