"""Closed bars of several symbols as they close, aligned into slices.

A slice is released when every symbol's bar of it is there. What has not come some seconds after the close is asked for
(`Past`); so is everything that a broken connection swallowed. Two silences differ:

* the venue answers and has no such bar: it is absent from the slice, and said to be. A symbol whose bars have stopped
  (halted, gone) is from then on waited for no longer than until it is asked about: it holds nobody up;
* the venue cannot be asked: nothing is released until it can, and the silence is said. The slices come late then, in
  order and whole, so that features never see a hole that is none; whoever trades compares their time with his own.

Funding settled since the slice before is part of a slice, read from the venue, never computed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from aister.adapters.feeds.soundness import is_sound
from aister.adapters.store.intervals import HOUR_MS, grid_offset_ms
from aister.core.errors import UsageError
from aister.core.events import BarClosed, FundingSettled
from aister.core.instrument import Instrument
from aister.ports.exchange import Answer, Refused
from aister.ports.feed import MarketSlice
from aister.ports.live import FeedEvent, FeedNews

__all__ = ["LiveBars", "LiveSettings", "Past"]


class Past(Protocol):
    """What can be asked for afterwards."""

    async def bars(
        self, symbol: str, interval_ms: int, first_ms: int, last_ms: int
    ) -> tuple[BarClosed, ...] | Answer: ...
    async def settlements(
        self, symbol: str, interval_ms: int, after_ms: int, until_ms: int
    ) -> tuple[FundingSettled, ...] | Answer: ...


class LiveSettings(msgspec.Struct, frozen=True):
    """Times in ms after the close of a bar: `patience_ms` until it is asked for, `give_up_ms` until a venue that
    answers without it is believed (at once when it has a later one, or when the symbol had none before or is not
    trading). `retry_ms` between questions."""

    patience_ms: int = 2_000
    give_up_ms: int = 20_000
    retry_ms: int = 1_000


class LiveBars:
    """Implements `ports.live.LiveFeed`. `take` is told every closed bar the streams carry; `slices` begins with the bar
    that opens at or before `start_ms` (now, when None: the one under way; earlier ones are asked for). `now_ms` is the
    venue's clock, which holds once `ready` returns. Raises `UsageError` for bars longer than an hour."""

    def __init__(
        self,
        past: Past,
        instruments: Mapping[str, Instrument],
        interval_ms: int,
        told: Callable[[FeedNews], None],
        *,
        now_ms: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
        ready: Callable[[], Awaitable[object]] | None = None,
        start_ms: int | None = None,
        settings: LiveSettings | None = None,
    ) -> None:
        if interval_ms > HOUR_MS:
            raise UsageError("A live feed takes bars of 1h or less: funding is settled between longer ones.")
        self._past, self._told = past, told
        self._now_ms, self._sleep, self._ready = now_ms, sleep, ready
        self._settings = settings or LiveSettings()
        self._instruments = dict(sorted(instruments.items()))
        self._interval = interval_ms
        self._start_ms = start_ms
        self._next = 0
        self._bars: dict[str, dict[int, BarClosed]] = {symbol: {} for symbol in self._instruments}
        self._arrived = asyncio.Event()
        self._late: dict[str, str] = {}
        self._none_before: dict[str, int] = {}
        self._stopped: set[str] = set()
        self._changed: dict[str, Instrument] = {}
        self._funding: dict[str, list[FundingSettled]] = {symbol: [] for symbol in self._instruments}
        self._funded_ms: dict[str, int] = {}

    @property
    def base_interval_ms(self) -> int:
        return self._interval

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self._instruments)

    @property
    def instruments(self) -> dict[str, Instrument]:
        return self._instruments

    @property
    def flags(self) -> tuple[str, ...]:
        assumed = any(one.source.startswith("assumed") for one in self._instruments.values())
        return ("instruments: assumed",) if assumed else ()

    def take(self, bar: BarClosed) -> None:
        """A closed bar that a stream carried. One that cannot be a bar is left to be asked for."""
        if bar.symbol in self._bars and bar.open_time_ms >= self._next and is_sound(bar, self._interval):
            self._bars[bar.symbol].setdefault(bar.open_time_ms, bar)
            self._arrived.set()

    def change(self, instrument: Instrument) -> None:
        """A contract's terms changed: the next slice carries them. One that is not fed is passed over."""
        if instrument.symbol in self._instruments:
            self._instruments[instrument.symbol] = self._changed[instrument.symbol] = instrument

    async def slices(self) -> AsyncIterator[MarketSlice]:
        """Until the one who iterates stops."""
        if self._ready is not None:
            await self._ready()
        offset = grid_offset_ms(self._interval)
        begin = self._now_ms() if self._start_ms is None else self._start_ms
        self._next = (begin - offset) // self._interval * self._interval + offset
        for symbol in self._instruments:
            self._funded_ms[symbol] = self._next - self._interval
        while True:
            await self._wait_for(self._next)
            await self._repair(self._next)
            funding = await self._settled(self._next)
            bars = tuple(kept[self._next] for kept in self._bars.values() if self._next in kept)
            self._stopped.difference_update(bar.symbol for bar in bars)
            open_ms, self._next = self._next, self._next + self._interval
            self._forget()
            if bars:  # a slice without any bar has no time of its own: its funding goes with the next
                self._fresh()
                changed, self._changed = tuple(self._changed.values()), {}
                yield MarketSlice(open_ms, funding, bars, changed)
            else:
                for one in funding:
                    self._funding[one.symbol].append(one)

    # ---- bars

    async def _wait_for(self, open_ms: int) -> None:
        """Until every bar is there, or the patience with those that are not is over."""
        until = open_ms + self._interval + self._settings.patience_ms
        while self._missing(open_ms) and (left := until - self._now_ms()) > 0:
            self._arrived.clear()
            timer = asyncio.ensure_future(self._sleep(left))
            timer.add_done_callback(self._look_again)
            try:
                await self._arrived.wait()  # woken by the bar itself: nothing lies between it and the slice
            finally:
                timer.remove_done_callback(self._look_again)
                timer.cancel()

    def _look_again(self, timer: object) -> None:
        self._arrived.set()

    def _missing(self, open_ms: int) -> list[str]:
        none = self._none_before
        return [s for s, kept in self._bars.items() if open_ms not in kept and open_ms >= none.get(s, 0)]

    async def _repair(self, open_ms: int) -> None:
        """Ask for what is missing until it is there or the venue says that there is none."""
        while missing := self._missing(open_ms):
            answers = await asyncio.gather(*(self._ask(symbol, open_ms) for symbol in missing))
            for symbol, answer in zip(missing, answers, strict=True):
                if isinstance(answer, Refused):
                    self._leave_out(symbol, open_ms + self._interval, answer.reason)
                elif not isinstance(answer, tuple):
                    self._say_late(symbol, answer.why)
                elif open_ms in self._bars[symbol]:
                    continue
                elif answer:
                    self._leave_out(symbol, answer[0].open_time_ms, "The venue has later bars and not this one.")
                elif self._now_ms() >= self._give_up_ms(symbol, open_ms):
                    self._stopped.add(symbol)
                    self._leave_out(symbol, open_ms + self._interval, "The venue has no closed bar for this interval.")
            if self._missing(open_ms):
                await self._sleep(self._settings.retry_ms)

    def _give_up_ms(self, symbol: str, open_ms: int) -> int:
        """When a venue that answers without something of this slice is believed."""
        silent = symbol in self._stopped or self._instruments[symbol].status != "TRADING"
        return open_ms + self._interval + (self._settings.patience_ms if silent else self._settings.give_up_ms)

    def _leave_out(self, symbol: str, before_ms: int, why: str) -> None:
        """Its bars that open before a time are not to be had."""
        self._none_before[symbol] = before_ms
        self._tell(FeedEvent.ABSENT, symbol, why)

    async def _ask(self, symbol: str, open_ms: int) -> tuple[BarClosed, ...] | Answer:
        """Everything from there to now, as far as one page reaches; bars before it are not asked for again."""
        answer = await self._past.bars(symbol, self._interval, open_ms, max(open_ms, self._now_ms() - self._interval))
        if isinstance(answer, tuple):
            for bar in answer:
                self._bars[symbol].setdefault(bar.open_time_ms, bar)
        return answer

    def _forget(self) -> None:
        for kept in self._bars.values():
            for old in [time for time in kept if time < self._next]:
                del kept[old]

    # ---- funding

    async def _settled(self, open_ms: int) -> tuple[FundingSettled, ...]:
        """Funding settled up to the opening of the slice and not yet told. The venue is asked after every full hour."""
        due = [s for s in self._instruments if open_ms // HOUR_MS > self._funded_ms[s] // HOUR_MS]
        await asyncio.gather(*(self._read_funding(symbol, open_ms) for symbol in due))
        told: list[FundingSettled] = []
        for symbol, waiting in self._funding.items():
            told += [one for one in waiting if one.time_ms <= open_ms]
            self._funding[symbol] = [one for one in waiting if one.time_ms > open_ms]
        return tuple(sorted(told, key=lambda one: (one.time_ms, one.symbol)))

    async def _read_funding(self, symbol: str, open_ms: int) -> None:
        """Up to the last full hour that is some time past. A settlement that the contract's own interval promises and
        the venue does not tell in time is absent."""
        interval = self._instruments[symbol].funding_interval_ms
        give_up = self._give_up_ms(symbol, open_ms)
        promised = open_ms // interval * interval
        while True:
            after = self._funded_ms[symbol]
            answer = await self._past.settlements(symbol, interval, after, open_ms)
            if isinstance(answer, tuple):
                found = bool(answer) and answer[-1].time_ms >= promised
                if found or promised <= after or self._now_ms() >= give_up:
                    if not found and promised > after:
                        self._tell(FeedEvent.ABSENT, symbol, "The venue does not tell the funding that was due.")
                    self._funding[symbol] += answer
                    self._funded_ms[symbol] = open_ms
                    return
            elif isinstance(answer, Refused):
                self._tell(FeedEvent.ABSENT, symbol, f"Its funding cannot be read: {answer.reason}")
                self._funded_ms[symbol] = open_ms
                return
            else:
                self._say_late(symbol, answer.why)
            await self._sleep(self._settings.retry_ms)

    # ---- news

    def _say_late(self, symbol: str, why: str) -> None:
        if symbol not in self._late:
            self._late[symbol] = why
            self._tell(FeedEvent.STALE, symbol, f"Its bars are late: {why}")

    def _fresh(self) -> None:
        for symbol in self._late:
            self._tell(FeedEvent.FRESH, symbol, "Its bars are there again.")
        self._late.clear()

    def _tell(self, event: FeedEvent, what: str, why: str) -> None:
        self._told(FeedNews(self._now_ms(), event, what, why))
