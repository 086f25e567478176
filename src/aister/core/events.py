"""Everything that can happen to a trader. `time_ms` is UTC event time as the engine learns it; the engine has no
other clock."""

import msgspec

from aister.core.commands import Command
from aister.core.council import Decision
from aister.core.instrument import Instrument
from aister.core.trade import Fill, Order

__all__ = [
    "BarClosed",
    "CommandGiven",
    "DecisionMade",
    "EntriesFrozen",
    "EntriesThawed",
    "Event",
    "Funding",
    "FundingAssumed",
    "FundingPaid",
    "FundingSettled",
    "InstrumentListed",
    "MarketEvent",
    "MoneyBooked",
    "OrderAccepted",
    "OrderCanceled",
    "OrderFilled",
    "OrderRejected",
    "OrderUnknown",
    "PositionBare",
    "PositionFound",
    "PositionShown",
    "RunEnded",
    "RunStarted",
    "VenueReport",
]


class RunStarted(msgspec.Struct, frozen=True, array_like=True, tag="start"):
    """First record of every chain: who trades what, from which configuration, data, seed and capital (money units)."""

    time_ms: int
    owner_id: str
    trader_id: str
    venue: str
    mind: str
    config_hash: str
    data_hash: str
    seed: int
    capital: int


class RunEnded(msgspec.Struct, frozen=True, array_like=True, tag="end"):
    """The feed ended. A run without this record is unfinished and is resumed."""

    time_ms: int


class InstrumentListed(msgspec.Struct, frozen=True, array_like=True, tag="instrument"):
    """An instrument's filters, fees and brackets as known from `time_ms` on."""

    time_ms: int
    instrument: Instrument


class BarClosed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="bar"):
    """A closed bar of the feed's base interval. `time_ms` is its close = open_time_ms + interval. Prices and volume are
    float64 in quote per base and base units."""

    time_ms: int
    symbol: str
    open_time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class FundingSettled(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="funding"):
    """A funding settlement of the market: rate in 1e-8 per settlement, and the interval it covers."""

    time_ms: int
    symbol: str
    rate_e8: int
    interval_ms: int

    def charged_e8(self, steps: int) -> int:
        """The rate at which a position of `steps` is charged; positive: longs pay shorts."""
        return self.rate_e8


class FundingAssumed(FundingSettled, frozen=True, gc=False, array_like=True, tag="assumed_funding"):
    """A settlement that nobody recorded: whatever is held pays it, long or short (Q8)."""

    def charged_e8(self, steps: int) -> int:
        return abs(self.rate_e8) if steps > 0 else -abs(self.rate_e8)


class OrderAccepted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="accepted"):
    time_ms: int
    symbol: str
    client_id: str


class OrderRejected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="rejected"):
    """The venue refused the order; `reason` starts with its code."""

    time_ms: int
    symbol: str
    client_id: str
    reason: str


class OrderCanceled(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="canceled"):
    """The order is gone without (further) fills: canceled on request or expired by the venue."""

    time_ms: int
    symbol: str
    client_id: str
    reason: str


class OrderFilled(msgspec.Struct, frozen=True, array_like=True, tag="filled"):
    """An execution, liquidations included. `done` = the order will not fill further."""

    time_ms: int
    fill: Fill
    done: bool


class FundingPaid(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="paid"):
    """Funding charged on a held position: `amount` leaves the wallet when positive. `price_ticks` is the price used
    (mark where known, else last: then `proxy` is true)."""

    time_ms: int
    symbol: str
    amount: int
    rate_e8: int
    steps: int
    price_ticks: int
    proxy: bool


class MoneyBooked(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="booked"):
    """The venue booked `amount` (positive: came in) for a reason that is neither a trade nor funding: `kind` is its own
    word, `booked_ms` its own time. `moved`: somebody paid it in or out, which changes units, not NAV (Q23); else it was
    earned or charged, as a rebate or the fee of a liquidation is."""

    time_ms: int
    symbol: str
    kind: str
    amount: int
    moved: bool
    booked_ms: int


class OrderUnknown(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="unknown"):
    """The order left and nobody can tell yet whether the venue has it. Until `OrderAccepted` or `OrderRejected` follows
    it counts with its full size, and nothing more is sent for its intent (safety C1)."""

    time_ms: int
    symbol: str
    client_id: str
    reason: str


class PositionShown(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="shown"):
    """The venue holds `steps` (signed) of the symbol on this leg, and no fill told so far explains it. Whatever is
    entering there is protected at once; its fills are told when their trades can be read (safety C19)."""

    time_ms: int
    symbol: str
    leg: int
    steps: int


class PositionBare(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="bare"):
    """What is held of the symbol on this leg, `steps` (signed), has no stop at the venue that closes it whole where it
    is wanted, and that has lasted: it is protected once more or closed (safety C19)."""

    time_ms: int
    symbol: str
    leg: int
    steps: int


class PositionFound(msgspec.Struct, frozen=True, array_like=True, tag="found"):
    """The venue holds a position that no order here explains, with a stop at `stop_ticks`, and it shall be kept; the
    fills that open it here follow. `stop`: the stop's order where it is one of ours, which then protects it here too;
    None: somebody else's, so that one of ours is put beside it. `life_ms`: how long it may be held."""

    time_ms: int
    symbol: str
    leg: int
    stop_ticks: int
    stop: Order | None
    life_ms: int


class EntriesFrozen(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="frozen"):
    """No new risk until the cause is gone: the stream is lost, a foreign order, terms that changed, a twin. What
    protects or reduces is not touched (safety C5, C14, C18). `cause` is one word, told again when its reason
    changes."""

    time_ms: int
    cause: str
    reason: str


class EntriesThawed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="thawed"):
    """This cause of a freeze is gone; entries may go on when no other is left."""

    time_ms: int
    cause: str


class DecisionMade(msgspec.Struct, frozen=True, array_like=True, tag="decision"):
    """The council's answer, released at the question's time + latency: always a later pass than the one that asked."""

    time_ms: int
    decision: Decision


class CommandGiven(msgspec.Struct, frozen=True, array_like=True, tag="command"):
    time_ms: int
    command: Command


Funding = FundingSettled | FundingAssumed
MarketEvent = BarClosed | Funding | InstrumentListed
VenueReport = (
    OrderAccepted
    | OrderRejected
    | OrderCanceled
    | OrderFilled
    | OrderUnknown
    | PositionShown
    | PositionBare
    | FundingPaid
    | MoneyBooked
    | PositionFound
    | EntriesFrozen
    | EntriesThawed
)
Event = MarketEvent | VenueReport | DecisionMade | CommandGiven | RunStarted | RunEnded
