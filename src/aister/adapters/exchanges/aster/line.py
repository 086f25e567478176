"""One websocket kept up: reconnected when it dies or falls silent, renewed with an overlap before the venue cuts it.

A venue ends every connection after 24 h (aster-api 8). Well before, a second one is opened; for a while both are heard,
so nothing is lost between them and much comes twice: whoever listens drops what it has seen.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from aister.adapters.exchanges.aster.wire import Clock, Frames, Lost, Wire

__all__ = ["Line", "LineSettings"]

_BURST = 256


class LineSettings(msgspec.Struct, frozen=True):
    """Times in ms. `silence_ms`: a line that carried nothing so long counts as dead (0: silence is normal there, and
    only pings tell). Pauses between attempts double from the least to the most."""

    connect_ms: int = 10_000
    silence_ms: int = 15_000
    renew_ms: int = 23 * 3_600_000
    overlap_ms: int = 10_000
    least_pause_ms: int = 250
    most_pause_ms: int = 30_000


class Line:
    """`path` says where to connect (asked anew each time), or why it cannot be said now. `heard` gets every text frame
    as it comes, `told` (up, why) each time the line is lost or there again."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        path: Callable[[], Awaitable[str | Lost]],
        heard: Callable[[bytes], None],
        told: Callable[[bool, str], None],
        settings: LineSettings | None = None,
    ) -> None:
        self._wire, self._clock = wire, clock
        self._path, self._heard, self._told = path, heard, told
        self._settings = settings or LineSettings()
        self._broken = asyncio.Event()
        self._why = ""
        self._said: set[str] = set()
        self._open: list[Frames] = []

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                frames = await self._reach()
                self._told(True, "")
                why = await self._keep(frames)
                await self._close_all()
                self._say_down(why)
        finally:
            await self._close_all()

    def renew(self, why: str) -> None:
        """Give the connection up and make a new one: it lives, and nothing more will come over it."""
        self._why = why
        self._broken.set()

    async def send(self, text: bytes) -> bool:
        """Over the newest connection. False: there is none."""
        return bool(self._open) and await self._open[-1].send(text)

    async def _reach(self) -> Frames:
        """Connect, however often it takes; each reason for the wait is told once."""
        pause = self._settings.least_pause_ms
        while True:
            self._broken.clear()
            reached = await self._connect()
            if not isinstance(reached, Lost):
                self._said.clear()
                return reached
            self._say_down(reached.why)
            await self._clock.sleep(pause)
            pause = min(2 * pause, self._settings.most_pause_ms)

    async def _connect(self) -> Frames | Lost:
        path = await self._path()
        if isinstance(path, Lost):
            return path
        reached = await self._wire.connect(path, self._settings.connect_ms)
        if not isinstance(reached, Lost):
            self._open.append(reached)
        return reached

    def _say_down(self, why: str) -> None:
        if why not in self._said:
            self._said.add(why)
            self._told(False, why)

    async def _keep(self, frames: Frames) -> str:
        """Read until the line is dead; the reason."""
        reader = asyncio.ensure_future(self._read(frames))
        broken = asyncio.ensure_future(self._broken.wait())
        timer = asyncio.ensure_future(self._clock.sleep(self._settings.renew_ms))
        older: asyncio.Future[str] | None = None
        try:
            while True:
                await asyncio.wait({reader, broken, timer}, return_when=asyncio.FIRST_COMPLETED)
                if broken.done():
                    return self._why
                if reader.done():
                    return reader.result()
                wait = self._settings.renew_ms
                if older is not None:
                    older.cancel()
                    older = None
                    await self._open.pop(0).close()
                elif isinstance(newer := await self._connect(), Lost):
                    wait = self._settings.most_pause_ms
                else:
                    older, reader = reader, asyncio.ensure_future(self._read(newer))
                    wait = self._settings.overlap_ms
                timer = asyncio.ensure_future(self._clock.sleep(wait))
        finally:
            for task in (reader, broken, timer, older):
                if task is not None:
                    task.cancel()

    async def _read(self, frames: Frames) -> str:
        silence, count = self._settings.silence_ms, 0
        while True:
            frame = await frames.receive(silence or 60_000)
            if frame is None:
                return "The venue closed the stream."
            if frame:
                self._heard(frame)
            elif silence:
                return f"Nothing came over the stream for {silence} ms."
            count += 1
            if count % _BURST == 0:
                await asyncio.sleep(0)  # a burst must not keep everybody else waiting

    async def _close_all(self) -> None:
        for frames in self._open:
            await frames.close()
        self._open.clear()
