"""Cost to risk: a stop too near pays the venue, not the trader.

Protects from: trades whose costs eat their edge. Formula: expected round-trip cost / stop distance <= 0.15, both as
fractions of the entry price. Unknown cost refuses. Default: 0.15 (0.10 / 0.20). Source: Q30. Reward to risk is not
asked here: an intent carries no targets, the ballot judges expected value net of the same costs (Q16).
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "cost_to_risk"


def cap(ask: Ask) -> CapLine:
    """Everything or nothing."""
    cost = ask.situation.cost_e8
    open_ = cost is not None and ask.distance > 0 and cost * ask.entry <= ask.limits.cost_to_risk_e8 * ask.distance
    used = -1.0 if cost is None or ask.distance == 0 else cost * ask.entry / ask.distance / 1e8
    return ask.gate(NAME, open_, used, ask.limits.cost_to_risk_e8 / 1e8)


def why(ask: Ask, line: CapLine) -> str:
    """What share of the risk is cost."""
    if line.used < 0:
        return "the expected cost of the round trip is unknown"
    return f"costs are {line.used:.3f} of the stop distance, at most {line.bound:.2f} is allowed"
