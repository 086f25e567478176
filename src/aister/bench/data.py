"""Seeded one-minute bars for benches: the same on every machine, in any length, a shorter span the start of a longer
one."""

import math

import numpy as np
import numpy.typing as npt

from aister.core.errors import UsageError
from aister.core.instrument import Bracket, Instrument
from aister.ports.market import Market, Series

__all__ = ["BENCH_INSTRUMENT", "MINUTE_MS", "SPANS", "seeded_market", "seeded_series"]

MINUTE_MS = 60_000
DAY_BARS = 1_440
SUB_STEPS = 12
START_MS = 1_735_689_600_000
"""2025-01-01 00:00 UTC."""

SPANS = {"1 month": 43_200, "1 year": 525_600, "5 years": 2_628_000}
"""Bars of the spans that benches speak of."""

FUNDING_MS, FUNDING_E8 = 8 * 3_600_000, 10_000
_YEAR_MINUTES = 365 * DAY_BARS
_VOLATILITY, _DRIFT_OF_HOUR, _SHOCK = 0.60, 0.97, 0.12

Floats = npt.NDArray[np.float64]

BENCH_INSTRUMENT = Instrument(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    status="TRADING",
    tick_e8=1_000_000,
    step_e8=100_000,
    unit=1_000,
    min_ticks=1,
    max_ticks=1_000_000_000,
    min_steps=1,
    max_steps=1_000_000,
    market_max_steps=120_000,
    min_notional=500_000_000,
    band_up_e8=105_000_000,
    band_down_e8=95_000_000,
    max_orders=200,
    maker_e8=10_000,
    taker_e8=35_000,
    liquidation_e8=1_250_000,
    funding_interval_ms=FUNDING_MS,
    brackets=(
        Bracket(0, 5_000_000_000_000, 400_000, 0, 125),
        Bracket(5_000_000_000_000, 25_000_000_000_000, 500_000, 5_000_000_000, 100),
        Bracket(25_000_000_000_000, 100_000_000_000_000, 1_000_000, 130_000_000_000, 50),
        Bracket(100_000_000_000_000, 1_000_000_000_000_000, 2_500_000, 1_630_000_000_000, 20),
        Bracket(1_000_000_000_000_000, 100_000_000_000_000_000, 5_000_000, 26_630_000_000_000, 10),
    ),
    source="made up for benches",
)


def seeded_series(bars: int, seed: int = 1) -> Series:
    """`bars` one-minute bars of a driftless geometric random walk, synthetic and said so wherever it is shown.

    60 % volatility a year; log volatility follows an AR(1) by the hour (0.97, shocks of 0.12) and a season of +/- 35 %
    over the day; 12 sub-steps a bar give its range; prices on a grid of 0.01, volumes on one of 0.001 around 20 units.
    Funding: 1 bp every 8 hours. Raises `UsageError` for fewer than 1 bar.
    """
    if bars < 1:
        raise UsageError(f"{bars} bars are none; ask for 1 or more.")
    days = -(-bars // DAY_BARS)
    prices, volumes = np.empty((days * DAY_BARS, 4)), np.empty(days * DAY_BARS)
    random, level, logvol = np.random.default_rng(seed), math.log(50_000.0), 0.0
    season = 1.0 + 0.35 * np.sin(np.arange(DAY_BARS) * (2.0 * math.pi / DAY_BARS) - math.pi / 2)
    base = _VOLATILITY / math.sqrt(_YEAR_MINUTES * SUB_STEPS)
    for day in range(days):
        hours = np.empty(24)
        for hour, shock in enumerate(random.standard_normal(24)):
            logvol = _DRIFT_OF_HOUR * logvol + _SHOCK * float(shock)
            hours[hour] = logvol
        swing = season * np.exp(np.repeat(hours, 60) - 0.5 * _SHOCK**2 / (1 - _DRIFT_OF_HOUR**2))
        moves = random.standard_normal((DAY_BARS, SUB_STEPS)) * (base * swing)[:, None]
        moves -= 0.5 * (base * swing)[:, None] ** 2
        path = level + np.cumsum(moves.ravel()).reshape(DAY_BARS, SUB_STEPS)
        opens = np.concatenate(([level], path[:-1, -1]))
        rows = slice(day * DAY_BARS, (day + 1) * DAY_BARS)
        prices[rows, 0], prices[rows, 3] = opens, path[:, -1]
        prices[rows, 1] = np.maximum(opens, path.max(axis=1))
        prices[rows, 2] = np.minimum(opens, path.min(axis=1))
        volumes[rows] = 20.0 * swing * np.exp(0.7 * random.standard_normal(DAY_BARS))
        level = float(path[-1, -1])
    ticks = np.rint(np.exp(prices[:bars]) * 100.0)
    opened, high, low, close = (np.ascontiguousarray(ticks[:, i]) / 100.0 for i in range(4))
    open_ms = START_MS + np.arange(bars, dtype=np.int64) * MINUTE_MS
    funding_ms = np.arange(START_MS + FUNDING_MS, START_MS + bars * MINUTE_MS, FUNDING_MS, dtype=np.int64)
    return Series(
        BENCH_INSTRUMENT,
        MINUTE_MS,
        open_ms,
        opened,
        high,
        low,
        close,
        np.rint(volumes[:bars] * 1_000.0) / 1_000.0,
        funding_ms,
        np.full(funding_ms.size, FUNDING_E8, dtype=np.int64),
    )


def seeded_market(bars: int, seed: int = 1) -> Market:
    """The same as a `Market` of one symbol."""
    series = seeded_series(bars, seed)
    span = (int(series.open_ms[0]), int(series.open_ms[-1]) + MINUTE_MS)
    return Market((series,), span, f"seeded-{seed}-{bars}", ("synthetic",))
