"""How many orders: a second and a UTC day. What a process counted and did not write down is counted as used."""

from collections import deque

__all__ = ["Pace"]

_DAY_MS = 86_400_000


class Pace:
    """`day` and `orders` as kept by an earlier process. The day never goes back, whatever the clock does."""

    def __init__(self, per_s: int, per_day: int, day: int = 0, orders: int = 0) -> None:
        self._per_s, self._per_day = per_s, per_day
        self.day, self.orders = day, orders
        self._recent: deque[float] = deque()

    def full(self, now_s: float, now_ms: int) -> str:
        """Which cap the next order would break, in a sentence; "" for none. `now_s` is monotonic."""
        self._turn(now_ms)
        while self._recent and now_s - self._recent[0] >= 1:
            self._recent.popleft()
        if len(self._recent) >= self._per_s:
            return f"{self._per_s} orders were signed within a second, the most set at arming; send fewer."
        if self.orders >= self._per_day:
            return f"{self._per_day} orders were signed today, the most set at arming; go on tomorrow, or arm again."
        return ""

    def count(self, now_s: float, now_ms: int) -> None:
        self._turn(now_ms)
        self._recent.append(now_s)
        self.orders += 1

    def _turn(self, now_ms: int) -> None:
        today = now_ms // _DAY_MS
        if today > self.day:
            self.day, self.orders = today, 0
