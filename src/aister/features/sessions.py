"""Sessions and kill zones: pure functions of UTC milliseconds, through the time-zone database.

Kill zones and silver-bullet hours are spans of New York wall time on every day of the week (crypto trades through
week-ends; `session.weekday` lets a rule leave them out). Cash sessions are spans of local wall time from Monday to
Friday; exchange holidays are not modelled. Every span is half open: [start, end). Where a clock change removes or
repeats an hour, the span is as long as the wall clock makes it. Source of the spans: the ICT curriculum
(2016-2022), as taught in New York time.
"""

from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = [
    "CASH_SESSIONS",
    "KILL_ZONES",
    "LONDON",
    "NEW_YORK",
    "SILVER_BULLETS",
    "london_minute",
    "new_york_midnights",
    "new_york_minute",
    "next_new_york_open_ms",
    "offset_ms",
    "session_values",
]

_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000
NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")

KILL_ZONES = {
    "london_open": (2 * 60, 5 * 60),
    "new_york_open": (7 * 60, 10 * 60),
    "london_close": (10 * 60, 12 * 60),
    "asian": (20 * 60, 24 * 60),
}
"""Minutes of the New York day."""

SILVER_BULLETS = ((3 * 60, 4 * 60), (10 * 60, 11 * 60), (14 * 60, 15 * 60))
"""Minutes of the New York day."""

CASH_SESSIONS = {
    "london": (LONDON, 8 * 60, 16 * 60 + 30),
    "new_york": (NEW_YORK, 9 * 60 + 30, 16 * 60),
}
"""Zone and minutes of the local day, Monday to Friday."""


@lru_cache(maxsize=8_192)
def offset_ms(zone: ZoneInfo, hour: int) -> int:
    """Local minus UTC during this UTC hour (counted from 1970): both cities change their clocks on the hour."""
    offset = datetime.fromtimestamp(hour * 3_600, zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def _local_ms(zone: ZoneInfo, time_ms: int) -> int:
    return time_ms + offset_ms(zone, time_ms // _HOUR_MS)


def new_york_minute(time_ms: int) -> int:
    """Minutes since midnight on New York clocks, 0 to 1,439."""
    return _local_ms(NEW_YORK, time_ms) % _DAY_MS // _MINUTE_MS


def london_minute(time_ms: int) -> int:
    """Minutes since midnight on London clocks, 0 to 1,439."""
    return _local_ms(LONDON, time_ms) % _DAY_MS // _MINUTE_MS


def _weekday(local_ms: int) -> int:
    return (local_ms // _DAY_MS + 3) % 7  # 1970-01-01 was a Thursday


def _in_cash_session(name: str, time_ms: int) -> bool:
    zone, start, end = CASH_SESSIONS[name]
    local = _local_ms(zone, time_ms)
    return _weekday(local) < 5 and start <= local % _DAY_MS // _MINUTE_MS < end


@lru_cache(maxsize=64)
def _opens_ms(day: int) -> int:
    """09:30 in New York on this day (counted from 1970 there)."""
    return int((datetime(1970, 1, 1, 9, 30, tzinfo=NEW_YORK) + timedelta(days=day)).timestamp()) * 1_000


def next_new_york_open_ms(time_ms: int) -> int:
    """When the New York cash session (Monday to Friday, 09:30 there) next opens, at or after `time_ms`."""
    local = _local_ms(NEW_YORK, time_ms)
    while _weekday(local) >= 5 or _opens_ms(local // _DAY_MS) < time_ms:
        local += _DAY_MS
    return _opens_ms(local // _DAY_MS)


@lru_cache(maxsize=64)
def _midnights_ms(hour: int) -> tuple[int, int]:
    day = datetime.fromtimestamp(hour * 3_600, NEW_YORK).date()
    last, following = (datetime.combine(d, time(0), NEW_YORK) for d in (day, day + timedelta(days=1)))
    return int(last.timestamp()) * 1_000, int(following.timestamp()) * 1_000


def new_york_midnights(time_ms: int) -> tuple[int, int]:
    """The last midnight in New York at or before `time_ms` and the first one after it (23, 24 or 25 hours apart)."""
    return _midnights_ms(time_ms // _HOUR_MS)


@lru_cache(maxsize=16)
def session_values(time_ms: int) -> dict[str, float]:
    """Every `session.*` feature that depends on time alone. Shared between callers: read it, do not change it."""
    new_york = new_york_minute(time_ms)
    values = {
        "session.new_york_minute": float(new_york),
        "session.london_minute": float(london_minute(time_ms)),
        "session.weekday": float(_weekday(_local_ms(NEW_YORK, time_ms))),
        "session.london_is_open": float(_in_cash_session("london", time_ms)),
        "session.new_york_is_open": float(_in_cash_session("new_york", time_ms)),
        "session.minutes_to_new_york_open": (next_new_york_open_ms(time_ms) - time_ms) / _MINUTE_MS,
        "session.silver_bullet": float(any(start <= new_york < end for start, end in SILVER_BULLETS)),
        "session.kill_zone": 0.0,
    }
    for name, (start, end) in KILL_ZONES.items():
        inside = start <= new_york < end
        values[f"session.kill_zone_{name}"] = float(inside)
        if inside:
            values["session.kill_zone"] = 1.0
    return values
