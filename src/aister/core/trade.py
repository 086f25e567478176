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


class FillKind(StrEnum):
    TRADE = "trade"
    LIQUIDATION = "liquidation"


class Fill(msgspec.Struct, frozen=True, array_like=True):
    """One execution. `fee` is a cost in money units (positive = paid), `time_ms` the venue's event time.

    `intent_id` and `purpose` are empty for a liquidation, which nobody asked for.
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


class Position(msgspec.Struct, frozen=True, array_like=True):
    """What is held: `steps` signed, `cost` = signed sum of ticks x steps x unit of what is open (exact)."""

    symbol: str
    steps: int
    cost: int
    opened_ms: int

    @property
    def side(self) -> Side | None:
        return None if self.steps == 0 else Side(1 if self.steps > 0 else -1)
