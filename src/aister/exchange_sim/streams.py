"""Websocket connections without sockets: what a client sends, what waits to be sent to it (aster-api 8 and 9)."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from aister.exchange_sim.settings import Settings

__all__ = ["Connection", "Hub"]

_CENTURY_MS = 100 * 365 * 86_400_000
_CONTROLS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY", "BARRIER")


class Connection:
    """One websocket. `combined` frames are wrapped as {"stream", "data"}. `closed` is a close code once it is over;
    `silent`: half open, nothing comes any more and nothing is closed. `account` 0 = market streams."""

    def __init__(self, number: int, hub: "Hub", *, combined: bool, account: int, remote: str, now_ms: int) -> None:
        self.number, self.combined, self.account, self.remote = number, combined, account, remote
        self.streams: dict[str, None] = {}
        self.opened_ms = self.ponged_ms = self.pinged_ms = now_ms
        self.closed = 0
        self.silent = False
        self._hub = hub
        self._tick_ms = self._ticks()
        self._frames: list[tuple[int, int, str]] = []
        self._sent: deque[int] = deque()
        self._pings = 0

    def receive(self, text: str) -> None:
        """A text frame from the client."""
        self._hub.receive(self, text)

    def pong(self) -> None:
        """A pong frame, asked for or not."""
        self.ponged_ms = self._hub.now_ms()
        self._tick_ms = self._ticks()
        self.counted()

    def ping(self) -> None:
        """A ping frame from the client: the shell answers it; it counts as a message."""
        self.counted()

    def take(self) -> list[str]:
        """The text frames due by now."""
        frames, now = self._frames, self._hub.now_ms()
        if self.silent:
            return []
        taken = []
        while frames and frames[0][0] <= now:
            taken.append(heapq.heappop(frames)[2])
        return taken

    def take_pings(self) -> int:
        """Ping frames to be sent by now."""
        taken, self._pings = self._pings, 0
        return 0 if self.silent else taken

    @property
    def pinged(self) -> bool:
        """Whether a ping waits to be sent."""
        return self._pings > 0 and not self.silent

    @property
    def next_due_ms(self) -> int | None:
        return self._frames[0][0] if self._frames and not self.silent else None

    def push(self, text: str, due_ms: int, order: int) -> None:
        heapq.heappush(self._frames, (due_ms, order, text))

    def tick(self, now_ms: int, settings: Settings) -> None:
        """Ping every five minutes, close without a pong for fifteen or after a day (aster-api 8)."""
        if self.silent or settings.lockstep:
            return
        if now_ms - self.opened_ms >= settings.connection_ms or now_ms - self.ponged_ms >= settings.pong_ms:
            self.close(1001)
        elif now_ms - self.pinged_ms >= settings.ping_ms:
            self.pinged_ms = now_ms
            self._pings += 1
            self._tick_ms = self._ticks()

    def next_tick_ms(self, settings: Settings) -> int:
        """When it wants its tick next; half open or in lockstep, never (a century)."""
        if self.silent or settings.lockstep:
            return self.opened_ms + _CENTURY_MS
        return self._tick_ms

    def _ticks(self) -> int:
        settings = self._hub.settings
        ends = min(self.opened_ms + settings.connection_ms, self.ponged_ms + settings.pong_ms)
        return min(ends, self.pinged_ms + settings.ping_ms)

    def close(self, code: int) -> None:
        if not self.closed:
            self.closed = code
            self._hub.forget(self)

    def counted(self) -> bool:
        """Ten messages a second, else the connection ends (aster-api 8)."""
        now, settings = self._hub.now_ms(), self._hub.settings
        self._sent.append(now)
        while self._sent[0] <= now - 1_000:
            self._sent.popleft()
        if len(self._sent) > settings.messages_per_second:
            self.close(1008)
            return False
        return True


class Hub:
    """All connections, and who listens to which stream. `ask` says when copies of a frame arrive (a fault's word)."""

    def __init__(
        self,
        settings: Settings,
        now_ms: Callable[[], int],
        ask: Callable[[Connection, str], Iterable[int]],
    ) -> None:
        self.settings, self.now_ms, self._ask = settings, now_ms, ask
        self.on_barrier: Callable[[Connection, Any], None] = lambda connection, number: None
        self.connections: dict[int, Connection] = {}
        self.listeners: dict[str, dict[int, Connection]] = {}
        self._count = 0

    def open(self, *, streams: Iterable[str] = (), combined: bool, account: int = 0, remote: str) -> Connection:
        """A new connection that listens to these streams, or to an account."""
        self._count += 1
        made = Connection(self._count, self, combined=combined, account=account, remote=remote, now_ms=self.now_ms())
        self.connections[made.number] = made
        for stream in streams:
            self._listen(made, stream)
        return made

    def forget(self, connection: Connection) -> None:
        self.connections.pop(connection.number, None)
        for stream in list(connection.streams):
            self._leave(connection, stream)

    def publish(self, stream: str, payload: Any) -> None:
        """Send to everybody who listens to the stream."""
        for connection in list(self.listeners.get(stream, {}).values()):
            self.send(connection, {"stream": stream, "data": payload} if connection.combined else payload)

    def tell(self, account: int, payload: Any) -> None:
        """Send to the user streams of an account."""
        for connection in list(self.connections.values()):
            if connection.account == account:
                self.send(connection, payload)

    def send(self, connection: Connection, payload: Any) -> None:
        if connection.closed:
            return
        text = msgspec.json.encode(payload).decode()
        for due_ms in self._ask(connection, text):
            self._count += 1
            connection.push(text, due_ms, self._count)

    def receive(self, connection: Connection, text: str) -> None:
        """A control frame (aster-api 8); ids may be missing (aster-api 13)."""
        if connection.closed or ('"BARRIER"' not in text and not connection.counted()):
            return
        try:
            asked = msgspec.json.decode(text)
        except msgspec.DecodeError:
            self.send(connection, {"code": 3, "msg": "Invalid JSON: not JSON"})
            return
        if not isinstance(asked, dict) or asked.get("method") not in _CONTROLS:
            self.send(connection, {"code": 0, "msg": "Unknown property"})
            return
        answer = self._control(connection, asked["method"], asked.get("params") or [], asked.get("id"))
        if answer is not None:
            self.send(connection, answer)

    def _control(self, connection: Connection, method: str, params: Any, number: Any) -> dict[str, Any] | None:
        result: Any = None
        if method == "BARRIER":
            self.on_barrier(connection, number)
            return None
        if method == "SUBSCRIBE":
            if len(connection.streams) + len(params) > self.settings.streams_per_connection:
                return {"code": 1, "msg": "Too many streams on one connection"}
            for stream in params:
                self._listen(connection, str(stream))
        elif method == "UNSUBSCRIBE":
            for stream in params:
                self._leave(connection, str(stream))
        elif method == "LIST_SUBSCRIPTIONS":
            result = list(connection.streams)
        elif method == "GET_PROPERTY":
            result = connection.combined
        else:
            if len(params) != 2 or params[0] != "combined" or not isinstance(params[1], bool):
                return {"code": 1, "msg": "Invalid value type: expected Boolean"}
            connection.combined = params[1]
        return {"result": result, "id": number}

    def _listen(self, connection: Connection, stream: str) -> None:
        connection.streams[stream] = None
        self.listeners.setdefault(stream, {})[connection.number] = connection

    def _leave(self, connection: Connection, stream: str) -> None:
        connection.streams.pop(stream, None)
        heard = self.listeners.get(stream, {})
        heard.pop(connection.number, None)
        if not heard:
            self.listeners.pop(stream, None)
