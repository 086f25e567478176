"""What the venue remembers of one symbol's market: the bars its prices, mean range and impact come from."""

from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from aister.core.events import BarClosed
from aister.core.instrument import Instrument
from aister.core.money import RATE_ONE, UNIT
from aister.kernels import entry
from aister.kernels.impact import DAY_MS, days_state, end_day
from aister.kernels.state import restore, snapshot
from aister.sim.models import Impact

__all__ = ["Tape", "TapeState"]

_CLOSED_BARS = 15


@cache
def _end_day() -> Callable[..., Any]:
    """The compiled step behind its fast entry point."""
    return entry(end_day, days_state(0.0, 1.0), 0, 0, 1.0, 0)


class TapeState(msgspec.Struct, frozen=True):
    """A tape as a value: newest bars, impact, its days' record as bytes, the bars of the day at hand."""

    recent: list[BarClosed]
    impact: float
    days: bytes
    day_bars: list[BarClosed]
    day_end_ms: int


class Tape:
    """One symbol's newest bars, and its complete days. `impact` is impact(1) in force, negative while unknown."""

    __slots__ = ("_day_bars", "_day_end_ms", "_days", "impact", "per_quote", "recent", "steps_per_base")

    def __init__(self, instrument: Instrument, impact: Impact | None) -> None:
        self.recent: deque[BarClosed] = deque(maxlen=_CLOSED_BARS + 1)
        self.relist(instrument)
        self._days = days_state(impact.coefficient_e4 / 10_000, impact.haircut_e4 / 10_000) if impact else None
        self._day_bars: list[BarClosed] = []
        self._day_end_ms = 0
        self.impact = -1.0 if impact else 0.0

    def relist(self, instrument: Instrument) -> None:
        """Take the instrument's grid."""
        self.per_quote = instrument.ticks_per_quote
        self.steps_per_base = UNIT / instrument.step_e8

    def keep(self) -> "TapeState":
        """What is remembered, as a value."""
        days = snapshot(self._days) if self._days is not None else b""
        return TapeState(list(self.recent), self.impact, days, list(self._day_bars), self._day_end_ms)

    def put_back(self, state: "TapeState") -> None:
        """Remember what was kept. Raises `ValueError` when its layout has changed since."""
        self.recent = deque(state.recent, maxlen=_CLOSED_BARS + 1)
        self.impact, self._day_bars, self._day_end_ms = state.impact, list(state.day_bars), state.day_end_ms
        if self._days is not None:
            restore(self._days, state.days)

    def take(self, bar: BarClosed) -> None:
        """A bar opens (its range, close and volume are looked at once it has closed)."""
        self.recent.append(bar)
        if self._days is not None:
            if bar.open_time_ms >= self._day_end_ms:
                self._close_day()
                self._day_end_ms = (bar.open_time_ms // DAY_MS + 1) * DAY_MS
            self._day_bars.append(bar)

    def ticks(self, price: float) -> int:
        """The nearest tick of a canonical price, as the book converts it."""
        return round(price * self.per_quote)

    def price(self, ticks: int) -> float:
        """A price that converts to these ticks."""
        return ticks / self.per_quote

    def range_e8(self) -> int:
        """Mean true range of the (up to 15) bars closed before the newest, in 1e-8 ticks rounded up:
        `kernels.bars.mean_range`."""
        total, count, last = 0, 0, None
        for bar in list(self.recent)[:-1]:
            if last is not None:
                total += max(self.ticks(bar.high), last) - min(self.ticks(bar.low), last)
                count += 1
            last = self.ticks(bar.close)
        return -(-total * RATE_ONE // count) if count else 0

    def lost(self) -> int:
        """1 if bars are missing just before the newest, else 0."""
        return int(len(self.recent) > 1 and self.recent[-2].time_ms != self.recent[-1].open_time_ms)

    def _close_day(self) -> None:
        bars = self._day_bars
        if bars:
            traded = sum(round(bar.volume * self.steps_per_base) for bar in bars)
            self.impact = _end_day()(self._days, bars[0].open_time_ms, bars[-1].time_ms, bars[-1].close, traded)
            self._day_bars = []
