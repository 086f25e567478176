"""One live trader per account: a lease with an epoch that rises with every holder (C4)."""

from typing import Protocol

import msgspec

__all__ = ["Held", "Lease"]


class Held(msgspec.Struct, frozen=True):
    """The lease is ours: `epoch` is higher than any before it, `renew_by_s` the monotonic second from which on nothing
    new is signed unless it was renewed."""

    account: str
    epoch: int
    renew_by_s: float


class Lease(Protocol):
    """Time inside is monotonic. TTL 10 s, renewed every 3 s; a holder that cannot renew stops entering at 2/3."""

    def take(self, account: str, holder: str) -> Held | str:
        """The lease, or one sentence on who holds it and until when."""
        ...

    def renew(self, held: Held) -> Held | None:
        """None: it was lost."""
        ...

    def release(self, held: Held) -> None: ...
    def epoch(self, account: str) -> int:
        """The highest epoch given out."""
        ...
