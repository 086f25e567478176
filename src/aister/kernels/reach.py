"""Which prices an order answers to: triggers that a range reaches, limits that it trades through."""

from aister.kernels import Record, step
from aister.kernels.book import STOP, STOP_MARKET, TAKE_PROFIT, TAKE_PROFIT_MARKET, TRAILING


@step
def is_stop(kind: int) -> bool:
    """Whether the kind's trigger lies against the position it protects: stops and trailing stops."""
    return kind in (STOP_MARKET, STOP, TRAILING)


@step
def is_target(kind: int) -> bool:
    """Whether the kind is a take-profit, at market or with a limit."""
    return kind in (TAKE_PROFIT_MARKET, TAKE_PROFIT)


@step
def rises_to(order: Record) -> bool:
    """Whether the order's trigger is met from below: buy stops and sell take-profits."""
    return is_stop(order.kind) == (order.side > 0)


@step
def crossed(order: Record, h: int, l: int) -> bool:
    """Whether the range reaches the trigger; never that of a trailing stop not yet active."""
    if order.trigger == 0:
        return False
    return h >= order.trigger if rises_to(order) else l <= order.trigger


@step
def traded_through(order: Record, h: int, l: int) -> bool:
    """Whether the range goes beyond the order's price by at least one tick."""
    return l < order.price if order.side > 0 else h > order.price
