"""Bar intervals of fixed length. A calendar month is none, so `1M` is not offered."""

from aister.core.errors import UsageError

__all__ = ["DAY_MS", "HOUR_MS", "INTERVALS", "grid_offset_ms", "interval_ms", "interval_name", "month_of", "utc_text"]

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
INTERVALS = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "1w": 7 * DAY_MS,
}
_NAMES = {ms: name for name, ms in INTERVALS.items()}


def interval_ms(name: str) -> int:
    """Length in ms of an interval name; raises `UsageError` for others."""
    try:
        return INTERVALS[name]
    except KeyError:
        raise UsageError(f"Interval {name!r} is unknown; use one of {', '.join(INTERVALS)}.") from None


def interval_name(ms: int) -> str | None:
    """The name of a length in ms, or None when it has none."""
    return _NAMES.get(ms)


def grid_offset_ms(ms: int) -> int:
    """Bars open at whole multiples of their length since 1970, except weeks: they open on Monday (1970-01-05)."""
    return 4 * DAY_MS if ms == 7 * DAY_MS else 0


def month_of(time_ms: int) -> str:
    """The UTC month of a time, as YYYY-MM."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).strftime("%Y-%m")


def utc_text(time_ms: int) -> str:
    """A time as `YYYY-MM-DD HH:MM` UTC, with seconds and ms only when they are not zero; the bare number outside
    years 1-9999."""
    try:
        time = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        return str(time_ms)
    if time_ms % 60_000 == 0:
        return time.strftime("%Y-%m-%d %H:%M")
    return time.strftime("%Y-%m-%d %H:%M:%S") + (f".{time_ms % 1000:03d}" if time_ms % 1000 else "")
