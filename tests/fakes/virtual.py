"""The simulated exchange as a wire under virtual time: many tasks wait at once, and when all of them do, time jumps to
the moment that comes next. Hours pass in milliseconds, and a run is the same every time.

    world = World(exchange)
    world.run(scene())          # world.wire and world.clock are what the client is given
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from aister.adapters.exchanges.aster.wire import Frames, Lost, Reply
from aister.exchange_sim import Connection, Exchange, Refusal, Request

__all__ = ["VirtualLoop", "World"]

T = TypeVar("T")
_NEVER_MS = 10**9
_PING_MS = 30_000


class _Jumping(selectors.DefaultSelector):
    """Never waits: where a loop would sleep, its time moves."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> Any:
        if timeout == 0:
            return ()  # no socket is ever looked at while there is something to do
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("Every task waits for something that never comes.")
            self.loop.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time moves only when nothing else is to be done."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


class World:
    """One exchange, one virtual loop, the wire between them (`delay_ms` each way) and a clock. `wall_ahead_ms`: how
    wrong this machine's wall clock is."""

    def __init__(self, exchange: Exchange, delay_ms: float = 5.0) -> None:
        self.exchange = exchange
        self.delay_ms = delay_ms
        self.wall_ahead_ms = 0
        self.start_us = exchange.now_us
        self.loop = VirtualLoop()
        self.sent: list[Request] = []
        self.opened: list[str] = []
        self._moved = asyncio.Event()
        self.wire = self
        self.clock = self

    def run(self, scene: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            return runner.run(scene)

    # ---- the clock

    def now_ms(self) -> int:
        return self._now_us() // 1000 + self.wall_ahead_ms

    def monotonic_ms(self) -> float:
        return self.loop.now * 1000.0

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000.0)

    def _now_us(self) -> int:
        return self.start_us + round(self.loop.now * 1e6)

    def catch_up(self) -> None:
        """Play the exchange up to now."""
        self.exchange.advance_us(self._now_us())

    def wake(self) -> None:
        """Something happened at the exchange out of turn: those who wait for frames look again."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    # ---- the wire

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        request = Request(method, path, query, body, {name.lower(): value for name, value in headers})
        self.sent.append(request)
        await self.sleep(self.delay_ms)
        self.catch_up()
        response = self.exchange.handle(request)
        self.wake()
        if response.status < 0:
            return Lost(False, "Nobody listens there.")
        left = timeout_ms - self.delay_ms
        if response.status == 0 or response.delay_ms + self.delay_ms > left:
            await self.sleep(max(0.0, left))
            return Lost(True, f"No answer within {timeout_ms} ms.")
        await self.sleep(response.delay_ms + self.delay_ms)
        told = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, told, response.body)

    async def connect(self, path: str, timeout_ms: int) -> Frames | Lost:
        await self.sleep(self.delay_ms)
        self.catch_up()
        where, _, query = path.partition("?")
        try:
            connection = self.exchange.connect(where, query)
        except Refusal as refusal:
            return Lost(True, f"{refusal.text} (within {timeout_ms} ms)")
        self.opened.append(path)
        return _Frames(self, connection)

    async def news(self, wait_ms: float) -> None:
        """Wait, at most so long, until something happens out of turn."""
        try:
            async with asyncio.timeout(wait_ms / 1000.0):
                await self._moved.wait()
        except TimeoutError:
            pass


class _Frames:
    """One connection. A half-open one is found out by its pings, as a socket's is."""

    def __init__(self, world: World, connection: Connection) -> None:
        self._world = world
        self._connection = connection
        self._waiting: list[str] = []
        self._silent_since: float | None = None

    async def receive(self, timeout_ms: int) -> bytes | None:
        world, connection = self._world, self._connection
        until = world.monotonic_ms() + timeout_ms
        while True:
            world.catch_up()
            for _ in range(connection.take_pings()):
                connection.pong()
            self._waiting += connection.take()
            if self._waiting:
                return self._waiting.pop(0).encode()
            now = world.monotonic_ms()
            if connection.silent and self._silent_since is None:
                self._silent_since = now
            if connection.closed or (self._silent_since is not None and now - self._silent_since >= _PING_MS):
                return None
            if now >= until:
                return b""
            due = [one for one in (world.exchange.next_due_ms(), connection.next_due_ms) if one is not None]
            wait = min(due, default=_NEVER_MS + world.exchange.now_ms) - world._now_us() / 1000.0
            if self._silent_since is not None:
                wait = min(wait, self._silent_since + _PING_MS - now)
            await world.news(max(0.001, min(wait, until - now)))

    async def send(self, text: bytes) -> bool:
        self._world.catch_up()
        if self._connection.closed:
            return False
        self._connection.receive(text.decode())
        self._world.wake()
        return True

    async def close(self) -> None:
        self._connection.close(1000)
