"""One symbol, one account, one price, in plain Python: what positions and cash must be when nothing slips.

The market walks in straight lines. A taker fills at the price it stands at, a stop or take-profit at its trigger, a
resting limit at its own price once price is a tick beyond it. Prices in ticks, sizes in steps, money in units.
With a `leg` (1, -1) it is that leg of a hedged symbol: an order against it only reduces.
"""

from dataclasses import dataclass, field

import msgspec

from aister.core.money import apply_rate, divide_half_even
from aister.core.trade import Order, OrderType
from tests.conformance.venue import Done

__all__ = ["PlainAccount"]


@dataclass
class PlainAccount:
    price: int
    cash: int
    unit: int
    maker_e8: int
    taker_e8: int
    steps: int = 0
    cost: int = 0
    leg: int = 0
    book: list[Order] = field(default_factory=list)
    fills: list[Done] = field(default_factory=list)
    ages: dict[str, int] = field(default_factory=dict)

    def place(self, order: Order) -> int:
        """Take the order; 0, or the code it is refused with."""
        if self._reduces(order) and not order.close_position and self.steps * order.side >= 0:
            return -2022
        if order.close_position and self.leg * order.side > 0:
            return -2022
        self.ages[order.client_id] = len(self.ages)
        if order.type is OrderType.MARKET:
            self._take(order, self.price, self.taker_e8)
        elif order.type is OrderType.LIMIT:
            if (order.price_ticks - self.price) * order.side < 0:
                self.book.append(order)
            elif not order.post_only:
                self._take(order, self.price, self.taker_e8)
        elif (self.price - order.trigger_ticks) * self._way(order) >= 0:
            return -2021
        else:
            self.book.append(order)
        return 0

    def cancel(self, client_id: str) -> bool:
        kept = [order for order in self.book if order.client_id != client_id]
        gone, self.book = len(kept) < len(self.book), kept
        return gone

    def amend(self, client_id: str, steps: int, ticks: int) -> int:
        """Another size and price for a resting limit, which is then younger than the others; 0, or the code it is
        refused with, and nothing has changed."""
        place, old = next((i, one) for i, one in enumerate(self.book) if one.client_id == client_id)
        new = msgspec.structs.replace(old, steps=steps, price_ticks=ticks)
        if self._reduces(old) and self.steps * old.side >= 0:
            return -2022
        self.ages[f"before {len(self.ages)}"] = self.ages[client_id]
        self.ages[client_id] = len(self.ages)
        if (ticks - self.price) * old.side < 0:
            self.book[place] = new
            return 0
        del self.book[place]
        if not old.post_only:
            self._take(new, self.price, self.taker_e8)
        return 0

    def force(self, share_e4: int) -> None:
        """Somebody takes a share of the position at the market's price."""
        if self.steps:
            side, size = (-1 if self.steps > 0 else 1), max(1, abs(self.steps) * share_e4 // 10_000)
            self._fill("adl_autoclose", side, size, self.price, self.taker_e8)

    def part(self, order: Order, steps: int) -> None:
        """This much of a market order fills now."""
        self._take(msgspec.structs.replace(order, steps=steps), self.price, self.taker_e8)

    def settle(self, rate_e8: int) -> None:
        self.cash -= apply_rate(self.steps * self.price * self.unit, rate_e8)

    def walk(self, to: int) -> None:
        """Whatever is reached acts in the order in which it is reached, the oldest first among equals."""
        way = 1 if to > self.price else -1
        reached = [o for o in self.book if self._way(o) == way and (to - self._point(o)) * way >= 0]
        for order in sorted(reached, key=lambda one: (self._point(one) * way, self.ages[one.client_id])):
            self.book.remove(order)
            if order.type is OrderType.LIMIT:
                self._take(order, order.price_ticks, self.maker_e8, maker=True)
            else:
                self._take(order, order.trigger_ticks, self.taker_e8)
        self.price = to

    def _reduces(self, order: Order) -> bool:
        return order.reduce_only or order.close_position or self.leg * order.side < 0

    @staticmethod
    def _way(order: Order) -> int:
        """Which way price must go for the order to act: stops with their side, limits and take-profits against it."""
        return int(order.side) if order.type is OrderType.STOP_MARKET else -int(order.side)

    @staticmethod
    def _point(order: Order) -> int:
        return order.price_ticks - order.side if order.type is OrderType.LIMIT else order.trigger_ticks

    def _take(self, order: Order, ticks: int, rate_e8: int, *, maker: bool = False) -> None:
        side, size = int(order.side), abs(self.steps) if order.close_position else order.steps
        if self._reduces(order):
            size = min(size, abs(self.steps)) if self.steps * side < 0 else 0
        if size:
            self._fill(order.client_id, side, size, ticks, rate_e8, maker=maker)

    def _fill(self, client_id: str, side: int, size: int, ticks: int, rate_e8: int, *, maker: bool = False) -> None:
        fee = apply_rate(size * ticks * self.unit, rate_e8)
        closing = min(size, abs(self.steps)) if self.steps * side < 0 else 0
        removed = divide_half_even(self.cost * closing, abs(self.steps)) if closing else 0
        self.cash += -side * closing * ticks * self.unit - removed - fee
        self.cost += side * (size - closing) * ticks * self.unit - removed
        self.steps += side * size
        self.fills.append(Done(client_id, side, size, ticks, fee, maker))
