"""A small world for the limits: one major contract in round numbers, an account that nothing speaks against."""

from typing import Any

import msgspec

from aister.core.audit import TradeClosed
from aister.core.instrument import Bracket, Instrument
from aister.core.money import money, rate
from aister.core.permission import Intent
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.risk.kernel import RiskKernel
from aister.risk.profile import Limits
from aister.risk.situation import Exposure, Reserved, Situation

HOUR = 3_600_000
DAY = 24 * HOUR
MONDAY = 19_723 * DAY + 0  # 2024-01-01 00:00 UTC, a Monday
NOON = MONDAY + 12 * HOUR
KEY = b"a key for tests"
PRICE = 1_000_000  # ticks of 0.1: 100,000 USDT; one step of 0.001 BTC is 100 USDT
STOP = 994_000  # 60 bp: one step loses 0.6 USDT at it, and 1.6 with the least slip of a major

BTC = Instrument(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    status="TRADING",
    tick_e8=rate("0.1"),
    step_e8=rate("0.001"),
    unit=10_000,
    min_ticks=1,
    max_ticks=100_000_000,
    min_steps=1,
    max_steps=1_000_000,
    market_max_steps=120_000,
    min_notional=money(5),
    band_up_e8=rate("1.05"),
    band_down_e8=rate("0.95"),
    max_orders=200,
    maker_e8=rate("0.0001"),
    taker_e8=rate("0.00035"),
    liquidation_e8=rate("0.0125"),
    funding_interval_ms=8 * HOUR,
    brackets=(
        Bracket(0, money(50_000), rate("0.004"), 0, 125),
        Bracket(money(50_000), money(250_000), rate("0.005"), money(50), 100),
        Bracket(money(250_000), money(1_000_000), rate("0.01"), money(1_300), 50),
        Bracket(money(1_000_000), money(20_000_000), rate("0.125"), money(116_300), 2),
    ),
    source="assumed (test)",
)
ALT = msgspec.structs.replace(BTC, symbol="ALTUSDT", base="ALT")


def entry(**changes: Any) -> Intent:
    """Buy at market on the reference price, as much as risk allows, stopped 60 bp below."""
    intent = Intent(
        "i-1", "BTCUSDT", Purpose.ENTRY, Side.BUY, OrderType.MARKET, 0, PRICE, 0, STOP, 10_000, False, False
    )
    return msgspec.structs.replace(intent, **changes)


def quiet(**changes: Any) -> Situation:
    """10,000 USDT, nothing open, everything known and fresh, a round trip that costs 8 bp."""
    situation = Situation(
        time_ms=NOON,
        equity=money(10_000),
        free_margin=money(10_000),
        mark_ticks=PRICE,
        bar_interval_ms=60_000,
        bar_age_ms=0,
        account_age_ms=0,
        confirmed_steps=0,
        atr_1m_ticks=500,
        atr_1h_ticks=4_000,
        cost_e8=rate("0.0008"),
        half_spread_ticks=50,
    )
    return msgspec.structs.replace(situation, **changes)


def kernel(limits: Limits | None = None, **options: Any) -> RiskKernel:
    """A kernel over both contracts."""
    return RiskKernel(limits or Limits(), {"BTCUSDT": BTC, "ALTUSDT": ALT}, KEY, "owner", "trader", **options)


def held(symbol: str = "ALTUSDT", steps: int = 1, **figures: int) -> Exposure:
    """A protected position with only the figures given."""
    zeros = {"notional": 0, "stop_risk": 0, "slip": 0, "margin": 0}
    return Exposure(symbol=symbol, steps=steps, protected=True, **(zeros | figures))


def planned(symbol: str = "ALTUSDT", side: Side = Side.BUY, **figures: int) -> Reserved:
    """A plan or working entry with only the figures given."""
    zeros = {"notional": 0, "stop_risk": 0, "slip": 0, "margin": 0}
    return Reserved(symbol=symbol, side=side, **(zeros | figures))


def order(purpose: Purpose = Purpose.ENTRY, symbol: str = "BTCUSDT", side: Side = Side.BUY) -> Order:
    """An order as the throttle sees it."""
    return Order("c-1", "i-1", symbol, side, OrderType.MARKET, purpose, 1, 0, 0, purpose is not Purpose.ENTRY, False)


def closed(pnl: int, time_ms: int = NOON, **changes: Any) -> TradeClosed:
    """A trade of half an hour that ended now with this net result; it risked 10 USDT."""
    trade = TradeClosed(
        setup_id="s",
        symbol="BTCUSDT",
        side=Side.BUY,
        opened_ms=time_ms - HOUR // 2,
        closed_ms=time_ms,
        steps=1,
        entry_cost=0,
        exit_value=0,
        fees=0,
        funding=0,
        pnl=pnl,
        initial_risk=money(10),
        reason="target",
    )
    return msgspec.structs.replace(trade, **changes)


def granted(one: RiskKernel, intent: Intent, **situation: Any) -> int:
    """The size risk grants in a quiet situation."""
    return one.review(intent, quiet(**situation))[1].granted_steps
