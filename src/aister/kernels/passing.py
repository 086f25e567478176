"""A bar passes over a desk: begun, its phases, and what the book reports of them acted on, as the engine does it."""

from aister.kernels import Record, rare
from aister.kernels.book import remove, watch, withdraw, withdraw_all
from aister.kernels.cost import RATE_ONE, apply_rate, impact_rate_e8, rate_for
from aister.kernels.matching import begin_bar, open_phase, rest_phase, settle
from aister.kernels.position import MAX_FILLS, NEVER_MS, NEXT_TARGET, aim, answer, send_stop
from aister.kernels.trades import ENTRY, STOP, TARGET


@rare
def _begin(s: Record, report: Record, time_ms: int) -> None:
    """The first fill of an entry makes the trade."""
    t = s.trades[0]
    t.symbol = s.symbol
    t.setup = s.row
    t.entry_ms = time_ms
    t.side = report.side
    t.entry_ticks = report.ticks
    t.steps = 0
    t.entry_cost = 0
    t.exit_value = 0
    t.entry_fee = 0
    t.fees = 0
    t.funding = 0
    t.slippage = 0
    t.impact = 0
    s.ambiguous = s.book.ambiguous
    s.target_first = s.book.target_first
    s.open = 1
    s.hit = 0
    s.moves = 0
    s.stop_ticks = s.setup.stop_ticks
    near = max((report.ticks - s.stop_ticks) * report.side, (s.planned_ticks - s.stop_ticks) * report.side)
    s.risk_ticks = max(1, near)
    s.cost_ticks = -(-report.ticks * s.plan.cost_e8 // RATE_ONE)
    s.best_ticks = report.ticks
    s.deadline_ms = time_ms + s.setup.horizon_ms
    s.leave_ms = NEVER_MS
    s.stops = 0
    s.acks = 0
    s.reached = 0
    s.mean_ticks = report.ticks
    s.added = 0


@rare
def _charge(s: Record, report: Record) -> None:
    """What a fill cost belongs to the trade at hand."""
    t = s.trades[0]
    t.fees += report.fee
    t.slippage += (report.ticks - report.reference) * report.side * report.steps * s.book.unit
    if report.maker == 0 and s.book.impact != 0.0:
        rate_e8 = impact_rate_e8(s.book.costs, s.book.impact, report.steps)
        t.impact += apply_rate(report.reference * report.steps * s.book.unit, rate_e8)


@rare
def _grown(s: Record, report: Record) -> None:
    """A further entry filled, in part or whole: the entry price becomes the mean of all, rounded towards profit, and
    what this part loses at the stop is added to the risk."""
    t = s.trades[0]
    side = t.side
    a_tick = t.steps * s.book.unit
    s.add_steps += report.steps
    s.mean_ticks = -(-t.entry_cost // a_tick) if side > 0 else t.entry_cost // a_tick
    s.cost_ticks = -(-s.mean_ticks * s.plan.cost_e8 // RATE_ONE)
    away = max(1, (report.ticks - s.stop_ticks) * side, (s.planned_ticks - s.stop_ticks) * side)
    t.risk += away * report.steps * s.book.unit
    s.moves = 1


@rare
def _entered(s: Record, report: Record, time_ms: int, last: int) -> None:
    """An entry filled, in part or whole: the stop rests from the first fill on, the targets after the last."""
    first = s.open == 0
    if first:
        _begin(s, report, time_ms)
    s.reserve = -(-s.reserve * report.left // (report.steps + report.left))
    s.entry_left = report.left
    s.held += report.side * report.steps
    t = s.trades[0]
    t.steps += report.steps
    t.entry_cost += report.ticks * report.steps * s.book.unit
    t.entry_fee += report.fee
    _charge(s, report)
    if s.adding == 1:
        _grown(s, report)
    else:
        t.risk = s.risk_ticks * abs(s.held) * s.book.unit
    if first:
        send_stop(s, last)
    if s.entry_left == 0:
        s.entering = 0
        aim(s, last)


@rare
def _reduced(s: Record, report: Record, time_ms: int) -> int:
    """Something reduced the position. Returns 1 when it went flat: the trade is then in `trades[1]`."""
    t = s.trades[0]
    s.held += report.side * report.steps
    t.exit_value += report.ticks * report.steps * s.book.unit
    _charge(s, report)
    if s.held != 0:
        if report.id % NEXT_TARGET == TARGET:
            at = s.setup.target_ticks[report.id // NEXT_TARGET % 3]
            if s.reached == 0 or (at - s.reached) * t.side > 0:
                s.reached = at
            if report.left == 0:
                s.hit += 1 if report.id < NEXT_TARGET * 3 else 0
                s.moves = 1
        return 0
    t.exit_ms = time_ms
    t.exit_ticks = report.ticks
    t.reason = report.id % NEXT_TARGET
    t.pnl = t.side * (t.exit_value - t.entry_cost) - t.fees - t.funding
    t.ambiguous = s.book.ambiguous - s.ambiguous
    t.target_first = t.pnl + s.book.target_first - s.target_first
    s.open = 0
    s.moves = 0
    s.acks = 0
    s.wants = 0
    s.adding = 0
    if withdraw(s.book, ENTRY) == 1:
        s.gone = 1
    return 1


@rare
def _note(s: Record, report: Record, time_ms: int) -> None:
    """Keep a fill for whoever wants them."""
    if s.keep == 0 or s.fill_count == MAX_FILLS:
        return
    f = s.fills[s.fill_count]
    f.time_ms = time_ms
    f.symbol = s.symbol
    f.trade = s.finished
    f.side = report.side
    f.steps = report.steps
    f.ticks = report.ticks
    f.fee = report.fee
    f.maker = report.maker
    f.reason = report.id % NEXT_TARGET
    s.fill_count += 1


@rare
def follow(s: Record, time_ms: int, last: int) -> None:
    """After a phase: act on the book's reports, one after the other as the engine does. `last`: newest price."""
    for i in range(s.book.report_count):
        report = s.book.reports[i]
        if report.steps == 0:
            if report.id == ENTRY:
                s.gone = 1
            elif s.open == 1:
                s.moves = 1
            continue
        s.mark_ticks = report.ticks
        _note(s, report, time_ms)
        if report.id == ENTRY:
            _entered(s, report, time_ms, last)
        elif _reduced(s, report, time_ms) == 1:
            withdraw_all(s.book)
            s.done += 1
            s.finished += 1
            s.trades[s.done] = s.trades[0]
    answer(s, last)


@rare
def supersede(s: Record, number: int) -> None:
    """The venue has taken this stop: those before it are withdrawn."""
    i = 0
    while i < s.book.order_count and s.book.orders[i].id != number:
        if s.book.orders[i].id % NEXT_TARGET == STOP:
            remove(s.book, i)
            s.moves = 1
        else:
            i += 1
    watch(s.book)


@rare
def _acknowledge(s: Record) -> None:
    """Acceptances known by this open."""
    kept = 0
    for i in range(s.acks):
        if s.ack_at[i] <= s.bar:
            supersede(s, s.ack_id[i])
        else:
            s.ack_at[kept] = s.ack_at[i]
            s.ack_id[kept] = s.ack_id[i]
            kept += 1
    s.acks = kept


@rare
def phase(s: Record, account: Record, stage: int, time_ms: int, o: int, h: int, l: int, c: int) -> int:
    """One phase of a bar that has begun, and what its fills lead to: 0 its open, 1 the rest of it, 2 the rest again.
    Returns how much was reported."""
    if stage == 0:
        open_phase(s.book, account, o)
        if s.acks > 0:
            _acknowledge(s)
    else:
        rest_phase(s.book, account, o, h, l, c, 1 if stage == 2 else 0)
    count = s.book.report_count
    if count > 0:
        last = o
        if stage > 0:
            last = c
            for i in range(count):
                if s.book.reports[i].steps > 0:
                    last = s.book.reports[i].ticks
        follow(s, time_ms if stage == 0 else time_ms + s.plan.interval_ms - 1, last)
    return int(count)


@rare
def pass_bar(
    s: Record,
    account: Record,
    time_ms: int,
    o: int,
    h: int,
    l: int,
    c: int,
    range_e8: int,
    lost: int,
    volume: int,
    impact: float,
) -> None:
    """The bar that opened at `time_ms`, ticks and steps, as `begin_bar` takes it: what it does to a desk that holds
    something or has orders. What fills and ends in it lies in `fills` and `trades` afterwards."""
    begin_bar(s.book, account, time_ms, range_e8, lost, volume, impact)
    s.done = 0
    s.fill_count = 0
    stage = 0
    while phase(s, account, stage, time_ms, o, h, l, c) > 0 or stage == 0:
        stage = min(stage + 1, 2)


@rare
def pay_funding(s: Record, account: Record, rate_e8: int, ticks: int) -> None:
    """A funding settlement at price `ticks`, on the position held; `rate_e8` as `cost.rate_for` reads it."""
    steps = s.book.position.steps
    if steps != 0:
        s.trades[0].funding += settle(s.book, account, rate_for(rate_e8, steps), ticks)
