"""Closed bars to look at: which series there are, and a stretch of one."""

from typing import Protocol

import msgspec

__all__ = ["Candle", "CandleSeries", "Candles"]


class Candle(msgspec.Struct, frozen=True):
    """One closed bar: open time (ms UTC), prices in quote per base, volume in base units."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class CandleSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol's bars of one interval. `origin` "sample" or "store"; `first_ms` and `last_ms` are open times;
    `missing` counts bars absent between them; `proxies` names what the data stand in for."""

    symbol: str
    interval: str
    interval_ms: int
    origin: str
    rows: int
    missing: int
    first_ms: int
    last_ms: int
    proxies: tuple[str, ...]


class Candles(Protocol):
    """Raises `DataError` when what is stored is damaged."""

    def series(self) -> tuple[CandleSeries, ...]:
        """By symbol and rising interval, each once."""
        ...

    def read(self, symbol: str, interval: str, start_ms: int, end_ms: int, limit: int) -> tuple[Candle, ...]:
        """The first `limit` bars with start_ms <= open time < end_ms; none for a series that is not there."""
        ...
