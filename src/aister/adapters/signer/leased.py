"""Entries end before the lease does: what opens is signed only until 2/3 of the TTL after the last renewal (C4)."""

import time
from collections.abc import Callable

from aister.adapters.signer.charter import TRADE
from aister.ports.signer import Call, Declined, Signed, Signer

__all__ = ["LeasedSigner"]


class LeasedSigner:
    """Port `Signer` around another. `entries_until_s` tells the monotonic second from which on nothing new is signed
    (0 = the lease is lost); reductions, cancels and reads pass, the signer fences them by epoch."""

    def __init__(
        self, signer: Signer, entries_until_s: Callable[[], float], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._signer, self._until, self._monotonic = signer, entries_until_s, monotonic

    @property
    def address(self) -> str:
        return self._signer.address

    def sign(self, call: Call) -> Signed | Declined:
        if call.right == TRADE and self._monotonic() >= self._until():
            return Declined("epoch", "The account's lease could not be renewed; nothing is opened until it is.")
        return self._signer.sign(call)
