"""Trade rate: so many entries a UTC day.

Protects from: overtrading. Formula: entries sent today < 12; an entry counts when it is sent, filled or not. Default:
12 (6 / 24). Source: Q40.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "trade_rate"


def cap(ask: Ask) -> CapLine:
    """Everything or nothing."""
    sent = ask.state.conduct.trades_on(ask.situation.time_ms)
    return ask.gate(NAME, sent < ask.limits.trades_a_day, float(sent), float(ask.limits.trades_a_day))


def why(ask: Ask, line: CapLine) -> str:
    """How many there were."""
    return f"{line.used:.0f} entries were sent today, {line.bound:.0f} are allowed"
