"""One operating-system process under virtual time: its tasks, its clock and its way to the exchange.

`kill` is SIGKILL: its tasks are dropped where they stand, its sockets break, requests whose bytes have left still
arrive. `halt` and `go_on` are SIGSTOP and SIGCONT: whatever it waits for is only noticed when it goes on.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from aister.adapters.exchanges.aster.wire import Frames, Lost, Reply
from tests.fakes.virtual import World

__all__ = ["Process", "running"]

_OWNER: ContextVar["Process | None"] = ContextVar("owner", default=None)


def running() -> "Process | None":
    """The process whose work goes on now; None: nobody's."""
    return _OWNER.get()


class Process:
    """Port `Wire` and port `Clock` of everything that runs in it. `noticed` is called whenever it has waited for
    something outside, and before it asks for something; once it is `overtaken`, `acted` names what it still asked for
    that may change something."""

    def __init__(self, world: World, noticed: Callable[[], None] = lambda: None) -> None:
        self._world, self._noticed = world, noticed
        self.dead = False
        self.watches = False
        self.overtaken = False
        self.acted: list[str] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self._frames: list[Frames] = []
        self._runs = asyncio.Event()
        self._runs.set()

    # ---- its life

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run this in the process, and whatever it starts."""
        token = _OWNER.set(self)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            _OWNER.reset(token)

    @property
    def halted(self) -> bool:
        return not self._runs.is_set()

    def halt(self) -> None:
        self._runs.clear()

    def go_on(self) -> None:
        self._runs.set()

    async def awake(self) -> None:
        """Where a wait ends that something outside ended."""
        while self.halted:
            await self._runs.wait()
        self._noticed()

    async def kill(self) -> None:
        self.dead = True
        mine = [task for task in self.tasks if not task.done() and task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        for frames in self._frames:
            await frames.close()

    # ---- its clock

    def now_ms(self) -> int:
        return self._world.now_ms()

    def monotonic_ms(self) -> float:
        return self._world.monotonic_ms()

    async def sleep(self, ms: float) -> None:
        await self._world.sleep(ms)
        await self.awake()

    # ---- its wire

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        self._noticed()
        if self.dead:
            await asyncio.Event().wait()
        if self.overtaken and method != "GET" and not path.endswith("/listenKey"):
            self.acted.append(f"{method} {path}")
        reply = await self._world.send(method, path, query, body, headers, timeout_ms)
        await self.awake()
        return reply

    async def connect(self, path: str, timeout_ms: int) -> Frames | Lost:
        frames = await self._world.connect(path, timeout_ms)
        await self.awake()
        if isinstance(frames, Lost):
            return frames
        self._frames.append(frames)
        return _Held(self, frames)


class _Held:
    """A connection of the process: frames wait in its socket while it is halted."""

    def __init__(self, process: Process, frames: Frames) -> None:
        self._process, self._frames = process, frames

    async def receive(self, timeout_ms: int) -> bytes | None:
        frame = await self._frames.receive(timeout_ms)
        await self._process.awake()
        return frame

    async def send(self, text: bytes) -> bool:
        return await self._frames.send(text)

    async def close(self) -> None:
        await self._frames.close()


def owned_tasks(loop: asyncio.AbstractEventLoop, work: Any, **given: Any) -> asyncio.Task[Any]:
    """The loop's task factory: every task belongs to the process that started it."""
    task = asyncio.Task(work, loop=loop, **given)
    owner = _OWNER.get()
    if owner is not None:
        owner.tasks.add(task)
        task.add_done_callback(owner.tasks.discard)
    return task
