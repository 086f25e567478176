"""What the exchange remembers of an account: orders, executions, income, legs, strategies, and what happened."""

import msgspec

from aister.core.trade import OrderType, Side

__all__ = [
    "Chase",
    "Happening",
    "Holding",
    "Income",
    "MarginChange",
    "OrderState",
    "Strategy",
    "SubOrder",
    "Terms",
    "UserTrade",
]

WORKING = ("NEW", "PARTIALLY_FILLED")


class Terms(msgspec.Struct):
    """Leverage and margin type of one symbol."""

    leverage: int
    cross: bool


class OrderState(msgspec.Struct):
    """An order as the venue remembers it (aster-api 6, reply). Prices in ticks, sizes in steps, `quote` in money
    units. `kind` is what it acts as now, `original` what it was sent as; `callback` the rate's text. `nonce` is that
    of the request that placed it. `parts`: ids under which pieces of it are on the book."""

    order_id: int
    client_id: str
    symbol: str
    side: Side
    leg: int
    kind: str
    original: OrderType
    time_in_force: str
    steps: int
    price_ticks: int
    stop_ticks: int
    activation_ticks: int
    callback: str
    reduce_only: bool
    close_position: bool
    working_type: str
    price_protect: bool
    created_ms: int
    updated_ms: int
    nonce: int = 0
    status: str = "NEW"
    filled: int = 0
    quote: int = 0
    held_back: int = 0
    amends: int = 0
    visible_ms: int = 0
    parts: list[str] = []
    strategy: int = 0
    forced: bool = False
    """Placed by the venue itself: liquidation, auto-deleveraging."""
    watched: bool = False
    """Not on the book: its trigger is looked at from outside (`triggers`)."""
    triggered: bool = False
    parked: bool = False
    """Beside the book, which has no room (`parking`)."""

    @property
    def working(self) -> bool:
        return self.status in WORKING


def made_by_venue(
    number: int, client_id: str, symbol: str, side: Side, leg: int, steps: int, now_ms: int
) -> OrderState:
    """An order that nobody sent: liquidation, auto-deleveraging."""
    return OrderState(
        order_id=number,
        client_id=client_id,
        symbol=symbol,
        side=side,
        leg=leg,
        kind="MARKET",
        original=OrderType.MARKET,
        time_in_force="GTC",
        steps=steps,
        price_ticks=0,
        stop_ticks=0,
        activation_ticks=0,
        callback="",
        reduce_only=not leg,
        close_position=False,
        working_type="CONTRACT_PRICE",
        price_protect=False,
        created_ms=now_ms,
        updated_ms=now_ms,
        forced=True,
    )


class UserTrade(msgspec.Struct, frozen=True):
    """One execution; `fee` in money units, positive = paid; `realized` before fees."""

    number: int
    order_id: int
    client_id: str
    symbol: str
    side: Side
    leg: int
    steps: int
    ticks: int
    fee: int
    realized: int
    maker: bool
    time_ms: int


class Income(msgspec.Struct, frozen=True):
    """A change of the wallet (aster-api 7): TRANSFER, REALIZED_PNL, FUNDING_FEE, COMMISSION, INSURANCE_CLEAR."""

    number: int
    kind: str
    symbol: str
    amount: int
    time_ms: int
    trade: int = 0


class MarginChange(msgspec.Struct, frozen=True):
    """Isolated margin added or taken; money units, positive = added (aster-api 7, positionMargin)."""

    symbol: str
    leg: int
    amount: int
    time_ms: int


class Chase(msgspec.Struct, frozen=True):
    """An order that follows the best price of its side: `offset` ticks behind it, `began` where that stood, `most_e8`
    how far it may go from there (0: any way) in price, or in percent."""

    offset: int
    most_e8: int
    percent: bool
    began: int

    def allowed_e8(self, tick_e8: int) -> int:
        """How far it may go, in price."""
        return self.began * tick_e8 * self.most_e8 // 10**10 if self.percent else self.most_e8


class SubOrder(msgspec.Struct):
    """One order of a strategy: its parameters, and what drives it. `order_id` 0 = not placed yet."""

    pairs: dict[str, str]
    first_id: int
    first_on: str
    first_action: str
    second_id: int
    second_on: str
    second_action: str
    order_id: int = 0
    first_done: bool = False
    second_done: bool = False


class Strategy(msgspec.Struct):
    """Orders that drive each other (aster-api 6, strategy orders). `failure`: code of a refusal when one was due."""

    number: int
    client_id: str
    kind: str
    subs: list[SubOrder]
    created_ms: int
    updated_ms: int
    status: str = "WORKING"
    failure: int = 0


class Holding(msgspec.Struct):
    """A leg of a symbol: signed steps, cost in money units, the sum of profit realised so far, isolated margin added
    beyond the initial."""

    steps: int = 0
    cost: int = 0
    realized: int = 0
    added: int = 0
    updated_ms: int = 0


class Happening(msgspec.Struct, frozen=True):
    """Something that the account's user stream tells and the judges of a campaign read: `what` is the execution type
    (NEW, TRADE, CANCELED, EXPIRED, CALCULATED, AMENDMENT), FUNDING_FEE, TRANSFER, INSURANCE_CLEAR, MARGIN_TRANSFER,
    MARGIN_TYPE_CHANGE, MARGIN_CALL (of `legs`), or CONFIG."""

    time_ms: int
    account: int
    what: str
    order: OrderState | None = None
    trade: UserTrade | None = None
    symbol: str = ""
    amount: int = 0
    detail: str = ""
    legs: tuple[tuple[str, int], ...] = ()
