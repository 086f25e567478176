"""Time that moves only when every attached client has sent its barrier (quant Q3).

The phases of a bar, one barrier each: `funding` for each settlement due, `open`, `rest`, `rest` again as long as the
one before had anything to report, `close`; after the last bar `end`. A client that wants a phase sends barriers until
it gets it. At `open` the clock stands at the bar's open, at `rest` a millisecond before its close, at `close` on it.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from aister.core.errors import UsageError
from aister.exchange_sim.exchange import Exchange
from aister.exchange_sim.streams import Connection

__all__ = ["Lockstep", "Phase"]


class Phase(msgspec.Struct, frozen=True):
    """Where the market is: `number` rises by one with every move."""

    number: int
    name: str
    time_ms: int
    open_ms: int


class Lockstep:
    """Barriers of an exchange in lockstep. Raises `UsageError` for one that is not."""

    def __init__(self, exchange: Exchange) -> None:
        if not exchange.settings.lockstep:
            raise UsageError("This exchange runs by itself; start it with lockstep to move it by barriers.")
        self._exchange = exchange
        self._clients: dict[str, bool] = {}
        self._waiting: list[tuple[Connection, Any]] = []
        self._stirred = False
        self._funding = 0
        self.phase = Phase(0, "close", exchange.now_ms, exchange.now_ms)
        self.moved: list[Callable[[Phase], None]] = []
        exchange.hub.on_barrier = self._in_band

    def attach(self, client: str) -> None:
        """Wait for this client from now on."""
        self._clients.setdefault(client, False)

    def detach(self, client: str) -> None:
        """Wait for it no longer; the others may move on."""
        self._clients.pop(client, None)
        self._move_if_all()

    def barrier(self, client: str) -> int:
        """The client is done with this phase; returns the number of the phase it now waits for. The clock has moved
        when `phase.number` has reached it."""
        self.attach(client)
        wanted = self.phase.number + 1
        self._clients[client] = True
        self._move_if_all()
        return wanted

    def _in_band(self, connection: Connection, number: Any) -> None:
        """A BARRIER frame: answered once the clock has moved."""
        self._waiting.append((connection, number))
        self.barrier(f"connection {connection.number}")

    def _move_if_all(self) -> None:
        if not self._clients or not all(self._clients.values()):
            return
        for client in self._clients:
            self._clients[client] = False
        self.phase = self._next()
        self._exchange.tell()
        waiting, self._waiting = self._waiting, []
        for connection, number in waiting:
            self._exchange.hub.send(connection, {"result": msgspec.to_builtins(self.phase), "id": number})
        for told in self.moved:
            told(self.phase)

    def _next(self) -> Phase:
        exchange, was = self._exchange, self.phase
        player = exchange.player
        if was.name == "open" or (was.name == "rest" and self._stirred):
            assert player.leg is not None
            exchange.advance(player.leg.end_ms - 1)
            self._stirred = player.rest(again=was.name == "rest")
            return self._at("rest", was.open_ms)
        if was.name == "rest":
            assert player.leg is not None
            exchange.advance(player.leg.end_ms)
            player.close()
            return self._at("close", was.open_ms)
        leg = exchange.market.next_leg()
        if leg is None:
            return self._at("end", was.open_ms)
        due = leg.market.funding
        if self._funding < len(due):
            settled = due[self._funding]
            self._funding += 1
            exchange.advance(settled.time_ms)
            player.settle(settled, leg)
            return self._at("funding", leg.start_ms)
        self._funding = 0
        exchange.advance(leg.start_ms)
        player.begin(settled=True)
        return self._at("open", leg.start_ms)

    def _at(self, name: str, open_ms: int) -> Phase:
        return Phase(self.phase.number + 1, name, self._exchange.now_ms, open_ms)
