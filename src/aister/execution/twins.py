"""Traces of another installation on the same account: entries freeze until ten minutes after its last one (C5)."""

import asyncio

from aister.execution.identity import instance_of
from aister.execution.telling import Teller
from aister.ports.exchange import Exchange

__all__ = ["Twins"]


class Twins:
    """`instance` is ours; `twin_ms`: how long a trace counts. `until_ms`: until then entries stay frozen."""

    def __init__(self, exchange: Exchange, teller: Teller, instance: str, twin_ms: int) -> None:
        self._exchange, self._teller = exchange, teller
        self._instance, self._twin_ms = instance, twin_ms
        self.until_ms = 0
        self._unread: set[str] | None = None

    def noticed(self, client_id: str, at_ms: int = 0) -> None:
        """An order, or news of one, whosever it is; of now or of `at_ms`."""
        instance = instance_of(client_id)
        now_ms = self._exchange.now_ms()
        until_ms = (at_ms or now_ms) + self._twin_ms
        if instance is not None and instance != self._instance and until_ms > now_ms:
            self.until_ms = max(self.until_ms, until_ms)
            self._teller.freeze("twin", f"Another installation of AISTER ({instance}) trades this account.")

    async def look_back(self, symbols: tuple[str, ...]) -> None:
        """Before the first entry, and at each survey until every symbol's could be read once: its trades tell of it
        while nothing of it is open."""
        if self._unread is None:
            self._unread = set(symbols)
        since_ms, names = self._exchange.now_ms() - self._twin_ms, sorted(self._unread)
        several = await asyncio.gather(*(self._exchange.executions(one, since_ms) for one in names))
        for symbol, told in zip(names, several, strict=True):
            if isinstance(told, tuple):
                self._unread.discard(symbol)
                for execution in told:
                    self.noticed(execution.client_id, execution.time_ms)
