"""Wall time, for pacing a run somebody watches."""

import asyncio
import time

__all__ = ["FullSpeed", "PacedClock"]


class FullSpeed:
    """Never waits."""

    async def wait_until(self, time_ms: int) -> None:
        return None


class PacedClock:
    """`speed` market seconds per wall second, measured from the first market time it is told.

    Falls behind rather than skipping: after a slow moment it runs at full speed until it has caught up.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._origin: tuple[int, float] | None = None

    async def wait_until(self, time_ms: int) -> None:
        now = time.monotonic()
        if self._origin is None:
            self._origin = (time_ms, now)
        first_ms, first = self._origin
        ahead = first + (time_ms - first_ms) / 1000.0 / self._speed - now
        if ahead > 0.002:
            await asyncio.sleep(ahead)
