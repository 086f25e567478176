"""The state of each order, and the book of those that still matter for one symbol."""

from enum import StrEnum

import msgspec

from aister.core.permission import Approved
from aister.core.trade import Order, OrderType, Purpose

__all__ = ["OrderBook", "OrderState", "Working", "order_of"]


def order_of(permit: Approved, client_id: str) -> Order:
    """The one order a permission allows. Market types carry no price."""
    return Order(
        client_id=client_id,
        intent_id=permit.intent_id,
        symbol=permit.symbol,
        side=permit.side,
        type=permit.type,
        purpose=permit.purpose,
        steps=permit.steps,
        price_ticks=permit.price_ticks if permit.type is OrderType.LIMIT else 0,
        trigger_ticks=permit.trigger_ticks,
        reduce_only=permit.reduce_only,
        close_position=permit.close_position,
        worst_ticks=permit.worst_ticks if permit.type is OrderType.MARKET and permit.purpose is Purpose.ENTRY else 0,
        leg=permit.leg,
    )


class OrderState(StrEnum):
    """SENT until the venue answers; then WORKING; CANCELING once its cancel was sent. Finished orders leave the
    book."""

    SENT = "SENT"
    WORKING = "WORKING"
    CANCELING = "CANCELING"


class Working(msgspec.Struct):
    """An order that may still fill. `filled` steps so far; `outlived`: the position it protected or reduced is gone."""

    order: Order
    state: OrderState = OrderState.SENT
    filled: int = 0
    outlived: bool = False


class OrderBook:
    """Our view of the live orders of one position, by client id."""

    def __init__(self) -> None:
        self._orders: dict[str, Working] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, client_id: str) -> bool:
        return client_id in self._orders

    def sent(self, order: Order) -> None:
        self._orders[order.client_id] = Working(order)

    def accepted(self, client_id: str) -> Order | None:
        working = self._orders.get(client_id)
        if working is None:
            return None
        if working.state is OrderState.SENT:
            working.state = OrderState.WORKING
        return working.order

    def canceling(self, client_id: str) -> bool:
        """Marks the order as being cancelled; false if it is gone or already on its way."""
        working = self._orders.get(client_id)
        if working is None or working.state is OrderState.CANCELING:
            return False
        working.state = OrderState.CANCELING
        return True

    def filled(self, client_id: str, steps: int, done: bool) -> Order | None:
        working = self._orders.get(client_id)
        if working is None:
            return None
        working.filled += steps
        if done:
            del self._orders[client_id]
        return working.order

    def gone(self, client_id: str) -> Order | None:
        """The order was cancelled, expired or rejected."""
        working = self._orders.pop(client_id, None)
        return None if working is None else working.order

    def unasked_end(self, client_id: str) -> bool:
        """Whether an order that ends now was meant to stay: nobody here asked for its end."""
        working = self._orders.get(client_id)
        return working is not None and working.state is not OrderState.CANCELING

    def flat(self) -> None:
        """The position is gone: what protected or reduced it is not the next one's."""
        for working in self._orders.values():
            working.outlived = working.order.purpose is not Purpose.ENTRY

    def outlived(self, client_id: str) -> bool:
        """Whether the order belonged to a position that is gone."""
        working = self._orders.get(client_id)
        return working is not None and working.outlived

    def of(self, purpose: Purpose) -> list[Working]:
        """Live orders of one purpose, oldest first, those being cancelled excluded."""
        return [w for w in self._orders.values() if w.order.purpose is purpose and w.state is not OrderState.CANCELING]

    def live(self) -> list[Working]:
        """Every order that may still fill, oldest first."""
        return list(self._orders.values())
