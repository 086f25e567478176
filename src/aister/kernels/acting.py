"""What acting does to one order or position: clipped to the position, cut by the volume left in the bar, priced,
booked, reported; what remains stays on the book.
"""

from aister.kernels import Record, rare, step
from aister.kernels.book import (
    CROSSING,
    EMPTY,
    FILLED,
    LIMIT,
    MARKET,
    STOP,
    STOP_MARKET,
    TAKE_PROFIT,
    TRAILING,
    WITHDRAWN,
    remove,
)
from aister.kernels.cost import NO_CAP, apply_rate, impact_rate_e8, worsen
from aister.kernels.ledger import add_turnover, apply_fill, value_of
from aister.kernels.margin import guard

NO, YES = 0, 1


@step
def beyond(trigger: int, at: int, side: int) -> int:
    """Where a taker of `side` meets the market at a trigger against it: there, or at a price already beyond it."""
    return max(trigger, at) if side > 0 else min(trigger, at)


@step
def reduces(book: Record, order: Record) -> bool:
    """Whether the order may only reduce: by its own terms, or against its leg of a hedged symbol."""
    return order.reduce == 1 or order.close == 1 or book.leg not in (0, order.side)


@step
def executable(book: Record, order: Record) -> int:
    """The steps an order may execute now: what is left of it, clipped to the position if it only reduces."""
    if not reduces(book, order):
        return order.steps
    held = book.position.steps
    if held * order.side >= 0:
        return 0
    return abs(held) if order.close == 1 else min(order.steps, abs(held))


@step
def bare_price(book: Record, ticks: int, side: int) -> int:
    """What a taker of the smallest size would pay or get: the half-spread only."""
    return worsen(book.costs, ticks, side, 0, 0, 0)


@step
def marketable(book: Record, order: Record, ticks: int) -> bool:
    """Whether a limit's price is at or beyond what a taker would pay or get with the market at `ticks`."""
    return (order.price - bare_price(book, ticks, order.side)) * order.side >= 0


@step
def taker_price(book: Record, ticks: int, side: int, steps: int, extra: int) -> int:
    """The price at which a taker fills `steps`, half-spread, impact and (extra = 1) the extra of stops included."""
    return worsen(book.costs, ticks, side, extra, book.range_e8, impact_rate_e8(book.costs, book.impact, steps))


@step
def report(book: Record, number: int, side: int, why: int) -> None:
    """Say that an order left without (further) fill."""
    row = book.reports[book.report_count]
    row.id = number
    row.side = side
    row.steps = 0
    row.ticks = 0
    row.fee = 0
    row.maker = 0
    row.left = 0
    row.why = why
    row.reference = 0
    book.report_count += 1


@rare
def drop(book: Record, slot: int, why: int) -> None:
    """Take an order off the book and say so."""
    report(book, book.orders[slot].id, book.orders[slot].side, why)
    remove(book, slot)


@step
def _book_fill(
    book: Record, account: Record, side: int, steps: int, ticks: int, reference: int, maker: int, rate_e8: int
) -> int:
    """Book one execution; returns its fee."""
    notional = value_of(account, ticks, steps, book.unit)
    fee = apply_rate(notional, rate_e8)
    apply_fill(book.position, account, book.unit, side, steps, ticks, fee)
    add_turnover(account, notional)
    book.slippage += value_of(account, (ticks - reference) * side, steps, book.unit)
    book.last_ticks = ticks
    book.last_rate_e8 = rate_e8
    if maker == 0 and book.impact < 0.0:
        book.unknown_impacts += 1
    guard(book, account)
    return fee


@rare
def fill(book: Record, account: Record, slot: int, reference: int, maker: int, extra: int) -> None:
    """Let the order in `slot` execute as much as it may and the bar has room for, with the market at `reference`: as
    maker at its own price, or as taker, never beyond the limit of a limit. What is left of a triggered order goes on
    as a market order, of a limit it rests; neither does more in this bar."""
    order = book.orders[slot]
    wanted = executable(book, order)
    if wanted == 0:
        drop(book, slot, EMPTY)
        return
    limited = order.kind in (LIMIT, STOP, TAKE_PROFIT)
    number, side, group, close = order.id, order.side, order.group, order.close
    steps = min(wanted, book.room)
    left = wanted - steps
    if steps > 0:
        if maker == 1:
            ticks = order.price
        else:
            ticks = taker_price(book, reference, side, steps, extra)
            if limited and (ticks - order.price) * side > 0:
                ticks = order.price
    if left == 0:
        remove(book, slot)
    else:
        order.steps -= 0 if close == 1 else steps
        order.idle = 1
        order.kind = LIMIT if limited else MARKET
        order.rested = 1
        order.trigger = 0
        if steps > 0:
            order.group = 0
    if steps == 0:
        return
    if book.room != NO_CAP:
        book.room -= steps
    fee = _book_fill(
        book, account, side, steps, ticks, reference, maker, book.costs.maker_e8 if maker == 1 else book.costs.taker_e8
    )
    row = book.reports[book.report_count]
    row.id = number
    row.side = side
    row.steps = steps
    row.ticks = ticks
    row.fee = fee
    row.maker = maker
    row.left = left
    row.why = FILLED
    row.reference = reference
    book.report_count += 1
    if group > 0:
        i = 0
        while i < book.order_count:
            if book.orders[i].group == group:
                drop(book, i, WITHDRAWN)
            else:
                i += 1


@rare
def arrive(book: Record, account: Record, slot: int, reference: int) -> None:
    """A limit meets the market at `reference`, where it would take: it does, or, post-only, expires."""
    if book.orders[slot].post == 1:
        drop(book, slot, CROSSING)
    else:
        fill(book, account, slot, reference, NO, NO)


@step
def rest_limit(book: Record, slot: int, idle: int) -> None:
    """A triggered order becomes a resting limit; with idle = 1 it does nothing more in this bar."""
    order = book.orders[slot]
    order.kind = LIMIT
    order.trigger = 0
    order.rested = 1
    order.idle = idle


@step
def pays_extra(book: Record, order: Record) -> int:
    """1 for what exits in a hurry: stops and trailing stops, and market exits when the bar before is missing."""
    if order.kind in (STOP_MARKET, TRAILING):
        return 1
    return 1 if book.lost == 1 and order.kind not in (LIMIT, STOP) and book.position.steps * order.side < 0 else 0


@rare
def liquidate(book: Record, account: Record, reference: int) -> None:
    """Close all of the position with the market at `reference`: as a taker in a hurry, no better than the bankruptcy
    price, for the liquidation fee. The volume cap does not hold it up."""
    held = book.position.steps
    side = -1 if held > 0 else 1
    steps = abs(held)
    ticks = taker_price(book, reference, side, steps, YES)
    if book.bankruptcy > 0:
        ticks = beyond(book.bankruptcy, ticks, side)
    fee = _book_fill(book, account, side, steps, ticks, reference, NO, book.costs.liquidation_e8)
    account.liquidation_fees += fee
    row = book.reports[book.report_count]
    row.id = 0
    row.side = side
    row.steps = steps
    row.ticks = ticks
    row.fee = fee
    row.maker = 0
    row.left = 0
    row.why = FILLED
    row.reference = reference
    book.report_count += 1
