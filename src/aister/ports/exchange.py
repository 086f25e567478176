"""An account at a real exchange, call by call, in this system's own nouns.

Every call ends in a value, never in an exception for what the venue or the network did: `Refused` is the venue's no,
`Unknown` is silence after something may have left the house, `Unreachable` means that nothing did. Which of them a
reply is, the adapter decides in one place; what follows from it is `aister.execution`'s business.
"""

from enum import StrEnum
from typing import Protocol

import msgspec

from aister.core.instrument import Instrument
from aister.core.trade import Order, OrderType, Side

__all__ = [
    "AccountTerms",
    "Cancelled",
    "Exchange",
    "Execution",
    "Money",
    "Open",
    "OrderNews",
    "Placed",
    "PositionNews",
    "Refused",
    "StreamState",
    "TermsNews",
    "Unknown",
    "Unreachable",
    "VenueNews",
    "VenueOrder",
    "VenuePosition",
    "VenueStatus",
]

_ABSENT = (-2011, -2013)


class VenueStatus(StrEnum):
    """What the venue says an order's state is."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def working(self) -> bool:
        return self in (VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED)


class VenueOrder(msgspec.Struct, frozen=True):
    """An order as the venue tells of it. `client_id` may be foreign. `venue_id` is the venue's number, `leg` as in
    `Order`; `kind` is None for a type this system never sends. `updated_ms` is venue time."""

    client_id: str
    venue_id: int
    symbol: str
    side: Side
    kind: OrderType | None
    status: VenueStatus
    steps: int
    filled_steps: int
    price_ticks: int
    trigger_ticks: int
    reduce_only: bool
    close_position: bool
    leg: int
    updated_ms: int


class Execution(msgspec.Struct, frozen=True):
    """One trade of ours. `trade_id` is unique per symbol; `fee` in money units, positive = paid, in `fee_asset`;
    `realized` is the profit the venue booked. `liquidation`: nobody asked for it (autoclose, ADL)."""

    trade_id: int
    venue_id: int
    client_id: str
    symbol: str
    side: Side
    steps: int
    price_ticks: int
    fee: int
    fee_asset: str
    realized: int
    maker: bool
    leg: int
    time_ms: int
    liquidation: bool = False


class VenuePosition(msgspec.Struct, frozen=True):
    """What the venue holds for us on one leg: `steps` signed, `cost` = signed steps x entry price in money units
    (rounded once: venues tell a mean price), liquidation 0 = nowhere. Terms as the venue has them now."""

    symbol: str
    leg: int
    steps: int
    cost: int
    mark_ticks: int
    liquidation_ticks: int
    leverage: int
    isolated: bool
    entry_ticks: int = 0
    """Its mean entry price, nearest tick; 0 = not told."""
    between: str = ""
    """Its size as the venue tells it, where that is no whole number of steps: `steps` is then the next number away from
    zero, so that what would close it whole does."""


class Money(msgspec.Struct, frozen=True):
    """The account's quote asset, money units. `available` is what new orders may use."""

    wallet: int
    available: int


class AccountTerms(msgspec.Struct, frozen=True):
    """Account-wide settings that change what an order means."""

    hedged: bool
    multi_assets: bool


class Placed(msgspec.Struct, frozen=True):
    """The venue has the order, in the state it answered."""

    order: VenueOrder


class Cancelled(msgspec.Struct, frozen=True):
    """The order is gone, after having filled `filled_steps`."""

    client_id: str
    filled_steps: int


class Refused(msgspec.Struct, frozen=True):
    """The venue's no: its code, and one sentence that names the remedy. Nothing happened."""

    code: int
    reason: str

    @property
    def absent(self) -> bool:
        """Whether it says that there is no such order, now."""
        return self.code in _ABSENT


class Unknown(msgspec.Struct, frozen=True):
    """It may have happened or may still: the request left and no answer tells. `nonce_us` is the nonce it carried
    (0 = none), `sent_ms` when, on the client's corrected clock."""

    why: str
    nonce_us: int
    sent_ms: int


class Unreachable(msgspec.Struct, frozen=True):
    """Nothing left the house, or the venue's gate turned it away unread: no connection, too many requests, the governor
    or the signer refused. `retry_ms`: not before then (venue time; 0 = at once)."""

    why: str
    retry_ms: int = 0


Answer = Refused | Unknown | Unreachable


class Open(msgspec.Struct, frozen=True):
    """Everything the venue holds of ours at one moment, read together: `time_ms` is the venue's clock before the first
    read. Raised to a value so that reconciliation never works on half of it."""

    time_ms: int
    orders: tuple[VenueOrder, ...]
    positions: tuple[VenuePosition, ...]
    money: Money
    terms: AccountTerms


# ---- what a user stream tells -----------------------------------------------------------------------------------


class OrderNews(msgspec.Struct, frozen=True):
    """An order changed; `execution` when it traded. Ordered by `time_ms` (venue event time), not by arrival."""

    time_ms: int
    order: VenueOrder
    execution: Execution | None


class PositionNews(msgspec.Struct, frozen=True):
    """Balances or positions changed. `reason` is the venue's word (ORDER, FUNDING_FEE, TRANSFER, ADL, ...);
    `wallet` None when not told."""

    time_ms: int
    reason: str
    wallet: int | None
    positions: tuple[tuple[str, int, int], ...]
    """(symbol, leg, signed steps)."""
    change: int = 0
    """Balance change that is not from trading, money units (deposits, funding)."""


class TermsNews(msgspec.Struct, frozen=True):
    """Leverage of a symbol, multi-assets mode or position mode changed."""

    time_ms: int
    symbol: str
    what: str


class StreamState(msgspec.Struct, frozen=True):
    """The user stream is up or not. When it comes back whatever it missed must be read."""

    time_ms: int
    up: bool
    why: str


VenueNews = OrderNews | PositionNews | TermsNews | StreamState


class Exchange(Protocol):
    """Calls of one account. Times are venue time (ms UTC). Ids are client order ids.

    Only `aister.execution` may call `place`, `cancel` and `void`.
    """

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those it was opened for. It tells of everything on the account: what becomes of other symbols is nobody's
        here."""
        ...

    async def place(self, order: Order) -> Placed | Answer: ...
    async def cancel(self, symbol: str, client_id: str) -> Cancelled | Answer: ...
    async def void(self, nonce_us: int) -> bool | Answer:
        """Try to kill a request still under way by its nonce (`noop`): True when the venue says that it can never
        act."""
        ...

    async def order(self, symbol: str, client_id: str) -> VenueOrder | Answer | None:
        """None: the venue says there is no such order (which it may say for a while of one that is there)."""
        ...

    async def open_orders(self, symbol: str = "") -> tuple[VenueOrder, ...] | Answer: ...
    async def executions(self, symbol: str, since_ms: int) -> tuple[Execution, ...] | Answer: ...
    async def positions(self, symbol: str = "") -> tuple[VenuePosition, ...] | Answer: ...
    async def survey(self) -> Open | Answer:
        """All of it in one go."""
        ...

    async def set_leverage(self, symbol: str, leverage: int) -> bool | Answer: ...
    async def set_isolated(self, symbol: str, isolated: bool) -> bool | Answer: ...
    async def income(self, since_ms: int, until_ms: int) -> tuple[tuple[int, str, str, int], ...] | Answer:
        """(time, symbol, kind, money units) in the account's quote asset, oldest first."""
        ...

    async def instruments(self) -> dict[str, Instrument] | Answer: ...
    async def server_time(self) -> int | Answer: ...
    def now_ms(self) -> int:
        """The venue's clock as estimated here."""
        ...
