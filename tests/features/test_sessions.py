"""Wall clocks of two cities, through both clock changes, against times written down by hand."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aister.features.sessions import (
    KILL_ZONES,
    london_minute,
    new_york_midnights,
    new_york_minute,
    next_new_york_open_ms,
    session_values,
)

HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def at(text: str) -> int:
    """UTC ms of "2025-03-10 06:00"."""
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()) * 1_000


@pytest.mark.parametrize(
    ("utc", "new_york", "london"),
    [
        ("2025-01-15 12:00", (7, 0), (12, 0)),  # winter in both
        ("2025-03-08 12:00", (7, 0), (12, 0)),  # the day before New York changes
        ("2025-03-09 06:59", (1, 59), (6, 59)),
        ("2025-03-09 07:00", (3, 0), (7, 0)),  # 02:00 became 03:00
        ("2025-03-20 12:00", (8, 0), (12, 0)),  # the three weeks in which only New York has summer time
        ("2025-03-30 00:59", (20, 59), (0, 59)),
        ("2025-03-30 01:00", (21, 0), (2, 0)),  # London: 01:00 became 02:00
        ("2025-07-01 12:00", (8, 0), (13, 0)),  # summer in both
        ("2025-10-26 00:59", (20, 59), (1, 59)),
        ("2025-10-26 01:00", (21, 0), (1, 0)),  # London: 02:00 became 01:00
        ("2025-10-28 12:00", (8, 0), (12, 0)),  # the week in which only New York has summer time
        ("2025-11-02 05:59", (1, 59), (5, 59)),
        ("2025-11-02 06:00", (1, 0), (6, 0)),  # New York: 02:00 became 01:00
        ("2025-11-03 12:00", (7, 0), (12, 0)),
    ],
)
def test_local_minutes(utc: str, new_york: tuple[int, int], london: tuple[int, int]) -> None:
    assert new_york_minute(at(utc)) == new_york[0] * 60 + new_york[1]
    assert london_minute(at(utc)) == london[0] * 60 + london[1]


@pytest.mark.parametrize(
    ("utc", "zones"),
    [
        ("2025-01-15 06:59", set()),
        ("2025-01-15 07:00", {"london_open"}),  # 02:00 in New York
        ("2025-01-15 09:59", {"london_open"}),
        ("2025-01-15 10:00", set()),
        ("2025-01-15 12:00", {"new_york_open"}),
        ("2025-01-15 15:00", {"london_close"}),  # 10:00: the open's zone has ended
        ("2025-01-15 17:00", set()),
        ("2025-01-16 01:00", {"asian"}),  # 20:00 the evening before
        ("2025-01-16 04:59", {"asian"}),
        ("2025-01-16 05:00", set()),
        ("2025-03-20 06:00", {"london_open"}),  # an hour earlier in UTC under summer time
        ("2025-03-20 09:00", set()),
        ("2025-10-28 11:00", {"new_york_open"}),
        ("2025-11-04 11:00", set()),  # a week later it is 06:00
        ("2025-11-04 12:00", {"new_york_open"}),
    ],
)
def test_kill_zones(utc: str, zones: set[str]) -> None:
    values = session_values(at(utc))
    assert {name for name in KILL_ZONES if values[f"session.kill_zone_{name}"] == 1.0} == zones
    assert values["session.kill_zone"] == float(bool(zones))


@pytest.mark.parametrize(("day", "minutes"), [("2025-03-09", 120), ("2025-11-02", 180), ("2025-06-10", 180)])
def test_the_london_open_zone_is_as_long_as_new_yorks_clock_makes_it(day: str, minutes: int) -> None:
    """On the spring Sunday 02:00 does not exist; the autumn change repeats 01:00, outside the zone."""
    start = at(f"{day} 00:00")
    inside = [m for m in range(1_440) if session_values(start + m * 60_000)["session.kill_zone_london_open"]]
    assert len(inside) == minutes
    assert inside == list(range(inside[0], inside[0] + minutes))


@pytest.mark.parametrize(
    ("utc", "london", "new_york"),
    [
        ("2025-03-20 07:59", 0, 0),
        ("2025-03-20 08:00", 1, 0),  # London still on winter time
        ("2025-03-20 13:30", 1, 1),  # New York already on summer time
        ("2025-03-20 16:30", 0, 1),
        ("2025-03-20 20:00", 0, 0),
        ("2025-04-02 07:00", 1, 0),
        ("2025-11-04 14:29", 1, 0),
        ("2025-11-04 14:30", 1, 1),
        ("2025-03-22 14:00", 0, 0),  # Saturday
        ("2025-03-24 00:30", 0, 0),
    ],
)
def test_cash_sessions(utc: str, london: int, new_york: int) -> None:
    values = session_values(at(utc))
    assert (values["session.london_is_open"], values["session.new_york_is_open"]) == (london, new_york)


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2025-03-07 14:29", "2025-03-07 14:30"),
        ("2025-03-07 14:30", "2025-03-07 14:30"),  # at the open: no minutes left
        ("2025-03-07 14:31", "2025-03-10 13:30"),  # over the week-end of the change, an hour earlier
        ("2025-03-09 12:00", "2025-03-10 13:30"),
        ("2025-10-31 13:31", "2025-11-03 14:30"),
        ("2025-06-04 13:45", "2025-06-05 13:30"),
    ],
)
def test_the_next_new_york_open(utc: str, expected: str) -> None:
    assert next_new_york_open_ms(at(utc)) == at(expected)
    minutes = session_values(at(utc))["session.minutes_to_new_york_open"]
    assert minutes == (at(expected) - at(utc)) / 60_000


@pytest.mark.parametrize(
    ("utc", "last", "following"),
    [
        ("2025-03-09 04:59", "2025-03-08 05:00", "2025-03-09 05:00"),
        ("2025-03-09 05:00", "2025-03-09 05:00", "2025-03-10 04:00"),  # a day of 23 hours
        ("2025-11-02 12:00", "2025-11-02 04:00", "2025-11-03 05:00"),  # one of 25
        ("2025-06-10 04:00", "2025-06-10 04:00", "2025-06-11 04:00"),
    ],
)
def test_midnights_in_new_york(utc: str, last: str, following: str) -> None:
    assert new_york_midnights(at(utc)) == (at(last), at(following))


@pytest.mark.parametrize(("utc", "inside"), [("2025-06-10 07:00", 1), ("2025-06-10 08:00", 0), ("2025-06-10 14:59", 1)])
def test_silver_bullet_hours(utc: str, inside: int) -> None:
    assert session_values(at(utc))["session.silver_bullet"] == inside


@given(time_ms=st.integers(at("2020-01-01 00:00"), at("2030-01-01 00:00")))
def test_everything_is_consistent_at_any_time(time_ms: int) -> None:
    values = session_values(time_ms)
    last, following = new_york_midnights(time_ms)
    assert last <= time_ms < following
    assert following - last in (23 * HOUR_MS, DAY_MS, 25 * HOUR_MS)
    assert new_york_minute(last) == 0
    assert 0 <= values["session.minutes_to_new_york_open"] * 60_000 <= 4 * DAY_MS
    assert sum(values[f"session.kill_zone_{name}"] for name in KILL_ZONES) == values["session.kill_zone"]
    local = datetime.fromtimestamp(time_ms // 1_000, UTC).astimezone(ZoneInfo("America/New_York"))
    assert values["session.weekday"] == local.weekday()
    assert values["session.new_york_minute"] == local.hour * 60 + local.minute
