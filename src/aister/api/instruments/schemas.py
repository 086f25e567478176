"""Instruments as told: prices, sizes, money and rates as decimal texts, exact."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from aister.core.instrument import Instrument
from aister.core.money import money_text

__all__ = ["BracketTold", "InstrumentTold", "instrument_told"]

_BRACKET: dict[str, Any] = {
    "floor": "0.00000000",
    "cap": "50000.00000000",
    "maintenance_rate": "0.00400000",
    "deduction": "0.00000000",
    "max_leverage": 125,
}


class BracketTold(BaseModel):
    """One maintenance-margin tier: margin = notional x maintenance_rate - deduction."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BRACKET]})

    floor: str
    cap: str
    maintenance_rate: str
    deduction: str
    max_leverage: int


class InstrumentTold(BaseModel):
    """A linear perpetual contract. `source` says where its figures come from; assumed ones say so."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "symbol": "BTCUSDT",
                    "base": "BTC",
                    "quote": "USDT",
                    "status": "TRADING",
                    "tick": "0.10000000",
                    "step": "0.00100000",
                    "min_size": "0.001",
                    "max_size": "1000.000",
                    "min_notional": "5.00000000",
                    "maker_fee": "0.00010000",
                    "taker_fee": "0.00035000",
                    "liquidation_fee": "0.01000000",
                    "funding_interval_ms": 28800000,
                    "brackets": [_BRACKET],
                    "source": "assumed (AsterDex form)",
                }
            ]
        }
    )

    symbol: str
    base: str
    quote: str
    status: str
    tick: str
    step: str
    min_size: str
    max_size: str
    min_notional: str
    maker_fee: str
    taker_fee: str
    liquidation_fee: str
    funding_interval_ms: int
    brackets: list[BracketTold]
    source: str


def instrument_told(one: Instrument) -> InstrumentTold:
    return InstrumentTold(
        symbol=one.symbol,
        base=one.base,
        quote=one.quote,
        status=one.status,
        tick=money_text(one.tick_e8),
        step=money_text(one.step_e8),
        min_size=one.size_text(one.min_steps),
        max_size=one.size_text(one.max_steps),
        min_notional=money_text(one.min_notional),
        maker_fee=money_text(one.maker_e8),
        taker_fee=money_text(one.taker_e8),
        liquidation_fee=money_text(one.liquidation_e8),
        funding_interval_ms=one.funding_interval_ms,
        brackets=[
            BracketTold(
                floor=money_text(tier.floor),
                cap=money_text(tier.cap),
                maintenance_rate=money_text(tier.maintenance_e8),
                deduction=money_text(tier.deduction),
                max_leverage=tier.max_leverage,
            )
            for tier in one.brackets
        ],
        source=one.source,
    )
