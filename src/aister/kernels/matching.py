"""Matching on bars: one BOOK per account and symbol, worked in the one documented order of things inside a bar (quant
Q3).

    settle       funding, on the position held
    open_phase   1. stops, take-profits and liquidation crossed by the opening gap, at the open
                 2. market orders due and limits that would cross on arrival, at the open, as taker
    rest_phase   3. adverse extreme: stops and liquidation, the trigger nearest the open first
                 4. resting limits, only if price traded through them by a tick, at their price, as maker
                 5. favourable extreme: take-profits
    rest_phase again: 3 once more, for a position that 4 opened in this very bar (its stop arrives only after its
    fill)

A position opened inside a bar cannot take its target in it. Reducing orders are clipped to the position and expire
when nothing is left to reduce. Prices are int64 ticks, converted once per bar (`to_ticks`); everything after that is
integer."""

from aister.kernels import Record, kernel, step
from aister.kernels.book import (
    LIMIT,
    MARKET,
    NEVER_ABOVE,
    STOP_MARKET,
    TAKE_PROFIT_MARKET,
    guard,
    remove,
    to_ticks,
    watch,
)
from aister.kernels.cost import apply_rate, worsen
from aister.kernels.ledger import apply_fill, apply_funding, value_of
from aister.kernels.state import State

_GAP, _DUE, _ADVERSE, _LIMITS, _FAVOURABLE = 1, 2, 3, 4, 5
_NONE, _LIQUIDATION = -1, -2


@step
def settle(book: Record, account: Record, rate_e8: int, ticks: int) -> int:
    """Charge funding on the position held: notional at `ticks` x rate, half-even; longs pay a positive rate. Returns
    the amount."""
    amount = apply_rate(value_of(account, ticks, book.position.steps, book.unit), rate_e8)
    apply_funding(account, amount)
    return amount


@step
def open_phase(book: Record, account: Record, o: int, range_e8: int, lost: int) -> None:
    """The bar opens at `o`: phases 1 and 2. `lost` is 1 when the bar before is missing: what exits then pays the stop
    extra."""
    book.report_count = 0
    book.opened_inside = 0
    if book.due == 0 and book.watch_low < o < book.watch_high:
        return
    _work(book, account, _GAP, _DUE, o, o, o, range_e8, lost)
    for i in range(book.order_count):
        order = book.orders[i]
        if order.wait == 0:
            order.rested = 1
        else:
            order.wait -= 1
    watch(book)


@step
def rest_phase(book: Record, account: Record, o: int, h: int, l: int, range_e8: int, again: int) -> None:
    """The rest of the bar: phases 3 to 5; with `again` = 1 only phase 3, and only for a position opened inside this
    bar."""
    book.report_count = 0
    if book.due == 0 and l > book.watch_low and h < book.watch_high:
        return
    if again == 1 and (book.opened_inside == 0 or book.position.steps == 0):
        return
    if again == 0 and l <= book.watch_low and h >= book.watch_high:
        book.ambiguous += _both_sides(book, h, l)
    _work(book, account, _ADVERSE, _ADVERSE if again == 1 else _FAVOURABLE, o, h, l, range_e8, 0)
    for i in range(book.order_count):
        if again == 0 and book.orders[i].wait == 0:
            book.orders[i].rested = 1
    watch(book)


@step
def _crossed(order: Record, h: int, l: int) -> bool:
    """Whether the range reaches the trigger: buy stops and sell take-profits from below, the others from above."""
    if (order.kind == STOP_MARKET) == (order.side > 0):
        return h >= order.trigger
    return l <= order.trigger


@step
def _concerned(book: Record, order: Record, stage: int, o: int, h: int, l: int) -> bool:
    """Whether this order acts in this stage of the bar."""
    if order.wait > 0:
        return False
    if stage == _GAP:
        return order.kind >= STOP_MARKET and _crossed(order, o, o)
    if stage == _DUE:
        if order.kind == LIMIT and order.rested == 0:
            return (order.price - worsen(book.costs, o, order.side, 0, 0)) * order.side >= 0
        return order.kind == MARKET
    if stage == _ADVERSE:
        return order.kind == STOP_MARKET and _crossed(order, h, l)
    if stage == _LIMITS:
        if order.kind != LIMIT or (order.reduce == 1 and book.opened_inside == 1):
            return False
        return l < order.price if order.side > 0 else h > order.price
    return order.kind == TAKE_PROFIT_MARKET and book.opened_inside == 0 and _crossed(order, h, l)


@step
def _next(book: Record, stage: int, o: int, h: int, l: int) -> int:
    """The slot that acts next in this stage: in a gap the trigger crossed first (farthest from the open), at the open
    the oldest order, inside the bar the price nearest the open; of equals the oldest, orders before liquidation."""
    best = _NONE
    best_rank = NEVER_ABOVE
    for i in range(book.order_count):
        order = book.orders[i]
        if _concerned(book, order, stage, o, h, l):
            distance = abs((order.price if order.kind == LIMIT else order.trigger) - o)
            rank = -distance if stage == _GAP else i if stage == _DUE else distance
            if rank < best_rank:
                best = i
                best_rank = rank
    if stage in (_GAP, _ADVERSE) and book.liquidation > 0:
        reached = l <= book.liquidation if book.position.steps > 0 else h >= book.liquidation
        distance = abs(book.liquidation - o)
        if reached and (-distance if stage == _GAP else distance) < best_rank:
            best = _LIQUIDATION
    return best


@step
def _beyond(trigger: int, o: int, side: int) -> int:
    """Where a taker of `side` meets the market at a trigger against it: there, or at an open already beyond it."""
    return max(trigger, o) if side > 0 else min(trigger, o)


@step
def _reducible(book: Record, order: Record) -> int:
    """The steps an order may execute now: as sent, or clipped to the position it may only reduce."""
    held = book.position.steps
    if order.reduce == 0 and order.close == 0:
        return order.steps
    if held * order.side >= 0:
        return 0
    return abs(held) if order.close == 1 else min(order.steps, abs(held))


@step
def _work(
    book: Record, account: Record, first: int, last: int, o: int, h: int, l: int, range_e8: int, lost: int
) -> None:
    """Let every concerned order and the liquidation act, stage by stage."""
    stage = first
    while stage <= last and account.overflow == 0:
        slot = _next(book, stage, o, h, l)
        if slot == _NONE:
            stage += 1
            continue
        held = book.position.steps
        number = 0
        maker = 0
        rate_e8 = book.costs.taker_e8
        if slot == _LIQUIDATION:
            side = -1 if held > 0 else 1
            steps = abs(held)
            reference = _beyond(book.liquidation, o, side)
            ticks = _beyond(book.bankruptcy, worsen(book.costs, reference, side, 1, range_e8), side)
            rate_e8 = book.costs.liquidation_e8
        else:
            order = book.orders[slot]
            number = order.id
            side = order.side
            steps = _reducible(book, order)
            kind = order.kind
            extra = 1 if kind == STOP_MARKET or (lost == 1 and kind != LIMIT and held * side < 0) else 0
            reference = o
            if kind == STOP_MARKET:
                reference = _beyond(order.trigger, o, side)
            elif stage == _FAVOURABLE:
                reference = order.trigger
            if stage == _LIMITS:
                reference = order.price
                maker = 1
                rate_e8 = book.costs.maker_e8
                ticks = order.price
            else:
                ticks = worsen(book.costs, reference, side, extra, range_e8)
            remove(book, slot)
        fee = 0
        if steps > 0:
            fee = apply_rate(value_of(account, ticks, steps, book.unit), rate_e8)
            apply_fill(book.position, account, book.unit, side, steps, ticks, fee)
            book.slippage += value_of(account, (ticks - reference) * side, steps, book.unit)
            if slot == _LIQUIDATION:
                account.liquidation_fees += fee
            if stage >= _ADVERSE and book.position.steps * side > 0 and held * side <= 0:
                book.opened_inside = 1
            guard(book)
        report = book.reports[book.report_count]
        report.id = number
        report.side = side
        report.steps = steps
        report.ticks = ticks if steps > 0 else 0
        report.fee = fee
        report.maker = maker
        book.report_count += 1


@step
def _both_sides(book: Record, h: int, l: int) -> int:
    """1 if the range holds a stop (or the liquidation) and a target of the position alike."""
    held = book.position.steps
    stop = book.liquidation > 0 and l <= book.liquidation <= h
    target = False
    for i in range(book.order_count):
        order = book.orders[i]
        if order.side * held < 0 and order.wait == 0:
            if order.kind == STOP_MARKET:
                stop = stop or _crossed(order, h, l)
            elif order.kind == TAKE_PROFIT_MARKET:
                target = target or _crossed(order, h, l)
            elif order.kind == LIMIT and order.reduce == 1:
                target = target or (l < order.price if order.side > 0 else h > order.price)
    return 1 if stop and target else 0


@kernel
def settle_funding(books: State, accounts: State, rate_e8: int, price: float) -> tuple[int, int]:
    """`settle` at a float price; returns (amount, ticks)."""
    ticks = to_ticks(books[0], price)
    return settle(books[0], accounts[0], rate_e8, ticks), ticks


@kernel
def open_bar(books: State, accounts: State, o: float, range_e8: int, lost: int) -> int:
    """`open_phase` at a float price; returns the number of reports."""
    open_phase(books[0], accounts[0], to_ticks(books[0], o), range_e8, lost)
    return books[0].report_count


@kernel
def rest_bar(books: State, accounts: State, o: float, h: float, l: float, range_e8: int, again: int) -> int:
    """`rest_phase` at float prices; returns the number of reports."""
    book = books[0]
    rest_phase(book, accounts[0], to_ticks(book, o), to_ticks(book, h), to_ticks(book, l), range_e8, again)
    return book.report_count
