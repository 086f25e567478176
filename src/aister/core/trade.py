"""What travels towards an order and back: side, order, fill, position. Prices in ticks, sizes in steps, money in
1e-8."""

from enum import IntEnum, StrEnum

import msgspec

__all__ = ["Fill", "FillKind", "Order", "OrderType", "Position", "Purpose", "Side"]


class Side(IntEnum):
    """BUY opens longs and closes shorts. The value is the sign of the size."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> "Side":
        return Side(-self)

    @property
    def word(self) -> str:
        """long or short, for a position or proposal of this side."""
        return "long" if self > 0 else "short"


class OrderType(IntEnum):
    """The venue's order types this system sends. The numbers are those of the matching step."""

    MARKET = 1
    LIMIT = 2
    STOP_MARKET = 3
    TAKE_PROFIT_MARKET = 4
    STOP = 5
    TAKE_PROFIT = 6
    TRAILING_STOP_MARKET = 7

    @property
    def conditional(self) -> bool:
        """Whether the order waits for a trigger."""
        return self >= OrderType.STOP_MARKET

    @property
    def limited(self) -> bool:
        """Whether the order carries a limit price."""
        return self in (OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT)


class Purpose(StrEnum):
    """Why an intent or order exists. Everything but ENTRY only ever reduces."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"


class Order(msgspec.Struct, frozen=True, array_like=True):
    """One order as it is sent. `price_ticks` is the limit price (0 for market types), `trigger_ticks` the stop or
    take-profit trigger (0 otherwise). `close_position` closes whatever is open at the trigger and carries steps 0.
    `worst_ticks` bounds what a market entry may fill at: beyond it the venue lets the order expire (0 = unbounded).

    `post_only`: expires rather than take. `oco_group`: orders of one group, of which the others are withdrawn when
    one begins to fill (0 = none). `callback_e8`, `activation_ticks`: of a trailing stop, the share of its best price
    that it keeps behind it, and the price from which on it does (0 = at once). `leg`: 0 one-way; hedged, 1 for the
    long and -1 for the short leg of the symbol.
    """

    client_id: str
    intent_id: str
    symbol: str
    side: Side
    type: OrderType
    purpose: Purpose
    steps: int
    price_ticks: int
    trigger_ticks: int
    reduce_only: bool
    close_position: bool
    worst_ticks: int = 0
    post_only: bool = False
    oco_group: int = 0
    callback_e8: int = 0
    activation_ticks: int = 0
    leg: int = 0


class FillKind(StrEnum):
    TRADE = "trade"
    LIQUIDATION = "liquidation"


class Fill(msgspec.Struct, frozen=True, array_like=True):
    """One execution. `fee` is a cost in money units (positive = paid), `time_ms` the venue's event time.

    `intent_id` and `purpose` are empty for a liquidation, which nobody asked for. `leg` as in `Order`.
    """

    time_ms: int
    symbol: str
    client_id: str
    intent_id: str
    purpose: str
    side: Side
    steps: int
    price_ticks: int
    fee: int
    maker: bool
    kind: FillKind
    leg: int = 0


class Position(msgspec.Struct, frozen=True, array_like=True):
    """What is held: `steps` signed, `cost` = signed sum of ticks x steps x unit of what is open (exact)."""

    symbol: str
    steps: int
    cost: int
    opened_ms: int

    @property
    def side(self) -> Side | None:
        return None if self.steps == 0 else Side(1 if self.steps > 0 else -1)
