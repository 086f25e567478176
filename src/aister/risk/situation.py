"""What a review reads: the account, the market, and everything already at risk, counted at its worst (Q24, C9)."""

import msgspec

from aister.core.instrument import Instrument
from aister.core.money import RATE_ONE
from aister.core.trade import Side
from aister.risk.profile import Limits

__all__ = ["Exposure", "Reserved", "Situation", "exposure", "reservation", "slip_ticks"]


class Exposure(msgspec.Struct, frozen=True):
    """A position held. `stop_risk` = what is lost from mark to the resident stop, `slip` what the stop may slip on top.

    `steps` is signed. Money in 1e-8. Without a resident stop (`protected` false) the whole notional is at risk.
    """

    symbol: str
    steps: int
    notional: int
    stop_risk: int
    slip: int
    margin: int
    protected: bool


class Reserved(msgspec.Struct, frozen=True):
    """Risk spoken for but not held: an armed plan, or an entry sent, working or of unknown outcome, at its worst
    fill."""

    symbol: str
    side: Side
    notional: int
    stop_risk: int
    slip: int
    margin: int


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """The account and the market at `time_ms`. None = unknown, which refuses entries and never touches a reduction.

    `confirmed_steps` is the signed position of the intent's symbol as the venue confirmed it. `positions` holds every
    position, `reserved` every other plan and entry in flight. `free_margin` = wallet - margin of the positions held.
    `mark_ticks`, ATRs, `half_spread_ticks`: of the intent's symbol; ATRs and spread rounded up. `atr_1m_ticks` is of 1m
    or, where the feed has no 1m, of its base interval (never smaller). `cost_e8` = expected round trip / price.
    `bar_age_ms` counts from the close of the newest closed bar of `bar_interval_ms`.
    """

    time_ms: int
    equity: int | None
    free_margin: int | None
    mark_ticks: int | None
    bar_interval_ms: int
    bar_age_ms: int | None
    account_age_ms: int | None
    confirmed_steps: int
    positions: tuple[Exposure, ...] = ()
    reserved: tuple[Reserved, ...] = ()
    atr_1m_ticks: int | None = None
    atr_1h_ticks: int | None = None
    cost_e8: int | None = None
    half_spread_ticks: int | None = None

    @property
    def stop_risk(self) -> int:
        """Lost if every position and plan is stopped exactly at its stop (correlation 1)."""
        return sum(x.stop_risk for x in self.positions) + sum(x.stop_risk for x in self.reserved)

    @property
    def worst_loss(self) -> int:
        """The same with every stop slipping: sum of (distance to resident stop + slip) x size (Q24)."""
        return self.stop_risk + sum(x.slip for x in self.positions) + sum(x.slip for x in self.reserved)

    @property
    def gross(self) -> int:
        """Sum of notionals, armed and working included."""
        return sum(x.notional for x in self.positions) + sum(x.notional for x in self.reserved)

    def notional_of(self, symbol: str) -> int:
        """The same of one symbol."""
        held = sum(x.notional for x in self.positions if x.symbol == symbol)
        return held + sum(x.notional for x in self.reserved if x.symbol == symbol)


def slip_ticks(price_ticks: int, atr_1m_ticks: int, base: str, limits: Limits) -> int:
    """How far past its stop a position is assumed to close: max(3 x ATR(1m), 1 % majors | 3 % others), rounded up
    (Q24)."""
    floor = -(-price_ticks * limits.slip_e8(base) // RATE_ONE)
    return max(limits.slip_atr * atr_1m_ticks, floor)


def exposure(
    instrument: Instrument,
    limits: Limits,
    *,
    steps: int,
    mark_ticks: int,
    stop_ticks: int | None,
    atr_1m_ticks: int | None,
    margin: int,
) -> Exposure:
    """A held position at its worst. `stop_ticks` None = no stop rests at the venue; an unknown ATR slips by all of
    it."""
    notional = instrument.notional(mark_ticks, steps)
    a_tick = abs(steps) * instrument.unit
    distance = mark_ticks if stop_ticks is None else max(0, (mark_ticks - stop_ticks) * (1 if steps > 0 else -1))
    slip = mark_ticks if atr_1m_ticks is None else slip_ticks(mark_ticks, atr_1m_ticks, instrument.base, limits)
    protected = stop_ticks is not None
    return Exposure(instrument.symbol, steps, notional, distance * a_tick, slip * a_tick, margin, protected)


def reservation(
    instrument: Instrument,
    limits: Limits,
    *,
    side: Side,
    steps: int,
    entry_ticks: int,
    stop_ticks: int,
    atr_1m_ticks: int | None,
) -> Reserved:
    """A plan or working entry filled whole at `entry_ticks`: its margin includes the taker fee of getting in."""
    notional = instrument.notional(entry_ticks, steps)
    a_tick = steps * instrument.unit
    slip = entry_ticks if atr_1m_ticks is None else slip_ticks(entry_ticks, atr_1m_ticks, instrument.base, limits)
    margin = -(-notional * (RATE_ONE + limits.leverage * instrument.taker_e8) // (limits.leverage * RATE_ONE))
    return Reserved(instrument.symbol, side, notional, abs(entry_ticks - stop_ticks) * a_tick, slip * a_tick, margin)
