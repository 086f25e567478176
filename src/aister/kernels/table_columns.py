"""Columns of the table's indicators: one slot over all closed bars of a timeframe, a kernel for each kind of rule.

A kind is compiled when it is first asked for: one indicator does not wait for the rules of all others."""

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from aister.kernels import kernel
from aister.kernels.averages import ema, wma
from aister.kernels.momentum import rsi
from aister.kernels.state import State
from aister.kernels.table import (
    BALANCE,
    CHANGE,
    CONVERGENCE,
    DEVIATION,
    DIRECTIONAL,
    DISTANCE,
    ENVELOPE,
    EXPONENTIAL,
    MAXIMUM,
    MIDDLE,
    MINIMUM,
    PIVOTS,
    SLOPE,
    SPREAD,
    STOCHASTICS,
    STRENGTH,
    TREND,
    TRUE_RANGE,
    VOLUME_MEAN,
    WEIGHTED,
    WINDOWED,
    delay,
    of_average,
    of_convergence,
    of_direction,
    of_extremes,
    of_pivots,
    of_stochastic,
    of_trend,
    of_window,
)
from aister.kernels.volatility import volatility_in
from aister.kernels.volume import obv

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_KINDS = dict.fromkeys((MINIMUM, MIDDLE), MAXIMUM)
_KINDS |= dict.fromkeys((DISTANCE, ENVELOPE, SLOPE, SPREAD), TRUE_RANGE)
"""Families whose rule is another's: one kernel has them all."""


def column_of(family: int) -> Callable[..., None]:
    """The kernel that writes the values of the first slot, of this family, over the closed bars of a timeframe; what is
    not finite is nan."""
    return _made(_KINDS.get(family, family))


@cache
def _made(kind: int) -> Callable[..., None]:
    """`table.take`, compiled for one kind: the branches of the others fall away, because `kind` is a constant to it."""

    @kernel
    def column(
        slots: State,
        rings: State,
        open_time_ms: Ints,
        known_at_ms: Ints,
        day_vwap: Floats,
        h: Floats,
        l: Floats,
        c: Floats,
        v: Floats,
        out: Floats,
    ) -> None:
        s = slots[0]
        a = rings[s.a]
        b = rings[s.b]
        for i in range(c.size):
            x = c[i]
            value = np.nan
            if kind == EXPONENTIAL:
                value = ema(s.ema, x)
            elif kind == WINDOWED:
                value = of_window(s, a, x)
            elif kind == VOLUME_MEAN:
                value = of_window(s, a, v[i])
            elif kind == MAXIMUM:
                value = of_extremes(s, a, b, h[i], l[i])
            elif kind == TRUE_RANGE:
                value = of_average(s, h[i], l[i], x, day_vwap[i])
            elif kind == STRENGTH:
                value = rsi(s.rsi, x)
            elif kind == DIRECTIONAL:
                value = of_direction(s, h[i], l[i], x)
            elif kind == CONVERGENCE:
                value = of_convergence(s, x)
            elif kind == WEIGHTED:
                value = wma(s.wma, a, x)
            elif kind == STOCHASTICS:
                value = of_stochastic(s, a, b, h[i], l[i], x)
            elif kind == TREND:
                value = of_trend(s, h[i], l[i], x)
            elif kind == CHANGE:
                value = x / delay(s.window, a, x) - 1.0
            elif kind == DEVIATION:
                value = volatility_in(s.returns, a, x)
            elif kind == BALANCE:
                value = obv(s.obv, a, x, v[i])
            elif kind == PIVOTS:
                value = of_pivots(s, open_time_ms[i], known_at_ms[i], h[i], l[i], x)
            out[i] = value if np.isfinite(value) else np.nan

    return column
