"""After the venue was away: a full read of its books, and one whole closed bar, before anything is entered (C18).

An outage shorter than `outage_ms` is none: reads fail now and then. Pure.
"""

import msgspec

__all__ = ["Resuming"]


class Resuming(msgspec.Struct):
    """`cause` freezes entries from the end of an outage to the first bar that opened after it and has closed. Times:
    venue time, ms."""

    outage_ms: int = 300_000
    down_ms: int = 0
    back_ms: int = 0

    def failed(self, now_ms: int) -> None:
        """The venue could not be read."""
        self.down_ms = self.down_ms or now_ms

    def read(self, now_ms: int) -> str:
        """The venue was read, whole; why entries still wait when that ends an outage, else ""."""
        since_ms, self.down_ms = self.down_ms, 0
        if not since_ms or now_ms - since_ms < self.outage_ms:
            return ""
        self.back_ms = now_ms
        minutes = (now_ms - since_ms) // 60_000
        return f"The venue was away for {minutes} minutes; entries wait for a whole bar of its market."

    def bar(self, open_time_ms: int) -> bool:
        """A bar has closed; whether it ends the wait."""
        if not self.back_ms or open_time_ms < self.back_ms:
            return False
        self.back_ms = 0
        return True
