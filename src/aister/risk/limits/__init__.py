"""Every limit, one a file, all of the same shape, in the order in which they speak.

Gates first, sizes after: the first with the fewest steps is the binding one and gives the reason. The order is part of
the journal (each review lists all of them), so it is changed with care.
"""

from typing import Protocol

from aister.core.permission import CapLine
from aister.risk.ask import Ask
from aister.risk.limits import (
    absolute_caps,
    cooldown,
    cost_to_risk,
    daily_loss,
    drawdown,
    free_margin,
    gross_exposure,
    kelly,
    kill_switch,
    leverage,
    liquidation_distance,
    message_throttle,
    portfolio_heat,
    position_notional,
    price_collar,
    risk_per_trade,
    stale_data,
    stop_side,
    trade_rate,
    venue_filters,
    weekly_loss,
)

__all__ = ["LIMITS", "Limit"]


class Limit(Protocol):
    """One limit. `cap` says how many steps it would allow; `why` is its sentence when it refuses. One that refuses any
    size while a field of the `Situation` is unknown names it in `NEEDS`."""

    @property
    def NAME(self) -> str: ...
    def cap(self, ask: Ask) -> CapLine: ...
    def why(self, ask: Ask, line: CapLine) -> str: ...


LIMITS: tuple[Limit, ...] = (
    kill_switch,
    message_throttle,
    stale_data,
    drawdown,
    stop_side,
    venue_filters,
    price_collar,
    cooldown,
    trade_rate,
    cost_to_risk,
    risk_per_trade,
    kelly,
    portfolio_heat,
    daily_loss,
    weekly_loss,
    position_notional,
    gross_exposure,
    leverage,
    absolute_caps,
    free_margin,
    liquidation_distance,
)
