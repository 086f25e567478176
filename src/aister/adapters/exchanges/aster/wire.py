"""The way to the exchange, small enough to have two: sockets, and a simulator in the same process under virtual time.

What happened to a request is a value: a `Reply`, or `Lost` that says whether a byte of it may have left.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

__all__ = ["Clock", "Frames", "Lost", "Reply", "Wire"]


class Reply(msgspec.Struct, frozen=True):
    """Status, headers (names in lower case) and the raw body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lost(msgspec.Struct, frozen=True):
    """No reply. `written` False: not one byte of the request left this machine; True: it may have arrived."""

    written: bool
    why: str


class Frames(Protocol):
    """One websocket connection."""

    async def receive(self, timeout_ms: int) -> bytes | None:
        """The next text frame; empty when none came in time (the connection may still live); None: it is closed."""
        ...

    async def send(self, text: bytes) -> bool:
        """False: the connection is closed."""
        ...

    async def close(self) -> None: ...


class Wire(Protocol):
    """Requests and websockets to one net. Nothing is repeated and no redirect is followed here."""

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost: ...

    async def connect(self, path: str, timeout_ms: int) -> Frames | Lost:
        """A websocket at a path of the stream host, such as /ws/btcusdt@depth."""
        ...


class Clock(Protocol):
    """The only way to the time: wall time (ms UTC, may step), a clock that never steps, and waiting."""

    def now_ms(self) -> int: ...
    def monotonic_ms(self) -> float: ...
    async def sleep(self, ms: float) -> None: ...
