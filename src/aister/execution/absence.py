"""What a venue can no longer tell after a long absence (C21): orders without fills vanish from its history.

Whether such an order was ever there, and how it ended, nobody will know. Its trades, were there any, the position and
the income are still told; so it can be closed in our books, as *unknowable*, once those were read. Pure.
"""

from collections.abc import Iterable

import msgspec

from aister.execution.states import Course
from aister.ports.exchange import VenueOrder

__all__ = ["ABSENCE", "AbsenceRules", "away_sentence", "unknowable"]

ABSENCE = "absence"
"""The cause of a freeze that only a person ends, with the command `AcceptAbsence`."""
_DAY_MS = 86_400_000


class AbsenceRules(msgspec.Struct, frozen=True):
    """`retention_ms`: how long the venue tells of an order that never filled (aster-api 6: seven days)."""

    retention_ms: int = 7 * _DAY_MS


def unknowable(
    courses: Iterable[Course], resting: Iterable[VenueOrder], now_ms: int, rules: AbsenceRules
) -> list[Course]:
    """The orders of ours that are not open, have not ended and are older than what the venue keeps."""
    there = {one.client_id for one in resting}
    oldest_ms = now_ms - rules.retention_ms
    return [
        one
        for one in courses
        if one.sent_ms and one.sent_ms < oldest_ms and one.order.client_id not in there and not one.state.ended
    ]


def away_sentence(away_ms: int, orders: int) -> str:
    """Why entries wait for a person."""
    left = f"; the end of {orders} orders cannot be known any more" if orders else ""
    days = f"{away_ms / _DAY_MS:.1f} days" if away_ms >= _DAY_MS else f"{away_ms / 3_600_000:.1f} hours"
    return f"The trader was away for {days}{left}. Look at the account, then accept it (aister run --accept-absence)."
