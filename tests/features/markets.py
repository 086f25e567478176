"""Seeded bars and settlements as events."""

from aister.core.events import BarClosed, FundingSettled
from tests.kernels.walks import MINUTE_MS, START_MS, Bars, walk

HOUR_MS = 3_600_000
EIGHT_HOURS_MS = 8 * HOUR_MS


def events_of(bars: Bars, symbol: str, interval_ms: int = MINUTE_MS) -> list[BarClosed]:
    return [BarClosed(t + interval_ms, symbol, t, o, h, l, c, v) for t, o, h, l, c, v in bars.rows()]


def bars_of(count: int, seed: int = 1, symbol: str = "BTCUSDT", interval_ms: int = MINUTE_MS) -> list[BarClosed]:
    return events_of(walk(count, seed, interval_ms=interval_ms), symbol, interval_ms)


def funding_of(count: int, symbol: str = "BTCUSDT", rate_e8: int = 1_000) -> list[FundingSettled]:
    """Settlements every eight hours from the first bar's open on, each with a rate of its own."""
    return [FundingSettled(START_MS + i * EIGHT_HOURS_MS, symbol, rate_e8 + i, EIGHT_HOURS_MS) for i in range(count)]
