"""Daily loss: the worst case is counted before the order, not after the loss.

Protects from: a bad day becoming a disaster. Formula: loss since 00:00 UTC on unitised NAV + sum over positions, armed
plans and entries in flight of (distance to resident stop + slip) x size + the same of this order <= 2 % of the day's
opening equity; slip = max(3 x ATR(1m), 1 % majors, 3 % others) x price, correlation 1. Unknown ATR refuses. A profit
since the opening buys no risk. Default: 2 % (1 / 4). Source: Q24, Q23, Q40.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "daily_loss"
NEEDS = ("atr_1m_ticks",)


def cap(ask: Ask) -> CapLine:
    """What today's loss and the worst case of all others leave."""
    lost, opening = ask.state.nav.today(ask.situation.time_ms, ask.equity)
    taken = lost + ask.situation.worst_loss
    if ask.slip is None:
        return ask.line(NAME, 0, taken / opening if opening else 0.0, ask.limits.daily_e8 / 1e8)
    return ask.within(NAME, taken, ask.limits.daily_e8, opening, ask.distance + ask.slip)


def why(ask: Ask, line: CapLine) -> str:
    """What is lost and could be."""
    if ask.slip is None:
        return "the ATR of 1m is unavailable, so the worst case of a stop is unknown"
    return f"today's loss and the worst of what is open are {line.used:.2%}, the limit is {line.bound:.2%}"
