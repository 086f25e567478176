"""The rest of a bar along a path: open, nearer extreme, other extreme, close (low first when both are equally far),
in straight legs.

Whatever a leg reaches acts in the order reached, oldest first among equals, orders before liquidation; a limit needs
one tick more than its price. Each call goes on to the next event that is reported, so that orders placed after it
work on the rest of the path; with nothing more to come it reports nothing.
"""

from aister.kernels import Record, rare, step
from aister.kernels.acting import NO, YES, arrive, bare_price, drop, fill, liquidate, marketable, pays_extra, rest_limit
from aister.kernels.book import (
    BEYOND,
    LIMIT,
    MARKET,
    NEVER_ABOVE,
    PATH_OVER,
    STOP,
    TAKE_PROFIT,
    TRAILING,
    advance,
    trailing_trigger,
)
from aister.kernels.reach import crossed, rises_to

_NONE, _LIQUIDATION = -1, -2


@rare
def path_phase(book: Record, account: Record, o: int, h: int, l: int, c: int, again: int) -> None:
    """Go on along the path until something is reported, or to its end."""
    low_first = o - l <= h - o
    if again == 0:
        book.leg_of_path = 0
        book.at = o
    if book.leg_of_path < PATH_OVER:
        _walk_to(book, book.at, NO)
    while book.leg_of_path < PATH_OVER and book.report_count == 0 and account.overflow == 0:
        end = c
        if book.leg_of_path == 0:
            end = l if low_first else h
        elif book.leg_of_path == 1:
            end = h if low_first else l
        slot, at = _first_reached(book, end)
        if slot == _NONE:
            _walk_to(book, end, YES)
            book.leg_of_path += 1
            continue
        _walk_to(book, at, NO)
        if slot == _LIQUIDATION:
            liquidate(book, account, at)
        else:
            _act_on_path(book, account, slot, at)


@step
def _walk_to(book: Record, ticks: int, passed: int) -> None:
    """The market moves to a price; trailing stops follow it, limits placed on the way come to rest: once it has moved
    on, or (passed = 1) nothing was left to do where it is."""
    moved = passed == 1 or book.at != ticks
    book.at = ticks
    for i in range(book.order_count):
        order = book.orders[i]
        if moved and order.kind == LIMIT and order.wait == 0:
            order.rested = 1
        if order.kind == TRAILING and order.wait == 0:
            advance(order, ticks)
            order.trigger = trailing_trigger(order)


@step
def _distance(book: Record, order: Record, end: int) -> int:
    """How far from here, on the way to `end`, the order acts; NEVER_ABOVE if it does not."""
    at = book.at
    high, low = max(at, end), min(at, end)
    if order.kind == MARKET:
        return 0
    if order.kind == LIMIT:
        if order.rested == 0 and marketable(book, order, at):
            return 0
        if order.side > 0:
            return max(0, at - order.price + 1) if low < order.price else NEVER_ABOVE
        return max(0, order.price + 1 - at) if high > order.price else NEVER_ABOVE
    if not crossed(order, high, low):
        return NEVER_ABOVE
    return max(0, (order.trigger - at) if rises_to(order) else (at - order.trigger))


@rare
def _first_reached(book: Record, end: int) -> tuple[int, int]:
    """(slot, price) of what acts first on the straight way from here to `end`."""
    best = _NONE
    nearest = NEVER_ABOVE
    for i in range(book.order_count):
        order = book.orders[i]
        if order.wait == 0 and order.idle == 0:
            distance = _distance(book, order, end)
            if distance < nearest:
                best = i
                nearest = distance
    if book.liquidation > 0:
        long = book.position.steps > 0
        reached = min(book.at, end) <= book.liquidation if long else max(book.at, end) >= book.liquidation
        distance = max(0, book.at - book.liquidation if long else book.liquidation - book.at)
        if reached and distance < nearest:
            best = _LIQUIDATION
            nearest = distance
    if best == _NONE:
        return best, end
    return best, book.at + nearest if end > book.at else book.at - nearest


@rare
def _act_on_path(book: Record, account: Record, slot: int, at: int) -> None:
    """The order in `slot` acts with the market at `at`: what is new takes if it can, what rested makes."""
    order = book.orders[slot]
    kind = order.kind
    if kind == LIMIT:
        if order.rested == 0 and marketable(book, order, at):
            arrive(book, account, slot, at)
        else:
            fill(book, account, slot, order.price, YES, NO)
    elif kind in (STOP, TAKE_PROFIT):
        if marketable(book, order, at):
            arrive(book, account, slot, at)
        else:
            rest_limit(book, slot, 0)
    elif kind == MARKET and order.worst > 0 and (bare_price(book, at, order.side) - order.worst) * order.side > 0:
        drop(book, slot, BEYOND)
    else:
        fill(book, account, slot, at, NO, pays_extra(book, order))
