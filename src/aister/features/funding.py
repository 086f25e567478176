"""Funding as it was known: a rate exists after its settlement, the next settlement follows from the data's own
interval (Q32)."""

from aister.core.events import FundingSettled

__all__ = ["EIGHT_HOURS_MS", "GRACE_MS", "funding_values"]

_MINUTE_MS = 60_000
EIGHT_HOURS_MS = 8 * 3_600_000

GRACE_MS = 5 * _MINUTE_MS
"""How long after its due time a settlement may reach us before the last one counts as stale."""

_IDS = ("funding.rate", "funding.rate_8h", "funding.minutes_to_next", "funding.minutes_since")


def funding_values(
    last: FundingSettled | None, time_ms: int, values: dict[str, float], unavailable: dict[str, str]
) -> None:
    """Write every `funding.*` feature at `time_ms` into `values`, or the reason why it cannot be known into
    `unavailable`.

    `last` is the newest settlement the engine has been told of. rate: fraction per settlement, positive = longs
    pay; rate_8h = rate x 8 h / interval; minutes_to_next = last settlement + its interval - now, 0 while it is due
    and on its way.
    """
    if last is None:
        unavailable.update(dict.fromkeys(_IDS, "no funding settlement has been seen yet"))
        return
    due_ms = last.time_ms + last.interval_ms
    since = (time_ms - last.time_ms) / _MINUTE_MS
    if time_ms > due_ms + GRACE_MS:
        late = (time_ms - due_ms) // _MINUTE_MS
        reason = f"the settlement due {late} minutes ago has not arrived; the last one is {since:.0f} minutes old"
        unavailable.update(dict.fromkeys(_IDS, reason))
        return
    rate = last.rate_e8 / 1e8
    values["funding.rate"] = rate
    values["funding.rate_8h"] = rate * (EIGHT_HOURS_MS / last.interval_ms)
    values["funding.minutes_to_next"] = max(0.0, (due_ms - time_ms) / _MINUTE_MS)
    values["funding.minutes_since"] = since
