"""Barriers of an exchange in lockstep (quant Q3), sent and answered on the account's own stream.

That stream is read only while a barrier is open. When its answer comes, everything told before it has been heard: what
the barrier brought is complete.
"""

import asyncio
import heapq

import msgspec

from aister.adapters.exchanges.aster.wire import Frames, Lost, Reply, Wire
from aister.core.errors import DataError

__all__ = ["BarrierWire", "LockstepClock", "Phase"]

PATIENCE_MS = 60_000


class LockstepClock:
    """The exchange's time as its barriers tell it; between two of them it stands still. Who sleeps is woken when the
    market has come that far."""

    def __init__(self) -> None:
        self.time_ms = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ms(self) -> int:
        return self.time_ms

    def monotonic_ms(self) -> float:
        return float(self.time_ms)

    async def sleep(self, ms: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.time_ms + ms, self._count, woken))
        await woken

    def move_to(self, time_ms: int) -> None:
        """The market has come to this moment (ms UTC)."""
        self.time_ms = time_ms
        while self._sleepers and self._sleepers[0][0] <= time_ms:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


class Phase(msgspec.Struct, frozen=True):
    """Where the exchange's market is after a barrier: `open_ms` is the open time of the bar at hand."""

    number: int
    name: str
    time_ms: int
    open_ms: int


class _Answer(msgspec.Struct, frozen=True):
    result: Phase
    id: int


_ANSWER = msgspec.json.Decoder(_Answer)


class BarrierWire:
    """Requests pass as they are; the one stream connected through it carries the barriers."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._frames: Frames | None = None
        self._asked = 0
        self._reading = asyncio.Event()
        self._crossing: asyncio.Future[Phase] | None = None

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        return await self._wire.request(method, path, query, body, headers, timeout_ms)

    async def connect(self, path: str, timeout_ms: int) -> Frames | Lost:
        reached = await self._wire.connect(path, timeout_ms)
        if isinstance(reached, Lost):
            return reached
        self._frames = reached
        return _Gated(self)

    async def cross(self) -> Phase:
        """Send a barrier and wait for its answer. Raises `DataError` when the stream does not bring it."""
        crossing: asyncio.Future[Phase] = asyncio.get_running_loop().create_future()
        self._crossing = crossing
        self._asked += 1
        if self._frames is None or not await self._frames.send(b'{"method":"BARRIER","id":%d}' % self._asked):
            raise _unanswered("its stream is closed")
        self._reading.set()
        try:
            return await crossing
        finally:
            self._crossing = None
            self._reading.clear()

    def fail(self, why: str) -> None:
        """The stream is of no use any more."""
        if self._crossing is not None and not self._crossing.done():
            self._crossing.set_exception(_unanswered(why))

    async def receive(self) -> bytes | None:
        """The next frame that is no answer to a barrier."""
        while True:
            await self._reading.wait()
            assert self._frames is not None
            raw = await self._frames.receive(PATIENCE_MS)
            if not raw:
                self.fail("nothing more came over its stream")
                return None
            if not raw.startswith(b'{"result":{'):
                return raw
            self._reading.clear()
            if self._crossing is not None and not self._crossing.done():
                self._crossing.set_result(_ANSWER.decode(raw).result)

    async def close(self) -> None:
        if self._frames is not None:
            await self._frames.close()


class _Gated:
    """The stream as its listener sees it."""

    def __init__(self, wire: BarrierWire) -> None:
        self._wire = wire

    async def receive(self, timeout_ms: int) -> bytes | None:
        return await self._wire.receive()

    async def send(self, text: bytes) -> bool:
        return False

    async def close(self) -> None:
        await self._wire.close()


def _unanswered(why: str) -> DataError:
    return DataError(
        f"The exchange did not answer a barrier ({why}); look whether it still runs in lockstep and whether another"
        " client is attached that sends none."
    )
