"""Leverage: what the account owes, and what the venue lends at that size.

Protects from: borrowed losses, and a size at which the venue no longer grants the leverage set. Formula: sum of
notionals + this order <= leverage x equity; notional of the symbol + this order below the cap of the last maintenance
bracket that still grants the leverage. Default: 3 (2 / 5), isolated. Source: Q40; leverageBracket.
"""

from aister.core.money import RATE_ONE
from aister.core.permission import CapLine
from aister.risk.ask import Ask
from aister.risk.sizing import steps_within

NAME = "leverage"


def cap(ask: Ask) -> CapLine:
    """The smaller of what the account and the bracket leave."""
    account = ask.within(NAME, ask.situation.gross, ask.limits.leverage * RATE_ONE, ask.equity, ask.entry)
    steps = steps_within(_granted(ask), ask.entry * ask.instrument.unit)
    return CapLine(NAME, min(account.steps, steps), account.used, account.bound)


def why(ask: Ask, line: CapLine) -> str:
    """What binds."""
    if _granted(ask) < ask.smallest * ask.entry * ask.instrument.unit:
        return f"the venue's brackets do not grant {ask.limits.leverage}x at this size"
    return f"the account is at {line.used:.2f}x, at most {line.bound:.0f}x is allowed with this order"


def _granted(ask: Ask) -> int:
    """Notional left in the brackets that grant the leverage."""
    caps = [bracket.cap for bracket in ask.instrument.brackets if bracket.max_leverage >= ask.limits.leverage]
    return max(caps, default=0) - 1 - ask.situation.notional_of(ask.intent.symbol)
