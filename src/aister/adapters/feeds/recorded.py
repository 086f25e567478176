"""Recorded market data in time order: `open_feed("sample").slices()`.

Everything is read twice, in batches: once when opened (order, sanity, hash), once when fed. Memory does not grow with
the
number of bars."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.feeds.recordings import Recording, find_recordings
from aister.adapters.feeds.settlements import settlements
from aister.adapters.store.bars import OHLCV
from aister.adapters.store.checks import bar_defects, bar_gaps
from aister.adapters.store.intervals import grid_offset_ms, interval_name, utc_text
from aister.adapters.store.layout import Columns, concatenate, take
from aister.core.errors import DataError, UsageError
from aister.core.events import BarClosed, FundingAssumed, FundingSettled
from aister.core.instrument import Instrument
from aister.ports.feed import MarketSlice
from aister.ports.market import Market, Series

__all__ = ["NoBars", "RecordedFeed", "open_feed"]

_ROWS = 65_536  # read at a time, one row group
_BLOCK = 2_048  # made into values at a time: they stay in the processor's cache
_NO_FUNDING: tuple[FundingSettled, ...] = ()

Ints = npt.NDArray[np.int64]


class NoBars(DataError):
    """A recording has nothing in the span asked for."""


class RecordedFeed(msgspec.Struct, frozen=True):
    """A feed of recorded bars. `span_ms` = open of the first bar, close of the last. `data_hash` = SHA-256 over what
    will be fed: bars by column, funding, instruments, interval, and the same of `history`: the bars before the span
    that
    features may warm up on (None = there are none, or none were asked for). Implements `ports.Feed`."""

    base_interval_ms: int
    symbols: tuple[str, ...]
    instruments: dict[str, Instrument]
    span_ms: tuple[int, int]
    data_hash: str
    flags: tuple[str, ...]
    bars: int
    recordings: tuple[Recording, ...]
    funding: tuple[FundingSettled, ...]
    start_ms: int | None
    end_ms: int | None
    history: "RecordedFeed | None" = None

    def slices(self) -> Iterator[MarketSlice]:
        """One slice per distinct open time, ascending. A settlement rides on the first slice at or after its time."""
        cursors = [
            _Cursor(recording.symbol, _rows(recording, self.start_ms, self.end_ms, _ROWS))
            for recording in self.recordings
        ]
        waiting = self.funding
        while active := [cursor for cursor in cursors if cursor.fill()]:
            horizon = min(int(cursor.times[:_BLOCK][-1]) for cursor in active)
            taken = [(cursor.symbol, part) for cursor in active if (part := cursor.take_to(horizon)) is not None]
            times, grouped = _by_time(taken, self.base_interval_ms)
            due = next((i for i, settled in enumerate(waiting) if settled.time_ms > horizon), len(waiting))
            funding = _by_slice(waiting[:due], times)
            waiting = waiting[due:]
            yield from map(MarketSlice, times.tolist(), funding, grouped)

    def columns(self, symbol: str) -> Columns:
        """All bars of a symbol as arrays: open_time int64 ms, open, high, low, close, volume float64."""
        for recording in self.recordings:
            if recording.symbol == symbol:
                return concatenate(list(_rows(recording, self.start_ms, self.end_ms, 1 << 16)))
        raise UsageError(f"{symbol} is not in this feed; it has {', '.join(self.symbols)}.")

    def market(self) -> Market:
        """Everything as columns, each symbol's history in front of its span."""
        return Market(tuple(self._series(symbol) for symbol in self.symbols), self.span_ms, self.data_hash, self.flags)

    def _series(self, symbol: str) -> Series:
        parts, settled = [self.columns(symbol)], [f for f in self.funding if f.symbol == symbol]
        start = 0
        if self.history is not None and symbol in self.history.symbols:
            parts.insert(0, self.history.columns(symbol))
            settled = [*(f for f in self.history.funding if f.symbol == symbol), *settled]
            start = len(parts[0]["open_time"])
        columns = concatenate(parts)
        return Series(
            instrument=self.instruments[symbol],
            interval_ms=self.base_interval_ms,
            open_ms=columns["open_time"],
            open=columns["open"],
            high=columns["high"],
            low=columns["low"],
            close=columns["close"],
            volume=columns["volume"],
            funding_ms=np.array([f.time_ms for f in settled], np.int64),
            funding_e8=np.array([f.rate_e8 for f in settled], np.int64),
            start=start,
            funding_interval_ms=np.array([f.interval_ms for f in settled], np.int64),
            funding_assumed=np.array([isinstance(f, FundingAssumed) for f in settled], np.bool_),
        )


def open_feed(
    spec: str,
    symbols: tuple[str, ...] | list[str] | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
    *,
    assume_funding: bool = False,
    allow_gaps: bool = False,
    warm_up_ms: int = 0,
) -> RecordedFeed:
    """The feed `--data` names: `sample`, store symbols or a path; bars with start_ms <= open < end_ms, and up to
    `warm_up_ms` of what lies before start_ms as its history.

    Raises `UsageError` when the spec names nothing, `DataError` naming the row when the recording goes backwards,
    repeats or cannot be; when settlements are absent and not `assume_funding`; when one falls inside a bar; when files
    (not a
    store) have gaps and not `allow_gaps`.
    """
    if start_ms is not None and end_ms is not None and end_ms <= start_ms:
        raise UsageError(
            f"The span ends ({utc_text(end_ms)}) before it starts ({utc_text(start_ms)}); swap --from and --to."
        )
    recordings = find_recordings(spec, tuple(symbols) if symbols is not None else None)
    digest = hashlib.sha256()
    flags: set[str] = set()
    funding: list[FundingSettled] = []
    spans: list[tuple[int, int]] = []
    bars = 0
    for recording in recordings:
        survey = _survey(recording, start_ms, end_ms)
        if survey.missing and not (recording.gaps_accepted or allow_gaps):
            raise DataError(
                f"{recording.symbol}: {survey.missing:,} bars are missing, the first at "
                f"{utc_text(survey.first_gap_ms)}; "
                "complete the files, or bring them in with `aister data import --allow-gaps`, which records the gaps."
            )
        settled, assumed = settlements(
            recording.symbol,
            recording.funding(),
            survey.first_ms,
            survey.last_ms,
            recording.instrument.funding_interval_ms,
            assume_funding,
        )
        _on_boundaries(settled, recording.interval_ms)
        digest.update(survey.digest)
        funding += settled
        spans.append((survey.first_ms, survey.last_ms))
        bars += survey.rows
        flags |= recording.flags
        flags |= {"funding: assumed"} if assumed else set()
        flags |= {"instruments: assumed"} if recording.instrument.source.startswith("assumed") else set()
        flags |= {f"gaps: {recording.symbol} {survey.missing}"} if survey.missing else set()
    funding.sort(key=lambda settled: (settled.time_ms, settled.symbol))
    step = recordings[0].interval_ms
    instruments = {recording.symbol: recording.instrument for recording in recordings}
    digest.update(msgspec.json.encode([step, funding, instruments], order="sorted"))
    history = None
    if start_ms is not None and warm_up_ms:
        with suppress(NoBars):
            history = open_feed(
                spec, symbols, start_ms - warm_up_ms, start_ms, assume_funding=assume_funding, allow_gaps=allow_gaps
            )
            digest.update(history.data_hash.encode())
    return RecordedFeed(
        base_interval_ms=step,
        symbols=tuple(instruments),
        instruments=instruments,
        span_ms=(min(first for first, _ in spans), max(last for _, last in spans) + step),
        data_hash=digest.hexdigest(),
        flags=tuple(sorted(flags)),
        bars=bars,
        recordings=tuple(recordings),
        funding=tuple(funding),
        start_ms=start_ms,
        end_ms=end_ms,
        history=history,
    )


def _on_boundaries(settled: list[FundingSettled], interval_ms: int) -> None:
    """Raises `DataError` for a settlement inside a bar: it would be charged at that bar's close, on a position and a
    price it never saw. Settlements are on the hour, so hourly bars always do."""
    for one in settled:
        if (one.time_ms - grid_offset_ms(interval_ms)) % interval_ms:
            name = interval_name(interval_ms) or f"{interval_ms} ms"
            raise DataError(
                f"{one.symbol}: the funding settlement at {utc_text(one.time_ms)} falls inside a {name} bar; "
                "use bars of 1h or less."
            )


class _Survey(msgspec.Struct):
    rows: int
    first_ms: int
    last_ms: int
    missing: int
    first_gap_ms: int
    digest: bytes


def _survey(recording: Recording, start_ms: int | None, end_ms: int | None) -> _Survey:
    """One pass over what will be fed. Column hashes do not depend on how the rows come in batches."""
    found = _Survey(0, 0, 0, 0, 0, b"")
    hashes = {name: hashlib.sha256() for name in OHLCV}
    before: Columns | None = None
    for name, batch in recording.batches(start_ms, end_ms, _ROWS):
        columns = concatenate([before, batch.columns]) if before is not None else batch.columns
        carried = len(columns["open_time"]) - len(batch.rows)
        for defect in bar_defects(columns, recording.interval_ms):
            if defect.severity == "bad":
                row = batch.rows[max(0, int(defect.rows[0]) - carried)]
                raise DataError(
                    f"{name}: {batch.row_word} {row}: {defect.text} ({defect.kind}); `aister data check` lists "
                    "all of them."
                )
        before = take(columns, slice(-1, None))
        columns = _inside(columns, start_ms, end_ms)
        for gap in bar_gaps(columns["open_time"], recording.interval_ms):
            found.first_gap_ms = found.first_gap_ms or gap.start_ms
            found.missing += gap.missing
        columns = _inside(batch.columns, start_ms, end_ms)
        count = len(columns["open_time"])
        if count:
            found.first_ms = int(columns["open_time"][0]) if found.rows == 0 else found.first_ms
            found.last_ms = int(columns["open_time"][-1])
            found.rows += count
            for column, hash_ in hashes.items():
                hash_.update(np.ascontiguousarray(columns[column]).data)
    if found.rows == 0:
        raise NoBars(f"{recording.symbol} has no bars in the span asked for; `aister data list` shows what there is.")
    lines = [f"{recording.symbol} {found.rows}", *(f"{column} {hash_.hexdigest()}" for column, hash_ in hashes.items())]
    found.digest = "\n".join(lines).encode()
    return found


def _inside(columns: Columns, start_ms: int | None, end_ms: int | None) -> Columns:
    times = columns["open_time"]
    low = 0 if start_ms is None else int(np.searchsorted(times, start_ms))
    high = len(times) if end_ms is None else int(np.searchsorted(times, end_ms))
    return take(columns, slice(low, high))


def _rows(recording: Recording, start_ms: int | None, end_ms: int | None, rows: int) -> Iterator[Columns]:
    for _, batch in recording.batches(start_ms, end_ms, rows):
        columns = _inside(batch.columns, start_ms, end_ms)
        if len(columns["open_time"]):
            yield columns


class _Cursor:
    """Where one symbol's reading stands."""

    def __init__(self, symbol: str, batches: Iterator[Columns]) -> None:
        self.symbol = symbol
        self._batches = batches
        self._columns: Columns = {}
        self.times: Ints = np.empty(0, np.int64)

    def fill(self) -> bool:
        """Has at least one row at hand; False at the end."""
        if len(self.times) == 0:
            columns = next(self._batches, None)
            if columns is None:
                return False
            self._columns, self.times = columns, columns["open_time"]
        return True

    def take_to(self, horizon_ms: int) -> Columns | None:
        """Rows up to and including the horizon, or None."""
        count = int(np.searchsorted(self.times, horizon_ms, "right"))
        taken = take(self._columns, slice(0, count))
        self._columns = take(self._columns, slice(count, None))
        self.times = self._columns["open_time"]
        return taken if count else None


def _by_time(taken: list[tuple[str, Columns]], interval_ms: int) -> tuple[Ints, Iterator[tuple[BarClosed, ...]]]:
    """Distinct open times, and for each its bars in symbol order."""
    opens = [columns["open_time"] for _, columns in taken]
    times = opens[0]
    if all(len(other) == len(times) and bool((other == times).all()) for other in opens[1:]):
        shared = times.tolist()
        closes = (times + interval_ms).tolist()
        return times, zip(*(_bars(symbol, columns, shared, closes) for symbol, columns in taken), strict=True)
    times = np.unique(np.concatenate(opens))
    slots: list[list[BarClosed]] = [[] for _ in range(len(times))]
    for mine, (symbol, columns) in zip(opens, taken, strict=True):
        bars = _bars(symbol, columns, mine.tolist(), (mine + interval_ms).tolist())
        for at, bar in zip(np.searchsorted(times, mine).tolist(), bars, strict=True):
            slots[at].append(bar)
    return times, map(tuple, slots)


def _bars(symbol: str, columns: Columns, opens: list[int], closes: list[int]) -> Iterator[BarClosed]:
    return map(BarClosed, closes, repeat(symbol), opens, *(columns[name].tolist() for name in OHLCV[1:]))


def _by_slice(due: tuple[FundingSettled, ...], times: Ints) -> list[tuple[FundingSettled, ...]]:
    slots = [_NO_FUNDING] * len(times)
    for settled in due:
        at = int(np.searchsorted(times, settled.time_ms))
        slots[at] = (*slots[at], settled)
    return slots
