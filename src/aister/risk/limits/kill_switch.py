"""Kill switch and liquidation halt: a person said stop, or the venue closed a position by force.

Protects from: everything nobody thought of. Formula: closed while a kill is engaged, after a liquidation until a
person resumes, and while anything freezes entries (a lost stream, a foreign order, changed terms). Default: open.
Reductions pass, working stops stay. Source: RTS 6 art. 12; Q31 (a liquidation halts the trader); safety C5, C14, C18.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "kill_switch"


def cap(ask: Ask) -> CapLine:
    """Everything or nothing; `used` is 1 while it is closed."""
    closed = (
        bool(ask.state.killed or ask.state.frozen_for(ask.intent.symbol)) or "liquidation" in ask.state.conduct.halts
    )
    return ask.gate(NAME, not closed, float(closed), 1.0)


def why(ask: Ask, line: CapLine) -> str:
    """Who closed it."""
    if ask.state.killed or "liquidation" not in ask.state.conduct.halts:
        return ask.state.killed or "entries are frozen: " + "; ".join(ask.state.frozen_for(ask.intent.symbol))
    return f"{ask.state.conduct.halts['liquidation']}; a person has to resume trading"
