"""Bars ("klines"): one row per closed bar, `open_time` = its start. Prices in quote per base, volume in base units.

The headerless 12 columns are the Binance public-data layout (https://github.com/binance/binance-public-data)."""

from aister.adapters.store.layout import Layout

__all__ = ["KLINES", "OHLCV"]

OHLCV = ("open_time", "open", "high", "low", "close", "volume")

KLINES = Layout(
    kind="klines",
    required=OHLCV,
    needed=OHLCV,
    optional=("quote_volume", "trades", "taker_buy_base"),
    integers=frozenset({"open_time", "trades"}),
    aliases={
        "opentime": "open_time",
        "quote_asset_volume": "quote_volume",
        "count": "trades",
        "number_of_trades": "trades",
        "taker_buy_volume": "taker_buy_base",
        "taker_buy_base_asset_volume": "taker_buy_base",
    },
    headerless={
        6: OHLCV,
        12: (*OHLCV, "", "quote_volume", "trades", "taker_buy_base", "", ""),
    },
)
