"""Rest that a ring ends: how everything that looks from time to time waits for its next look."""

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["Bell"]


class Bell:
    """`sleep` takes milliseconds. Make it in the running event loop."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """End the rest at hand; what rings between two rests is not remembered."""
        self._rung.set()

    async def rest(self, wait_ms: float, after_ms: float) -> None:
        """Until `wait_ms` are over, or `after_ms` after a ring: more may come with it."""
        self._rung.clear()
        sleeping = asyncio.ensure_future(self._sleep(wait_ms))
        listening = asyncio.ensure_future(self._rung.wait())
        await asyncio.wait((sleeping, listening), return_when=asyncio.FIRST_COMPLETED)
        sleeping.cancel()
        listening.cancel()
        if self._rung.is_set():
            await self._sleep(after_ms)
