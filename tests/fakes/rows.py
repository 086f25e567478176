"""Trades of a batch run, daily equity and markets made by hand, for what is computed from them."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.daily import DAY_MS, DailyEquity
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.kernels.trades import TIME, TRADE
from aister.ports.market import Market, Series

START_DAY = 20_089  # 2025-01-01, a Wednesday
START_MS = START_DAY * DAY_MS
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
CAPITAL = 10_000 * UNIT

Floats = npt.NDArray[np.float64]


def trades(count: int, **columns: Any) -> npt.NDArray[np.void]:
    """`count` longs of one hour, an hour apart, that cost and made nothing; with these columns. Amounts in money
    units."""
    rows = np.zeros(count, TRADE)
    rows["entry_ms"] = START_MS + 2 * HOUR_MS * np.arange(count)
    rows["exit_ms"] = rows["entry_ms"] + HOUR_MS
    rows["side"], rows["steps"], rows["reason"] = 1, 10, TIME
    rows["entry_cost"] = rows["exit_value"] = 1_000 * UNIT
    rows["risk"] = 10 * UNIT
    for name, values in columns.items():
        rows[name] = values
    if "target_first" not in columns:
        rows["target_first"] = rows["pnl"]
    return rows


def equity(returns: npt.ArrayLike, capital: int = CAPITAL, **fields: Any) -> DailyEquity:
    """An account that made these daily returns on its capital, from midnight to midnight."""
    gained = np.rint(np.asarray(returns, float) * capital).astype(np.int64)
    marks = capital + np.concatenate([[0], np.cumsum(gained)]).astype(np.int64)
    made = DailyEquity(
        span_ms=(START_MS, START_MS + len(gained) * DAY_MS),
        capital=capital,
        final=int(marks[-1]),
        first_day=START_DAY,
        marks=marks,
    )
    return msgspec.structs.replace(made, **fields)


def instrument(symbol: str = "BTCUSDT") -> Instrument:
    """Ticks of 0.1, steps of 0.001, taker fee 3.5 bp."""
    return Instrument(
        symbol=symbol, base=symbol[:3], quote="USDT", status="TRADING", tick_e8=10_000_000, step_e8=100_000,
        unit=10_000, min_ticks=1, max_ticks=10**9, min_steps=1, max_steps=10**9, market_max_steps=10**9,
        min_notional=0, band_up_e8=2 * UNIT, band_down_e8=0, max_orders=200, maker_e8=10_000, taker_e8=35_000,
        liquidation_e8=100_000, funding_interval_ms=8 * HOUR_MS, brackets=(), source="assumed (AsterDex form)",
    )  # fmt: skip


def series(close: Floats, symbol: str = "BTCUSDT", interval_ms: int = MINUTE_MS, **fields: Any) -> Series:
    """Bars that open at the close before and reach no further than open and close, from the first minute of 2025."""
    opened = np.concatenate([close[:1], close[:-1]])
    made = Series(
        instrument=instrument(symbol),
        interval_ms=interval_ms,
        open_ms=START_MS + interval_ms * np.arange(len(close), dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=np.ones(len(close)),
        funding_ms=np.empty(0, np.int64),
        funding_e8=np.empty(0, np.int64),
    )
    return msgspec.structs.replace(made, **fields)


def market(*made: Series) -> Market:
    return Market(made, (int(made[0].open_ms[0]), int(made[0].open_ms[-1]) + made[0].interval_ms), "hash")
