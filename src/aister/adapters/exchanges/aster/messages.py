"""Replies of the REST interface as they are on the wire (aster-api 5-7). Keys this system does not use are ignored.

Decimals come as text or as JSON numbers and become exact `Decimal` either way; whole numbers and flags may come as
text too (`decoder` is lenient there). Field names are the venue's.
"""

from decimal import Decimal
from typing import TypeVar

import msgspec

__all__ = [
    "AggTrade",
    "BalanceRow",
    "BracketRow",
    "Brackets",
    "Commission",
    "ExchangeInfo",
    "Filter",
    "FundingInfo",
    "FundingRate",
    "IncomeRow",
    "ListenKey",
    "MultiAssets",
    "OrderReply",
    "PositionMode",
    "PositionRow",
    "PremiumIndex",
    "RateLimit",
    "ServerTime",
    "Snapshot",
    "Status",
    "SymbolName",
    "SymbolRow",
    "TradeRow",
    "decoder",
]

ZERO = Decimal(0)
T = TypeVar("T")


def decoder(of: type[T]) -> msgspec.json.Decoder[T]:
    """A decoder that takes "200" for 200 and "true" for true, and refuses everything else of a wrong type."""
    return msgspec.json.Decoder(of, strict=False)


class Status(msgspec.Struct, frozen=True):
    """Success and failure have one shape: a failure has a negative code."""

    code: int
    msg: str = ""


class ServerTime(msgspec.Struct, frozen=True):
    serverTime: int


class ListenKey(msgspec.Struct, frozen=True):
    listenKey: str


class RateLimit(msgspec.Struct, frozen=True):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int


class Filter(msgspec.Struct, frozen=True):
    """Any filter; which fields count says `filterType`."""

    filterType: str
    minPrice: Decimal = ZERO
    maxPrice: Decimal = ZERO
    tickSize: Decimal = ZERO
    minQty: Decimal = ZERO
    maxQty: Decimal = ZERO
    stepSize: Decimal = ZERO
    notional: Decimal = ZERO
    multiplierUp: Decimal = ZERO
    multiplierDown: Decimal = ZERO
    limit: int = 0


class SymbolRow(msgspec.Struct, frozen=True):
    symbol: str
    status: str = ""
    contractStatus: str = ""
    contractType: str = ""
    baseAsset: str = ""
    quoteAsset: str = ""
    marginAsset: str = ""
    pricePrecision: int = 8
    quantityPrecision: int = 8
    filters: tuple[Filter, ...] = ()
    orderTypes: tuple[str, ...] = ()
    OrderType: tuple[str, ...] = ()
    timeInForce: tuple[str, ...] = ()
    triggerProtect: Decimal = ZERO
    liquidationFee: Decimal = ZERO
    marketTakeBound: Decimal = ZERO
    onboardDate: int = 0


class SymbolName(msgspec.Struct, frozen=True):
    symbol: str


class ExchangeInfo(msgspec.Struct, frozen=True):
    """`symbols` undecoded: there are hundreds of rows, of which a trader needs a few."""

    symbols: tuple[msgspec.Raw, ...]
    rateLimits: tuple[RateLimit, ...] = ()


class BracketRow(msgspec.Struct, frozen=True):
    initialLeverage: int
    notionalCap: Decimal
    notionalFloor: Decimal
    maintMarginRatio: Decimal
    cum: Decimal


class Brackets(msgspec.Struct, frozen=True):
    symbol: str
    brackets: tuple[BracketRow, ...]


class Commission(msgspec.Struct, frozen=True):
    symbol: str
    makerCommissionRate: Decimal
    takerCommissionRate: Decimal


class FundingInfo(msgspec.Struct, frozen=True):
    symbol: str
    fundingIntervalHours: int


class FundingRate(msgspec.Struct, frozen=True):
    symbol: str
    fundingRate: Decimal
    fundingTime: int
    markPrice: Decimal = ZERO


class PremiumIndex(msgspec.Struct, frozen=True):
    symbol: str
    markPrice: Decimal
    indexPrice: Decimal = ZERO
    lastFundingRate: Decimal = ZERO
    nextFundingTime: int = 0
    time: int = 0


class Snapshot(msgspec.Struct, frozen=True):
    """A book's levels as text: whoever keeps it counts in 1e-8 itself. `T`: when it last moved."""

    lastUpdateId: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    T: int = 0


class AggTrade(msgspec.Struct, frozen=True):
    a: int
    p: Decimal
    q: Decimal
    f: int
    l: int  # noqa: E741 - the venue's name
    T: int
    m: bool


class OrderReply(msgspec.Struct, frozen=True):
    """Placed, cancelled, queried or listed: the same shape."""

    orderId: int
    symbol: str
    status: str
    clientOrderId: str = ""
    side: str = ""
    type: str = ""
    origType: str = ""
    timeInForce: str = ""
    positionSide: str = "BOTH"
    price: Decimal = ZERO
    avgPrice: Decimal = ZERO
    origQty: Decimal = ZERO
    executedQty: Decimal = ZERO
    stopPrice: Decimal = ZERO
    reduceOnly: bool = False
    closePosition: bool = False
    time: int = 0
    updateTime: int = 0


class TradeRow(msgspec.Struct, frozen=True):
    symbol: str
    id: int
    orderId: int
    side: str
    price: Decimal
    qty: Decimal
    time: int
    realizedPnl: Decimal = ZERO
    commission: Decimal = ZERO
    commissionAsset: str = ""
    positionSide: str = "BOTH"
    maker: bool = False


class BalanceRow(msgspec.Struct, frozen=True):
    asset: str
    balance: Decimal
    availableBalance: Decimal
    crossWalletBalance: Decimal = ZERO
    crossUnPnl: Decimal = ZERO


class PositionRow(msgspec.Struct, frozen=True):
    symbol: str
    positionAmt: Decimal
    entryPrice: Decimal = ZERO
    markPrice: Decimal = ZERO
    liquidationPrice: Decimal = ZERO
    leverage: Decimal = ZERO
    marginType: str = "cross"
    positionSide: str = "BOTH"
    updateTime: int = 0


class PositionMode(msgspec.Struct, frozen=True):
    dualSidePosition: bool


class MultiAssets(msgspec.Struct, frozen=True):
    multiAssetsMargin: bool


class IncomeRow(msgspec.Struct, frozen=True):
    incomeType: str
    income: Decimal
    time: int
    symbol: str = ""
    asset: str = ""
    tranId: Decimal = ZERO
