"""After the venue was away: a full read of the account, fresh order books, and one whole closed bar, before anything is
entered (C18).

An outage shorter than `outage_ms` is none: reads fail now and then.
"""

from aister.execution.telling import Teller

__all__ = ["Resuming"]

_CAUSE = "resume"


class Resuming:
    """Entries wait from the end of an outage to the first bar that opened after it and has closed, and where order
    books are looked at (`booked`) until they have been told fresh. Times: venue time, ms."""

    def __init__(self, teller: Teller, outage_ms: int, *, booked: bool) -> None:
        self._teller, self._outage_ms, self._booked = teller, outage_ms, booked
        self._down_ms = 0
        self._passed = self._waited = False
        self._stale = ""
        self.back_ms = 0
        """When the venue came back: since when order books must have moved; 0: nothing is waited for."""

    def recalled(self) -> None:
        """An earlier life had not seen its bar yet: this one waits for it from its first reading on."""
        self._waited = True

    def failed(self, now_ms: int) -> None:
        """The venue could not be read."""
        self._down_ms = self._down_ms or now_ms

    def read(self, now_ms: int, *, observed: bool) -> None:
        """The venue was read, whole. Where nobody tells of bars (not `observed`), none is waited for."""
        since_ms, self._down_ms = self._down_ms, 0
        waited, self._waited = self._waited, False
        away_ms = now_ms - since_ms if since_ms else 0
        if not observed or (away_ms < self._outage_ms and not waited):
            return
        self.back_ms, self._passed = now_ms, False
        self._stale = "they were not looked at yet" if self._booked else ""
        when = (
            f"for {away_ms // 60_000} minutes" if away_ms >= self._outage_ms else "before the trader was started again"
        )
        self._teller.freeze(_CAUSE, f"The venue was away {when}; entries wait for a whole bar of its market.")

    def bar(self, open_time_ms: int) -> None:
        """A bar has closed."""
        if self.back_ms and open_time_ms >= self.back_ms:
            self._passed = True
            self._look()

    def books(self, stale: str) -> None:
        """The order books were looked at: why one of them is not fresh, "" when all are."""
        if self.back_ms:
            self._stale = stale
            self._look()

    def _look(self) -> None:
        if not self._passed:
            return
        if self._stale:
            self._teller.freeze(_CAUSE, f"Since the venue was away entries wait for fresh order books: {self._stale}.")
        else:
            self.back_ms = 0
            self._teller.thaw(_CAUSE)
