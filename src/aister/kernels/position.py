"""One symbol's trading by setups, as the event engine does it: entry, stop, targets, trailing, time stop, exits.

It decides nothing that a step does not decide: setups are given, sizes come from `sizing`, everything that fills goes
through `matching`. The rules are those of `aister.execution` and `aister.engine.trading`, which `tests/parity` holds
them to, trade for trade:

- at a close with a setup, nothing held, entering or armed: an entry, `delay_ms` later at the first close. Sized by
  equity x risk over the distance to the stop, within the cap on notional, leverage, margin and the venue's filters;
  none when the price is already at the stop. What has not filled `life_ms` later is withdrawn at a close.
- with the first fill: a closing stop; with the last: reduce-only targets, shares floored to steps, the last the rest.
  An order that would trigger at once is refused (as venues do), then the position is closed at market.
- at a close: held for `horizon_ms` since the first fill, or wanted gone by an exit: closed at market. After
  `break_even_after` targets, at decision closes and at closes after one of its orders filled, was replaced or refused:
  the stop to entry + cost, or `trail_share_e4` of the risk behind the best such close, whichever is nearer to profit
  of those not yet passed; never back.
- with a position, where the strategy would enter more: at market, its stop moved along (`closes.fire_more`).
- flat: what rests is cancelled. Setups meanwhile are ignored."""

import numpy as np

from aister.kernels import Record, rare, step
from aister.kernels.book import (
    BOOK,
    MARKET,
    STOP_MARKET,
    TAKE_PROFIT_MARKET,
    place,
    withdraw,
)
from aister.kernels.signals import SETUP
from aister.kernels.trades import CLOSE, ENTRY, EXIT, FILL, STOP, TARGET, TIME, TRADE

NEVER_MS = 1 << 62
MAX_FILLS = 64
MAX_ACKS = 32
NEXT_TARGET = 10
"""Targets go by the numbers TARGET, TARGET + 10, TARGET + 20, those of the n-th further entry by 30 n more; every
number's last digit is its reason."""

PLAN = np.dtype(
    [
        *(("risk_e8", "i8"), ("cap_e8", "i8"), ("leverage", "i8"), ("granted", "i8"), ("taker_e8", "i8")),
        *(("min_steps", "i8"), ("max_steps", "i8"), ("market_max_steps", "i8"), ("min_notional", "i8")),
        *(("min_ticks", "i8"), ("max_ticks", "i8"), ("band_up_e8", "i8"), ("band_down_e8", "i8")),
        *(("wait", "i8"), ("ack", "i8"), ("delay_ms", "i8"), ("cost_e8", "i8"), ("interval_ms", "i8")),
        *(("break_even_after", "i8"), ("trail_share_e4", "i8")),
        *(("first_e4", "i8"), ("adds", "i8"), ("add_e4", "i8"), ("beyond_risk", "i8")),
    ],
    align=True,
)
"""risk_e8: of equity, lost at the stop; cap_e8: notional at most, of equity; granted: notional below which the venue
grants the leverage; taker_e8 ... band_down_e8: the instrument's own; wait: opens that pass before an order arrives,
ack: before its acceptance is known; delay_ms: between a decision and its order; cost_e8: expected round trip, for
break-even; interval_ms: of a bar. Scaling in: first_e4, the part of its size that the first entry takes; adds, further
entries at most, each of add_e4 of risk_e8; beyond_risk: 1 if together they may lose more at the stop than risk_e8."""

DESK = np.dtype(
    [
        *(("book", BOOK), ("plan", PLAN), ("setup", SETUP), ("trades", TRADE, (4,)), ("symbol", "i8")),
        *(("done", "i8"), ("finished", "i8"), ("keep", "i8"), ("fill_count", "i8"), ("fills", FILL, (MAX_FILLS,))),
        *(("armed", "i8"), ("fires_ms", "i8"), ("row", "i8")),
        *(("entering", "i8"), ("entry_left", "i8"), ("entry_ends_ms", "i8"), ("planned_ticks", "i8")),
        *(("open", "i8"), ("held", "i8"), ("stop_ticks", "i8"), ("risk_ticks", "i8"), ("cost_ticks", "i8")),
        *(("deadline_ms", "i8"), ("leave_ms", "i8"), ("best_ticks", "i8"), ("hit", "i8"), ("moves", "i8")),
        *(("cause", "i8"), ("asked", "i8"), ("gone", "i8"), ("refused", "i8")),
        *(("mark_ticks", "i8"), ("close_ticks", "i8"), ("others_worth", "i8"), ("others_gross", "i8")),
        *(("others_margin", "i8"), ("others_free", "i8"), ("same_gross", "i8")),
        *(("ambiguous", "i8"), ("target_first", "i8"), ("bar", "i8"), ("stops", "i8")),
        *(("acks", "i8"), ("ack_at", "i8", (MAX_ACKS,)), ("ack_id", "i8", (MAX_ACKS,))),
        *(("wants", "i8"), ("wants_ms", "i8"), ("wants_stop", "i8"), ("added", "i8"), ("adding", "i8")),
        *(("add_steps", "i8"), ("reached", "i8"), ("mean_ticks", "i8"), ("reserve", "i8")),
        *(("here", "i8"), ("o", "i8"), ("h", "i8"), ("l", "i8"), ("c", "i8")),
    ],
    align=True,
)
"""setup: the one armed or entered, row its number. trades: the one at hand, then those that finished in this bar, done
of them; finished: in all. keep: 1 = fills of the bar are noted in fills. armed: 1 = its order goes out at the first
close from fires_ms on. entering: 1 while an entry may fill, entry_left steps of it until entry_ends_ms; planned_ticks:
the price its size was counted on. open: 1 from the first fill to flat; held: signed steps as reported so far. hit:
targets filled whole. moves: 1 = its stop is looked at again at the next close. cause: why the next close is sent;
asked, gone, refused: within a pass, a close was sent, an entry was withdrawn, the venue refused an order. mark_ticks:
newest price of fill or close, close_ticks: of the newest close. Of the account's other desks, when an entry may be
sent: others_worth, what is unrealised at their newest marks; others_gross, notional they hold and are entering;
others_margin, held and reserved by them; others_free, what they add to the venue's free margin; same_gross, the part of
others_gross in the same symbol. ambiguous, target_first: of the book when the trade began. bar: number of the bar at
hand; stops: how often the stop has moved; acks: moved stops whose acceptance is not known yet, by bar and number.

wants: 1 = more is entered at the first close from wants_ms on, the stop then goes to wants_stop (0: stays); added: how
often that was sent; adding: 1 while the entry on its way is such a one, add_steps of it filled. reached: the farthest
target that has begun to fill, 0 = none. mean_ticks: entry price for break-even, the mean of all entries. reserve:
initial margin the venue keeps for the entry on its way. With several desks: here, 1 if it has a bar at this time, and
that bar's o, h, l, c."""


@step
def free(s: Record) -> bool:
    """Whether a new setup may be taken."""
    return s.open == 0 and s.entering == 0 and s.armed == 0 and s.book.order_count == 0


@step
def wakes_ms(s: Record) -> int:
    """The first close time at which something is due whatever the price, NEVER_MS if nothing is."""
    when = NEVER_MS
    if s.armed == 1:
        when = min(when, s.fires_ms)
    if s.entering == 1:
        when = min(when, s.entry_ends_ms)
    if s.open == 1:
        when = min(when, s.deadline_ms, s.leave_ms)
        if s.wants == 1:
            when = min(when, s.wants_ms)
        if s.moves == 1 or s.acks > 0:
            when = 0
    return when


@step
def trails(s: Record) -> bool:
    """Whether decision closes matter: the stop may move at one, or the trail will count from the best of them."""
    if s.open == 0:
        return False
    after = s.plan.break_even_after
    return s.hit >= after or (s.plan.trail_share_e4 > 0 and s.setup.targets > after)


@step
def quiet(s: Record, now_ms: int, h: int, l: int, decides: int) -> bool:
    """Whether nothing can happen in a bar of this range that closes at `now_ms`, funding and wanted exits aside."""
    if s.book.due != 0 or (decides == 1 and trails(s)) or wakes_ms(s) <= now_ms:
        return False
    return l > s.book.watch_low and h < s.book.watch_high


# orders


@rare
def rests(s: Record, number: int) -> bool:
    """Whether an order of this number, or reason, is on the book."""
    found = False
    for i in range(s.book.order_count):
        found = found or s.book.orders[i].id % NEXT_TARGET == number
    return found


@rare
def closes(s: Record) -> bool:
    """Whether a close is on its way."""
    return s.asked == 1 or rests(s, CLOSE) or rests(s, TIME) or rests(s, EXIT)


@rare
def send_stop(s: Record, last: int) -> None:
    """Send the closing stop, the newest by number; refused when it would trigger at once."""
    side = s.trades[0].side
    if (last - s.stop_ticks) * side > 0:
        number = STOP + NEXT_TARGET * s.stops
        place(s.book, number, STOP_MARKET, -side, 0, 0, s.stop_ticks, 0, 1, s.plan.wait)
    else:
        s.refused = 1


@rare
def aim(s: Record, last: int) -> None:
    """Send the targets of what is held, or of what a further entry has added: those are the ones still ahead."""
    side = s.trades[0].side
    held = abs(s.held)
    if s.adding == 1:
        held = min(held, s.add_steps)
    left = held
    for i in range(s.setup.targets):
        at = s.setup.target_ticks[i]
        if s.adding == 1 and s.reached > 0 and (at - s.reached) * side <= 0:
            continue
        part = left if i == s.setup.targets - 1 else min(left, held * s.setup.share_e4[i] // 10_000)
        left -= part
        if part > 0:
            fits = s.plan.min_steps <= part <= s.plan.market_max_steps
            if fits and (at - last) * side > 0:
                number = TARGET + NEXT_TARGET * (i + 3 * s.added * s.adding)
                place(s.book, number, TAKE_PROFIT_MARKET, -side, part, 0, at, 1, 0, s.plan.wait)
            else:
                s.refused = 1
    s.adding = 0


@rare
def close_out(s: Record) -> None:
    """Close what is held at market, for the reason in `cause`, unless a close is already on its way; what still enters
    is withdrawn."""
    if s.held == 0 or closes(s):
        return
    entry = ENTRY
    if withdraw(s.book, entry) == 1:
        s.gone = 1
    s.asked = 1
    steps = abs(s.held)
    if s.plan.min_steps <= steps <= s.plan.market_max_steps:
        place(s.book, s.cause, MARKET, -1 if s.held > 0 else 1, steps, 0, 0, 1, 0, s.plan.wait)
    else:
        s.moves = 1


@rare
def answer(s: Record, last: int) -> None:
    """What the venue's answers of this pass lead to: targets of an entry that ended early, a close where it refused."""
    if s.gone == 1:
        s.gone = 0
        s.entering = 0
        if s.open == 1:
            s.moves = 1
            if not closes(s):
                aim(s, last)
    if s.refused == 1 and s.open == 1:
        s.moves = 1
        s.cause = CLOSE
        close_out(s)
        if s.gone == 1:
            s.gone = 0
            s.entering = 0
    s.refused = 0
    s.asked = 0
