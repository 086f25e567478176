"""What is decided at a bar's close: to leave, to move the stop, to give up an entry, to enter and how much."""

from aister.kernels import Record, rare
from aister.kernels.book import CROSS, LIMIT, MARKET, place, withdraw
from aister.kernels.cost import RATE_ONE
from aister.kernels.ledger import unrealised
from aister.kernels.passing import supersede
from aister.kernels.position import NEXT_TARGET, close_out, closes, free, rests, send_stop
from aister.kernels.sizing import MOST, share_of, size_for_margin, size_for_risk, size_to_add
from aister.kernels.trades import CLOSE, ENTRY, EXIT, STOP, TIME

AT_MARKET, WHOLE_E4 = 0, 10_000


@rare
def _trail(s: Record, close: int) -> None:
    """Move the stop towards profit, to break-even or the trail, if the price has not passed it already."""
    side = s.trades[0].side
    s.moves = 0
    if (close - s.best_ticks) * side > 0:
        s.best_ticks = close
    if s.hit < s.plan.break_even_after:
        return
    stop = s.stop_ticks
    wanted = s.mean_ticks + side * s.cost_ticks
    if (close - wanted) * side > 0 and (wanted - stop) * side > 0:
        stop = wanted
    if s.plan.trail_share_e4 > 0:
        wanted = s.best_ticks - side * (s.risk_ticks * s.plan.trail_share_e4 // 10_000)
        if (close - wanted) * side > 0 and (wanted - stop) * side > 0:
            stop = wanted
    if stop != s.stop_ticks:
        _move_stop(s, stop, close)


@rare
def _move_stop(s: Record, stop: int, close: int) -> None:
    """Send a stop beside the one that rests, which is withdrawn once the venue has taken the new one."""
    s.stop_ticks = stop
    s.stops += 1
    number = STOP + NEXT_TARGET * s.stops
    send_stop(s, close)
    if s.plan.ack == 0:
        supersede(s, number)
    else:
        s.ack_at[s.acks] = s.bar + s.plan.ack
        s.ack_id[s.acks] = number
        s.acks += 1


@rare
def _manage(s: Record, now_ms: int, close: int, decides: int) -> None:
    """Time stop, protection, break-even and trailing, then what the strategy wants to leave."""
    if now_ms >= s.deadline_ms:
        s.cause = TIME
        close_out(s)
    elif not rests(s, STOP) and not closes(s):
        s.cause = CLOSE
        close_out(s)
    elif decides == 1 or s.moves == 1:
        _trail(s, close)
    if now_ms >= s.leave_ms:
        s.cause = EXIT
        close_out(s)


@rare
def at_close(s: Record, account: Record, now_ms: int, close: int, decides: int, leaves: int) -> None:
    """A bar closed: what is held is managed, an entry that is due goes out. decides: 1 at a decision close; leaves: 1
    where an exit of the side held was signalled. The setup of this close is taken afterwards (`take_setup`)."""
    s.close_ticks = close
    if s.open == 1:
        s.mark_ticks = close
        _manage(s, now_ms, close, decides)
        if leaves == 1:
            s.leave_ms = min(s.leave_ms, now_ms + s.plan.delay_ms)
            if now_ms >= s.leave_ms:
                s.cause = EXIT
                close_out(s)
    if s.entering == 1 and now_ms >= s.entry_ends_ms and withdraw(s.book, ENTRY) == 1:
        s.gone = 1
    _fire(s, account, now_ms, close)


@rare
def take_setup(s: Record, account: Record, row: Record, number: int, now_ms: int, close: int) -> None:
    """Take a row of SETUP, number `number`, at this close if the desk is free: its order goes out after the delay."""
    if not free(s):
        return
    setup = s.setup
    setup.time_ms = row.time_ms
    setup.side = row.side
    setup.limit = row.limit
    setup.entry_ticks = row.entry_ticks
    setup.stop_ticks = row.stop_ticks
    setup.targets = row.targets
    for i in range(3):
        setup.target_ticks[i] = row.target_ticks[i]
        setup.share_e4[i] = row.share_e4[i]
    setup.horizon_ms = row.horizon_ms
    setup.life_ms = row.life_ms
    s.row = number
    s.armed = 1
    s.fires_ms = now_ms + s.plan.delay_ms
    _fire(s, account, now_ms, close)


@rare
def _fire(s: Record, account: Record, now_ms: int, mark: int) -> None:
    """Send the entry of the armed setup, if it is due, not too late and a sound size is left."""
    if s.armed == 0 or now_ms < s.fires_ms:
        return
    s.armed = 0
    setup = s.setup
    if now_ms > s.fires_ms + setup.life_ms:
        return
    price = setup.entry_ticks if setup.limit == 1 else mark
    largest = s.plan.max_steps if setup.limit == 1 else s.plan.market_max_steps
    steps = _size(s, account, setup.side, setup.limit, price, setup.stop_ticks, mark, largest, s.plan.first_e4)
    if steps > 0:
        _enter(s, account, now_ms, setup.limit, price, steps, mark)


@rare
def want_more(s: Record, now_ms: int, stop_ticks: int) -> None:
    """The strategy would enter more of what is held, once, unless something is still entering; its stop then goes to
    `stop_ticks` (0: it stays)."""
    if s.open == 1 and s.wants == 0 and s.entering == 0 and s.added < s.plan.adds:
        s.wants = 1
        s.wants_ms = now_ms + s.plan.delay_ms
        s.wants_stop = stop_ticks


@rare
def fire_more(s: Record, account: Record, now_ms: int, mark: int) -> None:
    """Enter more of what is held, as far as its risk has room; its stop goes along."""
    s.wants = 0
    if closes(s) or now_ms > s.wants_ms + s.setup.life_ms:
        return
    side = s.trades[0].side
    stop = s.stop_ticks
    if s.wants_stop > 0 and (s.wants_stop - stop) * side > 0:
        stop = s.wants_stop
    unit = s.book.unit
    held = s.book.position
    lost = 0 if s.plan.beyond_risk == 1 else held.cost - stop * held.steps * unit
    most = size_to_add(_worth(s, account, mark), s.plan.risk_e8, s.plan.add_e4, (mark - stop) * side, unit, lost)
    steps = _size(s, account, side, AT_MARKET, mark, stop, mark, min(most, s.plan.market_max_steps), WHOLE_E4)
    if steps == 0:
        return
    s.added += 1
    s.adding = 1
    s.add_steps = 0
    _enter(s, account, now_ms, AT_MARKET, mark, steps, mark)
    if stop != s.stop_ticks:
        _move_stop(s, stop, mark)


@rare
def _enter(s: Record, account: Record, now_ms: int, limit: int, price: int, steps: int, mark: int) -> None:
    """Send an entry. The venue may refuse it for want of margin (cross, it counts what is unrealised), as its answer at
    the end of the pass will say."""
    held = s.book.position
    side = s.trades[0].side if s.open == 1 else s.setup.side
    leverage = s.plan.leverage
    s.planned_ticks = price
    s.entering = 1
    s.entry_left = steps
    s.entry_ends_ms = now_ms + s.setup.life_ms
    s.reserve = -(-price * steps * s.book.unit // leverage)
    if s.book.margin_mode == CROSS:
        own = unrealised(held, account, s.book.unit, mark) + abs(held.cost) // -leverage
        if s.reserve > account.wallet + s.others_free + own:
            s.gone = 1
            return
    kind = LIMIT if limit == 1 else MARKET
    place(s.book, ENTRY, kind, side, steps, price if limit == 1 else 0, 0, 0, 0, s.plan.wait)


@rare
def _worth(s: Record, account: Record, mark: int) -> int:
    """Equity at the newest marks, this desk's at `mark`."""
    return int(account.wallet + s.others_worth + unrealised(s.book.position, account, s.book.unit, mark))


@rare
def _size(
    s: Record,
    account: Record,
    side: int,
    limit: int,
    price: int,
    stop: int,
    mark: int,
    most: int,
    part_e4: int,
) -> int:
    """The steps of an entry at `price`: `part_e4` of what every bound and `most` allow; 0 when it may not be or the
    smallest order is more than that."""
    plan = s.plan
    unit = s.book.unit
    nearer = min(price, mark) if side > 0 else max(price, mark)
    if stop <= 0 or (nearer - stop) * side < 1:
        return 0
    if limit == 1:
        if price < plan.min_ticks or price > plan.max_ticks:
            return 0
        if side > 0 and price * RATE_ONE > mark * plan.band_up_e8:
            return 0
        if side < 0 and price * RATE_ONE < mark * plan.band_down_e8:
            return 0
    worth = max(0, _worth(s, account, mark))
    per_step = price * unit
    held = s.book.position
    own = abs(held.steps) * mark * unit
    gross = s.others_gross + own
    taken = s.same_gross + own
    spare = account.wallet - s.others_margin + abs(held.cost) // -plan.leverage
    steps = min(size_for_risk(worth, plan.risk_e8, abs(price - stop), unit), most)
    steps = min(steps, max(0, share_of(worth, plan.cap_e8) - taken) // per_step)
    steps = min(steps, max(0, min(worth, MOST // plan.leverage) * plan.leverage - gross) // per_step)
    steps = min(steps, max(0, plan.granted - 1 - taken) // per_step)
    steps = min(steps, size_for_margin(spare, plan.leverage, plan.taker_e8, per_step))
    steps = steps * part_e4 // WHOLE_E4
    smallest = max(plan.min_steps, -(-plan.min_notional // per_step))
    return steps if steps >= smallest else 0
