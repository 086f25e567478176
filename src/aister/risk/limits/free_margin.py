"""Free margin: the order can be paid for, fee included, with everything reserved already paid.

Protects from: rejected orders and plans that need the same money. Formula: notional / leverage + taker fee of this
order <= wallet - margin of positions - margin of armed plans and entries in flight. Unknown refuses. Default: no
buffer beyond. Source: product 4; Q25.
"""

from aister.core.money import RATE_ONE, UNIT
from aister.core.permission import CapLine
from aister.risk.ask import Ask
from aister.risk.sizing import steps_within

NAME = "free_margin"


def cap(ask: Ask) -> CapLine:
    """What the free margin pays for; figures in quote units, -1 = unknown."""
    free = ask.situation.free_margin
    taken = sum(reserved.margin for reserved in ask.situation.reserved)
    if free is None:
        return ask.line(NAME, 0, taken / UNIT, -1.0)
    lever, fee = ask.limits.leverage, ask.instrument.taker_e8
    steps = steps_within((free - taken) * lever * RATE_ONE, ask.entry * ask.instrument.unit * (RATE_ONE + lever * fee))
    return ask.line(NAME, steps, taken / UNIT, free / UNIT)


def why(ask: Ask, line: CapLine) -> str:
    """What there is."""
    if line.bound < 0:
        return "the free margin is unknown; wait for the account"
    return f"{line.used:.2f} of {line.bound:.2f} free margin are reserved; the rest is less than the smallest order"
