"""A local order book of one symbol by the venue's procedure (aster-api 8), in integers of 1e-8.

Not in ticks: after a venue has coarsened its grid, orders of the old one stay in the book (the recorded streams of the
tests hold such levels).

1. Keep the differences that come; ask for a snapshot of the depth.
2. Drop differences with last < snapshot id; the first one applied must span it: first <= id <= last.
3. From then on each `previous` must be the `last` before, else the book is broken and begins again at 1.
   Sizes are absolute, 0 deletes a level, deleting one that is not there is normal.
"""

from bisect import bisect_left

from aister.adapters.exchanges.aster.frames import DepthFrame
from aister.core.errors import DataError
from aister.core.money import UNIT

__all__ = ["DepthBook"]

_KEPT_FRAMES = 20_000


class _Half:
    """One side: sizes by price, prices in rising order."""

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}
        self.prices: list[int] = []

    def put(self, price: int, size: int) -> None:
        known = price in self.sizes
        if size:
            self.sizes[price] = size
            if not known:
                self.prices.insert(bisect_left(self.prices, price), price)
        elif known:
            del self.sizes[price]
            del self.prices[bisect_left(self.prices, price)]


class DepthBook:
    """`whole` is False until a snapshot fits and after a break;
    `resyncs` counts the breaks. Levels beyond the snapshot's depth are known only where they changed since.

    `take` and `begin` raise `DataError` for a level that is no number of at most 8 decimals: the book is then broken.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.whole = False
        self.resyncs = 0
        self.update = 0
        self.time_ms = 0
        self._bids, self._asks = _Half(), _Half()
        self._waiting: list[DepthFrame] = []
        self._snapshot: int | None = None

    @property
    def wants_snapshot(self) -> bool:
        """Whether differences have come that no snapshot has been found for yet."""
        return not self.whole and self._snapshot is None and bool(self._waiting)

    def take(self, frame: DepthFrame) -> bool:
        """Apply a difference, or keep it for the snapshot to come. False: the book has just broken."""
        if not self.whole:
            if self._waiting and frame.previous != self._waiting[-1].last:
                self._waiting.clear()  # what came before the hole is of no use
            self._waiting.append(frame)
            del self._waiting[:-_KEPT_FRAMES]
            if self._snapshot is not None and not self._join(self._snapshot):
                self._snapshot = None
            return True
        if frame.last <= self.update:
            return True  # seen: a second connection, or a frame twice
        if frame.previous != self.update:
            self._break(frame)
            return False
        self._apply(frame)
        return True

    def begin(self, last_id: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> bool:
        """A snapshot; one that is ahead of the differences waits for those to come. False: there is a hole between it
        and them; ask again."""
        if not self._fits(last_id):
            return False
        self._bids, self._asks = _Half(), _Half()
        self._levels(self._bids, bids)
        self._levels(self._asks, asks)
        self._snapshot = last_id
        return self._join(last_id)

    def _fits(self, last_id: int) -> bool:
        """Whether differences and snapshot meet, those before it left aside."""
        first = next((one for one in self._waiting if one.last >= last_id), None)
        return first is None or first.first <= last_id or first.previous == last_id

    def _join(self, last_id: int) -> bool:
        """Apply what has come since the snapshot; the book is whole with the first of it."""
        if not self._fits(last_id):
            return False
        waited, self._waiting = [one for one in self._waiting if one.last >= last_id], []
        if waited:
            self.whole, self._snapshot = True, None
        for frame in waited:
            self._apply(frame)
        return True

    def drop(self) -> None:
        """Forget everything: the stream was lost."""
        self.whole, self._snapshot = False, None
        self._waiting.clear()

    def best(self) -> tuple[int, int, int, int] | None:
        """Bid price and size, ask price and size in 1e-8; None while the book is not whole or has a side empty."""
        bids, asks = self._bids, self._asks
        if not self.whole or not bids.prices or not asks.prices:
            return None
        bid, ask = bids.prices[-1], asks.prices[0]
        return bid, bids.sizes[bid], ask, asks.sizes[ask]

    def bids(self, count: int) -> list[tuple[int, int]]:
        """The best `count` levels as (price, size) in 1e-8, best first; empty while the book is not whole."""
        half = self._bids
        return [(price, half.sizes[price]) for price in reversed(half.prices[-count:])] if self.whole else []

    def asks(self, count: int) -> list[tuple[int, int]]:
        """The best `count` levels as (price, size) in 1e-8, best first; empty while the book is not whole."""
        half = self._asks
        return [(price, half.sizes[price]) for price in half.prices[:count]] if self.whole else []

    def _apply(self, frame: DepthFrame) -> None:
        self._levels(self._bids, frame.bids)
        self._levels(self._asks, frame.asks)
        self.update, self.time_ms = frame.last, frame.time_ms

    def _levels(self, half: _Half, levels: list[tuple[str, str]]) -> None:
        for price, size in levels:
            try:
                half.put(_e8(price), _e8(size))
            except ValueError:
                self.drop()
                raise DataError(
                    f"{self.symbol}: the venue sent a level {price[:20]!r} x {size[:20]!r} that is no price and size; "
                    "the book begins again."
                ) from None

    def _break(self, frame: DepthFrame) -> None:
        self.whole, self._snapshot = False, None
        self.resyncs += 1
        self._waiting = [frame]


def _e8(text: str) -> int:
    """A plain decimal in 1e-8, exactly. Raises `ValueError`."""
    whole, _, part = text.partition(".")
    if not whole.isdigit() or (part and not part.isdigit()) or not text.isascii():
        raise ValueError(text)
    part = part.rstrip("0")
    if len(part) > 8:
        raise ValueError(text)
    return int(whole) * UNIT + (int(part.ljust(8, "0")) if part else 0)
