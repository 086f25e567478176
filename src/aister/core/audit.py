"""What one pass of the engine leaves: the event and everything it led to. A record of the journal is one `Audit`."""

from enum import StrEnum

import msgspec

from aister.core.council import Odds, Question
from aister.core.events import Event
from aister.core.permission import CapLine, Intent
from aister.core.trade import Order, Side

__all__ = [
    "AskCouncil",
    "Audit",
    "Breaker",
    "BreakerChanged",
    "CancelOrder",
    "Output",
    "PlaceOrder",
    "PlanArmed",
    "PlanVoided",
    "ProposalResolved",
    "Reviewed",
    "TradeClosed",
]


class PlaceOrder(msgspec.Struct, frozen=True, array_like=True, tag="place"):
    """Send this order; its permission travels beside the journal."""

    order: Order


class CancelOrder(msgspec.Struct, frozen=True, array_like=True, tag="cancel"):
    symbol: str
    client_id: str
    reason: str


class AskCouncil(msgspec.Struct, frozen=True, array_like=True, tag="ask"):
    question: Question


class Reviewed(msgspec.Struct, frozen=True, array_like=True, tag="review"):
    """The kernel's word on an intent: granted steps (0 = refused), the binding limit, the reason, every limit's
    figure."""

    intent: Intent
    granted_steps: int
    limit: str
    reason: str
    caps: tuple[CapLine, ...]


class PlanArmed(msgspec.Struct, frozen=True, array_like=True, tag="armed"):
    """A council decision waiting for its moment, with risk reserved until it fires or expires (Q25)."""

    setup_id: str
    symbol: str
    side: Side
    reserved_risk: int
    not_before_ms: int
    expires_ms: int


class PlanVoided(msgspec.Struct, frozen=True, array_like=True, tag="voided"):
    setup_id: str
    symbol: str
    reason: str


class TradeClosed(msgspec.Struct, frozen=True, array_like=True, tag="closed"):
    """A position went flat. Money is net of everything: pnl = realised - fees - funding. `r` = pnl / initial risk."""

    setup_id: str
    symbol: str
    side: Side
    opened_ms: int
    closed_ms: int
    steps: int
    entry_cost: int
    exit_value: int
    fees: int
    funding: int
    pnl: int
    initial_risk: int
    reason: str


class ProposalResolved(msgspec.Struct, frozen=True, array_like=True, tag="resolved"):
    """The triple-barrier label of a proposal, known now: target, stop or neither; what each agent had said."""

    setup_id: str
    label: str
    asked_ms: int
    p0: float
    odds: tuple[tuple[str, Odds], ...]


class Breaker(StrEnum):
    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class BreakerChanged(msgspec.Struct, frozen=True, array_like=True, tag="breaker"):
    state: Breaker
    reason: str


Output = (
    PlaceOrder
    | CancelOrder
    | AskCouncil
    | Reviewed
    | PlanArmed
    | PlanVoided
    | TradeClosed
    | ProposalResolved
    | BreakerChanged
)


class Audit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One pass: its number in the chain, the event (its `time_ms` is arrival in engine time), the outputs in order."""

    sequence: int
    event: Event
    outputs: tuple[Output, ...]
