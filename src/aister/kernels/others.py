"""What one desk of an account is told of the others: what they hold and enter, and what their symbols may be worth."""

from aister.kernels import Record, rare, step
from aister.kernels.ledger import unrealised
from aister.kernels.position import rests
from aister.kernels.sizing import margin_reserved
from aister.kernels.state import State
from aister.kernels.trades import ENTRY

OPEN = 0
"""The first phase of a bar, its open."""


@rare
def _see(s: Record, other: Record, account: Record, same: int) -> None:
    """Add another desk, with `same` = 1 of the same symbol, to what this one's entries are sized on."""
    unit = other.book.unit
    held = other.book.position
    leverage = other.plan.leverage
    now = other.c if other.here == 1 else other.close_ticks
    gross = 0
    if held.steps != 0:
        s.others_worth += unrealised(held, account, unit, other.mark_ticks)
        gross += other.close_ticks * abs(held.steps) * unit
        s.others_margin += -(-abs(held.cost) // leverage)
        s.others_free += unrealised(held, account, unit, now) + abs(held.cost) // -leverage
    if other.entering == 1:
        notional = other.planned_ticks * other.entry_left * unit
        gross += notional
        s.others_margin += margin_reserved(notional, leverage, other.plan.taker_e8)
        entry = ENTRY
        if rests(other, entry):
            s.others_free -= other.reserve
    s.others_gross += gross
    s.same_gross += gross * same


@step
def see_others(desks: State, account: Record, mine: int, legs: int) -> None:
    """Tell a desk what the other desks of the account hold and enter."""
    s = desks[mine]
    s.others_worth = 0
    s.others_gross = 0
    s.others_margin = 0
    s.others_free = 0
    s.same_gross = 0
    for e in range(desks.size):
        if e != mine:
            _see(s, desks[e], account, 1 if e // legs == mine // legs else 0)


@rare
def left_at(s: Record, account: Record, stage: int, high: int) -> int:
    """The price of a symbol that leaves the account something: of its bar its open or, inside it, its low or high; its
    last close where it has no bar."""
    if s.here == 0:
        return int(s.close_ticks)
    if stage == OPEN:
        return int(s.o)
    return int(s.h) if high == 1 else int(s.l)
