"""Whether what rests at the venue closes a position whole if the price goes against it (C19)."""

from collections.abc import Iterable

from aister.core.trade import OrderType
from aister.ports.exchange import VenueOrder, VenuePosition

__all__ = ["protects", "uncovered"]

_STOPS = (OrderType.STOP_MARKET, OrderType.TRAILING_STOP_MARKET)
_ROUNDING_TICKS = 1


def protects(order: VenueOrder, position: VenuePosition, wanted_ticks: int = 0) -> bool:
    """Whether a working order is a stop of this position: right symbol, leg and side, only ever reducing, filling at
    any price, and triggered on the losing side of the mark (or already, which is as good) where it is wanted or nearer;
    one tick of rounding is let pass. `wanted_ticks` 0: nobody knows where, and any trigger short of liquidation counts.
    A stop that becomes a limit may never fill, and where a trailing stop lies cannot be read: it counts only where no
    trigger is wanted."""
    held = position.steps
    if (order.symbol, order.leg) != (position.symbol, position.leg) or not order.status.working or not held:
        return False
    if order.kind not in _STOPS or order.side * held > 0:
        return False
    if not (order.close_position or order.reduce_only or order.leg):
        return False
    if order.kind is OrderType.TRAILING_STOP_MARKET:
        return not wanted_ticks
    entry_side = 1 if held > 0 else -1
    farther = wanted_ticks and (order.trigger_ticks - wanted_ticks) * entry_side < -_ROUNDING_TICKS
    beyond = position.liquidation_ticks and (order.trigger_ticks - position.liquidation_ticks) * entry_side <= 0
    return order.trigger_ticks > 0 and not beyond and not farther


def uncovered(position: VenuePosition, orders: Iterable[VenueOrder], wanted_ticks: int = 0) -> int:
    """Steps of the position that no stop would close where one is wanted (0: anywhere); a stop that lies beyond the
    liquidation price protects nothing."""
    left = abs(position.steps)
    for order in orders:
        if protects(order, position, wanted_ticks):
            if order.close_position:
                return 0
            left -= order.steps - order.filled_steps
    return max(0, left)
