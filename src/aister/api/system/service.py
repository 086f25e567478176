"""What runs here, since when, and how its parts are."""

from collections.abc import Callable

import msgspec

from aister.api.health.service import Health, PartHealth

__all__ = ["System", "SystemState"]


class SystemState(msgspec.Struct, frozen=True):
    version: str
    engine_hash: str
    started_ms: int
    up_s: float
    parts: tuple[PartHealth, ...]


class System:
    """`engine_hash` is of the code that computes results; they carry the same."""

    def __init__(
        self, health: Health, version: str, engine_hash: str, now_ms: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        self._health, self._version, self._engine_hash, self._monotonic = health, version, engine_hash, monotonic
        self._started_ms, self._started = now_ms(), monotonic()

    def state(self) -> SystemState:
        up_s = self._monotonic() - self._started
        return SystemState(self._version, self._engine_hash, self._started_ms, up_s, self._health.parts())
