"""An order, and a contract's row as the venue lists it, for tests of what is sent."""

from typing import Any

from aister.adapters.exchanges.aster.listing import Listing, listing
from aister.adapters.exchanges.aster.messages import SymbolRow, decoder
from aister.core.trade import Order, OrderType, Purpose, Side

ROWS = decoder(SymbolRow)


def row(filters: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "symbol": "XUSDT",
        "status": "TRADING",
        "contractType": "PERPETUAL",
        "baseAsset": "X",
        "quoteAsset": "USDT",
        "pricePrecision": 8,
        "quantityPrecision": 8,
        "filters": filters,
        **more,
    }


def listed(document: dict[str, Any]) -> Listing:
    import msgspec

    return listing(ROWS.decode(msgspec.json.encode(document)))


def order(**given: Any) -> Order:
    return Order(
        **{
            "client_id": "i-1-1",
            "intent_id": "1",
            "symbol": "XUSDT",
            "side": Side.BUY,
            "type": OrderType.MARKET,
            "purpose": Purpose.ENTRY,
            "steps": 1,
            "price_ticks": 0,
            "trigger_ticks": 0,
            "reduce_only": False,
            "close_position": False,
        }
        | given
    )
