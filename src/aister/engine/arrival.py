"""Engine time of what arrives between two bars of a live feed."""

from collections.abc import Callable

from aister.ports.feed import MarketSlice

__all__ = ["ArrivalClock"]


class ArrivalClock:
    """The venue's clock, but never at or past the close that is still to come: a bar reaches the engine some time after
    it closed, and what was reported meanwhile must not be younger than it. `now` is the venue's clock in ms.

    Call the clock for the time of a report, `passed` with every slice before it is taken, and `expects` before the
    first one (after a restart: the bar that follows the journal's last, however long ago it closed).
    """

    def __init__(self, now: Callable[[], int], base_interval_ms: int) -> None:
        self._now, self._interval_ms = now, base_interval_ms
        self._next_close_ms = 2**62

    def __call__(self) -> int:
        return min(self._now(), self._next_close_ms - 1)

    def expects(self, close_ms: int) -> None:
        """The next bar to be taken closes then."""
        self._next_close_ms = close_ms

    def passed(self, market: MarketSlice) -> None:
        """This slice is about to be taken; the next one closes an interval later."""
        self._next_close_ms = market.open_time_ms + 2 * self._interval_ms
