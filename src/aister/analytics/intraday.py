"""An account between midnights: what it was worth at every bar's close, and how much it had traded by when."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.drawdown import Drawdown, deepest_fall
from aister.core.money import RATE_ONE
from aister.ports.market import Series

__all__ = ["Intraday", "equity_at_closes", "intraday"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]


class Intraday(msgspec.Struct, frozen=True, eq=False):
    """deepest: the deepest fall of equity from a peak, peak and bottom seen at the closes of base bars (what lies
    inside bars is not seen); turnover: notional traded, both ways, before each of the times that were asked about, 1e-8
    quote units."""

    deepest: Drawdown
    turnover: Ints


def intraday(fills: Rows, series: Sequence[Series], capital: int, times_ms: Ints) -> Intraday:
    """Of a run that began with `capital` and did nothing but these fills (dtype `kernels.trades.FILL`, `symbol` the
    number of its series, by rising time). times_ms: rising."""
    closes_ms, equity = equity_at_closes(fills, series, capital)
    begin_ms = closes_ms[:1] - series[0].interval_ms
    seen = np.concatenate(([float(capital)], np.maximum(equity, 0.0)))
    deepest = deepest_fall(np.concatenate((begin_ms, closes_ms)), seen)
    units = np.array([one.instrument.unit for one in series], np.int64)
    traded = fills["ticks"] * fills["steps"] * units[fills["symbol"]]
    wide = traded.sum(dtype=np.float64) >= 2**62  # beyond int64: Python's integers
    sums = np.concatenate(([0], np.cumsum(traded, dtype=object if wide else np.int64)))
    return Intraday(deepest, sums[np.searchsorted(fills["time_ms"], times_ms)])


def equity_at_closes(fills: Rows, series: Sequence[Series], capital: int) -> tuple[Ints, Floats]:
    """(close times, equity) of every base bar of the span, 1e-8 quote units:

        equity(t) = capital + sum over symbols of  (value of what was sold - bought) - fees - funding + held(t) x last
        close(t)

    over fills and settlements before t. A settlement is paid on what was held before its bar, at the bar's open, or at
    the last close where none opens then. In float64: exact to about 1e-16 of the largest sum."""
    opens_ms = [one.open_ms[one.start :] for one in series]
    grid = opens_ms[0] if len(series) == 1 else np.unique(np.concatenate(opens_ms))
    closes_ms = grid + series[0].interval_ms
    equity = np.full(len(grid), float(capital))
    for number, one in enumerate(series):
        mine = fills[fills["symbol"] == number] if len(series) > 1 else fills
        unit, per_quote = float(one.instrument.unit), one.instrument.ticks_per_quote
        at = np.searchsorted(closes_ms, mine["time_ms"], "right")
        signed = (mine["side"] * mine["steps"]).astype(np.float64)
        held = _running(at, signed, len(grid))
        equity += _running(at, -signed * mine["ticks"] * unit - mine["fee"], len(grid))
        if not held.any():
            continue
        bar = (
            np.searchsorted(one.open_ms, grid, "right") - 1
            if len(series) > 1
            else np.arange(one.start, len(one.open_ms))
        )
        last = np.rint(one.close[np.maximum(bar, 0)] * per_quote)
        equity += held * last * unit
        due = np.searchsorted(grid, one.funding_ms)
        inside = (due > 0) & (due < len(grid))
        due = due[inside]
        opened = one.open_ms[bar[due]] == grid[due]
        price = np.where(opened, np.rint(one.open[bar[due]] * per_quote), last[due - 1])
        had, rate = held[due - 1], one.funding_e8[inside] / RATE_ONE
        if one.funding_assumed is not None:
            rate = np.where(one.funding_assumed[inside], np.abs(rate) * np.sign(had), rate)
        equity -= _running(due, had * price * unit * rate, len(grid))
    return closes_ms, equity


def _running(at: Ints, amounts: Floats, length: int) -> Floats:
    """The sum of all amounts up to each place."""
    return np.cumsum(np.bincount(at, amounts, length)[:length])
