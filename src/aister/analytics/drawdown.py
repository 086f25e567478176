"""Drawdown of a series, seen point by point in constant memory or all at once.

below(t) = 1 - value(t) / max of value up to t. The series is equity per unit of NAV, so that transfers move nothing
(Q23)."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["Drawdown", "Waterline", "deepest_fall"]


class Drawdown(msgspec.Struct, frozen=True):
    """The deepest fall: `depth` as a fraction of the peak, the time of that peak (the last, where it was met again), of
    the bottom, and of the return to the peak (None = not yet). All 0 where the series never fell."""

    depth: float = 0.0
    peak_ms: int = 0
    bottom_ms: int = 0
    back_ms: int | None = None


class Waterline:
    """Keeps the peak, the deepest drawdown so far, and the deepest since it was last asked."""

    __slots__ = ("_back_ms", "_bottom_ms", "_depth", "_from_ms", "_peak", "_peak_ms", "_since")

    def __init__(self) -> None:
        self._peak = self._depth = self._since = 0.0
        self._peak_ms = self._from_ms = self._bottom_ms = 0
        self._back_ms: int | None = None

    def see(self, time_ms: int, value: float) -> None:
        """The next point of the series, not earlier than the one before."""
        if value >= self._peak:
            self._peak, self._peak_ms = value, time_ms
            if self._depth > 0.0 and self._back_ms is None:
                self._back_ms = time_ms
            return
        below = 1.0 - value / self._peak
        self._since = max(self._since, below)
        if below > self._depth:
            self._depth, self._from_ms, self._bottom_ms, self._back_ms = below, self._peak_ms, time_ms, None

    def since(self) -> float:
        """The deepest drawdown at any point seen since the last call."""
        deepest, self._since = self._since, 0.0
        return deepest

    @property
    def deepest(self) -> Drawdown:
        return Drawdown(self._depth, self._from_ms, self._bottom_ms, self._back_ms)


def deepest_fall(times_ms: Sequence[int] | npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> Drawdown:
    """What a `Waterline` that saw all of these points says. Values >= 0, the first above 0."""
    if not len(values):
        return Drawdown()
    below = 1.0 - values / np.maximum.accumulate(values)
    bottom = int(below.argmax())
    if below[bottom] <= 0.0:
        return Drawdown()
    peak = int(np.flatnonzero(below[:bottom] == 0.0)[-1])
    after = np.flatnonzero(values[bottom:] >= values[peak])
    back = int(times_ms[bottom + after[0]]) if len(after) else None
    return Drawdown(float(below[bottom]), int(times_ms[peak]), int(times_ms[bottom]), back)
