"""Weekly loss: the same count since Monday.

Protects from: many bad days. Formula: as `daily_loss`, loss since Monday 00:00 UTC, bound 5 % of the week's opening
equity. Default: 5 % (3 / 8). Source: Q24, Q40.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "weekly_loss"
NEEDS = ("atr_1m_ticks",)


def cap(ask: Ask) -> CapLine:
    """What this week's loss and the worst case of all others leave."""
    lost, opening = ask.state.nav.this_week(ask.situation.time_ms, ask.equity)
    taken = lost + ask.situation.worst_loss
    if ask.slip is None:
        return ask.line(NAME, 0, taken / opening if opening else 0.0, ask.limits.weekly_e8 / 1e8)
    return ask.within(NAME, taken, ask.limits.weekly_e8, opening, ask.distance + ask.slip)


def why(ask: Ask, line: CapLine) -> str:
    """What is lost and could be."""
    if ask.slip is None:
        return "the ATR of 1m is unavailable, so the worst case of a stop is unknown"
    return f"this week's loss and the worst of what is open are {line.used:.2%}, the limit is {line.bound:.2%}"
