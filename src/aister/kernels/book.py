"""The book of one account and symbol (hedged: of one leg): what it holds, what rests on it, and what its margin
allows.

Prices are int64 ticks, sizes int64 steps, money int64 in 1e-8 quote units. `matching` says what happens to it in a bar.
"""

import numpy as np

from aister.kernels import Record, kernel, rare, step
from aister.kernels.cost import COSTS, FEE_TIER, MAX_FEE_TIERS, RATE_ONE
from aister.kernels.ledger import POSITION
from aister.kernels.state import State

MARKET, LIMIT, STOP_MARKET, TAKE_PROFIT_MARKET, STOP, TAKE_PROFIT, TRAILING = 1, 2, 3, 4, 5, 6, 7
STOP_FIRST, OHLC_PATH = 0, 1
PATH_OVER = 3
ISOLATED, CROSS = 0, 1
FILLED, EMPTY, CROSSING, WITHDRAWN, BEYOND = range(5)
MAX_ORDERS = 16
MAX_TIERS = 16
NEVER_ABOVE = 1 << 62

ORDER = np.dtype(
    [
        *(("id", "i8"), ("kind", "i8"), ("side", "i8"), ("steps", "i8"), ("price", "i8"), ("trigger", "i8")),
        *(("reduce", "i8"), ("close", "i8"), ("wait", "i8"), ("rested", "i8"), ("idle", "i8")),
        *(("post", "i8"), ("group", "i8"), ("worst", "i8")),
        *(("callback_e8", "i8"), ("activation", "i8"), ("best", "i8")),
    ],
    align=True,
)
"""id: the driver's name for it, > 0; kind: MARKET ...; steps: what is left of it; price: of a limit; trigger: of the
kinds that have one (a trailing stop's own, 0 until it is active); reduce, close: 1 if it may only reduce, or closes
all; wait: opens to let pass before it has arrived; rested: 1 once it has been on the book at an open; idle: 1 when it
does nothing more in this bar; post: 1 for post-only; group: orders of one OCO group share a number > 0; worst: price
beyond which a market order expires, 0 = none. Of a trailing stop: callback_e8, the share of the best price it keeps
behind it; activation, the price that makes it active, 0 = active at once; best, the best price so far."""

TIER = np.dtype([("maintenance_e8", "i8"), ("deduction", "i8")], align=True)
"""Maintenance margin of a notional N in this tier = N x rate - deduction. Over tiers this is convex, so the greatest
applies."""

REPORT = np.dtype(
    [(name, "i8") for name in ("id", "side", "steps", "ticks", "fee", "maker", "left", "why", "reference")],
    align=True,
)
"""What happened to order `id`, 0 for a liquidation. why: FILLED, and then left is what remains of the order on the
book (0: it is done) and reference the market's price; otherwise it left without (further) fill, steps = ticks = 0:
EMPTY, nothing to reduce; CROSSING, a post-only order that would have taken; WITHDRAWN, another of its group has begun
to fill; BEYOND, its worst price."""

BOOK = np.dtype(
    [
        ("position", POSITION),
        ("costs", COSTS),
        ("fee_tier_count", "i8"),
        ("fee_tiers", FEE_TIER, (MAX_FEE_TIERS,)),
        ("ticks_per_quote", "f8"),
        ("steps_per_base", "f8"),
        ("unit", "i8"),
        ("leg", "i8"),
        ("policy", "i8"),
        ("margin_mode", "i8"),
        ("leverage", "i8"),
        ("tier_count", "i8"),
        ("tiers", TIER, (MAX_TIERS,)),
        ("margin", "i8"),
        ("liquidation", "i8"),
        ("bankruptcy", "i8"),
        ("others_worth", "i8"),
        ("others_need", "i8"),
        ("twin_steps", "i8"),
        ("twin_cost", "i8"),
        ("order_count", "i8"),
        ("orders", ORDER, (MAX_ORDERS,)),
        ("report_count", "i8"),
        ("reports", REPORT, (2 * MAX_ORDERS + 2,)),
        ("due", "i8"),
        ("watch_low", "i8"),
        ("watch_high", "i8"),
        ("bar_ms", "i8"),
        ("at", "i8"),
        ("range_e8", "i8"),
        ("lost", "i8"),
        ("room", "i8"),
        ("impact", "f8"),
        ("leg_of_path", "i8"),
        ("opened_inside", "i8"),
        ("last_ticks", "i8"),
        ("last_rate_e8", "i8"),
        ("exit_ticks", "i8"),
        ("exit_rate_e8", "i8"),
        ("slippage", "i8"),
        ("ambiguous", "i8"),
        ("target_first", "i8"),
        ("unknown_impacts", "i8"),
    ],
    align=True,
)
"""leg: 0 one-way, 1 the long and -1 the short leg of a hedged symbol. policy: STOP_FIRST or OHLC_PATH.

margin_mode: ISOLATED or CROSS. margin: what the position cost / leverage, rounded up; liquidation, bankruptcy: trigger
and bound in ticks (0 = none). Cross: others_worth, others_need, unrealised profit and maintenance of the account's
other symbols; twin_steps, twin_cost: the other leg's position (`margin.weigh` sets them).

due: 1 if the next phase has work at any price; otherwise nothing happens while watch_low < price < watch_high.

Of the bar at hand, set by `matching.begin_bar`: bar_ms its open time; range_e8 the mean true range before it; lost: 1
if the bar before is missing; room: steps that may still fill; impact: impact(1). at: the price the market is at.
leg_of_path: 0..2 on the way, PATH_OVER arrived or not set out. opened_inside: 1 if the position was opened inside the
bar. last_ticks, last_rate_e8: price and fee rate of the newest fill; exit_ticks, exit_rate_e8: of the first of phase 3
that reduced the position, 0 = none.

Sums so far: slippage, money given up between reference price and fill; ambiguous, bars in which both a stop and a
target of the position were inside the range; target_first, what more they would have brought had the target come
first; unknown_impacts, executions charged the model's rate for unknown impact."""


@step
def to_ticks(book: Record, price: float) -> int:
    """The nearest tick of a canonical price: rint(price x ticks per quote)."""
    return int(np.rint(price * book.ticks_per_quote))


@rare
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
    order.idle = 0
    order.post = 0
    order.group = 0
    order.worst = 0
    order.callback_e8 = 0
    order.activation = 0
    order.best = 0
    book.order_count += 1
    watch(book)
    return 1


@step
def refine(book: Record, post: int, group: int, worst: int) -> None:
    """What few orders have, for the one placed last: post-only, OCO group, worst price of a market order."""
    order = book.orders[book.order_count - 1]
    order.post = post
    order.group = group
    order.worst = worst


@step
def trail_from(book: Record, callback_e8: int, activation: int, last: int) -> None:
    """Make the order placed last, of kind TRAILING, follow the market: active at once from the last price known, or
    once the market reaches `activation` (0: at once)."""
    order = book.orders[book.order_count - 1]
    order.callback_e8 = callback_e8
    order.activation = activation
    advance(order, last)
    order.trigger = trailing_trigger(order)
    watch(book)


@step
def advance(order: Record, ticks: int) -> None:
    """A trailing stop sees a price: it becomes active, or keeps the better of it and its best. Selling it follows the
    price up, buying down."""
    if order.best == 0:
        if order.activation == 0 or (ticks - order.activation) * order.side <= 0:
            order.best = ticks
    elif (ticks - order.best) * order.side < 0:
        order.best = ticks


@step
def trailing_trigger(order: Record) -> int:
    """best less (selling) or plus (buying) the callback share of it, rounded away from best; 0 until active."""
    kept = order.best * order.callback_e8
    if order.side < 0:
        behind: int = order.best - _up(kept, RATE_ONE)
        return behind
    above: int = order.best + _up(kept, RATE_ONE)
    return above if order.best > 0 else 0


@rare
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


@rare
def watch(book: Record) -> None:
    """Recompute the open interval of prices in which nothing can happen, and whether something is due at any price."""
    low = 0
    high = NEVER_ABOVE
    due = 0
    for i in range(book.order_count):
        order = book.orders[i]
        kind = order.kind
        if order.wait > 0 or kind == MARKET or (order.rested == 0 and kind in (LIMIT, TRAILING)):
            due = 1
        if kind == MARKET:
            continue
        at = order.price if kind == LIMIT else order.trigger
        if kind == TRAILING:
            if order.trigger != trailing_trigger(order):
                due = 1
            ahead = order.best if order.best > 0 else order.activation
            if order.side < 0:
                high = min(high, ahead)
            else:
                low = max(low, ahead)
            if order.best == 0:
                continue
        if (order.side > 0) == (kind in (LIMIT, TAKE_PROFIT_MARKET, TAKE_PROFIT)):
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
def refine_order(books: State, post: int, group: int, worst: int) -> None:
    """`refine`, called from outside."""
    refine(books[0], post, group, worst)


@kernel
def trail_order(books: State, callback_e8: int, activation: int, last: int) -> None:
    """`trail_from`, called from outside."""
    trail_from(books[0], callback_e8, activation, last)


@kernel
def withdraw_order(books: State, number: int) -> int:
    """`withdraw`, called from outside."""
    return withdraw(books[0], number)
