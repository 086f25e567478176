"""Permission is a type: an `Intent` becomes an order only through an `Approved` that is sealed, fresh and unused.

The seal is an HMAC under a key that only the risk kernel and whoever sends (gateway, later the signer) hold. It lies
beside the journal, never inside it. `Approved` is constructed in `aister.risk` only (checked).
"""

import hashlib
import hmac

import msgspec

from aister.core.trade import OrderType, Purpose, Side

__all__ = ["Approved", "CapLine", "Intent", "Refused", "seal_of", "sealed"]


class Intent(msgspec.Struct, frozen=True, array_like=True):
    """What the engine wants. `steps` is the most it asks for (0 = as much as risk allows, entries only).

    `price_ticks` is the limit price or, for market types, the reference price; `trigger_ticks` the stop trigger;
    `stop_ticks` the protective stop of an entry; `size_factor_e4` shrinks (council, analyst), never grows.
    `close_position` closes whatever is open at the trigger and carries steps 0. `leg`: 0 one-way; hedged, 1 for the
    long and -1 for the short leg of the symbol.
    """

    id: str
    symbol: str
    purpose: Purpose
    side: Side
    type: OrderType
    steps: int
    price_ticks: int
    trigger_ticks: int
    stop_ticks: int
    size_factor_e4: int
    reduce_only: bool
    close_position: bool
    leg: int = 0


class CapLine(msgspec.Struct, frozen=True, array_like=True):
    """What one limit said of an intent: how many steps it would allow, and the figure it looked at against its
    bound."""

    limit: str
    steps: int
    used: float
    bound: float


class Refused(msgspec.Struct, frozen=True, array_like=True):
    """No permission: the binding limit and the reason in one sentence."""

    intent_id: str
    limit: str
    reason: str


class Approved(msgspec.Struct, frozen=True):
    """Permission for exactly one order. `worst_ticks` bounds the price, `expires_ms` the time (engine clock); `leg` as
    in `Intent`."""

    intent_id: str
    symbol: str
    side: Side
    type: OrderType
    purpose: Purpose
    steps: int
    price_ticks: int
    trigger_ticks: int
    worst_ticks: int
    reduce_only: bool
    close_position: bool
    limits_hash: str
    expires_ms: int
    leg: int
    seal: bytes


def seal_of(key: bytes, approved: Approved) -> bytes:
    """HMAC-SHA256 over every field but the seal, in field order."""
    fields = msgspec.structs.astuple(approved)[:-1]
    return hmac.new(key, msgspec.msgpack.encode(fields), hashlib.sha256).digest()


def sealed(key: bytes, approved: Approved) -> bool:
    """Whether the seal is genuine."""
    return hmac.compare_digest(approved.seal, seal_of(key, approved))
