"""A made book around the price of the path: no resting order of anybody stands behind it.

Levels lie on every tick (or every few, where the half-spread is many ticks) on both sides; the size on a tick is a
fixed function of seed, symbol, price and side, so that the book at one price is always the same and only changes where
the price has been. `update_id` rises by one with every trade, and by one difference at a time for those who follow.
"""

from aister.exchange_sim.market import Ticker
from aister.sim.models import Slippage

__all__ = ["Depth"]

_LEVELS = 50
Level = tuple[int, int]


class Depth:
    """`followed`: symbols whose differences are told, and therefore remembered."""

    def __init__(self, slippage: Slippage, seed: int) -> None:
        self._slippage, self._seed = slippage, seed
        self.followed: dict[str, tuple[int, dict[int, int], dict[int, int]]] = {}

    def best(self, ticker: Ticker) -> tuple[Level, Level]:
        """Best bid and best ask: (ticks, steps)."""
        bids, asks = self.levels(ticker, 1)
        return bids[0], asks[0]

    def levels(self, ticker: Ticker, count: int) -> tuple[list[Level], list[Level]]:
        """The best `count` bids, highest first, and asks, lowest first."""
        half = max(1, ticker.last_ticks * self._slippage.half_spread(ticker.instrument) // 100_000_000)
        apart = max(1, half)
        last = ticker.last_ticks
        first_bid = (last - half) // apart * apart if apart > 1 else last - half
        first_ask = -(-(last + half) // apart) * apart if apart > 1 else last + half
        prices = range(min(count, _LEVELS))
        bids = [first_bid - apart * i for i in prices]
        asks = [first_ask + apart * i for i in prices]
        return (
            [(at, self._size(ticker, at, 1)) for at in bids if at > 0],
            [(at, self._size(ticker, at, 2)) for at in asks],
        )

    def snapshot(self, ticker: Ticker, count: int) -> tuple[list[Level], list[Level]]:
        """The same, told under an update id of its own that the next difference includes, as the recipe of
        aster-api 8 needs: U <= lastUpdateId <= u."""
        bids, asks = self.levels(ticker, _LEVELS)
        self.followed.setdefault(ticker.instrument.symbol, (ticker.update_id, dict(bids), dict(asks)))
        ticker.update_id += 1
        return bids[:count], asks[:count]

    def difference(self, ticker: Ticker) -> tuple[int, list[Level], list[Level]]:
        """(update id before, changed bids, changed asks) since it was asked last; a size of 0 is a level gone."""
        symbol = ticker.instrument.symbol
        before, old_bids, old_asks = self.followed.get(symbol) or (ticker.update_id - 1, {}, {})
        bids, asks = self.levels(ticker, _LEVELS)
        new_bids, new_asks = dict(bids), dict(asks)
        self.followed[symbol] = (ticker.update_id, new_bids, new_asks)
        return before, _changes(old_bids, new_bids), _changes(old_asks, new_asks)

    def _size(self, ticker: Ticker, ticks: int, side: int) -> int:
        mixed = (ticks * 2_654_435_761 + side * 40_503 + self._seed * 97) & 0xFFFFFFFF
        mixed = (mixed ^ (mixed >> 13)) * 1_540_483_477 & 0xFFFFFFFF
        return max(ticker.instrument.min_steps, 1) * (1 + (mixed >> 16) % 997)


def _changes(old: dict[int, int], new: dict[int, int]) -> list[Level]:
    gone = [(ticks, 0) for ticks in old if ticks not in new]
    return gone + [(ticks, steps) for ticks, steps in new.items() if old.get(ticks) != steps]
