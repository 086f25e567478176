"""Risk per trade: one stop costs a small, fixed part of equity.

Protects from: any single idea. Formula: steps = floor(equity x 0.5 % / (|entry - stop| x unit)). Default: 0.5 % (0.25
/ 1). Source: Q40.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "risk_per_trade"


def cap(ask: Ask) -> CapLine:
    """The size that loses the profile's risk at its stop; `used` is what the smallest order would risk."""
    least = ask.smallest * ask.distance * ask.instrument.unit
    used = least / ask.equity if ask.equity else 0.0
    return ask.line(NAME, ask.at_risk(ask.limits.risk_e8), used, ask.limits.risk_e8 / 1e8)


def why(ask: Ask, line: CapLine) -> str:
    """What the smallest order would risk."""
    return f"the smallest order risks {line.used:.2%} of equity, {line.bound:.2%} is allowed"
