"""Profiles as told: fractions and money as decimal texts, exact."""

from pydantic import BaseModel, ConfigDict

from aister.core.money import money_text
from aister.risk.profile import Limits

__all__ = ["ProfileTold", "profile_told"]

_FRACTIONS = ("risk", "heat", "daily", "weekly", "reducing", "recovered", "halted", "gross", "symbol", "cost_to_risk")


class ProfileTold(BaseModel):
    """Bounds of one profile. As fractions of equity: `risk` of one trade, `heat` all open risk, `daily` and `weekly`
    loss, `reducing`, `recovered` and `halted` drawdown at which sizes shrink, are whole again, and trading stops,
    `gross` and `symbol` exposure. `cost_to_risk`: costs as a fraction of a trade's risk. `hash` covers every bound."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "balanced",
                    "hash": "5f0c",
                    "leverage": 3,
                    **dict.fromkeys(_FRACTIONS, "0.02000000"),
                    "max_order_notional": "50000.00000000",
                    "max_position_notional": "100000.00000000",
                    "trades_a_day": 12,
                    "losses_in_row": 4,
                    "losses_pause_ms": 43200000,
                    "stop_pause_ms": 1800000,
                }
            ]
        }
    )

    name: str
    hash: str
    leverage: int
    risk: str
    heat: str
    daily: str
    weekly: str
    reducing: str
    recovered: str
    halted: str
    gross: str
    symbol: str
    cost_to_risk: str
    max_order_notional: str
    max_position_notional: str
    trades_a_day: int
    losses_in_row: int
    losses_pause_ms: int
    stop_pause_ms: int


def profile_told(limits: Limits) -> ProfileTold:
    fractions = {name: money_text(getattr(limits, f"{name}_e8")) for name in _FRACTIONS}
    return ProfileTold(
        name=limits.name,
        hash=limits.hash,
        leverage=limits.leverage,
        max_order_notional=money_text(limits.max_order_notional),
        max_position_notional=money_text(limits.max_position_notional),
        trades_a_day=limits.trades_a_day,
        losses_in_row=limits.losses_in_row,
        losses_pause_ms=limits.losses_pause_ms,
        stop_pause_ms=limits.stop_pause_ms,
        **fractions,
    )
