"""Features as columns: the whole series at once, equal bit for bit to what a live `FeatureSet` says close by close.

    columns = FeatureColumns(series)
    columns.closes("15m")                        the closed bars of a timeframe, arrays of n rows
    columns.column("15m", "ema_34")              float64[n], nan exactly where live it is unavailable at that close
    columns.prepare("15m", names)                computes several, ema, rsi and atr in one pass
    columns.values("1h", "rsi_14", "15m")        float64[m]: as known at each of the m closes of the 15m
    columns.context("session.kill_zone", times)  float64 at any rising times; also `funding.*` and `clock.*`
    columns.at("1h.rsi_14", "15m")               `values` or `context` by feature id, at the closes of a timeframe

Names are those of the catalogue (`ema_20`, `macd`, `complete`) and of `indicators.indicator`. Columns are made once and
shared by everybody who asks: read them, do not change them.

Rows are all the bars that the live state closes, in order. A row is `readable` unless the same base bar that closed it
late (it had a gap at its end) also closed the next one: then nobody could read it in between. `known_ms` is
open_ms + interval_ms for a bar that closed on time and later for one that did not: decisions are taken at the former.
"""

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import DataError, UsageError
from aister.features.indicators import indicator
from aister.features.moments import context_column
from aister.features.timeframes import INTERVAL_MS, NAMES, interval_name
from aister.kernels import columns as over
from aister.kernels.state import allocate
from aister.kernels.table import table
from aister.kernels.table_columns import column_of
from aister.kernels.vwap import VWAP
from aister.ports.market import Series

__all__ = ["Closes", "FeatureColumns"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_NONE = np.zeros(0, np.bool_)
_COUNTS = ("bars", "complete", "unbroken")
_TOGETHER = ("ema", "rsi", "atr")
_OF_THE_BAR = ("open", "high", "low", "close", "volume")


class Closes(msgspec.Struct, frozen=True, eq=False):
    """The closed bars of one timeframe, a row each. open_ms: UTC start; known_ms: when it became known (close time of
    the base bar that closed it); complete: no base bar is missing in it; readable: not overtaken at the moment it
    closed; base: these are the base bars themselves, all complete, on time and readable."""

    interval_ms: int
    open_ms: Ints
    known_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    complete: Bools
    readable: Bools
    base: bool = False

    def __len__(self) -> int:
        return len(self.open_ms)

    @property
    def on_time(self) -> Bools:
        """Which rows closed at their own end: the moments at which a strategy of this timeframe decides."""
        on_time: Bools = self.known_ms == self.open_ms + self.interval_ms
        return on_time


class FeatureColumns:
    """All feature columns of one symbol. `budget`: bytes of columns that are kept, those used longest ago dropped first
    (0: all are kept). Raises `DataError` naming the first base bar that is no bar or out of order, `UsageError` when
    the base interval is none of the timeframes."""

    def __init__(self, series: Series, budget: int = 0) -> None:
        if series.interval_ms not in INTERVAL_MS.values():
            raise UsageError(
                f"Bars of {interval_name(series.interval_ms)} cannot carry features; feed bars of {', '.join(NAMES)}."
            )
        self.series = series
        self._bars = (series.open_ms, series.open, series.high, series.low, series.close, series.volume)
        bad = over.first_refused(series.interval_ms, *self._bars)
        if bad >= 0:
            raise DataError(
                f"{series.symbol}: the bar that opened at {series.open_ms[bad]} is no bar, is not later than the one "
                f"before it or does not start on a boundary of {interval_name(series.interval_ms)}; check the data."
            )
        self._closes: dict[str, Closes] = {}
        self._columns: dict[tuple[str, str], Floats] = {}
        self._budget, self._bytes = budget, 0
        self._rows: dict[tuple[str, str], Ints] = {}
        self._day_vwap: Floats | None = None
        self._last: dict[str, Ints] = {}
        self._unbroken: dict[str, Floats] = {}

    def closes(self, timeframe: str) -> Closes:
        """The closed bars of `timeframe`; none where it is below the base. Raises `UsageError` for an unknown one."""
        if timeframe not in self._closes:
            self._closes[timeframe] = self._close(timeframe)
        return self._closes[timeframe]

    def column(self, timeframe: str, name: str) -> Floats:
        """The feature at each close of its own timeframe, shape (n,). Raises `UsageError` for an unknown name."""
        self.prepare(timeframe, (name,))
        column = self._columns.pop((timeframe, _key(name)))
        self._columns[timeframe, _key(name)] = column  # the last used is dropped last
        return column

    def prepare(self, timeframe: str, names: Iterable[str]) -> None:
        """Compute the columns that are not there yet; ema, rsi and atr together, which is faster."""
        missing = [key for key in dict.fromkeys(map(_key, names)) if (timeframe, key) not in self._columns]
        kinds = {key: indicator(key) for key in missing if key.startswith(_TOGETHER)}
        smooth = {key: (one.kind, int(one.parameters[0])) for key, one in kinds.items() if one.kind in _TOGETHER}
        if smooth:
            closes = self.closes(timeframe)
            made = over.smoothed_columns(list(smooth.values()), closes.high, closes.low, closes.close)
            for key, column in zip(smooth, made, strict=True):
                self._keep(timeframe, key, column)
        for key in missing:
            if key not in smooth:
                self._keep(timeframe, key, self._made(timeframe, key))

    def prepare_ids(self, ids: Iterable[str]) -> None:
        """`prepare` of features by id: those of one timeframe together."""
        names: dict[str, list[str]] = {}
        for timeframe, _, name in (id.partition(".") for id in ids):
            if timeframe in INTERVAL_MS:
                names.setdefault(timeframe, []).append(name)
        for timeframe, wanted in names.items():
            self.prepare(timeframe, wanted)

    def values(self, timeframe: str, name: str, decide: str) -> Floats:
        """The feature as known at each close of the timeframe `decide`, shape (closes of decide,): the newest row known
        by then, nan where there is none or it is stale (its bar ended more than one interval ago), as live."""
        column = self.column(timeframe, name)
        closes = self.closes(timeframe)
        if timeframe == decide and (closes.base or bool(closes.readable.all())):
            return column
        rows = self.rows(timeframe, decide)
        known = np.full(len(rows), np.nan)
        found = rows >= 0
        known[found] = column[rows[found]]
        return known

    def rows(self, timeframe: str, decide: str) -> Ints:
        """Which row of `timeframe` counts at each close of `decide`; -1 where none does."""
        if (timeframe, decide) not in self._rows:
            closes, at = self.closes(timeframe), self.closes(decide).known_ms
            rows = np.empty(len(at), np.int64)
            over.last_known(closes.known_ms, closes.open_ms, 2 * closes.interval_ms, at, rows)
            self._rows[timeframe, decide] = rows
        return self._rows[timeframe, decide]

    def context(self, id: str, times_ms: Ints) -> Floats:
        """A `session.*`, `funding.*` or `clock.*` feature at times that do not fall, shape (times,), nan where live it
        is unavailable; times are those of decisions: a settlement counts from the moment after it."""
        return context_column(self.series, id, times_ms)

    def at(self, id: str, decide: str) -> Floats:
        """Any feature by id at the closes of `decide`: `15m.ema_34`, `session.weekday`."""
        timeframe, _, name = id.partition(".")
        if timeframe not in INTERVAL_MS:
            return self.context(id, self.closes(decide).known_ms)
        return self.values(timeframe, name, decide)

    def _close(self, timeframe: str) -> Closes:
        if timeframe not in INTERVAL_MS:
            raise UsageError(f"There is no timeframe {timeframe!r}; choose one of {', '.join(NAMES)}.")
        base_ms, interval_ms = self.series.interval_ms, INTERVAL_MS[timeframe]
        if interval_ms == base_ms:
            open_ms = self.series.open_ms
            whole = np.ones(len(open_ms), np.bool_)
            return Closes(interval_ms, open_ms, open_ms + base_ms, *self._bars[1:], whole, whole, True)
        out = np.zeros(len(self._bars[0]) if interval_ms > base_ms else 0, over.CLOSE)
        state = over.count_state(interval_ms, base_ms)
        made = out[: over.gather_closes(state, base_ms, *self._bars, out)] if len(out) else out
        self._last[timeframe], self._unbroken[timeframe] = made["last"].copy(), made["unbroken"].astype(np.float64)
        known_ms = made["known_ms"].copy()
        readable = np.append(known_ms[1:] != known_ms[:-1], np.ones(min(len(made), 1), np.bool_))
        return Closes(
            interval_ms=interval_ms,
            open_ms=made["open_ms"].copy(),
            known_ms=known_ms,
            open=made["o"].copy(),
            high=made["h"].copy(),
            low=made["l"].copy(),
            close=made["c"].copy(),
            volume=made["v"].copy(),
            complete=made["complete"].copy(),
            readable=readable,
        )

    def _made(self, timeframe: str, key: str) -> Floats:
        closes = self.closes(timeframe)
        if key == "bars":
            return np.arange(1.0, len(closes) + 1.0)
        if key == "complete":
            return closes.complete.astype(np.float64)
        if key == "unbroken":
            return self._unbroken[timeframe] if timeframe in self._unbroken else _in_a_row(closes)
        asked = indicator(key)
        if asked.kind in _OF_THE_BAR:
            column: Floats = getattr(closes, asked.kind)
            return column
        if asked.kind == "vwap":
            vwap = self._vwap_of_the_day()
            return vwap[self._last[timeframe]] if timeframe in self._last else vwap
        out = np.empty(len(closes))
        family, part = asked.opcode or (0, 0)
        state, rings = table([(0, family, part, asked.parameters)])
        vwap = self.column(timeframe, "vwap") if asked.kind == "vwap_distance" else closes.close
        bars = (closes.high, closes.low, closes.close, closes.volume)
        column_of(family)(state, rings, closes.open_ms, closes.known_ms, vwap, *bars, out)
        return out

    def _vwap_of_the_day(self) -> Floats:
        if self._day_vwap is None:
            open_ms, _, high, low, close, volume = self._bars
            self._day_vwap = np.empty(len(open_ms))
            over.day_vwap(allocate(VWAP), open_ms, high, low, close, volume, self._day_vwap)
        return self._day_vwap

    def _keep(self, timeframe: str, key: str, column: Floats) -> None:
        """Hide what a live reader never sees, what has not warmed up or was stale when it closed, and share the
        rest."""
        closes = self.closes(timeframe)
        warmup = 1 if key in _COUNTS else indicator(key).warmup
        late = closes.known_ms - closes.open_ms > 2 * closes.interval_ms if timeframe in self._last else _NONE
        column[: warmup - 1] = np.nan
        if late.any():
            column = np.where(late, np.nan, column)  # a copy: the prices of a bar are shared with its closes
        self._columns[timeframe, key] = column
        self._bytes += column.nbytes
        while self._budget and self._bytes > self._budget and len(self._columns) > 1:
            self._bytes -= self._columns.pop(next(iter(self._columns))).nbytes


def _key(name: str) -> str:
    """The one name under which a column is kept, however it was asked for."""
    return name if name in _COUNTS else indicator(name).name


def _in_a_row(closes: Closes) -> Floats:
    """Bars since the last gap, of bars that are whole by themselves."""
    row = np.arange(len(closes))
    begins = np.ones(len(closes), np.bool_)
    begins[1:] = np.diff(closes.open_ms) != closes.interval_ms
    since: Ints = row - np.maximum.accumulate(np.where(begins, row, 0))
    return since.astype(np.float64) + 1.0
