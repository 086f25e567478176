"""The venue's side of own orders among recorded ones: place in the queue, fills, fees. Recorded flow is never changed
by an own fill: what an own order takes stays displayed, what fills an own order is not missing elsewhere.

A resting order fills as maker
- whole, when a trade goes through its price or the other side comes to display its price;
- when a trade happens at its price: by what is left of the trade after the quantity ahead and older own orders there.

The quantity ahead starts as what its level displays when it arrives. Trades at the price shrink it. Then, by rule:
RISK_AVERSE: it is never more than the level displays; cancellations count as behind us for as long as they can.
POWER, LOG: a fall of the level beyond what traded is split between ahead and behind: the share behind is
f(behind) / (f(behind) + f(ahead)), f(x) = x^n or log(1 + x), x in base units (Rigtorp 2013; names as in hftbacktest);
never less than nothing is ahead.
"""

import math

import numpy as np

from aister.kernels import Record, kernel, step
from aister.kernels.cost import apply_rate
from aister.kernels.depth import DEPTH, NO_ASK, NO_BID, WINDOW, size_at
from aister.kernels.ledger import ACCOUNT, POSITION, apply_fill, value_of

RISK_AVERSE, POWER, LOG = 0, 1, 2
POST_ONLY, LIMIT, IMMEDIATE, MARKET = 0, 1, 2, 3
"""Kinds of order: maker or nothing; takes what its price allows and rests the remainder; takes and drops the
remainder; takes at any price and drops the remainder."""

FREE, SENT, LIVE, CANCELLING = 0, 1, 2, 3
"""An order as its owner knows it."""

ACCEPTED, FILLED_PART, FILLED, CANCELLED, EXPIRED, TOO_LATE = 1, 2, 3, 4, 5, 6
"""What the venue reports; TOO_LATE: a cancel found nothing to cancel."""

MAX_ORDERS = 16
MAX_FILLS = 128
MAX_MESSAGES = 256

ORDER = np.dtype(
    [
        *(("id", "i8"), ("state", "i8"), ("known", "i8"), ("side", "i8"), ("kind", "i8"), ("ticks", "i8")),
        *(("steps", "i8"), ("left", "i8"), ("resting", "i8"), ("arrived_ns", "i8")),
        *(("ahead", "f8"), ("traded", "f8"), ("joined", "f8")),
    ],
    align=True,
)
"""id: rising, 1 first; state, known: state and steps left as the owner knows them; left, resting: as they are.
ahead: steps in front; traded: steps traded at the price since the level's last update; joined: ahead at arrival."""

REPORT = np.dtype([("time_ns", "i8"), ("id", "i8"), ("slot", "i8"), ("what", "i8"), ("signed", "i8")], align=True)
"""A message to the owner; time_ns: when it arrives; signed: side x steps that filled."""

TICK_FILL = np.dtype(
    [
        *(("time_ns", "i8"), ("id", "i8"), ("side", "i8"), ("ticks", "i8"), ("steps", "i8"), ("maker", "i8")),
        *(("left", "i8"), ("fee", "i8"), ("joined", "i8"), ("rested_ns", "i8")),
    ],
    align=True,
)
"""One execution at exchange time. left: steps still open after it; fee in 1e-8 quote units; joined: steps that were
ahead when the order arrived; rested_ns: time since then."""

COUNTS = np.dtype(
    [
        *(("accepted", "i8"), ("expired", "i8"), ("cancelled", "i8"), ("too_late", "i8")),
        *(("maker_fills", "i8"), ("taker_fills", "i8"), ("bought", "i8"), ("sold", "i8"), ("joined", "f8")),
    ],
    align=True,
)
"""Orders that came to rest, expired (post-only that would take, or unfilled remainder), were cancelled; cancels that
came too late; executions; steps bought and sold; joined: sum of the quantities ahead at arrival."""

FLOOR = np.dtype(
    [
        *(("position", POSITION), ("account", ACCOUNT), ("counts", COUNTS)),
        *(("unit", "i8"), ("maker_e8", "i8"), ("taker_e8", "i8"), ("rule", "i8"), ("whole", "i8"), ("overrun", "i8")),
        *(("power", "f8"), ("lot", "f8"), ("response_ns", "i8"), ("response_feed_e4", "i8"), ("feed_ns", "i8")),
        *(("top", "i8"), ("inner", "i8", (2,)), ("outer", "i8", (2,))),
        *(("fill_count", "i8"), ("head", "i8"), ("tail", "i8"), ("last_ns", "i8")),
        *(("orders", ORDER, (MAX_ORDERS,)), ("fills", TICK_FILL, (MAX_FILLS,)), ("reports", REPORT, (MAX_MESSAGES,))),
        ("depth", DEPTH),
    ],
    align=True,
)
"""The exchange. whole: 1 when an execution always fills an order whole; power: n of POWER; lot: base units per step;
response_ns + response_feed_e4 x feed_ns / 1e4: how long a report travels, feed_ns the feed latency of the row before;
top: slots in use; inner, outer: own resting prices nearest to and farthest from the market by side (bids 0);
overrun: 1 once a buffer was too small; reports: a ring, from head up to tail."""


@step
def refresh(f: Record) -> None:
    """Recompute what is cached about resting orders."""
    f.inner[0] = NO_BID
    f.outer[0] = NO_ASK
    f.inner[1] = NO_ASK
    f.outer[1] = NO_BID
    for k in range(f.top):
        order = f.orders[k]
        if order.resting == 1:
            if order.side > 0:
                f.inner[0] = max(f.inner[0], order.ticks)
                f.outer[0] = min(f.outer[0], order.ticks)
            else:
                f.inner[1] = min(f.inner[1], order.ticks)
                f.outer[1] = max(f.outer[1], order.ticks)


@step
def report(f: Record, slot: int, order_id: int, what: int, signed: int, now_ns: int) -> None:
    """Send a message to the owner; it never overtakes the one before."""
    if f.tail - f.head == MAX_MESSAGES:
        f.overrun = 1
        return
    latency = f.response_ns + f.response_feed_e4 * f.feed_ns // 10_000
    message = f.reports[f.tail % MAX_MESSAGES]
    f.last_ns = max(f.last_ns, now_ns + latency)
    message.time_ns = f.last_ns
    message.id = order_id
    message.slot = slot
    message.what = what
    message.signed = signed
    f.tail += 1


@kernel
def execute(f: Record, slot: int, ticks: int, steps: int, maker: int, now_ns: int) -> None:
    """Book one execution of own order and report it."""
    if f.fill_count == MAX_FILLS:
        f.overrun = 1
        return
    order = f.orders[slot]
    rate = f.maker_e8 if maker == 1 else f.taker_e8
    fee = apply_rate(value_of(f.account, ticks, steps, f.unit), rate)
    apply_fill(f.position, f.account, f.unit, order.side, steps, ticks, fee)
    order.left -= steps
    row = f.fills[f.fill_count]
    row.time_ns = now_ns
    row.id = order.id
    row.side = order.side
    row.ticks = ticks
    row.steps = steps
    row.maker = maker
    row.left = order.left
    row.fee = fee
    row.joined = int(order.joined)
    row.rested_ns = now_ns - order.arrived_ns
    f.fill_count += 1
    f.counts.maker_fills += maker
    f.counts.taker_fills += 1 - maker
    if order.side > 0:
        f.counts.bought += steps
    else:
        f.counts.sold += steps
    if order.left == 0 and order.resting == 1:
        order.resting = 0
        refresh(f)
    report(f, slot, order.id, FILLED if order.left == 0 else FILLED_PART, order.side * steps, now_ns)


@step
def _split(f: Record, x: float) -> float:
    return math.log(1.0 + x) if f.rule == LOG else x**f.power


@step
def _requeue(f: Record, order: Record, before: int, after: int) -> None:
    """The level of a resting order went from `before` to `after` steps."""
    if f.rule != RISK_AVERSE:
        gone = before - after - order.traded
        order.traded = 0.0
        behind = before - order.ahead
        if gone > 0.0 and behind >= 0.0:
            weight = _split(f, behind * f.lot)
            weights = weight + _split(f, order.ahead * f.lot)
            share = weight / weights if weights > 0.0 else 1.0
            order.ahead = max(order.ahead - (1.0 - share) * gone - max(share * gone - behind, 0.0), 0.0)
    order.ahead = min(order.ahead, float(after))


@step
def level_changed(f: Record, side: int, ticks: int, before: int, after: int) -> None:
    """Tell own orders at that level."""
    b = (1 - side) >> 1
    if (ticks - f.inner[b]) * side <= 0 and (ticks - f.outer[b]) * side >= 0:
        for k in range(f.top):
            order = f.orders[k]
            if order.resting == 1 and order.ticks == ticks and order.side == side:
                _requeue(f, order, before, after)


@kernel
def _oldest(f: Record, side: int, ticks: int, after_id: int) -> int:
    """Slot of the oldest own order on `side` at `ticks` or nearer the market, younger than `after_id`; -1 if none."""
    found = -1
    for k in range(f.top):
        order = f.orders[k]
        if (
            order.resting == 1
            and order.side == side
            and (order.ticks - ticks) * side >= 0
            and order.id > after_id
            and (found < 0 or order.id < f.orders[found].id)
        ):
            found = k
    return found


@step
def reached(f: Record, side: int, ticks: int, now_ns: int) -> None:
    """The other side now displays `ticks`: own orders on `side` at or through it fill whole."""
    b = (1 - side) >> 1
    if (f.inner[b] - ticks) * side < 0:
        return
    k = _oldest(f, side, ticks, 0)
    while k >= 0:
        execute(f, k, f.orders[k].ticks, f.orders[k].left, 1, now_ns)
        k = _oldest(f, side, ticks, f.orders[k].id)


@step
def traded(f: Record, taker: int, ticks: int, steps: int, now_ns: int) -> None:
    """A recorded trade of `steps` at `ticks`, initiated by `taker` (1 buyer): fill own orders on the other side."""
    side = -taker
    b = (1 - side) >> 1
    if (f.inner[b] - ticks) * side < 0:
        return
    volume = float(steps)
    k = _oldest(f, side, ticks, 0)
    while k >= 0:
        order = f.orders[k]
        if order.ticks != ticks:
            execute(f, k, order.ticks, order.left, 1, now_ns)
        elif volume > 0.0:
            order.ahead -= volume
            order.traded += volume
            reach = int(np.rint(-order.ahead))
            order.ahead = max(order.ahead, 0.0)
            if reach > 0:
                filled = order.left if f.whole == 1 else min(reach, order.left)
                volume -= filled
                execute(f, k, ticks, filled, 1, now_ns)
        k = _oldest(f, side, ticks, order.id)


@kernel
def _take(f: Record, slot: int, now_ns: int) -> None:
    """Walk the other side's displayed levels up to the limit."""
    order = f.orders[slot]
    o = (1 + order.side) >> 1
    t = f.depth.best[o]
    levels = f.depth.levels[o]
    while order.left > 0 and levels > 0 and f.overrun == 0:
        if order.kind != MARKET and (t - order.ticks) * order.side > 0:
            return
        there = f.depth.sizes[o * WINDOW + (t & (WINDOW - 1))]
        if there > 0:
            levels -= 1
            execute(f, slot, t, order.left if f.whole == 1 else min(there, order.left), 0, now_ns)
        t += order.side


@step
def arrive(f: Record, slot: int, now_ns: int) -> None:
    """An own order reaches the venue: it takes, rests or expires."""
    order = f.orders[slot]
    o = (1 + order.side) >> 1
    order.arrived_ns = now_ns
    takes = f.depth.levels[o] > 0 and (f.depth.best[o] - order.ticks) * order.side <= 0
    if order.kind == MARKET or (takes and order.kind != POST_ONLY):
        _take(f, slot, now_ns)
        if order.left == 0:
            return
    if order.kind >= IMMEDIATE or (takes and order.kind == POST_ONLY):
        f.counts.expired += 1
        report(f, slot, order.id, EXPIRED, 0, now_ns)
        return
    order.resting = 1
    order.ahead = float(size_at(f.depth, order.side, order.ticks))
    order.joined = order.ahead
    order.traded = 0.0
    f.counts.accepted += 1
    f.counts.joined += order.joined
    refresh(f)
    report(f, slot, order.id, ACCEPTED, 0, now_ns)


@step
def withdraw(f: Record, slot: int, order_id: int, now_ns: int) -> None:
    """A cancel reaches the venue."""
    order = f.orders[slot]
    if order.id == order_id and order.resting == 1:
        order.resting = 0
        refresh(f)
        f.counts.cancelled += 1
        report(f, slot, order_id, CANCELLED, 0, now_ns)
    else:
        f.counts.too_late += 1
        report(f, slot, order_id, TOO_LATE, 0, now_ns)
