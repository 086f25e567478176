"""Whether what rests at the venue closes a position whole if the price goes against it (C19)."""

from collections.abc import Iterable

from aister.core.trade import OrderType
from aister.ports.exchange import VenueOrder, VenuePosition

__all__ = ["protects", "uncovered"]

_STOPS = (OrderType.STOP_MARKET, OrderType.STOP, OrderType.TRAILING_STOP_MARKET)


def protects(order: VenueOrder, position: VenuePosition) -> bool:
    """Whether a working order is a stop of this position: right symbol, leg and side, only ever reducing, and triggered
    on the losing side of the mark (or already, which is as good)."""
    held = position.steps
    if (order.symbol, order.leg) != (position.symbol, position.leg) or not order.status.working or not held:
        return False
    if order.kind not in _STOPS or order.side * held > 0:
        return False
    if not (order.close_position or order.reduce_only or order.leg):
        return False
    entry_side = 1 if held > 0 else -1
    beyond = position.liquidation_ticks and (order.trigger_ticks - position.liquidation_ticks) * entry_side <= 0
    return order.kind is OrderType.TRAILING_STOP_MARKET or (order.trigger_ticks > 0 and not beyond)


def uncovered(position: VenuePosition, orders: Iterable[VenueOrder]) -> int:
    """Steps of the position that no stop would close; a stop that lies beyond the liquidation price protects
    nothing."""
    left = abs(position.steps)
    for order in orders:
        if protects(order, position):
            if order.close_position:
                return 0
            left -= order.steps - order.filled_steps
    return max(0, left)
