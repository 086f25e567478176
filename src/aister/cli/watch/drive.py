"""Driving a run to its end or to the first Ctrl-C, and leaving it consistent either way."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from aister.adapters.clock import FullSpeed, PacedClock
from aister.app.build import Built
from aister.cli.watch.lines import Silence
from aister.engine.runner import run_async, run_sync
from aister.ports.clock import Clock

__all__ = ["drive", "unhurried"]

_TICK_S = 0.5


def drive(built: Built, watcher: Silence, pace: float | None, already: int, *, drawn: bool) -> bool:
    """Put the watcher up and run to the end; False when a signal stopped it first.

    `pace` is market seconds per wall second, None = full speed; `drawn` says that the watcher wants to be called after
    every slice. The first `already` records are repeated at full speed. A second signal raises `KeyboardInterrupt`.
    """
    wake: list[Callable[[], object]] = []
    with _signals(built, wake):
        watcher.attach(built, already)
        if pace is None and not drawn:
            run_sync(built.run)
        else:
            clock: Clock = FullSpeed() if pace is None else PacedClock(pace)
            asyncio.run(_paced(built, watcher, _AfterRepeating(clock, built, already), wake))
    return built.run.finished


@contextmanager
def unhurried(built: Built, say: Callable[[str], object]) -> Iterator[None]:
    """While a finished run's results are worked out, the first SIGINT or SIGTERM is answered in words and the second
    leaves: the chain is finished, so nothing could resume it to make them later. Put around `drive` as well, so that
    no moment lies between. Before the run has ended a signal leaves at once."""
    asked = 0

    def heard(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        if asked > 1 or not built.run.finished:
            raise KeyboardInterrupt
        say("Results are being written; once more leaves without them.")

    with _handled(heard):
        yield


class _AfterRepeating:
    """Full speed while the journal is being repeated, then the clock's own pace."""

    def __init__(self, clock: Clock, built: Built, already: int) -> None:
        self._clock, self._run, self._already = clock, built.run, already

    async def wait_until(self, time_ms: int) -> None:
        if self._run.repeated >= self._already:
            await self._clock.wait_until(time_ms)


async def _paced(built: Built, watcher: Silence, clock: Clock, wake: list[Callable[[], object]]) -> None:
    """The only place where the run waits is its clock, so that cancelling it there leaves every slice whole."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    wake.append(lambda: loop.call_soon_threadsafe(task.cancel))
    ticker = asyncio.create_task(_ticking(watcher))
    try:
        await run_async(built.run, clock, watcher.watch)
    except asyncio.CancelledError:
        if not built.run.stopping:
            raise
        built.run.close()
    finally:
        wake.clear()
        ticker.cancel()


async def _ticking(watcher: Silence) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        watcher.tick()


@contextmanager
def _signals(built: Built, wake: list[Callable[[], object]]) -> Iterator[None]:
    """The first SIGINT or SIGTERM stops the run after its slice, the second leaves at once. Handlers run between
    bytecodes, so they are heard at full speed too, where the event loop never comes to turn."""

    def heard(number: int, frame: FrameType | None) -> None:
        if built.run.stopping:
            raise KeyboardInterrupt
        built.run.stop()
        for call in wake:
            call()

    with _handled(heard):
        yield


@contextmanager
def _handled(heard: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {one: signal.signal(one, heard) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
