"""The margin of an account at the simulated venue: what an order needs, and what stands behind a cross position."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aister.core.events import BarClosed
from aister.core.money import money_text
from aister.core.trade import Order
from aister.kernels.book import MAX_ORDERS
from aister.sim.calls import Calls
from aister.sim.desk import Desk

__all__ = ["Margins"]


class Margins:
    """Counts over all desks of one account; only the book that is weighed changes."""

    def __init__(self, desks: dict[str, tuple[Desk, ...]], account: npt.NDArray[np.void], call: Calls) -> None:
        self._desks, self._account, self._call = desks, account, call

    def reserved(self) -> int:
        """Initial margin of all positions and of the entries on the books, money units."""
        return sum(desk.reserved for desk in self._busy())

    def reserve(self, desk: Desk, order: Order, time_ms: int) -> tuple[int, str]:
        """Initial margin the order needs, and why there is no room or margin for it; empty when there is."""
        if len(desk.orders) >= min(MAX_ORDERS, desk.instrument.max_orders):
            return 0, f"-2025 there are already {len(desk.orders)} open orders on {order.symbol}"
        growth = desk.growth(order)
        if growth == 0:
            return 0, ""
        leverage = desk.leverage
        ticks = order.price_ticks or order.trigger_ticks or desk.last_ticks(time_ms)
        notional = desk.instrument.notional(ticks, growth)
        if desk.instrument.bracket(notional).max_leverage < leverage:
            return 0, f"-2027 a position of this size is not allowed at leverage {leverage}"
        free = int(self._account["wallet"][0]) - self.reserved()
        free += sum(self._unrealised(other, time_ms) for other in self._busy() if other.cross)
        needed = -(-notional // leverage)
        if needed > free:
            return 0, f"-2019 margin is insufficient: {money_text(needed, 2)} needed, {money_text(free, 2)} free"
        return needed, ""

    def weigh(self, desk: Desk, at: float, prices: list[tuple[BarClosed, tuple[float, ...]]]) -> None:
        """Cross margin: tell the book what the rest of the account is worth, every other symbol at that price of its
        own bar which leaves least."""
        worth = need = 0
        by_symbol = {bar.symbol: choice for bar, choice in prices}
        for symbol, legs in self._desks.items():
            held = [other for other in legs if other.steps and symbol != desk.instrument.symbol]
            if not held:
                continue
            if not legs[0].cross:
                worth -= sum(other.margin for other in held)
                continue
            choice = by_symbol.get(symbol) or (legs[0].tape.recent[-1].close,)
            sums = [self._worth(held, price) for price in choice]
            value, wanted = min(sums, key=lambda both: both[0] - both[1])
            worth, need = worth + value, need + wanted
        twin = [other for other in self._desks[desk.instrument.symbol] if other is not desk]
        steps, cost = (twin[0].books["position"][0].item()) if twin else (0, 0)
        self._call.weigh(desk.books, self._account, at, worth, need, steps, cost)

    def now(self) -> list[tuple[BarClosed, tuple[float, ...]]]:
        """Every symbol at the open of its newest bar: the prices of this moment."""
        newest = (legs[0].tape.recent[-1] for legs in self._desks.values() if legs[0].tape.recent)
        return [(bar, (bar.open,)) for bar in newest]

    def _worth(self, desks: list[Desk], price: float) -> tuple[int, int]:
        """Unrealised profit and maintenance margin of one symbol's legs at a price."""
        both = [self._call.worth(desk.books, self._account, price) for desk in desks]
        return sum(value for value, _ in both), sum(wanted for _, wanted in both)

    def _unrealised(self, desk: Desk, time_ms: int) -> int:
        steps, cost = desk.books["position"][0].item()
        return int(steps * desk.last_ticks(time_ms) * desk.instrument.unit - cost)

    def _busy(self) -> Iterator[Desk]:
        return (desk for legs in self._desks.values() for desk in legs if desk.busy)
