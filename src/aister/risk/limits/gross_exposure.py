"""Gross exposure: all positions together, long and short added.

Protects from: a market that moves as one. Formula: sum of notionals, armed and in flight included, + this order
<= 2 x equity. Default: 2x (1 / 3). Source: Q40.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "gross_exposure"


def cap(ask: Ask) -> CapLine:
    """What all other notional leaves."""
    return ask.within(NAME, ask.situation.gross, ask.limits.gross_e8, ask.equity, ask.entry)


def why(ask: Ask, line: CapLine) -> str:
    """What is open."""
    return f"gross exposure is {line.used:.2f}x equity, at most {line.bound:.2f}x is allowed with this order"
