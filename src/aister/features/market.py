"""Features of several symbols: closed bars and settlements in, one `FeatureSet` per question out.

bar --update--> one compiled call per base bar, the timeframes that closed
settlement --settle-->
snapshot(symbol, now) --> FeatureSet: every id of the catalogue is in `values` or, with a reason, in `unavailable`

Indicators with parameters are asked for when the features are made, `Features(..., indicators=(("15m", "ema_34"),))`,
and served beside the catalogue's by an opcode table: the same compiled call for any of them, and none where there are
none.
"""

from collections.abc import Iterable

import msgspec

from aister.core.errors import DataError, SequenceError, UsageError
from aister.core.events import BarClosed, Funding, FundingSettled
from aister.features.asked import asked_for
from aister.features.context import Facts
from aister.features.featureset import FeatureSet, Recorded
from aister.features.sessions import new_york_midnights
from aister.features.timeframes import INTERVAL_MS, NAMES, interval_name
from aister.kernels import entry
from aister.kernels.features import BAD_BAR, LATE_BAR, SYMBOL, live, symbol_state, values
from aister.kernels.state import State, allocate, restore, snapshot
from aister.kernels.table import live_table

__all__ = ["Features"]

_MINUTE_MS = 60_000
_TWICE_MS = [2 * INTERVAL_MS[name] for name in NAMES]
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000


class _Saved(msgspec.Struct, frozen=True, array_like=True):
    """One symbol's memory as bytes can hold it."""

    symbol: str
    state: bytes
    midnight_ms: int
    midnight_open: float | None
    next_midnight_ms: int
    funding: Funding | None
    slots: bytes
    rings: bytes


class _Book:
    """One symbol's memory: the kernel's record, views into it, the table of indicators asked for, the midnight open and
    the newest settlement."""

    __slots__ = (
        "clock",
        "closes",
        "counts",
        "funding",
        "midnight_ms",
        "midnight_open",
        "next_midnight_ms",
        "outs",
        "rings",
        "rows",
        "slots",
        "state",
    )

    def __init__(self, state: State, slots: State, rings: State) -> None:
        self.state = state
        self.rows = values(self.state)
        self.clock = self.state[["bars", "open_time_ms"]]
        self.counts = self.state["tf"][0][["n", "complete", "unbroken", "open_time_ms"]]
        self.slots = slots
        self.rings = rings
        self.outs = slots["out"]
        self.midnight_ms = 0
        self.midnight_open: float | None = None
        self.next_midnight_ms = 0
        self.funding: FundingSettled | None = None


class Features:
    """The feature state of `symbols`, fed with closed bars of one base interval in time order per symbol.

    `indicators`: (timeframe, name) of what is wanted beyond the catalogue, see `indicators.indicator`. Raises
    `UsageError` when the base interval is none of the timeframes or an indicator does not exist. Timeframes below the
    base are unavailable (Q8).
    """

    def __init__(
        self, base_interval_ms: int, symbols: Iterable[str], indicators: Iterable[tuple[str, str]] = ()
    ) -> None:
        if base_interval_ms not in INTERVAL_MS.values():
            raise UsageError(
                f"Bars of {interval_name(base_interval_ms)} cannot carry features; feed bars of {', '.join(NAMES)}."
            )
        self.base_interval_ms = base_interval_ms
        self._asked = asked_for(indicators)
        self._books = {symbol: _Book(symbol_state(base_interval_ms), *self._asked.memory()) for symbol in symbols}
        example = (0, 1.0, 1.0, 1.0, 1.0, 0.0)
        if self._asked.places:
            self._live_table = entry(live_table, symbol_state(base_interval_ms), *self._asked.memory(), *example)
        else:
            self._live = entry(live, symbol_state(base_interval_ms), *example)
        base = interval_name(base_interval_ms)
        self._below = [
            f"the feed carries bars of {base}, {name} needs smaller ones" if interval_ms < base_interval_ms else ""
            for name, interval_ms in INTERVAL_MS.items()
        ]

    def update(self, bar: BarClosed) -> int:
        """Take one closed base bar; return the bits of the timeframes that closed with it (`timeframes.bit`).

        Raises `SequenceError` when the bar is not later than the one before, `DataError` when it is no bar (prices
        or volume impossible, off the grid of the base interval) or of an unknown symbol; nothing has changed then.
        """
        book = self._books.get(bar.symbol)
        if book is None:
            raise _unknown(bar.symbol)
        closed: int
        if self._asked.places:
            table = book.state, book.slots, book.rings
            closed = self._live_table(*table, bar.open_time_ms, bar.open, bar.high, bar.low, bar.close, bar.volume)
        else:
            closed = self._live(book.state, bar.open_time_ms, bar.open, bar.high, bar.low, bar.close, bar.volume)
        if closed < 0:
            raise self._refusal(closed, bar)
        if bar.open_time_ms >= book.next_midnight_ms:
            book.midnight_ms, book.next_midnight_ms = new_york_midnights(bar.open_time_ms)
            book.midnight_open = bar.open if bar.open_time_ms == book.midnight_ms else None
        return closed

    def settle(self, funding: FundingSettled) -> None:
        """Take a funding settlement: its rate is known from now on. Raises `SequenceError` when it is not newer
        than the last."""
        book = self._books.get(funding.symbol)
        if book is None:
            raise _unknown(funding.symbol)
        if book.funding is not None and funding.time_ms <= book.funding.time_ms:
            raise SequenceError(
                f"{funding.symbol}: the funding settlement of {funding.time_ms} came after that of "
                f"{book.funding.time_ms}; sort the data by time."
            )
        book.funding = funding

    def snapshot(self, symbol: str, time_ms: int) -> FeatureSet:
        """All that is known of a symbol at engine time `time_ms`. What it returns is never changed afterwards.

        Raises `SequenceError` when `time_ms` lies before the close of the newest bar: the past cannot be asked.
        """
        book = self._books.get(symbol)
        if book is None:
            raise _unknown(symbol)
        last_close_ms = self._last_close_ms(book)
        if last_close_ms is not None and time_ms < last_close_ms:
            raise SequenceError(
                f"{symbol}: features at {time_ms} were asked for after the bar closing at {last_close_ms}."
            )
        counts = book.counts.tolist()
        reasons = self._below
        for slot, (bars, _, _, opened_ms) in enumerate(counts):
            if bars and time_ms - opened_ms > _TWICE_MS[slot]:
                reasons = [*reasons[:slot], _stale(slot, time_ms - opened_ms), *reasons[slot + 1 :]]
        midnight_open = book.midnight_open if time_ms < book.next_midnight_ms else None
        facts = Facts(last_close_ms, midnight_open, book.funding)
        if not self._asked.places:
            return Recorded(symbol, time_ms, book.rows.copy(), counts, reasons, facts)
        return Recorded(symbol, time_ms, book.rows.copy(), counts, reasons, facts, self._asked, book.outs.tolist())

    def save(self) -> bytes:
        """The whole memory as bytes; `load` continues from it bit for bit."""
        books = [
            _Saved(
                symbol=symbol,
                state=snapshot(book.state),
                midnight_ms=book.midnight_ms,
                midnight_open=book.midnight_open,
                next_midnight_ms=book.next_midnight_ms,
                funding=book.funding,
                slots=snapshot(book.slots) if self._asked.places else b"",
                rings=snapshot(book.rings) if self._asked.places else b"",
            )
            for symbol, book in self._books.items()
        ]
        return msgspec.msgpack.encode((self.base_interval_ms, list(self._asked.places), books))

    def load(self, saved: bytes) -> None:
        """Continue from what `save` returned. Raises `DataError` when it is of other symbols, interval, indicators or
        layout; nothing has changed then."""
        try:
            interval_ms, asked, books = msgspec.msgpack.decode(saved, type=tuple[int, list[str], list[_Saved]])
            if (interval_ms, asked) != (self.base_interval_ms, list(self._asked.places)):
                raise ValueError
            if [book.symbol for book in books] != list(self._books):
                raise ValueError
            fresh = {book.symbol: _Book(allocate(SYMBOL), *self._asked.memory()) for book in books}
            for book in books:
                into = fresh[book.symbol]
                restore(into.state, book.state)
                if asked:
                    restore(into.slots, book.slots)
                    restore(into.rings, book.rings)
        except (ValueError, msgspec.MsgspecError):
            raise DataError("These saved features are of another feed or version; rebuild them from bars.") from None
        for book in books:
            into = fresh[book.symbol]
            into.midnight_ms, into.midnight_open = book.midnight_ms, book.midnight_open
            into.next_midnight_ms, into.funding = book.next_midnight_ms, book.funding
        self._books = fresh

    def _last_close_ms(self, book: _Book) -> int | None:
        bars, open_time_ms = book.clock.item()
        return open_time_ms + self.base_interval_ms if bars else None

    def _refusal(self, code: int, bar: BarClosed) -> Exception:
        at = f"{bar.symbol}: the bar that opened at {bar.open_time_ms}"
        if code == LATE_BAR:
            return SequenceError(
                f"{at} is not later than the one before it; sort the data by time and drop duplicates."
            )
        if code == BAD_BAR:
            return DataError(
                f"{at} is no bar (it needs 0 < low <= open, close <= high and volume >= 0); check the data."
            )
        return DataError(
            f"{at} does not start on a boundary of {interval_name(self.base_interval_ms)}; check the data."
        )


def _unknown(symbol: str) -> DataError:
    return DataError(f"{symbol} is not among the symbols these features were made for; name it when they are made.")


def _stale(slot: int, age_ms: int) -> str:
    name = NAMES[slot]
    return f"stale: the last {name} bar ended {(age_ms - INTERVAL_MS[name]) // _MINUTE_MS} minutes ago"
