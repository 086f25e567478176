"""Drawdown: the deeper the loss from the peak, the smaller the trade, and then none.

Protects from: a strategy that has stopped working. Formula: drawdown = 1 - NAV / peak NAV on unitised NAV. From 8 %
(Reducing) the risk per trade, or the Kelly cap where that is smaller, is halved; from 15 % (Halted) no entry until a
person resumes. Back to Active at 6 %. The peak is rebuilt from the journal when a run
resumes and is never re-based by resuming (see `nav`); a new run is a new account. Default: 8
/ 6 / 15 % (5 / 3.75 / 10; 12 / 9 / 20). Source: Q23, Q40.
"""

from aister.core.audit import Breaker
from aister.core.permission import CapLine
from aister.risk.ask import Ask
from aister.risk.limits.kelly import risk_e8

NAME = "drawdown"


def cap(ask: Ask) -> CapLine:
    """All, half the risk, or nothing, by the stage that the equity of now leads to."""
    nav, limits = ask.state.nav, ask.limits
    stage = nav.stage_at(ask.equity, limits)
    fraction = limits.halted_e8 if stage is not Breaker.ACTIVE else limits.reducing_e8
    steps = 0
    if stage is Breaker.ACTIVE:
        steps = ask.largest
    elif stage is Breaker.REDUCING:
        steps = ask.at_risk(min(limits.risk_e8, risk_e8(ask)) * limits.reducing_size_e4 // 10_000)
    return ask.line(NAME, steps, nav.drawdown(ask.equity), fraction / 1e8)


def why(ask: Ask, line: CapLine) -> str:
    """How deep, and what follows."""
    stage = ask.state.nav.stage_at(ask.equity, ask.limits)
    after = "a person has to resume trading"
    if stage is Breaker.REDUCING:
        after = "half the risk is less than the smallest order"
    return f"drawdown {line.used:.2%} from the peak: {stage.value}; {after}"
