"""Funding for a span: recorded settlements, or, only when asked for, an assumed scenario in their place (Q8, Q32)."""

import numpy as np
import numpy.typing as npt

from aister.adapters.store.checks import Gap, funding_defects, funding_gaps
from aister.adapters.store.intervals import HOUR_MS, utc_text
from aister.adapters.store.layout import Columns
from aister.core.errors import DataError
from aister.core.events import FundingAssumed, FundingSettled

__all__ = ["ASSUMED_RATE_E8_PER_8H", "absent_settlements", "settlements"]

ASSUMED_RATE_E8_PER_8H = 10_000  # 0.01 % per 8 h
_RATE_UNIT = 100_000_000

Ints = npt.NDArray[np.int64]


def settlements(
    symbol: str, recorded: Columns | None, first_ms: int, last_ms: int, interval_ms: int, assume: bool
) -> tuple[list[FundingSettled], int]:
    """Settlements with first_ms <= time <= last_ms (opens of the first and last bar), and how many of them are assumed.

    `interval_ms` is the instrument's and used only where nothing is recorded. Raises `DataError` naming the first
    absent
    settlement unless `assume`: then each absent one is 0.01 % per 8 hours of its interval, paid by whatever is held.
    """
    if recorded is None:
        times, rates, intervals = np.empty(0, np.int64), np.empty(0), np.empty(0)
    else:
        bad = [defect for defect in funding_defects(recorded) if defect.severity == "bad"]
        if bad:
            raise DataError(
                f"{symbol} funding: {bad[0].text} ({bad[0].kind}); "
                "bring it in with `aister data import --on-bad quarantine` first."
            )
        times, rates, intervals = (recorded[name] for name in ("settle_time", "rate", "interval_ms"))
    absent = absent_settlements(times, intervals, first_ms, last_ms, interval_ms)
    if absent and not assume:
        total = sum(gap.missing for gap in absent)
        raise DataError(
            f"{symbol}: {total:,} funding {'settlement is' if total == 1 else 'settlements are'} missing, the first at "
            f"{utc_text(absent[0].start_ms)}; "
            "import them with `aister data import --kind funding`, or run with --assume-funding (the position pays "
            "0.01 % per 8 hours, flagged)."
        )
    inside = (times >= first_ms) & (times <= last_ms)
    found = [
        FundingSettled(time_ms, symbol, rate_e8, step)
        for time_ms, rate_e8, step in zip(
            times[inside].tolist(),
            np.rint(rates[inside] * _RATE_UNIT).astype(np.int64).tolist(),
            intervals[inside].astype(np.int64).tolist(),
            strict=True,
        )
    ]
    assumed = [
        FundingAssumed(time_ms, symbol, round(ASSUMED_RATE_E8_PER_8H * step / (8 * HOUR_MS)), step)
        for gap in absent
        for step in [(gap.end_ms - gap.start_ms) // gap.missing]
        for time_ms in range(gap.start_ms, gap.end_ms, step)
    ]
    return sorted([*found, *assumed], key=lambda settled: settled.time_ms), len(assumed)


def absent_settlements(
    times: Ints, intervals: npt.NDArray[np.float64], first_ms: int, last_ms: int, interval_ms: int
) -> list[Gap]:
    """Stretches of settlements due inside the span and not recorded. With no record before (after) the span, the
    record's
    own interval is continued to its edges; with no record at all, multiples of `interval_ms` since 1970."""
    near = slice(max(0, int(np.searchsorted(times, first_ms)) - 1), int(np.searchsorted(times, last_ms, "right")) + 1)
    times, intervals = times[near], intervals[near]
    if len(times) == 0 or (times[-1] < first_ms and times[-1] + intervals[-1] > last_ms):
        start = -(-first_ms // interval_ms) * interval_ms if len(times) == 0 else last_ms + 1
        return _stretch(start, last_ms, interval_ms)
    absent: list[Gap] = []
    first, step = int(times[0]), int(intervals[0])
    if first > first_ms:  # none before: count back, but not onto the first bar's own open, when nothing is held yet
        absent += _stretch(first - (first - first_ms - 1) // step * step, min(first - 1, last_ms), step)
    for gap in funding_gaps(times, intervals):
        width = (gap.end_ms - gap.start_ms) // gap.missing if gap.missing else interval_ms
        begin = gap.start_ms + max(0, -(-(first_ms - gap.start_ms) // width)) * width
        absent += _stretch(begin, min(gap.end_ms - 1, last_ms), width)
    last, step = int(times[-1]), int(intervals[-1])
    if last + step <= last_ms:
        begin = last + step * max(1, -(-(first_ms - last) // step))
        absent += _stretch(begin, last_ms, step)
    return absent


def _stretch(start_ms: int, last_ms: int, step: int) -> list[Gap]:
    count = (last_ms - start_ms) // step + 1
    return [Gap(start_ms, start_ms + count * step, count)] if count > 0 else []
