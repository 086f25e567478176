"""Position notional: no symbol carries more than its share, and no entry goes against what is held.

Protects from: concentration, and netting a position by accident. Formula: notional of the symbol, armed and in flight
included, + this order <= 1 x equity; 0 while the opposite side is held or in flight (one-way mode, one owner; hedged,
the other side is a leg of its own and counts towards the share).
Default: 1x (0.5 / 1.5). Source: Q22, Q40.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "position_notional"


def cap(ask: Ask) -> CapLine:
    """What the symbol's own notional leaves."""
    taken = ask.situation.notional_of(ask.intent.symbol)
    line = ask.within(NAME, taken, ask.limits.symbol_e8, ask.equity, ask.entry)
    return CapLine(NAME, 0, line.used, line.bound) if _opposed(ask) else line


def why(ask: Ask, line: CapLine) -> str:
    """What is held already."""
    if _opposed(ask):
        return f"{ask.intent.symbol} is held or being entered on the other side; close that first"
    return f"{ask.intent.symbol} carries {line.used:.2f}x equity, at most {line.bound:.2f}x is allowed with this order"


def _opposed(ask: Ask) -> bool:
    symbol, side = ask.intent.symbol, ask.intent.side
    if ask.intent.leg:
        return False
    held = any(x.symbol == symbol and x.steps * side < 0 for x in ask.situation.positions)
    return held or any(x.symbol == symbol and x.side != side for x in ask.situation.reserved)
