"""Equity as unitised NAV: loss of the day and week, drawdown from the peak, and the breaker that follows it (Q23).

References (peak, opening of day and week) are kept as equities *in today's units*: a transfer multiplies all of them by
(equity + amount) / equity, so NAV per unit, every loss and every drawdown stay what they were.

    ACTIVE   --drawdown >= Reducing--> REDUCING --drawdown >= Halted--> HALTED --a person resumes--> REDUCING or ACTIVE
    REDUCING --drawdown <= Recovered--> ACTIVE          (Recovered < Reducing: the hysteresis)

The peak is never re-based by resuming: a resumed account stays REDUCING until it recovers, and is halted again when it
loses another (Halted - Reducing) of what it had when it was resumed.
"""

import msgspec

from aister.core.audit import Breaker
from aister.core.money import RATE_ONE
from aister.risk.profile import Limits

__all__ = ["DAY_MS", "Nav"]

DAY_MS = 86_400_000
_LOWEST = -(2**62)


def day_of(time_ms: int) -> int:
    """UTC days since 1970-01-01."""
    return time_ms // DAY_MS


def week_of(time_ms: int) -> int:
    """UTC weeks starting on Monday (1970-01-01 was a Thursday)."""
    return (time_ms // DAY_MS + 3) // 7


class Nav(msgspec.Struct):
    """The NAV book. `units` in 1e-8 (NAV starts at 1), all else money in 1e-8 or ms; `units` = 0 before the first mark.

    While `floor` < equity <= `ceiling` and the time is before `until_ms`, a mark changes nothing but `equity`.
    """

    units: int = 0
    equity: int = 0
    peak: int = 0
    day_open: int = 0
    week_open: int = 0
    day: int = 0
    until_ms: int = 0
    stage: Breaker = Breaker.ACTIVE
    resumed: int = 0
    floor: int = 0
    ceiling: int = 0

    def mark(self, time_ms: int, equity: int, limits: Limits) -> None:
        """Take the equity at `time_ms`: roll day and week, move the peak, move the stage."""
        if not self.units:
            self.units = self.peak = self.day_open = self.week_open = equity
        elif time_ms >= self.until_ms:
            opening = self.equity if time_ms % DAY_MS else equity
            if week_of(time_ms) > (self.day + 3) // 7:
                self.week_open = opening
            self.day_open = opening
        self.day = day_of(time_ms)
        self.until_ms = (self.day + 1) * DAY_MS
        self.equity = equity
        self.peak = max(self.peak, equity)
        self.stage = self.stage_at(equity, limits)
        if self.stage is Breaker.ACTIVE:
            self.resumed = 0
        self._bounds(limits)

    def stage_at(self, equity: int, limits: Limits) -> Breaker:
        """The stage this equity leads to, without going there."""
        lost = (self.peak - equity) * RATE_ONE
        if self.stage is Breaker.HALTED or self._halts(equity, limits):
            return Breaker.HALTED
        if self.stage is Breaker.REDUCING:
            return Breaker.ACTIVE if lost <= self.peak * limits.recovered_e8 else Breaker.REDUCING
        return Breaker.REDUCING if self.peak and lost >= self.peak * limits.reducing_e8 else Breaker.ACTIVE

    def transfer(self, amount: int, equity: int, limits: Limits) -> bool:
        """Money came (positive) or went at `equity`. False when no NAV is left to keep: nothing scales from or to
        zero."""
        after = equity + amount
        if not self.units or equity <= 0 or after <= 0:
            return False
        out = self.stage is Breaker.REDUCING and not self._recovers(equity, limits)
        for field in ("units", "peak", "day_open", "week_open", "resumed"):
            setattr(self, field, getattr(self, field) * after // equity)
        if out and self._recovers(after, limits):
            self.peak += 1  # rounding to 1e-8 may not decide
        self.equity = after
        self._bounds(limits)
        return True

    def resume(self, limits: Limits) -> None:
        """A person goes on after a halt, knowing the drawdown."""
        if self.stage is Breaker.HALTED:
            self.resumed = max(1, self.equity)
            self.stage = Breaker.REDUCING
            self.stage = self.stage_at(self.equity, limits)
            self._bounds(limits)

    def nav(self) -> float:
        """Money per unit; 1.0 at the start."""
        return self.equity / self.units if self.units else 1.0

    def drawdown(self, equity: int) -> float:
        """1 - NAV / peak NAV."""
        return max(0.0, 1 - equity / self.peak) if self.peak > 0 else 0.0

    def today(self, time_ms: int, equity: int) -> tuple[int, int]:
        """(loss since 00:00 UTC, equity then), in today's units; the day may have turned since the last mark."""
        return _loss(self._opening(time_ms, equity) if time_ms >= self.until_ms else self.day_open, equity)

    def this_week(self, time_ms: int, equity: int) -> tuple[int, int]:
        """(loss since Monday 00:00 UTC, equity then), in today's units."""
        turned = self.units and week_of(time_ms) > (self.day + 3) // 7
        return _loss(self._opening(time_ms, equity) if turned else self.week_open, equity)

    def _opening(self, time_ms: int, equity: int) -> int:
        return self.equity if time_ms % DAY_MS else equity

    def _halts(self, equity: int, limits: Limits) -> bool:
        if self.resumed:
            return equity * RATE_ONE <= self.resumed * (RATE_ONE - limits.halted_e8 + limits.reducing_e8)
        return self.peak > 0 and (self.peak - equity) * RATE_ONE >= self.peak * limits.halted_e8

    def _recovers(self, equity: int, limits: Limits) -> bool:
        return (self.peak - equity) * RATE_ONE <= self.peak * limits.recovered_e8

    def _bounds(self, limits: Limits) -> None:
        """Between which equities nothing happens."""
        if self.stage is Breaker.ACTIVE:
            self.floor = self.peak * (RATE_ONE - limits.reducing_e8) // RATE_ONE
            self.ceiling = self.peak
        elif self.stage is Breaker.REDUCING:
            kept = RATE_ONE - limits.halted_e8
            self.floor = self.peak * kept // RATE_ONE
            if self.resumed:
                self.floor = self.resumed * (kept + limits.reducing_e8) // RATE_ONE
            self.ceiling = -(-self.peak * (RATE_ONE - limits.recovered_e8) // RATE_ONE) - 1
        else:
            self.floor, self.ceiling = _LOWEST, self.peak


def _loss(opening: int, equity: int) -> tuple[int, int]:
    return max(0, opening - equity), opening
