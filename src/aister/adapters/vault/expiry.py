"""What an agent's end means before it comes (A4): alerts 7 days, 24 hours and 1 hour ahead; from 24 hours on nothing
new is opened."""

import msgspec

__all__ = ["Expiry", "expiry"]

_HOUR_MS = 3_600_000
_ALERTS_MS = (_HOUR_MS, 24 * _HOUR_MS, 7 * 24 * _HOUR_MS)
_CLOSING_MS = 24 * _HOUR_MS


class Expiry(msgspec.Struct, frozen=True):
    """`opens`: whether new risk may be taken; `alert_ms`: the nearest alert that is due (ms before the end; 0 = over),
    -1 for none; `sentence`: what to say, "" for nothing."""

    opens: bool
    alert_ms: int
    sentence: str


def expiry(name: str, expires_ms: int, now_ms: int) -> Expiry:
    """Of the key `name` that ends at `expires_ms` (UTC). An unknown end (0) is said, and opens: only the venue knows
    it."""
    if not expires_ms:
        return Expiry(
            True, -1, f"When the key {name} ends is not known; write expires into its file, as the venue shows it."
        )
    left = expires_ms - now_ms
    if left <= 0:
        return Expiry(False, 0, f"The key {name} has ended; create a new agent. Stops at the venue stay as they are.")
    due = next((ahead for ahead in _ALERTS_MS if left <= ahead), -1)
    opens = left > _CLOSING_MS
    if due < 0:
        return Expiry(opens, due, "")
    span = f"{left // _HOUR_MS} hours" if left < 3 * 24 * _HOUR_MS else f"{left // (24 * _HOUR_MS)} days"
    rest = "" if opens else " Nothing new is opened until then."
    return Expiry(opens, due, f"The key {name} ends in {span}; create a new agent.{rest}")
