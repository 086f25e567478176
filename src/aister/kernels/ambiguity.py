"""Bars that hold a stop and a target of the position alike: whether one does, and what the target would have
brought."""

from aister.kernels import Record, rare, step
from aister.kernels.acting import executable, reduces, taker_price
from aister.kernels.book import LIMIT, NEVER_ABOVE, TAKE_PROFIT_MARKET
from aister.kernels.cost import apply_rate
from aister.kernels.ledger import value_of
from aister.kernels.reach import crossed, is_stop, is_target, traded_through


@step
def hits_target(book: Record, order: Record, h: int, l: int) -> bool:
    """Whether the range would fill this order as a target of the position: a take-profit at market at its trigger, one
    with a limit, or a reducing limit, where price trades through."""
    if order.side * book.position.steps >= 0 or order.wait > 0:
        return False
    if is_target(order.kind):
        return crossed(order, h, l) and (order.kind == TAKE_PROFIT_MARKET or traded_through(order, h, l))
    return order.kind == LIMIT and reduces(book, order) and traded_through(order, h, l)


@rare
def both_sides(book: Record, h: int, l: int) -> int:
    """1 if the range holds a stop (or the liquidation) and a target of the position alike."""
    held = book.position.steps
    stop = book.liquidation > 0 and l <= book.liquidation <= h
    target = False
    for i in range(book.order_count):
        order = book.orders[i]
        if order.side * held < 0 and order.wait == 0 and is_stop(order.kind):
            stop = stop or crossed(order, h, l)
        target = target or hits_target(book, order, h, l)
    return 1 if stop and target else 0


@rare
def target_value(book: Record, account: Record, o: int, h: int, l: int) -> tuple[int, int, int]:
    """(steps, value, fees) of the targets in the range, each at the price it would have filled at, nearest the open
    first, together no more than the position; the volume cap aside."""
    left = abs(book.position.steps)
    steps = 0
    value = 0
    fees = 0
    rank_before = -1
    for _ in range(book.order_count):
        best = -1
        best_rank = NEVER_ABOVE
        for i in range(book.order_count):
            order = book.orders[i]
            if hits_target(book, order, h, l):
                at = order.trigger if order.kind == TAKE_PROFIT_MARKET else order.price
                rank = abs(at - o) * book.order_count + i
                if rank_before < rank < best_rank:
                    best = i
                    best_rank = rank
        if best < 0 or left == 0:
            break
        rank_before = best_rank
        order = book.orders[best]
        part = min(executable(book, order), left)
        rate_e8 = book.costs.maker_e8
        ticks = order.price
        if order.kind == TAKE_PROFIT_MARKET:
            ticks = taker_price(book, order.trigger, order.side, part, 0)
            rate_e8 = book.costs.taker_e8
        worth = value_of(account, ticks, part, book.unit)
        steps += part
        value += worth
        fees += apply_rate(worth, rate_e8)
        left -= part
    return steps, value, fees


@step
def target_gain(
    book: Record, account: Record, side: int, steps: int, value: int, fees: int, ticks: int, rate_e8: int
) -> int:
    """What `target_value` brings more than the same steps sold (side 1; bought back, -1) at `ticks` and `rate_e8`,
    the first exit of phase 3; 0 when there was none."""
    if ticks == 0:
        return 0
    stopped = value_of(account, ticks, steps, book.unit)
    return side * (value - stopped) - fees + apply_rate(stopped, rate_e8)
