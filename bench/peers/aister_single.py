"""This engine, one run: columns, signals, the account under the whole fill model, figures."""

from typing import Any

from aister.bench.backtest import ran
from aister.bench.data import BENCH_INSTRUMENT, MINUTE_MS
from aister.core.money import UNIT
from aister.ports.market import Market, Series
from bench.peers.shared import measured

COLUMNS = ("open_ms", "open", "high", "low", "close", "volume", "funding_ms", "funding_e8")


def series_of(bars: dict[str, Any]) -> Series:
    """The file's bars as a series of the bench's instrument."""
    return Series(BENCH_INSTRUMENT, MINUTE_MS, *(bars[name] for name in COLUMNS))


def market_of(bars: dict[str, Any]) -> Market:
    """The same as a market of one symbol."""
    series = series_of(bars)
    span_ms = (int(series.open_ms[0]), int(series.open_ms[-1]) + MINUTE_MS)
    return Market((series,), span_ms, "bench", ("synthetic",))


def run(bars: dict[str, Any]) -> dict[str, Any]:
    simulated, _ = ran(series_of(bars))
    return {"trades": len(simulated.trades), "final": simulated.wallet / UNIT}


if __name__ == "__main__":
    measured("aister", "the full fill model, impact included, daily equity, figures and every trade", run, repeats=7)
