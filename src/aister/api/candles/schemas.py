"""Series of bars as listed, bars as read."""

from pydantic import BaseModel, ConfigDict

from aister.api.frame.paging import Page

__all__ = ["CandlePage", "CandleTold", "SeriesListed"]


class SeriesListed(BaseModel):
    """`origin`: the packaged "sample" or the own "store". `first_ms`, `last_ms`: open times. `missing`: bars absent in
    between. `proxies`: what the data stand in for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "symbol": "BTCUSDT",
                    "interval": "1m",
                    "interval_ms": 60000,
                    "origin": "sample",
                    "rows": 41760,
                    "missing": 0,
                    "first_ms": 1746403200000,
                    "last_ms": 1748908740000,
                    "proxies": ["binance"],
                }
            ]
        }
    )

    symbol: str
    interval: str
    interval_ms: int
    origin: str
    rows: int
    missing: int
    first_ms: int
    last_ms: int
    proxies: list[str]


class CandleTold(BaseModel):
    """One closed bar: open time in ms UTC, prices in quote per base, volume in base units."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"open_ms": 1746403200000, "open": 94300.1, "high": 94310, "low": 94290, "close": 94300,
                          "volume": 12.5}]
        }
    )  # fmt: skip

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class CandlePage(Page[CandleTold]):
    """One page of a series, by rising time."""

    symbol: str
    interval: str
