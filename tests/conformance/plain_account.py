"""One symbol, one account, one price, in plain Python: what positions and cash must be when nothing slips.

The market walks in straight lines. A taker fills at the price it stands at, a stop or take-profit at its trigger, a
resting limit at its own price once price is a tick beyond it. Prices in ticks, sizes in steps, money in units.
"""

from dataclasses import dataclass, field

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
    book: list[Order] = field(default_factory=list)
    fills: list[Done] = field(default_factory=list)

    def place(self, order: Order) -> int:
        """Take the order; 0, or the code it is refused with."""
        if order.reduce_only and self.steps * order.side >= 0:
            return -2022
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

    def settle(self, rate_e8: int) -> None:
        self.cash -= apply_rate(self.steps * self.price * self.unit, rate_e8)

    def walk(self, to: int) -> None:
        """Whatever is reached acts in the order in which it is reached, the oldest first among equals."""
        way = 1 if to > self.price else -1
        reached = [o for o in self.book if self._way(o) == way and (to - self._point(o)) * way >= 0]
        for order in sorted(reached, key=lambda one: self._point(one) * way):
            self.book.remove(order)
            if order.type is OrderType.LIMIT:
                self._take(order, order.price_ticks, self.maker_e8, maker=True)
            else:
                self._take(order, order.trigger_ticks, self.taker_e8)
        self.price = to

    @staticmethod
    def _way(order: Order) -> int:
        """Which way price must go for the order to act: stops with their side, limits and take-profits against it."""
        return int(order.side) if order.type is OrderType.STOP_MARKET else -int(order.side)

    @staticmethod
    def _point(order: Order) -> int:
        return order.price_ticks - order.side if order.type is OrderType.LIMIT else order.trigger_ticks

    def _take(self, order: Order, ticks: int, rate_e8: int, *, maker: bool = False) -> None:
        side, size = int(order.side), abs(self.steps) if order.close_position else order.steps
        if order.reduce_only or order.close_position:
            size = min(size, abs(self.steps)) if self.steps * side < 0 else 0
        if size == 0:
            return
        fee = apply_rate(size * ticks * self.unit, rate_e8)
        closing = min(size, abs(self.steps)) if self.steps * side < 0 else 0
        removed = divide_half_even(self.cost * closing, abs(self.steps)) if closing else 0
        self.cash += -side * closing * ticks * self.unit - removed - fee
        self.cost += side * (size - closing) * ticks * self.unit - removed
        self.steps += side * size
        self.fills.append(Done(order.client_id, side, size, ticks, fee, maker))
