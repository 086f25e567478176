"""Matching on bars: one BOOK per account, symbol and leg, worked in the one documented order of things inside a bar
(quant Q3, docs/fills.md).

    settle       funding, on the position held
    begin_bar    what the bar at hand allows: fees of the day, mean range, volume room, impact
    open_phase   1. triggers and liquidation crossed by the opening gap, at the open
                 2. market orders due and limits that would cross on arrival, at the open, as taker
    rest_phase   3. adverse extreme: stops and liquidation, the trigger nearest the open first
                 4. resting limits, only if price traded through them by a tick, at their price, as maker
                 5. favourable extreme: take-profits
    rest_phase again, as long as it reports something: 3 once more, for a position that was opened inside this very bar
    (its stop arrives only after its fill)

With policy OHLC_PATH the rest of the bar is walked along its path instead (`path`), one event a call.

A position opened inside a bar cannot take its target in it. Reducing orders are clipped to the position and expire
when nothing is left to reduce. Prices are int64 ticks, converted once per bar (`to_ticks`); everything after that is
integer."""

from aister.kernels import Record, kernel, rare, step
from aister.kernels.acting import (
    arrive,
    bare_price,
    beyond,
    drop,
    fill,
    liquidate,
    marketable,
    pays_extra,
    reduces,
    rest_limit,
)
from aister.kernels.ambiguity import both_sides, target_gain, target_value
from aister.kernels.book import (
    BEYOND,
    CROSS,
    LIMIT,
    MARKET,
    NEVER_ABOVE,
    OHLC_PATH,
    PATH_OVER,
    STOP,
    TAKE_PROFIT,
    TRAILING,
    advance,
    to_ticks,
    trailing_trigger,
    watch,
)
from aister.kernels.cost import apply_rate, room_in
from aister.kernels.impact import DAY_MS, volume_in_steps
from aister.kernels.ledger import apply_funding, roll_turnover, value_of
from aister.kernels.margin import guard
from aister.kernels.path import path_phase
from aister.kernels.reach import crossed, is_stop, is_target, traded_through
from aister.kernels.state import State

_GAP, _DUE, _ADVERSE, _LIMITS, _FAVOURABLE = range(1, 6)
_NONE, _LIQUIDATION = -1, -2


@step
def settle(book: Record, account: Record, rate_e8: int, ticks: int) -> int:
    """Charge funding on the position held: notional at `ticks` x rate, half-even; longs pay a positive rate. Returns
    the amount."""
    amount = apply_rate(value_of(account, ticks, book.position.steps, book.unit), rate_e8)
    apply_funding(account, amount)
    if book.margin_mode == CROSS:
        guard(book, account)
        watch(book)
    return amount


@rare
def begin_bar(
    book: Record, account: Record, time_ms: int, range_e8: int, lost: int, volume_steps: int, impact: float
) -> None:
    """A bar that opens at `time_ms` begins; call it once for every bar that is looked into, before its phases.

    range_e8: mean true range of the bars before it (`bars.mean_range`); lost: 1 if the bar before is missing: what
    exits at the open then pays the stop extra; volume_steps: what the bar trades, of which a share may be ours;
    impact: impact(1) of the days before (`impact.day_impact`)."""
    roll_turnover(account, time_ms // DAY_MS)
    for i in range(book.fee_tier_count):
        if account.turnover.sum >= book.fee_tiers[i].volume:
            book.costs.maker_e8 = book.fee_tiers[i].maker_e8
            book.costs.taker_e8 = book.fee_tiers[i].taker_e8
    book.bar_ms = time_ms
    book.range_e8 = range_e8
    book.lost = lost
    book.room = room_in(book.costs, volume_steps)
    book.impact = impact
    book.opened_inside = 0
    book.leg_of_path = PATH_OVER
    moved = 0
    for i in range(book.order_count):
        order = book.orders[i]
        order.idle = 0
        if order.kind == TRAILING and order.trigger != trailing_trigger(order):
            order.trigger = trailing_trigger(order)
            moved = 1
    if moved == 1:
        watch(book)


@step
def share_bar(book: Record, twin: Record) -> None:
    """Hedged legs share a bar's volume: hand what `book` has left of it to the other leg."""
    twin.room = book.room


@rare
def open_phase(book: Record, account: Record, o: int) -> None:
    """The bar opens at `o`: phases 1 and 2."""
    book.report_count = 0
    book.at = o
    if book.due == 0 and book.watch_low < o < book.watch_high:
        return
    _work(book, account, _GAP, _DUE, o, o, o)
    for i in range(book.order_count):
        order = book.orders[i]
        if order.wait == 0:
            order.rested = 1
        else:
            order.wait -= 1
    watch(book)


@rare
def rest_phase(book: Record, account: Record, o: int, h: int, l: int, c: int, again: int) -> None:
    """The rest of the bar. Call it with `again` = 0, act on what it reports, and call it with 1 as long as it reported
    something: phases 3 to 5 at first, then only phase 3 for a position opened inside this bar. With policy OHLC_PATH
    each call goes on along the path up to the next event."""
    book.report_count = 0
    book.lost = 0
    if book.due == 0 and l > book.watch_low and h < book.watch_high:
        book.leg_of_path = PATH_OVER
        return
    if book.policy == OHLC_PATH:
        if again == 0 and l <= book.watch_low and h >= book.watch_high:
            book.ambiguous += both_sides(book, h, l)
        path_phase(book, account, o, h, l, c, again)
        watch(book)
        return
    if again == 1 and (book.opened_inside == 0 or book.position.steps == 0):
        return
    side = 1 if book.position.steps > 0 else -1
    steps, value, fees = 0, 0, 0
    if again == 0 and l <= book.watch_low and h >= book.watch_high and both_sides(book, h, l) == 1:
        book.ambiguous += 1
        steps, value, fees = target_value(book, account, o, h, l)
    book.exit_ticks = 0
    _work(book, account, _ADVERSE, _ADVERSE if again == 1 else _FAVOURABLE, o, h, l)
    if steps > 0:
        book.target_first += target_gain(book, account, side, steps, value, fees, book.exit_ticks, book.exit_rate_e8)
    if again == 0:
        for i in range(book.order_count):
            order = book.orders[i]
            if order.kind == TRAILING and order.rested == 1:
                advance(order, l if order.side > 0 else h)
            if order.kind == LIMIT and order.wait == 0:
                order.rested = 1
    watch(book)


@step
def _concerned(book: Record, order: Record, stage: int, o: int, h: int, l: int) -> bool:
    """Whether this order acts in this stage of the bar."""
    if order.wait > 0 or order.idle == 1:
        return False
    if stage == _GAP:
        return crossed(order, o, o)
    if stage == _DUE:
        return order.kind == MARKET or (order.kind == LIMIT and order.rested == 0 and marketable(book, order, o))
    if stage == _ADVERSE:
        return is_stop(order.kind) and crossed(order, h, l)
    inside = book.opened_inside == 1
    if stage == _LIMITS:
        return order.kind == LIMIT and not (inside and reduces(book, order)) and traded_through(order, h, l)
    return is_target(order.kind) and not inside and crossed(order, h, l)


@rare
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


@rare
def _work(book: Record, account: Record, first: int, last: int, o: int, h: int, l: int) -> None:
    """Let every concerned order and the liquidation act, stage by stage."""
    stage = first
    while stage <= last and account.overflow == 0:
        slot = _next(book, stage, o, h, l)
        if slot == _NONE:
            stage += 1
            continue
        held = book.position.steps
        if slot == _LIQUIDATION:
            side = -1 if held > 0 else 1
            liquidate(book, account, beyond(book.liquidation, o, side))
        else:
            _let_act(book, account, slot, stage, o, h, l)
        if stage >= _ADVERSE:
            _note(book, stage, held)


@rare
def _let_act(book: Record, account: Record, slot: int, stage: int, o: int, h: int, l: int) -> None:
    """What the order in `slot` does in this stage: a triggered limit becomes one, the others execute."""
    order = book.orders[slot]
    kind = order.kind
    reference = o
    maker = 0
    if stage == _DUE:
        if kind == LIMIT:
            arrive(book, account, slot, o)
            return
        if order.worst > 0 and (bare_price(book, o, order.side) - order.worst) * order.side > 0:
            drop(book, slot, BEYOND)
            return
    elif stage == _GAP:
        if kind in (STOP, TAKE_PROFIT):
            order.kind = LIMIT
            order.trigger = 0
            order.rested = 0
            return
    elif stage == _ADVERSE:
        reference = beyond(order.trigger, o, order.side)
        if kind == STOP:
            if marketable(book, order, reference):
                arrive(book, account, slot, reference)
            else:
                rest_limit(book, slot, 1)
            return
    elif stage == _LIMITS:
        reference = order.price
        maker = 1
    elif kind == TAKE_PROFIT:
        if not traded_through(order, h, l):
            rest_limit(book, slot, 1)
            return
        reference = order.price
        maker = 1
    else:
        reference = order.trigger
    fill(book, account, slot, reference, maker, pays_extra(book, order))


@step
def _note(book: Record, stage: int, held: int) -> None:
    """After something acted inside the bar: whether it opened the position, and the first exit by a stop."""
    now = book.position.steps
    if now * held <= 0 and now != 0:
        book.opened_inside = 1
    if stage == _ADVERSE and book.exit_ticks == 0 and (held - now) * held > 0:
        book.exit_ticks = book.last_ticks
        book.exit_rate_e8 = book.last_rate_e8


@kernel
def settle_funding(books: State, accounts: State, rate_e8: int, price: float) -> tuple[int, int]:
    """`settle` at a float price; returns (amount, ticks)."""
    ticks = to_ticks(books[0], price)
    return settle(books[0], accounts[0], rate_e8, ticks), ticks


@kernel
def start_bar(
    books: State, accounts: State, time_ms: int, range_e8: int, lost: int, volume: float, impact: float
) -> None:
    """`begin_bar` with the volume in base units."""
    book = books[0]
    begin_bar(book, accounts[0], time_ms, range_e8, lost, volume_in_steps(volume, book.steps_per_base), impact)


@kernel
def open_bar(books: State, accounts: State, o: float) -> int:
    """`open_phase` at a float price; returns the number of reports."""
    open_phase(books[0], accounts[0], to_ticks(books[0], o))
    return books[0].report_count


@kernel
def rest_bar(books: State, accounts: State, o: float, h: float, l: float, c: float, again: int) -> int:
    """`rest_phase` at float prices; returns the number of reports."""
    book = books[0]
    rest_phase(book, accounts[0], to_ticks(book, o), to_ticks(book, h), to_ticks(book, l), to_ticks(book, c), again)
    return book.report_count
