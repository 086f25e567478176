"""Pacing of a run that someone watches. Engine time itself comes from events only."""

from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Waits until the market time may be shown. A clock at full speed never waits."""

    async def wait_until(self, time_ms: int) -> None: ...
