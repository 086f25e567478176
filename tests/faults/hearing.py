"""Whether the account's stream is there again after the venue said that its key had expired (aster-api 9): by the
exchange's own connections. A trader that does not hear it is found out late, by surveys, and looks well meanwhile."""

import asyncio
from collections.abc import Callable

from aister.exchange_sim import Account, Exchange

__all__ = ["DEAF_MS", "Hearing"]

DEAF_MS = 30_000
_LOOK_S = 1.0


class Hearing:
    """`blind` tells how much of a span (ms) nobody could act, `breach` is told what is wrong and since when."""

    def __init__(
        self,
        exchange: Exchange,
        account: Account,
        blind: Callable[[int, int, bool], int],
        breach: Callable[[str, int, str], None],
    ) -> None:
        self._exchange, self._account, self._blind, self._breach = exchange, account, blind, breach
        self._since_ms = -1

    def expired(self, number: int) -> None:
        """A connection of this account was told so."""
        if number == self._account.number and self._since_ms < 0:
            self._since_ms = self._exchange.now_ms
            asyncio.get_running_loop().call_later(_LOOK_S, self._look)

    def _look(self) -> None:
        now_ms, since_ms = self._exchange.now_ms, self._since_ms
        if any(one.account == self._account.number for one in self._exchange.hub.connections.values()):
            self._since_ms = -1
            return
        lasted = now_ms - since_ms - self._blind(since_ms, now_ms, False)
        if lasted > DEAF_MS:
            self._breach("deaf", since_ms, f"the stream's key had expired, and nobody listened for {lasted} ms")
            self._since_ms = -1
            return
        asyncio.get_running_loop().call_later(_LOOK_S, self._look)
