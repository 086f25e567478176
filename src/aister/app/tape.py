"""What a live run has been told so far, as a feed: the bars it warmed up on, then slices as they come.

The market does not come twice, so what came is kept: contracts and warm-up bars in a file beside the journal, written
when the run begins, and every slice in the journal itself. From both, a run that was killed is repeated to where it
stood.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import numpy as np

from aister.adapters.store.layout import Columns
from aister.core.audit import Audit
from aister.core.errors import StorageError
from aister.core.events import BarClosed, FundingSettled, InstrumentListed
from aister.core.instrument import Instrument
from aister.ports.feed import MarketSlice

__all__ = [
    "Beginning",
    "Gathering",
    "Tape",
    "read_beginning",
    "read_protection",
    "slices_of",
    "tape_of",
    "write_beginning",
]


T = TypeVar("T")
Protected = Literal["after", "before", "attached"]


class Beginning(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a live run started from: `bars` by symbol, closed before `start_ms`, for features to warm up on.
    `protection`: how its entries are protected on a real account (`VenueTraits`), as long as it lasts. `earlier`: ids
    of orders of an earlier run of this installation that rested there then."""

    net: str
    interval_ms: int
    start_ms: int
    instruments: dict[str, Instrument]
    bars: dict[str, list[BarClosed]]
    flags: tuple[str, ...]
    protection: Protected = "before"
    earlier: tuple[str, ...] = ()


class _Kept(msgspec.Struct, frozen=True):
    """Of a beginning only what is asked for before the rest is read."""

    protection: Protected = "before"


class Past:
    """The bars before a live run's first, as a feed; it may be read as often as one likes."""

    def __init__(self, beginning: Beginning, data_hash: str) -> None:
        self._beginning = beginning
        self.base_interval_ms = beginning.interval_ms
        self.symbols = tuple(sorted(beginning.instruments))
        self.instruments = beginning.instruments
        self.flags = beginning.flags
        self.data_hash = data_hash

    def slices(self) -> Iterator[MarketSlice]:
        times: dict[int, list[BarClosed]] = {}
        for symbol in self.symbols:
            for bar in self._beginning.bars.get(symbol, ()):
                times.setdefault(bar.open_time_ms, []).append(bar)
        for time in sorted(times):
            yield MarketSlice(time, (), tuple(times[time]))


class Tape:
    """A feed that grows. `put` adds a slice, `slices` gives what was put and not yet taken; it ends where that does."""

    def __init__(self, beginning: Beginning, data_hash: str, arrived: Iterable[MarketSlice] = ()) -> None:
        self.base_interval_ms = beginning.interval_ms
        self.symbols = tuple(sorted(beginning.instruments))
        self.instruments = {symbol: beginning.instruments[symbol] for symbol in self.symbols}
        self.flags = beginning.flags
        self.data_hash = data_hash
        self.history = Past(beginning, data_hash)
        self._start_ms = self._end_ms = beginning.start_ms
        self._waiting: deque[MarketSlice] = deque()
        self._bars: dict[str, list[BarClosed]] = {symbol: [] for symbol in self.symbols}
        for market in arrived:
            self.put(market)

    def taken(self, next_ms: int) -> None:
        """What was put has been taken; the next slice opens at `next_ms`, which may be that of the newest when it was
        not taken whole."""
        self._waiting.clear()
        self._end_ms = max(next_ms, self._start_ms)

    @property
    def waiting(self) -> bool:
        """Whether a slice is there to be taken."""
        return bool(self._waiting)

    @property
    def span_ms(self) -> tuple[int, int]:
        """Where it began, and the close of the newest bar."""
        return self._start_ms, self._end_ms

    @property
    def next_ms(self) -> int:
        """Opening of the slice after the newest."""
        return self._end_ms

    def put(self, market: MarketSlice) -> None:
        self._waiting.append(market)
        self._end_ms = max(self._end_ms, market.open_time_ms + self.base_interval_ms)
        for bar in market.bars:
            self._bars[bar.symbol].append(bar)

    def slices(self) -> Iterator[MarketSlice]:
        return _Taken(self._waiting)

    def columns(self, symbol: str) -> Columns:
        """All bars of a symbol so far: open_time int64 ms, open, high, low, close, volume float64."""
        bars = self._bars[symbol]
        made: Columns = {"open_time": np.array([bar.open_time_ms for bar in bars], np.int64)}
        for name in ("open", "high", "low", "close", "volume"):
            made[name] = np.array([getattr(bar, name) for bar in bars], np.float64)
        return made


class _Taken:
    """Takes from the front; more may come after it said that there is nothing."""

    def __init__(self, waiting: deque[MarketSlice]) -> None:
        self._waiting = waiting

    def __iter__(self) -> Iterator[MarketSlice]:
        return self

    def __next__(self) -> MarketSlice:
        if not self._waiting:
            raise StopIteration
        return self._waiting.popleft()


def tape_of(beginning: Beginning, records: Iterable[Audit]) -> Tape:
    """The feed of a live run: warm-up, and the slices its journal holds. The newest one there is left out unless every
    symbol has its bar: it may not have been written to its end, and is asked for again."""
    raw = msgspec.msgpack.encode(beginning)
    digest = hashlib.sha256(raw).hexdigest()
    told = list(slices_of(records, len(beginning.instruments)))
    if told and len(told[-1].bars) < len(beginning.instruments):
        told.pop()
    return Tape(beginning, digest, told)


def slices_of(records: Iterable[Audit], listed: int) -> Iterator[MarketSlice]:
    """The slices that a chain was told, from its records; see `Gathering`."""
    gathering = Gathering(listed)
    for audit in records:
        if (market := gathering.take(audit)) is not None:
            yield market
    if (last := gathering.last) is not None:
        yield last


class Gathering:
    """Slices from the records of a chain, one after the other: funding, terms and bars in the order of a slice. The
    opening of the chain, its start and `listed` instruments, is no slice's."""

    def __init__(self, listed: int) -> None:
        self._listed = listed
        self._funding: list[FundingSettled] = []
        self._terms: list[Instrument] = []
        self._bars: list[BarClosed] = []

    def take(self, audit: Audit) -> MarketSlice | None:
        """One record; the slice before, when it begins another."""
        event = audit.event
        if audit.sequence <= self._listed:
            return None
        if not isinstance(event, BarClosed) and not isinstance(event, FundingSettled | InstrumentListed):
            return None  # the first is nearly every record's
        bars = self._bars
        same = isinstance(event, BarClosed) and bars and event.open_time_ms == bars[0].open_time_ms
        done = None if same else self.last
        if done is not None:
            self._funding, self._terms, self._bars = [], [], []
        if isinstance(event, BarClosed):
            self._bars.append(event)
        elif isinstance(event, FundingSettled):
            self._funding.append(event)
        else:
            self._terms.append(event.instrument)
        return done

    @property
    def last(self) -> MarketSlice | None:
        """The newest so far, which may not be whole; None while it has no bar."""
        if not self._bars:
            return None
        return MarketSlice(self._bars[0].open_time_ms, tuple(self._funding), tuple(self._bars), tuple(self._terms))


def read_beginning(path: Path) -> Beginning | None:
    """None when there is none. Raises `StorageError` when it cannot be read."""
    return _read(path, Beginning)


def read_protection(path: Path) -> Protected | None:
    """How the run that began so protects its entries; None when there is none. Raises as `read_beginning`."""
    kept = _read(path, _Kept)
    return kept.protection if kept is not None else None


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StorageError(
            f"{path}, on which this live run warmed up, cannot be read ({type(error).__name__}); start over with "
            "--fresh, the old chain is kept."
        ) from None


def write_beginning(path: Path, beginning: Beginning) -> None:
    """Whole or not at all, readable by its owner only. Raises `StorageError`."""
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        beside.touch(0o600)
        with beside.open("wb") as file:
            file.write(msgspec.msgpack.encode(beginning))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise StorageError(f"{path} could not be written ({error.strerror}); make room and start again.") from None
