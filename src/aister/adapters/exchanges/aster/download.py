"""Historical bars and funding into the store, resumable: what the store holds is not asked for again.

Month by month, so that what has come stays when the way ends. Every month goes through the store's own importer and its
checks; bars the venue does not have stay absent and are counted. How long a settlement covers the venue does not say:
it is the time since the one before where that is a length in use, else the contract's present interval.
"""

import csv
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.exchanges.aster.history import BARS_A_PAGE, History
from aister.adapters.exchanges.aster.messages import ExchangeInfo, FundingInfo, SymbolName, decoder
from aister.adapters.exchanges.aster.wire import Clock
from aister.adapters.store.importer import Import, import_files, symbol_name
from aister.adapters.store.intervals import HOUR_MS, grid_offset_ms, interval_name, utc_text
from aister.adapters.store.market import MarketStore
from aister.core.errors import DataError, UsageError
from aister.core.events import BarClosed, FundingSettled
from aister.core.money import money_text
from aister.ports.exchange import Answer, Refused, Unknown, Unreachable

__all__ = ["Downloaded", "Wanted", "download"]

T = TypeVar("T")
Ints = npt.NDArray[np.int64]
_ATTEMPTS = 6
_LENGTHS = frozenset(hours * HOUR_MS for hours in (1, 2, 4, 6, 8, 12, 24))
_EARLIEST_MS = 1_500_000_000_000
_INFO = decoder(ExchangeInfo)
_NAME = decoder(SymbolName)
_FUNDING = decoder(tuple[FundingInfo, ...])


class Wanted(msgspec.Struct, frozen=True):
    """What to bring: bars of one interval that open from start_ms up to end_ms (exclusive), and funding settled in that
    time. `proxies`: what the data stand in for when the net is not the one that is traded for money."""

    symbols: tuple[str, ...]
    interval_ms: int
    start_ms: int
    end_ms: int
    source: str
    proxies: tuple[str, ...] = ()
    funding: bool = True


class Downloaded(msgspec.Struct):
    """What came of one series. `missing`: rows absent from the whole stored series, recorded as gaps."""

    symbol: str
    kind: str
    interval: str
    rows_new: int
    rows_there: int
    missing: int
    notes: list[str]


async def download(
    history: History, clock: Clock, root: Path, wanted: Wanted, said: Callable[[str], None]
) -> list[Downloaded]:
    """Into the store at `root`. `said` gets a line a month.

    Raises `UsageError` for a symbol or interval the venue does not have, `DataError` when it cannot be reached or
    stops answering: what came before is stored, and asking again goes on from there.
    """
    if interval_name(wanted.interval_ms) is None:
        raise UsageError("This interval is unknown; use one such as 1m, 5m or 1h.")
    for symbol in wanted.symbols:
        symbol_name(symbol)
    await _reach(history)
    desk = _Desk(history, clock, root, wanted, said)
    hours = await desk.listed()
    done = []
    for symbol in wanted.symbols:
        done.append(await desk.bars(symbol))
        if wanted.funding:
            done.append(await desk.funding(symbol, hours.get(symbol, 8) * HOUR_MS))
    return done


async def _reach(history: History) -> None:
    told = await history.rest.server_time()
    if not isinstance(told, int):
        why = told.reason if isinstance(told, Refused) else told.why
        raise DataError(
            f"The exchange cannot be reached: {why} Bring recorded files in with `aister data import`, or "
            "use the sample that ships with the program (--data sample)."
        )


class _Desk:
    """One download at work."""

    def __init__(self, history: History, clock: Clock, root: Path, wanted: Wanted, said: Callable[[str], None]) -> None:
        self._history, self._clock, self._root, self._wanted, self._said = history, clock, root, wanted, said
        step = wanted.interval_ms
        offset = grid_offset_ms(step)
        now = history.rest.time.now_ms()
        self._start = -(-(max(wanted.start_ms, _EARLIEST_MS) - offset) // step) * step + offset
        self._end = (min(wanted.end_ms, now) - offset) // step * step + offset

    async def listed(self) -> dict[str, int]:
        """Hours between settlements by symbol; raises `UsageError` for a symbol that is not listed."""
        info = await self._asked(lambda: self._history.rest.public("exchange_info", (), _INFO))
        known = {_NAME.decode(row).symbol for row in info.symbols}
        for symbol in self._wanted.symbols:
            if symbol not in known:
                raise UsageError(f"{symbol} is not listed there; check the name, such as BTCUSDT.")
        told = await self._asked(lambda: self._history.rest.public("funding_info", (), _FUNDING))
        return {one.symbol: one.fundingIntervalHours for one in told}

    async def bars(self, symbol: str) -> Downloaded:
        step = self._wanted.interval_ms
        done = Downloaded(symbol, "klines", interval_name(step) or "", 0, 0, 0, [])
        for first, end in _months(self._start, self._end):
            there = self._times(symbol, "klines", done.interval, first, end)
            wanted = np.setdiff1d(np.arange(first, end, step, dtype=np.int64), there)
            done.rows_there += len(there)
            rows = [bar async for bar in self._read_bars(symbol, wanted)]
            if rows:
                self._store(done, ("open_time", "open", "high", "low", "close", "volume"), map(_bar_row, rows))
            self._said(
                f"{symbol} {done.interval} from {utc_text(first)}: {len(rows):,} bars came, {len(there):,} were there, "
                f"{len(wanted) - len(rows):,} the venue does not have."
            )
        return done

    async def funding(self, symbol: str, interval_ms: int) -> Downloaded:
        done = Downloaded(symbol, "funding", "", 0, 0, 0, [])
        for first, end in _months(self._start, self._end):
            there = set(self._times(symbol, "funding", "", first, end).tolist())
            rows: list[FundingSettled] = []
            after = first - 1
            while page := await self._asked(
                lambda after=after, end=end: self._history.settlements(symbol, interval_ms, after, end - 1)  # type: ignore[misc]
            ):
                rows += page
                after = page[-1].time_ms
            known = sorted(there | {one.time_ms for one in rows})
            before = dict(zip(known[1:], known, strict=False))
            new = [one for one in rows if one.time_ms not in there]
            done.rows_there += len(there)
            if new:
                lines = (_funding_row(one, before.get(one.time_ms)) for one in new)
                self._store(done, ("settle_time", "rate", "interval_ms"), lines)
            self._said(f"{symbol} funding from {utc_text(first)}: {len(new):,} settlements came.")
        return done

    async def _read_bars(self, symbol: str, wanted: Ints) -> AsyncIterator[BarClosed]:
        """The bars that open at these times, as far as the venue has them."""
        step = self._wanted.interval_ms
        breaks = np.flatnonzero(np.diff(wanted) > step) + 1
        for stretch in np.split(wanted, breaks):
            if not len(stretch):
                continue
            first, last = int(stretch[0]), int(stretch[-1])
            while first <= last:
                page = await self._asked(
                    lambda first=first, last=last: self._history.bars(symbol, step, first, last)  # type: ignore[misc]
                )
                for bar in page:
                    yield bar
                first += BARS_A_PAGE * step

    async def _asked(self, ask: Callable[[], Awaitable[T | Answer]]) -> T:
        """The answer; waits as long as the venue asks to, tries again a few times when nothing came."""
        failures = 0
        while True:
            told = await ask()
            if isinstance(told, Refused):
                raise DataError(told.reason)
            if not isinstance(told, Unknown | Unreachable):
                return told
            wait = getattr(told, "retry_ms", 0) - self._history.rest.time.now_ms()
            if wait <= 0:
                failures += 1
                wait = 500 << failures
            if failures == _ATTEMPTS:
                raise DataError(f"{told.why} What came before is stored; run the same command again to go on.")
            await self._clock.sleep(wait)

    def _times(self, symbol: str, kind: str, interval: str, first: int, end: int) -> Ints:
        """Times of the rows the store holds from first up to end."""
        store = MarketStore.open(self._root)
        series = store.manifest.find(kind, symbol, interval)
        if series is None:
            return np.empty(0, np.int64)
        name = "open_time" if kind == "klines" else "settle_time"
        return store.columns(series, first, end)[name]

    def _store(self, done: Downloaded, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
        wanted = self._wanted
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{done.symbol}-{done.interval or 'funding'}.csv"
            with path.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(header)
                writer.writerows(rows)
            report = import_files(
                self._root,
                Import(
                    paths=(path,),
                    kind=done.kind,
                    symbol=done.symbol,
                    interval_ms=wanted.interval_ms if done.kind == "klines" else None,
                    source=wanted.source,
                    licence="the venue's terms of use",
                    proxies=wanted.proxies,
                    allow_gaps=True,
                ),
            )
        done.rows_new += report.rows_new
        done.interval, done.missing = report.interval, report.missing
        done.notes += report.notes


def _months(start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """The span cut where months of UTC begin."""
    cuts, begin = [], start_ms
    while begin < end_ms:
        moment = datetime.fromtimestamp(begin / 1000, UTC)
        after = datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC)
        end = min(end_ms, int(after.timestamp() * 1000))
        cuts.append((begin, end))
        begin = end
    return cuts


def _bar_row(bar: BarClosed) -> tuple[object, ...]:
    return bar.open_time_ms, repr(bar.open), repr(bar.high), repr(bar.low), repr(bar.close), repr(bar.volume)


def _funding_row(one: FundingSettled, before_ms: int | None) -> tuple[object, ...]:
    since = one.time_ms - before_ms if before_ms is not None else 0
    return one.time_ms, money_text(one.rate_e8), since if since in _LENGTHS else one.interval_ms
