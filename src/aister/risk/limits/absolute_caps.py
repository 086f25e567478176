"""Absolute caps: so much money and no more, whatever the equity is said to be.

Protects from: an equity figure that is wrong (balance x1000, units mixed up). Formula: order notional <= 50,000 and
notional of the symbol, armed and in flight included, + this order <= 100,000 quote units, fixed by the run's settings;
no equity, profile or agent raises them. Default: as said, in every profile. Source: C12; RTS 6 art. 15(1)(b).
"""

from aister.core.money import UNIT
from aister.core.permission import CapLine
from aister.risk.ask import Ask
from aister.risk.sizing import steps_within

NAME = "absolute_caps"


def cap(ask: Ask) -> CapLine:
    """The smaller of the two; `used` and `bound` are the symbol's notional in quote units."""
    taken = ask.situation.notional_of(ask.intent.symbol)
    left = min(ask.limits.max_order_notional, ask.limits.max_position_notional - taken)
    steps = steps_within(left, ask.entry * ask.instrument.unit)
    return ask.line(NAME, steps, taken / UNIT, ask.limits.max_position_notional / UNIT)


def why(ask: Ask, line: CapLine) -> str:
    """What is left of them."""
    order = ask.limits.max_order_notional / UNIT
    return f"{line.used:.0f} of at most {line.bound:.0f} are in the symbol, and an order may have {order:.0f}"
