"""Who signs requests: another process, which holds the key and says no to whatever is not on its list."""

from typing import Protocol

import msgspec

__all__ = ["Call", "Declined", "Signed", "Signer"]


class Call(msgspec.Struct, frozen=True, array_like=True):
    """One request in the order its parameters are to be sent, before nonce, account and signature.

    `right` is what the caller acts as: "trade", "reduce" (closes, stops, cancels; the watcher has no other) or "read".
    `epoch` is the lease's; reductions carry it too, but are signed by the watcher without one (-1).
    `nonce_us` 0 = take the next; a `void` names the nonce it wants to kill.
    `notional` is the order's worst notional in money units as the caller reckons it (the signer reckons its own).
    `venue_ms`: the venue's clock as the caller has measured it, of which nonces are made; 0 = not measured.
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    right: str
    epoch: int
    nonce_us: int = 0
    notional: int = 0
    venue_ms: int = 0


class Signed(msgspec.Struct, frozen=True, array_like=True):
    """The exact bytes to send (query or form body) and what else the request needs. `headers` name no secret but a
    public API key."""

    payload: bytes
    headers: tuple[tuple[str, str], ...]
    nonce_us: int


class Declined(msgspec.Struct, frozen=True, array_like=True):
    """Not signed: one sentence that names the remedy. `kind`: path | parameter | cap | epoch | clock | key | busy."""

    kind: str
    reason: str


class Signer(Protocol):
    """Signs or declines, at once (a local process: tens of microseconds). Raises `SignerUnreachable` when nobody
    answers; nothing was signed then."""

    @property
    def address(self) -> str:
        """Public identity of the key: agent address (V3) or API key (V1)."""
        ...

    def sign(self, call: Call) -> Signed | Declined: ...
