"""Kelly: never risk more than the strategy's own record supports.

Protects from: betting beyond the edge. Formula: while UNPROVEN (not certified, or under 100 effective outcomes) the
profile's risk x 0.25; once proven, profile fraction (0.20) x the lower bound of the growth-optimal fraction, 0 if
there is none, and positions and plans open at the same time share that one f. It is a cap: it never raises the risk
per trade. Default: fraction 0.20 (0.10 / 0.25). Source: Q1, Q17; see `risk.kelly`.
"""

from aister.core.money import RATE_ONE
from aister.core.permission import CapLine
from aister.risk.ask import Ask
from aister.risk.sizing import steps_within

NAME = "kelly"


def risk_e8(ask: Ask) -> int:
    """The fraction of equity the record supports, in 1e-8."""
    kelly, limits = ask.state.kelly, ask.limits
    if kelly.bound_e8 is None:
        return limits.risk_e8 * limits.unproven_e4 // 10_000
    return limits.kelly_e8 * kelly.bound_e8 // RATE_ONE


def cap(ask: Ask) -> CapLine:
    """The size that risks it; `used` is what is already at risk of the shared fraction."""
    fraction = risk_e8(ask)
    shared = ask.situation.stop_risk if ask.state.kelly.proven else 0
    steps = steps_within(ask.equity * fraction // RATE_ONE - shared, ask.distance * ask.instrument.unit)
    return ask.line(NAME, steps, shared / ask.equity if ask.equity else 0.0, fraction / RATE_ONE)


def why(ask: Ask, line: CapLine) -> str:
    """How proven the record is."""
    kelly = ask.state.kelly
    state = f"{'proven' if kelly.proven else 'UNPROVEN'} (effective n {kelly.effective_n:.0f})"
    return f"the record is {state} and supports {line.bound:.3%} of equity, {line.used:.3%} is used"
