"""Portfolio heat: what is lost if every stop is hit at once.

Protects from: many small risks that are one. Formula: sum of |mark - stop| x size over positions, plus |entry - stop|
x size over armed plans, entries in flight and this order <= 2 % of equity, correlation 1. A position without a
resident stop counts whole. Slip beyond the stop is counted by the loss of the day and week. Default: 2 % (1 / 4).
Source: Q24, Q40; C9.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "portfolio_heat"


def cap(ask: Ask) -> CapLine:
    """What the heat of all others leaves."""
    return ask.within(NAME, ask.situation.stop_risk, ask.limits.heat_e8, ask.equity, ask.distance)


def why(ask: Ask, line: CapLine) -> str:
    """How hot it is."""
    return f"open and reserved risk is {line.used:.2%} of equity, at most {line.bound:.2%} is allowed with this order"
