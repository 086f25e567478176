"""The wire over sockets: aiohttp, one keep-alive pool, TLS checked, nothing repeated, no redirect followed."""

import asyncio
import time
from typing import Literal

import aiohttp
from yarl import URL

from aister.adapters.exchanges.aster.hosts import Net
from aister.adapters.exchanges.aster.wire import Frames, Lost, Reply

__all__ = ["FastClock", "SocketFrames", "SocketWire", "WallClock"]

_LARGEST_BODY = 32 << 20
_LARGEST_FRAME = 8 << 20
_CONNECT_S = 2.0
_IDLE_S = 25.0
_PING_S = 20.0
_CLOSED = "This program has closed its connections to the venue."
_NEVER_LEFT = (
    aiohttp.ClientConnectorError,  # refused, no route, no such host, TLS
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


class WallClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        return time.monotonic() * 1000.0

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000.0)


class FastClock:
    """A clock that runs `speed` times as fast as the machine's, from a venue's time on: for a simulator that is served
    so. `meet` sets it."""

    def __init__(self, speed: float) -> None:
        self._speed, self._begun = speed, time.monotonic()
        self._wall_ms = time.time_ns() / 1_000_000

    def now_ms(self) -> int:
        return round(self._wall_ms + self.monotonic_ms())

    def monotonic_ms(self) -> float:
        return (time.monotonic() - self._begun) * 1000.0 * self._speed

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000.0 / self._speed)

    def meet(self, venue_ms: int) -> None:
        """It is that time at the venue now."""
        self._wall_ms = venue_ms - self.monotonic_ms()


class SocketWire:
    """REST and websockets of one net. Open it inside a running event loop; `close` it there."""

    def __init__(self, where: Net) -> None:
        self._rest = where.rest
        self._stream = where.stream
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=32, keepalive_timeout=_IDLE_S, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=None, connect=_CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            trust_env=False,
        )
        # aiohttp repeats idempotent requests on a connection that died; a signed one must never be sent twice.
        self._session._retry_connection = False

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        if self._session.closed:
            return Lost(False, _CLOSED)
        target = f"{self._rest}{path}?{query.decode('ascii')}" if query else f"{self._rest}{path}"
        try:
            async with asyncio.timeout(timeout_ms / 1000.0):
                async with self._session.request(
                    method,
                    URL(target, encoded=True),  # what was signed is what is sent
                    data=body or None,
                    headers=dict(headers),
                    allow_redirects=False,
                ) as response:
                    told = {name.lower(): value for name, value in response.headers.items()}
                    content = bytearray()
                    async for part in response.content.iter_any():
                        content += part
                        if len(content) > _LARGEST_BODY:
                            return Lost(True, "The venue's answer is too large to be true.")
                    return Reply(response.status, told, bytes(content))
        except _NEVER_LEFT as error:
            return Lost(False, f"No connection to {self._rest} ({type(error).__name__}); check the network.")
        except TimeoutError:
            return Lost(True, f"No answer from {self._rest} within {timeout_ms} ms.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Lost(True, f"The connection to {self._rest} broke ({type(error).__name__}).")

    async def connect(self, path: str, timeout_ms: int) -> Frames | Lost:
        if self._session.closed:
            return Lost(False, _CLOSED)
        try:
            async with asyncio.timeout(timeout_ms / 1000.0):
                socket = await self._session.ws_connect(
                    URL(f"{self._stream}{path}", encoded=True),
                    autoping=True,
                    heartbeat=_PING_S,
                    max_msg_size=_LARGEST_FRAME,
                    compress=0,
                    decode_text=False,
                )
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return Lost(False, f"No stream from {self._stream} ({type(error).__name__}); check the network.")
        return SocketFrames(socket)

    async def close(self) -> None:
        await self._session.close()


class SocketFrames:
    """One websocket. Pings are answered, and a peer that answers none of ours counts as closed."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[Literal[False]]) -> None:
        self._socket = socket
        # What has arrived is taken without a timer, which costs as much as the frame itself in a burst.
        self._arrived = getattr(socket, "_reader", None)

    async def receive(self, timeout_ms: int) -> bytes | None:
        waits = not getattr(self._arrived, "_size", 0)
        try:
            message = await self._socket.receive(timeout_ms / 1000.0 if waits else None)
        except TimeoutError:
            return b""
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return None
        frame: bytes = message.data
        return frame

    async def send(self, text: bytes) -> bool:
        try:
            await self._socket.send_str(text.decode("utf-8"))
        except (ConnectionError, RuntimeError, aiohttp.ClientError):
            return False
        return True

    async def close(self) -> None:
        await self._socket.close()
