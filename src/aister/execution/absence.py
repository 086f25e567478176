"""What a venue can no longer tell after a long absence (C21): orders without fills vanish from its history.

Whether such an order was ever there, and how it ended, nobody will know. Its trades, were there any, the position and
the income are still told; so it can be closed in our books, as *unknowable*, once those were read. Pure.
"""

import msgspec

from aister.execution.states import Course

__all__ = ["NOT_SHOWN", "UNKNOWABLE", "AbsenceRules", "away_sentence", "unknowable"]

UNKNOWABLE = "unknowable: the venue forgot it, no trade tells of it"
NOT_SHOWN = "the venue does not show it"
"""Why a stop was told as gone that may rest all the same: look-ups lag."""
_DAY_MS = 86_400_000


class AbsenceRules(msgspec.Struct, frozen=True):
    """`retention_ms`: how long the venue tells of an order that never filled (aster-api 6: seven days)."""

    retention_ms: int = 7 * _DAY_MS


def unknowable(course: Course, now_ms: int, rules: AbsenceRules) -> bool:
    """Whether an order that the venue does not know may only have been forgotten: it is older than what is kept."""
    return 0 < course.sent_ms < now_ms - rules.retention_ms


def away_sentence(away_ms: int) -> str:
    """Why entries wait for a person."""
    days = f"{away_ms / _DAY_MS:.1f} days" if away_ms >= _DAY_MS else f"{away_ms / 3_600_000:.1f} hours"
    return (
        f"The trader was away for {days}, longer than the venue tells of its orders. Look at the account, then accept "
        "it: aister run --accept-absence."
    )
