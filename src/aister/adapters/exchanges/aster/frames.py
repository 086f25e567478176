"""Frames of the streams as they are on the wire (aster-api 8 and 9), decoded into typed values.

What is only shown or fed to features is a float; what is compared with orders (marks, amounts of the account) is an
exact `Decimal`; depth stays text until a book puts it on its grid. Names follow the meaning, `field(name=)` the wire.
"""

from decimal import Decimal

import msgspec
from msgspec import field

__all__ = [
    "AccountFrame",
    "ConfigFrame",
    "DepthFrame",
    "ExpiredFrame",
    "KlineFrame",
    "MarginCallFrame",
    "MarkFrame",
    "MarketFrame",
    "OrderFrame",
    "TopFrame",
    "TradeFrame",
    "UserFrame",
    "market_frame",
    "user_frame",
]

ZERO = Decimal(0)
Levels = list[tuple[str, str]]


class Candle(msgspec.Struct, frozen=True, gc=False):
    """The bar of a kline frame: prices in quote per base, volume in base units, `last_ms` = close - 1."""

    open_ms: int = field(name="t")
    last_ms: int = field(name="T")
    interval: str = field(name="i")
    open: float = field(name="o")
    high: float = field(name="h")
    low: float = field(name="l")
    close: float = field(name="c")
    volume: float = field(name="v")
    closed: bool = field(name="x")
    trades: int = field(name="n", default=0)


class KlineFrame(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="kline"):
    time_ms: int = field(name="E")
    symbol: str = field(name="s")
    bar: Candle = field(name="k")

    @property
    def place(self) -> tuple[int, ...]:
        return self.bar.open_ms, self.bar.closed, self.time_ms, self.bar.trades


class TradeFrame(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="aggTrade"):
    """Trades of one taker at one price; numbers follow one another without holes."""

    time_ms: int = field(name="E")
    symbol: str = field(name="s")
    number: int = field(name="a")
    price: float = field(name="p")
    size: float = field(name="q")
    traded_ms: int = field(name="T")
    buyer_maker: bool = field(name="m")

    @property
    def place(self) -> tuple[int, ...]:
        return (self.number,)


class TopFrame(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="bookTicker"):
    """Best bid and ask."""

    time_ms: int = field(name="E")
    symbol: str = field(name="s")
    update: int = field(name="u")
    bid: float = field(name="b")
    bid_size: float = field(name="B")
    ask: float = field(name="a")
    ask_size: float = field(name="A")

    @property
    def place(self) -> tuple[int, ...]:
        return (self.update,)


class DepthFrame(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="depthUpdate"):
    """Levels that changed between updates `first` and `last`; sizes are absolute, 0 deletes."""

    time_ms: int = field(name="E")
    symbol: str = field(name="s")
    first: int = field(name="U")
    last: int = field(name="u")
    previous: int = field(name="pu")
    bids: Levels = field(name="b")
    asks: Levels = field(name="a")

    @property
    def place(self) -> tuple[int, ...]:
        return (self.last,)


class MarkFrame(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="markPriceUpdate"):
    """Mark and index price, the funding rate as it stands and when it will be settled."""

    time_ms: int = field(name="E")
    symbol: str = field(name="s")
    mark: Decimal = field(name="p")
    rate: Decimal = field(name="r")
    funding_ms: int = field(name="T")
    index: Decimal = field(name="i", default=ZERO)

    @property
    def place(self) -> tuple[int, ...]:
        return (self.time_ms,)


MarketFrame = KlineFrame | TradeFrame | TopFrame | DepthFrame | MarkFrame


class Combined(msgspec.Struct, frozen=True, gc=False):
    stream: str
    data: MarketFrame


class Envelope(msgspec.Struct, frozen=True):
    """Any frame: of which kind, or a reply to a control frame, or its refusal."""

    stream: str = ""
    e: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    code: int | None = None
    msg: str = ""


# ---- the account's own stream -------------------------------------------------------------------------------------


class OrderRow(msgspec.Struct, frozen=True):
    symbol: str = field(name="s")
    client_id: str = field(name="c")
    side: str = field(name="S")
    size: Decimal = field(name="q")
    happened: str = field(name="x")
    status: str = field(name="X")
    venue_id: int = field(name="i")
    filled: Decimal = field(name="z")
    kind: str = field(name="o", default="")
    original: str = field(name="ot", default="")
    price: Decimal = field(name="p", default=ZERO)
    trigger: Decimal = field(name="sp", default=ZERO)
    last_size: Decimal = field(name="l", default=ZERO)
    last_price: Decimal = field(name="L", default=ZERO)
    fee: Decimal = field(name="n", default=ZERO)
    fee_asset: str = field(name="N", default="")
    traded_ms: int = field(name="T", default=0)
    trade_id: int = field(name="t", default=0)
    maker: bool = field(name="m", default=False)
    reduce_only: bool = field(name="R", default=False)
    position_side: str = field(name="ps", default="BOTH")
    close_position: bool = field(name="cp", default=False)
    realized: Decimal = field(name="rp", default=ZERO)


class OrderFrame(msgspec.Struct, frozen=True, tag_field="e", tag="ORDER_TRADE_UPDATE"):
    time_ms: int = field(name="E")
    order: OrderRow = field(name="o")


class BalanceChange(msgspec.Struct, frozen=True):
    asset: str = field(name="a")
    wallet: Decimal = field(name="wb")
    change: Decimal = field(name="bc", default=ZERO)


class PositionChange(msgspec.Struct, frozen=True):
    symbol: str = field(name="s")
    amount: Decimal = field(name="pa")
    position_side: str = field(name="ps", default="BOTH")
    margin_type: str = field(name="mt", default="")


class AccountChange(msgspec.Struct, frozen=True):
    reason: str = field(name="m", default="")
    balances: tuple[BalanceChange, ...] = field(name="B", default=())
    positions: tuple[PositionChange, ...] = field(name="P", default=())


class AccountFrame(msgspec.Struct, frozen=True, tag_field="e", tag="ACCOUNT_UPDATE"):
    time_ms: int = field(name="E")
    account: AccountChange = field(name="a")


class LeverageChange(msgspec.Struct, frozen=True):
    symbol: str = field(name="s")
    leverage: int = field(name="l")


class ModeChange(msgspec.Struct, frozen=True):
    multi_assets: bool | None = field(name="j", default=None)
    fee_token: bool | None = field(name="f", default=None)
    hedged: bool | None = field(name="d", default=None)


class ConfigFrame(msgspec.Struct, frozen=True, tag_field="e", tag="ACCOUNT_CONFIG_UPDATE"):
    time_ms: int = field(name="E")
    leverage: LeverageChange | None = field(name="ac", default=None)
    modes: ModeChange | None = field(name="ai", default=None)


class ExpiredFrame(msgspec.Struct, frozen=True, tag_field="e", tag="listenKeyExpired"):
    """Nothing more arrives on this connection, though it stays open."""

    time_ms: int = field(name="E", default=0)


class MarginCallFrame(msgspec.Struct, frozen=True, tag_field="e", tag="MARGIN_CALL"):
    """Guidance only."""

    time_ms: int = field(name="E", default=0)


UserFrame = OrderFrame | AccountFrame | ConfigFrame | ExpiredFrame | MarginCallFrame

_combined = msgspec.json.Decoder(Combined, strict=False)
_user: msgspec.json.Decoder[UserFrame] = msgspec.json.Decoder(UserFrame, strict=False)
_envelope = msgspec.json.Decoder(Envelope)
_MARKET = frozenset({"kline", "aggTrade", "bookTicker", "depthUpdate", "markPriceUpdate"})
_USER = frozenset({"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ACCOUNT_CONFIG_UPDATE", "listenKeyExpired", "MARGIN_CALL"})
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def market_frame(raw: bytes) -> Combined | None:
    """A frame of a combined stream; None for what no one asked for (replies, unknown kinds). Raises `ValueError` for
    one that is not what the documents say."""
    try:
        return _combined.decode(raw)
    except _BROKEN as problem:
        kind = _kind(raw, problem)
        if kind in _MARKET:
            raise ValueError(f"a {kind} frame that does not decode ({problem})") from None
        return None


def user_frame(raw: bytes) -> UserFrame | None:
    """A frame of an account's stream; None for unknown kinds (announcements). Raises `ValueError` as above."""
    try:
        return _user.decode(raw)
    except _BROKEN as problem:
        kind = _kind(raw, problem)
        if kind in _USER:
            raise ValueError(f"a {kind} frame that does not decode ({problem})") from None
        return None


def _kind(raw: bytes, problem: Exception) -> str:
    """What kind a frame claims to be. Raises `ValueError` when it is no frame at all, or a refusal."""
    try:
        outer = _envelope.decode(raw)
        inner = _envelope.decode(outer.data) if bytes(outer.data)[:1] == b"{" else outer
    except _BROKEN:
        raise ValueError(f"a frame that is no JSON object ({problem})") from None
    if outer.code is not None:
        raise ValueError(f"the venue refused a control frame ({outer.code} {outer.msg[:80]})")
    return inner.e
