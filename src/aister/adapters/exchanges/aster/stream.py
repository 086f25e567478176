"""Market streams: what the venue tells everybody, each frame once and never an older one after a newer.

Streams are named in the address of the connection, so nothing has to be sent to subscribe and the limit of 10 messages
a second is not touched; at most `PER_LINE` of the 200 a connection may carry. While two connections overlap every frame
comes twice: of each stream only what is newer than the last is handed on, of trades everything. Holes are the business
of those who know how to fill them: the book by a snapshot, the trades by their numbers, the bars by their times.
"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from aister.adapters.exchanges.aster.frames import MarketFrame, TradeFrame, market_frame
from aister.adapters.exchanges.aster.line import Line, LineSettings
from aister.adapters.exchanges.aster.wire import Clock, Lost, Wire
from aister.ports.live import FeedEvent, FeedNews

__all__ = ["PER_LINE", "MarketStreams", "StreamSettings", "streams_of"]

PER_LINE = 150
_WATCH_MS = 1_000


class StreamSettings(msgspec.Struct, frozen=True):
    """`stale_ms`: how long a stream of a kind may be silent. Only kinds that always speak are named: a quiet market
    sends no trades, but its mark price comes every second."""

    line: LineSettings = LineSettings()
    stale_ms: tuple[tuple[str, int], ...] = (("markPrice", 10_000),)


def streams_of(symbols: Iterable[str], *kinds: str) -> tuple[str, ...]:
    """Names such as btcusdt@kline_1m for every symbol and kind (kline_1m, aggTrade, bookTicker, depth@100ms,
    markPrice@1s)."""
    return tuple(f"{symbol.lower()}@{kind}" for symbol in symbols for kind in kinds)


class MarketStreams:
    """`heard` gets every frame worth hearing, `told` what is to be known about the way they come. `lost` is called for
    the streams of a connection that broke: what they carried meanwhile is missing."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        streams: Iterable[str],
        heard: Callable[[MarketFrame], None],
        told: Callable[[FeedNews], None],
        *,
        now_ms: Callable[[], int],
        lost: Callable[[tuple[str, ...]], None] = lambda streams: None,
        settings: StreamSettings | None = None,
    ) -> None:
        self._clock, self._now_ms, self._lost = clock, now_ms, lost
        self._heard, self._told_news = heard, told
        self._settings = settings or StreamSettings()
        names = tuple(dict.fromkeys(streams))
        groups = [names[start : start + PER_LINE] for start in range(0, len(names), PER_LINE)]
        self._lines = [self._line(wire, group) for group in groups]
        self._places: dict[str, tuple[int, ...]] = {}
        self._alive: set[str] = set()
        self._complained: set[str] = set()
        self._silent: dict[str, int] = {}
        limits = dict(self._settings.stale_ms)
        self._limits = {name: limits[kind] for name in names if (kind := name.split("@")[1]) in limits}

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._watch(), *(line.run() for line in self._lines))

    def _line(self, wire: Wire, group: tuple[str, ...]) -> Line:
        path = f"/stream?streams={'/'.join(group)}"
        what = ", ".join(group[:3]) + (f" and {len(group) - 3} more" if len(group) > 3 else "")

        async def where() -> str | Lost:
            return path

        def told(up: bool, why: str) -> None:
            if not up:
                self._lost(group)
            self._tell(FeedEvent.UP if up else FeedEvent.DOWN, what, why)

        return Line(wire, self._clock, where, self._frame, told, self._settings.line)

    def _frame(self, raw: bytes) -> None:
        try:
            frame = market_frame(raw)
        except ValueError as problem:
            why = str(problem)
            if why not in self._complained and len(self._complained) < 100:
                self._complained.add(why)
                self._tell(FeedEvent.UNREADABLE, "a frame", f"The venue sent {why}; it is passed over.")
            return
        if frame is None:
            return
        stream, data = frame.stream, frame.data
        self._alive.add(stream)
        if isinstance(data, TradeFrame):
            self._heard(data)  # numbered without holes: `Trades` knows better what is late and what is twice
            return
        place = data.place
        last = self._places.get(stream)
        if last is None or place > last:
            self._places[stream] = place
            self._heard(data)

    async def _watch(self) -> None:
        """Tell of streams that should speak and do not."""
        while True:
            await self._clock.sleep(_WATCH_MS)
            alive, self._alive = self._alive, set()
            for stream, most in self._limits.items():
                silent = self._silent.get(stream, 0)
                if stream in alive:
                    self._silent[stream] = 0
                    if silent > most:
                        self._tell(FeedEvent.FRESH, stream, "heard again")
                else:
                    self._silent[stream] = silent + _WATCH_MS
                    if silent <= most < silent + _WATCH_MS:
                        self._tell(FeedEvent.STALE, stream, f"Nothing was heard of it for {most / 1000:g} s.")

    def _tell(self, event: FeedEvent, what: str, why: str) -> None:
        self._told_news(FeedNews(self._now_ms(), event, what, why))
