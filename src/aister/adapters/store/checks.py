"""What can be wrong with recorded series, found in whole columns. A defect is *bad* (the row cannot be kept), a *gap*
(something is absent) or a *note* (kept, and said). Rows are positions in the columns given."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.store.intervals import HOUR_MS, grid_offset_ms
from aister.adapters.store.layout import Columns, take

__all__ = [
    "KINDS",
    "Defect",
    "Gap",
    "bar_defects",
    "bar_gaps",
    "funding_defects",
    "funding_gaps",
    "price_levels",
    "worst_first",
]

KINDS = {
    "checksum": "bad",  # a stored file that is not what was imported
    "unreadable": "bad",  # a line without numbers
    "wrong_unit": "bad",  # times outside 2009-2100, prices a power of ten off, a funding rate in percent
    "not_finite": "bad",  # NaN or infinity
    "negative": "bad",  # a price at or below zero, a negative volume
    "bad_ohlc": "bad",  # high below open, close or low; low above open or close
    "off_grid": "bad",  # a time that is no multiple of the interval
    "bad_interval": "bad",  # a funding interval that is no whole number of hours from 1 to 24
    "disorder": "bad",  # the clock goes backwards
    "duplicate": "bad",  # the same row again
    "conflict": "bad",  # the same time with other values
    "gap": "gap",  # bars or settlements absent between two rows
    "zero_volume": "note",  # a bar in which nothing traded
    "zero_rate": "note",  # a settlement of exactly zero
    "jitter": "note",  # settlement stamps under a second late, set to the hour
}

_EARLIEST_MS, _LATEST_MS = 1_230_768_000_000, 4_102_444_800_000
_HIGHEST_RATE = 0.05  # venues cap a settlement at 2-4 %; beyond this the column is in percent
_AHEAD_PASSES = 8
_LEVEL_TOLERANCE = 0.05  # decades: a factor within 12 % of a power of ten

Mask: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Describe: TypeAlias = Callable[[int], str]


class Defect(msgspec.Struct):
    """Rows with one kind of defect, ascending, and what is wrong with the first."""

    kind: str
    rows: Ints
    text: str

    @property
    def severity(self) -> str:
        return KINDS[self.kind]


class Gap(msgspec.Struct, frozen=True):
    """`missing` rows absent from `start_ms` up to, not including, `end_ms`."""

    start_ms: int
    end_ms: int
    missing: int


def worst_first(defects: list[Defect]) -> list[Defect]:
    """Bad before gaps before notes, then by the first row."""
    order = {"bad": 0, "gap": 1, "note": 2}
    return sorted(defects, key=lambda d: (order[d.severity], int(d.rows[0]) if len(d.rows) else 0))


def bar_defects(columns: Columns, interval_ms: int) -> list[Defect]:
    """Defects of bars in the order given (gaps apart). A row is named once, by the first defect it has."""
    time = columns["open_time"]
    open_, high, low, close, volume = (columns[name] for name in ("open", "high", "low", "close", "volume"))
    found = _Found(len(time))
    found.add(
        "wrong_unit", (time < _EARLIEST_MS) | (time >= _LATEST_MS), lambda i: f"time {time[i]} is not in 2009-2100"
    )
    finite = np.isfinite(open_) & np.isfinite(high) & np.isfinite(low) & np.isfinite(close) & np.isfinite(volume)
    found.add("not_finite", ~finite, lambda i: "a price or the volume is NaN or infinite")
    with np.errstate(invalid="ignore"):
        negative = (open_ <= 0) | (high <= 0) | (low <= 0) | (close <= 0) | (volume < 0)
        crossed = (high < np.maximum(open_, close)) | (low > np.minimum(open_, close))
    found.add("negative", negative, lambda i: "a price is at or below zero or the volume is negative")
    found.add(
        "bad_ohlc",
        crossed,
        lambda i: f"open {open_[i]:g}, high {high[i]:g}, low {low[i]:g}, close {close[i]:g} cannot be one bar",
    )
    found.add(
        "off_grid",
        (time - grid_offset_ms(interval_ms)) % interval_ms != 0,
        lambda i: f"time {time[i]} is off the interval's grid",
    )
    _order(found, time, columns)
    sound = found.sound_rows()
    levels = price_levels(take(columns, sound), interval_ms)
    found.add_rows(
        "wrong_unit", sound[levels], lambda i: f"close {close[i]:g} is a power of ten away from its neighbours"
    )
    found.add("zero_volume", volume == 0, lambda i: "nothing traded")
    return found.defects


def price_levels(columns: Columns, interval_ms: int) -> Mask:
    """Rows whose prices sit 10^k (k != 0) away from most of the series, or whose wick is 10^k away from its own body.

    Between bars up to ten intervals apart a jump counts when log10(open / previous close) is within 0.05 of a whole
    number other than 0 (a real move that large and that round is not known); the level is the running sum of jumps.
    """
    time, open_, high, low, close = (columns[name] for name in ("open_time", "open", "high", "low", "close"))
    bad = np.zeros(len(time), bool)
    if len(time) == 0:
        return bad
    wicks = np.maximum(np.log10(high / np.maximum(open_, close)), np.log10(np.minimum(open_, close) / low))
    bad |= (np.rint(wicks) >= 1) & (np.abs(wicks - np.rint(wicks)) < _LEVEL_TOLERANCE)
    body = np.log10(close / open_)
    bad |= (np.abs(np.rint(body)) >= 1) & (np.abs(body - np.rint(body)) < _LEVEL_TOLERANCE)
    steps = np.log10(open_[1:] / close[:-1])
    jump = np.rint(steps)
    jump[(np.abs(steps - jump) >= _LEVEL_TOLERANCE) | (np.diff(time) > 10 * interval_ms)] = 0
    if jump.any():
        level = np.concatenate([[0], np.cumsum(jump)])
        values, counts = np.unique(level, return_counts=True)
        bad |= level != values[np.argmax(counts)]
    return bad


def bar_gaps(times: Ints, interval_ms: int) -> list[Gap]:
    """Absent bars between sound, ascending times."""
    steps = np.diff(times)
    return [
        Gap(int(times[i]) + interval_ms, int(times[i + 1]), int(steps[i]) // interval_ms - 1)
        for i in np.flatnonzero(steps > interval_ms)
    ]


def funding_defects(columns: Columns) -> list[Defect]:
    """Defects of settlements in the order given (gaps apart)."""
    time = columns["settle_time"]
    rate, interval = columns["rate"], columns["interval_ms"]
    found = _Found(len(time))
    found.add(
        "wrong_unit", (time < _EARLIEST_MS) | (time >= _LATEST_MS), lambda i: f"time {time[i]} is not in 2009-2100"
    )
    found.add("not_finite", ~np.isfinite(rate), lambda i: "the rate is NaN or infinite")
    with np.errstate(invalid="ignore"):
        found.add(
            "wrong_unit",
            np.abs(rate) > _HIGHEST_RATE,
            lambda i: f"rate {rate[i]:g} is over 5 %: rates are fractions, not percent",
        )
        hours = interval / HOUR_MS
        found.add(
            "bad_interval",
            ~((hours >= 1) & (hours <= 24) & (hours % 1 == 0)),
            lambda i: f"interval of {hours[i]:g} hours",
        )
    found.add("off_grid", time % HOUR_MS != 0, lambda i: f"time {time[i]} is not on the hour")
    _order(found, time, columns)
    found.add("zero_rate", rate == 0, lambda i: "the rate is exactly zero")
    return found.defects


def funding_gaps(times: Ints, intervals: Floats) -> list[Gap]:
    """Absent settlements between sound, ascending times. Where the interval changes, the longer one is allowed."""
    allowed = np.maximum(intervals[:-1], intervals[1:]).astype(np.int64)
    steps = np.diff(times)
    return [
        Gap(int(times[i] + intervals[i]), int(times[i + 1]), max(1, int(steps[i] // allowed[i]) - 1))
        for i in np.flatnonzero(steps > allowed)
    ]


class _Found:
    """Collects defects; a row already bad is not named again."""

    def __init__(self, rows: int) -> None:
        self.defects: list[Defect] = []
        self._bad = np.zeros(rows, bool)

    def add(self, kind: str, mask: Mask, text: Describe) -> None:
        self.add_rows(kind, np.flatnonzero(mask & ~self._bad), text)

    def add_rows(self, kind: str, rows: npt.NDArray[np.int64], text: Describe) -> None:
        if len(rows):
            self.defects.append(Defect(kind, rows.astype(np.int64), text(int(rows[0]))))
            if KINDS[kind] == "bad":
                self._bad[rows] = True

    def sound_rows(self) -> Ints:
        return np.flatnonzero(~self._bad).astype(np.int64)


def _order(found: _Found, time: Ints, columns: Columns) -> None:
    """Names rows that break strict time order. A single row ahead of both neighbours is itself out of order; any other
    row at or before an earlier one is a duplicate (same values), a conflict (other values) or disorder."""
    rows = found.sound_rows()
    times = time[rows]
    if bool((np.diff(times) > 0).all()):
        return
    backwards: list[Ints] = []
    for _ in range(_AHEAD_PASSES):
        before = np.concatenate([[np.iinfo(np.int64).min], times[:-1]])
        ahead = np.zeros(len(times), bool)
        ahead[:-1] = (times[:-1] > times[1:]) & (times[1:] > before[:-1])
        if not ahead.any():
            break
        backwards.append(rows[ahead])
        rows, times = rows[~ahead], times[~ahead]
    highest = np.maximum.accumulate(times)
    late = np.zeros(len(times), bool)
    late[1:] = times[1:] <= highest[:-1]
    kept_rows, kept_times = rows[~late], times[~late]
    at = np.minimum(np.searchsorted(kept_times, times[late]), len(kept_times) - 1)
    again = kept_times[at] == times[late]
    backwards.append(rows[late][~again])
    same = np.ones(int(again.sum()), bool)
    for values in columns.values():
        left, right = values[rows[late][again]], values[kept_rows[at[again]]]
        same &= (left == right) | (np.isnan(left) & np.isnan(right))
    twins, originals = rows[late][again], kept_rows[at[again]]
    found.add_rows(
        "disorder",
        np.sort(np.concatenate(backwards)),
        lambda i: f"its time {time[i]} is out of order: the clock goes backwards",
    )
    found.add_rows("duplicate", twins[same], lambda i: f"time {time[i]} is there already, with the same values")
    both = np.unique(np.concatenate([twins[~same], originals[~same]]))
    found.add_rows("conflict", both, lambda i: f"time {time[i]} is there twice, with different values")
