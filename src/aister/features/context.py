"""The features of no timeframe: sessions, funding, clock, and the open of New York's day."""

from typing import NamedTuple

from aister.core.events import FundingSettled
from aister.features.funding import funding_values
from aister.features.sessions import session_values

__all__ = ["Facts", "context_values"]

_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000


class Facts(NamedTuple):
    """What these features rest on at one moment: None where nothing is known."""

    last_close_ms: int | None
    midnight_open: float | None
    funding: FundingSettled | None


def context_values(facts: Facts, time_ms: int) -> tuple[dict[str, float], dict[str, str]]:
    """(values, reasons) of every `session.*`, `funding.*` and `clock.*` feature at `time_ms`."""
    known = session_values(time_ms).copy()
    unknown: dict[str, str] = {}
    if facts.midnight_open is None:
        unknown["session.midnight_open"] = "no bar that opened at the last midnight in New York has closed"
    else:
        known["session.midnight_open"] = facts.midnight_open
    funding_values(facts.funding, time_ms, known, unknown)
    known["clock.utc_minute"] = float(time_ms % _DAY_MS // _MINUTE_MS)
    known["clock.minutes_to_1h_close"] = (_HOUR_MS - time_ms % _HOUR_MS) / _MINUTE_MS
    known["clock.minutes_to_4h_close"] = (4 * _HOUR_MS - time_ms % (4 * _HOUR_MS)) / _MINUTE_MS
    if facts.last_close_ms is None:
        unknown["clock.data_age"] = "no bar has closed yet"
    else:
        known["clock.data_age"] = (time_ms - facts.last_close_ms) / _MINUTE_MS
    return known, unknown
