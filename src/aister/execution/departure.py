"""What an order is sent as, and what keeps it from leaving: rules of a real venue that a simulated one has no need of.

An entry may rest only where a stop of ours rests: should this machine die, nothing may fill that nothing protects (C6).
Where none does, a limit entry goes out to fill at once or not at all. And no entry may trade with an order of ours
(C13); what reduces is never held back. Pure.
"""

from collections.abc import Iterable

import msgspec

from aister.core.trade import Order, OrderType, Purpose
from aister.execution.states import Course

__all__ = ["as_sent", "crossing", "guarded", "stops_of"]


def as_sent(order: Order, courses: Iterable[Course]) -> Order:
    """The order, or for a limit entry without a resting stop the same with its own price as the worst, which the venue
    takes as immediate or cancel."""
    rests = order.purpose is Purpose.ENTRY and order.type is OrderType.LIMIT
    if not rests or guarded(order, courses):
        return order
    return msgspec.structs.replace(order, worst_ticks=order.price_ticks, post_only=False)


def guarded(order: Order, courses: Iterable[Course]) -> bool:
    """Whether a stop rests for the leg that this order enters."""
    return any(one.state.arrived and not one.state.ended for one in stops_of(order.symbol, order.leg, courses))


def stops_of(symbol: str, leg: int, courses: Iterable[Course]) -> list[Course]:
    """Stops of a leg that rest or are under way."""
    return [
        one
        for one in courses
        if one.order.purpose is Purpose.STOP
        and (one.order.symbol, one.order.leg) == (symbol, leg)
        and not one.state.ended
    ]


def crossing(order: Order, courses: Iterable[Course]) -> str:
    """Why a limit entry may not leave: in one sentence, the own order it would trade with; "" when there is none.
    Market orders are bounded by a price far off; the venue's own self-trade prevention takes them (`stpMode`)."""
    if order.purpose is not Purpose.ENTRY or order.type is not OrderType.LIMIT:
        return ""
    for one in courses:
        other = one.order
        if one.state.ended or other.symbol != order.symbol or other.side is order.side:
            continue
        if other.type is OrderType.LIMIT and (order.price_ticks - other.price_ticks) * order.side >= 0:
            return f"It would trade with {other.client_id}, an order of this trader; withdraw that one first."
    return ""
