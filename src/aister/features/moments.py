"""The features of no timeframe as columns: `session.*`, `funding.*`, `clock.*` at many moments at once.

The same values as `context.context_values` moment by moment; the offsets of both cities are looked up once a day, and
hour by hour only on the days on which a clock changes.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from aister.core.errors import UsageError
from aister.features.catalogue import CONTEXT
from aister.features.funding import EIGHT_HOURS_MS, GRACE_MS
from aister.features.sessions import (
    CASH_SESSIONS,
    KILL_ZONES,
    LONDON,
    NEW_YORK,
    SILVER_BULLETS,
    new_york_midnights,
    next_new_york_open_ms,
    offset_ms,
)
from aister.ports.market import Series

__all__ = ["context_column"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000
_IDS = frozenset(feature.id for feature in CONTEXT)


def context_column(series: Series, id: str, times_ms: Ints) -> Floats:
    """One feature of `catalogue.CONTEXT` at each of `times_ms` (rising or equal), float64, nan where it is unavailable.

    As at decisions: of bars what had closed by then, of settlements what was earlier. Raises `UsageError` for an id
    that is none of them.
    """
    if id not in _IDS:
        raise UsageError(f"There is no feature {id!r} that belongs to no timeframe; the catalogue lists every id.")
    if len(times_ms) == 0:
        return np.empty(0)
    group, _, name = id.partition(".")
    if group == "funding":
        return _funding(series, name, times_ms)
    if group == "clock":
        return _clock(series, name, times_ms)
    if name == "midnight_open":
        return _midnight_open(series, times_ms)
    return _session(name, times_ms).astype(np.float64)


def _local(city: str, times_ms: Ints) -> Ints:
    """Wall-clock milliseconds since 1970 in a city."""
    zone = NEW_YORK if city == "new_york" else LONDON
    first = int(times_ms[0]) // _DAY_MS
    days = range(first, int(times_ms[-1]) // _DAY_MS + 2)
    starts = [offset_ms(zone, day * 24) for day in days]
    hours = np.repeat(np.array(starts[:-1]), 24)
    for at, (before, after) in enumerate(pairwise(starts)):
        if before != after:
            hours[24 * at : 24 * at + 24] = [offset_ms(zone, (first + at) * 24 + hour) for hour in range(24)]
    local: Ints = times_ms + hours[times_ms // _HOUR_MS - first * 24]
    return local


def _minute(local_ms: Ints) -> Ints:
    minute: Ints = local_ms % _DAY_MS // _MINUTE_MS
    return minute


def _weekday(local_ms: Ints) -> Ints:
    weekday: Ints = (local_ms // _DAY_MS + 3) % 7
    return weekday


def _within(minute: Ints, spans: tuple[tuple[int, int], ...]) -> Bools:
    inside = np.zeros(len(minute), np.bool_)
    for start, end in spans:
        inside |= (start <= minute) & (minute < end)
    return inside


def _session(name: str, times_ms: Ints) -> npt.NDArray[np.float64 | np.int64 | np.bool_]:
    if name == "minutes_to_new_york_open":
        return _to_open(times_ms)
    if name.endswith("_is_open"):
        city = name.removesuffix("_is_open")
        local = _local(city, times_ms)
        return (_weekday(local) < 5) & _within(_minute(local), (CASH_SESSIONS[city][1:],))
    local = _local("london" if name == "london_minute" else "new_york", times_ms)
    if name == "weekday":
        return _weekday(local)
    if name.endswith("_minute"):
        return _minute(local)
    if name == "silver_bullet":
        return _within(_minute(local), SILVER_BULLETS)
    zones = KILL_ZONES.values() if name == "kill_zone" else (KILL_ZONES[name.removeprefix("kill_zone_")],)
    return _within(_minute(local), tuple(zones))


def _to_open(times_ms: Ints) -> Floats:
    opens = [next_new_york_open_ms(int(times_ms[0]))]
    while opens[-1] < times_ms[-1]:
        opens.append(next_new_york_open_ms(opens[-1] + 1))
    following = np.array(opens)[np.searchsorted(opens, times_ms)]
    minutes: Floats = (following - times_ms) / _MINUTE_MS
    return minutes


def _clock(series: Series, name: str, times_ms: Ints) -> Floats:
    if name == "utc_minute":
        return (times_ms % _DAY_MS // _MINUTE_MS).astype(np.float64)
    if name == "data_age":
        closes = series.open_ms + series.interval_ms
        row = np.searchsorted(closes, times_ms, side="right") - 1
        return np.where(row >= 0, (times_ms - closes[np.maximum(row, 0)]) / _MINUTE_MS, np.nan)
    span = {"minutes_to_1h_close": _HOUR_MS, "minutes_to_4h_close": 4 * _HOUR_MS}[name]
    minutes: Floats = (span - times_ms % span) / _MINUTE_MS
    return minutes


def _midnight_open(series: Series, times_ms: Ints) -> Floats:
    midnights = [new_york_midnights(int(times_ms[0]))[0]]
    while (following := new_york_midnights(midnights[-1])[1]) <= times_ms[-1]:
        midnights.append(following)
    starts = np.array(midnights)
    row = np.searchsorted(series.open_ms, starts)
    exists = row < len(series.open_ms)
    exists[exists] = series.open_ms[row[exists]] == starts[exists]
    opens = np.full(len(starts), np.nan)
    opens[exists] = series.open[row[exists]]
    day = np.searchsorted(starts, times_ms, side="right") - 1
    return np.where(times_ms >= starts[day] + series.interval_ms, opens[day], np.nan)


def _funding(series: Series, name: str, times_ms: Ints) -> Floats:
    if len(series.funding_ms) == 0:
        return np.full(len(times_ms), np.nan)
    intervals = series.funding_interval_ms
    if intervals is None:
        intervals = np.full(len(series.funding_ms), series.instrument.funding_interval_ms)
    last = np.searchsorted(series.funding_ms, times_ms, side="left") - 1
    row = np.maximum(last, 0)
    settled, due = series.funding_ms[row], series.funding_ms[row] + intervals[row]
    made: dict[str, Callable[[], Floats]] = {
        "rate": lambda: series.funding_e8[row] / 1e8,
        "rate_8h": lambda: series.funding_e8[row] / 1e8 * (EIGHT_HOURS_MS / intervals[row]),
        "minutes_to_next": lambda: np.maximum(0.0, (due - times_ms) / _MINUTE_MS),
        "minutes_since": lambda: (times_ms - settled) / _MINUTE_MS,
    }
    return np.where((last >= 0) & (times_ms <= due + GRACE_MS), made[name](), np.nan)
