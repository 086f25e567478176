"""The simulated exchange as a wire under virtual time: many tasks wait at once, and when all of them do, time jumps to
the moment that comes next. Hours pass in milliseconds, and a run is the same every time.

    world = World(exchange)
    world.run(scene())          # world.wire and world.clock are what the client is given
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from aister.adapters.exchanges.aster.wire import Frames, Lost, Reply
from aister.exchange_sim import Connection, Exchange, Refusal, Request

__all__ = ["VirtualLoop", "World"]

T = TypeVar("T")
_NEVER_MS = 10**15
_PING_MS = 30_000
_INSTANT_S = 1e-9


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time moves only when nothing else is to be done. What is due at the same moment comes in the
    order in which it was asked for."""

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._asked = 0
        super().__init__()

    def time(self) -> float:
        return self.now

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._asked += 1
        heapq.heappush(self._timers, (when, self._asked, timer))
        return timer

    def _run_once(self) -> None:
        """One round, as the base class has it, without a look at sockets: there are none."""
        ready, timers = self._ready, self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not ready and not self._stopping:
            if not timers:
                raise RuntimeError("Every task waits for something that never comes.")
            self.now = max(self.now, timers[0][0])
        until = self.now + _INSTANT_S
        while timers and timers[0][0] < until:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()


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
        self._waiting: dict[_Frames, None] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_ms = 0
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
        if ms <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = self.loop.create_future()
        timer = self.loop.call_later(ms / 1000.0, _end, future, None)
        try:
            await future
        finally:
            timer.cancel()

    def _now_us(self) -> int:
        return self.start_us + round(self.loop.now * 1e6)

    def catch_up(self) -> None:
        """Play the exchange up to now."""
        self.exchange.advance_us(self._now_us())

    def wake(self) -> None:
        """Something happened at the exchange: those for whom something has come stop waiting."""
        for frames in list(self._waiting):
            frames.look()
        self._arm()

    def _arm(self) -> None:
        """While somebody waits for frames, the exchange is played on when its time has come."""
        due_ms = self.exchange.next_due_ms() if self._waiting else None
        if self._alarm is not None:
            if due_ms == self._alarm_ms:
                return
            self._alarm.cancel()
            self._alarm = None
        if due_ms is not None:
            wait_s = max(1e-6, (due_ms * 1000 - self._now_us()) / 1e6)
            self._alarm, self._alarm_ms = self.loop.call_later(wait_s, self._ring), due_ms

    def _ring(self) -> None:
        self._alarm = None
        self.catch_up()
        self.wake()

    # ---- the wire

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        return await self.send(method, path, query, body, headers, timeout_ms)

    def send(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> asyncio.Future[Reply | Lost]:
        """The bytes leave now and arrive, whether or not anybody still waits for what comes back."""
        request = Request(method, path, query, body, {name.lower(): value for name, value in headers})
        self.sent.append(request)
        answer: asyncio.Future[Reply | Lost] = self.loop.create_future()
        self.loop.call_later(self.delay_ms / 1000.0, self._arrive, request, timeout_ms, answer)
        return answer

    def _arrive(self, request: Request, timeout_ms: int, answer: asyncio.Future[Reply | Lost]) -> None:
        try:
            self.catch_up()
            response = self.exchange.handle(request)
        except Exception as error:
            if answer.cancelled():
                raise
            answer.set_exception(error)
            return
        self.wake()
        left = timeout_ms - self.delay_ms
        if response.status < 0:
            _end(answer, Lost(False, "Nobody listens there."))
        elif response.status == 0 or response.delay_ms + self.delay_ms > left:
            lost = Lost(True, f"No answer within {timeout_ms} ms.")
            self.loop.call_later(max(0.0, left) / 1000.0, _end, answer, lost)
        else:
            told = {name.lower(): value for name, value in response.headers.items()}
            reply = Reply(response.status, told, response.body)
            self.loop.call_later((response.delay_ms + self.delay_ms) / 1000.0, _end, answer, reply)

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

    async def news(self, frames: "_Frames", wait_ms: float) -> None:
        """Wait, at most so long, until something comes for these frames."""
        future = frames.stirred = self.loop.create_future()
        timer = self.loop.call_later(wait_ms / 1000.0, _end, future, None)
        self._waiting[frames] = None
        self._arm()
        try:
            await future
        finally:
            timer.cancel()
            del self._waiting[frames]


class _Frames:
    """One connection. A half-open one is found out by its pings, as a socket's is."""

    def __init__(self, world: World, connection: Connection) -> None:
        self.stirred: asyncio.Future[None] | None = None
        self._world = world
        self._connection = connection
        self._waiting: list[str] = []
        self._silent_since: float | None = None
        self._until_ms = 0.0

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
            self._until_ms, wait = _NEVER_MS, until - now
            if connection.next_due_ms is not None:
                self._until_ms = connection.next_due_ms
                wait = min(wait, self._until_ms - world.exchange.now_us / 1000.0)
            if self._silent_since is not None:
                wait = min(wait, self._silent_since + _PING_MS - now)
            await world.news(self, max(0.001, wait))

    def look(self) -> None:
        """Stop waiting if there is something to take, or to wait for anew."""
        connection = self._connection
        due_ms = connection.next_due_ms
        sooner = due_ms is not None and due_ms < self._until_ms
        silent = connection.silent and self._silent_since is None
        if self.stirred is not None and (sooner or silent or connection.pinged or connection.closed):
            _end(self.stirred, None)

    async def send(self, text: bytes) -> bool:
        self._world.catch_up()
        if self._connection.closed:
            return False
        self._connection.receive(text.decode())
        self._world.wake()
        return True

    async def close(self) -> None:
        self._connection.close(1000)


def _end(future: asyncio.Future[T], result: T) -> None:
    """Unless nobody waits for it any more."""
    if not future.done():
        future.set_result(result)
