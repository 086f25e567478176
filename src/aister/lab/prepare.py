"""A series as the batch loop reads it, worked out once and shared, read-only, by every run over it."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import DataError
from aister.core.money import UNIT
from aister.kernels.bars import room_for, write_bars
from aister.kernels.cost import ASSUMED_E8
from aister.kernels.impact import days_state
from aister.kernels.state import State
from aister.kernels.timeframes import decision_bars
from aister.ports.market import Series
from aister.sim.models import FillModel, Impact

__all__ = ["DAY_MS", "Prepared", "prepare"]

DAY_MS = 86_400_000

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]


class Prepared(msgspec.Struct, frozen=True, eq=False):
    """One series as the loop reads it: rows of BAR, bar numbers of settlements and decision closes, and of the last bar
    of each UTC day that ends in the span (-1: none yet) with the day's end."""

    series: Series
    impact_model: Impact | None
    bars: State
    funding_at: Small
    funding_e8: Ints
    decides: Small
    day_ms: Ints
    day_at: Small


def prepare(series: Series, model: FillModel, decides_ms: Sequence[int]) -> Prepared:
    """Work out once what every run over the series under this model's impact shares. `decides_ms`: the timeframes the
    strategy decides on. Raises `DataError` for prices that do not fit the loop's ticks, `SettingsError` for a model
    that needs shorter bars (`FillModel.check_bars`)."""
    model.check_bars(series.interval_ms, min(decides_ms))
    per_quote = series.instrument.ticks_per_quote
    if len(series.high) and series.high.max() * per_quote >= 2**31:
        raise DataError(f"{series.symbol}: prices are more than 2^31 ticks; use a coarser tick.")
    bars, days = room_for(len(series.open_ms)), days_state(0.0, 0.0)
    if model.impact is not None:
        days = days_state(model.impact.coefficient_e4 / 10_000, model.impact.haircut_e4 / 10_000)
    columns = (series.open, series.high, series.low, series.close, series.volume)
    per_base = UNIT / series.instrument.step_e8
    write_bars(days, series.open_ms, *columns, series.interval_ms, float(per_quote), per_base, bars)
    at = _first_from(series, series.funding_ms)
    inside = (at < len(series.open_ms)) & (at >= series.start)
    found = [_decides(series, ms) for ms in decides_ms]
    first_ms, end_ms = int(series.open_ms[series.start]), int(series.open_ms[-1]) + series.interval_ms
    day_ms = np.arange(first_ms // DAY_MS + 1, end_ms // DAY_MS + 1, dtype=np.int64) * DAY_MS
    day_at = _first_from(series, day_ms - series.interval_ms + 1) - 1
    return Prepared(
        series=series,
        impact_model=model.impact,
        bars=bars,
        funding_at=at[inside].astype(np.int32),
        funding_e8=charged_e8(series)[inside],
        decides=found[0] if len(found) == 1 else _either(found, len(series.open_ms)),
        day_ms=day_ms,
        day_at=day_at.astype(np.int32),
    )


def _first_from(series: Series, times_ms: Ints) -> Ints:
    """The first bar that opened at each of these times or later, their number where none did."""
    bars, step_ms = series.open_ms, series.interval_ms
    if len(bars) and (len(bars) - 1) * step_ms == bars[-1] - bars[0]:  # no gaps: no search
        reckoned: Ints = np.clip(-((bars[0] - times_ms) // step_ms), 0, len(bars))
        return reckoned
    return np.searchsorted(bars, times_ms)


def _decides(series: Series, decides_ms: int) -> Small:
    """The bars at whose close the timeframe closes: all of them for the base bars' own."""
    if decides_ms == series.interval_ms:
        return np.arange(len(series.open_ms), dtype=np.int32)
    out = np.empty(len(series.open_ms), np.int32)
    return out[: decision_bars(series.open_ms, series.interval_ms, decides_ms, out)]


def _either(found: Sequence[Small], bars: int) -> Small:
    """The bars that are in any of these, rising."""
    mask = np.zeros(bars, np.bool_)
    for at in found:
        mask[at] = True
    return np.flatnonzero(mask).astype(np.int32)


def charged_e8(series: Series) -> Ints:
    """Rates of a series' settlements as the compiled loops take them (`cost.rate_for`)."""
    if series.funding_assumed is None:
        return series.funding_e8
    return np.where(series.funding_assumed, ASSUMED_E8 + np.abs(series.funding_e8), series.funding_e8)
