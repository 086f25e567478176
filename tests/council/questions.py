"""Hand-made questions: a BTC long that pulled back in an up-trend on a London morning, and ways to change it."""

import re
from typing import Any

import msgspec

from aister.core.council import Question, Setup, Standing, Target
from aister.core.trade import OrderType, Side

TUESDAY_MS = 1_747_726_200_000  # 2025-05-20 07:30 UTC: 03:30 in New York, London open kill zone
HOUR_MS = 3_600_000

LONG = Setup(
    id="BTCUSDT-1747726200000-trend_pullback-long",
    symbol="BTCUSDT",
    rule="trend_pullback",
    timeframe="15m",
    time_ms=TUESDAY_MS,
    side=Side.BUY,
    entry_type=OrderType.MARKET,
    entry_ticks=1_050_000,
    stop_ticks=1_042_500,
    targets=(Target(1_061_250, 5_000), Target(1_072_500, 5_000)),
    horizon_ms=16 * HOUR_MS,
    evidence=(),
)

FEATURES = {
    "1m.atr_14": 60.0,
    "15m.open": 104_880.0,
    "15m.high": 105_050.0,
    "15m.low": 104_800.0,
    "15m.close": 105_000.0,
    "15m.volume": 400.0,
    "15m.ema_20": 105_050.0,
    "15m.ema_spread": 1.2,
    "15m.atr_14": 250.0,
    "15m.rsi_14": 56.0,
    "15m.adx_14": 31.0,
    "15m.plus_di_14": 28.0,
    "15m.minus_di_14": 14.0,
    "15m.macd_histogram": 30.0,
    "15m.bollinger_position": 0.55,
    "15m.vwap_distance": 1.5,
    "15m.volatility_96": 0.0015,
    "1h.bollinger_position": 0.85,
    "1h.ema_20_slope": 0.08,
    "1h.swing_high": 106_500.0,
    "1h.swing_high_before": 105_400.0,
    "1h.swing_low": 104_300.0,
    "1h.swing_low_before": 103_200.0,
    "1h.swing_position": 0.32,
    "1h.volume": 1_200.0,
    "1h.volatility_96": 0.0032,
    "4h.bollinger_position": 0.75,
    "session.kill_zone_london_open": 1.0,
    "session.kill_zone_new_york_open": 0.0,
    "session.london_is_open": 1.0,
    "session.new_york_is_open": 0.0,
    "session.new_york_minute": 210.0,
    "session.weekday": 1.0,
    "funding.rate": 0.00005,
    "funding.rate_8h": 0.00005,
    "funding.minutes_to_next": 30.0,
    "funding.minutes_since": 450.0,
}

ACCOUNT = {
    "open_risk": 0.0,
    "open_positions": 0.0,
    "same_side_positions": 0.0,
    "day_loss": 0.0,
    "drawdown": 0.0,
    "losses_in_row": 0.0,
    "gross_exposure": 0.0,
}


def question(
    setup: Setup = LONG,
    *,
    without: tuple[str, ...] = (),
    account: dict[str, float] | None = None,
    standings: tuple[Standing, ...] = (),
    cost_e8: int = 85_000,
    **features: float,
) -> Question:
    """The good long with changes; a feature's dot is written as a double underscore, its leading digit after an f."""
    changed = {re.sub(r"^f(?=\d)", "", name).replace("__", "."): value for name, value in features.items()}
    known = {name: value for name, value in {**FEATURES, **changed}.items() if name not in without}
    return Question(
        id=f"q:{setup.id}",
        time_ms=setup.time_ms,
        setup=setup,
        tick=0.1,
        price=105_000.0,
        features=known,
        unavailable=dict.fromkeys(without, "needs 7 more closed bars"),
        account={**ACCOUNT, **(account or {})},
        standings=standings,
        cost_e8=cost_e8,
    )


def of(setup: Setup = LONG, **changes: Any) -> Setup:
    """The setup with changes."""
    return msgspec.structs.replace(setup, **changes)
