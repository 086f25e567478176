"""Local books kept whole: differences from the stream, snapshots from REST, begun again after every hole."""

import asyncio
from collections.abc import Callable, Iterable

from aister.adapters.exchanges.aster.book import DepthBook
from aister.adapters.exchanges.aster.frames import DepthFrame
from aister.adapters.exchanges.aster.messages import Snapshot, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.wire import Clock
from aister.core.errors import DataError
from aister.ports.live import FeedEvent, FeedNews

__all__ = ["Books"]

_LEVELS = "1000"
_LEAST_PAUSE_MS, _MOST_PAUSE_MS = 500, 30_000
_SNAPSHOT = decoder(Snapshot)


class Books:
    """One book a symbol. `take` is given depth frames in the order they come, `drop` symbols whose stream broke; `run`
    asks for snapshots where they are wanted, one at a time and ever less often where none fits."""

    def __init__(self, rest: Rest, clock: Clock, symbols: Iterable[str], told: Callable[[FeedNews], None]) -> None:
        self.books = {symbol: DepthBook(symbol) for symbol in symbols}
        self._rest, self._clock, self._told = rest, clock, told
        self._wanted = asyncio.Event()

    def take(self, frame: DepthFrame) -> None:
        book = self.books.get(frame.symbol)
        if book is None:
            return
        was_whole = book.whole
        try:
            if not book.take(frame):
                self._tell(FeedEvent.STALE, frame.symbol, "Its depth has a hole; the book begins again.")
        except DataError as problem:
            self._tell(FeedEvent.STALE, frame.symbol, str(problem))
        if not book.whole:
            self._wanted.set()
        elif not was_whole:
            self._tell(FeedEvent.FRESH, frame.symbol, "Its book is whole.")

    def drop(self, symbol: str) -> None:
        """Its stream broke: what is missing is not known."""
        if symbol in self.books:
            self.books[symbol].drop()

    async def run(self) -> None:
        """Until cancelled."""
        pauses: dict[str, int] = {}
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            for symbol, book in self.books.items():
                if not book.wants_snapshot:
                    continue
                if await self._begin(book):
                    pauses.pop(symbol, None)
                    continue
                pause = pauses.get(symbol, _LEAST_PAUSE_MS)
                pauses[symbol] = min(2 * pause, _MOST_PAUSE_MS)
                await self._clock.sleep(pause)
                self._wanted.set()

    async def _begin(self, book: DepthBook) -> bool:
        told = await self._rest.public("depth", (("limit", _LEVELS), ("symbol", book.symbol)), _SNAPSHOT)
        if not isinstance(told, Snapshot):
            return False
        try:
            fits = book.begin(told.lastUpdateId, told.bids, told.asks)
        except DataError as problem:
            self._tell(FeedEvent.STALE, book.symbol, str(problem))
            return False
        if book.whole:
            self._tell(FeedEvent.FRESH, book.symbol, "Its book is whole.")
        return fits

    def _tell(self, event: FeedEvent, what: str, why: str) -> None:
        self._told(FeedNews(self._rest.time.now_ms(), event, what, why))
