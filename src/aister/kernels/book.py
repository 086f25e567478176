"""The book of one account and symbol: what it holds, what rests on it, and what the position's margin allows.

Prices are int64 ticks, sizes int64 steps, money int64 in 1e-8 quote units. `matching` says what happens to it in a bar.
"""

import numpy as np

from aister.kernels import Record, kernel, step
from aister.kernels.cost import COSTS, RATE_ONE
from aister.kernels.ledger import POSITION
from aister.kernels.state import State

MARKET, LIMIT, STOP_MARKET, TAKE_PROFIT_MARKET = 1, 2, 3, 4
MAX_ORDERS = 16
MAX_TIERS = 16
NEVER_ABOVE = 1 << 62

ORDER = np.dtype(
    [
        *(("id", "i8"), ("kind", "i8"), ("side", "i8"), ("steps", "i8"), ("price", "i8"), ("trigger", "i8")),
        *(("reduce", "i8"), ("close", "i8"), ("wait", "i8"), ("rested", "i8")),
    ],
    align=True,
)
"""id: the driver's name for it, > 0; kind: MARKET ...; price of a limit, trigger of the others that have one; reduce,
close: 1 if it may only reduce, or closes all; wait: opens to let pass before it has arrived; rested: 1 once it has
been on the book for a phase."""

TIER = np.dtype([("maintenance_e8", "i8"), ("deduction", "i8")], align=True)
"""Maintenance margin of a notional N in this tier = N x rate - deduction. Over tiers this is convex, so the greatest
applies."""

REPORT = np.dtype([(name, "i8") for name in ("id", "side", "steps", "ticks", "fee", "maker")], align=True)
"""What happened to order `id`, 0 for a liquidation. steps = ticks = 0: it expired with nothing to reduce."""

BOOK = np.dtype(
    [
        ("position", POSITION),
        ("costs", COSTS),
        ("ticks_per_quote", "f8"),
        ("unit", "i8"),
        ("leverage", "i8"),
        ("tier_count", "i8"),
        ("tiers", TIER, (MAX_TIERS,)),
        ("margin", "i8"),
        ("liquidation", "i8"),
        ("bankruptcy", "i8"),
        ("order_count", "i8"),
        ("orders", ORDER, (MAX_ORDERS,)),
        ("report_count", "i8"),
        ("reports", REPORT, (2 * MAX_ORDERS + 1,)),
        ("due", "i8"),
        ("watch_low", "i8"),
        ("watch_high", "i8"),
        ("opened_inside", "i8"),
        ("slippage", "i8"),
        ("ambiguous", "i8"),
    ],
    align=True,
)
"""margin: isolated margin, what the position cost / leverage, rounded up; liquidation, bankruptcy: trigger and bound
in ticks (0 = none). due: 1 if the next phase has work at any price; otherwise nothing happens while watch_low < price
< watch_high. opened_inside: 1 if a resting order opened the position in the bar at hand. slippage: money given up
between reference price and fill so far. ambiguous: bars in which both a stop and a target of the position were inside
the range."""


@step
def to_ticks(book: Record, price: float) -> int:
    """The nearest tick of a canonical price: rint(price x ticks per quote)."""
    return int(np.rint(price * book.ticks_per_quote))


@step
def place(
    book: Record,
    number: int,
    kind: int,
    side: int,
    steps: int,
    price: int,
    trigger: int,
    reduce: int,
    close: int,
    wait: int,
) -> int:
    """Put an order on the book, behind the others; returns 0 when there is no room, else 1."""
    if book.order_count == MAX_ORDERS:
        return 0
    order = book.orders[book.order_count]
    order.id = number
    order.kind = kind
    order.side = side
    order.steps = steps
    order.price = price
    order.trigger = trigger
    order.reduce = reduce
    order.close = close
    order.wait = wait
    order.rested = 0
    book.order_count += 1
    watch(book)
    return 1


@step
def withdraw(book: Record, number: int) -> int:
    """Take an order off the book; returns 0 when it is not there, else 1."""
    for i in range(book.order_count):
        if book.orders[i].id == number:
            remove(book, i)
            watch(book)
            return 1
    return 0


@step
def withdraw_all(book: Record) -> None:
    """Take every order off the book."""
    book.order_count = 0
    watch(book)


@step
def remove(book: Record, slot: int) -> None:
    """Take the order out of its slot; those behind it move up."""
    for i in range(slot, book.order_count - 1):
        book.orders[i] = book.orders[i + 1]
    book.order_count -= 1


@step
def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


@step
def guard(book: Record) -> None:
    """Isolated margin, liquidation trigger and bankruptcy price of the position, each rounded against it.

    Long: liquidated when N + margin - cost <= maintenance(N), that is N <= (cost - margin - deduction) / (1 - rate)
    for any tier; short, cost C received: N >= (C + margin + deduction) / (1 + rate). Bankrupt when N + margin = cost,
    or N = C + margin."""
    held = book.position.steps
    cost = abs(book.position.cost)
    book.margin = _up(cost, book.leverage)
    book.liquidation = 0
    book.bankruptcy = 0
    if held == 0:
        return
    money_per_tick = abs(held) * book.unit
    side = 1 if held > 0 else -1
    book.bankruptcy = (cost - book.margin) // money_per_tick if side > 0 else _up(cost + book.margin, money_per_tick)
    for i in range(book.tier_count):
        tier = book.tiers[i]
        amount = cost - side * (book.margin + tier.deduction)
        share = RATE_ONE - side * tier.maintenance_e8
        q = amount // share
        rest = (amount - q * share) * RATE_ONE
        if side > 0 and amount > 0:
            book.liquidation = max(book.liquidation, _up(q * RATE_ONE + _up(rest, share), money_per_tick))
        elif side < 0:
            trigger = (q * RATE_ONE + rest // share) // money_per_tick
            if book.liquidation == 0 or trigger < book.liquidation:
                book.liquidation = trigger


@step
def watch(book: Record) -> None:
    """Recompute the open interval of prices in which nothing can happen, and whether something is due at any price."""
    low = 0
    high = NEVER_ABOVE
    due = 0
    for i in range(book.order_count):
        order = book.orders[i]
        if order.kind == MARKET or order.wait > 0 or (order.kind == LIMIT and order.rested == 0):
            due = 1
        below = (order.side > 0) == (order.kind in (LIMIT, TAKE_PROFIT_MARKET))
        if order.kind != MARKET:
            at = order.price if order.kind == LIMIT else order.trigger
            if below:
                low = max(low, at)
            else:
                high = min(high, at)
    if book.liquidation > 0:
        if book.position.steps > 0:
            low = max(low, book.liquidation)
        else:
            high = min(high, book.liquidation)
    book.due = due
    book.watch_low = low
    book.watch_high = high


@kernel
def place_order(
    books: State,
    number: int,
    kind: int,
    side: int,
    steps: int,
    price: int,
    trigger: int,
    reduce: int,
    close: int,
    wait: int,
) -> int:
    """`place`, called from outside."""
    return place(books[0], number, kind, side, steps, price, trigger, reduce, close, wait)


@kernel
def withdraw_order(books: State, number: int) -> int:
    """`withdraw`, called from outside."""
    return withdraw(books[0], number)
