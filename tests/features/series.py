"""Seeded series with gaps, as columns and as events."""

import numpy as np

from aister.ports.market import Series
from tests.fakes.audits import instrument
from tests.kernels.walks import MINUTE_MS, Bars, walk

GAPS = (*range(40, 42), 119, *range(700, 706), *range(1_499, 1_520), *range(2_040, 2_300), 2_399, *range(2_609, 2_614))
"""Minutes that never came: inside bars, at their ends, over several of them."""


def gapped(count: int, seed: int, *gaps: int) -> Bars:
    """A walk without some of its minutes."""
    return walk(count, seed).take(np.setdiff1d(np.arange(count), gaps or GAPS))


def series_of(bars: Bars, interval_ms: int = MINUTE_MS) -> Series:
    nothing = np.zeros(0, np.int64)
    return Series(instrument(), interval_ms, *bars, nothing, nothing)
