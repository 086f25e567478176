"""Replay of a recorded stretch on two clocks: the exchange's, where orders meet the book, and the owner's, who sees
the feed late and whose orders and cancels arrive late.

The owner acts at decisions, `interval_ns` apart. Up to and including a decision's time: rows happen at the exchange in
their order, at one time before orders that arrive then; the owner sees rows and reports by arrival. What is sent at a
decision arrives `entry_ns + entry_feed_e4 x feed latency / 1e4` later and never overtakes.

    while run_to_decision(state, events, fills) == DECIDE:
        ...                                   # look at state[0].seen, place(...), cancel(...)
"""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, step
from aister.kernels.depth import DEPTH, NO_ASK, NO_BID, clear_side, set_level
from aister.kernels.ledger import unrealised
from aister.kernels.queue import (
    ACCEPTED,
    CANCELLED,
    CANCELLING,
    EXPIRED,
    FILLED,
    FLOOR,
    FREE,
    LIVE,
    MAX_MESSAGES,
    MAX_ORDERS,
    SENT,
    TOO_LATE,
    arrive,
    level_changed,
    reached,
    traded,
    withdraw,
)
from aister.kernels.state import State

LEVEL, TRADE, CLEAR = 0, 1, 2

TICK = np.dtype(
    [("exchange_ns", "i8"), ("local_ns", "i8"), ("steps", "i8"), ("ticks", "i4"), ("kind", "i1"), ("side", "i1")],
    align=True,
)
"""One recorded row, 32 bytes, sorted by exchange_ns. LEVEL: `steps` are now displayed on `side` (1 bids); TRADE: of
`steps`, initiated by `side` (1 buyer); CLEAR: the side is empty, a snapshot follows. local_ns: when the owner had it;
it never falls from one LEVEL or CLEAR row to the next."""

REQUEST = np.dtype([("time_ns", "i8"), ("id", "i8"), ("slot", "i8"), ("cancel", "i8")], align=True)

QUOTES = np.dtype(
    [*(("half_ticks", "i8"), ("skew_e4", "i8"), ("steps", "i8"), ("max_steps", "i8"))],
    align=True,
)
"""The quoting rule's parameters: half_ticks away from the skewed mid, never inside the best price; skew_e4: ticks of
lean x 1e4 per order size of position; steps: size of an order; max_steps: no more quotes on a side from there."""

DESK = np.dtype(
    [
        *(("now_ns", "i8"), ("interval_ns", "i8"), ("entry_ns", "i8"), ("entry_feed_e4", "i8"), ("feed_ns", "i8")),
        *(("at", "i8"), ("seen_at", "i8"), ("waiting", "i8"), ("decisions", "i8"), ("fill_count", "i8")),
        *(("position", "i8"), ("next_id", "i8"), ("sent", "i8"), ("cancels", "i8"), ("refused", "i8")),
        *(("equity", "i8"), ("peak", "i8"), ("drawdown", "i8"), ("quotes", QUOTES)),
        *(("head", "i8"), ("tail", "i8"), ("last_ns", "i8"), ("requests", REQUEST, (MAX_MESSAGES,))),
        *(("seen", DEPTH), ("floor", FLOOR)),
    ],
    align=True,
)
"""The whole replay. at, seen_at: next row at the exchange and in the owner's eyes; waiting: 1 between a decision and
the next call; position, seen: as the owner knows them; refused: orders without a free slot; equity, peak, drawdown: of
the account at the middle of the book, looked at at decisions."""

END, DECIDE, FULL, OVERRUN = 0, 1, 2, -1
"""What `run_to_decision` returns: every row has happened and been seen, what is still on its way is lost; look and act;
`fills` needs more room, call again with it (rows `state[0].fill_count` on); a buffer or amount did not fit."""


@step
def send(s: Record, slot: int, cancel: int) -> None:
    """Put a message to the venue on its way."""
    if s.tail - s.head == MAX_MESSAGES:
        s.floor.overrun = 1
        return
    message = s.requests[s.tail % MAX_MESSAGES]
    s.last_ns = max(s.last_ns, s.now_ns + s.entry_ns + s.entry_feed_e4 * s.feed_ns // 10_000)
    message.time_ns = s.last_ns
    message.id = s.floor.orders[slot].id
    message.slot = slot
    message.cancel = cancel
    s.tail += 1


@step
def place(s: Record, side: int, ticks: int, steps: int, kind: int) -> int:
    """Send an order now; return its slot, or -1 (counted) when all slots are taken or it has no size or price."""
    slot = 0
    while slot < MAX_ORDERS and s.floor.orders[slot].state != FREE:
        slot += 1
    if slot == MAX_ORDERS or steps <= 0 or ticks <= 0:
        s.refused += 1
        return -1
    s.floor.top = max(s.floor.top, slot + 1)
    order = s.floor.orders[slot]
    s.next_id += 1
    order.id = s.next_id
    order.state = SENT
    order.side = side
    order.kind = kind
    order.ticks = ticks
    order.steps = steps
    order.left = steps
    order.known = steps
    order.resting = 0
    order.joined = 0.0
    s.sent += 1
    send(s, slot, 0)
    return slot


@step
def cancel(s: Record, slot: int) -> int:
    """Send a cancel now; 0 when the order is not known to rest or is being cancelled already."""
    if s.floor.orders[slot].state != LIVE:
        return 0
    s.floor.orders[slot].state = CANCELLING
    s.cancels += 1
    send(s, slot, 1)
    return 1


@step
def happen(f: Record, row: Record) -> None:
    """One recorded row at the exchange."""
    f.feed_ns = row.local_ns - row.exchange_ns
    side = int(row.side)
    ticks = int(row.ticks)
    if row.kind == LEVEL:
        b = (1 - side) >> 1
        best = f.depth.best[b]
        before = set_level(f.depth, side, ticks, row.steps)
        level_changed(f, side, ticks, before, row.steps)
        if (f.depth.best[b] - best) * side > 0:
            reached(f, -side, f.depth.best[b], row.exchange_ns)
    elif row.kind == TRADE:
        traded(f, side, ticks, row.steps, row.exchange_ns)
    else:
        clear_side(f.depth, side)


@step
def see(s: Record, row: Record) -> None:
    """One recorded row reaches the owner."""
    if row.kind == TRADE:
        return
    s.feed_ns = row.local_ns - row.exchange_ns
    if row.kind == LEVEL:
        set_level(s.seen, int(row.side), int(row.ticks), row.steps)
    else:
        clear_side(s.seen, int(row.side))


@step
def _learn(s: Record, message: Record) -> None:
    """A report reaches the owner."""
    s.position += message.signed
    order = s.floor.orders[message.slot]
    if order.id != message.id:
        return
    order.known -= abs(message.signed)
    if message.what == ACCEPTED and order.state == SENT:
        order.state = LIVE
    elif message.what in (FILLED, CANCELLED, EXPIRED):
        order.state = FREE
    elif message.what == TOO_LATE and order.state == CANCELLING:
        order.state = LIVE


@step
def mark(s: Record) -> None:
    """Value the account at the middle of the exchange's book."""
    bid = s.floor.depth.best[0]
    ask = s.floor.depth.best[1]
    if bid == NO_BID or ask == NO_ASK:
        return
    account = s.floor.account
    open_bid = unrealised(s.floor.position, account, s.floor.unit, bid)
    open_ask = unrealised(s.floor.position, account, s.floor.unit, ask)
    s.equity = account.wallet + (open_bid + open_ask) // 2
    s.peak = max(s.peak, s.equity)
    s.drawdown = max(s.drawdown, s.peak - s.equity)


@step
def quote(s: Record) -> None:
    """Quote both sides of the mid, leaning against the position.

    With B, A the best prices seen, q the position known, m = B + A - 2 floor(skew q / size) in half ticks:
    bid = min(floor(m / 2 - half), B), ask = max(ceil(m / 2 + half), A), post-only, one order a side. An order at
    another price is cancelled; its place is taken once it is known to be gone."""
    bid = s.seen.best[0]
    ask = s.seen.best[1]
    if bid == NO_BID or ask == NO_ASK:
        return
    p = s.quotes
    mid2 = bid + ask - 2 * (p.skew_e4 * s.position // (p.steps * 10_000))
    at_bid = min((mid2 - 2 * p.half_ticks) // 2, bid)
    at_ask = max(-((-mid2 - 2 * p.half_ticks) // 2), ask)
    for side in (1, -1):
        ticks = at_bid if side > 0 else at_ask
        wanted = s.position * side < p.max_steps and ticks > 0
        have = 0
        for k in range(s.floor.top):
            order = s.floor.orders[k]
            if order.state != FREE and order.side == side:
                have = 1
                if not wanted or order.ticks != ticks:
                    cancel(s, k)
        if wanted and have == 0:
            place(s, side, ticks, p.steps, 0)


@kernel
def drain(state: State, fills: npt.NDArray[np.void]) -> int:
    """Move executions out of the exchange's buffer; FULL when `fills` lacks the room, then nothing is moved."""
    s = state[0]
    if s.fill_count + s.floor.fill_count > fills.size:
        return FULL
    for k in range(s.floor.fill_count):
        fills[s.fill_count] = s.floor.fills[k]
        s.fill_count += 1
    s.floor.fill_count = 0
    return DECIDE


@kernel
def run_to_decision(state: State, events: npt.NDArray[np.void], fills: npt.NDArray[np.void]) -> int:
    """Replay up to the next decision. `events` of TICK, `fills` of TICK_FILL takes executions as they happen."""
    s = state[0]
    f = s.floor
    rows = events.size
    if s.waiting == 1:
        s.waiting = 0
        s.now_ns += s.interval_ns
    until = s.now_ns
    while True:
        due = until
        asked = 0
        if s.head < s.tail and s.requests[s.head % MAX_MESSAGES].time_ns <= until:
            due = s.requests[s.head % MAX_MESSAGES].time_ns
            asked = 1
        while s.at < rows and events[s.at].exchange_ns <= due:
            if f.fill_count > 0 and drain(state, fills) == FULL:
                return FULL
            happen(f, events[s.at])
            s.at += 1
        if f.fill_count > 0 and drain(state, fills) == FULL:
            return FULL
        if asked == 0:
            break
        message = s.requests[s.head % MAX_MESSAGES]
        s.head += 1
        if message.cancel == 1:
            withdraw(f, message.slot, message.id, message.time_ns)
        else:
            arrive(f, message.slot, message.time_ns)
    while s.seen_at < rows and (events[s.seen_at].kind == TRADE or events[s.seen_at].local_ns <= until):
        see(s, events[s.seen_at])
        s.seen_at += 1
    while f.head < f.tail and f.reports[f.head % MAX_MESSAGES].time_ns <= until:
        _learn(s, f.reports[f.head % MAX_MESSAGES])
        f.head += 1
    mark(s)
    if f.overrun == 1 or f.account.overflow == 1:
        return OVERRUN
    if s.at == rows and s.seen_at == rows:
        return END
    s.waiting = 1
    s.decisions += 1
    return DECIDE


@kernel
def run_quotes(state: State, events: npt.NDArray[np.void], fills: npt.NDArray[np.void]) -> int:
    """`quote` at every decision; returns END, FULL or OVERRUN."""
    while True:
        code = run_to_decision(state, events, fills)
        if code != DECIDE:
            return code
        quote(state[0])


@kernel
def act(state: State, slot: int, side: int, ticks: int, steps: int, kind: int) -> int:
    """`place` when slot is negative, else `cancel`, called from outside."""
    if slot < 0:
        return place(state[0], side, ticks, steps, kind)
    return cancel(state[0], slot)
