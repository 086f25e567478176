"""The public side of AsterDex for a few symbols: closed bars as a live feed, marks and funding as they stand, and where
asked for trades, best prices and whole books. It needs no key."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal

import msgspec

from aister.adapters.exchanges.aster.amounts import rounded
from aister.adapters.exchanges.aster.books import Books
from aister.adapters.exchanges.aster.frames import DepthFrame, KlineFrame, MarketFrame, MarkFrame, TradeFrame
from aister.adapters.exchanges.aster.history import History
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.stream import MarketStreams, StreamSettings, streams_of
from aister.adapters.exchanges.aster.trades import Trades
from aister.adapters.exchanges.aster.wire import Clock, Wire
from aister.adapters.feeds.live import LiveBars, LiveSettings
from aister.adapters.store.intervals import interval_name
from aister.core.errors import DataError, UsageError
from aister.core.events import BarClosed
from aister.core.instrument import Instrument
from aister.ports.live import FeedNews

__all__ = ["AsterMarket", "Choice"]

_TIME_MS, _LOOK_MS = 10_000, 1_000


class Choice(msgspec.Struct, frozen=True):
    """What is listened to beside bars and marks, and how patiently. `start_ms`: where the slices begin (None: with the
    bar under way)."""

    start_ms: int | None = None
    trades: bool = False
    best: bool = False
    depth: bool = False
    streams: StreamSettings = StreamSettings()
    bars: LiveSettings = LiveSettings()


_PLAIN = Choice()


class AsterMarket:
    """`feed` gives slices while `run` runs. `told` gets the news of the way, `mark` every mark price in 1e-8, `heard`
    every frame: once, none older after a newer, trades without a hole.

    Raises `UsageError` for an interval the venue has no bars of, or longer than an hour.
    """

    def __init__(
        self,
        rest: Rest,
        wire: Wire,
        clock: Clock,
        instruments: Mapping[str, Instrument],
        interval_ms: int,
        told: Callable[[FeedNews], None],
        choice: Choice = _PLAIN,
        *,
        heard: Callable[[MarketFrame], None] = lambda frame: None,
        mark: Callable[[str, int], None] = lambda symbol, mark_e8: None,
    ) -> None:
        name = interval_name(interval_ms)
        if name is None:
            raise UsageError(f"AsterDex has no bars of {interval_ms} ms; use 1m, 5m, 15m or 1h.")
        self._rest, self._clock = rest, clock
        self._interval, self._name = interval_ms, name
        self._heard, self._mark = heard, mark
        self.funding: dict[str, tuple[Decimal, int]] = {}
        """The rate as it stands and when it will be settled, by symbol."""
        self._timed = asyncio.Event()
        self.feed = LiveBars(
            History(rest),
            instruments,
            interval_ms,
            told,
            now_ms=rest.time.now_ms,
            sleep=clock.sleep,
            ready=self._timed.wait,
            start_ms=choice.start_ms,
            settings=choice.bars,
        )
        self._trades = Trades(rest, clock, heard, told)
        self.books = Books(rest, clock, instruments if choice.depth else (), told)
        kinds = [f"kline_{name}", "markPrice@1s"]
        kinds += ["aggTrade"] * choice.trades + ["bookTicker"] * choice.best + ["depth@100ms"] * choice.depth
        self._streams = MarketStreams(
            wire,
            clock,
            streams_of(instruments, *kinds),
            self._take,
            told,
            now_ms=rest.time.now_ms,
            lost=self._lost,
            settings=choice.streams,
        )

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._streams.run(), self.books.run(), self._trades.run(), self._keep_time())

    def _take(self, frame: MarketFrame) -> None:
        if isinstance(frame, TradeFrame):
            self._trades.take(frame)
            return
        if isinstance(frame, KlineFrame):
            bar = frame.bar
            if bar.closed and bar.interval == self._name:
                close_ms = bar.open_ms + self._interval
                prices = (bar.open, bar.high, bar.low, bar.close)
                self.feed.take(BarClosed(close_ms, frame.symbol, bar.open_ms, *prices, bar.volume))
        elif isinstance(frame, MarkFrame):
            with suppress(DataError):  # a mark that is no price is no mark: what is known grows old
                self._mark(frame.symbol, rounded(frame.mark))
                self.funding[frame.symbol] = frame.rate, frame.funding_ms
        elif isinstance(frame, DepthFrame):
            self.books.take(frame)
        self._heard(frame)

    def _lost(self, streams: tuple[str, ...]) -> None:
        for stream in streams:
            symbol, _, kind = stream.partition("@")
            if kind.startswith("depth"):
                self.books.drop(symbol.upper())

    async def _keep_time(self) -> None:
        """The venue's clock: measured every ten seconds and at once when this machine's was set or it has slept. With
        an account, `attend` does it too; without, nobody else."""
        venue, due = self._rest.time, 0.0
        while True:
            if venue.watch() or not venue.measured or self._clock.monotonic_ms() >= due:
                told = await self._rest.server_time()
                if isinstance(told, int):
                    self._timed.set()
                    due = self._clock.monotonic_ms() + _TIME_MS
            await self._clock.sleep(_LOOK_MS)
