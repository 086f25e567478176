"""The venue's clock as estimated here.

    venue time(m) = server time + (m - m0),  m0 = middle of the shortest recent round trip of /time,

over a clock m that never steps, so that setting this machine's clock changes nothing. How far this machine's wall clock
is from the venue's is told apart (`skew_ms`): while it is large nothing is opened.
"""

from collections import deque

from aister.adapters.exchanges.aster.wire import Clock

__all__ = ["VenueClock"]

_KEPT, _OLDEST_MS = 8, 300_000
_STEP_MS = 500


class VenueClock:
    """Times in ms UTC. Until the first measurement, and after a step or a sleep of this machine, the wall clock stands
    in and `measured` is False."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._samples: deque[tuple[float, float, int]] = deque(maxlen=_KEPT)  # round trip, middle, server time
        self._wall_ahead = 0.0
        self._ahead = 0.0
        self.lost = False
        """What was measured is worthless since a step, and nothing was measured since."""

    def heard(self, server_ms: int, sent: float, received: float) -> None:
        """A reply of /time: server time, and when by the steady clock the request left and the reply came."""
        self.watch()
        if abs(server_ms - (sent + received) / 2 - self._ahead) > _STEP_MS + (received - sent) / 2:
            self._samples.clear()  # it is the venue's clock that was stepped
        if not self._samples:
            self._wall_ahead = self.clock.now_ms() - self.clock.monotonic_ms()
        self.lost = False
        self._samples.append((received - sent, (sent + received) / 2, server_ms))
        _, middle, server = min(one for one in self._samples if received - one[1] <= _OLDEST_MS)
        self._ahead = server - middle

    def watch(self) -> bool:
        """Whether the wall clock was stepped (or this machine slept) since it was last looked at; if so, what was
        measured is forgotten. Look about every second."""
        if not self._samples:
            return False
        ahead = self.clock.now_ms() - self.clock.monotonic_ms()
        stepped = abs(ahead - self._wall_ahead) > _STEP_MS
        self._wall_ahead = ahead
        if stepped:
            self._samples.clear()
            self.lost = True
        return stepped

    @property
    def measured(self) -> bool:
        return bool(self._samples)

    def now_ms(self) -> int:
        return round(self.clock.monotonic_ms() + self._ahead) if self._samples else self.clock.now_ms()

    def skew_ms(self) -> int:
        """How far the wall clock is ahead of the venue's; 0 while nothing is measured."""
        return self.clock.now_ms() - self.now_ms() if self.measured else 0
