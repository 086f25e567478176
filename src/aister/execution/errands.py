"""Work done beside everything else in one event loop: begun from any thread, waited for, or dropped."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Errands"]


class Errands:
    """`failed` hears of an error that ended one; it is raised again for the loop to report. `threaded` when `post` is
    called from another thread than the loop's."""

    def __init__(self, failed: Callable[[BaseException], None], threaded: bool) -> None:
        self._failed, self._threaded = failed, threaded
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox: deque[Callable[[], None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_work = 0
        self._rest = asyncio.Event()

    def start(self) -> None:
        """Begin; to be called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._drain()

    async def idle(self) -> None:
        """Until nothing is under way but background work."""
        self._drain()
        while self._at_work:
            self._rest.clear()
            await self._rest.wait()
            self._drain()

    async def stop(self) -> None:
        """Drop everything where it stands."""
        tasks, self._tasks = list(self._tasks), set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def post(self, act: Callable[[], None]) -> None:
        """Do this in the loop, as soon as it has started."""
        self._inbox.append(act)
        if self._loop is not None:
            if self._threaded:
                self._loop.call_soon_threadsafe(self._drain)
            else:
                self._drain()

    def run(self, work: Coroutine[Any, Any, None], *, background: bool = False) -> None:
        """Work on it beside everything else; `idle` waits for it unless it is in the background."""
        assert self._loop is not None, "start() comes first"
        task = self._loop.create_task(work)
        self._tasks.add(task)
        self._at_work += not background

        def done(ended: asyncio.Task[None]) -> None:
            self._tasks.discard(ended)
            self._at_work -= not background
            if not self._at_work:
                self._rest.set()
            if not ended.cancelled() and (error := ended.exception()) is not None:
                self._failed(error)
                raise error

        task.add_done_callback(done)

    def _drain(self) -> None:
        while self._inbox:
            self._inbox.popleft()()
