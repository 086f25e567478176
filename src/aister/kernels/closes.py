"""What is decided at a bar's close: to leave, to move the stop, to give up an entry, to enter and how much."""

from aister.kernels import Record, rare
from aister.kernels.book import LIMIT, MARKET, place, withdraw
from aister.kernels.cost import RATE_ONE
from aister.kernels.passing import supersede
from aister.kernels.position import NEXT_TARGET, close_out, closes, free, rests, send_stop
from aister.kernels.sizing import MOST, share_of, size_for_margin, size_for_risk
from aister.kernels.trades import CLOSE, ENTRY, EXIT, STOP, TIME


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
    wanted = s.trades[0].entry_ticks + side * s.cost_ticks
    if (close - wanted) * side > 0 and (wanted - stop) * side > 0:
        stop = wanted
    if s.plan.trail_share_e4 > 0:
        wanted = s.best_ticks - side * (s.risk_ticks * s.plan.trail_share_e4 // 10_000)
        if (close - wanted) * side > 0 and (wanted - stop) * side > 0:
            stop = wanted
    if stop != s.stop_ticks:
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
    equity = account.wallet + s.others_worth
    steps = _size(s, setup, mark, price, equity, s.others_gross, account.wallet - s.others_margin)
    if steps == 0:
        return
    s.entering = 1
    s.entry_left = steps
    s.planned_ticks = price
    s.entry_ends_ms = now_ms + setup.life_ms
    kind = LIMIT if setup.limit == 1 else MARKET
    place(s.book, ENTRY, kind, setup.side, steps, price if setup.limit == 1 else 0, 0, 0, 0, s.plan.wait)


@rare
def _size(s: Record, setup: Record, mark: int, price: int, equity: int, gross: int, spare: int) -> int:
    """The steps of an entry at `price`; 0 when it may not be or the smallest order is more than what is allowed."""
    plan = s.plan
    unit = s.book.unit
    side = setup.side
    nearer = min(price, mark) if side > 0 else max(price, mark)
    if setup.stop_ticks <= 0 or (nearer - setup.stop_ticks) * side < 1:
        return 0
    if setup.limit == 1:
        if price < plan.min_ticks or price > plan.max_ticks:
            return 0
        if side > 0 and price * RATE_ONE > mark * plan.band_up_e8:
            return 0
        if side < 0 and price * RATE_ONE < mark * plan.band_down_e8:
            return 0
    worth = max(0, equity)
    per_step = price * unit
    largest = plan.max_steps if setup.limit == 1 else plan.market_max_steps
    steps = min(size_for_risk(worth, plan.risk_e8, abs(price - setup.stop_ticks), unit), largest)
    steps = min(steps, share_of(worth, plan.cap_e8) // per_step)
    steps = min(steps, max(0, min(worth, MOST // plan.leverage) * plan.leverage - gross) // per_step)
    steps = min(steps, max(0, plan.granted - 1) // per_step)
    steps = min(steps, size_for_margin(spare, plan.leverage, plan.taker_e8, per_step))
    smallest = max(plan.min_steps, -(-plan.min_notional // per_step))
    return steps if steps >= smallest else 0
