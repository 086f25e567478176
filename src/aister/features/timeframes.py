"""The timeframes of a feature: name, length, bit. Slot k of the kernel's record is bit k of what an update
returns."""

from aister.core.errors import UsageError
from aister.kernels.features import TIMEFRAMES

__all__ = ["INTERVAL_MS", "NAMES", "bit", "interval_name", "mask"]

NAMES: tuple[str, ...] = tuple(name for name, _ in TIMEFRAMES)
"""From the shortest to the longest, in the order of the slots."""

INTERVAL_MS: dict[str, int] = dict(TIMEFRAMES)


def bit(name: str) -> int:
    """The bit that is set when this timeframe has closed. Raises `UsageError` for a timeframe that does not exist."""
    if name not in INTERVAL_MS:
        raise UsageError(f"There is no timeframe {name!r}; choose one of {', '.join(NAMES)}.")
    return 1 << NAMES.index(name)


def mask(*names: str) -> int:
    """The bits of several timeframes, to compare with what an update returns."""
    return sum(bit(name) for name in set(names))


def interval_name(interval_ms: int) -> str:
    """1m, 15m, 4h, 1d, or the number of milliseconds where none of these fits."""
    for unit_ms, letter in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m")):
        if interval_ms % unit_ms == 0:
            return f"{interval_ms // unit_ms}{letter}"
    return f"{interval_ms} ms"
