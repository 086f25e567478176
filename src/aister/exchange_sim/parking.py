"""Orders for which the matching has no room: it holds 16 of a symbol (hedged: of a leg), the venue takes 200 (aster-api
5, MAX_NUM_ORDERS).

Those farthest from the market wait beside the book. Before each leg of the market the nearest come to it, so that
whatever the leg can reach is there, as long as that is not more than fits. An order that waits binds no margin.
"""

from aister.core.trade import OrderType
from aister.exchange_sim.records import OrderState

__all__ = ["FULL", "ROOM", "distance", "may_wait"]

FULL = -2025
"""What the matching says when it has no room."""
ROOM = 16
_WAITING = (OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET)


def may_wait(order: OrderState) -> bool:
    """Whether it can leave the book and come back as it was: not what acts at once, follows the price, may have become
    something else there, or is on it in two pieces."""
    acts = order.forced or order.triggered or order.time_in_force in ("IOC", "FOK")
    begun = order.original is not OrderType.LIMIT and order.filled > 0
    return order.original in _WAITING and not acts and not begun and len(order.parts) <= 1 and not order.held_back


def distance(order: OrderState, low: int, high: int) -> int:
    """Ticks from this range of prices to where the order acts; -1 for what must be on the book."""
    if not may_wait(order):
        return -1
    at = order.stop_ticks if order.original.conditional else order.price_ticks
    rising = (order.original is OrderType.STOP_MARKET) == (order.side > 0)
    return max(0, at - high if rising else low - at)
