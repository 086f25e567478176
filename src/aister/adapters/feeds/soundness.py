"""Whether what a venue calls a bar can be one."""

import math

from aister.adapters.store.intervals import grid_offset_ms
from aister.core.events import BarClosed

__all__ = ["is_sound"]


def is_sound(bar: BarClosed, interval_ms: int) -> bool:
    """On the grid of its interval; finite, positive prices with low <= open, close <= high; volume >= 0."""
    low, high = bar.low, bar.high
    return (
        (bar.open_time_ms - grid_offset_ms(interval_ms)) % interval_ms == 0
        and math.isfinite(high)
        and math.isfinite(bar.volume)
        and 0.0 < low <= bar.open <= high
        and low <= bar.close <= high
        and bar.volume >= 0.0
    )
